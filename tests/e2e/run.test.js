// SPDX-License-Identifier: Apache-2.0
// ./run as a newcomer would use it: the commands it prints work when pasted, Ctrl-C ends it, the
// second start is quick and keeps the data.
import { after, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run, until } from './lib.js';

const dir = mkdtempSync(join(tmpdir(), 'souk-run-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const freePort = () => new Promise((r) => { const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => r(port)); }); });

async function start(port) {
  const began = performance.now();
  const child = spawn(join(root, 'run'), { cwd: dir, detached: true, env: { ...process.env, SOUK_DATA: 'data/', SOUK_LISTEN: `127.0.0.1:${port}` } });
  const state = { child, out: '', code: null };
  for (const s of [child.stdout, child.stderr]) s.setEncoding('utf8').on('data', (t) => { state.out += t; });
  child.on('exit', (code, signal) => { state.code = code ?? signal; });
  await until(() => { if (state.code !== null) throw new Error(state.out); return state.out.includes('Ctrl-C'); }, 120000, './run');
  state.seconds = (performance.now() - began) / 1000;
  return state;
}
/** Ctrl-C reaches the whole foreground process group. */
async function interrupt(state) {
  process.kill(-state.child.pid, 'SIGINT');
  await until(() => state.code !== null, 20000, 'end');
  assert.equal(state.code, 0, state.out);
}

test('./run, the pasted commands, Ctrl-C, and ./run again', { timeout: 300000 }, async () => {
  const port = await freePort();
  const first = await start(port);
  const block = first.out.slice(first.out.indexOf('Try it'));
  const script = block.split('\n').slice(1).filter((l) => !/^Ctrl-C/.test(l)).join('\n');
  const [one, two, three, four, five] = script.split(/^ {2}# \d\..*$/m).slice(1);
  const shell = (text) => run('bash', ['-euc', text], { cwd: dir, env: { AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true', PATH: `/usr/bin:${process.env.PATH}` } });
  const added = await shell(one);
  assert.equal(added.code, 0, added.err);
  assert.match(JSON.parse(added.out).contactId, /^[0-9a-f-]{36}$/);
  const exported = await shell(two);
  assert.equal(exported.code, 0, exported.err);
  assert.match(exported.out, /dataSetRequestId/);
  let got;
  await until(async () => { got = await shell(two.split('\n').filter((l) => /export AWS/.test(l)).join('\n') + '\n' + three); return /\.csv/.test(got.out); }, 30000, 'the file');
  const names = (await run('ls', [join(dir, 'psc-export')])).out;
  const csv = readFileSync(join(dir, 'psc-export', names.split('\n').find((n) => n.endsWith('.csv'))), 'utf8');
  assert.ok(csv.split('\r\n').length > 3, csv);
  const paid = await shell(two.split('\n').filter((l) => /export AWS/.test(l)).join('\n') + '\n' + four);
  assert.equal(paid.code, 0, paid.err);
  assert.match(paid.out, /dataSetRequestId[^]*Customer AWS Account Number,[^]*\nana +\d+\.\d\d USD/);
  const report = paid.out.slice(paid.out.indexOf('Customer AWS'), paid.out.indexOf('2025-07, plan'));
  const sets = `${two.split('\n').filter((l) => /export AWS/.test(l)).join('\n')}\n${three.replaceAll(/psc-export|psc/g, 'sets')}`;
  await until(async () => { await shell(sets); return existsSync(join(dir, 'sets', 'sales_compensation_billed_revenue_2025-08-15.csv')); }, 30000, 'the data set');
  const known = await shell(four.split('\n').find((l) => / report /.test(l)) + ' --as-known-at 2025-08-15T23:59:59Z');
  assert.equal(readFileSync(join(dir, 'sets', 'sales_compensation_billed_revenue_2025-08-15.csv'), 'utf8'), known.out);
  assert.ok(report.split('\r\n').length > 10, report);
  let services;
  await until(async () => { services = await shell(two.split('\n').filter((l) => /export AWS/.test(l)).join('\n') + '\n' + five); return /"taskId"/.test(services.out) && /"state":"waiting"/.test(services.out); }, 30000, 'the review and the order');
  assert.equal(services.code, 0, services.err);
  assert.match(services.out, /"Name": "Migration Workshop"[^]*"rule":"PS-USE-11"[^]*"deadline":/);
  assert.doesNotMatch(services.out, /"severity":"E"/, 'nothing of the demo listing is at fault');
  await interrupt(first);

  const second = await start(port);
  assert.ok(second.seconds < 5, `the second start took ${second.seconds} s`);
  const again = await shell(two.split('\n').filter((l) => /export AWS/.test(l)).join('\n') + '\n' + three.replace('psc-export', 'psc-again'));
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /\.csv/, 'the data was kept');
  assert.ok(second.out.includes(join(dir, 'data', 'demo.json')), 'a relative SOUK_DATA is where ./run was called');
  const other = await run(join(root, 'run'), [], { cwd: dir, env: { SOUK_DATA: 'data', SOUK_LISTEN: '127.0.0.1:0' } });
  assert.equal(other.code, 1);
  assert.match(other.err, /in use by process .*\nrun: .*SOUK_DATA/);
  await interrupt(second);
});
