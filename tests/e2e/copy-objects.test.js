// SPDX-License-Identifier: Apache-2.0
// Moving an installation's objects to a real S3 store, in pieces, past a store that fails and files that are damaged.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync, appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Marketplace, run, souk, soukOk } from './lib.js';
import { database, proxy, store as storeOf, storeIni } from './services.js';

let m, ceph, between, server;
const objects = new Map();
const mine = () => new S3Client({ endpoint: m.url, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1,
  credentials: { accessKeyId: m.seller.accessKeyId, secretAccessKey: m.seller.secretAccessKey } });
const put = async (Key, Body) => { await mine().send(new PutObjectCommand({ Bucket: m.seller.bucket, Key, Body })); objects.set(Key, Body); };
const get = async (Key) => Buffer.from(await (await mine().send(new GetObjectCommand({ Bucket: m.seller.bucket, Key }))).Body.transformToByteArray());
let files; // of objects; others are those of objects that were replaced
const copy = (...args) => souk(['copy', '--data', m.data, ...args], { timeout: 60000 });
const stored = async () => (await ceph.keys(ceph.bucket)).filter((k) => k.startsWith('objects/'));
const inUse = () => /^database *=/m.test(readFileSync(join(m.data, 'souk.ini'), 'utf8'));

before(async () => {
  [ceph, server, m] = await Promise.all([storeOf('ceph'), database(), Marketplace.create()]);
  between = await proxy(ceph.endpoint);
  for (const n of [0, 1, 65536, 65537, 1 << 20, 9 << 20]) await put(`size/${n}`, randomBytes(n));
  for (let i = 0; i < 70; i++) await put(`many/${i}`, randomBytes(100)); // more than come from the database at once
  const e = await m.delivered(JSON.parse((await m.awsOk(m.exportArgs())).out).dataSetRequestId);
  for (const key of [e.csvKey, e.metaKey]) objects.set(key, await get(key));
  await m.stop();
  const ids = await run('sqlite3', [join(m.data, 'souk.db'), 'select lower(hex(object_id)) from object']);
  files = ids.out.trim().split('\n').map((h) => `objects/${h.slice(0, 2)}/${h.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`);
  assert.ok(files.length > objects.size); // the demo keeps feeds, too
});
after(async () => {
  await m?.close();
  between?.close();
  await Promise.all([ceph?.stop(), server?.stop()]);
});

test('--objects wants --data, and settings that lead to a store', async () => {
  for (const [code, words, ...args] of [[2, '--objects: is for', '--from', `sqlite:${m.data}`, '--objects'], [1, 'object\\.home: is not s3', '--objects']]) {
    const r = await copy(...args);
    assert.equal(r.code, code, r.err);
    assert.match(r.err, new RegExp(`^souk: ${words}[^\n]+\n$`));
  }
  appendFileSync(join(m.data, 'souk.ini'), `\n${storeIni({ ...ceph, endpoint: between.endpoint })}`);
});

test('a store that fails in the middle: it says so, the database is not copied, and the next run goes on', async () => {
  let puts = 0;
  between.plan = (q) => (q.method === 'PUT' && !q.path.includes('/probe/') && q.part < 2 && ++puts > 30 ? '503 SlowDown' : null);
  const failed = await copy('--to', server.url, '--use');
  assert.equal(failed.code, 3, failed.out + failed.err);
  assert.match(failed.err, /^souk: [^\n]*busy[^\n]*\n$/);
  assert.ok(!inUse());
  assert.equal((await stored()).length, 30);
  between.plan = () => null;
});

test('what is missing or damaged is named, and nothing else is done', async () => {
  const there = new Set(await stored());
  // The empty one is damaged: of it a reader asks for nothing.
  const empty = files.find((f) => statSync(join(m.data, f)).size === 16);
  const [gone, cut, other] = files.filter((f) => !there.has(f) && f !== empty);
  const flipped = there.has(empty) ? other : empty;
  renameSync(join(m.data, gone), join(m.dir, 'gone'));
  const kept = [flipped, cut].map((f) => readFileSync(join(m.data, f)));
  const bad = Buffer.from(kept[0]);
  bad[bad.length >> 1] ^= 1;
  writeFileSync(join(m.data, flipped), bad);
  writeFileSync(join(m.data, cut), kept[1].subarray(0, kept[1].length - 1));
  // Some were copied before, and changed or cut off in the store since: the files here are whole, so they are sent again.
  const [changed, short] = there;
  for (const [key, bytes] of [[changed, randomBytes(statSync(join(m.data, changed)).size)], [short, readFileSync(join(m.data, short)).subarray(1)]]) {
    writeFileSync(join(m.dir, 'other'), bytes);
    await ceph.awsOk(['s3', 'cp', join(m.dir, 'other'), `s3://${ceph.bucket}/${key}`]);
  }
  const r = await copy('--to', server.url, '--use');
  assert.equal(r.code, 1, r.out + r.err);
  const lines = r.err.trim().split('\n').sort();
  assert.deepEqual(lines.map((l) => l.replace(/ \(an object in bucket [a-z0-9.-]+\); .*/, '')), [
    `souk: ${gone}: is missing`, `souk: ${flipped}: is damaged`, `souk: ${cut}: is damaged`,
    'souk: objects: 3 of them are missing or damaged and were not copied; nothing else was done'].sort());
  assert.ok(!inUse());
  assert.deepEqual(new Set(await stored()), new Set(files.filter((f) => ![gone, flipped, cut].includes(f))));
  renameSync(join(m.dir, 'gone'), join(m.data, gone));
  [flipped, cut].forEach((f, i) => writeFileSync(join(m.data, f), kept[i]));
});

test('all is there: the installation serves it from the store and needs no file', async () => {
  const first = JSON.parse((await soukOk(['copy', '--data', m.data, '--objects', '--json'])).out);
  assert.deepEqual(first, { objects: { copied: 3, there: files.length - 3, bytes: first.objects.bytes } });
  const done = JSON.parse((await soukOk(['copy', '--data', m.data, '--to', server.url, '--use', '--json'])).out);
  assert.deepEqual(done.objects, { copied: 0, there: files.length, bytes: 0 });
  assert.ok(done.rows > 100 && done.inUse && inUse());
  renameSync(join(m.data, 'objects'), join(m.dir, 'old'));
  renameSync(join(m.data, 'souk.db'), join(m.dir, 'old.db'));
  await m.start();
  for (const [key, body] of objects) assert.ok((await get(key)).equals(body), key);
  // From the database that is in use now, while it is served.
  const again = JSON.parse((await soukOk(['copy', '--data', m.data, '--objects', '--json'])).out);
  assert.deepEqual([again.objects.copied, again.objects.there], [0, files.length]);
  assert.ok(!existsSync(join(m.data, 'souk.db')));
});
