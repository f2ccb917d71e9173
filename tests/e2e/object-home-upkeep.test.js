// SPDX-License-Identifier: Apache-2.0
// Housekeeping of a home of objects in a bucket, with the clocks of souk and store (Swift) moved together.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { Marketplace, sleep, souk, until } from './lib.js';
import { store as storeOf, storeIni } from './services.js';

const MiB = 1 << 20, DAY = 86400;
let swift, m;
// Made anew for each call: the clock moves.
const clientOf = (endpoint, who) => new S3Client({
  endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, systemClockOffset: m.clockShift,
  requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED',
  credentials: { accessKeyId: who.accessKeyId, secretAccessKey: who.secretAccessKey },
});
const mine = (command) => clientOf(m.url, m.seller).send(command);
const theirs = (command) => clientOf(swift.endpoint, swift).send(command);
const put = (Key, Body) => mine(new PutObjectCommand({ Bucket: m.seller.bucket, Key, Body }));
const get = (Key) => mine(new GetObjectCommand({ Bucket: m.seller.bucket, Key }));
const bytes = async (answer) => Buffer.from(await (await answer).Body.transformToByteArray());
const keys = async () => ((await theirs(new ListObjectsV2Command({ Bucket: swift.bucket }))).Contents ?? []).map((c) => c.Key);
const uploads = async () => ((await theirs(new ListMultipartUploadsCommand({ Bucket: swift.bucket }))).Uploads ?? []).map((u) => u.Key);
const fileKey = () => { const id = randomUUID(); return `objects/${id.slice(0, 2)}/${id}`; };
const stray = async (Key) => { await theirs(new PutObjectCommand({ Bucket: swift.bucket, Key, Body: 'x' })); return Key; };
const begun = async (Key) => {
  const { UploadId } = await theirs(new CreateMultipartUploadCommand({ Bucket: swift.bucket, Key }));
  await theirs(new UploadPartCommand({ Bucket: swift.bucket, Key, UploadId, PartNumber: 1, Body: 'part' }));
  return Key;
};

before(async () => {
  m = await Marketplace.create({ clock: true, serve: false });
  swift = await storeOf('swift', { env: m.clockEnv() });
  writeFileSync(join(m.data, 'souk.ini'), storeIni(swift, { 'object.s3-timeout-seconds': 10 }), { mode: 0o600 });
  await m.start();
});
after(async () => {
  const end = await m.stop();
  await m.close();
  await swift.stop();
  assert.deepEqual(end, { code: 0, signal: null }, m.log.slice(-2000));
});

test('a second dialect of S3 keeps small and large objects', async () => {
  const big = randomBytes(9 * MiB + 1);
  await put('small', 'x');
  await put('big', big);
  assert.equal((await bytes(get('small'))).toString(), 'x');
  assert.ok((await bytes(get('big'))).equals(big));
});

test('a wrong region stops the start and names the right one', async () => {
  const r = await souk(['serve', '--data', m.data, '--listen', '127.0.0.1:0'],
    { timeout: 15000, env: { ...m.clockEnv(), SOUK_OBJECT_S3_REGION: 'eu-west-9' } });
  assert.ok(r.code > 0);
  // The running server holds the data directory: look at a copy of the settings instead.
  assert.match(r.err, /in use/);
  await m.stop();
  const again = await souk(['serve', '--data', m.data, '--listen', '127.0.0.1:0'],
    { timeout: 15000, env: { ...m.clockEnv(), SOUK_OBJECT_S3_REGION: 'eu-west-9' } });
  assert.match(again.err, /the bucket is in region us-east-1; set object\.s3-region to it/);
  await m.start();
});

test('what nobody needs goes from the bucket, what somebody may need stays', async () => {
  const slowly = randomBytes(24 * MiB);
  await put('read-slowly', slowly);
  await put('replaced', 'one');
  await put('replaced', 'two');
  const oldStray = await stray(fileKey());
  const oldUpload = await begun(fileKey());
  const foreign = [await stray('objects/readme.txt'), await stray(`elsewhere/${randomUUID()}`)];
  const foreignUpload = await begun('backup/of-somebody-else');
  const before = await keys();

  // A client that takes minutes for an object that is replaced meanwhile.
  const answer = (await get('read-slowly')).Body;
  const got = [];
  let fast = false, over = false;
  const reading = (async () => {
    for await (const part of answer) { got.push(part); if (!fast) await sleep(400); }
    over = true;
  })();
  reading.catch(() => {});
  await put('read-slowly', 'new');

  m.setClock(32 * DAY);
  const youngStray = await stray(fileKey());
  const youngUpload = await begun(fileKey());
  await assert.rejects(get('small'), { name: 'NoSuchKey' }, 'expired');
  await until(async () => !(await keys()).includes(oldStray), 150000, 'the stray object to go');
  await until(async () => !(await uploads()).includes(oldUpload), 20000, 'the old upload to go');
  assert.deepEqual((await uploads()).sort(), [foreignUpload, youngUpload].sort());
  let left = await keys();
  for (const key of [...foreign, youngStray]) assert.ok(left.includes(key), key);

  m.setClock(32 * DAY + 600);
  // Expired and replaced files: all but the one that is being read.
  await until(async () => (await keys()).filter((k) => k.startsWith('objects/') && before.includes(k)).length <= 2, 150000, 'expired files to go');
  left = (await keys()).filter((k) => before.includes(k) && !foreign.includes(k));
  assert.equal(left.length, 1, left.join());
  assert.ok(!over, 'the reader is still at it');
  fast = true;
  await reading;
  assert.ok(Buffer.concat(got).equals(slowly));
});
