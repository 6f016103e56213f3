/**
 * `npm run bench`: how long runs take, as ratios to a bare boot of the same kernel, measured in one
 * session on one machine. Absolute times depend on the machine; ratios should not.
 *
 *     npm run bench -- --write    also writes docs/speed.md
 *     BENCH_ROUNDS=3              how often the short ones are measured (default 5)
 *     BENCH_REPEATS=20            of `run --repeat` (default 100)
 *     BENCH_SUITE=DIR             a built xfstests tree (default: $DAXREPRO_XFSTESTS): its generic/002 too
 *     BENCH_SMALL=debsrc:6.1      a small kernel too, built if needed
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { $, tmpdir } from 'zx';
import type { Kernel } from '../cli/kernel/kernel.js';
import { resolveKernel } from '../cli/kernel/resolve.js';
import { defaultStore } from '../cli/store/store.js';
import { newScript } from './new-script.js';
import { otherToolRows } from './other-tools.js';
import { SUITE, suiteRows } from './suite.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const REPEATS = Number(process.env['BENCH_REPEATS'] ?? 100);
const SMALL = process.env['BENCH_SMALL'];
const CASE = 'fixtures/cases/2016-02-dax-writeback.yaml';
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = tmpdir('daxrepro-bench');
/** Ends a command after half an hour, and throws if one fails. */
const shell = $({ cwd: root, quiet: true, timeout: '30m', stdio: ['ignore', 'pipe', 'pipe'] });

interface Row {
  what: string;
  /** Seconds of each round. */
  times: number[];
}

async function timed(argv: readonly string[]): Promise<number> {
  const { duration } = await shell`${argv}`;
  return duration / 1000;
}

/** An initramfs that contains only an init that powers off. */
async function bareInitramfs(): Promise<string> {
  const init = join(scratch, 'init');
  const source = join(root, 'bench/poweroff.c');
  await shell`gcc -static -nostdlib -ffreestanding -O2 -o ${init} ${source}`;
  const description = join(scratch, 'content.mtree');
  writeFileSync(description, `#mtree\n./init type=file mode=755 uid=0 gid=0 contents=${init}\n`);
  const file = join(scratch, 'initramfs');
  await shell`bsdtar --format=newc -cf ${file} ${`@${description}`}`;
  return file;
}

/** A plain QEMU command, as one would type it. */
function bareBoot(image: string, initramfs: string): string[] {
  return [
    'qemu-system-x86_64',
    ...['-nodefaults', '-display', 'none', '-serial', 'null', '-no-reboot'],
    ...['-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '1024M'],
    ...['-kernel', image, '-initrd', initramfs],
    ...['-append', 'console=ttyS0 quiet panic=-1'],
  ];
}

const daxrepro = (...words: string[]): string[] => [
  './daxrepro',
  ...words,
  ...['--accel', 'tcg', '--out', join(scratch, 'runs')],
];

async function measure(kernel: Kernel, small: Kernel | undefined): Promise<Row[]> {
  const initramfs = await bareInitramfs();
  const cases: [string, string[] | (() => string[])][] = [
    ['bare boot to power-off, the packaged image', bareBoot(kernel.image, initramfs)],
    ['bare boot to power-off, entered directly', bareBoot(kernel.bootImage, initramfs)],
    ...['ext2', 'ext4', 'xfs'].map((fs) => ofRun(fs, 'generic/002')),
    [NEW_SCRIPT, () => daxrepro('run', 'ext4', newScript(scratch))],
    ofRun('ext2', 'generic/002', '--pmem', 'nvdimm'),
    ofRun('ext2', 'generic/002', '--no-checkpoint'),
    ofRun('ext2', 'generic/002', '--dry-run'),
    // To the prompt, and the check after it.
    ['daxrepro shell ext2 --run true', daxrepro('shell', 'ext2', '--run', 'true')],
    ['daxrepro --version', ['./daxrepro', '--version']],
  ];
  if (SUITE) cases.push(ofRun('ext2', 'generic/002', '--suite', SUITE));
  if (small && SMALL) {
    cases.push(
      [`bare boot to power-off, ${SMALL}`, bareBoot(small.bootImage, initramfs)],
      ofRun('ext2', 'generic/002', '--kernel', SMALL),
    );
  }
  const rows: Row[] = cases.map(([what]) => ({ what, times: [] }));
  // One round to warm up the caches, not counted; then by turns, so that a slow moment affects all.
  const argvOf = (argv: string[] | (() => string[])) => (Array.isArray(argv) ? argv : argv());
  for (const [, argv] of cases) await timed(argvOf(argv));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, [what, argv]] of cases.entries()) {
      process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${what}\n`);
      rows[index]?.times.push(await timed(argvOf(argv)));
    }
  }
  return rows;
}

const NEW_SCRIPT = 'daxrepro run ext4, first run of a new script of 20 lines';

/** The first run of a new script as a multiple of the warm run of a bundled test. */
function ofNewScript(rows: readonly Row[]): string {
  const timesOf = (name: string) => rows.find(({ what }) => what === name)?.times ?? [];
  const [own, bundled] = [timesOf(NEW_SCRIPT), timesOf('daxrepro run ext4 generic/002')];
  const ratio = (median(own) / median(bundled)).toFixed(2);
  return `The first run of a new script takes ${ratio} × the time of \`daxrepro run ext4 generic/002\`.`;
}

function ofRun(...words: string[]): [string, string[]] {
  return [`daxrepro run ${words.join(' ')}`, daxrepro('run', ...words)];
}

/** Long runs are measured once, after the rest has warmed up the caches. */
async function measureLong(): Promise<Row[]> {
  const repeats = await timed(daxrepro('run', 'ext2', 'generic/002', '--repeat', String(REPEATS)));
  process.stderr.write(`the case of February 2016\n`);
  await timed(daxrepro('compare', CASE));
  const matrix = await timed(daxrepro('compare', CASE));
  return [
    { what: `daxrepro run ext2 generic/002 --repeat ${REPEATS}, each`, times: [repeats / REPEATS] },
    { what: `daxrepro compare ${CASE}, all 12 units`, times: [matrix] },
  ];
}

/** MiB of private memory of a clone at its largest, by smaps_rollup (proc(5)). */
async function memoryOfClone(): Promise<number> {
  let most = 0;
  const look = setInterval(() => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0-incoming\0`)) continue;
        const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
        const kilobytes = [...rollup.matchAll(/^Private_\w+: +(\d+) kB/gm)].map(([, n]) =>
          Number(n),
        );
        most = Math.max(most, kilobytes.reduce((sum, n) => sum + n, 0) / 1024);
      } catch {
        // It ended while we were reading.
      }
    }
  }, 50);
  await timed(daxrepro('run', 'ext2', 'generic/002'));
  clearInterval(look);
  return most;
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function table(rows: readonly Row[], kernel: Kernel, memory: number): string {
  const floor = median(rows[0]?.times ?? []);
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const lines = [
    `${kernel.release}, ${availableParallelism()} × ${processor}, emulation (tcg), median of ${ROUNDS}.`,
    'Rows without a range were measured once.',
    '',
    '| what | seconds | least to most | × bare boot |',
    '| --- | ---: | ---: | ---: |',
  ];
  for (const { what, times } of rows) {
    const middle = median(times);
    const range =
      times.length > 1 ? `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}` : '';
    lines.push(`| ${what} | ${middle.toFixed(2)} | ${range} | ${(middle / floor).toFixed(2)} |`);
  }
  lines.push('', ofNewScript(rows), '');
  lines.push(`A clone uses at most ${Math.round(memory)} MiB of private memory.`);
  return `${lines.join('\n')}\n`;
}

async function resolve(spec: string): Promise<Kernel> {
  const kernel = await resolveKernel(spec, { store: defaultStore(), progress: () => {} });
  if (!kernel.ok) throw new Error(kernel.failure.message);
  return kernel.value;
}

const DOCUMENT = `# Speed

\`npm run bench -- --write\` wrote this page. The seconds depend on the machine and its load; the last column should
not. A bare boot is a plain QEMU command line with an init that powers the guest off. A run is everything: restoring
the guest, mkfs, mount, the test, three looks at DAX, unmount, and the file-system check.

`;

try {
  const kernel = await resolve('debian:6.1');
  const rows = await measure(kernel, SMALL ? await resolve(SMALL) : undefined);
  rows.push(...(await measureLong()));
  if (SUITE) rows.push(...(await suiteRows(join(scratch, 'runs'), timed, daxrepro)));
  rows.push(...(await otherToolRows(kernel.image, timed)));
  const text = table(rows, kernel, await memoryOfClone());
  process.stdout.write(text);
  if (process.argv.includes('--write')) {
    mkdirSync(join(root, 'docs'), { recursive: true });
    writeFileSync(join(root, 'docs/speed.md'), DOCUMENT + text);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
