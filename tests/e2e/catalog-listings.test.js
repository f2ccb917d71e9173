// SPDX-License-Identifier: Apache-2.0
// Listings over REST: documents, lost updates, dry runs, change requests; and a server killed in the midst of change sets.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Marketplace, root, sleep, until } from './lib.js';
import { makeCatalog } from './catalog-world.js';

const sample = JSON.parse(readFileSync(join(root, 'tests/vectors/proserv/listing.json'), 'utf8'));
let m, w, n = 0;
before(async () => { m = await Marketplace.create({ ini: 'job.workers = 2\nreview.fetch-logos = false\n' }); w = await makeCatalog(m); });
after(() => m.close());
const call = (method, path, body, headers, as = w.seller) => m.rest(as, method, `/api/v1${path}`, body, headers);
const documentOf = (more = {}) => ({ ...sample, title: `Warehouse Lift by hand ${n += 1}: implementation for Product 0`, associated_products: [{ id: w.lake }], offers: [], fulfilments: [],
  seller: { data_use_terms: { accepted: true, date: '2026-01-10', version: '1' } }, ...more });
const make = async (document) => {
  const r = await call('POST', '/listings', { document }, { 'Idempotency-Key': randomUUID() });
  assert.equal(r.status, 201, r.text);
  return r;
};
const ended = (id) => until(async () => {
  const r = (await call('GET', `/change-requests/${id}`)).json;
  return ['Succeeded', 'Failed', 'Cancelled', 'Action required', 'Under review'].includes(r.status) && r;
}, 20000, 'end of the request');

test('a listing is made, shown, replaced; a lost update is refused', async () => {
  const made = await make(documentOf());
  const id = made.json.productId;
  assert.equal(made.json.visibility, 'Draft');
  assert.equal(made.json.document.seller.account_status, 'paid');
  assert.equal(made.json.document.id, `prod-${id}`);
  const etag = made.headers.get('etag');
  const shown = await call('GET', `/listings/${id}`);
  assert.deepEqual(shown.json, made.json);
  assert.equal((await call('GET', `/listings/prod-${id}`)).status, 200);
  // What was shown can be sent back; what the server knows better says nothing.
  const put = await call('PUT', `/listings/${id}`, { document: { ...shown.json.document, sku: 'NEW', visibility: 'Public' } }, { 'If-Match': etag });
  assert.equal(put.status, 200, put.text);
  assert.deepEqual([put.json.document.sku, put.json.document.visibility, put.json.revision], ['NEW', 'Draft', 2]);
  assert.equal((await call('PUT', `/listings/${id}`, { document: shown.json.document }, { 'If-Match': etag })).status, 412);
  const bad = await call('PUT', `/listings/${id}`, { document: { ...documentOf(), colour: 'red', highlights: 'one' } });
  assert.equal(bad.status, 422, bad.text);
  assert.deepEqual(bad.json.errors.map((e) => e.field).sort(), ['/colour', '/highlights']);
  assert.equal((await call('GET', `/listings/${id}`)).json.revision, 2);
  const other = m.logins.sellers[0];
  for (const [method, path, body] of [['GET', `/listings/${id}`], ['PUT', `/listings/${id}`, { document: {} }], ['POST', `/listings/${id}/review`],
    ['POST', `/listings/${id}/change-requests`, { changes: [{ type: 'ReleaseProduct' }] }]])
    assert.equal((await call(method, path, body, {}, other)).status, 404, `${method} ${path}`);
  assert.ok((await call('GET', '/listings')).json.items.some((x) => x.productId === id));
  assert.ok(!(await call('GET', '/listings', undefined, {}, other)).json.items.some((x) => x.productId === id));
  assert.equal((await call('GET', `/listings?sellerId=${w.seller.accountId}`, undefined, {}, other)).status, 404);
  assert.equal((await call('POST', '/listings', { document: {} }, {}, m.operator)).status, 403);
});

test('a dry run keeps nothing and tells as the command does', async () => {
  const { json } = await make(documentOf());
  const found = async (body) => (await call('POST', `/listings/${json.productId}/review`, body)).json;
  const as = await found();
  assert.deepEqual(as.findings.filter((f) => f.severity === 'E'), [], JSON.stringify(as.findings));
  assert.equal(as.edition, 'G21');
  const would = await found({ document: { ...documentOf(), highlights: [] } });
  assert.ok(would.blocks);
  assert.deepEqual(would.findings.filter((f) => f.severity === 'E').map((f) => [f.rule, f.pointer]), [['PS-DET-12', '/highlights']]);
  assert.equal((await call('GET', `/listings/${json.productId}`)).json.revision, 1);
});

test('change requests carry the portal\'s words; a live listing cannot be made worse', async () => {
  const { json } = await make(documentOf());
  const request = async (changes) => {
    const r = await call('POST', `/listings/${json.productId}/change-requests`, { changes }, { 'Idempotency-Key': randomUUID() });
    assert.equal(r.status, 201, r.text);
    assert.ok(['Preparing changes', 'Applying changes', 'Succeeded'].includes(r.json.status));
    return ended(r.json.changeRequestId);
  };
  assert.equal((await request([{ type: 'ReleaseProduct' }])).status, 'Succeeded');
  const live = await call('PUT', `/listings/${json.productId}`, { document: { ...documentOf(), categories: [] } });
  assert.equal(live.status, 422, live.text);
  assert.ok(live.json.errors.some((e) => e.field === '/categories' && e.fix === 'keep one to three'), live.text);
  const failed = await request([{ type: 'UpdateInformation', details: { Highlights: [] } }]);
  assert.deepEqual([failed.status, failed.failureCode, failed.changes[0].errors[0].code], ['Failed', 'CLIENT_ERROR', 'PS_DET_12']);
  const waits = await request([{ type: 'UpdateVisibility', details: { TargetVisibility: 'Public' } }]);
  assert.deepEqual([waits.status, waits.apiStatus], ['Under review', 'PREPARING']);
  const locked = await call('PUT', `/listings/${json.productId}`, { document: documentOf() });
  assert.deepEqual([locked.status, locked.json.code], [409, 'entity_locked']);
  const cancelled = await call('DELETE', `/change-requests/${waits.changeRequestId}`);
  assert.deepEqual([cancelled.status, cancelled.json.status], [200, 'Cancelled']);
  assert.equal((await call('DELETE', `/change-requests/${waits.changeRequestId}`)).status, 409);
  const listed = (await call('GET', '/change-requests?limit=2')).json;
  assert.equal(listed.items[0].changeRequestId, waits.changeRequestId);
  const rest = (await call('GET', `/change-requests?limit=2&cursor=${encodeURIComponent(listed.next)}`)).json;
  assert.ok(rest.items.every((x) => !listed.items.some((y) => y.changeRequestId === x.changeRequestId)));
});

test('what was wrong before and is not touched stops nobody; what a change brings about does', async () => {
  const other = (await m.op('POST', '/api/v1/products', { sellerId: w.seller.accountId, title: 'Soon gone', type: 'ami', pricing: ['hourly'], state: 'public' })).json;
  const id = await w.product({ info: { AssociatedProducts: [`prod-${other.productId}`], NeedsResources: false, DeploysAgent: false, Documentation: [] } });
  const gone = await m.op('PATCH', `/api/v1/products/${other.productId}`, { state: 'restricted' });
  assert.equal(gone.status, 200, gone.text);
  await w.done([['UpdateInformation', id, { Sku: 'S-1' }]]);
  assert.deepEqual((await w.failed([['UpdateInformation', id, { AssociatedProducts: [`prod-${other.productId}`] }]]))[0], ['PS_ARCH_01']);
  const codes = (await w.failed([['UpdateInformation', id, { NeedsResources: true }]]))[0];
  assert.ok(codes.length > 0 && codes.every((c) => /^PS_ARCH_0[34]$/.test(c)), `${codes}`);
  // Nor is it public while a fault is left.
  assert.deepEqual((await w.failed([['UpdateVisibility', id, { TargetVisibility: 'Public' }]]))[0], ['PS_ARCH_01']);
});

test('a server killed in the midst: every set ends, once, whole or not at all', async () => {
  const ids = [];
  for (let i = 0; i < 6; i++) ids.push((await make(documentOf({ sku: 'S-0' }))).json.productId);
  for (let round = 1; round <= 3; round++) {
    const sets = await Promise.all(ids.map((id, i) => w.start([
      ['UpdateInformation', `prod-${id}`, { Sku: `S-${round}`, ...(i % 3 === 2 ? { Highlights: [] } : {}) }],
      ['UpdateTargeting', `prod-${id}`, { PositiveTargeting: { BuyerAccounts: [w.buyers[round % 2].accountId] } }],
      ['CreateOffer', null, { ProductId: `prod-${id}`, Name: `Round ${round}` }, 'O', 'Offer@1.0'],
    ]).then((s) => s.ChangeSetId)));
    await sleep(3 * round);
    await m.stop('SIGKILL');
    m.listen = `127.0.0.1:${m.port}`;
    await m.start();
    for (const [i, set] of sets.entries()) {
      const s = await w.ended(set);
      const l = (await call('GET', `/listings/${ids[i]}`)).json;
      const fine = i % 3 !== 2;
      assert.equal(s.Status, fine ? 'SUCCEEDED' : 'FAILED');
      assert.equal(l.document.sku, fine ? `S-${round}` : 'S-0');
      assert.deepEqual(l.targeting, fine ? [w.buyers[round % 2].accountId] : []);
      assert.equal(l.document.offers.length, fine ? round : 0);
      assert.equal(l.revision, fine ? round + 1 : 1, 'each set was applied once');
    }
  }
  // Nothing stays locked.
  await w.done(ids.map((id) => ['UpdateInformation', `prod-${id}`, { Sku: 'END' }]));
});
