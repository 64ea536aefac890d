# ruff: noqa: E402
"""Against other libraries, where they are installed (``pip install ".[bench]"``): skreg never ends higher, as convex problems go."""

import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
if not FOLDER.is_dir():
    pytest.skip("the benchmarks are not part of this distribution", allow_module_level=True)
sys.path.insert(0, str(FOLDER))

import ends


@pytest.mark.parametrize("penalty, peer", [(penalty, peer) for penalty, peers in ends.PEERS.items() for peer in peers])
def test_no_end_is_higher_than_theirs(penalty, peer):
    pytest.importorskip(peer)
    found = np.concatenate(
        [ends.excesses(penalty, seed, [peer])[peer] for seed in range(20 if penalty == "mcp" else 5)]
    )
    if penalty == "mcp":
        assert np.mean(found <= 1e-6) >= 0.95
    else:
        assert np.max(found) <= 1e-8
