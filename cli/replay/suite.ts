import type { KeptInputs } from '../inputs/read.js';
import { type Outcome, success } from '../outcome.js';
import type { OverlayContext } from '../overlay/make.js';
import { overlayAgain } from '../overlay/overlay.js';

/**
 * The suite of a replay: the tree with what the run had added to it.
 *
 * @param given the user's own tree
 * @returns undefined: as recorded
 */
export async function replayedSuite(
  { inputs, directory }: KeptInputs,
  given: string | undefined,
  context: OverlayContext,
): Promise<Outcome<string | undefined>> {
  const { suiteChanges, suiteDirectory = 'xfstests' } = inputs;
  if (suiteChanges === undefined) return success(given);
  return overlayAgain(given ?? suiteDirectory, suiteChanges, directory, context);
}
