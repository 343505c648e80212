# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Front door of this repository: `make site` runs the relay on this machine, `make test` proves the checkout.
# Needs make, git and a python3 from 3.11 to 3.13 with venv. Everything that it makes lies in .venv/, but for the caches
# of the tools. ARGS is handed on: make unit ARGS='-k surface', make site ARGS='--check --diff'.

PYTHON ?= python3
VENV := .venv
COLLECTIONS := $(VENV)/collections
# Ansible finds a collection by its path only, so the checkout is linked into a tree that has the right one.
LINK := $(COLLECTIONS)/ansible_collections/mailops/relay
IMPORTER := $(VENV)/importer
MUTANTS := $(VENV)/mutants/venv
# tests of the rooms that are pure: no files, no sockets; their filters
PURE := $(foreach room,_connector _policy _engine,tests/unit/plugins/module_utils/$(room)) tests/unit/plugins/filter
PIP_OPTIONS := --quiet --disable-pip-version-check --require-hashes

# The tools and collections of the venv only: what is installed below HOME is neither needed nor touched. ANSIBLE_HOME,
# because ansible-lint looks for collections there first, and a relay installed earlier would hide this checkout.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export ANSIBLE_HOME := $(CURDIR)/$(VENV)/ansible
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(COLLECTIONS)

UNIT_PARTS := unit-rest unit-site unit-lab

.DEFAULT_GOAL := help
.PHONY: help venv link site site-down test checks lint types coverage unit $(UNIT_PARTS) matrix nightly mutants \
    ansible-lint docs generate build importer molecule molecule-exchange sanity requirements clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

# -- environment -------------------------------------------------------------------------------------------------------
# A stamp is as old as the pinned list that it installed: when the list changes, pip runs again, else nothing does.

venv: $(VENV)/dev.stamp ## make .venv with everything that the tests need

link: $(LINK) ## make this checkout importable as ansible_collections.mailops.relay

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	    { echo "ansible-core 2.19 runs on Python 3.11 to 3.13; name one: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: requirements/%.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install $(PIP_OPTIONS) --requirement $<
	@touch $@

# It does not agree with the others about versions.
$(VENV)/importer.stamp: requirements/importer.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m venv --clear $(IMPORTER)
	$(IMPORTER)/bin/python -m pip install $(PIP_OPTIONS) --requirement $<
	@touch $@

$(VENV)/mutants.stamp: requirements/mutants.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m venv --clear $(MUTANTS)
	$(MUTANTS)/bin/python -m pip install $(PIP_OPTIONS) --requirement $<
	@touch $@

$(LINK): | $(VENV)/bin/python
	@mkdir -p $(@D)
	ln -s ../../../.. $@

requirements: | $(VENV)/bin/python ## pin requirements/*.in again (ARGS=--upgrade: newest releases)
	$(PYTHON) -m venv $(VENV)/pin
	$(VENV)/pin/bin/python -m pip install --quiet --disable-pip-version-check uv
	PATH="$(CURDIR)/$(VENV)/pin/bin:$$PATH" requirements/compile.sh $(ARGS)

# -- the relay on this machine -----------------------------------------------------------------------------------------

# the table as a table, not as one line of JSON
site: export ANSIBLE_CALLBACK_RESULT_FORMAT := yaml
site: $(VENV)/run.stamp $(LINK) ## set up the relay of playbooks/inventory/local and prove it
	ansible-playbook -i playbooks/inventory/local playbooks/site.yml $(ARGS)

site-down: $(VENV)/run.stamp $(LINK) ## stop and remove it
	ansible-playbook -i playbooks/inventory/local playbooks/site_down.yml $(ARGS)

# -- gates -------------------------------------------------------------------------------------------------------------

# Seconds first. Then the long parts together: some of them wait for clocks. Each prints its whole output when it ends.
test: lint types ## run every gate below
	@NO_COLOR=1 $(MAKE) --no-print-directory --keep-going --jobs=4 --output-sync=recurse checks $(UNIT_PARTS)

# One after the other: they all build or read the collection.
checks:
	@$(MAKE) --no-print-directory coverage
	@$(MAKE) --no-print-directory ansible-lint
	@$(MAKE) --no-print-directory docs
	@$(MAKE) --no-print-directory importer
	@$(MAKE) --no-print-directory molecule
	@$(MAKE) --no-print-directory sanity

lint: venv ## ruff, formatting, licence headers
	ruff check
	ruff format --check
	reuse lint --quiet || reuse lint

types: venv $(LINK) ## mypy: what runs on targets as Python 3.9, the rest as the controller's Python
	mypy --python-version 3.9 \
	    $(foreach part,modules module_utils,-p ansible_collections.mailops.relay.plugins.$(part)) -p smtp_relayd
	mypy -p ansible_collections.mailops.relay.plugins -p smtp_relayd -p support -p exchange_lab \
	    -m run_sanity -m run_matrix -m generate_docs

# Tracing is slow, and many random cases cover no more than a few.
coverage: venv $(LINK) ## branch coverage of the pure rooms by their own tests
	SCALE=0.05 coverage run -m pytest $(PURE) --quiet
	coverage report --skip-covered

unit: venv $(LINK) ## pytest: unit, contract, sockets, site and Exchange lab tests (PWSH=/path/to/pwsh: all of the last)
	pytest $(ARGS)

# MATRIX_EXPECTED="core-2.20 target-3.9": these must be found.
matrix: venv $(LINK) ## other releases of ansible-core and other Pythons, as far as they are found (ARGS=core-2.21)
	$(VENV)/bin/python tests/run_matrix.py $(ARGS)

# The same in three parts; what is in no other part is in the first.
unit-rest: PARTS := tests --ignore=tests/site --ignore=tests/exchange_lab
unit-site: PARTS := tests/site
unit-lab: PARTS := tests/exchange_lab
$(UNIT_PARTS): venv $(LINK)
	pytest $(PARTS)

nightly: venv $(LINK) $(VENV)/mutants.stamp ## ten times as many random cases, molecule-exchange, the mutants (hours)
	SCALE=10 pytest $(PURE) tests/exchange_lab
	@$(MAKE) --no-print-directory molecule-exchange
	@$(MAKE) --no-print-directory mutants

mutants: venv $(LINK) $(VENV)/mutants.stamp ## break policy and engine in 300 ways, show what no pure test notices (ARGS=30)
	$(VENV)/bin/python tests/run_mutants.py $(ARGS)

ansible-lint: venv $(LINK) ## ansible-lint, profile production
	ansible-lint $(ARGS)

docs: venv $(LINK) ## antsibull: documentation of modules and roles, changelog fragments
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs all --disallow-unknown-collection-refs .
	antsibull-changelog lint

generate: venv $(LINK) ## write docs/capabilities.md and the columns of the snapshot out of the property table
	PYTHONPATH=$(COLLECTIONS) $(VENV)/bin/python tests/generate_docs.py

sanity: venv ## ansible-test sanity in a copy of the checkout
	$(VENV)/bin/python tests/run_sanity.py $(ARGS)

build: venv ## collection archive in dist/
	ansible-galaxy collection build --force --output-path dist

# It ends well whatever it warns of; here a warning fails. PATH: it runs the ansible-doc and the ansible-lint beside it.
importer: build $(VENV)/importer.stamp ## galaxy-importer: what Galaxy says to the archive
	@cd $(IMPORTER) && PATH="$$PWD/bin:$$PATH" GALAXY_IMPORTER_ANSIBLE_LOCAL_TMP="$$PWD/tmp" \
	    python -m galaxy_importer.main "$$(ls -t $(CURDIR)/dist/mailops-relay-*.tar.gz | head -n 1)" >log 2>&1 && \
	    ! grep -Eq '^(WARNING|ERROR|CRITICAL)' log && tail -n 1 log || { cat log; exit 1; }

molecule: export MOLECULE_COMMAND_BORDERS := false
molecule: venv $(LINK) ## molecule: set up, change, tamper with, verify and remove a relay (ARGS=converge: one step)
	molecule $(or $(ARGS),test)

# Minutes, so it is part of nightly.
molecule-exchange: export MOLECULE_COMMAND_BORDERS := false
molecule-exchange: venv $(LINK) ## molecule on two servers of the Exchange lab (needs PWSH; ARGS=converge: one step)
	molecule $(or $(ARGS),test) --scenario-name exchange

clean: ## stop the relay on this machine, remove the environment, caches and built files
	@if [ -d $(VENV)/site ]; then $(MAKE) --no-print-directory site-down; fi
	rm -rf $(VENV) .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache dist tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
