# Holdfast on a machine with Python 3.11+, make and a package index. `make help` lists what there is.
# Works with GNU make 3.81 (macOS). Values given as NAME=value reach the programs through the environment.

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help venv run test check format client test-clients fuzz verify-containers lock openapi bench clean clean-data

help: ## List the targets
	@awk 'BEGIN { FS = ":[^#]*## " } /^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: ## Make .venv with the locked dependencies (the other targets do it by themselves)
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "holdfast: $(PYTHON) not found; install Python 3.11 or later (python.org/downloads)" >&2; exit 1; }
	@$(PYTHON) dev/bootstrap.py $(if $(filter command,$(origin PYTHON)),--this-python)

run: venv ## Start the whole service; PORT=8000 HOST=127.0.0.1 (HOST=0.0.0.0 for phones on the network)
	@$(PY) -m dev.run

test: venv ## Run the tests on real PostgreSQL and Valkey; ARGS="tests/core -k pages" for some of them, COVERAGE=1 to measure
	@$(PY) -m dev.test $(ARGS) $(PYTEST_ARGS)

check: venv ## Check format, lint, types, import contracts, house rules, dependencies, documents, container and CI files
	@$(PY) -m dev.check

format: venv ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

client: venv ## Make the generated half of the TypeScript client anew, after a change of the API (needs Node)
	@$(PY) -m dev.client_code

test-clients: venv ## Check the API as its clients see it: OpenAPI rules, TypeScript, a browser (needs Node and Chromium)
	@$(PY) -m dev.clients $(ARGS)

fuzz: venv ## Throw generated requests at the running service (schemathesis)
	@$(PY) -m dev.fuzz $(ARGS)

verify-containers: venv ## Build the image and run the compose stack for real
	@$(PY) -m dev.verify_containers $(ARGS)

lock: venv ## Resolve pyproject.toml into requirements.txt and requirements-dev.txt, and what the peers of make bench need, pinned and hashed
	@$(BIN)/uv pip compile pyproject.toml $(LOCK_OPTIONS) --output-file requirements.txt
	@$(BIN)/uv pip compile pyproject.toml $(LOCK_OPTIONS) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	@for peer in benchmarks/peers/*/requirements.in; do \
		$(BIN)/uv pip compile "$$peer" $(LOCK_OPTIONS) --no-annotate --output-file "$${peer%.in}.txt" || exit 1; done

LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

openapi: venv ## Write the OpenAPI document to docs/openapi.json
	@$(BIN)/flask openapi write docs/openapi.json

bench: venv ## Measure the service beside what a team would pick instead; ARGS="--targets holdfast,floor --rounds 1" for less (peers on Express need Node)
	@$(PY) -m benchmarks $(ARGS)

clean: ## Remove caches and whatever else can be made again; .venv and the data stay
	@rm -rf .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis .coverage .coverage.* tests/clients/node_modules \
		clients/typescript/node_modules clients/typescript/dist clients/typescript/apidocs
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

clean-data: venv ## Delete the laptop's database, files, keys and mailbox (var/); the next start begins afresh
	@$(PY) -m dev.clean_data
