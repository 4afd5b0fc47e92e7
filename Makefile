# `make` shows this help. Everything a target needs, it installs: Python packages into .venv,
# binaries and images into a cache outside the tree (see `testbed tools path`).
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
BED := $(VENV)/bin/testbed
WORKFLOWS := .github/workflows/*.yaml examples/ci/*.yml
GO_FILES = $(shell git ls-files '*.go')
# What vet reads in seconds: the rest are the small main packages of Kubernetes, CoreDNS and dex, whose builds check them.
GO_PACKAGES = $(patsubst %/main.go,%,$(filter %/lab/main.go %/pause/main.go %/proxy/main.go,$(GO_FILES)))
# Installs, training runs, an upgrade and a rollback under load, rollouts, NetworkPolicies, Pod Security, CronJobs, Argo CD.
VERSIONS = $(addprefix test_,$(addsuffix .py,embedded tracking pod_security release scaling backup argo_cd))
READY := $(VENV)/.ready-$(shell cat requirements-dev.lock pyproject.toml testbed/pyproject.toml 2>/dev/null | sha256sum | cut -c1-12)

.DEFAULT_GOAL := help
.PHONY: help up down test versions mlflow benchmark faults upgrades soak nightly test-api-only check compare tools tools-path docs site picture ui-picture lock release
.PHONY: lint lint-python lint-types lint-pod-types lint-yaml lint-go lint-workflows

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

up: $(READY) ## Run MLflow on a Kubernetes: makes a cluster if there is none (CONTEXT=name uses yours, PLATFORM=1 adds what production has, KUBERNETES=1.33 chooses its version)
	@$(BED) up $(if $(CONTEXT),--context $(CONTEXT)) $(if $(PLATFORM),--platform) $(if $(KUBERNETES),--kubernetes $(KUBERNETES))

down: $(READY) ## Remove the cluster that `make up` made, and all it left
	@$(BED) down

# What takes minutes on a new machine is built before the tests, whose time is limited.
test: export TESTS_KUBERNETES = $(KUBERNETES)
test: $(READY) ## Run every test, cheap ones first (KUBERNETES=1.33 chooses the version of the cluster)
	@$(BED) tools install
	@$(BED) images build > /dev/null
	@$(PY) -m pytest tests --ignore tests/e2e -m "not nightly" -n 4 --dist loadfile
	@$(BED) cluster prepare --name test $(if $(KUBERNETES),--kubernetes $(KUBERNETES))
	@$(BED) tools install --group gitops
	@for group in platform login; do $(BED) images build --group $$group > /dev/null || exit; done
	@$(BED) images build upstream mlflowops > /dev/null
	@$(PY) -m pytest tests/e2e -m "not nightly" -v -n 2 --dist loadfile

test-api-only: $(READY) ## Run the end-to-end tests on a kept test cluster, with nothing in reach but its API server (needs root)
	@cd tests && export MLFLOWOPS_CLUSTER=test && \
	  ../$(PY) -m e2e.api_only "$$(../$(BED) cluster kubeconfig)" ../$(PY) -m pytest e2e -m "not nightly" --reuse --keep -v -n 2 \
	  --dist loadfile $(addprefix --ignore e2e/,test_cluster.py test_default_images.py test_mysql.py test_up.py)

check: lint $(READY) ## The quick gate: linters, rendering, rejections (no cluster), without the sweeps
	@$(PY) -m pytest tests/render tests/helmfile tests/repository -m "not sweep" -n 2

# Each version has a cluster of its own, one after the other.
versions: KUBERNETES = 1.33 1.37
versions: $(READY) ## Run what depends most on Kubernetes on its oldest and newest version and write docs/support.md (KUBERNETES="1.37")
	@for version in $(KUBERNETES); do \
	  $(BED) cluster prepare --name versions --kubernetes $$version && $(BED) tools install --group gitops && \
	  TESTS_CLUSTER=versions TESTS_KUBERNETES=$$version TESTS_VERSIONS_RECORD=docs/support.json \
	    $(PY) -m pytest $(addprefix tests/e2e/,$(VERSIONS)) -m "not nightly" -v -n 2 --dist loadfile || exit; \
	done
	@cd tests && ../$(PY) -m e2e.versions

benchmark: $(READY) ## Measure beside other charts on the cluster of `make up` and write docs/performance.md (25 minutes)
	@$(if $(findstring python,$(BENCHMARK)),$(BED) images build upstream | cut -d' ' -f2 | xargs $(BED) cluster load)
	@PYTHONPATH=tests $(PY) -m benchmarks $(BENCHMARK)
	@PYTHONPATH=tests $(PY) -m benchmarks.report

faults: $(READY) ## Let each fault happen to a release under load and write docs/reliability.md (an hour; ONLY=part of a test's name)
	@records="$$(mktemp)" && \
	  MLFLOW_FAULTS_RECORD="$$records" $(PY) -m pytest tests/e2e/faults -v $(if $(ONLY),-k '$(ONLY)') $(FAULTS) && \
	  (cd tests && ../$(PY) -m e2e.faults.report "$$records") && rm "$$records"

upgrades: $(READY) ## Upgrade each released chart to this tree's and go back, by each way, and write docs/upgrades.md (an hour; ONLY=part of a test's name)
	@records="$$(mktemp)" && \
	  MLFLOW_FAULTS_RECORD="$$records" $(PY) -m pytest tests/e2e/upgrades -v $(if $(ONLY),-k '$(ONLY)') $(UPGRADES) && \
	  (cd tests && ../$(PY) -m e2e.upgrades.report "$$records") && rm "$$records"

soak: $(READY) ## Keep a release at 70 % of its capacity while it rolls, backs up and removes, on the cluster of `make up` (MINUTES=30)
	@PYTHONPATH=tests $(PY) -m benchmarks.soak --minutes $(or $(MINUTES),30) $(SOAK)

# One after another, the other parts too when one fails. `make nightly-calls SEED=1` runs one of them. The first four
# take other values for each SEED.
NIGHT := values calls accounts oidc requests postgresql long import cluster faults upgrades
.PHONY: $(addprefix nightly-,$(NIGHT))
nightly: SEED ?= $(shell date +%Y%m%d)
nightly: $(READY) ## Long runs of the fuzz tests (values of the chart, calls of MLflow's API, HTTP requests; SEED=20260131), all faults and upgrades
	@echo "make: SEED=$(SEED)"
	@$(MAKE) --no-print-directory --keep-going SEED=$(SEED) $(addprefix nightly-,$(NIGHT))

$(addprefix nightly-,values calls accounts oidc): export TESTS_FUZZ_SEED = $(or $(SEED),1)

nightly-values: $(READY)
	@TESTS_FUZZ_CASES=10000 $(PY) -m pytest tests/render/test_any_values.py -n 4 -rP

nightly-calls: $(READY)
	@TESTS_DIFFERENTIAL_CALLS=20000 $(PY) -m pytest tests/runtime/test_fast_paths.py tests/runtime/test_parallel_writers.py \
	  -k same -n 4 --timeout 10800

nightly-accounts: $(READY)
	@TESTS_ACCOUNTS_CALLS=50000 $(PY) -m pytest tests/runtime/test_two_accounts.py -k nothing_of_others \
	  --timeout 10800

nightly-oidc: $(READY)
	@TESTS_ACCOUNTS_CALLS=10000 $(PY) -m pytest tests/runtime/oidc/test_two_people.py -k nothing_of_others \
	  --timeout 10800

nightly-requests: $(READY)
	@MLFLOW_ATTACKS_MUTATIONS=100000 $(PY) -m pytest tests/runtime/attacks -n 2 --dist loadfile --timeout 10800

# With PostgreSQL, and so with fast paths.
nightly-postgresql: $(READY)
	@TESTS_ATTACKS_DATABASE=postgresql $(PY) -m pytest tests/runtime/attacks -n 2 --dist loadfile --timeout 10800

nightly-long: $(READY)
	@$(PY) -m pytest tests $(addprefix --ignore tests/,e2e runtime/attacks cli/test_import_again.py) -m nightly -n 2 \
	  --dist loadfile --timeout 3600

nightly-import: $(READY)
	@TESTS_IMPORT_RUNS=2000 $(PY) -m pytest tests/cli/test_import_again.py -k many_runs --timeout 3600

nightly-cluster: $(READY)
	@$(BED) tools install --group gitops
	@$(PY) -m pytest tests/e2e $(addprefix --ignore tests/e2e/,faults upgrades) -m nightly -v

nightly-faults: faults

nightly-upgrades: upgrades

compare: $(READY) ## Show what the chart renders differently than at a commit (COMMIT=main ALLOW=<regular expression>)
	@cd tests && ../$(PY) -m render.compare_commits $(COMMIT) $(if $(ALLOW),--allow '$(ALLOW)')

lint: $(READY) ## Linters only, as many at a time as there are processors
	@$(MAKE) --no-print-directory --jobs=$$(getconf _NPROCESSORS_ONLN) $(addprefix lint-,python types pod-types yaml go workflows)

lint-python: $(READY)
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

lint-types: $(READY)
	@$(PY) -m mypy scripts testbed/src benchmarks

# Without the types of MLflow and its libraries, which the code follows in many versions.
lint-pod-types: $(READY)
	@MYPYPATH=charts/mlflow/files $(PY) -m mypy --cache-dir .mypy_cache/pods --strict --follow-imports=skip \
	  --allow-subclassing-any --disable-error-code=import-untyped -p mlflow_kubernetes

lint-yaml: $(READY)
	@$(PY) -m yamllint --strict .

lint-go:
	@unformatted="$$(gofmt -l $(GO_FILES))"; test -z "$$unformatted" || { echo "gofmt would change: $$unformatted" >&2; exit 1; }
	@for package in $(GO_PACKAGES); do GOWORK=off CGO_ENABLED=0 go -C $$package vet -trimpath . || exit; done

lint-workflows: $(READY)
	@$$($(PY) -c 'from testbed import tools; print(tools.ensure("actionlint"))') \
	  -shellcheck $(VENV)/bin/shellcheck -pyflakes= $(WORKFLOWS)
	@$(VENV)/bin/zizmor --offline --quiet --pedantic --strict-collection --config .github/zizmor.yaml $(WORKFLOWS)

tools: $(READY) ## Install the pinned binaries for deploying and testing
	@$(BED) tools install

tools-path: $(READY) ## Print the folder of the pinned binaries: export PATH="$$(make -s tools-path):$$PATH"
	@$(BED) tools path

docs: $(READY) ## Write the chart's README from its values
	@$$($(PY) -c 'from testbed import tools; print(tools.ensure("helm-docs"))') \
	  --chart-search-root charts --chart-to-generate charts/mlflow --sort-values-order file --log-level warn

site: $(READY) ## Build the documentation of docs/ as a site into site/; a broken link fails
	@NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(PY) -m mkdocs build --quiet

picture: $(READY) ## Draw the dashboard with the data of a Prometheus (PROMETHEUS=http://127.0.0.1:9090 NAMESPACE=ml RELEASE=mlflow MINUTES=60)
	@$(PY) docs/dashboard/picture.py $(or $(PROMETHEUS),http://127.0.0.1:9090) $(if $(NAMESPACE),--namespace $(NAMESPACE)) \
	  $(if $(RELEASE),--release $(RELEASE)) $(if $(MINUTES),--minutes $(MINUTES))
	@cd docs/images && sha256sum *.png > SHA256SUMS

ui-picture: $(READY) ## Log runs to a server and photograph its UI (SERVER=http://127.0.0.1:5000)
	@$(PY) docs/dashboard/ui.py $(or $(SERVER),http://127.0.0.1:5000)
	@cd docs/images && sha256sum *.png > SHA256SUMS

lock: $(READY) ## Compile the lock files again (hashes, no index addresses)
	@$(VENV)/bin/uv pip compile --python-version 3.13 --generate-hashes --no-emit-index-url --no-header -q \
	  --upgrade testbed/images/mlflow/requirements.in -o testbed/images/mlflow/requirements.lock
	@$(VENV)/bin/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
	  --constraint testbed/images/mlflow/requirements.lock --upgrade testbed/images/upstream/requirements.in \
	  -o testbed/images/upstream/requirements.lock
	@$(VENV)/bin/uv pip compile --python-version 3.13 --generate-hashes --no-emit-index-url --no-header -q \
	  --no-deps testbed/images/previous/requirements.in -o testbed/images/previous/requirements.lock
	@$(VENV)/bin/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
	  --extra dev pyproject.toml testbed/pyproject.toml requirements-dev.in -o requirements-dev.lock
	@$(VENV)/bin/uv pip compile --python-version 3.13 --generate-hashes --no-emit-index-url --no-header -q \
	  --no-deps --constraint requirements-dev.lock testbed/images/mlflowops/requirements.in \
	  -o testbed/images/mlflowops/requirements.lock
	@$(VENV)/bin/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
	  --upgrade examples/airflow/requirements.in -o examples/airflow/requirements.lock

release: $(READY) ## Build and tag the release that Chart.yaml names (REGISTRY=registry.example.com/mlflow KEY=cosign.key publishes it)
	@$(BED) release build
	@$(BED) release images
	@$(BED) release keep
	@$(if $(REGISTRY),$(BED) release publish '$(REGISTRY)' $(if $(KEY),--key '$(KEY)'))

mlflow: $(READY) ## Write another version of MLflow wherever it stands, lock files too (VERSION=3.18.0)
	@$(PY) -m testbed.release.mlflow_version '$(VERSION)'
	@$(MAKE) --no-print-directory lock

$(READY):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Python 3.11 or newer is needed; install it and put it first on PATH." >&2; exit 1; }
	@echo "… Python packages into $(VENV)" >&2
	@test -x $(VENV)/bin/uv || { python3 -m venv $(VENV) && $(VENV)/bin/pip install -q uv; }
	@$(VENV)/bin/uv pip install -q --compile-bytecode --python $(PY) --require-hashes -r requirements-dev.lock
	@$(VENV)/bin/uv pip install -q --python $(PY) --no-deps -e . -e testbed
	@touch $@
