// SPDX-License-Identifier: Apache-2.0
// object.home = s3: souk's objects in a bucket of a Ceph gateway, and of a store that misbehaves.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, ListMultipartUploadsCommand, ListPartsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Marketplace, parseCsv, run, souk, soukBinary, until } from './lib.js';
import { proxy as proxyTo, store as storeOf, storeIni } from './services.js';

const MiB = 1 << 20;
let ceph, store, m, proxy;
const clientOf = (endpoint, who) => new S3Client({
  endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1,
  credentials: { accessKeyId: who.accessKeyId, secretAccessKey: who.secretAccessKey },
});
const mine = () => clientOf(m.url, m.seller);
const put = (Key, Body, more = {}) => mine().send(new PutObjectCommand({ Bucket: m.seller.bucket, Key, Body, ...more }));
const get = (Key, more = {}) => mine().send(new GetObjectCommand({ Bucket: m.seller.bucket, Key, ...more }));
const bytes = async (answer) => Buffer.from(await (await answer).Body.transformToByteArray());
const stored = async () => (await store.send(new ListObjectsV2Command({ Bucket: ceph.bucket }))).Contents ?? [];
const uploads = async () => (await store.send(new ListMultipartUploadsCommand({ Bucket: ceph.bucket }))).Uploads ?? [];
/** Parts that nobody will complete or abort. */
const orphans = async () => (await Promise.all((await uploads()).map(async (u) =>
  ((await store.send(new ListPartsCommand({ Bucket: ceph.bucket, Key: u.Key, UploadId: u.UploadId }))).Parts ?? []).length)))
  .reduce((a, b) => a + b, 0);
const vmHwm = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${m.process.pid}/status`, 'utf8'))[1]) / 1024;
const ready = async () => { const r = await m.rest(null, 'GET', '/readyz'); return { code: r.status, ...r.json }; };

before(async () => {
  ceph = await storeOf('ceph');
  store = clientOf(ceph.endpoint, ceph);
  proxy = await proxyTo(ceph.endpoint);
  m = await Marketplace.create({ ini: storeIni({ ...ceph, endpoint: proxy.endpoint }) });
});
after(async () => {
  const end = await m.stop();
  await m.close();
  proxy.close();
  await ceph.stop();
  assert.deepEqual(end, { code: 0, signal: null }, m.log.slice(-2000));
});

test('objects are in the bucket, sealed, and nowhere else', async () => {
  const text = 'a line that nobody else may read\n'.repeat(10);
  const before = (await stored()).length;
  await put('plain.txt', text, { ContentType: 'text/plain' });
  const there = await stored();
  assert.equal(there.length, before + 1);
  assert.match(there.at(-1).Key, /^objects\/([0-9a-f]{2})\/\1[0-9a-f-]{34}$/);
  const sealed = Buffer.from(await (await store.send(new GetObjectCommand({ Bucket: ceph.bucket, Key: there.at(-1).Key }))).Body.transformToByteArray());
  assert.ok(!sealed.includes('nobody'));
  assert.equal((await bytes(get('plain.txt'))).toString(), text);
  assert.deepEqual(readdirSync(join(m.data, 'objects')), []);
});

test('sizes around chunks, windows and parts come back whole and in ranges', async () => {
  const big = randomBytes(17 * MiB + 5);
  for (const size of [0, 1, 65535, 65536, 65537, MiB - 1, MiB, MiB + 1, 8 * MiB - 3000, 8 * MiB, 8 * MiB + 1, big.length]) {
    await put(`size/${size}`, big.subarray(0, size));
    assert.ok((await bytes(get(`size/${size}`))).equals(big.subarray(0, size)), String(size));
  }
  for (const [from, to] of [[0, 0], [65535, 65536], [MiB - 1, MiB], [5 * MiB + 7, 9 * MiB + 8], [big.length - 1, big.length - 1]]) {
    proxy.seen.length = 0;
    assert.ok((await bytes(get(`size/${big.length}`, { Range: `bytes=${from}-${to}` }))).equals(big.subarray(from, to + 1)), `${from}-${to}`);
    const chunks = Math.floor(to / 65536) - Math.floor(from / 65536) + 1;
    assert.equal(proxy.seen.length, Math.ceil(chunks / 16), 'requests for the chunks needed, no more');
  }
});

test('an export arrives; what was replaced stays in the bucket for those who read it', async () => {
  const answer = await m.awsOk(m.exportArgs());
  const e = await m.delivered(JSON.parse(answer.out).dataSetRequestId);
  assert.equal(e.state, 'delivered', JSON.stringify(e));
  assert.ok(parseCsv((await bytes(get(e.csvKey))).toString()).length > 5);
  const before = (await stored()).length;
  await put('again', 'one');
  await put('again', 'two');
  assert.equal((await bytes(get('again'))).toString(), 'two');
  assert.equal((await stored()).length, before + 2);
});

test('300 MB go up and come down in little memory', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'souk-large-'));
  const file = join(dir, 'large');
  const out = createWriteStream(file);
  for (let i = 0; i < 300; i++) await new Promise((r) => out.write(randomBytes(MiB), r));
  await new Promise((r) => out.end(r));
  const before = vmHwm();
  await mine().send(new PutObjectCommand({ Bucket: m.seller.bucket, Key: 'large', Body: createReadStream(file), ContentLength: statSync(file).size }));
  const hash = createHash('sha256');
  await pipeline((await get('large')).Body, hash);
  const want = createHash('sha256');
  await pipeline(createReadStream(file), want);
  assert.equal(hash.digest('hex'), want.digest('hex'));
  const grown = vmHwm() - before;
  console.log(`# VmHWM ${before.toFixed(0)} MB before, ${grown.toFixed(0)} MB more after 300 MB`);
  assert.ok(grown < 40, `${grown} MB`);
  assert.equal(await orphans(), 0);
  await put('large', 'small');
  rmSync(dir, { recursive: true });
});

test('a store that fails for a moment is asked again, and nobody notices', async () => {
  const body = randomBytes(9 * MiB);
  for (const fault of ['503 SlowDown', '500 InternalError', '400 RequestTimeout', 'reset', 'lost', 'truncate']) {
    let left = 2;
    proxy.plan = () => (left-- > 0 ? fault : null);
    await put('moment', body);
    left = 2;
    assert.ok((await bytes(get('moment'))).equals(body), String(fault));
    proxy.plan = () => null;
    assert.equal((await ready()).code, 200);
  }
  assert.equal(await orphans(), 0);
});

test('a lost answer to completing an upload is settled by what is there', async () => {
  const body = randomBytes(20 * MiB);
  proxy.plan = (req) => (req.method === 'POST' && /uploadId=/.test(req.url) ? 'lost' : null);
  await put('lost-answer', body);
  proxy.plan = () => null;
  assert.ok((await bytes(get('lost-answer'))).equals(body));
  assert.equal(await orphans(), 0);
});

test('a store that stays away fails uploads and downloads, and only those', async () => {
  await put('here', randomBytes(3 * MiB));
  for (const fault of ['503 SlowDown', '403 AccessDenied', 'reset', 'stall', 'drip', 'html', 'redirect']) {
    m.log = '';
    proxy.plan = () => fault;
    const began = Date.now();
    const up = assert.rejects(put('never', 'x'), (e) => e.$metadata?.httpStatusCode >= 500, `put ${fault}`);
    const down = assert.rejects(get('here'), (e) => e.$metadata?.httpStatusCode === 503 && e.name === 'ServiceUnavailable', `get ${fault}`);
    // Waiting for the store holds no thread that answers others.
    for (let i = 0; i < 20; i++) {
      const t = Date.now();
      assert.equal((await m.rest(null, 'GET', '/healthz')).status, 200);
      assert.ok(Date.now() - t < 1800, `healthz took ${Date.now() - t} ms during ${fault}`);
      await new Promise((r) => setTimeout(r, 20));
    }
    await Promise.all([up, down]);
    assert.ok(Date.now() - began < 60000, `${fault}: ${Date.now() - began} ms`);
    await until(() => /object_store_away/.test(m.log), 5000, `log of ${fault}`);
    const state = await ready();
    assert.equal(state.objects, 'cannot be reached');
    assert.equal(state.code, 200, 'everything else goes on');
    assert.ok(!m.log.includes(ceph.secretAccessKey));
    proxy.plan = () => null;
    for (const r of proxy.held.splice(0)) r.destroy();
    await until(async () => (await ready()).objects === 'ok', 20000, `return after ${fault}`);
  }
  await assert.rejects(get('never'), { name: 'NoSuchKey' });
});

test('a body cut off in the middle is never taken for the object', async () => {
  const body = randomBytes(3 * MiB);
  await put('cut', body);
  proxy.plan = (req) => (req.method === 'GET' ? 'truncate' : null);
  await assert.rejects(bytes(get('cut')));
  proxy.plan = () => null;
  assert.ok((await bytes(get('cut'))).equals(body));
});

test('what fails before the first byte is an error, also of a part; what fails after it breaks off', async () => {
  const body = randomBytes(3 * MiB);
  await put('first', body);
  const key = (await stored()).sort((a, b) => a.LastModified - b.LastModified).at(-1).Key;
  const reads = async () => (await m.op('GET', '/api/v1/audit-entries?limit=200')).json.items.filter((x) => x.action === 's3:GetObject').length;
  const audited = await reads();
  proxy.plan = (req) => (req.method === 'GET' ? '503 SlowDown' : null);
  for (const more of [{}, { Range: 'bytes=100000-100009' }]) {
    const e = await get('first', more).then(() => assert.fail('answered'), (x) => x);
    assert.deepEqual(`${e.$metadata.httpStatusCode} ${e.name}`, '503 ServiceUnavailable');
    assert.ok(e.RequestId ?? e.$metadata.requestId);
  }
  assert.equal(await reads(), audited, 'nothing was given');
  // The second of three pieces.
  let n = 0;
  proxy.plan = (req) => (req.method === 'GET' && ++n > 1 ? '503 SlowDown' : null);
  const answer = await get('first');
  assert.equal(answer.$metadata.httpStatusCode, 200);
  await assert.rejects(answer.Body.transformToByteArray());
  proxy.plan = () => null;
  assert.ok((await bytes(get('first'))).equals(body));
  // A file that is not there is ours to mend, and asking again does not help.
  await store.send(new DeleteObjectCommand({ Bucket: ceph.bucket, Key: key }));
  await assert.rejects(get('first'), (e) => e.$metadata?.httpStatusCode === 500 && e.name === 'InternalError');
});

test('an export waits for a store that is away, then is delivered once', async () => {
  proxy.plan = () => '503 SlowDown';
  const id = JSON.parse((await m.awsOk(m.exportArgs({ prefix: 'later' }))).out).dataSetRequestId;
  await until(() => proxy.seen.slice(-3).every((s) => s.what), 10000, 'tries');
  await new Promise((r) => setTimeout(r, 3000));
  const waiting = await m.rest(m.seller, 'GET', `/api/v1/sellers/${m.seller.accountId}/deliveries/${id}`);
  assert.equal(waiting.json.state, 'waiting');
  proxy.plan = () => null;
  const e = await m.delivered(id);
  assert.equal(e.state, 'delivered');
  assert.ok((await bytes(get(e.csvKey))).length > 100);
});

test('killed in the middle of an upload: nothing of it is an object, and souk starts again', async () => {
  const keys = (await stored()).length;
  let parts = 0;
  proxy.plan = (req) => (req.method === 'PUT' && /partNumber/.test(req.url) && ++parts === 2 ? 'stall' : null);
  const sent = put('killed', randomBytes(30 * MiB)).then(() => assert.fail('stored'), () => {});
  await until(() => parts >= 2, 20000, 'the second part');
  await m.stop('SIGKILL');
  await sent;
  proxy.plan = () => null;
  assert.equal(await orphans(), 1);
  assert.deepEqual(readdirSync(join(m.data, 'objects')), [], 'what was spooled is gone with its process');
  await m.start();
  await assert.rejects(get('killed'), { name: 'NoSuchKey' });
  assert.equal((await stored()).length, keys);
  await put('killed', 'now');
  assert.equal((await bytes(get('killed'))).toString(), 'now');
});

test('settings that cannot work stop the start, and say which', async () => {
  await m.stop();
  const ini = (more) => writeFileSync(join(m.data, 'souk.ini'), storeIni(ceph, more), { mode: 0o600 });
  const cases = [
    [{ 'object.s3-secret-access-key': 'not-the-secret' }, /object\.s3-secret-access-key/],
    [{ 'object.s3-access-key-id': 'NOBODY' }, /does not know the access key; check object\.s3-access-key-id/],
    [{ 'object.s3-bucket': 'souk-not-there' }, /there is no such bucket; make it, or check object\.s3-bucket/],
    [{ 'object.s3-bucket': ceph.foreignBucket }, /denies it .*object\.s3-bucket/],
    [{ 'object.s3-bucket': 'x' }, /object\.s3-bucket is not a bucket's name/],
    [{ 'object.s3-endpoint': 'http://store.example/bucket' }, /object\.s3-endpoint holds more than scheme, host and port/],
    [{ 'object.s3-endpoint': '' }, /object\.s3-endpoint is not a store's address/],
    [{ 'object.s3-endpoint': 'http://192.0.2.7' }, /object\.s3-endpoint leads to an address that is not public/],
    [{ 'object.s3-path-style': 'false' }, /object\.s3-endpoint is an address.*path style/],
    [{ 'object.s3-secret-access-key': '' }, /object\.s3-secret-access-key is missing/],
    [{ 'object.s3-endpoint': ceph.endpoint.replace('http:', 'https:') }, /object\.s3-ca-file/],
    [{ 'object.s3-endpoint': proxy.endpoint, fault: 'redirect' }, /in region eu-west-9; set object\.s3-region to it/],
    [{ 'object.s3-endpoint': proxy.endpoint, fault: '403 RequestTimeTooSkewed' }, /clock/],
    [{ 'object.s3-endpoint': proxy.endpoint, fault: 'html' }, /not that of an S3 store/],
  ];
  for (const [{ fault, ...more }, words] of cases) {
    ini(more);
    proxy.plan = () => fault ?? null;
    const r = await souk(['serve', '--data', m.data, '--listen', '127.0.0.1:0'], { timeout: 15000 });
    assert.ok(r.code > 0, `${JSON.stringify(more)} started: ${r.out}${r.err}`);
    assert.match(r.err, words);
    assert.ok(!r.err.includes('not-the-secret') && !r.err.includes(ceph.secretAccessKey), r.err);
  }
  proxy.plan = () => null;
  const shown = await run(soukBinary, ['config', 'show', '--data', m.data]);
  assert.ok(!shown.out.includes(ceph.secretAccessKey));
  // The secret from the environment, virtual-host style.
  ini({ 'object.s3-secret-access-key': '', 'object.s3-path-style': 'false', 'object.s3-endpoint': ceph.hostEndpoint });
  process.env.SOUK_OBJECT_S3_SECRET_ACCESS_KEY = ceph.secretAccessKey;
  try {
    await m.start();
    await put('by-host', 'x');
    assert.equal((await bytes(get('by-host'))).toString(), 'x');
    assert.equal((await bytes(get('killed'))).toString(), 'now');
  } finally {
    delete process.env.SOUK_OBJECT_S3_SECRET_ACCESS_KEY;
  }
});

test('a store whose certificate an authority of its own has signed', async () => {
  await m.stop();
  const [key, cert] = ['key.pem', 'cert.pem'].map((n) => join(m.dir, n));
  const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
    '-subj', '/CN=store', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]);
  assert.equal(made.code, 0, made.err);
  const tls = await proxyTo(ceph.endpoint, { key: readFileSync(key), cert: readFileSync(cert) });
  const ini = (more) => writeFileSync(join(m.data, 'souk.ini'), storeIni({ ...ceph, endpoint: tls.endpoint }, more), { mode: 0o600 });
  try {
    ini({});
    const r = await souk(['serve', '--data', m.data, '--listen', '127.0.0.1:0'], { timeout: 15000 });
    assert.ok(r.code > 0);
    assert.match(r.err, /no trusted TLS connection .*object\.s3-ca-file/);
    assert.equal(tls.seen.length, 0, 'nothing was sent to whom nobody trusts');
    ini({ 'object.s3-ca-file': cert });
    await m.start();
    assert.equal((await bytes(get('killed'))).toString(), 'now');
    await m.stop();
  } finally {
    tls.close();
  }
});

test('a node that starts while the store is away waits for it, not ready', async () => {
  await m.stop();
  writeFileSync(join(m.data, 'souk.ini'), storeIni({ ...ceph, endpoint: proxy.endpoint }), { mode: 0o600 });
  proxy.plan = () => '503 SlowDown';
  await m.start();
  assert.deepEqual((({ code, objects }) => ({ code, objects }))(await ready()), { code: 503, objects: 'cannot be reached' });
  proxy.plan = () => null;
  await until(async () => (await ready()).code === 200, 20000, 'readiness');
  assert.equal((await bytes(get('killed'))).toString(), 'now');
  const metrics = (await m.rest(null, 'GET', '/metrics')).text;
  assert.match(metrics, /^souk_object_store_up 1$/m);
  assert.match(metrics, /^souk_object_store_errors_total\{kind="passing"\} [1-9]/m);
});
