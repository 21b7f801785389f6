#!/bin/sh
# Starts MiniStack, the emulator of AWS that the tests use, in the foreground, on 127.0.0.1:4566 or GATEWAY_PORT. Ctrl-C ends it and all
# that is in it. SMTP_HOST=HOST:PORT has it hand mails on to a server.
#
#   localstack/start.sh &
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
"$folder/install.sh"
export GATEWAY_PORT="${GATEWAY_PORT:-4566}" BIND_HOST=127.0.0.1 MINISTACK_HOST=127.0.0.1 LOG_LEVEL=WARNING
export AWS_ENDPOINT_URL="http://127.0.0.1:$GATEWAY_PORT" # functions inherit it, and would else call AWS
echo "export AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL"
exec "$folder/.venv/bin/python" "$folder/start_ministack.py"
