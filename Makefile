# Every target that needs the environment makes it first (requirements/install.sh) and then leaves it alone until
# a lock or pyproject.toml changes. Written for GNU make 3.81 and a plain sh.

.DEFAULT_GOAL := help
.PHONY: help demo up test check bench bench-quality faults soak format lock wheel clean

ARGS ?=
ONLY ?=
BIN := .venv/bin
# The stamps carry a sum of the clone's own path, so that a moved clone gets an environment that fits.
HERE := $(shell pwd | cksum | cut -d ' ' -f 1)
RUN := .venv/.run-$(HERE)
DEV := .venv/.dev-$(HERE)
INSTALLS := pyproject.toml requirements/install.sh

# The development lock holds the run lock: whoever has it needs no second pass.
$(RUN): requirements/run.txt $(INSTALLS)
	@sh requirements/install.sh run
	@touch $@

$(DEV): requirements/run.txt requirements/dev.txt $(INSTALLS)
	@sh requirements/install.sh dev
	@touch $(RUN) $@

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(RUN) ## customers, advisors and the service for a minute; ARGS="--seconds 20 --bus kafka"
	@$(BIN)/turnout demo $(ARGS)

up: $(RUN) ## the service with all its roles in one process; ARGS="--help"
	@$(BIN)/turnout up $(ARGS)

test: $(DEV) ## all tests; what needs a server that is not here is skipped; ARGS="tests/rules -k name"
	$(BIN)/python -m pytest $(ARGS)

check: $(DEV) ## format, lint, imports, types, dependencies, the shape of the tree
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/deptry .
	$(BIN)/python -m pytest -q tests/test_tree.py

bench: $(DEV) ## the benchmarks, also to build/bench.json; ONLY=name for one
	$(BIN)/python -m tests.bench $(ONLY) $(ARGS)

bench-quality: $(DEV) ## how well each policy routes, simulated, also to build/quality.json; ONLY=case, ARGS="--most 10"
	$(BIN)/python -m tests.bench.quality $(ONLY) $(ARGS)

faults: $(DEV) ## the matrix of faults, also to build/faults.json; ONLY=name SEEDS=3 SEED=1 SECONDS=600 MUTANT=name
	$(BIN)/python -m tests.faults $(if $(ONLY),--only "$(ONLY)") $(if $(SEEDS),--seeds $(SEEDS)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(MUTANT),--mutant $(MUTANT)) $(ARGS)

soak: $(DEV) ## an hour of steady traffic, and what grows meanwhile, to build/soak.json; SECONDS=3600 SEED=1
	$(BIN)/python -m tests.faults.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

format: $(DEV) ## format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## pin the requirements of pyproject.toml anew; ARGS=--upgrade, or "--upgrade-package NAME"
	@sh requirements/lock.sh $(ARGS)

wheel: $(RUN) ## build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel -d dist

clean: ## forget the environment and everything built
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
