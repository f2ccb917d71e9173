# SPDX-License-Identifier: Apache-2.0
"""Reviewing listings of 3 KB with every rule but images, against npm's ajv (structure only) and alex (prose only)."""
import json
import os

from world import HERE, alternate, run

SECONDS = 2
LISTING = HERE / "listing.json"


def measure(w, row, at_least):
    """The peers: `npm install ajv alex` in a folder that SOUK_LINTERS names (else bench/)."""
    where = os.environ.get("SOUK_LINTERS", str(HERE))
    for name in ("ajv", "alex"):
        if not os.path.isdir(f"{where}/node_modules/{name}"):
            raise SystemExit(f"bench: {name} is not there; cd {where} && npm install ajv alex")
    run(["ninja", "-C", w.tool("x").parent.parent, "bench/bench_text"])

    def souk(threads=1):
        return json.loads(run([w.tool("bench_text"), LISTING, SECONDS, threads]))

    def peer(name):
        return json.loads(run(["node", HERE / "listings_peers.mjs", name, LISTING, SECONDS, where]))

    seen = []

    def reviews():
        seen.append(souk())
        return seen[-1]["reviews_s"]

    own, ajv, alex, two = alternate(w.pairs, reviews, lambda: peer("ajv")["rate"], lambda: peer("alex")["rate"],
                                    lambda: souk(2)["reviews_s"])

    def median(of):
        return sorted(s[of] for s in seen)[len(seen) // 2]
    what = "listings of 3 KB read, scanned and reviewed, one thread"
    yield row("review", what, own, 0, "1/s", at_least(20_000), absolute=True)
    yield row("review", "the same; ajv parses and validates the structure", own, ajv, "1/s")
    yield row("review", "the same; alex reads the prose", own, alex, "1/s", at_least(100))
    yield row("review", "two threads; one", two, own, "1/s")
    yield row("review", "texts folded and searched for all terms", median("search_mb_s"), 0, "MB/s", at_least(250), absolute=True)
    yield row("review", "the same, and what is made of them: sentences, patterns, links", median("scan_mb_s"), 0, "MB/s", absolute=True)
