import { open } from 'node:fs/promises';
import { escapeForTerminal } from '../findings/escape.js';
import type { Finding } from '../findings/finding.js';
import { parseFsck } from '../findings/fsck.js';
import type { FsckReport } from '../findings/fsck-report.js';
import { EXIT, exitCodeOf, failure, formatFailure, type Outcome, success } from '../outcome.js';

/** Bytes. A log of more is no log. */
const LARGEST = 256 * 1024 * 1024;

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
  const text = await readLog(log);
  if (!text.ok) return text;
  const report = parseFsck(text.value);
  if (report) return success(report);
  return failure(
    'unreadable',
    text.value.trim() === '' ? 'The log is empty' : 'This is no log of e2fsck or xfs_repair',
    'Give the whole output, both streams, of `e2fsck -fn DEVICE` or `xfs_repair -n DEVICE`, in English (LC_ALL=C)',
    { place: { file: nameOf(log) } },
  );
}

async function readLog(log: string): Promise<Outcome<string>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    const input = log === '-' ? process.stdin : (await open(log)).createReadStream();
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > LARGEST) return tooLarge(log);
      chunks.push(bytes);
    }
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
  return success(Buffer.concat(chunks).toString('utf8'));
}

function tooLarge(log: string) {
  return failure(
    'unreadable',
    'This is no log of e2fsck or xfs_repair: it is larger than 256 MiB',
    'Cut it to the output of one check',
    { place: { file: nameOf(log) } },
  );
}

function nameOf(log: string): string {
  return log === '-' ? 'standard input' : log;
}

function toJson({ tool, ...report }: FsckReport): string {
  return JSON.stringify({ schemaVersion: 1, tool, ...report }, undefined, 2);
}

function toText(report: FsckReport): string {
  const lines = [headline(report)];
  for (const finding of report.findings) {
    lines.push(`  ${describe(finding)}`, `    ${escapeForTerminal(finding.signature)}`);
  }
  if (report.unparsed.length > 0) lines.push('  not understood:');
  for (const line of report.unparsed) lines.push(`    ${escapeForTerminal(line)}`);
  return lines.join('\n');
}

function headline(report: FsckReport): string {
  const program = [report.tool, report.version].filter(Boolean).join(' ');
  const count = report.findings.length;
  const found = count === 0 ? 'no findings' : count === 1 ? '1 finding' : `${count} findings`;
  if (!report.completed) return `${program}: ${found}; not complete: ${report.reason}`;
  return `${program}: ${report.clean ? 'clean' : 'not clean'}, ${found}`;
}

function describe({ tool, pass, severity, message }: Finding): string {
  const step = pass === undefined ? '' : ` ${tool === 'e2fsck' ? 'pass' : 'phase'} ${pass}`;
  return `${severity}${step}: ${escapeForTerminal(message)}`;
}

/** The name of a file may hold anything. */
function escapeLines(text: string): string {
  return text.split('\n').map(escapeForTerminal).join('\n');
}
