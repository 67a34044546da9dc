"""Work on all cores: blocks, matrix products, and the single thread of the BLAS."""

import hashlib
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from audiostyle_fx import stylize
from audiostyle_fx._engine.arrays import matmul, threads


def blas_threads():
    return [library.num_threads for library in ThreadpoolController().select(user_api="blas").lib_controllers]


def fingerprint(content, style, quick):
    return hashlib.sha256(stylize(content, style, 8000, **quick).audio.tobytes()).hexdigest()


def test_blocks_cover_every_row_once(shared_out):
    shared_out(10)
    for length, size, at_least in ((0, 3, 1), (1, 3, 1), (100, 3, 1), (101, 100, 1), (50, 5, 7)):
        counts, sizes = np.zeros(length, int), []

        def fill(rows, counts=counts, sizes=sizes):
            counts[rows] += 1
            sizes.append(rows.stop - rows.start)

        threads.in_blocks(fill, length, size, np, at_least)
        assert (counts == 1).all()
        assert sum(size < at_least for size in sizes) <= 1


def test_an_error_in_any_block_comes_through(shared_out):
    shared_out(1)

    def fail(rows):
        if rows.start == 7:
            raise ArithmeticError("block 7")

    with pytest.raises(ArithmeticError, match="block 7"):
        threads.in_blocks(fail, 12, 1, np)


@pytest.mark.parametrize(("m", "n"), [(5, 9), (9, 5), (1, 2)])
@pytest.mark.parametrize(("left", "right"), [(1, 1), (3, 3), (3, 1), (1, 3)])
def test_products(m, n, left, right, shared_out):
    shared_out(1)
    rng = np.random.default_rng(m)
    a, b = rng.standard_normal((left, m, 4)), rng.standard_normal((right, 4, n))
    np.testing.assert_allclose(matmul.matmul(a, b), a @ b, rtol=1e-13, atol=1e-13)
    out = rng.standard_normal((max(left, right), m, n))
    expected = out + a @ b
    matmul.matmul(a, b, add_to=out)
    np.testing.assert_allclose(out, expected, rtol=1e-13, atol=1e-13)


def test_the_blas_is_limited_while_anyone_is_inside_and_restored_after():
    before = blas_threads()
    assert before, "this test needs a BLAS that threadpoolctl knows"
    entered, leave = threading.Event(), threading.Event()

    def stay():
        with threads.one_thread_each:
            entered.set()
            leave.wait(10)

    with threads.one_thread_each:
        thread = threading.Thread(target=stay)
        thread.start()
        assert entered.wait(10)
    assert set(blas_threads()) == {1}, "the other thread is still inside"
    leave.set()
    thread.join()
    assert blas_threads() == before


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # forking with threads is a risk, taken here
def test_every_thread_and_a_forked_process_give_the_same_output(content, style, quick):
    expected = fingerprint(content, style, quick)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: fingerprint(content, style, quick), range(6)))
    assert set(found) == {expected}
    if "fork" in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context("fork").Pool(1) as processes:
            assert processes.apply(fingerprint, (content, style, quick)) == expected
