# The front door. Targets are short; what is longer lives in scripts/ or in Rust.

# Homebrew does not put PostgreSQL on the path; pg_config there tells the build where libpq is.
export PATH := $(PATH):$(HOME)/.cargo/bin:/opt/homebrew/opt/postgresql@16/bin:/usr/local/opt/postgresql@16/bin
.DEFAULT_GOAL := help
.PHONY: help run down test bench fmt lint deny gen screenshots fuzz

help: ## What there is
	@sed -nE 's/^([a-z]+): ## (.*)/  make \1\t\2/p' Makefile | expand -t 20

run: ## The whole system and an initial cycle, until Ctrl-C; with ONCE=1 it ends after the cycle
	@scripts/install-system-packages
	@cargo run --release --package local-stack -- run

down: ## Stop a stack that was left running in the background
	@cargo run --release --quiet --package local-stack -- down

test: ## Everything that must hold, end to end included; nothing needs to be running
	@scripts/test

bench: ## The benchmarks, as JSON under target/bench/
	@scripts/install-system-packages
	@cargo build --release --workspace --bins && target/release/provisioning-bench

fmt: ## Format
	@cargo fmt --all

lint: ## Warnings are errors here
	@cargo clippy --workspace --all-targets --quiet -- --deny warnings

deny: ## Licences, banned crates, sources, known vulnerabilities
	@scripts/check-dependencies

gen: ## Write generated files anew
	@scripts/generate

screenshots: ## The pictures in the guides, taken anew by the browser tests
	@scripts/screenshots

fuzz: ## A minute of fuzzing per target (nightly compiler)
	@scripts/fuzz
