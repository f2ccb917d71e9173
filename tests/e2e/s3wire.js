// SPDX-License-Identifier: Apache-2.0
// Requests to the embedded buckets signed by hand: what no client library would send is the point.
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';

export const sha256 = (data) => createHash('sha256').update(data).digest('hex');
export const md5 = (data) => createHash('md5').update(data).digest();
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
/** A key as it stands in a path. */
export const keyPath = (key) => key.split('/').map(encode).join('/');

export const amzDate = (ms) => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');

function signingKey(secret, date, region, service) {
  return [date, region, service, 'aws4_request'].reduce((k, t) => hmac(k, t), `AWS4${secret}`);
}

function canonicalQuery(query) {
  return query.split('&').filter(Boolean).map((pair) => {
    const [name, ...rest] = pair.split('=');
    return [name, rest.join('=')].map((t) => encode(decodeURIComponent(t)));
  }).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : 1)).map((p) => p.join('=')).join('&');
}

/** Signs in the Authorization header. `more` headers are signed when they are x-amz-* and not in `unsigned`. */
export function sign(m, {
  method = 'GET', path, query = '', headers = {}, payload = sha256(''), as = m.seller, region = 'us-east-1',
  service = 's3', at = m.now(), host = `127.0.0.1:${m.port}`, unsigned = [],
}) {
  const time = amzDate(at);
  const date = time.slice(0, 8);
  const all = { host, 'x-amz-date': time, ...(payload === null ? {} : { 'x-amz-content-sha256': payload }) };
  for (const [k, v] of Object.entries(headers)) all[k.toLowerCase()] = String(v);
  const names = Object.keys(all).filter((n) => (n === 'host' || n.startsWith('x-amz-')) && !unsigned.includes(n)).sort();
  const canonical = [method, path, canonicalQuery(query), ...names.map((n) => `${n}:${all[n].trim()}`), '',
    names.join(';'), payload ?? ''].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = signingKey(as.secretAccessKey, date, region, service);
  const signature = hmac(key, toSign).toString('hex');
  return {
    headers: { ...all, Authorization: `AWS4-HMAC-SHA256 Credential=${as.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` },
    signature, key, scope, time, canonical, toSign,
  };
}

/** Sends; the path goes out as it is. `body` may be a Buffer, text or an array of pieces. */
export function send(m, { method = 'GET', path, query = '', headers, body, port = m.port, abortAfter }) {
  return new Promise((done, fail) => {
    const req = http.request({ host: '127.0.0.1', port, method, path: query ? `${path}?${query}` : path, headers, agent: false });
    let continued = false;
    req.on('continue', () => { continued = true; req.end(body); });
    req.on('response', (res) => {
      const parts = [];
      res.on('data', (p) => parts.push(p));
      res.on('end', () => {
        const raw = Buffer.concat(parts);
        const text = raw.toString('utf8');
        done({ status: res.statusCode, headers: res.headers, raw, text, continued, code: /<Code>([^<]*)<\/Code>/.exec(text)?.[1],
          element: (name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] });
      });
      res.on('error', fail);
    });
    req.on('error', (err) => (abortAfter === undefined ? fail(err) : done(null)));
    if (headers?.Expect) return;
    if (abortAfter !== undefined) {
      req.write(body.subarray(0, abortAfter), () => setTimeout(() => req.destroy(), 50));
      return;
    }
    if (Array.isArray(body)) {
      for (const piece of body) req.write(piece);
      req.end();
    } else {
      req.end(body);
    }
  });
}

/** Signs and sends. */
export function call(m, request) {
  const { body } = request;
  const whole = body === undefined ? '' : Array.isArray(body) ? Buffer.concat(body.map((b) => Buffer.from(b))) : body;
  const payload = request.payload === undefined ? sha256(whole) : request.payload;
  const length = body === undefined || Array.isArray(body) ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const signed = sign(m, { ...request, payload });
  return send(m, { ...request, headers: { ...length, ...signed.headers, ...(request.late ?? {}) } });
}

/** Presigns; gives the query. */
export function presign(m, { method = 'GET', path, query = '', expires = 60, as = m.seller, at = m.now(), host = `127.0.0.1:${m.port}`, region = 'us-east-1' }) {
  const time = amzDate(at);
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const full = canonicalQuery([query, 'X-Amz-Algorithm=AWS4-HMAC-SHA256', `X-Amz-Credential=${encode(`${as.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${time}`, `X-Amz-Expires=${expires}`, 'X-Amz-SignedHeaders=host'].filter(Boolean).join('&'));
  const canonical = [method, path, full, `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  return `${full}&X-Amz-Signature=${hmac(signingKey(as.secretAccessKey, time.slice(0, 8), region, 's3'), toSign).toString('hex')}`;
}

/** An aws-chunked body with chunk signatures, and a signed trailer when one is given. */
export function signedChunks(signed, chunks, trailer) {
  const parts = [];
  let previous = signed.signature;
  const mac = (algorithm, ...more) => hmac(signed.key, [algorithm, signed.time, signed.scope, previous, ...more].join('\n')).toString('hex');
  for (const chunk of [...chunks, Buffer.alloc(0)]) {
    previous = mac('AWS4-HMAC-SHA256-PAYLOAD', sha256(''), sha256(chunk));
    parts.push(Buffer.from(`${chunk.length.toString(16)};chunk-signature=${previous}\r\n`), chunk);
    if (chunk.length > 0) parts.push(Buffer.from('\r\n'));
  }
  if (trailer) {
    const line = `${trailer.name}:${trailer.value}\n`;
    parts.push(Buffer.from(`${trailer.name}:${trailer.value}\r\nx-amz-trailer-signature:${mac('AWS4-HMAC-SHA256-TRAILER', sha256(line))}\r\n`));
  }
  parts.push(Buffer.from('\r\n'));
  return Buffer.concat(parts);
}
