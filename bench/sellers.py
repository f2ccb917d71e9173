# SPDX-License-Identifier: Apache-2.0
"""A marketplace of many sellers on PostgreSQL, each with a bucket, a topic and a role of its own, and nodes that serve it."""
import json
import shutil

import data
import wire
from world import PAST, run, start, stopping

CONTACTS = 2_000    # of each


class Sellers:
    def __init__(self, world, count):
        self.world, self.name = world, f"sellers{count}"
        self.folder = world.folder / self.name
        self.pg = world.postgres()
        if self.pg.new:
            shutil.rmtree(self.folder, ignore_errors=True)
        if not (self.folder / "sellers.json").exists():
            self._make(count)
        self.sellers = json.loads((self.folder / "sellers.json").read_text())

    def _make(self, count):
        shutil.rmtree(self.folder, ignore_errors=True)
        first, second = (self.folder / name for name in ("first", "second"))
        self.folder.mkdir()
        made = json.loads(run([*PAST, self.world.souk, "init", "--data", first, "--name", "bench", "--json", "--database",
                               self.pg.database(self.name)]))
        # What an operator copies to a further node; the objects are where both find them.
        second.mkdir(0o700)
        for name in ("souk.ini", "keyring.json"):
            shutil.copy(first / name, second / name)
        (second / "objects").symlink_to(first / "objects")
        with stopping(start(self.world.souk, first)) as server:
            sellers = [self._seller(server.port, made["operator"]["token"], i) for i in range(count)]
        for i, s in enumerate(sellers):
            (self.folder / f"{i}").mkdir()
            data.make(self.folder / f"{i}", CONTACTS, s["accountId"], [], i)
        for kind in ("accounts", "products", "subscriptions", "contacts"):
            files = [self.folder / f"{i}" / f"{kind}.csv" for i in range(1 if kind == "accounts" else count)]
            run([*PAST, self.world.souk, "import", "--data", first, kind, *files])
        self.pg.sql("UPDATE enrolment SET since = since - 172800000; UPDATE product SET psc_enabled_since = "
                    "psc_enabled_since - 172800000", self.name)
        self.pg.sql("VACUUM ANALYZE", self.name)
        (self.folder / "sellers.json").write_text(json.dumps(sellers))

    def _seller(self, port, operator, i):
        account = f"{200000000 + i:012d}"
        post = lambda path, body, token=operator: wire.call(port, "POST", f"/api/v1/{path}", token, body)
        post("accounts", {"accountId": account, "name": f"Example Seller {i}", "country": "US", "seller": True, "paidSeller": True})
        user = post(f"accounts/{account}/users", {"name": "root"})["userId"]
        token = post(f"users/{user}/tokens", {"label": "bench"})["token"]
        key = post(f"users/{user}/access-keys", {})
        wire.call(port, "PUT", f"/api/v1/sellers/{account}/enrolments/psc", operator, {"state": "enrolled"})
        bucket = f"exports-{i}"
        post(f"sellers/{account}/buckets", {"name": bucket}, token)
        topic = post(f"sellers/{account}/topics", {"name": "ready"}, token)["topicArn"]
        role = post(f"sellers/{account}/roles", {"name": "MarketplaceCommerceAnalyticsRole", "policy": {
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetBucketLocation"], "Resource": f"arn:aws:s3:::{bucket}/*"},
                {"Effect": "Allow", "Action": ["sns:Publish", "sns:GetTopicAttributes"], "Resource": topic}]}}, token)["roleArn"]
        return {"accountId": account, "accessKeyId": key["accessKeyId"], "secretAccessKey": key["secretAccessKey"],
                "bucket": bucket, "topicArn": topic, "roleArn": role}

    def nodes(self, count):
        return [start(self.world.souk, self.folder / name) for name in ("first", "second")[:count]]

    def waiting(self):
        return int(self.pg.sql("SELECT count(*) FROM data_set_request WHERE state = 'waiting'", self.name))

    def rows(self):
        """What the exports so far gave, or an end when one failed."""
        failed, rows = self.pg.sql("SELECT count(*) FILTER (WHERE state <> 'delivered'), sum(rows_create + rows_update) "
                                   "FROM data_set_request", self.name).strip().split("|")
        if failed != "0":
            raise SystemExit(f"bench: {failed} exports failed")
        return int(rows or 0)
