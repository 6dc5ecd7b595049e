# Every target sets up .venv when it is missing or older than pyproject.toml.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS ?= tests
# Two workers a core, since half of a screen's test is waiting until it rests; a file's
# tests stay together, since they share what is slow to start. Files come in their order, since
# those with few tests, which would come last, are the slowest.
CORES := len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(16, 2 * ($(CORES))))')
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
RECORDED := LFG_RECORDINGS="$${LFG_RECORDINGS:-$(wildcard ../shared/data)}"
FUZZED := $(addprefix tests/,text/markdown/test_document.py ui/markdown/test_block_view.py \
	ui/terminal/test_terminal_bytes.py providers/test_recordings.py)

.DEFAULT_GOAL := help
.PHONY: help demo run test acceptance check format bench bench-wire house fuzz crash kills worktree-kills hostile wire snapshots picture prices clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lfg needs Python 3.11 or newer; set PYTHON=python3.x"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY) ## watch six simulated agents do real work; no key, no network
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/lfg demo $(ARGS)

test: $(READY) ## run the tests
	$(PYTEST) $(TESTS)

acceptance: $(READY) ## the tests that need programs of their own, as nginx; skips what is missing; npm fetches 650 MB of agents
	$(BIN)/python -m pytest -m acceptance $(TESTS)

check: $(READY) ## the gate: format, lint, strict types, import floors, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PYTEST) $(TESTS)

format: $(READY) ## format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## measure; prints ratios from interleaved runs
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/history.py
	$(BIN)/python bench/pane.py $(ARGS)
	$(BIN)/python bench/sandbox.py
	$(BIN)/python bench/attach.py
	$(BIN)/python bench/workers.py

bench-wire: $(READY) ## measure from a paced server to the screen, beside the SDKs; ARGS=--quick for a look
	$(BIN)/python bench/wire.py $(ARGS)

house: $(READY) ## count what makes the code large or hard to read, beside its bounds
	-@$(BIN)/python bench/house.py $(ARGS)

fuzz: $(READY) ## awkward documents, damaged streams, walks through the app: 20 times what the tests try
	@$(RECORDED) $(PYTEST) --dist load --hypothesis-profile=fuzz $(FUZZED)

crash: $(READY) ## kill -9 lfg 200 times in mid-stream; what was on the screen must be in the history
	$(BIN)/python -m tests.program.crash $(ARGS)

kills: $(READY) ## kill lfg, agents and supervisors 50 times; nothing that an agent started may go on
	$(BIN)/python -m tests.program.agent_kills $(ARGS)

worktree-kills: $(READY) ## kill lfg 200 times while it works on worktrees; nothing of the checkout may differ
	$(BIN)/python -m tests.program.worktree_kills $(ARGS)

hostile: $(READY) ## let servers and terminals misbehave, beside a healthy ticket; prints a table
	$(BIN)/python -m tests.hostile $(ARGS)

wire: $(READY) ## decode every recorded provider stream, cut in every way
	@$(RECORDED) $(PYTEST) tests/providers/test_recordings.py

snapshots: $(READY) ## accept what the screen looks like now
	$(BIN)/python -m pytest tests/ui --snapshot-update

picture: $(READY) ## make the pictures of the README and the tour from real runs
	$(BIN)/python docs/picture.py docs/lfg.svg
	$(BIN)/python docs/tour.py

prices: $(READY) ## take the newest table of prices and context windows from genai-prices
	@$(PYTHON) -m venv build/prices
	@build/prices/bin/python -m pip install --quiet --disable-pip-version-check --upgrade genai-prices msgspec
	@build/prices/bin/python docs/prices.py

clean: ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
