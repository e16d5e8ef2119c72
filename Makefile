# Everything is made in .venv from pinned versions; nothing else needs to be installed by hand.
VENV ?= .venv
BIN = $(VENV)/bin
FITS = import sys; sys.exit(not ((3, 12) <= sys.version_info[:2] < (3, 15)))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.14 $$HOME/.pyenv/versions/3.1[2-4]*/bin/python3; do \
	"$$p" -c '$(FITS)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
export OMP_NUM_THREADS ?= 1

.PHONY: setup demo cases test test-all lint bench docs book screenshots clean

setup: $(VENV)/.ok

$(VENV)/.ok: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.12 to 3.14 found; say where it is: make PYTHON=/path/to/python3"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# A vial and a rat kidney, meshed, warmed and judged; the reports are in runs/.
demo: setup
	$(BIN)/nanowarm run cases/vial-1mL.toml
	$(BIN)/nanowarm run cases/rat-kidney.toml
	@echo "open the newest report.html in runs/"

# Every shipped case; exit code 1 of a case says that its criterion was missed, as some must be.
cases: setup
	@for case in cases/*.toml; do $(BIN)/nanowarm run $$case || test $$? -eq 1 || exit 1; done

test: setup
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: setup
	$(BIN)/python -m pytest -n 2

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The vial of hpc/benchmarks against plain implicit programs; peers come with the extra "bench".
bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	$(BIN)/python hpc/benchmarks/run.py $(BENCH)

# The documentation, from its texts and the program itself; open build/docs/index.html.
docs: setup
	$(BIN)/python -m sphinx -b html -W --keep-going -n -q solver/docs build/docs

# The numbers and pictures of the book and the gallery, computed anew: some minutes.
book: setup
	$(BIN)/python solver/docs/make_book.py $(BOOK)
	$(BIN)/python solver/docs/make_screenshots.py

# The screenshots alone; needs Chromium.
screenshots: setup
	$(BIN)/python solver/docs/make_screenshots.py

clean:
	rm -rf $(VENV) build dist
