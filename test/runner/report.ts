import { stringify } from 'yaml';
import type { Failure, FileResult } from './file.js';

/** How many failed assertions of a file the list at the end names. */
const NAMES_PER_FILE = 5;

/** Prints one line per file, more if it failed, and the totals at the end. */
export class Report {
  passed = 0;
  failed = 0;
  readonly #skipped = new Map<string, number>();
  readonly #failed: FileResult[] = [];
  readonly #print: (line: string) => void;
  readonly #begun = performance.now();

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  add(result: FileResult): void {
    const { file, seconds, passed, failures, skipped, output } = result;
    this.passed += passed;
    this.failed += failures.length;
    for (const why of skipped) this.#skipped.set(why, (this.#skipped.get(why) ?? 0) + 1);
    const counts = [
      `${passed} passed`,
      ...(failures.length > 0 ? [`${failures.length} failed`] : []),
      ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
    ];
    const word = failures.length > 0 ? 'FAILED' : 'ok';
    this.#print(
      `${word.padEnd(6)} ${seconds.toFixed(1).padStart(6)} s  ${file}: ${counts.join(', ')}`,
    );
    if (failures.length === 0) return;
    this.#failed.push(result);
    for (const failure of failures) this.#print(indented(describe(failure)));
    if (output.trim() !== '') this.#print(indented(`It printed:\n${output.trimEnd()}`));
  }

  /** The last line has the form that `.ci/run` ends with. */
  end(): void {
    this.#print('');
    if (this.#failed.length > 0) {
      this.#print(['Failed:', ...this.#failed.flatMap(summaryOf), ''].join('\n'));
    }
    const skipped = [...this.#skipped].sort(
      ([why, one], [reason, other]) => other - one || (why < reason ? -1 : 1),
    );
    if (skipped.length > 0) {
      const rows = skipped.map(([why, count]) => `${String(count).padStart(6)}  ${why}`);
      this.#print(['Skipped:', ...rows, ''].join('\n'));
    }
    this.#print(`${((performance.now() - this.#begun) / 1000).toFixed(1)} s`);
    const total = skipped.reduce((sum, [, count]) => sum + count, 0);
    const tail = total > 0 ? `, ${total} skipped` : '';
    this.#print(`${this.passed} passed, ${this.failed} failed${tail}`);
  }
}

/** Says it again at the end, where the reader of a long log looks, even if its middle was cut. */
function summaryOf({ file, failures }: FileResult): string[] {
  const shown = failures
    .slice(0, NAMES_PER_FILE)
    .map((failure) => `    not ok: ${failure.name}${lineOf(failure)}`);
  const more = failures.length - shown.length;
  return [`  ${file}`, ...shown, ...(more > 0 ? [`    and ${more} more`] : [])];
}

function lineOf({ detail }: Failure): string {
  const line = (detail as { at?: { lineNumber?: number } } | undefined)?.at?.lineNumber;
  return line === undefined ? '' : `, line ${line}`;
}

function describe({ name, detail }: Failure): string {
  const more =
    detail === undefined
      ? ''
      : `\n${indented(stringify(detail, { lineWidth: 0, blockQuote: 'literal' }).trimEnd())}`;
  return `not ok: ${name}${more}`;
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ');
}
