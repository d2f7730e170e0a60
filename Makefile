# Every verb of the project. `make` alone prints them.

VENV    ?= .venv
PYTHON  ?= python3
PY      := $(VENV)/bin/python
VARIANT ?= cpu
MODEL_STORE ?= model_store
MODEL_VERSION ?= 1
# How many phantom patients a reference package is trained and judged on.
PHANTOMS_gos := --seed 2112 --train 3600 --validation 300 --calibration 600 --test 600 --dicom-share 0.05
PHANTOMS_ad  := --seed 11710 --train 1600 --validation 200 --calibration 400 --test 500
# Rows that its card compares it with.
RIVALS_gos := ich-score ehr-lr ehr-gbm
RIVALS_ad  := image record
# One place says which torch: the extra [training] of pyproject.toml.
TORCH   := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
PIP      = $(PY) -m pip install --quiet --disable-pip-version-check
# The page needs Node; where it is absent all else goes on and says so, and a CI run fails.
HAS_NODE := $(shell node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null && command -v npm >/dev/null && echo yes)
PAGE_SOURCES := $(shell find web/src web/public web/scripts -type f 2>/dev/null) web/index.html web/docs.html web/vite.config.ts
without_node = @echo "The page was not $(1): that needs Node 20.19 or newer with npm."; test -z "$$NEUROFUSE_REQUIRE_BROWSER"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup environments serve page client check check-page format test test-training test-service test-page test-app test-imaging test-serving test-ray bench faults fuzz fuzz-api reference-models image image-test locks clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.development ## Install everything for development and training into .venv

environments: $(VENV)-serving/.installed $(VENV)-ray/.installed ## Install what test-serving and test-ray need, in folders of their own

serve: $(VENV)/.serving page ## Serve the packaged models on http://127.0.0.1:8000 (installs no torch)
	$(VENV)/bin/neurofuse serve

page: $(if $(HAS_NODE),app/web/index.html) ## Build the clinician's page, where its sources are newer
	$(if $(HAS_NODE),,$(call without_node,built))

client: $(VENV)/.development web/node_modules/.installed ## Generate the page's client from the OpenAPI document
	$(VENV)/bin/neurofuse openapi > web/openapi.json
	cd web && npm run --silent client

check: $(VENV)/.development check-page ## Lint, format check, types, import contracts, security, Dockerfile, the page and its client
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/bandit --quiet --recursive --configfile pyproject.toml app training deploy docs

check-page: $(VENV)/.development $(if $(HAS_NODE),web/node_modules/.installed) ## Lint and types of the page, and whether its client is of this service
ifdef HAS_NODE
	cd web && npm run --silent check
	@mkdir -p build
	$(VENV)/bin/neurofuse openapi > build/openapi.json
	@cmp build/openapi.json web/openapi.json || { echo "The page's client is stale: make client"; exit 1; }
	cd web && npx openapi-typescript openapi.json --output ../build/schema.d.ts
	@cmp build/schema.d.ts web/src/api/schema.d.ts || { echo "The page's client is stale: make client"; exit 1; }
else
	$(call without_node,checked)
endif

format: $(VENV)/.development $(if $(HAS_NODE),web/node_modules/.installed) ## Rewrite the sources in the project's format
	$(VENV)/bin/ruff check --fix-only --quiet .
	$(VENV)/bin/ruff format .
	$(if $(HAS_NODE),cd web && npm run --silent format)

test: test-training test-service test-page test-app test-imaging ## Run every test (NEUROFUSE_SAMPLES names the folder of real images)

# Parts in such an order that `make --jobs=3 test` keeps two cores busy: the longest first, the shortest last. `test-app` runs what no other names.
TRAINING_TESTS := tests/training tests/skew tests/tutorials
SERVICE_TESTS := tests/service tests/faults tests/api_fuzz
IMAGING_TESTS := tests/imaging tests/inspection tests/reference tests/fuzz
test-training: $(VENV)/.development ## Run the tests that train, export or judge a network
	$(PY) -m pytest $(TRAINING_TESTS)

test-service: $(VENV)/.development ## Run the tests of a running service: its routes, and what may happen to it
	$(PY) -m pytest $(SERVICE_TESTS)

test-app: $(VENV)/.development ## Run all other tests of Python: records, jobs, results, tools, documents
	$(PY) -m pytest tests $(foreach part,$(TRAINING_TESTS) $(SERVICE_TESTS) $(IMAGING_TESTS),--ignore=$(part))

test-imaging: $(VENV)/.development ## Run the tests of the imaging door
	$(PY) -m pytest $(IMAGING_TESTS)

test-page: $(VENV)/.development $(if $(HAS_NODE),app/web/index.html) ## Run the page's tests, those in Chromium included
	$(if $(HAS_NODE),cd web && NEUROFUSE_PYTHON=$(abspath $(PY)) npm run --silent test,$(call without_node,tested))

# Another environment shows one thing more than the tests above: a module, a library or a file that the service has not asked for.
# That shows when the module is loaded or its work is done for the first time, so once is enough: every module, the verbs of the
# command line, every route, and a case as a request, a job, a batch, an upload and a table. The cases that differ run above.
SERVING_TESTS := tests/contract/test_imports.py tests/cli tests/test_cli.py tests/inspection/test_command.py \
  $(filter-out %/test_server_engine.py,$(wildcard tests/cohort/test_*.py)) \
  $(addprefix tests/administration/test_,command.py keys.py replay.py sessions.py) \
  $(addprefix tests/service/test_,cohort_on_server.py feedback.py inference_protocol.py jobs.py kept_cases.py predict.py uploads.py worklist.py) \
  tests/service/test_access.py::test_every_route_lets_in_whom_the_table_says_and_the_page_shows_it
test-serving: $(VENV)-serving/.installed ## Run what loads and what answers in an environment without torch
	$(VENV)-serving/bin/python -c "import importlib.util as u; assert not any(map(u.find_spec, ('torch', 'pandas'))), 'expected neither torch nor pandas'"
	$(VENV)-serving/bin/python -m pytest $(SERVING_TESTS)

test-ray: $(VENV)-ray/.installed ## Run the tests of the service on a Ray cluster, in an environment with Ray
	$(VENV)-ray/bin/python -m pytest tests/deploy/test_ray.py tests/deploy/test_ingress.py tests/deploy/test_remote_session.py

bench: $(VENV)/.development $(VENV)-peers/.installed $(VENV)-peers-serving/.installed $(VENV)-ray/.installed ## Print the benchmarks, each beside its peers (NEUROFUSE_SAMPLES adds real images; needs hey)
	$(PY) -m benchmarks

faults: $(VENV)/.development ## Do to the service what may happen to it, and write what it did to docs/reference/faults.md
	NEUROFUSE_WRITE_FAULT_TABLE=1 $(PY) -m pytest tests/faults --deselect tests/faults/test_fault_table.py

fuzz: $(VENV)/.development ## Read 20,000 mutated uploads in worker processes with bounds on time and memory
	$(PY) -m tests.fuzz

fuzz-api: $(VENV)/.development ## Ask the whole HTTP interface for ten minutes whatever its OpenAPI document allows, and more (schemathesis)
	$(PY) -m tests.api_fuzz

reference-models: reference-ad reference-gos ## Train the packages of model_store anew from phantoms (MODEL_VERSION=n; takes hours)

.PHONY: reference-ad reference-gos
# A version that is taken is refused before the hours, not after them.
reference-ad reference-gos: reference-%: $(VENV)/.development
	@test ! -e $(MODEL_STORE)/$*/$(MODEL_VERSION) || \
	  { echo "$(MODEL_STORE)/$*/$(MODEL_VERSION) exists and is never overwritten: choose another MODEL_VERSION"; exit 1; }
	$(PY) -m training phantoms --task $* $(PHANTOMS_$*) --workers 2 --out runs/cohort-$*
	for row in mma+mhgmu $(RIVALS_$*); do \
	  $(PY) -m training train runs/cohort-$* --config training/configs/$*.toml --row $$row --out runs/$*-$$row || exit 1; \
	done
	$(PY) -m training evaluate runs/$*-mma+mhgmu $(foreach rival,$(RIVALS_$*),--rival $(rival)=runs/$*-$(rival))
	$(PY) -m training export runs/$*-mma+mhgmu --store $(MODEL_STORE) --version $(MODEL_VERSION)

image: ## Build the container image, with the page inside (VARIANT=cpu or VARIANT=gpu)
	docker build --build-arg VARIANT=$(VARIANT) --tag neurofuse:$(VERSION)-$(VARIANT) .

image-test: $(VENV)/.development ## Build the image without Docker, run it without rights, have it answer a case (root; buildah, debootstrap, runc)
	$(PY) -m tests.container_image --variant $(VARIANT)

# Of every package that the image may hold, the digests of all its files; LOCKS_UP=--upgrade takes newer releases.
LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command 'make locks' $(LOCKS_UP)
locks: $(VENV)/.development ## Pin what the image is built from, with digests (LOCKS_UP=--upgrade for newer releases)
	for variant in cpu gpu; do \
	  $(LOCK) pyproject.toml --extra $$variant --extra postgres --extra s3 --extra tracing --output-file requirements/$$variant.txt || exit 1; \
	done
	$(LOCK) requirements/build.in --output-file requirements/build.txt

clean: ## Remove caches and build products; environments, runs and models stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find app training tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python $(VENV)-serving/bin/python $(VENV)-ray/bin/python $(VENV)-peers/bin/python $(VENV)-peers-serving/bin/python: %/bin/python:
	$(PYTHON) -m venv $*

web/node_modules/.installed: web/package.json web/package-lock.json
	cd web && npm ci --no-fund --no-audit
	@touch $@

app/web/index.html: web/node_modules/.installed $(PAGE_SOURCES)
	cd web && npm run --silent build
	@touch $@

# The stamps make a second run free and a change of pyproject.toml felt.
$(VENV)/.serving: pyproject.toml | $(VENV)/bin/python
	$(PIP) --editable '.[cpu]'
	@touch $@

# torch first and alone, so that the resolver settles on exactly this build before anything asks for "some torch".
$(VENV)/.development: pyproject.toml | $(VENV)/bin/python
	$(PIP) $(TORCH)
	$(PIP) --editable '.[cpu,training,dev]'
	@touch $(VENV)/.serving $@

# What a container holds, and what tests need. What is not compiled here is when it is imported.
$(VENV)-serving/.installed: PY = $(VENV)-serving/bin/python
$(VENV)-serving/.installed: pyproject.toml | $(VENV)-serving/bin/python
	$(PIP) --no-compile --editable '.[cpu,postgres,s3,tracing,testing]'
	@touch $@

# Ray brings pandas, which the service must do without: it lies over that environment, which does not see it.
$(VENV)-ray/.installed: PY = $(VENV)-ray/bin/python
$(VENV)-ray/.installed: $(VENV)-serving/.installed | $(VENV)-ray/bin/python
	$(VENV)-serving/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	  > "$$($(PY) -c "import sysconfig; print(sysconfig.get_path('purelib'))")/serving.pth"
	$(PIP) --no-compile --editable '.[cpu,ray]'
	@touch $@

# Whom `make bench` measures beside us: in an environment of their own, so that none of it becomes a dependency.
$(VENV)-peers/.installed: PY = $(VENV)-peers/bin/python
$(VENV)-peers/.installed: pyproject.toml benchmarks/peers.txt | $(VENV)-peers/bin/python
	$(PIP) $(TORCH)
	$(PIP) --requirement benchmarks/peers.txt
	@touch $@

# The servers of other people, with our reading installed beside them: they read with it, and as their users would.
$(VENV)-peers-serving/.installed: PY = $(VENV)-peers-serving/bin/python
$(VENV)-peers-serving/.installed: pyproject.toml benchmarks/peers-serving.txt | $(VENV)-peers-serving/bin/python
	$(PIP) $(TORCH)
	$(PIP) --editable '.[cpu]' --requirement benchmarks/peers-serving.txt
	@touch $@
