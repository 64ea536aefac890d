"""Plain arrays take a short way through validation: it must lead where scikit-learn's leads."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skreg import PenalizedLogisticRegression, PenalizedRegression
from skreg._validation import check_data, check_labels
from skreg.fitting import encode_classes

X, Y = np.arange(12.0).reshape(4, 3) ** 1.5, np.array([0.5, 1.0, -1.0, 3.0])
LABELS = np.array([0, 1, 0, 1])


def with_entry(array, value):
    array = np.array(array, dtype=np.float64)
    array.flat[1] = value
    return array


CASES = {
    "plain": (X, Y),
    "fortran": (np.asfortranarray(X), Y),
    "float32": (X.astype(np.float32), Y),
    "labels": (X, LABELS),
    "truth values": (X, LABELS == 1),
    "text": (X, np.array(["a", "b", "a", "b"])),
    "nan in X": (with_entry(X, np.nan), Y),
    "inf in X": (with_entry(X, np.inf), Y),
    "nan in y": (X, with_entry(Y, np.nan)),
    "opposite infinities in y": (X, np.array([np.inf, -np.inf, 0.0, 0.0])),
    "sum overflows": (X * 4e306, Y * 1e307),
    "integers": (np.arange(12).reshape(4, 3), Y),
    "big-endian": (X.astype(">f8"), Y),
    "complex": (X + 0j, Y),
    "objects": (X.astype(object), Y),
    "list": (X.tolist(), Y.tolist()),
    "column": (X, Y[:, None]),
    "strided target": (X, np.repeat(Y, 2)[::2]),
    "one dimension": (Y, Y),
    "no rows": (X[:0], Y[:0]),
    "no columns": (X[:, :0], Y),
    "lengths": (X, Y[:3]),
    "no target": (X, None),
    "masked": (np.ma.masked_array(X, mask=X > 3), Y),
    "CSC": (sparse.csc_array(X), Y),
    "CSR matrix": (sparse.csr_matrix(X), Y),
    "COO": (sparse.coo_array(X), Y),
    "sparse float32": (sparse.csr_array(X.astype(np.float32)), Y),
    "sparse integers": (sparse.csc_array(np.arange(12).reshape(4, 3)), Y),
    "nothing stored": (sparse.csc_array((4, 3)), Y),
    "nan among what is stored": (sparse.csc_array(with_entry(X, np.nan)), Y),
    "sparse sum overflows": (sparse.csc_array(X * 4e306), Y),
    "sparse, no columns": (sparse.csc_array((4, 0)), Y),
    "sparse, lengths": (sparse.csc_array(X), Y[:3]),
}


def outcome(check):
    try:
        found = check(PenalizedRegression())
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    return [shown(array) for array in found]


def shown(array):
    if sparse.issparse(array):
        return type(array), array.dtype, array.indices.dtype, array.toarray().tolist()
    return array.dtype, array.flags.c_contiguous, array.tolist()


@pytest.mark.filterwarnings("ignore:A column-vector y was passed:sklearn.exceptions.DataConversionWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce:RuntimeWarning")
@pytest.mark.parametrize("name", CASES)
def test_as_scikit_learn_would(name):
    given = CASES[name]
    wanted = {"accept_sparse": ("csr", "csc"), "dtype": (np.float64, np.float32)}
    assert outcome(lambda est: check_data(est, *given)) == outcome(lambda est: validate_data(est, *given, **wanted))


def test_the_short_way_hands_on_the_arrays_themselves():
    for given in (X, sparse.csc_array(X), sparse.csr_matrix(X)):
        found = check_data(BaseEstimator(), given, Y)
        assert found[0] is given and found[1] is Y


@pytest.mark.parametrize("estimator", [PenalizedRegression(), PenalizedLogisticRegression()])
def test_predicting_with_another_number_of_columns(estimator):
    estimator.fit(X, LABELS)
    assert estimator.n_features_in_ == 3
    with pytest.raises(ValueError, match=r"X has 2 features, but .* is expecting 3 features"):
        estimator.predict(X[:, :2])


def test_names_of_an_earlier_fit_are_forgotten():
    pandas = pytest.importorskip("pandas")
    model = PenalizedRegression().fit(pandas.DataFrame(X, columns=list("abc")), Y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)
    assert not hasattr(model.fit(X, Y), "feature_names_in_")


def test_labels_that_look_like_a_regression():
    check_labels(LABELS)
    said = []
    # Releases before 1.7 have nothing to say.
    for check in (check_classification_targets, check_labels):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check(np.arange(30))
        said.append([str(warning.message) for warning in caught])
    assert said[0] == said[1]
    with pytest.raises(ValueError, match="Unknown label type"):
        check_labels(Y)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, 1, 3, 3, 1], dtype=np.int8),
        np.array([-100, 100, 27, -100], dtype=np.int8),
        np.array([7, 5, 6, 7, 5]),
        np.array([2**62, -(2**62), 0]),
        np.array([2, 0, 2], dtype=np.uint64),
        np.array([True, False, True]),
        np.array([0.5, -1.0, 0.5]),
        np.array(["b", "a"]),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_are_sorted_and_keep_their_type(labels):
    classes = encode_classes(labels)
    assert classes.labels.dtype == labels.dtype
    assert classes.labels.tolist() == sorted(set(labels.tolist()))
    code = [classes.labels.tolist().index(label) for label in labels.tolist()]
    target = classes.target if classes.target.ndim == 1 else classes.target.argmax(axis=1)
    assert target.tolist() == code
