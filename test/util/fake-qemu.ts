import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CpuSupply } from '../../cli/cpu-supply.js';
import type { Finding } from '../../cli/findings/finding.js';
import type { GuestClock } from '../../cli/guest/cpu-history.js';
import { type Guest, type GuestLimits, startGuest } from '../../cli/guest/guest.js';
import type { GuestEvent } from '../../cli/guest/protocol.js';
import type { Prepared } from '../../cli/launch/prepared.js';

/** Driving fake-qemu.mjs from a test. */

export const FAKE_QEMU = fileURLToPath(new URL('fake-qemu.mjs', import.meta.url));

/** A prepared kernel and image for units whose guest is the fake: it does not read these files. */
export const PREPARED = {
  qemu: FAKE_QEMU,
  kernel: { spec: 'debian:6.1', release: '6.1.0-test', id: 'k', image: '/k', bootImage: '/k' },
  initramfs: '/i',
  accelerator: 'tcg',
  module: undefined,
  witness: { missing: 'there is none for a fake' },
} as Prepared;

/** One step of the fake; a step with several parts does them in this order. */
export interface Step {
  console?: string;
  event?: object;
  /** A file that the guest sends. */
  file?: { name: string; text: string };
  /** Raw text on the channel. */
  channel?: string;
  /** The same, one byte at a time. */
  trickle?: string;
  flood?: { bytes: number; console?: boolean; with?: string };
  /** Milliseconds between heartbeats from now on; 0 stops them. */
  beat?: number;
  /** Waits for the unit's request. */
  request?: true;
  /** Waits until the host lets it continue with the next of many tests. */
  go?: true;
  /** Steps for each image that survived a power cut, by its number; until the guest ends. */
  looks?: Record<string, Step[]>;
  /** An event of QEMU's monitor. */
  monitor?: object;
  /** Takes a device's contents that arrive after the request. */
  contents?: true;
  /** Sends a frame of a session (cli/shell/frames.ts): its letter and its content. */
  frame?: readonly [letter: string, bytes?: string];
  /** Waits until the session's terminal has sent this, in all frames together. */
  typed?: string;
  /**
   * Continues with the steps of the requested test; if it is the first of many, with `together `
   * before its name.
   */
  byTest?: Record<string, Step[]>;
  /** Milliseconds. */
  sleep?: number;
  stderr?: string;
  /** Ignores signals that ask it to end from now on. */
  deaf?: true;
  kill?: NodeJS.Signals;
  /** The machine powers off or is reset, for this reason, and QEMU waits (-no-shutdown). */
  shutdown?: 'guest-reset' | 'guest-shutdown';
  exit?: number;
}

export interface LogLine {
  pid: number;
  argv?: string[];
  request?: Record<string, string>;
  /** The SHA-256 of the module's bytes. */
  module?: string;
  /** How the contents of a device begin. */
  contents?: string;
  extents?: { offset: number; text: string }[];
  /** An image that it was asked to examine. */
  look?: number;
  questions?: string;
  /** What a session's terminal has sent. */
  typed?: string;
  /** Bytes that came after the request. */
  beyond?: number;
}

export function readLog(file: string): LogLine[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {}
  // A line that is still being written has no end yet.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

export const READY: GuestEvent = {
  event: 'ready',
  release: '6.1.0-test',
  testDevice: '/dev/pmem0',
  scratchDevice: '/dev/pmem1',
  deviceProblem: '',
  bootId: '00000000-0000-0000-0000-000000000000',
};

/** Until the request, with a heartbeat. */
export const BOOTS: Step[] = [{ beat: 50 }, { event: READY }, { request: true }];

/** The clock of a host that gives a guest all the time it wants, however busy the host is. */
const PLENTY: GuestClock = {
  since: (from) => allOf(performance.now() / 1000 - from),
  between: (from, to) => allOf(to - from),
  longestStarved: () => undefined,
  stop() {},
};

function allOf(seconds: number): CpuSupply {
  return { seconds, ran: seconds, starved: 0, unseen: 0 };
}

/** Long enough to mean never. */
export const LONG: GuestLimits = { boot: 300, silence: 300, afterOops: 300 };

export interface Watched {
  guest: Guest;
  pid: number;
  console: () => string;
  events: GuestEvent[];
  findings: Finding[];
  files: Record<string, string>;
}

/** Starts a guest with these steps and records its events. */
export function fakeGuest(
  steps: Step[],
  more: {
    limits?: Partial<GuestLimits>;
    signal?: AbortSignal;
    onEvent?: (event: GuestEvent) => void;
    onConsole?: (chunk: Buffer) => void;
    onSilent?: (seconds: number | undefined, guest: Guest) => void;
    clock?: GuestClock;
  } = {},
): Watched {
  const chunks: Buffer[] = [];
  const events: GuestEvent[] = [];
  const findings: Finding[] = [];
  const files: Record<string, string> = {};
  const guest = startGuest(
    [FAKE_QEMU, '--script', JSON.stringify(steps)],
    { ...LONG, ...more.limits },
    {
      console: (chunk) => {
        more.onConsole?.(chunk);
        chunks.push(chunk);
      },
      event: (event) => {
        more.onEvent?.(event);
        events.push(event);
      },
      filePiece: ({ name, data }) => {
        files[name] = (files[name] ?? '') + Buffer.from(data).toString('latin1');
      },
      finding: (finding) => findings.push(finding),
      silent: (seconds) => more.onSilent?.(seconds, guest),
    },
    { signal: more.signal, clock: () => more.clock ?? PLENTY },
  );
  // Tests check that the process is gone; it is not part of the interface.
  const { child } = guest as unknown as { child: { pid: number } };
  return {
    guest,
    pid: child.pid,
    console: () => Buffer.concat(chunks).toString(),
    events,
    findings,
    files,
  };
}

/** Whether a process is alive; a zombie is not. */
export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}
