// SPDX-License-Identifier: Apache-2.0
// An SNS that verifies what it gets.
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import http from 'node:http';

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
