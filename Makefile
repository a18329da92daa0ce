# One word per chore; README.md names the two commands a newcomer needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: run test venv perf soak clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

venv: $(BIN)/python
	$(BIN)/python -m pip install --quiet '.[test]'

run: $(BIN)/python
	$(BIN)/python -m pip install --quiet .
	$(BIN)/opendsql serve --data ./dsql-data

# The tests meet the installed package, not the sources beside them: PYTHONSAFEPATH keeps this folder off sys.path.
test: export PYTHONSAFEPATH = 1
test: venv
	$(BIN)/python -m pytest tests -q
	$(BIN)/python -m pytest -c perf/pytest.ini perf -q --benchmark-disable

perf: export PYTHONSAFEPATH = 1
perf: venv
	$(BIN)/python -m pip install --quiet '.[peer]'
	$(BIN)/python -m pytest -c perf/pytest.ini perf

soak: export PYTHONSAFEPATH = 1
soak: venv
	$(BIN)/python -m pytest tests -q -m soak
	$(BIN)/python perf/tpcc.py --minutes 10 --skip-peer

clean:
	rm -rf build dist *.egg-info
	find dsql_core -name '*.so' -delete
