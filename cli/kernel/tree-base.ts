import { failure, type Outcome, success } from '../outcome.js';
import { checkTool } from '../process/tool.js';
import { archiveListing } from './archive-listing.js';
import { fetchSourceArchive } from './debian.js';
import type { GitSource } from './git-source.js';
import type { KernelContext } from './kernel.js';
import { openSource } from './source.js';
import { parseSpec } from './spec.js';
import { isBuiltAlone, isNotBuilt, partsOf } from './tree-parts.js';

/**
 * Checks whether the file systems of a tree can run as modules of a kernel that was built
 * elsewhere: the rest of the tree must match the sources of that kernel. Otherwise the verdict
 * would be about sources that nobody asked for.
 *
 * @returns nothing, or the failure that names the files that differ
 */
export async function checkBase(
  source: GitSource,
  base: string,
  context: KernelContext,
): Promise<Outcome<undefined>> {
  const different = await differences(source, base, context);
  if (!different.ok) return different;
  const [first, ...more] = different.value;
  if (first === undefined) return success(undefined);
  const names = [first, ...more.slice(0, 2)].join(', ');
  return failure(
    'usage',
    `${source.spec} cannot run on ${base}, because more than file systems differs. ${names}${
      more.length > 2 ? ` and ${more.length - 2} more files` : ''
    } ${more.length > 0 ? 'differ' : 'differs'} from the sources of ${base}`,
    'Omit --kernel: the whole tree is then built, and trees that share a kernel differ only in modules',
  );
}

async function differences(
  source: GitSource,
  base: string,
  context: KernelContext,
): Promise<Outcome<string[]>> {
  const parsed = await parseSpec(base);
  if (!parsed.ok) return parsed;
  switch (parsed.value.type) {
    case 'debian':
    case 'debsrc': {
      const archive = await fetchSourceArchive(parsed.value.kernel, context);
      if (!archive.ok) return archive;
      const listing = await archiveListing(archive.value, context);
      return listing.ok ? differentFrom(source, listing.value, context.signal) : listing;
    }
    case 'src': {
      const other = await openSource(base, parsed.value, context, {});
      if (!other.ok) return other;
      if (!('tree' in other.value)) return noSources(base, 'it is in no git repository');
      return differentTrees(source, other.value as GitSource, context.signal);
    }
    default:
      return noSources(base, 'its sources are not known');
  }
}

function noSources(base: string, why: string) {
  return failure(
    'usage',
    `Modules of a tree cannot be built for ${base}: ${why}`,
    'Use a packaged kernel, --kernel debian:6.1, or omit --kernel',
  );
}

/**
 * Files of the tree that the archive lacks or has with other content. Files that the tree lacks do
 * not count.
 */
async function differentFrom(
  { git, tree, spec }: GitSource,
  listing: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<Outcome<string[]>> {
  const ran = await git(['ls-tree', '-r', '-z', '--full-tree', tree], signal);
  const listed = checkTool('git', ran, { cannot: `Cannot list the sources of ${spec}` });
  if (!listed.ok) return listed;
  const found: string[] = [];
  for (const line of listed.value.stdout.split('\0').filter(Boolean)) {
    const [facts = '', path = ''] = line.split('\t');
    const [mode, , name] = facts.split(' ');
    // The listing has no links; files that only git reads are not sources.
    if (mode === '120000' || isBeside(path)) continue;
    if (listing.get(path) !== name) found.push(path);
  }
  return success(found);
}

async function differentTrees(
  source: GitSource,
  other: GitSource,
  signal?: AbortSignal,
): Promise<Outcome<string[]>> {
  const sides = [await partsOf(source, signal), await partsOf(other, signal)] as const;
  for (const side of sides) if (!side.ok) return side;
  const [own, others] = sides;
  if (own.ok && others.ok && own.value.kernel === others.value.kernel) return success([]);
  const ran = await source.git(
    ['diff-tree', '-r', '-z', '--name-only', '--no-renames', other.tree, source.tree],
    signal,
  );
  // Trees of two repositories cannot be compared file by file.
  const paths = ran.ok ? ran.stdout.split('\0').filter((path) => path && !isBeside(path)) : [];
  return success(paths.length > 0 ? paths : ['some file']);
}

function isBeside(path: string): boolean {
  return isBuiltAlone(path) || isNotBuilt(path) || /(^|\/)\.git[a-z]+$/.test(path);
}
