// SPDX-License-Identifier: Apache-2.0
// Stores and services outside of souk: real ones from tests/services, a proxy that misbehaves, an SNS that verifies.
import { spawn } from 'node:child_process';
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run, until } from './lib.js';

/** Starts tests/services/NAME; gives what it prints, `close` and an AWS CLI against it. */
export async function service(name) {
  const dir = mkdtempSync(join(tmpdir(), `souk-${name}-`));
  const child = spawn(join(root, 'tests/services', name), [dir], { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '', err = '', ended = false;
  child.stdout.setEncoding('utf8').on('data', (t) => { out += t; });
  child.stderr.setEncoding('utf8').on('data', (t) => { err += t; });
  child.on('exit', () => { ended = true; });
  await until(() => {
    if (ended) throw new Error(`${name} ended: ${err.slice(-2000)}`);
    return out.includes('\n');
  }, 180000, `${name} answering`);
  const s = JSON.parse(out.slice(0, out.indexOf('\n')));
  s.aws = (args, { endpoint = s.endpoint } = {}) => run(process.env.AWS_CLI ?? '/usr/bin/aws',
    ['--endpoint-url', endpoint, '--region', s.region, '--no-cli-pager', ...args], { env: {
      AWS_ACCESS_KEY_ID: s.accessKeyId, AWS_SECRET_ACCESS_KEY: s.secretAccessKey, AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null', PYTHONDONTWRITEBYTECODE: '1' } });
  s.awsOk = async (args, options) => {
    const r = await s.aws(args, options);
    if (r.code !== 0) throw new Error(`aws ${args.join(' ')}: exit ${r.code}\n${r.err}`);
    return r;
  };
  /** Keys below a prefix. */
  s.keys = async (bucket, prefix = '') => {
    const r = await s.awsOk(['s3api', 'list-objects-v2', '--bucket', bucket, '--prefix', prefix, '--output', 'json']);
    return r.out.trim() ? (JSON.parse(r.out).Contents ?? []).map((o) => o.Key) : [];
  };
  /** Multipart uploads under way. */
  s.uploads = async (bucket) => {
    const r = await s.awsOk(['s3api', 'list-multipart-uploads', '--bucket', bucket, '--output', 'json']);
    return r.out.trim() ? (JSON.parse(r.out).Uploads ?? []).map((u) => u.Key) : [];
  };
  s.close = async () => {
    child.stdin.end();
    await until(() => ended, 60000, `end of ${name}`);
    rmSync(dir, { recursive: true, force: true });
  };
  return s;
}

/**
 * A proxy in front of an S3 store. `plan(request)` says what happens to a request ({method, query, part, path}):
 * nothing (it passes), a status with an S3 error code ('503 SlowDown'), 'reset' (after half of the body),
 * 'stall' (it is taken and never answered), 'lost' (it is done, and the answer cut off).
 */
export async function proxy(target) {
  const to = new URL(target);
  const p = { seen: [], plan: () => null };
  const sockets = new Set();
  const server = http.createServer((req, res) => {
    const url = new URL(req.url, target);
    const r = { method: req.method, path: decodeURIComponent(url.pathname), query: url.search.slice(1), part: Number(url.searchParams.get('partNumber') ?? 0) };
    const what = p.plan(r);
    p.seen.push({ ...r, what });
    if (what === 'stall') { req.resume(); return; }
    if (what === 'reset') {
      let got = 0;
      const half = Number(req.headers['content-length'] ?? 0) / 2;
      if (half === 0) req.socket.resetAndDestroy();
      req.on('data', (d) => { got += d.length; if (got >= half) req.socket.resetAndDestroy(); });
      req.on('error', () => {});
      return;
    }
    if (what && what !== 'lost') {
      const [status, code] = what.split(' ');
      req.resume().on('end', () => res.writeHead(Number(status), { 'Content-Type': 'application/xml' })
        .end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message></Message><RequestId>x</RequestId></Error>`));
      return;
    }
    const on = http.request({ host: to.hostname, port: to.port, method: req.method, path: req.url, headers: req.headers, agent: false }, (answer) => {
      if (what === 'lost') { answer.resume().on('end', () => req.socket.resetAndDestroy()); return; }
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
    });
    on.on('error', () => req.socket.destroy());
    req.pipe(on);
  });
  server.on('connection', (s) => { sockets.add(s); s.on('close', () => sockets.delete(s)); });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  p.endpoint = `http://127.0.0.1:${server.address().port}`;
  p.close = () => { for (const s of sockets) s.destroy(); server.close(); };
  return p;
}

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

/** Signature Version 4 as the guide says, of a POST without a query. What is wrong with it, or null. */
function signatureFault(req, body, secretOf, region) {
  const auth = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/
    .exec(req.headers.authorization ?? '');
  if (!auth) return 'IncompleteSignature';
  const [, id, date, place, name, signed, signature] = auth;
  const secret = secretOf(id);
  if (secret === undefined) return 'InvalidClientTokenId';
  const at = req.headers['x-amz-date'] ?? '';
  const names = signed.split(';');
  if (place !== region || name !== 'sns' || !at.startsWith(date)) return 'SignatureDoesNotMatch';
  if (!names.includes('host') || !names.includes('x-amz-date')) return 'SignatureDoesNotMatch';
  const canonical = ['POST', '/', '', ...names.map((n) => `${n}:${String(req.headers[n] ?? '').trim()}`), '', signed, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', at, `${date}/${place}/sns/aws4_request`, sha256(canonical)].join('\n');
  const key = [place, 'sns', 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, date));
  return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex')) ? null : 'SignatureDoesNotMatch';
}

const STATUS = { IncompleteSignature: 400, InvalidClientTokenId: 403, SignatureDoesNotMatch: 403, AuthorizationError: 403, NotFound: 404,
  InvalidParameter: 400, InvalidAction: 400, Throttling: 400, InternalError: 500 };

/**
 * An SNS that takes Publish: verifies the signature, knows its topics. `plan.shift()` says what happens to the next good
 * request: a code of STATUS, 'reset', 'stall', 'lost' (published, and the answer cut off), 'page' (200, but no SNS).
 */
export async function sns({ region = 'eu-central-1', topics = [], keys = {}, denied = [] } = {}) {
  const s = { region, topics, keys, denied, plan: [], published: [], requests: 0 };
  const server = http.createServer((req, res) => {
    const parts = [];
    req.on('data', (d) => parts.push(d));
    req.on('end', () => {
      const body = Buffer.concat(parts);
      const form = new URLSearchParams(body.toString('utf8'));
      s.requests++;
      const fail = (code) => res.writeHead(STATUS[code], { 'Content-Type': 'text/xml' }).end(
        `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">\n <Error>\n  <Type>Sender</Type>\n  <Code>${code}</Code>\n`
        + `  <Message>secret words</Message>\n </Error>\n <RequestId>${randomUUID()}</RequestId>\n</ErrorResponse>`);
      if (req.method !== 'POST' || req.url !== '/' || !/^application\/x-www-form-urlencoded/.test(req.headers['content-type'] ?? '')) return fail('InvalidAction');
      const fault = signatureFault(req, body, (id) => s.keys[id], s.region);
      if (fault) return fail(fault);
      if (form.get('Action') !== 'Publish' || form.get('Version') !== '2010-03-31') return fail('InvalidAction');
      const topic = form.get('TopicArn');
      if (topic.split(':')[3] !== s.region || !form.get('Message')) return fail('InvalidParameter');
      if (!s.topics.includes(topic)) return fail('NotFound');
      if (s.denied.includes(topic)) return fail('AuthorizationError');
      const what = s.plan.shift();
      if (what === 'reset') return req.socket.resetAndDestroy();
      if (what === 'stall') return undefined;
      if (what === 'page') return res.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>Welcome</html>');
      if (what && what !== 'lost') return fail(what);
      const fifo = topic.endsWith('.fifo');
      if (fifo && !(form.get('MessageGroupId') && form.get('MessageDeduplicationId'))) return fail('InvalidParameter');
      const deduplication = form.get('MessageDeduplicationId');
      if (!fifo || !s.published.some((m) => m.topic === topic && m.deduplication === deduplication)) {
        s.published.push({ topic, message: JSON.parse(form.get('Message')), text: form.get('Message'), deduplication });
      }
      if (what === 'lost') return req.socket.resetAndDestroy();
      return res.writeHead(200, { 'Content-Type': 'text/xml' }).end('<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
        + `<PublishResult><MessageId>${randomUUID()}</MessageId></PublishResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></PublishResponse>`);
    });
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  s.endpoint = `http://127.0.0.1:${server.address().port}`;
  s.close = () => { server.closeAllConnections?.(); server.close(); };
  return s;
}
