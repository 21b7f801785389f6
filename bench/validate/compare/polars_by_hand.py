"""The work of bench/validate by hand in Polars: every rule, the number of errors, both tables.

Prints a JSON line. The clock starts with plain strings, as there, and stops when both tables are in memory.

    python polars_by_hand.py FILE memory|parquet [over|is_duplicated|counts|semi]

How duplicates are found is the last argument: it is by far the dearest rule, and Polars has several ways. The default is
the fastest of them on this table.
"""

import json
import resource
import sys
import time

import polars as pl

COUNTRIES = """Argentina,Australia,Austria,Belgium,Brazil,Canada,Chile,China,Denmark,Egypt,Finland,France,Germany,Greece,India,Ireland,Italy,Japan,Kenya,Mexico,
Netherlands,Norway,Poland,Portugal,Singapore,Spain,Sweden,Switzerland,United Kingdom,United States""".replace("\n", "").split(",")


def rules(lazy, way):
    """The frame and, for each rule, an expression that is true where it is broken."""
    c = pl.col
    price, diff = c("sale_price_usd"), c("price_diff")
    copies = c("sale_id").is_duplicated()
    if way == "over":
        copies = pl.len().over("sale_id") > 1
    elif way == "counts":
        counts = lazy.group_by("sale_id").agg(pl.len().alias("copies"))
        lazy = lazy.join(counts, on="sale_id", how="left", maintain_order="left")
        copies = c("copies") > 1
    elif way == "semi":
        twice = lazy.group_by("sale_id").len().filter(c("len") > 1).select("sale_id").collect().get_column("sale_id")
        copies = c("sale_id").is_in(twice.implode())
    return lazy, {
        "id_null": c("sale_id").is_null(),
        "price_null": price.is_null(),
        "title_null": c("title").is_null(),
        "price_low": price < 0,
        "price_high": price > 1e9,
        "country": ~c("buyer_country").is_in(COUNTRIES),
        "unique": copies & c("sale_id").is_not_null(),
        "length": ~c("title").str.len_chars().is_between(1, 200),
        "artist": ~c("artist_name").str.contains("^[A-Z]"),
        "date": c("sale_date") < pl.date(1900, 1, 1),
        "diff": (diff - (price - c("list_price_usd"))).abs() > 0.01,
    }


def split(frame, way):
    lazy, broken = rules(frame.lazy(), way)
    flags = lazy.select(**{name: rule.fill_null(False) for name, rule in broken.items()}).collect()
    bad = flags.select(pl.any_horizontal(pl.all())).to_series()
    errors = sum(flags.select(pl.all().sum()).row(0))
    good = ~bad
    valid, invalid = pl.collect_all([frame.lazy().filter(good), frame.lazy().filter(bad)])
    return errors, valid, invalid


def main():
    file, source = sys.argv[1], sys.argv[2]
    way = sys.argv[3] if len(sys.argv) > 3 else "over"
    frame = pl.read_parquet(file).rechunk() if source == "memory" else None
    began, cpu = time.perf_counter(), time.process_time()
    if frame is None:
        frame = pl.scan_parquet(file).collect()
    errors, valid, invalid = split(frame, way)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"program": f"polars {pl.__version__}", "uniqueness": way, "source": source, "rows": frame.height, "seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3), "errors": errors,
                      "valid_rows": valid.height, "invalid_rows": invalid.height, "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                      "threads": pl.thread_pool_size()}))


if __name__ == "__main__":
    main()
