# `make` lists the targets. SERVICES=auto|real|embedded chooses the Kafka and Redis of `demo` and `test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup compile demo test check fix bench bench-check quality study simulate chaos soak fuzz docs tutorial lock services-up services-down clean

SERVICES ?= auto
LOG ?= data/cdnow.jsonl.gz
SEED ?= 1
BIN := .venv/bin
PACKAGES := streams features models alerts agents console bi churnwatch
export SERVICES

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.stamp ## make .venv with everything, at locked versions (the other targets run it when needed)
	@:

.venv/.stamp: requirements-dev.lock pyproject.toml tools/setup.sh
	@tools/setup.sh

compile: build/compiled/.stamp ## the worker's busiest modules as C, in build/compiled (needs a C compiler; see docs/how-to/compile.md)
	@:

# A whole copy of the product, so that what is edited never runs as it was when it was compiled.
build/compiled/.stamp: .venv/.stamp setup.py tools/mypyc.ini $(wildcard $(PACKAGES:%=%/*.py) $(PACKAGES:%=%/*/*.py))
	@rm -rf build/compiled build/bdist.* build/c build/lib.* build/temp.*
	@command -v cc >/dev/null || { echo "compile: no C compiler here (Debian, Ubuntu: apt-get install gcc)" >&2; exit 1; }
	@echo "compile: the busiest modules as C, half a minute or so"
	@COMPILE_CHURNWATCH=1 $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --no-index \
		--target build/compiled . >build/compile.log 2>&1 || { echo "compile: no build; build/compile.log says why" >&2; exit 1; }
	@ln -s $(CURDIR)/data build/compiled/data
	@touch $@

# What the benchmark runs: all contestants the compiled modules, and where nothing could be compiled, the source as it is.
COMPILED = $(MAKE) --no-print-directory compile && export PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/compiled:$(CURDIR)

demo: setup ## eighteen months of real orders through Kafka, Redis and River in a few minutes, and the console on it
	@$(BIN)/churnwatch demo --services $(SERVICES) $(ARGS)

test: check ## check, then all tests, in random order (ARGS="-k name" passes options to pytest)
	@$(BIN)/python -m tools.services fetch
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(ARGS)

check: setup ## format, lint, types, layers
	@echo "check: format" && { $(BIN)/ruff format --quiet --check --output-format concise . || { echo "  make fix repairs it" >&2; exit 1; }; }
	@echo "check: lint"   && $(BIN)/ruff check --quiet --output-format concise .
	@echo "check: types"  && $(BIN)/mypy --no-error-summary $(wildcard $(PACKAGES) tools tests docs bench studies simulation chaos fuzz)
	@echo "check: layers" && { said=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$said" >&2; exit 1; }; }

fix: setup ## let ruff format and repair what it can
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: .venv/.bench ## speed, latency, memory and growth, side by side with rivals (ONLY=rivals,latency)
	@$(COMPILED); $(BIN)/python -m bench --only "$(ONLY)" $(ARGS)
	@$(BIN)/python -m bench.sizing

bench-check: .venv/.bench ## measure again: exit code 1 where a ratio is 15 % below bench/results/latest.json (ONLY=rivals)
	@$(COMPILED); $(BIN)/python -m bench --check --only "$(ONLY)" $(ARGS)

quality: .venv/.quality ## how well churn is told, against rivals retrained in batch (LOG=events.jsonl.gz ARGS="--horizon 28d")
	@$(BIN)/python -m studies $(LOG) $(ARGS)

simulate: setup ## the whole cluster on one thread under seeded faults (SEEDS=10000, SEED=1 to begin elsewhere)
	@$(BIN)/python -m simulation --seeds $(or $(SEEDS),1000) --from $(SEED) $(ARGS)

chaos: setup ## real workers, Kafka and Redis under attack (ROUNDS=50 SEED=1)
	@$(BIN)/python -m tools.services fetch
	@$(BIN)/python -m chaos --rounds $(or $(ROUNDS),3) --seed $(SEED) $(ARGS)

soak: setup ## steady load with customers coming and going, then a burst: is memory flat? (MINUTES=30)
	@$(BIN)/python -m tools.services fetch
	@$(BIN)/python -m chaos.soak --minutes $(or $(MINUTES),5) $(ARGS)

fuzz: setup ## hostile bytes into everything that reads bytes (INPUTS=1000000 SEED=1)
	@$(BIN)/python -m fuzz --inputs $(or $(INPUTS),100000) --seed $(SEED) $(ARGS)

study: setup ## how good a part is, as one JSON line; exit code 1 where it falls short (NAME=reasons, value, uplift, webhook, budget or treated)
	@$(BIN)/python -m studies.$(or $(NAME),reasons) $(ARGS)

# The rivals' libraries, beside the locked packages and without moving any of them.
.venv/.quality: .venv/.stamp
	@echo "quality: installing the rivals (scikit-learn, LightGBM) into .venv"
	@$(BIN)/python -m pip --disable-pip-version-check --quiet freeze --exclude-editable >.venv/constraints.txt
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['quality'], sep='\n')" >.venv/quality.txt
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install -c .venv/constraints.txt -r .venv/quality.txt
	@touch $@

# Quix Streams wants older versions of three packages than the locked ones, so it gets a folder of its own, on the rival's path only.
.venv/.bench: .venv/.stamp
	@echo "bench: installing the rival (Quix Streams) into .venv/bench"
	@rm -rf .venv/bench
	@$(BIN)/python -m pip --disable-pip-version-check --quiet freeze --exclude-editable \
		| grep -Ev '^(confluent-kafka|pydantic|pydantic[-_]core|pydantic-settings)==' >.venv/constraints.txt
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['bench'], sep='\n')" >.venv/bench.txt
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-warn-conflicts --target .venv/bench \
		-c .venv/constraints.txt -r .venv/bench.txt
	@touch $@

docs: setup ## the documentation as a site in build/docs; a link that leads nowhere is an error
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo "docs: build/docs/index.html"

tutorial: setup ## type what docs/tutorial.md says, exactly, in a fresh clone, and look whether the alert comes
	@$(BIN)/python -m tools.tutorial

lock: setup ## choose the newest versions within pyproject.toml's bounds, with their hashes
	@tools/lock.sh

services-up: setup ## a real Kafka and Redis in the background, for development
	@$(BIN)/python -m tools.services up

services-down: setup ## stop them and remove their data
	@$(BIN)/python -m tools.services down

clean: services-down ## stop the services; remove .venv and every cache
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build dist
