PYTHON ?= python3
BIN := .venv/bin

.PHONY: install search test coverage check clean

install: .venv/.installed

# Remade only when the lock file or the project file changed.
.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
	@echo 'installed; for the command nas: . .venv/bin/activate'

search: install
	$(BIN)/nas search quickstart --out runs/quickstart
	$(BIN)/nas report runs/quickstart
	$(BIN)/nas export runs/quickstart --trial best --out exports/quickstart

test: install
	$(BIN)/pytest --numprocesses 2 --dist worksteal

# Slower than `test`; prints what no quick test runs.
coverage: install
	$(BIN)/pytest --numprocesses 2 --dist worksteal --cov --cov-report term

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
