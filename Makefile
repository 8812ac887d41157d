# Two commands: `make course` (everything, on a fresh machine) and `make test` (what CI runs).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BANK ?= coastal
BANKS := coastal western city_micro
VENV := .venv
ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
PY := $(BIN)/python
COURSE := $(PY) -m course_utils.cli
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PYTHONUTF8 := 1
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib

.PHONY: help course env banks test check lab engines recovery adapters bench lock clean

help:
	@echo "make course    environment, demo bank, notebooks, every lesson executed, pages, trainee kit"
	@echo "make test      the whole suite (what CI runs)"
	@echo "make check     the fast loop, under a minute"
	@echo "make lab       JupyterLab on the trainee notebooks (BANK=$(BANK))"
	@echo "make engines   the marts on Spark, PostgreSQL and MariaDB: the same rows as on DuckDB"
	@echo "make recovery  planted effects recovered over twenty seeds"
	@echo "make adapters  three systems' messy exports of a bank against clean tables, lesson by lesson"
	@echo "make bench     what bank and build cost, against plain tools; writes docs/performance.md"
	@echo "make lock      resolve both locks again from pyproject.toml (needs uv)"

# ---- environment: exactly what requirements-dev.lock says, hashes checked -------------------------
# (environment.yml installs the same with conda). requirements.lock is what trainees install of it.
env: $(VENV)/ready

$(VENV)/ready: requirements-dev.lock pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit("需要 Python 3.11、3.12 或 3.13：请安装后用 make PYTHON=python3.11 再试。" if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0)'
	test -x $(PY) || $(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(PY) --disable-pip-version-check install --quiet --require-hashes -r requirements-dev.lock
	$(PYTHON) -m pip --python $(PY) --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# ---- course ----------------------------------------------------------------------------------------
course: env
	$(COURSE) bank generate --bank $(BANK)
	$(COURSE) notebooks
	$(COURSE) build --bank $(BANK)

lab: env
	test -d data/warehouse/$(BANK) || $(COURSE) bank generate --bank $(BANK)
	$(COURSE) lab --bank $(BANK)

# ---- tests -----------------------------------------------------------------------------------------
# One line a stage, in the order in which faults are cheapest to find.
test: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(COURSE) notebooks --check
	$(COURSE) lint
	for bank in $(BANKS); do $(COURSE) bank generate --bank $$bank; done
	$(PY) -m pytest -q -n 2 --dist loadfile --ignore=tests/test_proofs.py --ignore=tests/after_build
	$(PY) -m pytest -q -n 2 --dist load tests/test_proofs.py
	for bank in $(BANKS); do $(COURSE) build --bank $$bank --force; done
	$(PY) -m course_utils.build.execution.rerun --all $(BANKS)
	$(COURSE) lite --bank coastal
	$(PY) -m pytest -q -n 2 --dist loadfile tests/after_build
	$(COURSE) scan

check: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(COURSE) notebooks --check
	$(COURSE) lint
	$(PY) -m pytest -q -x -n 2 --dist loadfile --ignore=tests/after_build -m "not slow"

# The marts on Spark (Java 17), PostgreSQL and MariaDB (apt-get install postgresql mariadb-server):
# the shipped banks must give the same rows as DuckDB. Drivers go beside the environment, not into it.
ENGINES := .cache/engines
engines: env
	for bank in $(BANKS); do $(COURSE) bank generate --bank $$bank; done
	test -d $(ENGINES) || $(PY) -m pip install --quiet --target $(ENGINES) 'pyspark>=4.0,<5' 'psycopg[binary]>=3.2,<4' 'PyMySQL>=1.1,<2'
	COURSE_ENGINES=1 PYTHONPATH=$(ENGINES) $(PY) -m pytest -q tests/engines

recovery: env
	$(PY) -m course_utils.synth.recovery.run --seeds 20

adapters: env
	$(COURSE) bank generate --bank coastal
	for one in east5 core_dump branch_excel; do \
	  $(PY) -m tests.messy_bank.whole --adapter $$one || exit 1; done

bench: env
	for bank in $(BANKS); do $(COURSE) bank generate --bank $$bank; done
	$(PY) -m benchmarks.synth_speed --bank $(BANK)
	$(PY) -m benchmarks.build_speed --bank $(BANK)
	$(PY) -m benchmarks.intake_validation
	$(PY) -m benchmarks.intake_marts

# what both locks name has one version
RESOLVE := uv pip compile pyproject.toml --universal --python-version 3.11 \
  --generate-hashes --no-header --no-annotate
lock:
	$(RESOLVE) --output-file requirements.lock
	mkdir -p .cache && sed -n '/==/s/ \\$$//p' requirements.lock > .cache/pins.txt
	$(RESOLVE) --extra dev --constraint .cache/pins.txt --output-file requirements-dev.lock

clean:
	rm -rf build .cache lab data/warehouse
