// SPDX-License-Identifier: Apache-2.0
// Buyers, sellers and a seller's endpoint as they are on a bad day: each remembers what it was told, asks again when no
// answer came, and says at once when what it sees contradicts what was acknowledged.
import { strict as assert } from 'node:assert';
import { createHash, randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { parseCsv, person, sleep, until } from '../e2e/lib.js';
import { Replica } from '../e2e/model.js';
import { exportNow, fetchText, sdk } from '../e2e/world.js';

const PATIENCE = 2500; // what a client waits for an answer before it asks another node
const GIVE_UP = 90000;

export const within = (ms, promise, what) => {
  let timer;
  return Promise.race([promise, new Promise((_, no) => { timer = setTimeout(() => no(new Error(`${what}: no answer in ${ms} ms`)), ms); })])
    .finally(() => clearTimeout(timer));
};

/** What must never be seen, whatever is lost; other errors of a seller only mean that it asks again. */
class Contradiction extends Error {}
const hold = (truth, what) => { if (!truth) throw new Contradiction(what); };

/** When what was acknowledged: the time without service is the longest silence. */
export class Gauge {
  constructor() {
    this.acks = { write: [], read: [] };
    this.unknown = 0; // attempts whose outcome nobody told
    this.settled = 0; // of operations with such attempts
  }

  ack(kind) {
    this.acks[kind].push(performance.now());
  }

  since(kind, t) {
    return this.acks[kind].filter((x) => x >= t).length;
  }

  /** The longest time without an acknowledgement between two instants, in seconds. */
  silence(kind, from, to) {
    const times = [from, ...this.acks[kind].filter((t) => t > from && t < to), to];
    return Math.max(...times.slice(1).map((t, i) => t - times[i])) / 1000;
  }
}

/** One of the many: works in steps until told to stop; `pause` waits until it is between two steps. */
class Worker {
  start() {
    this.stopping = false;
    this.error = undefined;
    this.running = (async () => {
      while (!this.stopping) await this.step();
    })();
    this.running.catch((e) => { this.error = e; }); // thrown by pause() and Load.ok()
  }

  async pause() {
    this.stopping = true;
    await this.running;
  }
}

/** A buyer with one subscription. Nobody else changes its contacts, so it knows what must be there. */
export class Buyer extends Worker {
  constructor(fleet, subscription, r, gauge) {
    super();
    Object.assign(this, { fleet, subscription, r, gauge, contacts: new Map(), n: 0, at: r.below(fleet.nodes.length) });
    this.path = `/api/v1/subscriptions/${subscription.subscriptionId}/contacts`;
  }

  /**
   * Asks until somebody answers: other nodes, the same request. Gives the answer and how many attempts before it may
   * have had an effect all the same.
   */
  async insist(kind, method, path, body, headers) {
    const end = performance.now() + GIVE_UP;
    let unknown = 0, last = '';
    for (;;) {
      const node = this.fleet.nodes[this.at % this.fleet.nodes.length];
      try {
        const a = await node.rest(this.subscription.buyer, method, path, body, headers, AbortSignal.timeout(PATIENCE));
        if (a.status < 500 && a.status !== 429) {
          this.gauge.ack(kind);
          if (unknown) this.gauge.settled++;
          return { ...a, unknown };
        }
        last = `${a.status} ${a.json?.code}`;
      } catch (e) {
        last = e.cause?.code ?? e.name;
      }
      unknown++;
      this.gauge.unknown++;
      if (performance.now() > end) throw new Error(`${method} ${path}: no answer in ${GIVE_UP / 1000} s, last ${last}`);
      this.at++;
      await sleep(50);
    }
  }

  fields() {
    return person(this.n++, { emailAddress: `b${this.subscription.buyerId}.${this.n}@example.com` });
  }

  async add() {
    const fields = this.fields();
    const headers = { 'Idempotency-Key': randomUUID() };
    const a = await this.insist('write', 'POST', this.path, fields, headers);
    assert.equal(a.status, 201, `add (${a.unknown} unknown): ${a.text}`);
    assert.ok(!this.contacts.has(a.json.contactId), 'one id for two contacts');
    this.contacts.set(a.json.contactId, { fields, etag: a.headers.get('etag') });
    if (a.unknown === 0) return;
    // Settled: whoever asks again, on whichever node, gets the one answer.
    for (const node of this.fleet.nodes) {
      this.at = this.fleet.nodes.indexOf(node);
      const again = await this.insist('write', 'POST', this.path, fields, headers);
      assert.equal(again.status, 201, again.text);
      assert.equal(again.json.contactId, a.json.contactId, 'one key, two effects');
    }
  }

  async edit(id) {
    const c = this.contacts.get(id), fields = this.fields();
    const a = await this.insist('write', 'PUT', `${this.path}/${id}`, fields, { 'If-Match': c.etag });
    if (a.status === 412 && a.unknown > 0) { // an attempt without an answer had counted
      const now = await this.insist('read', 'GET', `${this.path}/${id}`);
      assert.equal(now.json?.emailAddress, fields.emailAddress, `edit: neither refused nor done: ${now.text}`);
      c.etag = now.headers.get('etag');
    } else {
      assert.equal(a.status, 200, `edit (${a.unknown} unknown) of what was acknowledged: ${a.text}`);
      c.etag = a.headers.get('etag');
    }
    c.fields = fields;
  }

  async remove(id) {
    const c = this.contacts.get(id);
    const a = await this.insist('write', 'DELETE', `${this.path}/${id}`, undefined, { 'If-Match': c.etag });
    assert.ok(a.status === 204 || (a.status === 404 && a.unknown > 0), `remove (${a.unknown} unknown): ${a.status} ${a.text}`);
    this.contacts.delete(id);
  }

  /** What is there is what was acknowledged last, no more and no less. */
  async look() {
    const a = await this.insist('read', 'GET', this.path);
    assert.equal(a.status, 200, a.text);
    const got = Object.fromEntries(a.json.items.map((c) => [c.contactId, c.emailAddress]));
    const want = Object.fromEntries([...this.contacts].map(([id, c]) => [id, c.fields.emailAddress]));
    assert.deepEqual(got, want, 'acknowledged and stored differ');
  }

  async step() {
    const ids = [...this.contacts.keys()], dice = this.r.below(10);
    if (dice < 3) await this.look();
    else if (ids.length < 5 && (dice < 6 || ids.length === 0)) await this.add();
    else if (dice < 9 && ids.length) await this.edit(this.r.pick(ids));
    else if (ids.length) await this.remove(this.r.pick(ids));
    if (this.r.below(4) === 0) this.at++;
    await sleep(5 + this.r.below(20));
  }
}

/** A seller that keeps a copy by asking from where its last export ended. What fails is asked again from the same place. */
export class Seller extends Worker {
  constructor(fleet, seller) {
    super();
    Object.assign(this, { fleet, seller, replica: new Replica(), from: 0, at: 0, done: [], records: 0, failed: 0 });
  }

  async export(from, node) {
    const e = await within(20000, exportNow(node, this.seller, from), 'export');
    const records = parseCsv(e.csv);
    hold(createHash('sha256').update(e.csv).digest('hex') === e.meta.sha256, 'the file is not the one its metadata describes');
    hold(records.length === e.meta.rowCounts.create + e.meta.rowCounts.update + e.meta.rowCounts.delete, 'metadata that counts other rows');
    hold(new Set(records.map((r) => r['Customer Guid'])).size === records.length, 'two records for one contact in one export');
    this.done.push(e.dataSetRequestId);
    return { ...e, records };
  }

  async follow() {
    const e = await this.export(this.from, this.fleet.nodes[this.at++ % this.fleet.nodes.length]);
    this.replica.apply(e.records);
    this.records += e.records.length;
    hold(e.end >= this.from, 'a window that ends before it begins');
    this.from = e.end;
  }

  async step() {
    try {
      await this.follow();
    } catch (e) {
      if (e instanceof Contradiction) throw e;
      this.failed++;
      this.lastFailure = e.message;
    }
    await sleep(100);
  }

  /** As `follow`, and a new copy from nothing; both against what the buyers know. */
  async converge(want) {
    await this.follow();
    const copy = Object.fromEntries([...this.replica.contacts].map(([id, r]) => [id, r.Email]));
    assert.deepEqual(copy, want, 'exports applied in order and the database differ');
    const { records } = await this.export(0, this.fleet.nodes[this.at++ % this.fleet.nodes.length]);
    const full = records.filter((r) => r['Operation Type'] !== 'DELETE').map((r) => [r['Customer Guid'], r.Email]);
    assert.deepEqual(Object.fromEntries(full), want, 'a full export and the database differ');
  }
}

/** A seller's endpoint: fetches whatever a notification names, at once, from every node. */
export class Receiver {
  static async open(fleet, sellers, host = '127.0.0.1', tls = null) {
    const o = new Receiver();
    Object.assign(o, { fleet, sellers, messages: new Map(), missing: [], busy: 0, fetched: 0 });
    const answer = (req, res) => {
      const parts = [];
      req.on('data', (p) => parts.push(p)).on('end', () => {
        o.take(JSON.parse(Buffer.concat(parts).toString('utf8')));
        res.writeHead(200).end();
      });
    };
    o.server = tls ? https.createServer(tls, answer) : http.createServer(answer);
    await new Promise((r) => o.server.listen(0, host, r));
    const url = `http${tls ? 's' : ''}://${host}:${o.server.address().port}/hook`;
    for (const s of sellers) {
      const a = await fleet.nodes[0].rest(s, 'POST', `/api/v1/sellers/${s.accountId}/topics/${s.topicArn.split(':').at(-1)}/endpoints`, { url });
      assert.equal(a.status, 201, a.text);
    }
    await until(() => o.confirmed === sellers.length, 20000, 'confirmation of the endpoints');
    return o;
  }

  take(m) {
    this.busy++;
    const work = m.Type === 'SubscriptionConfirmation' ? this.confirm(m) : this.check(m);
    work.catch((e) => this.missing.push(e.message)).finally(() => { this.busy--; });
  }

  async confirm(m) {
    assert.equal((await fetch(m.SubscribeURL)).status, 200);
    this.confirmed = (this.confirmed ?? 0) + 1;
  }

  async check(m) {
    const body = JSON.parse(m.Message);
    assert.ok(body.success, `a failed export: ${m.Message}`);
    const ids = this.messages.get(body.dataSetRequestId) ?? new Set();
    this.messages.set(body.dataSetRequestId, ids.add(m.MessageId));
    const seller = this.sellers.find((s) => s.topicArn === m.TopicArn);
    for (const { bucketName, key } of [body.dataSetS3Location, body.dataSetMetaDataS3Location]) {
      for (const node of this.fleet.nodes) await this.get(node, seller, bucketName, key);
    }
  }

  /** A node that is away may be asked later, as may one whose clock was moved after we signed; one that answers must have it. */
  async get(node, seller, bucket, key) {
    for (const end = performance.now() + GIVE_UP; ;) {
      try {
        await within(5000, fetchText(sdk(node, seller), bucket, key), 'object');
        this.fetched++;
        return;
      } catch (e) {
        const status = e.$metadata?.httpStatusCode;
        if (status && status < 500 && e.name !== 'RequestTimeTooSkewed' || performance.now() > end) throw new Error(`a notification named ${key}, and it is not there: ${status} ${e.name} ${e.message}`);
        await sleep(200);
      }
    }
  }

  close() {
    this.server.closeAllConnections?.();
    this.server.close();
  }
}

/** All of them on one fleet (`nodes`, `setClock`, `shift`), and what must hold when they rest. */
export class Load {
  constructor(fleet, worlds, receiver, r) {
    this.gauge = new Gauge();
    this.fleet = fleet;
    this.receiver = receiver;
    this.buyers = worlds.flatMap((w) => w.subscriptions).map((s) => new Buyer(fleet, s, r, this.gauge));
    this.sellers = worlds.map((w) => new Seller(fleet, w.seller));
    this.sellerOf = new Map(worlds.flatMap((w) => w.subscriptions.map((s) => [s.subscriptionId, w.seller])));
  }

  start() {
    for (const w of [...this.buyers, ...this.sellers]) w.start();
  }

  /** True, or the first contradiction that somebody met. */
  ok() {
    for (const w of [...this.buyers, ...this.sellers]) if (w.error) throw w.error;
    return true;
  }

  async pause() {
    await Promise.all([...this.buyers, ...this.sellers].map((w) => w.pause()));
  }

  /** Everybody stops, whatever they met. */
  async rest() {
    await Promise.allSettled([...this.buyers, ...this.sellers].map((w) => w.pause()));
  }

  want(seller) {
    return Object.fromEntries(this.buyers.filter((b) => this.sellerOf.get(b.subscription.subscriptionId) === seller)
      .flatMap((b) => [...b.contacts].map(([id, c]) => [id, c.fields.emailAddress])));
  }

  /** At rest: every promise at once. Moves the clock past the fifteen minutes. */
  async check() {
    for (let i = 0; i < this.fleet.nodes.length; i++) {
      await Promise.all(this.buyers.map((b) => { b.at = i; return b.look(); }));
    }
    await this.fleet.setClock(this.fleet.shift + 1000);
    for (const s of this.sellers) await s.converge(this.want(s.seller));
    await this.deliveries();
    assert.deepEqual(this.receiver.missing, [], 'notifications');
  }

  /** Every export that was asked for, also those whose answer was lost: delivered, and told of once. */
  async deliveries() {
    for (const { seller } of this.sellers) {
      const all = await until(async () => {
        const entries = await this.log(seller);
        return entries.every((e) => e.state !== 'waiting') && entries;
      }, 90000, 'the end of every export');
      assert.deepEqual(all.filter((e) => e.state !== 'delivered'), [], 'exports that were not delivered');
      await until(() => this.receiver.busy === 0 && all.every((e) => this.receiver.messages.has(e.dataSetRequestId)), 90000,
        'a notification for every export').catch((e) => {
        throw new Error(`${e.message}: ${all.filter((x) => !this.receiver.messages.has(x.dataSetRequestId)).length} of ${all.length} missing`);
      });
      for (const e of all) assert.equal(this.receiver.messages.get(e.dataSetRequestId).size, 1, `${e.dataSetRequestId}: delivered twice`);
    }
  }

  async log(seller) {
    const items = [];
    for (let cursor = ''; cursor !== undefined;) {
      const a = await this.fleet.nodes[0].rest(seller, 'GET', `/api/v1/sellers/${seller.accountId}/deliveries?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      assert.equal(a.status, 200, a.text);
      items.push(...a.json.items);
      cursor = a.json.nextCursor ?? undefined;
    }
    return items;
  }
}
