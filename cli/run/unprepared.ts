import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Kernel } from '../kernel/kernel.js';
import { type Failure, formatFailure } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import { NOT_CUT } from '../record/power-cut.js';
import { unitFolder } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import { describeCuts, describeLayers, kernelOf } from './unit-result.js';

/** A kernel that could not be prepared, as results name it. */
export const UNKNOWN_KERNEL = { release: 'unknown', id: 'unknown' } as const;

/**
 * Whether a valid request failed before its first unit. Then its units have results: `error`, with this reason.
 * Usage errors have no units, and neither has a run that was interrupted.
 */
export function isUnprepared({ kind }: Failure): boolean {
  switch (kind) {
    case 'program-missing':
    case 'kernel-unavailable':
    case 'change-rejected':
    case 'build-failed':
    case 'tool-failed':
      return true;
    default:
      return false;
  }
}

/** The result of a unit whose variant could not be prepared: `error`, with the reason. */
export function unpreparedResult(
  unit: Unit,
  index: number,
  failed: Failure,
  more: {
    kernel: Pick<Kernel, 'release' | 'id'>;
    accel: string;
    directory: string;
    replay: string;
  },
): UnitResult {
  return resultWithoutRun(unit, failed, {
    ...{ kernel: more.kernel, accel: more.accel, replay: more.replay },
    artifacts: keepDetail(unit, index, failed, more.directory),
  });
}

/** The result of a unit that never ran: `error`, with the reason. Writes nothing. */
export function resultWithoutRun(
  unit: Unit,
  failed: Failure,
  more: {
    kernel: Pick<Kernel, 'release' | 'id'>;
    accel: string;
    replay: string;
    artifacts?: Record<string, string>;
  },
): UnitResult {
  return {
    fs: unit.fs,
    test: unit.test,
    suite: unit.suite,
    kernel: kernelOf(unit, more.kernel),
    variant: unit.variant,
    pmem: unit.shape.pmem,
    ...describeLayers(unit),
    accel: more.accel,
    attempt: unit.attempt,
    seed: unit.seed,
    verdict: 'error',
    reason: reasonOf(failed),
    control: unit.control,
    ...(unit.powerCut ? { powerCut: describeCuts(NOT_CUT) } : {}),
    dax: {
      proven: false,
      driver: 'none',
      mountOptions: '',
      statxBefore: null,
      statxAfter: null,
      module: null,
      looks: [],
    },
    findings: [],
    bootFindings: [],
    ending: 'not-started',
    cloned: false,
    durationSeconds: 0,
    bootSeconds: null,
    artifacts: more.artifacts ?? {},
    replay: more.replay,
  };
}

/** Saves the output of the patch program or the compiler in a file, beside the logs of guests. */
function keepDetail(
  unit: Unit,
  index: number,
  failed: Failure,
  directory: string,
): Record<string, string> {
  const folder = unitFolder(unit, index);
  try {
    mkdirSync(join(directory, folder), { recursive: true });
    writeFileSync(join(directory, folder, 'failure.txt'), `${formatFailure(failed)}\n`);
    return { failure: `${folder}/failure.txt` };
  } catch {
    // The failure is also printed, and in result.json.
    return {};
  }
}

/** Adds the place if the message does not name the file. */
function reasonOf({ message, place }: Failure): string {
  if (!place || message.includes(basename(place.file))) return message;
  return `${[place.file, place.line].filter(Boolean).join(':')}: ${message}`;
}
