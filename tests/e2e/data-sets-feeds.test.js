// SPDX-License-Identifier: Apache-2.0
// GenerateDataSet from kept data feeds: the same bytes as souk report over the folder they came from.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GenerateDataSetCommand, MarketplaceCommerceAnalyticsClient } from '@aws-sdk/client-marketplace-commerce-analytics';
import { Marketplace, parseCsv, souk, soukOk, until } from './lib.js';
import { fetchText, makeWorld, sdk } from './world.js';

const DAY = 86400000;
let m, w, clients, dir, now, covered, published;
const text = (d) => d.toISOString().slice(0, 10);

before(async () => {
  m = await Marketplace.create({ clock: true });
  w = await makeWorld(m, { buyers: 1, products: 1, subscriptionsPerBuyer: 1 });
  // The 20th of next month: the set of the 15th covers this month, and the seller has joined before it.
  const today = new Date();
  now = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 20, 5);
  covered = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), 1)).toISOString().slice(0, 7);
  published = text(new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 15)));
  m.setClock(Math.floor((now - Date.now()) / 1000));
  clients = { ...sdk(m, w.seller), analytics: new MarketplaceCommerceAnalyticsClient({ endpoint: m.url, region: 'us-east-1', systemClockOffset: m.clockShift, maxAttempts: 1,
    credentials: { accessKeyId: w.seller.accessKeyId, secretAccessKey: w.seller.secretAccessKey } }) };
  dir = join(m.dir, 'feeds');
  const from = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - 3, 1)).toISOString().slice(0, 7);
  await soukOk(['feeds', 'make', dir, '--seller', w.seller.accountId, '--from', from, '--months', '6', '--events', '6000', '--gzip']);
});
after(() => m.close());

async function generate(dataSetType, date = published) {
  const r = await clients.analytics.send(new GenerateDataSetCommand({ dataSetType, dataSetPublicationDate: new Date(`${date}T00:00:00Z`), roleNameArn: w.seller.roleArn,
    destinationS3BucketName: w.seller.bucket, destinationS3Prefix: 'sets', snsTopicArn: w.seller.topicArn }));
  return m.delivered(r.dataSetRequestId, w.seller);
}
async function delivered(type, date) {
  const e = await generate(type, date);
  assert.equal(e.state, 'delivered', JSON.stringify(e));
  return { e, csv: await fetchText(clients, w.seller.bucket, e.csvKey), meta: JSON.parse(await fetchText(clients, w.seller.bucket, e.metaKey)) };
}
const importFeeds = (d = dir, id = w.seller.accountId) => souk(['import', '--data', m.data, 'feeds', '--seller', id, d], { env: m.clockEnv() });

test('without feeds it fails and says so', async () => {
  const e = await generate('monthly_revenue_billing_and_revenue_data');
  assert.equal(e.state, 'failed');
  assert.match(e.reason, /feeds/);
});

test('souk import feeds keeps all files or none', async () => {
  assert.equal((await importFeeds(dir, '000000000999')).code, 1);
  const bad = join(m.dir, 'bad');
  await soukOk(['feeds', 'make', bad, '--seller', w.seller.accountId, '--events', '500', '--months', '2']);
  appendFileSync(join(bad, 'billing_event_v1/year=2024/month=01/data.csv'), 'not,a,row\n');
  const refused = await importFeeds(bad);
  assert.equal(refused.code, 1, refused.err);
  assert.match(refused.err, /billing_event_v1\/year=2024\/month=01\/data\.csv:\d+: /);
  assert.equal((await generate('monthly_revenue_billing_and_revenue_data')).state, 'failed', 'nothing was kept');
  const r = await importFeeds();
  assert.equal(r.code, 0, r.err);
  assert.equal((await importFeeds()).code, 0, 'again is the same');
});

test('nobody reaches the kept feeds over S3', async () => {
  const ls = await m.aws(['s3', 'ls', 's3://.feeds/'], { as: w.seller });
  assert.notEqual(ls.code, 0);
  assert.ok(!(await m.awsOk(['s3api', 'list-buckets'], { as: w.seller })).out.includes('feeds'));
});

test('monthly: as souk report makes it, known on the day of publication', async () => {
  const got = await delivered('monthly_revenue_billing_and_revenue_data');
  assert.equal(got.e.csvKey, `sets/monthly_revenue_billing_and_revenue_data_${published}.csv`);
  const own = await soukOk(['report', 'monthly_revenue_billing_and_revenue_data', '--feeds', dir, '--seller', w.seller.accountId, '--month', covered,
    '--as-known-at', `${published}T23:59:59Z`, '--participant=no']);
  assert.equal(got.csv, own.out);
  const rows = parseCsv(got.csv);
  assert.ok(rows.length > 5, `${rows.length}`);
  assert.equal(got.meta.rowCount, rows.length);
  assert.ok(!got.csv.includes('Customer Email Domain'));
  assert.equal(got.meta.dataSetCoverageRange.startDateTime.slice(0, 7), covered);
  assert.equal((await delivered('monthly_revenue_billing_and_revenue_data')).csv, got.csv);
});

test('sales compensation is for participants', async () => {
  const e = await generate('sales_compensation_billed_revenue');
  assert.equal(e.state, 'failed');
  assert.match(e.reason, /not enrolled/);
});

test('disbursed: the latest of 31 days, named by its day', async () => {
  const asked = text(new Date(now - DAY));
  const got = await delivered('disbursed_amount_by_product', asked);
  const day = got.e.csvKey.match(/_(\d{4}-\d\d-\d\d)\.csv$/)[1];
  assert.ok(day <= asked && Date.parse(asked) - Date.parse(day) <= 31 * DAY);
  assert.equal(got.meta.dataSetCoverageRange.endDateTime, `${day}T23:59:59.000Z`);
  assert.ok(parseCsv(got.csv).length > 0);
  const before = await generate('disbursed_amount_by_product', '2019-01-01');
  assert.equal(before.state, 'failed');
  assert.match(before.reason, /joined|No disbursement/);
});

test('publications: each once, feed files too, nothing after withdrawal', async () => {
  const s = `/api/v1/sellers/${w.seller.accountId}`;
  const plan = { roleArn: w.seller.roleArn, bucket: w.seller.bucket, prefix: 'own', topicArn: w.seller.topicArn,
    dataSets: ['daily_business_new_product_subscribers', 'sales_compensation_billed_revenue'], feeds: true };
  assert.equal((await m.rest(w.seller, 'PUT', `${s}/publication-plan`, plan)).status, 200);
  const mine = async () => (await m.rest(w.seller, 'GET', `${s}/deliveries?limit=200`)).json.items.filter((x) => x.destinationS3Prefix === 'own');
  const restart = async () => {
    await m.stop();
    await m.start();
    clients = { ...clients, ...sdk(m, w.seller), analytics: clients.analytics };
    await new Promise((r) => setTimeout(r, 1500)); // the first look comes with the start
    return until(async () => { const l = await mine(); return l.every((x) => x.state !== 'waiting') && l; });
  };
  assert.deepEqual(await restart(), [], 'not enrolled: nothing');
  const evidence = { 'EDSP-R2': { document: 'plan.pdf', attests: ['hourly', 'monthly', 'annual', 'metered'] }, 'EDSP-R3': { document: 'memo.pdf', effectiveOn: '2026-01-31' },
    'EDSP-R4': { termsVersion: '2020-05', attests: ['confidential', 'no-lead-generation'] }, 'EDSP-R5': { attests: ['field-sales-compensation-only'] } };
  for (const [q, body] of Object.entries(evidence)) {
    await m.rest(w.seller, 'PUT', `${s}/enrolments/edsp/requirements/${q}`, body);
    await m.op('PUT', `${s}/enrolments/edsp/requirements/${q}/decision`, { decision: 'accepted' });
  }
  assert.equal((await m.op('PUT', `${s}/enrolments/edsp`, { state: 'enrolled' })).status, 200);
  const first = await restart();
  assert.ok(first.every((x) => x.state === 'delivered'), JSON.stringify(first.filter((x) => x.state !== 'delivered')));
  const keys = first.map((x) => x.csvKey).sort();
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(keys.includes(`own/sales_compensation_billed_revenue_${published}.csv`), keys.join());
  assert.ok(keys.some((k) => k.startsWith('own/daily_business_new_product_subscribers_')));
  const files = keys.filter((k) => /^own\/\w+_v1\/year=\d{4}\/month=\d\d\/data\.csv$/.test(k));
  assert.equal(files.length, keys.length - 2);
  assert.ok(files.length >= 9);
  const csv = await fetchText(clients, w.seller.bucket, files.find((k) => k.includes('billing_event')));
  assert.match(csv, /^billing_event_id,/);
  const comp = await fetchText(clients, w.seller.bucket, `own/sales_compensation_billed_revenue_${published}.csv`);
  assert.equal(comp, (await soukOk(['report', 'sales_compensation_billed_revenue', '--feeds', dir, '--seller', w.seller.accountId, '--month', covered, '--as-known-at', `${published}T23:59:59Z`])).out);
  assert.equal((await restart()).length, first.length, 'each once');
  await m.op('PUT', `${s}/enrolments/edsp`, { state: 'withdrawn' });
  m.setClock(m.clockShift / 1000 + 2 * 86400);
  assert.equal((await restart()).length, first.length, 'withdrawn: nothing more');
});
