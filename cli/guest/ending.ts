import { constants } from 'node:os';
import type { Shortage } from '../cpu-supply.js';

/** How a guest ended. `finished` is the only one after which the unit is known to be complete. */
export type Ending =
  | { kind: 'finished' }
  /** A checkpoint's state could not be loaded. */
  | { kind: 'restore-failed'; message: string }
  /** Not ready in time, and the console does not say why. */
  | { kind: 'boot-timeout'; seconds: number; shortage?: Shortage }
  | { kind: 'panic'; message: string }
  /** No heartbeat for so long: user space does not run, and probably not the kernel either. */
  | { kind: 'hang'; seconds: number; step: string; shortage?: Shortage }
  /** The guest is alive, but the unit did not finish in time. */
  | { kind: 'unit-timeout'; seconds: number; step: string; shortage?: Shortage }
  /** The guest powered off before it had finished. */
  | { kind: 'guest-shutdown'; step: string }
  /** QEMU died from a signal or an error of its own. */
  | { kind: 'qemu-died'; exitCode: number | null; signal: string | null; message: string }
  | { kind: 'protocol-violation'; problem: string }
  /** One of our writes failed: the disk that holds the run's files is full. */
  | { kind: 'storage'; message: string }
  | { kind: 'interrupted' };

/** How QEMU's process ended. */
export interface QemuEnd {
  exitCode: number | null;
  signal: string | null;
  /** The end of its output. */
  message: string;
}

/** What it means that QEMU ended by itself, in this step of the guest. */
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
