# Everything a developer does here. Only `test`, `bench`, `e2e` and `differential` need the network, once, to fill .venv.

PYTHON ?= python3
VENV := .venv
IN_VENV := $(VENV)/bin/python3
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' luigid.py)

.DEFAULT_GOAL := help
.PHONY: run test unit differential e2e torture lint bench dist example clean help
.NOTPARALLEL:

run: ## start the scheduler (flags: make run ARGS="--port 8083")
	$(PYTHON) luigid.py $(ARGS)

test: lint unit differential e2e ## every test there is; the first time it fills .venv

unit: ## the quick tests, which need nothing but Python
	$(PYTHON) -m unittest discover tests/unit

differential: $(VENV)/ready ## random call histories, every reply compared with stock luigi's scheduler
	$(IN_VENV) -m unittest discover -s tests/differential -t .

e2e: $(VENV)/ready ## real workers, a real browser, real processes and signals
	$(IN_VENV) -m unittest discover -s tests/e2e -t .

torture: $(VENV)/ready ## 100,000 hostile requests (FUZZ_SEED=... repeats a run), then 1,000 kills under load
	FUZZ_REQUESTS=100000 $(IN_VENV) -m unittest tests.e2e.test_fuzz
	$(IN_VENV) -m tests.e2e.torture

lint: $(VENV)/ready ## ruff
	$(VENV)/bin/ruff check .

bench: $(VENV)/ready ## compare with stock luigi side by side
	$(IN_VENV) -m tests.bench $(ARGS)

dist: ## build dist/luigid-VERSION.tar.gz, what an operator needs, from the last commit
	mkdir -p dist
	git archive --format=tar.gz --prefix=luigid-$(VERSION)/ --output=dist/luigid-$(VERSION).tar.gz HEAD \
		luigid.py visualiser luigid.cfg.example README.md

example: ## write luigid.cfg.example anew from the table of options
	$(PYTHON) -c 'import luigid; print(luigid.example_config(), end="")' > luigid.cfg.example

clean: ## remove what the other targets made
	rm -rf $(VENV) dist .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r target help; do \
		printf '  make %-13s %s\n' "$$target" "$$help"; done

$(VENV)/ready: tests/requirements.txt tests/prepare.sh
	PYTHON=$(PYTHON) tests/prepare.sh $(VENV)
