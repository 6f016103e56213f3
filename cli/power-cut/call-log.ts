import type { CallCounts } from '../record/power-cut.js';
import { readMark, type SyncCall } from './call-marks.js';
import { claimOf, questionsOfCall } from './calls.js';
import type { CutEvent, PowerCutEvent } from './events.js';
import type { Guarantees } from './guarantees.js';
import type { Claims } from './ledger.js';
import type { Lost } from './lost.js';
import { MOST_QUESTIONS } from './questions.js';

/** What to examine of one device at a cut: these states, each with what must hold of it. */
export interface Judged {
  device: number;
  lost: Lost[];
  states: Map<string, Claims>;
}

const NO_CLAIMS: Claims = { names: [], moves: [] };

/** At so many cuts with losses all states are examined; later only the one that shows which file lost data. */
const WITH_ALL_STATES = 32;

/**
 * The sync calls of a guest in their order: what each one promises, and for how many it is known whether the
 * promise was kept. If nothing that was stored before a call was lost at its return, the promise was kept,
 * for all of the device. Otherwise the image of a cut at the return has to show which file owns the lost lines.
 */
export class CallLog {
  /** Devices whose file system is mounted. That of TEST_DEV was mounted at the beginning. */
  readonly #mounted = new Set([0]);
  readonly #counts: CallCounts = { seen: 0, unpromised: 0, changed: 0, beyond: 0 };
  /** The last call that returned with lost lines, until the images of a cut have been asked for all of them. */
  #open: { lines: number | undefined } | undefined;
  #last: SyncCall | undefined;
  #cutsWithLost = 0;
  #isComplete = false;

  private constructor(readonly guarantees: Guarantees) {}

  /** The first mark of the kernel's witness: `calls`. Undefined if a program announces its promises. */
  static begin(label: string, guarantees: Guarantees): CallLog | undefined {
    return label === 'calls' ? new CallLog(guarantees) : undefined;
  }

  /** @returns false if this is not a call */
  returned(event: Extract<PowerCutEvent, { event: 'return' }>): boolean {
    this.#giveUp();
    const call = readMark(event.text);
    this.#last = undefined;
    if (call?.kind !== 'call') return false;
    // A call on a file shows that its file system is mounted.
    if (call.device !== undefined) this.#mounted.add(call.device);
    this.#counts.seen += 1;
    const lost = event.lost > 0 || !event.known;
    if (!this.#promises(call)) this.#counts.unpromised += 1;
    else if (lost && !call.kept) this.#counts.changed += 1;
    else this.#last = call;
    if (lost && this.#last) this.#open = { lines: event.known ? event.lost : undefined };
    return true;
  }

  /** The other marks of the witness. @returns why they cannot be used, in one clause */
  told(text: string): string | undefined {
    const mark = readMark(text);
    switch (mark?.kind) {
      case 'mounted':
        this.#mounted.add(mark.device);
        return undefined;
      case 'unmounting':
        this.#mounted.delete(mark.device);
        return undefined;
      case 'calls':
        this.#isComplete = true;
        return mark.missed > 0
          ? `the kernel missed ${mark.missed} calls that were to be seen`
          : undefined;
      default:
        return 'the guest made a mark that is none of ours';
    }
  }

  /** Whether the kernel has confirmed that it observed all calls. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  #promises({ by }: SyncCall): boolean {
    return this.guarantees.sync || (by !== 'sync' && by !== 'syncfs');
  }

  /** After a call: its device. Otherwise each mounted device: unmounted ones have no guarantees. */
  judge(cut: CutEvent, lost: readonly Lost[]): Judged[] {
    const call = cut.cause === 'call' ? this.#last : undefined;
    const devices = call?.device === undefined ? [...this.#mounted].sort() : [call.device];
    const states = this.#statesOf(cut);
    const asked = call !== undefined && this.#canAsk(call, devices, lost);
    if (asked) this.#open = undefined;
    return devices.map((device) => {
      const own = lost.filter(({ range }) => range === device);
      const claims = (state: string): Claims => {
        if (!call) return NO_CLAIMS;
        const named = asked && state === 'everything' ? own : [];
        return { ...NO_CLAIMS, call: claimOf(call, this.guarantees.fsyncKeepsName, named) };
      };
      return { device, lost: own, states: new Map(states.map((state) => [state, claims(state)])) };
    });
  }

  /**
   * Whether the images of this cut can be asked for every line that the call lost. If they cannot, the call
   * stays open and counts as not judged.
   */
  #canAsk(call: SyncCall, devices: readonly number[], lost: readonly Lost[]): boolean {
    if (!this.#open) return true;
    const before = lost.filter(({ before }) => before);
    const lines = before
      .filter(({ range }) => call.device === undefined || range === call.device)
      .reduce((sum, run) => sum + run.lines, 0);
    if (lines !== this.#open.lines) return false;
    return devices.every((device) => {
      const own = before.filter(({ range }) => range === device);
      const { length } = questionsOfCall(claimOf(call, this.guarantees.fsyncKeepsName, own));
      return length <= MOST_QUESTIONS;
    });
  }

  #statesOf({ cause, states }: CutEvent): string[] {
    if (cause !== 'call' || !this.#open) return states;
    this.#cutsWithLost += 1;
    return this.#cutsWithLost <= WITH_ALL_STATES
      ? states
      : states.filter((state) => state === 'everything');
  }

  /** The last call was on a file system with other guarantees. */
  disown(): void {
    if (!this.#last) return;
    this.#last = undefined;
    this.#open = undefined;
    this.#counts.unpromised += 1;
  }

  /** No cut followed a call that needed one. */
  #giveUp(): void {
    if (!this.#open) return;
    this.#counts.beyond += 1;
    this.#open = undefined;
  }

  count(): { promises: number; calls: CallCounts } {
    this.#giveUp();
    const { seen, unpromised, changed, beyond } = this.#counts;
    return { promises: seen - unpromised - changed - beyond, calls: { ...this.#counts } };
  }
}
