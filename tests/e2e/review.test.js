// SPDX-License-Identifier: Apache-2.0
// souk review: its four forms, waivers, editions, exit codes, folders, what cannot be read.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AjvDraft04 from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import { root, souk } from './lib.js';

const vectors = join(root, 'tests/vectors/proserv');
const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const listing = json(join(vectors, 'listing.json'));
const context = join(vectors, 'context.json');
let dir;
const at = (...name) => join(dir, ...name);
const put = (name, value) => {
  writeFileSync(at(name), typeof value === 'string' ? value : JSON.stringify(value));
  return at(name);
};
const review = (...args) => souk(['review', ...args]);
const found = async (...args) => JSON.parse((await review('--format', 'json', ...args)).out);
let good, bad, broken;

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'souk-review-'));
  good = put('a-good.json', listing);
  bad = put('b-bad.json', { ...listing, id: 'prod-bad', title: 'PayPaI Onboarding', categories: ['Training', 'Odd\u202e\u001b[2J'], highlights: [], support_description: '' });
  broken = put('c-broken.json', { ...listing, id: 'prod-c', title: 7, bogus: true });
});
after(() => rmSync(dir, { recursive: true, force: true }));

test('text like a compiler\'s', async () => {
  const ok = await review(good, '--context', context);
  assert.equal(ok.code, 0, ok.err);
  assert.match(ok.out, /\n1 file, 0 errors, 0 warnings, \d+ notes\n$/);
  const r = await review(bad, '--context', context);
  assert.equal(r.code, 1);
  const lines = r.out.trim().split('\n').slice(0, -1);
  for (const l of lines) assert.match(l, /^.+b-bad\.json:\/\S+: (error|warning|note|question): PS-[A-Z]+-\d\d .+ \(.+\)$/);
  assert.ok(lines.some((l) => l.includes('b-bad.json:/highlights: error: PS-DET-12 There are 0 highlights')), r.out);
  assert.ok(lines.some((l) => l.includes(':/terms: question: PS-USE-11 ') && l.endsWith('(a person decides)')));
  assert.ok(lines.some((l) => l.includes(':/title: error: PS-DET-02 ') && l.includes('[prod-other]')));
  // Nothing that could move a cursor or turn text around.
  assert.doesNotMatch(r.out, /[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/);
});

test('JSON: one array over all files, in order, every member', async () => {
  const all = await found(bad, good, '--context', context);
  assert.ok(all.length > 5);
  for (const f of all) {
    assert.deepEqual(Object.keys(f), ['file', 'listing', 'rule', 'severity', 'kind', 'pointer', 'message', 'evidence', 'hint']);
    assert.ok(['E', 'W', 'I'].includes(f.severity) && ['deterministic', 'heuristic', 'human'].includes(f.kind));
  }
  const keys = all.map((f) => [f.file, f.pointer, f.rule]);
  assert.deepEqual(keys, [...keys].sort((a, b) => (a.join('\0') < b.join('\0') ? -1 : 1)));
  assert.deepEqual([...new Set(all.map((f) => f.listing))], ['prod-lift', 'prod-bad']);
  assert.deepEqual(await found(good, '--context', put('none.json', { ...json(context) }), '--rules', 'G22'), await found(good, '--context', context, '--rules', 'G22'));
  assert.equal((await review('--json', bad)).out, (await review('--format', 'json', bad)).out);
  const clean = await review('--format', 'json', broken);
  assert.deepEqual(JSON.parse(clean.out), []);
});

test('SARIF is valid by its schema, JUnit by its counts', async () => {
  const ajv = new AjvDraft04.default({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats(ajv);
  const valid = ajv.compile(json(join(root, 'tests/e2e/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json')));
  const waivers = put('w.json', [{ rule: 'PS-DET-12', owner: 'Ana Example', reason: 'comes <soon>', until: '2026-03-02' }]);
  mkdirSync(at('odd name'));
  const odd = put('odd name/ü & <x>.json', { ...listing, id: 'odd', title: 'Odd', highlights: [] });
  for (const files of [[good, bad, odd], [broken], [good, broken, bad]]) {
    const r = await review('--format', 'sarif', '--context', context, '--waivers', waivers, ...files);
    const log = JSON.parse(r.out);
    assert.ok(valid(log), JSON.stringify(valid.errors?.slice(0, 3)));
    const { tool, results, invocations } = log.runs[0];
    for (const x of results) assert.equal(tool.driver.rules[x.ruleIndex].id, x.ruleId);
    assert.equal(invocations[0].executionSuccessful, !files.includes(broken));
    if (files.includes(bad)) {
      const waived = results.filter((x) => x.suppressions);
      assert.ok(waived.length > 0 && waived.every((x) => x.ruleId === 'PS-DET-12' && x.suppressions[0].justification === 'comes <soon>'));
      const title = results.find((x) => x.ruleId === 'PS-DET-02');
      assert.equal(title.level, 'error');
      assert.equal(title.locations[0].logicalLocations[0].fullyQualifiedName, '/title');
    }
  }
  const r = await review('--format', 'junit', '--context', context, '--waivers', waivers, good, bad, broken, odd);
  assert.equal(r.code, 3);
  const suites = [...r.out.matchAll(/<testsuite name="([^"]*)" tests="(\d+)" failures="(\d+)" errors="(\d+)" skipped="(\d+)">([^]*?)<\/testsuite>/g)];
  assert.equal(suites.length, 4);
  for (const [, name, tests, failures, errors, skipped, body] of suites) {
    assert.equal((body.match(/<testcase /g)).length, Number(tests), name);
    const cases = body.split('<testcase ').slice(1);
    assert.equal(cases.filter((c) => c.includes('<failure ')).length, Number(failures), name);
    assert.equal(cases.filter((c) => c.includes('<error ')).length, Number(errors), name);
    assert.equal(cases.filter((c) => c.includes('<skipped ') && !c.includes('<failure ')).length, Number(skipped), name);
  }
  assert.deepEqual(suites.map((s) => [Number(s[3]) > 0, s[4], Number(s[5])]), [[false, '0', 0], [true, '0', 1], [false, '1', 0], [false, '0', 1]]);
  assert.ok(r.out.includes('ü &amp; &lt;x&gt;.json'));
});

test('what cannot be read is told with its place, the rest is reviewed', async () => {
  const r = await review(good, bad, broken, at('absent.json'), put('cut.json', '{"id":'), put('list.json', '[]'), '--context', context);
  assert.equal(r.code, 3);
  for (const l of ['c-broken.json:/title: is no text; ', 'c-broken.json:/bogus: is no member', 'absent.json', 'cut.json: ends too early', 'list.json: is no object']) assert.ok(r.err.includes(l), `${l}\n${r.err}`);
  for (const l of r.err.trim().split('\n')) assert.match(l, /^souk: .+; .+/);
  assert.ok(r.out.includes('PS-DET-12') && r.out.includes('6 files') && r.out.includes('4 unreadable'));
  assert.equal((await review(good, '--context', broken)).code, 3);
  assert.equal((await review(good, '--waivers', good)).code, 3);
  mkdirSync(at('empty'));
  const none = await review(at('empty'), good);
  assert.equal(none.code, 3);
  assert.ok(none.err.includes('has no file that ends in .json') && none.out.includes('1 file,'));
});

test('usage', async () => {
  for (const args of [[], ['--format', 'xml', good], ['--rules', 'G23', good], ['--explain', 'PS-DET-99'], ['--explain', 'PS-DET-01', good], ['--rules-diff', 'G21:G20', good],
    ['--rules', 'G21', '--rules-diff', 'G21:G22', good], ['--rules-diff', 'G22', '--format', 'sarif', good], ['--threads', '0', good], ['--nonsense', good]]) {
    const r = await review(...args);
    assert.equal(r.code, 2, args.join(' '));
    assert.match(r.err, /^souk: \S+: .+/);
  }
});

test('explain', async () => {
  const r = await review('--explain', 'PS-DET-13');
  assert.equal(r.code, 0);
  assert.match(r.out, /^PS-DET-13 \(error\)\n\nThere are one to three categories in total\./);
  assert.ok(r.out.includes('source:') && r.out.includes('fix:'));
  assert.equal(JSON.parse((await review('--explain', 'PS-USE-11', '--json')).out).rule, 'PS-USE-11');
});

test('waivers hold until their day, and no longer', async () => {
  const three = put('three.json', { ...listing, id: 'prod-three', title: 'Three', highlights: [], support_description: '' });
  const waive = (until, more = {}) => put('waivers.json', [
    { rule: 'PS-DET-12', owner: 'Ana Example', reason: 'next week', until, ...more },
    { rule: 'PS-DET-17', listing: 'prod-three', pointer: '/support_description', owner: 'Ben Example', reason: 'same', until }]);
  const run = (w) => review(three, '--context', context, '--waivers', w, '--format', 'json');
  let r = await run(waive('2026-03-02'));
  assert.equal(r.code, 0, r.out);
  const f = JSON.parse(r.out).filter((x) => x.waived);
  assert.deepEqual(f.map((x) => [x.rule, x.severity, x.waived]), [
    ['PS-DET-12', 'E', { owner: 'Ana Example', reason: 'next week', until: '2026-03-02' }],
    ['PS-DET-17', 'E', { owner: 'Ben Example', reason: 'same', until: '2026-03-02' }]]);
  r = await run(waive('2026-03-01'));
  assert.equal(r.code, 1);
  assert.ok(!r.out.includes('"waived"'));
  assert.equal(r.err.match(/waivers\.json:\/\d\/until: was 2026-03-01/g).length, 2);
  assert.equal((await run(waive('2026-03-02', { listing: 'another' }))).code, 1);
  assert.equal((await run(waive('2026-03-02', { pointer: '/highlights/0' }))).code, 1);
  r = await run(waive('2026-03-02', { owner: '' }));
  assert.equal(r.code, 3);
  assert.ok(r.err.includes('waivers.json:/0/owner: is missing; '));
});

test('editions: the document\'s, the option\'s, and the difference', async () => {
  const service = put('service.json', { ...listing, id: 'prod-s', title: 'S', associated_products: [], aws_services: ['Glue'] });
  const ids = async (...args) => (await found(service, '--context', context, ...args)).filter((f) => f.severity !== 'I').map((f) => `${f.severity} ${f.rule}`);
  assert.deepEqual(await ids(), ['E PS-ARCH-01', 'E PS-DET-15']);
  assert.deepEqual(await ids('--rules', 'G22'), ['W PS-DET-15']);
  let r = await review('--rules-diff', 'G21:G22', service, good, '--context', context);
  assert.equal(r.code, 0);
  assert.match(r.out, /associated_products: - error: PS-ARCH-01/);
  assert.match(r.out, /associated_products: \+ warning: PS-DET-15/);
  assert.ok(!r.out.includes('a-good.json'));
  r = await review('--rules-diff', 'G22:G21', service, '--context', context, '--json');
  assert.equal(r.code, 1);
  const changes = JSON.parse(r.out);
  assert.deepEqual(changes.map((c) => [c.change, c.edition, c.finding.rule]), [['removed', 'G22', 'PS-DET-15'], ['added', 'G21', 'PS-ARCH-01'], ['added', 'G21', 'PS-DET-15']]);
});

test('a folder of hundreds, on one thread and on more: the same', async () => {
  mkdirSync(at('many/deep'), { recursive: true });
  for (let i = 0; i < 500; i += 1) put(`many/${i % 10 ? '' : 'deep/'}${i}.json`, { ...listing, id: `p${i}`, highlights: i % 7 ? ['x'] : [] });
  put('many/notes.txt', 'no listing');
  symlinkSync('..', at('many/loop'));
  const args = [at('many'), '--context', context, '--format', 'json'];
  const [one, more] = [await review('--threads', '1', ...args), await review('--threads', '4', ...args)];
  assert.equal(one.code, 1);
  assert.equal(one.out, more.out);
  assert.equal(JSON.parse(one.out).filter((f) => f.rule === 'PS-DET-12').length, 72);
  const same = await review(good, put('a-same.json', listing), '--context', context);
  assert.equal(same.code, 0);
  assert.ok(same.err.includes('a-same.json:/id: is that of'));
});

test('standard input', async () => {
  const r = await souk(['review', '-', '--context', context], { input: JSON.stringify({ ...listing, highlights: [] }) });
  assert.equal(r.code, 1);
  assert.match(r.out, /^-:\/highlights: error: PS-DET-12/m);
});

test('words: what is hidden or said between the lines is found with its evidence, what only looks like it is not', async () => {
  const words = put('words.json', { ...listing, id: 'words',
    title: 'Test title',
    short_description: 'Kick-off: e-mail us your cre\u200bdit card num\u200bber.',
    support_description: 'On business days: use, troubleshooting, refunds. Pay us direct<b>ly</b> by bank trans\u00adfer.',
    highlights: ['Shared by \u0455hitty teams', 'DDoS for hire'],
    docs: [...listing.docs, { kind: 'role_usage', text: 'Schicken Sie uns das Root-Passwort.' }] });
  const heuristics = (list) => list.filter((f) => f.kind === 'heuristic').map((f) => [f.rule, f.pointer, f.severity, f.evidence]);
  const got = heuristics(await found(words, '--context', context));
  for (const [rule, pointer, severity, evidence] of [
    ['PS-DET-01', '/title', 'W', 'Test title'],
    ['PS-CUST-02', '/short_description', 'W', 'e-mail us your cre\u200bdit card num\u200bber'],
    ['PS-SETUP-09', '/short_description', 'W', 'U+200B'],
    ['PS-CUST-01', '/support_description', 'W', 'Pay us direct<b>ly</b> by bank trans\u00adfer'],
    ['PS-SETUP-08', '/highlights/0', 'W', '\u0455hitty'],
    ['PS-SETUP-09', '/highlights/1', 'W', 'DDoS for hire'],
    ['PS-ARCH-03', '/docs/4/text', 'W', 'Schicken Sie uns das Root-Passwort'],
  ]) assert.ok(got.some((g) => g.join('|') === [rule, pointer, severity, evidence].join('|')), `${rule} ${pointer}: ${JSON.stringify(got, null, 1)}`);
  // A heuristic never blocks.
  assert.equal((await review(words, '--context', context)).code, 0);
  const clean = put('clean.json', { ...listing, id: 'clean',
    title: 'Test automation for Example Lake',
    short_description: 'We will never ask for your credit card number, and mask card numbers in your test data. Order 4111 1111 1111 1112.',
    support_description: 'On business days: use, troubleshooting, refunds. No payment is ever made outside AWS Marketplace; customers save $12,000 a month.',
    highlights: ['Every system is shared by teams in Scunthorpe', 'Protection against DDoS attacks'],
    docs: [...listing.docs, { kind: 'role_usage', text: 'Geben Sie niemals Passw\u00f6rter weiter, auch nicht an uns.' }] });
  assert.deepEqual(heuristics(await found(clean, '--context', context)), []);
  const log = JSON.parse((await review('--format', 'sarif', words, '--context', context)).out);
  const { results, tool } = log.runs[0];
  for (const id of ['PS-CUST-01', 'PS-CUST-02', 'PS-SETUP-08', 'PS-SETUP-09', 'PS-ARCH-03', 'PS-DET-01']) {
    assert.ok(tool.driver.rules.some((r) => r.id === id), id);
    assert.ok(results.some((x) => x.ruleId === id && x.level === 'warning'), id);
  }
  assert.match((await review('--explain', 'PS-CUST-01')).out, /^PS-CUST-01 \(error\)\n[^]*checks: +heuristic/);
});

test('hostile documents end soon, in little memory', async () => {
  const long = put('long.json', { ...listing, title: 'x'.repeat(2 << 20), long_description: 'https://'.repeat(200000), keywords: Array(1000).fill(','.repeat(1000)) });
  const deep = put('deep.json', '['.repeat(100000));
  const wide = put('wide.json', { ...listing, resources: Array(1000).fill({}), offers: Array(1000).fill({ prices: Array(50).fill({}) }) });
  const began = performance.now();
  const r = await review(long, deep, wide, '--context', context, '--format', 'json');
  assert.ok(performance.now() - began < 10000);
  assert.equal(r.code, 3);
  assert.ok(JSON.parse(r.out).length < 3000);
});

test('logos: beside the document, never elsewhere; reserved marks', async () => {
  const images = join(root, 'tests/fuzz/corpus/logo');
  mkdirSync(at('logos/img'), { recursive: true });
  mkdirSync(at('marks'));
  copyFileSync(join(images, 'disc.png'), at('logos/img/mine.png'));
  copyFileSync(join(images, 'disc.jpg'), at('marks/aws-disc.jpg'));
  copyFileSync(join(images, 'disc.gif'), at('marks/Orbit.gif'));
  writeFileSync(at('logos/img/cut.png'), readFileSync(join(images, 'disc.png')).subarray(0, 200));
  writeFileSync(at('logos/img/text.png'), 'not an image');
  symlinkSync(at('marks/Orbit.gif'), at('logos/img/link.gif'));
  const of = async (file, ...more) => {
    const r = await review('--json', '--context', context, put('logos/listing.json', { ...listing, logo: { ...listing.logo, file } }), ...more);
    return { ...r, rules: r.code === 3 ? [] : JSON.parse(r.out).filter((f) => f.pointer.startsWith('/logo') && f.kind !== 'human').map((f) => `${f.severity} ${f.rule} ${f.evidence}`.trim()) };
  };
  assert.deepEqual((await of(null)).rules, ['I PS-DET-08']);
  assert.deepEqual((await of('img/mine.png')).rules, []);
  assert.deepEqual((await of('img/cut.png')).rules, ['E PS-DET-08']);
  const text = await of('img/text.png');
  assert.deepEqual([text.code, text.rules], [1, ['E PS-DET-08']]);
  const near = (await of('img/mine.png', '--marks', at('marks'))).rules;
  assert.match(near[0], /^W PS-SETUP-0[67] (aws-disc|Orbit), 2[0-5]\d of 256 alike$/);
  const hash = await of('img/mine.png', '--context', put('logos.json', { ...json(context), logos: [{ listing: 'prod-x', seller: 'other', hash: '0'.repeat(63) }] }));
  assert.match(hash.err, /:\/logos\/0\/hash: is no logo's hash; give 64 hexadecimal digits/);
  for (const file of ['../marks/Orbit.gif', at('marks/Orbit.gif'), 'img/link.gif', 'img', 'img/none.png', 'img//mine.png', './img/mine.png']) {
    const r = await of(file);
    assert.equal(r.code, 3, `${file}: ${r.out}`);
    assert.match(r.err, /listing\.json:\/logo\/file: (is no file below the document's folder; give|cannot be read; give)/);
  }
  put('marks/broken.png', 'x');
  const marks = await of('img/mine.png', '--marks', at('marks'));
  assert.match(marks.err, /--marks: broken\.png: it is no PNG, JPG or GIF; give an image/);
  assert.equal(marks.code, 3);
});
