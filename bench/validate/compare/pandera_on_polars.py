"""The work of bench/validate with Pandera's lazy validation on Polars: every rule, the number of errors, both tables.

Prints a JSON line. The clock starts with plain strings, as there, and stops when both tables are in memory.

    python pandera_on_polars.py FILE memory|parquet
"""

import datetime
import json
import resource
import sys
import time

import pandera
import pandera.polars as pa
import polars as pl

from polars_by_hand import COUNTRIES


def schema():
    fits = pa.Check(lambda data: data.lazyframe.select((pl.col("price_diff") - (pl.col("sale_price_usd") - pl.col("list_price_usd"))).abs().le(0.01).fill_null(True)), name="price_diff_fits")
    return pa.DataFrameSchema({
        "sale_id": pa.Column(pl.Int64, unique=True),
        "sale_price_usd": pa.Column(pl.Float64, [pa.Check.ge(0), pa.Check.le(1e9)]),
        "buyer_country": pa.Column(pl.String, pa.Check.isin(COUNTRIES), nullable=True),
        "sale_date": pa.Column(pl.Date, pa.Check.ge(datetime.date(1900, 1, 1)), nullable=True),
        "title": pa.Column(pl.String, pa.Check.str_length(1, 200)),
        "artist_name": pa.Column(pl.String, pa.Check.str_matches("^[A-Z]"), nullable=True),
    }, checks=fits)


def split(frame):
    try:
        schema().validate(frame, lazy=True)
        return 0, frame, frame.clear()
    except pa.errors.SchemaErrors as found:
        cases = found.failure_cases
    rows = cases.get_column("index").drop_nulls().unique()
    bad = pl.repeat(False, frame.height, eager=True).scatter(rows, True)
    return cases.height, frame.filter(~bad), frame.filter(bad)


def main():
    file, source = sys.argv[1], sys.argv[2]
    frame = pl.read_parquet(file).rechunk() if source == "memory" else None
    began, cpu = time.perf_counter(), time.process_time()
    if frame is None:
        frame = pl.scan_parquet(file).collect()
    errors, valid, invalid = split(frame)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"program": f"pandera {pandera.__version__} on polars {pl.__version__}", "source": source, "rows": frame.height, "seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3), "errors": errors,
                      "valid_rows": valid.height, "invalid_rows": invalid.height, "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
