import { join } from 'node:path';
import { type OpenJob, openJob } from '../job/job.js';
import { unpreparedRun } from '../job/unprepared.js';
import { listMutants, mutateJob } from '../mutate/job.js';
import { exitCodeOfMutants } from '../mutate/judge.js';
import { type CheckedMutation, checkMutation, type MutateOptions } from '../mutate/request.js';
import { EXIT, type Outcome, success } from '../outcome.js';
import { formatMutationPage } from '../report/html/mutation.js';
import { formatMutants, formatMutation } from '../report/mutation-text.js';
import { writeReport } from '../report/write-file.js';
import { isUnprepared } from '../run/unprepared.js';
import { explain, inSession, keepResult, print, type Session, terminalWidth } from './session.js';
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
    const open = openJob(argv, session);
    const mutated = await mutateJob(checked.value, options, open);
    if (!mutated.ok) return unprepared(mutated, checked.value, options, open, session);
    const { result, sources } = mutated.value;
    const page = formatMutationPage(result, sources);
    const written = writeReport(join(result.directory, 'mutants.html'), `${page}\n`);
    if (!written.ok) return written;
    session.reporter.end();
    print(options.json ? result : formatMutation(result, { width: terminalWidth() }));
    return success(exitCodeOfMutants(result));
  });
}

/** With --json there is a document even if nothing could be prepared: that of a run whose units are errors. */
async function unprepared(
  { failure: failed }: Extract<Outcome<never>, { ok: false }>,
  { requests }: CheckedMutation,
  { json, out }: MutateOptions,
  open: OpenJob,
  session: Session,
): Promise<Outcome<number>> {
  if (!json || !isUnprepared(failed)) return { ok: false, failure: failed };
  explain(failed, session.reporter);
  const { accelerator } = requests[0];
  const asked = requests.map(({ request }) => request);
  const document = await unpreparedRun({ failed, requests: asked, accelerator, out }, open);
  if (!document.ok) return document;
  print(document.value);
  return success(keepResult(document.value, EXIT.noVerdict, session));
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
