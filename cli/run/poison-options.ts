import { POISON_STEP, type PoisonRange } from '../guest/poison.js';
import { failure, type Outcome, success } from '../outcome.js';
import type { RunOptions } from './run-options.js';

/** The option `--poison`. */
export type PoisonOptions = Pick<
  RunOptions,
  'poison' | 'pmem' | 'suite' | 'powerCut' | 'partition' | 'stack'
>;

/** Bytes that are poisoned if no length is given: a page. */
const PAGE = 4096;

/** The kernel keeps a page of marks for each device. */
const MOST = 100;

/** What is poisoned; undefined if nothing is. */
export function poisonOf(options: PoisonOptions): Outcome<PoisonRange[] | undefined> {
  const { poison = [] } = options;
  if (poison.length === 0) return success(undefined);
  const refused = refusedWithPoison(options);
  if (refused) return failure('usage', `--poison ${refused[0]}`, refused[1]);
  if (poison.length > MOST) {
    return failure('usage', `--poison is given more than ${MOST} times`, 'Use longer ranges');
  }
  const ranges: PoisonRange[] = [];
  for (const text of poison) {
    const range = parseRange(text);
    if (!range.ok) return range;
    ranges.push(range.value);
  }
  return success(ranges);
}

const FACTORS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function parseRange(text: string): Outcome<PoisonRange> {
  const match = /^(\d+)([KMG]?)(?:\+(\d+)([KMG]?))?$/i.exec(text.trim());
  const bytes = (digits: string, unit = '') => Number(digits) * (FACTORS[unit.toUpperCase()] ?? 1);
  const offset = bytes(match?.[1] ?? 'none', match?.[2]);
  const length = match?.[3] === undefined ? PAGE : bytes(match[3], match[4]);
  if (!match || !Number.isSafeInteger(offset + length) || length === 0) {
    return failure(
      'usage',
      `--poison ${JSON.stringify(text)} is not a range of bytes`,
      'Give an offset on TEST_DEV and a length, such as 64M+4K or 1048576',
    );
  }
  if (offset % POISON_STEP === 0 && length % POISON_STEP === 0) return success({ offset, length });
  return failure(
    'usage',
    `--poison ${text} is not a range of whole sectors`,
    `Give multiples of ${POISON_STEP} bytes`,
  );
}

/** Options that do not combine with it, and what to do instead. */
function refusedWithPoison({
  pmem,
  suite,
  powerCut,
  partition,
  stack,
}: PoisonOptions): [string, string] | undefined {
  if (pmem === 'none') {
    return ['needs persistent memory, and --pmem none has disks', 'Use another kind with --pmem'];
  }
  if (suite !== 'builtin') {
    return [
      'does not go with xfstests, whose check reads the poisoned bytes itself',
      'Use built-in tests, or test files of your own',
    ];
  }
  if (powerCut) {
    return ['does not go with --power-cut: images that survive have no poison', 'Omit one of them'];
  }
  if (partition || stack !== undefined) {
    return [
      `does not go with --${partition ? 'partition' : 'stack'}: it poisons bytes of the device itself`,
      'Omit one of them',
    ];
  }
  return undefined;
}
