// SPDX-License-Identifier: Apache-2.0
// Real servers that tests/services starts, and a proxy in front of one that misbehaves as told.
import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { root, run, until } from './lib.js';

/** Starts tests/services/NAME in a directory of its own, `dir`; gives what it prints, and `stop`. */
async function launch(name, { args = [], env = {} } = {}) {
  const dir = mkdtempSync(join(tmpdir(), `souk-${name}-`));
  chmodSync(dir, 0o755); // the server's account comes in
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', join(root, 'tests/services', name), join(dir, 'server'), ...args],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '', err = '', over = false;
  child.stdout.setEncoding('utf8').on('data', (t) => { out += t; });
  child.stderr.setEncoding('utf8').on('data', (t) => { err += t; });
  const ended = new Promise((r) => child.on('exit', r));
  ended.then(() => { over = true; });
  await until(() => {
    if (over) throw new Error(`${name} ended: ${err.slice(-2000)}`);
    return out.includes('\n');
  }, 180000, `${name} answering`);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    child.stdout.destroy(); // a process of the server's may outlive it and hold them
    child.stderr.destroy();
    rmSync(dir, { recursive: true, force: true });
  };
  return { line: out.split('\n')[0], dir, stop };
}

/** A PostgreSQL for tests that leave it in peace: `url` and `stop`. */
export async function database() {
  const { line, stop } = await launch('postgres', { args: ['--no-fsync'] });
  return { url: line, stop };
}

/** An SMTP server: its port, what it took over, the lines of souk.ini that lead to it, and `stop`. */
export async function smtp(args = []) {
  const { line, dir, stop } = await launch('smtp', { args });
  const folder = join(dir, 'server');
  writeFileSync(join(dir, 'password'), 'pw\n', { mode: 0o600 });
  const messages = () => (existsSync(join(folder, 'messages')) ? readFileSync(join(folder, 'messages'), 'utf8') : '')
    .split('\n').slice(0, -1).map((l) => JSON.parse(l)).map((m) => ({ ...m, ...head(m.data) }));
  const ini = `mail.server = smtp://localhost:${line}\nmail.user = souk\nmail.password-file = ${dir}/password\n`
    + `mail.ca-file = ${folder}/cert.pem\nmail.from = market@souk.example\nmail.from-name = The Market\nmail.retry-seconds = 1\n`;
  return { port: Number(line), messages, ini, stop };
}

/** Fields of a mail's head by lower-case name, unfolded; and its text, whatever way it travelled. */
function head(data) {
  const [top, ...rest] = data.split('\r\n\r\n');
  const fields = Object.fromEntries(top.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
    .map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]));
  const body = rest.join('\r\n\r\n');
  const text = fields['content-transfer-encoding'] === 'base64' ? Buffer.from(body, 'base64').toString('utf8')
    : fields['content-transfer-encoding'] === 'quoted-printable' ? Buffer.from(body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, h) => String.fromCharCode(parseInt(h, 16))), 'latin1').toString('utf8') : body;
  return { head: fields, text };
}

/** An S3 store: what the script prints, `stop`, an AWS CLI against it, and what is in it. */
export async function store(name, { env = {} } = {}) {
  const { line, dir, stop } = await launch(name, { env });
  const s = { ...JSON.parse(line), dir, stop };
  s.aws = (args, { endpoint = s.endpoint } = {}) => run(process.env.AWS_CLI ?? '/usr/bin/aws',
    ['--endpoint-url', endpoint, '--region', s.region, '--no-cli-pager', ...args], { env: {
      AWS_ACCESS_KEY_ID: s.accessKeyId, AWS_SECRET_ACCESS_KEY: s.secretAccessKey, AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null', PYTHONDONTWRITEBYTECODE: '1' } });
  s.awsOk = async (args, options) => {
    const r = await s.aws(args, options);
    if (r.code !== 0) throw new Error(`aws ${args.join(' ')}: exit ${r.code}\n${r.err}`);
    return r;
  };
  // What is looked at often, without starting a program for it.
  const client = new S3Client({ endpoint: s.endpoint, region: s.region, forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: s.accessKeyId, secretAccessKey: s.secretAccessKey } });
  const whole = (r) => { if (r.IsTruncated) throw new Error('more than one page'); return r; };
  /** Keys below a prefix. */
  s.keys = async (Bucket, Prefix = '') => (whole(await client.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map((o) => o.Key);
  /** Multipart uploads under way. */
  s.uploads = async (Bucket) => (whole(await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).map((u) => u.Key);
  /** An object's bytes. */
  s.get = async (Bucket, Key) => Buffer.from(await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToByteArray());
  return s;
}

/** The lines of souk.ini that make the store the home of objects. */
export const storeIni = (s, more = {}) => Object.entries({
  'object.home': 's3', 'object.s3-endpoint': s.endpoint, 'object.s3-bucket': s.bucket, 'object.s3-region': s.region,
  'object.s3-access-key-id': s.accessKeyId, 'object.s3-secret-access-key': s.secretAccessKey, 'object.s3-path-style': 'true',
  'object.s3-timeout-seconds': 2, ...more,
}).map(([k, v]) => `${k} = ${v}\n`).join('');

/**
 * A proxy in front of an S3 store. `plan(request, n)` says what happens to the n-th request ({method, url, path, query, part}):
 * nothing (it passes), a promise (it waits for that, and what it gives is the answer), a status with an S3 error code
 * ('503 SlowDown'), or one of
 *   reset     the connection breaks after half of the body
 *   stall     it is taken and never answered (`held` has the answer's stream)
 *   lost      it is done, and the answer cut off
 *   truncate  half of the answer's body, then the end of the connection
 *   drip      an answer that never ends
 *   html      the page of a hotel
 *   redirect  to another region
 * `tls`: key and certificate, to speak TLS.
 */
export async function proxy(target, tls) {
  const to = new URL(target);
  const p = { plan: () => null, seen: [], held: [] };
  const sockets = new Set();
  const pass = (req, res, what) => {
    const on = http.request({ host: to.hostname, port: to.port, method: req.method, path: req.url, headers: req.headers, agent: false }, (answer) => {
      if (what === 'lost') { answer.resume().on('end', () => req.socket.resetAndDestroy()); return; }
      res.writeHead(answer.statusCode, answer.rawHeaders);
      if (what !== 'truncate') { answer.pipe(res); return; }
      let left = Math.floor(Number(answer.headers['content-length'] ?? 0) / 2);
      answer.on('data', (part) => {
        if (left > 0) res.write(part.subarray(0, left));
        left -= part.length;
        if (left <= 0) setTimeout(() => req.socket.destroy(), 20);
      });
    });
    on.on('error', () => req.socket.destroy());
    req.on('error', () => on.destroy());
    req.pipe(on);
  };
  const reset = (req) => {
    const half = Number(req.headers['content-length'] ?? 0) / 2;
    let got = 0;
    req.on('error', () => {});
    if (half === 0) req.socket.resetAndDestroy();
    req.on('data', (d) => { got += d.length; if (got >= half) req.socket.resetAndDestroy(); });
  };
  const drip = (res) => {
    res.writeHead(200, { ETag: '"0"' });
    const t = setInterval(() => res.write(' '), 200);
    res.on('close', () => clearInterval(t));
  };
  const refuse = (req, res, [status, code]) => req.resume().on('end', () => res.writeHead(Number(status), { 'Content-Type': 'application/xml' })
    .end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message></Message><RequestId>x</RequestId></Error>`));
  const serve = async (req, res) => {
    const url = new URL(req.url, target);
    const entry = { method: req.method, url: req.url, path: decodeURIComponent(url.pathname), query: url.search.slice(1), part: Number(url.searchParams.get('partNumber') ?? 0) };
    p.seen.push(entry);
    let what = p.plan(entry, p.seen.length);
    if (what instanceof Promise) { // its body waits
      entry.what = 'wait';
      what = await what;
    }
    entry.what = what;
    if (!what || what === 'truncate' || what === 'lost') pass(req, res, what);
    else if (what === 'reset') reset(req);
    else if (what === 'stall') { req.resume(); p.held.push(res); }
    else if (what === 'drip') { req.resume(); drip(res); }
    else if (what === 'html') { req.resume(); res.writeHead(200, { 'Content-Type': 'text/html' }).end('<html><body>Welcome to the hotel<br></body></html>'); }
    else if (what === 'redirect') { req.resume(); res.writeHead(301, { Location: 'http://127.0.0.1:1/', 'x-amz-bucket-region': 'eu-west-9' }).end(); }
    else refuse(req, res, what.split(' '));
  };
  const server = tls ? https.createServer(tls, serve) : http.createServer(serve);
  server.on(tls ? 'secureConnection' : 'connection', (s) => { sockets.add(s); s.on('close', () => sockets.delete(s)); });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  p.endpoint = `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}`;
  p.close = () => { for (const s of sockets) s.destroy(); server.close(); };
  return p;
}
