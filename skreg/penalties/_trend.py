"""Differences of higher order, their inverse, and the prox of their absolute sum."""

from math import comb

import numpy as np
from scipy.linalg import LinAlgError, solveh_banded

from skreg.penalties.basis import Basis
from skreg.penalties.convex import L1

__all__ = ["differences", "jump_basis", "polynomials", "trend_prox"]


def differences(coef, times):
    """Differences of neighbours, of those, and so on; along the first axis."""
    return np.diff(coef, n=times, axis=0) if times < len(coef) else np.zeros((0, *np.shape(coef)[1:]))


def _adjoint(dual, times):
    """The transpose of `differences`."""
    for _ in range(times):
        wide = np.zeros(len(dual) + 2)
        wide[1:-1] = dual
        dual = -np.diff(wide)
    return dual


def polynomials(n_features, times):
    """Orthonormal basis of the polynomials of degree below ``times`` at 1, ..., n_features, in columns."""
    places = np.linspace(-1.0, 1.0, n_features) if n_features > 1 else np.zeros(1)
    powers = np.polynomial.legendre.legvander(places, min(times, n_features) - 1)
    return np.linalg.qr(powers)[0]


def jump_basis(n_features, times):
    """The basis of polynomials and of the jumps of the ``times - 1``-th derivative: there differences are sparse.

    Parameters
    ----------
    n_features : int
    times : int
        How often differences are taken.

    Returns
    -------
    Basis
    """
    smooth = polynomials(n_features, times)
    n_free = smooth.shape[1]

    def sums(array, reverse=False):
        for _ in range(times):
            array = np.cumsum(array[::-1], axis=0)[::-1] if reverse else np.cumsum(array, axis=0)
        return array

    def bent(jumps):
        return sums(np.concatenate([np.zeros((n_free, *jumps.shape[1:])), jumps]))

    def forward(theta):
        return bent(theta[n_free:]) + smooth @ theta[:n_free]

    def adjoint(array):
        return np.concatenate([smooth.T @ array, sums(array, reverse=True)[n_free:]])

    def inverse(coef):
        jumps = differences(coef, times)
        return np.concatenate([smooth.T @ (coef - bent(jumps)), jumps])

    factor = np.ones(n_features)
    factor[:n_free] = 0.0
    return Basis(forward, adjoint, inverse, L1(), factor)


def trend_prox(coef, strength, times):
    """Minimise ``0.5 * ||u - coef||^2 + strength * ||differences(u, times)||_1``.

    The dual is a least-squares problem in a box, banded. A primal-dual interior
    point method (S.-J. Kim, K. Koh, S. Boyd, D. Gorinevsky, "l1 trend filtering",
    SIAM Rev. 51 (2009), sec. 6; predictor and corrector of Mehrotra) tells which
    bounds hold; with them it is one linear system.

    Parameters
    ----------
    coef : ndarray of shape (n_features,)
    strength : float
    times : int

    Returns
    -------
    ndarray of shape (n_features,)
    """
    coef = np.asarray(coef, dtype=np.float64)
    smooth = polynomials(len(coef), times)
    trend = smooth @ (smooth.T @ coef)
    rough = coef - trend
    size = np.max(np.abs(rough), initial=0.0)
    if len(coef) <= times or not size > 1e-15 * np.max(np.abs(coef), initial=0.0):
        return trend
    if strength == 0:
        return coef.copy()
    # In units of the coefficients, and without what is never charged.
    rough, bound = rough / size, strength / size
    whole = rough
    for _ in range(times):
        whole = -np.cumsum(whole)
    if np.max(np.abs(whole[: len(coef) - times])) <= bound:
        return trend
    wanted = differences(rough, times)
    band = np.array([(-1.0) ** i * comb(2 * times, times + i) for i in range(times, -1, -1)])
    band = np.repeat(band[:, None], len(wanted), axis=1)
    upper, lower, dual = _interior_point(band, wanted, bound)
    at_bound = np.where(upper, bound, np.where(lower, -bound, 0.0))
    polished = _on_face(band, wanted - differences(_adjoint(at_bound, times), times), upper | lower)
    if polished is not None and np.max(np.abs(polished)) <= bound * (1.0 + 1e-9):
        dual = at_bound + polished
    return trend + size * (rough - _adjoint(dual, times))


def _interior_point(band, wanted, bound, max_iter=60):
    """Of ``0.5 u'Au - wanted'u, |u| <= bound``: where the upper and the lower bound hold, and the solution."""

    def times_matrix(vector):
        product = band[-1] * vector
        for i in range(1, len(band)):
            if i < len(vector):
                product[i:] += band[-1 - i, i:] * vector[:-i]
                product[:-i] += band[-1 - i, i:] * vector[i:]
        return product

    dual = np.zeros_like(wanted)
    # Distances to the bounds have more digits than the dual: they are carried along.
    above = below = np.full_like(wanted, bound)
    up = down = np.full_like(wanted, np.max(np.abs(wanted)))
    # Products of a bound and its multiplier: below this they tell which of the two is zero.
    target = 1e-16 * bound * np.max(np.abs(wanted))
    for _ in range(max_iter):
        missing = times_matrix(dual) - wanted + up - down
        mean = float(np.mean(up * above + down * below)) / 2.0
        if mean <= target:
            break
        system = band.copy()
        system[-1] += up / above + down / below

        def move(first, second, system=system, above=above, below=below, missing=missing, up=up, down=down):
            step = solveh_banded(system, -missing - first / above + second / below, check_finite=False)
            return step, (first + up * step) / above, (second - down * step) / below

        try:
            step, step_up, step_down = move(-up * above, -down * below)
            size = _longest(above, below, up, down, step, step_up, step_down)
            ahead = np.mean(
                (above - size * step) * (up + size * step_up) + (below + size * step) * (down + size * step_down)
            )
            centre = (ahead / 2.0 / mean) ** 3 * mean
            step, step_up, step_down = move(
                centre - up * above + step * step_up, centre - down * below - step * step_down
            )
        except LinAlgError:
            break
        size = 0.995 * _longest(above, below, up, down, step, step_up, step_down)
        dual, up, down = dual + size * step, up + size * step_up, down + size * step_down
        above, below = above - size * step, below + size * step
    return up > above, down > below, dual


def _longest(above, below, up, down, step, step_up, step_down):
    """The longest step, up to 1, that keeps all four positive."""
    longest = 1.0
    for value, change in ((above, -step), (below, step), (up, step_up), (down, step_down)):
        shrinking = change < 0
        longest = min(longest, float(np.min(-value[shrinking] / change[shrinking], initial=1.0)))
    return longest


def _on_face(band, wanted, fixed):
    """Solve the banded system in the entries that are not fixed; zeros elsewhere."""
    system, right = band.copy(), np.where(fixed, 0.0, wanted)
    for i in range(1, len(band)):
        gone = fixed.copy()
        gone[i:] |= fixed[:-i] if i < len(fixed) else False
        system[-1 - i, gone] = 0.0
    system[-1, fixed] = 1.0
    try:
        return solveh_banded(system, right, check_finite=False)
    except LinAlgError:
        return None
