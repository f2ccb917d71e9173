// SPDX-License-Identifier: Apache-2.0
// The two documented example reports (data-feeds 6.1 and 6.2, `--variant query`), computed a second and a third time from the
// specification alone: by window functions in DuckDB, by anti-joins in PostgreSQL. Neither knows anything of souk's own fold.
//
// Where the specification leaves open what happens, this is what souk promises, and what both texts say:
// - of rows with one key, valid_from and update_date the one whose columns, in documented order, compare greater by bytes counts;
// - currencies are never added together: a line is of one. `--month` takes the events (of disbursements: the payouts) with an invoice date
//   in it, from whatever month its payments are; over several months a sale is one line, of its greatest invoice date;
// - every valid_from of a billing event counts, as the queries say that collapse on update_date alone;
// - of several payment addresses of (reference, payer) the one of the greatest invoice_date counts, of one date the greater id;
//   payments without an address are none;
// - a bank trace is the payout's; a reference of one payer that is empty meets no payment.
import { DuckDBInstance } from '@duckdb/node-api';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run, soukOk } from './lib.js';

const history = ['valid_from', 'insert_date', 'update_date', 'delete_date'];
/** Columns in documented order, of the feeds that the two reports need. */
export const feedColumns = {
  account: ['account_id', 'aws_account_id', 'encrypted_account_id', 'mailing_address_id', 'tax_address_id', 'tax_registration_number',
    'tax_legal_name', ...history],
  address: ['address_id', 'aws_account_id', 'email_domain', 'company_name', 'country', 'state_or_region', 'city', 'postal_code',
    'address_line_1', 'address_line_2', 'address_line_3', 'valid_from', 'valid_to', 'insert_date', 'update_date', 'delete_date'],
  product: ['product_id', 'manufacturer_account_id', 'product_code', 'title', ...history],
  billing_event: ['billing_event_id', 'from_account_id', 'to_account_id', 'end_user_account_id', 'product_id', 'action', 'transaction_type',
    'parent_billing_event_id', 'disbursement_billing_event_id', 'amount', 'currency', 'balance_impacting', 'invoice_date',
    'payment_due_date', 'usage_period_start_date', 'usage_period_end_date', 'invoice_id', 'billing_address_id',
    'transaction_reference_id', 'bank_trace_id', 'broker_id', ...history],
};
export const feedKeys = { account: ['account_id'], address: ['address_id', 'aws_account_id'], product: ['product_id'], billing_event: ['billing_event_id'] };
const feeds = Object.keys(feedColumns);
const instants = ['valid_from', 'update_date', 'invoice_date'];
const typed = (feed) => feedColumns[feed].filter((c) => instants.includes(c));

export const salesHeader = ['Customer AWS Account Number', 'Country', 'State', 'City', 'Zip Code', 'Email Domain', 'Product Code', 'Product Title',
  'Gross Revenue', 'AWS Revenue Share', 'Gross Refunds', 'AWS Refunds Share', 'Net Revenue', 'Currency', 'AR Period',
  'Transaction Reference ID', 'Payer Reference ID', 'End Customer AWS Account ID'];
export const disbursedHeader = ['Product', 'Product Code', 'SellerRev', 'AWSRefFee', 'SellerRevRefund', 'AWSRefFeeRefund', 'SellerRevCredit',
  'AWSRefFeeCredit', 'Net Amount', 'Transaction Reference ID', 'SellerUSSalesTax', 'SellerUSSalesTaxRefund', 'Customer AWS Account Number',
  'End Customer AWS Account ID', 'Disbursement Date', 'Bank Trace ID', 'Currency'];

const pivots = { rev: 'SELLER_REV_SHARE', fee: 'AWS_REV_SHARE', rev_refund: 'SELLER_REV_SHARE_REFUND', fee_refund: 'AWS_REV_SHARE_REFUND',
  rev_credit: 'SELLER_REV_SHARE_CREDIT', fee_credit: 'AWS_REV_SHARE_CREDIT', tax: 'SELLER_TAX_SHARE', tax_refund: 'SELLER_TAX_SHARE_REFUND' };

/** data.csv files of a feed, under any of its folders' names. */
export function feedFiles(dir, feed) {
  const found = [];
  for (const folder of [`${feed}_v1`, `${feed.replace('_', '')}feed_v1`]) {
    const top = join(dir, folder);
    if (!existsSync(top)) continue;
    for (const year of readdirSync(top).sort()) {
      for (const month of readdirSync(join(top, year)).sort()) {
        for (const file of readdirSync(join(top, year, month)).sort()) if (file.endsWith('.csv')) found.push(join(top, year, month, file));
      }
    }
  }
  return found;
}

const literal = (text) => `'${String(text).replaceAll("'", "''")}'`;

// --------------------------------------------------------------------------------------------------------------- DuckDB

const duckPayer = `CASE WHEN contains(transaction_type, 'AWS') OR transaction_type = 'BALANCE_ADJUSTMENT' THEN NULL ELSE nullif(from_account_id, '') END`;

/** Rows of one key and valid_from become one (rules 1, 5 and 6). */
const duckCollapse = (feed) => `CREATE OR REPLACE TABLE ${feed} AS SELECT * EXCLUDE (place) FROM (
  SELECT *, row_number() OVER (PARTITION BY ${feedKeys[feed].join(', ')}, valid_from
    ORDER BY update_date DESC, ${feedColumns[feed].map((c) => `text_of.${c} DESC`).join(', ')}) AS place
  FROM ${feed}_row WHERE update_date <= getvariable('known')::TIMESTAMP)
WHERE place = 1 AND delete_date = ''`;

const duckLatest = (feed) => `(SELECT * FROM ${feed} QUALIFY row_number() OVER (PARTITION BY ${feedKeys[feed].join(', ')} ORDER BY valid_from DESC) = 1)`;
const duckMoney = (x) => `CAST(round(${x}, 2) AS DECIMAL(38, 2))::VARCHAR`;

const duckAsked = "(getvariable('month') = '' OR strftime(invoice_date, '%Y-%m') = getvariable('month'))";

const duckSales = `
WITH product_now AS ${duckLatest('product')},
address_now AS ${duckLatest('address')},
account_time AS (
  SELECT account_id, aws_account_id, mailing_address_id,
    CASE WHEN lag(valid_from) OVER w IS NULL THEN valid_from - INTERVAL 1 DAY ELSE valid_from END AS begins,
    coalesce(lead(valid_from) OVER w, TIMESTAMP '9999-01-01 00:00:00') AS ends
  FROM account WINDOW w AS (PARTITION BY account_id ORDER BY valid_from)),
counted AS (
  SELECT *, ${duckPayer} AS payer FROM billing_event
  WHERE transaction_type <> 'BALANCE_ADJUSTMENT' AND balance_impacting = '1'),
paid AS (
  SELECT transaction_reference_id, from_account_id, billing_address_id FROM counted
  WHERE action = 'DISBURSED' AND starts_with(transaction_type, 'SELLER_') AND billing_address_id <> ''
  QUALIFY row_number() OVER (PARTITION BY transaction_reference_id, from_account_id ORDER BY invoice_date DESC, billing_address_id DESC) = 1),
line AS (
  SELECT transaction_reference_id, product_id, end_user_account_id, currency,
    max(invoice_date) AS invoice_date, max(billing_address_id) AS billing_address_id, max(payer) AS payer,
    ${Object.entries(pivots).map(([n, t]) => `coalesce(sum(amount) FILTER (transaction_type = '${t}'), 0) AS ${n}`).join(',\n    ')}
  FROM counted WHERE action IN ('INVOICED', 'FORGIVEN') AND ${duckAsked}
  GROUP BY ALL),
summed AS (SELECT *, ${Object.keys(pivots).join(' + ')} AS net FROM line)
SELECT coalesce(p.aws_account_id, ''), coalesce(a.country, ''), coalesce(a.state_or_region, ''), coalesce(a.city, ''), coalesce(a.postal_code, ''),
  coalesce(a.email_domain, ''), coalesce(d.product_code, ''), coalesce(d.title, ''),
  ${['rev', 'fee', 'rev_refund', 'fee_refund', 'net'].map((m) => duckMoney(`l.${m}`)).join(', ')},
  l.currency, strftime(l.invoice_date, '%Y-%m'), l.transaction_reference_id, coalesce(l.payer, ''), coalesce(u.aws_account_id, '')
FROM summed l
LEFT JOIN account_time p ON p.account_id = l.payer AND p.begins <= l.invoice_date AND l.invoice_date < p.ends
LEFT JOIN account_time u ON u.account_id = l.end_user_account_id AND u.begins <= l.invoice_date AND l.invoice_date < u.ends
LEFT JOIN paid q ON q.transaction_reference_id = l.transaction_reference_id AND q.from_account_id = l.payer
LEFT JOIN address_now a ON a.aws_account_id = p.aws_account_id
  AND a.address_id = coalesce(q.billing_address_id, nullif(l.billing_address_id, ''), nullif(p.mailing_address_id, ''))
LEFT JOIN product_now d ON d.product_id = l.product_id
WHERE l.net <> 0`;

const duckDisbursed = `
WITH product_now AS ${duckLatest('product')},
account_now AS ${duckLatest('account')},
payout AS (SELECT billing_event_id AS payout_id, invoice_date AS paid_at, bank_trace_id AS trace FROM billing_event
  WHERE transaction_type = 'DISBURSEMENT' AND ${duckAsked}),
line AS (
  SELECT transaction_reference_id, product_id, payout_id, end_user_account_id, currency, trace, any_value(paid_at) AS paid_at, max(${duckPayer}) AS payer,
    ${Object.entries(pivots).map(([n, t]) => `round(coalesce(sum(-amount) FILTER (transaction_type = '${t}'), 0), 2) AS ${n}`).join(',\n    ')}
  FROM billing_event JOIN payout ON disbursement_billing_event_id = payout_id
  WHERE action = 'DISBURSED'
  GROUP BY ALL)
SELECT d.title, d.product_code, ${['rev', 'fee', 'rev_refund', 'fee_refund', 'rev_credit', 'fee_credit'].map((m) => duckMoney(`l.${m}`)).join(', ')},
  ${duckMoney('rev + fee + rev_refund + fee_refund + rev_credit + fee_credit')}, l.transaction_reference_id,
  ${duckMoney('l.tax')}, ${duckMoney('l.tax_refund')}, coalesce(p.aws_account_id, ''), coalesce(u.aws_account_id, ''),
  strftime(l.paid_at, '%Y-%m-%d'), l.trace, l.currency
FROM line l
JOIN product_now d ON d.product_id = l.product_id
LEFT JOIN account_now p ON p.account_id = l.payer
LEFT JOIN account_now u ON u.account_id = l.end_user_account_id`;

export class DuckOracle {
  static async start() {
    const o = new DuckOracle();
    o.instance = await DuckDBInstance.create(':memory:', { threads: '2' });
    o.db = await o.instance.connect();
    return o;
  }
  close() { this.db.closeSync(); this.instance.closeSync(); }
  async rows(sql) { return (await this.db.runAndReadAll(sql)).getRows(); }
  /** Takes the feeds of a folder in. */
  async load(dir) {
    for (const feed of feeds) {
      const files = feedFiles(dir, feed);
      const columns = feedColumns[feed];
      const cells = columns.map((c) => `coalesce(${c}, '') AS ${c}`).join(', ');
      const from = `read_csv([${files.map(literal).join(', ')}], auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
        hive_partitioning = false, parallel = false, columns = {${columns.map((c) => `${c}: 'VARCHAR'`).join(', ')}})`;
      const replaced = [...typed(feed).map((c) => `TRY_CAST(nullif(${c}, '') AS TIMESTAMP) AS ${c}`),
        ...(feed === 'billing_event' ? ['CAST(amount AS DECIMAL(38, 10)) AS amount'] : [])].join(', ');
      await this.db.run(`CREATE OR REPLACE TABLE ${feed}_row AS SELECT * REPLACE (${replaced}),
        {${columns.map((c) => `${c}: ${c}`).join(', ')}} AS text_of FROM (SELECT ${cells} FROM ${from})`);
    }
  }
  /** Forgets what was recorded later (null: nothing). */
  async knownAt(instant) {
    await this.db.run(`SET VARIABLE known = ${literal(instant ?? '9999-12-31T23:59:59Z')}`);
    for (const feed of feeds) await this.db.run(duckCollapse(feed));
    return this;
  }
  /** As PostgresOracle.reports. */
  async reports(dir, asked = [{}]) {
    await this.load(dir);
    const found = [];
    let known;
    for (const a of asked) {
      if ((a.known ?? null) !== known) await this.knownAt(a.known ?? null);
      known = a.known ?? null;
      found.push({ sales: await this.sales(a.month), disbursed: await this.disbursed(a.month) });
    }
    return found;
  }
  async month(month) { await this.db.run(`SET VARIABLE month = ${literal(month)}`); }
  /** `month`: 'YYYY-MM', or '' for all. */
  async sales(month = '') { await this.month(month); return this.rows(duckSales); }
  async disbursed(month = '') { await this.month(month); return this.rows(duckDisbursed); }
}

// ----------------------------------------------------------------------------------------------------------- PostgreSQL

const mark = '=== next ===';
const pgKey = (feed, a, b) => feedKeys[feed].map((c) => `${a}.${c} = ${b}.${c}`).join(' AND ');
const pgLoaded = (feed, files) => `
CREATE TEMP TABLE ${feed}_row (${feedColumns[feed].map((c) => `${c} text COLLATE "C"`).join(', ')});
${files.map((f) => `\\copy ${feed}_row from ${literal(f)} with (format csv, header true)`).join('\n')}
UPDATE ${feed}_row SET ${feedColumns[feed].map((c) => `${c} = coalesce(${c}, '')`).join(', ')};
CREATE INDEX ON ${feed}_row (${feedKeys[feed].join(', ')});
ANALYZE ${feed}_row;`;
const pgAll = (feed, a) => feedColumns[feed].map((c) => `${a}.${c}`).join(', ');
// T1 of data-feeds 2, ties and soft deletes as above.
const pgCollapse = (feed, known) => `
DROP TABLE IF EXISTS ${feed};
CREATE TEMP TABLE ${feed} AS
WITH seen AS (SELECT DISTINCT * FROM ${feed}_row WHERE update_date::timestamptz <= ${literal(known)}::timestamptz)
SELECT * FROM seen f WHERE f.delete_date = '' AND NOT EXISTS (SELECT 1 FROM seen g WHERE ${pgKey(feed, 'g', 'f')}
  AND g.valid_from::timestamptz = f.valid_from::timestamptz
  AND (g.update_date::timestamptz, ${pgAll(feed, 'g')}) > (f.update_date::timestamptz, ${pgAll(feed, 'f')}));
CREATE INDEX ON ${feed} (${feedKeys[feed].join(', ')});
${feed === 'billing_event' ? 'CREATE INDEX ON billing_event (transaction_reference_id);' : ''}
ANALYZE ${feed};`;
// NOW of data-feeds 2.
const pgLatest = (feed) => `(SELECT * FROM ${feed} f WHERE f.valid_from::timestamptz = (SELECT max(g.valid_from::timestamptz) FROM ${feed} g WHERE ${pgKey(feed, 'g', 'f')}))`;
const pgPayer = (e) => `max(${e}.from_account_id) FILTER (WHERE strpos(${e}.transaction_type, 'AWS') = 0 AND ${e}.transaction_type <> 'BALANCE_ADJUSTMENT' AND ${e}.from_account_id <> '')`;
const pgSum = (type, sign) => `sum(CASE WHEN e.transaction_type = '${type}' THEN ${sign}e.amount::numeric ELSE 0 END)`;
const pgMoney = (x) => `round(${x}, 2)::text`;
// AT(t) of data-feeds 2; the oldest version begins a day early.
const pgAt = (account, t, column) => `(SELECT v.${column} FROM account v WHERE v.account_id = ${account}
  AND v.valid_from::timestamptz - CASE WHEN EXISTS (SELECT 1 FROM account w WHERE w.account_id = v.account_id AND w.valid_from::timestamptz < v.valid_from::timestamptz)
    THEN interval '0' ELSE interval '1 day' END <= ${t}
  AND ${t} < coalesce((SELECT min(w.valid_from::timestamptz) FROM account w WHERE w.account_id = v.account_id AND w.valid_from::timestamptz > v.valid_from::timestamptz), '9999-01-01Z'))`;

const pgAsked = (e, month) => (month ? `to_char(${e}.invoice_date::timestamptz, 'YYYY-MM') = ${literal(month)}` : 'true');

const pgSales = (month) => `
WITH product_now AS MATERIALIZED ${pgLatest('product')}, address_now AS MATERIALIZED ${pgLatest('address')},
line AS MATERIALIZED (
  SELECT e.transaction_reference_id AS ref, e.product_id, e.end_user_account_id AS end_user, e.currency,
    max(e.invoice_date::timestamptz) AS invoice_date, max(e.billing_address_id) AS address_id, ${pgPayer('e')} AS payer,
    ${Object.entries(pivots).map(([n, t]) => `${pgSum(t, '')} AS ${n}`).join(', ')}
  FROM billing_event e
  WHERE e.transaction_type <> 'BALANCE_ADJUSTMENT' AND e.balance_impacting = '1' AND e.action IN ('INVOICED', 'FORGIVEN') AND ${pgAsked('e', month)}
  GROUP BY 1, 2, 3, 4),
found AS (
  SELECT l.*, ${Object.keys(pivots).join(' + ')} AS net,
    ${pgAt('l.payer', 'l.invoice_date', 'aws_account_id')} AS payer_number,
    ${pgAt('l.payer', 'l.invoice_date', 'mailing_address_id')} AS mailing,
    ${pgAt('l.end_user', 'l.invoice_date', 'aws_account_id')} AS user_number,
    (SELECT q.billing_address_id FROM billing_event q
      WHERE q.action = 'DISBURSED' AND q.transaction_type ~ '^SELLER_' AND q.balance_impacting = '1' AND q.billing_address_id <> ''
        AND q.transaction_reference_id = l.ref AND q.from_account_id = l.payer
      ORDER BY q.invoice_date::timestamptz DESC, q.billing_address_id DESC LIMIT 1) AS paid_address
  FROM line l)
SELECT json_build_array(coalesce(f.payer_number, ''), coalesce(a.country, ''), coalesce(a.state_or_region, ''), coalesce(a.city, ''), coalesce(a.postal_code, ''),
  coalesce(a.email_domain, ''), coalesce(d.product_code, ''), coalesce(d.title, ''),
  ${['rev', 'fee', 'rev_refund', 'fee_refund', 'net'].map((m) => pgMoney(`f.${m}`)).join(', ')},
  f.currency, to_char(f.invoice_date, 'YYYY-MM'), f.ref, coalesce(f.payer, ''), coalesce(f.user_number, ''))
FROM found f
LEFT JOIN address_now a ON a.aws_account_id = f.payer_number
  AND a.address_id = CASE WHEN f.paid_address <> '' THEN f.paid_address WHEN f.address_id <> '' THEN f.address_id ELSE f.mailing END
LEFT JOIN product_now d ON d.product_id = f.product_id
WHERE f.net <> 0;`;

const pgDisbursed = (month) => `
WITH product_now AS MATERIALIZED ${pgLatest('product')}, account_now AS MATERIALIZED ${pgLatest('account')},
line AS (
  SELECT e.transaction_reference_id AS ref, e.product_id, d.billing_event_id, e.end_user_account_id AS end_user, d.bank_trace_id AS trace, e.currency,
    min(d.invoice_date::timestamptz) AS paid_at, ${pgPayer('e')} AS payer,
    ${Object.entries(pivots).map(([n, t]) => `round(${pgSum(t, '-')}, 2) AS ${n}`).join(', ')}
  FROM billing_event e, billing_event d
  WHERE e.action = 'DISBURSED' AND d.billing_event_id = e.disbursement_billing_event_id AND d.transaction_type = 'DISBURSEMENT' AND ${pgAsked('d', month)}
  GROUP BY 1, 2, 3, 4, 5, 6)
SELECT json_build_array(p.title, p.product_code, ${['rev', 'fee', 'rev_refund', 'fee_refund', 'rev_credit', 'fee_credit'].map((m) => pgMoney(`l.${m}`)).join(', ')},
  ${pgMoney('rev + fee + rev_refund + fee_refund + rev_credit + fee_credit')}, l.ref, ${pgMoney('tax')}, ${pgMoney('tax_refund')},
  coalesce(a.aws_account_id, ''), coalesce(u.aws_account_id, ''), to_char(l.paid_at, 'YYYY-MM-DD'), l.trace, l.currency)
FROM line l JOIN product_now p USING (product_id)
LEFT JOIN account_now a ON a.account_id = l.payer
LEFT JOIN account_now u ON u.account_id = l.end_user;`;

export class PostgresOracle {
  /** `postgres`: of postgres.js, whose superuser's socket is used. */
  constructor(postgres, bin = process.env.PGBIN ?? '/usr/lib/postgresql/15/bin') { this.postgres = postgres; this.bin = bin; }
  /** The two reports of a folder, { sales, disbursed } for each of `asked`: { known, month }, both of which may be missing. */
  async reports(dir, asked = [{}]) {
    const steps = feeds.map((f) => pgLoaded(f, feedFiles(dir, f)));
    let known;
    for (const a of asked) {
      const at = a.known ?? '9999-12-31T23:59:59Z';
      if (at !== known) steps.push(...feeds.map((f) => pgCollapse(f, at)));
      known = at;
      steps.push(`\\echo ${mark}`, pgSales(a.month), `\\echo ${mark}`, pgDisbursed(a.month));
    }
    const p = this.postgres;
    const r = await run(join(this.bin, 'psql'), ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-f', '-'], {
      input: `SET timezone = 'UTC'; SET client_min_messages = warning; SET jit = off;\n${steps.join('\n')}\n`,
      env: { PGHOST: p.dir, PGPORT: new URL(p.url).port, PGUSER: 'postgres', PGDATABASE: 'souk', PGPASSWORD: p.password } });
    if (r.code !== 0) throw new Error(`psql: ${r.code} ${r.err}`);
    const parts = r.out.split(`${mark}\n`).slice(1).map((t) => t.split('\n').filter((l) => l).map((l) => JSON.parse(l)));
    return asked.map((_, i) => ({ sales: parts[2 * i], disbursed: parts[2 * i + 1] }));
  }
}

// ----------------------------------------------------------------------------------------------------------------- souk

/** The same of souk, with more of its options. */
export async function soukReports(dir, asked = [{}], more = []) {
  const one = async (set, header, a) => rowsOfJson((await soukOk(['report', set, '--feeds', dir, '--variant', 'query', '--format', 'json', ...more,
    ...(a.month ? ['--month', a.month] : ['--all-months']), ...(a.known ? ['--as-known-at', a.known] : [])])).out, header);
  const found = [];
  for (const a of asked) {
    found.push({ sales: await one('sales_compensation_billed_revenue', salesHeader, a), disbursed: await one('disbursed_amount_by_product', disbursedHeader, a) });
  }
  return found;
}

/** JSON Lines of `souk report`, as rows of `header`. */
export function rowsOfJson(text, header) {
  return text.split('\n').filter((l) => l).map((l) => {
    const o = JSON.parse(l);
    return header.map((h) => { if (!(h in o)) throw new Error(`no ${h} in ${l}`); return o[h] ?? ''; });
  });
}

/** Sorted text of rows: two reports agree when these are equal. */
export const asSet = (rows) => rows.map((r) => JSON.stringify(r)).sort();

/** What one has and the other has not, for people. */
export function difference(a, b) {
  const count = (list) => list.reduce((m, l) => m.set(l, (m.get(l) ?? 0) + 1), new Map());
  const [x, y] = [count(asSet(a)), count(asSet(b))];
  const only = (p, q) => [...p].filter(([l, n]) => (q.get(l) ?? 0) < n).map(([l]) => l);
  return { onlyFirst: only(x, y), onlySecond: only(y, x) };
}
