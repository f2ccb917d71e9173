// SPDX-License-Identifier: Apache-2.0
// Reviews by people and ever after: tasks and decisions, grace and suspension, waivers that end, another edition; with moved clocks.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marketplace, souk, until } from './lib.js';
import { makeCatalog } from './catalog-world.js';

const DAY = 86400;
let m, w, second;
before(async () => {
  m = await Marketplace.create({ clock: true, ini: 'review.fetch-logos = false\nreview.two-people = true\nreview.edition = G22\nreview.every-days = 7\nreview.grace-days = 10\n' });
  w = await makeCatalog(m);
  const me = (await m.op('GET', '/api/v1/whoami')).json;
  const user = (await m.op('POST', `/api/v1/accounts/${me.accountId}/users`, { name: 'second' })).json;
  second = (await m.op('POST', `/api/v1/users/${user.userId}/tokens`, { label: 'test' })).json;
  second.userId = user.userId;
  const topic = await m.rest(w.seller, 'POST', `/api/v1/sellers/${w.seller.accountId}/topics`, { name: 'listing-reviews' });
  assert.equal(topic.status, 201, topic.text);
  const to = await m.rest(w.seller, 'PUT', `/api/v1/sellers/${w.seller.accountId}/mail-addresses`, { addresses: [{ address: 'notices@example.com' }] });
  assert.equal(to.status, 200, to.text);
});
after(() => m.close());

const clock = (days) => { m.setClock(days * DAY); w.api.config.systemClockOffset = m.clockShift; };
const date = (days) => new Date(m.now() + days * DAY * 1000).toISOString().slice(0, 10);
const tasks = async (listing, state = 'open', as = m.operator) => {
  const r = await m.rest(as, 'GET', `/api/v1/review-tasks?listing=${listing}&state=${state}`);
  assert.equal(r.status, 200, r.text);
  return r.json.items;
};
const decide = (task, body, as = m.operator, headers = {}) => m.rest(as, 'POST', `/api/v1/review-tasks/${task.taskId}/decisions`, body, headers);
const review = async (listing, as = w.seller) => {
  const r = await m.rest(as, 'GET', `/api/v1/listings/${listing}/standing`);
  assert.equal(r.status, 200, r.text);
  return r.json;
};
const stands = (listing, standing) => until(async () => {
  const r = await review(listing);
  return r.standing === standing && r;
}, 20000, `${listing} ${standing}`);
const waiting = (set, listing) => until(async () => {
  const t = (await tasks(listing)).filter((x) => x.changeSetId === set);
  return t.length > 0 && t;
}, 20000, 'tasks');
const subscribe = (listing, buyer) => m.op('POST', '/api/v1/subscriptions', { sellerId: w.seller.accountId, productId: listing.slice(5),
  buyerId: buyer.accountId, kind: 'contract', quantity: 1, startsAt: new Date(m.now()).toISOString() });
const audited = async (action) => (await m.op('GET', `/api/v1/audit-entries?sellerId=${w.seller.accountId}&limit=200`)).json.items.filter((e) => e.action === action);
async function publish(listing) {
  const { ChangeSetId } = await w.start([['UpdateVisibility', listing, { TargetVisibility: 'Public' }]]);
  for (const t of await waiting(ChangeSetId, listing)) {
    for (const as of [m.operator, second]) assert.equal((await decide(t, { verdict: 'approve' }, as)).status, 200);
  }
  assert.equal((await w.ended(ChangeSetId)).Status, 'SUCCEEDED');
}

test('submitted, asked, rejected with reasons, mended, approved by two people, public', async () => {
  const id = await w.product();
  const first = await w.start([['UpdateVisibility', id, { TargetVisibility: 'Public' }]]);
  const open = await waiting(first.ChangeSetId, id);
  assert.ok(open.some((t) => t.rule === 'PS-USE-07' && t.kind === 'human'), JSON.stringify(open.map((t) => t.rule)));
  assert.equal((await w.describe(first.ChangeSetId)).Status, 'PREPARING');
  const use = open.find((t) => t.rule === 'PS-USE-07');
  const shown = await m.op('GET', `/api/v1/review-tasks/${use.taskId}`);
  assert.match(shown.json.excerpt, /What you gain/);
  assert.deepEqual(shown.json.decisions, []);
  // Who may not decide, and what is none.
  assert.equal((await decide(use, { verdict: 'approve' }, w.seller)).status, 404);
  for (const [body, field] of [[{ verdict: 'perhaps' }, 'verdict'], [{ verdict: 'reject' }, 'reason'], [{ verdict: 'waive', reason: 'x' }, 'until'],
    [{ verdict: 'waive', reason: 'x', until: date(-1) }, 'until'], [{ verdict: 'approve', until: date(1) }, 'until'], [{ verdict: 'approve', more: 1 }, 'more'],
    [{ verdict: 'reject', reason: 'y'.repeat(1001) }, 'reason']]) {
    const r = await decide(use, body);
    assert.equal(r.status, 422, r.text);
    assert.match(r.text, new RegExp(`"${field}"`));
  }
  const stale = await decide(use, { verdict: 'approve' }, m.operator, { 'If-Match': '"77"' });
  assert.equal(stale.status, 412, stale.text);
  // One says no, the others get their two.
  assert.equal((await decide(use, { verdict: 'reject', reason: 'Say what the buyer gains.' })).status, 200);
  assert.equal((await w.describe(first.ChangeSetId)).Status, 'PREPARING', 'waits for the others');
  for (const t of open.filter((x) => x !== use)) for (const as of [m.operator, second]) assert.equal((await decide(t, { verdict: 'approve' }, as)).status, 200);
  const failed = await w.ended(first.ChangeSetId);
  assert.equal(failed.Status, 'FAILED');
  assert.match(JSON.stringify(failed.ChangeSet[0].ErrorDetailList), /REVIEW_REJECTED.*PS-USE-07 Say what the buyer gains\./);
  assert.deepEqual((await tasks(id, 'rejected', w.seller)).map((t) => [t.rule, t.reason]), [['PS-USE-07', 'Say what the buyer gains.']]);
  // The same again is not asked again.
  const again = await w.ended((await w.start([['UpdateVisibility', id, { TargetVisibility: 'Public' }]])).ChangeSetId);
  assert.equal(again.Status, 'FAILED');
  assert.deepEqual(await tasks(id), []);
  // Mended: only what changed is asked, and one person is not two.
  const better = w.information().LongDescription.replace('What you gain', 'What you gain from it');
  await w.done([['UpdateInformation', id, { LongDescription: better }]]);
  const { ChangeSetId } = await w.start([['UpdateVisibility', id, { TargetVisibility: 'Public' }]]);
  const left = await waiting(ChangeSetId, id);
  assert.ok(left.every((t) => t.pointer === '/long_description'), JSON.stringify(left.map((t) => t.pointer)));
  for (const t of left) {
    const one = await decide(t, { verdict: 'approve' });
    assert.equal(one.json.state, 'open');
    const same = await decide(t, { verdict: 'approve' });
    assert.equal(same.status, 409);
    assert.match(same.text, /same_person/);
  }
  assert.equal((await w.describe(ChangeSetId)).Status, 'PREPARING');
  for (const t of left) assert.equal((await decide(t, { verdict: 'approve' }, second)).json.state, 'approved');
  assert.equal((await w.ended(ChangeSetId)).Status, 'SUCCEEDED');
  assert.equal((await m.op('GET', `/api/v1/products/${id.slice(5)}`)).json.state, 'public');
  const done = (await m.op('GET', `/api/v1/review-tasks/${left[0].taskId}`)).json;
  assert.deepEqual(done.decisions.map((d) => [d.verdict, d.userName]), [['approve', done.decisions[0].userName], ['approve', 'second']]);
  assert.ok((await audited('review:Decide')).length >= 2 * left.length + 1);
  await stands(id, 'passed');
});

test('a task goes with its change set', async () => {
  const id = await w.product();
  const { ChangeSetId } = await w.start([['UpdateVisibility', id, { TargetVisibility: 'Public' }]]);
  const [task] = await waiting(ChangeSetId, id);
  const r = await m.rest(w.seller, 'GET', `/api/v1/review-tasks/${task.taskId}`);
  assert.equal(r.json.decisions, undefined, 'who decides is the operator\'s business');
  const { CancelChangeSetCommand } = await import('@aws-sdk/client-marketplace-catalog');
  await w.send(new CancelChangeSetCommand({ Catalog: 'AWSMarketplace', ChangeSetId }));
  assert.deepEqual(await tasks(id), []);
  assert.equal((await decide(task, { verdict: 'approve' })).status, 409);
});

test('a fault that comes later: grace, suspension, mended; subscribers stay; a waiver ends', async () => {
  const id = await w.product();
  await publish(id);
  await stands(id, 'passed');
  const old = await subscribe(id, w.buyers[0]);
  assert.equal(old.status, 201, old.text);
  const lake = `/api/v1/products/${w.lake.slice(5)}`;
  assert.equal((await m.op('PATCH', lake, { state: 'restricted' })).status, 200);
  const grace = await stands(id, 'grace');
  assert.ok(grace.findings.some((f) => f.rule === 'PS-ARCH-01' && f.severity === 'E'), JSON.stringify(grace.findings));
  assert.ok(Math.abs(Date.parse(grace.graceUntil) - m.now() - 10 * DAY * 1000) < 60000);
  assert.equal((await m.op('GET', '/api/v1/review-standings?standing=grace')).json.items.filter((x) => x.listing === id).length, 1);
  assert.equal((await subscribe(id, w.buyers[1])).status, 201, 'within the time of grace');
  const begun = (await audited('review:BeginGrace')).filter((e) => e.resource.includes(id));
  assert.equal(begun.length, 1);
  // Waived until a day: fine until then, and looked at again after it.
  const [fault] = await tasks(id);
  assert.equal(fault.kind, 'deterministic');
  assert.equal((await decide(fault, { verdict: 'approve' })).status, 409, 'a machine is sure');
  assert.equal((await decide(fault, { verdict: 'waive', reason: 'The product comes back.', until: date(2) })).status, 200);
  const waived = await stands(id, 'passed');
  assert.deepEqual(waived.findings.filter((f) => f.waived).map((f) => [f.rule, f.waived.until]), [['PS-ARCH-01', date(2)]]);
  clock(4);
  const back = await stands(id, 'grace');
  assert.ok(Math.abs(Date.parse(back.graceUntil) - m.now() - 10 * DAY * 1000) < 60000, 'a time of grace of its own');
  assert.deepEqual((await tasks(id)).map((t) => t.rule), ['PS-ARCH-01'], 'asked again');
  // Not mended in time.
  clock(15);
  const suspended = await stands(id, 'suspended');
  assert.match(suspended.suspended, /PS-ARCH-01/);
  const refused = await subscribe(id, w.buyers[1]);
  assert.equal(refused.status, 409, refused.text);
  assert.match(refused.text, /PS-ARCH-01.*listing_suspended/s);
  const kept = await m.rest(w.buyers[0], 'GET', `/api/v1/subscriptions/${old.json.subscriptionId}`);
  assert.equal(kept.json.state, 'active');
  assert.equal((await m.op('PATCH', `/api/v1/subscriptions/${old.json.subscriptionId}`, { quantity: 2 })).status, 200);
  // Mended: lifted at once.
  assert.equal((await m.op('PATCH', lake, { state: 'public' })).status, 200);
  const mended = await stands(id, 'passed');
  assert.equal(mended.suspended, null);
  assert.equal((await subscribe(id, w.buyers[1])).status, 201);
  const mails = (await m.rest(w.seller, 'GET', '/api/v1/mails?limit=100')).json.items.filter((x) => x.event.includes(id));
  assert.deepEqual(mails.map((x) => x.kind).reverse(), ['review.grace', 'review.mended', 'review.grace', 'review.suspended', 'review.mended']);
  const text = (await m.rest(w.seller, 'GET', `/api/v1/mails/${mails[1].mailId}`)).text;
  assert.match(text, /was not mended in time:.*PS-ARCH-01 edit the list/);
  for (const [action, n] of [['review:BeginGrace', 2], ['review:SuspendSubscriptions', 1], ['review:LiftSuspension', 2]]) {
    assert.equal((await audited(action)).filter((e) => e.resource.includes(id)).length, n, action);
  }
});

test('the seller\'s account is looked at, too', async () => {
  const id = await w.product();
  await stands(id, 'passed');
  const account = `/api/v1/accounts/${w.seller.accountId}`;
  assert.equal((await m.op('PATCH', account, { paidSeller: false })).status, 200);
  const r = await stands(id, 'grace');
  assert.deepEqual(r.findings.filter((f) => f.severity === 'E').map((f) => f.rule), ['PS-SETUP-01']);
  assert.equal((await m.op('PATCH', account, { paidSeller: true })).status, 200);
  await stands(id, 'passed');
  await until(async () => (await m.op('GET', '/api/v1/review-summary')).json.standings.grace === undefined, 20000, 'all of them');
});

test('another edition: what it would do, then what it does', async () => {
  const id = await w.product({ info: { AssociatedProducts: [], AwsServices: ['AWS Glue'] } });
  await stands(id, 'passed');
  const before = (await m.op('GET', '/api/v1/review-editions/G21/effect')).json;
  const one = before.items.find((x) => x.listing === id);
  assert.deepEqual([one.before, one.after, one.added.filter((f) => f.severity === 'E').map((f) => f.rule)], ['passed', 'blocked', ['PS-ARCH-01', 'PS-DET-15']]);
  assert.equal(before.stopped, 1);
  const told = await souk(['reviews', '--data', m.data, '--edition', 'G21'], { env: m.clockEnv() });
  assert.equal(told.code, 1, told.err);
  assert.match(told.out, new RegExp(`${id} Limited: passed -> blocked\\n( {2}.*\\n)* {2}\\+ E PS-ARCH-01 /associated_products: `));
  const json = JSON.parse((await souk(['reviews', '--data', m.data, '--edition', 'G21', '--json'], { env: m.clockEnv() })).out);
  assert.deepEqual(json.items.map((x) => x.listing).sort(), before.items.map((x) => x.listing).sort());
  assert.equal(json.stopped, 1);
  assert.equal((await review(id)).standing, 'passed', 'only looked at');
  assert.equal((await m.rest(w.seller, 'GET', '/api/v1/review-editions/G21/effect')).status, 404);
  assert.equal((await m.op('GET', '/api/v1/review-editions/G23/effect')).status, 404);
  await m.stop();
  writeFileSync(join(m.data, 'souk.ini'), 'review.edition = G21\n', { mode: 0o600 });
  await m.start();
  const r = await stands(id, 'grace');
  assert.equal(r.edition, 'G21');
  assert.equal((await m.op('GET', '/api/v1/review-summary')).json.standings.grace, 1);
  const changed = (await m.op('GET', '/api/v1/review-editions/G21/effect')).json;
  assert.deepEqual(changed.items, [], 'nothing is left to change');
  assert.match((await souk(['reviews', '--data', m.data], { env: m.clockEnv() })).out, /^listings +grace +1$/m);
});
