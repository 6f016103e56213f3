import type { Finding } from '../findings/finding.js';
import { KernelLogWatcher } from '../findings/kernel-log.js';

/** Bytes of the console in which a marker can still be found after it arrived. */
const LONGEST_MARKER = 4096;

/** Looks for the kernel's findings, and for markers, in a guest's console as it arrives. */
export class ConsoleWatch {
  readonly #log = new KernelLogWatcher();
  /** @param since when the finding's first line arrived, by the clock of `now` */
  readonly #tell: (finding: Finding, since: number) => void;
  readonly #now: () => number;
  /** When the first line of an unfinished report arrived. */
  #openSince: number | undefined;
  #markers: { text: string; seen: () => void }[] = [];
  /** Long enough for a marker that arrives in pieces. */
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

  /** Reports the findings in the complete lines so far, and starts counting anew. */
  settle(): void {
    this.#tellAll(this.#log.settle());
  }

  /** The console has ended: reports the findings in its last lines. */
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
