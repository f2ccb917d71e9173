// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What libfaketime leaves in shared memory when its process is killed: named by process id, and
 * the next process with that id does not start.
 */
export function sweep() {
  const shm = '/dev/shm';
  for (const name of existsSync(shm) ? readdirSync(shm) : []) {
    const pid = /^(?:sem\.)?faketime_(?:sem|shm)_(\d+)$/.exec(name)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(shm, name), { force: true });
  }
}
