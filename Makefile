# torchlore: make demo · make test · make lint · make bench · make vsix · make test-vscode · make test-jupyterlab

PYTHON ?= python3
venv := .venv
bin := $(venv)/bin
installed := $(venv)/.installed-$(shell cksum pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)

.PHONY: help demo test lint format bench docs install editors vsix test-vscode test-jupyterlab clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: install ## the real server on examples/train_classifier.py, as an editor would see it
	@$(bin)/torchlore demo examples/train_classifier.py

test: install ## every test but those that need VS Code or JupyterLab
	$(bin)/python -m pytest -n 2 -m "not vscode and not jupyterlab"

lint: install ## ruff, mypy, import-linter
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

format: install ## what ruff can mend by itself
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

bench: install ## how fast it is and how much it knows, on PATHS="..." (its own files by default)
	$(bin)/python -m tests.perf $(PATHS)

docs: install ## docs/rules*, docs/cards.md, docs/configure.md and the JSON schemas, from the sources
	$(bin)/torchlore docs build

editors: vsix ## what is installed into editors (the other editors only need the configuration in editors/)

vsix: install ## dist/torchlore-*.vsix, the VS Code extension
	$(MAKE) -C editors/vscode vsix

test-vscode: install ## the extension in the real VS Code, with screenshots
	$(MAKE) -C editors/vscode test

test-jupyterlab: install ## the configuration for JupyterLab in the real one
	tests/editors/jupyterlab/setup.sh
	$(bin)/python -m pytest -m jupyterlab -p no:cacheprovider tests/editors

install: $(installed) ## .venv with torchlore, torch and the tools

$(installed):
	test -x $(bin)/python || $(PYTHON) -m venv $(venv)
	$(bin)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,torch]"
	rm -f $(venv)/.installed-*
	touch $@

clean: ## all that was made here, .venv included
	rm -rf $(venv) build dist .cache .torchlore_cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
