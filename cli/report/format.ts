import type { KeptResult } from '../results/read.js';
import { formatBisectionMail } from './bisect-mail.js';
import { formatBisectionForTerminal } from './bisect-text.js';
import { formatMail } from './compare-mail.js';
import { formatComparison } from './compare-text.js';
import type { Format } from './formats.js';
import { formatXunit } from './fstests-xunit.js';
import { formatGithub } from './github.js';
import { consoleExcerpts } from './html/excerpts.js';
import { formatHtml } from './html/page.js';
import { formatTestCases } from './junit.js';
import { DEFAULT_ORIGIN, formatKcidb, type KcidbOptions } from './kcidb/document.js';
import { formatKtap } from './ktap.js';
import type { ReplyTo } from './mail-headers.js';
import { formatBisectionMarkdown, formatMatrixMarkdown } from './markdown.js';
import { type KeptMatrix, type Matrix, matrixOf } from './matrix.js';
import { formatSummary } from './summary.js';
import { formatTap } from './tap.js';
import { type TestCase, testCaseOfBisection, testCasesOf } from './test-cases.js';
import { sectionOfBisection, sectionsOfUnits } from './xunit-sections.js';

/** Results in each format. All formats have the same content. */

export interface ReportStyle {
  width: number;
  colour: boolean;
  /** In mail, paths below this directory are shown relative to it. */
  from: string;
  /** When the report is made (default: now). */
  now?: Date;
  /** For mail: what it answers. */
  reply?: ReplyTo | undefined;
  /** For KCIDB. */
  kcidb?: KcidbOptions;
}

export type KeptBisection = Extract<KeptResult, { kind: 'bisect' }>;

/** Results shown together: runs and comparisons as one matrix, and each bisection by itself. */
export interface Shown {
  kept: readonly [KeptResult, ...KeptResult[]];
  matrix: Matrix | undefined;
  bisections: KeptBisection[];
}

export function shownTogether(kept: readonly [KeptResult, ...KeptResult[]]): Shown {
  // Name the present directories: runs may have been moved.
  const here = kept.map((one) => ({
    ...one,
    result: { ...one.result, directory: one.directory },
  })) as [KeptResult, ...KeptResult[]];
  const [first, ...others] = here.filter((one): one is KeptMatrix => one.kind !== 'bisect');
  return {
    kept: here,
    matrix: first && matrixOf([first, ...others]),
    bisections: here.filter((one): one is KeptBisection => one.kind === 'bisect'),
  };
}

/** Ends without a line break. */
export function formatReport(format: Format, shown: Shown, style: ReportStyle): string {
  return WRITERS[format](shown, style);
}

const WRITERS: Record<Format, (shown: Shown, style: ReportStyle) => string> = {
  terminal: ({ kept, matrix, bisections }, style) => {
    const [only, ...others] = kept;
    // A single run looks as it did when it ended.
    if (only.kind === 'run' && others.length === 0) return formatSummary(only.result, style);
    return sections(
      matrix && formatComparison(matrix, style),
      ...bisections.map(({ result }) => formatBisectionForTerminal(result, style)),
    );
  },
  mail: ({ matrix, bisections }, { from, reply }) =>
    // Only the first part has headers.
    sections(
      matrix && formatMail(matrix, { from, reply }),
      ...bisections.map(({ result }, at) =>
        formatBisectionMail(result, matrix || at > 0 ? undefined : reply),
      ),
    ),
  markdown: ({ matrix, bisections }) =>
    sections(
      matrix && formatMatrixMarkdown(matrix),
      ...bisections.map(({ result }) => formatBisectionMarkdown(result)),
    ),
  html: ({ matrix, bisections }) =>
    formatHtml(
      matrix,
      bisections.map(({ result }) => result),
      consoleExcerpts(),
    ),
  tap: (shown) => formatTap(allTestCases(shown)),
  github: (shown) => formatGithub(allTestCases(shown)),
  ktap: (shown) => formatKtap(allTestCases(shown)),
  junit: (shown) => {
    const { started } = shown.kept[0].result;
    const durationSeconds = shown.kept.reduce((sum, { result }) => sum + result.durationSeconds, 0);
    return formatTestCases(allTestCases(shown), { started, durationSeconds }).trimEnd();
  },
  kcidb: ({ kept }, { kcidb = { origin: DEFAULT_ORIGIN, inputs: new Map() } }) =>
    formatKcidb(kept, kcidb),
  'fstests-xunit': ({ kept, matrix, bisections }, { now = new Date() }) =>
    formatXunit(
      [
        ...(matrix ? sectionsOfUnits(matrix, kept) : []),
        ...bisections.map(({ result }) => sectionOfBisection(result)),
      ],
      now,
    ),
};

function sections(...all: (string | undefined)[]): string {
  return all.filter((one) => one !== undefined).join('\n\n\n');
}

function allTestCases({ matrix, bisections }: Shown): TestCase[] {
  return [
    ...(matrix ? testCasesOf(matrix.units) : []),
    ...bisections.map(({ result }) => testCaseOfBisection(result)),
  ];
}
