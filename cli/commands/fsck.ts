import { escapeForTerminal } from '../findings/escape.js';
import { FsckReader } from '../findings/fsck.js';
import type { FsckReport } from '../findings/fsck-report.js';
import { EXIT, exitCodeOf, failure, type Outcome, success } from '../outcome.js';
import {
  describeFirst,
  describeOthers,
  describeShared,
  groupFindings,
} from '../report/findings.js';
import { nameOfLog, printFailure, readLog } from './read-log.js';

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
    printFailure(report.failure);
    return exitCodeOf(report.failure);
  }
  process.stdout.write(`${options.json ? toJson(report.value) : toText(report.value)}\n`);
  return report.value.clean ? EXIT.ok : EXIT.failed;
}

async function readReport(log: string): Promise<Outcome<FsckReport>> {
  const reader = new FsckReader();
  const read = await readLog(log, NAME_A_LOG, (chunk) => reader.push(chunk));
  if (!read.ok) return read;
  const report = reader.end();
  if (report) return success(report);
  return failure(
    'unreadable',
    reader.empty ? 'The log is empty' : 'There is no output of e2fsck or xfs_repair in this file',
    'Give the whole output, both streams, of `e2fsck -fn DEVICE` or `xfs_repair -n DEVICE`, in English (LC_ALL=C), or a .full file of xfstests, which has it only where the check failed',
    { place: { file: nameOfLog(log) } },
  );
}

const NAME_A_LOG =
  'Name a file that holds the output of e2fsck or xfs_repair, or - for standard input';

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
