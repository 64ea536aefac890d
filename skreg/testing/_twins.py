"""The check of compiled twins: a prox in C against its NumPy text."""

import numpy as np

from skreg._twins import apply_prox
from skreg.solvers.compiled import compiled_prox
from skreg.testing._points import penalty_check


def _compiled_prox(penalty):
    """The compiled twin of ``penalty.prox`` as a function of a `Point`, or None."""
    twin = compiled_prox(penalty)
    if twin is None:
        return None

    def prox(coef, step, alpha):
        arrays = [np.array(np.broadcast_to(item, coef.shape), dtype=np.float64) for item in (coef, step, alpha)]
        answer = np.empty(coef.shape)
        apply_prox(*twin, *arrays, answer)
        return answer

    return prox


def _no_twin(case):
    return "prox has no compiled twin." if _compiled_prox(case.penalty) is None else None


@penalty_check(skips=_no_twin)
def check_compiled_twin(case):
    """A compiled twin of ``prox`` gives what its NumPy text gives."""
    twin = _compiled_prox(case.penalty)
    for point in case.points():
        text, compiled = case.prox(point), twin(*point)
        if not np.allclose(compiled, text, rtol=1e-12, atol=1e-14 * np.abs(point.coef).max()):
            hint = "one of both was changed and the other was not."
            case.fail("the compiled prox differs from its text.", hint, point, prox=text, compiled=compiled)


TWIN_CHECKS = (check_compiled_twin,)
