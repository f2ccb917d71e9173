// SPDX-License-Identifier: Apache-2.0
// What can happen to a fleet's database, done to a real server under requests: each fault has its status, its line in the
// log and its metric, and service is back after mending without a restart. The lines are those of docs/fleet.md.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Marketplace, person, souk, sleep, until } from './lib.js';
import { Postgres } from './postgres.js';

let pg, m, subscription, contact, n = 0;
const seen = [];

before(async () => {
  pg = await Postgres.start({ megabytes: 280, settings: ['max_connections = 40', 'shared_buffers = 16MB', 'max_wal_size = 64MB', 'min_wal_size = 32MB'] });
  m = await Marketplace.create({ database: pg.url, ini: 'database.writers = 4\ndatabase.readers = 3\n' });
  subscription = (await m.rest(m.buyer, 'GET', '/api/v1/subscriptions')).json.items[0].subscriptionId;
  for (const c of (await m.rest(m.buyer, 'GET', path())).json.items) await m.rest(m.buyer, 'DELETE', `${path()}/${c.contactId}`);
  contact = (await m.rest(m.buyer, 'POST', path(), person(0))).json.contactId;
});
after(async () => {
  const end = await m?.stop();
  await m?.close();
  await pg?.close();
  if (process.env.SOUK_SHOW_LOG) process.stderr.write(seen.join(''));
  assert.deepEqual(end, { code: 0, signal: null }, m.log.slice(-2000));
});

const path = () => `/api/v1/subscriptions/${subscription}/contacts`;
const write = () => m.rest(m.buyer, 'PUT', `${path()}/${contact}`, person(++n), { 'If-Match': '*' });
const read = () => m.rest(m.operator, 'GET', '/api/v1/accounts?limit=2');
const metric = async (name) => Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\d+)$`, 'm')
  .exec((await m.rest(null, 'GET', '/metrics')).text)?.[1]);
const failures = (reason) => metric(`souk_db_failures_total{reason="${reason}"}`);

/** A probe; it must never wait. */
async function probe(what = '/readyz') {
  const began = performance.now();
  const r = await m.rest(null, 'GET', what);
  const took = performance.now() - began;
  assert.ok(took < 1000, `${what} took ${took} ms`);
  return { code: r.status, ...r.json };
}

async function back() {
  await until(async () => (await probe()).code === 200, 15000, 'readiness');
  await until(async () => (await write()).status === 200, 15000, 'writes');
  assert.equal((await read()).status, 200);
  assert.equal(await metric('souk_db_up'), 1);
}

/** Does the fault, looks, mends it, and insists on service. `line`: what the log must say. */
async function fault(name, { harm, look, line, mend }) {
  await back();
  m.log = '';
  const undo = await harm();
  try {
    await look();
    for (const l of [line].flat()) await until(() => l.test(m.log), 12000, `${l} in the log of ${name}: ${m.log}`);
    assert.equal((await probe('/healthz')).code, 200);
  } finally {
    await (mend ?? undo)();
  }
  await back();
  assert.ok(!m.log.includes(pg.password), 'the password is in the log');
  for (const l of m.log.split('\n').filter(Boolean)) assert.match(l, /^ts=\S+ level=\w+ event=\w+/, "a line that is not the log's");
  assert.doesNotMatch(m.log, /person\d|Given\d|Súrname|206 555/);
  seen.push(`== ${name}\n${m.log}`);
}

const until503 = (state) => until(async () => { const r = await probe(); return r.code === 503 && state.test(r.database); }, 9000, `not ready: ${state}`);

test('connections that are cut are made again, and nobody notices', async () => {
  const before = await metric('souk_db_listener_connects_total');
  await fault('cut', {
    harm: async () => {
      const all = Promise.all(Array.from({ length: 40 }, async (_, i) => { await sleep(i * 10); return [(await write()).status, (await read()).status]; }));
      await sleep(100);
      assert.ok(await pg.cut() >= 3);
      const got = (await all).flat();
      // A commit that was under way has an outcome that nobody knows.
      assert.deepEqual(got.filter((s) => s !== 200 && s !== 500), []);
      assert.ok(got.filter((s) => s === 500).length <= 4, String(got));
      return () => {};
    },
    look: () => until(async () => await metric('souk_db_listener_connects_total') > before, 5000, 'listener'),
    line: [],
  });
  assert.ok(await metric('souk_db_retries_total{reason="connection"}') > 0);
  assert.equal(await metric('souk_db_connections{use="listen"}'), 1);
  assert.ok(await metric('souk_db_connections{use="write"}') <= 4);
  assert.ok(await metric('souk_db_connections{use="read"}') <= 3);
});

test('a lock that is not free refuses after seconds; the rest goes on', async () => {
  const before = await failures('lock');
  await fault('lock', {
    harm: () => pg.hold('BEGIN; LOCK TABLE contact_version IN ACCESS EXCLUSIVE MODE;'),
    look: async () => {
      const w = write();
      assert.equal((await read()).status, 200);
      assert.equal((await probe()).code, 200);
      const r = await w;
      assert.equal(r.status, 503);
      assert.equal(r.json.code, 'unavailable');
    },
    line: /database_failed .*a lock was not free in time \(SQLSTATE 55P03\)/,
  });
  assert.ok(await failures('lock') > before);
});

test('too many connections', async () => {
  await fault('full', {
    harm: async () => { await pg.sql('ALTER ROLE souk CONNECTION LIMIT 0'); await pg.cut(); },
    look: async () => assert.equal((await write()).status, 503),
    line: /database_failed .*too many connections for role.*raise max_connections/,
    mend: () => pg.sql('ALTER ROLE souk CONNECTION LIMIT -1'),
  });
  assert.ok(await failures('full') > 0);
});

test('a wrong password', async () => {
  await fault('password', {
    harm: async () => { await pg.sql("ALTER ROLE souk PASSWORD 'another'"); await pg.cut(); },
    look: async () => {
      await until503(/cannot be reached/);
      assert.equal((await write()).status, 503);
      assert.equal((await read()).status, 503);
      assert.equal(await metric('souk_db_up'), 0);
    },
    line: /database_away .*password authentication failed for user.*give the right user and password/,
    mend: () => pg.sql(`ALTER ROLE souk PASSWORD '${pg.password}'`),
  });
  assert.ok(await failures('refused') > 0);
  const wrong = pg.url.replace(pg.password, 'wrong-one');
  const r = await souk(['config', 'show', '--data', m.data], { env: { SOUK_DATABASE: wrong } });
  assert.ok(!r.out.includes('wrong-one'));
  const start = await souk(['audit', 'verify', '--data', m.data], { env: { SOUK_DATABASE: wrong } });
  assert.notEqual(start.code, 0);
  assert.match(start.err, /password authentication failed/);
  assert.ok(!start.err.includes('wrong-one'));
});

test('a server whose certificate nobody vouches for', async () => {
  await fault('tls', {
    harm: async () => { const undo = await pg.foreignCertificate(); await pg.cut(); return undo; },
    look: async () => {
      await until503(/cannot be reached/);
      assert.equal((await write()).status, 503);
    },
    line: /database_away .*certificate verify failed.*sslrootcert/,
  });
});

test('the server is stopped: probes tell at once, and find it again', async () => {
  await fault('stopped', {
    harm: () => pg.stop(),
    look: async () => {
      await until503(/cannot be reached/);
      const got = await Promise.all(Array.from({ length: 60 }, () => read()));
      assert.deepEqual([...new Set(got.map((r) => r.status))], [503]);
      assert.equal((await write()).status, 503);
      // Sixty refusals are no sixty lines.
      assert.ok(m.log.split('\n').filter((l) => /request_failed/.test(l)).length <= 25, m.log);
    },
    line: /database_away .*Connection refused.*is it running/,
    mend: () => pg.begin(),
  });
  assert.ok(await failures('away') > 0);
});

test('a server that hangs holds no probe, and no thread for long', async () => {
  await fault('hangs', {
    harm: () => pg.signal('SIGSTOP'),
    look: async () => {
      const began = performance.now();
      const reads = Promise.all(Array.from({ length: 12 }, () => read()));
      let refused = 0;
      for (let i = 0; i < 12; i++) write().then((r) => { refused += r.status === 503 ? 1 : 0; }, () => {});
      await until503(/cannot be reached/);
      assert.ok(performance.now() - began < 6500);
      for (let i = 0; i < 10; i++) { await probe(); await probe('/healthz'); await sleep(50); }
      assert.deepEqual([...new Set((await reads).map((r) => r.status))], [503]);
      assert.ok(performance.now() - began < 12000, `${performance.now() - began} ms`);
      assert.equal((await read()).status, 503);
      // All but those whose commit may have been sent: four connections write.
      await until(() => refused >= 8, 12000 - (performance.now() - began), `refusals of writes: ${refused}`);
    },
    line: /database_away /,
    mend: () => pg.signal('SIGCONT'),
  });
});

test('a hot standby takes no writes', async () => {
  await fault('standby', {
    harm: async () => {
      await pg.stop();
      closeSync(openSync(join(pg.data, 'standby.signal'), 'w'));
      await pg.begin();
    },
    look: async () => {
      await until503(/takes no writes/);
      const r = await write();
      assert.equal(r.status, 503);
      assert.equal(r.json.code, 'unavailable');
    },
    line: /database_read_only .*no host of the address takes writes/,
    mend: () => pg.sql('SELECT pg_promote()'),
  });
  assert.ok(await failures('read_only') > 0);
});

test('a schema from the future', async () => {
  await fault('schema', {
    harm: async () => { await pg.sql('UPDATE souk_schema SET version = version + 5, runs_from = version + 5'); },
    look: async () => {
      await until503(/has a schema that this souk does not know/);
      assert.equal((await write()).status, 503);
      assert.equal((await read()).status, 503);
      const r = await souk(['audit', 'verify', '--data', m.data]);
      assert.notEqual(r.code, 0);
      assert.match(r.err, /has schema version \d+, which serves souk of schema version \d+ and later; this one has \d+; run a newer souk/);
    },
    line: /database_newer .*its schema serves newer souk only/,
    mend: () => pg.sql('UPDATE souk_schema SET version = version - 5, runs_from = version - 5'),
  });
});

test("the server's disk is full", async () => {
  const filler = join(pg.dir, 'filler');
  await fault('disk', {
    harm: async () => {
      const fd = openSync(filler, 'w');
      const block = Buffer.alloc(65536);
      try { for (;;) if (writeSync(fd, block) < block.length) break; } catch (e) { assert.equal(e.code, 'ENOSPC'); }
      closeSync(fd);
    },
    look: async () => {
      let r;
      for (let i = 0; i < 3000; i += 20) {
        [r] = (await Promise.all(Array.from({ length: 20 }, write))).filter((x) => x.status !== 200);
        if (r) break;
      }
      assert.ok(r, 'all writes found room');
      assert.equal(r.status, 503, r.text);
      assert.equal((await read()).status, 200);
    },
    line: /database_failed .*the server's disk is full \(SQLSTATE 53100\)/,
    mend: () => rmSync(filler),
  });
  assert.ok(await failures('disk') > 0);
});
