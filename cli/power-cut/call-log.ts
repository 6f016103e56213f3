import type { CallCounts } from '../record/power-cut.js';
import { readMark, type SyncCall } from './call-marks.js';
import { claimOf, questionsOfCall } from './calls.js';
import type { CutEvent, PowerCutEvent } from './events.js';
import type { Guarantees } from './guarantees.js';
import type { Claims } from './ledger.js';
import type { Lost } from './lost.js';
import { MOST_QUESTIONS } from './questions.js';

/** What is to be looked at of one device at a cut: these states, each with what has to hold of it. */
export interface Judged {
  device: number;
  lost: Lost[];
  states: Map<string, Claims>;
}

const NO_CLAIMS: Claims = { names: [], moves: [] };

/** Of so many cuts at which something is lost all states are looked at; then the one that says whose it is. */
const WITH_ALL_STATES = 32;

/**
 * The sync calls of a guest in their order: what each promises, and of how many it is known whether it
 * was kept. Where nothing that was stored before a call was lost at its return, it was, for all of the
 * device; else it takes the image of a cut right there to tell whose the lines are.
 */
export class CallLog {
  /** Devices whose file system is mounted: that of TEST_DEV was when it all began. */
  readonly #mounted = new Set([0]);
  readonly #counts: CallCounts = { seen: 0, unpromised: 0, changed: 0, beyond: 0 };
  /** The last call that returned with lost lines, until the images of a cut are asked for all of them. */
  #open: { lines: number | undefined } | undefined;
  #last: SyncCall | undefined;
  #cutsWithLost = 0;
  #isComplete = false;

  private constructor(readonly guarantees: Guarantees) {}

  /** What the kernel's witness begins with: `calls`. Undefined where a program tells of its promises. */
  static begin(label: string, guarantees: Guarantees): CallLog | undefined {
    return label === 'calls' ? new CallLog(guarantees) : undefined;
  }

  /** @returns false where this is no call */
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

  /** Other marks of the witness. @returns why they cannot be used, in one clause */
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

  /** Whether the kernel has said that it watched all calls. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  #promises({ by }: SyncCall): boolean {
    return this.guarantees.sync || (by !== 'sync' && by !== 'syncfs');
  }

  /** After a call the device that it was on; else each that is mounted: what is not is in nobody's care. */
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
   * Whether the images of this cut can be asked for every line that the call lost. Where they cannot, the
   * call stays open, and counts as one that was not judged.
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

  /** The last call was on a file system that owes something else. */
  disown(): void {
    if (!this.#last) return;
    this.#last = undefined;
    this.#open = undefined;
    this.#counts.unpromised += 1;
  }

  /** No cut came after a call that wanted one. */
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
