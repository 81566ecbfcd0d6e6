# Everything a developer does here. Only `test`, `bench`, `e2e` and `differential` need the network, once, to fill .venv.

PYTHON ?= python3
VENV := .venv
IN_VENV := $(VENV)/bin/python3
PREFIX ?= /usr/local
LIBRARY = $(PREFIX)/lib/luigid
UNITS = $(PREFIX)/lib/systemd/system
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2> /dev/null),315532800)
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' luigid.py)

.DEFAULT_GOAL := help
.PHONY: run test unit page differential e2e torture newest lint bench bench-page install uninstall dist example clean help
.NOTPARALLEL:

run: ## start the scheduler (flags: make run ARGS="--port 8083")
	$(PYTHON) luigid.py $(ARGS)

test: lint unit page differential e2e ## every test there is; the first time it fills .venv

unit: ## the quick tests, which need nothing but Python
	$(PYTHON) -m unittest discover tests/unit

page: $(VENV)/ready ## the page's modules under Node's own test runner (e2e has them in a browser)
	tests/page/run

differential: $(VENV)/ready ## random call histories, every reply compared with stock luigi's scheduler
	$(IN_VENV) -m unittest discover -s tests/differential -t .

e2e: $(VENV)/ready ## real workers, a real browser, real processes and signals
	$(IN_VENV) -m unittest discover -s tests/e2e -t .

torture: $(VENV)/ready ## 100,000 hostile requests (FUZZ_SEED=... repeats a run), then 1,000 kills under load
	FUZZ_REQUESTS=100000 $(IN_VENV) -m unittest tests.e2e.test_fuzz
	$(IN_VENV) -m tests.e2e.torture

newest: ## the quick tests on the newest Pythons, those of Debian's unstable (as root on a Debian; needs the network)
	tests/newest.sh $(ARGS)

lint: $(VENV)/ready ## ruff, and the types in luigid.py
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy luigid.py

bench: $(VENV)/ready ## compare with stock luigi side by side
	$(IN_VENV) -m tests.bench $(ARGS)

bench-page: $(VENV)/ready ## the same for the page, in a real browser
	$(IN_VENV) -m tests.bench.page $(ARGS)

install: ## module, page, command and units for systemd, below PREFIX=/usr/local (packagers: DESTDIR=...)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBRARY) $(DESTDIR)$(UNITS)
	cp -R luigid.py luigid.cfg.example visualiser $(DESTDIR)$(LIBRARY)
	chmod -R u=rwX,go=rX $(DESTDIR)$(LIBRARY)
	$(PYTHON) -m compileall -q -d $(LIBRARY) $(DESTDIR)$(LIBRARY)/luigid.py
	printf '#!/usr/bin/env python3\nimport sys\n\nsys.path.insert(0, "%s")\nfrom luigid import main\n\nsys.exit(main())\n' \
		$(LIBRARY) > $(DESTDIR)$(PREFIX)/bin/luigid
	chmod 755 $(DESTDIR)$(PREFIX)/bin/luigid
	$(PYTHON) luigid.py --print-unit service | sed 's|^ExecStart=.*|ExecStart=$(PREFIX)/bin/luigid|' \
		> $(DESTDIR)$(UNITS)/luigid.service
	$(PYTHON) luigid.py --print-unit socket > $(DESTDIR)$(UNITS)/luigid.socket
	chmod 644 $(DESTDIR)$(UNITS)/luigid.service $(DESTDIR)$(UNITS)/luigid.socket

uninstall: ## remove what install made
	rm -f $(DESTDIR)$(PREFIX)/bin/luigid $(DESTDIR)$(UNITS)/luigid.service $(DESTDIR)$(UNITS)/luigid.socket
	rm -rf $(DESTDIR)$(LIBRARY)

dist: dist/luigid.pyz ## build dist/luigid.pyz, all in one file, and luigid-VERSION.tar.gz, from the last commit
	git archive --format=tar.gz --prefix=luigid-$(VERSION)/ --output=dist/luigid-$(VERSION).tar.gz HEAD \
		luigid.py visualiser luigid.cfg.example README.md

# The same files make the same bytes: the archive has all of them from SOURCE_DATE_EPOCH, sorted, with the same modes.
dist/luigid.pyz: luigid.py $(shell find visualiser -type f) Makefile
	rm -rf dist/pyz
	install -d dist/pyz
	cp -R luigid.py visualiser dist/pyz
	printf 'import sys\n\nfrom luigid import main\n\nsys.exit(main())\n' > dist/pyz/__main__.py
	chmod -R u=rwX,go=rX dist/pyz
	find dist/pyz -exec env TZ=UTC touch -t $(shell $(PYTHON) -c \
		'import time; print(time.strftime("%Y%m%d%H%M.%S", time.gmtime($(SOURCE_DATE_EPOCH))))') {} +
	TZ=UTC $(PYTHON) -m zipapp --compress --python '/usr/bin/env python3' --output $@ dist/pyz
	chmod 755 $@
	rm -rf dist/pyz

example: ## write luigid.cfg.example anew from the table of options
	$(PYTHON) -c 'import luigid; print(luigid.example_config(), end="")' > luigid.cfg.example

clean: ## remove what the other targets made
	rm -rf $(VENV) dist .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r target help; do \
		printf '  make %-13s %s\n' "$$target" "$$help"; done

$(VENV)/ready: tests/requirements.txt tests/prepare.sh
	PYTHON=$(PYTHON) tests/prepare.sh $(VENV)
