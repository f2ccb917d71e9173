// SPDX-License-Identifier: Apache-2.0
// After deletion nothing of a person is left: not in the database, its log, the logs, a later backup, an
// expired export, a metric or a core dump; and while they live, nothing is in the clear (invariants 4, 5).
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Marketplace, run, sleep, soukOk, until } from './lib.js';
import { exportNow, makeWorld } from './world.js';

// Words that occur nowhere else, in every field.
const secret = {
  organization: 'Zyxwvut Xylophone Kombinat', givenName: 'Qwertzuiop', surname: 'Yxcvbnmlkj', telephoneNumber: '+1 206 555 9173',
  emailAddress: 'qqzzxxkkjj@wwvvyy.example', title: 'Überprüfungsbeauftragte Zyx', countryCode: 'US', zipCode: '83461',
};
const needles = Object.entries(secret).filter(([k]) => !['countryCode', 'zipCode'].includes(k)).map(([, v]) => v);

let m, w;
before(async () => {
  m = await Marketplace.create({ clock: true, ini: 'log.level = debug\nobject-retention-days = 2\n' });
  w = await makeWorld(m);
});
after(() => m.close());

function files(dir) {
  return readdirSync(dir).flatMap((n) => {
    const p = join(dir, n);
    return statSync(p).isDirectory() ? files(p) : [p];
  });
}
function scan(where, bytes, wanted) {
  for (const n of wanted) {
    for (const form of [Buffer.from(n, 'utf8'), Buffer.from(n, 'utf16le'), Buffer.from(Buffer.from(n).toString('base64').slice(0, -4)), Buffer.from(encodeURIComponent(n))]) {
      if (form.length >= 8) assert.ok(!bytes.includes(form), `${where} holds personal data`);
    }
  }
}
const scanTree = (dir, wanted) => { for (const f of files(dir)) scan(f, readFileSync(f), wanted); };
const sqlite = async (path, sql) => {
  const r = await run('sqlite3', [path, sql]);
  assert.equal(r.code, 0, r.err);
  return r.out.trim();
};
/** The database's files as they are, before any other program opens them: that would empty the log by itself. */
const databaseFiles = (dir) => files(dir).filter((f) => /souk\.db/.test(f));
function scanChunks(paths, chunks, what) {
  for (const f of paths) {
    const bytes = readFileSync(f);
    for (const c of chunks) {
      assert.ok(!bytes.includes(c), `${f} still holds ${what}`);
      assert.ok(!bytes.includes(c.subarray(8, 40)), `${f} still holds a part of ${what}`);
    }
  }
}
const hexRows = async (path, sql) => (await sqlite(path, sql)).split('\n').flatMap((l) => l.split('|')).filter(Boolean).map((h) => Buffer.from(h, 'hex'));
const scrubbed = () => until(async () => /^souk_db_scrub_pending 0$/m.test(await (await fetch(`${m.url}/metrics`)).text()), 20000, 'scrubbing');

test('alive: sealed at rest; deleted: gone, keys and sealed bytes too', async () => {
  const s = w.subscriptions[0];
  const path = `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
  const key = { 'Idempotency-Key': 'privacy-test' };
  const a = await m.rest(s.buyer, 'POST', path, secret, key);
  assert.equal(a.status, 201, a.text);
  await m.rest(s.buyer, 'PUT', `${path}/${a.json.contactId}`, { ...secret, title: 'Überprüfungsbeauftragte Zyx II' });
  await m.rest(s.buyer, 'POST', path, { ...secret, emailAddress: 'not an address Qwertzuiop' });
  await m.rest(s.buyer, 'GET', `${path}?emailAddress=${encodeURIComponent(secret.emailAddress)}`);
  await m.op('POST', '/api/v1/contact-searches', { emailAddress: secret.emailAddress, purpose: 'access-request' });
  m.setClock(1000);
  const { csv } = await exportNow(m, w.seller, 0);
  assert.ok(csv.includes(secret.surname), 'the export itself has it');
  scanTree(m.data, needles);
  scan('the log', Buffer.from(m.log), [...needles, 'Qwertzuiop', encodeURIComponent(secret.emailAddress)]);

  const db = join(m.data, 'souk.db');
  const hexId = a.json.contactId.replaceAll('-', '');
  const sealed = await hexRows(db, `select hex(data_key), hex(sealed) from contact_version where hex(contact_id) = upper('${hexId}') and operation < 3`);
  assert.ok(sealed.length >= 4);
  const kept = await hexRows(db, 'select hex(data_key), hex(answer) from idempotency where answer is not null');
  assert.ok(kept.length >= 2);
  const chunks = [...sealed, ...kept];

  assert.equal((await m.rest(s.buyer, 'DELETE', `${path}/${a.json.contactId}`)).status, 204);
  await scrubbed();
  scanChunks(databaseFiles(m.data), chunks, 'a sealed record or its key');
  const backup = join(m.dir, 'backup');
  await soukOk(['backup', '--data', m.data, '--output', backup], { env: m.clockEnv() });
  scanChunks([...databaseFiles(m.data), ...databaseFiles(backup)], chunks, 'a sealed record or its key');
  scanTree(m.data, needles);
  scanTree(backup, needles);
  const tombstone = await sqlite(db, `select operation, sealed is null, data_key is null, email_index is null, slot is null from contact_version where hex(contact_id) = upper('${hexId}')`);
  assert.equal(tombstone, '3|1|1|1|1');
});

test('many deleted among many that stay: nothing is left in pages that were shared out anew', async () => {
  const [buyer] = w.buyers;
  const subs = [];
  for (let i = 0; i < 60; i++) subs.push(await w.subscribe(buyer, w.products[i % w.products.length]));
  const contacts = (s) => `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
  for (let n = 0; n < 5; n++) {
    await Promise.all(subs.map(async (s, i) => {
      const a = await m.rest(buyer, 'POST', contacts(s), { ...secret, zipCode: undefined, organization: `${secret.organization}${'x'.repeat((i * 37 + n * 11) % 200)}` });
      assert.equal(a.status, 201, a.text);
    }));
  }
  const going = subs.filter((_, i) => i % 3 !== 0);
  const ids = going.map((s) => `x'${s.subscriptionId.replaceAll('-', '')}'`).join(',');
  const chunks = await hexRows(join(m.data, 'souk.db'), `select hex(data_key), hex(sealed) from contact_version where subscription_id in (${ids}) and operation < 3`);
  assert.equal(chunks.length, going.length * 5 * 2);
  // One by one, so that tombstones push rows from page to page meanwhile.
  for (const s of going) {
    const { items } = (await m.rest(buyer, 'GET', contacts(s))).json;
    for (const c of items) assert.equal((await m.rest(buyer, 'DELETE', `${contacts(s)}/${c.contactId}`)).status, 204);
  }
  await scrubbed();
  scanChunks(databaseFiles(m.data), chunks, 'a sealed record or its key');
});

test('an object that is replaced takes its key along', async () => {
  const db = join(m.data, 'souk.db');
  const path = `s3://${w.seller.bucket}/notes.txt`;
  const put = (text) => m.awsOk(['s3', 'cp', '-', path], { as: w.seller, input: text });
  const keyOf = () => hexRows(db, "select hex(data_key) from object where object_key = 'notes.txt'");
  await put('one');
  const keys = await keyOf();
  await put('two');
  keys.push(...await keyOf());
  assert.equal(keys.length, 2);
  await scrubbed();
  scanChunks(databaseFiles(m.data), keys.slice(0, 1), "an object's key");
});

test('an expired export cannot be opened: its key is gone', async () => {
  const db = join(m.data, 'souk.db');
  const expiring = "from object where bucket <> '.feeds'"; // the demo's kept feeds stay
  const keys = await hexRows(db, `select hex(data_key) ${expiring}`);
  assert.ok(keys.length >= 2);
  m.setClock(1000 + 3 * 86400);
  await until(async () => (await sqlite(db, `select count(*) ${expiring}`)) === '0', 90000, 'expiry');
  await scrubbed();
  scanChunks(databaseFiles(m.data), keys, "an object's key");
  m.setClock(1000 + 3 * 86400 + 360); // who found a row shortly before has minutes to open its file
  const kept = Number(await sqlite(db, 'select count(*) from object'));
  await until(() => files(m.data).filter((f) => /objects\/../.test(f)).length === kept, 90000, 'files to go');
});

test('logs and metrics have no people in them, and requests have ids', async () => {
  const metrics = await (await fetch(`${m.url}/metrics`)).text();
  scan('metrics', Buffer.from(metrics), needles);
  for (const name of ['souk_http_requests_total', 'souk_http_request_duration_seconds', 'souk_jobs_total', 'souk_job_oldest_seconds', 'souk_export_rows_total']) assert.match(metrics, new RegExp(name));
  scan('the log', Buffer.from(m.log), needles);
  assert.ok(!m.log.includes(w.buyers[0].token), 'no tokens');
  assert.ok(!m.log.includes(w.seller.secretAccessKey), 'no secrets');
  const r = await m.rest(null, 'GET', '/api/v1/whoami');
  assert.match(r.headers.get('x-request-id'), /^[0-9a-f-]{36}$/);
});

test('no core dumps', async () => {
  const limits = readFileSync(`/proc/${m.process.pid}/limits`, 'utf8');
  assert.match(limits, /Max core file size\s+0\s+0/);
  // Not even for a collector that ignores the limit: the kernel gives what is in /proc of such a process to root.
  if (process.getuid() !== 0) assert.equal(statSync(`/proc/${m.process.pid}/fd`).uid, 0);
  await sleep(0);
});
