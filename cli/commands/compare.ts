import { type CompareOptions, requestedCase } from '../compare/case-flags.js';
import { exitCodeOfComparison } from '../compare/expectations.js';
import { compareOrReport } from '../compare/job.js';
import { type ComparisonPlan, planComparison } from '../compare/plan.js';
import { openJob } from '../job/job.js';
import { EXIT, success } from '../outcome.js';
import { formatMail } from '../report/compare-mail.js';
import { formatComparison } from '../report/compare-text.js';
import { formatCells } from '../report/compare-words.js';
import { type ReplyOptions, type ReplyTo, replyOfMail } from '../report/mail-headers.js';
import { withPatience } from '../report/patience.js';
import type { CompareResult } from '../results/compare-result.js';
import { RUN_DEFAULTS } from '../run/defaults.js';
import { checkPossible } from '../run/possible.js';
import { defaultStore } from '../store/store.js';
import { compareOn } from './on.js';
import {
  explain,
  inSession,
  keepResult,
  print,
  suggestControl,
  terminalWidth,
  wantsColour,
} from './session.js';

/** `daxrepro compare [case.yaml]`: its exit code is the contract's. */
export async function compareCommand(
  file: string | undefined,
  given: CompareOptions & ReplyOptions,
  argv: string[],
): Promise<number> {
  const options = { ...given, repeat: attempts(given) };
  const reply = replyOfMail(options.mail, options);
  if (!reply.ok) return explain(reply.failure);
  const requested = await withPatience(
    () => 'reading the case',
    () => requestedCase(file, options),
  );
  if (!requested.ok) return explain(requested.failure);
  const plan = planComparison(requested.value, options);
  if (!plan.ok) return explain(plan.failure);
  if (options.dryRun) {
    const possible = await checkPossible(
      plan.value.cells.map(({ request }) => request),
      plan.value.accelerator,
      { store: defaultStore(), progress: () => {} },
    );
    return possible.ok ? printDryRun(plan.value, options) : explain(possible.failure);
  }
  if (options.on !== undefined) {
    return compareOn(options.on, { asked: requested.value, plan: plan.value }, options, argv);
  }
  return inSession(async (session) => {
    const job = openJob(argv, session);
    const ran = await compareOrReport(requested.value, plan.value, options, job);
    if (!ran.ok) return ran;
    session.reporter.end();
    const { result, failure } = ran.value;
    if (failure) explain(failure, session.reporter);
    const code = keepResult(result, exitCodeOfComparison(result.units), session);
    print(options.json ? result : textOf(result, options, reply.value));
    suggestControl(result);
    return success(code);
  });
}

/** `--until-known` needs an end of its own. */
function attempts({ repeat, untilKnown }: CompareOptions): string {
  return untilKnown && repeat === RUN_DEFAULTS.repeat ? '320' : repeat;
}

function printDryRun({ cells }: ComparisonPlan, { json }: CompareOptions): number {
  const text = json
    ? JSON.stringify(cells.map(({ name, expected }) => ({ ...name, expected })))
    : formatCells(cells).join('\n');
  process.stdout.write(`${text}\n`);
  return EXIT.ok;
}

function textOf(
  result: CompareResult,
  { mail }: CompareOptions,
  reply: ReplyTo | undefined,
): string {
  if (mail) return formatMail(result, { from: process.cwd(), reply });
  return formatComparison(result, { width: terminalWidth(), colour: wantsColour() });
}
