#!/bin/sh
# Builds the command line and the functions for this machine, and deploys them as the environment `local` to the emulator of AWS at
# AWS_ENDPOINT_URL.
set -eu
cd "$(dirname "$0")/.."
localstack/at-endpoint.sh true
make --no-print-directory waggle-aws
at() { localstack/at-endpoint.sh "$@"; }
elsewhere=$(mktemp -d) # without an app, which bootstrap would synthesize first
trap 'rm -rf "$elsewhere"' EXIT
root=$PWD
at infra/with-cdk.sh sh -c "cd '$elsewhere' && cdk bootstrap aws://000000000000/us-east-1 --no-notices"
at "$root/bin/waggle" deploy --env local -- -c "architecture=$(go env GOARCH)" --require-approval never --no-notices
echo "deployed; use it by: localstack/at-endpoint.sh bin/waggle run gallery --env local"
