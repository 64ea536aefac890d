"""A bar for what takes time."""

import sys
import time

__all__ = ["watched"]

WIDTH = 30


def watched(items, total, verbose, label):
    """Pass items on; with ``verbose`` draw a bar on stderr.

    Parameters
    ----------
    items : iterable
    total : int
        How many are expected.
    verbose : bool
        Whether to draw.
    label : str
        What stands before the bar.

    Yields
    ------
    The items.
    """
    if not verbose:
        yield from items
        return
    begin = time.perf_counter()
    done = 0

    def draw(end=""):
        filled = WIDTH * done // max(total, 1)
        bar = "#" * filled + "." * (WIDTH - filled)
        seconds = time.perf_counter() - begin
        sys.stderr.write(f"\r{label} [{bar}] {done}/{total} {seconds:.1f} s{end}")
        sys.stderr.flush()

    try:
        draw()
        for item in items:
            yield item
            done += 1
            draw()
    finally:
        draw("\n")
