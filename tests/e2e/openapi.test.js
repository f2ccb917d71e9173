// SPDX-License-Identifier: Apache-2.0
// docs/openapi.yaml against real answers: every route is called, every answer fits its schema.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import YAML from 'yaml';
import { Marketplace, person, root } from './lib.js';

const api = YAML.parse(readFileSync(join(root, 'docs/openapi.yaml'), 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: 'api', ...api });
const pointer = (s) => s.replaceAll('~', '~0').replaceAll('/', '~1');
const called = new Set();
let m;
before(async () => { m = await Marketplace.create(); });
after(() => m.close());

/** Calls a documented route and checks status, media type, body and required headers. */
async function call(as, method, template, params = {}, { body, query = '', headers, want } = {}) {
  const path = template.replace(/\{(\w+)\}/g, (_, k) => encodeURIComponent(params[k]));
  const operation = api.paths[template]?.[method.toLowerCase()];
  assert.ok(operation, `${method} ${template} is not documented`);
  called.add(`${method} ${template}`);
  const prefix = api.servers?.[0]?.url?.replace(/^https?:\/\/[^/]+/, '').replace(/\/$/, '') ?? '';
  const full = path.startsWith('/api/') || /^\/(healthz|readyz|metrics|sns)/.test(path) ? path : prefix + path;
  const a = await m.rest(as, method, full + query, body, headers);
  if (want) assert.equal(a.status, want, `${method} ${full}: ${a.text}`);
  let where = `/paths/${pointer(template)}/${method.toLowerCase()}/responses/${a.status}`;
  let response = operation.responses[a.status];
  if (!response && operation.responses.default) { response = operation.responses.default; where = where.replace(/\d+$/, 'default'); }
  assert.ok(response, `${method} ${template}: ${a.status} is not documented: ${a.text}`);
  if (response.$ref) { where = response.$ref.slice(1); response = where.slice(1).split('/').reduce((o, k) => o[k], api); }
  if (a.status < 300) {
    for (const h of ['ETag', 'Location']) {
      assert.equal(a.headers.has(h), !!response.headers?.[h], `${method} ${template}: ${h} is ${a.headers.has(h) ? 'not documented' : 'missing'}`);
    }
  }
  if (a.status === 201) {
    const there = await m.rest(as, 'GET', a.headers.get('location'));
    assert.equal(there.status, 200, `${method} ${template}: GET ${a.headers.get('location')}: ${there.text}`);
  }
  // What was accepted must be what the document lets clients send.
  const sent = operation.requestBody?.content['application/json'];
  if (a.status < 300 && body !== undefined && sent) {
    const check = ajv.compile({ $ref: `api#/paths/${pointer(template)}/${method.toLowerCase()}/requestBody/content/application~1json/schema` });
    assert.ok(check(body), `${method} ${template}: accepted, but ${ajv.errorsText(check.errors)}`);
  }
  if (a.status < 300 && body === undefined) assert.ok(!operation.requestBody?.required, `${method} ${template}: its body is optional`);
  if (!response.content) { assert.equal(a.text, '', `${method} ${template}: a body that is not documented`); return a; }
  const type = a.headers.get('content-type').split(';')[0];
  assert.ok(response.content[type], `${method} ${template}: ${type} is not documented`);
  if (/json/.test(type) && response.content[type].schema) {
    const check = ajv.compile({ $ref: `api#${where}/content/${pointer(type)}/schema` });
    assert.ok(check(a.json), `${method} ${template}: ${ajv.errorsText(check.errors)}\n${a.text}`);
  }
  return a;
}

test('every documented route answers as documented', async () => {
  const op = m.operator, seller = m.seller, buyer = m.buyer;
  const P = (t) => (api.paths[t] ? t : `/api/v1${t}`);
  const c = (as, method, t, ...rest) => call(as, method, P(t), ...rest);
  const key = () => ({ 'Idempotency-Key': randomUUID() });
  const allow = (action) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] });
  await c(op, 'GET', '/whoami', {}, { want: 200 });
  await c(null, 'GET', '/whoami', {}, { want: 401 });
  await c(op, 'GET', '/accounts', {}, { query: '?limit=2', want: 200 });
  const acc = (await c(op, 'POST', '/accounts', {}, { body: { accountId: '000000000042', name: 'Née', country: 'FR', address: null, emailDomain: null, seller: true, buyer: true, paidSeller: true }, headers: key(), want: 201 })).json;
  await c(op, 'POST', '/accounts', {}, { body: { accountId: '000000000042', name: 'N', country: 'FR', buyer: true }, want: 409 });
  await c(op, 'POST', '/accounts', {}, { body: { accountId: 'x' }, want: 422 });
  const got = await c(op, 'GET', '/accounts/{accountId}', { accountId: acc.accountId }, { want: 200 });
  await c(op, 'PATCH', '/accounts/{accountId}', { accountId: acc.accountId }, { body: { city: 'Orléans' }, headers: { 'If-Match': got.headers.get('etag') }, want: 200 });
  await c(op, 'PATCH', '/accounts/{accountId}', { accountId: acc.accountId }, { body: { city: 'Paris' }, headers: { 'If-Match': got.headers.get('etag') }, want: 412 });
  const now = await c(op, 'GET', '/accounts/{accountId}', { accountId: acc.accountId }, { want: 200 });
  await c(op, 'PATCH', '/accounts/{accountId}', { accountId: acc.accountId }, { body: { city: 'Paris' }, headers: { 'If-Match': `${got.headers.get('etag')}, ${now.headers.get('etag')}` }, want: 200 });
  await c(buyer, 'GET', '/accounts/{accountId}', { accountId: acc.accountId }, { want: 404 });
  const user = (await c(op, 'POST', '/accounts/{accountId}/users', { accountId: acc.accountId }, { body: { name: 'u' }, want: 201 })).json;
  await c(op, 'GET', '/accounts/{accountId}/users', { accountId: acc.accountId }, { want: 200 });
  await c(op, 'GET', '/users/{userId}', { userId: user.userId }, { want: 200 });
  await c(op, 'PATCH', '/users/{userId}', { userId: user.userId }, { body: { policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } }, want: 200 });
  const k = (await c(op, 'POST', '/users/{userId}/access-keys', { userId: user.userId }, { want: 201 })).json;
  await c(op, 'GET', '/users/{userId}/access-keys', { userId: user.userId }, { want: 200 });
  await c(op, 'GET', '/access-keys/{accessKeyId}', { accessKeyId: k.accessKeyId }, { want: 200 });
  await c(op, 'PATCH', '/access-keys/{accessKeyId}', { accessKeyId: k.accessKeyId }, { body: { state: 'disabled' }, want: 204 });
  await c(op, 'PATCH', '/access-keys/{accessKeyId}', { accessKeyId: k.accessKeyId }, { body: { state: 'active', policy: allow('s3:GetObject') }, want: 204 });
  assert.deepEqual((await c(op, 'GET', '/access-keys/{accessKeyId}', { accessKeyId: k.accessKeyId }, { want: 200 })).json.policy, allow('s3:GetObject'));
  await c(op, 'PATCH', '/access-keys/{accessKeyId}', { accessKeyId: k.accessKeyId }, { body: {}, want: 422 });
  await c(op, 'DELETE', '/access-keys/{accessKeyId}', { accessKeyId: k.accessKeyId }, { want: 204 });
  const t = (await c(op, 'POST', '/users/{userId}/tokens', { userId: user.userId }, { body: { label: 'x' }, want: 201 })).json;
  await c(op, 'GET', '/users/{userId}/tokens', { userId: user.userId }, { want: 200 });
  await c(op, 'GET', '/tokens/{tokenId}', { tokenId: t.tokenId }, { want: 200 });
  assert.equal((await m.rest(t.token, 'GET', '/api/v1/whoami')).status, 200);
  await c(op, 'PATCH', '/tokens/{tokenId}', { tokenId: t.tokenId }, { body: { label: 'y', policy: allow('market:*'), expiresAt: '2199-01-01T00:00:00Z' }, want: 204 });
  await c(op, 'GET', '/tokens/{tokenId}', { tokenId: t.tokenId }, { want: 200 });
  assert.equal((await m.rest(t.token, 'GET', '/api/v1/whoami')).status, 403, 'a change counts at once');
  await c(op, 'PATCH', '/tokens/{tokenId}', { tokenId: t.tokenId }, { body: { policy: null, expiresAt: null }, want: 204 });
  assert.equal((await m.rest(t.token, 'GET', '/api/v1/whoami')).status, 200);
  const brief = (await c(op, 'POST', '/users/{userId}/tokens', { userId: user.userId }, { body: { expiresAt: '2199-01-01T00:00:00Z' }, want: 201 })).json;
  const heir = (await c(brief.token, 'POST', '/users/{userId}/tokens', { userId: user.userId }, { want: 201 })).json;
  assert.equal(heir.expiresAt, brief.expiresAt, 'a token made with one that expires ends with it');
  await c(brief.token, 'POST', '/users/{userId}/tokens', { userId: user.userId }, { body: { expiresAt: '2199-01-01T00:00:01Z' }, want: 422 });
  assert.equal((await c(brief.token, 'POST', '/users/{userId}/access-keys', { userId: user.userId }, { want: 403 })).json.code, 'expiring_token');
  await c(buyer, 'PATCH', '/tokens/{tokenId}', { tokenId: t.tokenId }, { body: { label: 'mine' }, want: 404 });
  await c(op, 'DELETE', '/tokens/{tokenId}', { tokenId: t.tokenId }, { want: 204 });
  assert.equal((await m.rest(t.token, 'GET', '/api/v1/whoami')).status, 401, 'a deleted token is dead at once');
  await c(op, 'GET', '/products', {}, { query: `?sellerId=${seller.accountId}`, want: 200 });
  const product = (await c(op, 'POST', '/products', {}, { body: { sellerId: seller.accountId, title: 'P', type: 'ami', pricing: ['hourly'], supportEmail: 'h@example.com', state: 'public' }, headers: key(), want: 201 })).json;
  await c(op, 'GET', '/products/{productId}', { productId: product.productId }, { want: 200 });
  await c(op, 'PATCH', '/products/{productId}', { productId: product.productId }, { body: { pscEnabled: true }, want: 200 });
  await c(seller, 'POST', '/products', {}, { body: { sellerId: seller.accountId, title: 'P', type: 'ami', pricing: ['hourly'] }, want: 403 });
  const offer = (await c(op, 'POST', '/offers', {}, { body: { sellerId: seller.accountId, productId: product.productId, name: 'O' }, want: 201 })).json;
  await c(op, 'GET', '/offers', {}, { want: 200 });
  await c(op, 'GET', '/offers/{offerId}', { offerId: offer.offerId }, { want: 200 });
  await c(op, 'PATCH', '/offers/{offerId}', { offerId: offer.offerId }, { body: { name: 'O2' }, want: 200 });
  const terms = { offerId: offer.offerId };
  await c(op, 'PATCH', '/products/{productId}', { productId: product.productId }, { body: { dimensions: ['users', { key: 'gb', type: 'entitled', name: 'Storage', description: 'Kept', unit: 'GB' }], solutionId: 's', solutionTitle: 'S' }, want: 200 });
  await c(op, 'POST', '/offers', {}, { body: { productId: product.productId, name: 'P', program: 'FieldDemonstration', resellerId: m.logins.sellers[1].accountId }, want: 201 });
  const rate = (await c(op, 'POST', '/offers/{offerId}/rates', terms, { body: { dimension: 'users', price: '0.10', currency: 'USD' }, headers: key(), want: 201 })).json;
  assert.equal(rate.price, '0.10');
  await c(op, 'POST', '/offers/{offerId}/rates', terms, { body: { dimension: 'users', price: '0.10', currency: 'USD' }, want: 409 });
  await c(op, 'POST', '/offers/{offerId}/rates', terms, { body: { dimension: 'disks', price: '0.10', currency: 'USD' }, want: 422 });
  await c(op, 'POST', '/offers/{offerId}/rates', terms, { body: { offerId: offer.offerId, dimension: 'users', price: '0.10', currency: 'USD' }, want: 422 });
  await c(seller, 'POST', '/offers/{offerId}/rates', terms, { body: { dimension: 'gb', price: '0.10', currency: 'USD' }, want: 403 });
  await c(buyer, 'POST', '/offers/{offerId}/rates', terms, { body: { dimension: 'gb', price: '0.10', currency: 'USD' }, want: 404 });
  await c(seller, 'GET', '/offers/{offerId}/rates', terms, { want: 200 });
  await c(seller, 'GET', '/offers/{offerId}/rates/{rateId}', { ...terms, rateId: rate.rateId }, { want: 200 });
  await c(seller, 'GET', '/offers/{offerId}/rates/{rateId}', { ...terms, rateId: randomUUID() }, { want: 404 });
  await c(m.logins.sellers[1], 'GET', '/offers/{offerId}/rates', terms, { want: 404 });
  const sub = (await c(op, 'POST', '/subscriptions', {}, { body: { sellerId: seller.accountId, productId: product.productId, buyerId: buyer.accountId, kind: 'hourly', quantity: 1 }, headers: key(), want: 201 })).json;
  await c(buyer, 'GET', '/subscriptions', {}, { want: 200 });
  await c(buyer, 'GET', '/subscriptions/{subscriptionId}', { subscriptionId: sub.subscriptionId }, { want: 200 });
  const of = { subscriptionId: sub.subscriptionId };
  const fee = (await c(op, 'POST', '/subscriptions/{subscriptionId}/fees', of, { body: { kind: 'monthly', amount: '12', currency: 'EUR', periodStart: '2026-01-01', periodEnd: '2026-01-31' }, headers: key(), want: 201 })).json;
  assert.deepEqual([fee.amount, fee.description, fee.dimension], ['12.00', 'Monthly fee', null]);
  await c(op, 'POST', '/subscriptions/{subscriptionId}/fees', of, { body: { feeId: fee.feeId, kind: 'monthly', amount: '12', currency: 'EUR' }, want: 409 });
  await c(op, 'POST', '/subscriptions/{subscriptionId}/fees', of, { body: { kind: 'refund', amount: '12', currency: 'EUR' }, want: 422 });
  await c(buyer, 'POST', '/subscriptions/{subscriptionId}/fees', of, { body: { kind: 'refund', amount: '-12', currency: 'EUR' }, want: 403 });
  await c(buyer, 'GET', '/subscriptions/{subscriptionId}/fees', of, { want: 200 });
  await c(seller, 'GET', '/subscriptions/{subscriptionId}/fees/{feeId}', { ...of, feeId: fee.feeId }, { want: 200 });
  await c(m.logins.buyers[1], 'GET', '/subscriptions/{subscriptionId}/fees', of, { want: 404 });
  assert.equal((await c(buyer, 'POST', '/subscriptions/{subscriptionId}/registration-tokens', of, { want: 409 })).json.code, 'product_not_saas');
  await c(seller, 'POST', '/subscriptions/{subscriptionId}/registration-tokens', of, { want: 404 });
  const service = (await c(op, 'POST', '/products', {}, { body: { sellerId: seller.accountId, title: 'S', type: 'saas', pricing: ['metered'], state: 'public' }, want: 201 })).json;
  const tried = (await c(op, 'POST', '/subscriptions', {}, { body: { productId: service.productId, buyerId: buyer.accountId, kind: 'metered', startsAt: '2026-01-01T00:00:00Z', trialEndsAt: '2026-01-15T00:00:00Z' }, want: 201 })).json;
  assert.equal(tried.trialEndsAt, '2026-01-15T00:00:00.000Z');
  await c(op, 'PATCH', '/subscriptions/{subscriptionId}', { subscriptionId: tried.subscriptionId }, { body: { trialEndsAt: null }, want: 422 });
  await c(buyer, 'POST', '/subscriptions/{subscriptionId}/registration-tokens', { subscriptionId: tried.subscriptionId }, { want: 200 });
  await c(op, 'PATCH', '/subscriptions/{subscriptionId}', { subscriptionId: sub.subscriptionId }, { body: { quantity: 4 }, want: 200 });
  const s = { subscriptionId: sub.subscriptionId };
  const contact = (await c(buyer, 'POST', '/subscriptions/{subscriptionId}/contacts', s, { body: person(1, { title: null, countryCode: '', zipCode: '' }), headers: key(), want: 201 })).json;
  await c(buyer, 'POST', '/subscriptions/{subscriptionId}/contacts', s, { body: person(1, { zipCode: 'x' }), want: 422 });
  await c(buyer, 'GET', '/subscriptions/{subscriptionId}/contacts', s, { want: 200 });
  const cp = { ...s, contactId: contact.contactId };
  await c(buyer, 'GET', '/subscriptions/{subscriptionId}/contacts/{contactId}', cp, { want: 200 });
  await c(buyer, 'PUT', '/subscriptions/{subscriptionId}/contacts/{contactId}', cp, { body: person(2), want: 200 });
  await c(op, 'POST', '/contact-searches', {}, { body: { emailAddress: 'person2@example.com', purpose: 'access-request' }, want: 200 });
  await c(buyer, 'DELETE', '/subscriptions/{subscriptionId}/contacts/{contactId}', cp, { want: 204 });
  await c(buyer, 'DELETE', '/subscriptions/{subscriptionId}/contacts/{contactId}', cp, { want: 404 });
  await c(buyer, 'POST', '/opt-outs', {}, { body: { scope: 'everywhere' } });
  await c(op, 'POST', '/subscriptions/{subscriptionId}/end', s, { want: 200 });
  const v = { sellerId: seller.accountId };
  await c(op, 'GET', '/sellers/{sellerId}/enrolments', v, { want: 200 });
  // One that is not enrolled yet.
  const newcomer = m.logins.sellers[1], n = { sellerId: newcomer.accountId };
  const asked = '/sellers/{sellerId}/enrolments/edsp/requirements';
  await c(newcomer, 'GET', asked, n, { want: 200 });
  await c(op, 'PUT', '/sellers/{sellerId}/enrolments/{program}', { ...n, program: 'edsp' }, { body: { state: 'enrolled' }, want: 409 });
  await c(newcomer, 'PUT', `${asked}/{requirement}`, { ...n, requirement: 'EDSP-R3' }, { body: { document: 'memo.pdf', effectiveOn: '2026-01-31' }, want: 200 });
  await c(newcomer, 'PUT', `${asked}/{requirement}`, { ...n, requirement: 'EDSP-R3' }, { body: { document: 'memo.pdf' }, want: 422 });
  await c(op, 'PUT', `${asked}/{requirement}/decision`, { ...n, requirement: 'EDSP-R3' }, { body: { decision: 'accepted', note: 'seen' }, want: 200 });
  await c(newcomer, 'PUT', `${asked}/{requirement}/decision`, { ...n, requirement: 'EDSP-R3' }, { body: { decision: 'accepted' }, want: 403 });
  await c(buyer, 'GET', asked, n, { want: 404 });
  const L = (await c(seller, 'POST', '/listings', {}, { body: { document: { title: 'Documented', highlights: ['One'] } }, headers: key(), want: 201 })).json;
  const lp = { listingId: L.productId };
  await c(seller, 'GET', '/listings', {}, { query: '?limit=5', want: 200 });
  await c(seller, 'GET', '/listings/{listingId}', lp, { want: 200 });
  await c(seller, 'PUT', '/listings/{listingId}', lp, { body: { document: { title: 'Documented', sku: 'X' } }, headers: { 'If-Match': '"1"' }, want: 200 });
  await c(seller, 'PUT', '/listings/{listingId}', lp, { body: { document: { title: 7 } }, want: 422 });
  await c(seller, 'POST', '/listings/{listingId}/review', lp, { want: 200 });
  await c(seller, 'POST', '/listings/{listingId}/review', lp, { body: { document: { title: 'Other' } }, want: 200 });
  const R = (await c(seller, 'POST', '/listings/{listingId}/change-requests', lp, { body: { changes: [{ type: 'ReleaseProduct', details: {} }] }, headers: key(), want: 201 })).json;
  await c(seller, 'GET', '/change-requests', {}, { want: 200 });
  await c(seller, 'GET', '/change-requests/{changeRequestId}', R, { want: 200 });
  await c(seller, 'DELETE', '/change-requests/{changeRequestId}', R, {});
  const plan = '/sellers/{sellerId}/publication-plan';
  const planned = { roleArn: `arn:aws:iam::${newcomer.accountId}:role/R`, bucket: 'exports', topicArn: `arn:aws:sns:us-east-1:${newcomer.accountId}:t`, dataSets: ['daily_business_fees'], feeds: true };
  await c(newcomer, 'GET', plan, n, { want: 404 });
  await c(newcomer, 'PUT', plan, n, { body: planned, want: 200 });
  await c(newcomer, 'PUT', plan, n, { body: { ...planned, dataSets: ['customer_profile_by_revenue'] }, want: 422 });
  await c(newcomer, 'PUT', plan, n, { body: { ...planned, dataSets: ['daily_business_fees', 'daily_business_fees'] }, want: 422 });
  await c(newcomer, 'PUT', plan, n, { body: planned, headers: { 'If-Match': '"9"' }, want: 412 });
  await c(newcomer, 'GET', plan, n, { want: 200 });
  await c(buyer, 'PUT', plan, n, { body: planned, want: 404 });
  await c(newcomer, 'DELETE', plan, n, { want: 204 });
  await c(newcomer, 'DELETE', plan, n, { want: 404 });
  // Not enrolled: nothing of commissions is there (commissions-server.test.js has the rest).
  const pays = { ...n, runId: randomUUID(), representative: 'ana', userId: randomUUID() };
  const own = '/sellers/{sellerId}/commission-';
  for (const t of ['plan', 'runs', 'runs/{runId}', 'runs/{runId}/statements/{representative}', 'runs/{runId}/queue', 'runs/{runId}/moved']) await c(newcomer, 'GET', own + t, pays, { want: 404 });
  await c(newcomer, 'PUT', `${own}plan`, pays, { body: {}, want: 422 });
  await c(newcomer, 'POST', `${own}plan/dry-run`, pays, { body: { plan: {} }, want: 422 });
  await c(newcomer, 'POST', `${own}runs`, pays, { body: { month: '2026-01' }, want: 404 });
  await c(newcomer, 'POST', `${own}runs/{runId}/approve`, pays, { body: { digest: 'x' }, want: 404 });
  await c(newcomer, 'PUT', `${own}grants/{userId}`, pays, { body: { role: 'finance', purpose: 'pay' }, want: 404 });
  await c(newcomer, 'DELETE', `${own}grants/{userId}`, pays, { want: 404 });
  await c(newcomer, 'GET', `${own}grants`, pays, { want: 200 });
  await c(op, 'GET', `${own}grants`, pays, { want: 404 });
  const set = await c(newcomer, 'GET', `${own}settings`, pays, { want: 200 });
  await c(newcomer, 'PUT', `${own}settings`, pays, { body: { twoPeople: true }, headers: { 'If-Match': set.headers.get('etag') }, want: 200 });
  await c(newcomer, 'PUT', `${own}settings`, pays, { body: { twoPeople: false }, headers: { 'If-Match': set.headers.get('etag') }, want: 412 });
  const standing = (await c(op, 'GET', '/sellers/{sellerId}/enrolments/{program}', { ...v, program: 'psc' }, { want: 200 })).json;
  const ifMatch = (...tags) => ({ 'If-Match': tags.map((x) => `"${x}"`).join(', ') });
  await c(op, 'PUT', '/sellers/{sellerId}/enrolments/{program}', { ...v, program: 'psc' }, { body: { state: 'enrolled' }, headers: ifMatch(98, 99), want: 412 });
  await c(op, 'PUT', '/sellers/{sellerId}/enrolments/{program}', { ...v, program: 'psc' }, { body: { state: 'enrolled' }, headers: ifMatch(99, standing.revision), want: 200 });
  await c(seller, 'GET', '/sellers/{sellerId}/buckets', v, { want: 200 });
  await c(seller, 'POST', '/sellers/{sellerId}/buckets', v, { body: { name: 'another-bucket' }, want: 201 });
  await c(seller, 'POST', '/sellers/{sellerId}/buckets', v, { body: { name: 'Bad_Bucket' }, want: 422 });
  await c(seller, 'GET', '/sellers/{sellerId}/buckets/{bucket}', { ...v, bucket: 'another-bucket' }, { want: 200 });
  await c(buyer, 'GET', '/sellers/{sellerId}/buckets/{bucket}', { ...v, bucket: 'another-bucket' }, { want: 404 });
  await c(seller, 'DELETE', '/sellers/{sellerId}/buckets/{bucket}', { ...v, bucket: 'another-bucket' }, { want: 204 });
  await c(seller, 'GET', '/sellers/{sellerId}/topics', v, { want: 200 });
  await c(seller, 'POST', '/sellers/{sellerId}/topics', v, { body: { name: 'more' }, want: 201 });
  const e = (await c(seller, 'POST', '/sellers/{sellerId}/topics/{topic}/endpoints', { ...v, topic: 'more' }, { body: { url: 'https://hooks.seller.example/x' }, want: 201 })).json;
  await c(seller, 'GET', '/sellers/{sellerId}/topics/{topic}/endpoints', { ...v, topic: 'more' }, { want: 200 });
  await c(seller, 'GET', '/sellers/{sellerId}/topics/{topic}/endpoints/{endpointId}', { ...v, topic: 'more', endpointId: e.endpointId }, { want: 200 });
  await c(seller, 'GET', '/sellers/{sellerId}/topics/{topic}', { ...v, topic: 'more' }, { want: 200 });
  await c(seller, 'DELETE', '/sellers/{sellerId}/topics/{topic}/endpoints/{endpointId}', { ...v, topic: 'more', endpointId: e.endpointId }, { want: 204 });
  await c(seller, 'DELETE', '/sellers/{sellerId}/topics/{topic}', { ...v, topic: 'more' }, { want: 204 });
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: '*' }] };
  await c(seller, 'POST', '/sellers/{sellerId}/roles', v, { body: { name: 'r', policy }, want: 201 });
  const unfit = await c(seller, 'POST', '/sellers/{sellerId}/roles', v, { body: { name: 'r2', policy: { Statement: [policy.Statement[0], { ...policy.Statement[0], Foo: 1 }] } }, want: 422 });
  assert.equal(unfit.json.errors[0].field, 'policy.Statement[1].Foo');
  await c(seller, 'POST', '/sellers/{sellerId}/roles', v, { body: { name: 'r2', policy: { Statement: policy.Statement[0] } }, want: 422 });
  await c(seller, 'GET', '/sellers/{sellerId}/roles', v, { want: 200 });
  await c(seller, 'GET', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'r' }, { want: 200 });
  await c(seller, 'PUT', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'r' }, { body: { policy }, want: 200 });
  await c(seller, 'PUT', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'r' }, { body: { policy }, headers: { 'If-Match': '"1"' }, want: 412 });
  await c(seller, 'PUT', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'r' }, { body: { policy }, headers: { 'If-Match': '"1", "2"' }, want: 200 });
  const remote = { endpoint: 'https://s3.example.com', region: 'eu-1', accessKeyId: 'AKID', secretAccessKey: 'secret' };
  const away = { name: 'away', policy, s3: { ...remote, pathStyle: false, encryption: 'aws:kms', kmsKeyId: 'key' }, sns: remote };
  const made = (await c(seller, 'POST', '/sellers/{sellerId}/roles', v, { body: away, headers: key(), want: 201 })).json;
  assert.deepEqual([made.s3.kmsKeyId, made.sns.accessKeyId], ['key', 'AKID']);
  await c(seller, 'PUT', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'away' }, { body: { policy, s3: null, sns: made.sns }, want: 200 });
  await c(seller, 'PUT', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'away' }, { body: { policy, s3: { ...made.s3, endpoint: 'http://s3.example.com' } }, want: 422 });
  const lent = { endpoint: remote.endpoint, region: 'eu-1', credentials: 'operator' };
  await c(seller, 'PUT', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'away' }, { body: { policy, s3: { ...lent, buckets: ['abc'] } }, want: 403 });
  await c(op, 'PUT', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'away' }, { body: { policy, s3: { ...lent, buckets: ['abc'] }, sns: { ...lent, topics: ['arn:aws:sns:eu-1:123456789012:t'] } }, want: 200 });
  await c(seller, 'GET', '/sellers/{sellerId}/roles', v, { want: 200 });
  await c(seller, 'DELETE', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'away' }, { want: 204 });
  await c(seller, 'DELETE', '/sellers/{sellerId}/roles/{role}', { ...v, role: 'r' }, { want: 204 });
  const id = JSON.parse((await m.awsOk(m.exportArgs())).out).dataSetRequestId;
  await m.delivered(id);
  await c(seller, 'GET', '/sellers/{sellerId}/deliveries', v, { want: 200 });
  await c(seller, 'GET', '/sellers/{sellerId}/deliveries/{requestId}', { ...v, requestId: id }, { want: 200 });
  await c(seller, 'POST', '/sellers/{sellerId}/deliveries/{requestId}/resend', { ...v, requestId: id }, {});
  await c(op, 'GET', '/audit-entries', {}, { query: '?limit=5', want: 200 });
  for (const t2 of ['/healthz', '/readyz', '/metrics']) if (api.paths[t2]) await call(null, 'GET', t2, {}, { want: 200 });
  const documented = Object.entries(api.paths).flatMap(([path, ops]) => Object.keys(ops)
    .filter((x) => ['get', 'post', 'put', 'patch', 'delete'].includes(x)).map((x) => `${x.toUpperCase()} ${path}`));
  const missed = documented.filter((d) => !called.has(d) && !/sns/.test(d));
  assert.deepEqual(missed, [], 'documented routes that this test does not call');
});
