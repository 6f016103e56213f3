import type { BrokenPromise } from '../power-cut/broken-promise.js';
import type { Defect, Image, ImageJudgement } from './judge-image.js';

/** An image with a broken promise, or with a defect. */
export type Wrong =
  | { image: Image; broken: BrokenPromise; images: number }
  | { image: Image; defect: Defect };

/** Collects the problems of a unit's images, each once. Pure. */
export class WrongImages {
  readonly #wrong: Wrong[] = [];
  /** Promises broken in the "nothing" image, by cut and promise. */
  readonly #worst = new Map<string, Extract<Wrong, { images: number }>>();
  /** Cuts and devices whose "everything" image has no defect. */
  readonly #sound = new Set<string>();
  #brokenCalls = 0;

  /** How many images show a sync call that broke its promise. */
  get brokenCalls(): number {
    return this.#brokenCalls;
  }

  add(image: Image, { examined, problem, broken, defects }: ImageJudgement): void {
    for (const one of broken) this.#addBroken(image, one);
    for (const defect of defects) this.#wrong.push({ image, defect });
    const whole = examined && !problem && defects.every(({ kind }) => kind === 'kernel');
    if (whole && image.state === 'everything') this.#sound.add(placeOf(image));
  }

  #addBroken(image: Image, broken: BrokenPromise): void {
    // A promise broken in the "nothing" image is the same failure in a partial image, with fewer bytes.
    const which = `${placeOf(image)} ${broken.kind} ${broken.name} ${broken.by}`;
    const known = this.#worst.get(which);
    if (known) {
      known.images += 1;
      return;
    }
    const wrong = { image, broken, images: 1 };
    this.#wrong.push(wrong);
    if (image.claims.call) this.#brokenCalls += 1;
    if (image.state === 'nothing') this.#worst.set(which, wrong);
  }

  /**
   * The problems caused by power cuts. Tests damage the file system on SCRATCH_DEV on purpose, so a
   * defect there counts only if the "everything" image of the same cut has none. On TEST_DEV it
   * always counts.
   */
  ofCuts(): Wrong[] {
    return this.#wrong.filter(
      (one) => 'broken' in one || one.image.device === 0 || this.#sound.has(placeOf(one.image)),
    );
  }
}

function placeOf({ cut, device }: Image): string {
  return `${cut.cut} ${device}`;
}
