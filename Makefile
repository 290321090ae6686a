# Everything from nothing but Python 3.11+ and pip:   make demo   make test   make lab
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lab check bench clean

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
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest --nbval notebooks

lab: $(VENV)/.ready  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks/01_first_steps.ipynb

check: $(VENV)/.ready-dev  ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready-dev  ## the figures of the README, as tables
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
