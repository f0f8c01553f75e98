# Every target does all of its own set-up: Python 3.11+ and make are enough.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check bench migrate migration backup doctor stop format lock clean setup setup-dev chromium redis

VENV := .venv
BIN := $(VENV)/bin
PROCESSES ?= 2
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-compile
WANTED := $(shell cat requirements.lock pyproject.toml | cksum | tr ' ' '-')
WANTED_DEV := $(shell cat requirements-dev.lock pyproject.toml | cksum | tr ' ' '-')

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1mmake %-10s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## start SalesCompass at http://localhost:8000 (PORT=9000 for another port)
	@exec $(BIN)/crm serve --demo $(if $(PORT),--port $(PORT))

test: setup-dev chromium redis ## every test: services, crash, two processes, journeys in a browser
	@$(BIN)/crm build
	@status=0; \
	$(BIN)/python -m pytest tests --ignore=tests/e2e -n $(PROCESSES) -m "not alone" || status=1; \
	$(BIN)/python -m pytest tests --ignore=tests/e2e -m alone || [ $$? = 5 ] || status=1; \
	$(BIN)/python -m pytest tests/e2e -n $(PROCESSES) --dist loadfile || [ $$? = 5 ] || { echo "== What failed, once more: journeys race with a busy machine"; \
	$(BIN)/python -m pytest tests/e2e --last-failed --last-failed-no-failures=none; } || status=1; \
	exit $$status

check: setup-dev ## format, lint, types, order of imports, rules of the house, migrations against models (under a minute)
	@status=0; \
	for step in "ruff format --check ." "ruff check ." "mypy" "lint-imports --no-cache" "python -m pytest -q tests/house"; do \
		echo "== $$step"; $(BIN)/$$step || status=1; \
	done; \
	exit $$status

bench: setup-dev chromium ## figures beside raw SQL (BENCH=large for 100,000 deals, deals or contacts for a part)
	@$(BIN)/python -m bench

migrate: setup ## bring the database to the newest migration, after a backup
	@$(BIN)/crm migrate

migration: setup-dev ## write a migration from what changed in the models (M="add contract")
	@test -n "$(M)" || { echo 'Say what it does: make migration M="add contract"'; exit 1; }
	@$(BIN)/crm migrate && $(BIN)/alembic revision --autogenerate -m "$(M)"

backup: setup ## write database and files into one file below .data/backups
	@$(BIN)/crm backup

doctor: setup ## say what is wrong and how to mend it
	@$(BIN)/crm doctor

stop: setup ## stop an embedded PostgreSQL that a killed app left behind
	@$(BIN)/crm stop

format: setup-dev ## let ruff format and mend what it can
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## write both lock files anew from pyproject.toml (needs the package index)
	@test -x .venv-lock/bin/uv || { $(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv; }
	@options="--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--no-emit-find-links --quiet"; \
	.venv-lock/bin/uv pip compile pyproject.toml --group build $$options -o requirements.lock > /dev/null && \
	.venv-lock/bin/uv pip compile pyproject.toml --group dev $$options -c requirements.lock -o requirements-dev.lock > /dev/null
	@! grep -nE '^-|://' requirements.lock requirements-dev.lock || { echo "An address got into a lock file."; exit 1; }

clean: ## remove everything that was built or cached; the data in .data stays
	@rm -rf $(VENV) .venv-lock .web .states assets/external .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.data/*' -prune -exec rm -rf {} +

setup: $(VENV)/bin/python
	@[ "$$(cat $(VENV)/installed 2>/dev/null)" = "$(WANTED)" ] || [ -e $(VENV)/installed-dev -a \
		"$$(cat $(VENV)/installed-dev 2>/dev/null)" = "$(WANTED_DEV)" ] || { \
		echo "Installing the packages of requirements.lock"; \
		$(PIP) --require-hashes -r requirements.lock && $(PIP) --no-build-isolation --editable . && \
		rm -f $(VENV)/installed-dev && echo "$(WANTED)" > $(VENV)/installed; }

setup-dev: $(VENV)/bin/python
	@[ "$$(cat $(VENV)/installed-dev 2>/dev/null)" = "$(WANTED_DEV)" ] || { \
		echo "Installing the packages of requirements-dev.lock"; \
		$(PIP) --require-hashes -r requirements-dev.lock && $(PIP) --no-build-isolation --editable . && \
		echo "$(WANTED)" > $(VENV)/installed && echo "$(WANTED_DEV)" > $(VENV)/installed-dev; }

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }

# A browser for the journeys: the system's, for root the one of Debian, else Playwright's own.
redis:
	@command -v redis-server valkey-server > /dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
			echo "Installing Redis"; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server; } > /dev/null; \
		else echo "Without redis-server the tests of two processes are skipped."; fi; }

chromium: setup-dev
	@command -v chromium chromium-browser google-chrome > /dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
			echo "Installing Chromium"; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } > /dev/null; \
		else $(BIN)/playwright install chromium; fi; }
