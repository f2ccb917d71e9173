// SPDX-License-Identifier: Apache-2.0
// Real servers that tests/services starts, and a proxy in front of one that misbehaves as told.
import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './lib.js';

/** Starts tests/services/NAME in a directory of its own; gives what it printed, and `stop`. */
export async function service(name, { env = {} } = {}) {
  const dir = mkdtempSync(join(tmpdir(), `souk-${name}-`));
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', join(root, 'tests/services', name), dir],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '', err = '';
  child.stdout.setEncoding('utf8').on('data', (t) => { out += t; });
  child.stderr.setEncoding('utf8').on('data', (t) => { err += t; });
  const ended = new Promise((r) => child.on('exit', r));
  await new Promise((done, failed) => {
    child.stdout.on('data', () => { if (out.includes('\n')) done(); });
    ended.then(() => failed(new Error(`${name} ended: ${err}`)));
  });
  return {
    ...JSON.parse(out.split('\n')[0]), dir,
    stop: async () => { child.kill('SIGTERM'); await ended; rmSync(dir, { recursive: true, force: true }); },
  };
}

/** The lines of souk.ini that make the store the home of objects. */
export const storeIni = (s, more = {}) => Object.entries({
  'object.home': 's3', 'object.s3-endpoint': s.endpoint, 'object.s3-bucket': s.bucket, 'object.s3-region': s.region,
  'object.s3-access-key-id': s.accessKeyId, 'object.s3-secret-access-key': s.secretAccessKey, 'object.s3-path-style': 'true',
  'object.s3-timeout-seconds': 2, ...more,
}).map(([k, v]) => `${k} = ${v}\n`).join('');

/**
 * A proxy to a store. `fault(req, n)` is asked for each request and says what to do: nothing (pass it on), a status or
 * [status, code] (answer like a store), or one of the words below. `tls`: key and certificate, to speak TLS.
 */
export async function faulty(endpoint, tls) {
  const to = new URL(endpoint);
  const p = { fault: () => null, seen: [], held: [] };
  const answer = (req, res, status, code) => {
    req.resume();
    res.writeHead(status, { 'Content-Type': 'application/xml' });
    res.end(`<?xml version="1.0"?><Error><Code>${code ?? ''}</Code><Message></Message></Error>`);
  };
  const pass = (req, res, how) => {
    const up = http.request({ host: to.hostname, port: to.port, method: req.method, path: req.url, headers: req.headers }, (got) => {
      res.writeHead(got.statusCode, got.headers);
      if (how === 'lose') { got.resume(); got.on('end', () => req.socket.destroy()); return; }
      if (how !== 'truncate') { got.pipe(res); return; }
      // Half of the body, then the end of the connection.
      let left = Math.floor(Number(got.headers['content-length'] ?? 0) / 2);
      got.on('data', (part) => { if (left > 0) res.write(part.subarray(0, left)); left -= part.length; if (left <= 0) setTimeout(() => req.socket.destroy(), 20); });
    });
    up.on('error', () => req.socket.destroy());
    req.pipe(up);
  };
  const serve = (req, res) => {
    const entry = { method: req.method, url: req.url };
    p.seen.push(entry);
    const f = entry.fault = p.fault(req, p.seen.length);
    if (!f || f === 'truncate' || f === 'lose') pass(req, res, f);
    else if (f === 'reset') req.socket.resetAndDestroy?.() ?? req.socket.destroy();
    else if (f === 'stall') { req.resume(); p.held.push(res); }
    else if (f === 'drip') { req.resume(); res.writeHead(200, { ETag: '"0"' }); const t = setInterval(() => res.write(' '), 200); res.on('close', () => clearInterval(t)); }
    else if (f === 'html') { req.resume(); res.writeHead(200, { 'Content-Type': 'text/html' }).end('<html><body>Welcome to the hotel<br></body></html>'); }
    else if (f === 'redirect') { req.resume(); res.writeHead(301, { Location: 'http://127.0.0.1:1/', 'x-amz-bucket-region': 'eu-west-9' }).end(); }
    else if (Array.isArray(f)) answer(req, res, f[0], f[1]);
    else answer(req, res, f);
  };
  const server = tls ? https.createServer(tls, serve) : http.createServer(serve);
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  p.endpoint = `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}`;
  p.close = () => { server.closeAllConnections?.(); server.close(); };
  return p;
}
