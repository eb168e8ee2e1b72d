# make run     grow seeds/logqa.jsonl to a thousand rows, from nothing but Python >= 3.11
# make test    everything that CI checks: make check, then the tests
# make check   style, types, import layers, docstrings
# make bench   every benchmark, one after the other: an hour and a half
# make crash   a thousand killed runs, and every way in which a disk can refuse
# make lock    renew requirements/*.txt after pyproject.toml changed (UPGRADE=1: to the newest releases too)
# make clean   remove .venv and the caches; outputs/ stays

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
UV_VERSION := 0.13.8
BENCHMARKS := verify rejudge throughput faults novelty resume soak

.PHONY: run test check bench crash lock clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

run: .venv/run.stamp
	$(BIN)/selfinstruct run seeds/logqa.jsonl --rows 1000

test: check
	$(BIN)/pytest -n 2

check: .venv/dev.stamp
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/interrogate --quiet selfinstruct

bench: .venv/dev.stamp
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name; done

crash: .venv/dev.stamp
	$(BIN)/python -m benchmarks.crash

# uv resolves once for every Python from 3.11 on and every platform; the files name no index.
# The dev lock is bound by the run lock, so that tests see what users get.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

lock: .venv/bin/python
	@echo "Resolving requirements/*.txt"
	@$(PIP) install uv==$(UV_VERSION)
	@$(COMPILE) --group build --output-file requirements/build.txt
	@$(COMPILE) pyproject.toml --output-file requirements/run.txt
	@$(COMPILE) pyproject.toml --group dev --constraints requirements/run.txt --output-file requirements/dev.txt

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find selfinstruct tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The environment: each stamp is newer than the lock files that it was installed from.
$(shell test -x .venv/bin/python || rm -rf .venv)# its Python was upgraded away, or making it was cut short
.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
	  "selfinstruct needs Python 3.11 or newer; $(PYTHON) is %d.%d. Name a newer one: make PYTHON=python3.12 ..." % v[:2])'
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

# Build isolation would download unlocked build tools, so setuptools comes first, from its own lock.
.venv/run.stamp .venv/dev.stamp: .venv/%.stamp: .venv/bin/python requirements/build.txt requirements/%.txt pyproject.toml
	@echo "Installing $$(grep -c == requirements/$*.txt) packages from requirements/$*.txt"
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r requirements/$*.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
