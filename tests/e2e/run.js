// SPDX-License-Identifier: Apache-2.0
// Runs every *.test.js here through node's test runner: some files at a time, the longest first, TAP on stdout.
//   node run.js [part of a name ...]
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sweep } from './sweep.js';

/*
 * The files mostly wait: for a store's time-out, a server's start. Two of them use half of a core, so two processors
 * serve four.
 */
const WORKERS = 4;
/** What takes more than half a minute, longest first, so that none of it is left to the end. */
const LONG = ['remote', 'object-home', 'remote-swift', 's3', 'feeds-bucket', 'pg-faults', 'copy-objects', 'export', 'feeds-oracle', 'cli'];
/** What does nothing for minutes but wait for a lease or a minute's housekeeping to come: beside those, two at a time. */
const IDLE = ['nodes', 'object-home-upkeep', 'privacy'];
const IDLERS = 2;
/** A file that takes longer hangs: then it is killed, with all that it started, and has failed, and the others go on. */
const LONGEST_MS = Number(process.env.SOUK_TEST_FILE_MS ?? 600000);
const end = (child, signal) => { try { process.kill(-child.pid, signal); } catch { /* it has ended */ } };

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here).filter((f) => f.endsWith('.test.js'))
  .filter((f) => wanted.length === 0 || wanted.some((w) => f.includes(w))).sort();
if (files.length === 0) {
  console.error('no such test');
  process.exit(2);
}
sweep();
process.on('exit', sweep);
const of = (names) => names.map((name) => `${name}.test.js`);
const idle = of(IDLE).filter((f) => files.includes(f));
const first = [...of(LONG).filter((f) => files.includes(f)), ...files].filter((f) => !idle.includes(f));
const queue = [...new Set(first)];
let failed = false;
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) end(child, signal);
    process.exit(1);
  });
}
async function worker(queue) {
  for (let file = queue.shift(); file; file = queue.shift()) {
    const began = performance.now();
    const [code, text] = await new Promise((done) => {
      const child = spawn(process.execPath, ['--test', '--test-reporter=tap', join(here, file)], { cwd: here, detached: true });
      running.add(child);
      const late = setTimeout(() => {
        parts.push(Buffer.from(`\nnot ok - ${file} has not ended after ${LONGEST_MS / 1000} s\n# fail 1\n`));
        end(child, 'SIGKILL');
      }, LONGEST_MS);
      const parts = [];
      child.stdout.on('data', (p) => parts.push(p));
      child.stderr.on('data', (p) => parts.push(p));
      child.on('close', (c) => {
        clearTimeout(late);
        running.delete(child);
        done([c, Buffer.concat(parts).toString('utf8')]);
      });
    });
    failed ||= code !== 0;
    console.log(`== ${file} (${Math.round((performance.now() - began) / 1000)} s)\n${text}`);
  }
}
const workers = (n, queue) => Array.from({ length: n }, () => worker(queue));
await Promise.all([...workers(WORKERS, queue), ...workers(IDLERS, idle)]);
process.exit(failed ? 1 : 0);
