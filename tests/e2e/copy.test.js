// SPDX-License-Identifier: Apache-2.0
// Moving an installation to a real PostgreSQL and back: what was there is there, to the byte.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Marketplace, person, run, souk, soukOk } from './lib.js';
import { database } from './services.js';

let dir, server, url, m;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'souk-copy-'));
  server = await database();
  url = server.url;
  assert.match(url, /^postgresql:/);
  m = await Marketplace.create();
});
after(async () => {
  await m.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});
const at = (name) => join(dir, name);
const exported = async (data) => {
  const r = await soukOk(['export', 'contacts', '--data', data, '--seller', m.seller.accountId, '--from', '2000-01-01T00:00:00Z']);
  assert.ok(r.out.length > 1000);
  return r.out;
};
const psql = async (sql) => {
  const r = await run('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', url, '-c', sql]);
  assert.equal(r.code, 0, r.err);
  return r.out.trim();
};
const dump = async (data) => {
  const r = await run('sqlite3', [join(data, 'souk.db'), '.dump']);
  assert.equal(r.code, 0, r.err);
  return r.out.split('\n').sort();
};

test('wrong command lines say what to do', async () => {
  for (const [code, words, ...args] of [
    [2, '--to', 'copy', '--data', m.data],
    [2, '--from', 'copy', '--to', url],
    [2, '--use', 'copy', '--from', `sqlite:${m.data}`, '--to', url, '--use'],
    [1, '--to', 'copy', '--data', m.data, '--to', 'mysql://x'],
    [1, '--from', 'copy', '--from', `sqlite:${at('none')}`, '--to', url],
    [1, '--to', 'copy', '--from', url, '--to', url],
    [2, '--data', 'migrate'],
    [3, 'the database cannot be reached', 'copy', '--from', `sqlite:${m.data}`, '--to', 'postgresql://souk:hidden@127.0.0.1:1/souk'],
  ]) {
    if (code === 3) await m.stop();
    const r = await souk(args, { env: { SOUK_DATA: '' } });
    assert.equal(r.code, code, `${args.join(' ')}: ${r.err}`);
    assert.match(r.err, new RegExp(`^souk: ${words}:? [^\n]+; [^\n]+\n$`), args.join(' '));
    assert.ok(!r.err.includes('hidden'));
  }
  assert.ok(!existsSync(at('none')));
  await m.start();
});

test('a marketplace moves to PostgreSQL and serves the same, and back', async () => {
  const path = `/api/v1/subscriptions/${m.buyer.subscriptionId}/contacts`;
  assert.equal((await m.rest(m.buyer, 'POST', path, person(4711))).status, 201);
  const delivery = await m.delivered(JSON.parse((await m.awsOk(m.exportArgs())).out).dataSetRequestId);
  const get = async () => (await m.awsOk(['s3', 'cp', `s3://${m.seller.bucket}/${delivery.csvKey}`, '-'])).out;
  const before = { contacts: (await m.rest(m.buyer, 'GET', path)).json, csv: await get() };

  const served = await souk(['copy', '--data', m.data, '--to', url]);
  assert.equal(served.code, 1);
  assert.match(served.err, /in use by process \d+; stop/);
  assert.equal(await psql('SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()'), '0');
  await m.stop();
  before.exported = await exported(m.data);
  before.dump = await dump(m.data);

  const done = JSON.parse((await soukOk(['copy', '--data', m.data, '--to', url, '--use', '--json'])).out);
  assert.ok(done.tables > 20 && done.rows > 100 && done.inUse);
  const ini = readFileSync(join(m.data, 'souk.ini'), 'utf8');
  assert.ok(ini.includes(`\ndatabase = ${url}\n`));
  assert.deepEqual(await dump(m.data), before.dump);
  const again = await souk(['copy', '--from', `sqlite:${m.data}`, '--to', url]);
  assert.equal(again.code, 1);
  assert.match(again.err, /holds data already/);

  assert.deepEqual(JSON.parse((await soukOk(['migrate', '--data', m.data, '--json'])).out), { was: 10, is: 10, knows: 10, runsFrom: 10 });
  assert.equal(await exported(m.data), before.exported);
  await soukOk(['audit', 'verify', '--data', m.data]);
  await m.start();
  assert.deepEqual((await m.rest(m.buyer, 'GET', path)).json, before.contacts);
  assert.equal(await get(), before.csv);
  assert.equal((await m.rest(m.buyer, 'POST', path, person(4712))).status, 201);
  const contacts = (await m.rest(m.buyer, 'GET', path)).json;
  assert.notDeepEqual(contacts, before.contacts);
  const back = await souk(['copy', '--data', m.data, '--to', `sqlite:${at('back')}`]);
  assert.equal(back.code, 1);
  assert.match(back.err, /serve this database; stop/);
  await m.stop();

  // Back into the directory that has the key ring and the objects, where the old file stands no more.
  const taken = await souk(['copy', '--data', m.data, '--to', `sqlite:${m.data}`, '--use']);
  assert.equal(taken.code, 1);
  assert.match(taken.err, /souk\.db is there already/);
  for (const tail of ['', '-wal', '-shm']) rmSync(join(m.data, `souk.db${tail}`), { force: true });
  await soukOk(['copy', '--data', m.data, '--to', `sqlite:${m.data}`, '--use']);
  assert.ok(!/^database =/m.test(readFileSync(join(m.data, 'souk.ini'), 'utf8')));
  assert.equal(await exported(m.data), before.exported);
  await m.start();
  assert.deepEqual((await m.rest(m.buyer, 'GET', path)).json, contacts);
  assert.equal(await get(), before.csv);
  await soukOk(['audit', 'verify', '--data', m.data]);
});

test('an interrupted copy is no installation', async () => {
  await psql('DROP OWNED BY souk CASCADE; CREATE SCHEMA IF NOT EXISTS public');
  const empty = await Marketplace.create({ serve: false });
  try {
    // The schema is made, the rows never came.
    await psql('CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$');
    const first = await souk(['copy', '--from', `sqlite:${empty.data}`, '--to', url]);
    assert.equal(first.code, 0, first.err);
    await psql('TRUNCATE meta, account CASCADE; CREATE TRIGGER t BEFORE INSERT ON meta FOR EACH ROW EXECUTE FUNCTION f()');
    for (const t of (await psql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname <> 'souk_schema'")).split('\n')) await psql(`TRUNCATE ${t} CASCADE`);
    const failed = await souk(['copy', '--data', empty.data, '--to', url, '--use']);
    assert.equal(failed.code, 3);
    assert.match(failed.err, /^souk: table meta: the row \([^)]*\) is missing in the copy; nothing was kept[^\n]*\n$/);
    assert.ok(!/^database =/m.test(readFileSync(join(empty.data, 'souk.ini'), 'utf8')));
    appendFileSync(join(empty.data, 'souk.ini'), `\ndatabase = ${url}\n`);
    const serve = await souk(['serve', '--data', empty.data, '--listen', '127.0.0.1:0']);
    assert.equal(serve.code, 1);
    assert.match(serve.err, /was not finished/);
  } finally {
    await empty.close();
  }
});
