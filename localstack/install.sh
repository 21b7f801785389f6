#!/bin/sh
# Installs the emulators that package.json and requirements.txt pin, into this folder (node_modules and .venv, ignored by git).
# What is installed already is left alone. Where a tool is missing it says so and exits 3, and with CI=true 1.
set -eu
cd "$(dirname "$0")"

missing=""
for tool in node npm java javac python3; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  echo "==================================================================" >&2
  echo "NOT TESTED on DynamoDB: missing$missing" >&2
  echo "Install Node 20, a Java 17 development kit and Python 3.10, or newer." >&2
  echo "==================================================================" >&2
  [ "${CI:-}" = true ] && exit 1
  exit 3
fi

fresh() { # a stamp that is the same as the file says that it is installed
  cmp -s "$1" "$2"
}
if ! fresh package-lock.json node_modules/.installed; then
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed
fi
if ! fresh requirements.txt .venv/.installed; then
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt .venv/.installed
fi
