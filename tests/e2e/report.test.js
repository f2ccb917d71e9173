// SPDX-License-Identifier: Apache-2.0
// souk report: every financial data set of small feeds, its figures worked out by hand; refusals; same bytes.
import { after, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCsv, run, souk } from './lib.js';
import { FeedFolder, workedExample } from './feedfolder.js';

const folders = [];
const feeds = (f) => { folders.push(f); return f; };
after(() => folders.forEach((f) => f.remove()));

async function report(f, dataSet, ...args) {
  const r = await souk(['report', dataSet, '--feeds', f.dir, ...args]);
  assert.equal(r.code, 0, r.err);
  return r.out;
}
// Lines as objects, empty cells left out.
async function lines(f, dataSet, ...args) {
  return parseCsv(await report(f, dataSet, ...args)).map((r) => Object.fromEntries(Object.entries(r).filter(([, v]) => v !== '')));
}
const pick = (line, ...names) => names.map((n) => line[n]);

test('the life of one sale: 100 from the payer, 80 to the manufacturer, 0.20 of fee, 19.80 paid out', async () => {
  const f = feeds(workedExample());
  f.write();
  const [product, ...none] = await lines(f, 'disbursed_amount_by_product', '--month', '2024-02');
  assert.equal(none.length, 0);
  assert.deepEqual(product, { Product: 'Product A', 'Product Code': 'code-a', SellerRev: '20.00', AWSRefFee: '-0.20', SellerRevRefund: '0.00', AWSRefFeeRefund: '0.00',
    SellerRevCredit: '0.00', AWSRefFeeCredit: '0.00', 'Net Amount': '19.80', 'Transaction Reference ID': 'ref-1', SellerUSSalesTax: '0.00',
    SellerUSSalesTaxRefund: '0.00', 'Customer AWS Account Number': '000000000002', 'Customer Country': 'US', 'Customer State': 'WA', 'Customer City': 'Seattle',
    'Customer Zip Code': '98101', 'Customer Email Domain': 'buyer.example', 'Payer Reference ID': 'acct-payer', 'Payer Address ID': 'addr-mail' });
  const [query] = await lines(f, 'disbursed_amount_by_product', '--month', '2024-02', '--variant', 'query');
  assert.deepEqual(pick(query, 'SellerRev', 'AWSRefFee', 'Net Amount', 'Disbursement Date', 'Bank Trace ID', 'End Customer AWS Account ID'),
    ['20.00', '-0.20', '19.80', '2024-02-20', 'bank-1', '000000000004']);
  const [annual] = await lines(f, 'monthly_revenue_annual_subscriptions', '--month', '2024-01');
  assert.deepEqual(pick(annual, 'Customer Reference ID', 'Payer Reference ID', 'Customer Billed Amount', 'AWS Listing Fee', 'Cost', 'Partner Revenue Amount'),
    ['acct-user', 'acct-payer', '100.00', '-0.20', '-80.00', '19.80']);
  const [geo] = await lines(f, 'disbursed_amount_by_customer_geo', '--month', '2024-02');
  assert.deepEqual(pick(geo, 'Disbursed Amount', 'Country Code', 'Postal Code', 'Net Amount by Tax Location', 'Gross Amount by Tax Location'),
    ['19.80', 'US', '98101', '19.80', '100.00']);
  const age = async (set, month) => (await lines(f, `disbursed_amount_by_age_of_${set}`, '--month', month)).map((l) => Object.values(l));
  assert.deepEqual(await age('uncollected_funds', '2024-01'), [['19.80', '0.00', '0.00', '0.00', '0.00', '19.80']]);
  assert.deepEqual(await age('uncollected_funds', '2024-02'), [['0.00', '0.00', '0.00', '0.00', '0.00', '0.00']]);
  assert.deepEqual(await age('disbursed_funds', '2024-02'), [['0.00', '19.80', '0.00', '0.00', '0.00', '19.80']]);
  assert.deepEqual(await age('past_due_funds', '2024-01'), []);
  const [open] = await lines(f, 'disbursed_amount_by_uncollected_funds_breakdown', '--month', '2024-01');
  assert.deepEqual(pick(open, 'Gross Revenue', 'AWS Revenue Share', 'Net Revenue', 'AR Period', 'Payment Due date'), ['100.00', '-0.20', '19.80', '2024-01', '2024-02-09']);
  assert.deepEqual(await lines(f, 'disbursed_amount_by_uncollected_funds_breakdown', '--month', '2024-02'), []);
});

test('an INVOICED row of type DISBURSEMENT shows a settlement and adds nothing', async () => {
  const f = feeds(workedExample()), plain = feeds(workedExample());
  f.event('DISBURSEMENT', 'INVOICED', 'acct-seller', 'acct-payer', -100, '2024-02-20', { balance_impacting: '0', parent_billing_event_id: 'event-0001',
    disbursement_billing_event_id: 'event-0005', transaction_reference_id: 'ref-1', product_id: 'prod-a', end_user_account_id: 'acct-user' });
  f.write();
  plain.write();
  for (const set of ['disbursed_amount_by_product', 'disbursed_amount_by_customer_geo', 'disbursed_amount_by_age_of_uncollected_funds', 'disbursed_amount_by_age_of_disbursed_funds',
    'disbursed_amount_by_uncollected_funds_breakdown', 'monthly_revenue_annual_subscriptions', 'sales_compensation_billed_revenue'])
    assert.equal(await report(f, set, '--all-months'), await report(plain, set, '--all-months'), set);
  for (const set of ['disbursed_amount_by_product', 'sales_compensation_billed_revenue'])
    assert.equal(await report(f, set, '--all-months', '--variant', 'query'), await report(plain, set, '--all-months', '--variant', 'query'), set);
});

// A seller without manufacturers; accounts p1 and p2 pay, u1 and u2 use.
function shop() {
  const f = feeds(new FeedFolder());
  f.account('seller', '000000000001', { tax_legal_name: 'Seller Ltd' });
  f.account('p1', '000000000011', { mailing_address_id: 'a1' }).account('p2', '000000000012', { mailing_address_id: 'a2', tax_address_id: 'a3' });
  f.account('u1', '000000000021').account('u2', '000000000022');
  f.address('a1', '000000000011', { country: 'US', state_or_region: 'WA', city: 'Seattle', postal_code: '98101', email_domain: 'one.example' });
  f.address('a2', '000000000012', { country: 'DE', city: 'Berlin', postal_code: '10115', email_domain: 'two.example' });
  f.address('a3', '000000000012', { country: 'FR', city: 'Paris', postal_code: '75001', email_domain: 'tax.example' });
  f.product('prod-x', 'code-x', 'Product X').product('prod-y', 'code-y', '');
  const sale = (ref, payer, user, amount, fee, date, more = {}) => {
    const common = { product_id: 'prod-x', transaction_reference_id: ref, end_user_account_id: user, ...more };
    return [f.event('SELLER_REV_SHARE', 'INVOICED', payer, 'seller', amount, date, common),
      f.event('AWS_REV_SHARE', 'INVOICED', 'seller', 'AWS', fee, date, common)];
  };
  // The payout of some invoiced events, with its lines; the amount is what the lines carry.
  const payout = (date, events, { bank = `bank-${date}`, currency = 'USD' } = {}) => {
    const parents = events.map((id) => f.rows.billingeventfeed_v1.find((r) => r.billing_event_id === id));
    const total = parents.reduce((s, r) => s + Math.round(Number(r.amount) * 100), 0) / 100;
    const id = f.event('DISBURSEMENT', 'DISBURSED', 'AWS', 'seller', total.toFixed(2), date, { bank_trace_id: bank, currency });
    for (const r of parents)
      f.event(r.transaction_type, 'DISBURSED', r.from_account_id, r.to_account_id, String(-Number(r.amount)), date, { product_id: r.product_id, currency: r.currency,
        transaction_reference_id: r.transaction_reference_id, end_user_account_id: r.end_user_account_id, parent_billing_event_id: r.billing_event_id, disbursement_billing_event_id: id });
    return id;
  };
  return { f, sale, payout };
}

test('billed revenue: refunds, credits, tax, forgiven charges, two end users, kinds of revenue', async () => {
  const { f, sale } = shop();
  const hour = { usage_period_start_date: '2024-03-01T00:00:00Z', usage_period_end_date: '2024-03-31T23:59:59Z' };
  const year = { usage_period_start_date: '2024-03-01T00:00:00Z', usage_period_end_date: '2025-02-28T23:59:59Z' };
  sale('r1', 'p1', 'u1', '10.005', '-0.333', '2024-03-02', hour);
  const r1 = { product_id: 'prod-x', transaction_reference_id: 'r1', end_user_account_id: 'u1', ...hour };
  f.event('SELLER_REV_SHARE_REFUND', 'INVOICED', 'p1', 'seller', '-3', '2024-03-05', r1);
  f.event('AWS_REV_SHARE_REFUND', 'INVOICED', 'seller', 'AWS', '0.1', '2024-03-05', r1);
  f.event('SELLER_REV_SHARE_CREDIT', 'INVOICED', 'p1', 'seller', '-1', '2024-03-05', r1);
  f.event('SELLER_TAX_SHARE', 'INVOICED', 'p1', 'seller', '2', '2024-03-02', r1);
  f.event('SELLER_TAX_SHARE_REFUND', 'INVOICED', 'p1', 'seller', '-0.5', '2024-03-05', r1);
  f.event('BALANCE_ADJUSTMENT', 'INVOICED', 'seller', 'AWS', '-7', '2024-03-05', r1);
  sale('r1', 'p1', 'u2', '4', '-0.12', '2024-03-02', hour); // the same transaction, another user
  sale('r2', 'p2', '', '500', '-15', '2024-03-31', { ...year, product_id: 'prod-y' });
  const [gone] = sale('r3', 'p1', 'u1', '9', '0', '2024-03-09', hour);
  f.event('SELLER_REV_SHARE', 'FORGIVEN', 'p1', 'seller', '-9', '2024-03-20', { product_id: 'prod-x', transaction_reference_id: 'r3', end_user_account_id: 'u1', parent_billing_event_id: gone, ...hour });
  sale('r4', 'p1', 'u1', '8', '0', '2024-04-01', hour); // the month after
  f.write();
  const billed = await lines(f, 'monthly_revenue_billing_and_revenue_data', '--month', '2024-03');
  const money = ['Customer Billed Amount', 'AWS Listing Fee', 'Refunds Amount', 'AWS Fee Refund', 'Cost', 'Partner Revenue Amount', 'U.S. Sales Tax Customer Billed Amount', 'U.S. Sales Tax Refunds Amount'];
  assert.deepEqual(billed.map((l) => pick(l, 'Transaction Reference ID', 'Customer Reference ID', ...money)), [
    // 10.005 - 0.333 - 3 + 0.1 - 1 = 5.772; the cells round half-up, each once
    ['r1', 'u1', '10.01', '-0.33', '-3.00', '0.10', '0.00', '5.77', '2.00', '-0.50'],
    ['r1', 'u2', '4.00', '-0.12', '0.00', '0.00', '0.00', '3.88', '0.00', '0.00'],
  ]);
  const annual = await lines(f, 'monthly_revenue_annual_subscriptions', '--month', '2024-03');
  assert.deepEqual(annual.map((l) => pick(l, 'Transaction Reference ID', 'Customer Reference ID', 'Product Title', 'Product Code', 'Country', 'Partner Revenue Amount', 'Subscription Start Date', 'Contract End Date')),
    [['r2', 'p2', undefined, 'code-y', 'DE', '485.00', '2024-03-01', '2025-02-28']]);
  // All months are the months one behind the other.
  const whole = (await report(f, 'monthly_revenue_billing_and_revenue_data', '--all-months')).split('\r\n').slice(1, -1);
  const parts = [];
  for (const m of ['2024-03', '2024-04']) parts.push(...(await report(f, 'monthly_revenue_billing_and_revenue_data', '--month', m)).split('\r\n').slice(1, -1));
  assert.deepEqual(whole, parts);
  assert.equal(whole.length, 3);
});

test('payouts: failed ones are left out, adjustments stay, the query joins products and rounds before it adds', async () => {
  const { f, sale, payout } = shop();
  const one = sale('r1', 'p1', 'u1', '100.005', '-3.004', '2024-01-05');
  const two = sale('r2', 'p2', 'u2', '50', '-1.5', '2024-01-06');
  const odd = f.event('BALANCE_ADJUSTMENT', 'INVOICED', 'seller', 'AWS', '-2', '2024-01-07');
  payout('2024-02-10', [...one, odd], { bank: 'b1' });
  const failed = payout('2024-02-11', two, { bank: 'b2' });
  f.event('DISBURSEMENT_FAILURE', 'DISBURSED', 'AWS', 'seller', '-48.5', '2024-02-13', { parent_billing_event_id: failed });
  f.write();
  const page = await lines(f, 'disbursed_amount_by_product', '--month', '2024-02');
  assert.deepEqual(page.map((l) => pick(l, 'Transaction Reference ID', 'Product', 'SellerRev', 'AWSRefFee', 'Net Amount')),
    [[undefined, undefined, '0.00', '0.00', '-2.00'], ['r1', 'Product X', '100.01', '-3.00', '97.00']]);
  const r = await souk(['report', 'disbursed_amount_by_product', '--feeds', f.dir, '--month', '2024-02', '--variant', 'query']);
  assert.match(r.err, /1 lines are left out: the query joins products/);
  // 100.005 - 3.004 = 97.001, but the query rounds first: 100.01 - 3.00; the failed payout is in it
  assert.deepEqual(parseCsv(r.out).map((l) => pick(l, 'Transaction Reference ID', 'Net Amount', 'Disbursement Date', 'Bank Trace ID')), [['r1', '97.01', '2024-02-10', 'b1'], ['r2', '48.50', '2024-02-11', 'b2']]);
  assert.deepEqual((await lines(f, 'disbursed_amount_by_instance_hours', '--month', '2024-02')).map((l) => pick(l, 'Product', 'User Count')), [['Product X', '1']]);
  // A failed payout leaves its lines uncollected, from when it failed.
  const age = async (month) => Object.values((await lines(f, 'disbursed_amount_by_age_of_uncollected_funds', '--month', month))[0])[5];
  assert.equal(await age('2024-01'), '143.50'); // 97 - 2 + 48.5
  assert.equal(await age('2024-02'), '48.50');
});

test('geography: the tax address, else the bill, of the payer; each payout by itself, a period since the one before', async () => {
  const { f, sale, payout } = shop();
  f.address('a9', '000000000011', { country: 'US', state_or_region: 'OR', city: 'Portland', postal_code: '97201' });
  payout('2024-01-10', sale('r0', 'p1', 'u1', '5', '-1', '2024-01-01'));
  const billed = sale('r1', 'p1', 'u1', '10', '-1', '2024-01-05', { billing_address_id: 'a9' });
  const taxed = sale('r2', 'p2', 'u2', '20', '-2', '2024-01-05');
  const id = payout('2024-02-10', [...billed, ...taxed]);
  for (const r of f.rows.billingeventfeed_v1) if (r.disbursement_billing_event_id === id && r.from_account_id === 'p1') r.billing_address_id = 'a9';
  f.write();
  assert.deepEqual((await lines(f, 'disbursed_amount_by_customer_geo', '--month', '2024-02')).map((l) => pick(l, 'Settlement ID', 'Settlement Period Start Date', 'Deposit Date', 'Disbursed Amount', 'Country Code', 'State or Region', 'City',
    'Net Amount by Tax Location', 'Gross Amount by Tax Location')), [
    [id, '2024-01-10', '2024-02-10', '27.00', 'FR', undefined, 'Paris', '18.00', '20.00'],
    [id, '2024-01-10', '2024-02-10', '27.00', 'US', 'OR', 'Portland', '9.00', '10.00'],
  ]);
});

test('ages: the edges of the buckets, counted in calendar days; past due by the due date', async () => {
  const { f } = shop();
  const open = (ref, amount, invoiced, due) => f.event('SELLER_REV_SHARE', 'INVOICED', 'p1', 'seller', amount, invoiced, { product_id: 'prod-x', transaction_reference_id: ref, payment_due_date: due ?? '' });
  // Days before 2024-12-31: 0, 30, 31, 60, 61, 90, 91, 120, 121
  const days = ['2024-12-31T23:59:59Z', '2024-12-01T00:00:00Z', '2024-11-30T23:59:59Z', '2024-11-01T00:00:00Z', '2024-10-31T23:59:59Z', '2024-10-02T00:00:00Z', '2024-10-01T23:59:59Z', '2024-09-02T00:00:00Z', '2024-09-01T23:59:59Z'];
  days.forEach((d, i) => open(`r${i}`, 2 ** i, d, d));
  open('late', '1000', '2025-01-01T00:00:00Z');
  f.write();
  const age = async (set) => (await lines(f, `disbursed_amount_by_age_of_${set}`, '--month', '2024-12')).map((l) => Object.values(l));
  assert.deepEqual(await age('uncollected_funds'), [['3.00', '12.00', '48.00', '192.00', '256.00', '511.00']]);
  // Due today is not past due.
  assert.deepEqual(await age('past_due_funds'), [['2.00', '12.00', '48.00', '192.00', '256.00', '510.00']]);
  const breakdown = await lines(f, 'disbursed_amount_by_uncollected_funds_breakdown', '--month', '2024-12');
  assert.deepEqual(breakdown.map((l) => l['Transaction Reference ID']), ['r8', 'r7', 'r6', 'r5', 'r4', 'r3', 'r2', 'r1', 'r0']); // by due date
  assert.equal(breakdown.reduce((s, l) => s + Number(l['Net Revenue']), 0), 511);
});

test('currencies are never added: a line each, and a word where no column tells them apart', async () => {
  const { f, sale } = shop();
  sale('r1', 'p1', 'u1', '10', '-1', '2024-03-01');
  sale('r1', 'p1', 'u1', '20', '-2', '2024-03-01', { currency: 'EUR' });
  f.write();
  assert.deepEqual((await lines(f, 'monthly_revenue_annual_subscriptions', '--month', '2024-03')).map((l) => pick(l, 'Currency', 'Partner Revenue Amount')), [['EUR', '18.00'], ['USD', '9.00']]);
  const r = await souk(['report', 'disbursed_amount_by_age_of_uncollected_funds', '--feeds', f.dir, '--month', '2024-03']);
  assert.match(r.err, /2 currencies.*--currency/);
  const json = (await report(f, 'disbursed_amount_by_age_of_uncollected_funds', '--month', '2024-03', '--format', 'json')).trim().split('\n').map((l) => JSON.parse(l));
  assert.deepEqual(json.map((l) => [l.Currency, l['Uncollected (overall)']]), [['EUR', '18.00'], ['USD', '9.00']]);
  assert.equal((await lines(f, 'disbursed_amount_by_age_of_uncollected_funds', '--month', '2024-03', '--currency', 'EUR'))[0]['Uncollected (overall)'], '18.00');
});

test('flexible payments: a transaction invoiced more than once, in the month of its first invoice', async () => {
  const { f, sale } = shop();
  sale('once', 'p1', 'u1', '10', '0', '2024-03-01', { invoice_id: 'i0' });
  for (const [i, d] of [['i2', '2024-04-05'], ['i1', '2024-03-05'], ['i3', '2024-05-05']]) sale('plan', 'p1', 'u1', '100', '-3', d, { invoice_id: i, usage_period_end_date: '2025-03-04T23:59:59Z' });
  for (const i of ['e1', 'e2']) sale('euro', 'p2', 'u2', '7', '0', '2024-03-06', { invoice_id: i, currency: 'EUR' });
  f.write();
  const r = await souk(['report', 'monthly_revenue_flexible_payment_schedule', '--feeds', f.dir, '--month', '2024-03']);
  assert.equal(r.code, 0, r.err);
  assert.deepEqual(parseCsv(r.out).map((l) => pick(l, 'Contract Create Date', 'Contract Expiration Date', 'Total Contract Value (USD)', '# of Payments', 'Invoice Date', 'Invoice Amount (USD)', 'Product ID')),
    ['2024-03-05', '2024-04-05', '2024-05-05'].map((d) => ['2024-03-05', '2025-03-04', '300.00', '3', d, '100.00', 'prod-x']));
  assert.match(r.err, /2 lines are left out: .*US dollars/);
  assert.deepEqual(await lines(f, 'monthly_revenue_flexible_payment_schedule', '--month', '2024-04'), []);
});

test('tax records: jurisdictions of a line item, refunds, corrections, deletions, other countries', async () => {
  const { f, sale } = shop();
  sale('r1', 'p1', 'u1', '100', '-3', '2024-03-02');
  const item = { line_item_id: 'L1', transaction_type_code: 'AWS', product_id: 'prod-x', invoice_date: '2024-03-02', taxed_customer_account_id: 'u1', taxed_customer_country: 'US',
    taxed_customer_state_or_region: 'WA', taxable_amount: '100', nontaxable_amount: '0', tax_currency: 'USD', transaction_reference_id: 'r1', tax_liable_party: 'Seller' };
  f.tax('t2', { ...item, jurisdiction_level: 'State', taxed_jurisdiction: 'WA', tax_jurisdiction_rate: '0.0650', tax_amount: '6.5' });
  f.tax('t1', { ...item, jurisdiction_level: 'City', taxed_jurisdiction: 'Seattle', tax_jurisdiction_rate: '0.03', tax_amount: '9.99' });
  f.tax('t1', { ...item, jurisdiction_level: 'City', taxed_jurisdiction: 'Seattle', tax_jurisdiction_rate: '0.03', tax_amount: '3', update_date: '2024-05-01T00:00:00Z' });
  f.tax('t3', { ...item, transaction_type_code: 'REFUND', taxable_amount: '-10', tax_amount: '-0.95', jurisdiction_level: 'State' });
  f.tax('t4', { ...item, line_item_id: 'L2', tax_amount: '1', update_date: '2024-05-02T00:00:00Z', delete_date: '2024-05-02T00:00:00Z' });
  f.tax('t5', { ...item, line_item_id: 'L3', taxed_customer_country: 'DE', tax_amount: '19' });
  f.tax('t6', { ...item, line_item_id: 'L4', invoice_date: '2024-04-01', tax_amount: '1' });
  f.write();
  const shown = (ls) => ls.map((l) => pick(l, 'Line Item ID', 'Transaction Type Code', 'Jurisdiction Level', 'Taxable Sale Amount', 'Tax Jurisdiction Tax Rate', 'Tax Amount', 'Total Tax', 'Product Name', 'Seller ID', 'Seller Name', 'Payer Reference ID', 'Customer Reference ID'));
  const rest = ['Product X', 'seller', 'Seller Ltd', 'p1', 'u1'];
  assert.deepEqual(shown(await lines(f, 'us_sales_and_use_tax_records', '--month', '2024-03')), [
    ['L1', 'AWS', 'City', '100.00', '0.03', '3.00', '9.50', ...rest],
    ['L1', 'AWS', 'State', '100.00', '0.065', '6.50', '9.50', ...rest],
    ['L1', 'REFUND', 'State', '-10.00', '0', '-0.95', '-0.95', ...rest],
  ]);
  const then = await lines(f, 'us_sales_and_use_tax_records', '--month', '2024-03', '--as-known-at', '2024-04-30T00:00:00Z');
  assert.deepEqual(then.map((l) => l['Tax Amount']), ['9.99', '6.50', '-0.95']);
});

test('the same feeds in any order of rows and files, on any number of threads: the same bytes', async () => {
  const { f, sale, payout } = shop();
  for (let i = 0; i < 60; i++) {
    const s = sale(`r${i % 17}`, i % 3 ? 'p1' : 'p2', i % 2 ? 'u1' : '', 10 + i, -1, `2024-0${1 + (i % 3)}-1${i % 10}`, i % 5 ? {} : { product_id: 'prod-y', currency: 'EUR' });
    if (i % 4 === 0) payout(`2024-04-0${1 + (i % 8)}`, s, { bank: 'same', currency: i % 5 ? 'USD' : 'EUR' });
  }
  const sets = ['disbursed_amount_by_product', 'disbursed_amount_by_customer_geo', 'disbursed_amount_by_instance_hours', 'disbursed_amount_by_uncollected_funds_breakdown', 'disbursed_amount_by_age_of_disbursed_funds',
    'disbursed_amount_by_age_of_uncollected_funds', 'monthly_revenue_annual_subscriptions', 'monthly_revenue_flexible_payment_schedule', 'sales_compensation_billed_revenue'];
  const all = async (...args) => { const out = []; for (const s of sets) out.push(await report(f, s, '--all-months', ...args)); return out; };
  f.write();
  const first = await all('--threads', '1');
  f.write({ files: 7, order: (rows) => rows.reverse() });
  assert.deepEqual(await all('--threads', '2'), first);
  f.write({ files: 3, order: (rows) => rows.map((r, i) => [(i * 7919) % 101, i, r]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , r]) => r) });
  assert.deepEqual(await all('--threads', '5'), first);
  assert.ok(first.every((t, i) => t.split('\r\n').length > 2 || i === 7));
});

test('workbooks: a summary with totals and charts, the lines, the same bytes each time', async () => {
  const f = feeds(workedExample());
  f.write();
  const files = ['a.xlsx', 'b.xlsx'].map((n) => join(f.dir, n));
  for (const file of files) await report(f, 'disbursed_amount_by_product', '--month', '2024-02', '--format', 'xlsx', '-o', file);
  assert.ok(readFileSync(files[0]).equals(readFileSync(files[1])));
  const listing = (await run('python3', ['-c', `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
print(z.testzip(), *z.namelist())
print(z.read('xl/worksheets/sheet1.xml').decode())
print(z.read('xl/worksheets/sheet2.xml').decode())
print(z.read('xl/charts/chart1.xml').decode())`, files[0]])).out;
  assert.match(listing, /^None /);
  for (const part of ['chart1.xml', 'chart2.xml', 'chart3.xml', 'Net Amount by product, USD', 'Net Amount by month, USD', 'Net Amount by country, USD', '<v>19.8</v>', 'Product A', 'ref-1']) assert.ok(listing.includes(part), part);
});

test('nothing half-written, nothing readable for others, and no scratch files', async () => {
  const f = feeds(workedExample());
  f.write();
  const out = join(f.dir, 'out.csv');
  writeFileSync(out, 'old');
  const bad = join(f.dir, 'billingeventfeed_v1/year=2024/month=02');
  assert.equal((await run('mkdir', ['-p', bad])).code, 0);
  writeFileSync(join(bad, 'data.csv'), readFileSync(join(f.dir, 'billingeventfeed_v1/year=2024/month=01/data.csv'), 'utf8').split('\n')[0] + '\nbroken,row\n');
  const args = ['report', 'disbursed_amount_by_product', '--feeds', f.dir, '--month', '2024-02', '-o', out];
  const r = await souk(args);
  assert.equal(r.code, 1);
  assert.match(r.err, /^souk: .*month=02\/data.csv:2.*; .+\n$/);
  assert.equal(readFileSync(out, 'utf8'), 'old');
  const rejects = join(f.dir, 'rejects.csv');
  const lenient = await souk([...args, '--lenient', '--rejects', rejects, '--json']);
  assert.equal(lenient.code, 0, lenient.err);
  assert.match(lenient.err, /1 bad rows were set aside/);
  const told = JSON.parse(lenient.out);
  assert.deepEqual([told.lines, told.events, told.rejectedRows, told.seller, told.totals[0].currency, told.totals[0].amounts['Net Amount']], [1, 3, 1, 'acct-seller', 'USD', '19.80']);
  assert.match(readFileSync(rejects, 'utf8'), /broken/);
  assert.equal(statSync(out).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(f.dir).filter((n) => n.includes('part')), []);
  assert.ok(!existsSync(join(f.dir, 'nowhere')));
  assert.equal((await souk(['report', 'disbursed_amount_by_product', '--feeds', f.dir, '--lenient', '--month', '2024-02', '-o', join(f.dir, 'nowhere/x.csv')])).code, 1);
});

test('participants: columns that others do not have are gone, not blank; refusals name what to do', async () => {
  const f = feeds(workedExample());
  f.write();
  const header = (await report(f, 'disbursed_amount_by_product', '--month', '2024-02', '--participant', 'no')).split('\r\n')[0];
  assert.equal(header, 'Product,Product Code,SellerRev,AWSRefFee,SellerRevRefund,AWSRefFeeRefund,SellerRevCredit,AWSRefFeeCredit,Net Amount,Transaction Reference ID,SellerUSSalesTax,SellerUSSalesTaxRefund,Solution Title,Solution ID,Payer Reference ID');
  for (const [code, field, ...args] of [[1, 'DATASET', 'daily_business_fees'], [1, 'DATASET', 'customer_profile_by_industry'], [2, 'DATASET', 'nonsense'], [1, 'DATASET', 'sales_compensation_billed_revenue', '--participant', 'no'],
    [1, '--variant', 'disbursed_amount_by_customer_geo', '--variant', 'query'], [1, '--seller', 'disbursed_amount_by_product', '--seller', '000000000099'], [2, '--month', 'disbursed_amount_by_product', '--all-months'],
    [2, '--rejects', 'disbursed_amount_by_product', '--rejects', 'x'], [2, '--output', 'disbursed_amount_by_product', '--json'], [2, '--output', 'disbursed_amount_by_product', '--format', 'xlsx'], [2, '--currency', 'disbursed_amount_by_product', '--currency', 'XQX']]) {
    const r = await souk(['report', ...args, '--feeds', f.dir, '--month', '2024-02']);
    assert.equal(r.code, code, args.join(' '));
    assert.match(r.err, new RegExp(`^souk: ${field}: [^\n]+; [^\n]+\n$`), args.join(' '));
    assert.equal(r.out, '');
  }
  // Two sellers in one folder: say which.
  f.event('SELLER_REV_SHARE', 'INVOICED', 'acct-payer', 'acct-user', '7', '2024-01-11', { product_id: 'prod-a', transaction_reference_id: 'ref-9' });
  f.write();
  const both = await souk(['report', 'monthly_revenue_annual_subscriptions', '--feeds', f.dir, '--month', '2024-01']);
  assert.equal(both.code, 1);
  assert.match(both.err, /--seller: .*more than one seller/);
  for (const [seller, net] of [['000000000004', '7.00'], ['acct-seller', '19.80']])
    assert.deepEqual((await lines(f, 'monthly_revenue_annual_subscriptions', '--month', '2024-01', '--seller', seller)).map((l) => l['Partner Revenue Amount']), [net]);
  const sales = async (seller) => souk(['report', 'sales_compensation_billed_revenue', '--feeds', f.dir, '--month', '2024-01', '--seller', seller]);
  assert.match((await souk(['report', 'sales_compensation_billed_revenue', '--feeds', f.dir, '--month', '2024-01'])).err, /^souk: --seller: .*more than one seller/);
  for (const [seller, gross, net, payer] of [['000000000004', '7.00', '7.00', 'acct-payer'], ['acct-seller', '100.00', '19.80', 'acct-payer']])
    assert.deepEqual((await lines(f, 'sales_compensation_billed_revenue', '--month', '2024-01', '--seller', seller)).map((l) => [l['Gross Revenue'], l['Net Revenue'], l['Payer Reference ID']]), [[gross, net, payer]]);
  assert.match((await sales('000000000098')).err, /^souk: --seller: is no account/);
  assert.equal((await sales('000000000001')).code, 0);
  const list = JSON.parse((await souk(['report', 'list', '--json'])).out);
  assert.equal(list.length, 25);
  assert.equal(list.find((d) => d.dataSet === 'us_sales_and_use_tax_records').columns.length, 36);
});

test('explain: the events behind a line, where they stand, and the arithmetic', async () => {
  const f = feeds(workedExample());
  f.write();
  const args = ['report', 'explain', 'monthly_revenue_annual_subscriptions', '--feeds', f.dir, '--month', '2024-01'];
  const text = await souk([...args, '--line', 'ref-1']);
  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /^ {2}Partner Revenue Amount = 100\.00 - 80\.00 - 0\.20 = 19\.80$/m);
  assert.match(text.out, /^ {2}billingeventfeed_v1\/year=2024\/month=01\/data\.csv:2 {2}event-0001 {2}2024-01-10 {2}INVOICED SELLER_REV_SHARE {2}100\.00 USD {2}-> Customer Billed Amount, Partner Revenue Amount$/m);
  const json = await souk([...args, '--line', 'ref-1', '--line', 'Product Code=code-a', '--json']);
  const [line, ...none] = json.out.trim().split('\n').map((l) => JSON.parse(l));
  assert.equal(none.length, 0);
  assert.equal(line.line['Payer Reference ID'], 'acct-payer');
  assert.deepEqual(line.events.map((e) => [e.line, e.billingEventId, e.type, e.adds, e.columns.join()]), [
    [2, 'event-0001', 'SELLER_REV_SHARE', '100.00', 'Customer Billed Amount,Partner Revenue Amount'],
    [4, 'event-0003', 'SELLER_REV_SHARE', '-80.00', 'Cost,Partner Revenue Amount'],
    [5, 'event-0004', 'AWS_REV_SHARE', '-0.20', 'AWS Listing Fee,Partner Revenue Amount']]);
  assert.deepEqual(line.amounts.find((a) => a.column === 'Partner Revenue Amount'), { column: 'Partner Revenue Amount', value: '19.80', exact: '100.00 - 80.00 - 0.20' });
  for (const key of ['ref-2', 'Product Code=code-b']) {
    const r = await souk([...args, '--line', 'ref-1', '--line', key]);
    assert.equal(r.code, 1);
    assert.match(r.err, /^souk: --line: matches none of the 1 lines; /);
  }
  const sales = await souk(['report', 'explain', 'sales_compensation_billed_revenue', '--feeds', f.dir, '--month', '2024-01', '--line', 'ref-1', '--json']);
  assert.deepEqual(JSON.parse(sales.out).amounts.find((a) => a.column === 'Net Revenue').exact, '100.00 - 80.00 - 0.20');
});

test('diff: what changed between two states of knowledge, line by line, each with its reason', async () => {
  const { f, sale } = shop();
  const day = '2024-03-05';
  const corrected = (id, more, delete_date = '') => {
    const r = f.rows.billingeventfeed_v1.find((x) => x.billing_event_id === id);
    f.row('billingeventfeed_v1', { ...r, ...more, update_date: '2024-05-01T00:00:00Z', delete_date });
  };
  const late = { update_date: '2024-05-01T00:00:00Z' };
  const [amount] = sale('r-amount', 'p1', 'u1', '10', '-1', day);
  const [moved] = sale('r-moved', 'p1', 'u1', '20', '0', day);
  const [deleted] = sale('r-deleted', 'p1', 'u1', '30', '0', day);
  sale('r-same', 'p2', 'u2', '40', '-4', day, { product_id: 'prod-y' });
  sale('r-new', 'p1', 'u1', '50', '0', day, late);
  const [address] = sale('r-address', 'p1', 'u1', '60', '0', day, { billing_address_id: 'a1' });
  f.address('a7', '000000000011', { country: 'CA', city: 'Toronto' });
  sale('r-title', 'p1', 'u1', '70', '0', day, { product_id: 'prod-z' });
  f.product('prod-z', 'code-z', 'Old name').product('prod-z', 'code-z', 'New name', late);
  corrected(amount, { amount: '12.5' });
  corrected(moved, { invoice_date: '2024-04-01T00:00:00Z' });
  corrected(deleted, {}, '2024-05-01T00:00:00Z');
  corrected(address, { billing_address_id: 'a7' });
  f.write({ files: 2 });
  const args = ['report', 'diff', 'monthly_revenue_annual_subscriptions', '--feeds', f.dir, '--month', '2024-03', '--from-known-at', '2024-04-15T00:00:00Z', '--to-known-at', '2024-06-01T00:00:00Z'];
  const json = await souk([...args, '--json']);
  assert.equal(json.code, 0, json.err);
  const changes = json.out.trim().split('\n').map((l) => JSON.parse(l)).map((c) => [c.key[0], c.change,
    c.reasons.filter((r) => r.reason !== 'new_event' || r.billingEventId).map((r) => [r.reason, r.column, r.from, r.to].filter((x) => x !== undefined).join(' '))]);
  assert.deepEqual(changes, [
    ['r-address', 'changed', ['address_changed billing_address_id a1 a7']],
    ['r-amount', 'changed', ['amount_corrected amount 10 12.5']],
    ['r-deleted', 'removed', ['event_deleted', 'linked_event_changed']],
    ['r-moved', 'removed', ['date_moved invoice_date 2024-03-05T12:00:00Z 2024-04-01T00:00:00Z', 'linked_event_changed']],
    ['r-new', 'added', ['new_event', 'new_event']],
    ['r-title', 'changed', ['product_changed Product Title Old name New name']],
  ]);
  const cells = JSON.parse(json.out.split('\n')[1]).cells;
  assert.deepEqual(cells, [{ column: 'Customer Billed Amount', from: '10.00', to: '12.50' }, { column: 'Partner Revenue Amount', from: '9.00', to: '11.50' }]);
  const text = await souk(args);
  assert.match(text.out, /because amount_corrected: event \S+: amount 10 -> 12\.5\n/);
  assert.match(text.out, /\n6 lines, then 5: 1 added, 2 removed, 3 changed\n$/);
  const same = await souk([...args.slice(0, -1), '2024-04-16T00:00:00Z']);
  assert.equal(same.out, '6 lines, then 6: 0 added, 0 removed, 0 changed\n');
  // And the report as known at the earlier instant is what it was.
  assert.deepEqual((await lines(f, 'monthly_revenue_annual_subscriptions', '--month', '2024-03', '--as-known-at', '2024-04-15T00:00:00Z')).map((l) => l['Customer Billed Amount']),
    ['60.00', '10.00', '30.00', '20.00', '40.00', '70.00']);
});

test('an event whose content changed later: the page counts what holds now, the query every version', async () => {
  const { f, sale, payout } = shop();
  payout('2024-02-10', sale('r1', 'p1', 'u1', '50', '0', '2024-01-05'));
  const line = f.rows.billingeventfeed_v1.find((r) => r.action === 'DISBURSED' && r.transaction_type === 'SELLER_REV_SHARE');
  f.row('billingeventfeed_v1', { ...line, amount: '-40', valid_from: '2024-02-12T00:00:00Z', update_date: '2024-02-12T00:00:00Z' });
  f.write();
  const rev = async (...args) => (await lines(f, 'disbursed_amount_by_product', '--month', '2024-02', ...args)).map((l) => l.SellerRev);
  assert.deepEqual(await rev(), ['40.00']);
  assert.deepEqual(await rev('--variant', 'query'), ['90.00']);
  assert.deepEqual(await rev('--as-known-at', '2024-02-11T00:00:00Z'), ['50.00']);
});
