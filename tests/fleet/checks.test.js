// SPDX-License-Identifier: Apache-2.0
// Would the checks of the fleet's tests notice? An embedded souk on which one thing at a time is made untrue behind their back.
import { after, before, beforeEach, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { Marketplace, person, rng, sleep, until } from '../e2e/lib.js';
import { makeWorld } from '../e2e/world.js';
import { Load, Receiver } from './load.js';

let m, fleet, base = 100;
before(async () => {
  m = await Marketplace.create({ clock: true, ini: 'topic.private-addresses = true\ntopic.retry-seconds = 1\n' });
  m.listen = `127.0.0.1:${m.port}`;
  fleet = { nodes: [m], shift: 0, async setClock(s) { this.shift = s; m.setClock(s); } };
});
after(() => m.close());

let world, receiver, load;
beforeEach(async () => {
  receiver?.close();
  world = await makeWorld(m, { base: base += 100, buyers: 1, subscriptionsPerBuyer: 2 });
  receiver = await Receiver.open(fleet, [world.seller]);
  load = new Load(fleet, [world], receiver, rng(base));
  load.start();
  await until(() => load.buyers.every((b) => b.contacts.size >= 2 && b.contacts.size < 5), 20000, 'a load');
  await load.pause();
});
after(() => receiver.close());

const buyer = () => load.buyers[0];
const one = () => [...buyer().contacts.keys()][0];
const asBuyer = (method, path, body) => m.rest(buyer().subscription.buyer, method, buyer().path + path, body);

test('nothing is wrong, also when the server was killed', async () => {
  await load.check();
  load.start();
  await sleep(200);
  await m.stop('SIGKILL');
  await sleep(300);
  await m.start();
  await sleep(500);
  await load.pause();
  assert.ok(load.gauge.unknown > 0 && load.gauge.settled > 0, 'outcomes were unknown, and got settled');
  await load.check();
});

test('an acknowledged contact is lost', async () => {
  await asBuyer('DELETE', `/${one()}`);
  await assert.rejects(load.check(), /acknowledged and stored differ/);
  await assert.rejects(buyer().edit(one()), /of what was acknowledged/);
  await assert.rejects(buyer().remove(one()), /remove \(0 unknown\)/);
});

test('an acknowledged edit is lost', async () => {
  await asBuyer('PUT', `/${one()}`, person(1));
  await assert.rejects(load.check(), /acknowledged and stored differ/);
  await assert.rejects(buyer().edit(one()), /of what was acknowledged/);
});

test('an addition had its effect twice', async () => {
  await asBuyer('POST', '', person(2));
  await assert.rejects(load.check(), /acknowledged and stored differ/);
});

test('an export went by without one of the changes', async () => {
  await load.check();
  const [seller] = load.sellers;
  const behind = seller.replica.contacts;
  seller.replica.contacts = new Map([...behind].slice(1));
  await assert.rejects(load.check(), /exports applied in order and the database differ/);
});

const notification = (more) => ({ Type: 'Notification', MessageId: randomUUID(), TopicArn: world.seller.topicArn, ...more });

test('a notification names an object that is not there', async () => {
  const at = { bucketName: world.seller.bucket, key: 'x/none.csv' };
  receiver.take(notification({ Message: JSON.stringify({ success: true, dataSetRequestId: 'r', dataSetS3Location: at, dataSetMetaDataS3Location: at }) }));
  await until(() => receiver.busy === 0, 20000, 'the look at it');
  await assert.rejects(load.check(), /notifications/);
});

test('an export is told of twice', async () => {
  await load.check();
  receiver.messages.get(load.sellers[0].done[0]).add(randomUUID());
  await assert.rejects(load.check(), /delivered twice/);
});
