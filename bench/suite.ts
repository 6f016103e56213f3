import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How long a test of a real xfstests tree takes, and how much of that is `check`'s own set-up. */

export const SUITE = process.env['BENCH_SUITE'] ?? process.env['DAXREPRO_XFSTESTS'];

interface Row {
  what: string;
  times: number[];
}

/** Quick tests that apply to all file systems. */
const MANY = ['generic/001', 'generic/002', 'generic/005', 'generic/006', 'generic/007'];

/** @param runs directory for the runs; the runs of generic/002 are already there */
export async function suiteRows(
  runs: string,
  timed: (argv: readonly string[]) => Promise<number>,
  daxrepro: (...words: string[]) => string[],
): Promise<Row[]> {
  const parts = readdirSync(runs, { recursive: true, encoding: 'utf8' })
    .filter((path) => /-generic-002\/console\.log$/.test(path))
    .map((path) => partsOf(readFileSync(join(runs, path), 'utf8')))
    .filter((found) => found !== undefined);
  const row = (what: string, part: keyof Parts): Row => ({
    what: `… of generic/002 of xfstests: ${what}`,
    times: parts.map((found) => found[part]),
  });
  const words = ['run', 'ext2', ...MANY, '--suite', SUITE as string, '--jobs', '1'];
  process.stderr.write('several tests of xfstests, in a guest each and in one\n');
  const apart = await timed(daxrepro(...words));
  const together = await timed(daxrepro(...words, '--together'));
  return [
    row("check's own set-up, which is all that a later checkpoint could save", 'setup'),
    row('the test, and what check does after it', 'test'),
    row('module, mkfs, first proof; last proof, and our own check', 'around'),
    {
      what: `xfstests, one guest per test, each of ${MANY.length}`,
      times: [apart / MANY.length],
    },
    { what: 'xfstests, --together, each of them', times: [together / MANY.length] },
  ];
}

interface Parts {
  setup: number;
  test: number;
  around: number;
}

/**
 * By the times of the kernel's messages: the guest's steps, and check's message that a test begins.
 */
function partsOf(log: string): Parts | undefined {
  const at = (mark: string): number | undefined => {
    const line = log.split('\n').find((one) => one.includes(mark));
    const time = /\[ *(\d+\.\d+)\]/.exec(line ?? '')?.[1];
    return time === undefined ? undefined : Number(time);
  };
  const [begin, setup, test, prove, end] = [
    at('daxrepro: load-module'),
    at('daxrepro: test'),
    at('run fstests '),
    at('daxrepro: prove'),
    at('daxrepro: fsck-test'),
  ];
  if (!begin || !setup || !test || !prove || !end) return undefined;
  return { setup: test - setup, test: prove - test, around: setup - begin + (end - prove) };
}
