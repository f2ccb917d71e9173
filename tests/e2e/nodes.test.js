// SPDX-License-Identifier: Apache-2.0
// Two nodes on one PostgreSQL: what holds on one holds on both, whatever one of them is doing.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Marketplace, person, run, sleep, souk, soukOk, until } from './lib.js';
import { database } from './services.js';
import { makeWorld, sdk, startExport } from './world.js';

let dir, server, url, a, b, w;

/** A node in a data directory of its own. */
function node(name) {
  const m = new Marketplace();
  m.dir = join(dir, name);
  m.data = join(m.dir, 'data');
  m.listen = '127.0.0.1:0';
  m.clockFile = null;
  m.log = '';
  mkdirSync(m.dir, { mode: 0o755 });
  return m;
}

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'souk-nodes-'));
  server = await database();
  url = server.url;
  a = node('a');
  const made = JSON.parse((await soukOk(['init', '--data', a.data, '--name', 'Fleet', '--database', url, '--json'])).out);
  appendFileSync(join(a.data, 'souk.ini'), '\ntopic.private-addresses = true\njob.workers = 2\n');
  b = node('b');
  mkdirSync(b.data, { mode: 0o700 });
  // What an operator copies to a further node; the objects are where both find them.
  for (const f of ['souk.ini', 'keyring.json']) cpSync(join(a.data, f), join(b.data, f));
  symlinkSync(join(a.data, 'objects'), join(b.data, 'objects'));
  await a.start();
  await b.start();
  a.operator = b.operator = made.operator;
  w = await makeWorld(a, { buyers: 2, subscriptionsPerBuyer: 2 });
  a.seller = b.seller = w.seller;
});

after(async () => {
  for (const m of [a, b]) await m?.stop('SIGKILL');
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
  setTimeout(() => process.exit(), 3000).unref(); // the report is out by then; nothing may keep the file from ending
});

test('both nodes are listed, and counted', async () => {
  const l = JSON.parse((await soukOk(['nodes', '--data', b.data, '--json'])).out);
  assert.equal(l.running, 2);
  assert.ok(l.nodes.every((n) => n.masterKey === 1 && n.schemaVersion >= 1 && n.version));
  assert.match(await (await fetch(`${b.url}/metrics`)).text(), /\nsouk_nodes 2\n/);
});

test('a token revoked on one node is refused on the other within a second', async () => {
  const user = w.buyers[0].userId;
  for (let i = 0; i < 5; i++) {
    const t = (await a.op('POST', `/api/v1/users/${user}/tokens`, { label: 'short' })).json;
    assert.equal((await b.rest(t.token, 'GET', '/api/v1/whoami')).status, 200); // and is in its cache now
    assert.equal((await a.op('DELETE', `/api/v1/tokens/${t.tokenId}`)).status, 204);
    const end = performance.now() + 1000;
    let status;
    do status = (await b.rest(t.token, 'GET', '/api/v1/whoami')).status; while (status === 200 && performance.now() < end);
    assert.equal(status, 401);
  }
});

test('one Idempotency-Key sent to both at the same moment makes one contact and gives one answer', async () => {
  const s = w.subscriptions[0], path = `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
  for (let i = 0; i < 4; i++) {
    const key = randomUUID(), fields = person(i);
    const got = await Promise.all([a, b, a, b].map((m) => m.rest(s.buyer, 'POST', path, fields, { 'Idempotency-Key': key })));
    assert.deepEqual([...new Set(got.map((g) => g.status))], [201], got.map((g) => g.text).join());
    assert.equal(new Set(got.map((g) => g.text)).size, 1);
    const list = (await b.rest(s.buyer, 'GET', path)).json.items;
    assert.equal(list.length, i + 1);
  }
});

test('five contacts, however many are added through both at once', async () => {
  const s = w.subscriptions[1], path = `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
  const got = await Promise.all(Array.from({ length: 24 }, (_, i) =>
    (i % 2 ? a : b).rest(s.buyer, 'POST', path, person(100 + i), { 'Idempotency-Key': randomUUID() })));
  assert.equal(got.filter((g) => g.status === 201).length, 5, got.map((g) => g.status).join());
  assert.ok(got.every((g) => g.status === 201 || g.status === 409), got.map((g) => g.text).join());
  assert.equal((await a.rest(s.buyer, 'GET', path)).json.items.length, 5);
});

test('exports asked of both nodes run once each', async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, async (_, i) =>
    (await startExport(sdk(i % 2 ? a : b, w.seller), w.seller, new Date(Date.now() - 86400000 * 7))).dataSetRequestId));
  assert.equal(new Set(ids).size, 8);
  for (const id of ids) {
    const d = await a.delivered(id, w.seller);
    assert.equal(d.state, 'delivered', JSON.stringify(d));
  }
  // Done by both together, none of them twice.
  const done = await Promise.all([a, b].map(async (m) =>
    Number((await (await fetch(`${m.url}/metrics`)).text()).match(/souk_jobs_total\{job="[^"]*export",outcome="done"\} (\d+)/)?.[1] ?? 0)));
  assert.equal(done[0] + done[1], 8, done.join());
});

test('a ring distributed by hand is rotated in steps, while both nodes write', async () => {
  const s = w.subscriptions[2], path = `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
  const give = () => { cpSync(join(a.data, 'keyring.json'), join(b.data, 'keyring.json.new'), { preserveTimestamps: false });
    return run('mv', [join(b.data, 'keyring.json.new'), join(b.data, 'keyring.json')]); };
  let writing = true, n = 0;
  const id = (await a.rest(s.buyer, 'POST', path, person(1), { 'Idempotency-Key': randomUUID() })).json.contactId;
  const writer = (async () => {
    while (writing) {
      const put = await (n % 2 ? a : b).rest(s.buyer, 'PUT', `${path}/${id}`, person(n));
      assert.equal(put.status, 200, put.text);
      const read = await (n++ % 2 ? b : a).rest(s.buyer, 'GET', path);
      assert.equal(read.status, 200, read.text);
      await sleep(20);
    }
  })();
  // One step for all would leave node b without the new key: refused, nothing broken, the key is added.
  const all = await souk(['keys', 'rotate', '--data', a.data]);
  assert.equal(all.code, 1, all.out + all.err);
  assert.match(all.err, /has not got the new master key; .*--use/);
  assert.equal((await souk(['keys', 'rotate', '--data', a.data, '--add'])).code, 0); // again: the same key
  await give();
  const used = await soukOk(['keys', 'rotate', '--data', a.data, '--use', '--json']);
  assert.deepEqual(JSON.parse(used.out), { current: 2, newest: 2, rewrapped: 0 });
  // Node b has the key, so it reads what a seals; it may still seal with the old one, so that stays.
  const early = await souk(['keys', 'rotate', '--data', a.data, '--drop']);
  assert.equal(early.code, 1, early.out + early.err);
  assert.match(early.err, /still seals with an older master key; .*--drop/);
  await give();
  const dropped = await soukOk(['keys', 'rotate', '--data', a.data, '--drop', '--json']);
  assert.ok(JSON.parse(dropped.out).rewrapped > 5);
  await give();
  writing = false;
  await writer;
  assert.ok(n > 20);
  for (const sub of w.subscriptions)
    for (const m of [a, b]) assert.equal((await m.rest(sub.buyer, 'GET', `/api/v1/subscriptions/${sub.subscriptionId}/contacts`)).status, 200);
  await until(async () => JSON.parse((await soukOk(['nodes', '--data', a.data, '--json'])).out).nodes.every((x) => x.masterKey === 2), 10000, 'the new key on both');
});

test('killed in the middle of an export, a node is replaced by the other', { timeout: 180000 }, async () => {
  const sql = async (text) => (await run('psql', [url, '-Atqc', text])).out.trim();
  await a.stop(); // so that b has it
  // Held up before its last transaction, while it has the lease.
  const held = run('psql', [url, '-qc', 'begin; lock table object in exclusive mode; select pg_sleep(4)']);
  await sleep(500);
  const id = (await startExport(sdk(b, w.seller), w.seller, new Date(Date.now() - 86400000 * 7))).dataSetRequestId;
  const of = `from job where kind = 'psc-export' and request_id = decode(replace('${id}', '-', ''), 'hex')`;
  await until(async () => await sql(`select state ${of}`) === '1', 4000, 'the lease');
  await b.stop('SIGKILL');
  await held;
  await a.start();
  assert.equal(await sql(`select state ${of}`), '1', 'the lease is still the dead one\'s');
  const d = await until(async () => {
    const r = await a.rest(w.seller, 'GET', `/api/v1/sellers/${w.seller.accountId}/deliveries/${id}`);
    return r.json.state !== 'waiting' && r.json;
  }, 120000, 'the take-over');
  assert.equal(d.state, 'delivered', JSON.stringify(d));
  assert.equal(await sql(`select attempts ${of}`), '2');
  assert.equal(await sql(`select count(*) from message where request_id = decode(replace('${id}', '-', ''), 'hex')`), '1');
  assert.equal(JSON.parse((await soukOk(['audit', 'verify', '--data', a.data, '--json'])).out).sound, true);
  const nodes = JSON.parse((await soukOk(['nodes', '--data', a.data, '--json'])).out);
  assert.equal(nodes.running, 1);
  assert.deepEqual(nodes.nodes.map((n) => n.running).sort(), [false, true]);
});
