"""The compiled extension, and nothing else: the metadata is in setup.cfg."""

import os
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

COMPILER_MISSING = """
skreg has a small compiled part, and building it needs a C compiler and Python's header files.

{reason}

To get them:
  Debian, Ubuntu   sudo apt-get install build-essential python3-dev
  Fedora           sudo dnf install gcc python3-devel
  macOS            xcode-select --install
  Windows          Build Tools for Visual Studio, with the workload "Desktop development with C++"
  conda            conda install -c conda-forge c-compiler
Then run the same command again.
"""


# What Cython adds for memoryviews is longer than our loops: one module has it, and the others import it from there.
# Cython puts it into sys.modules by its bare name as well, which therefore has to be nobody else's.
SHARED = "skreg._cython_shared"


class BuildKernels(build_ext):
    """Set flags per compiler, compile on all cores, and end in words when there is no compiler."""

    def build_extensions(self):
        self.parallel = self.parallel or os.cpu_count()
        translated = cythonize(self.extensions, shared_utility_qualified_name=SHARED)
        for extension, in_c in zip(self.extensions, translated, strict=True):
            extension.sources = in_c.sources
        if self.compiler.compiler_type == "unix":
            for extension in self.extensions:
                # No fused multiply-add: the same digits on every machine, and as in the NumPy text of each prox.
                # No debug information: it takes a quarter of the time and most of the wheel.
                # Nobody looks at the flags of the processor, nor at errno: choices between two numbers need no branch.
                flags = "-O3 -g0 -ffp-contract=off -fno-trapping-math -fno-math-errno"
                extension.extra_compile_args += flags.split()
        super().build_extensions()

    def run(self):
        try:
            super().run()
        except (CCompilerError, ExecError, PlatformError) as error:
            headers = Path(sysconfig.get_path("include"), "Python.h")
            reason = f"What went wrong: {error}"
            if not headers.exists():
                reason += f"\nPython's header file is not there: {headers}"
            raise SystemExit(COMPILER_MISSING.format(reason=reason)) from error


setup(
    ext_modules=[
        Extension(
            f"skreg.{name}",
            [f"skreg/{name}.pyx"],
            depends=[
                "skreg/_simd.h",
                "skreg/_coarse.h",
                "skreg/_exp.h",
                "skreg/_signals.pxd",
                "skreg/_columns.pxd",
                "skreg/_prox.pxd",
            ],
        )
        for name in (
            "_active",
            "_blocks",
            "_coarse",
            "_kernels",
            "_passes",
            "_small",
            "_structured",
            "_twins",
            "_wrapped",
        )
    ]
    + [Extension(SHARED, [SHARED.replace(".", "/") + ".c"])],
    cmdclass={"build_ext": BuildKernels},
)
