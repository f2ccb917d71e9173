// SPDX-License-Identifier: Apache-2.0
// Deliveries to a seller's own S3 store and SNS service: an unmodified AWS CLI asks souk, a real store gets the files.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marketplace, parseCsv, sleep, soukBinary, run, until } from './lib.js';
import { proxy, store as storeOf } from './services.js';
import { sns } from './sns.js';

const BUCKET = 'seller-exports';
const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:ready';
const FIFO = `${TOPIC}.fifo`;
const INI = 'delivery.private-addresses = true\ntopic.retry-seconds = 1\njob.attempts = 2\n'
  + 'delivery.s3-access-key-id = TESTKEY\ndelivery.s3-secret-access-key = testsecret\n';
let m, store, topics;

before(async () => {
  store = await storeOf('ceph');
  await store.awsOk(['s3', 'mb', `s3://${BUCKET}`]);
  topics = await sns({ topics: [TOPIC, FIFO, `${TOPIC}-denied`], denied: [`${TOPIC}-denied`], keys: { AKIDSNS: 'sns/secret+key' } });
  m = await Marketplace.create({ ini: INI, scale: 3 });
});
const proxies = [];
const faulty = async () => { const p = await proxy(store.endpoint); proxies.push(p); return p; };
after(async () => {
  for (const p of proxies) p.close();
  await m?.close();
  topics?.close();
  await store?.stop();
});

const base = (seller = m.seller) => `/api/v1/sellers/${seller.accountId}`;
const allowAll = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['s3:PutObject', 'sns:Publish'], Resource: '*' }] };
const s3 = (more = {}) => ({ endpoint: store.endpoint, region: store.region, accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey, ...more });
const snsRemote = (more = {}) => ({ endpoint: topics.endpoint, region: 'eu-central-1', accessKeyId: 'AKIDSNS', secretAccessKey: 'sns/secret+key', ...more });
let names = 0;
/** A role of the seller's, or as somebody else makes it; gives its ARN. */
async function role(remotes, { as = m.seller, seller = m.seller } = {}) {
  const a = await m.rest(as, 'POST', `${base(seller)}/roles`, { name: `Away${names++}`, policy: allowAll, ...remotes });
  assert.equal(a.status, 201, a.text);
  return a.json;
}
const ask = async (args) => JSON.parse((await m.awsOk(m.exportArgs({ bucket: BUCKET, topic: m.seller.topicArn, ...args }))).out).dataSetRequestId;
const away = async (args) => m.delivered(await ask(args));
const settled = (id, kind) => until(async () => {
  const e = (await m.rest(m.seller, 'GET', `${base()}/deliveries/${id}`)).json;
  const jobs = e.jobs.filter((j) => j.kind === kind);
  return jobs.length > 0 && jobs.every((j) => ['done', 'failed'].includes(j.state)) && e;
}, 30000, `${kind} of ${id}`);
const cat = (key) => store.get(BUCKET, key);

test('AWS CLI: asked at souk, read from the store; the metadata and the log tell the truth', async () => {
  const r = await role({ s3: s3(), sns: snsRemote() });
  const e = await away({ role: r.roleArn, topic: TOPIC, prefix: 'first', args: ['--customer-defined-values', 'ticket=T-1'] });
  assert.equal(e.state, 'delivered', JSON.stringify(e));
  assert.equal(e.s3Endpoint, store.endpoint);
  assert.deepEqual((await store.keys(BUCKET, 'first/')).sort(), [e.csvKey, e.metaKey].sort());
  const csv = await cat(e.csvKey);
  const meta = JSON.parse((await cat(e.metaKey)).toString('utf8'));
  const hash = createHash('sha256').update(csv).digest('hex');
  assert.deepEqual([e.csvSha256, e.csvBytes, meta.sha256], [hash, csv.length, hash]);
  assert.ok(parseCsv(csv.toString('utf8')).length > 5);
  assert.deepEqual(meta.dataSetS3Location, { bucketName: BUCKET, key: e.csvKey });
  await settled(e.dataSetRequestId, 'publish');
  assert.equal(topics.published.length, 1);
  assert.deepEqual(topics.published[0].message, {
    dataSetS3Location: { bucketName: BUCKET, key: e.csvKey }, dataSetMetaDataS3Location: { bucketName: BUCKET, key: e.metaKey },
    dataSetRequestId: e.dataSetRequestId, success: true, customerDefinedValues: { ticket: 'T-1' } });
  const inside = await m.rest(m.seller, 'GET', `${base()}/buckets`);
  assert.ok(!inside.text.includes(BUCKET), 'souk has no such bucket');
  const type = JSON.parse((await store.awsOk(['s3api', 'head-object', '--bucket', BUCKET, '--key', e.csvKey])).out).ContentType;
  assert.match(type, /^text\/csv/);
});

test('a secret is never shown again, nor logged, nor in the database', async () => {
  const secret = 'a-secret-of-the-sellers-own/+=';
  const r = await role({ s3: s3({ accessKeyId: 'SOMEKEY', secretAccessKey: secret }) });
  const path = `${base()}/roles/${r.name}`;
  const got = await m.rest(m.seller, 'GET', path);
  assert.equal(got.json.s3.accessKeyId, 'SOMEKEY');
  const list = await m.rest(m.operator, 'GET', `${base()}/roles`);
  assert.ok(!(got.text + list.text + JSON.stringify(r) + m.log).includes('of-the-sellers'));
  for (const f of ['souk.db', 'souk.db-wal']) assert.ok(!readFileSync(join(m.data, f)).includes('of-the-sellers'), f);
  const stale = got.headers.get('etag');
  const { s3: shown } = got.json;
  const put = (body, headers) => m.rest(m.seller, 'PUT', path, { policy: allowAll, ...body }, headers);
  const again = await put({ s3: { ...shown, region: 'eu-west-1' } }, { 'If-Match': stale });
  assert.equal(again.status, 200, `what was shown can be sent back: ${again.text}`);
  assert.equal((await put({ s3: shown }, { 'If-Match': stale })).status, 412);
  for (const change of [{ endpoint: 'http://127.0.0.1:1' }, { accessKeyId: 'OTHER' }]) {
    const moved = await put({ s3: { ...shown, ...change } });
    assert.deepEqual([moved.status, moved.json.errors?.[0].field], [422, 's3.secretAccessKey'], 'a secret does not follow to another place');
  }
  assert.ok((await put({})).json.s3, 'left out: as it was');
  assert.equal((await put({ s3: null })).json.s3, undefined);
});

test('keys rotate: sealed credentials are rewrapped while souk runs, and still work', async () => {
  const r = await role({ s3: s3() });
  const rotated = await run(soukBinary, ['keys', 'rotate', '--data', m.data]);
  assert.equal(rotated.code, 0, rotated.err);
  const e = await away({ role: r.roleArn, prefix: 'rotated' });
  assert.equal(e.state, 'delivered', JSON.stringify(e));
});

for (const [what, change, args, reason] of [
  ['a wrong secret', { secretAccessKey: 'wrong' }, {}, /s3\.secretAccessKey|s3\.accessKeyId/],
  ['an unknown key', { accessKeyId: 'NOBODY' }, {}, /s3\.accessKeyId/],
  ['a bucket that is not there', {}, { bucket: 'no-such-bucket-here' }, /destinationS3BucketName|bucket/i],
  ["somebody else's bucket", {}, { bucket: 'souk-foreign' }, /allow|policy|permission|denied/i],
]) {
  test(`fails for good, once, with a sentence that helps: ${what}`, async () => {
    const r = await role({ s3: s3(change), sns: snsRemote() });
    const told = topics.published.length;
    const e = await away({ role: r.roleArn, topic: TOPIC, prefix: 'refused', ...args });
    assert.equal(e.state, 'failed', JSON.stringify(e));
    assert.match(e.reason, reason);
    assert.ok(!e.reason.includes('testsecret'));
    assert.deepEqual(e.jobs.filter((j) => j.kind === 'psc-export-s3').map((j) => [j.state, j.attempts]), [['failed', 1]]);
    await until(() => topics.published.length > told, 10000, 'the failure is told');
    assert.deepEqual([topics.published.at(-1).message.success, topics.published.at(-1).message.message], [false, e.reason]);
  });
}

test('a wrong region is named', async () => {
  const p = await faulty();
  p.plan = () => '400 AuthorizationHeaderMalformed';
  const r = await role({ s3: s3({ endpoint: p.endpoint, region: 'mars-1' }) });
  const e = await away({ role: r.roleArn });
  assert.equal(e.state, 'failed');
  assert.match(e.reason, /s3\.region/);
});

test('what passes is tried again until it is there: 500, 503, resets, stalls, answers that are lost', async () => {
  const p = await faulty();
  const r = await role({ s3: s3({ endpoint: p.endpoint }) });
  for (const what of ['500 InternalError', '503 SlowDown', 'reset', 'lost']) {
    let n = 0;
    p.plan = (q) => (q.method === 'PUT' && n++ < 4 ? what : null); // more than one call tries by itself
    const prefix = `passes/${what.split(' ')[0]}`;
    const id = await ask({ role: r.roleArn, prefix });
    const e = await m.delivered(id);
    assert.equal(e.state, 'delivered', `${what}: ${JSON.stringify(e)}`);
    assert.deepEqual((await store.keys(BUCKET, `${prefix}/`)).sort(), [e.csvKey, e.metaKey].sort());
    assert.equal(createHash('sha256').update(await cat(e.csvKey)).digest('hex'), e.csvSha256, what);
  }
});

test('the metadata comes last: without it nothing is announced', async () => {
  const p = await faulty();
  const r = await role({ s3: s3({ endpoint: p.endpoint }), sns: snsRemote() });
  const told = topics.published.length;
  let refuse = true;
  p.plan = (q) => (q.method === 'PUT' && q.path.endsWith('.meta.json') && refuse ? '503 SlowDown' : null);
  const id = await ask({ role: r.roleArn, topic: TOPIC, prefix: 'last' });
  await until(async () => (await store.keys(BUCKET, 'last/')).length > 0, 20000, 'the file');
  await sleep(500);
  assert.equal((await m.rest(m.seller, 'GET', `${base()}/deliveries/${id}`)).json.state, 'waiting');
  assert.equal(topics.published.length, told);
  refuse = false;
  const e = await m.delivered(id);
  assert.equal(e.state, 'delivered', JSON.stringify(e));
  assert.deepEqual(p.seen.filter((q) => q.method === 'PUT' && !q.what).map((q) => q.path.replace(/.*\./, '')).slice(-2), ['csv', 'json']);
});

test('sending again looks first whether the store still has the files', async () => {
  const r = await role({ s3: s3(), sns: snsRemote() });
  const e = await away({ role: r.roleArn, topic: TOPIC, prefix: 'again' });
  assert.equal(e.state, 'delivered', JSON.stringify(e));
  const told = () => topics.published.filter((x) => x.message.dataSetRequestId === e.dataSetRequestId).length;
  await until(() => told() === 1, 10000, 'notification');
  const resend = () => m.rest(m.seller, 'POST', `${base()}/deliveries/${e.dataSetRequestId}/resend`, {});
  assert.ok((await resend()).status < 300);
  await until(() => told() === 2, 10000, 're-sent');
  await store.awsOk(['s3', 'rm', `s3://${BUCKET}/${e.metaKey}`]);
  assert.ok((await resend()).status < 300);
  const gone = await until(async () => {
    const d = (await m.rest(m.seller, 'GET', `${base()}/deliveries/${e.dataSetRequestId}`)).json;
    return d.jobs.some((j) => j.state === 'failed') && d;
  }, 20000, 'refusal');
  assert.match(gone.jobs.find((j) => j.state === 'failed').reason, /no longer holds/);
  assert.deepEqual([gone.state, told()], ['delivered', 2], 'no notification names a missing object');
});

test('what was withdrawn while the file was sent is not delivered upon', async () => {
  const p = await faulty();
  const r = await role({ s3: s3({ endpoint: p.endpoint }) });
  let goOn;
  const held = new Promise((done) => { goOn = done; });
  p.plan = (q) => (q.method === 'PUT' && q.path.endsWith('.csv') ? held : null);
  const id = await ask({ role: r.roleArn, prefix: 'withdrawn' });
  await until(() => p.seen.some((q) => q.what === 'wait'), 20000, 'the file on its way');
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sns:Publish', Resource: '*' }] };
  const put = await m.rest(m.seller, 'PUT', `${base()}/roles/${r.name}`, { policy });
  assert.equal(put.status, 200, put.text);
  goOn(null);
  const e = await m.delivered(id);
  assert.equal(e.state, 'failed', JSON.stringify(e));
  assert.match(e.reason, /s3:PutObject/);
  // The file was under way and arrived; the metadata, without which it is none, did not follow.
  assert.deepEqual((await store.keys(BUCKET, 'withdrawn/')).map((k) => k.replace(/.*\./, '')), ['csv']);
});

test("the operator's credentials: lent by the operator only, for what it named only, to one seller each", async () => {
  const lent = { endpoint: store.endpoint, region: store.region, credentials: 'operator', buckets: ['lent-two', BUCKET] };
  const own = await m.rest(m.seller, 'POST', `${base()}/roles`, { name: 'Sly', policy: allowAll, s3: lent });
  assert.deepEqual([own.status, own.json.code], [403, 'operator_credentials']);
  assert.equal((await m.rest(m.seller, 'GET', `${base()}/roles/Sly`)).status, 404, 'all or nothing');
  const r = await role({ s3: lent }, { as: m.operator });
  assert.deepEqual([r.s3.credentials, r.s3.buckets, r.s3.accessKeyId], ['operator', ['lent-two', BUCKET], undefined]);
  const good = await away({ role: r.roleArn, prefix: 'lent' });
  assert.equal(good.state, 'delivered', JSON.stringify(good));
  const bad = await away({ role: r.roleArn, bucket: 'souk-objects' });
  assert.equal(bad.state, 'failed', 'a bucket that the key can write to, but was not lent for');
  assert.match(bad.reason, /operator/);
  assert.deepEqual(await store.keys('souk-objects'), []);
  const path = `${base()}/roles/${r.name}`;
  const put = (s3) => m.rest(m.seller, 'PUT', path, { policy: allowAll, s3 });
  for (const change of [{ buckets: ['souk-objects'] }, { buckets: [BUCKET] }, { buckets: [BUCKET, 'lent-two', 'souk-objects'] },
    { endpoint: topics.endpoint }, { region: 'eu-west-1' }, { pathStyle: false }, { encryption: 'AES256' }]) {
    const a = await put({ ...r.s3, ...change });
    assert.deepEqual([a.status, a.json.code], [403, 'operator_credentials'], JSON.stringify(change));
  }
  assert.equal((await put(r.s3)).status, 200, 'as it was');
  const other = m.logins.sellers[1];
  const second = await m.rest(m.operator, 'POST', `${base(other)}/roles`, { name: 'Away', policy: allowAll, s3: { ...lent, buckets: ['lent-two'] } });
  assert.deepEqual([second.status, second.json.code], [409, 'reached_by_another']);
  assert.equal((await put(s3({ accessKeyId: 'MINE', secretAccessKey: 'mine' }))).json.s3.credentials, 'seller', 'giving it up is free');
});

test('SNS: tried again, told once in a .fifo topic, put aside with a reason, sent again', async () => {
  const r = await role({ sns: snsRemote() });
  const inside = { role: r.roleArn, bucket: m.seller.bucket, type: 'test_customer_support_contacts_data' };
  const before = topics.published.length;
  topics.plan = ['InternalError', 'Throttling', 'reset'];
  const id = await ask({ ...inside, topic: TOPIC });
  const e = await settled(id, 'publish');
  assert.deepEqual(e.jobs.filter((j) => j.kind === 'publish').map((j) => j.state), ['done']);
  // A connection that is kept and found dead is tried again below the job.
  assert.ok(e.jobs.find((j) => j.kind === 'publish').attempts >= 3);
  assert.equal(topics.published.length, before + 1);
  topics.plan = ['lost'];
  const seen = topics.requests;
  await settled(await ask({ ...inside, topic: FIFO, prefix: 'fifo' }), 'publish');
  assert.equal(topics.requests - seen, 2);
  assert.equal(topics.published.filter((x) => x.topic === FIFO).length, 1, 'a repeat has the same deduplication id');
  const again = await m.rest(m.seller, 'POST', `${base()}/deliveries/${id}/resend`, {});
  assert.ok(again.status < 300, again.text);
  await until(() => topics.published.filter((x) => x.message.dataSetRequestId === id).length === 2, 10000, 're-sent');
  for (const [remote, topic, reason] of [
    [snsRemote({ secretAccessKey: 'wrong' }), TOPIC, /sns\.secretAccessKey/], [snsRemote({ accessKeyId: 'WHO' }), TOPIC, /sns\.accessKeyId/],
    [snsRemote({ region: 'eu-west-1' }), TOPIC, /sns\.region/], [snsRemote(), `${TOPIC}-none`, /no such topic/],
    [snsRemote(), `${TOPIC}-denied`, /sns:Publish/],
  ]) {
    const bad = await role({ sns: remote });
    const dead = await settled(await ask({ ...inside, role: bad.roleArn, topic, prefix: `dead/${names}` }), 'publish');
    const job = dead.jobs.find((j) => j.kind === 'publish');
    assert.deepEqual([dead.state, job.state, job.attempts], ['delivered', 'failed', 1], JSON.stringify(dead));
    assert.match(job.reason, reason);
    assert.ok(!JSON.stringify(dead).includes('secret words'));
  }
  topics.plan = ['page'];
  const page = await settled(await ask({ ...inside, topic: TOPIC, prefix: 'page' }), 'publish');
  assert.match(page.jobs.find((j) => j.kind === 'publish').reason, /does not answer as SNS/);
});

test('what cannot be a remote is refused by name', async () => {
  const post = (remotes) => m.rest(m.seller, 'POST', `${base()}/roles`, { name: 'Never', policy: allowAll, ...remotes });
  for (const [remotes, field] of [
    [{ s3: s3({ endpoint: 'ftp://store.example' }) }, 's3.endpoint'], [{ s3: s3({ endpoint: 'https://store.example/path' }) }, 's3.endpoint'],
    [{ s3: s3({ endpoint: 'https://u:p@store.example' }) }, 's3.endpoint'], [{ s3: s3({ endpoint: `https://${'a'.repeat(300)}.example` }) }, 's3.endpoint'],
    [{ s3: s3({ endpoint: 'http://store.example' }) }, 's3.endpoint'], [{ s3: s3({ region: '' }) }, 's3.region'], [{ s3: s3({ region: 'a/b' }) }, 's3.region'],
    [{ s3: s3({ encryption: 'rot13' }) }, 's3.encryption'], [{ s3: s3({ kmsKeyId: 'k' }) }, 's3.kmsKeyId'],
    [{ s3: s3({ accessKeyId: 'a b' }) }, 's3.accessKeyId'], [{ s3: s3({ accessKeyId: undefined }) }, 's3.accessKeyId'],
    [{ s3: s3({ secretAccessKey: '' }) }, 's3.secretAccessKey'], [{ s3: s3({ secretAccessKey: undefined }) }, 's3.secretAccessKey'],
    [{ s3: s3({ secretAccessKey: 'x'.repeat(257) }) }, 's3.secretAccessKey'], [{ s3: s3({ credentials: 'ours' }) }, 's3.credentials'],
    [{ s3: s3({ buckets: ['abc'] }) }, 's3.buckets'], [{ s3: { ...s3(), endpoint: undefined } }, 's3.endpoint'], [{ s3: s3({ extra: 1 }) }, 's3.extra'],
    [{ sns: snsRemote({ pathStyle: true }) }, 'sns.pathStyle'], [{ sns: snsRemote({ endpoint: 'https://[::1%25lo]/' }) }, 'sns.endpoint'],
  ]) {
    const a = await post(remotes);
    assert.equal(a.status, 422, `${field}: ${a.text}`);
    assert.ok(a.json.errors.some((e) => e.field === field), `${field}: ${a.text}`);
    assert.ok(!a.text.includes('testsecret') && !a.text.includes('sns/secret'));
  }
  const op = (s) => m.rest(m.operator, 'POST', `${base()}/roles`, { name: 'Never', policy: allowAll, s3: { endpoint: store.endpoint, region: 'r', credentials: 'operator', ...s } });
  for (const [s, field] of [[{}, 's3.buckets'], [{ buckets: ['A b'] }, 's3.buckets'], [{ buckets: [1] }, 's3.buckets'],
    [{ buckets: Array.from({ length: 21 }, (_, i) => `bucket-${i}`) }, 's3.buckets'], [{ buckets: ['abc'], secretAccessKey: 'x' }, 's3.accessKeyId']]) {
    const a = await op(s);
    assert.deepEqual([a.status, a.json.errors?.[0].field], [422, field], a.text);
  }
});

test('unless allowed, no remote leads to private addresses', async () => {
  const strict = await Marketplace.create({ ini: 'job.attempts = 1\n' });
  try {
    const port = new URL(topics.endpoint).port;
    const seen = topics.requests;
    for (const host of ['http://127.0.0.1', 'https://localhost', 'https://[::1]', 'https://10.0.0.1', 'https://169.254.169.254']) {
      const a = await strict.rest(strict.seller, 'POST', `/api/v1/sellers/${strict.seller.accountId}/roles`,
        { name: 'Inside', policy: allowAll, s3: s3({ endpoint: `${host}:${port}` }) });
      assert.deepEqual([a.status, a.json.errors?.[0].field], [422, 's3.endpoint'], host);
    }
    assert.equal(topics.requests, seen);
  } finally {
    await strict.close();
  }
});

test('many contacts: parts that are reset, souk killed in the middle of one and before the metadata, stopped; the key may only write', { timeout: 900000 }, async () => {
  const big = await Marketplace.create({ ini: INI, scale: 3000 });
  const p = await faulty();
  try {
    big.listen = `127.0.0.1:${big.port}`;
    const path = `/api/v1/sellers/${big.seller.accountId}`;
    const r = (await big.rest(big.seller, 'POST', `${path}/roles`, { name: 'Away', policy: allowAll, s3: s3({ endpoint: p.endpoint }) })).json;
    const start = async (prefix) => JSON.parse((await big.awsOk(big.exportArgs({ bucket: BUCKET, role: r.roleArn, prefix }))).out).dataSetRequestId;
    const check = async (id, prefix) => {
      const e = await big.delivered(id);
      assert.equal(e.state, 'delivered', JSON.stringify(e));
      assert.deepEqual((await store.keys(BUCKET, prefix)).sort(), [e.csvKey, e.metaKey].sort());
      const csv = await cat(e.csvKey);
      assert.equal(createHash('sha256').update(csv).digest('hex'), e.csvSha256);
      assert.ok(csv.length > 2 * 8 * 1024 * 1024, 'three parts');
      assert.deepEqual(await store.uploads(BUCKET), [], 'no part is left behind');
    };
    let n = 0;
    p.plan = (q) => (q.part === 2 && n++ < 4 ? 'reset' : null);
    await check(await start('big/reset'), 'big/reset/');
    assert.ok(n >= 4);

    p.plan = (q) => (q.part === 2 ? 'stall' : null);
    p.seen.length = 0;
    const killed = await start('big/killed');
    await until(() => p.seen.some((q) => q.part === 2), 60000, 'the second part');
    await big.stop('SIGKILL');
    assert.deepEqual(await store.keys(BUCKET, 'big/killed/'), [], 'nothing is to be seen of half a file');
    assert.equal((await store.uploads(BUCKET)).length, 1);
    p.plan = () => null;
    await big.start();
    await check(killed, 'big/killed/');

    p.plan = (q) => (q.method === 'PUT' && q.path.endsWith('.meta.json') ? 'stall' : null);
    p.seen.length = 0;
    const late = await start('big/late');
    await until(() => p.seen.some((q) => q.what === 'stall'), 60000, 'the metadata');
    await big.stop('SIGKILL');
    assert.deepEqual((await store.keys(BUCKET, 'big/late/')).map((k) => k.replace(/.*\./, '')), ['csv']);
    p.plan = () => null;
    await big.start();
    await check(late, 'big/late/');

    // A key that may write, and neither read nor list.
    await store.awsOk(['s3api', 'put-bucket-policy', '--bucket', BUCKET, '--policy', JSON.stringify({ Version: '2012-10-17', Statement: [{
      Effect: 'Allow', Principal: { AWS: ['arn:aws:iam:::user/other'] }, Action: ['s3:PutObject'], Resource: [`arn:aws:s3:::${BUCKET}/big/writer/*`] }] })]);
    const writer = (await big.rest(big.seller, 'POST', `${path}/roles`, { name: 'Writer', policy: allowAll,
      s3: s3({ accessKeyId: 'OTHERKEY', secretAccessKey: 'othersecret' }) })).json;
    const written = await big.delivered(JSON.parse((await big.awsOk(big.exportArgs({ bucket: BUCKET, role: writer.roleArn, prefix: 'big/writer' }))).out).dataSetRequestId);
    assert.equal(written.state, 'delivered', JSON.stringify(written));
    assert.equal((await store.keys(BUCKET, 'big/writer/')).length, 2);

    p.plan = (q) => (q.part === 2 ? 'stall' : null);
    p.seen.length = 0;
    const stopped = await start('big/stopped');
    await until(() => p.seen.some((q) => q.part === 2), 60000, 'the second part');
    const ended = await big.stop('SIGTERM').catch(() => big.stop('SIGKILL'));
    assert.deepEqual([ended.code, ended.signal], [0, null], `asked to stop while a store stalls: ${big.log.slice(-500)}`);
    p.plan = () => null;
    await big.start();
    await check(stopped, 'big/stopped/');
  } finally {
    await big.close();
  }
});

// 15000 makes 300,000 contacts.
const SCALE = Number(process.env.SOUK_REMOTE_SCALE ?? 4000);
test('memory does not grow with the number of contacts', { timeout: 900000 }, async () => {
  const peak = async (scale) => {
    const big = await Marketplace.create({ ini: INI, scale });
    try {
      const path = `/api/v1/sellers/${big.seller.accountId}`;
      const r = (await big.rest(big.seller, 'POST', `${path}/roles`, { name: 'Away', policy: allowAll, s3: s3() })).json;
      const id = JSON.parse((await big.awsOk(big.exportArgs({ bucket: BUCKET, role: r.roleArn, prefix: `flat/${scale}` }))).out).dataSetRequestId;
      const e = await big.delivered(id);
      assert.equal(e.state, 'delivered', JSON.stringify(e));
      const hwm = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${big.process.pid}/status`, 'utf8'))[1]);
      return { rows: e.rowCounts.create + e.rowCounts.update + e.rowCounts.delete, bytes: e.csvBytes, kib: hwm };
    } finally {
      await big.close();
    }
  };
  const [few, many] = [await peak(1000), await peak(SCALE)];
  console.log(`# ${few.kib} KiB for ${few.rows} rows (${few.bytes} bytes), ${many.kib} KiB for ${many.rows} rows (${many.bytes} bytes)`);
  assert.ok(many.rows > few.rows * 3, `${many.rows} rows`);
  assert.ok(many.kib - few.kib < 12 * 1024, `${few.kib} KiB for ${few.rows} rows, ${many.kib} KiB for ${many.rows}`);
});
