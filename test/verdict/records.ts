import type { Finding } from '../../cli/findings/finding.js';
import type { FsckReport } from '../../cli/findings/fsck-report.js';
import type { DataLook, GuestEvent, Layer, ProofEvent } from '../../cli/guest/protocol.js';
import type { Expectation, UnitRecord } from '../../cli/record/record.js';

/** A unit without any problem, to be spoiled. */

export type Fs = 'ext2' | 'ext4' | 'xfs';

export const RELEASE = '6.1.0-56-amd64';
export const BUILD_ID = '0123456789abcdef';
export const SHA256 = 'c0ffee';
export const STATX_ATTR_DAX = 0x00200000;

export function expectation(fs: Fs, more: Partial<Expectation> = {}): Expectation {
  return {
    fs,
    release: RELEASE,
    control: false,
    module: { sha256: SHA256, buildId: BUILD_ID, sent: fs === 'ext2' },
    ...more,
  };
}

/** The looks at a new file's two pages: how many bytes are the same; undefined: not compared. */
export function dataLooks(...same: (number | undefined)[]): DataLook[] {
  return same.map((one, index) => ({
    how: index === 0 ? 'written' : 'mapped',
    device: '/dev/pmem0',
    position: one === undefined ? undefined : 33_554_432 + index * 4096,
    same: one,
    problem: one === undefined ? 'a page cannot be written: No space left on device' : '',
  }));
}

/** What a device is made of, from top to bottom, by what lies between. */
export const LAYERS = {
  linear: [
    layer('dm-0', 'device-mapper', '254:0', '0 8192 linear 259:0 8192\n8192 8192 linear 259:0 0'),
    layer('pmem0', 'disk', '259:0'),
  ],
  partition: [
    { ...layer('pmem0p1', 'partition', '259:2'), start: 4096 },
    layer('pmem0', 'disk', '259:0'),
  ],
} satisfies Record<string, [Layer, Layer]>;

export function layer(
  node: string,
  kind: Layer['kind'],
  number: string,
  table = '',
  below = '',
): Layer {
  return { node, kind, number, start: undefined, table, below };
}

export function proof(
  fs: Fs,
  when: ProofEvent['when'],
  more: Partial<ProofEvent> = {},
): ProofEvent {
  return {
    event: 'proof',
    when,
    device: when === 'scratch' ? '/dev/pmem1' : '/dev/pmem0',
    directory: when === 'scratch' ? '/mnt/scratch' : '/mnt/test',
    mounted: true,
    type: fs,
    options: fs === 'ext2' ? 'rw,relatime,xip,dax' : 'rw,relatime,dax=always',
    servedByExt4: fs === 'ext4',
    servedByXfs: fs === 'xfs',
    moduleReferences: 1,
    moduleReferencesUnmounted: 0,
    moduleBuildId: BUILD_ID,
    statxAttributes: STATX_ATTR_DAX,
    statxMask: 0x203000 | STATX_ATTR_DAX,
    data: dataLooks(4096, 4096),
    blockSize: 4096,
    pageSize: 4096,
    kernelLog: '',
    ...more,
  };
}

export function testEvent(
  more: Partial<Extract<GuestEvent, { event: 'test' }>> = {},
): Extract<GuestEvent, { event: 'test' }> {
  return {
    event: 'test',
    status: 0,
    timedOut: false,
    failures: '',
    notrun: '',
    provokes: '',
    lastOutput: '',
    microseconds: 1000,
    ...more,
  };
}

export function report(more: Partial<FsckReport> = {}): FsckReport {
  return { tool: 'e2fsck', clean: true, completed: true, findings: [], unparsed: [], ...more };
}

export function finding(more: Partial<Finding> = {}): Finding {
  return {
    tool: 'kernel',
    kind: 'warning',
    message: 'WARNING: CPU: 0 PID: 1 at fs/dax.c:1',
    signature: 'kernel warning',
    severity: 'repairable',
    ...more,
  };
}

export const FSCK = { event: 'fsck', name: 'test', device: '/dev/pmem0', status: 0 } as const;

export function goodRecord(fs: Fs): UnitRecord {
  return {
    ending: { kind: 'finished' },
    ready: {
      event: 'ready',
      release: RELEASE,
      testDevice: '/dev/pmem0',
      scratchDevice: '/dev/pmem1',
      deviceProblem: '',
      bootId: 'x',
    },
    events: [
      fs === 'ext2'
        ? { event: 'module', name: fs, sha256: SHA256, origin: 'sent' }
        : { event: 'module', name: fs, sha256: '', origin: 'kernel' },
      proof(fs, 'before'),
      testEvent(),
      proof(fs, 'after'),
      FSCK,
      { event: 'finished' },
    ],
    bootFindings: [],
    kernelFindings: [],
    checks: { test: report() },
  };
}

/** Replaces the events with this name (and this `when`) by others. */
export function replaced(
  record: UnitRecord,
  name: GuestEvent['event'],
  change: (event: GuestEvent) => GuestEvent[],
): UnitRecord {
  return {
    ...record,
    events: record.events.flatMap((event) => (event.event === name ? change(event) : [event])),
  };
}
