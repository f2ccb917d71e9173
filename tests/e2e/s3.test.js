// SPDX-License-Identifier: Apache-2.0
// The embedded buckets through the clients that sellers have: Debian's AWS CLI and the AWS SDK for JavaScript.
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import http from 'node:http';
import { join } from 'node:path';
import {
  GetBucketLocationCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand, ListBucketsCommand, ListObjectsCommand,
  ListObjectsV2Command, PutObjectCommand, S3Client, paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { Marketplace } from './lib.js';

let m, files, other;
const MiB = 1 << 20;
const big = randomBytes(20 * MiB);
const strangeKeys = ['a b/c d.csv', 'plus+plus.csv', 'ü/ß€𝄞.csv', '100%.csv', '%41.csv', 'a//b', '/lead', '../up/../../x', './dot',
  'trail/', "q'u\"o;te&<x>.csv", 'star*(1)!.csv', 'tilde~=@:,$.csv', 'hash#?query.csv', 'back\\slash', ' '];

function client(as = m.seller, more = {}) {
  return new S3Client({
    endpoint: m.url, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1,
    credentials: { accessKeyId: as.accessKeyId, secretAccessKey: as.secretAccessKey }, ...more,
  });
}
const bytes = async (body) => Buffer.from(await body.transformToByteArray());
const put = (Key, Body, more = {}) => client().send(new PutObjectCommand({ Bucket: m.seller.bucket, Key, Body, ...more }));
const get = (Key, more = {}) => client().send(new GetObjectCommand({ Bucket: m.seller.bucket, Key, ...more }));
const fails = async (promise, name, status) => {
  const err = await promise.then(() => assert.fail(`no ${name}`), (e) => e);
  assert.equal(err.name, name, `${err.name}: ${err.message}`);
  assert.equal(err.$metadata.httpStatusCode, status);
  return err;
};
const s3 = (...path) => `s3://${[m.seller.bucket, ...path].join('/')}`;
const file = (name) => join(files, name);

before(async () => {
  m = await Marketplace.create({ clock: true });
  other = m.logins.sellers[1];
  files = join(m.dir, 'files');
  mkdirSync(files);
  writeFileSync(file('empty'), '');
  writeFileSync(file('one'), '1');
  writeFileSync(file('near8'), big.subarray(0, 8 * MiB - 1));
  await put('big', big);
});
after(async () => {
  const end = await m.stop();
  await m.close();
  assert.deepEqual(end, { code: 0, signal: null }, m.log.slice(-2000));
});

test('aws s3 ls shows buckets and keys', async () => {
  assert.match((await m.awsOk(['s3', 'ls'])).out, new RegExp(` ${m.seller.bucket}\n`));
  await put('ls/a', 'a');
  await put('ls/sub/b', 'bb');
  const out = (await m.awsOk(['s3', 'ls', s3('ls/')])).out;
  assert.match(out, /^ +PRE sub\/\n\S+ \S+ +1 a\n$/);
  assert.match((await m.awsOk(['s3', 'ls', '--recursive', s3('ls/')])).out, / 1 ls\/a\n.* 2 ls\/sub\/b\n$/);
  assert.equal((await m.aws(['s3', 'ls', s3('nothing-here')])).code, 1);
});

test('aws s3 cp: both ways, empty, one byte, just under the multipart threshold', async () => {
  for (const name of ['empty', 'one', 'near8']) {
    await m.awsOk(['s3', 'cp', file(name), s3('cp', name)]);
    await m.awsOk(['s3', 'cp', s3('cp', name), file(`${name}.back`)]);
    assert.ok(readFileSync(file(name)).equals(readFileSync(file(`${name}.back`))), name);
  }
});

test('aws s3 cp: 20 MiB come down in parallel ranges', async () => {
  await m.awsOk(['s3', 'cp', s3('big'), file('big.back')]);
  assert.ok(big.equals(readFileSync(file('big.back'))));
  const piped = await m.awsOk(['s3', 'cp', s3('big'), '-']);
  assert.ok(big.equals(piped.raw));
});

test('aws s3 sync fetches once, then only what changed', async () => {
  await put('sync/a.csv', 'first');
  await put('sync/deep/b.csv', 'b');
  const dir = file('synced');
  assert.equal((await m.awsOk(['s3', 'sync', '--no-progress', s3('sync'), dir])).out.split('\n').filter(Boolean).length, 2);
  assert.equal((await m.awsOk(['s3', 'sync', '--no-progress', s3('sync'), dir])).out, '');
  await put('sync/a.csv', 'second!');
  assert.match((await m.awsOk(['s3', 'sync', '--no-progress', s3('sync'), dir])).out, /^download: \S+sync\/a\.csv to \S+\n$/);
  assert.equal(readFileSync(join(dir, 'a.csv'), 'utf8'), 'second!');
});

test('aws s3 sync uploads a directory and finds it unchanged', async () => {
  const dir = file('up');
  mkdirSync(join(dir, 'sub'), { recursive: true });
  for (const name of ['x', 'sub/ü y+z.csv']) {
    writeFileSync(join(dir, name), name);
    utimesSync(join(dir, name), new Date(2020, 1, 1), new Date(2020, 1, 1));
  }
  await m.awsOk(['s3', 'sync', dir, s3('up')]);
  assert.equal((await m.awsOk(['s3', 'sync', dir, s3('up')])).out, '');
  assert.equal((await bytes((await get('up/sub/ü y+z.csv')).Body)).toString(), 'sub/ü y+z.csv');
});

test('aws s3api: location, head, a wrong Content-MD5', async () => {
  assert.equal(JSON.parse((await m.awsOk(['s3api', 'get-bucket-location', '--bucket', m.seller.bucket])).out).LocationConstraint, null);
  await m.awsOk(['s3api', 'head-bucket', '--bucket', m.seller.bucket]);
  const head = JSON.parse((await m.awsOk(['s3api', 'head-object', '--bucket', m.seller.bucket, '--key', 'big'])).out);
  assert.equal(head.ContentLength, big.length);
  assert.equal(head.ContentType, 'application/octet-stream');
  assert.equal(head.ETag, `"${createHash('md5').update(big).digest('hex')}"`);
  const bad = await m.aws(['s3api', 'put-object', '--bucket', m.seller.bucket, '--key', 'bad', '--body', file('one'), '--content-md5', 'AAAAAAAAAAAAAAAAAAAAAA==']);
  assert.match(bad.err, /BadDigest/);
  assert.match((await m.aws(['s3api', 'head-object', '--bucket', m.seller.bucket, '--key', 'bad'])).err, /404/);
});

test('aws s3api list-objects (version 1) pages through a bucket', async () => {
  for (let i = 0; i < 7; i++) await put(`v1/${i % 2 ? `d${i}/x` : `k${i}`}`, '');
  const all = JSON.parse((await m.awsOk(['s3api', 'list-objects', '--bucket', m.seller.bucket, '--prefix', 'v1/', '--page-size', '2'])).out);
  assert.deepEqual(all.Contents.map((c) => c.Key), ['v1/d1/x', 'v1/d3/x', 'v1/d5/x', 'v1/k0', 'v1/k2', 'v1/k4', 'v1/k6']);
  const rolled = JSON.parse((await m.awsOk(['s3api', 'list-objects', '--bucket', m.seller.bucket, '--prefix', 'v1/', '--delimiter', '/', '--page-size', '1'])).out);
  assert.deepEqual(rolled.CommonPrefixes.map((p) => p.Prefix), ['v1/d1/', 'v1/d3/', 'v1/d5/']);
  assert.equal(rolled.Contents.length, 4);
});

test('what souk does not offer says so', async () => {
  writeFileSync(file('big'), big);
  const multipart = await m.aws(['s3', 'cp', file('big'), s3('multipart')]);
  assert.equal(multipart.code, 1);
  assert.match(multipart.err, /NotImplemented.*multipart.*PutObject/);
  assert.match((await m.aws(['s3', 'rm', s3('big')])).err, /NotImplemented.*deleting objects/);
  assert.match((await m.aws(['s3', 'mb', 's3://another-bucket'])).err, /NotImplemented/);
  assert.match((await m.aws(['s3api', 'get-bucket-acl', '--bucket', m.seller.bucket])).err, /NotImplemented/);
  assert.match((await m.aws(['s3', 'cp', s3('big'), s3('copy')])).err, /NotImplemented/);
});

test('keys are bytes: nothing is cleaned up', async () => {
  for (const key of strangeKeys) {
    await put(`keys/${key}`, `body of ${key}`);
  }
  for (const key of strangeKeys) {
    assert.equal((await bytes((await get(`keys/${key}`)).Body)).toString(), `body of ${key}`, key);
  }
  const sorted = (list) => [...list].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const EncodingType of [undefined, 'url']) {
    const listed = await client().send(new ListObjectsV2Command({ Bucket: m.seller.bucket, Prefix: 'keys/', EncodingType }));
    const keys = listed.Contents.map((c) => (EncodingType ? decodeURIComponent(c.Key) : c.Key));
    assert.deepEqual(keys, sorted(strangeKeys.map((k) => `keys/${k}`)));
  }
  const cli = JSON.parse((await m.awsOk(['s3api', 'list-objects-v2', '--bucket', m.seller.bucket, '--prefix', 'keys/'])).out);
  assert.deepEqual(cli.Contents.map((c) => c.Key), sorted(strangeKeys.map((k) => `keys/${k}`)));
  for (const key of ['a b/c d.csv', 'plus+plus.csv', '100%.csv', 'a//b', '../up/../../x']) {
    assert.equal((await m.awsOk(['s3', 'cp', s3(`keys/${key}`), '-'])).out, `body of ${key}`);
  }
  await put('k'.repeat(1024), 'longest');
  assert.equal((await bytes((await get('k'.repeat(1024))).Body)).toString(), 'longest');
  await fails(put('k'.repeat(1025), 'too long'), 'KeyTooLongError', 400);
});

test('listing: pages, delimiter, start-after, tokens', async () => {
  for (let i = 0; i < 23; i++) await put(`list/${String.fromCharCode(97 + i)}/${i % 3}`, 'x');
  const keys = [];
  for await (const page of paginateListObjectsV2({ client: client(), pageSize: 5 }, { Bucket: m.seller.bucket, Prefix: 'list/' })) {
    assert.ok(page.KeyCount <= 5);
    keys.push(...page.Contents.map((c) => c.Key));
  }
  assert.equal(keys.length, 23);
  assert.deepEqual(keys, [...keys].sort());
  const prefixes = [];
  for await (const page of paginateListObjectsV2({ client: client(), pageSize: 4 }, { Bucket: m.seller.bucket, Prefix: 'list/', Delimiter: '/' })) {
    prefixes.push(...page.CommonPrefixes.map((p) => p.Prefix));
  }
  assert.deepEqual(prefixes, keys.map((k) => k.slice(0, 7)));
  const list = (more) => client().send(new ListObjectsV2Command({ Bucket: m.seller.bucket, Prefix: 'list/', ...more }));
  assert.equal((await list({ StartAfter: 'list/v/0' })).Contents[0].Key, keys[22]);
  const none = await list({ MaxKeys: 0 });
  assert.deepEqual([none.KeyCount, none.IsTruncated, none.Contents], [0, false, undefined]);
  const owned = await list({ MaxKeys: 1, FetchOwner: true });
  assert.equal(owned.Contents[0].Owner.ID, m.seller.accountId);
  await fails(list({ ContinuationToken: 'made-up' }), 'InvalidArgument', 400);
  await fails(list({ MaxKeys: -1 }), 'InvalidArgument', 400);
  const v1 = await client().send(new ListObjectsCommand({ Bucket: m.seller.bucket, Prefix: 'list/', Delimiter: '/', MaxKeys: 2 }));
  assert.equal(v1.NextMarker, 'list/b/');
});

test('an object comes back with what it was stored with', async () => {
  const Expires = new Date('2031-01-01T00:00:00Z');
  const stored = await put('stored', 'body', {
    ContentType: 'text/csv; charset=utf-8', ContentDisposition: "attachment; filename*=UTF-8''%C3%BC.csv", ContentEncoding: 'identity',
    ContentLanguage: 'de', CacheControl: 'no-store', Expires, Metadata: { rows: '5', 'schema-id': 'psc 1' }, ChecksumAlgorithm: 'SHA256',
  });
  assert.equal(stored.ETag, '"841a2d689ad86bd1611447453c22c6fc"');
  for (const got of [await get('stored', { ChecksumMode: 'ENABLED' }),
    await client().send(new HeadObjectCommand({ Bucket: m.seller.bucket, Key: 'stored', ChecksumMode: 'ENABLED' }))]) {
    assert.equal(got.ContentType, 'text/csv; charset=utf-8');
    assert.equal(got.ContentDisposition, "attachment; filename*=UTF-8''%C3%BC.csv");
    assert.equal(got.ContentEncoding, 'identity');
    assert.equal(got.ContentLanguage, 'de');
    assert.equal(got.CacheControl, 'no-store');
    assert.equal(got.ExpiresString, 'Wed, 01 Jan 2031 00:00:00 GMT');
    assert.deepEqual(got.Metadata, { rows: '5', 'schema-id': 'psc 1' });
    assert.equal(got.ContentLength, 4);
    assert.equal(got.ETag, stored.ETag);
    assert.equal(got.ChecksumSHA256, createHash('sha256').update('body').digest('base64'));
    assert.equal(got.ChecksumType, 'FULL_OBJECT');
    assert.ok(Math.abs(got.LastModified - m.now()) < 20000);
    assert.match(got.Expiration, /^expiry-date="\w{3}, \d\d \w{3} \d{4} .* GMT"/);
  }
  assert.equal((await get('big')).ContentType, 'application/octet-stream');
});

test('ranges', async () => {
  for (const [Range, from, to] of [['bytes=0-0', 0, 0], ['bytes=65535-65536', 65535, 65536], ['bytes=131000-', 131000, big.length - 1],
    ['bytes=-70000', big.length - 70000, big.length - 1], [`bytes=5-${big.length * 2}`, 5, big.length - 1]]) {
    const got = await get('big', { Range });
    assert.equal(got.$metadata.httpStatusCode, 206);
    assert.equal(got.ContentRange, `bytes ${from}-${to}/${big.length}`);
    assert.ok((await bytes(got.Body)).equals(big.subarray(from, to + 1)), Range);
  }
  for (const Range of ['bytes=3-2', 'bytes=0-1,5-6', 'lines=1-2']) {
    const got = await get('cp/one', { Range });
    assert.deepEqual([got.$metadata.httpStatusCode, got.ContentLength, got.ContentRange], [200, 1, undefined]);
  }
  await fails(get('cp/one', { Range: 'bytes=1-' }), 'InvalidRange', 416);
  await fails(get('cp/empty', { Range: 'bytes=0-0' }), 'InvalidRange', 416);
  const head = await client().send(new HeadObjectCommand({ Bucket: m.seller.bucket, Key: 'big', Range: 'bytes=2-5' }));
  assert.deepEqual([head.$metadata.httpStatusCode, head.ContentLength, head.ContentRange], [206, 4, `bytes 2-5/${big.length}`]);
  assert.equal((await get('big', { Range: 'bytes=0-9', ChecksumMode: 'ENABLED' })).ChecksumCRC32, undefined);
});

test('parts: an object is its first and only one', async () => {
  const got = await get('big', { PartNumber: 1 });
  assert.deepEqual([got.$metadata.httpStatusCode, got.ContentRange, got.PartsCount], [206, `bytes 0-${big.length - 1}/${big.length}`, undefined]);
  assert.ok((await bytes(got.Body)).equals(big));
  const head = await client().send(new HeadObjectCommand({ Bucket: m.seller.bucket, Key: 'big', PartNumber: 1 }));
  assert.deepEqual([head.ContentLength, head.ETag, head.PartsCount], [big.length, got.ETag, undefined]);
  const empty = await get('cp/empty', { PartNumber: 1 });
  assert.deepEqual([empty.$metadata.httpStatusCode, empty.ContentLength], [200, 0]);
  await fails(get('big', { PartNumber: 2 }), 'InvalidPartNumber', 416);
  await fails(get('cp/empty', { PartNumber: 2 }), 'InvalidPartNumber', 416);
  for (const PartNumber of [0, -1, 10001]) await fails(get('big', { PartNumber }), 'InvalidArgument', 400);
  await fails(get('big', { PartNumber: 1, Range: 'bytes=0-1' }), 'InvalidRequest', 400);
  await fails(get('no/such', { PartNumber: 1 }), 'NoSuchKey', 404);
  await fails(get('big', { PartNumber: 1, IfMatch: '"x"' }), 'PreconditionFailed', 412);
});

test('conditions', async () => {
  const first = await put('conditional', 'first');
  const { LastModified } = await get('conditional', { IfMatch: first.ETag });
  const notModified = async (more) => {
    const err = await get('conditional', more).then(() => assert.fail('not 304'), (e) => e);
    assert.equal(err.$metadata.httpStatusCode, 304);
  };
  await notModified({ IfNoneMatch: first.ETag });
  await notModified({ IfModifiedSince: LastModified });
  await get('conditional', { IfUnmodifiedSince: LastModified });
  await get('conditional', { IfModifiedSince: new Date(LastModified - 1000) });
  await fails(get('conditional', { IfUnmodifiedSince: new Date(LastModified - 1000) }), 'PreconditionFailed', 412);
  const second = await put('conditional', 'second');
  await fails(get('conditional', { IfMatch: first.ETag }), 'PreconditionFailed', 412);
  await fails(get('conditional', { IfMatch: first.ETag, Range: 'bytes=0-1' }), 'PreconditionFailed', 412);
  assert.equal((await bytes((await get('conditional', { IfMatch: second.ETag, Range: 'bytes=0-1' })).Body)).toString(), 'se');
  await fails(put('conditional', 'third', { IfNoneMatch: '*' }), 'PreconditionFailed', 412);
  await fails(put('conditional', 'third', { IfMatch: first.ETag }), 'PreconditionFailed', 412);
  await put('conditional', 'third', { IfMatch: second.ETag });
  await put('conditional-new', 'new', { IfNoneMatch: '*' });
  assert.equal((await bytes((await get('conditional')).Body)).toString(), 'third');
});

test('of many who write only if nothing is there, one does', async () => {
  const done = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => put('only-one', `writer ${i}`, { IfNoneMatch: '*' })));
  assert.equal(done.filter((d) => d.status === 'fulfilled').length, 1);
  assert.ok(done.every((d) => d.status === 'fulfilled' || d.reason.name === 'PreconditionFailed'));
});

test('a reader keeps the version it began with', async () => {
  const a = randomBytes(12 * MiB), b = randomBytes(3 * MiB);
  await put('replaced', a);
  const reading = await get('replaced');
  await put('replaced', b);
  assert.ok((await bytes(reading.Body)).equals(a));
  assert.ok((await bytes((await get('replaced')).Body)).equals(b));
});

test('checksums: streamed with a trailer, in a header, wrong', async () => {
  const body = big.subarray(0, 3 * MiB + 17);
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256', 'CRC64NVME']) {
    const Key = `sum/${ChecksumAlgorithm}`;
    await put(Key, Readable.from([body.subarray(0, 100), body.subarray(100)]), { ContentLength: body.length, ChecksumAlgorithm });
    const got = await get(Key, { ChecksumMode: 'ENABLED' });
    assert.ok(got[`Checksum${ChecksumAlgorithm}`], ChecksumAlgorithm);
    assert.ok((await bytes(got.Body)).equals(body)); // the SDK checks the sum as it reads
    assert.equal(got.ContentEncoding, undefined);
  }
  await fails(put('sum/bad', 'body', { ChecksumCRC32: 'AAAAAA==' }), 'BadDigest', 400);
  await fails(put('sum/bad', 'body', { ChecksumSHA256: createHash('sha256').update('other').digest('base64') }), 'BadDigest', 400);
  await fails(get('sum/bad'), 'NoSuchKey', 404);
});

test('virtual-host style', async () => {
  const seen = [];
  const lookup = (host, options, done) => {
    seen.push(host);
    done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
  };
  const virtual = client(m.seller, {
    endpoint: `http://localhost:${m.port}`, forcePathStyle: false, requestHandler: { httpAgent: new http.Agent({ lookup }) },
  });
  await virtual.send(new PutObjectCommand({ Bucket: m.seller.bucket, Key: 'virtual/a b+ü', Body: 'v' }));
  assert.equal((await bytes((await virtual.send(new GetObjectCommand({ Bucket: m.seller.bucket, Key: 'virtual/a b+ü' }))).Body)).toString(), 'v');
  const listed = await virtual.send(new ListObjectsV2Command({ Bucket: m.seller.bucket, Prefix: 'virtual/' }));
  assert.deepEqual(listed.Contents.map((c) => c.Key), ['virtual/a b+ü']);
  await virtual.send(new HeadBucketCommand({ Bucket: m.seller.bucket }));
  await virtual.send(new GetBucketLocationCommand({ Bucket: m.seller.bucket }));
  assert.equal((await virtual.send(new ListBucketsCommand({}))).Buckets.length, 1);
  assert.ok(seen.includes(`${m.seller.bucket}.localhost`), String(seen));
  await fails(virtual.send(new ListObjectsV2Command({ Bucket: other.bucket })), 'NoSuchBucket', 404);
});

test("somebody else's bucket answers as a missing one", async () => {
  const names = [other.bucket, 'no-such-bucket-here'];
  const answers = [];
  for (const Bucket of names) {
    const texts = [];
    for (const [Command, more] of [[ListObjectsV2Command, {}], [ListObjectsCommand, {}], [GetBucketLocationCommand, {}],
      [GetObjectCommand, { Key: 'k' }], [PutObjectCommand, { Key: 'k', Body: 'x' }]]) {
      const err = await fails(client().send(new Command({ Bucket, ...more })), 'NoSuchBucket', 404);
      texts.push(err.message);
    }
    for (const [Command, more] of [[HeadBucketCommand, {}], [HeadObjectCommand, { Key: 'k' }]]) {
      const err = await client().send(new Command({ Bucket, ...more })).then(() => assert.fail('found'), (e) => e);
      assert.equal(err.$metadata.httpStatusCode, 404);
    }
    answers.push(texts);
  }
  assert.deepEqual(answers[0], answers[1]);
  assert.match((await m.aws(['s3', 'ls', `s3://${other.bucket}`])).err, /NoSuchBucket/);
  assert.deepEqual((await client().send(new ListBucketsCommand({}))).Buckets.map((b) => b.Name), [m.seller.bucket]);
});

test('presigned links: work, follow overrides, cannot be changed, end', async () => {
  await put('link/a b.csv', 'linked');
  const url = (await m.awsOk(['s3', 'presign', s3('link/a b.csv'), '--expires-in', '60'])).out.trim();
  const fetched = await fetch(url);
  assert.equal(fetched.status, 200);
  assert.equal(await fetched.text(), 'linked');
  assert.equal(fetched.headers.get('content-security-policy'), "default-src 'none'; sandbox");
  assert.equal((await fetch(url, { headers: { Range: 'bytes=0-2' } })).status, 206);
  const refused = async (link, options, code, status = 403) => {
    const answer = await fetch(link, options);
    const text = await answer.text();
    assert.equal(answer.status, status, text);
    assert.match(text, new RegExp(`<Code>${code}</Code>`));
    return text;
  };
  await refused(url.replace('a%20b', 'a%20c'), {}, 'SignatureDoesNotMatch');
  await refused(url.replace(/Expires=60/, 'Expires=600'), {}, 'SignatureDoesNotMatch');
  await refused(`${url}&response-content-type=text/html`, {}, 'SignatureDoesNotMatch');
  await refused(url.replace(/Signature=./, (t) => `Signature=${t.endsWith('0') ? '1' : '0'}`), {}, 'SignatureDoesNotMatch');
  await refused(url, { method: 'PUT', body: 'x' }, 'SignatureDoesNotMatch');
  await refused(url.replace(/Expires=60/, 'Expires=604801'), {}, 'AuthorizationQueryParametersError', 400);
  await refused(url.replace(/&X-Amz-Date=[^&]*/, ''), {}, 'AuthorizationQueryParametersError', 400);
  await refused(url, { headers: { Authorization: 'AWS4-HMAC-SHA256 x' } }, 'InvalidArgument', 400);
  try {
    m.setClock(61);
    const text = await refused(url, {}, 'AccessDenied');
    assert.match(text, /Request has expired/);
    assert.match(text, /<X-Amz-Expires>60<\/X-Amz-Expires>/);
    assert.match(text, /<Expires>.*<ServerTime>/);
  } finally {
    m.setClock(0);
  }
  assert.equal((await fetch(url)).status, 200);
});

test('a clock that is off is told apart from a bad key', async () => {
  try {
    m.setClock(16 * 60);
    // The CLI runs on the moved clock as the server does; this process does not.
    const err = await fails(client(m.seller, { maxAttempts: 1 }).send(new ListBucketsCommand({})), 'RequestTimeTooSkewed', 403);
    assert.equal(err.MaxAllowedSkewMilliseconds, '900000');
    await m.awsOk(['s3', 'ls']);
  } finally {
    m.setClock(0);
  }
  const wrong = await fails(client({ ...m.seller, secretAccessKey: 'x'.repeat(40) }).send(new ListBucketsCommand({})), 'SignatureDoesNotMatch', 403);
  const unknown = await fails(client({ accessKeyId: 'SOUKAAAAAAAAAAAAAAAA', secretAccessKey: 'x'.repeat(40) }).send(new ListBucketsCommand({})), 'SignatureDoesNotMatch', 403);
  assert.equal(wrong.message, unknown.message);
});

test('a client in another region learns the right one', async () => {
  const err = await fails(client(m.seller, { region: 'eu-west-1' }).send(new ListBucketsCommand({})), 'AuthorizationHeaderMalformed', 400);
  assert.equal(err.Region, 'us-east-1');
});

test('a 200 MiB upload and download leave memory flat', async () => {
  const peak = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${m.process.pid}/status`, 'utf8'))[1]);
  const piece = big.subarray(0, MiB);
  const hash = createHash('sha256');
  async function* pieces() {
    for (let i = 0; i < 200; i++) yield piece;
  }
  const before = peak();
  await put('large', Readable.from(pieces()), { ContentLength: 200 * MiB });
  for await (const part of (await get('large')).Body) hash.update(part);
  const want = createHash('sha256');
  for (let i = 0; i < 200; i++) want.update(piece);
  assert.equal(hash.digest('hex'), want.digest('hex'));
  assert.ok(peak() - before < 16 * 1024, `${before} kB, then ${peak()} kB`);
  assert.ok(statSync(join(m.data, 'souk.db')).size < 64 * MiB);
});
