// SPDX-License-Identifier: Apache-2.0
// Notifications: handshake, signature, retries, re-sending, and addresses that are not for us.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { X509Certificate, createVerify } from 'node:crypto';
import { Marketplace, endpoint, until } from './lib.js';

let m, hook, failing;
let answers = [];
const base = () => `/api/v1/sellers/${m.seller.accountId}`;
before(async () => {
  m = await Marketplace.create({ ini: 'topic.private-addresses = true\ntopic.retry-seconds = 1\n' });
  hook = await endpoint(() => answers.shift() ?? 200);
  failing = await endpoint(() => 404);
});
after(async () => { hook.close(); failing.close(); await m.close(); });

/** As the verification page says: the canonical string under the certificate's key. */
async function verify(message) {
  const keys = message.Type === 'Notification' ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
    : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = keys.filter((k) => message[k] !== undefined).map((k) => `${k}\n${message[k]}\n`).join('');
  assert.match(message.SigningCertURL, /\.pem$/);
  assert.ok(message.SigningCertURL.startsWith(m.url));
  const cert = new X509Certificate(await (await fetch(message.SigningCertURL)).text());
  return createVerify('RSA-SHA256').update(text).verify(cert.publicKey, message.Signature, 'base64');
}

const subscribe = (url) => m.rest(m.seller, 'POST', `${base()}/topics/exports/endpoints`, { url });
const startExport = async () => JSON.parse((await m.awsOk(m.exportArgs({ type: 'test_customer_support_contacts_data' }))).out).dataSetRequestId;

test('handshake, then signed notifications', async () => {
  const s = await subscribe(hook.url);
  assert.equal(s.status, 201, s.text);
  assert.equal(s.json.state, 'pending');
  await until(() => hook.got.length === 1, 10000, 'confirmation request');
  const c = hook.got[0];
  assert.equal(c.json.Type, 'SubscriptionConfirmation');
  assert.equal(c.headers['x-amz-sns-message-type'], 'SubscriptionConfirmation');
  assert.match(c.headers['content-type'], /^text\/plain; charset=UTF-8/i);
  assert.equal(c.json.SignatureVersion, '2');
  assert.ok(await verify(c.json));
  await m.delivered(await startExport());
  assert.equal(hook.got.length, 1, 'nothing before it is confirmed');
  const bad = await fetch(c.json.SubscribeURL.replace(/Token=..../, 'Token=AAAA'));
  assert.notEqual(bad.status, 200);
  const ok = await fetch(c.json.SubscribeURL);
  assert.equal(ok.status, 200);
  assert.match(await ok.text(), /<SubscriptionArn>arn:aws:sns:/);
  const e = await m.delivered(await startExport());
  await until(() => hook.got.length === 2, 10000, 'notification');
  const n = hook.got[1];
  assert.equal(n.json.Type, 'Notification');
  assert.equal(n.headers['x-amz-sns-message-id'], n.json.MessageId);
  assert.equal(n.headers['x-amz-sns-topic-arn'], m.seller.topicArn);
  assert.ok(await verify(n.json));
  assert.ok(!(await verify({ ...n.json, Message: `${n.json.Message} ` })), 'a changed message does not verify');
  const body = JSON.parse(n.json.Message);
  assert.deepEqual(body.dataSetS3Location, { bucketName: m.seller.bucket, key: e.csvKey });
  assert.deepEqual(body.dataSetMetaDataS3Location, { bucketName: m.seller.bucket, key: e.metaKey });
  assert.equal(body.success, true);
  assert.equal(body.dataSetRequestId, e.dataSetRequestId);
  const again = await subscribe(hook.url);
  assert.deepEqual([again.json.endpointId, again.json.state], [s.json.endpointId, 'confirmed'], 'subscribing again changes nothing');
});

test('customerDefinedValues come back; a failure says why', async () => {
  const before = hook.got.length;
  await m.awsOk(m.exportArgs({ type: 'test_customer_support_contacts_data', args: ['--customer-defined-values', 'k=v'] }));
  await until(() => hook.got.length === before + 1, 10000, 'notification');
  assert.deepEqual(JSON.parse(hook.got.at(-1).json.Message).customerDefinedValues, { k: 'v' });
  await m.awsOk(m.exportArgs({ bucket: 'no-such-bucket-here' }));
  await until(() => hook.got.length === before + 2, 10000, 'failure notification');
  const failed = JSON.parse(hook.got.at(-1).json.Message);
  assert.equal(failed.success, false);
  assert.ok(failed.message.length > 10);
  assert.equal(failed.dataSetS3Location, undefined);
});

test('a failing endpoint is tried again with the same MessageId; re-sending keeps it too', async () => {
  const before = hook.got.length;
  answers = [500, 429, 200];
  const id = await startExport();
  await until(() => hook.got.length === before + 3, 20000, 'retries');
  assert.equal(new Set(hook.got.slice(before).map((g) => g.json.MessageId)).size, 1);
  await m.delivered(id);
  const r = await m.rest(m.seller, 'POST', `${base()}/deliveries/${id}/resend`, {});
  assert.ok(r.status < 300, r.text);
  await until(() => hook.got.length === before + 4, 10000, 're-sent');
  assert.equal(hook.got.at(-1).json.MessageId, hook.got[before].json.MessageId);
  assert.ok(await verify(hook.got.at(-1).json));
});

test('a permanent refusal ends the delivery and shows in the log', async () => {
  const s = await subscribe(failing.url);
  await until(() => failing.got.length === 1, 10000, 'confirmation request');
  await new Promise((r) => setTimeout(r, 2500));
  assert.equal(failing.got.length, 1, '404 is not tried again');
  const e = await m.rest(m.seller, 'GET', `${base()}/topics/exports/endpoints/${s.json.endpointId}`);
  assert.deepEqual([e.json.state, e.json.jobs.map((j) => [j.kind, j.state, j.attempts])], ['pending', [['confirm', 'failed', 1]]]);
  assert.match(e.json.jobs[0].reason, /HTTP status 404/);
  assert.ok(!e.text.includes(failing.got[0].json.Token), 'the token is for the endpoint alone');
  await m.rest(m.seller, 'DELETE', `${base()}/topics/exports/endpoints/${s.json.endpointId}`);
});

test('endpoints that cannot be: refused by name', async () => {
  for (const url of ['ftp://hooks.example.com/', 'https://', 'https://user:pw@hooks.example.com/', 'javascript:alert(1)', 'x', `https://h.example/${'a'.repeat(3000)}`]) {
    const a = await subscribe(url);
    assert.equal(a.status, 422, `${url.slice(0, 40)}: ${a.status}`);
    assert.equal(a.json.errors[0].field, 'url');
  }
});

test('unless allowed, nothing is sent to private addresses', async () => {
  const strict = await Marketplace.create({ ini: 'topic.retry-seconds = 1\ntopic.retries = 1\n' });
  const trap = await endpoint();
  try {
    const port = new URL(trap.url).port;
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '[::ffff:127.0.0.1]', '2130706433']) {
      await strict.rest(strict.seller, 'POST', `/api/v1/sellers/${strict.seller.accountId}/topics/exports/endpoints`, { url: `https://${host}:${port}/hook` });
      await strict.rest(strict.seller, 'POST', `/api/v1/sellers/${strict.seller.accountId}/topics/exports/endpoints`, { url: `http://${host}:${port}/hook` });
    }
    await new Promise((r) => setTimeout(r, 3000));
    assert.equal(trap.got.length, 0);
  } finally {
    trap.close();
    await strict.close();
  }
});
