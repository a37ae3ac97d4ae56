# `make run` and `make test` do all set-up themselves; a second time it costs a moment.
# CARGO_TARGET_DIR moves everything that is built; it may be shared by clones.

TARGET := $(or $(CARGO_TARGET_DIR),target)
SHELL := bash
SERVE := serve --config examples/tailboard.toml --data-dir data

.PHONY: run build dev test check-flood bench

# Serves http://127.0.0.1:3000 with the example pipelines.
run: build
	EXAMPLE_DIR=$(CURDIR) $(TARGET)/release/tailboard $(SERVE) --listen 127.0.0.1:3000

# One self-contained executable: $(TARGET)/release/tailboard.
build:
	@scripts/build

# Rebuilds and reloads when a file changes.
dev:
	@scripts/setup build
	@. ./scripts/env.sh && cargo leptos watch -- $(SERVE) --listen 127.0.0.1:3000

# Every check: format, lints, tests, browser tests.
test:
	@scripts/test

# A run that prints 1,000,000 lines: what it costs the server and the page. Fails past the bounds.
check-flood: build
	@scripts/check-flood

# Figures for docs/performance.md, half an hour on a machine with nothing else to do: lists and search at a
# million jobs, the viewer at ten million lines, pages under 1,000 events a second.
bench: build
	@scripts/bench
