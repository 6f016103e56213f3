import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool } from '../process/child.js';
import { tool } from '../process/tool.js';
import { parseVersion, type SourceTree } from './source-tree.js';

/** Sources from Debian's `linux-source-X.Y.tar.xz`. */
export async function archiveSource(
  spec: string,
  /** `/…/linux-source-6.1.tar.xz` */
  archive: { file: string; series: string; identity: string },
  signal?: AbortSignal,
): Promise<Outcome<SourceTree>> {
  const top = `linux-source-${archive.series}`;
  // The Makefile lies near the start of the archive. tar is stopped once it has it.
  const makefile = await runTool(
    [
      'tar',
      '--extract',
      `--file=${archive.file}`,
      '--to-stdout',
      '--occurrence=1',
      `${top}/Makefile`,
    ],
    signal ? { signal } : {},
  );
  if (makefile.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
  const version = parseVersion(makefile.stdout);
  if (!version) {
    return failure(
      'kernel-unavailable',
      `The packaged source of kernel ${archive.series} has no kernel Makefile`,
      'Fetch it again: `daxrepro kernel build --refresh`',
      { detail: makefile.stderr.slice(-2000) },
    );
  }
  return success({
    spec,
    identity: archive.identity,
    family: `archive ${archive.identity}`,
    version,
    exportTo: async (directory, _notes, signal) => {
      // This family has one member: whatever is there is that one.
      if ((await readdir(directory).catch(() => [])).length > 0) return success(undefined);
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      return tool(
        [
          'tar',
          '--extract',
          `--file=${archive.file}`,
          '--use-compress-program=xz -T0',
          `--directory=${directory}`,
          '--strip-components=1',
          '--no-same-owner',
        ],
        { cannot: `Cannot unpack ${join(top)}` },
        signal ? { signal } : {},
      );
    },
  });
}
