import { escapeForTerminal } from '../findings/escape.js';
import type { Unit } from '../plan/unit.js';
import { unitName } from '../plan/unit.js';
import type { ProgressEvent } from '../progress.js';
import type { UnitResult } from '../results/run-result.js';
import type { EngineObserver } from '../run/engine.js';
import { estimateAll } from '../statistics/estimate.js';
import { formatSeconds } from '../words.js';

/**
 * Progress on stderr: one line that is overwritten on a terminal, plain lines elsewhere. Nothing else
 * prints while a command works.
 */
export interface Reporter extends EngineObserver {
  progress(event: ProgressEvent): void;
  /** Announces the number of units, and how long each takes if known. */
  expect(units: number, estimate?: Estimate): void;
  /** Ends the progress and clears its line. */
  end(): void;
}

export interface Estimate {
  /** Of each unit, in order; undefined if it never ran. */
  seconds: readonly (number | undefined)[];
  /** Units that run in parallel. */
  jobs: number;
}

export function makeReporter(stream: NodeJS.WriteStream = process.stderr): Reporter {
  const smart = stream.isTTY && process.env['TERM'] !== 'dumb';
  return smart ? new TerminalReporter(stream) : new PlainReporter(stream);
}

function resultLine(result: UnitResult): string {
  const attempt = result.attempt > 1 ? ` (attempt ${result.attempt})` : '';
  return `${result.verdict} ${unitName({ ...result, askedKernel: result.kernel.asked })}${attempt} in ${formatSeconds(result.durationSeconds)}${
    result.verdict === 'pass' ? '' : `: ${escapeForTerminal(result.reason)}`
  }`;
}

/** Notes are printed once, however many kernels or guests they hold for. */
class Notes {
  readonly #printed = new Set<string>();

  isNew(text: string): boolean {
    const { size } = this.#printed;
    return this.#printed.add(text).size > size;
  }
}

class PlainReporter implements Reporter {
  #units = 0;
  #finished = 0;
  readonly #notes = new Notes();

  constructor(readonly stream: NodeJS.WriteStream) {}

  expect(units: number, estimate?: Estimate): void {
    this.#units = units;
    const all = estimate && estimateAll(estimate.seconds);
    if (!all || units < 2) return;
    const unknown = estimate.seconds.filter((one) => one === undefined).length;
    const guessed = unknown > 0 ? `; ${unknown} of them never ran here` : '';
    this.#say(`${units} units, about ${formatSeconds(all / estimate.jobs)}${guessed}`);
  }

  progress(event: ProgressEvent): void {
    if (event.type === 'stage' || (event.type === 'note' && this.#notes.isNew(event.text))) {
      this.#say(event.text);
    }
  }

  unitStarted(): void {}

  unitStep(): void {}

  unitFinished(result: UnitResult): void {
    this.#finished += 1;
    if (this.#units > 1) this.#say(`[${this.#finished}/${this.#units}] ${resultLine(result)}`);
  }

  end(): void {}

  #say(text: string): void {
    this.stream.write(`daxrepro: ${safe(text)}\n`);
  }
}

/** Milliseconds between two updates of the line. */
const PAINTING = 100;

class TerminalReporter implements Reporter {
  readonly #notes = new Notes();
  #units = 0;
  #finished = 0;
  #failed = 0;
  #firstFinished = 0;
  #line = '';
  #since = performance.now();
  #estimate: Estimate | undefined;
  readonly #over = new Set<number>();
  readonly #running = new Map<number, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly stream: NodeJS.WriteStream) {}

  expect(units: number, estimate?: Estimate): void {
    this.#units = units;
    this.#estimate = estimate;
  }

  progress(event: ProgressEvent): void {
    switch (event.type) {
      case 'note':
        if (this.#notes.isNew(event.text)) this.#print(event.text);
        break;
      case 'stage':
        this.#since = performance.now();
        this.#show(event.text);
        break;
      case 'detail':
        this.#show(event.text);
    }
  }

  unitStarted(unit: Unit, index: number): void {
    this.unitStep(unit, index, 'boot');
  }

  unitStep(unit: Unit, index: number, step: string): void {
    if (this.#running.size === 0) this.#since = performance.now();
    this.#running.set(index, `${unitName(unit)}: ${step}`);
    this.#showUnits();
  }

  unitFinished(result: UnitResult, index: number): void {
    this.#running.delete(index);
    this.#over.add(index);
    if (this.#finished === 0) this.#firstFinished = performance.now();
    this.#finished += 1;
    if (result.verdict === 'fail') this.#failed += 1;
    if (this.#units > 1) this.#print(resultLine(result));
    this.#showUnits();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.stream.write('\r\x1b[K');
  }

  #showUnits(): void {
    const counts =
      this.#units > 1
        ? `${this.#finished}/${this.#units}${this.#failed > 0 ? `, ${this.#failed} failed` : ''}${this.#left()}  `
        : '';
    this.#show(`${counts}${[...this.#running.values()].join('  ')}`);
  }

  /**
   * An estimate of the remaining time: from earlier durations of the tests, else from the finished units.
   * The first unit is left out, because it is slower.
   */
  #left(): string {
    const { seconds = [], jobs = 1 } = this.#estimate ?? {};
    const all = estimateAll(seconds);
    if (all !== undefined) {
      const mean = all / seconds.length;
      const rest = seconds.reduce<number>(
        (sum, one, index) => (this.#over.has(index) ? sum : sum + (one ?? mean)),
        0,
      );
      return `, about ${formatSeconds(rest / jobs)} left`;
    }
    if (this.#finished < 2) return '';
    const each = (performance.now() - this.#firstFinished) / (this.#finished - 1);
    return `, ${formatSeconds((each * (this.#units - this.#finished)) / 1000)} left`;
  }

  #show(text: string): void {
    this.#line = text;
    // A timer updates the line: it keeps moving, and cannot flood the terminal.
    this.#timer ??= setInterval(() => this.#paint(), PAINTING).unref();
  }

  #paint(): void {
    const elapsed = formatSeconds((performance.now() - this.#since) / 1000);
    const width = (this.stream.columns ?? 80) - 1;
    this.stream.write(`\r\x1b[K${`${elapsed}  ${escapeForTerminal(this.#line)}`.slice(0, width)}`);
  }

  #print(text: string): void {
    this.stream.write(`\r\x1b[K${safe(text)}\n`);
  }
}

/** Escapes our own messages line by line. Guest text has its line ends escaped before. */
function safe(text: string): string {
  return text.split('\n').map(escapeForTerminal).join('\n');
}
