// SPDX-License-Identifier: Apache-2.0
// What must not matter does not: order and place of rows, threads, how months are asked for. What was known then can be had again. And the
// two documented ways to a balance (data-feeds 4.5) meet, in SQL and through souk's own reports.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { soukOk } from './lib.js';
import { adversary, dice, monthNames, writeFeeds } from './feeds-adversary.js';
import { DuckOracle } from './feeds-oracle.js';

let top;
before(() => { top = mkdtempSync(join(tmpdir(), 'souk-properties-')); });
after(() => rmSync(top, { recursive: true, force: true }));

const reports = [
  ['sales_compensation_billed_revenue'], ['sales_compensation_billed_revenue', '--variant', 'query'],
  ['disbursed_amount_by_product'], ['disbursed_amount_by_product', '--variant', 'query'], ['disbursed_amount_by_customer_geo'],
  ['monthly_revenue_billing_and_revenue_data'], ['disbursed_amount_by_uncollected_funds_breakdown'],
  ['disbursed_amount_by_age_of_uncollected_funds'], ['disbursed_amount_by_age_of_disbursed_funds'], ['disbursed_amount_by_age_of_past_due_funds'],
];
const get = async (dir, report, ...more) => (await soukOk(['report', ...report, '--feeds', dir, '--seller', 'seller', ...more])).out;
const all = (dir, ...more) => Promise.all(reports.map((r) => get(dir, r, ...more)));
const lines = (outs) => outs.reduce((n, o) => n + o.split('\n').length - 2, 0);

/** The same bytes of every report, whatever became of the files. */
async function same(expected, dir, what, ...more) {
  for (const [i, out] of (await all(dir, '--all-months', ...more)).entries()) assert.equal(out, expected[i], `${what}: ${reports[i].join(' ')}`);
}

test('order, place and name of rows and files change no byte', async () => {
  for (let seed = 101; seed <= 102; seed++) {
    const rows = adversary(seed), d = dice(seed), dir = join(top, 'same');
    const expected = await all(writeFeeds(dir, rows), '--all-months');
    assert.ok(lines(expected) > 100);
    const again = (what, how) => same(expected, writeFeeds(dir, rows, how), `seed ${seed}, ${what}`);
    await again('rows permuted', { order: d.shuffle });
    await again('all months in one file', { place: () => '2010-01' });
    await again('months split at random', { place: () => d.pick(['2010-01', ...monthNames, '2031-12']), order: d.shuffle });
    await again('a file for each day', { name: (r) => `day-${r.update_date.slice(8, 10)}.csv` });
    await again('rows appended day by day', { order: (l) => [...l].sort((a, b) => (a.update_date < b.update_date ? -1 : a.update_date > b.update_date ? 1 : 0)) });
    await again('the queried names of folders, CRLF', { folder: (f) => `${f.replace('_', '')}feed_v1`, end: '\r\n' });
    await same(expected, dir, 'one thread', '--threads', '1');
    await same(expected, dir, 'five threads', '--threads', '5');
  }
});

test('all months are the months one after another', async () => {
  const dir = join(top, 'months');
  for (let seed = 111; seed <= 112; seed++) {
    const rows = adversary(seed);
    // A listing fee in every month, so that the seller is met in each.
    const model = rows.billing_event.find((r) => r.action === 'INVOICED' && r.transaction_type === 'AWS_REV_SHARE' && !r.delete_date);
    for (let m = 1; m <= 6; m++) rows.billing_event.push({ ...model, billing_event_id: `monthly-${m}`, invoice_date: `2024-0${m}-03T00:00:00Z`, transaction_reference_id: `monthly-${m}` });
    writeFeeds(dir, rows);
    for (const report of reports) {
      // What is uncollected is a state, listed once.
      if (report[0].endsWith('_breakdown')) continue;
      // Of the documented query a sale over several months is one line of the last: without a month in its group, it says so.
      if (report[0].startsWith('sales_') && report.length > 1) continue;
      const whole = (await get(dir, report, '--all-months')).split('\n');
      const parts = [];
      for (let m = 1; m <= 6; m++) parts.push(...(await get(dir, report, '--month', `2024-0${m}`)).split('\n').slice(1, -1));
      // Sales compensation is in the order of references, whatever the month.
      const order = (l) => (report[0].startsWith('sales_') ? [...l].sort() : l);
      assert.deepEqual(order(whole.slice(1, -1)), order(parts), `seed ${seed}, ${report.join(' ')}`);
    }
  }
});

test('as known at an instant is what the feeds cut off there say', async () => {
  for (let seed = 121; seed <= 123; seed++) {
    const rows = adversary(seed), d = dice(seed), dir = join(top, 'whole'), cut = join(top, 'cut');
    writeFeeds(dir, rows);
    const now = await all(dir, '--all-months');
    const records = rows.billing_event.map((r) => r.update_date).sort();
    for (const known of [d.pick(records.slice(records.length / 3)), d.pick(records.slice(records.length / 2))]) {
      writeFeeds(cut, Object.fromEntries(Object.entries(rows).map(([f, l]) => [f, l.filter((r) => r.update_date <= known)])));
      const then = await all(dir, '--all-months', '--as-known-at', known);
      assert.deepEqual(then, await all(cut, '--all-months'), `seed ${seed} as known at ${known}`);
      assert.notDeepEqual(then, now);
    }
  }
});

const counts = "(starts_with(transaction_type, 'SELLER_') OR starts_with(transaction_type, 'AWS_REV_') OR transaction_type = 'BALANCE_ADJUSTMENT')";
const failed = "(SELECT parent_billing_event_id FROM billing_event WHERE transaction_type = 'DISBURSEMENT_FAILURE')";
const kept = `${counts} AND disbursement_billing_event_id NOT IN ${failed}`;
const balances = `SELECT currency,
  sum(CASE WHEN action IN ('INVOICED', 'FORGIVEN') AND ${counts} THEN amount WHEN starts_with(transaction_type, 'DISBURSEMENT') THEN -amount ELSE 0 END)::VARCHAR,
  sum(CASE WHEN ${kept} THEN amount ELSE 0 END)::VARCHAR,
  round(sum(CASE WHEN ${kept} AND NOT contains(transaction_type, 'TAX') THEN amount ELSE 0 END), 2)::DECIMAL(38, 2)::VARCHAR
FROM billing_event GROUP BY ALL ORDER BY ALL`;
const json = async (dir, set, ...more) => (await soukOk(['report', set, '--feeds', dir, '--format', 'json', ...more])).out
  .split('\n').filter((l) => l).map((l) => JSON.parse(l));
const cents = (text) => BigInt(text.replace('.', ''));

/** Sums of some columns by currency, in whole cents. */
function sums(objects, columns) {
  const found = {};
  for (const o of objects) for (const c of columns) found[o.Currency] = (found[o.Currency] ?? 0n) + cents(o[c]);
  return found;
}

test('billed less paid is what is pending', async () => {
  const duck = await DuckOracle.start();
  try {
    const dir = join(top, 'balance');
    for (let seed = 131; seed <= 138; seed++) {
      const whole = seed > 134;
      if (whole) writeFeeds(dir, adversary(seed, { cents: true }));
      else await soukOk(['feeds', 'make', dir, '--events', '1200', '--seed', String(seed)]);
      await duck.load(dir);
      await duck.knownAt(null);
      const seller = whole ? ['--seller', 'seller'] : [];
      const pending = Object.fromEntries((await json(dir, 'disbursed_amount_by_age_of_uncollected_funds', '--month', '2024-12', ...seller))
        .map((o) => [o.Currency, o['Uncollected (overall)']]));
      for (const [currency, collectable, lines, net] of await duck.rows(balances)) {
        assert.equal(collectable, lines, `seed ${seed}, ${currency}: collectable less disbursed, and pending lines`);
        assert.equal(pending[currency] ?? '0.00', net, `seed ${seed}, ${currency}: what souk calls uncollected`);
      }
      if (whole) {
        // Amounts of whole cents: three reports of souk's add up without rounding.
        const billed = sums(await json(dir, 'sales_compensation_billed_revenue', '--all-months', ...seller), ['Net Revenue']);
        const paid = sums(await json(dir, 'disbursed_amount_by_product', '--all-months', ...seller), ['Net Amount']);
        for (const c of Object.keys(billed)) assert.equal(billed[c] - (paid[c] ?? 0n), cents(pending[c] ?? '0.00'), `seed ${seed}, ${c}: billed ${billed[c]}, paid ${paid[c]}`);
      }
      rmSync(dir, { recursive: true });
    }
  } finally { duck.close(); }
});
