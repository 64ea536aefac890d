# make demo    the main job on real data, with two figures
# make test    the whole test suite
# make doc     the web site, in doc/_build/html
# make site-test  the built site in a browser: needs Chromium (Debian: apt-get install chromium)
# make lint    style, as CI checks it
# make clean   remove all that the others made
#
# Each of them creates .venv and installs into it what it needs. Another Python: make demo PYTHON=python3.13
# The install is editable: the extension is built inside skreg/, so that the source tree, from which pytest, doctest and
# Sphinx import, is the package that was built.

PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python
BUILT_FROM = setup.cfg setup.py pyproject.toml $(wildcard skreg/*.pyx skreg/*.pxd skreg/*.h)

.PHONY: demo test doc site-test lint clean

demo: $(VENV)/.plot
	$(RUN) examples/demo.py

# One process per core, one thread per process: threads that wait for each other cost more than they bring on small matrices.
test: $(VENV)/.test
	OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1 $(RUN) -m pytest --numprocesses auto --dist worksteal

# Generated pages go first: what is left of a deleted example or class would be a warning, hence an error.
doc: $(VENV)/.doc
	rm -rf doc/_build doc/_generated doc/api doc/auto_examples
	$(RUN) -m sphinx -j auto -W --keep-going -b html doc doc/_build/html
	$(RUN) doc/check_offline.py doc/_build/html
	@echo "The site is ready: open doc/_build/html/index.html"

# What `make doc` built: sliders, links, requests that would leave the site, light, dark and narrow.
site-test: $(VENV)/.browser
	$(RUN) -m pytest -q -p no:cacheprovider doc/browser

lint: $(VENV)/.test
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check

clean:
	rm -rf $(VENV) build dist *.egg-info demo_figures doc/_build doc/_generated doc/api doc/auto_examples
	rm -f skreg/*.c skreg/*.so

# .venv/built, .venv/.plot, .venv/.test and .venv/.doc are stamps: nothing changed since that is compiled, and what that
# extra names is there. pip would build again for each extra; asked for what is installed, it brings the extra only.
$(VENV)/.%: $(VENV)/built
	@echo "Installing what '$*' needs into $(VENV)."
	$(RUN) -m pip install --quiet "skreg[$*]"
	@touch $@

$(VENV)/built: $(BUILT_FROM)
	@$(check_python)
	@$(check_compiler)
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Building skreg into $(VENV): half a minute, once."
	$(RUN) -m pip install --quiet --editable .
	@touch $@

define check_python
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "skreg needs Python 3.11 or newer, and $(PYTHON) is not. If you have one, name it: make demo PYTHON=python3.13"; \
	exit 1; }
endef

define check_compiler
echo '#include <Python.h>' | $(CC) -x c -fsyntax-only \
	-I"$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')" - >/dev/null 2>&1 || { \
	echo "skreg has a small compiled part, and '$(CC)' cannot build it: a C compiler or Python's header files are missing."; \
	echo "  Debian, Ubuntu   sudo apt-get install build-essential python3-dev"; \
	echo "  Fedora           sudo dnf install gcc python3-devel"; \
	echo "  macOS            xcode-select --install"; \
	echo "  Windows          Build Tools for Visual Studio ('Desktop development with C++'), and the pip commands of README.md"; \
	exit 1; }
endef
