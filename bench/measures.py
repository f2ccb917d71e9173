# SPDX-License-Identifier: Apache-2.0
"""The measurements: each a function that gives rows of the report. See README.md for what each peer is."""
import json
import os
import resource
import statistics
import time
from dataclasses import dataclass

import commissions
import data_sets
import feeds
import listings
import metering
import reviews
import wire
from sellers import Sellers
from world import HERE, alternate, cpu_seconds, figures, peak_mib, peak_of, run, say, seconds, stopping

BIG = 1_000_000
COLUMNS = ("product_id, product_code, customer_guid, subscription_guid, subscription_start, organization, "
           "customer_id, given_name, surname, telephone, email, title, country, zip, operation_time, operation")


@dataclass
class Row:
    name: str       # of the measurement
    what: str
    souk: float
    peer: float     # 0: the target is absolute
    unit: str
    ratio: float
    target: str     # "" : told for completeness
    met: bool = True


def at_least(least):
    return lambda r: (f">= {least:g}", r >= least)


def at_most(most):
    return lambda r: (f"<= {most:g}", r <= most)


def told(_):
    return "", True


def row(name, what, souk, peer, unit, rule=told, absolute=False):
    ratio = souk / peer if peer else 0
    target, met = rule(souk if absolute else ratio)
    return Row(name, what, souk, peer, unit, ratio, target, met)


# ---- exports ---------------------------------------------------------------------------------------------------

def fill_postgres(w, market):
    """The very rows of souk's file, in the clear: typed as one would, and all text."""
    pg = w.postgres()
    if pg.sql("SELECT to_regclass('typed')").strip():
        return pg
    out = w.folder / "export.csv"
    run(market.export("2000-01-01T00:00:00Z", "-o", out))
    names = COLUMNS.split(", ")
    guids = {"product_id", "customer_guid", "subscription_guid"}
    times = {"subscription_start", "operation_time"}
    pg.sql("CREATE TABLE plain (" + ", ".join(c + " text" for c in names) + ")")
    run(["psql", "-q", "-c", f"\\copy plain FROM '{out}' CSV HEADER"], env=pg.env)
    pg.sql("CREATE TABLE typed (" + ", ".join(
        c + (" uuid" if c in guids else " timestamptz" if c in times else " text") for c in names) + ")")
    run(["psql", "-q", "-c", f"\\copy typed FROM '{out}' CSV HEADER"], env=pg.env)
    pg.sql("CREATE INDEX ON typed (operation_time, customer_guid)")
    for table in ("plain", "typed"):
        pg.sql(f"VACUUM ANALYZE {table}")
    out.unlink()
    return pg


def export_full(w):
    market = w.market(BIG)
    pg = fill_postgres(w, market)
    queries = [f"SELECT {COLUMNS} FROM typed", f"SELECT {COLUMNS} FROM typed ORDER BY operation_time, customer_guid",
               f"SELECT {COLUMNS} FROM plain"]
    ask = [lambda q=q: pg.copy_seconds(q) for q in queries]
    export = lambda: seconds(market.export())
    for f in (export, *ask):
        f()                                    # page cache
    souk, plain, ordered, text = [BIG / s for s in alternate(w.pairs, export, *ask)]
    yield row("export-full", "full export of 1M contacts; peer: COPY (SELECT ...) TO STDOUT", souk, plain, "rows/s",
              at_least(1))
    yield row("export-full", "the same; peer: with ORDER BY, as souk's file is", souk, ordered, "rows/s")
    yield row("export-full", "the same; peer: all 16 columns of type text", souk, text, "rows/s")


def export_memory(w):
    peaks = [statistics.median(peak_of(w.market(n).export())[0] for _ in range(3)) for n in (10_000, 100_000, BIG)]
    yield row("export-memory", "peak memory of an export of 1M contacts", peaks[2], 0, "MiB", at_most(64), True)
    yield row("export-memory", "the same; peer: itself with 10k contacts", peaks[2], peaks[0], "MiB", at_most(1.25))
    yield row("export-memory", "the same; peer: itself with 100k contacts", peaks[2], peaks[1], "MiB", at_most(1.25))
    yield from served_memory(w)


def served_memory(w):
    """The export as sellers get it: a job of the running server, sealed into a bucket."""
    market = w.market(BIG)
    s = market.seller
    request = {"dataSetType": "customer_support_contacts_data", "fromDate": 946684800, "roleNameArn": s["roleArn"],
               "destinationS3BucketName": s["bucket"], "snsTopicArn": s["topicArn"], "destinationS3Prefix": "bench"}
    path = wire.write(w.folder / "start.req", [wire.start_export(s, request)])
    with market.serve() as server:
        before = peak_mib(server.pid)
        began = time.monotonic()
        run([w.tool("load"), server.port, 1, 0.001, 0, path])
        took = wait_for_object(market, server, began)
        yield row("export-memory", "peak memory of `serve` exporting 1M contacts to a bucket; peer: before", peak_mib(server.pid),
                  before, "MiB", at_most(64), True)
        yield row("export-memory", "its speed, request to object", BIG / took, 0, "rows/s")


def wait_for_object(market, server, began):
    """Seconds until the delivery log says that the newest request was delivered."""
    while time.monotonic() - began < 120:
        newest = wire.get(server.port, f"/api/v1/sellers/{market.seller['accountId']}/deliveries?limit=1", market.seller["token"])
        if newest and newest[0]["state"] == "delivered":
            return time.monotonic() - began
        if newest and newest[0]["state"] == "failed":
            break
        time.sleep(0.01)
    raise SystemExit("bench: the export was not delivered")


def export_changes(w):
    got = figures(run([w.tool("bench_export")], env={"TMPDIR": str(w.folder)}))
    yield row("export-changes", "export of 1,000 changes on 1M contacts; peer: on 10k", got["changes_1000000"] * 1e3,
              got["changes_10000"] * 1e3, "ms", at_most(1.5))
    yield row("export-changes", "full export inside the program; peer: plain SQLite rows stepped and quoted",
              got["full_1000000_rate"], got["peer_sqlite_plain_1000000_rate"], "rows/s")


# ---- requests --------------------------------------------------------------------------------------------------

def write_requests(w, market):
    fields = {"organization": "Example Ltd", "givenName": "Zoë", "surname": "Quist", "title": "Engineer",
              "telephoneNumber": "+1 206 555 0100", "countryCode": "US", "zipCode": "98101"}
    places = [(buyer, sub, c) for buyer, sub, contacts in market.owned for c in contacts]
    (w.folder / "places").write_text("".join(f"{sub} {c}\n" for _, sub, c in places))
    return wire.write(w.folder / "put.req", [
        wire.bearer("PUT", f"/api/v1/subscriptions/{sub}/contacts/{c}", market.tokens[buyer],
                    {**fields, "emailAddress": f"zoe{i}@example.com"}, {"If-Match": "*"})
        for i, (buyer, sub, c) in enumerate(places)])


def writes(w):
    market = w.market(100_000)
    requests = write_requests(w, market)
    alone = market.copy("alone")
    edits = [w.tool("bench_write"), "edits", alone, w.folder / "places", 4]
    sync = [w.tool("bench_write"), "sync", w.folder, 4]
    with market.serve() as server:
        many, one_by_one = alternate(w.pairs, lambda: all_fine(w.load(server, requests))["rate"],
                                     lambda: figures(run(edits))["rate"])
        yield row("writes", "PUT of a contact, 64 clients; peer: the same statements, one commit each", many, one_by_one,
                  "1/s", at_least(2.5))
        single, synced = alternate(w.pairs, lambda: all_fine(w.load(server, requests, 1))["p50"],
                                   lambda: figures(run(sync))["p50"])
        yield row("writes", "PUT of a contact, 1 client; peer: append 4 KiB and fdatasync", single, synced, "ms",
                  at_most(1.5))
        tail = [all_fine(w.load(server, requests, 64, 5, many / 2))["p99"] for _ in range(w.pairs)]
        yield row("writes", "p99 at half of that load", statistics.median(tail), 0, "ms", at_most(10), True)


# ---- on PostgreSQL ---------------------------------------------------------------------------------------------

def fleet_writes(w):
    market, pg = w.market(100_000, fleet=True), w.postgres()
    requests = write_requests(w, market)
    where = ["--data", w.folder / "peer"]
    if not (w.folder / "peer").exists():
        run([w.souk, "init", *where, "--database", pg.database("peer")])
        pg.sql("", "peer", "-v", f"contacts={market.n}", "-f", HERE / "put.sql")
    pgbench = lambda clients: pg.pgbench("peer", HERE / "put.pgbench", clients, 6, contacts=market.n)
    with market.serve() as server:
        many, peer = alternate(w.pairs, lambda: all_fine(w.load(server, requests, 64, 6))["rate"], lambda: pgbench(64))
        yield row("fleet-writes", "PUT of a contact on PostgreSQL, 64 clients; peer: pgbench, same statements", many, peer,
                  "1/s", at_least(0.8))
        one, peer = alternate(w.pairs, lambda: all_fine(w.load(server, requests, 1, 6))["rate"], lambda: pgbench(1))
        yield row("fleet-writes", "the same with 1 client", one, peer, "1/s")


def fleet_export(w):
    market, pg = w.market(BIG, fleet=True), w.postgres()
    plain = fill_postgres(w, market)
    query = f"SELECT {COLUMNS} FROM typed ORDER BY operation_time, customer_guid"
    export = lambda: seconds(market.export())
    ask = lambda: plain.copy_seconds(query)
    unordered = lambda: plain.copy_seconds(f"SELECT {COLUMNS} FROM typed")
    for f in (export, ask):
        f()                                    # page cache
    souk, ordered, free = [BIG / s for s in alternate(w.pairs, export, ask, unordered)]
    yield row("fleet-export", "full export of 1M contacts from PostgreSQL; peer: COPY ... TO STDOUT of the same rows, in any "
              "order", souk, free, "rows/s", at_least(0.8))
    yield row("fleet-export", "the same; peer: in the order in which souk exports", souk, ordered, "rows/s")
    big, small = (statistics.median(peak_of(w.market(n, fleet=True).export())[0] for _ in range(3)) for n in (BIG, 100_000))
    yield row("fleet-export", "memory of that export; peer: of 100k contacts", big, small, "MiB", at_most(1.25))


def fleet_nodes(w):
    """All sellers ask at once; over when the last file is in its bucket."""
    m = Sellers(w, 100)

    def all_at_once(count):
        before = m.rows()
        with stopping(*m.nodes(count)) as nodes:
            nodes = nodes if count > 1 else [nodes]
            requests = [wire.start_export(s, {
                "dataSetType": "customer_support_contacts_data", "fromDate": 946684800, "roleNameArn": s["roleArn"],
                "destinationS3BucketName": s["bucket"], "snsTopicArn": s["topicArn"], "destinationS3Prefix": "bench"})
                for s in m.sellers]
            cpu, began = [cpu_seconds(n.pid) for n in nodes] + [m.pg.cpu_seconds()], time.monotonic()
            for i, r in enumerate(requests):
                wire.send(nodes[i % count].port, r)
            while m.waiting():
                time.sleep(0.02)
            took = time.monotonic() - began
            cpu = [a - b for a, b in zip([cpu_seconds(n.pid) for n in nodes] + [m.pg.cpu_seconds()], cpu)]
            say(f"{count} nodes: {took:.2f} s, processor seconds of nodes {cpu[:-1]}, of the server {cpu[-1]:.2f}")
        return (m.rows() - before) / took

    all_at_once(1)                                 # page cache
    two, one = alternate(w.pairs, lambda: all_at_once(2), lambda: all_at_once(1))
    yield row("fleet-nodes", "exports of 100 sellers at once, two nodes; peer: one node", two, one, "rows/s")


def sizing(w):
    """What one of each costs on PostgreSQL: bytes of tables, indexes and log, processor time of souk and of the server."""
    market, pg = w.market(20_000, fleet=True), w.postgres()
    name = f"souk{market.n}"
    bytes_of = lambda f, table: int(pg.sql(f"SELECT {f}('{table}')", name))
    rows_of = lambda table: int(pg.sql(f"SELECT count(*) FROM {table}", name))

    for table in ("contact_version", "subscription", "audit_entry"):
        n = rows_of(table)
        yield row("sizing", f"{table}: table, a row", bytes_of("pg_table_size", table) / n, 0, "bytes")
        yield row("sizing", f"{table}: indexes, a row", bytes_of("pg_indexes_size", table) / n, 0, "bytes")

    writes = write_requests(w, market)
    reads = wire.write(w.folder / "five.req", [wire.bearer("GET", f"/api/v1/subscriptions/{sub}/contacts", market.tokens[buyer])
                                               for buyer, sub, _ in market.owned])
    signed = wire.write(w.folder / "signed.req", [wire.list_objects(s, "list-type=2&max-keys=10") for s in market.demo["sellers"]])
    with market.serve() as server:
        for what, requests in (("PUT of a contact", writes), ("GET of a subscription's five contacts, audited", reads),
                               ("signed S3 list of a bucket", signed)):
            w.load(server, requests, 1, 1)                 # statements prepared, caches warm
            pg.sql("CHECKPOINT", name)
            log, theirs = pg.log_bytes(), pg.cpu_seconds()
            grown = sum(bytes_of("pg_total_relation_size", t) for t in ("contact_version", "audit_entry"))
            got = all_fine(w.load(server, requests, 1, 8))
            n = got["requests"]
            log, theirs = pg.log_bytes() - log, pg.cpu_seconds() - theirs
            grown = sum(bytes_of("pg_total_relation_size", t) for t in ("contact_version", "audit_entry")) - grown
            yield row("sizing", f"{what}: processor, souk; peer: server", got["cpu_us"], theirs * 1e6 / n, "us")
            yield row("sizing", f"{what}: log written", log / n, 0, "bytes")
            yield row("sizing", f"{what}: tables and indexes grown", grown / n, 0, "bytes")
    theirs, ours = pg.cpu_seconds(), children_seconds()
    out = w.folder / "sizing.csv"
    run(market.export("2000-01-01T00:00:00Z", "-o", out))
    n = sum(1 for _ in open(out, "rb")) - 1
    yield row("sizing", "export, a row: processor, souk; peer: server", (children_seconds() - ours) * 1e6 / n,
              (pg.cpu_seconds() - theirs) * 1e6 / n, "us")
    yield row("sizing", "export, a row: file", out.stat().st_size / n, 0, "bytes")
    out.unlink()
    with market.serve() as server:
        before = memory_mib([server.pid])
        w.load(server, reads, 64, 2)
        w.load(server, writes, 64, 2)
        backends = pg.backends()
        yield row("sizing", "memory of a node under load; peer: before", memory_mib([server.pid]), before, "MiB")
        yield row("sizing", "memory of a connection at the server, without what is shared", memory_mib(backends) / len(backends), 0, "MiB")


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory_mib(pids):
    """Of these processes alone."""
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith(("Private_Dirty:", "Private_Clean:")):
                total += int(line.split()[1])
    return total / 1024


def all_fine(got, status="status_2xx"):
    if got.get(status, 0) != got["requests"]:
        raise SystemExit(f"bench: unexpected answers: {got}")
    return got


def against_hello(w, server, requests, figure, status="status_2xx"):
    with w.hello() as hello:
        return alternate(w.pairs, lambda: all_fine(w.load(server, requests), status)[figure],
                         lambda: w.load(hello, requests)[figure])


def cpu(w):
    market = w.market(BIG)
    tokens = wire.write(w.folder / "token.req", [wire.bearer("GET", "/api/v1/whoami", t) for t in market.tokens.values()])
    with market.serve() as server:
        souk, hello = against_hello(w, server, tokens, "cpu_us")
        yield row("cpu", "CPU of GET /api/v1/whoami with a token; peer: hello world of libmicrohttpd", souk, hello,
                  "us", at_most(1.3))
        sellers = market.demo["sellers"]
        # Answered once the signature is verified and the policy asked, without the database: a refusal.
        signed = wire.write(w.folder / "signed.req", [wire.list_objects(s, "list-type=2&max-keys=some") for s in sellers])
        souk, hello = against_hello(w, server, signed, "cpu_us", "status_4xx")
        yield row("cpu", "CPU of an S3 answer, signed, without database; peer: as before, same bytes", souk, hello, "us",
                  at_most(9), True)
        signed = wire.write(w.folder / "start.req", [wire.start_export(s, refused(s)) for s in sellers])
        souk, hello = against_hello(w, server, signed, "cpu_us", "status_4xx")
        yield row("cpu", "CPU of StartSupportDataExport, its JSON read and refused; peer: as before, same bytes", souk,
                  hello, "us")


def refused(seller):
    return {"dataSetType": "no_such_data_set", "fromDate": 1700000000, "roleNameArn": seller["roleArn"],
            "destinationS3BucketName": seller["bucket"], "snsTopicArn": seller["topicArn"]}


def reads(w):
    market = w.market(BIG)
    requests = wire.write(w.folder / "five.req", [
        wire.bearer("GET", f"/api/v1/subscriptions/{sub}/contacts", market.tokens[buyer])
        for buyer, sub, _ in market.owned])
    with market.serve() as server:
        souk, hello = against_hello(w, server, requests, "rate")
        yield row("reads", "GET of a subscription's five contacts, audited; peer: hello world", souk, hello, "1/s",
                  at_least(0.2))
        tail = [all_fine(w.load(server, requests, 64, 5, souk / 2))["p99"] for _ in range(w.pairs)]
        yield row("reads", "p99 at half of that load", statistics.median(tail), 0, "ms", at_most(10), True)


def sigv4(w):
    got = [figures(run([w.tool("bench_sigv4")])) for _ in range(3)]
    for name, what, most in (("sigv4_cached", "SigV4 verification, signing key cached", 3),
                             ("sigv4_uncached", "the same, signing key derived", 5.5)):
        yield row("sigv4", what, statistics.median(g[name] for g in got), 0, "us", at_most(most), True)


# ---- import and start ------------------------------------------------------------------------------------------

PEER_ROWS = """.mode csv
.once {out}
SELECT seller_id, operation_time, substr(hex(contact_id), 1, 16), superseded_at, created_at, operation, slot,
  substr(hex(product_id), 1, 16), substr(hex(subscription_id), 1, 16), subscription_start, buyer_id,
  substr(hex(email_index), 1, 16), substr(hex(data_key), 1, 64),
  substr(hex(sealed) || hex(sealed), 1, length(sealed))
FROM contact_version WHERE operation < 3;
"""
PEER_SCHEMA = """SELECT sql || ';' FROM sqlite_schema WHERE tbl_name = 'contact_version' AND sql IS NOT NULL
ORDER BY type DESC"""


def import_contacts(w):
    market = w.market(BIG)
    rows = w.folder / "rows.csv"
    run(["sqlite3", market.data / "souk.db"], input=PEER_ROWS.format(out=rows))
    schema = run(["sqlite3", market.data / "souk.db", PEER_SCHEMA])
    fresh, peer = w.folder / "import", w.folder / "peer.db"

    def souk():
        run(["rm", "-rf", fresh])
        w.facts(fresh, BIG)
        return BIG / seconds([w.souk, "import", "--data", fresh / "data", "contacts", fresh / "contacts.csv"])

    def sqlite():
        run(["rm", "-f", peer])
        script = f"PRAGMA cache_size = -65536;\n{schema}\n.mode csv\n.import {rows} contact_version\n"
        began = time.monotonic()
        run(["sqlite3", peer], input=script)
        return BIG / (time.monotonic() - began)

    ours, theirs = alternate(w.pairs, souk, sqlite)
    run(["rm", "-rf", fresh, peer, rows])
    yield row("import", "import of 1M contacts; peer: sqlite3 .import, same columns and indexes", ours, theirs, "rows/s",
              at_least(0.5))


def start(w):
    market = w.market(BIG)

    def once():
        began = time.monotonic()
        server = market.start()
        took = time.monotonic() - began
        server.stop()
        return took

    yield row("start", "start of `serve` with 1M contacts", statistics.median(once() for _ in range(5)), 0, "s",
              at_most(0.5), True)


def feeds_sales(w):
    yield from feeds.feeds_sales(w, row, at_least, at_most)


def feeds_sets(w):
    yield from feeds.feeds_sets(w, row, at_least)


def meter(w):
    yield from metering.measure(w, row, at_least)


def review_all(w):
    yield from reviews.measure(w, row, at_most)


def data_sets_100(w):
    yield from data_sets.measure(w, row, at_most, at_least, int(os.environ.get("SOUK_BENCH_EVENTS", data_sets.EVENTS)))


def edsp_commissions(w):
    yield from commissions.measure(w, row, at_least, at_most)


def logos(w):
    run(["ninja", "-C", w.tool("x").parent.parent, "bench/bench_logo"])
    got = json.loads(run([w.tool("bench_logo"), 3]))
    for kind in ("png", "jpg", "gif"):
        yield row("logos", f"logos of a million pixels looked into, {kind.upper()}, one thread", got[kind], 0, "images/s", at_least(100), True)
    yield row("logos", "nearest of 100,000 known logos, as offline reviews look it up", got["look_up_ms"], 0, "ms", at_most(5), True)
    yield row("logos", "the same, as the server does", got["search_ms"], 0, "ms", at_most(5), True)
    yield row("logos", "the same of twenty logos at once, each", got["search_many_ms"], 0, "ms", at_most(5), True)


def review(w):
    yield from listings.measure(w, row, at_least)


ALL = {"review": review, "logos": logos, "reviews": review_all, "feeds-sales": feeds_sales, "feeds-sets": feeds_sets, "metering": meter, "data-sets-100": data_sets_100,
       "edsp-commissions": edsp_commissions, "export-full": export_full, "export-memory": export_memory, "export-changes": export_changes, "writes": writes,
       "cpu": cpu, "reads": reads, "sigv4": sigv4, "import": import_contacts, "start": start, "fleet-writes": fleet_writes, "fleet-export": fleet_export,
       "fleet-nodes": fleet_nodes, "sizing": sizing}
