# SPDX-License-Identifier: Apache-2.0
"""Lines to people and commissions: souk's engine and DuckDB doing the same as SQL joins, both on one thread, in processor time."""
import json
import subprocess

from world import HERE, alternate, figures, run

LINES, RULES = 1_000_000, 10_000
DUCKDB = "1.5.6-r.1"


def duckdb(w):
    """The npm package in a folder of its own."""
    modules = w.folder / "duckdb"
    if not (modules / "node_modules/@duckdb/node-api").exists():
        modules.mkdir(parents=True, exist_ok=True)
        (modules / "package.json").write_text(json.dumps({"private": True, "dependencies": {"@duckdb/node-api": DUCKDB}}))
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=modules, check=True)
    return modules


def measure(w, row, at_least, at_most):
    modules, data = duckdb(w), w.folder / "commissions"
    data.mkdir(exist_ok=True)
    run(["ninja", "-C", w.tool("x").parent.parent, "bench/bench_commissions"])
    souk, peer = {}, {}
    ours = [w.tool("bench_commissions"), LINES, RULES, 1]
    theirs = ["node", HERE / "commissions_duckdb.mjs", data, 1, modules]
    run([*ours, data])

    def one(into, command):
        got = figures(run(command))
        into.update(got)
        return got["all_s"]

    souk_s, peer_s = alternate(w.pairs, lambda: one(souk, ours), lambda: one(peer, theirs))
    for name in ("mapped", "items", "commission"):
        if souk[name] != peer[name]:
            raise SystemExit(f"bench: {name}: souk has {souk[name]}, DuckDB {peer[name]}")
    yield row("edsp-commissions", "1M lines mapped and paid by 10k rules, one core", souk_s, 0, "s", at_most(1), True)
    yield row("edsp-commissions", "lines a second; peer: DuckDB, the same in SQL", LINES / souk_s, LINES / peer_s, "1/s", at_least(10))
    yield row("edsp-commissions", "the same; peer: domains and names come normalised", LINES / souk_s, LINES / peer["joins_all_s"], "1/s")
    yield row("edsp-commissions", "mapping alone", LINES / souk["map_s"], LINES / peer["map_s"], "1/s")
