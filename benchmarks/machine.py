"""Where the numbers were taken, and what this machine can do at best."""

import datetime
import os
import platform
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from scipy.linalg.blas import dsyrk
from threadpoolctl import threadpool_limits

PACKAGES = ("numpy", "scipy", "scikit-learn", "skreg", "skglm", "celer", "glum", "adelie", "python-glmnet", "numba")


def cpu():
    """Model of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions():
    """Of all that may have a hand in the numbers; of skreg also the commit."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    import skreg

    found["skreg"] = f"{skreg.__version__}{commit(Path(skreg.__file__).parent)}"
    return found


def commit(folder):
    """Commit of a working tree, with a + if files differ from it; nothing elsewhere."""
    try:
        run = {"cwd": folder, "capture_output": True, "text": True, "check": True}
        short = subprocess.run(["git", "rev-parse", "--short", "HEAD"], **run).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "."], **run).stdout.strip()
        return f" ({short}{'+' if changed else ''})"
    except (OSError, subprocess.CalledProcessError):
        return ""


def facts(threads):
    """All that a reader needs in order to judge the numbers."""
    return {
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "threads": threads,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }


def rates(threads=1, megabytes=200, repeats=5):
    """GB/s of reading a matrix (``X.T @ r``), and GFLOP/s of its Gram matrix."""
    n, p = megabytes * 1000 // 8, 1000
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((n, p)))
    r = np.ones(n)
    block = X[: min(n, 4000)].copy(order="F")
    with threadpool_limits(limits=threads):
        read = fastest(lambda: X.T @ r, repeats)
        multiply = fastest(lambda: dsyrk(1.0, block, trans=1), repeats)
    return {"GB/s": X.nbytes / read / 1e9, "GFLOP/s": block.shape[0] * p * p / multiply / 1e9}


def fastest(function, repeats):
    """Shortest of several times, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)
