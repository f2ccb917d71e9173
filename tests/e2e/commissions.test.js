// SPDX-License-Identifier: Apache-2.0
// souk commissions on the worked example of docs/edsp.md, written as data feeds: statements, need to know, locking, adjustments, refusals.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCsv, root, souk } from './lib.js';

let dir;
const page = readFileSync(join(root, 'docs/edsp.md'), 'utf8').split('## A worked example')[1];
const plan = JSON.parse(page.split('```json\n')[1].split('```')[0]);
const table = (head) => {
  const lines = page.slice(page.indexOf(head)).split('\n').slice(2);
  return lines.slice(0, lines.findIndex((l) => !l.startsWith('|'))).map((l) => l.split('|').slice(1, -1).map((c) => c.trim()));
};
const KNOWN = '2026-02-20T00:00:00Z';
const when = (day) => `${day}T12:00:00Z`;

function put(feed, month, columns, rows, feeds = 'feeds') {
  const folder = join(dir, feeds, feed, `year=${month.slice(0, 4)}`, `month=${month.slice(5)}`);
  mkdirSync(folder, { recursive: true });
  const names = [...columns, 'valid_from', 'insert_date', 'update_date', 'delete_date'];
  writeFileSync(join(folder, 'data.csv'), [names.join(','), ...rows.map((r) => r.join(','))].map((l) => `${l}\n`).join(''));
}
const known = (day, later = day) => [when(day), when(day), when(later), ''];

const EVENT = ['billing_event_id', 'from_account_id', 'to_account_id', 'end_user_account_id', 'product_id', 'action', 'transaction_type',
  'parent_billing_event_id', 'disbursement_billing_event_id', 'amount', 'currency', 'balance_impacting', 'invoice_date', 'payment_due_date',
  'usage_period_start_date', 'usage_period_end_date', 'invoice_id', 'billing_address_id', 'transaction_reference_id', 'bank_trace_id', 'broker_id'];
const event = (id, buyer, type, amount, day, reference, later) => [id, buyer, 'seller', buyer, 'prod-1', 'INVOICED', type, '', '', amount, 'USD', '1', when(day), '',
  '', '', `inv-${id}`, `adr-${buyer}`, reference, '', 'AWS_INC', ...known(day, later)];

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'souk-commissions-'));
  const lines = table('| date | transaction | account');
  const buyers = new Map(lines.map(([, , account, domain, country, postal]) => [account, { domain, country, postal }]));
  put('accountfeed_v1', '2026-01', ['account_id', 'aws_account_id', 'encrypted_account_id', 'mailing_address_id', 'tax_address_id', 'tax_registration_number', 'tax_legal_name'],
    [['seller', '999900001111', '', '', '', '', '', ...known('2025-01-01')],
      ...[...buyers.keys()].map((a) => [`b${a}`, a, '', '', '', '', '', ...known('2025-01-01')])]);
  put('addressfeed_v1', '2026-01', ['address_id', 'aws_account_id', 'email_domain', 'company_name', 'country', 'state_or_region', 'city', 'postal_code', 'address_line_1', 'address_line_2', 'address_line_3'],
    [...buyers].map(([a, b]) => [`adr-b${a}`, a, b.domain, '', b.country, '', '', b.postal, '', '', '', ...known('2025-01-01')]));
  put('productfeed_v1', '2026-01', ['product_id', 'manufacturer_account_id', 'product_code', 'title'], [['prod-1', 'seller', 'code1', 'One', ...known('2025-01-01')]]);
  const rows = lines.map(([day, reference, account, , , , gross, refund], i) => (refund === '0.00' ?
    event(`e${i}`, `b${account}`, 'SELLER_REV_SHARE', gross, day, reference) :
    event(`e${i}`, `b${account}`, 'SELLER_REV_SHARE_REFUND', refund, day, reference)));
  /* Recorded in March: Acme's January invoice was 1,000.00 less. */
  rows.push(event('e0', 'b111122223333', 'SELLER_REV_SHARE', '7000.00', '2026-01-05', 'T-1001', '2026-03-01'));
  for (const month of ['2026-01', '2026-02']) put('billing_event_v1', month, EVENT, rows.filter((r) => r[12].startsWith(month)));
  writeFileSync(join(dir, 'plan.json'), JSON.stringify(plan));
});
after(() => rmSync(dir, { recursive: true, force: true }));

const at = (name) => join(dir, name);
const pay = (...args) => souk(['commissions', '--feeds', at('feeds'), '--plan', at('plan.json'), ...args]);
const items = (text) => parseCsv(text).map((r) => [r.Representative, r.Date, r['Transaction Reference ID'], r.Entry, r.Arithmetic, r.Commission]);

test('the statements of the page', async () => {
  for (const month of ['2026-01', '2026-02']) {
    const out = at(`out-${month}`);
    const r = await pay('--month', month, '--as-known-at', KNOWN, '-o', out);
    assert.equal(r.code, 0, r.err);
    const want = table('| person | date | transaction').filter((row) => row[1].startsWith(month));
    const got = readdirSync(out).filter((f) => f.startsWith('statement-')).sort().flatMap((f) => items(readFileSync(join(out, f), 'utf8')));
    assert.deepEqual(got, want);
    for (const f of readdirSync(out)) assert.equal(statSync(join(out, f)).mode & 0o777, 0o600, f);
  }
  const queue = parseCsv(readFileSync(join(at('out-2026-02'), 'queue-2026-02.csv'), 'utf8'));
  assert.deepEqual(queue.map((q) => [q.Reason, q['Transaction Reference ID']]), [['unmapped', 'T-1005']]);
});

test('one person gets their own lines and nobody else\'s, in every form', async () => {
  for (const format of ['csv', 'json', 'html']) {
    const r = await pay('--month', '2026-01', '--representative', 'ana', '--format', format);
    assert.equal(r.code, 0, r.err);
    assert.ok(r.out.includes('T-1001') && r.out.includes('T-1003'));
    for (const other of ['T-1002', 'ben', 'Ben Example', 'mia', 'globex']) assert.ok(!r.out.includes(other), `${format} ${other}`);
  }
  const book = await pay('--month', '2026-01', '--representative', 'ana', '--format', 'xlsx', '-o', at('ana.xlsx'));
  assert.equal(book.code, 0, book.err);
  assert.equal(readFileSync(at('ana.xlsx')).subarray(0, 2).toString(), 'PK');
  assert.equal(statSync(at('ana.xlsx')).mode & 0o777, 0o600, 'buyers are in it');
  const nobody = await pay('--month', '2026-01', '--representative', 'eve');
  assert.equal(nobody.code, 1);
  assert.match(nobody.err, /^souk: --representative: /);
});

test('a manager gets the team\'s statements, and nothing of what is not the team\'s', async () => {
  const other = structuredClone(plan);
  other.representatives.push({ id: 'zoe', name: 'Zoe Example', manager: 'ben' });
  other.overlays.push({ id: 'z', accounts: ['444455556666'], credits: [{ representative: 'zoe', percent: 100 }] });
  other.rates.push({ ...other.rates[1], id: 'zoes', representatives: ['zoe'] });
  writeFileSync(at('team.json'), JSON.stringify(other));
  const run = (...args) => souk(['commissions', '--feeds', at('feeds'), '--plan', at('team.json'), '--month', '2026-02', ...args]);
  const ben = await run('--team', 'ben', '-o', at('team'));
  assert.equal(ben.code, 0, ben.err);
  assert.deepEqual(readdirSync(at('team')).sort(), ['statement-ben-2026-02.csv', 'statement-zoe-2026-02.csv', 'summary-2026-02.csv']);
  assert.deepEqual(parseCsv(readFileSync(join(at('team'), 'summary-2026-02.csv'), 'utf8')).map((r) => r.Representative), ['ben', 'zoe']);
  assert.ok(!/mia|ana|queue|T-1005/.test(ben.out), ben.out);
  const ids = async (team) => JSON.parse((await run('--team', team, '--json')).out);
  /* Mia's reports report to her through Ben, too. */
  assert.deepEqual((await ids('mia')).representatives.map((r) => r.id), ['ben', 'mia', 'zoe']);
  const zoe = await ids('zoe');
  assert.deepEqual(zoe.representatives.map((r) => r.id), ['zoe']);
  assert.ok(!('queue' in zoe) && !('lines' in zoe) && zoe.statements === 1);
  const nobody = await run('--team', 'eve');
  assert.equal(nobody.code, 1);
  assert.match(nobody.err, /^souk: --team: is nobody of this plan; /);
});

test('locked is what was approved; later facts give adjustments that add up to a fresh run', async () => {
  const january = ['--month', '2026-01', '--as-known-at', KNOWN];
  const digest = JSON.parse((await pay(...january, '--json')).out).run;
  const wrong = await pay(...january, '--lock', at('jan.json'), '--approve', '0'.repeat(64));
  assert.equal(wrong.code, 1);
  assert.ok(!wrong.err.includes(digest));
  assert.equal((await pay(...january, '--lock', at('jan.json'))).code, 2);
  const locked = await pay(...january, '--lock', at('jan.json'), '--approve', digest, '--approved-by', 'Finance');
  assert.equal(locked.code, 0, locked.err);
  const bytes = readFileSync(at('jan.json'));
  const again = await pay(...january, '--lock', at('jan.json'), '--approve', digest);
  assert.equal(again.code, 1);
  assert.deepEqual(readFileSync(at('jan.json')), bytes);
  assert.equal((await pay(...january, '--locked', at('jan.json'))).code, 1);

  const february = JSON.parse((await pay('--month', '2026-02', '--locked', at('jan.json'), '--json')).out);
  const fresh = JSON.parse((await pay('--all-months', '--json')).out);
  const first = JSON.parse(bytes);
  const sum = (id) => Math.round(first.amounts.filter((a) => a.representative === id).reduce((s, a) => s + 100 * a.amount, 0));
  assert.ok(february.adjustments > 0);
  for (const { id, commission } of fresh.representatives)
    assert.equal(sum(id) + Math.round(100 * (february.representatives.find((r) => r.id === id)?.commission ?? 0)), Math.round(100 * commission), id);
  const ana = await pay('--month', '2026-02', '--locked', at('jan.json'), '--representative', 'ana');
  assert.match(ana.out, /adjustment,,T-1001.*restated: 210\.00 - 240\.00 = -30\.00,-30\.00/);

  writeFileSync(at('bent.json'), bytes.toString().replace('"240.00"', '"250.00"'));
  const bent = await pay('--month', '2026-02', '--locked', at('bent.json'));
  assert.equal(bent.code, 1);
  assert.match(bent.err, /^souk: --locked: was changed/);
});

const all = ['hourly', 'monthly', 'annual', 'metered'];
const simple = (rate) => ({ schema: 'souk-plan-1', name: 'Simple', rounding: { mode: 'half-up', decimals: 2 }, representatives: [{ id: 'ana', name: 'Ana Example' }],
  territories: [{ id: 'all', everything: true, credits: [{ representative: 'ana', percent: 100 }] }], rates: [{ id: 'r', revenue: all, base: 'gross', percent: '10', ...rate }] });
const but = (row, cells) => row.map((x, i) => cells[EVENT[i]] ?? x);
/* Feeds of one buyer with these events, and what a plan of one rate pays. */
function make(name, events, rate) {
  put('accountfeed_v1', '2026-01', ['account_id', 'aws_account_id', 'encrypted_account_id', 'mailing_address_id', 'tax_address_id', 'tax_registration_number', 'tax_legal_name'],
    [['seller', '999900001111', '', '', '', '', '', ...known('2025-01-01')], ['b1', '111122223333', '', '', '', '', '', ...known('2025-01-01')]], name);
  put('addressfeed_v1', '2026-01', ['address_id', 'aws_account_id', 'email_domain', 'company_name', 'country', 'state_or_region', 'city', 'postal_code', 'address_line_1', 'address_line_2', 'address_line_3'],
    [['adr-b1', '111122223333', 'acme.example', '', 'US', '', '', '98101', '', '', '', ...known('2025-01-01')]], name);
  put('productfeed_v1', '2026-01', ['product_id', 'manufacturer_account_id', 'product_code', 'title'], [['prod-1', 'seller', 'code1', 'One', ...known('2025-01-01')]], name);
  for (const month of new Set(events.map((e) => e[12].slice(0, 7)))) put('billing_event_v1', month, EVENT, events.filter((e) => e[12].startsWith(month)), name);
  writeFileSync(at(`${name}.json`), JSON.stringify(simple(rate)));
  return async (...args) => {
    const r = await souk(['commissions', '--feeds', at(name), '--plan', at(`${name}.json`), '--all-months', '--representative', 'ana', ...args]);
    assert.equal(r.code, 0, r.err);
    return items(r.out).map(([, date, reference, entry, , commission]) => [date, reference, entry, commission]);
  };
}

test('paid on disbursed funds: by payout, without failed ones, as known then', async () => {
  const payout = (id, day, later) => but(event(id, 'b1', 'DISBURSEMENT', '-1', day, '', later),
    { action: 'DISBURSED', end_user_account_id: '', product_id: '', billing_address_id: '', transaction_reference_id: '', bank_trace_id: `bank-${id}` });
  const paid = (id, type, amount, day, reference, parent, by) => but(event(id, 'b1', type, amount, day, reference), { action: 'DISBURSED', parent_billing_event_id: parent, disbursement_billing_event_id: by });
  const run = make('paid', [
    event('i1', 'b1', 'SELLER_REV_SHARE', '1000.00', '2026-01-10', 'T-1'),
    event('i2', 'b1', 'SELLER_REV_SHARE', '70.00', '2026-01-11', 'T-2'), /* never paid out */
    event('i3', 'b1', 'SELLER_REV_SHARE_REFUND', '-200.00', '2026-02-12', 'T-1'),
    payout('d1', '2026-02-05'), paid('p1', 'SELLER_REV_SHARE', '-600.00', '2026-02-05', 'T-1', 'i1', 'd1'),
    paid('f1', 'AWS_REV_SHARE', '30.00', '2026-02-05', 'T-1', 'i1', 'd1'), /* the fee is not the base */
    payout('d2', '2026-02-20'), paid('p2', 'SELLER_REV_SHARE_REFUND', '200.00', '2026-02-20', 'T-1', 'i3', 'd2'),
    payout('d3', '2026-03-05'), paid('p3', 'SELLER_REV_SHARE', '-400.00', '2026-03-05', 'T-1', 'i1', 'd3'),
    but(payout('x3', '2026-03-12'), { transaction_type: 'DISBURSEMENT_FAILURE', parent_billing_event_id: 'd3' }),
    payout('d4', '2026-04-05'), paid('p4', 'SELLER_REV_SHARE', '-400.00', '2026-04-05', 'T-1', 'i1', 'd4'),
  ], { payOn: 'disbursed', clawback: ['refunds'] });
  const february = [['2026-02-05', 'T-1', 'sale', '60.00'], ['2026-02-20', 'T-1', 'refund', '-20.00']];
  assert.deepEqual(await run(), [...february, ['2026-04-05', 'T-1', 'sale', '40.00']]);
  /* Before the bank said that March's payout failed. */
  assert.deepEqual(await run('--as-known-at', '2026-03-10T00:00:00Z'), [...february, ['2026-03-05', 'T-1', 'sale', '40.00']]);
});

test('a sale given back whole within its month is a sale and a refund', async () => {
  const sale = (id, reference, day) => event(id, 'b1', 'SELLER_REV_SHARE', '100.00', day, reference);
  const refund = (id, reference, day) => event(id, 'b1', 'SELLER_REV_SHARE_REFUND', '-100.00', day, reference);
  const events = [sale('e1', 'T-1', '2026-01-05'), refund('e2', 'T-1', '2026-01-20'), sale('e3', 'T-2', '2026-01-06'), refund('e4', 'T-2', '2026-02-03'),
    event('e5', 'b1', 'SELLER_REV_SHARE', '50.00', '2026-01-07', 'T-3'),
    but(event('e6', 'b1', 'SELLER_REV_SHARE', '-50.00', '2026-01-30', 'T-3'), { action: 'FORGIVEN', parent_billing_event_id: 'e5' })];
  const kept = await make('kept', events, { payOn: 'billed', clawback: [] })();
  /* T-3 was forgiven in its own month: its gross is 0. */
  assert.deepEqual(kept, [['2026-01-06', 'T-2', 'sale', '10.00'], ['2026-01-20', 'T-1', 'sale', '10.00']]);
  const taken = await make('taken', events, { payOn: 'billed', clawback: ['refunds'] })();
  assert.deepEqual(taken, [['2026-01-06', 'T-2', 'sale', '10.00'], ['2026-01-20', 'T-1', 'sale', '10.00'], ['2026-01-20', 'T-1', 'refund', '-10.00'],
    ['2026-02-03', 'T-2', 'refund', '-10.00']]);
  const asQuery = await make('query', events, { payOn: 'billed', clawback: [] })('--variant', 'query');
  assert.deepEqual(asQuery.map((i) => i.slice(1)), [['T-1', 'sale', '10.00'], ['T-2', 'sale', '10.00']]);
});

test('a dry run lists what another plan would move', async () => {
  const other = structuredClone(plan);
  other.territories[2].credits = [{ representative: 'ben', percent: 100 }];
  writeFileSync(at('other.json'), JSON.stringify(other));
  const r = await pay('--all-months', '--dry-run', at('other.json'));
  assert.equal(r.code, 0, r.err);
  assert.deepEqual(parseCsv(r.out).map((l) => [l['Transaction Reference ID'], l.Now, l.Then]), [['T-1003', 'munich: ana 100%', 'munich: ben 100%']]);
  assert.match(r.err, /1 of 6 lines/);
});

test('a plan with faults: all of them, each with its place; nothing is written', async () => {
  const bad = structuredClone(plan);
  bad.territories[0].credits[1].percent = 39;
  bad.territories[1].credits[0].representative = 'eve';
  bad.territories.push({ ...bad.territories[3], id: 'again' });
  writeFileSync(at('bad.json'), JSON.stringify(bad));
  const r = await souk(['commissions', '--feeds', at('feeds'), '--plan', at('bad.json'), '--month', '2026-01', '-o', at('none')]);
  assert.equal(r.code, 1);
  for (const place of ['/territories/0/credits: sum to 99%', '/territories/1/credits/0/representative: ', '/territories/4/geography/0: matches'])
    assert.ok(r.err.includes(`souk: ${place}`), r.err);
  assert.ok(!r.err.includes('globex.example') && !r.err.includes('111122223333'));
  assert.ok(!readdirSync(dir).includes('none'));
});

test('usage', async () => {
  for (const [field, ...args] of [['--feeds'], ['--plan', '--feeds', 'x'], ['--month', '--feeds', 'x', '--plan', 'y'], ['--month', '--month', '2026-13'],
    ['--format', '--format', 'pdf'], ['--team', '--feeds', 'x', '--plan', 'y', '--month', '2026-01', '--team', 'a', '--representative', 'b'], ['--approve', '--feeds', 'x', '--plan', 'y', '--month', '2026-01', '--approve', 'z'],
    ['-o', '--feeds', 'x', '--plan', 'y', '--month', '2026-01', '--representative', 'a', '--format', 'xlsx']]) {
    const r = await souk(['commissions', ...args]);
    assert.equal(r.code, 2, args.join(' '));
    assert.match(r.err, new RegExp(`^souk: ${field}: [^\n]+; [^\n]+\n$`), args.join(' '));
  }
});
