// SPDX-License-Identifier: Apache-2.0
// The embedded buckets below what client libraries show: raw paths, broken signatures, chunk forms, policies, the audit.
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marketplace, until } from './lib.js';
import { call, keyPath, md5, presign, send, sha256, sign, signedChunks } from './s3wire.js';

let m, bucket, other;
const at = (key) => `/${bucket}/${keyPath(key)}`;
const put = (key, body, more = {}) => call(m, { method: 'PUT', path: at(key), body, ...more });
const get = (key, more = {}) => call(m, { path: at(key), ...more });
const is = (answer, status, code) => {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.code, code, answer.text);
  return answer;
};

before(async () => {
  m = await Marketplace.create({ ini: 's3-base-domain = s3.example.test\n' });
  bucket = m.seller.bucket;
  other = m.logins.sellers[1];
});
after(async () => {
  const end = await m.stop();
  await m.close();
  assert.deepEqual(end, { code: 0, signal: null }, m.log.slice(-2000));
});

test('an error document is exact', async () => {
  const answer = is(await get('missing <&> key'), 404, 'NoSuchKey');
  assert.equal(answer.headers['content-type'], 'application/xml');
  const id = answer.headers['x-amz-request-id'];
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.ok(answer.headers['x-amz-id-2']);
  assert.ok(answer.headers.date);
  assert.equal(answer.text, '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
    + '<Message>The specified key does not exist.</Message><Key>missing &lt;&amp;&gt; key</Key>'
    + `<Resource>/${bucket}/missing &lt;&amp;&gt; key</Resource><RequestId>${id}</RequestId><HostId>${answer.headers['x-amz-id-2']}</HostId></Error>`);
});

test('HEAD errors have no body', async () => {
  const missing = await call(m, { method: 'HEAD', path: at('missing') });
  assert.deepEqual([missing.status, missing.text], [404, '']);
  assert.ok(missing.headers['x-amz-request-id']);
  assert.equal((await call(m, { method: 'HEAD', path: '/no-such-bucket-here' })).status, 404);
  assert.equal((await send(m, { method: 'HEAD', path: at('x') })).status, 403);
});

test('raw paths', async () => {
  is(await call(m, { path: `/${bucket}/%zz` }).catch(() => send(m, { path: `/${bucket}/%zz` })), 400, 'InvalidURI');
  is(await send(m, { path: `/${bucket}/a%00b` }), 400, 'InvalidURI');
  is(await send(m, { path: `/${bucket}/%ff` }), 400, 'InvalidURI');
  is(await send(m, { path: '/Bad_Bucket/x' }), 400, 'InvalidBucketName');
  is(await send(m, { path: '//x' }), 400, 'InvalidBucketName');
  is(await send(m, { path: `/${bucket}/x` }), 403, 'AccessDenied');
  is(await call(m, { path: `/${bucket}/${'%41'.repeat(1025)}`.replace(/%41/g, 'A') }), 400, 'KeyTooLongError');
  // A path in other escapes than the client signed is the same path.
  assert.equal((await put('esc~aped', 'x')).status, 200);
  const signed = sign(m, { path: at('esc~aped') });
  assert.equal((await send(m, { path: `/${bucket}/%65sc%7Eaped`, headers: signed.headers })).status, 200);
});

test('virtual hosts', async () => {
  const host = `${bucket}.s3.example.test:${m.port}`;
  assert.equal((await call(m, { method: 'PUT', path: '/virtual/k', body: 'v', host })).status, 200);
  assert.equal((await get('virtual/k')).text, 'v');
  assert.equal((await call(m, { path: '/virtual/k', host: host.toUpperCase() })).text, 'v');
  assert.match((await call(m, { path: '/', query: 'list-type=2&prefix=virtual', host })).text, /<Key>virtual\/k<\/Key>/);
  is(await call(m, { path: '/', query: 'list-type=2', host: `${other.bucket}.s3.example.test` }), 404, 'NoSuchBucket');
  is(await call(m, { path: '/k', host: 'bad_name.s3.example.test' }), 400, 'InvalidBucketName');
  // The base itself is path style; so is a host that merely ends in the same letters.
  assert.equal((await call(m, { path: at('virtual/k'), host: 's3.example.test' })).text, 'v');
  assert.equal((await call(m, { path: at('virtual/k'), host: 'xs3.example.test' })).text, 'v');
});

test('signatures: what is refused, with what', async () => {
  const path = at('virtual/k');
  const skewed = is(await call(m, { path, at: m.now() - 16 * 60000 }), 403, 'RequestTimeTooSkewed');
  assert.match(skewed.element('RequestTime'), /^\d{8}T\d{6}Z$/);
  assert.match(skewed.element('ServerTime'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(skewed.element('MaxAllowedSkewMilliseconds'), '900000');
  is(await call(m, { path, at: m.now() + 16 * 60000 }), 403, 'RequestTimeTooSkewed');
  assert.equal((await call(m, { path, at: m.now() - 14 * 60000 })).status, 200);
  const region = is(await call(m, { path, region: 'eu-central-1' }), 400, 'AuthorizationHeaderMalformed');
  assert.equal(region.element('Region'), 'us-east-1');
  const tampered = sign(m, { path });
  const answer = is(await send(m, { path: at('virtual/other'), headers: tampered.headers }), 403, 'SignatureDoesNotMatch');
  assert.ok(answer.element('StringToSign').startsWith('AWS4-HMAC-SHA256\n'));
  assert.ok(answer.element('CanonicalRequest').startsWith(`GET\n${at('virtual/other')}\n`));
  assert.equal(answer.element('AWSAccessKeyId'), m.seller.accessKeyId);
  is(await call(m, { path, payload: null }), 400, 'InvalidRequest');
  const unsigned = is(await call(m, { path, headers: { 'x-amz-meta-late': '1' }, unsigned: ['x-amz-meta-late'] }), 403, 'AccessDenied');
  assert.equal(unsigned.element('HeadersNotSigned'), 'x-amz-meta-late');
  is(await send(m, { path, query: presign(m, { path }), headers: tampered.headers }), 400, 'InvalidArgument');
  is(await send(m, { path, headers: { Authorization: 'AWS SOUK:abc=', Date: new Date().toUTCString() } }), 400, 'InvalidRequest');
  is(await send(m, { path, query: 'AWSAccessKeyId=x&Signature=y&Expires=1' }), 400, 'InvalidRequest');
  is(await call(m, { path, payload: sha256('something else') }), 400, 'XAmzContentSHA256Mismatch');
  is(await call(m, { path, headers: { 'x-amz-security-token': 'made-up' } }), 400, 'InvalidToken');
});

test('wrong key and wrong secret cannot be told apart', async () => {
  const ask = async (as) => {
    const answer = is(await call(m, { path: at('virtual/k'), as, at: Math.floor(m.now() / 60000) * 60000 }), 403, 'SignatureDoesNotMatch');
    return answer.text.replaceAll(as.accessKeyId, 'KEY').replaceAll(Buffer.from(as.accessKeyId).toString('hex').replace(/../g, '$& ').trim(), 'KEY')
      .replace(answer.headers['x-amz-request-id'], 'ID').replace(/<(StringToSignBytes)>.*?<\/\1>/, '').replace(/[0-9a-f]{64}/g, 'HASH');
  };
  assert.equal(await ask({ ...m.seller, secretAccessKey: 'no' }), await ask({ accessKeyId: 'SOUKAAAAAAAAAAAAAAAA', secretAccessKey: 'no' }));
});

test('presigned PUT', async () => {
  const path = at('presigned/put');
  const query = presign(m, { method: 'PUT', path });
  assert.equal((await send(m, { method: 'PUT', path, query, body: 'by link', headers: { 'Content-Length': 7 } })).status, 200);
  assert.equal((await get('presigned/put')).text, 'by link');
  is(await send(m, { method: 'PUT', path, query: presign(m, { path }), body: 'x', headers: { 'Content-Length': 1 } }), 403, 'SignatureDoesNotMatch');
  is(await send(m, { path, query: presign(m, { path, at: m.now() + 20 * 60000 }) }), 403, 'AccessDenied');
  const region = is(await send(m, { path, query: presign(m, { path, region: 'eu-west-1' }) }), 400, 'AuthorizationQueryParametersError');
  assert.equal(region.element('Region'), 'us-east-1');
});

test('If-Range', async () => {
  const { headers } = await put('if-range', '0123456789');
  const part = async (value) => get('if-range', { headers: { 'If-Range': value, Range: 'bytes=2-3' } });
  assert.deepEqual((({ status, text }) => [status, text])(await part(headers.etag)), [206, '23']);
  assert.deepEqual((({ status, text }) => [status, text])(await part('"another"')), [200, '0123456789']);
  const { headers: { 'last-modified': modified } } = await get('if-range');
  assert.equal((await part(modified)).status, 206);
  assert.equal((await part(new Date(Date.parse(modified) + 1000).toUTCString())).status, 200);
});

test('many uploads at once, some of them wrong', async () => {
  const bodies = Array.from({ length: 24 }, (_, i) => randomBytes(1000 * i + (i % 5 === 0 ? 300000 : 0)));
  const answers = await Promise.all(bodies.map((body, i) => put(`many/${i}`, body, i % 3 === 2 ? { payload: sha256('wrong') } : {})));
  answers.forEach((a, i) => assert.equal(a.status, i % 3 === 2 ? 400 : 200, a.text));
  for (let i = 0; i < bodies.length; i++) {
    const got = await get(`many/${i}`);
    assert.ok(i % 3 === 2 ? got.status === 404 : got.raw.equals(bodies[i]));
  }
});

test('overrides cannot make headers', async () => {
  const path = at('virtual/k');
  const good = await send(m, { path, query: presign(m, { path, query: 'response-content-type=text%2Fplain&response-content-disposition=attachment%3B%20filename%3D%22a.csv%22&response-expires=0' }) });
  assert.equal(good.headers['content-type'], 'text/plain');
  assert.equal(good.headers['content-disposition'], 'attachment; filename="a.csv"');
  assert.equal(good.headers.expires, '0');
  is(await send(m, { path, query: presign(m, { path, query: 'response-content-type=a%0D%0ASet-Cookie%3A%20x%3D1' }) }), 400, 'InvalidArgument');
});

test('headers that are kept, and those of a link, have the sizes that the guide tells', async () => {
  const path = at('headers');
  const kept = (n) => put('headers', 'x', { headers: { 'Content-Type': 'text/plain', 'Cache-Control': 'c'.repeat(2000), 'Content-Disposition': 'd'.repeat(n - 2010) } });
  is(await kept(4097), 400, 'MetadataTooLarge');
  is(await kept(4096), 200);
  assert.equal((await get('headers')).headers['content-disposition'].length, 2086);
  const link = (n) => ({ path, query: presign(m, { path, query: `response-content-type=${'t'.repeat(2000)}&response-expires=${'e'.repeat(n - 2000)}` }) });
  is(await send(m, link(4097)), 400, 'InvalidArgument');
  assert.equal(is(await send(m, link(4096)), 200).headers.expires.length, 2096);
  is(await put('headers', 'x', { headers: { 'x-amz-meta-ab': 'm'.repeat(2047) } }), 400, 'MetadataTooLarge');
  is(await put('headers', 'x', { headers: { 'x-amz-meta-ab': 'm'.repeat(2046) } }), 200);
});

test('the three aws-chunked forms', async () => {
  const chunks = [randomBytes(65536), randomBytes(65536), randomBytes(1024)];
  const whole = Buffer.concat(chunks);
  const chunked = (key, payload, headers, make, size = whole.length) => {
    const request = { method: 'PUT', path: at(key), payload, headers: { 'x-amz-decoded-content-length': size, 'Content-Encoding': 'aws-chunked,gzip', ...headers } };
    const signed = sign(m, request);
    const body = make(signed);
    return send(m, { ...request, headers: { ...signed.headers, 'Content-Length': body.length }, body });
  };
  const name = 'x-amz-checksum-sha256';
  const value = Buffer.from(sha256(whole), 'hex').toString('base64');
  const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
  const forms = [
    [SIGNED, {}, (s) => signedChunks(s, chunks)],
    [`${SIGNED}-TRAILER`, { 'x-amz-trailer': name }, (s) => signedChunks(s, chunks, { name, value })],
    ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { 'x-amz-trailer': name }, () => Buffer.concat([
      ...chunks.flatMap((c) => [Buffer.from(`${c.length.toString(16)}\r\n`), c, Buffer.from('\r\n')]), Buffer.from(`0\r\n${name}:${value}\r\n\r\n`)])],
  ];
  for (const [payload, headers, make] of forms) {
    const stored = await chunked('chunked/ok', payload, headers, make);
    assert.equal(stored.status, 200, stored.text);
    assert.equal(stored.headers.etag, `"${md5(whole).toString('hex')}"`);
    const got = await get('chunked/ok', { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    assert.ok(got.raw.equals(whole));
    assert.equal(got.headers['content-encoding'], 'gzip');
    assert.equal(got.headers[name], value);
    // A flipped byte, a missing end, a wrong length.
    const flip = (s) => { const b = Buffer.from(make(s)); b[70000] ^= 1; return b; };
    is(await chunked('chunked/bad', payload, headers, flip), payload.includes('UNSIGNED') ? 400 : 403, payload.includes('UNSIGNED') ? 'BadDigest' : 'SignatureDoesNotMatch');
    is(await chunked('chunked/bad', payload, headers, (s) => make(s).subarray(0, 131072)), 400, 'IncompleteBody');
    is(await chunked('chunked/bad', payload, headers, make, whole.length - 1), 400, 'InvalidRequest');
    is(await chunked('chunked/bad', payload, headers, make, whole.length + 1), 400, 'IncompleteBody');
  }
  is(await get('chunked/bad'), 404, 'NoSuchKey');
  const noLength = sign(m, { method: 'PUT', path: at('chunked/bad'), payload: SIGNED });
  is(await send(m, { method: 'PUT', path: at('chunked/bad'), headers: { ...noLength.headers, 'Content-Length': 5 }, body: 'xxxxx' }), 411, 'MissingContentLength');
  const v4a = sign(m, { method: 'PUT', path: at('chunked/bad'), payload: 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' });
  assert.equal((await send(m, { method: 'PUT', path: at('chunked/bad'), headers: { ...v4a.headers, 'Content-Length': 5 }, body: 'xxxxx' })).status, 400);
});

test('PutObject: bodies that are not what they should be', async () => {
  is(await put('put/bad', 'body', { payload: sha256('other') }), 400, 'XAmzContentSHA256Mismatch');
  is(await put('put/bad', 'body', { headers: { 'Content-MD5': md5('other').toString('base64') } }), 400, 'BadDigest');
  is(await put('put/bad', 'body', { headers: { 'Content-MD5': 'AAAA' } }), 400, 'InvalidDigest');
  is(await put('put/bad', 'body', { headers: { 'x-amz-checksum-crc32': 'AAAA' } }), 400, 'InvalidRequest');
  is(await put('put/bad', ['bo', 'dy'], { payload: 'UNSIGNED-PAYLOAD' }), 411, 'MissingContentLength');
  is(await put('put/bad', 'body', { headers: { 'x-amz-acl': 'public-read' } }), 400, 'AccessControlListNotSupported');
  is(await put('put/bad', '', { headers: { 'x-amz-copy-source': `/${bucket}/virtual/k` } }), 501, 'NotImplemented');
  is(await put('put/bad', 'body', { headers: { 'If-None-Match': '"x"' } }), 501, 'NotImplemented');
  is(await put('put/bad', 'body', { headers: { 'x-amz-expected-bucket-owner': other.accountId } }), 403, 'AccessDenied');
  is(await get('put/bad'), 404, 'NoSuchKey');
  assert.equal((await put('put/good', 'body', { headers: { 'Content-MD5': md5('body').toString('base64'), 'x-amz-expected-bucket-owner': m.seller.accountId } })).status, 200);
});

test('a body is not asked for when it is not wanted', async () => {
  const held = (path, length) => {
    const signed = sign(m, { method: 'PUT', path, payload: 'UNSIGNED-PAYLOAD' });
    return send(m, { method: 'PUT', path, headers: { ...signed.headers, 'Content-Length': length, Expect: '100-continue' }, body: Buffer.alloc(Math.min(length, 100)) });
  };
  for (const [path, length, status, code] of [[`/${other.bucket}/k`, 100, 404, 'NoSuchBucket'], [at('huge'), 5 * 2 ** 30 + 1, 400, 'EntityTooLarge']]) {
    const answer = is(await held(path, length), status, code);
    assert.equal(answer.continued, false);
  }
  const taken = await held(at('held'), 100);
  assert.deepEqual([taken.status, taken.continued], [200, true]);
});

test('an upload that breaks off leaves nothing', async () => {
  const count = () => readdirSync(join(m.data, 'objects'), { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).length;
  const before = count();
  const body = randomBytes(4 << 20);
  const signed = sign(m, { method: 'PUT', path: at('broken-off'), payload: 'UNSIGNED-PAYLOAD' });
  await send(m, { method: 'PUT', path: at('broken-off'), headers: { ...signed.headers, 'Content-Length': body.length }, body, abortAfter: 3 << 20 });
  is(await get('broken-off'), 404, 'NoSuchKey');
  // At once, or (an end that comes in one packet with data is not noticed) with the idle connection after 30 s.
  await until(() => count() <= before, 45000, 'the unfinished file gone');
});

test('methods and operations that are not there', async () => {
  const from = m.log.length;
  const patch = is(await call(m, { method: 'PATCH', path: at('k'), body: '' }), 405, 'MethodNotAllowed');
  assert.equal(patch.headers.allow, 'GET, HEAD, PUT');
  is(await call(m, { method: 'DELETE', path: at('k') }), 501, 'NotImplemented');
  for (const query of ['uploads', 'acl', 'versions', 'tagging', 'policy']) is(await call(m, { path: `/${bucket}`, query }), 501, 'NotImplemented');
  const part = randomBytes(2 << 20);
  is(await call(m, { method: 'PUT', path: at('k'), query: 'partNumber=1&uploadId=x', body: part }), 501, 'NotImplemented');
  // Who is nobody does not learn what there is.
  is(await send(m, { method: 'DELETE', path: at('k') }), 403, 'AccessDenied');
  // Nothing of that is for the operator to mend.
  assert.ok(!m.log.slice(from).includes('level=error'), m.log.slice(from));
});

test('policies: actions, resources, and what a missing key tells', async () => {
  const seller = m.seller;
  const me = (await m.rest(seller, 'GET', '/api/v1/whoami')).json;
  const users = (await m.rest(seller, 'GET', `/api/v1/accounts/${seller.accountId}/users`)).json;
  const userId = me.userId ?? users.items[0].userId;
  const key = async (...Statement) => {
    const made = await m.rest(seller, 'POST', `/api/v1/users/${userId}/access-keys`, { policy: { Version: '2012-10-17', Statement } });
    assert.equal(made.status, 201, made.text);
    return made.json;
  };
  const arn = `arn:aws:s3:::${bucket}`;
  assert.equal((await put('policy/a', 'a')).status, 200);
  assert.equal((await put('private/a', 'a')).status, 200);
  const reader = await key({ Effect: 'Allow', Action: 's3:GetObject', Resource: `${arn}/policy/*` });
  assert.equal((await get('policy/a', { as: reader })).status, 200);
  is(await get('private/a', { as: reader }), 403, 'AccessDenied');
  is(await get('policy/missing', { as: reader }), 403, 'AccessDenied');
  is(await put('policy/b', 'b', { as: reader }), 403, 'AccessDenied');
  is(await call(m, { path: `/${bucket}`, query: 'list-type=2', as: reader }), 403, 'AccessDenied');
  is(await call(m, { path: '/', as: reader }), 403, 'AccessDenied');
  is(await call(m, { path: `/${other.bucket}/policy/a`, as: reader }), 403, 'AccessDenied');
  const lister = await key({ Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket', 's3:ListAllMyBuckets'], Resource: '*' });
  is(await get('policy/missing', { as: lister }), 404, 'NoSuchKey');
  is(await call(m, { path: `/${bucket}`, query: 'location', as: lister }), 403, 'AccessDenied');
  assert.equal((await call(m, { path: '/', as: lister })).status, 200);
  const denied = await key({ Effect: 'Allow', Action: 's3:*', Resource: '*' }, { Effect: 'Deny', Action: 's3:PutObject', Resource: `${arn}/policy/*` });
  is(await put('policy/b', 'b', { as: denied }), 403, 'AccessDenied');
  assert.equal((await put('elsewhere/b', 'b', { as: denied })).status, 200);
});

test('reads and writes are in the audit, by ids', async () => {
  const secret = 'audit/person.name.csv';
  const entries = async () => (await m.op('GET', '/api/v1/audit-entries?limit=200')).json.items.filter((e) => e.action.startsWith('s3:'));
  const before = (await entries()).length;
  const stored = await put(secret, 'contacts');
  const read = await get(secret);
  await get(secret, { headers: { Range: 'bytes=0-1' } });
  await get(secret, { headers: { 'If-None-Match': stored.headers.etag } });
  await call(m, { method: 'HEAD', path: at(secret) });
  await get('audit/missing');
  const list = await entries();
  const fresh = list.slice(0, list.length - before).reverse();
  assert.deepEqual(fresh.map((e) => e.action), ['s3:PutObject', 's3:GetObject', 's3:GetObject']);
  assert.equal(fresh[1].requestId, read.headers['x-amz-request-id']);
  for (const e of fresh) {
    assert.equal(e.accountId, m.seller.accountId);
    assert.equal(e.sellerId, m.seller.accountId);
    assert.match(e.resource, new RegExp(`^${bucket}/[0-9a-f-]{36}$`));
  }
  assert.equal(new Set(fresh.map((e) => e.resource)).size, 1);
  assert.ok(!JSON.stringify(list).includes('person.name'));
  assert.ok(!m.log.includes('person.name') && !m.log.includes('virtual/k'));
});

test('objects are sealed at rest', async () => {
  const marker = `MARKER-${randomBytes(8).toString('hex')}`;
  await put('sealed', marker.repeat(10));
  const all = readdirSync(m.data, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  for (const e of all) assert.ok(!readFileSync(join(e.path ?? e.parentPath, e.name)).includes(marker), e.name);
});
