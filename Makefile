# CGO stays off: everything here builds with Go alone.
export CGO_ENABLED = 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: waggle
waggle: ## build bin/waggle
	go build -trimpath -o bin/waggle ./cmd/waggle

.PHONY: run
run: waggle ## run the sample pipeline
	./bin/waggle run gallery
