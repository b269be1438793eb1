# usance: `make run` starts everything, `make test` proves everything. Both work on a fresh machine with Python and make.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help run test check abuse reset tour gallery budgets lock faults laws mutants setup setup-dev format messages

help:
	@echo "make run     start everything and print the addresses (first time: about two minutes)"
	@echo "make test    all checks and tests, browser included"
	@echo "make check   the fast part: format, lint, layers, types, core tests"
	@echo "make abuse   attack codes, applications and sign-ins by the thousand"
	@echo "make reset   throw the demo data away"
	@echo "make faults  attack a product of its own, by seed (make faults SEED=7 MINUTES=10)"
	@echo "make laws    the engine against the slow reference, 200,000 histories"
	@echo "make mutants  small faults put into the core: how many its tests notice (make mutants SAMPLE=400 SEED=2)"
	@echo "make tour    take the README's pictures from the running demo"
	@echo "make budgets  what the pages weigh and how fast they are on a cheap phone"
	@echo "make gallery  pictures of every page of the running demo, by width, theme and language, and sheets of them"
	@echo "make format  let the formatter rewrite the files"
	@echo "make messages  renew the translation catalogues and say what is not translated"
	@echo "make lock    renew the pinned, hashed requirements from requirements/*.in"

setup:
	@$(PYTHON) tools/prepare.py run

setup-dev:
	@$(PYTHON) tools/prepare.py test

run: setup
	@exec $(BIN)/usance run

test: setup-dev
	@$(BIN)/python tools/verify.py all

check: setup-dev
	@$(BIN)/python tools/verify.py fast

abuse: setup-dev
	@USANCE_ABUSE=1000 $(BIN)/pytest -n0 -q tests/web/test_abuse.py

reset: setup
	@$(BIN)/usance db reset

faults: setup
	@$(BIN)/usance faults --seed $(or $(SEED),1) $(if $(MINUTES),--minutes $(MINUTES))

laws: setup-dev
	@$(BIN)/python tools/laws.py $(if $(SEED),--seed $(SEED))

mutants: setup-dev
	@$(PYTHON) tools/prepare.py mutants
	@$(BIN)/python tools/mutants.py $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

tour: setup-dev
	@$(BIN)/python tools/tour.py

budgets: setup-dev
	@$(BIN)/python tools/budgets.py

gallery: setup-dev
	@$(BIN)/python tools/gallery.py

format: setup-dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

messages: setup-dev
	@$(BIN)/python tools/messages.py

lock: setup-dev
	@$(BIN)/python tools/lock.py
