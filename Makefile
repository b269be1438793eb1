# usance: `make run` starts everything, `make test` proves everything. Both work on a fresh machine with Python and make.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help run test check abuse reset tour lock setup setup-dev format messages

help:
	@echo "make run     start everything and print the addresses (first time: about two minutes)"
	@echo "make test    all checks and tests, browser included"
	@echo "make check   the fast part: format, lint, layers, types, core tests"
	@echo "make abuse   attack codes, applications and sign-ins by the thousand"
	@echo "make reset   throw the demo data away"
	@echo "make tour    take the README's pictures from the running demo"
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

tour: setup-dev
	@$(BIN)/python tools/tour.py

format: setup-dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

messages: setup-dev
	@$(BIN)/python tools/messages.py

lock: setup-dev
	@$(BIN)/python tools/lock.py
