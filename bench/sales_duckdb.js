// SPDX-License-Identifier: Apache-2.0
// node sales_duckdb.js DIR OUT r|q: sales compensation in SQL (data-feeds 6.2), variants report and query, from the same files: only the columns needed,
// types given. Prints the seconds and the peak memory. @duckdb/node-api is looked for in NODE_PATH, too.
const { DuckDBInstance } = require('@duckdb/node-api');
const [dir, out, variant] = process.argv.slice(2);
const T = 'TIMESTAMP';
const cols = (names, types) => '{' + names.map(n => `'${n}': '${types[n] || 'VARCHAR'}'`).join(', ') + '}';
const be = 'billing_event_id,from_account_id,to_account_id,end_user_account_id,product_id,action,transaction_type,parent_billing_event_id,disbursement_billing_event_id,amount,currency,balance_impacting,invoice_date,payment_due_date,usage_period_start_date,usage_period_end_date,invoice_id,billing_address_id,transaction_reference_id,bank_trace_id,broker_id,valid_from,insert_date,update_date,delete_date'.split(',');
const ac = 'account_id,aws_account_id,encrypted_account_id,mailing_address_id,tax_address_id,tax_registration_number,tax_legal_name,valid_from,insert_date,update_date,delete_date'.split(',');
const ad = 'address_id,aws_account_id,email_domain,company_name,country,state_or_region,city,postal_code,address_line_1,address_line_2,address_line_3,valid_from,valid_to,insert_date,update_date,delete_date'.split(',');
const pr = 'product_id,manufacturer_account_id,product_code,title,valid_from,insert_date,update_date,delete_date'.split(',');
const types = { amount: 'DECIMAL(38,10)', balance_impacting: 'TINYINT', invoice_date: T, valid_from: T, update_date: T };
const read = (f, names) => `read_csv('${dir}/${f}/*/*/data.csv', header=true, auto_detect=false, delim=',', quote='"', escape='"', columns=${cols(names, types)})`;
const coalesced = names => names.map(n => `coalesce(cast(${n} as varchar), '') DESC`).join(', ');
const sums = ['SELLER_REV_SHARE gross', 'AWS_REV_SHARE fee', 'SELLER_REV_SHARE_REFUND refund', 'AWS_REV_SHARE_REFUND fee_refund', 'SELLER_REV_SHARE_CREDIT credit', 'AWS_REV_SHARE_CREDIT fee_credit', 'SELLER_TAX_SHARE tax', 'SELLER_TAX_SHARE_REFUND tax_refund'].map(x => x.split(' '));
const q = variant === 'q';
const sql = `COPY (
WITH be AS (SELECT * FROM (SELECT transaction_reference_id AS ref, product_id, end_user_account_id AS usr, from_account_id, "action" AS action, transaction_type, amount, currency, invoice_date, billing_address_id, balance_impacting, delete_date, billing_event_id, valid_from,
  row_number() OVER (PARTITION BY billing_event_id, valid_from ORDER BY update_date DESC, insert_date DESC) rn FROM ${read('billing_event_v1', be)}) WHERE rn = 1 AND delete_date IS NULL),
cur AS (SELECT * FROM be ${q ? '' : 'QUALIFY row_number() OVER (PARTITION BY billing_event_id ORDER BY valid_from DESC) = 1'}),
ev AS (SELECT * FROM cur WHERE balance_impacting = 1 AND transaction_type <> 'BALANCE_ADJUSTMENT'),
paid AS (SELECT ref, from_account_id, billing_address_id FROM ev WHERE action = 'DISBURSED' AND transaction_type LIKE 'SELLER_%' AND billing_address_id IS NOT NULL AND ref IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY ref, from_account_id ORDER BY invoice_date DESC, billing_address_id DESC) = 1),
g AS (SELECT ref, product_id, usr, currency, ${q ? "'' AS m" : "strftime(invoice_date, '%Y-%m') AS m"}, max(invoice_date) invoice_date, max(billing_address_id) adr,
  max(CASE WHEN transaction_type LIKE 'SELLER_%' THEN from_account_id END) payer,
  ${sums.map(([t, n]) => `sum(CASE WHEN transaction_type = '${t}' THEN amount ELSE 0 END) ${n}`).join(', ')}
  FROM ev WHERE action IN ('INVOICED', 'FORGIVEN') GROUP BY ALL),
n AS (SELECT *, gross + fee + refund + fee_refund + credit + fee_credit ${q ? '+ tax + tax_refund' : ''} AS net FROM g),
acc AS (SELECT *, lead(valid_from, 1, TIMESTAMP '9999-01-01') OVER (PARTITION BY account_id ORDER BY valid_from) until_, CASE WHEN row_number() OVER (PARTITION BY account_id ORDER BY valid_from) = 1 THEN valid_from - INTERVAL 1 DAY ELSE valid_from END begin_
  FROM (SELECT * FROM ${read('account_v1', ac)} QUALIFY row_number() OVER (PARTITION BY account_id, valid_from ORDER BY update_date DESC, insert_date DESC) = 1) WHERE delete_date IS NULL),
adr AS (SELECT * FROM (SELECT * FROM ${read('address_v1', ad)} QUALIFY row_number() OVER (PARTITION BY address_id, aws_account_id, valid_from ORDER BY update_date DESC, insert_date DESC) = 1) WHERE delete_date IS NULL QUALIFY row_number() OVER (PARTITION BY address_id, aws_account_id ORDER BY valid_from DESC) = 1),
prd AS (SELECT * FROM (SELECT * FROM ${read('product_v1', pr)} QUALIFY row_number() OVER (PARTITION BY product_id, valid_from ORDER BY update_date DESC, insert_date DESC) = 1) WHERE delete_date IS NULL QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY valid_from DESC) = 1),
j AS (SELECT n.*, pa.aws_account_id payer_no, ua.aws_account_id user_no, coalesce(paid.billing_address_id, n.adr, pa.mailing_address_id) adr_id
  FROM n LEFT JOIN acc pa ON pa.account_id = n.payer AND pa.begin_ <= n.invoice_date AND n.invoice_date < pa.until_
  LEFT JOIN acc ua ON ua.account_id = n.usr AND ua.begin_ <= n.invoice_date AND n.invoice_date < ua.until_
  LEFT JOIN paid ON paid.ref = n.ref AND paid.from_account_id = n.payer WHERE net <> 0)
SELECT payer_no, country, state_or_region, city, postal_code, email_domain, product_code, title,
  ${['gross', 'fee', 'refund', 'fee_refund', 'net'].map(c => `cast(round(${c}, 2) as decimal(38,2))`).join(', ')}, currency, strftime(j.invoice_date, '%Y-%m'), ref, payer, user_no, adr_id, usr, j.product_id
FROM j LEFT JOIN adr ON adr.address_id = j.adr_id AND adr.aws_account_id = j.payer_no LEFT JOIN prd ON prd.product_id = j.product_id
) TO '${out}' (FORMAT csv, HEADER false)`;
(async () => {
  const c = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
  const t = process.hrtime.bigint();
  await c.run(sql);
  console.log(`total ${Number(process.hrtime.bigint() - t) / 1e9} s`);
  console.log(`peak ${require('fs').readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s*(\d+)/)[1] / 1024} MiB`);
})();
