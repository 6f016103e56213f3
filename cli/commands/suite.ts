import { type Outcome, success } from '../outcome.js';
import { overlaySuite } from '../overlay/overlay.js';
import { withPatience } from '../report/patience.js';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { defaultStore } from '../store/store.js';

/** The options that name a suite. */
export interface SuiteOptions {
  suite?: string;
  suitePatch?: string[];
  configured?: string[];
}

/** The words and options of a command, with the suite that has the tests and patches they name. */
export async function withSuite<Options extends SuiteOptions>(
  words: readonly string[],
  options: Options,
): Promise<Outcome<{ words: string[]; options: Options }>> {
  const { suite = RUN_DEFAULTS.suite, suitePatch, configured } = options;
  // The project's configuration applies only to runs that it fits.
  const fits = suite !== 'builtin' || !configured?.includes('suite-patch');
  const patches = fits ? suitePatch : [];
  const overlaid = await withPatience(
    () => 'preparing a copy of the xfstests tree',
    () => overlaySuite({ suite, patches, words }, { store: defaultStore(), progress: () => {} }),
  );
  if (!overlaid.ok) return overlaid;
  return success({
    words: overlaid.value.words,
    options: { ...options, suite: overlaid.value.suite },
  });
}
