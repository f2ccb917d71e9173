// SPDX-License-Identifier: Apache-2.0
// Runs every *.test.js here through node's test runner: two files at a time, TAP on stdout.
//   node run.js [part of a name ...]
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sweep } from './sweep.js';

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
const queue = [...files];
let failed = false;
async function worker() {
  for (let file = queue.shift(); file; file = queue.shift()) {
    const began = performance.now();
    const [code, text] = await new Promise((done) => {
      const child = spawn(process.execPath, ['--test', '--test-reporter=tap', join(here, file)], { cwd: here });
      const parts = [];
      child.stdout.on('data', (p) => parts.push(p));
      child.stderr.on('data', (p) => parts.push(p));
      child.on('close', (c) => done([c, Buffer.concat(parts).toString('utf8')]));
    });
    failed ||= code !== 0;
    console.log(`== ${file} (${Math.round((performance.now() - began) / 1000)} s)\n${text}`);
  }
}
await Promise.all([worker(), worker()]);
process.exit(failed ? 1 : 0);
