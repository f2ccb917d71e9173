// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments under load: what was acknowledged is there, what was not is wholly
// there or wholly absent, every accepted export is delivered whole, and exports converge (invariant 11).
import { test } from 'node:test';
import { strict as assert } from 'node:assert';
import { createHash, randomUUID } from 'node:crypto';
import { Marketplace, parseCsv, person, rng, sleep, souk, until } from './lib.js';
import { Replica } from './model.js';
import { exportNow, fetchText, makeWorld, sdk, startExport } from './world.js';

const kills = Number(process.env.SOUK_CRASH_KILLS ?? 6);

/** A REST call that is repeated, with the same key, until an answer comes: what a careful client does. */
async function insist(m, as, method, path, body, headers) {
  for (;;) {
    try {
      return await m.rest(as, method, path, body, headers);
    } catch {
      await sleep(30);
    }
  }
}

test('killed at random moments, nothing acknowledged is lost', { timeout: 300000 }, async () => {
  const r = rng(Number(process.env.SOUK_CRASH_SEED ?? 7));
  // A request that is on its way when the clock moves is no older for it.
  const m = await Marketplace.create({ clock: true, ini: 'sigv4.skew-seconds = 3600\nsigv4.skew-s3-seconds = 3600\n' });
  try {
    const port = m.port;
    m.listen = `127.0.0.1:${port}`; // the same address after each restart
    const w = await makeWorld(m, { buyers: 4, subscriptionsPerBuyer: 2 });
    const state = new Map(w.subscriptions.map((s) => [s.subscriptionId, new Map()]));
    const requests = [];
    let stopping = false, n = 0;

    const writers = w.subscriptions.map(async (s) => {
      const mine = state.get(s.subscriptionId);
      const path = `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
      while (!stopping) {
        const dice = r.below(10);
        if (mine.size < 5 && (dice < 6 || mine.size === 0)) {
          const fields = person(n++);
          const a = await insist(m, s.buyer, 'POST', path, fields, { 'Idempotency-Key': randomUUID() });
          assert.equal(a.status, 201, a.text);
          assert.ok(!mine.has(a.json.contactId));
          mine.set(a.json.contactId, fields);
        } else if (dice < 8) {
          const id = [...mine.keys()][r.below(mine.size)];
          const fields = person(n++);
          const a = await insist(m, s.buyer, 'PUT', `${path}/${id}`, fields);
          assert.equal(a.status, 200, a.text);
          mine.set(id, fields);
        } else {
          const id = [...mine.keys()][r.below(mine.size)];
          const a = await insist(m, s.buyer, 'DELETE', `${path}/${id}`);
          assert.ok(a.status === 204 || a.status === 404, a.text); // 404: the delete before the crash had counted
          mine.delete(id);
        }
      }
    });
    const exporter = (async () => {
      while (!stopping) {
        try {
          const a = await startExport(sdk(m, w.seller), w.seller, new Date('2000-01-01T00:00:00Z'));
          requests.push(a.dataSetRequestId);
        } catch { /* killed before it was accepted */ }
        await sleep(100);
      }
    })();

    // A seller that asks from where its last export ended, and asks again when no answer or no file came.
    const replica = new Replica();
    let from = 0, links = 0;
    const follow = async () => {
      const { csv, end } = await exportNow(m, w.seller, from);
      replica.apply(parseCsv(csv));
      links += end > from ? 1 : 0;
      from = end;
    };
    const follower = (async () => {
      while (!stopping) {
        await follow().catch((e) => { if (e instanceof assert.AssertionError) throw e; });
        await sleep(50);
      }
    })();

    for (let k = 0; k < kills; k++) {
      await sleep(200 + r.below(900));
      m.setClock((k + 1) * 400); // so that some of what was written leaves the fifteen minutes
      m.process.kill('SIGKILL');
      await until(() => m.exited, 10000, 'death');
      await m.start();
    }
    await sleep(300);
    stopping = true;
    await Promise.all([...writers, exporter, follower]);

    for (const s of w.subscriptions) {
      const a = await m.rest(s.buyer, 'GET', `/api/v1/subscriptions/${s.subscriptionId}/contacts`);
      const mine = state.get(s.subscriptionId);
      assert.deepEqual(a.json.items.map((c) => c.contactId).sort(), [...mine.keys()].sort());
      for (const c of a.json.items) assert.equal(c.emailAddress, mine.get(c.contactId).emailAddress);
    }

    assert.ok(requests.length > 3, 'exports were accepted between the kills');
    const clients = sdk(m, w.seller);
    for (const id of requests) {
      const entry = await m.delivered(id, w.seller);
      assert.equal(entry.state, 'delivered', JSON.stringify(entry));
      const csv = await fetchText(clients, w.seller.bucket, entry.csvKey);
      const meta = JSON.parse(await fetchText(clients, w.seller.bucket, entry.metaKey));
      assert.equal(createHash('sha256').update(csv).digest('hex'), meta.sha256);
      assert.equal(parseCsv(csv).length, meta.rowCounts.create + meta.rowCounts.update + meta.rowCounts.delete);
    }

    m.setClock(kills * 400 + 1200);
    const { csv } = await exportNow(m, w.seller, 0);
    const live = parseCsv(csv).filter((x) => x['Operation Type'] !== 'DELETE');
    const want = [...state.values()].flatMap((mine) => [...mine.entries()]);
    assert.deepEqual(live.map((x) => x['Customer Guid']).sort(), want.map(([id]) => id).sort());
    for (const [id, f] of want) assert.equal(live.find((x) => x['Customer Guid'] === id).Email, f.emailAddress);
    await follow();
    assert.ok(links > 3, 'exports were chained between the kills');
    assert.deepEqual([...replica.contacts.keys()].sort(), want.map(([id]) => id).sort());
    for (const [id, f] of want) assert.equal(replica.contacts.get(id).Email, f.emailAddress);

    await m.stop();
    const verify = await souk(['audit', 'verify', '--data', m.data], { env: m.clockEnv() });
    assert.equal(verify.code, 0, verify.err + verify.out);
  } finally {
    await m.close();
  }
});
