# `make run` sets LabelHub up and starts it, `make test` checks it. Both make what they need first.
.PHONY: run setup test unit lint lock settings messages
.SUFFIXES:

VENV = .venv
PYTHON = $(VENV)/bin/python
PIP = $(PYTHON) -m pip --disable-pip-version-check -qq

run: $(VENV)/.installed
	@exec $(PYTHON) manage.py start $(ARGS)

setup: $(VENV)/.installed

# Everything: SQLite, PostgreSQL, browser, services. STRICT=1: what the machine lacks is a failure.
test: $(VENV)/.installed-dev
	@exec $(PYTHON) -m tests $(if $(STRICT),--strict) $(ARGS)

# The quick part alone.
unit: $(VENV)/.installed-dev
	@exec $(PYTHON) -m pytest -m "not browser and not service" -n 2 -q $(ARGS)

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

# The table of settings, for the README.
settings: $(VENV)/.installed
	@$(PYTHON) manage.py settings_table

# Takes new and changed texts of the code into the Chinese catalog, to be translated there (Debian:
# apt install gettext). What they resemble is proposed as "fuzzy": correct it and remove that mark.
CATALOG = locale/zh_Hans/LC_MESSAGES/django.po
messages: $(VENV)/.installed
	@$(PYTHON) manage.py makemessages --locale zh_Hans --ignore data --ignore tests \
	    --extension html,txt,py,jinja \
	    --no-obsolete --no-wrap --add-location file
	@sed '/^"POT-Creation-Date/d' $(CATALOG) > $(CATALOG).new && mv $(CATALOG).new $(CATALOG)

# Stamps: what is installed is installed again when its list changed. No warnings about conflicts:
# those of paddleclas are known (requirements.in), any other is found by tests/test_dependencies.py.
$(VENV)/.installed: requirements.txt requirements-paddleclas.txt | $(VENV)/.made
	@echo "Installing what LabelHub needs into $(VENV); this takes some minutes the first time."
	@$(PIP) install --require-hashes --no-warn-conflicts -r requirements.txt
	@$(PIP) install --require-hashes --no-deps -r requirements-paddleclas.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what the tests need into $(VENV)."
	@$(PIP) install --require-hashes --no-warn-conflicts -r requirements-dev.txt
	@touch $@

# Made with the first Python of a version that LabelHub runs on; `make run PYTHONS=…` names another.
PYTHONS = python3 python3.12 python3.11 python
RIGHT_VERSION = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))

$(VENV)/.made:
	@found=; for name in $(PYTHONS); do \
	    $$name -c '$(RIGHT_VERSION)' >/dev/null 2>&1 || continue; \
	    found=$$name; \
	    $$name -c 'import ensurepip, venv' >/dev/null 2>&1 || continue; \
	    $$name -m venv $(VENV) && touch $@ && exit; \
	done; \
	if [ -n "$$found" ]; then \
	    echo "$$found cannot make a virtual environment (Debian: apt install python3-venv)." >&2; \
	else \
	    echo "LabelHub needs Python 3.11 or 3.12, and finds neither" \
	         "(Debian 12: apt install python3 python3-venv)." >&2; \
	fi; exit 1

# Pins every version, with hashes, for Python 3.11 and 3.12 on every platform. The comment at the top
# of the hand-written list goes into the pinned one. UPGRADE=1: the newest versions that fit.
lock: $(VENV)/.made
	@$(PIP) install "uv>=0.9"
	@for name in requirements requirements-dev; do \
	    $(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	        --no-emit-index-url --no-header $(if $(UPGRADE),--upgrade) $$name.in -o $$name.txt && \
	    { sed '/^#/!q' $$name.in; cat $$name.txt; } > $$name.new && \
	    mv $$name.new $$name.txt || exit 1; \
	done
