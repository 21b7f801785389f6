# CGO stays off: everything here builds with Go alone.
export CGO_ENABLED = 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: waggle
waggle: ## build bin/waggle
	go build -trimpath -o bin/waggle ./cmd/waggle

.PHONY: waggle-duckdb
waggle-duckdb: ## build bin/waggle with SQL assets and the job gallery_sql (needs a C compiler)
	CGO_ENABLED=1 go build -trimpath -tags duckdb -o bin/waggle ./cmd/waggle

.PHONY: waggle-aws
waggle-aws: ## build bin/waggle with the cloud's stores (--store dynamodb:TABLE), secrets and mails
	go build -trimpath -tags aws -o bin/waggle ./cmd/waggle

.PHONY: build
build: ## build the functions for Lambda and dist/manifest.json, which infra/ reads
	go run ./functions/build

.PHONY: run
run: waggle ## run the sample pipeline
	./bin/waggle run gallery

.PHONY: test
test: ## run every test; those on emulators of AWS need Node, Java and Python, those on DuckDB a C compiler, and say so where they are missing
	go test -shuffle=on ./...
	go test -tags docs ./docs
	$(MAKE) --no-print-directory test-infra
	$(MAKE) --no-print-directory test-deploy
	$(MAKE) --no-print-directory -j2 test-dynamodb test-aws
	@if $(HAVE_CC); then $(MAKE) --no-print-directory test-duckdb; else $(SAY_NO_CC); fi

# DuckDB is C++: what is built with the tag duckdb needs a C compiler, and nothing else does.
HAVE_CC = command -v "$$(go env CC)" >/dev/null 2>&1
SAY_NO_CC = echo "NOT TESTED, NOT LINTED: SQL assets on DuckDB. There is no C compiler ($$(go env CC)); install one, then: make test-duckdb lint" >&2
DUCKDB_PACKAGES = ./shared/sqlasset ./pipelines/... ./cmd/waggle

.PHONY: test-duckdb
test-duckdb: ## vet and test SQL assets and gallery_sql (needs a C compiler)
	CGO_ENABLED=1 go vet -tags duckdb $(DUCKDB_PACKAGES) ./bench/sql
	CGO_ENABLED=1 go test -shuffle=on -tags duckdb ./shared/sqlasset ./pipelines/... ./bench/sql
	CGO_ENABLED=1 go test -tags docs,duckdb -run DuckDB ./docs

# The packages whose tests take their table from package tabletest.
CORE = ./shared/cloud ./shared/engine ./shared/store ./shared/owner ./shared/monitor ./shared/scheduler ./shared/cli ./shared/waggletest ./pipelines/gallery

# Tests that run a run hundreds of times, with a death or a lost answer at each call, or have one last for hours: minutes on DynamoDB Local.
# On dynoxide they all run.
THOUSANDS = AtAnyCall|MayBeLost|WasGivenUpWritesNothing|InEveryOrder|AtEveryPoint|RetryThatWaited|InterruptsTwice|NeverStranded

# Tests of the gallery that compare files, which do not depend on the table. In memory they run.
FILES = SQLMakesOf

.PHONY: test-dynamodb
test-dynamodb: ## run the driver's and the core's tests on emulators of DynamoDB
	localstack/with-emulators.sh go test -count=1 -tags dynamodb,aws ./shared/store/dynamodriver ./cmd/waggle
	localstack/with-emulators.sh go run ./localstack/over -emulator dynamodb-local go test -count=1 -timeout 20m -tags dynamodb -skip '$(THOUSANDS)|$(FILES)' $(CORE)
	localstack/with-emulators.sh go run ./localstack/over -emulator dynoxide go test -count=1 -timeout 20m -tags dynamodb -skip '$(FILES)' $(CORE)

.PHONY: test-aws
test-aws: ## run the tests of EventBridge, SES and secrets on an emulator of AWS, and those end to end
	localstack/with-emulators.sh go test -count=1 -tags aws ./shared/eventbus/... ./shared/secret/awssecret ./shared/notify/sesmail
	$(MAKE) --no-print-directory test-e2e

.PHONY: test-infra
test-infra: ## vet, lint and test the infrastructure (needs Node)
	infra/with-cdk.sh $(MAKE) --no-print-directory test-infra-with-node

.PHONY: test-infra-with-node
test-infra-with-node:
	go build -o bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	cd infra && go vet ./... && ../bin/staticcheck ./... && go test -shuffle=on ./...

.PHONY: test-deploy
test-deploy: ## deploy functions that do nothing to an emulator, by cdk (needs Node, Java and Python)
	localstack/with-emulators.sh infra/with-cdk.sh sh -c 'cd infra && go vet -tags aws . && go test -count=1 -tags aws .'

.PHONY: test-e2e
test-e2e: build ## use the command line over a home, and over the built functions as cdk deploys them to an emulator (needs Node, Java and Python)
	localstack/with-emulators.sh infra/with-cdk.sh go test -count=1 -v -timeout 20m -tags aws ./localstack/e2e

.PHONY: synth
synth: build ## make the infrastructure's templates in cdk.out (needs Node)
	infra/with-cdk.sh cdk synth --quiet --no-notices

.PHONY: race
race: ## run every test with the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -shuffle=on ./...

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt -w these:" $$unformatted; exit 1; fi
	go vet -tags docs,dynamodb,aws ./...
	go tool staticcheck -tags docs,dynamodb,aws ./...
	@if $(HAVE_CC); then $(MAKE) --no-print-directory lint-duckdb; else $(SAY_NO_CC); fi

.PHONY: lint-duckdb
lint-duckdb:
	CGO_ENABLED=1 go vet -tags docs,duckdb $(DUCKDB_PACKAGES) ./bench/sql ./docs
	CGO_ENABLED=1 go tool staticcheck -tags docs,duckdb $(DUCKDB_PACKAGES) ./bench/sql ./docs

.PHONY: pictures
pictures: ## draw every report into docs/pictures, light and dark, 600 and 320 pixels wide; needs Chromium
	go run ./bench/pictures -out docs/pictures

.PHONY: check-pictures
check-pictures: ## draw every report and fail where a text is too wide or too pale; needs Chromium
	go run ./bench/pictures

.PHONY: bench
bench: ## measure everything that docs/performance.md quotes: half an hour
	go run ./bench/engine -all
	go run ./bench/cli
	go run ./bench/crash -kills 200
	go run ./bench/crash -alerts -kills 200
	go run ./bench/alert -runs 200
	go run ./bench/burst -failures 10000
	go run ./bench/store -runs 1000000
	go run ./bench/queue -runs 1000 -limit 10
	go run ./bench/queue -runs 1000 -limit 10 -kill
	go run ./bench/validate
	go run ./bench/validate -lean
	go run ./bench/validate -source parquet
	go run ./bench/validate -source structs
	go run ./bench/validate -rows 100000000 -source parquet -stream -outputs=false -runs 1
	localstack/with-emulators.sh go run ./bench/faults
	@if $(HAVE_CC); then CGO_ENABLED=1 go run -tags duckdb ./bench/sql; else echo "NOT MEASURED: SQL assets; there is no C compiler" >&2; fi
	localstack/with-emulators.sh go run ./bench/cloud
	$(MAKE) --no-print-directory build
	localstack/with-emulators.sh go run ./bench/lambda

.PHONY: bench-small
bench-small: ## the same in two minutes, to see that nothing is lost or wrong
	go run ./bench/engine -steps 1000
	go run ./bench/cli -runs 5
	go run ./bench/crash -kills 20
	go run ./bench/crash -alerts -kills 10
	go run ./bench/alert -runs 5 -program run
	go run ./bench/burst -failures 400
	go run ./bench/store -runs 10000
	go run ./bench/queue -runs 100 -limit 5
	go run ./bench/validate -rows 200000 -runs 1
	go run ./bench/validate -rows 200000 -bad 100 -runs 1
	go run ./bench/validate -rows 200000 -source structs -runs 1
	go run ./bench/validate -rows 200000 -source parquet -stream -runs 1
	localstack/with-emulators.sh go run ./bench/faults -runs 40 -alerts 20
	@if $(HAVE_CC); then CGO_ENABLED=1 go run -tags duckdb ./bench/sql -rows 10000; else echo "NOT MEASURED: SQL assets; there is no C compiler" >&2; fi
	localstack/with-emulators.sh go run ./bench/cloud -runs 2 -budget 0.15

.PHONY: clean
clean: ## remove what was built and what runs left
	rm -rf bin dist cdk.out output .waggle
