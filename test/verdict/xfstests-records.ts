import type { Finding } from '../../cli/findings/finding.js';
import type { CheckEvent, MountEvent, XfstestsEvent } from '../../cli/guest/protocol.js';
import type { UnitRecord } from '../../cli/record/record.js';
import { type Fs, goodRecord, proof, replaced, report } from './records.js';

export const ID = 'generic/002';

export const PASSED = `FSTYP         -- ext4\n\n${ID}        8s\nRan: ${ID}\nPassed all 1 tests\n`;
export const FAILED = `${ID}\nRan: ${ID}\nFailures: ${ID}\nFailed 1 of 1 tests\n`;

export const said = (more: Partial<XfstestsEvent> = {}): XfstestsEvent => ({
  event: 'xfstests',
  status: 0,
  timedOut: false,
  files: 'full ',
  output: PASSED,
  notrun: '',
  times: `${ID} 8\n`,
  expectedOutput: true,
  difference: '',
  dmesgFilter: '',
  watched: true,
  unseenMounts: 0,
  together: false,
  microseconds: 1000,
  ...more,
});

export const mount = (fs: Fs, more: Partial<MountEvent> = {}): MountEvent => ({
  event: 'mount',
  phase: 'test',
  status: 0,
  arguments: `-t ${fs} -o dax /dev/pmem1 /mnt/scratch`,
  node: 'pmem1',
  misaligned: '',
  device: '/dev/pmem1',
  directory: '/mnt/scratch',
  type: fs,
  options: 'rw,relatime,dax=always',
  servedByExt4: fs === 'ext4',
  servedByXfs: fs === 'xfs',
  kernelLog: '',
  ...more,
});

export const check = (more: Partial<CheckEvent> = {}): CheckEvent => ({
  event: 'check',
  phase: 'check',
  program: 'fsck',
  device: '/dev/pmem0',
  status: 0,
  readOnly: true,
  file: 'check-001-pmem0',
  ...more,
});

export const CORRUPTED: Finding = {
  tool: 'e2fsck',
  device: '/dev/pmem0',
  message: 'Directory inode 16385, block #0, offset 0: directory corrupted',
  signature: 'e2fsck:directory-inode-block-offset-directory-corrupted',
  severity: 'corruption',
};
export const DAMAGED = report({ clean: false, completed: false, findings: [CORRUPTED] });

/** An xfstests unit without any problem, to be spoiled. */
export function goodXfstests(fs: Fs): UnitRecord {
  const record = replaced(goodRecord(fs), 'test', () => [
    proof(fs, 'scratch'),
    mount(fs, { phase: 'setup' }),
    check({ phase: 'setup' }),
    mount(fs),
    check(),
    said(),
  ]);
  return {
    ...record,
    suiteChecks: [
      { event: check({ phase: 'setup' }), report: report() },
      { event: check(), report: report() },
    ],
  };
}
