import t from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import type { FsckReport } from '../../cli/findings/fsck-report.js';
import { recorded, recordedNames } from './rig.js';

const DIRECTORY = 'pasted-logs';

/** A finding as `severity signature`. */
const findingsOf = (report: FsckReport | undefined) =>
  report?.findings.map(({ severity, signature }) => `${severity} ${signature}`);

interface Expected {
  clean: boolean;
  completed?: boolean;
  reason?: RegExp;
  findings: string[];
  unparsed?: number;
}

const MODIFIED = 'notice e2fsck:file-system-was-modified';

/** Logs that people posted, and their expected findings. */
const EXPECTED: Record<string, Expected> = {
  '03-jbd2-checksum-y.log': {
    clean: false,
    findings: [
      'repairable e2fsck:recovering-journal',
      'corruption e2fsck:invalid-checksum-recovering-block-in-log',
      'corruption e2fsck:invalid-checksum-recovering-block-in-log',
      'corruption e2fsck:invalid-checksum-recovering-block-in-log',
      'corruption e2fsck:journal-checksum-error-found',
      'repairable e2fsck:was-not-cleanly-unmounted-check-forced',
      'repairable e2fsck:free-blocks-count-wrong-counted',
    ],
  },
  '05-german.log': {
    clean: false,
    completed: false,
    reason: /in German, not in English \(it has "Durchgang 1", .* LC_ALL=C/,
    findings: [],
    unparsed: 9,
  },
  '12-mixed-xfs-and-ext.log': {
    clean: false,
    findings: ['repairable e2fsck:inode-i_blocks-is-should-be'],
  },
  '17-D-optimized.log': { clean: true, findings: [MODIFIED] },
  '18-tt-clean.log': { clean: true, findings: [] },
  '20-jenkins-prefix-extent-optimize.log': {
    clean: true,
    findings: ['notice e2fsck:inode-extent-tree-at-level-could-be-narrower'],
  },
  '22-tt-peak-in-pass.log': {
    clean: false,
    findings: [
      'corruption e2fsck:inode-has-index_fl-flag-set-on-filesystem-without-htree-support',
      'repairable e2fsck:free-inodes-count-wrong-counted',
    ],
  },
  '24-journald-sh-prefix-time-future.log': {
    clean: false,
    findings: [
      'repairable e2fsck:recovering-journal',
      'notice e2fsck:superblock-last-mount-time-now-is-in-the-future',
    ],
  },
  '26-systemd-fsck-clean-boot.log': {
    clean: false,
    completed: false,
    reason: /did not check, it trusted the superblock/,
    findings: [],
  },
  '27-mount-count-clean.log': {
    clean: true,
    findings: ['notice e2fsck:has-been-mounted-times-without-being-checked-check-forced'],
  },
  '31-preen-verbose.log': { clean: false, completed: false, reason: /preened/, findings: [] },
  '32-badblocks-c-clean.log': { clean: true, findings: [MODIFIED] },
  '33-badblocks-cc-clean.log': { clean: true, findings: [MODIFIED] },
  '38-preen-label-not-ascii.log': {
    clean: false,
    completed: false,
    reason: /preened/,
    findings: [
      'repairable e2fsck:contains-a-file-system-with-errors-check-forced',
      'repairable e2fsck:inode-i_blocks-is-should-be',
      'corruption e2fsck:entry-in-directory-has-deleted-unused-inode',
    ],
  },
  '43-xfs-console-prompt.log': {
    clean: false,
    findings: [
      'repairable xfs_repair:alert-the-filesystem-has-valuable-metadata-changes-in-a-log-which-is-being-ignored-because-the-n-option-was-used-expect',
      'repairable xfs_repair:sb_fdblocks-counted',
    ],
  },
  '48-xfs-L-sound-fs-7.2.log': {
    clean: true,
    findings: ['notice xfs_repair:clearing-needsrepair-flag-and-regenerating-metadata'],
  },
};

t.test('finds what each log is expected to contain', async (t) => {
  t.strictSame(recordedNames(DIRECTORY), Object.keys(EXPECTED));
  for (const [name, expected] of Object.entries(EXPECTED)) {
    const report = parseFsck(recorded(name, DIRECTORY));
    const { clean, completed = true, reason, findings, unparsed = 0 } = expected;
    t.match(report, { clean, completed, ...(reason ? { reason } : {}) }, name);
    t.strictSame(findingsOf(report), findings, `${name}: findings`);
    t.equal(report?.unparsed.length, unparsed, `${name}: unknown lines`);
    t.equal(report?.tool, name.includes('xfs') ? 'xfs_repair' : 'e2fsck', `${name}: tool`);
  }
});

t.test('keeps findings and versions of two programs in one log apart', async (t) => {
  const report = parseFsck(recorded('12-mixed-xfs-and-ext.log', DIRECTORY));
  t.match(report?.findings, [{ tool: 'e2fsck', inode: 13 }]);
  t.equal(report?.version, undefined, 'xfs_repair printed none');
  const [e2fsck, xfs] = [recorded('e2fsck-links.log'), recorded('xfs-repair-entry.log')];
  const both = parseFsck(`${e2fsck}\n${xfs}`);
  t.strictSame(findingsOf(both), [
    ...(findingsOf(parseFsck(e2fsck)) ?? []),
    ...(findingsOf(parseFsck(xfs)) ?? []),
  ]);
  t.ok(both?.completed);
  const cut = xfs.slice(0, xfs.indexOf('Phase 6'));
  t.match(parseFsck(`${cut}${e2fsck}`), { completed: false, reason: /xfs_repair's last line/ });
  t.match(parseFsck(`${e2fsck}${cut}`), { completed: false, reason: /xfs_repair's last line/ });
  const sound = `${recorded('xfs-repair-clean.log')}${recorded('e2fsck-clean.log')}`;
  t.match(parseFsck(sound), { clean: true, completed: true });
});
