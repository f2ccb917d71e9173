// SPDX-License-Identifier: Apache-2.0
// Fulfilments that are recorded late, computed anew, closed, counted; and a server that is killed in between.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { sleep, until } from './lib.js';
import { berlin, ok, one, services } from './fulfil.js';

let s, m, w, go, calendar, subscribe, show, opened, told, mails, post;
before(async () => {
  s = await services();
  ({ m, w, go, calendar, subscribe, show, opened, told, mails, post } = s);
  ok(await calendar(w.seller, berlin));
});
after(() => s.close());

test('a contact that was in time is the operator\'s to record once the deadline has passed', async () => {
  go('2027-02-01T10:00:00Z');
  const id = await subscribe();
  const f = await opened(id);
  assert.equal(f.deadline, '2027-02-03T16:00:00.000Z');
  go('2027-02-03T17:00:00Z');
  await told(id, 'overdue');
  const at = '2027-02-02T10:00:00Z';
  assert.equal((await post(id, 'contact', { channel: 'phone', at })).status, 422);
  const met = ok(await post(id, 'contact', { channel: 'phone', at }, m.operator));
  assert.deepEqual([met.firstContact, met.firstContactAt, met.overdue], ['met', '2027-02-02T10:00:00.000Z', false]);
});

test('another calendar moves no deadline; the operator may have them computed anew', async () => {
  go('2027-03-25T12:00:00Z'); // Thursday; the clocks go forward on Sunday
  const id = await subscribe();
  const f = await opened(id);
  assert.equal(f.deadline, '2027-03-29T15:00:00.000Z', 'five o\'clock in summer');
  ok(await calendar(w.seller, { ...berlin, holidays: [{ date: '2027-03-29', name: 'Ostermontag' }] }));
  assert.equal((await show(id)).fulfilment.deadline, f.deadline);
  const path = `/api/v1/sellers/${w.seller.accountId}/fulfilments/recompute`;
  assert.equal((await m.rest(w.seller, 'POST', path, {})).status, 403);
  assert.deepEqual(ok(await m.op('POST', path, {})), { changed: 1 });
  const moved = await show(id);
  assert.deepEqual([moved.fulfilment.deadline, moved.fulfilment.calendarRevision], ['2027-03-30T15:00:00.000Z', 2]);
  assert.equal(moved.events.at(-1).kind, 'deadline_changed');
  assert.deepEqual(ok(await m.op('POST', path, {})), { changed: 0 });
  go('2027-03-29T15:00:10Z');
  await sleep(1100);
  assert.deepEqual((await show(id)).events.map((e) => e.kind), ['opened', 'deadline_changed', 'reminder'], 'the old clock is none any more');
  go('2027-03-30T15:00:10Z');
  await told(id, 'overdue');
});

test('the end of a subscription closes it; statistics count met, missed and void', async () => {
  const id = await subscribe(w.buyers[1]);
  await opened(id);
  ok(await m.op('POST', `/api/v1/subscriptions/${id}/end`, {}));
  const closed = await until(async () => {
    const f = (await show(id)).fulfilment;
    return f.closedAt && f;
  }, 20000, 'closing');
  assert.deepEqual([closed.firstContact, closed.dueAt], ['void', null]);
  assert.equal((await post(id, 'contact', { channel: 'phone' })).json.code, 'fulfilment_closed');
  const [sums, ...others] = ok(await m.op('GET', `/api/v1/fulfilment-statistics?sellerId=${w.seller.accountId}`)).items;
  assert.equal(others.length, 0);
  assert.deepEqual([sums.fulfilments, sums.met, sums.missed, sums.void, sums.open, sums.granted, sums.overdue], [3, 1, 1, 1, 0, 0, 1]);
  assert.equal(sums.metPercent, 50);
  assert.ok(sums.medianHours > 23.9 && sums.medianHours <= 24, String(sums.medianHours));
  assert.deepEqual(ok(await m.rest(w.seller, 'GET', '/api/v1/fulfilment-statistics')).items, [sums]);
  assert.equal((await m.rest(m.logins.sellers[0], 'GET', `/api/v1/fulfilment-statistics?sellerId=${w.seller.accountId}`)).status, 404);
  assert.equal((await m.rest(w.buyers[0], 'GET', '/api/v1/fulfilment-statistics')).status, 404);
  const mine = ok(await m.rest(w.buyers[1], 'GET', '/api/v1/fulfilments')).items;
  assert.deepEqual(mine.map((x) => x.subscriptionId), [id]);
  // By pages, each once.
  const seen = [];
  for (let cursor = ''; cursor !== undefined;) {
    const page = ok(await m.rest(w.seller, 'GET', `/api/v1/fulfilments?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`));
    seen.push(...page.items.map((x) => x.subscriptionId));
    cursor = page.next;
  }
  assert.equal(new Set(seen).size, 3);
  assert.equal(seen.length, 3);
});

test('killed between the subscription and its fulfilment, and again and again: each has one, and each notice is sent once', { timeout: 120000 }, async () => {
  go('2027-05-03T10:00:00Z'); // Monday
  const ids = [];
  for (let round = 0; round < 4; round++) {
    const mine = await Promise.all(Array.from({ length: 5 }, () => subscribe()));
    await m.stop('SIGKILL'); // before the jobs have run, or in their midst
    ids.push(...mine);
    await m.start();
  }
  for (const id of ids) assert.equal((await opened(id)).deadline, '2027-05-05T15:00:00.000Z');
  go('2027-05-05T15:00:10Z');
  await sleep(150);
  await m.stop('SIGKILL'); // in the midst of the timers
  await m.start();
  await sleep(100);
  await m.stop('SIGKILL');
  await m.start();
  for (const id of ids) {
    await told(id, 'overdue');
    assert.deepEqual((await show(id)).events.map((e) => e.kind), ['opened', 'overdue'], 'a reminder that comes too late is none');
  }
  const late = (id) => mails(id).filter((x) => x.head.subject.startsWith('Overdue'));
  for (const id of ids) await until(() => late(id).length > 0, 20000, 'mail');
  // The same mail may reach the server twice when souk dies between its answer and the commit; it is the same mail.
  for (const id of ids) assert.equal(new Set(late(id).map((x) => x.head['message-id'])).size, 1);
});
