# voicemesh: every command a developer or an operator types. `make help` explains them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := libs/contracts libs/chassis libs/models libs/client libs/launcher \
            services/stt services/tts services/trainer services/bot
DEV_PACKAGES := libs/discordsim
MODULES := voicemesh_chassis voicemesh_models voicemesh_client voicemesh_launcher \
           voicemesh_stt voicemesh_tts voicemesh_trainer voicemesh_bot discordsim
PYPROJECTS := $(addsuffix /pyproject.toml,$(PACKAGES) $(DEV_PACKAGES))

# How many tests run at once. Those of one file stay together, as they share services.
WORKERS ?= 2
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# The coqui engine and local training have environments of their own. TORCH is what pip is given for
# them: another build for a GPU, for example.
COQUI := .venv-coqui
LORA := .venv-lora
TORCH ?= torch==2.13.0

# Filled by tools/provide_openmp.py where the system has no OpenMP runtime; empty elsewhere.
export LD_LIBRARY_PATH := $(CURDIR)/$(VENV)/openmp$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))

.PHONY: help run demo test coqui-setup test-coqui lora-setup test-lora test-kills check format format-check lint types arch protos protos-check models lock clean \
        bench bench-stt bench-tts bench-trainer bench-voice

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(VENV)/.run models ## Set everything up and start the four services and the console
	@exec $(BIN)/voicemesh-run

demo: $(VENV)/.run models ## Ask a recorded question aloud; write reply.wav and demo.png
	@exec $(BIN)/voicemesh-demo

test: $(VENV)/.dev models ## Set everything up and run all tests (WORKERS=2 at once)
	$(PYTEST)

coqui-setup: $(COQUI)/.installed ## Set up the environment of the coqui engine (.venv-coqui, 2 GB)

test-coqui: $(COQUI)/.installed ## Test the coqui engine on VITS and XTTS models that the tests build
	@$(COQUI)/bin/voicemesh-models pull silero-vad
	$(COQUI)/bin/pytest tests/coqui

lora-setup: $(LORA)/.installed ## Set up the environment that trains the machine's own model (.venv-lora, 1.3 GB)

test-lora: $(LORA)/.installed ## Test local training, on a small model and on the default one
	@$(LORA)/bin/voicemesh-models pull gemma-3-270m
	$(LORA)/bin/pytest --confcutdir tests/lora tests/lora

test-kills: $(VENV)/.dev ## Kill a trainer 50 times at random moments (about 5 minutes)
	VOICEMESH_TEST_KILLS=50 $(BIN)/pytest -o log_cli=true -o log_cli_level=INFO tests/integration/test_killed_trainer.py

check: format-check lint types arch protos-check test ## Everything that CI runs

format: $(VENV)/.dev ## Format Python and protos
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --select I --quiet .
	$(BIN)/buf format -w protos

format-check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/buf format --diff --exit-code protos

lint: $(VENV)/.dev ## Lint Python, spelling, protos, Dockerfiles and requirement files
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/buf lint
	$(BIN)/hadolint services/*/Dockerfile deploy/models/Dockerfile
	$(BIN)/python tools/lock_requirements.py --check

types: $(VENV)/.dev ## Check types (mypy, strict)
	$(BIN)/mypy $(addprefix -p ,$(MODULES))
	$(BIN)/mypy tests tools benchmarks

arch: $(VENV)/.dev ## Check which part imports which
	$(BIN)/lint-imports

protos: $(VENV)/.dev ## Regenerate libs/contracts from protos/
	$(BIN)/python tools/generate_protos.py

protos-check: $(VENV)/.dev ## Check that contracts are fresh and compatible with the last release
	$(BIN)/python tools/generate_protos.py --check
	$(BIN)/python tools/check_breaking.py

models: $(VENV)/.run ## Fetch and verify the default models
	@$(BIN)/voicemesh models pull default

bench: bench-stt bench-tts bench-trainer bench-voice ## Run all benchmarks and print what falls short
	@$(BIN)/python -m benchmarks.shortfalls

bench-stt: $(VENV)/.dev models .cache/benchmarks/peers-stt/.installed ## Measure stt against its peers (about 15 minutes)
	$(BIN)/python -m benchmarks.stt $(BENCH)

bench-tts: $(VENV)/.dev models .cache/benchmarks/peers-tts/.installed ## Measure tts against its peers (about 20 minutes)
	$(BIN)/python -m benchmarks.tts $(BENCH)

bench-trainer: $(VENV)/.dev $(LORA)/.installed models ## Measure the trainer against llama.cpp called directly (about 15 minutes)
	$(BIN)/python -m benchmarks.trainer $(BENCH)

bench-voice: $(VENV)/.dev models .cache/benchmarks/peers-voice/.installed ## Measure talking to the bot, and pipecat (about an hour)
	$(BIN)/python -m benchmarks.voice $(BENCH)

.cache/benchmarks/peers-%/.installed: requirements/peers-%.txt | $(BIN)/python
	$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(COQUI)/.installed: requirements/coqui.txt requirements/build.txt $(PYPROJECTS)
	$(PYTHON) -m venv $(COQUI)
	@echo "Installing torch and coqui-tts (once, some minutes) ..."
	@$(COQUI)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/coqui.txt
	@$(COQUI)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@$(COQUI)/bin/python tools/fit_torchaudio.py
	@$(COQUI)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@$(COQUI)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  $(addprefix -e ,libs/contracts libs/chassis libs/models services/stt services/tts)
	@touch $@

$(LORA)/.installed: requirements/lora.txt requirements/build.txt $(PYPROJECTS)
	$(PYTHON) -m venv $(LORA)
	@echo "Installing torch, transformers and peft (once, some minutes) ..."
	@$(LORA)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@$(LORA)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lora.txt
	@$(LORA)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@$(LORA)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  $(addprefix -e ,libs/contracts libs/chassis libs/models services/trainer)
	@touch $@

lock: $(VENV)/.dev ## Pin all dependencies anew (requirements/*.txt)
	$(BIN)/python tools/lock_requirements.py

clean: ## Remove the environment and everything generated (models stay in their directory)
	rm -rf $(VENV) $(COQUI) $(LORA) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache reply.wav demo.png
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "voicemesh needs Python 3.11 or later; %s is %s. Set PYTHON=python3.11." % (sys.executable, sys.version.split()[0]))'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt $(PYPROJECTS) | $(VENV)/bin/python
	@echo "Installing what the services need (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(addprefix -e ,$(PACKAGES))
	@$(BIN)/python tools/provide_openmp.py
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Installing what the checks need (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(addprefix -e ,$(DEV_PACKAGES))
	@touch $@
