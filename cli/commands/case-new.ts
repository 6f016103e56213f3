import { existsSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type CompareOptions, requestedCase } from '../compare/case-flags.js';
import { compareJob } from '../compare/job.js';
import { BASE_AND_FIX, newCase, whyNoCase } from '../compare/new-case.js';
import { planComparison } from '../compare/plan.js';
import { openJob } from '../job/job.js';
import { EXIT, failure, type Outcome, success } from '../outcome.js';
import { formatComparison } from '../report/compare-text.js';
import { storageFailure } from '../store/store.js';
import { explain, inSession, keepResult, print, terminalWidth, wantsColour } from './session.js';

/** The options of `case new` as the command line gives them. */
export interface NewCaseOptions extends Omit<CompareOptions, 'kernel'> {
  kernel?: string;
  patch?: string[];
  title?: string;
}

/** `daxrepro case new NAME`: runs the unchanged kernel and the fix, and writes down what they showed. */
export async function newCaseCommand(
  name: string,
  { patch = [], title, kernel, ...options }: NewCaseOptions,
  argv: string[],
): Promise<number> {
  const file = caseFile(name, patch);
  if (!file.ok) return explain(file.failure);
  const flags = {
    ...options,
    ...(kernel === undefined ? {} : { kernel: [kernel] }),
    variant: [`${BASE_AND_FIX.fix}=${patch.join(',')}`],
  };
  const requested = await requestedCase(undefined, flags);
  if (!requested.ok) return explain(requested.failure);
  const plan = planComparison(requested.value, flags);
  if (!plan.ok) return explain(plan.failure);
  return inSession(async (session) => {
    const ran = await compareJob(requested.value, plan.value, flags, openJob(argv, session));
    if (!ran.ok) return ran;
    session.reporter.end();
    const shown = whyNoCase(ran.value.units);
    keepResult(ran.value, EXIT.ok, session);
    print(formatComparison(ran.value, { colour: wantsColour(), width: terminalWidth() }));
    if (!shown.ok) {
      explain(shown.failure);
      return success(shown.failure.kind === 'usage' ? EXIT.failed : EXIT.noVerdict);
    }
    const text = newCase(
      file.value,
      title ?? basename(name, '.yaml'),
      requested.value,
      ran.value.units,
    );
    try {
      writeFileSync(file.value, text, { flag: 'wx' });
    } catch (error) {
      return storageFailure(file.value, error);
    }
    print(`case     ${file.value}\n`);
    return success(EXIT.ok);
  });
}

function caseFile(name: string, patches: readonly string[]): Outcome<string> {
  const file = resolve(name.endsWith('.yaml') ? name : `${name}.yaml`);
  if (existsSync(file)) {
    return failure('usage', `${file} exists already`, 'Choose another name, or remove the file');
  }
  return patches.length > 0
    ? success(file)
    : failure('usage', 'No fix is named', 'Give it with --patch FIX.patch');
}
