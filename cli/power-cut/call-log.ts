import { type CallClaim, claimOf, readMark, type SyncCall } from './calls.js';
import type { CutEvent, Lost, PowerCutEvent } from './events.js';
import type { Guarantees } from './guarantees.js';
import type { Claims } from './ledger.js';
import type { CallCounts } from './record.js';

/**
 * The sync calls of a guest in their order: what each promises, and of how many it is known whether it
 * was kept. Where nothing that was stored before a call was lost at its return, it was, for all of the
 * device; else it takes the image of a cut right there to tell whose the lines are.
 */
export class CallLog {
  /** Whether the file system that is watched is mounted: it was when it all began. */
  mounted = true;
  readonly #counts: CallCounts = { seen: 0, unpromised: 0, changed: 0, beyond: 0 };
  /** The last call that returned with something lost, until a cut shows what. */
  #open: SyncCall | undefined;
  #last: SyncCall | undefined;

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
    if (call.device !== undefined) this.mounted = true;
    this.#counts.seen += 1;
    if (this.#promises(call)) {
      this.#last = call;
      if (event.lost > 0 || !event.known) {
        if (call.kept) this.#open = call;
        else this.#counts.changed += 1;
      }
    } else {
      this.#counts.unpromised += 1;
    }
    return true;
  }

  /** Other marks of the witness. @returns why they cannot be used, in one clause */
  told(text: string): string | undefined {
    const mark = readMark(text);
    switch (mark?.kind) {
      case 'mounted':
      case 'unmounting':
        this.mounted = mark.kind === 'mounted';
        return undefined;
      case 'calls':
        return mark.missed > 0
          ? `the kernel missed ${mark.missed} calls that were to be seen`
          : undefined;
      default:
        return 'the guest made a mark that is none of ours';
    }
  }

  #promises({ by }: SyncCall): boolean {
    return this.guarantees.sync || (by !== 'sync' && by !== 'syncfs');
  }

  /** A claim for each state of a cut. */
  claims({ cause }: CutEvent, lost: readonly Lost[]): (state: string) => Claims {
    const call = cause === 'call' ? this.#last : undefined;
    if (!call) return () => ({ names: [], moves: [] });
    this.#open = undefined;
    const claim = (runs: readonly Lost[]): CallClaim =>
      claimOf(call, this.guarantees.fsyncKeepsName, runs);
    const [all, others] = [claim(lost), claim([])];
    return (state) => ({ names: [], moves: [], call: state === 'everything' ? all : others });
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
