import type { BrokenPromise } from '../power-cut/broken-promise.js';
import type { Defect, Image, ImageJudgement } from './judge-image.js';

/** An image with a promise that it does not keep, or with a defect of its own. */
export type Wrong =
  | { image: Image; broken: BrokenPromise; images: number }
  | { image: Image; defect: Defect };

/** Collects what is wrong with the images of a unit, each thing once. Pure. */
export class WrongImages {
  readonly #wrong: Wrong[] = [];
  /** What is broken in the image "nothing", by its cut and the promise. */
  readonly #worst = new Map<string, Extract<Wrong, { images: number }>>();
  /** Cuts and devices whose image "everything" has no defect. */
  readonly #sound = new Set<string>();
  #brokenCalls = 0;

  /** How many images show that a sync call did not keep its promise. */
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
   * What the power cuts are to blame for. Tests break the file system on SCRATCH_DEV on purpose: a defect
   * counts there only where the image "everything" of the same cut has none. On TEST_DEV it always counts.
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
