# SPDX-License-Identifier: Apache-2.0
"""Data sets from data feeds, against DuckDB and PostgreSQL on the same files."""
import os
import subprocess
import time

from world import HERE, alternate, figures, run

EVENTS = 5_000_000
TYPES = {"amount": "numeric", "balance_impacting": "smallint", "invoice_date": "timestamp", "valid_from": "timestamp",
         "update_date": "timestamp"}
TABLES = ("account", "address", "product", "billing_event")


def feeds(w, n):
    """A made-up seller's feeds with about n billing events, in the page cache."""
    folder = w.folder / f"feeds-{n}"
    if not folder.exists():
        run([w.souk, "feeds", "make", folder, "--events", n, "--seed", 5])
    for path in folder.glob("*_v1/*/*/data.csv"):
        path.read_bytes()
    return folder


def sales(w, folder, threads=2):
    return figures(run([w.tool("bench_feeds"), folder, threads, "/dev/null"]))


def duckdb(w, folder):
    """Its own package: `npm install @duckdb/node-api` in a folder that SOUK_DUCKDB names (else bench/)."""
    where = os.environ.get("SOUK_DUCKDB", str(HERE))
    if not os.path.isdir(f"{where}/node_modules/@duckdb/node-api"):
        raise SystemExit(f"bench: DuckDB is not there; cd {where} && npm install @duckdb/node-api")
    return figures(run(["node", HERE / "sales_duckdb.js", folder, w.folder / "duckdb.csv", "r"],
                       env={**os.environ, "NODE_PATH": f"{where}/node_modules"}))


def postgres_seconds(w, folder):
    """Load (COPY into unlogged tables, ANALYZE) and query."""
    pg = w.postgres()
    began = time.monotonic()
    for table in TABLES:
        files = sorted(folder.glob(f"{table}_v1/*/*/data.csv"))
        names = files[0].open().readline().strip().split(",")
        pg.sql(f"DROP TABLE IF EXISTS {table}; CREATE UNLOGGED TABLE {table} (" +
               ", ".join(f"{c} {TYPES.get(c, 'text')}" for c in names) + ")")
        for f in files:
            run(["psql", "-q", "-c", f"\\copy {table} FROM '{f}' CSV HEADER"], env=pg.env)
        pg.sql(f"ANALYZE {table}")
    with open(w.folder / "postgres.csv", "w") as out:
        subprocess.run(["psql", "-q", "-f", str(HERE / "sales.sql")], env=pg.env, check=True, stdout=out)
    return time.monotonic() - began


def feeds_sales(w, row, at_least, at_most):
    half, whole = feeds(w, EVENTS), feeds(w, 2 * EVENTS)
    memory = sales(w, half)["peak"]
    duck_memory = duckdb(w, half)["peak"]
    two, one, twice, duck = alternate(w.pairs, lambda: sales(w, half)["total"], lambda: sales(w, half, 1)["total"],
                                      lambda: sales(w, whole)["total"], lambda: duckdb(w, half)["total"])
    what = "sales compensation of 5M billing events"
    yield row("feeds-sales", f"{what}; peer: DuckDB, the same files", 1 / two, 1 / duck, "1/s", at_least(7))
    yield row("feeds-sales", "the same; peer: PostgreSQL with its load", 1 / two, 1 / postgres_seconds(w, half), "1/s", at_least(30))
    yield row("feeds-sales", "its seconds; peer: one thread", two, one, "s", at_most(1 / 1.6))
    yield row("feeds-sales", "10M events; peer: 5M", twice, two, "s", at_most(2.1))
    yield row("feeds-sales", "its peak memory", memory, 0, "MiB", at_most(1024), True)
    yield row("feeds-sales", "its peak memory; peer: DuckDB's", memory, duck_memory, "MiB")
