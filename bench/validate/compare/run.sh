#!/bin/sh
# The same work in Polars, in Pandera and in Waggle, in turn, so that what else the machine does meets both.
#
#   bench/validate/compare/run.sh [ROWS] [TIMES]
#
# Needs python3 with venv, and a package index for the first run. Tables and the venv stay in ${TMPDIR:-/tmp}/waggle-validate.
set -eu
rows=${1:-10000000}
times=${2:-5}
here=$(dirname "$0")
cache=${TMPDIR:-/tmp}/waggle-validate
mkdir -p "$cache"
[ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
"$cache/venv/bin/pip" install --quiet polars==2.1.0 "pandera[polars]==0.35.0"
go build -o "$cache/validate" "$here/.."
"$cache/validate" -rows "$rows" -runs 1 -cache "$cache" # makes the table, and compares with the reference
for _ in $(seq "$times"); do
	for source in memory parquet; do
		for way in over is_duplicated; do
			"$cache/venv/bin/python" "$here/polars_by_hand.py" "$cache/sales-$rows-1.parquet" $source $way
		done
		"$cache/venv/bin/python" "$here/pandera_on_polars.py" "$cache/sales-$rows-1.parquet" $source
		"$cache/validate" -rows "$rows" -runs 1 -source $source -cache "$cache"
	done
done
