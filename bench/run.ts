/**
 * `npm run bench`: how long a warm run takes, as a ratio to a bare boot of the same kernel, all
 * measured in one go on one machine. Absolute times depend on the machine; ratios should not.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Kernel, resolveKernel } from '../cli/kernel/kernel.js';
import { runTool } from '../cli/process/child.js';
import { defaultStore } from '../cli/store/store.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'daxrepro-bench-'));

interface Row {
  what: string;
  /** Seconds, one of each round. */
  times: number[];
}

async function timed(argv: [string, ...string[]]): Promise<number> {
  const started = performance.now();
  const result = await runTool(argv, { cwd: root, timeout: 300_000 });
  if (!result.ok) throw new Error(`${result.summary}\n${result.all.slice(-2000)}`);
  return (performance.now() - started) / 1000;
}

/** An initramfs with nothing but an init that switches off. */
async function bareInitramfs(): Promise<string> {
  const init = join(scratch, 'init');
  const source = join(root, 'bench/poweroff.c');
  await timed(['gcc', '-static', '-nostdlib', '-ffreestanding', '-O2', '-o', init, source]);
  const description = join(scratch, 'content.mtree');
  writeFileSync(description, `#mtree\n./init type=file mode=755 uid=0 gid=0 contents=${init}\n`);
  const file = join(scratch, 'initramfs');
  await timed(['bsdtar', '--format=newc', '-cf', file, `@${description}`]);
  return file;
}

/** A plain QEMU command as anybody would type it. */
function bareBoot(image: string, initramfs: string): [string, ...string[]] {
  return [
    'qemu-system-x86_64',
    ...['-nodefaults', '-display', 'none', '-serial', 'null', '-no-reboot'],
    ...['-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '1024M'],
    ...['-kernel', image, '-initrd', initramfs],
    ...['-append', 'console=ttyS0 quiet panic=-1'],
  ];
}

async function measure(kernel: Kernel): Promise<Row[]> {
  const initramfs = await bareInitramfs();
  const daxrepro = (...words: string[]): [string, ...string[]] => [
    './daxrepro',
    'run',
    ...words,
    '--accel',
    'tcg',
  ];
  const cases: [string, [string, ...string[]]][] = [
    ['bare boot to power-off, the packaged image', bareBoot(kernel.image, initramfs)],
    ['bare boot to power-off, entered directly', bareBoot(kernel.bootImage, initramfs)],
    ['daxrepro run ext2 generic/002', daxrepro('ext2', 'generic/002')],
    ['daxrepro run ext4 generic/002', daxrepro('ext4', 'generic/002')],
    ['daxrepro run xfs generic/002', daxrepro('xfs', 'generic/002')],
    [
      'daxrepro run ext2 generic/002 --pmem nvdimm',
      daxrepro('ext2', 'generic/002', '--pmem', 'nvdimm'),
    ],
    ['daxrepro run ext2 generic/002 --dry-run', daxrepro('ext2', 'generic/002', '--dry-run')],
    ['daxrepro --version', ['./daxrepro', '--version']],
  ];
  const rows: Row[] = cases.map(([what]) => ({ what, times: [] }));
  // Once to warm caches up, not counted; then by turns, so that a slow moment of the machine hits all.
  for (const [, argv] of cases) await timed(argv);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, [what, argv]] of cases.entries()) {
      process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${what}\n`);
      rows[index]?.times.push(await timed(argv));
    }
  }
  return rows;
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function print(rows: readonly Row[], kernel: Kernel): void {
  const floor = median(rows[0]?.times ?? []);
  const processor = cpus()[0]?.model ?? 'unknown processor';
  process.stdout.write(
    `${kernel.release}, ${availableParallelism()} × ${processor}, emulation (tcg), median of ${ROUNDS}\n\n`,
  );
  process.stdout.write(
    '| what | seconds | least to most | × bare boot |\n| --- | ---: | ---: | ---: |\n',
  );
  for (const { what, times } of rows) {
    const middle = median(times);
    const range = `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}`;
    process.stdout.write(
      `| ${what} | ${middle.toFixed(2)} | ${range} | ${(middle / floor).toFixed(2)} |\n`,
    );
  }
}

try {
  const kernel = await resolveKernel('debian:6.1', {
    store: defaultStore(),
    progress: () => {},
  });
  if (!kernel.ok) throw new Error(kernel.failure.message);
  print(await measure(kernel.value), kernel.value);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
