// SPDX-License-Identifier: Apache-2.0
// A small folder of data feeds, written row by row, for tests whose figures are worked out by hand.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const columns = {
  accountfeed_v1: ['account_id', 'aws_account_id', 'encrypted_account_id', 'mailing_address_id', 'tax_address_id', 'tax_registration_number', 'tax_legal_name'],
  addressfeed_v1: ['address_id', 'aws_account_id', 'email_domain', 'company_name', 'country', 'state_or_region', 'city', 'postal_code', 'address_line_1',
    'address_line_2', 'address_line_3'],
  productfeed_v1: ['product_id', 'manufacturer_account_id', 'product_code', 'title'],
  billingeventfeed_v1: ['billing_event_id', 'from_account_id', 'to_account_id', 'end_user_account_id', 'product_id', 'action', 'transaction_type',
    'parent_billing_event_id', 'disbursement_billing_event_id', 'amount', 'currency', 'balance_impacting', 'invoice_date', 'payment_due_date',
    'usage_period_start_date', 'usage_period_end_date', 'invoice_id', 'billing_address_id', 'transaction_reference_id', 'bank_trace_id', 'broker_id'],
  taxitemfeed_v1: ['tax_item_id', 'invoice_id', 'line_item_id', 'customer_bill_id', 'tax_liable_party', 'transaction_type_code', 'product_id', 'product_tax_code',
    'invoice_date', 'taxed_customer_account_id', 'taxed_customer_country', 'taxed_customer_state_or_region', 'taxed_customer_city',
    'taxed_customer_postal_code', 'tax_location_code_taxed_jurisdiction', 'tax_type_code', 'jurisdiction_level', 'taxed_jurisdiction',
    'display_price_taxability_type', 'taxable_amount', 'nontaxable_amount', 'tax_jurisdiction_rate', 'tax_amount', 'tax_currency',
    'tax_calculation_reason_code', 'date_used_for_tax_calculation', 'customer_exemption_certificate_id', 'customer_exemption_certificate_id_domain',
    'customer_exemption_certificate_level', 'customer_exemption_code', 'customer_exemption_domain', 'transaction_reference_id'],
};
const history = (feed) => (feed === 'addressfeed_v1' ? ['valid_from', 'valid_to', 'insert_date', 'update_date', 'delete_date'] : ['valid_from', 'insert_date', 'update_date', 'delete_date']);
const day = (d) => (d && d.length === 10 ? `${d}T12:00:00Z` : d ?? '');
const quote = (v) => (/[",\r\n]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v);

export class FeedFolder {
  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'souk-feeds-'));
    this.rows = Object.fromEntries(Object.keys(columns).map((f) => [f, []]));
    this.n = 0;
  }
  remove() { rmSync(this.dir, { recursive: true, force: true }); }
  row(feed, values) {
    const r = { valid_from: '2020-01-01T00:00:00Z', ...values };
    r.update_date ??= r.valid_from;
    r.insert_date ??= r.update_date;
    for (const c of Object.keys(r)) if (!columns[feed].includes(c) && !history(feed).includes(c)) throw new Error(`${feed} has no ${c}`);
    this.rows[feed].push(r);
    return this;
  }
  account(id, number, more = {}) { return this.row('accountfeed_v1', { account_id: id, aws_account_id: number, ...more }); }
  address(id, number, more = {}) { return this.row('addressfeed_v1', { address_id: id, aws_account_id: number, ...more }); }
  product(id, code, title, more = {}) { return this.row('productfeed_v1', { product_id: id, product_code: code, title, ...more }); }
  // The event's id; `date` is its invoice date.
  event(type, action, from, to, amount, date, more = {}) {
    const id = more.billing_event_id ?? `event-${String(++this.n).padStart(4, '0')}`;
    const operatorTax = type.startsWith('AWS_TAX');
    this.row('billingeventfeed_v1', { billing_event_id: id, action, transaction_type: type, from_account_id: from, to_account_id: to, amount: String(amount),
      currency: 'USD', balance_impacting: operatorTax || type === 'DISBURSEMENT' ? '0' : '1', invoice_date: day(date), valid_from: day(date),
      broker_id: 'AWS_INC', ...more });
    return id;
  }
  tax(id, more) { return this.row('taxitemfeed_v1', { tax_item_id: id, ...more, invoice_date: day(more.invoice_date) }); }
  // All rows of a feed in one month's file, or spread over `files` of them; `order` permutes the rows.
  write({ files = 1, order = (rows) => rows } = {}) {
    rmSync(this.dir, { recursive: true, force: true });
    for (const [feed, names] of Object.entries(columns)) {
      const all = [...names, ...history(feed)];
      const rows = order([...this.rows[feed]]);
      for (let f = 0; f < files; f++) {
        const dir = join(this.dir, feed, 'year=2024', `month=${String(f + 1).padStart(2, '0')}`);
        mkdirSync(dir, { recursive: true });
        const part = rows.filter((_, i) => i % files === f);
        writeFileSync(join(dir, 'data.csv'), [all.join(','), ...part.map((r) => all.map((c) => quote(String(r[c] ?? ''))).join(','))].join('\n') + '\n');
      }
    }
    return this.dir;
  }
}

// Sale of data-feeds 4.4: a reseller invoices 100, the operator taxes 20.60, the manufacturer gets 80.
export function workedExample() {
  const f = new FeedFolder();
  f.account('acct-seller', '000000000001').account('acct-payer', '000000000002', { mailing_address_id: 'addr-mail' }).account('acct-maker', '000000000003')
    .account('acct-user', '000000000004').account('AWS', '000000000000');
  f.address('addr-mail', '000000000002', { country: 'US', state_or_region: 'WA', city: 'Seattle', postal_code: '98101', email_domain: 'buyer.example', company_name: 'Buyer' });
  f.product('prod-a', 'code-a', 'Product A', { manufacturer_account_id: 'acct-maker' });
  const sale = { product_id: 'prod-a', transaction_reference_id: 'ref-1', end_user_account_id: 'acct-user', invoice_id: 'inv-1' };
  const i0 = f.event('SELLER_REV_SHARE', 'INVOICED', 'acct-payer', 'acct-seller', '100', '2024-01-10', { ...sale, payment_due_date: '2024-02-09T00:00:00Z' });
  f.event('AWS_TAX_SHARE', 'INVOICED', 'acct-payer', 'AWS', '20.6', '2024-01-10', sale);
  const i2 = f.event('SELLER_REV_SHARE', 'INVOICED', 'acct-seller', 'acct-maker', '-80', '2024-01-10', sale);
  const i3 = f.event('AWS_REV_SHARE', 'INVOICED', 'acct-seller', 'AWS', '-0.2', '2024-01-10', sale);
  const i14 = f.event('DISBURSEMENT', 'DISBURSED', 'AWS', 'acct-seller', '19.8', '2024-02-20', { bank_trace_id: 'bank-1' });
  const paid = (parent, type, from, to, amount) => f.event(type, 'DISBURSED', from, to, amount, '2024-02-20',
    { ...sale, parent_billing_event_id: parent, disbursement_billing_event_id: i14 });
  paid(i0, 'SELLER_REV_SHARE', 'acct-payer', 'acct-seller', '-100');
  paid(i2, 'SELLER_REV_SHARE', 'acct-seller', 'acct-maker', '80');
  paid(i3, 'AWS_REV_SHARE', 'acct-seller', 'AWS', '0.2');
  return f;
}
