// SPDX-License-Identifier: Apache-2.0
// Mails through a real SMTP server: waiting for one, sent, put off, refused, come back, killed in the midst.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { appendFileSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Marketplace, sleep, souk, until } from './lib.js';
import { smtp } from './services.js';

let m, server;
before(async () => {
  [m, server] = await Promise.all([Marketplace.create(), smtp()]);
});
after(async () => { await m.close(); await server.stop(); });

const sellers = () => `/api/v1/sellers/${m.seller.accountId}`;
const notify = async (...addresses) => {
  const r = await m.rest(m.seller, 'PUT', `${sellers()}/mail-addresses`, { addresses: addresses.map((a) => (a.address ? a : { address: a })) });
  assert.equal(r.status, 200, r.text);
};
/** Something that sellers are told by mail: an export that cannot be delivered. */
const fail = async () => JSON.parse((await m.awsOk(m.exportArgs({ bucket: 'no-such-bucket-here' }))).out).dataSetRequestId;
const list = async (as = m.seller, query = '') => (await m.rest(as, 'GET', `/api/v1/mails?limit=200${query}`)).json.items;
const of = async (request, i = 1) => (await list()).find((e) => e.event.includes(request) && e.event.endsWith(`#${i}`));
const settled = (request, i = 1) => until(async () => {
  const e = await of(request, i);
  return e && e.state !== 'waiting' && e;
}, 20000, 'mail');
const to = (address) => server.messages().filter((x) => x.to.includes(address));
const status = async () => (await m.op('GET', '/api/v1/mail-status')).json;

test('without a server mails wait, and souk says so; with one they go', async () => {
  await notify({ address: 'first.desk@seller.example', name: 'Desk' });
  assert.equal((await souk(['mail', 'status', '--data', m.data])).code, 0, 'nothing waits');
  const request = await fail();
  await until(async () => (await status()).waitForServer === 1, 20000, 'a parked mail');
  const e = await of(request);
  assert.deepEqual([e.state, e.waitsForServer, e.kind], ['waiting', true, 'delivery.failed']);
  const said = await souk(['mail', 'status', '--data', m.data]);
  assert.equal(said.code, 1);
  assert.match(said.out, /none: set mail\.server/);
  assert.equal((await status()).server, false);
  await m.stop();
  appendFileSync(join(m.data, 'souk.ini'), `${server.ini}mail.timeout-seconds = 3\n`);
  await m.start();
  const sent = await settled(request);
  assert.deepEqual([sent.state, sent.attempts, sent.smtpStatus], ['sent', 1, 250]);
  const [mail, ...more] = to('first.desk@seller.example');
  assert.equal(more.length, 0);
  assert.ok(mail.tls);
  assert.equal(mail.from, 'market@souk.example');
  assert.equal(mail.head.from, 'The Market <market@souk.example>');
  assert.equal(mail.head.to, 'Desk <first.desk@seller.example>');
  assert.equal(mail.head['message-id'], `<${sent.mailId}@souk.example>`);
  assert.equal(mail.head['auto-submitted'], 'auto-generated');
  assert.match(mail.head.subject, /^Data set not delivered: customer_support_contacts_data$/);
  assert.match(mail.text, new RegExp(`Request: ${request}`));
  assert.equal((await souk(['mail', 'status', '--data', m.data])).code, 0);
});

test('put off is tried again; refused is a bounce that can be sent again', async () => {
  await notify('twice@seller.example', 'never@seller.example', 'k\u00e4ufer@b\u00fccher.example', 'full@seller.example');
  const request = await fail();
  const [twice, never, utf8, full] = await Promise.all([1, 2, 3, 4].map((i) => settled(request, i)));
  assert.deepEqual([twice.state, twice.attempts], ['sent', 2]);
  assert.equal(to('twice@seller.example').length, 1);
  assert.deepEqual([never.state, never.smtpStatus, never.attempts], ['bounced', 550, 1]);
  assert.match(never.reason, /refused the recipient/);
  assert.deepEqual([full.state, full.smtpStatus], ['bounced', 552]);
  assert.equal(utf8.state, 'sent');
  const [mail] = to('k\u00e4ufer@xn--bcher-kva.example');
  assert.ok(mail.utf8);
  assert.match(mail.head.to, /k\u00e4ufer@/);
  assert.deepEqual((await list(m.seller, '&state=bounced')).map((e) => e.mailId).sort(), [never.mailId, full.mailId].sort());
  const path = `/api/v1/mails/${utf8.mailId}/resend`;
  assert.equal((await m.rest(m.logins.sellers[1], 'POST', path)).status, 404);
  assert.equal((await m.rest(m.seller, 'POST', path)).status, 204);
  await until(() => to('k\u00e4ufer@xn--bcher-kva.example').length === 2, 10000, 'the second round');
  assert.equal(to('k\u00e4ufer@xn--bcher-kva.example')[1].head['message-id'], `<${utf8.mailId}.2@souk.example>`);
});

test('one mail is read with an audit entry, by who may', async () => {
  await notify('desk@seller.example');
  const e = await settled(await fail());
  const path = `/api/v1/mails/${e.mailId}`;
  const r = await m.rest(m.seller, 'GET', path);
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(r.json.to, { address: 'desk@seller.example' });
  assert.match(r.json.text, /could not be delivered/);
  assert.equal((await m.op('GET', path)).status, 200);
  assert.equal((await m.rest(m.logins.sellers[1], 'GET', path)).status, 404);
  assert.equal((await m.rest(m.buyer, 'GET', path)).status, 404);
  const audit = (await m.op('GET', '/api/v1/audit-entries?limit=50')).json.items;
  assert.ok(audit.find((a) => a.action === 'delivery:ReadMail' && a.resource === `mail/${e.mailId}`), 'audited');
  assert.ok(audit.find((a) => a.action === 'delivery:SetMailAddresses'));
});

/** A delivery report about a mail, as servers write them. */
const report = (id, action = 'failed', code = '5.1.1') => ['From: MAILER-DAEMON@mx.example', 'To: market@souk.example',
  'Subject: Undelivered', 'MIME-Version: 1.0', 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', '',
  '--b', 'Content-Type: text/plain', '', 'sorry', '--b', 'Content-Type: message/delivery-status', '',
  'Reporting-MTA: dns; mx.example', '', 'Final-Recipient: rfc822; desk@seller.example', `Action: ${action}`, `Status: ${code}`, '',
  '--b', 'Content-Type: text/rfc822-headers', '', `Message-ID: <${id}@souk.example>`, 'Subject: x', '', '--b--', ''].join('\r\n');

test('what comes back is recorded, from a pipe and over REST', async () => {
  await notify('desk@seller.example', 'night@seller.example');
  const request = await fail();
  const [a, b] = [await settled(request, 1), await settled(request, 2)];
  const bounce = (input) => souk(['mail', 'bounce', '--data', m.data], { input });
  assert.match((await bounce(report(a.mailId, 'delayed', '4.4.1'))).out, /^delayed: mail /);
  assert.deepEqual([(await of(request)).state, (await of(request)).reportStatus], ['sent', '4.4.1']);
  assert.equal((await bounce(report(a.mailId))).out, `recorded: mail ${a.mailId}\n`);
  assert.deepEqual([(await of(request)).state, (await of(request)).reportStatus], ['bounced', '5.1.1']);
  assert.match((await bounce(report(a.mailId))).out, /^known/);
  assert.match((await bounce(report(`${b.mailId}.2`))).out, /^known/, 'of a round that is not');
  assert.equal((await of(request, 2)).state, 'sent');
  assert.equal((await bounce(report('3f2b8c1e-6a55-4f0d-9d3a-0c6b1f7e2a90'))).out, 'unknown-mail\n');
  assert.equal((await bounce('Subject: out of office\r\n\r\nback on Monday\r\n')).out, 'no-report\n');
  const bad = await bounce('');
  assert.equal(bad.code, 1);
  assert.match(bad.err, /message: is not a mail/);
  const away = await souk(['mail', 'bounce', '--data', join(m.dir, 'nowhere')], { input: report(b.mailId) });
  assert.equal(away.code, 75, 'the mail server keeps it and comes again');
  const body = { message: Buffer.from(report(b.mailId)).toString('base64') };
  assert.equal((await m.rest(m.seller, 'POST', '/api/v1/mail-reports', body)).status, 403);
  const rest = await m.op('POST', '/api/v1/mail-reports', body);
  assert.deepEqual(rest.json, { result: 'recorded', mailId: b.mailId });
  assert.equal((await of(request, 2)).state, 'bounced');
});

test('a template that lacks something is refused by name; the operator\'s own serves', async () => {
  const own = '/api/v1/sellers/operator/mail-templates';
  const kinds = (await m.op('GET', own)).json.items;
  const kind = kinds.find((k) => k.kind === 'delivery.failed');
  assert.ok(kind.places.find((p) => p.name === 'reason').required);
  const put = (body, as = m.operator, base = own) => m.rest(as, 'PUT', `${base}/delivery.failed/de`, body);
  const lacks = await put({ subject: 'x', text: '{{requestId}}' });
  assert.equal(lacks.status, 422);
  assert.deepEqual([lacks.json.errors[0].field, /\{\{reason\}\}/.test(lacks.json.errors[0].message)], ['text', true]);
  const odd = await put({ subject: '{{reasons}}', text: '{{requestId}} {{reason}}' });
  assert.equal(odd.json.errors[0].field, 'subject');
  assert.match(odd.json.errors[0].fix, /dataSet, requestId/);
  assert.equal((await put({ subject: 'x', text: '{{requestId}} {{reason}}' }, m.seller, `${sellers()}/mail-templates`)).status, 403);
  const good = { subject: 'Nicht zugestellt: {{dataSet}}', text: 'Grund: {{reason}} ({{requestId}})', html: '<p>{{reason}} {{requestId}}</p>' };
  const tried = await m.op('POST', `${own}/delivery.failed/preview`, { ...good, values: { reason: '<b> & "x"' } });
  assert.match(tried.json.html, /&lt;b&gt; &amp;/);
  assert.match(tried.json.text, /<b> & "x"/);
  assert.equal((await put(good)).status, 200);
  await notify({ address: 'deutsch@seller.example', language: 'de-AT' });
  await settled(await fail());
  const [mail] = to('deutsch@seller.example');
  assert.match(mail.head.subject, /^Nicht zugestellt: /);
  assert.match(mail.head['content-type'], /^multipart\/alternative/);
  assert.equal((await m.op('DELETE', `${own}/delivery.failed/de`)).status, 204);
});

test('killed while the server has it: the same mail again, never another; erased is not sent', async () => {
  await notify('slow@seller.example', 'a@seller.example', 'b@seller.example', 'lost@seller.example');
  const requests = [await fail(), await fail()];
  await until(() => to('slow@seller.example').length > 0, 20000, 'a mail under way');
  await m.stop('SIGKILL');
  const before = to('slow@seller.example').length;
  await m.start();
  // A file's lock says that its holder is dead; of a server's database its lease has to run out.
  await until(() => to('slow@seller.example').length > before, process.env.SOUK_TEST_DATABASE ? 90000 : 20000, 'the mail again');
  await until(async () => (await Promise.all(requests.flatMap((r) => [of(r, 2), of(r, 3)]))).every((e) => e?.state === 'sent'), 20000, 'the others');
  await until(() => to('lost@seller.example').length > 2, 20000, 'the lost ones again');
  for (const address of ['slow', 'a', 'b', 'lost']) {
    const byId = new Map();
    for (const mail of to(`${address}@seller.example`)) {
      assert.equal(byId.get(mail.head['message-id']) ?? mail.data, mail.data, 'the same bytes');
      byId.set(mail.head['message-id'], mail.data);
    }
    assert.ok(byId.size <= requests.length, `${address}: more mails than events`);
  }
  for (const name of ['a', 'b']) assert.equal(to(`${name}@seller.example`).length, 2, 'what was recorded is not sent again');
  const erased = await m.op('POST', '/api/v1/mail-erasures', { address: 'LOST@seller.example' });
  assert.deepEqual(erased.json, { erased: 2 });
  await sleep(300); // one that is being sent right now
  const seen = to('lost@seller.example').length;
  await sleep(3500);
  assert.equal(to('lost@seller.example').length, seen);
  const gone = (await list()).find((e) => e.event.endsWith('#4') && e.event.includes(requests[0]));
  const shown = await m.rest(m.seller, 'GET', `/api/v1/mails/${gone.mailId}`);
  assert.deepEqual([shown.status, shown.json.to, shown.json.state], [200, undefined, 'withdrawn']);
});

test('no address is readable in the data directory or the log', async () => {
  await m.stop();
  const all = (dir) => readdirSync(dir).flatMap((n) => (statSync(join(dir, n)).isDirectory() ? all(join(dir, n)) : [join(dir, n)]));
  for (const f of all(m.data)) {
    const bytes = readFileSync(f);
    for (const word of ['first.desk', 'night@seller', 'deutsch@seller', 'twice@']) assert.ok(!bytes.includes(word), `${word} in ${f}`);
  }
  assert.doesNotMatch(m.log, /@seller\.example|souk\.example/);
});
