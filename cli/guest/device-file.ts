import { randomBytes } from 'node:crypto';
import { ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { storageFailure } from '../store/store.js';

/**
 * The file behind an emulated device: sparse, and without a name, so that nothing of it remains.
 *
 * @param size in bytes
 * @returns an open descriptor for a child to inherit; close it afterwards
 */
export function makeDeviceFile(size: number): Outcome<number> {
  const path = join(tmpdir(), `daxrepro-${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    const descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    ftruncateSync(descriptor, size);
    return success(descriptor);
  } catch (error) {
    return storageFailure(tmpdir(), error);
  }
}
