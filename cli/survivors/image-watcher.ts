import type { Finding } from '../findings/finding.js';
import type { GuestObserver } from '../guest/guest.js';
import type { FilePiece, GuestEvent, SurvivorEvent } from '../guest/protocol.js';
import type { RecordKeeper } from '../launch/record-keeper.js';

/**
 * Limit for what the guest reports about one image, in bytes. Answers count only if they are
 * complete.
 */
const MOST_SAID = 4 * 2 ** 20;

/** Suffix of the names of check logs. */
const CHECK = '-check';

/** Sorts the examining guest's reports by the image that they are about. */
export class ImageWatcher implements GuestObserver {
  /** Whether the guest has begun with the image. */
  began = false;
  /** Why the guest stopped working. */
  gaveUp: string | undefined;
  #number = 0;
  #tell: (event: SurvivorEvent) => void = () => {};
  #texts = new Map<string, Buffer[]>();
  #size = 0;
  #complaints: Finding[] = [];

  constructor(readonly keeper: RecordKeeper) {}

  /** Resolves when the guest has finished the image of this number. */
  next(number: number): Promise<SurvivorEvent> {
    this.#number = number;
    this.began = false;
    this.#texts = new Map();
    this.#size = 0;
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** Everything reported about the image, with the kernel's messages since the last call. */
  said(): { answers: string; check: string; complaints: Finding[] } {
    const text = (suffix: string) =>
      Buffer.concat(this.#texts.get(`survivor-${this.#number}${suffix}`) ?? []).toString();
    return { answers: text(''), check: text(CHECK), complaints: this.#complaints.splice(0) };
  }

  console(chunk: Buffer): void {
    this.keeper.console(chunk);
  }

  event(event: GuestEvent): void {
    this.keeper.event(event);
    if (event.event === 'step') this.began ||= event.name === `survivor-${this.#number}`;
    if (event.event === 'gave-up') this.gaveUp = event.message;
    if (event.event === 'survivor' && event.number === this.#number) this.#tell(event);
  }

  filePiece({ name, data }: FilePiece): void {
    // One file for the answers about all images, and one for all checks.
    const file = name.endsWith(CHECK) ? 'checks' : 'answers';
    const first = this.#texts.get(name) ?? [];
    if (first.length === 0) {
      this.keeper.filePiece({ name: file, data: Buffer.from(`# ${name}\n`) });
    }
    this.keeper.filePiece({ name: file, data });
    this.#size += data.length;
    if (this.#size > MOST_SAID) return;
    this.#texts.set(name, [...first, Buffer.from(data)]);
  }

  finding(finding: Finding): void {
    this.keeper.finding(finding);
    this.#complaints.push(finding);
  }
}
