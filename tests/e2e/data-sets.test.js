// SPDX-License-Identifier: Apache-2.0
// GenerateDataSet through the unmodified AWS CLI and the AWS SDK for JavaScript: daily and subscriber data sets.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GenerateDataSetCommand, MarketplaceCommerceAnalyticsClient } from '@aws-sdk/client-marketplace-commerce-analytics';
import { Marketplace, parseCsv, soukOk, until } from './lib.js';
import { fetchText, makeWorld, sdk, signedJson } from './world.js';

const DAY = 86400000;
const EDSP_ONLY = ['Customer AWS Account Number', 'Customer Country', 'Customer State', 'Customer City', 'Customer Zip Code', 'Customer Email Domain', 'Payer Address ID'];
let m, w, clients, today, shift;
const day = (n = 0) => new Date(today + n * DAY);
const text = (d) => d.toISOString().slice(0, 10);

before(async () => {
  m = await Marketplace.create({ clock: true });
  w = await makeWorld(m, { buyers: 2, products: 2, subscriptionsPerBuyer: 2 });
  await m.op('PATCH', `/api/v1/accounts/${w.buyers[0].accountId}`, { emailDomain: 'buyer.example', city: 'Kiel', region: 'SH', postalCode: '24103', address: 'Kai 1' });
  // Noon two days on, so that a day after joining is behind us.
  today = Math.floor(Date.now() / DAY + 2) * DAY;
  shift = Math.round((today + DAY / 2 - Date.now()) / 1000);
  m.setClock(shift);
  clients = { ...sdk(m, w.seller), analytics: analytics() };
});
after(() => m.close());
const analytics = (as = w.seller) => new MarketplaceCommerceAnalyticsClient({ endpoint: m.url, region: 'us-east-1', systemClockOffset: m.clockShift, maxAttempts: 1,
  credentials: { accessKeyId: as.accessKeyId, secretAccessKey: as.secretAccessKey } });

async function generate(dataSetType, date = day(), more = {}) {
  const r = await clients.analytics.send(new GenerateDataSetCommand({ dataSetType, dataSetPublicationDate: date, roleNameArn: w.seller.roleArn,
    destinationS3BucketName: w.seller.bucket, destinationS3Prefix: 'sets/', snsTopicArn: w.seller.topicArn, ...more }));
  return m.delivered(r.dataSetRequestId, w.seller);
}
async function rows(dataSetType, date, more) {
  const e = await generate(dataSetType, date, more);
  assert.equal(e.state, 'delivered', JSON.stringify(e));
  const csv = await fetchText(clients, w.seller.bucket, e.csvKey);
  return { csv, rows: parseCsv(csv), header: csv.split('\r\n')[0].split(','), meta: JSON.parse(await fetchText(clients, w.seller.bucket, e.metaKey)), e };
}
const usage = (lines) => {
  const file = join(m.dir, 'usage.ndjson');
  writeFileSync(file, lines.map(([buyer, product, dimension, at, quantity]) => JSON.stringify({ productCode: product.productCode, buyerId: buyer.accountId, dimension, timestamp: at, quantity })).join('\n'));
  return soukOk(['import', '--data', m.data, 'usage', file], { env: m.clockEnv() });
};
const at = (n, time) => `${text(day(n))}T${time}Z`;

test('AWS CLI: subscriber set, names and metadata as documented', async () => {
  const r = await m.awsOk(['marketplacecommerceanalytics', 'generate-data-set', '--data-set-type', 'customer_subscriber_hourly_monthly_subscriptions',
    '--data-set-publication-date', `${text(day())}T00:00:00Z`, '--role-name-arn', w.seller.roleArn, '--destination-s3-bucket-name', w.seller.bucket,
    '--destination-s3-prefix', 'cli', '--sns-topic-arn', w.seller.topicArn, '--customer-defined-values', 'ticket=T-1'], { as: w.seller });
  const e = await m.delivered(JSON.parse(r.out).dataSetRequestId, w.seller);
  const name = `cli/customer_subscriber_hourly_monthly_subscriptions_${text(day())}`;
  assert.deepEqual([e.state, e.csvKey, e.metaKey], ['delivered', `${name}.csv`, `${name}.meta.json`], JSON.stringify(e));
  const csv = await fetchText(clients, w.seller.bucket, e.csvKey);
  const meta = JSON.parse(await fetchText(clients, w.seller.bucket, e.metaKey));
  assert.deepEqual(meta.dataSetCoverageRange, { startDateTime: `${text(day(-1))}T00:00:00.000Z`, endDateTime: `${text(day(-1))}T23:59:59.000Z` });
  const p = meta.dataSetRequestParameters;
  assert.deepEqual([p.sellerAccountId, p.dataSetType, p.dataSetPublicationDate, p.customerDefinedValues],
    [w.seller.accountId, 'customer_subscriber_hourly_monthly_subscriptions', `${text(day())}T00:00:00.000Z`, { ticket: 'T-1' }]);
  assert.deepEqual(meta.dataSetS3Location, { bucketName: w.seller.bucket, key: e.csvKey });
  assert.equal(meta.requestReceivedDateTime, undefined);
  assert.equal(meta.sha256, createHash('sha256').update(csv).digest('hex'));
  const got = parseCsv(csv);
  assert.equal(got.length, 4);
  assert.equal(meta.rowCount, 4);
  assert.equal(csv.split('\r\n')[0], 'Customer AWS Account Number,Product Title,Product Id,Product Code,Subscription Start Date,Offer ID,Offer Visibility,'
    + 'Solution Title,Solution ID,Payer Reference ID,Reseller account ID,Reseller account name');
  assert.deepEqual(got.map((x) => x['Customer AWS Account Number']), w.subscriptions.map((s) => s.buyerId));
  assert.match(got[0]['Subscription Start Date'], /^\d{4}-\d\d-\d\d$/);
  assert.match(got[0]['Payer Reference ID'], /^[0-9a-f]{32}$/);
  assert.equal(got[0]['Payer Reference ID'], got[1]['Payer Reference ID']);
  assert.notEqual(got[0]['Payer Reference ID'], got[2]['Payer Reference ID']);
});

test('usage of the day before, and the reference that metering takes', async () => {
  const [a, b] = w.buyers, [p, q] = w.products;
  await usage([[a, p, 'users', at(-1, '00:00:00'), 3], [a, p, 'users', at(-1, '23:59:59'), 4], [a, p, 'disks', at(-1, '05:00:00'), 1], [b, q, 'users', at(-1, '05:00:00'), 9],
    [a, p, 'users', at(-2, '23:59:59'), 100], [a, p, 'users', at(0, '00:00:00'), 100], [b, p, 'users', at(-1, '06:00:00'), 0]]);
  const got = await rows('daily_business_usage_by_instance_type');
  for (const c of EDSP_ONLY) assert.ok(!got.header.includes(c), `${c} is for participants`);
  const facts = got.rows.map((r) => [r['Product Code'], r['Instance Type'], r['Usage Units'], r['User\'s Country']]);
  assert.deepEqual(facts.sort(), [[p.productCode, 'disks', '1', 'DE'], [p.productCode, 'users', '7', 'DE'], [q.productCode, 'users', '9', 'DE']].sort());
  assert.equal(got.rows[0]['Estimated Revenue'], '');
  const ref = got.rows.find((r) => r['Usage Units'] === '7')['Customer Reference ID'];
  const metered = await signedJson(m, w.seller, 'AWSMPMeteringService.BatchMeterUsage', JSON.stringify({ ProductCode: p.productCode,
    UsageRecords: [{ Timestamp: m.now() / 1000 - 60, CustomerIdentifier: ref, Dimension: 'ref', Quantity: 1 }] }), { service: 'aws-marketplace' });
  assert.equal((await metered.json()).Results[0].Status, 'Success');
  const fresh = await rows('daily_business_new_instances');
  assert.deepEqual(fresh.rows.map((r) => [r.Type, r.Count]).sort(), [['disks', '1'], ['users', '1']]);
});

test('new and cancelled subscribers', async () => {
  const made = await m.op('POST', '/api/v1/subscriptions', { productId: w.products[0].productId, buyerId: w.buyers[1].accountId, kind: 'annual', quantity: 12, startsAt: at(-1, '10:00:00') });
  assert.equal(made.status, 201, made.text);
  const again = await m.op('POST', '/api/v1/subscriptions', { productId: w.products[0].productId, buyerId: w.buyers[1].accountId, kind: 'annual', quantity: 13, startsAt: at(-1, '12:00:00') });
  assert.equal(again.status, 201, again.text);
  const annual = await rows('customer_subscriber_annual_subscriptions');
  assert.deepEqual(annual.rows.map((r) => [r['Subscription Quantity'], r['Subscription Intent'], r['Subscription Type']]).sort(), [['12', 'new', 'annual'], ['13', 'renewal', 'annual']]);
  assert.equal((await rows('daily_business_new_product_subscribers')).rows.length, 2);
  assert.equal((await rows('daily_business_canceled_product_subscribers')).rows.length, 0);
  await m.op('POST', `/api/v1/subscriptions/${again.json.subscriptionId}/end`, {});
  m.setClock(shift + 86400);
  today += DAY;
  clients = { ...sdk(m, w.seller), analytics: analytics() };
  const gone = await rows('daily_business_canceled_product_subscribers');
  assert.equal(gone.rows.length, 1);
  assert.equal(gone.rows[0]['Subscribed Date'], text(day(-2)));
});

test('the same request gives the same bytes once its day is over; what is told later is left out', async () => {
  const before = await rows('daily_business_usage_by_instance_type', day(-1));
  assert.equal(before.rows.length, 3);
  await usage([[w.buyers[0], w.products[0], 'late', at(-2, '05:00:00'), 5]]);
  const later = await rows('daily_business_usage_by_instance_type', day(-1));
  assert.equal(later.csv, before.csv);
  assert.equal(later.meta.sha256, before.meta.sha256);
});

test('sets without facts: a header and the reason', async () => {
  for (const type of ['daily_business_fees', 'daily_business_free_trial_conversions']) {
    const got = await rows(type);
    assert.equal(got.rows.length, 0);
    assert.ok(got.header.length > 5);
    assert.match(got.meta.emptyReason, /nothing of the kind/);
  }
});

const imported = async (kind, name, text) => {
  const file = join(m.dir, name);
  writeFileSync(file, text);
  await soukOk(['import', '--data', m.data, kind, file], { env: m.clockEnv() });
};

test('prices, trials, fees, a solution, a reseller: told by import, in the sets of the day', async () => {
  const product = (await m.op('POST', '/api/v1/products', { sellerId: w.seller.accountId, title: 'Service', type: 'saas', pricing: ['metered', 'annual'], state: 'public',
    dimensions: [{ key: 'users', unit: 'Users', description: 'Named users, by the hour' }], solutionId: 'sol-1', solutionTitle: 'All in one' })).json;
  const buyerId = w.buyers[0].accountId, reseller = m.logins.sellers[0].accountId;
  const [offerId, subscriptionId, demoId] = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'].map((x) => `${x}-1111-4111-8111-111111111111`);
  await imported('offers', 'offers.csv', `offerId,productId,name,program,resellerId\n${offerId},${product.productId},Terms,EnterpriseContract,${reseller}\n${demoId},${product.productId},Demo,FieldDemonstration,\n`);
  await imported('subscriptions', 'subs.csv', 'subscriptionId,sellerId,productId,offerId,buyerId,kind,startsAt,trialEndsAt\n'
    + `${subscriptionId},${w.seller.accountId},${product.productId},${offerId},${buyerId},metered,${at(-8, '00:00:00')},${at(-1, '06:00:00')}\n`
    + `,${w.seller.accountId},${product.productId},${demoId},${w.buyers[1].accountId},metered,${at(-8, '00:00:00')},\n`);
  await imported('rates', 'rates.csv', `offerId,dimension,price,currency,startsAt\n${offerId},users,0.10,USD,${at(-8, '00:00:00')}\n${offerId},users,0.25,USD,${at(-1, '12:00:00')}\n`);
  await imported('fees', 'fees.ndjson', [{ subscriptionId, kind: 'monthly', amount: '99.00', currency: 'USD', periodStart: at(-3, '00:00:00'), periodEnd: at(26, '23:59:59'), postedAt: at(-3, '00:00:00') },
    { subscriptionId, kind: 'refund', amount: '-9.50', currency: 'USD', postedAt: at(-3, '23:59:59') }, { subscriptionId, kind: 'monthly', amount: '5', currency: 'USD', postedAt: at(-2, '00:00:00') }].map((x) => JSON.stringify(x)).join('\n'));
  // In the trial, at one price, at the other.
  await usage([[w.buyers[0], product, 'users', at(-1, '05:00:00'), 100], [w.buyers[0], product, 'users', at(-1, '06:00:00'), 10], [w.buyers[0], product, 'users', at(-1, '12:00:00'), 10]]);
  const mine = (got) => got.rows.filter((r) => r['Product Code'] === product.productCode);
  const [used, ...more] = mine(await rows('daily_business_usage_by_instance_type'));
  assert.equal(more.length, 0);
  assert.deepEqual(['Usage Units', 'Usage Unit Type', 'Offering Description', 'Estimated Revenue', 'Currency', 'Offer ID', 'Offer Visibility', 'Solution Title', 'Solution ID'].map((c) => used[c]),
    ['120', 'Users', 'Named users, by the hour', '3.50', 'USD', offerId, 'enterprise contract', 'All in one', 'sol-1']);
  const trials = mine(await rows('daily_business_free_trial_conversions'));
  assert.deepEqual(trials.map((r) => ['New Free Trials', 'Total Current Free Trials', 'Converted Free Trials', 'Non-Converted Free Trials', 'Solution ID'].map((c) => r[c])), [['0', '0', '1', '0', 'sol-1']]);
  const fees = mine(await rows('daily_business_fees'));
  assert.deepEqual(fees.map((r) => ['Amount', 'Currency', 'Fee Description', 'Start Date', 'End Date', 'Quantity'].map((c) => r[c])),
    [['99.00', 'USD', 'Monthly fee', text(day(-3)), text(day(26)), '1'], ['-9.50', 'USD', 'Refund', '', '', '1']]);
  const subscriber = mine(await rows('customer_subscriber_hourly_monthly_subscriptions')).find((r) => r['Offer ID'] === offerId);
  assert.deepEqual([subscriber['Reseller account ID'], subscriber['Solution Title']], [reseller, 'All in one']);
  assert.ok(subscriber['Reseller account name'].length > 0);
});

for (const [what, type, date, why] of [
  ['not yet published', 'daily_business_fees', () => day(1), /not yet published/],
  ['before joining', 'daily_business_fees', () => day(-3), /joined/],
  ['before there were any', 'daily_business_fees', () => new Date('2017-09-14T00:00:00Z'), /2017-09-15/],
  ['deprecated', 'customer_profile_by_revenue', () => day(), /no longer published/],
  ['deprecated, with what took its place', 'disbursed_amount_by_product_with_uncollected_funds', () => day(), /disbursed_amount_by_product/],
]) {
  test(`fails with a notification: ${what}`, async () => {
    const e = await generate(type, date());
    assert.equal(e.state, 'failed', JSON.stringify(e));
    assert.match(e.reason, why);
  });
}

test('refused at once: types that never were, dates that are none, policies', async () => {
  const name = (p) => p.then(() => 'nothing', (e) => e.name);
  assert.equal(await name(generate('no_such_set')), 'ValidationException');
  const hand = (body) => signedJson(m, w.seller, 'MarketplaceCommerceAnalytics20150701.GenerateDataSet', JSON.stringify(body)).then((r) => r.json());
  const good = { dataSetType: 'daily_business_fees', dataSetPublicationDate: today / 1000, roleNameArn: w.seller.roleArn, destinationS3BucketName: w.seller.bucket, snsTopicArn: w.seller.topicArn };
  assert.ok((await hand(good)).dataSetRequestId);
  assert.equal((await hand({ ...good, dataSetPublicationDate: undefined })).__type, 'ValidationException');
  assert.match((await hand({ ...good, dataSetPublicationDate: 'soon' })).message, /dataSetPublicationDate/);
  assert.equal((await hand({ ...good, fromDate: 1 })).__type, 'ValidationException');
  const no = (await m.op('POST', `/api/v1/users/${w.seller.userId}/access-keys`, { policy: { Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'marketplacecommerceanalytics:StartSupportDataExport', Resource: '*' }] } })).json;
  assert.equal(await name(analytics(no).send(new GenerateDataSetCommand({ ...good, dataSetPublicationDate: day() }))), 'AccessDeniedException');
});

test('participants get the columns of buyers; withdrawn ones no more, at once', async () => {
  const s = `/api/v1/sellers/${w.seller.accountId}/enrolments/edsp`;
  const evidence = { 'EDSP-R2': { document: 'plan.pdf', attests: ['hourly', 'monthly', 'annual', 'metered'] }, 'EDSP-R3': { document: 'memo.pdf', effectiveOn: '2026-01-31' },
    'EDSP-R4': { termsVersion: '2020-05', attests: ['confidential', 'no-lead-generation'] }, 'EDSP-R5': { attests: ['field-sales-compensation-only'] } };
  for (const [q, body] of Object.entries(evidence)) {
    assert.equal((await m.rest(w.seller, 'PUT', `${s}/requirements/${q}`, body)).status, 200);
    assert.equal((await m.op('PUT', `${s}/requirements/${q}/decision`, { decision: 'accepted' })).status, 200);
  }
  const enrolled = await m.op('PUT', s, { state: 'enrolled' });
  assert.equal(enrolled.status, 200, enrolled.text);
  const got = await rows('daily_business_usage_by_instance_type', day(-1));
  for (const c of EDSP_ONLY) assert.ok(got.header.includes(c), c);
  const row = got.rows.find((r) => r['Usage Units'] === '7');
  assert.deepEqual([row['Customer AWS Account Number'], row['Customer Country'], row['Customer State'], row['Customer City'], row['Customer Zip Code'], row['Customer Email Domain']],
    [w.buyers[0].accountId, 'DE', 'SH', 'Kiel', '24103', 'buyer.example']);
  assert.equal(got.meta.participant, true);
  await m.op('PUT', s, { state: 'withdrawn' });
  const after = await rows('daily_business_usage_by_instance_type', day(-1));
  for (const c of EDSP_ONLY) assert.ok(!after.header.includes(c), c);
  assert.ok(!after.csv.includes('buyer.example'));
  const audit = await until(async () => {
    const r = await m.op('GET', '/api/v1/audit-entries?limit=200');
    return r.json.items.filter((x) => x.action === 'edsp:DataSet').length > 0 && r.json.items;
  });
  assert.ok(audit.some((x) => x.action === 'edsp:DataSet' && x.purpose === 'field-sales-compensation' && !x.refused));
  assert.ok(!m.log.includes('buyer.example'));
});

test('the operator may have types refused that are no longer published', async () => {
  await m.stop();
  appendFileSync(join(m.data, 'souk.ini'), 'data-set.deprecated = refuse\n');
  await m.start();
  clients = { ...sdk(m, w.seller), analytics: analytics() };
  for (const [type, words] of [['customer_profile_by_geography', /no longer published; daily_business_new_product_subscribers/],
    ['disbursed_amount_by_product_with_uncollected_funds', /no longer published; disbursed_amount_by_product, .* took its place$/]])
    await assert.rejects(generate(type), (e) => e.name === 'ValidationException' && words.test(e.message) && /dataSetType/.test(e.message));
  assert.equal((await generate('daily_business_fees')).state, 'delivered');
});
