#!/bin/sh
# Runs a command from the root of the repository once the emulators are installed; the command starts and ends them itself.
# Where a tool is missing the command does not run: exit 0 after saying so, and with CI=true 1.
#
#   localstack/with-emulators.sh go test -tags dynamodb ./shared/store/dynamodriver
set -u
folder=$(cd "$(dirname "$0")" && pwd)
"$folder/install.sh"
case $? in
  0) cd "$folder/.." && exec "$@" ;;
  3) exit 0 ;;
  *) exit 1 ;;
esac
