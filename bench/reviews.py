# SPDX-License-Identifier: Apache-2.0
"""Reviewing every live listing again after a change of the rules, each with a logo of its own, with the server answering meanwhile."""
import json
import random
import shutil
import statistics
import sqlite3
import subprocess
import time
import uuid

import wire
from world import ROOT, peak_mib, start, stopping

LISTINGS = 100_000
RATE = 200                  # light requests a second meanwhile
LATE = "1000000"            # long due


def document(i, lake):
    """About 3 KB, as sellers write them; without what the server knows better."""
    d = json.loads((ROOT / "tests/vectors/proserv/listing.json").read_text())
    for name in ("id", "edition", "seller", "visibility", "product_state", "offers", "fulfilments"):
        del d[name]
    d["title"] = f"Warehouse Lift {i}: implementation for Example Lake"
    d["associated_products"] = [{"id": f"prod-{lake}"}]
    d["long_description"] = d["long_description"].replace("within eight weeks", f"within {i % 50 + 2} weeks")
    return d["title"], d["logo"]["url"], json.dumps(d, ensure_ascii=False, separators=(",", ":"))


def fill(path):
    db = sqlite3.connect(path)
    sellers = [r[0] for r in db.execute("SELECT account_id FROM account WHERE is_seller = 1")]
    now = int(time.time() * 1000)
    lake = uuid.uuid4()
    chance = random.Random(1)

    def product(seller, at, title, kind):
        code = at.hex[:25]
        db.execute("INSERT INTO product (seller_id, product_id, product_code, title, type, pricing, support_email, support_phone,"
                   " support_url, psc_enabled, state, created_at, changed_at, revision) VALUES (?, ?, ?, ?, ?, '[\"contract\"]', '', '', '',"
                   " 0, 'public', ?, ?, 1)", (seller, at.bytes, code, title, kind, now, now))
        db.execute("INSERT INTO id_owner (kind, id, seller_id) VALUES (1, ?, ?)", (at.bytes, seller))

    db.execute("UPDATE account SET paid_seller = 1 WHERE is_seller = 1")
    product(sellers[0], lake, "Example Lake", "saas")
    for i in range(LISTINGS):
        at, seller = uuid.uuid4(), sellers[i % len(sellers)]
        title, logo, text = document(i, lake)
        product(seller, at, title, "services")
        db.execute("INSERT INTO listing (seller_id, product_id, document, data_use, targeting, extra, revision, title_key, title_key_2,"
                   " created_at, changed_at) VALUES (?, ?, ?, ?, '[]', '{}', 1, ?, '', ?, ?)",
                   (seller, at.bytes, text, '{"accepted":true,"date":"2026-01-10","version":"1"}', title.casefold(), now, now))
        db.execute("INSERT INTO listing_review (seller_id, product_id, edition, standing, reviewed_revision, due_at, marks)"
                   " VALUES (?, ?, 'G21', 'unreviewed', 0, ?, 1)", (seller, at.bytes, LATE))
        db.execute("INSERT INTO listing_logo (seller_id, product_id, change_set_id, url, digest, bytes, format, width, height, frames, damaged,"
                   " trouble, ground, colour, hash, fetched_at, changed_at, in_force)"
                   " VALUES (?, ?, ?, ?, zeroblob(32), 30000, 'PNG', 400, 400, 1, 0, '', 'white', 0, ?, ?, ?, 1)",
                   (seller, at.bytes, uuid.uuid4().bytes, logo, f"{chance.getrandbits(256):064x}", now, now))
    db.commit()
    db.close()
    return len(text.encode())


def change(port, token, listing, to):
    """A change of its visibility, until it is made or waits for people."""
    asked = wire.call(port, "POST", f"/api/v1/listings/{listing}/change-requests", token,
                      {"changes": [{"type": "UpdateVisibility", "details": {"TargetVisibility": to}}]})
    while wire.call(port, "GET", f"/api/v1/change-requests/{asked['changeRequestId']}", token)["status"] in ("Preparing changes", "Applying changes"):
        time.sleep(0.002)


def alone(server, data, token):
    """The median times of reviewing one listing, and of one that is to be public up to the gate, in milliseconds."""
    db = sqlite3.connect(f"file:{data / 'souk.db'}?mode=ro", uri=True)
    # A seller has 20 change sets under way at most.
    ids = [str(uuid.UUID(bytes=r[0])) for r in db.execute("SELECT product_id FROM listing_logo LIMIT 15")]
    db.close()
    calls, gates = [], []
    for one in ids:
        began = time.monotonic()
        wire.call(server.port, "POST", f"/api/v1/listings/{one}/review", token)
        calls.append(1000 * (time.monotonic() - began))
        change(server.port, token, one, "Limited")
        began = time.monotonic()
        change(server.port, token, one, "Public")
        gates.append(1000 * (time.monotonic() - began))
    return statistics.median(calls), statistics.median(gates)


def wait(data, question):
    db = sqlite3.connect(f"file:{data / 'souk.db'}?mode=ro", uri=True)
    while db.execute(question).fetchone()[0] > 0:
        time.sleep(0.1)
    db.close()


def edition(data, word):
    (data / "souk.ini").write_text(f"review.edition = {word}\n")


def rewind(data, before):
    """As it was before the change of the rules."""
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(before, data)


def measure(w, row, at_most):
    folder = w.folder / "reviews"
    data, before = folder / "data", folder / "before"
    if not before.exists():
        shutil.rmtree(folder, ignore_errors=True)
        w.facts(folder, 10)
        fill(data / "souk.db")
        edition(data, "G21")
        with stopping(start(w.souk, data)):
            began = time.monotonic()
            wait(data, "SELECT count(*) FROM listing_review WHERE reviewed_at IS NULL")
            first = time.monotonic() - began
        (folder / "first").write_text(str(first))
        # Which rules it was is noted at the next start: all are reviewed once more.
        with stopping(start(w.souk, data)):
            wait(data, "SELECT count(*) = 0 FROM meta WHERE name = 'review.rules'")
            wait(data, "SELECT count(*) FROM job WHERE kind = 'review' AND state < 2")
        data.rename(before)
    token = json.loads((folder / "demo.json").read_text())["operator"]["token"]
    asks = wire.write(folder / "asks.req", [wire.bearer("GET", "/api/v1/whoami", token)])
    times, late, one = [], [], []
    for _ in range(w.pairs):
        rewind(data, before)
        edition(data, "G22")
        with stopping(start(w.souk, data)) as server:
            began = time.monotonic()
            load = subprocess.Popen([str(w.tool("load")), str(server.port), "8", "10", str(RATE), str(asks)], stdout=subprocess.PIPE, text=True)
            wait(data, "SELECT count(*) FROM listing_review WHERE edition = 'G21'")
            times.append(time.monotonic() - began)
            got = dict(line.split()[:2] for line in load.communicate()[0].splitlines() if len(line.split()) > 1)
            late.append(got)
            one.append((*alone(server, data, token), peak_mib(server.pid)))
    times.sort()
    first = float((folder / "first").read_text())
    p99 = sorted(float(g["p99"]) for g in late)[len(late) // 2]
    yield row("reviews", f"{LISTINGS:,} live listings reviewed again after a change of edition", times[len(times) // 2], None, "s", at_most(20), True)
    yield row("reviews", f"p99 of {RATE} light requests a second meanwhile", p99, None, "ms", at_most(50), True)
    one.sort()
    yield row("reviews", "one of them reviewed alone, by a call", one[len(one) // 2][0], None, "ms")
    yield row("reviews", "one of them to be public, until the gate has it", one[len(one) // 2][1], None, "ms")
    yield row("reviews", "peak memory of the server", one[len(one) // 2][2], None, "MiB")
    yield row("reviews", "the first review of them, with their tasks", first, None, "s")
