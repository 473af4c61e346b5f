# What there is to do here: `make help`. Every target makes the set-up it needs.

PORT ?= 8000
SANDBOX_PORT ?= 8100
DATA_DIR ?= .data
VENV ?= .venv
# Where `make image-…` builds what the Dockerfile copies.
IMAGE_VENV ?= build/venv
IMAGE_MODELS ?= build/models
# More for pytest: make test PYTEST='tests/auth -k refresh'
PYTEST ?=

PY := $(VENV)/bin/python
# A venv is bound to where it stands and to its lock: either changes, and it is made anew.
STAMP := $(VENV)/.ready-$(shell { pwd; cat requirements/dev.lock requirements/bootstrap.lock; } | cksum | cut -d' ' -f1)

ifneq ($(NO_COLOR),)
say = @printf '▸ %s\n' $(1)
else
say = @printf '\033[1;36m▸\033[0m %s\n' $(1)
endif

.DEFAULT_GOAL := help
.PHONY: help setup run test test-services check check-types check-rules format bench bench-nightly miniprogram lock audit \
	image-venv image-venv-sandbox image-models image-lint clean

help: ## This list
	@printf '\n\033[1m指尖办事 · zhijian\033[0m\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[36mmake %-20s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  PORT=%s SANDBOX_PORT=%s DATA_DIR=%s\n\n' '$(PORT)' '$(SANDBOX_PORT)' '$(DATA_DIR)'

$(STAMP):
	@scripts/setup.sh $(VENV) requirements/dev.lock
	@rm -f $(VENV)/.ready-*
	@touch $@

setup: $(STAMP) ## The Python environment, from the lock files

run: $(STAMP) ## Portal and sandbox on this machine, with the cast; Ctrl-C stops all
	@exec $(PY) -m scripts.run --port $(PORT) --sandbox-port $(SANDBOX_PORT) --data-dir '$(DATA_DIR)'

test: $(STAMP) ## The whole suite on the embedded default
	@$(PY) -m pytest -p tests.something_ran -n auto --dist loadgroup $(PYTEST)

test-services: $(STAMP) ## The same suite on PostgreSQL and Redis
	@if [ -z "$$ZHIJIAN_TEST_DATABASE_URL" ] || [ -z "$$ZHIJIAN_TEST_REDIS_URL" ]; then \
		printf 'Say where they are, for example:\n  %s\n  %s\n' \
			'export ZHIJIAN_TEST_DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres' \
			'export ZHIJIAN_TEST_REDIS_URL=redis://127.0.0.1:6379/0' >&2; exit 2; fi
	@$(PY) -m pytest -p tests.something_ran -n auto --dist loadgroup $(PYTEST)

check: $(STAMP) ## Format, lint, types, import rules, architecture tests
	@$(MAKE) --no-print-directory --output-sync --jobs 2 check-types check-rules

check-types: $(STAMP)
	$(call say,'mypy --strict')
	@$(PY) -m mypy .

check-rules: $(STAMP)
	$(call say,'ruff format')
	@$(PY) -m ruff format --check --quiet .
	$(call say,'ruff check')
	@$(PY) -m ruff check --quiet .
	$(call say,'import rules')
	@$(VENV)/bin/lint-imports
	$(call say,'architecture')
	@$(PY) -m pytest -q tests/architecture

format: $(STAMP) ## Let ruff put the code in order
	@$(PY) -m ruff check --quiet --fix-only .
	@$(PY) -m ruff format .

bench: $(STAMP) ## What is fast, measured beside its floor
	@$(PY) -m benchmarks

bench-nightly: $(STAMP) ## The long measurements
	@$(PY) -m benchmarks --nightly
	$(call say,'a thousand kills, a thousand cuts')
	@ZHIJIAN_TEST_KILLS=1000 ZHIJIAN_TEST_CUTS=1000 $(PY) -m pytest -s tests/faults/test_kills.py tests/faults/test_cuts.py
	@env -u ZHIJIAN_TEST_DATABASE_URL ZHIJIAN_TEST_KILLS=1000 $(PY) -m pytest -s tests/faults/test_kills.py
	$(call say,'requests that nobody expects')
	@ZHIJIAN_TEST_EXAMPLES=40 $(PY) -m pytest -s tests/faults/test_fuzz.py
	$(call say,'news in twenty thousand orders, ten thousand answers of garbage')
	@ZHIJIAN_TEST_ORDERS=20000 ZHIJIAN_TEST_GARBAGE=10000 $(PY) -m pytest -s tests/matters/cases/test_permutations.py tests/contracts/test_garbage_answers.py

miniprogram: ## The resident client for WeChat
	@echo 'The clients are not part of this tree yet: there is nothing to build. The API they will use is at /docs (make run).' >&2
	@exit 1

lock: $(STAMP) ## Write requirements/*.lock from pyproject.toml (UPGRADE=--upgrade moves the pins)
	@scripts/lock.sh $(UPGRADE)

audit: $(STAMP) ## Ask for known weaknesses of the pinned packages
	@for lock in product sandbox; do \
		$(PY) -m pip_audit --strict --disable-pip --no-deps --progress-spinner off -r requirements/$$lock.lock || exit 1; done

image-venv: ## The product's environment, as its image has it
	@scripts/setup.sh $(IMAGE_VENV) requirements/product.lock

image-venv-sandbox: ## The sandbox's environment, as its image has it
	@scripts/setup.sh $(IMAGE_VENV) requirements/sandbox.lock

image-models: ## The face network, converted once, as the product's image has it
	@$(IMAGE_VENV)/bin/python -m face.adapters.resnet_onnx '$(IMAGE_MODELS)'
	@chmod -R a+rX '$(IMAGE_MODELS)'

image-lint: $(STAMP) ## The Dockerfile against hadolint
	@$(VENV)/bin/hadolint Dockerfile

clean: ## Remove environments and caches; data stays
	@rm -rf $(VENV) .boot build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
