import { join } from 'node:path';
import { openJob } from '../job/job.js';
import { listMutants, mutateJob } from '../mutate/job.js';
import { exitCodeOfMutants } from '../mutate/judge.js';
import { type CheckedMutation, checkMutation, type MutateOptions } from '../mutate/request.js';
import { EXIT, type Outcome, success } from '../outcome.js';
import { formatMutationPage } from '../report/html/mutation.js';
import { formatMutants, formatMutation } from '../report/mutation-text.js';
import { writeReport } from '../report/write-file.js';
import { explain, inSession, print, type Session, terminalWidth } from './session.js';
import { withSuite } from './suite.js';

/** `daxrepro mutate <fs> [test...]`: exits with 1 if a mutant survived. */
export async function mutateCommand(
  fs: string,
  tests: string[],
  options: MutateOptions,
  argv: string[],
): Promise<number> {
  const overlaid = await withSuite(tests, options);
  if (!overlaid.ok) return explain(overlaid.failure);
  const checked = checkMutation(fs, overlaid.value.words, overlaid.value.options);
  if (!checked.ok) return explain(checked.failure);
  return inSession(async (session) => {
    if (options.list) return list(checked.value, options, argv, session);
    const mutated = await mutateJob(checked.value, options, openJob(argv, session));
    if (!mutated.ok) return mutated;
    const { result, sources } = mutated.value;
    const page = formatMutationPage(result, sources);
    const written = writeReport(join(result.directory, 'mutants.html'), `${page}\n`);
    if (!written.ok) return written;
    session.reporter.end();
    print(options.json ? result : formatMutation(result, { width: terminalWidth() }));
    return success(exitCodeOfMutants(result));
  });
}

async function list(
  checked: CheckedMutation,
  { json }: MutateOptions,
  argv: string[],
  session: Session,
): Promise<Outcome<number>> {
  const listed = await listMutants(checked, openJob(argv, session));
  if (!listed.ok) return listed;
  session.reporter.end();
  const { mutants, candidates } = listed.value;
  print(json ? { schemaVersion: 1, candidates, mutants } : formatMutants(mutants, candidates));
  return success(EXIT.ok);
}
