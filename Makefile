# One word per chore; README.md names the two commands a newcomer needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: run test wheel venv perf soak clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# Built once; what is run and tested is this wheel, installed.
wheel: $(BIN)/python
	rm -rf build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps -w build/wheel .
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps build/wheel/opendsql-*.whl

run: wheel
	$(BIN)/python -m pip install --quiet "$$(ls build/wheel/opendsql-*.whl)"
	$(BIN)/opendsql serve --data ./dsql-data

venv: wheel
	$(BIN)/python -m pip install --quiet "$$(ls build/wheel/opendsql-*.whl)[test]"

# PYTHONSAFEPATH keeps this folder, whose dsql_core has no compiled modules, off sys.path.
test: export PYTHONSAFEPATH = 1
test: venv
	$(BIN)/python -m pytest tests -q
	$(BIN)/python -m pytest -c perf/pytest.ini perf -q --benchmark-disable

perf: export PYTHONSAFEPATH = 1
perf: venv
	$(BIN)/python -m pip install --quiet "$$(ls build/wheel/opendsql-*.whl)[peer]"
	$(BIN)/python -m pytest -c perf/pytest.ini perf

soak: venv
	$(BIN)/python -m pip install --quiet "$$(ls build/wheel/opendsql-*.whl)[peer]"
	PYTHONSAFEPATH=1 $(BIN)/python -m pytest tests -q -m soak
	$(BIN)/python perf/tpcc.py --minutes 10 --skip-peer

clean:
	rm -rf build dist *.egg-info
	find dsql_core -name '*.so' -delete
