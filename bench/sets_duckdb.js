// SPDX-License-Identifier: Apache-2.0
// node sets_duckdb.js DIR SET OUT SELLER_ID: a financial data set in SQL from the same files, the columns that feeds tell, all
// months (snapshots: at the end of 2024-12), variant report. Prints lines, seconds, peak memory, and the sum of the lines' nets in
// US dollars. Only the columns needed are read, their types given. @duckdb/node-api is looked for in NODE_PATH, too.
const { DuckDBInstance } = require('@duckdb/node-api');
const [dir, set, out, seller] = process.argv.slice(2);
const END = `TIMESTAMP '2025-01-01'`;
const T = 'TIMESTAMP', M = 'DECIMAL(38,10)';
const names = {
  billing_event: 'billing_event_id,from_account_id,to_account_id,end_user_account_id,product_id,action,transaction_type,parent_billing_event_id,disbursement_billing_event_id,amount,currency,balance_impacting,invoice_date,payment_due_date,usage_period_start_date,usage_period_end_date,invoice_id,billing_address_id,transaction_reference_id,bank_trace_id,broker_id,valid_from,insert_date,update_date,delete_date',
  account: 'account_id,aws_account_id,encrypted_account_id,mailing_address_id,tax_address_id,tax_registration_number,tax_legal_name,valid_from,insert_date,update_date,delete_date',
  address: 'address_id,aws_account_id,email_domain,company_name,country,state_or_region,city,postal_code,address_line_1,address_line_2,address_line_3,valid_from,valid_to,insert_date,update_date,delete_date',
  product: 'product_id,manufacturer_account_id,product_code,title,valid_from,insert_date,update_date,delete_date',
  tax_item: 'tax_item_id,invoice_id,line_item_id,customer_bill_id,tax_liable_party,transaction_type_code,product_id,product_tax_code,invoice_date,taxed_customer_account_id,taxed_customer_country,taxed_customer_state_or_region,taxed_customer_city,taxed_customer_postal_code,tax_location_code_taxed_jurisdiction,tax_type_code,jurisdiction_level,taxed_jurisdiction,display_price_taxability_type,taxable_amount,nontaxable_amount,tax_jurisdiction_rate,tax_amount,tax_currency,tax_calculation_reason_code,date_used_for_tax_calculation,customer_exemption_certificate_id,customer_exemption_certificate_id_domain,customer_exemption_certificate_level,customer_exemption_code,customer_exemption_domain,transaction_reference_id,valid_from,insert_date,update_date,delete_date',
};
const types = { amount: M, balance_impacting: 'TINYINT', invoice_date: T, payment_due_date: T, usage_period_start_date: T, usage_period_end_date: T, valid_from: T, update_date: T,
  taxable_amount: M, nontaxable_amount: M, tax_amount: M, tax_jurisdiction_rate: M, date_used_for_tax_calculation: T };
const read = (f) => `read_csv('${dir}/${f}_v1/*/*/data.csv', header=true, auto_detect=false, delim=',', quote='"', escape='"', columns={${
  names[f].split(',').map((n) => `'${n}': '${types[n] || 'VARCHAR'}'`).join(', ')}})`;
/** The row recorded last for each key and valid_from, not taken back. */
const collapsed = (f, key, select) => `SELECT * FROM (SELECT ${select}, valid_from, delete_date, row_number() OVER (PARTITION BY ${key}, valid_from ORDER BY update_date DESC, insert_date DESC) rn
  FROM ${read(f)}) WHERE rn = 1 AND delete_date IS NULL`;
const latest = (f, key, select) => `${collapsed(f, key, select)} QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY valid_from DESC) = 1`;

const events = (more) => `ev AS (${latest('billing_event', 'billing_event_id', `billing_event_id, billing_event_id AS id, transaction_reference_id AS ref, product_id, end_user_account_id AS usr, from_account_id,
  "action" AS action, transaction_type AS type, amount, currency, invoice_date, billing_address_id, balance_impacting${more}`)}),`;
const dims = `acc AS (SELECT *, lead(valid_from, 1, TIMESTAMP '9999-01-01') OVER (PARTITION BY account_id ORDER BY valid_from) until_,
    CASE WHEN row_number() OVER (PARTITION BY account_id ORDER BY valid_from) = 1 THEN valid_from - INTERVAL 1 DAY ELSE valid_from END begin_
    FROM (${collapsed('account', 'account_id', 'account_id, aws_account_id, mailing_address_id, tax_address_id')})),
  adr AS (${latest('address', 'address_id, aws_account_id', 'address_id, aws_account_id, email_domain, country, state_or_region, city, postal_code')}),
  prd AS (${latest('product', 'product_id', 'product_id, product_code, title')}),`;
const payouts = `bad AS (SELECT parent AS id FROM ev WHERE type = 'DISBURSEMENT_FAILURE'),
  pay AS (SELECT id, invoice_date AS paid_at, bank_trace, amount AS payout FROM ev WHERE type = 'DISBURSEMENT' AND id NOT IN (SELECT id FROM bad)),`;
const shown = (c) => `cast(round(${c}, 2) AS decimal(38,2)) AS ${c}`;
const sum = (type, name, also = '') => `sum(CASE WHEN type = '${type}'${also} THEN amount ELSE 0 END) AS ${name}`;
const NET = `type NOT LIKE '%TAX%' AND type NOT LIKE 'DISBURSEMENT%'`;
const sums = [sum('SELLER_REV_SHARE', 'gross', ` AND from_account_id <> '${seller}'`), sum('AWS_REV_SHARE', 'fee'), sum('SELLER_REV_SHARE_REFUND', 'refund', ` AND from_account_id <> '${seller}'`),
  sum('AWS_REV_SHARE_REFUND', 'fee_refund'), sum('SELLER_REV_SHARE_CREDIT', 'credit'), sum('AWS_REV_SHARE_CREDIT', 'fee_credit'), sum('SELLER_REV_SHARE', 'cost', ` AND from_account_id = '${seller}'`),
  sum('SELLER_TAX_SHARE', 'tax'), sum('SELLER_TAX_SHARE_REFUND', 'tax_refund'), `sum(CASE WHEN ${NET} THEN amount ELSE 0 END) AS net`].join(', ');
const amounts = ['gross', 'fee', 'refund', 'fee_refund', 'credit', 'fee_credit', 'cost', 'tax', 'tax_refund', 'net'];
const who = `max(CASE WHEN type LIKE 'SELLER_%' AND from_account_id <> '${seller}' THEN from_account_id END) payer, max(billing_address_id) adr_id, max(invoice_date) invoice_date`;
const joined = (from) => `${from} g LEFT JOIN acc pa ON pa.account_id = g.payer AND pa.begin_ <= g.invoice_date AND g.invoice_date < pa.until_
  LEFT JOIN acc ua ON ua.account_id = g.usr AND ua.begin_ <= g.invoice_date AND g.invoice_date < ua.until_
  LEFT JOIN adr ON adr.address_id = coalesce(g.adr_id, pa.mailing_address_id) AND adr.aws_account_id = pa.aws_account_id LEFT JOIN prd USING (product_id)`;
const place = 'usr, payer, pa.aws_account_id AS payer_no, ua.aws_account_id AS user_no, country, state_or_region, city, postal_code, email_domain, title, product_code, adr.address_id';
const usage = ', usage_period_start_date AS u0, usage_period_end_date AS u1, invoice_id';
const links = ', parent_billing_event_id AS parent, disbursement_billing_event_id AS disbursement, bank_trace_id AS bank_trace, payment_due_date AS due';

const billed = (annual) => `WITH ${events(usage)} ${dims}
  g AS (SELECT ref, product_id, usr, currency, strftime(invoice_date, '%Y-%m') AS m, ${who}, min(u0) u0, max(u1) u1, ${sums},
    coalesce(bool_or(u1 - u0 >= INTERVAL '329 days 23:59:59'), false) OR NOT bool_or(u0 IS NOT NULL AND u1 IS NOT NULL) AS annual
    FROM ev WHERE balance_impacting = 1 AND type <> 'BALANCE_ADJUSTMENT' AND action IN ('INVOICED', 'FORGIVEN') GROUP BY ALL)
  SELECT ${place}, ${amounts.map(shown).join(', ')}, currency, ref, u0::date AS u0, u1::date AS u1, m FROM ${joined('g')} WHERE ${annual ? '' : 'NOT'} annual AND (net <> 0 OR gross <> 0 OR fee <> 0
    OR refund <> 0 OR fee_refund <> 0 OR credit <> 0 OR fee_credit <> 0 OR cost <> 0 OR tax <> 0 OR tax_refund <> 0) ORDER BY m, ref, product_id, usr, currency`;
const paid = `x AS (SELECT ev.* EXCLUDE (amount), -amount AS amount, pay.paid_at, pay.payout, pay.bank_trace AS trace FROM ev JOIN pay ON pay.id = ev.disbursement WHERE action = 'DISBURSED' AND balance_impacting = 1),`;
/** What an invoiced event still is at the end: itself and what settles it. */
const open = `failed AS (SELECT parent AS id, min(invoice_date) AS failed_at FROM ev WHERE type = 'DISBURSEMENT_FAILURE' GROUP BY 1),
  po AS (SELECT ev.id, invoice_date AS paid_at, failed_at FROM ev LEFT JOIN failed USING (id) WHERE type = 'DISBURSEMENT'),
  s AS (SELECT parent, sum(amount) AS settled FROM ev LEFT JOIN po ON po.id = ev.disbursement WHERE balance_impacting = 1 AND ((action = 'DISBURSED' AND coalesce(paid_at, invoice_date) < ${END}
    AND (failed_at IS NULL OR failed_at >= ${END})) OR (action = 'FORGIVEN' AND invoice_date < ${END})) AND type NOT LIKE 'DISBURSEMENT%' GROUP BY 1),
  o AS (SELECT ev.* EXCLUDE (amount), amount + coalesce(settled, 0) AS amount FROM ev LEFT JOIN s ON s.parent = ev.id WHERE action = 'INVOICED' AND balance_impacting = 1 AND type NOT LIKE '%TAX%'
    AND type NOT LIKE 'DISBURSEMENT%' AND invoice_date < ${END}),`;
const buckets = (days) => [[-99999, 30], [31, 60], [61, 90], [91, 120], [121, 99999]].map(([a, b], i) => `round(sum(CASE WHEN ${days} BETWEEN ${a} AND ${b} THEN amount ELSE 0 END), 2) AS b${i}`).join(', ');

const sets = {
  monthly_revenue_billing_and_revenue_data: billed(false),
  monthly_revenue_annual_subscriptions: billed(true),
  monthly_revenue_flexible_payment_schedule: `WITH ${events(usage)} ${dims}
    i AS (SELECT ref, product_id, usr, currency, invoice_id, ${who}, sum(amount) AS net, max(u1) u1 FROM ev WHERE action = 'INVOICED' AND balance_impacting = 1 AND type = 'SELLER_REV_SHARE'
      AND from_account_id <> '${seller}' AND currency = 'USD' GROUP BY ALL),
    c AS (SELECT *, sum(net) OVER w AS total, count(*) OVER w AS n, min(invoice_date) OVER w AS created, max(u1) OVER w AS expires FROM i WINDOW w AS (PARTITION BY ref, product_id, usr)),
    g AS (SELECT * FROM c WHERE n > 1)
    SELECT ${place}, product_id, created::date AS created, expires::date AS expires, round(total, 2) AS total, n, g.invoice_date, ${shown('net')}, currency FROM ${joined('g')} ORDER BY created, ref, product_id, usr, g.invoice_date`,
  disbursed_amount_by_product: `WITH ${events(links)} ${dims} ${payouts} ${paid}
    g AS (SELECT ref, product_id, usr, currency, disbursement, max(CASE WHEN type LIKE 'SELLER_%' AND from_account_id <> '${seller}' THEN from_account_id END) payer, max(billing_address_id) adr_id,
      max(paid_at) invoice_date, ${sums} FROM x GROUP BY ALL)
    SELECT ${place}, ${amounts.map(shown).join(', ')}, currency, ref, disbursement FROM ${joined('g')} WHERE net <> 0 OR gross <> 0 OR fee <> 0 OR refund <> 0 OR fee_refund <> 0 OR credit <> 0 OR fee_credit <> 0
      OR cost <> 0 OR tax <> 0 OR tax_refund <> 0 ORDER BY ref, product_id, usr, disbursement, currency`,
  disbursed_amount_by_customer_geo: `WITH ${events(links)} ${dims} ${payouts} ${paid}
    g AS (SELECT ref, disbursement, currency, max(CASE WHEN type LIKE 'SELLER_%' AND from_account_id <> '${seller}' THEN from_account_id END) payer, max(billing_address_id) adr_id, max(paid_at) invoice_date,
      max(payout) payout, ${sums} FROM x GROUP BY ALL),
    l AS (SELECT g.*, coalesce(ta.country, ba.country) country, coalesce(ta.state_or_region, ba.state_or_region) AS st, coalesce(ta.city, ba.city) city, coalesce(ta.postal_code, ba.postal_code) postal_code
      FROM g LEFT JOIN acc pa ON pa.account_id = g.payer AND pa.begin_ <= g.invoice_date AND g.invoice_date < pa.until_
      LEFT JOIN adr ta ON ta.address_id = pa.tax_address_id AND ta.aws_account_id = pa.aws_account_id
      LEFT JOIN adr ba ON ba.address_id = coalesce(g.adr_id, pa.mailing_address_id) AND ba.aws_account_id = pa.aws_account_id)
    SELECT disbursement, max(invoice_date)::date AS d, max(payout) AS payout, country, st, city, postal_code, round(sum(net), 2) AS net, round(sum(gross), 2) AS gross, round(sum(tax), 2) AS tax,
      round(sum(tax_refund), 2) AS tax_refund, currency FROM l GROUP BY ALL ORDER BY d, disbursement, country, st, city, postal_code`,
  disbursed_amount_by_instance_hours: `WITH ${events(links)} prd AS (${latest('product', 'product_id', 'product_id, product_code, title')}), ${payouts} ${paid}
    g AS (SELECT product_id, strftime(paid_at, '%Y-%m') AS m, count(DISTINCT coalesce(usr, from_account_id)) AS users FROM x WHERE type = 'SELLER_REV_SHARE' AND product_id IS NOT NULL GROUP BY ALL)
    SELECT title, product_code, users, 0 AS net, 'USD' AS currency FROM g LEFT JOIN prd USING (product_id) ORDER BY m, product_id`,
  disbursed_amount_by_age_of_uncollected_funds: `WITH ${events(links)} ${open} z AS (SELECT 1)
    SELECT currency, ${buckets(`date_diff('day', invoice_date, ${END} - INTERVAL 1 SECOND)`)}, round(sum(amount), 2) AS net FROM o GROUP BY currency ORDER BY currency`,
  disbursed_amount_by_age_of_past_due_funds: `WITH ${events(links)} ${open} z AS (SELECT 1)
    SELECT currency, ${buckets(`date_diff('day', due, ${END} - INTERVAL 1 SECOND)`)}, round(sum(amount), 2) AS net FROM o WHERE date_diff('day', due, ${END} - INTERVAL 1 SECOND) >= 1 GROUP BY currency ORDER BY currency`,
  disbursed_amount_by_age_of_disbursed_funds: `WITH ${events(links)} ${payouts} ${paid}
    y AS (SELECT x.currency, x.amount, date_diff('day', coalesce(p.invoice_date, x.invoice_date), x.paid_at) AS days FROM x LEFT JOIN ev p ON p.id = x.parent
      WHERE x.paid_at >= ${END} - INTERVAL 31 DAY AND x.paid_at < ${END} AND x.type NOT LIKE '%TAX%')
    SELECT currency, ${buckets('days')}, round(sum(amount), 2) AS net FROM y GROUP BY currency ORDER BY currency`,
  disbursed_amount_by_uncollected_funds_breakdown: `WITH ${events(links)} ${dims} ${open}
    g AS (SELECT ref, product_id, NULL AS usr, currency, strftime(invoice_date, '%Y-%m') AS m, ${who}, max(due) AS due, ${sums} FROM o GROUP BY ALL HAVING net <> 0)
    SELECT ${place}, ${amounts.map(shown).join(', ')}, currency, m, ref, due FROM ${joined('g')} ORDER BY due NULLS FIRST, ref, product_id, m, currency`,
  us_sales_and_use_tax_records: `WITH ${events('')} ${dims}
    payer AS (SELECT ref, max(from_account_id) AS payer FROM ev WHERE action = 'INVOICED' AND type LIKE 'SELLER_%' AND from_account_id <> '${seller}' AND ref IS NOT NULL GROUP BY ref),
    t AS (${latest('tax_item', 'tax_item_id', names.tax_item.split(',').filter((n) => !/^(valid_from|insert_date|update_date|delete_date)$/.test(n)).join(', '))}),
    u AS (SELECT *, sum(tax_amount) OVER (PARTITION BY line_item_id, transaction_type_code) AS total FROM t WHERE taxed_customer_country = 'US')
    SELECT line_item_id, customer_bill_id, title, product_code, product_tax_code, invoice_date::date AS d, round(taxable_amount + nontaxable_amount, 2) AS price, round(total, 2) AS total, taxed_customer_city,
      taxed_customer_state_or_region, taxed_customer_postal_code, taxed_customer_country, transaction_type_code, display_price_taxability_type, tax_location_code_taxed_jurisdiction, tax_type_code,
      jurisdiction_level, taxed_jurisdiction, round(taxable_amount, 2) AS taxable, round(nontaxable_amount, 2) AS nontaxable, round(tax_amount, 2) AS net, tax_jurisdiction_rate, tax_calculation_reason_code,
      date_used_for_tax_calculation::date AS used, customer_exemption_certificate_id, taxed_customer_account_id, transaction_reference_id, payer, tax_liable_party, tax_currency AS currency
    FROM u LEFT JOIN prd USING (product_id) LEFT JOIN payer ON payer.ref = u.transaction_reference_id ORDER BY invoice_date, line_item_id, transaction_type_code, tax_location_code_taxed_jurisdiction`,
};
(async () => {
  const c = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
  const t = process.hrtime.bigint();
  await c.run(`COPY (${sets[set]}) TO '${out}' (FORMAT csv)`);
  console.log(`total ${Number(process.hrtime.bigint() - t) / 1e9} s`);
  console.log(`peak ${require('fs').readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s*(\d+)/)[1] / 1024} MiB`);
  const r = await c.runAndReadAll(`SELECT count(*)::INT, coalesce(sum(net) FILTER (WHERE currency = 'USD'), 0)::DOUBLE FROM read_csv('${out}', header=true, all_varchar=true, types={'net': '${M}'})`.replace("all_varchar=true, ", ''));
  const [lines, net] = r.getRows()[0];
  console.log(`lines ${lines}\nusd ${net}`);
})();
