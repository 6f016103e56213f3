import { basename, resolve } from 'node:path';
import { contentsOf } from '../bundle/contents.js';
import { type PackedKernels, packKernels } from '../bundle/kernels.js';
import type { Bundle } from '../bundle/schema.js';
import { writeBundle } from '../bundle/write.js';
import { comparedKernels } from '../compare/kernels.js';
import { prepareCells } from '../compare/prepare.js';
import { escapeForTerminal } from '../findings/escape.js';
import { ensureSystemFor } from '../job/system.js';
import { resolveKernel } from '../kernel/resolve.js';
import { EXIT, failure, type Outcome, success } from '../outcome.js';
import { planReplay } from '../replay/plan.js';
import { replayedSuite } from '../replay/suite.js';
import { openTarget, type Target } from '../replay/target.js';
import { namesNoRun } from '../results/read.js';
import { defaultStore } from '../store/store.js';
import { findProgram } from '../system/programs.js';
import { formatBytes, plural } from '../words.js';
import { explain, inSession, type Session, sayNewest } from './session.js';

/** The options of `bundle` as the command line gives them. */
export interface BundleOptions {
  output?: string;
  withKernel?: boolean;
  json?: boolean;
}

/** `daxrepro bundle RUN`. Returns 0 if the bundle was written. */
export async function bundleCommand(
  name: string | undefined,
  options: BundleOptions,
): Promise<number> {
  return inSession((session) => bundle(name, options, session));
}

async function bundle(
  name: string | undefined,
  { output, json, withKernel }: BundleOptions,
  session: Session,
): Promise<number> {
  const { reporter, signal } = session;
  const target = await openTarget(name);
  if (!target.ok) return explain(target.failure, reporter);
  const { kept, inputs } = target.value;
  if (namesNoRun(name)) sayNewest(kept.directory, { reporter });
  const file = resolve(output ?? `${basename(kept.directory)}.tar.gz`);
  if (!/\.(?:tar\.gz|tgz|tar\.zst)$/.test(file)) {
    const what = `--output ${output} is not a bundle name`;
    const remedy = 'Use a name that ends in .tar.gz or .tar.zst';
    return explain(failure('usage', what, remedy).failure, reporter);
  }
  if (file.endsWith('.zst') && !findProgram('zstd')) {
    const what = 'This machine has no zstd';
    const remedy = 'Install it, or write a .tar.gz';
    return explain(failure('program-missing', what, remedy).failure, reporter);
  }
  const packed = withKernel ? await kernelsOf(target.value, session) : success(undefined);
  if (!packed.ok) return explain(packed.failure, reporter);
  reporter.progress({ type: 'stage', text: `Packing ${kept.directory}` });
  const contents = await contentsOf(kept, inputs, packed.value);
  const written = await writeBundle(file, contents, signal);
  if (!written.ok) return explain(written.failure, reporter);
  reporter.end();
  for (const left of contents.left) {
    process.stderr.write(
      `daxrepro: left out ${escapeForTerminal(left)}: a bundle cannot hold it\n`,
    );
  }
  const { bytes } = written.value;
  const { files } = contents.bundle;
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...contents.bundle, file, bytes, left: contents.left }, null, 2)}\n`
      : `${escapeForTerminal(file)}: ${plural(files.length, 'file')} in ${formatBytes(bytes)}${describeKernels(contents.bundle)}\n`,
  );
  return EXIT.ok;
}

/** The kernels that the run used; this machine must still have or be able to get them. */
async function kernelsOf(
  { units, inputs }: Target,
  { reporter, signal }: Session,
): Promise<Outcome<PackedKernels>> {
  const progress = reporter.progress.bind(reporter);
  const context = { store: defaultStore(), progress, signal };
  const suite = await replayedSuite(inputs, undefined, context);
  if (!suite.ok) return suite;
  const plan = planReplay(units, inputs, { accel: 'tcg', suite: suite.value });
  if (!plan.ok) return plan;
  const { cells } = plan.value;
  const changes = cells.flatMap((cell) => cell.request.variant.changes);
  const requests = cells.map(({ request }) => request);
  const kernels = await comparedKernels(requests, async (request) => {
    const system = await ensureSystemFor({ ...request, changes }, context);
    return system.ok ? resolveKernel(request.kernel, context, request.build ?? {}) : system;
  });
  const prepared = await prepareCells(cells, kernels, 'tcg', context);
  return prepared.ok ? packKernels(cells, prepared.value.of, inputs.inputs, context) : prepared;
}

/** The kernels in the bundle, with their size before compression. */
function describeKernels({ kernels, files }: Bundle): string {
  if (!kernels) return '';
  const own = files.filter(({ name }) => name.startsWith('kernels/'));
  const bytes = own.reduce((sum, one) => sum + one.bytes, 0);
  const names = kernels.map(({ release }) => release).join(', ');
  return `, with ${names} (${formatBytes(bytes)} unpacked)`;
}
