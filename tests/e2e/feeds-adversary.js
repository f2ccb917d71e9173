// SPDX-License-Identifier: Apache-2.0
// Feeds that are hard to read rightly, from a seed: ties and corrections in any month's file, soft deletes, sales over several end users,
// products, payers and currencies, addresses and accounts that change at the very instants that matter, nets of zero and below, text
// that must be quoted. Few keys and few instants, so that things meet.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { feedColumns } from './feeds-oracle.js';

/** A small generator of numbers (mulberry32): the same seed, the same feeds on every machine. */
export function dice(seed) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6D2B79F5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { next, below, pick: (list) => list[below(list.length)], chance: (p) => next() < p,
    shuffle: (list) => {
      const l = [...list];
      for (let i = l.length - 1; i > 0; i--) { const j = below(i + 1); [l[i], l[j]] = [l[j], l[i]]; }
      return l;
    } };
}

const second = 1000, day = 86400 * second;
export const instant = (t) => new Date(t).toISOString().replace('.000Z', 'Z');
const start = Date.UTC(2024, 0, 1);
export const monthNames = ['2024-01', '2024-02', '2024-03', '2024-04'];
const quoted = (v) => (/[",\r\n]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v);

/** Rows by feed: objects of text. `cents`: amounts of whole cents, books that balance and nothing without a product. */
export function adversary(seed, { cents = false } = {}) {
  const d = dice(seed * 7919 + 17);
  const rows = { account: [], address: [], product: [], billing_event: [] };
  const put = (feed, values) => {
    const r = Object.fromEntries(feedColumns[feed].map((c) => [c, '']));
    Object.assign(r, values);
    r.insert_date ||= r.update_date;
    rows[feed].push(r);
    return r;
  };
  // Instants that meet: invoices, changes and payments share them or miss them by a second.
  const stems = Array.from({ length: 24 }, (_, i) => start + i * 5 * day + d.below(3) * day);
  stems.push(Date.UTC(2024, 1, 1), Date.UTC(2024, 1, 1) - second, Date.UTC(2024, 2, 1), Date.UTC(2024, 1, 29, 23, 59, 59));
  const when = () => d.pick(stems) + d.pick([0, 0, 0, second, -second]);
  const later = (t) => t + d.pick([0, 0, second, day, 9 * day, 40 * day]);

  const payers = ['payer-a', 'payer-b', 'payer-c', 'Payer-d', 'zz-payer'];
  const users = ['user-1', 'user-2', 'payer-a'];
  const accounts = [...new Set(['seller', 'maker', ...payers, ...users])];
  const number = (id, n = 0) => String((accounts.indexOf(id) + 1) * 1009 + n * 100003).padStart(12, '0');
  const addressIds = ['adr-1', 'adr-2', 'adr-3', 'Adr-4'];
  const towns = ['Seattle', 'Bath, Somerset', 'The "Hague"', 'Saint\nDenis', 'Orléans', '東京', " O'Hare ", 'a\r\nb', '=1+1', ''];
  for (const id of accounts) {
    // The first version may begin up to and beyond a day after the first invoice.
    let from = d.chance(0.4) ? start - 90 * day : when() + d.pick([0, day, day + second, day - second]);
    const versions = 1 + d.below(3);
    for (let v = 0; v < versions; v++) {
      const update = later(from);
      const values = { account_id: id, aws_account_id: number(id, d.below(2)), encrypted_account_id: `e-${id}`, mailing_address_id: d.pick(['', ...addressIds]),
        tax_legal_name: d.pick(towns), valid_from: instant(from), update_date: instant(update) };
      put('account', values);
      revise('account', values, from, update, (r) => { r.mailing_address_id = d.pick(['', ...addressIds]); r.aws_account_id = number(id, d.below(2)); });
      from = d.pick([when(), from + day, from + second]);
    }
  }
  for (const id of addressIds) {
    for (const account of accounts) {
      for (const n of [0, 1]) {
        if (d.chance(0.25)) continue;
        for (let v = 0; v < 1 + d.below(2); v++) {
          const from = when(), update = later(from);
          const fill = (r) => Object.assign(r, { email_domain: `${d.pick(['mail', 'post'])}.${account.toLowerCase()}.example`, company_name: d.pick(towns), country: d.pick(['US', 'DE', 'JP', '']),
            state_or_region: d.pick(['WA', 'NY', 'Île-de-France', '']), city: d.pick(towns), postal_code: d.pick(['02134', '98101', 'SW1A 1AA', '']), address_line_1: d.pick(towns) });
          const values = fill({ address_id: id, aws_account_id: number(account, n), valid_from: instant(from), update_date: instant(update) });
          put('address', values);
          revise('address', values, from, update, fill);
        }
      }
    }
  }
  const products = ['prod-1', 'prod-2', 'prod-3'];
  for (const id of products) {
    for (let v = 0; v < 1 + d.below(3); v++) {
      const from = v === 0 ? start - 10 * day : when(), update = later(from);
      const fill = (r) => Object.assign(r, { product_code: `code-${id.slice(5)}${d.pick(['', 'x'])}`, title: `${d.pick(['Log, "fast"', 'Multi\nline', 'Vault', ';tab\there', "x''y"])} ${v}` });
      const values = fill({ product_id: id, manufacturer_account_id: 'maker', valid_from: instant(from), update_date: instant(update) });
      put('product', values);
      // The newest version of a product stays: one that is gone altogether is told in a test of its own.
      revise('product', values, from, update, fill, v > 0 && !cents);
    }
  }

  /** Later rows of the same key and valid_from: corrections, ties, repetitions, soft deletes that hold or are taken back. */
  function revise(feed, values, from, update, change, mayDelete = true) {
    if (!d.chance(0.35)) return;
    let at = update;
    for (let i = 0; i < 1 + d.below(2); i++) {
      at = d.chance(0.35) ? at : later(at + day);
      const r = { ...values, update_date: instant(at), insert_date: values.insert_date || values.update_date };
      change(r);
      if (mayDelete && d.chance(0.15)) r.delete_date = instant(at);
      put(feed, r);
      if (d.chance(0.15)) put(feed, r);
    }
  }

  let n = 0;
  const pad = (x) => String(x).padStart(6, '0');
  const amounts = cents ? ['100.00', '0.01', '19.99', '5000.5', '7'] : ['100', '0.01', '0.005', '0.0049999999', '0.015', '1.0000000001', '19.99', '12345678901.99', '99999999999999.0049', '0.3333333333'];
  const negate = (x) => (x.startsWith('-') ? x.slice(1) : `-${x}`);
  const event = (values, at) => {
    const update = later(at);
    const r = put('billing_event', { billing_event_id: `ev${pad(d.below(1000000))}-${pad(++n)}`, currency: 'USD', balance_impacting: '1', invoice_date: instant(at),
      valid_from: instant(at), update_date: instant(update), broker_id: d.pick(['', 'AWS_INC']), ...values });
    return r;
  };
  // Corrections of a billing event: its amount, its month, who used it, where it was billed to.
  const correct = (r) => revise('billing_event', r, Date.parse(r.valid_from), Date.parse(r.update_date), (c) => {
    if (d.chance(0.4)) c.amount = d.pick(amounts);
    if (d.chance(0.4)) c.invoice_date = instant(when());
    if (d.chance(0.2) && r.end_user_account_id) c.end_user_account_id = d.pick(users);
    if (d.chance(0.2)) c.billing_address_id = d.pick(['', ...addressIds]);
    if (d.chance(0.1)) c.balance_impacting = d.pick(['0', '1']);
  });
  // The same event from another valid_from on: the documented queries count both.
  const again = (r) => {
    const at = Date.parse(r.valid_from) + d.pick([second, day]);
    correct(put('billing_event', { ...r, valid_from: instant(at), update_date: instant(later(at)), amount: d.pick(amounts), invoice_date: instant(when()) }));
  };
  const payouts = Array.from({ length: 5 }, (_, i) => ({ id: `payout-${seed}-${i}`, at: when(), currency: d.pick(['USD', 'USD', 'EUR', 'JPY']), lines: [] }));
  if (cents) for (const [i, c] of ['USD', 'EUR', 'JPY'].entries()) payouts[i].currency = c;
  const types = ['SELLER_REV_SHARE', 'SELLER_REV_SHARE', 'AWS_REV_SHARE', 'SELLER_TAX_SHARE', 'AWS_TAX_SHARE', 'SELLER_REV_SHARE_REFUND', 'AWS_REV_SHARE_REFUND',
    'SELLER_REV_SHARE_CREDIT', 'AWS_REV_SHARE_CREDIT', 'SELLER_TAX_SHARE_REFUND', 'BALANCE_ADJUSTMENT'];
  const everyType = [...types, 'SELLER_TAX_SHARE_CREDIT', 'AWS_TAX_SHARE_REFUND'];
  for (let sale = 0; sale < 45; sale++) {
    const ref = `ref-${pad(d.below(1000000))}-${sale}`;
    const payer = d.pick(payers), other = d.chance(0.15) ? d.pick(payers) : payer;
    const at = when(), money = d.pick(amounts), currency = d.pick(['USD', 'USD', 'EUR', 'JPY']);
    const lines = 1 + d.below(6);
    for (let l = 0; l < lines; l++) {
      const type = d.pick(cents ? types.slice(0, -1) : everyType);
      const operator = type.includes('AWS') || type === 'BALANCE_ADJUSTMENT';
      const reseller = !operator && d.chance(0.06);
      const down = reseller || (operator ? type === 'AWS_REV_SHARE' || d.chance(0.3) : /_REFUND|_CREDIT/.test(type)) !== d.chance(0.05);
      const base = {
        action: 'INVOICED', transaction_type: type, transaction_reference_id: ref, invoice_id: `inv-${sale}`, currency: d.chance(0.05) ? 'EUR' : currency,
        from_account_id: (operator && !type.startsWith('AWS_TAX')) || reseller ? 'seller' : d.chance(0.5) ? other : payer, to_account_id: operator ? 'AWS' : reseller ? 'maker' : 'seller',
        end_user_account_id: d.chance(0.15) ? '' : d.pick(users.slice(0, 1 + (sale % 3))), product_id: products[d.chance(0.8) ? sale % 3 : d.below(3)],
        billing_address_id: d.chance(0.4) ? '' : d.pick(addressIds), balance_impacting: type.startsWith('AWS_TAX') && (cents || !d.chance(0.1)) ? '0' : '1',
      };
      if (!cents && d.chance(0.03)) base.product_id = 'prod-gone'; // in no feed
      if (!cents && d.chance(0.03)) base.end_user_account_id = 'account-gone';
      if (!cents && !operator && !reseller && d.chance(0.03)) base.from_account_id = 'account-gone';
      if (type === 'BALANCE_ADJUSTMENT' && d.chance(0.5)) base.product_id = base.end_user_account_id = '';
      // Often the same amounts, so that lines cancel to nothing.
      const amount = d.chance(0.7) ? money : d.pick(amounts);
      const when0 = d.chance(0.8) ? at : when();
      const first = event({ ...base, amount: down ? negate(amount) : amount }, when0);
      if (!cents) correct(first);
      if (!cents && d.chance(0.05)) again(first);
      if (d.chance(0.15)) {
        const forgiven = event({ ...base, action: 'FORGIVEN', parent_billing_event_id: first.billing_event_id, amount: negate(first.amount) }, later(when0));
        if (!cents) correct(forgiven);
      } else if (d.chance(0.6)) {
        // Paid once, or again after a failure, or in parts.
        for (let p = 0; p < 1 + (cents ? 0 : d.below(2)); p++) {
          const able = cents ? payouts.filter((x) => x.currency === first.currency && !x.failed) : payouts;
          const payout = d.pick(able);
          if (!payout) continue;
          const line = event({ ...base, currency: first.currency, action: 'DISBURSED', parent_billing_event_id: first.billing_event_id, disbursement_billing_event_id: payout.id,
            amount: negate(first.amount), invoice_id: '', billing_address_id: d.pick(['', ...addressIds]) }, d.chance(0.6) ? payout.at : when());
          payout.lines.push(line);
          if (!cents) correct(line);
        }
      }
    }
  }
  // The payouts; with `cents` each is what its lines come to.
  for (const p of payouts) {
    const owed = p.lines.filter((l) => l.balance_impacting === '1').reduce((sum, l) => sum - Math.round(Number(l.amount) * 100), 0);
    const r = event({ billing_event_id: p.id, from_account_id: 'AWS', to_account_id: 'seller', action: 'DISBURSED', transaction_type: 'DISBURSEMENT', currency: p.currency,
      amount: cents ? (owed / 100).toFixed(2) : d.pick(amounts), balance_impacting: '0', bank_trace_id: `trace-${p.id}` }, p.at);
    if (!cents && d.chance(0.5)) {
      revise('billing_event', r, p.at, Date.parse(r.update_date), (c) => { c.invoice_date = instant(when()); if (d.chance(0.3)) c.bank_trace_id = `trace, "${d.below(9)}"`; }, false);
    }
    if (d.chance(0.3)) {
      event({ from_account_id: 'seller', to_account_id: 'AWS', action: 'DISBURSED', transaction_type: 'DISBURSEMENT_FAILURE', currency: p.currency,
        parent_billing_event_id: p.id, amount: negate(r.amount), balance_impacting: '0' }, later(p.at + day));
      p.failed = true;
    }
  }
  return rows;
}

/** The month's file that a row belongs to when it is appended on the day of its recording. */
export const recordedIn = (r) => r.update_date.slice(0, 7);

/**
 * Writes rows as feeds. `place` names the month's file of a row, `name` the file within the month, `order` permutes each file's rows,
 * `columns` the header.
 */
export function writeFeeds(dir, rows, { place = recordedIn, name = () => 'data.csv', order = (list) => list, folder = (feed) => `${feed}_v1`, end = '\n' } = {}) {
  rmSync(dir, { recursive: true, force: true });
  for (const [feed, list] of Object.entries(rows)) {
    const header = feedColumns[feed];
    const files = new Map();
    for (const r of list) {
      const path = join(`year=${place(r).slice(0, 4)}`, `month=${place(r).slice(5, 7)}`, name(r));
      if (!files.has(path)) files.set(path, []);
      files.get(path).push(r);
    }
    if (files.size === 0) files.set(join('year=2024', 'month=01', 'data.csv'), []);
    for (const [path, part] of files) {
      const file = join(dir, folder(feed), path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, [header.join(','), ...order(part).map((r) => header.map((c) => quoted(r[c])).join(','))].join(end) + end);
    }
  }
  return dir;
}
