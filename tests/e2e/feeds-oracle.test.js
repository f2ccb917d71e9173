// SPDX-License-Identifier: Apache-2.0
// souk's two documented reports against two other computations of them, line by line and cent by cent (feeds-oracle.js).
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { soukOk } from './lib.js';
import { Postgres } from './postgres.js';
import { adversary, dice, instant, monthNames, writeFeeds } from './feeds-adversary.js';
import { asSet, difference, DuckOracle, PostgresOracle, soukReports } from './feeds-oracle.js';

let top, postgres, pg, duck;
before(async () => {
  top = mkdtempSync(join(tmpdir(), 'souk-oracle-'));
  [postgres, duck] = await Promise.all([Postgres.start(), DuckOracle.start()]);
  pg = new PostgresOracle(postgres);
});
after(async () => {
  duck?.close();
  await postgres?.close();
  rmSync(top, { recursive: true, force: true });
});

/** Both reports of a folder are the same three times; gives souk's, in the order of `asked`. */
async function agree(dir, asked, more, what) {
  // All are waited for, also when one fails: a database is closed only when nobody asks it.
  const done = await Promise.allSettled([soukReports(dir, asked, more), duck.reports(dir, asked), pg.reports(dir, asked)]);
  for (const d of done) if (d.status === 'rejected') throw d.reason;
  const [ours, first, second] = done.map((d) => d.value);
  for (const [i, a] of asked.entries()) {
    for (const set of ['sales', 'disbursed']) {
      for (const [name, theirs] of [['DuckDB', first[i][set]], ['PostgreSQL', second[i][set]]]) {
        if (asSet(ours[i][set]).join('\n') === asSet(theirs).join('\n')) continue;
        const d = difference(ours[i][set], theirs);
        assert.fail(`${what}, ${set}, ${JSON.stringify(a)}: souk and ${name} differ\nonly souk:\n${d.onlyFirst.slice(0, 5).join('\n')}\nonly ${name}:\n${d.onlySecond.slice(0, 5).join('\n')}`);
      }
    }
  }
  return ours;
}

test('synthetic sellers: every line and cent of 20 seeds', async () => {
  let lines = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const dir = join(top, `made-${seed}`);
    await soukOk(['feeds', 'make', dir, '--events', '700', '--months', '4', '--seed', String(seed), ...(seed % 3 ? [] : ['--shuffle'])]);
    const [all, month] = await agree(dir, [{}, { month: `2024-0${1 + (seed % 4)}` }], [], `seed ${seed}`);
    lines += all.sales.length + all.disbursed.length + month.sales.length;
    rmSync(dir, { recursive: true });
  }
  assert.ok(lines > 20 * 150, `${lines} lines are too few to prove much`);
});

test('adversarial feeds: every line and cent of 12 seeds, by month, and as known in between', async () => {
  const seen = { negative: 0, currencies: new Set(), addresses: 0, known: 0 };
  for (let seed = 1; seed <= 12; seed++) {
    const dir = join(top, `adverse-${seed}`), d = dice(seed);
    const rows = adversary(seed);
    writeFeeds(dir, rows);
    // The very instant of a record, and one a second before another.
    const records = rows.billing_event.map((r) => r.update_date).sort();
    const known = d.pick(records.slice(records.length / 3)), before = instant(Date.parse(d.pick(records.slice(records.length / 2))) - 1000);
    const [all, , then] = await agree(dir, [{}, { month: d.pick(monthNames) }, { known }, { known: before, month: d.pick(monthNames.slice(0, 2)) }],
      ['--seller', 'seller'], `adversarial seed ${seed}`);
    for (const r of all.sales) {
      if (r[12].startsWith('-')) seen.negative++;
      seen.currencies.add(r[13]);
      if (r[1] || r[3]) seen.addresses++;
    }
    if (asSet(all.sales).join() !== asSet(then.sales).join()) seen.known++;
    rmSync(dir, { recursive: true });
  }
  // The feeds are worth the comparison only while these occur.
  assert.ok(seen.negative > 60 && seen.addresses > 60 && seen.known > 6 && seen.currencies.size === 3, JSON.stringify({ ...seen, currencies: seen.currencies.size }));
});
