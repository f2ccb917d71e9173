// SPDX-License-Identifier: Apache-2.0
// Who came to register, and what may be metered: ResolveCustomer, RegisterUsage, a product's dimensions, through the AWS CLI and the SDK.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BatchMeterUsageCommand, MarketplaceMeteringClient, MeterUsageCommand, RegisterUsageCommand, ResolveCustomerCommand } from '@aws-sdk/client-marketplace-metering';
import { Marketplace, soukOk } from './lib.js';
import { makeWorld, signedJson } from './world.js';

const HOUR = 3600;
let m, w, saas, sub, buyer, asBuyer, client;
const metering = (as) => new MarketplaceMeteringClient({ endpoint: m.url, region: 'us-east-1', maxAttempts: 1, systemClockOffset: m.clockShift ?? 0,
  credentials: { accessKeyId: as.accessKeyId, secretAccessKey: as.secretAccessKey } });
const fails = (promise, name) => assert.rejects(promise, (e) => {
  assert.equal(e.name, name, `${e.name}: ${e.message}`);
  return true;
});
const token = async (as = buyer, subscriptionId = sub.subscriptionId) => {
  const r = await m.rest(as, 'POST', `/api/v1/subscriptions/${subscriptionId}/registration-tokens`, {});
  assert.equal(r.status, 200, r.text);
  return r.json.registrationToken;
};
const resolve = (RegistrationToken, as = client) => as.send(new ResolveCustomerCommand({ RegistrationToken }));

before(async () => {
  m = await Marketplace.create({ clock: true });
  w = await makeWorld(m, { buyers: 2, products: 1, subscriptionsPerBuyer: 1 });
  buyer = w.buyers[0];
  const made = await m.op('POST', '/api/v1/products', { sellerId: w.seller.accountId, title: 'Service', type: 'saas', pricing: ['metered'], state: 'public',
    dimensions: ['users', { key: 'seats', type: 'entitled' }] });
  assert.equal(made.status, 201, made.text);
  saas = made.json;
  sub = (await m.op('POST', '/api/v1/subscriptions', { productId: saas.productId, buyerId: buyer.accountId, kind: 'metered', startsAt: new Date(m.now() - 86400000).toISOString() })).json;
  asBuyer = (await m.op('POST', `/api/v1/users/${buyer.userId}/access-keys`, {})).json;
  client = metering(w.seller);
});
after(() => m.close());

test('AWS CLI: the token a buyer brings names it, as often as one asks', async () => {
  const t = await token();
  const args = ['meteringmarketplace', 'resolve-customer', '--registration-token', t];
  const who = JSON.parse((await m.awsOk(args, { as: w.seller })).out);
  assert.equal(who.ProductCode, saas.productCode);
  assert.match(who.CustomerIdentifier, /^[0-9a-f]{32}$/);
  assert.deepEqual(JSON.parse((await m.awsOk(args, { as: w.seller })).out), who);
  const file = join(m.dir, 'records.json');
  writeFileSync(file, JSON.stringify([{ Timestamp: new Date(m.now()).toISOString(), CustomerIdentifier: who.CustomerIdentifier, Dimension: 'users', Quantity: 1 }]));
  const metered = await m.awsOk(['meteringmarketplace', 'batch-meter-usage', '--product-code', who.ProductCode, '--usage-records', `file://${file}`], { as: w.seller });
  assert.equal(JSON.parse(metered.out).Results[0].Status, 'Success', 'the identifier is the one that metering takes');
  assert.match((await m.aws(['meteringmarketplace', 'resolve-customer', '--registration-token', 'x'.repeat(112)], { as: w.seller })).err, /InvalidTokenException/);
});

test('a token is its seller\'s, and nobody can make one up', async () => {
  const t = await token();
  assert.equal((await resolve(t)).ProductCode, saas.productCode);
  const wire = await (await signedJson(m, w.seller, 'AWSMPMeteringService.ResolveCustomer', JSON.stringify({ RegistrationToken: t }), { service: 'aws-marketplace' })).json();
  assert.equal(wire.CustomerAWSAccountId, buyer.accountId);
  const foreign = await resolve(t, metering(m.logins.sellers[0])).catch((e) => e);
  const absent = await resolve('0'.repeat(112), metering(m.logins.sellers[0])).catch((e) => e);
  assert.deepEqual([foreign.name, foreign.message], ['InvalidTokenException', absent.message]);
  for (const at of [0, 20, 33, 47, 48, 111]) await fails(resolve(t.slice(0, at) + (t[at] === 'a' ? 'b' : 'a') + t.slice(at + 1)), 'InvalidTokenException');
  await fails(resolve(t.slice(0, -2)), 'InvalidTokenException');
  await fails(resolve(t, metering(asBuyer)), 'AccessDeniedException');
  const call = async (body) => (await (await signedJson(m, w.seller, 'AWSMPMeteringService.ResolveCustomer', JSON.stringify(body), { service: 'aws-marketplace' })).json()).__type;
  assert.equal(await call({}), 'ValidationException');
  assert.equal(await call({ RegistrationToken: '' }), 'ValidationException');
  assert.equal(await call({ RegistrationToken: 7 }), 'SerializationException');
  for (const as of [w.buyers[1], w.seller, m.logins.buyers[0]])
    assert.equal((await m.rest(as, 'POST', `/api/v1/subscriptions/${sub.subscriptionId}/registration-tokens`, {})).status, 404);
  const audit = (await m.op('GET', '/api/v1/audit-entries?limit=200')).json.items;
  assert.ok(audit.some((x) => x.action === 'aws-marketplace:ResolveCustomer' && x.resource === `account/${buyer.accountId}` && x.accountId === w.seller.accountId));
});

test('what runs at the buyer gets a signature that the certificate proves', async () => {
  const product = w.products[0];
  const r = JSON.parse((await m.awsOk(['meteringmarketplace', 'register-usage', '--product-code', product.productCode, '--public-key-version', '1', '--nonce', 'n-1'], { as: asBuyer })).out);
  const [header, claims, signature] = r.Signature.split('.');
  const json = (s) => JSON.parse(Buffer.from(s, 'base64url'));
  assert.deepEqual([json(header).alg, json(claims).productCode, json(claims).publicKeyVersion, json(claims).nonce], ['RS256', product.productCode, 1, 'n-1']);
  assert.ok(Math.abs(json(claims).iat - m.now() / 1000) < 60);
  const url = new URL(json(header).x5u);
  const pem = await (await fetch(m.url + url.pathname)).text();
  const key = createPublicKey(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' }));
  assert.ok(verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url')));
  assert.ok(!verify('sha256', Buffer.from(`${header}.${claims}x`), key, Buffer.from(signature, 'base64url')));
  const register = (ProductCode, PublicKeyVersion = 1, as = metering(asBuyer)) => as.send(new RegisterUsageCommand({ ProductCode, PublicKeyVersion }));
  assert.ok((await register(saas.productCode)).Signature);
  await fails(register(product.productCode, 2), 'InvalidPublicKeyVersionException');
  await fails(register(product.productCode, 0), 'ValidationException');
  await fails(register('nothing'), 'InvalidProductCodeException');
  const other = metering((await m.op('POST', `/api/v1/users/${w.buyers[1].userId}/access-keys`, {})).json);
  await fails(register(saas.productCode, 1, other), 'CustomerNotEntitledException');
});

test('usage is taken in the product\'s dimensions, and in no others', async () => {
  const batch = (...dimensions) => client.send(new BatchMeterUsageCommand({ ProductCode: saas.productCode, UsageRecords: dimensions.map((Dimension) => (
    { Timestamp: new Date(m.now() - 2 * HOUR * 1000), CustomerIdentifier: buyer.accountId, Dimension, Quantity: 1 })) }));
  await fails(batch('users', 'disks'), 'InvalidUsageDimensionException');
  await fails(batch('users', 'seats'), 'InvalidUsageDimensionException');
  assert.equal((await client.send(new BatchMeterUsageCommand({ ProductCode: saas.productCode, UsageRecords: [
    { Timestamp: new Date(m.now() - 2 * HOUR * 1000), CustomerIdentifier: buyer.accountId, Dimension: 'users', Quantity: 5 }] }))).Results[0].Status, 'Success', 'what failed left nothing');
  const meter = (UsageDimension, DryRun = false) => metering(asBuyer).send(new MeterUsageCommand({ ProductCode: saas.productCode, Timestamp: new Date(m.now() - HOUR * 1000), UsageDimension, UsageQuantity: 1, DryRun }));
  await fails(meter('disks'), 'InvalidUsageDimensionException');
  await fails(meter('disks', true), 'InvalidUsageDimensionException');
  assert.ok((await meter('users')).MeteringRecordId);
  const file = join(m.dir, 'more.csv');
  writeFileSync(file, `sellerId,title,type,pricing,dimensions,state\n${w.seller.accountId},Imported,saas,metered,requests|gb,public\n`);
  await soukOk(['import', '--data', m.data, 'products', file], { env: m.clockEnv() });
  const all = (await m.op('GET', `/api/v1/products?sellerId=${w.seller.accountId}&limit=200`)).json.items;
  assert.deepEqual(all.find((p) => p.title === 'Imported').dimensions.map((d) => [d.key, d.type, d.name, d.unit]), [['requests', 'metered', 'requests', 'Units'], ['gb', 'metered', 'gb', 'Units']]);
});

test('it ends after four hours; the end of the subscription does not end it', async () => {
  const t = await token();
  assert.equal((await m.op('POST', `/api/v1/subscriptions/${sub.subscriptionId}/end`, {})).status, 200);
  assert.equal((await m.rest(buyer, 'POST', `/api/v1/subscriptions/${sub.subscriptionId}/registration-tokens`, {})).json.code, 'subscription_ended');
  m.setClock(4 * HOUR - 60);
  client = metering(w.seller);
  assert.equal((await resolve(t)).ProductCode, saas.productCode);
  m.setClock(4 * HOUR + 60);
  client = metering(w.seller);
  await fails(resolve(t), 'ExpiredTokenException');
  await fails(resolve(t, metering(m.logins.sellers[0])), 'InvalidTokenException');
});
