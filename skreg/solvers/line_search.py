"""A line search that reads X once: the linear predictor is a line, too."""

__all__ = ["line_search"]


def line_search(point, move, shift, slope, shortest=1e-8, whole=None, forward=None, differentiate=False):
    """The point after the first of the steps 1, 1/2, 1/4, ... that lowers the objective as the slope promises.

    Parameters
    ----------
    point : Point
        Where the line begins.
    move : ndarray shaped like coef
    shift : float or ndarray of shape (n_outputs,)
        The whole step, of the coefficients and of the intercept.
    slope : float
        What the objective changes by along the whole step, to first order.
    shortest : float
        No step is shorter.
    whole : ndarray shaped like coef, optional
        Coefficients after the whole step, where rounding must not touch them (zeros, say).
    forward : ndarray shaped like eta, optional
        What ``move`` adds to the linear predictor, where that is known: X is not read then.
    differentiate : bool
        Whether the gradient will be asked for, and had better be computed while X is read, where that saves time.

    Returns
    -------
    reached : Point
        ``point`` itself if no step will do.
    size : float
        Of the step; 0 if there is none.
    """
    problem, size, noise = point.problem, 1.0, 4e-16 * abs(point.objective)
    gradient = None
    if differentiate and forward is None and problem.y.ndim == 1 and problem.design.takes_both(move):
        # Most likely the whole step will do.
        eta, gradient = problem.eta_and_gradient(move, point.eta + shift)
        forward = eta - point.eta
    else:
        forward = (problem.design.dot(move) if forward is None else forward) + shift
    while size >= shortest:
        coef = point.coef + size * move if whole is None or size < 1.0 else whole
        reached = problem.point(coef, point.intercept + size * shift, point.alpha, point.eta + size * forward)
        # A decrease that rounding hides is still one.
        if reached.objective <= point.objective + 1e-4 * size * slope + noise:
            if gradient is not None and size == 1.0:
                reached.gradient = gradient
            return reached, size
        size *= 0.5
    return point, 0.0
