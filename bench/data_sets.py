# SPDX-License-Identifier: Apache-2.0
"""GenerateDataSet for many sellers at once: throughput by processors, memory by sellers. souk on its embedded database."""
import json
import shutil
import subprocess
import time

import wire
from world import alternate, peak_mib, run, start, stopping

SELLERS = 100
EVENTS = 50_000         # of each; SOUK_BENCH_EVENTS says another number
PUBLISHED = 1734220800  # 2024-12-15


def make(w, sellers, events):
    """A marketplace whose sellers all have feeds of the same seed, each under its own number."""
    folder = w.folder / f"sets-{sellers}-{events}"
    if (folder / "sellers.json").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    data = folder / "data"
    made = json.loads(run(["faketime", "2024-01-02", w.souk, "init", "--data", data, "--name", "bench", "--json"]))
    with stopping(start(w.souk, data)) as server:
        list_ = [seller(server.port, made["operator"]["token"], i) for i in range(sellers)]
    run(["sqlite3", data / "souk.db", "UPDATE account SET created_at = 1672531200000"])      # they joined in 2023
    for s in list_:
        run([w.souk, "feeds", "make", folder / "feeds", "--events", events, "--seller", s["accountId"], "--gzip"])
        run([w.souk, "import", "--data", data, "feeds", "--seller", s["accountId"], folder / "feeds"])
        shutil.rmtree(folder / "feeds")
    (folder / "sellers.json").write_text(json.dumps(list_))
    return folder


def seller(port, operator, i):
    account = f"{300000000 + i:012d}"
    post = lambda path, body, token=operator: wire.call(port, "POST", f"/api/v1/{path}", token, body)
    post("accounts", {"accountId": account, "name": f"Example Seller {i}", "country": "US", "seller": True, "paidSeller": True})
    user = post(f"accounts/{account}/users", {"name": "root"})["userId"]
    token = post(f"users/{user}/tokens", {"label": "bench"})["token"]
    key = post(f"users/{user}/access-keys", {})
    bucket = f"sets-{i}"
    post(f"sellers/{account}/buckets", {"name": bucket}, token)
    topic = post(f"sellers/{account}/topics", {"name": "ready"}, token)["topicArn"]
    role = post(f"sellers/{account}/roles", {"name": "DataSets", "policy": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
        {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}]}}, token)["roleArn"]
    return {"accountId": account, "token": token, "accessKeyId": key["accessKeyId"], "secretAccessKey": key["secretAccessKey"],
            "bucket": bucket, "topicArn": topic, "roleArn": role}


def all_at_once(w, folder, cores):
    """Seconds until the last file is in its bucket, and the server's peak memory."""
    sellers = json.loads((folder / "sellers.json").read_text())
    with stopping(start(w.souk, folder / "data")) as server:
        subprocess.run(["taskset", "-acp", f"0-{cores - 1}", str(server.pid)], check=True, stdout=subprocess.DEVNULL)
        requests = [wire.generate_data_set(s, {
            "dataSetType": "monthly_revenue_billing_and_revenue_data", "dataSetPublicationDate": PUBLISHED, "roleNameArn": s["roleArn"],
            "destinationS3BucketName": s["bucket"], "snsTopicArn": s["topicArn"]}) for s in sellers]
        count = lambda state: int(run(["sqlite3", "-readonly", folder / "data" / "souk.db",
                                       f"SELECT count(*) FROM data_set_request WHERE state = '{state}'"]))
        done, began = count("delivered"), time.monotonic()
        for r in requests:
            wire.send(server.port, r)
        while count("waiting"):
            time.sleep(0.05)
        took = time.monotonic() - began
        if count("delivered") - done != len(sellers):
            raise SystemExit("bench: a data set was not delivered")
        return took, peak_mib(server.pid)


def measure(w, row, at_most, at_least, events):
    few, many = make(w, SELLERS // 10, events), make(w, SELLERS, events)
    all_at_once(w, many, 2)                        # page cache
    peaks = {}

    def once(folder, cores):
        took, peaks[folder, cores] = all_at_once(w, folder, cores)
        return took

    two, one, _ = alternate(w.pairs, lambda: once(many, 2), lambda: once(many, 1), lambda: once(few, 2))
    what = f"GenerateDataSet, {SELLERS} sellers of {events:,} events"
    yield row("data-sets-100", f"{what}, two processors; peer: one", SELLERS / two, SELLERS / one, "sets/s", at_least(1.6))
    yield row("data-sets-100", "its peak memory; peer: ten sellers", peaks[many, 2], peaks[few, 2], "MiB", at_most(1.25))
