import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, success } from '../outcome.js';
import { storageFailure } from '../store/store.js';

/** The file behind an emulated device: sparse, and without a name, so that nothing of it remains. */
export interface DeviceFile {
  /** An open descriptor, for the child to inherit. */
  descriptor: number;
  close(): void;
}

/** @param size in bytes */
export function makeDeviceFile(size: number): Outcome<DeviceFile> {
  const path = join(tmpdir(), `daxrepro-${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    const descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    ftruncateSync(descriptor, size);
    return success({ descriptor, close: () => closeSync(descriptor) });
  } catch (error) {
    return storageFailure(tmpdir(), error);
  }
}
