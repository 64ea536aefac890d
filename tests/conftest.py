"""Settings that must come before anything is imported, and how hypothesis draws."""

import os

# scikit-learn skips its array API checks without it, and reads it when SciPy is imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# Workers of pytest-xdist share the cores: threads of theirs would only wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings

# The same examples on every run, and no clock: a failure is a fact about the code, never about the machine.
settings.register_profile("skreg", derandomize=True, deadline=None, max_examples=25, database=None)
settings.load_profile("skreg")
