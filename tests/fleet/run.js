// SPDX-License-Identifier: Apache-2.0
// Brings up the highly available database in a temporary directory, runs every *.test.js here from a machine on its network,
// and takes all down again. TAP on stdout. Needs root: without network namespaces these tests fail, they are not skipped.
//   node run.js [part of a file's name ...] [-- option of node ...]     such as --test-name-pattern=cable
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sweep } from '../e2e/sweep.js';

const here = dirname(fileURLToPath(import.meta.url));
const given = process.argv.slice(2);
const split = given.includes('--') ? given.indexOf('--') : given.length;
const wanted = given.slice(0, split), options = given.slice(split + 1);
const files = readdirSync(here).filter((f) => f.endsWith('.test.js'))
  .filter((f) => wanted.length === 0 || wanted.some((w) => f.includes(w))).sort();

function give_up(why) {
  console.error(`fleet: ${why}`);
  process.exit(1);
}
if (files.length === 0) give_up('no such test');
if (spawnSync('unshare', ['--net', 'true']).status !== 0) {
  give_up('network namespaces cannot be made: these tests need root (CAP_NET_ADMIN and CAP_SYS_ADMIN), in a container --privileged');
}
sweep();
const dir = mkdtempSync(join(tmpdir(), 'souk-ha-'));
chmodSync(dir, 0o755); // the servers run as the account postgres
// --stdin: should this process die, the database goes too.
const database = spawn(resolve(here, '../services/postgres-ha'), ['run', join(dir, 'db'), '--clock', '--stdin'], { stdio: ['pipe', 'pipe', 'inherit'] });
const ended = new Promise((done) => database.on('exit', done));
process.on('SIGTERM', () => process.exit(1));
process.on('SIGINT', () => process.exit(1));

const ready = await Promise.race([ended.then(() => false), new Promise((done) => database.stdout.on('data', () => done(true)))]);
let code = 1;
if (ready) {
  const tag = readFileSync(join(dir, 'db/tag'), 'utf8').trim();
  const tests = spawn('nsenter', [`--net=/run/netns/${tag}-99`, process.execPath, '--test', '--test-reporter=tap', '--test-concurrency=1',
    ...options, ...files.map((f) => join(here, f))], { cwd: here, stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, SOUK_FLEET_DIR: join(dir, 'db'), NODE_NO_WARNINGS: '1' } });
  code = await new Promise((done) => tests.on('exit', done));
}
database.stdin.end();
await ended;
if (code === 0 || !process.env.SOUK_FLEET_KEEP) rmSync(dir, { recursive: true, force: true });
else console.error(`fleet: logs are kept in ${dir}`);
sweep();
process.exit(code ?? 1);
