# Influenced: every task a person or CI has. `make help` lists them.

STORE ?= store/digits.sqlite
HOST  ?= 127.0.0.1
PORT  ?= 8080
DEMO_QUERY := {"model": "digits", "tests": [{"dataset": "digits-test", "index": 26}], "k": 5}

PACKAGES := libblas-dev liblapack-dev libopenblas0-pthread libsqlite3-dev zlib1g-dev
BINARY   := .build/release/influenced
SOURCES  := Package.swift $(shell find Sources -type f)
FORMATTED := Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Benchmarks \
    Benchmarks/Servers/Package.swift Benchmarks/Servers/Sources Fuzz/Package.swift Fuzz/Sources

.DEFAULT_GOAL := help
.PHONY: help setup build run test bench fuzz soak lint format docker clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the system packages that are missing
	@missing=""; for package in $(PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "installing$$missing"; \
	    if [ "$$(id -u)" -eq 0 ]; then root=""; else root="sudo"; fi; \
	    $$root apt-get update -q && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; \
	fi

build: setup $(BINARY) ## Build the program for release

$(BINARY): $(SOURCES) | setup
	swift build -c release --product influenced
	@touch $(BINARY)

run: build $(STORE) ## Serve the demo on 127.0.0.1:8080 (STORE=, HOST= and PORT= change that)
	@echo
	@echo "Which training digits made the model take this 8 for a 9? Ask, in another terminal:"
	@echo
	@echo "  curl -s http://$(HOST):$(PORT)/influence -H 'content-type: application/json' \\"
	@echo "       -d '$(subst ",\",$(DEMO_QUERY))'"
	@echo
	@exec $(BINARY) serve --store $(STORE) --host $(HOST) --port $(PORT) --config Config/default.json

$(STORE): | build
	@mkdir -p $(dir $(STORE))
	$(BINARY) demo --store $(STORE)

test: setup ## Run every test
	swift build --build-tests
	swift test --skip-build

bench: build ## Run the benchmarks: ratios measured in one run
	Benchmarks/run

fuzz: setup ## Try to break the parsers, a minute each
	Fuzz/run

soak: build ## Ten minutes of good, bad, slow and aborted clients
	Benchmarks/soak

lint: ## Check the format of all code
	swift format lint --strict --parallel --recursive $(wildcard $(FORMATTED))

format: ## Put all code into shape
	swift format --in-place --parallel --recursive $(wildcard $(FORMATTED))

docker: ## Build the container image
	docker build -t influenced .

clean: ## Remove what was built, and the demo store
	rm -rf .build Benchmarks/.build Benchmarks/Servers/.build Fuzz/.build store
