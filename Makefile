# make demo and make test work on a fresh machine with Python 3.11 or newer and nothing else.
# Each makes what it needs: .venv with the locked requirements (hashes checked; pip uses the machine's own configuration).

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEOPLE ?= 2000
SEED ?= 7
EXAMPLES ?= 500
SEEDS ?= 20000
FROM ?= 0
KILLS ?= 50
WORKERS ?= 2
# A test goes to whichever worker is free; each has its own fixtures and folders.
PYTEST = $(BIN)/pytest -n $(WORKERS) --dist worksteal
DEMO := .onevoice/demo
SPARK := .onevoice/spark
SCALE := .onevoice/scale
SIZES ?= 100000 1000000
SOURCES := connectors flows identity onevoice tests
NEW_ENOUGH := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))

.PHONY: help demo test test-long simulate test-kills test-spark test-sdks lint lock bench-identity bench-identity-scale clean

help:
	@echo "make demo   start a sandbox with $(PEOPLE) customers and show the hub at work (PEOPLE=, SEED=)"
	@echo "make test   everything that must hold: style, types, arrows, configuration, tests (WORKERS=)"
	@echo "make test-long  scenarios of minutes: 5,000 people of a drawn seed, hold, the safe way in"
	@echo "make test-kills  a sync killed at $(KILLS) drawn writes, each time before or after its effect (KILLS=)"
	@echo "make simulate  SEEDS=$(SEEDS) schedules of the simulated world, from seed FROM=$(FROM) on (docs/simulation.md)"
	@echo "make test-spark  engine: spark finds what engine: duckdb finds, on 100,000 records (needs Java)"
	@echo "make lint   those of them that run no test"
	@echo "make test-sdks  vendors' own SDKs, each in an environment of its own, against the sandbox (a part of make test)"
	@echo "make lock   write requirements.lock anew from pyproject.toml"
	@echo "make api-docs  write docs/openapi.json anew from the API"
	@echo "make api-fuzz  send the API much more odd input than make test does (EXAMPLES=)"
	@echo "make bench-identity DATA=folder  identity on data with known truth, beside other open tools (TRAIN=1: train anew)"
	@echo "make bench-identity-scale  a full run, a small change and a look-up on large bases (SIZES=; a part of bench-identity)"
	@echo "make clean  remove everything that make made"

demo: $(READY)
	@rm -rf $(DEMO)
	$(BIN)/onevoice demo --people $(PEOPLE) --seed $(SEED) --keep $(DEMO) --json $(DEMO)/report.json

lint: $(READY)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/onevoice lint

test: lint
	$(PYTEST) -m "not long and not spark"

test-long: $(READY)
	$(PYTEST) -m long --timeout 1200

test-kills: $(READY)
	ONEVOICE_KILLS=$(KILLS) $(BIN)/pytest -s tests/e2e/test_crash.py -k killed --timeout 1200

simulate: $(READY)
	$(BIN)/python tests/simulation/run.py --seeds $(FROM):$$(($(FROM) + $(SEEDS))) --workers $(WORKERS) \
	  $(if $(RECORD),--record $(RECORD))

test-sdks: $(READY)
	@for check in tests/sdks/*/check.py; do echo "$$check"; $(BIN)/python "$$check" || exit 1; done

# Spark is half a gigabyte and needs Java: it stands in a folder of its own, beside what is locked.
$(SPARK)/.ready: tests/spark/requirements.txt
	@rm -rf $(SPARK)
	@$(BIN)/pip install --quiet --no-deps --require-hashes --target $(SPARK) -r $<
	@touch $@

test-spark: $(READY) $(SPARK)/.ready
	PYTHONPATH=$(SPARK) $(BIN)/pytest -m spark tests/spark

api-docs: $(READY)
	$(BIN)/python -c 'import json, onevoice.api as api; print(json.dumps(api.openapi_document(), indent=2, ensure_ascii=False))' > docs/openapi.json

api-fuzz: $(READY)
	ONEVOICE_API_EXAMPLES=$(EXAMPLES) $(BIN)/pytest tests/api/test_api_schemathesis.py --timeout 3600

bench-identity: $(READY)
	@test -n "$(DATA)" || { echo "make bench-identity DATA=folder (what lies in it: docs/benchmarks.md)" >&2; exit 2; }
	$(BIN)/python benchmarks/identity/run.py --data "$(DATA)" $(if $(TRAIN),--train)
	$(MAKE) bench-identity-scale

bench-identity-scale: $(READY)
	@for size in $(SIZES); do \
	  $(BIN)/python benchmarks/identity_scale/generate.py --data $(SCALE) --records $$size && \
	  $(BIN)/python benchmarks/identity_scale/run.py --data $(SCALE) --records $$size && \
	  $(BIN)/python benchmarks/identity_incremental/run.py --data $(SCALE) --records $$size || exit 1; \
	done

# The lock is complete, so pip must not look for dependencies itself: an older pip forgets a pin when somebody asks for
# the same package with an extra. The stamp is written last, so that an installation cut short is made again.
$(READY): requirements.lock pyproject.toml
	@python=""; if ! $(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null; then \
	  for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	    if $$candidate -c '$(NEW_ENOUGH)' 2>/dev/null; then python=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo "onevoice: no Python 3.11 or newer with its venv module was found" \
	      "(install one, or name it: make PYTHON=/path/to/python3)" >&2; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$($$python --version)"; \
	  rm -rf $(VENV) && $$python -m venv $(VENV); \
	fi
	@echo "Installing the locked requirements (about a minute the first time)"
	@$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(READY)

lock:
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	$(or $(PYTHON),python3) -m venv "$$scratch" && \
	"$$scratch/bin/pip" install --quiet uv && \
	"$$scratch/bin/uv" pip compile pyproject.toml --quiet --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -o requirements.lock

clean:
	rm -rf $(VENV) .onevoice .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
