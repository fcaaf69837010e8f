# Everything a person does with a checkout, on a fresh machine too: each target first sets up .venv.
PYTHON ?= python3
BIN := .venv/bin
TORCH := nst-torch nst-optimizers nst-initializers
PLUGINS := $(TORCH) nst-example nst-keras nst-jax nst-tfhub nst-ray
DOCS := mkdocs-material 'mkdocstrings[python]'
DEV := gradio hypothesis imageio-ffmpeg kagglehub mypy playwright pytest pytest-xdist ruff scipy
PIP := $(BIN)/pip install --quiet --constraint constraints.txt
MANIFESTS := pyproject.toml constraints.txt $(foreach plugin,$(PLUGINS),plugins/$(plugin)/pyproject.toml)

.PHONY: demo test lint bench gallery audit docs screenshots clean

demo: .venv/ready
	$(BIN)/nst demo

# One framework per process: TensorFlow may crash beside PyTorch. Several processes must collect the same tests, and share the cores.
# Properties are tried with the same examples each time;
# `NST_FUZZ=1 make test` draws new ones, and `python benchmarks/fuzz.py` damages files.
test: .venv/ready-all
	PYTHONHASHSEED=0 OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal
	$(BIN)/python -m pytest plugins/nst-keras
	$(BIN)/python -m pytest plugins/nst-jax
	$(BIN)/python -m pytest plugins/nst-tfhub
	$(BIN)/python -m pytest plugins/nst-ray

lint: .venv/ready-all
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/ready-all
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/plugins.py
	$(BIN)/python benchmarks/step.py

# The sheets in docs/gallery, painted again from scikit-image's photographs; some minutes.
gallery: .venv/ready
	$(BIN)/python docs/gallery.py

# Asks a public database, over the network, for known flaws of what constraints.txt names.
audit:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet pip-audit
	.venv-audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

# What the theme's makers say of its successor is no warning about these pages.
docs: .venv/ready-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# What docs/ui.md shows, by the test that looks at the page; needs Chromium.
screenshots: .venv/ready-all
	NST_UI_SHOTS=docs $(BIN)/python -m pytest tests/ui/test_browser.py -k "recipe_in_the_form"

# torch first and by itself: where a CPU build lies at hand, pip takes it, and nothing later asks for another.
.venv/ready: $(MANIFESTS)
	$(PYTHON) -m venv .venv
	$(PIP) torch
	$(PIP) -e .[demo] $(foreach plugin,$(TORCH),-e plugins/$(plugin))
	touch $@

.venv/ready-all: .venv/ready
	$(PIP) -e .[demo] $(foreach plugin,$(PLUGINS),-e plugins/$(plugin)) $(DEV)
	touch $@

# The pages need no framework.
.venv/ready-docs: $(MANIFESTS)
	$(PYTHON) -m venv .venv
	$(PIP) -e . $(DOCS)
	touch $@

clean:
	rm -rf .venv .venv-audit nst-demo site
