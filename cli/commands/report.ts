import { extname } from 'node:path';
import { parseChoice } from '../options.js';
import { EXIT, type Outcome, success } from '../outcome.js';
import { formatReport, type ReportStyle, shownTogether } from '../report/format.js';
import { FORMATS, type Format } from '../report/formats.js';
import { kcidbOptions } from '../report/kcidb/options.js';
import { type ReplyOptions, replyOf } from '../report/mail-headers.js';
import { makeReporter } from '../report/reporter.js';
import { addJobSummary, writeReport } from '../report/write-file.js';
import { type KeptResult, readResult } from '../results/read.js';
import { formatBytes } from '../words.js';
import { explain, sayNewest, terminalWidth, wantsColour } from './session.js';

export interface ReportOptions extends ReplyOptions {
  format?: string;
  output?: string;
  origin?: string;
  artifactsUrl?: string;
}

/**
 * `daxrepro report [run...]`. Returns 0 if the report was written, whatever the results are; 2 if there
 * is no such run or format, or the file cannot be written.
 */
export async function reportCommand(names: string[], options: ReportOptions): Promise<number> {
  const format = formatOf(options);
  if (!format.ok) return explain(format.failure);
  const kept = readResults(names);
  if (!kept.ok) return explain(kept.failure);
  const [{ directory }] = kept.value;
  if (names.length === 0) sayNewest(directory, { reporter: makeReporter() });
  const { output } = options;
  const kcidb = await kcidbOptions(format.value, kept.value, options);
  if (!kcidb.ok) return explain(kcidb.failure);
  const reply = replyOf(options);
  if (!reply.ok) return explain(reply.failure);
  const shown = shownTogether(kept.value);
  const style: ReportStyle = {
    width: output === undefined ? terminalWidth() : 100,
    colour: output === undefined && wantsColour(),
    from: process.cwd(),
    kcidb: kcidb.value,
    reply: reply.value,
  };
  const text = formatReport(format.value, shown, style);
  if (format.value === 'github') {
    const added = addJobSummary(formatReport('markdown', shown, style));
    if (!added.ok) return explain(added.failure);
    if (!added.value) {
      process.stderr.write('daxrepro: no job summary: GITHUB_STEP_SUMMARY is not set\n');
    }
  }
  if (output === undefined) {
    process.stdout.write(`${text}\n`);
    return EXIT.ok;
  }
  const written = writeReport(output, `${text}\n`);
  if (!written.ok) return explain(written.failure);
  process.stderr.write(`daxrepro: ${output}: ${formatBytes(Buffer.byteLength(text) + 1)}\n`);
  return EXIT.ok;
}

/** Formats by file extension. */
const EXTENSIONS: Record<string, Format> = {
  '.xml': 'junit',
  '.eml': 'mail',
  '.md': 'markdown',
  '.tap': 'tap',
  '.ktap': 'ktap',
  '.html': 'html',
  '.htm': 'html',
};

function formatOf({ format, output, inReplyTo, replyTo }: ReportOptions): Outcome<Format> {
  if (format !== undefined) return parseChoice('--format', format, FORMATS);
  const extension = output === undefined ? '' : extname(output).toLowerCase();
  const reply = inReplyTo !== undefined || replyTo !== undefined;
  return success(EXTENSIONS[extension] ?? (reply ? 'mail' : 'terminal'));
}

function readResults(names: readonly string[]): Outcome<[KeptResult, ...KeptResult[]]> {
  const first = readResult(names[0]);
  if (!first.ok) return first;
  const kept: [KeptResult, ...KeptResult[]] = [first.value];
  for (const name of names.slice(1)) {
    const next = readResult(name);
    if (!next.ok) return next;
    if (!kept.some(({ directory }) => directory === next.value.directory)) kept.push(next.value);
  }
  return success(kept);
}
