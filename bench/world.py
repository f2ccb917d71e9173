# SPDX-License-Identifier: Apache-2.0
"""What measurements stand on: the built programs, marketplaces of any size in a temporary
directory, running servers, PostgreSQL."""
import contextlib
import json
import os
import pwd
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import data

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build-bench"
PG_BIN = Path("/usr/lib/postgresql/15/bin")
PAST = ["faketime", "-f", "-2d"]    # enrolments and products older than any window
TICK = os.sysconf("SC_CLK_TCK")


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(args, **more):
    done = subprocess.run([str(a) for a in args], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if done.returncode != 0:
        sys.exit(f"bench: {args[0]} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def figures(text):
    """`name value unit` lines as {name: value}."""
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if len(line.split()) > 1}


def seconds(args, **more):
    """Wall clock of a command whose output nobody reads."""
    began = time.monotonic()
    with open(os.devnull, "wb") as out:
        done = subprocess.run([str(a) for a in args], stdout=out, stderr=subprocess.PIPE, **more)
    took = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"bench: {args[0]} failed: {done.stderr.decode()[-2000:]}")
    return took


def alternate(times, *what):
    """Medians of functions called in turn: A B A B ..."""
    got = [[f() for f in what] for _ in range(times)]
    return [statistics.median(column) for column in zip(*got)]


def peak_mib(pid):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def peak_of(args):
    """Peak memory of a command in MiB, and its seconds; the last look before it ends counts."""
    began = time.monotonic()
    with open(os.devnull, "wb") as out:
        child = subprocess.Popen([str(a) for a in args], stdout=out)
        peak = 0.0
        while child.poll() is None:
            peak = max(peak, peak_mib(child.pid))
            time.sleep(0.002)
    if child.returncode != 0:
        sys.exit(f"bench: {args[0]} failed")
    return peak, time.monotonic() - began


def cpu_seconds(pid):
    f = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / TICK


class Running:
    """A server process with a port on loopback."""

    def __init__(self, process, port):
        self.process, self.port, self.pid = process, port, process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait()


def start(souk, data):
    """A server of this data directory, once it answers."""
    ready = data.parent / f"{data.name}.ready"
    ready.unlink(missing_ok=True)
    with open(data.parent / "serve.log", "a") as log:
        process = subprocess.Popen([souk, "serve", "--data", data, "--listen", "127.0.0.1:0", "--ready-file", ready],
                                   stderr=log)
    while not (ready.exists() and ready.read_text().strip()):
        if process.poll() is not None:
            sys.exit(f"bench: souk serve ended; see {data.parent}/serve.log")
        time.sleep(0.001)
    return Running(process, int(ready.read_text().strip().rsplit(":", 1)[1]))


@contextlib.contextmanager
def stopping(*servers):
    try:
        yield servers[0] if len(servers) == 1 else servers
    finally:
        for s in servers:
            s.stop()


class Market:
    """A data directory with n contacts of one seller, and who may do what in it."""

    def __init__(self, world, folder, n):
        self.world, self.folder, self.n, self.data = world, folder, n, folder / "data"
        self.demo = json.loads((folder / "demo.json").read_text())
        self.owned = json.loads((folder / "owned.json").read_text())
        self.seller = self.demo["sellers"][0]
        self.tokens = {b["accountId"]: b["token"] for b in self.demo["buyers"]}

    def export(self, since="2000-01-01T00:00:00Z", *more):
        return [self.world.souk, "export", "contacts", "--data", self.data, "--seller",
                self.seller["accountId"], "--from", since, *more]

    def copy(self, name):
        to = self.folder / name
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.data, to)
        return to

    def start(self):
        return start(self.world.souk, self.data)

    def serve(self):
        return stopping(self.start())


class Postgres:
    """A server of its own on a socket in `folder`, default settings (durable)."""

    def __init__(self, folder):
        self.folder, self.new = folder, not (folder / "a" / "PG_VERSION").exists()
        self.user = pwd.getpwnam("postgres").pw_name if os.getuid() == 0 else None  # PostgreSQL refuses root
        self.env = {**os.environ, "PGHOST": str(folder), "PGUSER": "souk", "PGDATABASE": "postgres"}
        if self.new:
            self._make()
        self._as([PG_BIN / "pg_ctl", "-D", folder / "a", "-l", folder / "log", "-w", "start"])

    def _make(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        if self.user:
            shutil.chown(self.folder, self.user)
        self._as([PG_BIN / "initdb", "-D", self.folder / "a", "-U", "souk", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8"])
        with open(self.folder / "a" / "postgresql.conf", "a") as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nmax_connections = 300\n")

    def _as(self, args):
        # setpriv rather than su: no shell, no session
        prefix = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"] if self.user else []
        with open(self.folder / "setup.log", "a") as log:
            subprocess.run([*prefix, *[str(a) for a in args]], check=True, cwd=self.folder, stdout=log, stderr=log)

    def sql(self, text, database="postgres", *more):
        return run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", *more, "-d", database, *(["-c", text] if text else [])],
                   env=self.env)

    def database(self, name):
        """The address of a database, made when it is not there."""
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'").strip():
            self.sql(f"CREATE DATABASE {name}")
        return f"postgresql:///{name}?host={self.folder}&user=souk"

    def copy_seconds(self, query, database="postgres"):
        return seconds(["psql", "-q", "-d", database, "-c", f"COPY ({query}) TO STDOUT (FORMAT csv)"], env=self.env)

    def _processes(self):
        first = int((self.folder / "a" / "postmaster.pid").read_text().split()[0])
        return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]

    def cpu_seconds(self):
        """Of all its processes; of those that ended the postmaster has the sum."""
        total = 0
        for pid in self._processes():
            try:
                f = [int(x) for x in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:15]]
            except FileNotFoundError:       # it has just ended
                continue
            total += sum(f)                 # its own, and of its children that ended
        return total / TICK

    def log_bytes(self):
        return int(self.sql("SELECT pg_current_wal_lsn() - '0/0'"))

    def backends(self):
        return [int(p) for p in self.sql("SELECT pid FROM pg_stat_activity WHERE application_name ~ '^souk (read|write)'").split()]

    def pgbench(self, database, script, clients, took, **variables):
        """Transactions a second."""
        out = run([PG_BIN / "pgbench", "-n", "-M", "prepared", "-c", clients, "-j", 2, "-T", took, "-f", script,
                   *[x for k, v in variables.items() for x in ("-D", f"{k}={v}")], database], env=self.env)
        return float(next(line for line in out.splitlines() if line.startswith("tps")).split()[2])

    def stop(self):
        self._as([PG_BIN / "pg_ctl", "-D", self.folder / "a", "-m", "fast", "stop"])


class World:
    def __init__(self, folder, pairs):
        self.folder, self.pairs = Path(folder), pairs
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o755)
        self.souk = BUILD / "src" / "cli" / "souk"
        self._postgres = None
        # PostgreSQL's tools and ours find enough descriptors for 64 connections and more
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else soft, hard))

    def tool(self, name):
        return BUILD / "bench" / name

    def build(self):
        if not (BUILD / "build.ninja").exists():
            run(["meson", "setup", BUILD, "--buildtype=release"], cwd=ROOT)
        run(["ninja", "-C", BUILD, "src/cli/souk", "bench/load", "bench/bench_hello", "bench/bench_sigv4", "bench/bench_feeds",
             "bench/bench_export", "bench/bench_write"])

    def facts(self, folder, n, database=None):
        """A data directory with everything but the contacts; its files stay beside it."""
        folder.mkdir(parents=True)
        where = ["--data", folder / "data"]
        run([*PAST, self.souk, "init", *where, "--name", "bench", *(["--database", database] if database else [])])
        demo = run([*PAST, self.souk, "demo", *where, "--json"])
        (folder / "demo.json").write_text(demo)
        demo = json.loads(demo)
        owned = data.make(folder, n, demo["sellers"][0]["accountId"], [b["accountId"] for b in demo["buyers"]])
        (folder / "owned.json").write_text(json.dumps(owned))
        for kind in ("accounts", "products", "subscriptions"):
            run([*PAST, self.souk, "import", *where, kind, folder / f"{kind}.csv"])
        return folder / "data"

    def market(self, n, fleet=False):
        """Of n contacts; with `fleet` on the PostgreSQL server of this run, in a database of its own."""
        folder = self.folder / f"{'fleet' if fleet else 'market'}-{n}"
        database = self.postgres().database(f"souk{n}") if fleet else None
        if fleet and self.postgres().new:
            shutil.rmtree(folder, ignore_errors=True)
        if not (folder / "done").exists():
            say(f"making a marketplace with {n} contacts")
            shutil.rmtree(folder, ignore_errors=True)
            self.facts(folder, n, database)
            run([self.souk, "import", "--data", folder / "data", "contacts", folder / "contacts.csv"])
            if fleet:
                # Times there are the server's, whose clock is not moved: an enrolment of today exports nothing yet.
                self.postgres().sql("UPDATE enrolment SET since = since - 172800000", f"souk{n}")
                self.postgres().sql("UPDATE product SET psc_enabled_since = psc_enabled_since - 172800000", f"souk{n}")
                self.postgres().sql("VACUUM ANALYZE", f"souk{n}")
            (folder / "done").touch()
        return Market(self, folder, n)

    def postgres(self):
        if not self._postgres:
            self._postgres = Postgres(self.folder / "postgres")
        return self._postgres

    @contextlib.contextmanager
    def hello(self):
        process = subprocess.Popen([self.tool("bench_hello")], stdout=subprocess.PIPE, text=True)
        server = Running(process, int(process.stdout.readline()))
        try:
            yield server
        finally:
            server.stop()

    def load(self, server, requests, connections=64, took=4, rate=0):
        """Figures of bench/load, with the server's CPU per request in microseconds."""
        before = cpu_seconds(server.pid)
        got = figures(run([self.tool("load"), server.port, connections, took, rate, requests]))
        got["cpu_us"] = (cpu_seconds(server.pid) - before) * 1e6 / max(got["requests"], 1)
        return got

    def close(self):
        if self._postgres:
            self._postgres.stop()
