// SPDX-License-Identifier: Apache-2.0
// One real PostgreSQL (tests/services/postgres) whose server the tests stop, hang and starve.
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { root, run, sleep, until } from './lib.js';

const bin = process.env.PGBIN ?? '/usr/lib/postgresql/15/bin';
const asServer = userInfo().uid === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : [];

async function ok(what, args, options) {
  const [program, ...rest] = args.flat();
  const r = await run(program, rest, options);
  if (r.code !== 0) throw new Error(`${what}: ${r.code} ${r.err}`);
  return r.out.trim();
}

export class Postgres {
  /** On a file system of `megabytes` in memory, which needs root, or where temporary files are. */
  static async start({ megabytes = 0, settings = [] } = {}) {
    const p = new Postgres();
    p.top = mkdtempSync(join(tmpdir(), 'souk-pg-'));
    chmodSync(p.top, 0o755);
    p.dir = join(p.top, 'server');
    if (megabytes) {
      await ok('mkdir', ['mkdir', p.dir]);
      await ok('a disk in memory (root is needed)', ['mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'souk', p.dir]);
      p.mounted = true;
    }
    p.script = spawn(join(root, 'tests/services/postgres'),
      [p.dir, '--no-fsync', '--stdin', ...settings.flatMap((s) => ['--set', s])], { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '', err = '', ended = false;
    p.script.stdout.setEncoding('utf8').on('data', (t) => { out += t; });
    p.script.stderr.setEncoding('utf8').on('data', (t) => { err += t; });
    p.script.on('exit', () => { ended = true; });
    await until(() => {
      if (ended) throw new Error(`postgres ended: ${err}`);
      return out.includes('\n');
    }, 60000, 'postgres answering');
    p.url = out.trim();
    p.admin = readFileSync(join(p.dir, 'admin-url'), 'utf8').trim();
    p.password = new URL(p.url).password;
    p.data = join(p.dir, 'data');
    return p;
  }

  /** As the superuser, over the socket, which needs neither the network nor TLS. */
  sql(text, database = 'souk') {
    return ok('psql', [join(bin, 'psql'), '-qAtX', '-v', 'ON_ERROR_STOP=1', '-c', text], { env: {
      PGHOST: this.dir, PGPORT: new URL(this.url).port, PGUSER: 'postgres', PGDATABASE: database, PGPASSWORD: this.password } });
  }

  /** A session that holds something until it is ended. */
  hold(text) {
    const child = spawn(join(bin, 'psql'), ['-qAtX'], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env,
      PGHOST: this.dir, PGPORT: new URL(this.url).port, PGUSER: 'postgres', PGDATABASE: 'souk', PGPASSWORD: this.password } });
    child.stdin.write(`${text}\n\\echo held\n`);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (t) => { out += t; });
    return until(() => out.includes('held'), 10000, 'holding').then(() => async () => {
      child.stdin.end();
      await new Promise((r) => child.on('exit', r));
    });
  }

  /** Ends every session of souk's; gives their number. */
  async cut() {
    return Number(await this.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'souk'"));
  }

  ctl(...args) {
    return ok('pg_ctl', [...asServer, join(bin, 'pg_ctl'), '-D', this.data, '-s', '-l', join(this.data, 'log'), ...args], { cwd: '/' });
  }

  stop(mode = 'fast') {
    return this.ctl('stop', '-w', '-m', mode);
  }

  async begin() {
    // The port must be free again; who stopped it knows nothing of others.
    for (let i = 0; i < 20; i++) {
      try { await this.ctl('start', '-w'); return; } catch (e) { if (i === 19) throw e; await sleep(200); }
    }
  }

  /** All processes of the server. */
  processes() {
    const first = Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const children = readdirSync('/proc').filter((n) => /^\d+$/.test(n)).map(Number).filter((n) => {
      try { return Number(readFileSync(`/proc/${n}/stat`, 'utf8').split(') ')[1].split(' ')[1]) === first; } catch { return false; }
    });
    return [first, ...children];
  }

  signal(name) {
    for (const n of this.processes()) {
      try { process.kill(n, name); } catch (e) { if (e.code !== 'ESRCH') throw e; }
    }
  }

  /** Gives the server a certificate of an authority that nobody knows; undone by the function returned. */
  async foreignCertificate() {
    const at = (name) => join(this.dir, name);
    for (const f of ['server.crt', 'server.key']) copyFileSync(at(f), at(`${f}.kept`));
    await ok('openssl', ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', at('new.key'), '-out', at('new.crt')]);
    const put = async (crt, key) => {
      // Written in place: owner and mode stay.
      writeFileSync(at('server.crt'), readFileSync(at(crt)));
      writeFileSync(at('server.key'), readFileSync(at(key)));
      await this.ctl('reload');
      await sleep(300);
    };
    await put('new.crt', 'new.key');
    return () => put('server.crt.kept', 'server.key.kept');
  }

  async close() {
    try { this.signal('SIGCONT'); await this.stop('immediate'); } catch { /* it was down */ }
    this.script.stdin.end();
    await until(() => this.script.exitCode !== null || this.script.signalCode !== null, 20000, 'end of the script');
    if (this.mounted) await ok('umount', ['umount', '-l', this.dir]);
    rmSync(this.top, { recursive: true, force: true });
  }
}
