// SPDX-License-Identifier: Apache-2.0
// souk feeds make and souk feeds check: what they print, how they exit.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { souk } from './lib.js';

let dir;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'souk-feeds-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));
const at = (name) => join(dir, name);
const events = (feeds, month) => join(feeds, 'billing_event_v1', 'year=2024', `month=${month}`, 'data.csv');
const make = async (name, ...args) => {
  const r = await souk(['feeds', 'make', at(name), '--events', '3000', '--months', '4', '--json', ...args]);
  assert.equal(r.code, 0, r.err);
  return JSON.parse(r.out);
};

test('made feeds are sound, without a data directory', async () => {
  const made = await make('sound', '--seller', '000000700100');
  assert.equal(made.seller, '000000700100');
  assert.ok(made.events > 2000 && made.rows > made.events);
  assert.match(made.accountId, /^[A-Za-z0-9]{40}$/);
  assert.deepEqual(readdirSync(at('sound')).sort(), ['account_v1', 'address_v1', 'billing_event_v1', 'legacy_mapping_v1', 'offer_product_v1', 'offer_target_v1',
    'offer_v1', 'product_v1', 'tax_item_v1']);
  const text = await souk(['feeds', 'check', at('sound')], { env: { SOUK_DATA: '' } });
  assert.equal(text.code, 0, text.out + text.err);
  assert.equal(text.out, `36 files, ${made.rows} rows, 0 findings\n`);
  const json = JSON.parse((await souk(['feeds', 'check', '--json', at('sound')])).out);
  assert.equal(json.total, 0);
  assert.deepEqual(Object.keys(json.counts), ['file', 'row', 'month', 'value', 'link', 'cycle', 'DF-1', 'DF-2', 'DF-3', 'DF-4', 'DF-5', 'DF-6', 'DF-7', 'DF-8']);
});

test('a finding has file, line, column, what, fix and rule; exit 1', async () => {
  await make('broken');
  const path = events(at('broken'), '02');
  const lines = readFileSync(path, 'utf8').split('\n');
  const cells = lines[6].split(',');
  cells[9] = '1e3';
  lines[6] = cells.join(',');
  writeFileSync(path, lines.join('\n'));
  const text = await souk(['feeds', 'check', at('broken')]);
  assert.equal(text.code, 1);
  assert.match(text.out, /^billing_event_v1\/year=2024\/month=02\/data\.csv:7:amount: [^;]+; [^;]+ \[row\]$/m);
  assert.match(text.out, /^row +1 {2}/m);
  assert.match(text.out, /^36 files, \d+ rows, [1-9]\d* findings$/m);
  assert.ok(!text.out.includes('1e3'), 'the input is never quoted');
  const json = await souk(['feeds', 'check', '--json', '--limit', '0', at('broken')]);
  assert.equal(json.code, 1);
  const all = JSON.parse(json.out);
  assert.equal(all.findings.length, 0);
  assert.equal(all.counts.row, 1);
  const first = JSON.parse((await souk(['feeds', 'check', '--json', at('broken')])).out).findings.find((x) => x.rule === 'row');
  assert.equal(first.file, 'billing_event_v1/year=2024/month=02/data.csv');
  assert.equal(first.line, 7);
  assert.equal(first.column, 'amount');
  assert.ok(first.what && first.fix);
});

test('an earlier copy: files may only grow', async () => {
  await make('today');
  cpSync(at('today'), at('yesterday'), { recursive: true });
  const path = events(at('today'), '04');
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const row = lines[1].split(',');
  row[23] = '2024-04-30T23:00:00Z'; // a correction that corrects nothing
  appendFileSync(path, row.join(',') + '\n');
  const grown = await souk(['feeds', 'check', at('today'), '--before', at('yesterday')]);
  assert.equal(grown.code, 0, grown.out);
  const shrunk = await souk(['feeds', 'check', at('yesterday'), '--before', at('today')]);
  assert.equal(shrunk.code, 1);
  assert.match(shrunk.out, new RegExp(`month=04/data\\.csv:${lines.length + 1}: .*\\[DF-8\\]$`, 'm'));
});

test('compressed feeds are checked as they are', async () => {
  await make('gz', '--gzip', '--shuffle', '--no-corrections', '--seed', '5', '--from', '2023-11');
  assert.ok(statSync(join(at('gz'), 'billing_event_v1', 'year=2023', 'month=12', 'data.csv.gz')).size > 100);
  const r = await souk(['feeds', 'check', at('gz')]);
  assert.equal(r.code, 0, r.out + r.err);
});

test('wrong usage names the field and the fix; exit 2', async () => {
  for (const [field, ...args] of [['DIR', 'make'], ['DIR', 'check'], ['--events', 'make', at('x'), '--events', '0'], ['--events', 'make', at('x'), '--events', 'many'],
    ['--seed', 'make', at('x'), '--seed', '-1'], ['--from', 'make', at('x'), '--from', '2024'], ['--from', 'make', at('x'), '--from', '2024-13'], ['--from', 'make', at('x'), '--from', '1999-01'],
    ['--months', 'make', at('x'), '--months', '0'], ['--seller', 'make', at('x'), '--seller', '12'], ['--limit', 'check', at('x'), '--limit', 'all'], ['ARGUMENT', 'make', at('x'), at('y')], ['ARGUMENT', 'check', at('x'), at('y')]]) {
    const r = await souk(['feeds', ...args]);
    assert.equal(r.code, 2, args.join(' '));
    assert.match(r.err, new RegExp(`^souk: ${field}: [^\n]+; [^\n]+\n$`), args.join(' '));
  }
  for (const command of ['make', 'check']) {
    const r = await souk(['feeds', command, '--help']);
    assert.equal(r.code, 0);
    assert.match(r.out, /Example: /);
  }
});

test('what is there already, and what is no feed, is refused; exit 1', async () => {
  await make('full');
  const again = await souk(['feeds', 'make', at('full')]);
  assert.equal(again.code, 1);
  assert.match(again.err, /^souk: .*is not an empty directory; give a new one/);
  mkdirSync(at('empty'));
  const none = await souk(['feeds', 'check', at('empty')]);
  assert.equal(none.code, 1);
  assert.match(none.err, /^souk: There are no feed files; /);
  assert.equal((await souk(['feeds', 'check', at('absent')])).code, 1);
});
