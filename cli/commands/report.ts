import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { parseChoice } from '../options.js';
import { EXIT, failure, type Outcome, success } from '../outcome.js';
import { formatReport, type ReportStyle, shownTogether } from '../report/format.js';
import { FORMATS, type Format } from '../report/formats.js';
import { kcidbOptions } from '../report/kcidb/options.js';
import { makeReporter } from '../report/reporter.js';
import { type KeptResult, readResult } from '../results/read.js';
import { writeWhole } from '../results/run-directory.js';
import { formatBytes } from '../words.js';
import { explain, sayNewest, terminalWidth, wantsColour } from './session.js';

export interface ReportOptions {
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
  const shown = shownTogether(kept.value);
  const style: ReportStyle = {
    width: output === undefined ? terminalWidth() : 100,
    colour: output === undefined && wantsColour(),
    from: process.cwd(),
    kcidb: kcidb.value,
  };
  const text = formatReport(format.value, shown, style);
  if (format.value === 'github') {
    const summary = addJobSummary(formatReport('markdown', shown, style));
    if (!summary.ok) return explain(summary.failure);
  }
  if (output === undefined) {
    process.stdout.write(`${text}\n`);
    return EXIT.ok;
  }
  const written = write(output, `${text}\n`);
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

function formatOf({ format, output }: ReportOptions): Outcome<Format> {
  if (format !== undefined) return parseChoice('--format', format, FORMATS);
  const extension = output === undefined ? '' : extname(output).toLowerCase();
  return success(EXTENSIONS[extension] ?? 'terminal');
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

/** Appends to the file that GitHub shows on the page of the job. Several steps may do so. */
function addJobSummary(markdown: string): Outcome<void> {
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (!file) {
    process.stderr.write('daxrepro: no job summary: GITHUB_STEP_SUMMARY is not set\n');
    return success(undefined);
  }
  return writing(file, () => appendFileSync(file, `${markdown}\n`));
}

function write(output: string, text: string): Outcome<void> {
  return writing(output, () => {
    // Write into a device or a pipe; replace a file.
    const other = statSync(output, { throwIfNoEntry: false })?.isFile() === false;
    if (other) writeFileSync(output, text);
    else writeWhole(resolve(output), text);
  });
}

function writing(file: string, action: () => void): Outcome<void> {
  try {
    action();
    return success(undefined);
  } catch (error) {
    return failure(
      'usage',
      `The report cannot be written: ${(error as Error).message}`,
      'Give a file in an existing directory that you can write to',
      { place: { file } },
    );
  }
}
