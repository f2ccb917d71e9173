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
  }

  add(subscription, id, at, fields) {
    this.contacts.set(id, { id, subscription, events: [{ at, op: 'CREATE', fields }] });
  }

  edit(id, at, fields) {
    this.contacts.get(id).events.push({ at, op: 'UPDATE', fields });
  }

  /** `at` may be a range [earliest, latest] that an export's own line narrows later. */
  remove(id, at) {
    this.contacts.get(id).events.push(Array.isArray(at) ? { range: at, op: 'DELETE' } : { at, op: 'DELETE' });
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

  /** A DELETE line of an export tells the exact time of a delete whose answer did not. */
  learn(id, at) {
    const e = this.contacts.get(id)?.events.find((x) => x.op === 'DELETE');
    if (e && e.at === undefined && at >= e.range[0] && at <= e.range[1]) e.at = at;
  }

  /** The records of window [from, end) when the export runs after every event known. */
  lines(from, end) {
    const rows = [];
    for (const c of this.contacts.values()) {
      const within = c.events.filter((e) => Model.time(e) < end);
      if (within.length === 0) continue;
      const last = within.at(-1);
      const created = c.events[0].at;
      const at = Model.time(last);
      if (at < from) continue;
      if (last.op === 'DELETE') {
        rows.push({ c, at, op: 'DELETE', f: {} });
      } else if (!c.events.some((e) => e.op === 'DELETE')) { // deleted since: nothing now (case 12)
        rows.push({ c, at, op: created >= from ? 'CREATE' : 'UPDATE', f: last.fields });
      }
    }
    rows.sort((a, b) => a.at - b.at || (a.c.id < b.c.id ? -1 : 1));
    return rows.map(({ c, at, op, f }) => {
      const s = c.subscription;
      return [s.productId, s.productCode, c.id, s.subscriptionId, iso(s.startsAt), f.organization ?? '', s.buyerId,
        f.givenName ?? '', f.surname ?? '', f.telephoneNumber ?? '', f.emailAddress ?? '', f.title ?? '',
        f.countryCode ?? '', f.zipCode ?? '', iso(at), op].map(quote).join(',');
    });
  }

  file(from, end) {
    return [HEADER.join(','), ...this.lines(from, end)].map((l) => `${l}\r\n`).join('');
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
