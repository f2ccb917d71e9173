# SPDX-License-Identifier: Apache-2.0
"""Data sets from data feeds, against DuckDB and PostgreSQL on the same files."""
import json
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


def duckdb(w, script, *args):
    """Its own package: `npm install @duckdb/node-api` in a folder that SOUK_DUCKDB names (else bench/)."""
    where = os.environ.get("SOUK_DUCKDB", str(HERE))
    if not os.path.isdir(f"{where}/node_modules/@duckdb/node-api"):
        raise SystemExit(f"bench: DuckDB is not there; cd {where} && npm install @duckdb/node-api")
    return figures(run(["node", HERE / script, *args],
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


def duckdb_sales(w, folder):
    return duckdb(w, "sales_duckdb.js", folder, w.folder / "duckdb.csv", "r")


def feeds_sales(w, row, at_least, at_most):
    half, whole = feeds(w, EVENTS), feeds(w, 2 * EVENTS)
    memory = sales(w, half)["peak"]
    duck_memory = duckdb_sales(w, half)["peak"]
    two, one, twice, duck = alternate(w.pairs, lambda: sales(w, half)["total"], lambda: sales(w, half, 1)["total"],
                                      lambda: sales(w, whole)["total"], lambda: duckdb_sales(w, half)["total"])
    what = "sales compensation of 5M billing events"
    yield row("feeds-sales", f"{what}; peer: DuckDB, the same files", 1 / two, 1 / duck, "1/s", at_least(7))
    yield row("feeds-sales", "the same; peer: PostgreSQL with its load", 1 / two, 1 / postgres_seconds(w, half), "1/s", at_least(30))
    yield row("feeds-sales", "its seconds; peer: one thread", two, one, "s", at_most(1 / 1.6))
    yield row("feeds-sales", "10M events; peer: 5M", twice, two, "s", at_most(2.1))
    yield row("feeds-sales", "its peak memory", memory, 0, "MiB", at_most(1024), True)
    yield row("feeds-sales", "its peak memory; peer: DuckDB's", memory, duck_memory, "MiB")


# The columns whose totals are the DuckDB script's `net`; snapshots and the payouts' ages are those of one month.
SETS = {"monthly_revenue_billing_and_revenue_data": "--all-months", "monthly_revenue_annual_subscriptions": "--all-months",
        "monthly_revenue_flexible_payment_schedule": "--all-months", "disbursed_amount_by_product": "--all-months",
        "disbursed_amount_by_customer_geo": "--all-months", "disbursed_amount_by_instance_hours": "--all-months",
        "disbursed_amount_by_age_of_uncollected_funds": "--month=2024-12", "disbursed_amount_by_age_of_past_due_funds": "--month=2024-12",
        "disbursed_amount_by_age_of_disbursed_funds": "--month=2024-12", "disbursed_amount_by_uncollected_funds_breakdown": "--month=2024-12",
        "us_sales_and_use_tax_records": "--all-months"}


def report_set(w, folder, name, out):
    began = time.monotonic()
    made = json.loads(run([w.souk, "report", name, "--feeds", folder, SETS[name], "--json", "-o", out]))
    return {"total": time.monotonic() - began, "lines": made["lines"]}


def feeds_sets(w, row, at_least):
    folder = feeds(w, EVENTS)
    seller = next((folder / "account_v1/year=2024/month=01").glob("data.csv")).read_text().splitlines()[1].split(",")[0]
    for name in SETS:
        made = {}

        def once(who, f):
            made[who] = f()
            return made[who]["total"]

        ours, theirs = alternate(w.pairs, lambda: once("souk", lambda: report_set(w, folder, name, w.folder / "set.csv")),
                                 lambda: once("duckdb", lambda: duckdb(w, "sets_duckdb.js", folder, name, w.folder / "duckdb.csv", seller)))
        if made["souk"]["lines"] != made["duckdb"]["lines"]:
            raise SystemExit(f"bench: {name}: souk has {made['souk']['lines']} lines, DuckDB {made['duckdb']['lines']}")
        yield row("feeds-sets", name, 1 / ours, 1 / theirs, "1/s", at_least(5))
