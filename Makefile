# One command per intent; `make` lists them. Settings are FLOORHOUSE_* variables, listed in .env.example.
PYTHON := .venv/bin/python
FLOORHOUSE := .venv/bin/floorhouse
UV_COMPILE := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
    --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
# worksteal: a process that has no tests left takes tests that another process has not begun.
PYTEST := $(PYTHON) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal
SQL_FOLDERS := dbt_project/models dbt_project/data_tests

# Node has its own list of trusted authorities. This adds those of the machine, such as a firewall's authority.
export NODE_EXTRA_CA_CERTS ?= $(wildcard /etc/ssl/certs/ca-certificates.crt)

.DEFAULT_GOAL := help
.PHONY: help setup ready demo live run replay-rejects verify backup restore rebuild explain erase-worker retention serve dev test test-fast coverage bench bench-load bench-drift bench-landing-large bench-history lint format docs audit sbom screenshots lock clean clean-data

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install everything into .venv, if it is not up to date
	@scripts/setup

ready:
	@scripts/setup --quiet

demo: ready  ## simulate a plant for 30 days, run a batch over it, build the report
	@$(FLOORHOUSE) demo

live: ready  ## run a simulated plant in real time in data/live, with daemon and report; SPEED=60 catches up with twelve hours
	@FLOORHOUSE_DATA_DIR=$${FLOORHOUSE_DATA_DIR:-data/live} $(FLOORHOUSE) live $(if $(SPEED),--speed=$(SPEED))

run: ready  ## run one batch over the objects in the landing bucket
	@$(FLOORHOUSE) run

replay-rejects: ready  ## try the rejected records again, then run a batch
	@$(FLOORHOUSE) replay
	@$(FLOORHOUSE) run

verify: ready  ## compare the marts with a full rebuild of a copy, while the plant runs
	@$(FLOORHOUSE) verify

backup: ready  ## copy the plant's state into a new folder while the plant runs: TO=folder [KEEP=number]
	@$(FLOORHOUSE) backup "$(TO)" $(if $(KEEP),--keep $(KEEP))

restore: ready  ## restore a backup into a data folder without a warehouse: FROM=folder
	@$(FLOORHOUSE) restore "$(FROM)"

rebuild: ready  ## rebuild a lost or damaged warehouse from the archive, then run a batch
	@$(FLOORHOUSE) rebuild

retention: ready  ## delete what the retention settings no longer keep; a schedule does it daily
	@$(FLOORHOUSE) retain

erase-worker: ready  ## remove a person everywhere: SITE=… WORKER=… [ALSO=…] (only searches without CONFIRM=yes)
	@$(FLOORHOUSE) erase --site="$(SITE)" --worker="$(WORKER)" $(if $(filter yes,$(CONFIRM)),--yes) $(if $(ALSO),--also="$(ALSO)")

explain: ready  ## show how a shift's numbers were computed: WORKER=… DATE=… [SITE=…] [SHIFT=…]
	@$(FLOORHOUSE) explain --worker "$$WORKER" --date "$$DATE" --site "$$SITE" --shift "$$SHIFT"

serve: ready  ## serve the report on this machine: http://127.0.0.1:8080
	@$(FLOORHOUSE) serve

dev: ready  ## start the Dagster UI with its daemon, which runs sensor and schedule
	@$(FLOORHOUSE) dev

test: lint  ## run all tests, including those in the browser; show the coverage
	@scripts/setup --quiet --browser --brokers
	@$(PYTHON) -m reports.shell
	@$(PYTEST) --cov --cov-report=
	@echo "Lines that the tests ran, without those of other processes: $$($(PYTHON) -m coverage report --format=total) %; make coverage names the others."

test-fast: lint  ## run the tests that take less than ten seconds each, without a browser: under two minutes
	@$(PYTEST) -m "not slow and not browser"

coverage: ready  ## list the lines that the last make test did not run
	@$(PYTHON) -m coverage report --skip-covered --show-missing --sort=cover

bench: ready  ## measure simulator, landing, models, checks, publishing, whole cycle; writes benchmarks/results.md
	@$(PYTHON) -m benchmarks

bench-landing-large: ready  ## measure landing 20 M events, and landing into a warehouse of 50 M (minutes, 8 GB of disk)
	@$(PYTHON) -m benchmarks.landing

bench-load: ready  ## measure report and intake under 1,000 pages, 500 cameras and hostile clients: one minute; writes benchmarks/results-load.md
	@$(PYTHON) -m benchmarks.load

bench-drift: ready  ## measure false alarms and power of the drift checks and of verdicts; writes benchmarks/results-drift.md and results-versions.md
	@$(PYTHON) -m benchmarks.drift
	@$(PYTHON) -m benchmarks.drift.versions

bench-history: ready  ## measure a batch after 1, 10 and 100 million events (20 minutes, 10 GB); SIZES="1000000" for less
	@$(PYTHON) -m benchmarks.history $(if $(SIZES),--sizes $(SIZES))

lint: ready  ## run ruff, mypy and sqlfluff
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m sqlfluff lint --disable-progress-bar $(SQL_FOLDERS)

format: ready  ## format Python and SQL as lint requires
	@$(PYTHON) -m ruff check --fix --exit-zero .
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m sqlfluff fix --quiet --disable-progress-bar $(SQL_FOLDERS)

docs: ready  ## write dbt's documentation of every model as one page
	@$(PYTHON) -m scripts.dbt_docs

audit: ready  ## list known vulnerabilities of every locked package, if a database can be reached
	@$(PYTHON) -m scripts.dependencies audit

sbom: ready  ## write a bill of materials (CycloneDX) and the licences of all packages into sbom/
	@$(PYTHON) -m scripts.dependencies bill

screenshots: ready  ## take a screenshot of every page of the report, into screenshots/ or FOLDER=…
	@$(PYTHON) -m reports.screenshots $(or $(FOLDER),screenshots)

lock: ready  ## rewrite the lock files from pyproject.toml (UPGRADE=1 also takes newer versions)
	@$(UV_COMPILE) pyproject.toml -o requirements.lock
	@$(UV_COMPILE) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	@$(UV_COMPILE) --no-annotate --group pyproject.toml:mlflow -c requirements.lock -o requirements-mlflow.lock
	@for group in uv node bucket audit; do \
	    $(UV_COMPILE) --no-annotate --group pyproject.toml:$$group -o requirements-$$group.lock || exit 1; \
	done
	@# With the locked npm: an older npm refuses a lock file in which a newer one leaves out entries.
	@.venv/bin/uv run --quiet --isolated --no-project --python $(PYTHON) --with-requirements requirements-node.lock -- \
	    npm install --prefix reports --package-lock-only --ignore-scripts --no-audit --no-fund

clean:  ## remove everything built and installed; the data folder stays
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage logs dbt_project/target dbt_project/logs \
	    reports/build* reports/.evidence reports/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data:  ## remove the data folder too: bucket, warehouse, report (asks first)
	@scripts/clean-data
