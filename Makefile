# Everything a person does with a checkout, on a fresh machine too: each target first sets up .venv.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := nst-torch nst-optimizers nst-initializers
DEV := hypothesis mypy pytest ruff scipy
EDITABLE := -e .[demo] $(foreach plugin,$(PLUGINS),-e plugins/$(plugin))

.PHONY: demo test lint bench clean

demo: .venv/ready
	$(BIN)/nst demo

test: .venv/ready
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/ready
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/step.py

# torch first and by itself: where a CPU build lies at hand, pip takes it, and nothing later asks for another.
.venv/ready: pyproject.toml constraints.txt $(foreach plugin,$(PLUGINS),plugins/$(plugin)/pyproject.toml)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt $(EDITABLE) $(DEV)
	touch $@

clean:
	rm -rf .venv nst-demo
