# Fenghuo 烽火. `make help` lists what can be made; Python >= 3.11 is all that has to be there.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV := uv==0.13.9
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

# What the gates read; a room that is not there yet is left out.
ROOMS := $(wildcard bot channels escalation templates/*.py tests bench scripts)

# A virtual environment whose interpreter is gone (upgraded, moved, half made) is made anew.
ifneq ($(shell $(BIN)/python -c 'import pip; print("usable")' 2>/dev/null),usable)
MAKE_VENV := make-venv
endif

.PHONY: help demo test check soak bench bundle screenshots lock system-deps clean distclean make-venv \
	lint format-check types contracts dead-code file-length

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: $(VENV)/.runtime ## start the demo on 127.0.0.1:8080
	@$(BIN)/fenghuo demo

test: $(VENV)/.dev ## run every test (CI=true: system parts and the gates first, and a skip fails)
	@if [ "$$CI" = true ]; then $(MAKE) --no-print-directory system-deps && $(MAKE) --no-print-directory check; fi
	@$(BIN)/python -m pytest $(ARGS)

soak: $(VENV)/.dev ## the long random runs
	@$(BIN)/python -m pytest -m soak --timeout=0 $(ARGS)

bench: $(VENV)/.dev ## measure; prints one table
	@$(BIN)/python -m bench $(ARGS)

bundle: $(VENV)/.dev ## one archive for machines without a network, in dist/ (ARGS="--machine x86_64" for one)
	@$(BIN)/python -m scripts.bundle $(ARGS)

screenshots: $(VENV)/.dev ## take the pictures in docs/images anew, from the demo, with Chromium (ARGS="storm.png" for one)
	@$(BIN)/python -m scripts.pictures $(ARGS)

check: lint format-check types contracts dead-code file-length ## every gate but the tests

lint: $(VENV)/.dev ## ruff's rules
	@$(BIN)/ruff check $(ROOMS)

format-check: $(VENV)/.dev ## ruff's layout
	@$(BIN)/ruff format --check $(ROOMS)

types: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy $(ROOMS)

contracts: $(VENV)/.dev ## who may import whom
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo

dead-code: $(VENV)/.dev ## what nobody calls
	@$(BIN)/python -m scripts.dead_code

file-length: ## no file of code over 400 lines
	@find $(ROOMS) -name '*.py' -exec awk 'FNR == 401 { print FILENAME ": over 400 lines: it holds two ideas, part them"; \
		long = 1 } END { exit long }' {} +

system-deps: ## apt-get install Chromium, a Chinese font, Kannel and Dovecot, for the tests with real parts
	@sh scripts/system-deps

lock: $(VENV)/.uv ## write the lock files anew (ARGS=--upgrade for newer versions)
	@$(LOCK) $(ARGS) --extra demo --group pyproject.toml:build pyproject.toml -o requirements.lock
	@$(LOCK) $(ARGS) -c requirements.lock --group pyproject.toml:dev pyproject.toml -o requirements-dev.lock
	@if grep -n '://' requirements.lock requirements-dev.lock; then echo "a lock file names a host"; exit 1; fi

clean: ## remove what checks, tests and builds left
	@rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name .venv -prune -o -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean ## the same, and .venv
	@rm -rf $(VENV)

# The stamps: a second run does nothing until a lock file or pyproject.toml is newer.
$(VENV)/.runtime: requirements.lock pyproject.toml $(MAKE_VENV)
	@echo "installing what Fenghuo needs into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "installing what the tests need into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.uv: $(MAKE_VENV)
	@$(PIP) install $(UV)
	@touch $@

make-venv:
	@python=$$(sh scripts/find-python "$(PYTHON)") && \
		echo "making $(VENV) with $$python …" && $$python -m venv --clear $(VENV)
