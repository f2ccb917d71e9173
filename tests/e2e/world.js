// SPDX-License-Identifier: Apache-2.0
// A small marketplace made through the REST API: one seller, its products, buyers and subscriptions.
import { strict as assert } from 'node:assert';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { MarketplaceCommerceAnalyticsClient, StartSupportDataExportCommand } from '@aws-sdk/client-marketplace-commerce-analytics';
import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3';

async function made(answer, what) {
  assert.equal(answer.status, 201, `${what}: ${answer.status} ${answer.text}`);
  return answer.json;
}

async function login(m, accountId) {
  const user = await made(await m.op('POST', `/api/v1/accounts/${accountId}/users`, { name: 'root' }), 'user');
  const token = await made(await m.op('POST', `/api/v1/users/${user.userId}/tokens`, { label: 'test' }), 'token');
  return { accountId, userId: user.userId, token: token.token };
}

const digits = (n) => String(n).padStart(12, '0');

export async function makeWorld(m, { buyers = 3, products = 2, subscriptionsPerBuyer = 2, base = 100 } = {}) {
  const account = (id, more) => m.op('POST', '/api/v1/accounts', { accountId: id, name: `Account ${id}`, country: 'DE', ...more });
  const w = { m, subscriptions: [] };
  const sellerId = digits(base);
  await made(await account(sellerId, { seller: true, paidSeller: true }), 'seller');
  w.seller = await login(m, sellerId);
  Object.assign(w.seller, await made(await m.op('POST', `/api/v1/users/${w.seller.userId}/access-keys`, {}), 'key'));
  await m.op('PUT', `/api/v1/sellers/${sellerId}/enrolments/psc`, { state: 'enrolled' });
  w.seller.bucket = `exports-${base}`;
  await made(await m.rest(w.seller, 'POST', `/api/v1/sellers/${sellerId}/buckets`, { name: w.seller.bucket }), 'bucket');
  const topic = await made(await m.rest(w.seller, 'POST', `/api/v1/sellers/${sellerId}/topics`, { name: 'ready' }), 'topic');
  w.seller.topicArn = topic.topicArn;
  const role = await made(await m.rest(w.seller, 'POST', `/api/v1/sellers/${sellerId}/roles`, {
    name: 'MarketplaceCommerceAnalyticsRole',
    policy: { Version: '2012-10-17', Statement: [
      { Effect: 'Allow', Action: ['s3:PutObject', 's3:GetBucketLocation'], Resource: `arn:aws:s3:::${w.seller.bucket}/*` },
      { Effect: 'Allow', Action: ['sns:Publish', 'sns:GetTopicAttributes'], Resource: topic.topicArn }] },
  }), 'role');
  w.seller.roleArn = role.roleArn;
  w.products = [];
  for (let i = 0; i < products; i++) {
    w.products.push(await made(await m.op('POST', '/api/v1/products', {
      sellerId, title: `Product ${i}`, type: 'ami', pricing: ['hourly', 'annual'], supportEmail: 'support@example.com',
      pscEnabled: true, state: 'public' }), 'product'));
  }
  w.buyers = [];
  for (let b = 0; b < buyers; b++) {
    const id = digits(base * 1000 + b);
    await made(await account(id, { buyer: true }), 'buyer');
    const buyer = await login(m, id);
    w.buyers.push(buyer);
    for (let i = 0; i < subscriptionsPerBuyer; i++) w.subscriptions.push(await w_subscribe(w, buyer, w.products[i % products]));
  }
  w.subscribe = (buyer, product) => w_subscribe(w, buyer, product);
  return w;
}

async function w_subscribe(w, buyer, product) {
  const startsAt = Math.floor(Date.now() / 86400000) * 86400000 - 86400000 * 30;
  const s = await made(await w.m.op('POST', '/api/v1/subscriptions', {
    sellerId: w.seller.accountId, productId: product.productId, buyerId: buyer.accountId, kind: 'hourly',
    quantity: 1, startsAt: new Date(startsAt).toISOString() }), 'subscription');
  return { subscriptionId: s.subscriptionId, productId: product.productId, productCode: product.productCode,
    buyerId: buyer.accountId, startsAt, buyer, active: true };
}

/** The AWS SDK for JavaScript, on the server's clock. */
export function sdk(m, seller) {
  const common = {
    endpoint: m.url, region: 'us-east-1', systemClockOffset: m.clockShift ?? 0, maxAttempts: 1,
    credentials: { accessKeyId: seller.accessKeyId, secretAccessKey: seller.secretAccessKey },
  };
  return {
    analytics: new MarketplaceCommerceAnalyticsClient(common),
    s3: new S3Client({ ...common, forcePathStyle: true }),
  };
}

export const startExport = (clients, seller, fromDate, more = {}) => clients.analytics.send(new StartSupportDataExportCommand({
  dataSetType: 'customer_support_contacts_data', fromDate, roleNameArn: seller.roleArn,
  destinationS3BucketName: seller.bucket, destinationS3Prefix: `x/${randomUUID()}`, snsTopicArn: seller.topicArn, ...more }));

export async function fetchText(clients, bucket, key) {
  const got = await clients.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return got.Body.transformToString('utf-8');
}

export const TARGET = 'MarketplaceCommerceAnalytics20150701.StartSupportDataExport';

/** A signed JSON 1.1 request, by hand: for what no client would send, and for milliseconds that some cut off. */
export function signedJson(m, seller, target, body, { date = new Date(m.now()), service = 'marketplacecommerceanalytics', headers = {} } = {}) {
  const amz = date.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const all = { 'content-type': 'application/x-amz-json-1.1', host: new URL(m.url).host, 'x-amz-date': amz, 'x-amz-target': target, ...headers };
  const names = Object.keys(all).sort();
  const sha = (x) => createHash('sha256').update(x).digest('hex');
  const canonical = ['POST', '/', '', ...names.map((n) => `${n}:${all[n]}`), '', names.join(';'), sha(body)].join('\n');
  const scope = `${amz.slice(0, 8)}/us-east-1/${service}/aws4_request`;
  const hmac = (k, x) => createHmac('sha256', k).update(x).digest();
  const key = ['us-east-1', service, 'aws4_request'].reduce(hmac, hmac(`AWS4${seller.secretAccessKey}`, amz.slice(0, 8)));
  const signature = createHmac('sha256', key).update(`AWS4-HMAC-SHA256\n${amz}\n${scope}\n${sha(canonical)}`).digest('hex');
  delete all.host;
  return fetch(m.url, { method: 'POST', body, headers: { ...all,
    Authorization: `AWS4-HMAC-SHA256 Credential=${seller.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` } });
}

/** Starts an export, waits for it, gives the file, its metadata, the request and the window's end. */
export async function exportNow(m, seller, fromMs) {
  const clients = sdk(m, seller);
  const answer = await signedJson(m, seller, TARGET, JSON.stringify({
    dataSetType: 'customer_support_contacts_data', fromDate: fromMs / 1000, roleNameArn: seller.roleArn,
    destinationS3BucketName: seller.bucket, destinationS3Prefix: `x/${randomUUID()}`, snsTopicArn: seller.topicArn }));
  assert.equal(answer.status, 200, await answer.clone().text());
  const { dataSetRequestId } = await answer.json();
  const entry = await m.delivered(dataSetRequestId, seller);
  assert.equal(entry.state, 'delivered', JSON.stringify(entry));
  const csv = await fetchText(clients, seller.bucket, entry.csvKey);
  const meta = JSON.parse(await fetchText(clients, seller.bucket, entry.metaKey));
  return { csv, meta, dataSetRequestId, end: Date.parse(meta.dataSetCoverageRange.endDateTime) };
}
