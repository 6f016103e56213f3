import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './programs.js';

/** Puts programs and bare.S together to an image that QEMU starts. */

export const PMEM = { start: 0x10000000, size: 4 * 1024 * 1024 };
export const MEMORY = 320 * 1024 * 1024;
const PAGE = 4096;

const BARE = new URL('bare.S', import.meta.url);

/** Assembler text: a function for each program, its parts for CPU 1 beside it, and their list. */
export function assemblerText(programs: readonly Program[]): string {
  const functions = programs.map(({ code }, number) => {
    const aside: string[] = [];
    const text = code.map((part, index) => {
      const lines = (typeof part === 'string' ? part : part.onCpu1).replaceAll(
        'PAGE',
        `pmem + ${number * PAGE}`,
      );
      if (typeof part === 'string') return `site_${number}_${index}: ${lines}`;
      aside.push(`aside_${number}_${index}: ${lines}\nret`);
      return `mov $aside_${number}_${index}, %eax; call on_cpu_1`;
    });
    return [`program_${number}:`, ...text, 'ret', ...aside].join('\n');
  });
  const names = programs.map(
    ({ name }, number) => `name_${number}: .ascii ${JSON.stringify(name)}`,
  );
  const list = programs.map(
    ({ name }, number) => `.quad program_${number}, name_${number}, ${name.length}`,
  );
  return [
    `#include "${BARE.pathname}"`,
    ...functions,
    '.data',
    ...names,
    '.balign 8',
    'program_list:',
    ...list,
    '.quad 0\n',
  ].join('\n');
}

/** @returns the image's path */
export function assemble(
  programs: readonly Program[],
  directory: string,
  { fiveLevels = false } = {},
): string {
  const [source, object, image] = ['programs.S', 'programs.o', 'programs.elf'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  writeFileSync(source, assemblerText(programs));
  execFileSync('gcc', ['-c', ...(fiveLevels ? ['-DLA57'] : []), '-o', object, source]);
  execFileSync(
    'ld',
    [
      ...['-n', '-Ttext=0x100000', '--build-id=none', '-e', 'start32'],
      ...[`--defsym=pmem=${PMEM.start}`, '-z', 'noexecstack', '-o', image, object],
    ],
    // Newer ones warn of a segment that is written to and executed.
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return image;
}

/** Addresses of the image's symbols. */
export function symbols(image: string): Map<string, number> {
  const text = execFileSync('nm', [image], { encoding: 'utf8' });
  return new Map(
    [...text.matchAll(/^([0-9a-f]+) \w (\S+)$/gm)].map(([, address = '', name = '']) => [
      name,
      Number.parseInt(address, 16),
    ]),
  );
}

/** What makes a machine of it, but for the plugin. */
export function machine(image: string, memoryFile: string): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', 'q35,accel=tcg,memory-backend=memory', '-cpu', 'max', '-smp', '2'],
    ...['-m', `${MEMORY / 1024 / 1024}M`],
    ...['-object', `memory-backend-file,id=memory,size=${MEMORY},share=on,mem-path=${memoryFile}`],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel', image],
  ];
}
