import { open } from 'node:fs/promises';
import { escapeForTerminal } from '../findings/escape.js';
import { FsckReader } from '../findings/fsck.js';
import type { FsckReport } from '../findings/fsck-report.js';
import { EXIT, exitCodeOf, failure, formatFailure, type Outcome, success } from '../outcome.js';
import {
  describeFirst,
  describeOthers,
  describeShared,
  groupFindings,
} from '../report/findings.js';
import { withPatience } from '../report/patience.js';
import { formatBytes } from '../words.js';

export interface FsckCommandOptions {
  json?: boolean;
}

/**
 * `daxrepro fsck <log|->`: the findings in an existing e2fsck or xfs_repair log.
 *
 * @param log a file, or `-` for standard input
 * @returns the exit code: 0 clean, 1 findings or a log that is not complete, 2 no such log
 */
export async function fsckCommand(log: string, options: FsckCommandOptions): Promise<number> {
  const report = await readReport(log);
  if (!report.ok) {
    process.stderr.write(`${escapeLines(formatFailure(report.failure))}\n`);
    return exitCodeOf(report.failure);
  }
  process.stdout.write(`${options.json ? toJson(report.value) : toText(report.value)}\n`);
  return report.value.clean ? EXIT.ok : EXIT.failed;
}

async function readReport(log: string): Promise<Outcome<FsckReport>> {
  const reader = new FsckReader();
  let bytes = 0;
  const read = await withPatience(
    () => `${formatBytes(bytes)} of ${nameOf(log)} read`,
    () =>
      readLog(log, (chunk) => {
        bytes += chunk.length;
        reader.push(chunk);
      }),
  );
  if (!read.ok) return read;
  const report = reader.end();
  if (report) return success(report);
  return failure(
    'unreadable',
    reader.empty ? 'The log is empty' : 'There is no output of e2fsck or xfs_repair in this file',
    'Give the whole output, both streams, of `e2fsck -fn DEVICE` or `xfs_repair -n DEVICE`, in English (LC_ALL=C), or a .full file of xfstests, which has it only where the check failed',
    { place: { file: nameOf(log) } },
  );
}

async function readLog(log: string, push: (chunk: Buffer) => void): Promise<Outcome<void>> {
  try {
    const input = log === '-' ? process.stdin : (await open(log)).createReadStream(READING);
    for await (const chunk of input) push(chunk);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const reason: Record<string, string> = {
      ENOENT: 'there is no such file',
      EACCES: 'permission denied',
      EISDIR: 'it is a directory',
      ENOTDIR: 'a part of the path is not a directory',
    };
    return failure(
      'unreadable',
      `The log cannot be read: ${reason[code] ?? code}`,
      'Name a file that holds the output of e2fsck or xfs_repair, or - for standard input',
      { place: { file: nameOf(log) } },
    );
  }
  return success(undefined);
}

/** Larger pieces than the default: a log of 100 MB is read in two seconds. */
const READING = { highWaterMark: 1 << 18 };

function nameOf(log: string): string {
  return log === '-' ? 'standard input' : log;
}

function toJson({ tool, ...report }: FsckReport): string {
  return JSON.stringify({ schemaVersion: 1, tool, ...report }, undefined, 2);
}

function toText(report: FsckReport): string {
  const groups = groupFindings(report.findings, report.omitted);
  const lines = [headline(report)];
  for (const group of groups) {
    const others = describeOthers(group);
    lines.push(`  ${describeFirst(group.finding)}`);
    if (others !== undefined) lines.push(`    ${others}`);
    lines.push(`    ${escapeForTerminal(group.signature)}`);
  }
  lines.push(...describeShared(groups).map((line) => `  ${line}`));
  if (report.unparsed.length > 0) lines.push('  not understood:');
  for (const line of report.unparsed) lines.push(`    ${escapeForTerminal(line)}`);
  return lines.join('\n');
}

function headline(report: FsckReport): string {
  const program = [report.tool, report.version].filter(Boolean).join(' ');
  const omitted = report.omitted ?? [];
  const count = omitted.reduce((sum, one) => sum + one.count, report.findings.length);
  const found = count === 0 ? 'no findings' : count === 1 ? '1 finding' : `${count} findings`;
  if (!report.completed) return `${program}: ${found}; not complete: ${report.reason}`;
  return `${program}: ${report.clean ? 'clean' : 'not clean'}, ${found}`;
}

/** The name of a file may hold anything. */
function escapeLines(text: string): string {
  return text.split('\n').map(escapeForTerminal).join('\n');
}
