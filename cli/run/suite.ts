import type { ImageContext } from '../guest/image.js';
import { type TreeArchive, treeArchive } from '../guest/xfstests-archive.js';
import { type Outcome, success } from '../outcome.js';
import type { RequestedSuite, RunRequest } from '../plan/unit.js';
import { thisHost } from '../system/install.js';
import { xfstestsLacks } from '../system/programs.js';

/** The tests of a run where they do not come with us. */

/**
 * The tree of xfstests as a guest gets it, packed where it is not yet; undefined for the built-in suite.
 * What tests want of this machine and do not find is named before anything starts.
 */
export async function packSuite(
  suite: RequestedSuite,
  context: ImageContext,
): Promise<Outcome<TreeArchive | undefined>> {
  if (suite.name !== 'xfstests') return success(undefined);
  const { path, distribution } = thisHost();
  const lacks = xfstestsLacks(path, distribution.family);
  if (lacks) {
    const text = `tests that want these may say that they do not apply: ${lacks}`;
    context.progress({ type: 'note', text });
  }
  return treeArchive(suite.tree.directory, context);
}

/** The request, with the version that its suite turned out to have. */
export function withVersion(request: RunRequest, suite: TreeArchive | undefined): RunRequest {
  return suite ? { ...request, suite: { ...request.suite, version: suite.version } } : request;
}
