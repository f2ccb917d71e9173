// SPDX-License-Identifier: Apache-2.0
// What every end-to-end test needs: the real binary on a free port, and the real clients.
import { spawn, execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, existsSync, rmSync, writeFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import http from 'node:http';
import { promisify } from 'node:util';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const soukBinary = process.env.SOUK_BINARY ?? join(root, 'build/src/cli/souk');
const aws = process.env.AWS_CLI ?? '/usr/bin/aws';
const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** Polls until `fn` gives something truthy; fails after `ms`. */
export async function until(fn, ms = 20000, what = 'condition') {
  const end = performance.now() + ms;
  for (;;) {
    const got = await fn();
    if (got) return got;
    if (performance.now() > end) throw new Error(`${what} did not come true in ${ms} ms`);
    await sleep(25);
  }
}

/** Runs a program to its end. Never throws for an exit code. */
export function run(program, args, { env = {}, input, cwd, timeout = 120000 } = {}) {
  return new Promise((done) => {
    const child = execFile(program, args,
      { env: { ...process.env, ...env }, cwd, timeout, maxBuffer: 1 << 28, encoding: 'buffer' },
      (err, stdout, stderr) => done({
        code: err ? (typeof err.code === 'number' ? err.code : -1) : 0,
        signal: err?.signal ?? null,
        out: stdout.toString('utf8'), err: stderr.toString('utf8'), raw: stdout,
      }));
    if (input !== undefined) child.stdin.end(input);
  });
}

export const souk = (args, options) => run(soukBinary, args, options);

/** Runs souk and insists on success. */
export async function soukOk(args, options) {
  const r = await souk(args, options);
  if (r.code !== 0) throw new Error(`souk ${args.join(' ')}: exit ${r.code}\n${r.err}`);
  return r;
}

/**
 * A marketplace in a temporary directory and a server on it. The clock of every program
 * can be moved together (`setClock`): the server, the AWS CLI, the souk command line.
 */
/**
 * With SOUK_TEST_DATABASE, a schema of its own there: the address to give to `souk init`. Marketplaces with a
 * moved clock stay on the embedded database: a server's clock is its own.
 */
async function ownSchema() {
  const server = process.env.SOUK_TEST_DATABASE;
  if (!server) return null;
  const schema = `e${process.pid}_${schemas += 1}`;
  await promisify(execFile)('psql', [server, '-q', '-v', 'ON_ERROR_STOP=1', '-c', `CREATE SCHEMA ${schema}`]);
  return `${server}${server.includes('?') ? '&' : '?'}options=-csearch_path%3D${schema}`;
}
let schemas = 0;

export class Marketplace {
  static async create({ scale = 1, seed = 1, ini = '', serve = true, clock = false, listen, database } = {}) {
    const m = new Marketplace();
    m.dir = mkdtempSync(join(tmpdir(), 'souk-e2e-'));
    m.data = join(m.dir, 'data');
    m.listen = listen ?? '127.0.0.1:0';
    m.clockFile = clock ? join(m.dir, 'clock') : null;
    if (clock) m.setClock(0);
    m.log = '';
    const at = database ?? (m.clockFile ? null : await ownSchema());
    await soukOk(['init', '--data', m.data, '--name', 'Test', ...(at ? ['--database', at] : [])], { env: m.clockEnv() });
    if (ini) writeFileSync(join(m.data, 'souk.ini'), `${at ? `database = ${at}\n` : ''}${ini}`, { mode: 0o600 });
    m.logins = JSON.parse((await soukOk(
      ['demo', '--data', m.data, '--json', '--scale', String(scale), '--seed', String(seed)],
      { env: m.clockEnv(), timeout: 600000 })).out);
    m.seller = m.logins.sellers[0];
    m.buyer = m.logins.buyers[0];
    m.operator = m.logins.operator;
    if (serve) await m.start();
    return m;
  }

  clockEnv() {
    return this.clockFile ? {
      LD_PRELOAD: faketime, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_FORCE_MONOTONIC_FIX: '0',
      FAKETIME_TIMESTAMP_FILE: this.clockFile, FAKETIME_NO_CACHE: '1',
    } : {};
  }

  /** Moves the clock of all programs by so many seconds from the real one. */
  setClock(seconds) {
    writeFileSync(`${this.clockFile}.new`, `${seconds >= 0 ? '+' : ''}${seconds}s`);
    renameSync(`${this.clockFile}.new`, this.clockFile);
    this.clockShift = seconds * 1000;
  }

  now() {
    return Date.now() + (this.clockShift ?? 0);
  }

  async start(extra = []) {
    const ready = join(this.dir, 'ready');
    rmSync(ready, { force: true });
    this.exited = false;
    this.killed = false;
    const [program, ...before] = [...(this.launcher ?? []), soukBinary];
    this.process = spawn(program,
      [...before, 'serve', '--data', this.data, '--listen', this.listen, '--ready-file', ready, ...extra],
      { env: { ...process.env, ...this.clockEnv() }, stdio: ['ignore', 'pipe', 'pipe'] });
    const child = this.process;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { this.log += text; });
    }
    child.on('exit', (code, signal) => { if (child === this.process) this.exited = { code, signal }; });
    await until(() => {
      if (this.exited) throw new Error(`serve ended: ${JSON.stringify(this.exited)}\n${this.log.slice(-2000)}`);
      return existsSync(ready) && readFileSync(ready, 'utf8').trim();
    }, 30000, 'readiness');
    this.url = readFileSync(ready, 'utf8').trim();
    this.port = new URL(this.url).port;
    return this;
  }

  async stop(signal = 'SIGTERM') {
    if (!this.process || this.exited) return this.exited;
    this.killed = true;
    this.process.kill(signal);
    await until(() => this.exited, 20000, 'end of serve');
    return this.exited;
  }

  async close() {
    // A server that ended by itself is news, whatever the test was about.
    if (this.exited && this.exited.signal && !this.killed) process.stderr.write(`serve ended by itself: ${JSON.stringify(this.exited)}\n${this.log.slice(-4000)}\n`);
    await this.stop('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A REST call; `as` is a login of the demo (or null). Gives status, headers, text and json; throws when no answer comes. */
  async rest(as, method, path, body, headers = {}, signal = undefined) {
    const answer = await fetch(this.url + path, {
      method, signal,
      headers: {
        ...(as ? { Authorization: `Bearer ${as.token ?? as}` } : {}),
        ...(body !== undefined ? { 'Content-Type': 'application/json' } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    let json;
    try { json = JSON.parse(text); } catch { json = undefined; }
    return { status: answer.status, headers: answer.headers, text, json };
  }

  /** The AWS CLI against this server. */
  aws(args, { as = this.seller, env = {}, ...options } = {}) {
    return run(aws, ['--endpoint-url', this.url, '--region', 'us-east-1', '--no-cli-pager', ...args], {
      env: {
        AWS_ACCESS_KEY_ID: as.accessKeyId, AWS_SECRET_ACCESS_KEY: as.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        PYTHONDONTWRITEBYTECODE: '1', ...this.clockEnv(), ...env,
      },
      ...options,
    });
  }

  async awsOk(args, options) {
    const r = await this.aws(args, options);
    if (r.code !== 0) throw new Error(`aws ${args.join(' ')}: exit ${r.code}\n${r.err}`);
    return r;
  }

  exportArgs({ type = 'customer_support_contacts_data', from = '2000-01-01T00:00:00Z', prefix = 'psc', ...more } = {}) {
    return ['marketplacecommerceanalytics', 'start-support-data-export', '--data-set-type', type,
      '--from-date', from, '--role-name-arn', more.role ?? this.seller.roleArn,
      '--destination-s3-bucket-name', more.bucket ?? this.seller.bucket,
      ...(prefix === null ? [] : ['--destination-s3-prefix', prefix]),
      '--sns-topic-arn', more.topic ?? this.seller.topicArn, ...(more.args ?? [])];
  }

  /** The delivery log's entry of a request once it is no longer waiting. */
  async delivered(requestId, seller = this.seller) {
    return until(async () => {
      const r = await this.rest(seller, 'GET', `/api/v1/sellers/${seller.accountId}/deliveries/${requestId}`);
      if (r.status !== 200) throw new Error(`delivery log: ${r.status} ${r.text}`);
      return r.json.state !== 'waiting' && r.json;
    }, 60000, 'delivery');
  }

  /** A seller's bearer-token call to create test data as the operator. */
  op(method, path, body, headers) {
    return this.rest(this.operator, method, path, body, headers);
  }
}

/** Records of a CSV text (RFC 4180), as objects by header. */
export function parseCsv(text) {
  const rows = [];
  let row = [], field = '', quoted = false, i = 0;
  while (i < text.length) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') { field += '"'; i += 2; continue; }
      if (c === '"') { quoted = false; i++; continue; }
      field += c; i++; continue;
    }
    if (c === '"' && field === '') { quoted = true; i++; continue; }
    if (c === ',') { row.push(field); field = ''; i++; continue; }
    if (c === '\r' && text[i + 1] === '\n') { row.push(field); rows.push(row); row = []; field = ''; i += 2; continue; }
    field += c; i++;
  }
  if (field !== '' || row.length) throw new Error('the last record does not end in CRLF');
  const [header, ...records] = rows;
  return records.map((r) => {
    if (r.length !== header.length) throw new Error(`a record has ${r.length} fields, the header ${header.length}`);
    return Object.fromEntries(header.map((h, k) => [h, r[k]]));
  });
}

/** An HTTP endpoint that notes every message; `answer(req, body)` may give a status. */
export async function endpoint(answer = () => 200) {
  const got = [];
  const server = http.createServer((req, res) => {
    const parts = [];
    req.on('data', (p) => parts.push(p));
    req.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8');
      const status = answer(req, body);
      if (status === 'hang') return;
      got.push({ headers: req.headers, path: req.url, body, json: (() => { try { return JSON.parse(body); } catch { return null; } })(), status });
      res.writeHead(status, status >= 300 && status < 400 ? { Location: 'http://127.0.0.1:1/' } : {}).end();
    });
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  return { url: `http://127.0.0.1:${server.address().port}/hook`, got, close: () => { server.closeAllConnections?.(); server.close(); } };
}

/** A contact as the REST API takes it. */
export function person(n, more = {}) {
  return {
    organization: `Example Works ${n}`, givenName: `Given${n}`, surname: `Súrname${n}`,
    telephoneNumber: `+1 206 555 ${String(1000 + (n % 9000))}`, emailAddress: `person${n}@example.com`, ...more,
  };
}

/** Deterministic random numbers (mulberry32). */
export function rng(seed) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6D2B79F5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n), pick: (list) => list[Math.floor(next() * list.length)] };
}
