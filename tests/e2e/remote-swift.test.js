// SPDX-License-Identifier: Apache-2.0
// Deliveries to OpenStack Swift through its S3 API: a stricter dialect, which insists on its region.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { Marketplace } from './lib.js';
import { store as storeOf } from './services.js';

const BUCKET = 'seller-exports';
let m, store;
before(async () => {
  store = await storeOf('swift');
  await store.awsOk(['s3', 'mb', `s3://${BUCKET}`]);
  m = await Marketplace.create({ ini: 'delivery.private-addresses = true\n', scale: 3000 });
});
after(async () => { await m?.close(); await store?.stop(); });

let names = 0;
async function deliver(change = {}) {
  const a = await m.rest(m.seller, 'POST', `/api/v1/sellers/${m.seller.accountId}/roles`, {
    name: `Away${names++}`, policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
    s3: { endpoint: store.endpoint, region: store.region, accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey, ...change } });
  assert.equal(a.status, 201, a.text);
  const asked = await m.awsOk(m.exportArgs({ bucket: BUCKET, role: a.json.roleArn, prefix: 'psc' }));
  return m.delivered(JSON.parse(asked.out).dataSetRequestId);
}

test('a file of several parts arrives whole', { timeout: 120000 }, async () => {
  const e = await deliver();
  assert.equal(e.state, 'delivered', JSON.stringify(e));
  const csv = (await store.awsOk(['s3', 'cp', `s3://${BUCKET}/${e.csvKey}`, '-'])).raw;
  assert.ok(csv.length > 2 * 8 * 1024 * 1024);
  assert.equal(createHash('sha256').update(csv).digest('hex'), e.csvSha256);
  assert.deepEqual((await store.keys(BUCKET, 'psc/')).sort(), [e.csvKey, e.metaKey].sort());
});

test('a wrong region, a wrong secret: failed, and the setting is named', { timeout: 120000 }, async () => {
  const region = await deliver({ region: 'mars-1' });
  assert.equal(region.state, 'failed', JSON.stringify(region));
  assert.match(region.reason, /s3\.region/);
  const secret = await deliver({ secretAccessKey: 'wrong' });
  assert.equal(secret.state, 'failed');
  assert.match(secret.reason, /s3\.secretAccessKey/);
});
