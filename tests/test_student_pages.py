"""What the four pages for students claim is so: asserted from the numbers that their sliders and figures show."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar
from scipy.special import expit

DOC = Path(__file__).parents[1] / "doc"


@pytest.fixture(scope="module")
def student():
    sys.path.insert(0, str(DOC))
    try:
        import student
    finally:
        sys.path.remove(str(DOC))
    return student


# -- why add? -------------------------------------------------------------------------------------------------------------


def test_the_lowest_point_moves_to_zero_with_alpha_and_away_from_it_below(student):
    shown = student.why_add.data()
    alphas, lowest = shown["alpha"], shown["lowest"]
    has_one = np.array([place is not None for place in lowest])
    places = np.array([place for place in lowest if place is not None])
    assert np.all(np.diff(places) < 0) and np.all(places > 0)
    assert (alphas <= -1).sum() > 5, "the slider must go beyond minus the curvature"
    np.testing.assert_array_equal(has_one, alphas > -1 + 1e-12)


@pytest.mark.parametrize("alpha", [-0.9, -0.5, 0.0, 0.5, 4.0])
def test_the_lowest_point_is_that_of_the_drawn_sum(student, alpha):
    page = student.why_add

    def height(weight):
        return float(np.sum(page.curves([weight], alpha)))

    found = minimize_scalar(height, bracket=(-10.0, 10.0), options={"xtol": 1e-10})
    assert_allclose(page.lowest(alpha), found.x, rtol=1e-5)


@pytest.mark.parametrize("alpha", [-1.0, -1.3, -2.0])
def test_no_minimum_below_minus_the_curvature(student, alpha):
    page = student.why_add
    assert page.lowest(alpha) is None
    weights = 10.0 ** np.arange(1, 7)
    heights = page.curves(weights, alpha).sum(axis=0)
    assert np.all(np.diff(heights) < 0) and heights[-1] < -1e5


def test_a_cost_of_zero_is_had_by_a_model_worse_than_none(student):
    page = student.why_add
    weights, errors = page.perfect_costs()
    for weight in weights:
        fit, price = page.curves([weight], 3.0)
        assert_allclose(fit, price, rtol=1e-9)
    text = (DOC / "understand" / "why_add.rst").read_text(encoding="utf-8")
    assert "Right: their errors, {:.2f} and {:.2f}".format(*errors) in text
    assert errors[0] > 3 and errors[1] < 1


# -- one weight -----------------------------------------------------------------------------------------------------------


def test_pulls_cancel_at_every_stop_of_the_slider(student):
    shown = student.one_weight.data()
    for path in shown["penalties"].values():
        data, penalty = np.array(path["data"]), np.array(path["penalty"])
        assert np.max(np.abs(data + penalty)) < 1e-3 * np.max(np.abs(data))


def test_each_penalty_pulls_as_the_page_says(student):
    shown = student.one_weight.data()
    alphas = np.array(shown["alpha"])[:, None]
    weight, pull = (np.array(shown["penalties"]["L2"][name]) for name in ("weight", "penalty"))
    assert np.all(weight != 0)
    assert_allclose(pull, -alphas * weight, atol=1e-3)
    weight, pull = (np.array(shown["penalties"]["L1"][name]) for name in ("weight", "penalty"))
    flat = np.broadcast_to(alphas, weight.shape)
    moved = weight != 0
    assert_allclose(np.abs(pull[moved]), flat[moved], rtol=1e-4)
    assert np.all(np.abs(pull[~moved]) <= flat[~moved] * (1 + 1e-6))
    assert (~moved).sum() > 50
    weight, pull = (np.array(shown["penalties"]["MCP"][name]) for name in ("weight", "penalty"))
    large = np.abs(weight) > 3.0 * alphas
    assert np.all(np.abs(pull[large]) < 1e-3)
    assert large.sum() > 50


def test_l2_keeps_a_known_share_along_each_direction_of_the_data(student):
    page = student.one_weight
    X, _ = page.patients()
    s, directions = np.linalg.svd(X, full_matrices=False)[1:]
    for alpha in (0.01, 0.3, 10.0):
        told = page.explained("l2", alpha)
        kept = (directions @ told.coef) / (directions @ told.unpenalised)
        assert_allclose(kept, s**2 / (s**2 + len(X) * alpha), rtol=1e-5)
    # The weakest direction is the difference of cholesterol and LDL.
    strongest = {page.NAMES[j] for j in np.argsort(-np.abs(directions[-1]))[:2]}
    assert strongest == {"cholesterol", "LDL"} and np.prod(directions[-1, [4, 5]]) < 0


# -- just right -----------------------------------------------------------------------------------------------------------


def test_training_error_rises_with_alpha_and_the_error_on_new_patients_has_a_valley(student):
    page = student.just_right
    shown = page.data()
    training, new = np.array(shown["training"]), np.array(shown["new"])
    assert np.all(np.diff(training) > 0)
    best = int(new.argmin())
    assert 3 < best < len(new) - 4
    assert np.all(np.diff(new[: best + 1]) < 0) and new[0] > 1.2 * new[best] < new[-1]
    assert len(shown["x"]) == 30 and len(page.patients()[3]) == 412 and page.fits()[0][-1].coef_.size == 22


def test_bias_and_variance_add_up_and_go_opposite_ways(student):
    seen = student.just_right.tradeoff(n_researchers=40)  # alphas from strong to weak
    assert_allclose(seen["new"], seen["bias and noise"] + seen["variance"])
    assert np.all(np.diff(seen["training"]) < 0) and np.all(np.diff(seen["freedom"]) > 0)
    assert (
        seen["variance"][-1] > 4 * seen["variance"][0] and seen["bias and noise"][0] > 1.5 * seen["bias and noise"][-1]
    )
    assert 3 < seen["new"].argmin() < len(seen["new"]) - 4


# -- when not -------------------------------------------------------------------------------------------------------------


def test_the_best_alpha_and_its_gain_fall_with_the_number_of_samples(student):
    shown = student.when_not.data()
    errors, alphas = np.array(shown["error"]), np.array(shown["alpha"])
    best = alphas[errors.argmin(axis=1)]
    assert np.all(np.diff(best) <= 0) and best[0] > 100 * best[-1]
    gain = 1 - errors.min(axis=1) / errors[:, 0]
    assert gain[0] > 0.8 and gain[-1] < 0.01
    assert np.all(errors[:, -1] > 0.8), "too large an alpha harms with any number of samples"


def test_the_simulated_error_is_the_closed_form_of_ridge(student):
    """With many samples and orthogonal columns: bias (alpha / (1 + alpha))^2, variance noise^2 p / (n (1 + alpha)^2)."""
    page = student.when_not
    n, noise = 3000, 3.0
    alpha = page.ALPHAS
    truth = np.sum(page.TRUTH**2)
    wanted = (alpha / (1 + alpha)) ** 2 + noise**2 * 10 / (n * truth * (1 + alpha) ** 2) + noise**2 / (n * truth)
    assert_allclose(page.excess_error(n, noise, n_repeats=30), wanted, rtol=0.15, atol=1e-4)


# -- the pages ------------------------------------------------------------------------------------------------------------


def test_every_page_has_a_slider_a_figure_code_and_a_question(student):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (DOC / "understand").glob("*_*.rst")}
    sliders = {re.search(r"\.\. slider:: (\S+)", text)[1] for text in pages.values()}
    assert sliders == set(student.PAGES)
    for text in pages.values():
        assert text.count(".. slider::") == text.count(".. figure::") == text.count(".. dropdown::") == 1
        assert ">>> " in text


def test_numbers_for_the_sliders_are_json_and_the_same_every_time(student):
    first = student.as_json("why-add")
    assert json.loads(first).keys() == student.why_add.data().keys()
    assert student.as_json("why-add") == first
    assert student.rounded({"a": np.array([1 / 3, expit(0.0)])}, digits=3) == {"a": [0.333, 0.5]}
