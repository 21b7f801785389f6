#!/bin/sh
# Runs the end-to-end tests against the emulator of AWS at AWS_ENDPOINT_URL, which is new and hands mails on to SMTP_HOST (127.0.0.1:2525).
#
#   SMTP_HOST=127.0.0.1:2525 localstack/start.sh &
#   AWS_ENDPOINT_URL=http://127.0.0.1:4566 localstack/test.sh
set -eu
cd "$(dirname "$0")/.."
localstack/at-endpoint.sh true
make --no-print-directory build
exec localstack/at-endpoint.sh infra/with-cdk.sh go test -count=1 -v -timeout 20m -tags aws -run TestEndToEnd ./localstack/e2e
