// SPDX-License-Identifier: Apache-2.0
// souk report, commissions and feeds check over feeds in a real S3 store: the same bytes as over the folder, and words when it goes wrong.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { soukBinary, run, soukOk, souk } from './lib.js';
import { proxy, store as storeOf } from './services.js';

const BUCKET = 'seller-feeds', PREFIX = 'eu/own';
const dir = mkdtempSync(join(tmpdir(), 'souk-bucket-'));
const feeds = join(dir, 'feeds'), where = `s3://${BUCKET}/${PREFIX}`;
const proxies = [];
let store, s3, env;
const put = (Bucket, Key, Body) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
/** A new bucket with a folder's files. */
async function upload(from, Bucket, prefix) {
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const f of readdirSync(from, { recursive: true }))
    if (statSync(join(from, f)).isFile()) await put(Bucket, prefix + f, readFileSync(join(from, f)));
}

before(async () => {
  // Large enough that the events of a month are several blocks.
  await soukOk(['feeds', 'make', feeds, '--events', '60000', '--from', '2025-10', '--months', '2', '--seed', '3']);
  assert.ok(statSync(join(feeds, 'billing_event_v1/year=2025/month=10/data.csv')).size > 2 * 4 * 1024 * 1024);
  store = await storeOf('ceph');
  s3 = new S3Client({ endpoint: store.endpoint, region: store.region, forcePathStyle: true, credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey } });
  await upload(feeds, BUCKET, `${PREFIX}/`);
  // What also lies there: deliveries' metadata, reports, folders that a console made.
  for (const key of ['billing_event_v1/year=2025/month=10/data.meta.json', 'billing_event_v1/year=2025/month=12/', 'billing_event_v1/old/x/data.csv', 'sets/a.csv'])
    await put(BUCKET, `${PREFIX}/${key}`, '');
  env = login();
});
after(async () => {
  for (const p of proxies) p.close();
  s3?.destroy();
  await store?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The environment of somebody with a key of the store, and nothing else that the AWS tools would look at. */
const login = (more = {}) => ({ HOME: dir, AWS_ACCESS_KEY_ID: store.accessKeyId, AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
  AWS_ENDPOINT_URL: store.endpoint, AWS_REGION: store.region, AWS_PROFILE: '', ...more });
const sales = (at, ...more) => ['report', 'sales_compensation_billed_revenue', '--feeds', at, '--all-months', ...more];
const refused = async (args, e, code = 3) => {
  const r = await souk(args, { env: e });
  assert.equal(r.code, code, r.err);
  assert.equal(r.out, '');
  assert.equal(r.err.trim().split('\n').length, 1, r.err);
  assert.ok(!r.err.includes(store.secretAccessKey));
  return r.err;
};

test('reports: the same bytes as from the folder, whatever they read', async () => {
  for (const args of [['sales_compensation_billed_revenue', '--all-months'], ['us_sales_and_use_tax_records', '--month', '2025-11'],
    ['disbursed_amount_by_product', '--month', '2025-11', '--format', 'json'], ['monthly_revenue_billing_and_revenue_data', '--month', '2025-10', '--threads', '8']]) {
    const folder = await soukOk(['report', ...args, '--feeds', feeds]);
    const bucket = await soukOk(['report', ...args, '--feeds', where], { env });
    assert.ok(folder.out.length > 5000);
    assert.equal(bucket.out, folder.out, args[0]);
  }
  const slash = await soukOk(sales(`${where}//`, '--endpoint-url', store.endpoint), { env: { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' } });
  assert.equal(slash.out, (await soukOk(sales(feeds))).out, '--endpoint-url goes before the environment');
});

test('explain and diff read single rows', async () => {
  const ref = (await soukOk(sales(feeds))).out.split('\r\n')[1].split(',')[15];
  for (const args of [['explain', 'sales_compensation_billed_revenue', '--all-months', '--line', ref],
    ['diff', 'sales_compensation_billed_revenue', '--all-months', '--from-known-at', '2025-11-01T00:00:00Z', '--to-known-at', '2025-12-01T00:00:00Z']]) {
    const folder = await soukOk(['report', ...args, '--feeds', feeds]);
    assert.equal((await soukOk(['report', ...args, '--feeds', where], { env })).out, folder.out);
  }
});

test('commissions and checks: the same', async () => {
  const plan = join(dir, 'plan.json');
  writeFileSync(plan, JSON.stringify({ schema: 'souk-plan-1', name: 'P', rounding: { mode: 'half-up', decimals: 2 }, representatives: [{ id: 'ana', name: 'Ana Example' }],
    territories: [{ id: 'all', everything: true, credits: [{ representative: 'ana', percent: 100 }] }],
    rates: [{ id: 'all', revenue: ['hourly', 'monthly', 'annual', 'metered'], base: 'gross', payOn: 'disbursed', percent: '5', clawback: ['refunds'] }] }));
  const pay = (at, out) => ['commissions', '--feeds', at, '--plan', plan, '--month', '2025-11', '-o', join(dir, out)];
  assert.equal((await soukOk(pay(where, 'there'), { env })).out.replaceAll('there', 'here'), (await soukOk(pay(feeds, 'here'))).out);
  for (const f of readdirSync(join(dir, 'here'))) assert.deepEqual(readFileSync(join(dir, 'there', f)), readFileSync(join(dir, 'here', f)));
  const check = (at, more = {}) => souk(['feeds', 'check', at, '--json'], more);
  const there = await check(where, { env });
  assert.equal(there.code, 0, there.out);
  assert.equal(there.out, (await check(feeds)).out);
  const grown = await souk(['feeds', 'check', feeds, '--before', where], { env });
  assert.equal(grown.code, 0, grown.out);
});

test('compressed files at the root of a bucket, among thousands that are none', async () => {
  const gz = join(dir, 'gz');
  await soukOk(['feeds', 'make', gz, '--events', '3000', '--from', '2025-10', '--months', '2', '--gzip']);
  await upload(gz, 'only-feeds', '');
  // More than two pages of a folder that is no feed's, and one page that no folder holds.
  const keys = [...Array(2100).keys()].map((i) => (i < 1050 ? `archive/${i}.csv` : `b-${i}`));
  while (keys.length > 0) await Promise.all(keys.splice(0, 50).map((Key) => put('only-feeds', Key, '')));
  const p = await proxy(store.endpoint);
  proxies.push(p);
  assert.equal((await soukOk(sales('s3://only-feeds'), { env: { ...env, AWS_ENDPOINT_URL: p.endpoint } })).out, (await soukOk(sales(gz))).out);
  const lists = p.seen.filter((r) => r.query.includes('list-type'));
  assert.equal(lists.length, 3, lists.map((r) => r.query).join('\n'));
  assert.match(lists[1].query, /start-after=archive0(&|$)/, 'the folder is passed over, not read');
});

test('credentials and region from the files of the AWS command line', async () => {
  const aws = join(dir, '.aws');
  mkdirSync(aws);
  writeFileSync(join(aws, 'credentials'), `# mine\n[default]\naws_access_key_id = WRONG\naws_secret_access_key = wrong\n[ store ]\naws_access_key_id=${store.accessKeyId}\n`
    + `aws_secret_access_key = ${store.secretAccessKey}\n`);
  writeFileSync(join(aws, 'config'), `[default]\nregion = nowhere-1\n[profile store]\nregion = ${store.region}\nendpoint_url = ${store.endpoint}\ns3 =\n  max_concurrent_requests = 20\n`);
  const files = { ...env, AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_ENDPOINT_URL: '', AWS_REGION: '' };
  const want = (await soukOk(sales(feeds))).out;
  assert.equal((await soukOk(sales(where), { env: { ...files, AWS_PROFILE: 'store' } })).out, want);
  assert.match(await refused(sales(where), { ...files, AWS_ENDPOINT_URL: store.endpoint }, 1), /access key; check aws_access_key_id/);
  assert.match(await refused(sales(where), { ...files, AWS_PROFILE: 'other' }, 1), /AWS_PROFILE: names a profile/);
  const moved = { ...files, AWS_SHARED_CREDENTIALS_FILE: join(aws, 'elsewhere'), AWS_CONFIG_FILE: join(dir, 'none') };
  assert.match(await refused(sales(where), moved, 1), /AWS_ACCESS_KEY_ID: is not set.*set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE/);
  assert.match(await refused(sales(where), { ...env, AWS_SECRET_ACCESS_KEY: '' }, 1), /AWS_SECRET_ACCESS_KEY: is missing/);
  assert.equal((await soukOk(sales(where), { env: { ...moved, ...login() } })).out, want, 'the environment is enough');
});

const said = async (words, what) => assert.match(await words, what);
test('what cannot be read is said in a sentence', async () => {
  await Promise.all([
    said(refused(sales('s3://no-such-bucket-here'), env, 1), /no such bucket.*s3:\/\/BUCKET/),
    said(refused(sales(`s3://${BUCKET}/elsewhere`), env, 1), /no feed files/),
    said(refused(sales('s3://souk-foreign/x'), env, 1), /denies it.*s3:GetObject, s3:ListBucket/),
    said(refused(sales(where), { ...env, AWS_SECRET_ACCESS_KEY: 'wrong' }, 1), /signature wrong; check AWS_SECRET_ACCESS_KEY/),
    said(refused(sales('s3://'), env, 1), /bucket's name/),
    said(refused(sales(where, '--endpoint-url', 'http://127.0.0.1:1'), env, 3), /connection to the store was refused.*--endpoint-url/),
    said(refused(sales(where, '--endpoint-url', 'nonsense'), env, 1), /--endpoint-url is not a store's address/),
  ]);
});

/** Through a proxy that does `what` to the GETs of billing events from the n-th on. */
async function through(what, n, times = Infinity) {
  const p = await proxy(store.endpoint);
  proxies.push(p);
  let seen = 0, done = 0;
  p.plan = (r) => (r.method === 'GET' && r.path.includes('billing_event_v1/year') && ++seen >= n && done++ < times ? what : null);
  return { e: { ...env, AWS_ENDPOINT_URL: p.endpoint }, p };
}

test('a connection that breaks in the middle is made again, or told with the file', async () => {
  const want = (await soukOk(sales(feeds))).out;
  const once = await through('truncate', 4, 3);
  assert.equal((await soukOk(sales(where), { env: once.e })).out, want);
  await Promise.all([['truncate', /billing_event_v1\/year=2025\/month=1[01]\/data\.csv: .*connection/], ['503 SlowDown', /data\.csv: .*busy/],
    ['403 AccessDenied', /data\.csv: .*denies/]].map(async ([what, words], i) => {
    const { e } = await through(what, 4);
    const out = join(dir, `never${i}.csv`);
    assert.match(await refused([...sales(where), '-o', out], e, what.startsWith('403') ? 1 : 3), words);
    assert.ok(!readdirSync(dir).some((f) => f.startsWith(`never${i}`)), 'nothing half-written');
  }));
});

test('a file that is replaced while it is read is no mixture of two', async () => {
  const { e, p } = await through(null, 1);
  const name = 'billing_event_v1/year=2025/month=11/data.csv', was = readFileSync(join(feeds, name));
  const other = Buffer.from(was.toString('latin1').replace(/1(?=\d\.\d\d,)/g, '2'), 'latin1'); // of the same length
  let replaced;
  p.plan = (r) => (r.method === 'GET' && r.path.endsWith(name) ? replaced ??= put(BUCKET, `${PREFIX}/${name}`, other).then(() => null) : null);
  try {
    assert.match(await refused(sales(where), e, 1), /month=11\/data\.csv: was replaced in the bucket while it was read; run it again/);
  } finally {
    await put(BUCKET, `${PREFIX}/${name}`, was);
  }
});

test('memory does not grow with the files', async () => {
  const peak = async (at, more) => {
    const r = await run('/usr/bin/python3', ['-c', 'import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); '
      + 'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)', soukBinary, 'feeds', 'check', at], { env: more });
    assert.equal(r.code, 0, r.err);
    return Number(r.out);
  };
  const [folder, bucket] = [await peak(feeds, {}), await peak(where, env)];
  assert.ok(bucket < folder + 110, `${bucket} MiB, ${folder} MiB from the folder`);
});
