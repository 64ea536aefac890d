"""Concave separable penalties: sparse as L1, and kinder to large coefficients.

Each `prox` is the global minimiser for every step. Where the step is so long that
the objective of the prox has two valleys (a column of small variance meets such
steps), the deeper one wins; at a tie, zero does.
"""

import numpy as np

from skreg._validation import check_real
from skreg.penalties.base import Penalty
from skreg.penalties.convex import soft_threshold
from skreg.penalties.names import register

__all__ = ["L0", "MCP", "SCAD", "LogSum", "Lq"]


@register("mcp")
class MCP(Penalty):
    r"""Minimax concave penalty: starts as L1, and leaves large coefficients alone.

    .. math:: P(w; \alpha) = \sum_j \begin{cases} \alpha |w_j| - \frac{w_j^2}{2\gamma} & |w_j| \le \gamma\alpha \\
              \frac{1}{2} \gamma\alpha^2 & \text{otherwise} \end{cases}

    The pull towards zero fades from ``alpha`` at zero to nothing at ``gamma * alpha``.

    Parameters
    ----------
    gamma : float, default=3.0
        How slowly the pull fades, > 0: towards infinity MCP becomes the lasso, for small
        values best-subset selection. ncvreg's ``gamma``, there for columns of variance 1.

    Notes
    -----
    With a step of ``gamma`` or more (a column of variance ``1 / gamma`` or less) the
    prox is a hard threshold at :math:`\alpha\sqrt{\gamma\, step}`.

    References
    ----------
    C.-H. Zhang, "Nearly unbiased variable selection under minimax concave
    penalty", Ann. Statist. 38 (2010) 894-942, eq. (2.1); P. Breheny and J. Huang,
    Ann. Appl. Stat. 5 (2011) 232-253, eq. (2.1) and (2.3).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import MCP
    >>> MCP(gamma=3).prox(np.array([0.5, 2.0, 4.0]), step=1.0, alpha=1.0)
    array([0. , 1.5, 4. ])
    """

    separable = True

    def __init__(self, gamma=3.0):
        self.gamma = gamma

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_real("gamma", self.gamma, low=0, low_open=True)
        return self

    def value(self, coef, alpha):
        """The price, constant from ``gamma * alpha`` on."""
        size = np.minimum(np.abs(coef), self.gamma * alpha)
        return float(np.sum(size * (alpha - size / (2.0 * self.gamma))))

    def prox(self, coef, step, alpha):
        """Soft-thresholding, stretched; for long steps a hard threshold."""
        size = np.abs(coef)
        fades = step < self.gamma
        firm = soft_threshold(coef, step * alpha) / np.where(fades, 1.0 - step / self.gamma, 1.0)
        free_from = np.where(fades, self.gamma * alpha, alpha * np.sqrt(self.gamma * step))
        return np.where(size > free_from, coef, np.where(fades, firm, 0.0))

    def concavity(self, alpha):
        """``1 / gamma`` where there is a price."""
        return np.where(np.asarray(alpha) > 0, 1.0 / self.gamma, 0.0)


@register("scad")
class SCAD(Penalty):
    r"""Smoothly clipped absolute deviation: L1 for small coefficients, nothing more for large ones.

    .. math:: P(w; \alpha) = \sum_j \begin{cases} \alpha |w_j| & |w_j| \le \alpha \\
              \frac{2\gamma\alpha |w_j| - w_j^2 - \alpha^2}{2(\gamma - 1)} & \alpha < |w_j| \le \gamma\alpha \\
              \frac{1}{2}\alpha^2(\gamma + 1) & \text{otherwise} \end{cases}

    Parameters
    ----------
    gamma : float, default=3.7
        Where the penalty ends to grow, in units of alpha; > 2. Fan and Li's ``a``.

    Notes
    -----
    With a step of ``gamma - 1`` or more, coefficients beyond
    :math:`\frac{1}{2}\alpha(\gamma + 1 + step)` (:math:`\alpha\sqrt{step\,(\gamma + 1)}`
    for steps beyond ``gamma + 1``) stay as they are and the others are soft-thresholded.

    References
    ----------
    J. Fan and R. Li, "Variable selection via nonconcave penalized likelihood and
    its oracle properties", J. Am. Stat. Assoc. 96 (2001) 1348-1360, eq. (2.7), (2.8).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import SCAD
    >>> SCAD(gamma=4).prox(np.array([0.5, 1.5, 3.0, 5.0]), step=1.0, alpha=1.0)
    array([0. , 0.5, 2.5, 5. ])
    """

    separable = True

    def __init__(self, gamma=3.7):
        self.gamma = gamma

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_real("gamma", self.gamma, low=2, low_open=True)
        return self

    def value(self, coef, alpha):
        """The price, constant from ``gamma * alpha`` on."""
        size = np.minimum(np.abs(coef), self.gamma * alpha)
        beyond = np.maximum(size - alpha, 0.0)
        return float(np.sum(alpha * size - beyond**2 / (2.0 * (self.gamma - 1.0))))

    def prox(self, coef, step, alpha):
        """Soft-thresholding for small coefficients, nothing for large ones, a bridge between the two for short steps."""
        size, width = np.abs(coef), self.gamma - 1.0
        soft = soft_threshold(coef, step * alpha)
        fades = step < width
        pull = np.copysign(step * self.gamma * alpha / width, coef)
        bridge = (coef - pull) / np.where(fades, 1.0 - step / width, 1.0)
        jump = np.where(
            step <= self.gamma + 1.0,
            0.5 * alpha * (self.gamma + 1.0 + step),
            alpha * np.sqrt(step * (self.gamma + 1.0)),
        )
        free_from = np.where(fades, self.gamma * alpha, jump)
        return np.where(size > free_from, coef, np.where(fades & (size > alpha * (1.0 + step)), bridge, soft))

    def concavity(self, alpha):
        """``1 / (gamma - 1)`` where there is a price."""
        return np.where(np.asarray(alpha) > 0, 1.0 / (self.gamma - 1.0), 0.0)


@register("logsum")
class LogSum(Penalty):
    r"""Logarithmic penalty: every doubling of a coefficient costs about the same.

    .. math:: P(w; \alpha) = \alpha \sum_j \log\left(1 + \frac{|w_j|}{\epsilon}\right)

    Parameters
    ----------
    eps : float, default=1.0
        Where the logarithm begins, in units of the coefficients; > 0. Coefficients far
        below it pay as with L1 of strength ``alpha / eps``.

    References
    ----------
    E. J. Candes, M. B. Wakin and S. P. Boyd, "Enhancing sparsity by reweighted l1
    minimization", J. Fourier Anal. Appl. 14 (2008) 877-905, eq. (10).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import LogSum
    >>> LogSum(eps=1.0).prox(np.array([0.5, 2.0]), step=1.0, alpha=1.0).round(3)
    array([0.   , 1.618])
    """

    separable = True

    def __init__(self, eps=1.0):
        self.eps = eps

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_real("eps", self.eps, low=0, low_open=True)
        return self

    def value(self, coef, alpha):
        """Sum of ``alpha * log(1 + |coef| / eps)``."""
        return float(np.sum(alpha * np.log1p(np.abs(coef) / self.eps)))

    def prox(self, coef, step, alpha):
        """The larger root of a quadratic equation, or zero if that is cheaper."""
        size, strength, eps = np.abs(coef), step * alpha, self.eps
        # u**2 + (eps - size) * u + strength - eps * size = 0
        root = np.sqrt(np.maximum((size + eps) ** 2 - 4.0 * strength, 0.0))
        below = size < eps
        # Of two equal expressions, the one that does not cancel.
        apart = np.where(below, eps - size + root, 1.0)
        larger = np.where(below, 2.0 * (eps * size - strength) / apart, 0.5 * (size - eps + root))
        larger = np.where((size + eps) ** 2 >= 4.0 * strength, np.maximum(larger, 0.0), 0.0)
        saved = larger * (size - 0.5 * larger)
        return np.where(strength * np.log1p(larger / eps) < saved, np.copysign(larger, coef), 0.0)

    def concavity(self, alpha):
        """``alpha / eps**2``."""
        return alpha / self.eps**2


@register("lq")
class Lq(Penalty):
    r"""Power of the absolute value with an exponent between L0 and L1.

    .. math:: P(w; \alpha) = \alpha \sum_j |w_j|^q

    Its slope at zero is infinite: a coefficient that is zero stays so until it can jump.

    Parameters
    ----------
    q : float in (0, 1), default=0.5
        The exponent; 1/2 and 2/3 are the usual ones.

    Notes
    -----
    The prox is zero up to :math:`\frac{2 - q}{2 - 2q} (2 \alpha\, step\,(1 - q))^{1 / (2 - q)}`;
    beyond it, Newton's method from above finds the one root there is. For q = 1/2 and
    2/3 that is the closed form of the references.

    References
    ----------
    Z. Xu, X. Chang, F. Xu, H. Zhang, "L1/2 regularization: a thresholding
    representation theory and a fast solver", IEEE Trans. Neural Netw. Learn. Syst. 23
    (2012) 1013-1027, eq. (9); W. Cao, J. Sun, Z. Xu, J. Vis. Commun. Image Represent. 24 (2013)
    31-41 (q = 2/3); G. Marjanovic and V. Solo, IEEE Trans. Signal Process. 60 (2012)
    5714-5724, theorem 1 (any q).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import Lq
    >>> Lq(q=0.5).prox(np.array([1.0, 2.0]), step=1.0, alpha=1.0).round(3)
    array([0.   , 1.605])
    """

    separable = True

    def __init__(self, q=0.5):
        self.q = q

    def bind(self, n_features, feature_names=None):
        """Check the parameters."""
        check_real("q", self.q, low=0, high=1, low_open=True, high_open=True)
        return self

    def value(self, coef, alpha):
        """Sum of ``alpha * |coef|**q``."""
        return float(np.sum(alpha * np.abs(coef) ** self.q))

    def prox(self, coef, step, alpha):
        """Zero, or the larger root of ``u - |coef| + step * alpha * q * u**(q - 1)``."""
        size, strength, q = np.abs(coef), step * alpha, self.q
        threshold = (2.0 - q) / (2.0 - 2.0 * q) * (2.0 * strength * (1.0 - q)) ** (1.0 / (2.0 - q))
        moves = size > threshold
        start = np.where(moves, size, 1.0)
        strength = np.where(moves, strength, 0.0)
        root = start
        # From above the iterates of a convex increasing function never pass its root.
        for _ in range(50):
            pull = strength * q * root ** (q - 1.0)
            move = (root - start + pull) / (1.0 - (1.0 - q) * pull / root)
            root = root - move
            if np.all(np.abs(move) <= 1e-16 * root):
                break
        return np.where(moves, np.copysign(root, coef), 0.0)


@register("l0")
class L0(Penalty):
    r"""The number of coefficients that are not zero.

    .. math:: P(w; \alpha) = \alpha \,\#\{j : w_j \ne 0\}, \qquad
              \mathrm{prox}(w)_j = w_j \,[\,|w_j| > \sqrt{2\, step\, \alpha}\,]

    A fit is a local minimum, of which there are many: none of the coefficients,
    changed alone, makes it better. Follow a path from strong to weak.

    References
    ----------
    T. Blumensath and M. E. Davies, "Iterative thresholding for sparse
    approximations", J. Fourier Anal. Appl. 14 (2008) 629-654, eq. (2.4).

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import L0
    >>> L0().prox(np.array([1.0, 2.0]), step=1.0, alpha=1.0)
    array([0., 2.])
    """

    separable = True

    def value(self, coef, alpha):
        """Sum of ``alpha`` where coef is not zero."""
        return float(np.sum(alpha * (np.asarray(coef) != 0)))

    def prox(self, coef, step, alpha):
        """Hard thresholding."""
        return np.where(np.abs(coef) > np.sqrt(2.0 * step * alpha), coef, 0.0)
