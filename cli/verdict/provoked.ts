import type { Finding } from '../findings/finding.js';
import { nodeOf } from '../guest/layers.js';
import { eventsOf } from '../record/events.js';
import type { Expectation, UnitRecord } from '../record/record.js';
import { PROVOCATIONS, type Provocation } from '../suite/xfstests/provocations.js';
import { isSerious } from './decision.js';

/** Kernel messages that an xfstests test causes on purpose. */

/** The kernel's findings, with those that the test provokes turned into notices that say so. */
export function withProvoked(record: UnitRecord, expected: Expectation): Finding[] {
  return record.kernelFindings.map((finding) => {
    const provoked = isSerious(finding) ? whyProvoked(finding, record, expected) : undefined;
    return provoked === undefined ? finding : { ...finding, severity: 'notice', provoked };
  });
}

/** What ext2, ext4 and the block layer print about an empty device, where a superblock would be. */
const EMPTY = /unable to read superblock|\bsector [02] op 0x0:\(READ\)|: rw=\d+, .*\blimit=0$/;

/** What xfs prints about a device with another file system, which a test has it mount. */
const NOT_XFS = /^XFS \([^)]*\): Invalid superblock magic number/;

function whyProvoked(
  finding: Finding,
  record: UnitRecord,
  expected: Expectation,
): string | undefined {
  const { kind, device, message, lines = [] } = finding;
  if (kind === 'fs-error' || kind === 'io-error') {
    // Tests mount a loop device without a file to see that the mount is refused.
    if (/\bloop\d/.test(device ?? '') && [message, ...lines].some((line) => EMPTY.test(line))) {
      return 'it mounts an empty loop device';
    }
    // ext2 and ext4 print the same as a notice.
    if (expected.fs !== 'xfs' && NOT_XFS.test(message)) return 'it mounts the device as XFS';
  }
  const provokes = expected.xfstests?.provokes ?? [];
  const provocation = PROVOCATIONS.find(
    (one) => provokes.includes(one.name) && followsFrom(one, finding, record),
  );
  if (provocation) return provocation.reason;
  return isAnnounced(finding, record) ? 'it announces this message to check' : undefined;
}

function followsFrom(provocation: Provocation, finding: Finding, record: UnitRecord): boolean {
  const { kinds, message, except, onTestDevice } = provocation;
  if (!finding.kind || !kinds.includes(finding.kind)) return false;
  if (message && !message.test(finding.message)) return false;
  if (except?.test(finding.message)) return false;
  return !isOnTestDevice(finding, record) || hasLine(record, deviceOf(finding), onTestDevice);
}

/**
 * Whether the test gave `check` a pattern that matches this message (common/rc: _add_dmesg_filter).
 */
function isAnnounced(finding: Finding, record: UnitRecord): boolean {
  switch (finding.kind) {
    case 'warning':
    case 'lockdep':
      break;
    case 'fs-error':
      if (isOnTestDevice(finding, record)) return false;
      break;
    default:
      return false;
  }
  const [said] = eventsOf(record, 'xfstests');
  const patterns = (said?.dmesgFilter ?? '').split('\n').filter(Boolean);
  return patterns.some((pattern) => matches(pattern, finding.message));
}

/** A journal's thread has a name of its own: pmem0-8 belongs to pmem0. */
function deviceOf({ device }: Finding): string | undefined {
  return device?.replace(/-\d+$/, '');
}

function isOnTestDevice(finding: Finding, record: UnitRecord): boolean {
  const [begin] = eventsOf(record, 'begin');
  const device = begin?.testDevice ?? record.ready?.testDevice;
  return device !== undefined && deviceOf(finding) === nodeOf(device);
}

function hasLine(
  { kernelFindings }: UnitRecord,
  device: string | undefined,
  line: RegExp | undefined,
): boolean {
  return kernelFindings.some(
    (finding) => deviceOf(finding) === device && line?.test(finding.message) === true,
  );
}

function matches(pattern: string, message: string): boolean {
  try {
    return new RegExp(pattern).test(message);
  } catch {
    return message.includes(pattern);
  }
}
