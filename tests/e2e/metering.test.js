// SPDX-License-Identifier: Apache-2.0
// BatchMeterUsage and MeterUsage through the unmodified AWS CLI and the AWS SDK for JavaScript; souk import usage.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BatchMeterUsageCommand, MarketplaceMeteringClient, MeterUsageCommand } from '@aws-sdk/client-marketplace-metering';
import { Marketplace, souk, soukOk } from './lib.js';
import { makeWorld, signedJson } from './world.js';

let m, w, product, buyer, key, seller, client, asBuyer;
const HOUR = 3600000;
const began = Math.floor(Date.now() / HOUR) * HOUR; // an hour may end while this runs
const hour = (back = 0) => new Date(began - back * HOUR);
const metering = (as) => new MarketplaceMeteringClient({ endpoint: m.url, region: 'us-east-1', maxAttempts: 1,
  credentials: { accessKeyId: as.accessKeyId, secretAccessKey: as.secretAccessKey } });
const batch = (records, ProductCode = product.productCode, as = client) =>
  as.send(new BatchMeterUsageCommand({ ProductCode, UsageRecords: records }));
const record = (more = {}) => ({ Timestamp: hour(), CustomerIdentifier: buyer.accountId, Dimension: 'users', Quantity: 3, ...more });
const fails = (promise, name) => assert.rejects(promise, (e) => {
  assert.equal(e.name, name, `${e.name}: ${e.message}`);
  assert.ok(e.$metadata.httpStatusCode === 400, 'what the caller did wrong is no 5xx');
  return true;
});
const statuses = (r) => r.Results.map((x) => x.Status);

before(async () => {
  m = await Marketplace.create();
  w = await makeWorld(m);
  [product] = w.products;
  [buyer] = w.buyers;
  seller = w.seller;
  client = metering(seller);
  key = (await m.op('POST', `/api/v1/users/${buyer.userId}/access-keys`, {})).json;
  asBuyer = metering(key);
});
after(() => m.close());

test('AWS CLI: a batch is metered, and metered again is the same', async () => {
  const records = join(m.dir, 'records.json');
  writeFileSync(records, JSON.stringify([record({ Timestamp: hour(1).toISOString() }), record({ Timestamp: hour(1).toISOString(), CustomerIdentifier: 'nobody' })]));
  const args = ['meteringmarketplace', 'batch-meter-usage', '--product-code', product.productCode, '--usage-records', `file://${records}`];
  const first = JSON.parse((await m.awsOk(args, { as: seller })).out);
  assert.deepEqual(statuses(first), ['Success', 'CustomerNotSubscribed']);
  assert.match(first.Results[0].MeteringRecordId, /^[0-9a-f-]{36}$/);
  assert.equal(first.Results[1].MeteringRecordId, undefined);
  assert.equal(first.Results[0].UsageRecord.Quantity, 3);
  assert.deepEqual(first.UnprocessedRecords, []);
  assert.deepEqual(JSON.parse((await m.awsOk(args, { as: seller })).out), first);
});

test('AWS CLI: what runs at the buyer meters itself', async () => {
  const args = (quantity, ...more) => ['meteringmarketplace', 'meter-usage', '--product-code', product.productCode, '--timestamp', hour(1).toISOString(),
    '--usage-dimension', 'cli-hours', '--usage-quantity', String(quantity), ...more];
  const first = JSON.parse((await m.awsOk(args(2), { as: key })).out);
  assert.deepEqual(JSON.parse((await m.awsOk(args(2), { as: key })).out), first);
  assert.match((await m.aws(args(3), { as: key })).err, /DuplicateRequestException/);
  assert.match((await m.aws(args(4, '--dry-run'), { as: key })).err, /DryRunOperation/);
});

test('SDK: the first quantity stands, per record of a batch', async () => {
  const one = (await batch([record({ Dimension: 'sdk' })])).Results[0];
  const r = await batch([record({ Dimension: 'sdk', Quantity: 9 }), record({ Dimension: 'new' }), record({ Dimension: 'sdk' }),
    record({ Dimension: 'new', Quantity: 4 }), record({ Dimension: 'new' })]);
  assert.deepEqual(statuses(r), ['DuplicateRecord', 'Success', 'Success', 'DuplicateRecord', 'Success']);
  assert.equal(r.Results[2].MeteringRecordId, one.MeteringRecordId);
  assert.equal(r.Results[4].MeteringRecordId, r.Results[1].MeteringRecordId);
  assert.equal(r.Results[0].UsageRecord.Quantity, 9, 'records come back as they were sent, in order');
  assert.deepEqual((await batch([])).Results, []);
});

test('SDK: of two at once with other quantities one is taken', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => batch([record({ Dimension: 'race', Quantity: i })])));
  assert.equal(all.filter((r) => r.Results[0].Status === 'Success').length, 1);
  assert.equal(new Set(all.map((r) => r.Results[0].MeteringRecordId)).size, 1);
});

test('allocations: any order is the same, what does not add up is refused', async () => {
  const tags = (k) => [{ Key: 'team', Value: k }];
  const parts = [{ AllocatedUsageQuantity: 1, Tags: tags('a') }, { AllocatedUsageQuantity: 2 }];
  assert.deepEqual(statuses(await batch([record({ Dimension: 'shared', UsageAllocations: parts })])), ['Success']);
  assert.deepEqual(statuses(await batch([record({ Dimension: 'shared', UsageAllocations: [...parts].reverse() })])), ['Success']);
  assert.deepEqual(statuses(await batch([record({ Dimension: 'shared' })])), ['DuplicateRecord']);
  await fails(batch([record({ UsageAllocations: [{ AllocatedUsageQuantity: 2 }] })]), 'InvalidUsageAllocationsException');
  await fails(batch([record({ UsageAllocations: [{ AllocatedUsageQuantity: 3, Tags: [{ Key: '#', Value: 'x' }] }] })]), 'InvalidTagException');
  const many = Array.from({ length: 2500 }, (_, i) => ({ AllocatedUsageQuantity: 1, Tags: tags(`t${i}`) }));
  assert.deepEqual(statuses(await batch([record({ Dimension: 'many', Quantity: 2500, UsageAllocations: many })])), ['Success']);
});

test('refusals: one record out of time fails them all, and nothing of them is kept', async () => {
  await fails(batch([record({ Dimension: 'whole' }), record({ Timestamp: hour(8) })]), 'TimestampOutOfBoundsException');
  await fails(batch([record({ Timestamp: new Date(Date.now() + 10 * 60000) })]), 'TimestampOutOfBoundsException');
  assert.deepEqual(statuses(await batch([record({ Dimension: 'whole', Quantity: 4 })])), ['Success'], 'the batch that failed left nothing');
  await fails(batch([record()], 'nothing'), 'InvalidProductCodeException');
  await fails(batch([record({ CustomerIdentifier: undefined })]), 'InvalidCustomerIdentifierException');
  await fails(batch(Array.from({ length: 26 }, () => record())), 'ValidationException');
  await fails(batch([record({ Quantity: -1 })]), 'ValidationException');
  await fails(batch([record({ Quantity: 2 ** 31 })]), 'ValidationException');
  await fails(batch([record({ Dimension: '' })]), 'ValidationException');
  await fails(batch([record({ Dimension: 'x'.repeat(256) })]), 'ValidationException');
  await fails(batch([record()], product.productCode, asBuyer), 'AccessDeniedException');
  await fails(asBuyer.send(new MeterUsageCommand({ ProductCode: 'nothing', Timestamp: hour(), UsageDimension: 'x' })), 'InvalidProductCodeException');
  await fails(asBuyer.send(new MeterUsageCommand({ ProductCode: product.productCode, Timestamp: hour(9), UsageDimension: 'x' })), 'TimestampOutOfBoundsException');
});

test('another seller learns nothing of a product, its own or not', async () => {
  const other = m.logins.sellers[0];
  const foreign = await batch([record()], product.productCode, metering(other)).catch((e) => e);
  const absent = await batch([record()], 'abcdefghijklmnopqrstuvwx9', metering(other)).catch((e) => e);
  assert.deepEqual([foreign.name, foreign.message], [absent.name, absent.message]);
});

test('by hand: text instants, unknown members, wrong types, wrong scope', async () => {
  const call = (body, options = {}) => signedJson(m, seller, 'AWSMPMeteringService.BatchMeterUsage', typeof body === 'string' ? body : JSON.stringify(body),
    { service: 'aws-marketplace', ...options });
  const type = async (r) => (await (await r).json()).__type;
  const send = (more, top = {}) => call({ ProductCode: product.productCode, UsageRecords: [{ ...record({ Timestamp: hour().getTime() / 1000 }), ...more }], ...top });
  assert.equal((await send({ Dimension: 'hand', Timestamp: hour().toISOString() })).status, 200);
  assert.equal((await send({ Dimension: 'hand', CustomerIdentifier: undefined, CustomerAWSAccountId: buyer.accountId })).status, 200);
  assert.equal(await type(send({ CustomerAWSAccountId: buyer.accountId })), 'InvalidCustomerIdentifierException');
  assert.equal(await type(send({ LicenseArn: 'arn:aws:x' })), 'InvalidLicenseException');
  assert.equal(await type(send({ Colour: 'red' })), 'ValidationException');
  assert.equal(await type(send({ Quantity: '3' })), 'SerializationException');
  assert.equal(await type(send({ Timestamp: {} })), 'SerializationException');
  assert.equal(await type(send({ Timestamp: 1e300 })), 'ValidationException');
  assert.equal(await type(call('{"ProductCode":')), 'SerializationException');
  assert.equal(await type(send({}, { UsageRecords: 'none' })), 'SerializationException');
  assert.equal(await type(call({}, { service: 'marketplacecommerceanalytics' })), 'InvalidSignatureException');
  assert.equal(await type(signedJson(m, seller, 'AWSMPMeteringService.Nothing', '{}', { service: 'aws-marketplace' })), 'UnknownOperationException');
  const token = (Dimension, ClientToken) => signedJson(m, key, 'AWSMPMeteringService.MeterUsage',
    JSON.stringify({ ProductCode: product.productCode, Timestamp: hour().getTime() / 1000, UsageDimension: Dimension, UsageQuantity: 1, ClientToken }), { service: 'aws-marketplace' });
  assert.equal((await token('t1', 'one')).status, 200);
  assert.equal((await token('t1', 'one')).status, 200);
  assert.equal(await type(token('t2', 'one')), 'IdempotencyConflictException');
});

test('a policy decides who may meter; a dry run says so in its own word', async () => {
  const no = (await m.op('POST', `/api/v1/users/${buyer.userId}/access-keys`, { policy: { Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: 'aws-marketplace:MeterUsage', Resource: '*' }] } })).json;
  const meter = (DryRun) => metering(no).send(new MeterUsageCommand({ ProductCode: product.productCode, Timestamp: hour(), UsageDimension: 'x', DryRun }));
  await fails(meter(false), 'AccessDeniedException');
  await fails(meter(true), 'UnauthorizedException');
});

test('what was answered survives kill -9', async () => {
  const answered = [];
  let go = true;
  const callers = Array.from({ length: 4 }, async (_, caller) => {
    for (let i = 0; go; i++) {
      const Dimension = `kill-${caller}-${i}`;
      const r = await batch([record({ Dimension, Quantity: i })]).catch(() => null);
      if (r) answered.push([Dimension, i, r.Results[0].MeteringRecordId]);
    }
  });
  await new Promise((r) => setTimeout(r, 700));
  await m.stop('SIGKILL');
  go = false;
  await Promise.all(callers);
  assert.ok(answered.length > 5, `${answered.length}`);
  await m.start();
  client = metering(seller);
  asBuyer = metering(key);
  for (const [Dimension, quantity, id] of answered) {
    const r = (await batch([record({ Dimension, Quantity: quantity + 1 })])).Results[0];
    assert.deepEqual([r.Status, r.MeteringRecordId], ['DuplicateRecord', id]);
  }
});

test('souk import usage: CSV and NDJSON, all or nothing, past subscriptions too', async () => {
  const file = (name, text) => { const p = join(m.dir, name); writeFileSync(p, text); return p; };
  const env = m.clockEnv();
  const at = (days) => new Date(hour().getTime() - days * 24 * HOUR).toISOString();
  const csv = file('u.csv', `productCode,buyerId,dimension,timestamp,quantity\n${product.productCode},${buyer.accountId},users,${at(10)},5\n${product.productCode},${buyer.accountId},users,${at(11)},6\n`);
  const nd = file('u.ndjson', `${JSON.stringify({ productCode: product.productCode, buyerId: buyer.accountId, dimension: 'disks', timestamp: at(10), quantity: 1 })}\n`);
  const r = await soukOk(['import', '--data', m.data, '--json', 'usage', csv, nd, csv], { env });
  assert.deepEqual(r.out.trim().split('\n').map((x) => JSON.parse(x).taken), [2, 1, 2]);
  const bad = file('bad.csv', `productCode,buyerId,dimension,timestamp,quantity\n${product.productCode},${buyer.accountId},fresh,${at(10)},5\n`
    + `${product.productCode},${buyer.accountId},users,${at(10)},7\n${product.productCode},${buyer.accountId},users,never,x\nnothing,${buyer.accountId},users,${at(9)},1\n`);
  const refused = await souk(['import', '--data', m.data, 'usage', bad], { env });
  assert.equal(refused.code, 1);
  if (!m.onServer && !process.env.SOUK_TEST_DATABASE) {
    assert.match(refused.err, /bad\.csv:3: quantity: differs/);
    assert.match(refused.err, /bad\.csv:4: /);
    assert.match(refused.err, /bad\.csv:5: productCode: /);
  }
  // Shared out: as a call would, and the call finds it told.
  const now = hour().toISOString(), UsageAllocations = [{ AllocatedUsageQuantity: 4, Tags: [{ Key: 'team', Value: 'red one' }] }, { AllocatedUsageQuantity: 1 }];
  const cell = JSON.stringify(UsageAllocations).replaceAll('"', '""');
  const shared = file('shared.csv', `productCode,buyerId,dimension,timestamp,quantity,usageAllocations\n${product.productCode},${buyer.accountId},told,${now},5,"${cell}"\n`
    + `${product.productCode},${buyer.accountId},alone,${now},5,\n`);
  const again = file('shared.ndjson', JSON.stringify({ productCode: product.productCode, buyerId: buyer.accountId, dimension: 'told', timestamp: now, quantity: 5,
    usageAllocations: [...UsageAllocations].reverse() }));
  await soukOk(['import', '--data', m.data, 'usage', shared, again], { env });
  const status = async (more) => (await batch([record({ Dimension: 'told', Quantity: 5, Timestamp: hour(), ...more })])).Results[0].Status;
  assert.equal(await status({ UsageAllocations }), 'Success');
  assert.equal(await status({}), 'DuplicateRecord');
  for (const [list, words] of [['[{""AllocatedUsageQuantity"": 6}]', /usageAllocations: cannot be taken: The allocated quantities do not sum/], ['red|5', /usageAllocations: is not JSON/]]) {
    const wrong = file('wrong.csv', `productCode,buyerId,dimension,timestamp,quantity,usageAllocations\n${product.productCode},${buyer.accountId},wrong,${now},5,"${list}"\n`);
    const no = await souk(['import', '--data', m.data, 'usage', wrong], { env });
    assert.equal(no.code, 1);
    assert.match(no.err, words);
  }
  const fresh = file('fresh.csv', `productCode,buyerId,dimension,timestamp,quantity\n${product.productCode},${buyer.accountId},fresh,${at(10)},6\n`);
  await soukOk(['import', '--data', m.data, 'usage', fresh], { env }); // the refused file's 5 would stand in its way
});
