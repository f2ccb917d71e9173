// SPDX-License-Identifier: Apache-2.0
// Logos of listings: fetched once, as anybody could; looked at, compared, kept; a server killed between fetching and making the changes.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { Marketplace, root, run, souk, until } from './lib.js';
import { makeCatalog } from './catalog-world.js';

const images = join(root, 'tests/fuzz/corpus/logo');
const disc = (ending) => readFileSync(join(images, `disc.${ending}`));
const S3 = 'https://logos.s3.eu-central-1.amazonaws.com';

/** Public objects under any host of S3; `files[path]` is the body, a status, or 'hang'. */
async function gateway(dir) {
  const [key, cert] = ['key.pem', 'cert.pem'].map((n) => join(dir, n));
  const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
    '-subj', '/CN=gateway', '-addext', 'subjectAltName=DNS:*.s3.eu-central-1.amazonaws.com', '-keyout', key, '-out', cert]);
  assert.equal(made.code, 0, made.err);
  const g = { files: {}, seen: [], cert };
  const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (req, res) => {
    g.seen.push({ path: req.url, host: req.headers.host, headers: req.headers });
    const file = Array.isArray(g.files[req.url]) ? g.files[req.url].shift() : g.files[req.url];
    if (file === 'hang') return;
    if (typeof file === 'number') res.writeHead(file, file < 400 ? { Location: `${S3}/disc.png` } : {}).end('<Error/>');
    else res.writeHead(200, { 'Content-Type': 'image/png' }).end(file);
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  g.address = `127.0.0.1:${server.address().port}`;
  g.asked = (path) => g.seen.filter((x) => x.path === path).length;
  g.close = () => { server.closeAllConnections?.(); server.close(); };
  return g;
}

let m, g, w, other, dir;
const ini = (more = '') => `review.logo-gateway = ${g.address}\nreview.logo-ca-file = ${g.cert}\njob.attempts = 3\n${more}`;
before(async () => {
  m = await Marketplace.create({ serve: false });
  dir = m.dir;
  g = await gateway(dir);
  m.ini = readFileSync(join(m.data, 'souk.ini'), 'utf8');
  writeFileSync(join(m.data, 'souk.ini'), m.ini + ini());
  await m.start();
  w = await makeCatalog(m);
  other = await makeCatalog(m, { base: 200 });
});
after(async () => { await m.close(); g.close(); });
const restart = async (more) => {
  await m.stop('SIGKILL');
  writeFileSync(join(m.data, 'souk.ini'), m.ini + ini(more));
  m.listen = `127.0.0.1:${m.port}`;
  await m.start();
};
const at = (name, file) => { g.files[`/${name}`] = file; return `${S3}/${name}`; };
const onLogo = async (id, of = w) => {
  const r = await m.rest(of.seller, 'POST', `/api/v1/listings/${id}/review`);
  assert.equal(r.status, 200, r.text);
  return r.json.findings.filter((f) => f.pointer.startsWith('/logo') && f.kind !== 'human').map((f) => `${f.severity} ${f.rule} ${f.evidence}`.trim());
};
const errors = async (changes) => {
  const s = await w.ended((await w.start(changes)).ChangeSetId);
  assert.equal(s.Status, 'FAILED');
  assert.equal(s.FailureCode, 'CLIENT_ERROR');
  return s.ChangeSet.flatMap((c) => c.ErrorDetailList);
};
const tasks = async (listing, state = 'open') => (await m.op('GET', `/api/v1/review-tasks?listing=${listing}&state=${state}`)).json.items;
const waiting = (set, listing) => until(async () => {
  const t = (await tasks(listing)).filter((x) => x.changeSetId === set);
  return t.length > 0 && t;
}, 20000, 'tasks');
const approve = async (list) => {
  for (const t of list) assert.equal((await m.op('POST', `/api/v1/review-tasks/${t.taskId}/decisions`, { verdict: 'approve' })).status, 200);
};

test('a logo is fetched once, by nobody in particular, and is what it was from then on', async () => {
  const url = at('disc.png', disc('png'));
  const id = await w.product({ info: { LogoUrl: url } });
  assert.equal(g.asked('/disc.png'), 1);
  const { host, headers } = g.seen.find((x) => x.path === '/disc.png');
  assert.equal(host, 'logos.s3.eu-central-1.amazonaws.com');
  assert.deepEqual([headers.authorization, headers.cookie, headers['x-amz-date']], [undefined, undefined, undefined]);
  assert.deepEqual(await onLogo(id), []);
  at('disc.png', 'something else');
  assert.deepEqual(await onLogo(id), []);
  await w.done([['UpdateInformation', id, { Sku: 'S-2' }]]);
  assert.equal(g.asked('/disc.png'), 1);
  // Named anew, it is fetched anew, and what is there now counts.
  assert.deepEqual((await errors([['UpdateInformation', id, { LogoUrl: url }]])).map((e) => e.ErrorCode), ['PS_DET_08']);
  assert.equal(g.asked('/disc.png'), 2);
  assert.deepEqual(await onLogo(id), []);
});

test('what is no logo fails the set with the rule', async () => {
  const id = await w.product({ info: { LogoUrl: at('fine.png', disc('png')) } });
  for (const [name, file, code, text] of [
    ['none.png', 404, 'PS_DET_07', /not publicly readable: HTTP status 404 .* at \/logo\/url$/],
    ['closed.png', 403, 'PS_DET_07', /HTTP status 403/],
    ['moved.png', 302, 'PS_DET_07', /redirects are not followed/],
    ['text.png', 'not an image', 'PS_DET_08', / at \/logo$/],
    ['cut.png', disc('png').subarray(0, 200), 'PS_DET_08', /damaged PNG/],
    ['large.png', Buffer.alloc(5000000), 'PS_DET_10', /at most 4999999/],
    ['small.png', square(109, 110), 'PS_DET_11', /109 by 110 pixels/],
  ]) {
    const e = (await errors([['UpdateInformation', id, { LogoUrl: at(name, file) }]])).find((x) => x.ErrorCode === code);
    assert.match(e?.ErrorMessage ?? name, text);
    assert.equal(g.asked(`/${name}`), 1, name);
  }
  // At the boundaries all is well.
  await w.done([['UpdateInformation', id, { LogoUrl: at('least.png', square(110, 110)) }]]);
  // No object of S3: nobody is asked.
  const before_ = g.seen.length;
  for (const url of ['https://www.example.com/l.png', `${S3}/l.png?X-Amz-Signature=00`])
    assert.deepEqual((await errors([['UpdateInformation', id, { LogoUrl: url }]])).map((e) => e.ErrorCode), ['PS_DET_07']);
  assert.equal(g.seen.length, before_);
  // To see what would be, it is fetched; nothing of it stays.
  assert.equal((await w.ended((await w.start([['UpdateInformation', id, { LogoUrl: at('dry.png', disc('gif')) }]], { Intent: 'VALIDATE' })).ChangeSetId)).Status, 'SUCCEEDED');
  assert.equal(g.asked('/dry.png'), 1);
  assert.deepEqual(await onLogo(id), []);
  assert.deepEqual((await errors([['UpdateInformation', id, { LogoUrl: at('dry.png', 404) }]])).map((e) => e.ErrorCode), ['PS_DET_07']);
});

test('an address that does not answer is asked again, and at last told', async () => {
  const id = await w.product({ info: { LogoUrl: at('fine.png', disc('png')) } });
  const [soon, never] = await Promise.all([
    w.start([['UpdateInformation', id, { LogoUrl: at('soon.png', [503, disc('png')]) }]]),
    w.start([['CreateProduct', null, {}, 'P'], ['UpdateInformation', '$P.Entity.Identifier', w.information({ LogoUrl: at('never.png', 503) })]])]);
  assert.equal((await w.ended(soon.ChangeSetId)).Status, 'SUCCEEDED');
  assert.equal(g.asked('/soon.png'), 2);
  const s = await w.ended(never.ChangeSetId);
  assert.deepEqual(s.ChangeSet.flatMap((c) => c.ErrorDetailList.map((e) => e.ErrorCode)), ['PS_DET_07']);
  assert.match(s.ChangeSet[1].ErrorDetailList[0].ErrorMessage, /HTTP status 503/);
  assert.equal(g.asked('/never.png'), 3);
});

test('released, a logo changes by a change request alone; a draft\'s is fetched when it is released', async () => {
  const id = await w.product({ info: { LogoUrl: at('fine.png', disc('png')) }, release: false });
  const put = async (url) => {
    const { json } = await m.rest(w.seller, 'GET', `/api/v1/listings/${id}`);
    return m.rest(w.seller, 'PUT', `/api/v1/listings/${id}`, { document: { ...json.document, logo: { url } } });
  };
  assert.equal((await put(at('later.png', 'no image'))).status, 200);
  assert.equal(g.asked('/later.png'), 0);
  assert.deepEqual(await onLogo(id), ['I PS-DET-08']);
  assert.deepEqual((await errors([['ReleaseProduct', id, {}]])).map((e) => e.ErrorCode), ['PS_DET_08']);
  at('later.png', disc('png'));
  await w.done([['ReleaseProduct', id, {}]]);
  assert.deepEqual(await onLogo(id), []);
  const refused = await put(at('other.png', disc('png')));
  assert.equal(refused.status, 422, refused.text);
  assert.deepEqual(refused.json.errors.map((e) => e.field), ['/logo/url']);
  assert.match(refused.json.errors[0].fix, /change request/);
  assert.equal((await put(`${S3}/later.png`)).status, 200);
  // The portal's way comes to the same.
  const r = await m.rest(w.seller, 'POST', `/api/v1/listings/${id}/change-requests`, { changes: [{ type: 'UpdateInformation', details: { LogoUrl: at('other.png', disc('gif')) } }] });
  assert.ok(r.status < 300, r.text);
  await until(async () => g.asked('/other.png') === 1 && (await m.rest(w.seller, 'GET', `/api/v1/listings/${id}`)).json.document.logo.url === `${S3}/other.png`, 20000, 'change');
});

test('too like another seller\'s: a person decides; killed meanwhile, the server goes by what it fetched', async () => {
  const theirs = await other.product({ info: { LogoUrl: at('theirs.png', disc('png')) } });
  const id = await w.product({ info: { LogoUrl: at('plain.png', square(200, 200)) } });
  const { ChangeSetId } = await w.start([['UpdateInformation', id, { LogoUrl: at('mine.jpg', disc('jpg')) }], ['UpdateVisibility', id, { TargetVisibility: 'Public' }]]);
  const open = await waiting(ChangeSetId, id);
  const near = open.find((t) => t.rule === 'PS-SETUP-07' && t.kind === 'heuristic');
  assert.match(near?.evidence ?? '', new RegExp(`^${theirs}, 2\\d\\d of 256 alike$`), JSON.stringify(open.map((t) => t.rule)));
  const asked = open.find((t) => t.rule === 'PS-SETUP-06' && t.kind === 'human');
  assert.match((await m.op('GET', `/api/v1/review-tasks/${asked.taskId}`)).json.excerpt, /^https:\S+\/mine\.jpg\n[0-9a-f]{64}\n$/);
  at('mine.jpg', 404);
  await restart();
  await approve(open);
  assert.equal((await w.ended(ChangeSetId)).Status, 'SUCCEEDED');
  assert.equal(g.asked('/mine.jpg'), 1);
  // As live listings are reviewed: decided is decided.
  const stands = await until(async () => {
    const { json } = await m.rest(w.seller, 'GET', `/api/v1/listings/${id}/standing`);
    return json.standing === 'passed' && json.current && json;
  }, 20000, 'passed');
  assert.ok(stands.findings.some((f) => f.rule === 'PS-SETUP-07' && f.evidence === near.evidence), JSON.stringify(stands.findings));
  assert.deepEqual(await onLogo(id), [`W PS-SETUP-07 ${near.evidence}`]);
  // Other bytes at the same address are asked about again.
  at('mine.jpg', disc('gif'));
  await w.done([['UpdateInformation', id, { LogoUrl: `${S3}/mine.jpg` }]]);
  await until(async () => (await tasks(id)).some((t) => t.rule === 'PS-SETUP-06' && t.kind === 'human'), 20000, 'question');
});

test('killed while it fetches, the server fetches again', async () => {
  const id = await w.product({ info: { LogoUrl: at('fine.png', disc('png')) } });
  const { ChangeSetId } = await w.start([['UpdateInformation', id, { LogoUrl: at('slow.png', 'hang') }]]);
  await until(() => g.asked('/slow.png') === 1, 20000, 'fetch');
  at('slow.png', square(300, 200));
  await restart();
  assert.equal((await w.ended(ChangeSetId)).Status, 'SUCCEEDED');
  assert.equal(g.asked('/slow.png'), 2);
  // Cancelled while it is fetched: nothing of it comes into force.
  const next = await w.start([['UpdateInformation', id, { LogoUrl: at('cancel.png', 'hang') }]]);
  await until(() => g.asked('/cancel.png') === 1, 20000, 'fetch');
  await m.rest(w.seller, 'DELETE', `/api/v1/change-requests/${next.ChangeSetId}`);
  assert.equal((await w.ended(next.ChangeSetId)).Status, 'CANCELLED');
  assert.deepEqual(await onLogo(id), []);
  assert.equal((await m.rest(w.seller, 'GET', `/api/v1/listings/${id}`)).json.document.logo.url, `${S3}/slow.png`);
});

test('reserved marks: a change of their folder has live listings reviewed again', async () => {
  const id = await w.product({ info: { LogoUrl: at('marked.png', disc('png')) } });
  const standing = () => m.rest(w.seller, 'GET', `/api/v1/listings/${id}/standing`).then((r) => r.json);
  const marks = async () => (await standing()).findings.filter((f) => f.rule.startsWith('PS-SETUP-0')).map((f) => `${f.rule} ${f.evidence}`);
  await until(async () => (await standing()).reviewedAt, 20000, 'review');
  assert.ok(!(await marks()).some((x) => /Orbit/.test(x)));
  const folder = join(dir, 'marks');
  mkdirSync(folder);
  copyFileSync(join(images, 'disc.gif'), join(folder, 'Orbit.gif'));
  await restart(`review.marks = ${folder}\n`);
  await until(async () => (await marks()).some((x) => /^PS-SETUP-07 Orbit, 2\d\d of 256 alike$/.test(x)), 20000, 'mark');
  rmSync(join(folder, 'Orbit.gif'));
  copyFileSync(join(images, 'disc.gif'), join(folder, 'aws-orbit.gif'));
  await restart(`review.marks = ${folder}\n`);
  await until(async () => (await marks()).some((x) => /^PS-SETUP-06 aws-orbit/.test(x)) && !(await marks()).some((x) => /Orbit/.test(x)), 20000, 'other mark');
  // What is no image is told by name, before anything is served.
  await m.stop();
  writeFileSync(join(folder, 'broken.png'), 'x');
  const r = await souk(['serve', '--data', m.data, '--listen', '127.0.0.1:0'], { timeout: 15000 });
  assert.ok(r.code > 0);
  assert.match(r.err, /review\.marks: broken\.png: it is no PNG, JPG or GIF/);
  rmSync(join(folder, 'broken.png'));
  await m.start();
});

/** A PNG of a black square on white. */
function square(width, height) {
  const rows = Buffer.alloc((width + 1) * height, 255);
  for (let y = 0; y < height; y++) {
    rows[y * (width + 1)] = 0;
    for (let x = 0; x < width; x++) if (x > width / 4 && x < width / 2 && y > height / 4 && y < height / 2) rows[y * (width + 1) + 1 + x] = 0;
  }
  const chunk = (type, data) => {
    const b = Buffer.alloc(12 + data.length);
    b.writeUInt32BE(data.length, 0);
    b.write(type, 4, 'latin1');
    data.copy(b, 8);
    b.writeUInt32BE(crc(b.subarray(4, 8 + data.length)), 8 + data.length);
    return b;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8; // bits of grey
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}
function crc(b) {
  let c = ~0;
  for (const x of b) {
    c ^= x;
    for (let i = 0; i < 8; i++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}
