# SPDX-License-Identifier: Apache-2.0
"""BatchMeterUsage: durable records a second of 64 clients, against SQLite alone inserting such rows."""
import shutil
import sqlite3
import time

import wire
from world import alternate, figures, run

RECORDS = 25        # of a call: the most there may be
CALLS = 16_000
SECONDS = 4


def prepare(w, market, name):
    """Calls that nobody has made yet: a buyer with a subscription, and a dimension of its own for each record."""
    db = sqlite3.connect(market.data / "souk.db")
    seller = market.seller
    buyer, code = db.execute(
        "SELECT s.buyer_id, p.product_code FROM subscription s JOIN product p USING (seller_id, product_id)"
        " WHERE s.seller_id = ? AND s.ended_at IS NULL AND s.ends_at IS NULL AND p.dimensions IS NULL LIMIT 1", (seller["accountId"],)).fetchone()
    db.close()
    now = int(time.time()) - 60
    return wire.write(w.folder / "usage.req", [
        wire.batch_meter_usage(seller, {"ProductCode": code, "UsageRecords": [
            {"Timestamp": now, "CustomerIdentifier": buyer, "Dimension": f"{name}-{i}-{k}", "Quantity": 7}
            for k in range(RECORDS)]})
        for i in range(CALLS)])


def taken(market):
    db = sqlite3.connect(market.data / "souk.db")
    (n,) = db.execute("SELECT count(*) FROM usage_record").fetchone()
    db.close()
    return n


def measure(w, row, at_least):
    market = w.market(10_000)
    peer = w.folder / "usage-peer.db"
    runs = iter(range(1000))

    def souk(server):
        requests = prepare(w, market, f"run{time.time_ns()}-{next(runs)}")
        before, began = taken(market), time.monotonic()
        got = w.load(server, requests, 64, SECONDS)
        took = time.monotonic() - began
        if got.get("status_2xx", 0) != got["requests"] or got["requests"] > CALLS:
            raise SystemExit(f"bench: unexpected answers, or calls made twice: {got}")
        return (taken(market) - before) / took

    def sqlite(rows):
        for f in w.folder.glob("usage-peer.db*"):
            f.unlink()
        shutil.copy(market.data / "souk.db", peer)
        return figures(run([w.tool("bench_usage"), peer, SECONDS, rows]))["rate"]

    run(["ninja", "-C", w.tool("x").parent.parent, "bench/bench_usage"])
    with market.serve():
        pass                                       # its log moved into the file: the peer's copy is whole
    with market.serve() as server:
        ours, theirs, large = alternate(w.pairs, lambda: souk(server), lambda: sqlite(RECORDS), lambda: sqlite(64 * RECORDS))
    yield row("metering", "BatchMeterUsage, 64 clients; peer: SQLite, the same rows, 25 a transaction", ours, theirs, "records/s", at_least(0.5))
    yield row("metering", "the same; peer: 1,600 a transaction", ours, large, "records/s")
