# make run    install once, then the tiny suite and small twins of two published benchmarks: generate, score, compare
# make test   install once, fetch the real parts, lint, and run every test that is not marked slow
#
# VENV=folder    environment to install into and run from (default .venv)
# PYTHON=python  interpreter that creates it (default python3.11, or python3 if that is 3.11 or 3.12)

VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := $(VENV)/bin
STAMP := $(VENV)/.troupe-installed
# Their wheels ask for opencv-python beside our opencv-python-headless; two builds of cv2 overwrite each other.
WITHOUT_DEPENDENCIES := insightface rtmlib

# Threads that wait by spinning steal the core another thread needs.
export GOMP_SPINCOUNT ?= 0
export OMP_WAIT_POLICY ?= PASSIVE
export DO_NOT_TRACK ?= true
export MLFLOW_DISABLE_TELEMETRY ?= true

.DEFAULT_GOAL := help
.PHONY: help install run test check real-parts weights

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' $(firstword $(MAKEFILE_LIST))
	@echo "make check  lint only    make real-parts  fetch the real models    make weights  how each shipped weight is trained"

install: $(STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 13) else "Troupe needs Python 3.11 or 3.12, $(PYTHON) is " + sys.version.split()[0] + "; call make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,real]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps $(WITHOUT_DEPENDENCIES)
	@touch $@

run: $(STAMP)
	$(BIN)/python -m benchmarks.run --suite tiny --suite multi_human --suite multi_id

real-parts: $(STAMP)
	$(BIN)/python -m rewards.real_parts

check: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: check real-parts
	$(BIN)/python -m pytest -m "not slow"

# The commands that train a weight from nothing stand together at the head of its configuration.
weights:
	@for config in configs/pretraining/*.yaml; do \
	  echo "make weights-$$(basename $$config .yaml)"; sed -n '1s/^# /    /p' $$config; \
	done

weights-%: $(STAMP)
	@commands="$$(awk '/^# +python -m /{sub(/^# +/, ""); print; found = 1; next} found{exit}' configs/pretraining/$*.yaml)"; \
	test -n "$$commands" || { echo "configs/pretraining/$*.yaml names no command"; exit 1; }; \
	echo "$$commands" | while read -r command; do echo "$$command"; $(BIN)/$$command < /dev/null || exit 1; done
