import { escapeForTerminal } from '../findings/escape.js';
import { KernelLogReader, type KernelLogReport } from '../findings/kernel-log-report.js';
import { EXIT, exitCodeOf, failure, type Outcome, success } from '../outcome.js';
import {
  describeFirst,
  describeOthers,
  type FindingGroup,
  groupFindings,
} from '../report/findings.js';
import { nameOfLog, printFailure, readLog } from './read-log.js';

export interface LogCommandOptions {
  json?: boolean;
}

/**
 * `daxrepro log <log|->`: the findings in an existing kernel log.
 *
 * @param log a file, or `-` for standard input
 * @returns the exit code: 0 clean, 1 findings or lines that are missing, 2 no such log
 */
export async function logCommand(log: string, options: LogCommandOptions): Promise<number> {
  const report = await readReport(log);
  if (!report.ok) {
    printFailure(report.failure);
    return exitCodeOf(report.failure);
  }
  process.stdout.write(`${options.json ? toJson(report.value) : toText(report.value)}\n`);
  return report.value.clean ? EXIT.ok : EXIT.failed;
}

async function readReport(log: string): Promise<Outcome<KernelLogReport>> {
  const reader = new KernelLogReader();
  const read = await readLog(log, NAME_A_LOG, (chunk) => reader.push(chunk));
  if (!read.ok) return read;
  const report = reader.end();
  if (report) return success(report);
  const place = { place: { file: nameOfLog(log) } };
  if (reader.isCheck) {
    return failure(
      'unreadable',
      'This file has the output of a file-system check, and no lines of the kernel',
      'Use `daxrepro fsck` for it',
      place,
    );
  }
  return failure(
    'unreadable',
    reader.empty ? 'The log is empty' : 'There are no lines of the kernel in this file',
    'Give the output of `dmesg` or `journalctl -k`, or a console log',
    place,
  );
}

const NAME_A_LOG = "Name a file that holds a kernel's log, or - for standard input";

function toJson({ tool, ...report }: KernelLogReport): string {
  return JSON.stringify({ schemaVersion: 1, tool, ...report }, undefined, 2);
}

function toText(report: KernelLogReport): string {
  const groups = groupFindings(report.findings, report.omitted);
  return [headline(report), ...groups.flatMap(describeGroup)].join('\n');
}

function headline({ release, clean, completed, reason, findings, omitted = [] }: KernelLogReport) {
  const kernel = escapeForTerminal(['kernel', release].filter(Boolean).join(' '));
  const count = omitted.reduce((sum, one) => sum + one.count, findings.length);
  const found = count === 0 ? 'no findings' : count === 1 ? '1 finding' : `${count} findings`;
  if (!completed) return `${kernel}: ${found}; not complete: ${reason}`;
  return `${kernel}: ${clean ? 'clean' : 'not clean'}, ${found}`;
}

function describeGroup(group: FindingGroup): string[] {
  const { kind, function: name, module } = group.finding;
  const others = describeOthers(group);
  const place =
    name === undefined ? '' : ` in ${name}${module === undefined ? '' : ` [${module}]`}`;
  return [
    `  ${describeFirst(group.finding)}`,
    `    ${escapeForTerminal(`${kind}${place}`)}`,
    ...(others === undefined ? [] : [`    ${others}`]),
    `    ${escapeForTerminal(group.signature)}`,
  ];
}
