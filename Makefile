# Everything a contributor runs. `make` or `make help` lists the targets; each installs what it needs into .venv first.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
UV_VERSION := 0.13.8
WORKERS ?= 2
BENCHMARKS := verify verification rejudge throughput faults novelty relations selection resume soak

.PHONY: help run test test-slow check coverage mutate messages docs pictures bench truth real crash scale lock clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: .venv/run.stamp ## grow seeds/logqa.jsonl to 1,000 rows in outputs/logqa; needs only Python 3.11 or newer
	$(BIN)/selfinstruct run seeds/logqa.jsonl --rows 1000

test: check ## make check, then the tests, except those marked slow
	$(BIN)/pytest -n $(WORKERS) -m "not slow" --durations=10

test-slow: .venv/dev.stamp ## the tests marked slow
	@$(BIN)/pytest -n $(WORKERS) -m slow --durations=10 || { code=$$?; \
	  if [ $$code -eq 5 ]; then echo "No test is marked slow."; else exit $$code; fi; }

check: .venv/dev.stamp ## style, types, import layers, docstrings
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/interrogate --quiet selfinstruct

coverage: .venv/dev.stamp ## branch coverage of the tests, by package
	$(BIN)/pytest -n $(WORKERS) -q --cov --cov-report=json:.coverage.json --cov-report=
	$(BIN)/python -m benchmarks.coverage_by_package .coverage.json

mutate: .venv/dev.stamp ## mutation tests of the core (a sample, 20 minutes at most); prints the survivors
	$(BIN)/python -m benchmarks.mutation --output benchmarks/results/mutation.txt

messages: .venv/dev.stamp ## bring the catalogues of translated messages in step with the code
	$(BIN)/python docs/make_messages.py

docs: .venv/dev.stamp ## write the generated pages of docs/ from the code
	$(BIN)/python docs/generate.py

pictures: .venv/dev.stamp ## draw the pictures of README.md; needs chromium
	$(BIN)/python docs/make_pictures.py

bench: .venv/dev.stamp ## every benchmark, one after the other: an hour and a half
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name; done

truth: .venv/dev.stamp ## grow the seed files of tests/truth and judge every row by independent checkers
	$(BIN)/python -m benchmarks.violations
	$(BIN)/python -m benchmarks.truth

real: .venv/dev.stamp ## runs against a real small model; needs llama-server and REAL_MODEL=FILE.gguf
	$(BIN)/python -m benchmarks.real

crash: .venv/dev.stamp ## a thousand killed runs, a hundred that wait for batch jobs, and every way in which a disk can refuse
	$(BIN)/python -m benchmarks.crash
	$(BIN)/python -m benchmarks.batch_kills

scale: .venv/dev.stamp ## dedup on Ray beside one process: bytes, seconds, memory, 50 kills; an hour
	$(BIN)/python -m benchmarks.scale --rows 10000 100000 1000000
	$(BIN)/python -m benchmarks.scale --rows 20000 --stream logs --threshold 0.8 --kills 50

# uv resolves once for every Python from 3.11 on and every platform; the files name no index.
# The dev lock is bound by the run lock, so that tests see what users get.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

lock: .venv/bin/python ## renew requirements/*.txt after pyproject.toml changed (UPGRADE=1: newest releases)
	@echo "Resolving requirements/*.txt"
	@$(PIP) install uv==$(UV_VERSION)
	@$(COMPILE) --group build --output-file requirements/build.txt
	@$(COMPILE) pyproject.toml --output-file requirements/run.txt
	@$(COMPILE) pyproject.toml --group dev --constraints requirements/run.txt --output-file requirements/dev.txt

clean: ## remove .venv and the caches; outputs/ stays
	rm -rf .venv build dist *.egg-info .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find selfinstruct tests benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

# The environment: each stamp is newer than the lock files that it was installed from.
$(shell test -x .venv/bin/python || rm -rf .venv)# remove an environment whose Python is gone or that is incomplete
.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
	  "selfinstruct needs Python 3.11 or newer; $(PYTHON) is %d.%d. Name a newer one: make PYTHON=python3.12 ..." % v[:2])'
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

# Build isolation would download unlocked build tools, so setuptools is installed first, from its own lock.
.venv/run.stamp .venv/dev.stamp: .venv/%.stamp: .venv/bin/python requirements/build.txt requirements/%.txt pyproject.toml
	@echo "Installing $$(grep -c == requirements/$*.txt) packages from requirements/$*.txt"
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r requirements/$*.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
