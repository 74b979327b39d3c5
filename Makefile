# Nothing is assumed but make, git and python3 (3.11 to 3.13).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml constraints.txt
# Long tests wait for daemons, databases and servers at times: three processes for two cores.
WAITING = $(shell $(PYTHON) -c 'import os; print(3 * len(os.sched_getaffinity(0)) // 2)' 2>/dev/null || echo 3)
REFEREE := f1_assets_tests/e2e/test_referee.py

PIP = $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt

# Processes that start others read what is compiled, instead of compiling it each. pip compiles nothing: of what it
# installs, most is never imported.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo ui test test-long test-exhaustive test-all test-pythons lint types contracts defs audit release
.PHONY: bench docs vega clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The pip that comes with Python 3.11 takes twice as long.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "f1_assets needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@$(PIP) --upgrade pip || echo "pip cannot be upgraded; with the older one it takes twice as long to install." >&2
	@touch $@

$(VENV)/.runtime: $(VENV)/.python $(SOURCES)
	@echo "Installing f1_assets into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.python $(SOURCES)
	@echo "Installing f1_assets and the tools for tests into $(VENV) ..."
	@$(PIP) --editable ".[dev]"
	@touch $(VENV)/.runtime $@

demo: $(VENV)/.runtime ## Import a simulated race weekend through Dagster into an embedded database
	@$(BIN)/f1-assets demo

ui: $(VENV)/.runtime ## Open Dagster's UI and daemon on this project
	@$(BIN)/f1-assets ui

test: $(VENV)/.dev ## Run the tests, in under 10 minutes on two cores
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder -m "not long and not exhaustive"

test-long: $(VENV)/.dev ## Run the long tests: daemon seasons, crashes, more on PostgreSQL
	$(BIN)/python -m pytest -n $(WAITING) --dist loadgroup --no-loadscope-reorder -m "long and not exhaustive" --ignore $(REFEREE)
	$(BIN)/python -m pytest -m long $(REFEREE)

test-exhaustive: $(VENV)/.dev ## Run the tests that show on more databases and feeds what others show
	$(BIN)/python -m pytest -n $(WAITING) --dist loadgroup --no-loadscope-reorder -m exhaustive

test-all: test test-long test-exhaustive ## Run all tests

test-pythons: ## Run the tests on Python 3.12 and 3.13, where they are found
	@.ci/pythons test

lint: $(VENV)/.dev ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types
	$(BIN)/mypy

contracts: $(VENV)/.dev ## Check that arrows between packages point one way
	$(BIN)/lint-imports

defs: $(VENV)/.dev ## Check that Dagster's own command, dg, loads the definitions
	$(BIN)/dg check defs

audit: $(VENV)/.dev ## Look for known vulnerabilities in what is installed
	@$(BIN)/python .ci/audit

release: $(VENV)/.dev ## Build sdist and wheel into dist/, and try the wheel in an empty folder
	@$(BIN)/python .ci/build-release
	@$(BIN)/python .ci/try-release

bench: $(VENV)/.dev ## Measure; docs/performance.md tells what the figures mean
	@for script in benchmarks/*.py; do echo "== $$script"; PYTHONPATH=. $(BIN)/python $$script || exit 1; done

docs: $(VENV)/.dev ## Write the generated docs anew
	$(BIN)/python docs/generate.py

vega: $(VENV)/.dev ## Write the browser's copy of Vega anew
	$(BIN)/python docs/vega.py

clean: ## Remove what make made; .f1 with the data stays
	rm -rf $(VENV) .venv-3.* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
