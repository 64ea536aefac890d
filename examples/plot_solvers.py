r"""
Which solver, and why not another?
==================================

You need not choose one. skreg takes the fastest that can solve the problem, and says why the faster ones cannot.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, scale

from skreg import PenalizedRegression, compile_prox, fastest_solver, make_problem
from skreg.penalties import NoPenalty, get_penalty, penalty_names

X, y = load_diabetes(return_X_y=True)
X = scale(PolynomialFeatures(2, interaction_only=True, include_bias=False).fit_transform(scale(X)))

for penalty in [NoPenalty(), *map(get_penalty, penalty_names())]:
    print(f"{penalty!r:<28} {fastest_solver(make_problem(X, y, penalty=penalty)).name}")

# %%
# :func:`skreg.make_problem` puts loss, penalty and data together (a :class:`skreg.Problem`), and
# :func:`skreg.fastest_solver` goes down the list until a solver does not refuse. The reasons can be read:

choice = fastest_solver(make_problem(X, y, penalty="slope"))
for solver, reason in choice.refusals.items():
    print(f"{solver}: {reason}")

# %%
# The solution does not depend on the solver. What differs is the way there. Stop two of them ever later, and read
# from the certificate how far the objective can be from the lowest:

import warnings

from sklearn.exceptions import ConvergenceWarning

fig, ax = plt.subplots(figsize=(9, 5))
for solver, style in {"proximal_gradient": "C1o-", "coordinate_descent": "C0s-"}.items():
    steps, gaps = [], []
    for max_iter in [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000]:
        model = PenalizedRegression("l1", alpha=0.5, solver=solver, max_iter=max_iter, tol=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        steps.append(model.n_iter_)
        gaps.append(max(model.optimality_.gap, 1e-16))
    ax.plot(steps, gaps, style, label=solver)
ax.axhline(1e-6, color="0.4", ls="--", lw=1.2, label="the default tol")
ax.set(xscale="log", yscale="log", xlabel="iterations", ylabel="duality gap, relative")
ax.legend()
plt.show()

# %%
# An iteration of coordinate descent is a round of its working set, solved to the end, so it needs few. The proximal gradient
# method takes one step for all weights at a time; in exchange it solves with every penalty there is. A penalty of
# your own reaches the compiled loops, too: :func:`skreg.compile_prox` tells whether and how.

print(compile_prox(get_penalty("l1")))
