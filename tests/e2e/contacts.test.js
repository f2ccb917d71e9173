// SPDX-License-Identifier: Apache-2.0
// Buyers' contacts over REST: field rules, five at most, lost updates, repeats, opting out, and who sees what.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { Marketplace, person } from './lib.js';
import { makeWorld } from './world.js';

let m, w, s, path;
before(async () => {
  m = await Marketplace.create();
  w = await makeWorld(m);
  s = w.subscriptions[0];
  path = `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
});
after(() => m.close());

const add = (fields, headers, as = s.buyer, at = path) => m.rest(as, 'POST', at, fields, headers);
async function clear() {
  for (const c of (await m.rest(s.buyer, 'GET', path)).json.items) await m.rest(s.buyer, 'DELETE', `${path}/${c.contactId}`);
}

test('a contact comes back as it was given, with an ETag and a place', async () => {
  const fields = person(1, { organization: '山田 "精機", 株式会社', title: 'Ingénieure', countryCode: 'US', zipCode: '02201' });
  const a = await add(fields);
  assert.equal(a.status, 201, a.text);
  for (const [k, v] of Object.entries(fields)) assert.equal(a.json[k], v);
  assert.equal(a.headers.get('location'), `${path}/${a.json.contactId}`);
  assert.ok(a.headers.get('etag'));
  const g = await m.rest(s.buyer, 'GET', `${path}/${a.json.contactId}`);
  assert.equal(g.status, 200);
  assert.equal(g.headers.get('etag'), a.headers.get('etag'));
  assert.deepEqual(g.json, a.json);
  const list = await m.rest(s.buyer, 'GET', path);
  assert.deepEqual(list.json.items, [a.json]);
  await clear();
  assert.deepEqual((await m.rest(s.buyer, 'GET', path)).json.items, []);
});

const chars = (n) => 'é'.repeat(n);
const refusals = [
  ['organization', undefined], ['organization', ''], ['organization', ' \t'], ['organization', chars(256)], ['organization', 'a\nb'],
  ['organization', 7], ['organization', null], ['givenName', chars(101)], ['givenName', ''], ['surname', chars(101)], ['surname', undefined],
  ['telephoneNumber', '1'.repeat(26)], ['telephoneNumber', 'call me'], ['telephoneNumber', ''],
  ['emailAddress', 'nobody'], ['emailAddress', 'a@b'], ['emailAddress', 'a b@example.com'], ['emailAddress', `${'a'.repeat(243)}@example.com`],
  ['emailAddress', 'a@-b.example'], ['emailAddress', 'a@example..com'], ['title', chars(256)], ['title', '\u0007'],
  ['countryCode', 'XX'], ['countryCode', 'us'], ['countryCode', 'USA'], ['zipCode', '1234'], ['zipCode', '123456'], ['zipCode', '12a45'],
  ['nickname', 'unknown member'],
];
for (const [field, value] of refusals) {
  test(`refused and named: ${field} = ${JSON.stringify(value)?.slice(0, 30)}`, async () => {
    const a = await add({ ...person(2, { countryCode: 'US' }), [field]: value });
    assert.ok(a.status === 422 || a.status === 400, `${a.status} ${a.text}`);
    assert.match(a.headers.get('content-type'), /^application\/problem\+json/);
    const e = a.json.errors.find((x) => x.field.replace('/', '') === field);
    assert.ok(e, a.text);
    assert.ok(e.message && e.fix);
    if (typeof value === 'string' && value.trim().length > 3 && field !== 'nickname') assert.ok(!a.text.includes(value), 'never quotes the input');
  });
}
test('a ZIP code is for the United States', async () => {
  for (const more of [{ zipCode: '12345' }, { zipCode: '12345', countryCode: 'DE' }]) {
    const a = await add(person(3, more));
    assert.equal(a.json.errors[0].field, 'zipCode');
  }
});
test('the limits themselves are fine, counted in code points', async () => {
  const a = await add({ organization: '𝒳'.repeat(255), givenName: chars(100), surname: chars(100), telephoneNumber: '+44 (20) 5550 1234 ext 12',
    emailAddress: `${'a'.repeat(64)}@${'b'.repeat(60)}.example`, title: chars(255), countryCode: 'US', zipCode: '00000' });
  assert.equal(a.status, 201, a.text);
  await clear();
});
test('every offending field is named at once', async () => {
  const a = await add({ organization: '', givenName: chars(101), surname: 'x', telephoneNumber: '+1 206 555 0100', emailAddress: 'no' });
  assert.deepEqual(a.json.errors.map((e) => e.field).sort(), ['emailAddress', 'givenName', 'organization']);
});

test('broken bodies', async () => {
  const cases = [['{"organization":', 400], ['[]', 400], ['"x"', 400], ['{"a":1,"a":2}', 400], ['', 400], [`{"a":${'['.repeat(200)}${']'.repeat(200)}}`, 400]];
  for (const [body, status] of cases) {
    const a = await m.rest(s.buyer, 'POST', path, body);
    assert.ok(a.status === status || a.status === 422, `${body.slice(0, 20)}: ${a.status}`);
    assert.ok(a.json.code);
  }
  const latin1 = await m.rest(s.buyer, 'POST', path, Buffer.from(`{"organization":"M\xfcller"}`, 'latin1'));
  assert.equal(latin1.status, 400);
  let big;
  try { big = await m.rest(s.buyer, 'POST', path, `{"organization":"${'x'.repeat(10 << 20)}"}`); } catch { big = { status: 413 }; } // closed before it was all sent
  assert.equal(big.status, 413);
  const form = await fetch(m.url + path, { method: 'POST', headers: { Authorization: `Bearer ${s.buyer.token}`, 'Content-Type': 'text/plain' }, body: '{}' });
  assert.equal(form.status, 415);
});

test('twenty clients at once: five get in', async () => {
  await clear();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => add(person(100 + i))));
  assert.equal(answers.filter((a) => a.status === 201).length, 5);
  for (const a of answers.filter((x) => x.status !== 201)) {
    assert.equal(a.status, 409);
    assert.equal(a.json.code, 'contact_limit');
  }
  assert.equal((await m.rest(s.buyer, 'GET', path)).json.items.length, 5);
  await clear();
  assert.equal((await add(person(130))).status, 201, 'a deleted one makes room');
  await clear();
});

test('a lost update is refused', async () => {
  const a = await add(person(4));
  const at = `${path}/${a.json.contactId}`;
  const first = await m.rest(s.buyer, 'PUT', at, person(5), { 'If-Match': a.headers.get('etag') });
  assert.equal(first.status, 200, first.text);
  const second = await m.rest(s.buyer, 'PUT', at, person(6), { 'If-Match': a.headers.get('etag') });
  assert.equal(second.status, 412);
  const stale = await m.rest(s.buyer, 'DELETE', at, undefined, { 'If-Match': `${a.headers.get('etag')}, "7"` });
  assert.equal(stale.status, 412, 'none of several is the present one');
  assert.equal((await m.rest(s.buyer, 'DELETE', at, undefined, { 'If-Match': '"bogus"' })).status, 412);
  assert.equal((await m.rest(s.buyer, 'GET', at)).json.emailAddress, 'person5@example.com');
  assert.equal((await m.rest(s.buyer, 'DELETE', at, undefined, { 'If-Match': `${a.headers.get('etag')}, ${first.headers.get('etag')}` })).status, 204, 'of several any counts');
  assert.equal((await m.rest(s.buyer, 'GET', at)).status, 404);
});

test('Idempotency-Key: a repeat gets the first answer, another body is refused', async () => {
  const key = randomUUID();
  const a = await add(person(7), { 'Idempotency-Key': key });
  const b = await add(person(7), { 'Idempotency-Key': key });
  assert.equal(a.status, 201);
  assert.equal(b.status, 201);
  assert.equal(b.text, a.text);
  assert.equal(b.headers.get('etag'), a.headers.get('etag'));
  assert.equal((await m.rest(s.buyer, 'GET', path)).json.items.length, 1);
  const other = await add(person(8), { 'Idempotency-Key': key });
  assert.equal(other.status, 409);
  assert.equal(other.json.code, 'idempotency_key_reused');
  const both = await Promise.all(Array.from({ length: 8 }, () => add(person(9), { 'Idempotency-Key': 'same-for-all' })));
  assert.equal(new Set(both.map((x) => x.text)).size, 1);
  await m.rest(s.buyer, 'DELETE', `${path}/${a.json.contactId}`);
  const gone = await add(person(7), { 'Idempotency-Key': key });
  assert.equal(gone.status, 409, 'the answer was erased with the contact');
  assert.ok(!gone.text.includes('person7'));
  await clear();
});

test('somebody else\'s subscription looks like a missing one', async () => {
  const foreign = w.subscriptions.find((x) => x.buyerId !== s.buyerId);
  const strip = (a) => ({ status: a.status, body: { ...a.json, requestId: 0, instance: 0 } });
  for (const [method, tail, body] of [['GET', ''], ['POST', '', person(1)], ['GET', `/${randomUUID()}`], ['PUT', `/${randomUUID()}`, person(1)], ['DELETE', `/${randomUUID()}`]]) {
    const a = await m.rest(s.buyer, method, `/api/v1/subscriptions/${foreign.subscriptionId}/contacts${tail}`, body);
    const b = await m.rest(s.buyer, method, `/api/v1/subscriptions/${randomUUID()}/contacts${tail}`, body);
    assert.equal(a.status, 404);
    assert.deepEqual(strip(a), strip(b), `${method} ${tail}`);
  }
  assert.equal((await m.rest(null, 'GET', path)).status, 401);
  assert.equal((await m.rest('souk_wrong', 'GET', path)).status, 401);
});

test('opting out: one subscription, one seller, everywhere', async () => {
  const mine = w.subscriptions.filter((x) => x.buyerId === w.buyers[1].accountId);
  const count = async () => (await Promise.all(mine.map((x) => m.rest(w.buyers[1], 'GET', `/api/v1/subscriptions/${x.subscriptionId}/contacts`))))
    .reduce((n, a) => n + a.json.items.length, 0);
  const fill = async () => { for (const x of mine) for (let i = 0; i < 2; i++) await add(person(200 + i), {}, w.buyers[1], `/api/v1/subscriptions/${x.subscriptionId}/contacts`); };
  await fill();
  const one = await m.rest(w.buyers[1], 'POST', '/api/v1/opt-outs', { scope: 'subscription', subscriptionId: mine[0].subscriptionId });
  assert.ok(one.status < 300, one.text);
  assert.equal(await count(), 2 * (mine.length - 1));
  await m.rest(w.buyers[1], 'POST', '/api/v1/opt-outs', { scope: 'seller', sellerId: w.seller.accountId });
  assert.equal(await count(), 0);
  await fill();
  await m.rest(w.buyers[1], 'POST', '/api/v1/opt-outs', { scope: 'everywhere' });
  assert.equal(await count(), 0);
  assert.equal((await m.rest(w.buyers[1], 'POST', '/api/v1/opt-outs', { scope: 'all' })).status, 422);
});

test('ending a subscription deletes its contacts and takes no more', async () => {
  const x = await w.subscribe(w.buyers[0], w.products[0]);
  const at = `/api/v1/subscriptions/${x.subscriptionId}`;
  await add(person(300), {}, w.buyers[0], `${at}/contacts`);
  assert.equal((await m.rest(w.buyers[0], 'POST', `${at}/end`, {})).status, 403, 'the operator ends them');
  const e = await m.op('POST', `${at}/end`, {});
  assert.equal(e.status, 200, e.text);
  assert.equal(e.json.state, 'ended');
  assert.deepEqual((await m.rest(w.buyers[0], 'GET', `${at}/contacts`)).json.items, []);
  const late = await add(person(301), {}, w.buyers[0], `${at}/contacts`);
  assert.equal(late.status, 409);
  assert.equal(late.json.code, 'subscription_ended');
});

test('the operator finds an address, and the search is in the audit', async () => {
  const a = await add(person(400));
  const found = await m.op('POST', '/api/v1/contact-searches', { emailAddress: 'Person400@EXAMPLE.com', purpose: 'access-request' });
  assert.equal(found.status, 200, found.text);
  assert.deepEqual(found.json.items.map((x) => x.contactId), [a.json.contactId]);
  assert.ok([403, 404].includes((await m.rest(w.seller, 'POST', '/api/v1/contact-searches', { emailAddress: 'person400@example.com', purpose: 'x' })).status));
  const audit = await m.op('GET', '/api/v1/audit-entries?limit=20');
  assert.ok(audit.json.items.some((x) => /search/i.test(x.action)), audit.text);
  assert.ok(!audit.text.includes('person400'));
  await clear();
});
