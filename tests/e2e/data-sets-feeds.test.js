// SPDX-License-Identifier: Apache-2.0
// GenerateDataSet from kept data feeds: the same bytes as souk report over the folder they came from.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { appendFileSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import { GenerateDataSetCommand, MarketplaceCommerceAnalyticsClient } from '@aws-sdk/client-marketplace-commerce-analytics';
import { Marketplace, parseCsv, souk, soukOk, until } from './lib.js';
import { fetchText, makeWorld, sdk } from './world.js';

const DAY = 86400000;
let m, w, clients, dir, now, from, covered, published;
const text = (d) => d.toISOString().slice(0, 10);

const analytics = () => new MarketplaceCommerceAnalyticsClient({ endpoint: m.url, region: 'us-east-1', systemClockOffset: m.clockShift, maxAttempts: 1,
  credentials: { accessKeyId: w.seller.accessKeyId, secretAccessKey: w.seller.secretAccessKey } });
before(async () => {
  m = await Marketplace.create({ clock: true });
  w = await makeWorld(m, { buyers: 1, products: 1, subscriptionsPerBuyer: 1 });
  // The 20th of next month: the set of the 15th covers this month, and the seller has joined before it.
  const today = new Date();
  now = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 20, 5);
  covered = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), 1)).toISOString().slice(0, 7);
  published = text(new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 15)));
  m.setClock(Math.floor((now - Date.now()) / 1000));
  clients = { ...sdk(m, w.seller), analytics: analytics() };
  dir = join(m.dir, 'feeds');
  from = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - 3, 1)).toISOString().slice(0, 7);
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
const PAID = ['disbursed_amount_by_product', 'disbursed_amount_by_age_of_disbursed_funds'];
/** The days of disbursements, of the 31 days before now and the seller's time, that are three days and six hours old. */
function payoutDays() {
  const joined = text(new Date());
  const days = new Set();
  for (const d of readdirSync(join(dir, 'billing_event_v1'), { recursive: true, withFileTypes: false }).filter((x) => x.endsWith('.gz'))) {
    for (const l of parseCsv(gunzipSync(readFileSync(join(dir, 'billing_event_v1', d))).toString('utf8').replaceAll('\n', '\r\n')))
      if (l.transaction_type === 'DISBURSEMENT' && l.action === 'DISBURSED') days.add(l.invoice_date.slice(0, 10));
  }
  const at = (d) => Date.parse(`${d}T00:00:00Z`);
  return [...days].filter((d) => d > joined && at(d) >= now - now % DAY - 31 * DAY && at(d) + 3 * DAY + 6 * 3600000 <= m.now()).sort();
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

test('import --lenient: what cannot be read is set aside, and every data set says so', async () => {
  const damaged = join(m.dir, 'damaged'), rejects = join(m.dir, 'rejects.csv');
  await soukOk(['feeds', 'make', damaged, '--seller', w.seller.accountId, '--from', from, '--months', '6', '--events', '6000']);
  const name = `billing_event_v1/year=${covered.slice(0, 4)}/month=${covered.slice(5)}/data.csv`, file = join(damaged, name);
  const [header, row, ...rest] = readFileSync(file, 'utf8').split('\n');
  const changed = (column, value) => row.split(',').map((v, i) => (header.split(',')[i] === column ? value : i === 0 ? `${v}x` : v)).join(',');
  const wrong = changed('amount', '1e3');
  const text = [header, row, wrong, ...rest].join('\n') + `not,a,row\n${changed('bank_trace_id', 'caf\xe9')}\n`;
  writeFileSync(file, text, 'latin1');
  const take = (...more) => souk(['import', '--data', m.data, 'feeds', '--seller', w.seller.accountId, ...more], { env: m.clockEnv() });
  const before = await delivered('monthly_revenue_billing_and_revenue_data');
  assert.equal(before.meta.feedRowsSetAside, undefined);
  assert.equal((await take(damaged)).code, 1);
  assert.equal((await take(damaged, '--rejects', rejects)).code, 2, '--rejects is for --lenient');
  assert.equal((await take(damaged, dir, '--lenient', '--rejects', rejects)).code, 2, 'one folder, one file');
  const r = await take(damaged, '--lenient', '--rejects', rejects, '--json');
  assert.equal(r.code, 0, r.err);
  const told = JSON.parse(r.out);
  assert.deepEqual([told.rejectedRows, told.findings], [3, 0]);
  assert.match(r.err, /--lenient: 3 bad rows were set aside and count for nothing: .*rejects\.csv/);
  const lines = parseCsv(readFileSync(rejects, 'utf8'));
  assert.deepEqual(lines.map((l) => [l.file, l.line, l.column]), [[name, '3', 'amount'], [name, String(rest.length + 3), ''], [name, String(rest.length + 4), '']]);
  assert.equal(lines[0].row, wrong);
  assert.match(lines[2].what, /UTF-8/);
  assert.equal(statSync(rejects).mode & 0o777, 0o600);
  const after = await delivered('monthly_revenue_billing_and_revenue_data');
  assert.equal(after.csv, before.csv, 'what can be read is the same');
  assert.equal(after.meta.feedRowsSetAside, 3);
  // A header that lacks a column is no row: nothing is kept, lenient or not.
  writeFileSync(file, [header.replace('amount', 'amounts'), row, ...rest].join('\n'));
  const refused = await take(damaged, '--lenient', '--rejects', rejects);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /amount.*missing from the header[^]*nothing of these feeds was kept/);
  assert.equal((await importFeeds()).code, 0);
  assert.equal((await delivered('monthly_revenue_billing_and_revenue_data')).meta.feedRowsSetAside, undefined, 'mended: told no more');
});

test('import --lenient tells findings that no row can be blamed for', async () => {
  const gaps = join(m.dir, 'gaps');
  await soukOk(['feeds', 'make', gaps, '--seller', w.seller.accountId, '--from', from, '--months', '6', '--events', '6000']);
  const file = join(gaps, `billing_event_v1/year=${covered.slice(0, 4)}/month=${covered.slice(5)}/data.csv`);
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, lines.filter((l) => !l.includes(',DISBURSEMENT,')).join('\n'));
  const take = (...more) => souk(['import', '--data', m.data, 'feeds', '--seller', w.seller.accountId, gaps, ...more], { env: m.clockEnv() });
  assert.equal((await take()).code, 1);
  const r = await take('--lenient', '--json');
  assert.equal(r.code, 0, r.err);
  const told = JSON.parse(r.out);
  assert.ok(told.findings > 0);
  assert.equal(told.rejectedRows, 0);
  assert.match(r.err, new RegExp(`the feeds are kept with ${told.findings} other finding`));
  assert.equal((await importFeeds()).code, 0);
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
    dataSets: ['daily_business_new_product_subscribers', 'sales_compensation_billed_revenue', ...PAID], feeds: true };
  assert.equal((await m.rest(w.seller, 'PUT', `${s}/publication-plan`, plan)).status, 200);
  const mine = async () => (await m.rest(w.seller, 'GET', `${s}/deliveries?limit=200`)).json.items.filter((x) => x.destinationS3Prefix === 'own');
  const restart = async () => {
    await m.stop();
    await m.start();
    clients = { ...clients, ...sdk(m, w.seller), analytics: analytics() };
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
  const days = payoutDays();
  assert.ok(days.length > 0);
  const paid = days.flatMap((d) => PAID.map((set) => `own/${set}_${d}.csv`)).sort();
  assert.deepEqual(keys.filter((k) => k.includes('disbursed')), paid, 'each disbursement that is three days old');
  assert.equal(files.length, keys.length - 2 - paid.length);
  assert.ok(files.length >= 9);
  const csv = await fetchText(clients, w.seller.bucket, files.find((k) => k.includes('billing_event')));
  assert.match(csv, /^billing_event_id,/);
  const last = await fetchText(clients, w.seller.bucket, `own/${PAID[0]}_${days.at(-1)}.csv`);
  assert.ok(parseCsv(last).length > 0);
  assert.equal(last, (await delivered(PAID[0], days.at(-1))).csv, 'as if it had been asked for');
  const comp = await fetchText(clients, w.seller.bucket, `own/sales_compensation_billed_revenue_${published}.csv`);
  assert.equal(comp, (await soukOk(['report', 'sales_compensation_billed_revenue', '--feeds', dir, '--seller', w.seller.accountId, '--month', covered, '--as-known-at', `${published}T23:59:59Z`])).out);
  // What was delivered is read where it lies, from the very server.
  const args = ['report', 'monthly_revenue_billing_and_revenue_data', '--month', covered];
  const env = { ...m.clockEnv(), AWS_ACCESS_KEY_ID: w.seller.accessKeyId, AWS_SECRET_ACCESS_KEY: w.seller.secretAccessKey, AWS_ENDPOINT_URL: m.url };
  assert.equal((await soukOk([...args, '--feeds', `s3://${w.seller.bucket}/own`], { env })).out, (await soukOk([...args, '--feeds', dir])).out);
  const again = await souk(['import', '--data', m.data, '--json', 'feeds', '--seller', w.seller.accountId, `s3://${w.seller.bucket}/own`, '--endpoint-url', m.url],
    { env: { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' } });
  assert.equal(again.code, 0, again.err);
  assert.equal(JSON.parse(again.out).files, files.length);
  const other = await souk([...args, '--feeds', 's3://souk-nobodys/own'], { env });
  assert.equal(other.code, 1, other.err);
  assert.match(other.err, /no such bucket/);
  assert.equal((await restart()).length, first.length, 'each once');
  // What is too young today is published when it is old enough.
  m.setClock(m.clockShift / 1000 + 14 * 86400);
  const later = (await restart()).map((x) => x.csvKey).filter((k) => k.includes(PAID[0]));
  assert.deepEqual(later.sort(), [...new Set([...days, ...payoutDays()])].map((d) => `own/${PAID[0]}_${d}.csv`).sort());
  assert.ok(later.length > days.length);
  const count = (await mine()).length;
  await m.op('PUT', `${s}/enrolments/edsp`, { state: 'withdrawn' });
  m.setClock(m.clockShift / 1000 + 2 * 86400);
  assert.equal((await restart()).length, count, 'withdrawn: nothing more');
});
