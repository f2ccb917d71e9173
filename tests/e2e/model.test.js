// SPDX-License-Identifier: Apache-2.0
// Random histories against a simple model: every export is compared line for line, and exports
// applied in order must converge to the state at the last one's end (invariants 1, 2, 3).
import { test } from 'node:test';
import { strict as assert } from 'node:assert';
import { Marketplace, parseCsv, person, rng, sleep } from './lib.js';
import { Model, Replica } from './model.js';
import { exportNow, makeWorld } from './world.js';

const runs = Number(process.env.SOUK_MODEL_RUNS ?? 2);
const seed0 = Number(process.env.SOUK_MODEL_SEED ?? 1);
const rounds = Number(process.env.SOUK_MODEL_ROUNDS ?? 14);

/** One random change by its buyer; tells the model what the server acknowledged. */
async function change(w, model, r, s, n) {
  const { m } = w;
  const path = `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
  const mine = model.live(s);
  const dice = r.below(100);
  const odd = r.below(4) === 0 ? { organization: `Qu"oted, ${n}` } : {};
  const extra = r.below(2) ? { title: 'Ingénieure', countryCode: 'US', zipCode: String(r.below(100000)).padStart(5, '0') } : {};
  const fields = person(n, { ...odd, ...extra });
  if (dice < 50 || mine.length === 0) {
    const a = await m.rest(s.buyer, 'POST', path, fields);
    if (mine.length >= 5) {
      assert.equal(a.status, 409, a.text);
      assert.equal(a.json.code, 'contact_limit');
    } else {
      assert.equal(a.status, 201, a.text);
      model.add(s, a.json.contactId, Date.parse(a.json.changedAt), fields);
    }
  } else if (dice < 80) {
    const c = r.pick(mine);
    const a = await m.rest(s.buyer, 'PUT', `${path}/${c.id}`, fields);
    assert.equal(a.status, 200, a.text);
    model.edit(c.id, Date.parse(a.json.changedAt), fields);
  } else if (dice < 96) {
    const c = r.pick(mine);
    const before = m.now() - 50;
    const a = await m.rest(s.buyer, 'DELETE', `${path}/${c.id}`);
    assert.equal(a.status, 204, a.text);
    model.remove(c.id, [before, m.now() + 50]);
  } else {
    const a = await m.op('POST', `/api/v1/subscriptions/${s.subscriptionId}/end`, {});
    assert.equal(a.status, 200, a.text);
    s.active = false;
    for (const c of mine) model.remove(c.id, Date.parse(a.json.endedAt));
    w.subscriptions.push(await w.subscribe(s.buyer, r.pick(w.products)));
  }
}

/** A burst of changes: several buyers at once, each subscription's in order. */
async function burst(w, model, r, counter) {
  const active = w.subscriptions.filter((s) => s.active);
  await Promise.all(active.map(async (s) => {
    for (let i = r.below(4); i > 0 && s.active; i--) await change(w, model, r, s, counter.n++);
  }));
}

for (let i = 0; i < runs; i++) {
  test(`random history, seed ${seed0 + i}`, { timeout: 300000 }, async () => {
    const r = rng(seed0 + i);
    const m = await Marketplace.create({ clock: true });
    try {
      const w = await makeWorld(m);
      const model = new Model();
      const replica = new Replica();
      const counter = { n: 0 };
      let shift = 0;
      let from = Date.parse('2000-01-01T00:00:00Z');
      for (let round = 0; round < rounds; round++) {
        await burst(w, model, r, counter);
        shift += 60 + r.below(900);
        m.setClock(shift);
        if (r.below(3) === 0) continue;
        // Writers that only add and edit go on while the export runs: later than its end, they must not show.
        const late = r.below(2) ? w.subscriptions.filter((s) => s.active).map(async (s) => {
          if (model.live(s).length >= 5) return;
          const fields = person(counter.n++);
          const a = await m.rest(s.buyer, 'POST', `/api/v1/subscriptions/${s.subscriptionId}/contacts`, fields);
          model.add(s, a.json.contactId, Date.parse(a.json.changedAt), fields);
        }) : [];
        for (const start of r.below(3) ? [from] : [from, Date.parse('2000-01-01T00:00:00Z')]) {
          const { csv, meta, end } = await exportNow(m, w.seller, start);
          await Promise.all(late);
          const records = parseCsv(csv);
          for (const x of records) {
            if (x['Operation Type'] === 'DELETE') model.learn(x['Customer Guid'], Date.parse(x['Operation Time']));
          }
          assert.equal(csv, model.file(start, end), `window ${new Date(start).toISOString()} to ${new Date(end).toISOString()}`);
          assert.equal(Date.parse(meta.dataSetCoverageRange.startDateTime), start);
          if (start === from) {
            replica.apply(records);
            from = end;
          }
        }
      }
      // Everything has happened; half an hour later one more export brings the copy up to date.
      m.setClock(shift + 1860);
      const { csv, end } = await exportNow(m, w.seller, from);
      replica.apply(parseCsv(csv));
      const live = model.live(undefined, end);
      assert.deepEqual([...replica.contacts.keys()].sort(), live.map((c) => c.id).sort());
      for (const c of live) {
        assert.equal(replica.contacts.get(c.id).Email, model.stateAt(c, end).emailAddress);
        assert.equal(replica.contacts.get(c.id).Organization, model.stateAt(c, end).organization);
      }
      assert.ok(counter.n > 20, 'the history is worth checking');
      await sleep(0);
    } finally {
      await m.close();
    }
  });
}
