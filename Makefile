# Everything from nothing but Python 3.11+ and pip:   make demo   make test   make lab
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NBVAL := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile -p tests.notebook_places

.PHONY: demo test lab check bench binder badge notebooks clean

# What a person who only wants to see it needs.
$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[data]'
	touch $@

# What the tests need on top.
$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/.ready  ## run the first notebook on the embedded endpoint; say what each goal cost
	$(BIN)/llmos-nb demo notebooks/01_first_steps.ipynb

test: $(VENV)/.ready-dev  ## unit, property, command line, notebook and browser tests
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal tests/unit tests/property
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/cli tests/binder
	$(BIN)/python -m pytest tests/browser  # one after the other: a page is to be quick
	places=$$(mktemp -d) && trap 'rm -rf "$$places"' EXIT && export NOTEBOOK_PLACES="$$places" \
	  && $(NBVAL) --nbval notebooks \
	  && $(NBVAL) --nbval-lax notebooks  # again, where all is learned

lab: $(VENV)/.ready  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks/01_first_steps.ipynb

check: $(VENV)/.ready-dev  ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready-dev  ## the figures of docs/measured.md, as tables
	$(BIN)/python -m tests.bench

notebooks: $(VENV)/.ready-dev  ## every notebook by papermill, twice in one workspace: the second run is cheaper
	$(BIN)/python -m tests.bench notebooks

binder: $(VENV)/.ready-dev  ## do what binder/ says in a fresh environment, then run all notebooks there
	$(BIN)/python binder/check

badge:  ## put the launch button of Binder into the README, from the address of the remote called origin
	$(PYTHON) binder/badge --write

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
