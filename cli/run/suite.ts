import type { ImageContext } from '../guest/image.js';
import { type TreeArchive, treeArchive } from '../guest/xfstests-archive.js';
import { type Outcome, success } from '../outcome.js';
import type { RequestedSuite, RunRequest } from '../plan/unit.js';
import { originOf } from '../suite/xfstests/tree.js';
import { thisHost } from '../system/install.js';
import { xfstestsLacks } from '../system/programs.js';

/** Packs the tests of a run that are not part of daxrepro. */

/**
 * The xfstests tree for a guest, packed if needed; undefined for the built-in suite. Reports
 * programs that tests need and this machine lacks before anything starts.
 */
export async function packSuite(
  suite: RequestedSuite,
  context: ImageContext,
): Promise<Outcome<TreeArchive | undefined>> {
  if (suite.name !== 'xfstests') return success(undefined);
  const { path, distribution } = thisHost();
  const lacks = xfstestsLacks(path, distribution.family);
  if (lacks) {
    const text = `tests that need these programs may report that they do not apply: ${lacks}`;
    context.progress({ type: 'note', text });
  }
  return treeArchive(suite.tree.directory, context, originOf(suite.tree));
}

/** What is known of a request once its inputs are ready. */
export interface ReadyInputs {
  suite: TreeArchive | undefined;
  /** The version of mkfs.xfs in the guest. */
  xfsprogs?: string | undefined;
}

/** The request with the actual versions of its suite and of mkfs.xfs. */
export function withVersions(request: RunRequest, { suite, xfsprogs }: ReadyInputs): RunRequest {
  return {
    ...request,
    ...(request.fs === 'xfs' ? { xfsprogs } : {}),
    ...(suite ? { suite: { ...request.suite, version: suite.version } } : {}),
  };
}
