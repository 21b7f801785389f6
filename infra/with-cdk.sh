#!/bin/sh
# Runs a command from the root of the repository with the command line of AWS CDK, cdk, that package.json pins: it is installed into
# this folder (node_modules, ignored by git) where it is not yet.
# Where Node is missing the command does not run: exit 0 after saying so, and with CI=true 1.
#
#   infra/with-cdk.sh cdk diff
set -eu
folder=$(cd "$(dirname "$0")" && pwd)

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  echo "==================================================================" >&2
  echo "INFRASTRUCTURE NOT TESTED, NOT SYNTHESIZED: there is no Node or npm" >&2
  echo "Install Node 20 or newer." >&2
  echo "==================================================================" >&2
  [ "${CI:-}" = true ] && exit 1
  exit 0
fi
if ! cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed"; then # a copy that is the same says that it is installed
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
  cp "$folder/package-lock.json" "$folder/node_modules/.installed"
fi

# CDK neither reports on its use nor looks for a newer version, and says nothing about Node 20.
export CDK_DISABLE_CLI_TELEMETRY=true CDK_DISABLE_VERSION_CHECK=1
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20 AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
export PATH="$folder/node_modules/.bin:$PATH"
cd "$folder/.." && exec "$@"
