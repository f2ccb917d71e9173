// SPDX-License-Identifier: Apache-2.0
// The two-business-day rule: a clock per subscription, with a moved clock and a real SMTP server.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, souk, until } from './lib.js';
import { berlin, ok, one, services, to } from './fulfil.js';

let s, m, w, go, calendar, subscribe, show, opened, told, mails, post;
before(async () => {
  s = await services();
  ({ m, w, go, calendar, subscribe, show, opened, told, mails, post } = s);
});
after(() => s.close());

/** Deadlines that `souk review` says were missed, of a fulfilment in a listing document. */
async function review(fulfilment, as_of) {
  const [file, context] = ['listing', 'context'].map((x) => join(m.dir, `${x}.json`));
  writeFileSync(file, JSON.stringify({ id: 'x', fulfilments: [fulfilment] }));
  writeFileSync(context, JSON.stringify({ as_of }));
  const findings = JSON.parse((await souk(['review', '--format', 'json', '--context', context, file])).out);
  return findings.filter((x) => x.rule === 'PS-USE-01').map((x) => x.evidence);
}

test('calendars: the built-in one, saved ones, and what is refused by name', async () => {
  const path = `/api/v1/sellers/${w.seller.accountId}/business-calendar`;
  const first = await m.rest(w.seller, 'GET', path);
  assert.deepEqual(ok(first).calendar, { zone: 'UTC', weekend: ['Sat', 'Sun'], open: '09:00', close: '17:00', holidays: [] });
  assert.equal(first.json.builtIn, true);
  const icalendar = ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20261225', 'DTEND;VALUE=DATE:20261227', 'RRULE:FREQ=YEARLY', 'SUMMARY:Weihnachten', 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n');
  const saved = await calendar(w.seller, { ...berlin, holidays: [{ date: '2027-01-01', name: 'Neujahr' }], icalendar });
  const days = ok(saved).calendar.holidays;
  assert.ok(days.some((d) => d.date === '2026-12-26' && d.name === 'Weihnachten'));
  assert.ok(days.some((d) => d.date === '2034-12-25'), 'rules are followed for years');
  assert.ok(days.some((d) => d.date === '2027-01-01' && d.name === 'Neujahr'));
  assert.equal(saved.headers.get('etag'), '"1"');
  assert.equal((await calendar(w.seller, berlin, { 'If-Match': '"7"' })).status, 412);
  const fields = async (body) => {
    const r = await calendar(w.seller, body);
    assert.equal(r.status, 422, r.text);
    return r.json.errors.map((e) => e.field);
  };
  assert.deepEqual(await fields({ ...berlin, zone: 'Mars/Olympus' }), ['zone']);
  assert.deepEqual(await fields({ ...berlin, weekend: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] }), ['weekend']);
  assert.deepEqual(await fields({ ...berlin, close: '08:59' }), ['close']);
  assert.deepEqual(await fields({ ...berlin, holidays: [{ date: '2026-02-30' }] }), ['holidays/0/date']);
  assert.deepEqual(await fields({ ...berlin, more: 1 }), ['more']);
  assert.deepEqual(await fields({ ...berlin, icalendar: icalendar.replace('YEARLY', 'SECONDLY') }), ['icalendar line 2']);
  const never = Array.from({ length: 4000 }, (_, i) => ({ date: new Date(m.now() + i * 86400000).toISOString().slice(0, 10) }));
  assert.deepEqual(await fields({ ...berlin, holidays: never }), ['holidays']);
  assert.equal((await calendar(w.buyers[0], berlin)).status, 404);
  assert.equal((await calendar(m.logins.sellers[0], berlin)).status, 404);
  assert.equal(ok(await m.rest(w.seller, 'GET', path)).revision, 1, 'nothing that was refused was kept');
});

test('waiting, reminded, overdue, escalated, delayed, reminded and overdue again, granted; each once, with evidence', async () => {
  go('2026-12-23T16:30:00Z'); // Wednesday, half past five in Berlin: after close
  const id = await subscribe();
  const f = await opened(id);
  // Day 0 is Thursday 24; 25 and 26 are holidays, 27 a Sunday: day 1 Monday 28, day 2 Tuesday 29, five o'clock.
  assert.deepEqual([f.state, f.deadline, f.overdue, f.firstContact], ['waiting', '2026-12-29T16:00:00.000Z', false, 'open']);
  go('2026-12-28T15:59:00Z');
  await sleep(1100);
  assert.equal((await show(id)).events.length, 1, 'not yet');
  go('2026-12-28T16:00:05Z');
  await told(id, 'reminder');
  go('2026-12-29T15:59:50Z');
  await sleep(1100);
  assert.equal((await show(id)).fulfilment.overdue, false);
  go('2026-12-29T16:00:05Z');
  await told(id, 'overdue');
  assert.deepEqual(await m.op('GET', `/api/v1/fulfilments?overdue=true&sellerId=${w.seller.accountId}`).then((r) => r.json.items.map((x) => x.subscriptionId)), [id]);
  go('2026-12-30T00:00:10Z');
  await told(id, 'escalation');
  const escalations = () => mails('Still overdue').filter((x) => x.text.includes(id)); // the demo's own order has one, too
  await until(() => escalations().length === 2, 20000, 'escalation mails');
  assert.deepEqual(escalations().map((x) => x.to[0]).sort(), ['desk@seller.example', 'watch@souk.example']);
  assert.deepEqual(mails('Overdue: first contact').map((x) => x.to[0]), ['desk@seller.example']);
  assert.match(mails('Due 2026')[0].text, /first contact is due by 2026-12-29 17:00 \(Europe\/Berlin\)/);

  // A notice with its date, in the seller's own words.
  ok(await m.rest(w.seller, 'PUT', `/api/v1/sellers/${w.seller.accountId}/mail-templates/fulfilment.delay-notice/default`,
    { subject: 'Wann: {{promisedAt}}', text: 'Zugang bis {{promisedAt}}. {{reason}}\n' }), 200);
  const key = { 'Idempotency-Key': randomUUID() };
  const notice = { to, promised: '2026-12-31', reason: 'Your contact is away.\nSo are we.' };
  const late = ok(await post(id, 'delay-notice', notice, w.seller, key));
  assert.deepEqual([late.state, late.promisedAt, late.overdue, late.firstContact, late.lateMinutes], ['delayed', '2026-12-31T16:00:00.000Z', false, 'missed', 8 * 60]);
  assert.deepEqual(ok(await post(id, 'delay-notice', notice, w.seller, key)), late, 'said once');
  await until(() => mails('Wann:').length > 0, 20000, 'delay notice');
  assert.deepEqual(mails('Wann:').map((x) => [x.to[0], x.head.subject]), [[to.address, 'Wann: 2026-12-31 17:00 (Europe/Berlin)']]);
  go('2026-12-31T16:00:05Z');
  await told(id, 'overdue');
  await until(async () => (await show(id)).events.filter((e) => e.kind === 'overdue').length === 2, 20000, 'a promise that was not kept');
  assert.match((await until(() => mails('Overdue: the promised access')[0], 20000, 'mail')).text, /was due by 2026-12-31 17:00/);

  const granted = ok(await post(id, 'grant', { to, nextSteps: '1. Open the workspace.\n2. Book a session.' }));
  assert.deepEqual([granted.state, granted.overdue, granted.dueAt], ['granted', false, null]);
  assert.equal((await post(id, 'grant', { to, nextSteps: 'again' })).json.code, 'access_granted');
  assert.match((await until(() => mails('you have access')[0], 20000, 'confirmation')).text, /2\. Book a session\./);
  go('2027-01-20T00:00:00Z');
  await sleep(1100);
  const { events } = await show(id);
  assert.deepEqual(events.map((e) => e.kind), ['opened', 'reminder', 'overdue', 'escalation', 'contact', 'delay_notice', 'overdue', 'access_granted', 'access_confirmation']);
  assert.deepEqual(events.map((e) => e.number), [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  // The buyer is told what concerns it.
  const seen = await show(id, w.buyers[0]);
  assert.equal(seen.fulfilment.escalatedAt, undefined);
  assert.deepEqual(seen.events.map((e) => e.kind), ['opened', 'contact', 'delay_notice', 'access_granted', 'access_confirmation']);
  assert.equal((await m.rest(w.buyers[0], 'GET', `${one(id)}/evidence`)).status, 404);
  assert.equal((await m.rest(w.buyers[1], 'GET', one(id))).status, 404);
  assert.equal((await m.rest(m.logins.sellers[0], 'GET', one(id))).status, 404);
  assert.equal((await post(id, 'contact', { channel: 'phone' }, w.buyers[0])).status, 403);

  const e = ok(await m.rest(w.seller, 'GET', `${one(id)}/evidence`));
  assert.deepEqual([e.order.productTitle, e.order.buyerId, e.calendar.zone, e.calendar.revision], ['Migration Workshop', w.buyers[0].accountId, 'Europe/Berlin', 1]);
  assert.deepEqual(e.calendar.holidays.map((d) => d.date), ['2026-12-25', '2026-12-26']);
  assert.deepEqual([e.verdict.firstContact, e.verdict.lateMinutes, e.verdict.delayNotice, e.verdict.accessConfirmed], ['missed', 480, 'late', true]);
  const sent = e.events.find((x) => x.kind === 'delay_notice');
  assert.equal(sent.promised, '2026-12-31T16:00:00.000Z');
  assert.deepEqual([sent.mails.length, sent.mails[0].kind, sent.mails[0].state, sent.mails[0].to.address], [1, 'fulfilment.delay-notice', 'sent', to.address]);
  assert.ok(sent.mails[0].sentAt);
  assert.match(sent.mails[0].text, /^Zugang bis 2026-12-31 17:00/);
  assert.deepEqual(await review(e.document, e.madeAt), [e.verdict.deadline], 'a seller that reviews it itself comes to the same');
  assert.deepEqual(await review({ ...e.document, events: e.document.events.map((x) => (x.kind === 'contact' ? { ...x, at: e.verdict.deadline } : x)) }, e.madeAt), []);
  const page = await m.rest(w.seller, 'GET', `${one(id)}/evidence?format=html`);
  assert.match(page.headers.get('content-type'), /^text\/html/);
  assert.match(page.text, /Casey Order|casey\.order/);
  assert.ok(!m.log.includes('casey.order'), 'no address in the log');
});

test('what is refused names its member; a lost update, a contact before the fact, a promise in the past', async () => {
  const id = await subscribe();
  const f = await opened(id);
  const errors = async (what, body, as) => {
    const r = await post(id, what, body, as);
    assert.equal(r.status, 422, r.text);
    return r.json.errors.map((e) => e.field).sort();
  };
  assert.deepEqual(await errors('contact', { channel: 'pigeon' }), ['channel']);
  assert.deepEqual(await errors('contact', { channel: 'phone', at: new Date(m.now() + 60000).toISOString() }), ['at']);
  assert.deepEqual(await errors('contact', { channel: 'phone', at: '2026-01-01T00:00:00Z' }), ['at']);
  assert.deepEqual(await errors('delay-notice', { to, promised: '2027-01-01' }), ['promised']);
  assert.deepEqual(await errors('delay-notice', { to, promised: '2029-01-01' }), ['promised']);
  assert.deepEqual(await errors('delay-notice', { to, promised: 'soon' }), ['promised']);
  assert.deepEqual(await errors('delay-notice', { to }), ['promised']);
  assert.deepEqual(await errors('delay-notice', { to: { address: 'nobody' }, promised: '2027-02-01' }), ['to']);
  assert.deepEqual(await errors('delay-notice', { to: { address: to.address, name: 'A\r\nBcc: x@evil.example' }, promised: '2027-02-01' }), ['to']);
  assert.deepEqual(await errors('grant', { to, nextSteps: ' ' }), ['nextSteps']);
  assert.deepEqual(await errors('grant', { to, nextSteps: 'x'.repeat(4001) }), ['nextSteps']);
  assert.deepEqual(await errors('grant', { nextSteps: 'x', language: '??' }), ['language', 'to']);
  assert.deepEqual((await show(id)).fulfilment, f, 'nothing of it was kept');
  assert.equal((await post(id, 'contact', { channel: 'phone' }, w.seller, { 'If-Match': '"9"' })).status, 412);
  // In time, recorded in time.
  const met = ok(await post(id, 'contact', { channel: 'phone' }, w.seller, { 'If-Match': `"${f.revision}"` }));
  assert.deepEqual([met.state, met.firstContact, met.dueAt], ['contacted', 'met', null]);
  go('2027-02-01T00:00:00Z');
  await sleep(1200);
  assert.deepEqual((await show(id)).events.map((e) => e.kind), ['opened', 'contact'], 'the clock has stopped');
});

test('a notice that nobody got is none: the clock runs on; a confirmation that nobody got is sent again', async () => {
  const nobody = { address: 'never@buyer.example' };
  const id = await subscribe();
  const { deadline } = await opened(id);
  const noticed = ok(await post(id, 'delay-notice', { to: nobody, promised: '2027-02-11' }));
  assert.deepEqual([noticed.state, noticed.firstContact], ['delayed', 'met']);
  assert.equal((await told(id, 'undelivered')).of, 'delay_notice');
  const { fulfilment } = await show(id);
  assert.deepEqual([fulfilment.state, fulfilment.firstContact, fulfilment.dueAt, fulfilment.promisedAt], ['waiting', 'open', deadline, null]);
  const [mail] = await until(() => { const found = mails('Not delivered: delay notice'); return found.length && found; }, 20000, 'the seller is told');
  assert.deepEqual(mail.to, ['desk@seller.example']);
  assert.ok(mail.text.includes(id) && !mail.text.includes('never@'));
  go(new Date(Date.parse(deadline) + 5000).toISOString());
  await told(id, 'overdue');
  const before = ok(await m.rest(w.seller, 'GET', `${one(id)}/evidence`));
  assert.deepEqual([before.verdict.firstContact, before.document.events], ['missed', []]);
  assert.deepEqual(await review(before.document, before.madeAt), [deadline]);
  assert.equal(before.events.find((e) => e.kind === 'delay_notice').mails[0].state, 'bounced', 'it is kept as what it was');

  ok(await post(id, 'grant', { to: nobody, nextSteps: 'Sign in.' }));
  await until(async () => (await show(id)).events.some((e) => e.of === 'access_confirmation'), 20000, 'the confirmation bounces');
  assert.equal((await show(id)).fulfilment.state, 'granted');
  assert.equal(ok(await m.rest(w.seller, 'GET', `${one(id)}/evidence`)).verdict.accessConfirmed, false);
  ok(await post(id, 'grant', { to, nextSteps: 'Sign in, please.' }));
  assert.equal((await post(id, 'grant', { to, nextSteps: 'Sign in, please.' })).json.code, 'access_granted');
  await until(() => mails('Sign in, please.').length === 1, 20000, 'the second confirmation');
  assert.equal(ok(await m.rest(w.seller, 'GET', `${one(id)}/evidence`)).verdict.accessConfirmed, true);
  assert.ok((await show(id, w.buyers[0])).events.every((e) => e.kind !== 'undelivered'));
  assert.ok(!m.log.includes('never@'), 'no address in the log');
});
