"""Memory in large pages is memory like any other."""

import numpy as np
import pytest

from skreg.pages import LARGE, Rows, in_large_pages


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
@pytest.mark.parametrize("shape", [(0, 3), (3, 2), (1024, 1024), (1499, 1501), (5_000_000,)])
def test_like_empty(shape, dtype):
    array, other = in_large_pages(shape, dtype), in_large_pages(shape, dtype)
    array[...], other[...] = 1, 2
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert (array == 1).all()
    assert (other == 2).all()


@pytest.mark.parametrize("size", [LARGE // 2, LARGE, LARGE + 8, 3 * LARGE - 8])
def test_large_arrays_begin_where_a_page_does(size):
    array = in_large_pages((size // 8,))
    assert array.nbytes == size
    assert array.ctypes.data % LARGE == 0
    # The last page, too, lies in memory that is the array's own.
    assert array.base.nbytes >= -(-size // LARGE) * LARGE


@pytest.mark.parametrize("length", [1, 7000, LARGE])
@pytest.mark.parametrize("most", [1, 100])
def test_rows_are_zeros_and_nobody_elses(length, most):
    rows, taken = Rows(length, most), []
    for n_rows in (1, 5, 3):
        some = rows.take(n_rows)
        assert some.shape == (n_rows, length)
        assert not some.any()
        some += 1.0 + len(taken)
        taken.append(some)
    rows.give_back(2)
    # These are the last two once more.
    assert not rows.take(2).any()
    assert not taken[2][1:].any()
    for k, some in enumerate((*taken[:2], taken[2][:1])):
        assert (some == 1.0 + k).all()
