// SPDX-License-Identifier: Apache-2.0
// The marketplace as simply as it can be said: a list of events per contact, and psc.md section 6
// applied to it by looking at every contact each time. Nothing here is clever, so that it can be right.

const HEADER = ['Product Id', 'Product Code', 'Customer Guid', 'Subscription Guid', 'Subscription Start Date',
  'Organization', 'AWS Customer Id', 'Given Name', 'Surname', 'Telephone Number', 'Email', 'Title',
  'Country Code', 'ZIP Code', 'Operation Time', 'Operation Type'];
const iso = (ms) => new Date(ms).toISOString();
const quote = (s) => (/[",\r\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s);

export class Model {
  constructor() {
    this.contacts = new Map(); // contact id -> { subscription, events: [{ at, op, fields }] }
    this.products = new Map(); // product id -> since when it takes part; null while disabled
    this.enrolled = 0; // since when the seller is; null while withdrawn
    this.covered = 0; // the latest end of any export asked for: no change counts as made before it
  }

  add(subscription, id, at, fields) {
    this.contacts.set(id, { id, subscription, events: [{ at, op: 'CREATE', fields }] });
  }

  edit(id, at, fields) {
    this.contacts.get(id).events.push({ at, op: 'UPDATE', fields });
  }

  /**
   * A deletion whose answer does not tell its time, asked for between two instants of the clock. Like every change
   * it counts as made after the contact's last one and not behind an export's end, whatever the clock says.
   */
  removeBetween(id, earliest, latest) {
    const { events } = this.contacts.get(id);
    const least = Math.max(this.covered, Model.time(events.at(-1)) + 1);
    events.push({ range: [Math.max(earliest, least), Math.max(latest, least)], op: 'DELETE' });
  }

  remove(id, at) {
    this.contacts.get(id).events.push({ at, op: 'DELETE' });
  }

  live(subscription, at = Infinity) {
    return [...this.contacts.values()].filter((c) => (subscription === undefined || c.subscription === subscription)
      && this.stateAt(c, at) !== null);
  }

  static time(e) {
    return e.at ?? e.range[0];
  }

  /** The fields that hold for a contact just before `end`; null when there is no such contact then. */
  stateAt(c, end) {
    let state = null;
    for (const e of c.events) {
      if (Model.time(e) < end) state = e.op === 'DELETE' ? null : e.fields;
    }
    return state;
  }

  lastChange() {
    return Math.max(0, ...[...this.contacts.values()].map((c) => Model.time(c.events.at(-1))));
  }

  takesPart(c, end) {
    const since = this.products.get(c.subscription.productId) ?? null;
    return since !== null && since < end;
  }

  /** Deleted, but not yet at `end`: left out for privacy (case 12). */
  goneSince(c, end) {
    const last = c.events.at(-1);
    return last.op === 'DELETE' && Model.time(last) >= end;
  }

  /** The deletions whose time is known only roughly so far. */
  unsettled() {
    return [...this.contacts.values()].filter((c) => c.events.at(-1).range && c.events.at(-1).at === undefined);
  }

  settle(id, at) {
    const e = this.contacts.get(id).events.at(-1);
    if (!(at >= e.range[0] && at <= e.range[1])) throw new Error(`${id} was deleted at ${iso(at)}, not within ${e.range.map(iso)}`);
    e.at = at;
  }

  /** The records of window [from, end) when the export runs after every event known. */
  records(from, end) {
    const rows = [];
    if (from >= end) return rows;
    for (const c of this.contacts.values()) {
      const last = c.events.filter((e) => Model.time(e) < end).at(-1);
      if (!last || !this.takesPart(c, end) || this.goneSince(c, end)) continue;
      // What came into the exchange within the window is news altogether.
      const since = this.products.get(c.subscription.productId);
      const start = since >= from || this.enrolled >= from ? -Infinity : from;
      const at = Model.time(last);
      if (at < start) continue;
      const op = last.op === 'DELETE' ? 'DELETE' : c.events[0].at >= start ? 'CREATE' : 'UPDATE';
      rows.push({ c, at, op, f: last.fields ?? {} });
    }
    return rows.sort((a, b) => a.at - b.at || (a.c.id < b.c.id ? -1 : 1));
  }

  file(from, end) {
    const lines = this.records(from, end).map(({ c, at, op, f }) => {
      const s = c.subscription;
      return [s.productId, s.productCode, c.id, s.subscriptionId, iso(s.startsAt), f.organization ?? '', s.buyerId,
        f.givenName ?? '', f.surname ?? '', f.telephoneNumber ?? '', f.emailAddress ?? '', f.title ?? '',
        f.countryCode ?? '', f.zipCode ?? '', iso(at), op].map(quote).join(',');
    });
    return [HEADER.join(','), ...lines].map((l) => `${l}\r\n`).join('');
  }

  /** What a copy must have once it has applied an export that ended at `end`; a word about each that differs. */
  differences(replica, end) {
    const wrong = [];
    for (const c of this.contacts.values()) {
      if (!this.takesPart(c, end) || this.goneSince(c, end)) continue;
      const want = this.stateAt(c, end), got = replica.contacts.get(c.id);
      if (!want !== !got) wrong.push(`${c.id}: ${got ? 'kept, though deleted' : 'missing'}`);
      else if (want && (want.emailAddress !== got.Email || want.organization !== got.Organization)) wrong.push(`${c.id}: not as it was at the end`);
    }
    for (const id of replica.contacts.keys()) if (!this.contacts.has(id)) wrong.push(`${id}: invented`);
    return wrong;
  }
}

/** A seller's copy: what it has after applying exports in order, by Customer Guid. */
export class Replica {
  constructor() {
    this.contacts = new Map();
  }

  apply(records) {
    const seen = new Set();
    for (const r of records) {
      const id = r['Customer Guid'];
      if (seen.has(id)) throw new Error('two records for one contact in one export');
      seen.add(id);
      if (r['Operation Type'] === 'DELETE') {
        this.contacts.delete(id); // one we never had is ignored quietly (case 14)
      } else {
        this.contacts.set(id, r);
      }
    }
  }
}
