// SPDX-License-Identifier: Apache-2.0
// Random histories against a simple model: every export is compared line for line, and exports applied in
// order must give the state at the last one's end (invariants 1, 2, 3). The clock jumps forwards and back, the
// server is stopped and killed, products and the seller come and go, and writers go on while exports run.
import { test } from 'node:test';
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { Marketplace, parseCsv, person, rng, run } from './lib.js';
import { Model, Replica } from './model.js';
import { exportNow, makeWorld } from './world.js';

const runs = Number(process.env.SOUK_MODEL_RUNS ?? 2);
const seed0 = Number(process.env.SOUK_MODEL_SEED ?? 1);
const rounds = Number(process.env.SOUK_MODEL_ROUNDS ?? 20);
const EVER = Date.parse('2000-01-01T00:00:00Z');
const SLACK = 50; // milliseconds that this process and the server may see a change apart

const contactsOf = (s) => `/api/v1/subscriptions/${s.subscriptionId}/contacts`;

class History {
  constructor(m, w, r) {
    Object.assign(this, { m, w, r, model: new Model(), replica: new Replica(), n: 0, shift: 0, high: 0, from: EVER, compared: 0, lines: 0 });
    for (const p of w.products) this.model.products.set(p.productId, Date.parse(p.pscEnabledSince));
  }

  static async begin(m, seed) {
    const w = await makeWorld(m);
    const h = new History(m, w, rng(seed));
    const e = await m.op('GET', `/api/v1/sellers/${w.seller.accountId}/enrolments/psc`);
    h.model.enrolled = Date.parse(e.json.since);
    return h;
  }

  fields() {
    const n = this.n++;
    return person(n, { ...(this.r.below(4) === 0 ? { organization: `Qu"oted, ${n}` } : {}),
      ...(this.r.below(2) ? { title: 'Ingénieure', countryCode: 'US', zipCode: String(this.r.below(100000)).padStart(5, '0') } : {}) });
  }

  /** A server's clock does not run back while it is up: the latest that it may think it is. */
  latest() {
    this.high = Math.max(this.high, this.m.now() + SLACK);
    return this.high;
  }

  async add(s) {
    const fields = this.fields();
    const live = this.model.live(s).length;
    const a = await this.m.rest(s.buyer, 'POST', contactsOf(s), fields);
    const code = this.model.products.get(s.productId) === null ? 'product_not_psc' : live >= 5 ? 'contact_limit' : undefined;
    assert.equal(a.status, code ? 409 : 201, a.text);
    if (code) assert.equal(a.json.code, code);
    else this.model.add(s, a.json.contactId, Date.parse(a.json.changedAt), fields);
  }

  async edit(s, c) {
    const fields = this.fields();
    const a = await this.m.rest(s.buyer, 'PUT', `${contactsOf(s)}/${c.id}`, fields);
    assert.equal(a.status, 200, a.text);
    this.model.edit(c.id, Date.parse(a.json.changedAt), fields);
  }

  async remove(s, c) {
    const began = this.m.now() - SLACK;
    const a = await this.m.rest(s.buyer, 'DELETE', `${contactsOf(s)}/${c.id}`);
    assert.equal(a.status, 204, a.text);
    this.model.removeBetween(c.id, began, this.latest());
  }

  async end(s) {
    const mine = this.model.live(s);
    const a = await this.m.op('POST', `/api/v1/subscriptions/${s.subscriptionId}/end`, {});
    assert.equal(a.status, 200, a.text);
    s.active = false;
    for (const c of mine) this.model.remove(c.id, Date.parse(a.json.endedAt));
    this.w.subscriptions.push(await this.w.subscribe(s.buyer, this.r.pick(this.w.products)));
  }

  async optOut(s) {
    const scope = this.r.pick(['subscription', 'seller', 'everywhere']);
    const mine = scope === 'subscription' ? this.model.live(s) : this.model.live().filter((c) => c.subscription.buyer === s.buyer);
    const began = this.m.now() - SLACK;
    const a = await this.m.rest(s.buyer, 'POST', '/api/v1/opt-outs', { scope,
      ...(scope === 'subscription' ? { subscriptionId: s.subscriptionId } : scope === 'seller' ? { sellerId: this.w.seller.accountId } : {}) });
    assert.equal(a.status, 200, a.text);
    assert.equal(a.json.deleted, mine.length, a.text);
    for (const c of mine) this.model.removeBetween(c.id, began, this.latest());
  }

  /** One random change of a subscription by its buyer; tells the model what the server acknowledged. */
  async change(s) {
    const mine = this.model.live(s);
    const dice = this.r.below(100);
    if (dice < 50 || mine.length === 0) await this.add(s);
    else if (dice < 80) await this.edit(s, this.r.pick(mine));
    else if (dice < 96) await this.remove(s, this.r.pick(mine));
    else await this.end(s);
  }

  /** Many subscriptions at once, each one's changes in order. */
  async burst() {
    await Promise.all(this.w.subscriptions.filter((s) => s.active).map(async (s) => {
      for (let i = this.r.below(4); i > 0 && s.active; i--) await this.change(s);
    }));
    if (this.r.below(8) === 0) await this.optOut(this.r.pick(this.w.subscriptions.filter((s) => s.active)));
  }

  async setProduct(p, on) {
    const a = await this.m.op('PATCH', `/api/v1/products/${p.productId}`, { pscEnabled: on });
    assert.equal(a.status, 200, a.text);
    this.model.products.set(p.productId, on ? Date.parse(a.json.pscEnabledSince) : null);
  }

  async setEnrolled(on) {
    const a = await this.m.op('PUT', `/api/v1/sellers/${this.w.seller.accountId}/enrolments/psc`, { state: on ? 'enrolled' : 'withdrawn' });
    assert.ok(a.status < 300, a.text);
    this.model.enrolled = on ? Date.parse(a.json.since) : null;
  }

  async comeAndGo() {
    if (this.model.enrolled === null) await this.setEnrolled(true);
    else if (this.r.below(4) === 0) await this.setEnrolled(false);
    else if (this.r.below(3) === 0) {
      const p = this.r.pick(this.w.products);
      await this.setProduct(p, this.model.products.get(p.productId) === null);
    }
  }

  moveClock() {
    // Somebody sets the clock wrong, and somebody sets it right again.
    const back = this.r.below(4) === 0 && this.shift > 900;
    this.latest();
    this.shift += back ? -this.r.below(Math.min(this.shift, 7200)) : 60 + this.r.below(this.r.below(6) === 0 ? 9000 : 900);
    this.m.setClock(this.shift);
  }

  async restart() {
    await this.m.stop(this.r.below(2) ? 'SIGKILL' : 'SIGTERM');
    await this.m.start();
    this.high = 0;
  }

  /** Buyers go on while the export runs: what is later than its end must not show. Gives whom they deleted. */
  async later() {
    const deleted = new Set();
    await Promise.all(this.w.subscriptions.filter((s) => s.active).map(async (s) => {
      const mine = this.model.live(s);
      const dice = this.r.below(10);
      if (mine.length === 0 || dice < 4) return this.add(s);
      const c = this.r.pick(mine);
      if (dice < 8) return this.edit(s, c);
      deleted.add(c.id);
      return this.remove(s, c);
    }));
    return deleted;
  }

  /** No answer tells when a deletion counts as made; the tombstones do. */
  async settle() {
    if (this.model.unsettled().length === 0) return;
    const r = await run('sqlite3', ['-readonly', join(this.m.data, 'souk.db'), 'select lower(hex(contact_id)), operation_time from contact_version where operation = 3']);
    assert.equal(r.code, 0, r.err);
    const times = new Map(r.out.trim().split('\n').map((l) => l.split('|')));
    for (const c of this.model.unsettled()) this.model.settle(c.id, Number(times.get(c.id.replaceAll('-', ''))));
  }

  /** One export, compared with the model; of a chain when it starts where the last one ended. */
  async exportFrom(start, busy = this.r.below(2) === 1) {
    const late = busy ? this.later() : Promise.resolve(new Set());
    const { csv, meta, end } = await exportNow(this.m, this.w.seller, start);
    const deleted = await late;
    const { covered } = this.model;
    this.model.covered = Math.max(covered, end);
    const records = parseCsv(csv);
    await this.settle();
    const what = `window ${new Date(start).toISOString()} to ${new Date(end).toISOString()}`;
    // Whoever was deleted in that very moment may or may not be in it: those lines are set aside on both sides.
    const settled = (text) => text.split('\r\n').filter((l) => ![...deleted].some((id) => l.includes(id)) || l.endsWith(',DELETE')).join('\r\n');
    assert.equal(settled(csv), settled(this.model.file(start, end)), what);
    assert.equal(Date.parse(meta.dataSetCoverageRange.startDateTime), start);
    assert.equal(end, Math.max(Date.parse(meta.requestReceivedDateTime) - 15 * 60000, covered), 'fifteen minutes ago, or where the last export ended');
    assert.equal(Boolean(meta.emptyReason), records.length === 0, what);
    this.compared++;
    this.lines += records.length;
    if (start !== this.from) return;
    this.replica.apply(records);
    this.from = end;
    assert.deepEqual(this.model.differences(this.replica, end), [], `the copy after ${what}`);
  }

  async round() {
    await this.burst();
    this.moveClock();
    if (this.r.below(3) === 0) await this.comeAndGo();
    if (this.r.below(5) === 0) await this.restart();
    if (this.r.below(3) === 0 || this.model.enrolled === null) return;
    await this.exportFrom(this.from);
    if (this.r.below(3) === 0) await this.exportFrom(EVER);
  }

  /** Everything has happened; half an hour later one more export brings the copy up to date. */
  async rest() {
    if (this.model.enrolled === null) await this.setEnrolled(true);
    for (const p of this.w.products) if (this.model.products.get(p.productId) === null) await this.setProduct(p, true);
    await this.settle();
    this.shift = (Math.max(this.latest(), this.model.covered, this.model.lastChange()) - Date.now()) / 1000 + 1860;
    this.m.setClock(this.shift);
    await this.exportFrom(this.from, false);
    await this.exportFrom(EVER, false);
    assert.deepEqual([...this.replica.contacts.keys()].sort(), this.model.live().map((c) => c.id).sort());
    assert.ok(this.n > 20 && this.compared > 2 && this.lines > 10, 'the history is worth checking');
  }
}

for (let seed = seed0; seed < seed0 + runs; seed++) {
  test(`random history, seed ${seed}`, { timeout: 300000 }, async () => {
    const m = await Marketplace.create({ clock: true });
    try {
      const h = await History.begin(m, seed);
      for (let i = 0; i < rounds; i++) await h.round();
      await h.rest();
    } finally {
      await m.close();
    }
  });
}
