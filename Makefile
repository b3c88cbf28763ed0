# `make` alone prints the targets. Every target sets up what it needs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
RUNS ?= 10_000_000
RUNS_PEERS ?= 100_000
MINUTES ?= 30
TEMPLATES := templates/__pycache__/.built
GUIDE := app/site/.built
GUIDE_SOURCES := mkdocs.yml $(shell find docs) $(wildcard spoke_kit/manifest/*.py)
PACKAGES := app services spoke_kit spokes embedded_account mock_data

.DEFAULT_GOAL := help
.PHONY: help setup run schema account programs test lint format unit bench lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready $(GUIDE) ## Create the virtual environment and install the pinned packages; build the guide

# The bytecode is compiled here because some machines forbid writing it at import, which costs seconds a start.
$(VENV)/.ready: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.11 ...'; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@touch $@

compile: $(VENV)/.ready $(TEMPLATES)
	@$(BIN)/python -m compileall -q $(PACKAGES) || true

$(TEMPLATES): $(VENV)/.ready $(shell find templates -name '*.html') app/pages/render.py app/pages/format.py
	@$(BIN)/python -c 'from app.pages.render import compile_all; compile_all()'
	@touch $@

# Its mark comes last, so that a build which was cut off is done again. No bytecode: it would touch docs/.
$(GUIDE): $(VENV)/.ready $(GUIDE_SOURCES)
	@rm -f $@
	@export NO_MKDOCS_2_WARNING=1 PYTHONDONTWRITEBYTECODE=1; \
		$(BIN)/mkdocs build --strict --quiet || $(BIN)/mkdocs build --strict
	@touch $@

.PHONY: guide pictures screenshots
guide: $(GUIDE) ## Build the guide, which the service shows under /docs/guide

pictures: compile ## Run the tutorials and take the guide's pictures
	@$(BIN)/python -m tests.guide.pictures

screenshots: compile ## Photograph every page, with 0, 2 and 50 spokes, into var/screenshots
	@$(BIN)/python -m tests.pages.screenshots var/screenshots

run: compile $(GUIDE) ## Start Spokehub on http://127.0.0.1:PORT (default 8000), with the embedded account
	@exec $(BIN)/spokehub serve --port $(PORT)

account: compile ## Serve the embedded account alone on port 8124
	@exec $(BIN)/spokehub account --port 8124

lint: compile ## Check format, lint, types and the import rule
	@$(BIN)/ruff format --check --quiet . || { echo 'Run make format'; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@out=$$($(BIN)/lint-imports --no-logo 2>&1) || { tail -n 25 <<< "$$out"; exit 1; }

format: $(VENV)/.ready ## Format the code
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

programs: $(VENV)/.ready ## Install dbt and the snow command for their tests, each in its own environment
	@$(BIN)/python -m tests.programs.environments

unit: compile ## Run the tests alone, a file on each core at a time
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

# The checks need one core, and the tests leave a part of theirs idle.
test: compile ## Check and run all tests, both at once; what the checks say comes at the end
	@told=$$(mktemp); $(MAKE) --no-print-directory lint > "$$told" 2>&1 & lint=$$!; \
		$(MAKE) --no-print-directory unit; unit=$$?; \
		wait $$lint; lint=$$?; cat "$$told"; rm "$$told"; exit $$((unit || lint))

bench: compile ## Measure: account start, SELECT 1, seed, set-up by step, pages; cold start, idle, memory
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.resting
	@$(BIN)/python -m tests.bench.health --runs $(RUNS)

.PHONY: bench-health bench-peers soak
bench-health: compile ## Measure pages and REST over RUNS task runs (default 10_000_000), the framework alone beside them
	@$(BIN)/python -m tests.bench.health --runs $(RUNS)

bench-peers: compile ## Measure Spokehub, MLflow and Dagster in one run, with RUNS_PEERS graph runs in each (default 100_000)
	@$(BIN)/python -m tests.bench.peers --runs $(RUNS_PEERS)

soak: compile ## Let 20 users work for MINUTES (default 30); say what failed, how long it took, whether memory grew
	@$(BIN)/python -m tests.bench.soak --minutes $(MINUTES)

schema: compile ## Write docs/spoke.schema.json, the form of a manifest
	@$(BIN)/python -c "import json; from spoke_kit import manifest; print(json.dumps(manifest.schema(), indent=2))" > docs/spoke.schema.json

.PHONY: catalogue
catalogue: compile ## Write migrations/schema.sql, what the migrations make of an empty SQLite file
	@$(BIN)/python -m tests.services.catalogue

lock: ## Resolve the newest compatible versions into requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --upgrade --extra dev --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock

clean: ## Remove the virtual environment and all local data
	rm -rf $(VENV) .venv-programs app/site var
