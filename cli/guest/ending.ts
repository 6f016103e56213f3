import { constants } from 'node:os';
import type { Shortage } from '../cpu-supply.js';

/** How a guest ended. `finished` is the only one after which the unit is known to be complete. */
export type Ending =
  | { kind: 'finished' }
  /** A checkpoint's state could not be loaded. */
  | { kind: 'restore-failed'; message: string }
  /** Not ready in time; nothing on the console says why. */
  | { kind: 'boot-timeout'; seconds: number; shortage?: Shortage }
  | { kind: 'panic'; message: string }
  /** No heartbeat for so long: neither user space nor, probably, the kernel runs. */
  | { kind: 'hang'; seconds: number; step: string; shortage?: Shortage }
  /** The guest lives, but the unit did not end in its time. */
  | { kind: 'unit-timeout'; seconds: number; step: string; shortage?: Shortage }
  /** The guest switched itself off before it had finished. */
  | { kind: 'guest-shutdown'; step: string }
  /** QEMU ended by a signal or an error of its own. */
  | { kind: 'qemu-died'; exitCode: number | null; signal: string | null; message: string }
  | { kind: 'protocol-violation'; problem: string }
  /** A write of ours failed: the disk that holds the run's files is full. */
  | { kind: 'storage'; message: string }
  | { kind: 'interrupted' };

/** How QEMU's process ended. */
export interface QemuEnd {
  exitCode: number | null;
  signal: string | null;
  /** What it printed last. */
  message: string;
}

/** What it means for a guest in this step that QEMU ended by itself. */
export function endingOfQemu({ exitCode, signal, message }: QemuEnd, step: string): Ending {
  // QEMU exits with 0 when a signal asks it to end, and prints the signal's number.
  const asked = /^[^\n]*: terminating on signal (\d+)/m.exec(message);
  if (asked) {
    const name = Object.entries(constants.signals).find(([, code]) => code === Number(asked[1]));
    return { kind: 'qemu-died', exitCode, signal: name?.[0] ?? `signal ${asked[1]}`, message };
  }
  if (exitCode === 0) return { kind: 'guest-shutdown', step };
  return { kind: 'qemu-died', exitCode, signal, message };
}
