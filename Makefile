# Two commands do all the set-up: `make run` and `make test`.
.DEFAULT_GOAL := test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# `make run` needs what Levqor needs, everything else also the tray's and the tests' packages.
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
# Programs from npm that tests hold pages and requests against; without npm those tests skip.
NPM := $(VENV)/npm
READY_NPM := $(VENV)/.ready-npm
# pytest-xdist: more processes than cores, for most tests wait for a program they started.
WORKERS ?= 3

# Tests write and flush much, and a disk may stall for minutes: in memory where that is large.
SCRATCH := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 {print "/dev/shm"}')
# Most tests start programs, which must not be compiled anew each time.
TEST := PYTHONDONTWRITEBYTECODE= $(if $(SCRATCH),TMPDIR=$(SCRATCH) )$(BIN)/pytest

# What `make test` needs beside Python: a virtual screen, tray hosts, a notification
# daemon, accessibility (to find menu rows), a browser for pages, a compiler for a disk
# without locks, a service manager, proxies and Prometheus for what is in deploy/,
# PostgreSQL (tests start one of their own) and a pooler for it.
PACKAGES := python3-venv python3-gi gir1.2-gtk-3.0 gir1.2-ayatanaappindicator3-0.1 \
	gir1.2-atspi-2.0 at-spi2-core xvfb xdotool x11-utils dbus dunst trayer xfce4-panel \
	imagemagick fonts-dejavu-core chromium procps curl gcc libc6-dev \
	systemd libpam-systemd caddy nginx-light openssl prometheus postgresql pgbouncer \
	debootstrap
# Where npm came from elsewhere, Debian's own stands in its way.
NODE := $(shell command -v npm >/dev/null || echo nodejs npm)

.PHONY: run bot test soak bench proof mutants lint docs site check-docs system system-check run-tray shots dist sbom lock clean

run: $(READY)  ## the main job on built-in defaults, no credentials
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/levqor-bot --sandbox --console --no-http; \
	else exec $(BIN)/levqor --sandbox smoke; fi

bot: $(READY)  ## the bot with this folder as its home: .env and levqor.db are here
	@exec $(BIN)/levqor-bot --home .

test: $(READY_DEV) $(READY_NPM) lint  ## lint, types and the whole test-suite
	$(TEST) -n $(WORKERS) --dist loadgroup || { echo "What failed beside others runs once more, alone:"; \
		$(TEST) --last-failed --last-failed-no-failures none; }

run-tray: $(READY_DEV)  ## the tray on this desktop, with the sandbox for every service
	$(BIN)/levqor-tray --sandbox

shots: $(READY_DEV)  ## the pictures in docs/images, from the real programs
	$(BIN)/python -m tests.support.shots
	$(BIN)/python -m tests.support.terminal_shots
	$(BIN)/python -m tests.support.console_shots

soak: $(READY_DEV)  ## the same tests with longer counts
	LEVQOR_SOAK=1 $(TEST) --timeout 3600

bench: $(READY_DEV)  ## numbers, side by side with named peers
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m tests.bench

# Whether each test passes is for `make test` to say (a few measure time or memory, and this is
# slower); here the figures count.
COVERAGE := $(CURDIR)/build/coverage/data
proof: $(READY_DEV)  ## every branch of core/ and 95 % of bot/ and tray/ are run by a test; what mutants tell
	@rm -rf build/coverage && mkdir -p build/coverage && chmod 1777 build/coverage  # a test may become another user
	-COVERAGE_FILE=$(COVERAGE) $(subst $(BIN)/pytest,$(BIN)/coverage run -m pytest,$(TEST)) -q -n $(WORKERS) --dist loadgroup --timeout 1200
	@COVERAGE_FILE=$(COVERAGE) $(BIN)/coverage combine --quiet
	@echo "core/:"; COVERAGE_FILE=$(COVERAGE) $(BIN)/coverage report --include='core/*' --skip-covered --show-missing --fail-under=100; core=$$?; \
	echo "bot/ and tray/:"; COVERAGE_FILE=$(COVERAGE) $(BIN)/coverage report --include='bot/*,tray/*' --skip-covered --show-missing --fail-under=95 && \
	$(BIN)/python -m tests.mutants && exit $$core

# It may be stopped at any time, and goes on where it was: what it found is in build/mutants, and
# in tests/survivors.txt for every other checkout; a function is tried again when it changes.
mutants: $(READY_DEV)  ## small faults put into what decides about retry, settle, quota and owners: a test must fail
	PYTHONDONTWRITEBYTECODE= $(if $(SCRATCH),TMPDIR=$(SCRATCH) )$(BIN)/python -m tests.mutants --try

docs: $(READY_DEV)  ## the pages and tables that are made from the code
	$(BIN)/python docs/generate.py

# The manual. It loads nothing from another host, and nothing is loaded to build it.
site: $(READY_DEV)  ## the manual in site/, from docs/
	$(BIN)/zensical build --strict --clean
	@echo "Read it: $(BIN)/python -m http.server --bind 127.0.0.1 --directory site"

check-docs: $(READY_DEV)
	$(BIN)/python docs/generate.py --check

lint: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/vulture
	$(BIN)/deptry --no-ansi .

system:  ## Debian packages the tests need
	@if ! command -v apt-get >/dev/null; then echo "no apt-get here; the tests need: $(PACKAGES) $(NODE)"; \
	elif [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES) $(NODE); \
	else echo "run: sudo apt-get install --no-install-recommends $(PACKAGES) $(NODE)"; fi

# uv installs in seconds; pip does where uv cannot be had, or does not find the packages.
UV = $(or $(shell command -v uv),$(BIN)/uv)
PIP = PYTHONWARNINGS=ignore $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL = { $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python $(1) 2>/dev/null || $(PIP) install $(1); }

$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Levqor needs Python 3.11 or later; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV), once: 1 of 3, the environment"
	@$(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || { awk '/^[^ ]/ {of_uv = /^uv==/} of_uv' constraints.txt >$(VENV)/uv.txt; $(PIP) install -r $(VENV)/uv.txt || true; }
	@echo "Setting up $(VENV), once: 2 of 3, $$(grep -c == requirements.txt) packages"
	@$(call INSTALL,--require-hashes -r requirements.txt)
	@echo "Setting up $(VENV), once: 3 of 3, Levqor"
	@$(call INSTALL,--no-deps --no-build-isolation -e .)
	@touch $@

$(READY_DEV): $(READY) constraints.txt
	@echo "Adding what the tray and the tests need, once."
	@$(call INSTALL,--require-hashes -r constraints.txt)
	@touch $@

$(READY_NPM): tests/npm/package.json tests/npm/package-lock.json | $(READY)
	@mkdir -p $(NPM) && cp tests/npm/*.json $(NPM) \
	&& npm ci --prefix $(NPM) --ignore-scripts --no-audit --no-fund --silent && touch $@ \
	|| echo "npm installs nothing here: what needs its programs is skipped."

COMPILE = $(UV) pip compile --quiet pyproject.toml - --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command 'make lock'

# Keeps the versions that still do; `make lock UPGRADE=1` takes the newest.
lock: $(READY)  ## constraints.txt and requirements.txt: every version that is installed, with the hashes of its files
	@echo 'hatchling>=1.27' | $(COMPILE) --extra tray --extra dev $(if $(UPGRADE),--upgrade) -o constraints.txt
	@echo 'hatchling>=1.27' | $(COMPILE) --constraints constraints.txt -o requirements.txt

# Where the project lives, for the links and pictures of the package's page.
PROJECT_URL ?= $(shell git remote get-url origin 2>/dev/null | sed -nE 's,^(https://|ssh://)?([^/@]*@)?([^/:@]+\.[a-z]+)[:/](.*)$$,https://\3/\4,; s,\.git$$,,; /^https:/p')

DIST := dist
BUILD := build

dist: $(READY)  ## wheel and sdist in dist/, the same bytes at each build
	LEVQOR_PROJECT_URL='$(PROJECT_URL)' $(UV) build --quiet --clear --no-build-isolation --python $(BIN)/python --out-dir $(DIST)
	@sha256sum $(DIST)/*.whl $(DIST)/*.tar.gz
	@[ -n '$(PROJECT_URL)' ] || echo "No PROJECT_URL: the package's page has no links, and no pictures."

sbom: $(READY_DEV)  ## build/levqor.cdx.json: all that Levqor installs, with hashes (CycloneDX)
	@mkdir -p $(BUILD)
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --output-file $(BUILD)/levqor.cdx.json

# With FROM=REVISION the upgrade from an older Levqor too.
system-check: $(READY_DEV) dist  ## deploy/Containerfile, the installs and init, replayed in bare Debian folders (as root)
	FROM=$(FROM) $(BIN)/python -m tests.system

clean:
	rm -rf $(VENV) build dist site *.egg-info
