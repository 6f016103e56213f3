import { readFileSync, writeFileSync } from 'node:fs';
import { isHead, recognize } from '../../cli/findings/kernel-grammar.js';
import type { KernelMessage } from './extract.js';
import { instantiate } from './instantiate.js';

/** messages.tsv: every message that the kernel can print, and what the parser has to make of it. */

export interface Row extends KernelMessage {
  /** Series like `6.1` that have it. */
  kernels: string[];
  /** `harmless`, or kind and severity: `io-error corruption`. `?` where nobody has decided. */
  meaning: string;
}

const FILE = new URL('messages.tsv', import.meta.url);
/** Different values are filled in, so that no meaning depends on one. */
const ROUNDS = 4;

export function readTable(): Row[] {
  const lines = readFileSync(FILE, 'utf8').trimEnd().split('\n').slice(1);
  return lines.map((line) => {
    const [subsystem = '', level = '', kernels = '', meaning = '', format = ''] = line.split('\t');
    return {
      subsystem,
      level: level as Row['level'],
      kernels: kernels.split(','),
      meaning,
      format,
    };
  });
}

export function writeTable(rows: readonly Row[]): void {
  const lines = rows
    .map(({ subsystem, level, kernels, meaning, format }) =>
      [subsystem, level, kernels.join(','), meaning, format].join('\t'),
    )
    .sort();
  writeFileSync(FILE, `subsystem\tlevel\tkernels\tmeaning\tformat\n${lines.join('\n')}\n`);
}

export function keyOf({ subsystem, level, format }: KernelMessage): string {
  return [subsystem, level, format].join('\t');
}

/** The lines that a message may become. */
export function linesOf({ format, subsystem }: KernelMessage): string[] {
  return Array.from({ length: ROUNDS }, (_, round) => instantiate(format, subsystem, round));
}

/** What the parser makes of a message: one meaning, or several joined by ` / ` where it cannot be right. */
export function meaningOf(message: KernelMessage): string {
  const meanings = linesOf(message).map((line) => {
    const rule = recognize(line, true)?.rule;
    if (!rule) return '?';
    return isHead(rule) ? `${rule.kind} ${rule.severity}` : 'harmless';
  });
  return [...new Set(meanings)].join(' / ');
}
