import { basename, resolve } from 'node:path';
import { contentsOf } from '../bundle/contents.js';
import { writeBundle } from '../bundle/write.js';
import { escapeForTerminal } from '../findings/escape.js';
import { EXIT, failure } from '../outcome.js';
import { openTarget } from '../replay/target.js';
import { formatBytes, plural } from '../report/text.js';
import { findProgram } from '../system/programs.js';
import { explain, inSession, type Session, sayNewest } from './session.js';

/** The options of `bundle` as the command line gives them. */
export interface BundleOptions {
  output?: string;
  json?: boolean;
}

/** `daxrepro bundle RUN`: 0 where the bundle is there. */
export async function bundleCommand(
  name: string | undefined,
  options: BundleOptions,
): Promise<number> {
  return inSession((session) => bundle(name, options, session));
}

async function bundle(
  name: string | undefined,
  { output, json }: BundleOptions,
  { reporter, signal }: Session,
): Promise<number> {
  const target = await openTarget(name);
  if (!target.ok) return explain(target.failure, reporter);
  const { run, inputs } = target.value;
  if (name === undefined) sayNewest(run.directory, { reporter });
  const file = resolve(output ?? `${basename(run.directory)}.tar.gz`);
  if (!/\.(?:tar\.gz|tgz|tar\.zst)$/.test(file)) {
    const what = `--output ${output} is no name of a bundle`;
    const remedy = 'Give one that ends in .tar.gz or .tar.zst';
    return explain(failure('usage', what, remedy).failure, reporter);
  }
  if (file.endsWith('.zst') && !findProgram('zstd')) {
    const what = 'This machine has no zstd';
    const remedy = 'Install it, or write a .tar.gz';
    return explain(failure('program-missing', what, remedy).failure, reporter);
  }
  reporter.progress({ type: 'stage', text: `Packing ${run.directory}` });
  const contents = await contentsOf(run, inputs);
  const written = await writeBundle(file, contents, signal);
  if (!written.ok) return explain(written.failure, reporter);
  reporter.end();
  for (const left of contents.left) {
    process.stderr.write(
      `daxrepro: ${escapeForTerminal(left)} is not in it: no bundle can hold it\n`,
    );
  }
  const { bytes } = written.value;
  const { files } = contents.bundle;
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...contents.bundle, file, bytes, left: contents.left }, null, 2)}\n`
      : `${escapeForTerminal(file)}: ${plural(files.length, 'file')} in ${formatBytes(bytes)}\n`,
  );
  return EXIT.ok;
}
