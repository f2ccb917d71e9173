// SPDX-License-Identifier: Apache-2.0
// Losing a machine: one thing is lost, buyers and sellers go on, and afterwards every promise is checked. How long nothing was
// answered is measured and printed at the end.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { rng, sleep, souk, until } from '../e2e/lib.js';
import { exportNow, makeWorld, sdk, startExport } from '../e2e/world.js';
import { Fleet, HERE, NET } from './cluster.js';
import { Load, Receiver } from './load.js';
import { Link } from './proxy.js';

let fleet, database, receiver, load, worlds;
const table = [];

before(async () => {
  fleet = await Fleet.create();
  database = fleet.database;
  worlds = [];
  for (const base of [100, 300]) worlds.push(await makeWorld(fleet.nodes[0], { base, buyers: 2, subscriptionsPerBuyer: 2 }));
  receiver = await Receiver.open(fleet, worlds.map((w) => w.seller), HERE, database.certificate(99));
  load = new Load(fleet, worlds, receiver, rng(Number(process.env.SOUK_FLEET_SEED ?? 7)));
}, { timeout: 120000 });

after(async () => {
  receiver?.close();
  await fleet?.close();
  const cell = (x, n) => String(x).padStart(n);
  console.log(['| what was lost                                  | no write for | no read for | whole again after | unknown, settled |',
    '|---|--:|--:|--:|--:|',
    ...table.map((r) => `| ${r.name.padEnd(46)} | ${cell(r.write.toFixed(1), 10)} s | ${cell(r.read.toFixed(1), 9)} s | ${cell(r.whole, 15)} s | ${cell(`${r.unknown}, ${r.settled}`, 16)} |`)].join('\n'));
});

const audited = async () => {
  const r = await souk(['audit', 'verify', '--data', fleet.nodes[0].data], { env: fleet.nodes[0].clockEnv() });
  assert.equal(r.code, 0, r.err + r.out);
};
const writesGoOn = (after) => until(() => load.ok() && load.gauge.acks.write.at(-1) > after, 90000, 'the next acknowledged write');
const ready = async (node) => (await fetch(`${node.url}/readyz`, { signal: AbortSignal.timeout(5000) }).catch(() => null))?.status;

/**
 * `strike` while everybody works; once writes go on, `heal`; then, at rest, every promise. The clock goes on by almost fifteen
 * minutes right before, so that the exports of the next seconds carry the changes of the last ones.
 */
async function lose(...what) {
  try {
    await loseAtWork(...what);
  } finally {
    await load.rest(); // whatever happened, the next test finds nobody at work
  }
}

async function loseAtWork(name, strike, heal = async () => {}) {
  const { gauge } = load;
  load.start();
  await sleep(1500);
  await load.pause();
  await fleet.setClock(fleet.shift + 899);
  const exported = load.sellers.map((s) => s.records);
  load.start();
  await sleep(1000);
  const began = performance.now(), unknown = gauge.unknown, settled = gauge.settled;
  let whole;
  try {
    await strike();
    await writesGoOn(performance.now() + 1000);
  } finally {
    await heal();
    const healed = performance.now();
    await database.whole();
    whole = ((performance.now() - healed) / 1000).toFixed(1);
  }
  await writesGoOn(performance.now() + 500);
  const ended = performance.now();
  await load.pause();
  table.push({ name, write: gauge.silence('write', began, ended), read: gauge.silence('read', began, ended), whole,
    unknown: gauge.unknown - unknown, settled: gauge.settled - settled });
  await load.check();
  await audited();
  load.sellers.forEach((s, i) => assert.ok(s.records > exported[i], 'exports carried changes meanwhile'));
  for (const node of fleet.nodes) assert.equal(await ready(node), 200, `node ${node.n} is ready again`);
}

test('the primary\'s server process is killed', { timeout: 120000 }, async () => {
  await lose('primary: server process killed', async () => database.do('kill-postgres', await database.leader()));
});

test('the primary\'s machine is lost', { timeout: 120000 }, async () => {
  let n;
  await lose('primary: machine lost', async () => {
    n = await database.leader();
    await database.do('kill', n);
    for (const node of fleet.nodes) await until(async () => await ready(node) === 503, 10000, `node ${node.n} to say that it is not ready`);
    for (const node of fleet.nodes) assert.equal((await fetch(`${node.url}/healthz`)).status, 200, 'but it lives');
  }, () => database.do('start', n));
});

test('the primary\'s cable is pulled', { timeout: 120000 }, async () => {
  let n;
  await lose('primary: cable pulled', async () => {
    n = await database.leader();
    await database.do('unplug', n);
  }, () => database.do('plug', n));
});

test('the primary\'s packets are dropped', { timeout: 120000 }, async () => {
  let n;
  await lose('primary: packets dropped', async () => {
    n = await database.leader();
    await database.do('drop', n);
  }, () => database.do('undrop', n));
});

test('the synchronous standby is lost', { timeout: 120000 }, async () => {
  let n;
  await lose('synchronous standby: machine lost', async () => {
    n = (await database.do('status')).match(/^(\d) sync_standby/m)[1];
    await database.do('kill', n);
  }, () => database.do('start', n));
});

/**
 * A node that works on an export is killed while `held` keeps it from going on. Everybody rests until then, so that nobody
 * else waits for what is held.
 */
async function killInExport(held) {
  await load.pause();
  const seller = load.sellers[0];
  const session = await database.session(`BEGIN; ${held};`);
  let dataSetRequestId, node;
  try {
    ({ dataSetRequestId } = await startExport(sdk(fleet.nodes[0], seller.seller), seller.seller, new Date(0)));
    const waits = `SELECT host(client_addr) FROM pg_stat_activity WHERE usename = 'souk'
      AND pid = ANY (SELECT pid FROM pg_locks WHERE NOT granted) AND EXISTS (SELECT FROM job WHERE kind = 'psc-export' AND state = 1) LIMIT 1`;
    const address = await until(() => database.sql(waits), 15000, 'an export at work');
    node = fleet.nodes.find((x) => address === `${NET}.${x.n}`);
    await node.stop('SIGKILL');
  } finally {
    await session.end();
  }
  await fleet.setClock(fleet.shift + 90); // past the lease
  const other = fleet.nodes.find((x) => x !== node);
  const entry = await other.delivered(dataSetRequestId, seller.seller);
  assert.equal(entry.state, 'delivered');
  load.start();
  await sleep(1000); // one node serves everybody
  await node.start();
}

test('a node is killed in mid-export, before its first row', { timeout: 120000 }, async () => {
  await lose('souk node killed before an export\'s first row', () => killInExport('LOCK TABLE contact_version IN ACCESS EXCLUSIVE MODE'));
});

test('a node is killed in mid-export, its file written', { timeout: 120000 }, async () => {
  await lose('souk node killed, the export\'s file written', () => killInExport('LOCK TABLE object IN SHARE MODE'));
});

test('everything is restarted', { timeout: 180000 }, async () => {
  await lose('everything lost at once', async () => {
    for (const node of fleet.nodes) await node.stop('SIGKILL');
    await Promise.all([1, 2, 3].map((n) => database.do('kill', n)));
    await Promise.all([1, 2, 3].map((n) => database.do('start', n)));
    // As a service manager does: again until it stays.
    for (const node of fleet.nodes) {
      await until(async () => { try { return await node.start(); } catch { return await sleep(500); } }, 90000, `node ${node.n} up again`);
    }
  });
});

test('clocks are seconds apart', { timeout: 120000 }, async () => {
  await lose('clocks 7 s apart, leader moved on', async () => {
    const [a, b] = fleet.nodes;
    const n = await database.leader();
    Object.assign(database.skew, { [n]: 7 });
    a.skew = -7;
    b.skew = 7;
    await fleet.setClock(fleet.shift);
    await sleep(2000);
    // The next leader's clock is 14 s behind this one's: times of operation must not run back.
    const next = (await database.do('status')).match(/^(\d) sync_standby/m)[1];
    database.skew[next] = -7;
    database.setClock();
    await database.do('switchover', next);
    await until(async () => await database.leader().catch(() => null) === next, 30000, 'the switchover');
  }, async () => {
    for (const n of [1, 2, 3]) database.skew[n] = 0;
    for (const node of fleet.nodes) node.skew = 0;
    await fleet.setClock(fleet.shift);
  });
});

test('the link to the database is slow, silent, broken', { timeout: 120000 }, async () => {
  const links = await Promise.all([1, 2, 3].map((n) => Link.open(HERE, `${NET}.${n}`, 5432)));
  const node = fleet.nodes[1];
  const restart = async (url) => {
    await node.stop();
    node.ini(fleet.settings(url));
    await node.start();
  };
  try {
    await lose('one node\'s link slow, silent, broken', async () => {
      await restart(database.url.replace(/@[^/]*\//, `@${HERE},${HERE},${HERE}/`).replace('?', `?port=${links.map((l) => l.port).join(',')}&`));
      for (const l of links) l.delay = 40;
      await sleep(2000);
      for (const l of links) l.hush();
      await sleep(4000);
      for (const l of links) l.speak();
      for (let i = 0; i < 6; i++) {
        for (const l of links) l.cut();
        await sleep(300);
      }
    }, () => restart(database.url));
  } finally {
    for (const l of links) l.close();
  }
});
