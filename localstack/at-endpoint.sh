#!/bin/sh
# Runs a command from the root of the repository against the emulator of AWS at AWS_ENDPOINT_URL, with credentials that no account has.
# Without that variable it refuses: the command would reach AWS.
#
#   AWS_ENDPOINT_URL=http://127.0.0.1:4566 localstack/at-endpoint.sh bin/waggle runs --env local
set -eu
case "${AWS_ENDPOINT_URL:-}" in
  "")
    echo "localstack: AWS_ENDPOINT_URL is not set, and this would reach AWS. Start an emulator (localstack/start.sh) and set it to where that answers:" >&2
    echo "  export AWS_ENDPOINT_URL=http://127.0.0.1:4566" >&2
    exit 2 ;;
  *amazonaws.com* | *api.aws*)
    echo "localstack: AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL is AWS itself. Set it to where an emulator answers." >&2
    exit 2 ;;
esac
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
unset AWS_PROFILE AWS_SESSION_TOKEN
cd "$(dirname "$0")/.."
exec "$@"
