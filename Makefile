# Two commands do all the set-up: `make run` and `make test`.
.DEFAULT_GOAL := test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# `make run` needs what Levqor needs, everything else also the tray's and the tests' packages.
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
# pytest-xdist: more processes than cores, for most tests wait for a program they started.
WORKERS ?= 3

# Tests write and flush much, and a disk may stall for minutes: in memory where that is large.
SCRATCH := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 {print "/dev/shm"}')
TEST := $(if $(SCRATCH),TMPDIR=$(SCRATCH) )$(BIN)/pytest

# What `make test` needs beside Python: a virtual screen, tray hosts, a notification
# daemon, accessibility (to find menu rows), a browser for pages, a compiler for a disk
# without locks.
PACKAGES := python3-venv python3-gi gir1.2-gtk-3.0 gir1.2-ayatanaappindicator3-0.1 \
	gir1.2-atspi-2.0 at-spi2-core xvfb xdotool x11-utils dbus dunst trayer xfce4-panel \
	imagemagick fonts-dejavu-core chromium procps curl gcc libc6-dev

.PHONY: run bot test soak bench lint docs check-docs system run-tray shots lock clean

run: $(READY)  ## the main job on built-in defaults, no credentials
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/levqor-bot --sandbox --console --no-http; \
	else exec $(BIN)/levqor --sandbox smoke; fi

bot: $(READY)  ## the bot with this folder as its home: .env and levqor.db are here
	@exec $(BIN)/levqor-bot --home .

test: $(READY_DEV) lint  ## lint, types and the whole test-suite
	$(TEST) -n $(WORKERS) --dist loadgroup || { echo "What failed beside others runs once more, alone:"; \
		$(TEST) --last-failed --last-failed-no-failures none; }

run-tray: $(READY_DEV)  ## the tray on this desktop, with the sandbox for every service
	$(BIN)/levqor-tray --sandbox

shots: $(READY_DEV)  ## the pictures in README.md and docs/tray.md, from the real programs
	$(BIN)/python -m tests.support.shots
	$(BIN)/python -m tests.support.terminal_shots

soak: $(READY_DEV)  ## the same tests with longer counts
	LEVQOR_SOAK=1 $(TEST) --timeout 3600

bench: $(READY_DEV)  ## numbers, side by side with named peers
	$(BIN)/python -m tests.bench

docs: $(READY_DEV)  ## the pages and tables that are made from the code
	$(BIN)/python docs/generate.py

check-docs: $(READY_DEV)
	$(BIN)/python docs/generate.py --check

lint: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

system:  ## Debian packages the tests need
	@if ! command -v apt-get >/dev/null; then echo "no apt-get here; the tests need: $(PACKAGES)"; \
	elif [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES); \
	else echo "run: sudo apt-get install --no-install-recommends $(PACKAGES)"; fi

# uv, where it is there, takes seconds and shows its own progress; pip's lines are counted.
ifneq ($(shell command -v uv),)
NEW_VENV = $(PYTHON) -m venv --without-pip $(VENV)
INSTALL = uv pip install --quiet --python $(BIN)/python
INSTALL_ALL = uv pip install --python $(BIN)/python --require-hashes -r $(1)
else
NEW_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL_ALL = { $(BIN)/python -m pip install --disable-pip-version-check --no-compile --require-hashes -r $(1); \
	echo "status $$?"; } | { count=0; status=1; while read -r word rest; do case $$word in \
	Collecting) count=$$((count + 1)); printf '\r  package %d of %d ' $$count $$(grep -c == $(1));; \
	Installing) printf '\r  installing %d packages ' $$count;; \
	status) status=$$rest;; esac; done; echo; exit $$status; }
endif

$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Levqor needs Python 3.11 or later; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV), once."
	@$(NEW_VENV)
	@$(call INSTALL_ALL,requirements.txt)
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(READY_DEV): $(READY) constraints.txt
	@echo "Adding what the tray and the tests need, once."
	@$(call INSTALL_ALL,constraints.txt)
	@touch $@

COMPILE = build/lock/bin/uv pip compile --quiet pyproject.toml - --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command 'make lock'

# Keeps the versions that still do; `make lock UPGRADE=1` takes the newest.
lock:  ## constraints.txt and requirements.txt: every version that is installed, with the hashes of its files
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/pip install --quiet --disable-pip-version-check uv
	@echo 'setuptools>=77' | $(COMPILE) --extra tray --extra dev $(if $(UPGRADE),--upgrade) -o constraints.txt
	@echo 'setuptools>=77' | $(COMPILE) --constraints constraints.txt -o requirements.txt
	@rm -rf build/lock

clean:
	rm -rf $(VENV) build dist *.egg-info
