import type { Finding } from '../findings/finding.js';
import { KernelLogWatcher } from '../findings/kernel-log.js';

/** Bytes of the console in which a marker may still be found after it came. */
const LONGEST_MARKER = 4096;

/** What is looked for in a guest's console while it comes in: the kernel's findings, and markers. */
export class ConsoleWatch {
  readonly #log = new KernelLogWatcher();
  /** @param since when the finding's first line came, on the clock of `now` */
  readonly #tell: (finding: Finding, since: number) => void;
  readonly #now: () => number;
  /** When the first line of a report came whose end has not come yet. */
  #openSince: number | undefined;
  #markers: { text: string; seen: () => void }[] = [];
  /** Long enough for a marker that comes in pieces. */
  #end = '';

  constructor(tell: (finding: Finding, since: number) => void, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  push(chunk: Buffer): void {
    this.#tellAll(this.#log.push(chunk));
    const text = this.#end + chunk.toString('latin1');
    this.#markers = this.#markers.filter((marker) => {
      if (!text.includes(marker.text)) return true;
      marker.seen();
      return false;
    });
    this.#end = text.slice(-LONGEST_MARKER);
  }

  /** Finds what the whole lines say that came so far, and counts from new. */
  settle(): void {
    this.#tellAll(this.#log.settle());
  }

  /** The console has ended: finds what its last lines say. */
  end(): void {
    this.#tellAll(this.#log.end());
  }

  /** Resolves when the console has shown this text. */
  shows(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#end.includes(text)) resolve();
      else this.#markers.push({ text, seen: resolve });
    });
  }

  #tellAll(findings: readonly Finding[]): void {
    const at = this.#now();
    for (const [index, finding] of findings.entries()) {
      this.#tell(finding, index === 0 ? (this.#openSince ?? at) : at);
    }
    if (!this.#log.isOpen) this.#openSince = undefined;
    else if (findings.length > 0 || this.#openSince === undefined) this.#openSince = at;
  }
}
