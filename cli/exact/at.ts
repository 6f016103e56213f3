import { failure, type Outcome, success } from '../outcome.js';
import type { UnitResult } from '../results/run-result.js';

/** A point of a recorded execution. */
export type Point =
  | { kind: 'end' }
  /** After so many instructions. */
  | { kind: 'count'; instructions: number }
  /** When the console shows this text for the first time. */
  | { kind: 'console'; text: string };

const FORMS =
  "Give --at end, --at count:N, --at console:'TEXT', --at step:NAME, such as step:unmount, or --at finding";

/** @param text of `--at` */
export function parsePoint(
  text: string,
  { findings }: Pick<UnitResult, 'findings'>,
  instructions: number,
): Outcome<Point> {
  const [, kind, value = ''] = /^([a-z]+)(?::(.*))?$/s.exec(text) ?? [];
  if (kind === 'end' && value === '') return success({ kind: 'end' });
  if (kind === 'count' && /^\d{1,15}$/.test(value)) return countPoint(Number(value), instructions);
  if (kind === 'console' && value !== '') return success({ kind: 'console', text: value });
  // The guest names each step on its console, too (guest-scripts/lib/unit.sh).
  if (kind === 'step' && /^[a-z][a-z-]*$/.test(value)) {
    return success({ kind: 'console', text: `daxrepro: ${value}` });
  }
  if (kind === 'finding' && value === '') return findingPoint(findings);
  return failure('usage', `--at ${text} is not a point of an execution`, FORMS);
}

function countPoint(count: number, instructions: number): Outcome<Point> {
  if (count >= 1 && count < instructions) return success({ kind: 'count', instructions: count });
  return failure(
    'usage',
    `--at count:${count} is outside of the record`,
    `Give a number from 1 to ${instructions - 1}`,
  );
}

/** Only the kernel's findings have a moment. Those of a check were found at its end. */
function findingPoint(findings: UnitResult['findings']): Outcome<Point> {
  const first = findings.find(({ tool, severity }) => tool === 'kernel' && severity !== 'notice');
  if (first) return success({ kind: 'console', text: first.message });
  return failure(
    'usage',
    '--at finding: the kernel reported nothing during this unit, so no moment is known',
    'Give --at step:unmount, the step before the check, or another point',
  );
}
