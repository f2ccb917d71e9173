// SPDX-License-Identifier: Apache-2.0
// The command line's contract: what it prints, what it refuses, how it exits.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { chmodSync, cpSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync,
  statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Marketplace, parseCsv, person, root, run, sleep, souk, soukBinary, soukOk } from './lib.js';

let dir, m;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'souk-cli-'));
  m = await Marketplace.create();
});
after(async () => {
  await m.close();
  rmSync(dir, { recursive: true, force: true });
});
const at = (name) => join(dir, name);
const sqlite = async (data, sql) => {
  const r = await run('sqlite3', [join(data, 'souk.db'), sql]);
  assert.equal(r.code, 0, r.err);
  return r.out.trim();
};

test('help and usage', async () => {
  const help = await souk(['--help']);
  assert.equal(help.code, 0);
  for (const c of ['init', 'serve', 'demo', 'import', 'export contacts', 'report', 'report list', 'report explain', 'report diff', 'audit verify', 'keys rotate', 'backup', 'nodes', 'migrate', 'copy', 'feeds make', 'feeds check', 'commissions', 'config show']) {
    assert.ok(help.out.includes(c), c);
    const h = await souk([...c.split(' '), '--help']);
    assert.equal(h.code, 0, c);
    assert.match(h.out, /Examples?: /, c);
  }
  assert.equal((await souk([])).code, 2);
  for (const args of [['nonsense'], ['serve', '--nonsense'], ['init'], ['export', 'contacts', '--data', 'x'], ['demo', '--data', 'x', '--scale', '0'], ['import', '--data', 'x', 'widgets']]) {
    const r = await souk(args, { env: { SOUK_DATA: '' } });
    assert.equal(r.code, 2, args.join(' '));
    assert.match(r.err, /souk/);
  }
  assert.match((await souk(['serve', '--version'])).out, /^souk \d/);
  assert.equal((await souk(['backup', '--usage'])).code, 0);
});

test('a wrong command line: one line that names the field, what is wrong and what to do; exit 2', async () => {
  for (const [field, ...args] of [['COMMAND', 'nonsense'], ['COMMAND', 'audit'], ['COMMAND', 'keys', '--help'], ['--nonsense', 'serve', '--nonsense=1'], ['-z', 'serve', '-z'],
    ['--listen', 'serve', '--listen'], ['listen', 'serve', '--data', at('any'), '--listen', 'nowhere'], ['--json', 'serve', '--json=1'], ['ARGUMENT', 'serve', '--json', 'extra'], ['--data', 'init'], ['--name', 'init', '--data', 'x', '--name', ''],
    ['--seed', 'demo', '--seed', 'x'], ['--scale', 'demo', '--scale', '0'], ['KIND', 'import'], ['KIND', 'import', 'widgets'], ['--seller', 'import', '--data', 'x', 'feeds', 'dir'], ['--seller', 'import', '--data', 'x', '--seller', '000000000001', 'usage'], ['--seller', 'export', 'contacts'], ['--from', 'export', 'contacts', '--seller', '000000000001'],
    ['--from', 'export', 'contacts', '--from', 'today'], ['--anchor', 'audit', 'verify', '--anchor', '1'], ['--output', 'backup', '--data', 'x']]) {
    const r = await souk(args, { env: { SOUK_DATA: '' } });
    assert.equal(r.code, 2, args.join(' '));
    assert.equal(r.out, '');
    assert.match(r.err, new RegExp(`^souk: ${field}: [^\n]+; [^\n]+\n$`), args.join(' '));
  }
  const typo = await souk(['config', 'show', '--data', at('typo')]);
  assert.equal(typo.code, 1);
  assert.match(typo.err, /^souk: --data: .*; /);
});

test('what cannot be printed is a failure, and a failed init can be run again', async () => {
  const full = (args) => run('bash', ['-c', 'exec "$0" "$@" >/dev/full', process.env.SOUK_BINARY ?? join(root, 'build/src/cli/souk'), ...args]);
  for (const args of [['init', '--data', at('full'), '--json'], ['demo', '--data', at('full')], ['config', 'show', '--data', at('full')],
    ['export', 'contacts', '--data', at('full'), '--seller', '000000700100', '--from', '2000-01-01T00:00:00Z']]) {
    const r = await full(args);
    assert.equal(r.code, 3, args.join(' '));
    assert.match(r.err, /^souk: [^:]+: .*; /);
  }
  const tiny = at('tiny');
  mkdirSync(tiny);
  const mount = await run('mount', ['-t', 'tmpfs', '-o', 'size=100k', 'tmpfs', tiny]);
  assert.equal(mount.code, 0, mount.err);
  try {
    const r = await souk(['init', '--data', join(tiny, 'a')]);
    assert.equal(r.code, 3);
    assert.match(r.err, /^souk: .*souk\.db: cannot apply .*full.*; /);
    assert.ok(!existsSync(join(tiny, 'a/souk.db')) && !existsSync(join(tiny, 'a/keyring.json')));
    await run('mount', ['-o', 'remount,size=4m', tiny]);
    await soukOk(['init', '--data', join(tiny, 'a')]);
    const demo = await souk(['demo', '--data', join(tiny, 'a'), '--scale', '200']);
    assert.equal(demo.code, 3);
    assert.match(demo.err, /disk is full.*nothing was kept; /);
    await soukOk(['demo', '--data', join(tiny, 'a')]);
  } finally {
    await run('umount', [tiny]);
  }
});

test('init: prints the login once, mode 0600, never overwrites', async () => {
  const made = JSON.parse((await soukOk(['init', '--data', at('a'), '--name', 'A', '--json'])).out);
  assert.match(made.operator.accountId, /^\d{12}$/);
  assert.match(made.operator.token, /^souk_/);
  assert.equal(statSync(at('a/keyring.json')).mode & 0o777, 0o600);
  assert.equal(statSync(at('a/souk.db')).mode & 0o777, 0o600);
  const again = await souk(['init', '--data', at('a')]);
  assert.equal(again.code, 1);
  assert.match(again.err, /^souk: /);
  assert.match((await soukOk(['init', '--data', at('b')])).out, /shown once/);
});

test('demo: the same seed makes the same marketplace', async () => {
  const facts = {};
  for (const [name, seed] of [['d1', 5], ['d2', 5], ['d3', 6]]) {
    await soukOk(['init', '--data', at(name)]);
    const d = JSON.parse((await soukOk(['demo', '--data', at(name), '--seed', String(seed), '--json'])).out);
    assert.deepEqual(Object.keys(d).sort(), ['buyers', 'operator', 'sellers']);
    const seller = d.sellers[0].accountId;
    facts[name] = (await soukOk(['export', 'contacts', '--data', at(name), '--seller', seller, '--from', '2000-01-01T00:00:00Z'])).out
      + await sqlite(at(name), 'select account_id, name, country from account where is_operator = 0 order by 1; select hex(product_id), title, type from product order by 1; select hex(subscription_id), hex(offer_id), buyer_id, quantity from subscription order by 1; select hex(offer_id), created_at from offer order by 1; select hex(rate_id), hex(offer_id), price from offer_rate order by 1; select hex(fee_id), hex(subscription_id), amount from fee order by 1');
  }
  assert.equal(facts.d1, facts.d2);
  assert.notEqual(facts.d1, facts.d3);
  assert.ok(parseCsv(facts.d1.slice(0, facts.d1.lastIndexOf('\r\n') + 2)).length > 3);
  assert.ok(Number(await sqlite(at('d1'), 'select count(distinct country) from account where is_buyer = 1')) >= 8);
  assert.ok(Number(await sqlite(at('d1'), 'select count(distinct type) from product')) >= 4);
  assert.equal(await sqlite(at('d1'), 'select count(*) from subscription s left join offer o using (offer_id) where o.product_id is not s.product_id'), '0', 'subscriptions are to an offer of their product');
  const twice = await souk(['demo', '--data', at('d1')]);
  assert.equal(twice.code, 1);
  assert.match(twice.err, /already/);
});

test('import: every kind, from CSV and NDJSON, and what comes out is what went in', async () => {
  const data = at('imp');
  await soukOk(['init', '--data', data]);
  const file = (name, text) => { writeFileSync(at(name), text); return at(name); };
  const imp = (kind, path) => souk(['import', '--data', data, kind, path]);
  const product = '11111111-2222-4333-8444-555555555555', sub = '99999999-2222-4333-8444-555555555555';
  assert.equal((await imp('accounts', file('acc.csv', '\ufeffaccountId,name,country,seller,buyer\r\n000000000777,"Müller, Söhne",DE,true,\r\n000000000778,Buyer,FR,,true\r\n'))).code, 0);
  assert.equal((await imp('products', file('p.ndjson', JSON.stringify({ productId: product, sellerId: '000000000777', title: 'T', type: 'ami', pricing: ['hourly'], supportEmail: 's@example.com', pscEnabled: true, state: 'public' }) + '\n\n'))).code, 0);
  assert.equal((await imp('offers', file('o.csv', `productId,name\n${product},Standard\n`))).code, 0);
  assert.equal((await imp('subscriptions', file('s.csv', `subscriptionId,sellerId,productId,buyerId,kind,quantity,startsAt\n${sub},000000000777,${product},000000000778,hourly,3,2026-01-01T00:00:00Z\n`))).code, 0);
  const c = await imp('contacts', file('c.csv', `subscriptionId,organization,givenName,surname,telephoneNumber,emailAddress,createdAt\n${sub},"Quote ""x"", y",Zoë,Žák,+1 206 555 0100,zoe@example.com,2026-02-01T00:00:00.123Z\n`));
  assert.equal(c.code, 0, c.err);
  const offer = await sqlite(data, "select lower(hex(offer_id)) from offer");
  const rate = await imp('rates', file('r.csv', `offerId,dimension,price,currency,startsAt\n${offer.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')},m5.large,0.0000000001,USD,2026-01-01T00:00:00Z\n`));
  assert.equal(rate.code, 0, rate.err);
  const fee = await imp('fees', file('f.csv', `subscriptionId,kind,amount,currency,quantity,postedAt\n${sub},monthly,999999999999999999.0000000001,USD,2,2026-01-01T00:00:00Z\n`));
  assert.equal(fee.code, 0, fee.err);
  assert.equal(await sqlite(data, 'select price from offer_rate; select amount, quantity from fee'), '0.0000000001\n999999999999999999.0000000001|2');
  assert.equal(await sqlite(data, "select name from account where account_id = '000000000777'"), 'Müller, Söhne');
  const piped = await souk(['import', '--data', data, 'accounts'], { input: '{"accountId":"000000000779","name":"P","country":"US","buyer":true}\n' });
  assert.equal(piped.code, 0, piped.err);
  const refused = await souk(['export', 'contacts', '--data', data, '--seller', '000000000777', '--from', '2000-01-01T00:00:00Z', '-o', at('out.csv')]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /not enrolled/);
  assert.ok(!existsSync(at('out.csv')) && !existsSync(at('out.csv.part')));
  await sqlite(data, "insert into enrolment (seller_id, program, state, since, changed_at, revision) values ('000000000777', 'psc', 'enrolled', 0, 0, 1); update product set psc_enabled_since = 0");
  const told = await soukOk(['export', 'contacts', '--data', data, '--seller', '000000000777', '--from', '2000-01-01T00:00:00Z', '-o', at('out.csv')]);
  const end = /1 created, 0 updated, 0 deleted; the next export goes --from (\S+)$/m.exec(told.out)?.[1];
  assert.ok(Math.abs(Date.now() - 15 * 60000 - Date.parse(end)) < 60000, told.out);
  const next = JSON.parse((await soukOk(['export', 'contacts', '--data', data, '--seller', '000000000777', '--from', end, '-o', at('next.csv'), '--json'])).out);
  assert.ok(next.create === 0 && Date.parse(next.end) > Date.parse(end), 'each starts where the last one ended');
  assert.equal(await sqlite(data, "select exported_until from psc_coverage where seller_id = '000000000777'"), String(Date.parse(next.end)));
  const rows = parseCsv(readFileSync(at('out.csv'), 'utf8'));
  assert.equal(rows.length, 1);
  assert.deepEqual([rows[0].Organization, rows[0].Surname, rows[0]['Operation Time'], rows[0]['AWS Customer Id'], rows[0]['Operation Type']],
    ['Quote "x", y', 'Žák', '2026-02-01T00:00:00.123Z', '000000000778', 'CREATE']);
  assert.equal(statSync(at('out.csv')).mode & 0o777, 0o600);
  // Whatever somebody has put under the name it is written to first: he gets nothing.
  writeFileSync(at('theirs'), 'old', { mode: 0o666 });
  symlinkSync(at('theirs'), at('trap.csv.part'));
  linkSync(at('theirs'), at('trap2.csv.part'));
  for (const trap of ['trap.csv', 'trap2.csv']) {
    await soukOk(['export', 'contacts', '--data', data, '--seller', '000000000777', '--from', '2000-01-01T00:00:00Z', '-o', at(trap)]);
    assert.equal(readFileSync(at('theirs'), 'utf8'), 'old');
    assert.equal(readFileSync(at(trap), 'utf8'), readFileSync(at('out.csv'), 'utf8'));
    assert.equal(lstatSync(at(trap)).mode & 0o777, 0o600);
    assert.ok(lstatSync(at(trap)).isFile());
  }

  const before = await sqlite(data, 'select count(*) from account; select count(*) from contact_version');
  for (const [kind, text, want] of [
    ['accounts', 'accountId,name,country,buyer\n000000000901,Fine,DE,true\n12345,Short,DE,true\n', /:3: accountId: .*; .+/],
    ['accounts', 'accountId,name,country,buyer\n000000000902,Fine,DE,maybe\n', /:2: buyer: .*true.*/],
    ['accounts', 'accountId,nickname\n1,2\n', /column 2|nickname/],
    ['accounts', '{"accountId":"000000000903","name":"N","country":"DE","buyer":true}\n{"accountId":', /:2: /],
    ['accounts', 'accountId,name,country,buyer\n000000000904,"open quote,DE,true\n', /line|quote/],
    ['accounts', 'accountId,name,country,buyer\n000000000777,Again,DE,true\n', /:2: .*(there|exists|taken|already)/],
    ['contacts', `subscriptionId,organization,givenName,surname,telephoneNumber,emailAddress\n${sub},O,G,S,+1 206 555 0101,ok@example.com\n${sub},O,G,S,+1 206 555 0101,notanaddress\n`, /:3: emailAddress: /],
    ['contacts', `subscriptionId,organization,givenName,surname,telephoneNumber,emailAddress\n${Array.from({ length: 5 }, (_, i) => `${sub},O,G,S,+1 206 555 010${i},p${i}@example.com`).join('\n')}\n`, /:6: .*(five|5 contacts)/],
    ['fees', `subscriptionId,kind,amount,currency\n${sub},monthly,1.50,USD\n${sub},monthly,"1,50",USD\n`, /:3: amount: .*; .+/],
    ['rates', `offerId,dimension,price,currency\n${product},users,1,USD\n`, /:2: offerId: /],
    ['contacts', `subscriptionId,organization,givenName,surname,telephoneNumber,emailAddress\n${product},O,G,S,+1 206 555 0101,ok@example.com\n`, /:2: /],
  ]) {
    const r = await imp(kind, file('bad', text));
    assert.equal(r.code, 1, `${want}: ${r.err}`);
    assert.match(r.err, want);
    assert.match(r.err, /nothing of this file was kept/);
    assert.ok(!r.err.includes('notanaddress'), 'the words never quote the data');
  }
  assert.equal(await sqlite(data, 'select count(*) from account; select count(*) from contact_version'), before);
  assert.equal((await imp('accounts', at('missing'))).code, 1);
  const verify = await souk(['audit', 'verify', '--data', data]);
  assert.equal(verify.code, 0, verify.out);
});

test('import: says what is wrong with a file, and with every line that can still be told from its neighbours', async () => {
  const data = at('imp2');
  await soukOk(['init', '--data', data]);
  const head = 'accountId,name,country,buyer\n', fine = (id) => `{"accountId":"${id}","name":"N","country":"DE","buyer":true}\n`;
  const imp = async (kind, text, ...more) => { writeFileSync(at('f'), text); return souk(['import', '--data', data, kind, at('f'), ...more]); };
  const count = () => sqlite(data, 'select count(*) from account where is_buyer = 1');
  for (const [i, text] of ['\ufeff' + fine('000000000001'), '\n \r\n' + fine('000000000002'), '\ufeff\n' + head + '000000000003,N,DE,true\n', '', '\ufeff', '\n\n'].entries())
    assert.equal((await imp('accounts', text)).code, 0, `file ${i}`);
  assert.equal(await count(), '3');
  for (const [text, ...want] of [
    [`${fine('000000000004')}nonsense\n[]\n{"accountId":\n`, /:2: line: /, /:3: line: is no JSON object; /, /:4: line: ends too early/],
    [`\n${head}000000000004,N,DE\n000000000005,N,DE,maybe\n6,N,DE,true\n`, /:3: columns: are 3, .*; /, /:4: buyer: /, /:5: accountId: /],
    [`{"accountId":"${'1'.repeat(70000)}"}\n{}\n`, /:1: line: is longer/, /:2: accountId: /],
    [`[${fine('000000000004')}]`, /: file: is a JSON array; /],
    ['accountId;name;country\n', /: header: .*commas/],
  ]) {
    const r = await imp('accounts', text, at('never'));
    assert.equal(r.code, 1, r.err);
    for (const w of want) assert.match(r.err, w);
    assert.match(r.err, /1 further file was not read/);
    for (const line of r.err.trim().split('\n')) assert.match(line, /^souk: \S+: .*; /);
  }
  assert.equal(await count(), '3');
  assert.match((await souk(['import', '--data', data, 'accounts', tmpdir()])).err, /is a directory/);
  const product = '11111111-2222-4333-8444-555555555555', sub = '99999999-2222-4333-8444-555555555555';
  await imp('accounts', '{"accountId":"000000000010","name":"S","country":"DE","seller":true}\n');
  await imp('products', `{"productId":"${product}","sellerId":"000000000010","title":"T","type":"ami","pricing":["hourly"],"supportEmail":"s@example.com","pscEnabled":true,"state":"public"}\n`);
  await imp('subscriptions', `{"subscriptionId":"${sub}","sellerId":"000000000010","productId":"${product}","buyerId":"000000000001","kind":"hourly"}\n`);
  const person = (more) => JSON.stringify({ subscriptionId: sub, organization: 'O', givenName: 'G', surname: 'S', telephoneNumber: '+1 206 555 0101', emailAddress: 'ok@example.com', ...more }) + '\n';
  const r = await imp('contacts', person({ contactId: product }) + person({ contactId: product }) + person({ createdAt: '2999-01-01T00:00:00Z' }) + person({ subscriptionId: product }) + person({}).repeat(5));
  assert.equal(r.code, 1);
  for (const w of [/:2: contactId: .*; /, /:3: createdAt: .*; /, /:4: subscriptionId: .*; /, /:9: subscriptionId: has five contacts.*; /]) assert.match(r.err, w);
  assert.equal(await sqlite(data, 'select count(*) from contact_version'), '0');
});

test('audit verify finds an edit, a removal, a reordering and a cut tail', async () => {
  const base = at('audit');
  await soukOk(['init', '--data', base]);
  await soukOk(['demo', '--data', base]);
  const sound = JSON.parse((await soukOk(['audit', 'verify', '--data', base, '--json'])).out);
  assert.ok(sound.sound && sound.entries > 10);
  assert.equal((await souk(['audit', 'verify', '--data', base, '--anchor', sound.head])).code, 0);
  assert.equal((await souk(['audit', 'verify', '--data', base, '--anchor', sound.head.replace(/:.*/, `:${'0'.repeat(64)}`)])).code, 1);
  let n = 0;
  for (const sql of ["update audit_entry set resource = resource || 'x' where seq = 5", 'delete from audit_entry where seq = 5',
    'update audit_entry set count = count + 1 where seq = 3', 'delete from audit_entry where seq = (select max(seq) from audit_entry)',
    'delete from audit_entry where seq > 4; update audit_head set seq = 4, mac = (select mac from audit_entry where seq = 4)',
    'update audit_entry set seq = -1 where seq = 6; update audit_entry set seq = 6 where seq = 7; update audit_entry set seq = 7 where seq = -1',
    'delete from audit_head', 'delete from audit_entry', 'delete from audit_entry; delete from audit_head', "update audit_entry set purpose = 'other' where seq = 2"]) {
    const copy = at(`audit${n++}`);
    cpSync(base, copy, { recursive: true });
    await sqlite(copy, sql);
    const r = await souk(['audit', 'verify', '--data', copy]);
    assert.equal(r.code, 1, `${sql}: ${r.out}`);
    assert.match(r.out, /broken/);
  }
});

test('keys rotate while souk runs; the old ring opens nothing afterwards', async () => {
  const s = (await m.rest(m.seller, 'GET', '/api/v1/whoami'));
  assert.equal(s.status, 200);
  const path = `/api/v1/subscriptions/${m.buyer.subscriptionId}/contacts`;
  const before = (await m.rest(m.buyer, 'GET', path)).json.items;
  const old = readFileSync(join(m.data, 'keyring.json'));
  let writing = true, n = 0;
  const writer = (async () => {
    while (writing) {
      const a = await m.rest(m.buyer, 'POST', path, person(n++));
      if (a.status === 201) await m.rest(m.buyer, 'DELETE', `${path}/${a.json.contactId}`);
    }
  })();
  const r = await soukOk(['keys', 'rotate', '--data', m.data, '--json']);
  writing = false;
  await writer;
  assert.ok(JSON.parse(r.out).rewrapped > 0);
  const after = (await m.rest(m.buyer, 'GET', path)).json.items;
  assert.deepEqual(after, before);
  assert.equal(Object.keys(JSON.parse(readFileSync(join(m.data, 'keyring.json'), 'utf8')).keys).length, 1);
  await m.stop();
  const now = readFileSync(join(m.data, 'keyring.json'));
  writeFileSync(join(m.data, 'keyring.json'), old, { mode: 0o600 });
  const stale = await souk(['export', 'contacts', '--data', m.data, '--seller', m.seller.accountId, '--from', '2000-01-01T00:00:00Z', '-o', at('stale.csv')]);
  assert.notEqual(stale.code, 0);
  assert.ok(!existsSync(at('stale.csv')));
  writeFileSync(join(m.data, 'keyring.json'), now, { mode: 0o600 });
  await m.start();
  assert.deepEqual((await m.rest(m.buyer, 'GET', path)).json.items, before);
  assert.equal((await m.aws(['s3', 'ls'])).code, 0, 'access keys still open');
});

test('a rotation killed at any moment loses nothing, and the next one finishes it', async () => {
  const path = `/api/v1/subscriptions/${m.buyer.subscriptionId}/contacts`;
  const before = (await m.rest(m.buyer, 'GET', path)).json.items;
  const ring = join(m.data, 'keyring.json');
  const keys = () => Object.keys(JSON.parse(readFileSync(ring, 'utf8')).keys).length;
  for (const ms of [5, 15, 25, 40, 80, 400, 2600, 3200]) {
    const child = spawn(soukBinary, ['keys', 'rotate', '--data', m.data], { stdio: 'ignore' });
    await sleep(ms);
    child.kill('SIGKILL');
    await new Promise((r) => (child.exitCode !== null || child.signalCode !== null ? r() : child.on('exit', r)));
    assert.ok(keys() >= 1);
    assert.deepEqual((await m.rest(m.buyer, 'GET', path)).json.items, before, `killed after ${ms} ms`);
  }
  // As if it had been killed until the ring is full.
  const full = JSON.parse(readFileSync(ring, 'utf8'));
  for (let n = full.current + 1; Object.keys(full.keys).length < 64; n++) {
    full.keys[n] = randomBytes(32).toString('base64');
    full.current = n;
  }
  writeFileSync(`${ring}.part`, JSON.stringify(full), { mode: 0o600 });
  renameSync(`${ring}.part`, ring);
  writeFileSync(`${ring}.part`, 'keys', { mode: 0o600 });
  await soukOk(['keys', 'rotate', '--data', m.data]);
  assert.equal(keys(), 1);
  assert.deepEqual(readdirSync(m.data).filter((n) => n.startsWith('keyring')), ['keyring.json']);
  assert.deepEqual((await m.rest(m.buyer, 'GET', path)).json.items, before);
});

test('backup while souk runs, and the copy serves', async () => {
  const r = JSON.parse((await m.awsOk(m.exportArgs())).out);
  const e = await m.delivered(r.dataSetRequestId);
  const dest = at('backup');
  await soukOk(['backup', '--data', m.data, '--output', dest]);
  assert.ok(!existsSync(join(dest, 'keyring.json')));
  assert.equal((await souk(['backup', '--data', m.data, '--output', dest])).code, 1);
  await soukOk(['backup', '--data', m.data, '--output', `${at('slash')}//`]);
  assert.ok(existsSync(at('slash/souk.db')));
  mkdirSync(at('other.part'));
  const half = await souk(['backup', '--data', m.data, '--output', at('other')]);
  assert.equal(half.code, 1);
  assert.match(half.err, /^souk: --output: .*other\.part is there already; [^\n]*\n$/);
  const without = await souk(['audit', 'verify', '--data', dest]);
  assert.notEqual(without.code, 0);
  assert.match(without.err, /keyring\.json/);
  cpSync(join(m.data, 'keyring.json'), join(dest, 'keyring.json'));
  chmodSync(join(dest, 'keyring.json'), 0o600);
  const restored = Object.assign(new Marketplace(), { dir: at('restored-run'), data: dest, listen: '127.0.0.1:0', log: '', logins: m.logins, seller: m.seller, buyer: m.buyer, operator: m.operator });
  (await import('node:fs')).mkdirSync(restored.dir);
  await restored.start();
  try {
    const path = `/api/v1/subscriptions/${m.buyer.subscriptionId}/contacts`;
    assert.deepEqual((await restored.rest(m.buyer, 'GET', path)).json, (await m.rest(m.buyer, 'GET', path)).json);
    assert.equal((await restored.awsOk(['s3', 'cp', `s3://${m.seller.bucket}/${e.csvKey}`, '-'])).out, (await m.awsOk(['s3', 'cp', `s3://${m.seller.bucket}/${e.csvKey}`, '-'])).out);
  } finally {
    await restored.stop();
  }
});

test('config show: values and where they come from; mistakes are named', async () => {
  writeFileSync(join(at('b'), 'souk.ini'), '# comment\nlisten = 127.0.0.1:9999\nobject-retention-days = 7\n');
  const c = JSON.parse((await soukOk(['config', 'show', '--data', at('b'), '--json'], { env: { SOUK_OBJECT_RETENTION_DAYS: '9' } })).out);
  assert.equal(c.listen.value, '127.0.0.1:9999');
  assert.match(c.listen.source, /souk\.ini:2/);
  assert.equal(c['object-retention-days'].value, '9');
  assert.equal(c.region.source, 'default');
  const text = (await soukOk(['config', 'show', '--data', at('b')])).out;
  assert.match(text, /\(souk\.ini:2\)\nlisten = 127\.0\.0\.1:9999\n/);
  writeFileSync(join(at('b'), 'souk.ini'), text);
  assert.equal(JSON.parse((await soukOk(['config', 'show', '--data', at('b'), '--json'])).out)['object-retention-days'].value, '7');
  for (const [text, want] of [['lisen = x\n', /:1.*lisen/], ['listen = 127.0.0.1:1\nlisten = 127.0.0.1:2\n', /:2/], ['object-retention-days = soon\n', /object-retention-days/], ['job.workers = 0\n', /job\.workers/]]) {
    writeFileSync(join(at('b'), 'souk.ini'), text);
    const r = await souk(['config', 'show', '--data', at('b')]);
    assert.notEqual(r.code, 0, text);
    assert.match(r.err, want);
  }
  rmSync(join(at('b'), 'souk.ini'));
});

test('what serve refuses, and says', async () => {
  const serve = (args, env) => souk(['serve', ...args], { timeout: 15000, env });
  const second = await serve(['--data', m.data, '--listen', '127.0.0.1:0']);
  assert.equal(second.code, 1);
  assert.match(second.err, new RegExp(`process ${m.process.pid}`));
  const port = await serve(['--data', at('b'), '--listen', `127.0.0.1:${m.port}`]);
  assert.notEqual(port.code, 0);
  assert.match(port.err, new RegExp(`${m.port}`));
  assert.match(port.err, /in use/);
  for (const listen of ['0.0.0.0:0', '[::]:0']) {
    const open = await serve(['--data', at('b'), '--listen', listen]);
    assert.notEqual(open.code, 0, listen);
    assert.match(open.err, /tls|behind-proxy/i);
  }
  writeFileSync(at('precious'), 'precious');
  rmSync(join(at('b'), 'lock'), { force: true });
  symlinkSync(at('precious'), join(at('b'), 'lock'));
  const linked = await serve(['--data', at('b'), '--listen', '127.0.0.1:0']);
  assert.notEqual(linked.code, 0);
  assert.match(linked.err, /lock cannot be opened/);
  assert.equal(readFileSync(at('precious'), 'utf8'), 'precious');
  rmSync(join(at('b'), 'lock'));
  const none = await serve(['--data', at('nowhere')]);
  assert.equal(none.code, 1);
  assert.match(none.err, /souk init/);
  const ring = join(at('b'), 'keyring.json');
  renameSync(ring, `${ring}.away`);
  const missing = await serve(['--data', at('b'), '--listen', '127.0.0.1:0']);
  assert.notEqual(missing.code, 0);
  assert.match(missing.err, /keyring\.json/);
  cpSync(join(at('a'), 'keyring.json'), ring);
  chmodSync(ring, 0o600);
  const foreign = await serve(['--data', at('b'), '--listen', '127.0.0.1:0']);
  assert.equal(foreign.code, 1);
  assert.match(foreign.err, /key ring/);
  rmSync(ring);
  renameSync(`${ring}.away`, ring);
  chmodSync(ring, 0o644);
  const wide = await serve(['--data', at('b'), '--listen', '127.0.0.1:0']);
  assert.notEqual(wide.code, 0);
  assert.match(wide.err, /0600|chmod/);
  chmodSync(ring, 0o600);
  const newer = at('newer');
  cpSync(at('b'), newer, { recursive: true });
  await sqlite(newer, 'pragma user_version = 9999');
  const future = await serve(['--data', newer, '--listen', '127.0.0.1:0']);
  assert.notEqual(future.code, 0);
  assert.match(future.err, /newer/);
  writeFileSync(join(newer, 'souk.db'), 'this is no database at all, only some text that is long enough to be looked at');
  const broken = await serve(['--data', newer, '--listen', '127.0.0.1:0']);
  assert.notEqual(broken.code, 0);
  assert.match(broken.err, /souk\.db/);
});

test('SIGTERM ends serve cleanly while requests run', async () => {
  const path = `/api/v1/subscriptions/${m.buyer.subscriptionId}/contacts`;
  const running = Array.from({ length: 20 }, () => m.rest(m.buyer, 'GET', path).then((a) => a.status, () => 'refused'));
  await Promise.race(running);
  const end = await m.stop();
  assert.deepEqual(end, { code: 0, signal: null }, m.log.slice(-500));
  for (const s of await Promise.all(running)) assert.ok(s === 200 || s === 'refused' || s === 503, String(s));
  await m.start();
});

test('a full disk loses nothing and passes', async (t) => {
  const small = at('small');
  (await import('node:fs')).mkdirSync(small);
  const mount = await run('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', small]);
  assert.equal(mount.code, 0, `a small file system could not be mounted: ${mount.err}`);
  const tiny = new Marketplace();
  try {
    Object.assign(tiny, { dir, data: join(small, 'data'), listen: '127.0.0.1:0', log: '' });
    await soukOk(['init', '--data', tiny.data]);
    tiny.logins = JSON.parse((await soukOk(['demo', '--data', tiny.data, '--json'])).out);
    [tiny.seller, tiny.buyer, tiny.operator] = [tiny.logins.sellers[0], tiny.logins.buyers[0], tiny.logins.operator];
    await tiny.start();
    const path = `/api/v1/subscriptions/${tiny.buyer.subscriptionId}/contacts`;
    const start = await tiny.rest(tiny.buyer, 'POST', path, person(1));
    assert.equal(start.status, 201, start.text);
    await run('sh', ['-c', `head -c 8m /dev/zero > ${small}/ballast`]);
    let last = 'person1@example.com', failed = 0;
    const at1 = `${path}/${start.json.contactId}`;
    for (let i = 2; i < 400 && failed < 3; i++) {
      const a = await tiny.rest(tiny.buyer, 'PUT', at1, person(i));
      if (a.status === 200) { last = `person${i}@example.com`; continue; }
      assert.ok([503, 507, 500].includes(a.status), a.text);
      assert.ok(!a.text.includes('@'), 'no data in the error');
      failed++;
    }
    assert.equal(failed, 3, 'the disk did become full');
    rmSync(join(small, 'ballast'));
    const go = await tiny.rest(tiny.buyer, 'PUT', at1, person(9999));
    assert.equal(go.status, 200, `goes on when there is room: ${go.text}`);
    last = 'person9999@example.com';
    await tiny.stop('SIGKILL');
    await tiny.start();
    assert.equal((await tiny.rest(tiny.buyer, 'GET', at1)).json.emailAddress, last);
  } finally {
    await tiny.stop('SIGKILL').catch(() => {});
    await run('umount', ['-l', small]);
  }
});
