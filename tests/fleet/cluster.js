// SPDX-License-Identifier: Apache-2.0
// The fleet as one object: machines 1 to 3 with the database (tests/services/postgres-ha), 4 and 5 with souk, and this process on
// machine 99, to which nothing ever happens.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Marketplace, root, run, soukOk } from '../e2e/lib.js';

export const NET = '10.198.51';
export const HERE = `${NET}.99`;
const script = join(root, 'tests/services/postgres-ha');

/** What tests/services/postgres-ha can do, in the directory that run.js started it in. */
export class Database {
  constructor(dir = process.env.SOUK_FLEET_DIR) {
    if (!dir) throw new Error('SOUK_FLEET_DIR is not set: start these tests with ./test fleet or tests/fleet/run.js');
    this.dir = dir;
    this.url = readFileSync(join(dir, 'url'), 'utf8').trim();
    this.skew = { 1: 0, 2: 0, 3: 0 };
    this.shift = 0;
  }

  async do(command, ...args) {
    const r = await run(script, [command, this.dir, ...args.map(String)]);
    if (r.code !== 0) throw new Error(`postgres-ha ${command} ${args.join(' ')}: exit ${r.code}\n${r.err}`);
    return r.out.trim();
  }

  certificate(n) {
    const file = (name) => readFileSync(join(this.dir, String(n), name));
    return { key: file('server.key'), cert: file('server.crt') };
  }

  leader() {
    return this.do('leader');
  }

  whole(seconds = 60) {
    return this.do('whole', seconds);
  }

  sql(statement, database = 'souk') {
    return this.do('sql', statement, database);
  }

  /** A session of the superuser that stays; `end` ends it, and with it its transaction. */
  async session(statements) {
    const url = this.url.replace('//souk:', '//postgres:');
    const child = spawn('psql', ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-d', url], { stdio: ['pipe', 'pipe', 'inherit'] });
    const done = new Promise((r) => child.on('exit', r));
    child.stdin.write(`${statements}\n\\echo held\n`);
    await Promise.race([new Promise((r) => child.stdout.on('data', (t) => String(t).includes('held') && r())),
      done.then(() => { throw new Error('the session ended'); })]);
    return { end: async () => { child.stdin.end(); await done; } };
  }

  setClock(seconds = this.shift) {
    this.shift = seconds;
    for (const n of [1, 2, 3]) {
      const at = seconds + this.skew[n], file = join(this.dir, String(n), 'clock');
      writeFileSync(`${file}.new`, `${at >= 0 ? '+' : ''}${at}s`);
      renameSync(`${file}.new`, file);
    }
  }
}

/** A souk node on a machine of its own: a Marketplace whose server runs in another network namespace. */
class Node extends Marketplace {
  static make(fleet, n) {
    const node = new Node();
    Object.assign(node, { fleet, n, dir: join(fleet.dir, String(n)), log: '', listen: `${NET}.${n}:8080`, skew: 0, operator: fleet.operator });
    node.data = join(node.dir, 'data');
    node.clockFile = join(node.dir, 'clock');
    node.launcher = ['nsenter', `--net=/run/netns/${readFileSync(join(fleet.database.dir, 'tag'), 'utf8').trim()}-${n}`];
    mkdirSync(node.dir);
    node.tick();
    return node;
  }

  /** The server sees the fleet's time and what is wrong with its own clock; clients of the node the fleet's alone. */
  tick() {
    this.setClock(this.fleet.shift + this.skew);
    this.clockShift = this.fleet.shift * 1000;
  }

  start() {
    return super.start(['--behind-proxy']);
  }

  ini(lines) {
    writeFileSync(join(this.data, 'souk.ini'), lines.map((l) => `${l}\n`).join(''), { mode: 0o600 });
  }
}

export class Fleet {
  static async create() {
    const f = new Fleet();
    f.database = new Database();
    f.dir = mkdtempSync(join(tmpdir(), 'souk-fleet-'));
    f.shift = 0;
    for (const n of [4, 5]) await f.database.do('machine', n);
    const [first, second] = f.nodes = [4, 5].map((n) => Node.make(f, n));
    // The first node makes the schema and the key ring; every other one gets the same key ring and settings. Objects are where
    // all nodes see them.
    f.operator = JSON.parse((await soukOk(['init', '--data', first.data, '--name', 'Fleet', '--database', f.database.url, '--json'],
      { env: first.clockEnv() })).out).operator;
    const objects = join(f.dir, 'objects');
    mkdirSync(objects, { mode: 0o700 });
    mkdirSync(second.data, { mode: 0o700 });
    cpSync(join(first.data, 'keyring.json'), join(second.data, 'keyring.json'));
    for (const node of f.nodes) {
      rmSync(join(node.data, 'objects'), { recursive: true, force: true });
      symlinkSync(objects, join(node.data, 'objects'));
      node.operator = f.operator;
      node.ini(f.settings());
      await node.start();
    }
    return f;
  }

  settings(database = this.database.url) {
    return [`database = ${database}`, `public-url = http://${NET}.4:8080`, 'topic.private-addresses = true',
      `topic.ca-file = ${join(this.database.dir, 'ca.pem')}`, 'topic.retry-seconds = 1', 'topic.retries = 100'];
  }

  /** Everybody's clock, so many seconds from the real one; what is skewed stays skewed. */
  async setClock(seconds) {
    this.shift = seconds;
    this.database.setClock(seconds);
    for (const node of this.nodes) node.tick();
  }

  async close() {
    for (const node of this.nodes) {
      await node.stop('SIGKILL');
      writeFileSync(join(this.database.dir, String(node.n), 'souk.log'), node.log);
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}
