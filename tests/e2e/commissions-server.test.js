// SPDX-License-Identifier: Apache-2.0
// Commissions on the server: from kept feeds to approved statements, and who may see whose.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marketplace, parseCsv, soukOk, until } from './lib.js';
import { makeWorld } from './world.js';

const KNOWN = '2026-03-01T00:00:00Z';
const everything = { id: 'all', everything: true, credits: [{ representative: 'ana', percent: 60 }, { representative: 'ben', percent: 40 }] };
const plan = {
  schema: 'souk-plan-1', name: 'Field', rounding: { mode: 'half-up', decimals: 2 },
  representatives: [{ id: 'ana', name: 'Ana Example', manager: 'mia' }, { id: 'ben', name: 'Ben Example' }, { id: 'mia', name: 'Mia Example' }],
  territories: [everything],
  rates: [{ id: 'field', revenue: ['hourly', 'monthly', 'annual', 'metered'], base: 'gross', payOn: 'billed', percent: '5', clawback: ['refunds', 'credits', 'forgiven'] }],
};
let m, w, s, dir, people, root;
const as = (who, method, path, body, headers) => m.rest(who, method, s + path, body, headers);
const login = async (account, name) => {
  const user = await m.op('POST', `/api/v1/accounts/${account}/users`, { name });
  assert.equal(user.status, 201, user.text);
  const t = await m.op('POST', `/api/v1/users/${user.json.userId}/tokens`, { label: name });
  assert.equal(t.status, 201, t.text);
  return { userId: user.json.userId, token: t.json.token };
};
const grant = (who, body) => as(root, 'PUT', `/commission-grants/${people[who].userId}`, { purpose: 'pay', ...body });
const start = async (who, body, path = '/commission-runs') => {
  const r = await as(people[who], 'POST', path, body);
  assert.equal(r.status, 201, r.text);
  return until(async () => { const now = (await as(people[who], 'GET', `/commission-runs/${r.json.runId}`)).json; return now.state !== 'waiting' && now; }, 60000, 'run');
};
const approve = (who, run, digest = run.digest) => as(people[who], 'POST', `/commission-runs/${run.runId}/approve`, { digest });
const statement = (who, run, rep, query = '', headers = {}) => as(who.token ? who : people[who], 'GET', `/commission-runs/${run.runId}/statements/${rep}${query}`, undefined, headers);
const enrol = (state) => m.op('PUT', `${s}/enrolments/edsp`, { state });
const sum = (csv) => parseCsv(csv).reduce((n, r) => n + Math.round(100 * r.Commission), 0);

before(async () => {
  m = await Marketplace.create();
  w = await makeWorld(m, { buyers: 1, products: 1, subscriptionsPerBuyer: 1 });
  s = `/api/v1/sellers/${w.seller.accountId}`;
  root = await login(w.seller.accountId, 'owner');
  people = {};
  for (const name of ['fay', 'fred', 'ana', 'ben', 'mia', 'sue', 'eve']) people[name] = await login(w.seller.accountId, name);
  const evidence = { 'EDSP-R2': { document: 'plan.pdf', attests: ['hourly', 'monthly', 'annual', 'metered'] }, 'EDSP-R3': { document: 'memo.pdf', effectiveOn: '2026-01-31' },
    'EDSP-R4': { termsVersion: '2020-05', attests: ['confidential', 'no-lead-generation'] }, 'EDSP-R5': { attests: ['field-sales-compensation-only'] } };
  for (const [q, body] of Object.entries(evidence)) {
    await m.rest(w.seller, 'PUT', `${s}/enrolments/edsp/requirements/${q}`, body);
    await m.op('PUT', `${s}/enrolments/edsp/requirements/${q}/decision`, { decision: 'accepted' });
  }
  assert.equal((await grant('fay', { role: 'finance' })).json.code, 'not_enrolled');
  assert.equal((await enrol('enrolled')).status, 200);
  dir = join(m.dir, 'feeds');
  await soukOk(['feeds', 'make', dir, '--seller', w.seller.accountId, '--from', '2025-11', '--months', '4', '--events', '3000']);
  for (const [who, body] of [['fay', { role: 'finance', buyerColumns: true }], ['fred', { role: 'finance' }], ['ana', { role: 'representative', representative: 'ana' }],
    ['ben', { role: 'representative', representative: 'ben', buyerColumns: true }], ['mia', { role: 'manager', representative: 'mia' }], ['sue', { role: 'support' }]]) {
    const r = await grant(who, body);
    assert.equal(r.status, 200, r.text);
    assert.ok(r.json.inForce);
  }
});
after(() => m.close());

test('plans: faults with their pointers, revisions, for finance only', async () => {
  const bad = structuredClone(plan);
  bad.territories[0].credits[0].percent = 59;
  const r = await as(people.fay, 'PUT', '/commission-plan', bad);
  assert.equal(r.status, 422);
  assert.deepEqual(r.json.errors.map((e) => e.field), ['/territories/0/credits']);
  assert.equal((await as(people.fay, 'POST', '/commission-runs', { month: '2026-01' })).json.code, 'no_plan');
  const first = await as(people.fay, 'PUT', '/commission-plan', plan);
  assert.equal(first.status, 200, first.text);
  const again = await as(people.fred, 'PUT', '/commission-plan', plan, { 'If-Match': first.headers.get('etag') });
  assert.notEqual(again.headers.get('etag'), first.headers.get('etag'));
  assert.equal((await as(people.fay, 'PUT', '/commission-plan', plan, { 'If-Match': first.headers.get('etag') })).status, 412);
  assert.deepEqual((await as(people.fay, 'GET', '/commission-plan')).json, plan);
  for (const who of ['ana', 'mia', 'sue', 'eve']) assert.equal((await as(people[who], 'GET', '/commission-plan')).status, 404, who);
  for (const who of [root, w.seller, m.operator]) assert.equal((await as(who, 'GET', '/commission-plan')).status, 404);
});

let run;
test('a run over the kept feeds pays what souk commissions pays', async () => {
  assert.match((await start('fay', { month: '2026-01', knownAt: KNOWN })).reason, /no data feeds/);
  await soukOk(['import', '--data', m.data, 'feeds', '--seller', w.seller.accountId, dir]);
  writeFileSync(join(m.dir, 'plan.json'), JSON.stringify(plan));
  run = await start('fay', { month: '2026-01', knownAt: KNOWN });
  assert.equal(run.state, 'done', JSON.stringify(run));
  assert.equal(run.statements, 2);
  const pay = ['commissions', '--feeds', dir, '--plan', join(m.dir, 'plan.json'), '--seller', w.seller.accountId, '--month', '2026-01', '--as-known-at', KNOWN];
  assert.ok(JSON.parse((await soukOk([...pay, '--json'])).out).lines > 0);
  const own = (await soukOk([...pay, '--representative', 'ana'])).out;
  const pays = { 'X-Souk-Purpose': 'pay' };
  assert.equal((await statement('fay', run, 'ana', '?buyerColumns=true', pays)).text, own);
  const shown = (await statement('fred', run, 'ana')).text;
  assert.equal(sum(shown), sum(own));
  assert.ok(parseCsv(own).some((r) => r['Customer AWS Account Number'] !== ''));
  assert.ok(parseCsv(shown).every((r) => r['Customer AWS Account Number'] === '' && r.Company === '' && r.Country === '' && r['End User AWS Account Number'] === ''));
  for (const [format, mark] of [['json', '{'], ['html', '<'], ['xlsx', 'PK']]) {
    const r = await statement('fred', run, 'ana', `?format=${format}`);
    assert.equal(r.status, 200, r.text);
    assert.ok(r.text.startsWith(mark), format);
    if (format === 'json') assert.equal(r.json.locked, false);
  }
  assert.equal((await as(people.fay, 'GET', `/commission-runs/${run.runId}/queue`)).status, 200);
  assert.equal((await as(people.ana, 'GET', `/commission-runs/${run.runId}/queue`)).status, 404);
});

test('approved by its digest, by two people if the seller wants that', async () => {
  assert.equal((await statement('ana', run, 'ana')).status, 404, 'not approved yet');
  assert.equal((await approve('ana', run)).status, 404);
  assert.equal((await approve('fay', run, '0'.repeat(64))).status, 422);
  assert.equal((await as(root, 'PUT', '/commission-settings', { twoPeople: true })).status, 200);
  assert.equal((await as(people.fay, 'PUT', '/commission-settings', { twoPeople: false })).status, 200, 'nothing limits fay either');
  await as(root, 'PUT', '/commission-settings', { twoPeople: true });
  assert.equal((await approve('fay', run)).json.code, 'second_person');
  const simulated = await start('fay', { month: '2026-01', knownAt: KNOWN, simulate: true });
  assert.equal((await approve('fred', simulated)).json.code, 'not_approvable');
  const twin = await start('fay', { month: '2025-12', knownAt: KNOWN });
  const locked = await approve('fred', run);
  assert.equal(locked.json.state, 'locked', locked.text);
  assert.ok(locked.json.approvedBy && locked.json.approvedBy !== locked.json.startedBy);
  assert.equal((await approve('fred', twin)).json.code, 'stale_run');
  assert.equal((await as(people.fay, 'POST', '/commission-runs', { month: '2026-01' })).json.code, 'month_locked');
  assert.equal((await statement('fay', run, 'ana', '?format=json')).json.locked, true);
});

test('a later run adjusts what is locked and leaves it as it is', async () => {
  const before = (await statement('fred', run, 'ana')).text;
  const other = structuredClone(plan);
  other.territories[0].credits = [{ representative: 'ana', percent: 50 }, { representative: 'ben', percent: 50 }];
  const moved = await start('fay', { plan: other, month: '2026-01', knownAt: KNOWN }, '/commission-plan/dry-run');
  assert.ok(moved.moved > 0, JSON.stringify(moved));
  assert.equal(parseCsv((await as(people.fay, 'GET', `/commission-runs/${moved.runId}/moved`)).text).length, moved.moved);
  await as(people.fay, 'PUT', '/commission-plan', other);
  const february = await start('fay', { month: '2026-02', knownAt: KNOWN });
  assert.ok(february.adjustments > 0, JSON.stringify(february));
  assert.match((await statement('fred', february, 'ana')).text, /restated/);
  assert.equal((await statement('fred', run, 'ana')).text, before);
  await as(people.fay, 'PUT', '/commission-plan', plan);
});

test('need to know: who sees whose statement', async () => {
  const pays = { 'X-Souk-Purpose': 'pay' };
  const sees = async (who) => (await Promise.all(['ana', 'ben', 'nobody'].map(async (rep) => ((await statement(who, run, rep)).status === 200 ? rep : '')))).filter(Boolean).join();
  assert.equal(await sees('fred'), 'ana,ben');
  assert.equal(await sees('ana'), 'ana');
  assert.equal(await sees('ben'), 'ben');
  assert.equal(await sees('mia'), 'ana');
  for (const who of ['sue', 'eve', root, w.seller, m.operator, m.seller, m.buyer]) assert.equal(await sees(who), '', JSON.stringify(who));
  const absent = await statement('ana', run, 'nobody'), foreign = await statement('ana', run, 'ben'), none = await statement('eve', run, 'ana');
  const words = (r) => [r.status, { ...r.json, requestId: '' }];
  assert.deepEqual(words(absent), words(foreign));
  assert.deepEqual(words(absent), words(none));
  // Buyers' columns: granted, asked for, and for the purpose of the grant.
  assert.equal((await statement('ana', run, 'ana', '?buyerColumns=true', pays)).status, 404);
  assert.equal((await statement('ben', run, 'ben', '?buyerColumns=true')).status, 404);
  assert.equal((await statement('ben', run, 'ben', '?buyerColumns=true', { 'X-Souk-Purpose': 'leads' })).status, 404);
  assert.equal((await statement('ben', run, 'ben', '?buyerColumns=true', pays)).status, 200);
  // Runs that are not approved are not there for who is not finance, nor their figures.
  const mine = (await as(people.ana, 'GET', '/commission-runs')).json.items;
  assert.deepEqual(mine.map((r) => [r.runId, r.state, r.digest]), [[run.runId, 'locked', undefined]]);
});

test('every read is audited with who, what and purpose', async () => {
  const entries = (await m.op('GET', `/api/v1/audit-entries?sellerId=${w.seller.accountId}&limit=200`)).json.items;
  const reads = entries.filter((e) => e.action === 'edsp:ReadCommissions' && e.resource.startsWith(`commission-run/${run.runId}/statement`));
  assert.ok(reads.some((e) => e.resource.endsWith('+buyers') && e.purpose === 'pay'));
  assert.ok(reads.every((e) => e.actor.startsWith('token:') && e.purpose === 'pay'));
  assert.ok(entries.some((e) => e.action === 'edsp:SetCommissionGrants' && e.resource === `commission-grant/${people.ana.userId}`));
  assert.ok(entries.some((e) => e.action === 'edsp:ApproveCommissions'));
});

const reads = (id, rep = 'ana') => ['/commission-plan', '/commission-runs', `/commission-runs/${id}`, `/commission-runs/${id}/queue`, `/commission-runs/${id}/moved`, '/commission-grants',
  ...['csv', 'json', 'html', 'xlsx'].map((f) => `/commission-runs/${id}/statements/${rep}?format=${f}`)];
const changes = (id) => [['PUT', '/commission-plan', plan], ['POST', '/commission-plan/dry-run', { plan }], ['POST', '/commission-runs', { month: '2026-02', simulate: true }],
  ['POST', `/commission-runs/${id}/approve`, { digest: run.digest }], ['PUT', `/commission-grants/${people.ana.userId}`, { role: 'finance', purpose: 'pay' }],
  ['DELETE', `/commission-grants/${people.ana.userId}`], ['PUT', '/commission-settings', { twoPeople: false }]];
const audit = async () => (await m.op('GET', `/api/v1/audit-entries?sellerId=${w.seller.accountId}&limit=2`)).json.items;

test('need to know: every route, read or change, for everybody who has no business there', async () => {
  const open = await start('fay', { month: '2026-02', knownAt: KNOWN, simulate: true });
  for (const [who, login] of Object.entries({ sue: people.sue, operator: m.operator, other: m.seller, buyer: m.buyer, eve: people.eve })) {
    for (const id of [run.runId, open.runId])
      for (const path of reads(id)) {
        if (path === '/commission-grants' && who === 'sue') continue; // nothing limits her login: who gives grants is who may
        if (path === '/commission-grants' && who === 'eve') continue;
        assert.equal((await as(login, 'GET', path)).status, 404, `${who} ${path}`);
      }
    if (who === 'sue' || who === 'eve') continue;
    for (const [method, path, body] of changes(run.runId)) assert.equal((await as(login, method, path, body)).status, 404, `${who} ${method} ${path}`);
  }
  // Who sees statements sees no run that is open, no plan, no queue, whatever the form.
  for (const who of ['ana', 'mia']) {
    for (const path of reads(open.runId).filter((p) => p !== '/commission-runs' && p !== '/commission-grants')) assert.equal((await as(people[who], 'GET', path)).status, 404, `${who} ${path}`);
    for (const path of reads(run.runId, 'ben').filter((p) => /plan|queue|moved|statements/.test(p))) assert.equal((await as(people[who], 'GET', path)).status, 404, `${who} ${path}`);
    for (const [method, path, body] of changes(run.runId).slice(0, 4)) assert.equal((await as(people[who], method, path, body)).status, 404, `${who} ${method} ${path}`);
  }
  for (const form of ['csv', 'json', 'html', 'xlsx']) {
    assert.equal((await statement('ana', run, 'ana', `?format=${form}`)).status, 200, form);
    assert.equal((await statement('ana', run, 'ana', `?format=${form}&buyerColumns=true`, { 'X-Souk-Purpose': 'pay' })).status, 404, form);
  }
  // Nor does S3 show where the documents lie, to the seller's own keys.
  const stored = await m.aws(['s3api', 'get-object', '--bucket', '.commissions', '--key', run.runId, join(m.dir, 'stolen')], { as: w.seller });
  assert.notEqual(stored.code, 0);
  assert.match(stored.err, /NoSuchBucket|AccessDenied|InvalidBucketName|NoSuchKey/);
  // Names that lead elsewhere lead nowhere.
  for (const rep of ['ANA', 'ana%2F..%2Fben', '..%2Flocked', 'ana.json', '%00', 'queue', 'locked']) assert.ok([404, 400].includes((await statement('ana', run, rep)).status), rep);
});

test('a refused read is audited as a granted one is, before its answer', async () => {
  const limited = await m.op('POST', `/api/v1/users/${people.fay.userId}/tokens`, { label: 'runs',
    policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'edsp:RunCommissions', Resource: '*' }] } });
  assert.equal(limited.status, 201, limited.text);
  const told = async (login, path, status, headers) => {
    const [before] = await audit();
    assert.equal((await as(login, 'GET', path, undefined, headers)).status, status, path);
    const [entry, prior] = await audit();
    assert.deepEqual(prior, before, path);
    return entry;
  };
  const denied = await told(limited.json, `/commission-runs/${run.runId}/statements/ana`, 403);
  assert.deepEqual([denied.outcome, denied.action, denied.count, denied.resource],
    ['refused', 'edsp:ReadCommissions', 0, `/api/v1/sellers/${w.seller.accountId}/commission-runs/${run.runId}/statements/{representative}`]);
  const absent = await told(people.ana, `/commission-runs/${run.runId}/statements/ben`, 404, { 'X-Souk-Purpose': 'curious' });
  assert.deepEqual([absent.outcome, absent.purpose, absent.sellerId, absent.resource], ['refused', 'curious', w.seller.accountId, denied.resource]);
  assert.ok(absent.actor.startsWith('token:') && absent.actor !== denied.actor);
  assert.equal((await told(m.seller, '/commission-plan', 404)).accountId, m.seller.accountId);
  assert.equal((await told(limited.json, '/commission-plan', 403)).outcome, 'refused');
  assert.equal((await told(people.ana, `/commission-runs/${run.runId}/statements/ana`, 200)).outcome, 'allowed');
  assert.equal((await told(people.ana, `/commission-runs/${run.runId}/statements/${encodeURIComponent('jo@acme.example')}`, 404)).resource.includes('acme'), false);
});

test('runs come in pages, and who sees locked ones only gets full pages of them', async () => {
  const walk = async (who, limit) => {
    const seen = [];
    for (let cursor = ''; ;) {
      const r = await as(people[who], 'GET', `/commission-runs?limit=${limit}${cursor && `&cursor=${cursor}`}`);
      assert.equal(r.status, 200, r.text);
      assert.ok(r.json.items.length === limit || !r.json.next, 'a full page');
      seen.push(...r.json.items.map((x) => x.runId));
      if (!r.json.next) return seen;
      cursor = r.json.next;
    }
  };
  const all = (await as(people.fay, 'GET', '/commission-runs?limit=200')).json;
  assert.ok(all.items.length >= 6 && !all.next);
  for (const limit of [1, 2, all.items.length - 1, all.items.length]) assert.deepEqual(await walk('fay', limit), all.items.map((x) => x.runId), String(limit));
  assert.notEqual(all.items[0].state, 'locked');
  assert.deepEqual(await walk('ana', 1), [run.runId]);
  assert.equal((await as(people.fay, 'GET', '/commission-runs?cursor=AAAA')).status, 422);
  const other = (await m.op('GET', '/api/v1/accounts?limit=1')).json.next;
  assert.equal((await as(people.fay, 'GET', `/commission-runs?cursor=${other}`)).status, 422, 'a cursor of another list');
});

test('a plan of ten thousand rules is taken, paid by and refused with all of its faults counted', async () => {
  const large = structuredClone(plan);
  large.territories = Array.from({ length: 10000 }, (_, i) => ({ id: `territory-of-account-${i}`, accounts: [String(500000000000 + i)],
    credits: [{ representative: 'ana', percent: 60 }, { representative: 'ben', percent: 30 }, { representative: 'mia', percent: 10 }], from: '2025-01-01' }));
  large.territories.push(everything);
  assert.ok(JSON.stringify(large).length > 1.5e6);
  const put = await as(people.fay, 'PUT', '/commission-plan', large);
  assert.equal(put.status, 200, put.text.slice(0, 500));
  assert.equal((await as(people.fay, 'GET', '/commission-plan')).json.territories.length, 10001);
  assert.equal((await start('fay', { month: '2026-02', knownAt: KNOWN, simulate: true })).state, 'done');
  assert.equal((await start('fay', { plan: large, month: '2026-02', knownAt: KNOWN }, '/commission-plan/dry-run')).state, 'done');
  for (const t of large.territories.slice(0, 40)) t.credits[0].percent = 59;
  const bad = (await as(people.fay, 'PUT', '/commission-plan', large));
  assert.equal(bad.status, 422);
  assert.equal(bad.json.errors.length, 16);
  assert.equal(bad.json.errorCount, 40);
  assert.match(bad.json.detail, /has 40 faults.*souk commissions/);
  large.name = 'x'.repeat(8 << 20);
  assert.equal((await as(people.fay, 'PUT', '/commission-plan', large)).status, 413);
  assert.equal((await as(people.fay, 'PUT', '/commission-plan', plan)).status, 200);
});

test('an ex-manager, a revoked grant, a withdrawn seller see nothing', async () => {
  const flat = structuredClone(plan);
  delete flat.representatives[0].manager;
  await as(people.fay, 'PUT', '/commission-plan', flat);
  assert.equal((await statement('mia', run, 'ana')).status, 404);
  const left = structuredClone(plan);
  left.representatives[2].until = '2025-12-31';
  await as(people.fay, 'PUT', '/commission-plan', left);
  assert.equal((await statement('mia', run, 'ana')).status, 404);
  await as(people.fay, 'PUT', '/commission-plan', plan);
  assert.equal((await statement('mia', run, 'ana')).status, 200);
  assert.equal((await as(root, 'DELETE', `/commission-grants/${people.mia.userId}`)).status, 204);
  assert.equal((await statement('mia', run, 'ana')).status, 404);
  assert.equal((await as(root, 'PUT', `/commission-grants/${m.buyer.userId}`, { role: 'finance', purpose: 'pay' })).status, 404, 'another account\'s user');
  assert.equal((await as(m.operator, 'PUT', `/commission-grants/${people.mia.userId}`, { role: 'finance', purpose: 'pay' })).status, 404);
  await enrol('withdrawn');
  for (const who of ['fay', 'ana']) assert.equal((await statement(who, run, 'ana')).status, 404, who);
  assert.equal((await as(people.fay, 'GET', '/commission-plan')).status, 404);
  await enrol('enrolled');
  assert.equal((await statement('fay', run, 'ana')).status, 404, 'grants do not come back');
  assert.ok((await as(root, 'GET', '/commission-grants')).json.items.every((g) => !g.inForce));
  await grant('fay', { role: 'finance' });
  assert.equal((await statement('fay', run, 'ana')).status, 200);
});

test('keys can be rotated, and plans open still', async () => {
  await soukOk(['keys', 'rotate', '--data', m.data]);
  assert.deepEqual((await as(people.fay, 'GET', '/commission-plan')).json, plan);
});
