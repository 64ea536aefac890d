"""The prox of a user's own penalty, compiled by numba from the very text that the user wrote.

numba is optional. It is imported when as much work has been done without it as a
compilation takes, or when `compile_prox` asks for it. Compiled are the parameters' types,
never their values nor alpha. What is compiled answers as its text does: both are
compared for each penalty that is fitted, and the text runs where they differ.
"""

import dis
import importlib.util
import warnings
from collections import namedtuple
from numbers import Integral, Real
from types import FunctionType, ModuleType
from typing import NamedTuple

import numpy as np

from skreg._twins import apply_prox

__all__ = ["WORTH", "NumbaProx", "agrees", "compiled_text", "numba_prox"]

# Floating-point operations done in NumPy after which a compilation, two or three seconds with the import, is worth it.
WORTH = 3e9

# Points at which compiled code and text are compared: so many for a penalty that treats all features alike.
ENOUGH = 120

# prox as written -> what its compilation came to, by the types of the parameters.
_COMPILED = {}


class NumbaProx(NamedTuple):
    """What numba made of a text.

    Attributes
    ----------
    address : int or None
        Of a C function ``prox(coef, step, alpha, params)``; None if there is none.
    how : str
        In which form it was compiled, or why it was not.
    function : object
        Keeps the machine code alive.
    """

    address: int | None
    how: str
    function: object = None


def compiled_text(penalty):
    """Address and parameters of what numba has made of a penalty's text, or None.

    Parameters
    ----------
    penalty : Penalty
        Separable, bound.

    Returns
    -------
    None or tuple (address, params)
        With ``params`` of shape (1, n_params) or (n_features, n_params).
    """
    known = _COMPILED.get(type(penalty).prox)
    if known is None:
        return None
    kinds, values = _parameters(penalty)
    made = known.get(kinds)
    return None if made is None or made.address is None else (made.address, _rows(values))


def numba_prox(penalty, n_features):
    """Compile the prox of a penalty, unless that was done before.

    Parameters
    ----------
    penalty : Penalty
        Separable, bound to ``n_features`` features.
    n_features : int

    Returns
    -------
    NumbaProx
    """
    text = type(penalty).prox
    kinds, _ = _parameters(penalty)
    known = _COMPILED.setdefault(text, {})
    if kinds not in known:
        known[kinds] = _compile(penalty, kinds, n_features)
    return known[kinds]


def agrees(penalty, address, params, n_features):
    """Whether compiled code gives what the text gives, at some points for every feature.

    Parameters
    ----------
    penalty : Penalty
        Separable, bound to ``n_features`` features.
    address : int
    params : ndarray
        As `compiled_text` gives them.
    n_features : int

    Returns
    -------
    bool
    """
    if len(params) == 1 and n_features > ENOUGH:
        penalty, n_features = penalty.restrict(np.arange(ENOUGH)), ENOUGH
    rng = np.random.default_rng(0)
    out = np.empty(n_features)
    with np.errstate(all="ignore"):
        for _ in range(1 + ENOUGH // n_features):
            step, alpha = 10.0 ** rng.uniform(-2, 1.5, n_features), 10.0 ** rng.uniform(-2, 1, n_features)
            alpha[rng.random(n_features) < 0.1] = 0.0
            coef = rng.standard_normal(n_features) * (0.1 + alpha) * rng.choice([1.0, 5.0, 30.0], n_features)
            apply_prox(address, params, coef, step, alpha, out)
            try:
                text = penalty.prox(coef, step, alpha)
            except Exception:
                return False
            if np.shape(text) != out.shape:
                return False
            # Not so where one of them is NaN.
            if not np.all(np.abs(out - text) <= 1e-10 * np.abs(text) + 1e-12 * np.abs(coef).max()):
                return False
    return True


# -- parameters -----------------------------------------------------------------------


def _parameters(penalty):
    """Of each attribute that the text reads: name and kind, and, apart from them, its value.

    Numbers and arrays with one number per feature are arguments of the compiled function.
    What else there is (a word, None) is a constant of it.
    """
    own, cls = vars(penalty), type(penalty)
    # Of the class, what is a number or a word: neither its methods nor its properties.
    names = [name for name in _names(cls.prox) if name in own or isinstance(getattr(cls, name, None), (Real, str))]
    kinds, values = [], []
    for name in names:
        value = getattr(penalty, name)
        if isinstance(value, (bool, np.bool_)):
            kind = "bool"
        elif isinstance(value, Integral):
            kind = "int"
        elif isinstance(value, Real):
            kind = "float"
        elif isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "biuf":
            kind = "array"
        elif value is None or isinstance(value, str):
            kind = "constant", value
        else:
            kind = "unknown"
        kinds.append((name, kind))
        if kind in ("bool", "int", "float", "array"):
            values.append(value)
    return tuple(kinds), values


def _rows(values):
    """Parameters as the C function gets them, after a number that nobody reads: there may be none."""
    return np.column_stack(np.broadcast_arrays(np.zeros(1), *values)).astype(np.float64)


def _names(text):
    return text.__code__.co_names if isinstance(text, FunctionType) else ()


# -- compilation ----------------------------------------------------------------------


def _compile(penalty, kinds, n_features):
    """As scalar code, else on arrays of one element."""
    text = type(penalty).prox
    if importlib.util.find_spec("numba") is None:
        return NumbaProx(None, "numba is not installed")
    if not isinstance(text, FunctionType):
        return NumbaProx(None, "prox is not a plain Python function")
    unknown = [name for name, kind in kinds if kind == "unknown"]
    if unknown:
        return NumbaProx(None, f"its attribute {unknown[0]!r} is neither a number nor an array with one per feature")
    if _raises(text):
        return NumbaProx(None, "its text can raise, which compiled code cannot")
    params = _rows(_parameters(penalty)[1])
    why = ""
    for scalar in (True, False):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function = _c_function(text, kinds, scalar)
        except Exception as error:
            # numba's own errors, and whatever else its passes trip over: none of them is ours to handle.
            why = why or f"numba cannot compile it: {_cause(error)}"
            continue
        if agrees(penalty, function.address, params, n_features):
            form = "as scalar code" if scalar else "on arrays of one element"
            return NumbaProx(function.address, f"compiled by numba {form}", function)
        why = "what numba makes of it does not give what the text gives: is it separable?"
    return NumbaProx(None, why)


def _cause(error):
    """The line of one of numba's messages that says what is not possible."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith("Failed in")), type(error).__name__)


def _c_function(text, kinds, scalar):
    from numba import cfunc, njit, types

    options = {"error_model": "numpy", "boundscheck": True}
    # A namedtuple stands for self; its fields may not begin with an underscore.
    record = namedtuple("Parameters", [f"own{name}" for name, _ in kinds])
    given = {name: f"own{name}" for name, _ in kinds}
    body = njit(**options)(_copied(text, given, njit(**options), _scalar_numpy(njit(**options)) if scalar else {}))
    space = {"body": body, "record": record, "np": np}
    arguments, position = [], 0
    for number, (_, kind) in enumerate(kinds):
        if isinstance(kind, tuple):
            space[f"constant{number}"] = kind[1]
            arguments.append(f"constant{number}")
            continue
        entry = f"params[{position + 1}]"
        if kind == "array" and not scalar:
            entry = f"np.full(1, {entry})"
        arguments.append({"bool": f"{entry} != 0.0", "int": f"int({entry})"}.get(kind, entry))
        position += 1
    numbers = "coef, step, alpha" if scalar else "np.full(1, coef), np.full(1, step), np.full(1, alpha)"
    answer = f"body(record({', '.join(arguments)}), {numbers})"
    exec(f"def prox(coef, step, alpha, params):\n    return float({answer if scalar else answer + '[0]'})", space)
    signature = types.float64(types.float64, types.float64, types.float64, types.CPointer(types.float64))
    return cfunc(signature, **options)(space["prox"])


def _copied(text, given, compile_helper, stand_ins):
    """The function with its attributes renamed, and with the functions that it calls compiled too."""
    code = text.__code__
    space = dict(text.__globals__)
    for name in code.co_names:
        found = space.get(name)
        if isinstance(found, FunctionType) and found not in stand_ins:
            space[name] = compile_helper(_copied(found, {}, compile_helper, stand_ins))
        elif callable(found) or found is np:
            space[name] = stand_ins.get(found, found)
    code = code.replace(co_names=tuple(given.get(name, name) for name in code.co_names))
    copy = FunctionType(code, space, text.__name__, text.__defaults__, text.__closure__)
    copy.__kwdefaults__ = text.__kwdefaults__
    return copy


def _scalar_numpy(compiled):
    """What stands for NumPy, and for its functions, where all arrays are numbers."""

    @compiled
    def where(condition, first, second):
        return first if condition else second

    @compiled
    def clip(number, low, high):
        return min(max(number, low), high)

    @compiled
    def zeros_like(number):
        return 0.0

    own = {"where": where, "clip": clip, "zeros_like": zeros_like}
    module = ModuleType("numpy")
    module.__dict__.update(vars(np) | own)
    return {np: module} | {getattr(np, name): function for name, function in own.items()}


def _raises(text, depth=3):
    """Whether the text, or a function that it calls, has a raise or an assert."""
    if any(step.opname == "RAISE_VARARGS" for step in dis.get_instructions(text)):
        return True
    helpers = [text.__globals__.get(name) for name in text.__code__.co_names]
    return depth > 0 and any(isinstance(helper, FunctionType) and _raises(helper, depth - 1) for helper in helpers)
