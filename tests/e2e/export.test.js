// SPDX-License-Identifier: Apache-2.0
// StartSupportDataExport through the unmodified AWS CLI and the AWS SDK for JavaScript.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marketplace, parseCsv, person, souk, until } from './lib.js';
import { TARGET, exportNow, fetchText, makeWorld, sdk, signedJson, startExport } from './world.js';

const HEADER = 'Product Id,Product Code,Customer Guid,Subscription Guid,Subscription Start Date,Organization,AWS Customer Id,'
  + 'Given Name,Surname,Telephone Number,Email,Title,Country Code,ZIP Code,Operation Time,Operation Type';
let m, w;
before(async () => {
  m = await Marketplace.create({ clock: true });
  w = await makeWorld(m);
});
after(() => m.close());

const delivered = async (args) => {
  const r = await m.awsOk(m.exportArgs(args));
  const id = JSON.parse(r.out).dataSetRequestId;
  return m.delivered(id);
};

test('AWS CLI: export, ls, cp; file, metadata and names as documented', async () => {
  const e = await delivered({ args: ['--customer-defined-values', 'ticket=T-1,owner=crm'] });
  assert.equal(e.state, 'delivered', JSON.stringify(e));
  const ls = (await m.awsOk(['s3', 'ls', '--recursive', `s3://${m.seller.bucket}/psc/`])).out;
  assert.match(ls, /psc\/customer_support_contacts_data_2000-01-01T00-00-00Z_to_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.csv/);
  const dir = join(m.dir, 'got');
  await m.awsOk(['s3', 'cp', '--recursive', `s3://${m.seller.bucket}/psc/`, dir]);
  const name = e.csvKey.slice(4);
  const csv = readFileSync(join(dir, name));
  const meta = JSON.parse(readFileSync(join(dir, name.replace(/csv$/, 'meta.json')), 'utf8'));
  assert.equal(csv.toString('utf8').split('\r\n')[0], HEADER);
  const rows = parseCsv(csv.toString('utf8'));
  assert.ok(rows.length > 5);
  assert.ok(rows.some((r) => r['Operation Type'] === 'DELETE'));
  for (const r of rows) {
    assert.match(r['Product Id'], /^[0-9a-f-]{36}$/);
    assert.match(r['Product Code'], /^[a-z0-9]{25}$/);
    assert.match(r['AWS Customer Id'], /^\d{12}$/);
    assert.match(r['Subscription Start Date'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    if (r['Operation Type'] === 'DELETE') {
      for (const k of ['Organization', 'Given Name', 'Surname', 'Telephone Number', 'Email', 'Title', 'Country Code', 'ZIP Code']) assert.equal(r[k], '');
    } else {
      for (const k of ['Organization', 'Given Name', 'Surname', 'Telephone Number', 'Email']) assert.notEqual(r[k], '');
    }
  }
  const keys = rows.map((r) => r['Operation Time'] + r['Customer Guid']);
  assert.deepEqual(keys, [...keys].sort());
  assert.ok(/[^\x00-\x7f]/.test(csv.toString('utf8')), 'non-ASCII names survive');
  assert.equal(meta.sha256, createHash('sha256').update(csv).digest('hex'));
  assert.equal(meta.rowCounts.create + meta.rowCounts.update + meta.rowCounts.delete, rows.length);
  assert.equal(meta.rowCounts.delete, rows.filter((r) => r['Operation Type'] === 'DELETE').length);
  assert.ok(meta.schemaId);
  assert.equal(meta.emptyReason, undefined);
  assert.equal(Date.parse(meta.requestReceivedDateTime) - Date.parse(meta.dataSetCoverageRange.endDateTime), 15 * 60000);
  assert.equal(meta.dataSetCoverageRange.startDateTime, '2000-01-01T00:00:00.000Z');
  const p = meta.dataSetRequestParameters;
  assert.deepEqual([p.fromDate, p.dataSetType, p.roleNameArn, p.destinationS3BucketName, p.destinationS3Prefix, p.snsTopicArn],
    ['2000-01-01T00:00:00.000Z', 'customer_support_contacts_data', m.seller.roleArn, m.seller.bucket, 'psc', m.seller.topicArn]);
  assert.deepEqual(p.customerDefinedValues, { ticket: 'T-1', owner: 'crm' });
  assert.deepEqual(meta.dataSetS3Location, { bucketName: m.seller.bucket, key: e.csvKey });
  assert.deepEqual(meta.dataSetMetaDataS3Location, { bucketName: m.seller.bucket, key: e.metaKey });
  const direct = await souk(['export', 'contacts', '--data', m.data, '--seller', m.seller.accountId, '--from', '2000-01-01T00:00:00Z'], { env: m.clockEnv() });
  assert.equal(direct.out, csv.toString('utf8'), 'the command line writes the same file');
});

test('the test data set: static, before enrolment, for any fromDate', async () => {
  const third = m.logins.sellers[2]; // not enrolled
  const run = async (from) => {
    const r = await m.awsOk(['marketplacecommerceanalytics', 'start-support-data-export', '--data-set-type', 'test_customer_support_contacts_data',
      '--from-date', from, '--role-name-arn', third.roleArn, '--destination-s3-bucket-name', third.bucket, '--sns-topic-arn', third.topicArn], { as: third });
    const e = await m.delivered(JSON.parse(r.out).dataSetRequestId, third);
    assert.equal(e.state, 'delivered', JSON.stringify(e));
    return (await m.awsOk(['s3', 'cp', `s3://${third.bucket}/${e.csvKey}`, '-'], { as: third })).out;
  };
  const [a, b] = [await run('2015-01-18T00:00:00Z'), await run('2030-01-01T00:00:00Z')];
  assert.equal(a, b);
  const rows = parseCsv(a);
  assert.deepEqual([...new Set(rows.map((r) => r['Operation Type']))].sort(), ['CREATE', 'DELETE', 'UPDATE']);
  assert.ok(rows.some((r) => r['AWS Customer Id'].startsWith('0')) && rows.some((r) => r['ZIP Code'].startsWith('0')));
  assert.ok(a.includes('""') && /[^\x00-\x7f]/.test(a));
  for (const r of rows) if (r.Email) assert.match(r.Email, /@([a-z0-9-]+\.)*example\.(com|org|net)$/);
});

test('a seller who is not enrolled gets no real data, and learns why', async () => {
  const third = m.logins.sellers[2];
  const r = await m.awsOk(['marketplacecommerceanalytics', 'start-support-data-export', '--data-set-type', 'customer_support_contacts_data',
    '--from-date', '2000-01-01T00:00:00Z', '--role-name-arn', third.roleArn, '--destination-s3-bucket-name', third.bucket, '--sns-topic-arn', third.topicArn], { as: third });
  const e = await m.delivered(JSON.parse(r.out).dataSetRequestId, third);
  assert.equal(e.state, 'failed');
  assert.match(e.reason, /enrol/i);
  assert.equal((await m.awsOk(['s3', 'ls', `s3://${third.bucket}/customer_support`], { as: third }).catch((x) => ({ out: '' }))).out, '');
});

for (const [what, args, why] of [
  ['a role that is not there', { role: 'arn:aws:iam::000000700100:role/Nobody' }, /role/i],
  ['a role of another account', { role: 'arn:aws:iam::000000700101:role/MarketplaceCommerceAnalyticsRole' }, /role/i],
  ['a bucket that is not there', { bucket: 'no-such-bucket-here' }, /bucket|role/i],
  ['a bucket of another seller', { bucket: 'demo-exports-000000700101' }, /bucket|role/i],
  ['a topic of another seller', { topic: 'arn:aws:sns:us-east-1:000000700101:exports' }, /topic|role/i],
  ['a topic that is not there', { topic: 'arn:aws:sns:us-east-1:000000700100:nothing' }, /topic|role/i],
]) {
  test(`fails with a reason: ${what}`, async () => {
    const e = await delivered(args);
    assert.equal(e.state, 'failed', JSON.stringify(e));
    assert.match(e.reason, why);
  });
}

test('synchronous errors, as the CLI prints them', async () => {
  const cases = [
    [m.exportArgs({ type: 'no_such_set' }), /ValidationException/],
    [[...m.exportArgs(), '--customer-defined-values', 'a=1,b=2,c=3,d=4,e=5,f=6'], /ValidationException/],
    [[...m.exportArgs(), '--customer-defined-values', `a=${'x'.repeat(256)}`], /ValidationException/],
  ];
  for (const [args, want] of cases) {
    const r = await m.aws(args);
    assert.notEqual(r.code, 0);
    assert.match(r.err, want);
  }
  const wrong = await m.aws(m.exportArgs(), { as: { ...m.seller, secretAccessKey: 'x'.repeat(40) } });
  const unknown = await m.aws(m.exportArgs(), { as: { accessKeyId: 'SOUKAAAAAAAAAAAAAAAA', secretAccessKey: 'x'.repeat(40) } });
  assert.match(wrong.err, /InvalidSignatureException/);
  const tail = (r) => r.err.replace(/^.*?An error/s, 'An error').replace(/[0-9a-f-]{36}/g, '');
  assert.equal(tail(wrong), tail(unknown), 'unknown key and wrong signature look alike');
  const buyerLike = await m.aws(m.exportArgs(), { env: { AWS_SESSION_TOKEN: 'token' } });
  assert.match(buyerLike.err, /UnrecognizedClientException/);
});

const signed = (target, body, options = {}) => signedJson(m, options.seller ?? m.seller, target, body, options);
const request = (from, more = '') => `{"dataSetType":"test_customer_support_contacts_data","fromDate":${from},"roleNameArn":"${m.seller.roleArn}",`
  + `"destinationS3BucketName":"${m.seller.bucket}","destinationS3Prefix":"x","snsTopicArn":"${m.seller.topicArn}"${more}}`;

test('every accepted encoding of fromDate is understood to the millisecond', async () => {
  for (const [from, want] of [['1470366890', '2016-08-05T03:14:50.000Z'], ['1470366890.334', '2016-08-05T03:14:50.334Z'],
    ['1.470366890E9', '2016-08-05T03:14:50.000Z'], ['1470366890.000', '2016-08-05T03:14:50.000Z'], ['1.470366890334e+9', '2016-08-05T03:14:50.334Z'],
    ['"2016-08-05T03:14:50.334Z"', '2016-08-05T03:14:50.334Z'], ['"2016-08-05T05:14:50+02:00"', '2016-08-05T03:14:50.000Z'],
    ['"2016-08-05T03:14:50"', '2016-08-05T03:14:50.000Z'], ['0', '1970-01-01T00:00:00.000Z']]) {
    const a = await signed(TARGET, request(from));
    assert.equal(a.status, 200, `${from}: ${await a.clone().text()}`);
    assert.match(a.headers.get('content-type'), /^application\/x-amz-json-1\.1/);
    const { dataSetRequestId } = await a.json();
    const e = await m.delivered(dataSetRequestId);
    const meta = JSON.parse(await fetchText(sdk(m, m.seller), m.seller.bucket, e.metaKey));
    assert.equal(meta.dataSetRequestParameters.fromDate, want, from);
  }
});

test('wire errors carry body type, header and request id', async () => {
  for (const [target, body, code, options] of [
    [TARGET, '{"dataSetType":', 'SerializationException'], [TARGET, '[]', 'SerializationException'],
    [TARGET, request('"yesterday"'), 'SerializationException|ValidationException'], [TARGET, request('true'), 'SerializationException'],
    [TARGET, request('1', ',"customerDefinedValues":{}'), 'ValidationException'], [TARGET, request('1', ',"customerDefinedValues":{"a":1}'), 'SerializationException'],
    [TARGET, '{}', 'ValidationException'], [TARGET, request('1').replace(/"roleNameArn":"[^"]*"/, '"roleNameArn":""'), 'ValidationException'],
    ['MarketplaceCommerceAnalytics20150701.DropTables', '{}', 'UnknownOperationException'], ['Nonsense', '{}', 'UnknownOperationException'],
    [TARGET, request('1'), 'InvalidSignatureException', { date: new Date(m.now() - 6 * 60000) }],
    [TARGET, request('1'), 'InvalidSignatureException', { date: new Date(m.now() + 6 * 60000) }],
  ]) {
    const a = await signed(target, body, options);
    const text = await a.text();
    assert.equal(a.status, 400, text);
    const json = JSON.parse(text);
    assert.match(json.__type, new RegExp(`^(.*#)?(${code})$`), text);
    assert.ok(json.message, text);
    assert.match(a.headers.get('x-amzn-errortype') ?? '', new RegExp(code));
    assert.ok(a.headers.get('x-amzn-requestid'));
    assert.ok(a.headers.get('date'));
  }
  const fine = await signed(TARGET, request('1'), { date: new Date(m.now() - 4 * 60000) });
  assert.equal(fine.status, 200);
  const unsigned = await fetch(m.url, { method: 'POST', body: '{}', headers: { 'X-Amz-Target': TARGET, 'Content-Type': 'application/x-amz-json-1.1' } });
  assert.match((await unsigned.json()).__type, /MissingAuthenticationTokenException/);
});

test('a key whose policy does not allow it is refused', async () => {
  const user = (await m.op('POST', `/api/v1/accounts/${m.seller.accountId}/users`, { name: 'narrow', policy: { Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: 'marketplacecommerceanalytics:Start*', Resource: '*' }] } })).json;
  const key = (await m.op('POST', `/api/v1/users/${user.userId}/access-keys`, {})).json;
  const r = await m.aws(m.exportArgs(), { as: key });
  assert.match(r.err, /AccessDeniedException/);
});

test('windows: chained exports are lossless and carry each change once', async () => {
  const s = w.subscriptions[0];
  const path = `/api/v1/subscriptions/${s.subscriptionId}/contacts`;
  const a = (await m.rest(s.buyer, 'POST', path, person(1))).json;
  const fresh = await exportNow(m, w.seller, 0);
  assert.equal(parseCsv(fresh.csv).length, 0, 'the last fifteen minutes are not in it');
  assert.ok(fresh.meta.emptyReason);
  m.setClock(1000);
  const first = await exportNow(m, w.seller, fresh.end);
  assert.deepEqual(parseCsv(first.csv).map((r) => [r['Customer Guid'], r['Operation Type']]), [[a.contactId, 'CREATE']]);
  const again = await exportNow(m, w.seller, fresh.end);
  assert.equal(again.csv, first.csv, 'the same history gives the same bytes');
  await m.rest(s.buyer, 'PUT', `${path}/${a.contactId}`, person(2));
  m.setClock(2000);
  const second = await exportNow(m, w.seller, first.end);
  assert.deepEqual(parseCsv(second.csv).map((r) => [r.Email, r['Operation Type']]), [['person2@example.com', 'UPDATE']]);
  await m.rest(s.buyer, 'DELETE', `${path}/${a.contactId}`);
  const between = await exportNow(m, w.seller, 0);
  assert.equal(parseCsv(between.csv).length, 0, 'deleted since: left out at once');
  m.setClock(3000);
  const third = await exportNow(m, w.seller, second.end);
  assert.deepEqual(parseCsv(third.csv).map((r) => [r['Customer Guid'], r['Operation Type'], r.Email]), [[a.contactId, 'DELETE', '']]);
  const future = await exportNow(m, w.seller, m.now() + 86400000);
  assert.equal(parseCsv(future.csv).length, 0);
  assert.ok(future.meta.emptyReason);
});

test('AWS SDK for JavaScript: with milliseconds, without a prefix', async () => {
  const clients = sdk(m, w.seller);
  const { dataSetRequestId } = await startExport(clients, w.seller, new Date('2016-08-05T03:14:50.334Z'), { destinationS3Prefix: undefined });
  const e = await m.delivered(dataSetRequestId, w.seller);
  assert.match(e.csvKey, /^customer_support_contacts_data_2016-08-05T03-14-50Z_to_/);
  const meta = JSON.parse(await fetchText(clients, w.seller.bucket, e.metaKey));
  // This version of the SDK sends whole seconds.
  assert.equal(meta.dataSetRequestParameters.fromDate, '2016-08-05T03:14:50.000Z');
  await assert.rejects(startExport(clients, w.seller, new Date(), { dataSetType: 'nonsense' }), (x) => x.name === 'ValidationException');
});

test('the delivery log shows jobs and sends again without a new export', async () => {
  const log = await m.rest(w.seller, 'GET', `/api/v1/sellers/${w.seller.accountId}/deliveries?limit=3`);
  assert.equal(log.status, 200, log.text);
  assert.equal(log.json.items.length, 3);
  assert.ok(log.json.next, 'there is a next page');
  const id = log.json.items[0].dataSetRequestId;
  const r = await m.rest(w.seller, 'POST', `/api/v1/sellers/${w.seller.accountId}/deliveries/${id}/resend`, {});
  assert.equal(r.status, 409, 'nobody is subscribed');
  assert.equal(r.json.code, 'no_endpoint');
  const other = await m.rest(m.seller, 'POST', `/api/v1/sellers/${w.seller.accountId}/deliveries/${id}/resend`, {});
  assert.equal(other.status, 404);
  await until(async () => (await m.rest(w.seller, 'GET', `/api/v1/sellers/${w.seller.accountId}/deliveries/${id}`)).json.jobs?.length >= 1, 5000, 'jobs in the log');
});
