import { openJob } from '../job/job.js';
import { EXIT, type Outcome, success } from '../outcome.js';
import { formatSummary } from '../report/summary.js';
import { exitCodeOfUnits } from '../results/run-result.js';
import { isUnprepared } from '../run/unprepared.js';
import { type Shell, type ShellResult, shellJob, unpreparedShell } from '../shell/job.js';
import { type OpenedUnit, openUnit } from '../shell/kept-image.js';
import { checkShell, type Given, type ShellOptions, shellRequest } from '../shell/request.js';
import { explain, inSession, keepResult, print, type Session, wantsColour } from './session.js';
import { withSuite } from './suite.js';

/** `daxrepro shell [fs]`: a guest to work in. */
export async function shellCommand(
  fs: string | undefined,
  options: ShellOptions,
  given: Given,
  argv: string[],
): Promise<number> {
  const checked = checkShell(fs, options);
  if (!checked.ok) return explain(checked.failure);
  return inSession(async (session) => {
    const { from } = options;
    const opened = from === undefined ? success(undefined) : await openUnit(from, session.signal);
    if (!opened.ok) return opened;
    try {
      const shell = await work(fs, options, given, opened.value, argv, session);
      if (!shell.ok) return shell;
      session.reporter.end();
      return success(conclude(shell.value, options, session));
    } finally {
      opened.value?.close();
    }
  });
}

async function work(
  fs: string | undefined,
  options: ShellOptions,
  given: Given,
  opened: OpenedUnit | undefined,
  argv: string[],
  session: Session,
): Promise<Outcome<Shell>> {
  const overlaid = await withSuite([], options);
  if (!overlaid.ok) return overlaid;
  const request = shellRequest(fs, overlaid.value.options, given, opened);
  if (!request.ok) return request;
  const open = { ...openJob(argv, session), ...session };
  const shell = await shellJob(request.value, options, opened, open);
  if (shell.ok || !options.json || !isUnprepared(shell.failure)) return shell;
  explain(shell.failure, session.reporter);
  const result = await unpreparedShell(shell.failure, request.value, options, open);
  return result.ok ? success({ result: result.value, left: undefined }) : result;
}

function conclude(
  { result, left }: Shell,
  { run, json, from }: ShellOptions,
  session: Session,
): number {
  const code = keepResult(
    result,
    left === undefined ? exitCode(result) : EXIT.interrupted,
    session,
  );
  if (left !== undefined) {
    process.stderr.write(
      `daxrepro: ${left}: the file system was not checked, and there is no verdict.\n`,
    );
  }
  if (json) {
    print(result);
    return code;
  }
  // With --run, stdout has the command's output and nothing else.
  const stream = run === undefined ? process.stdout : process.stderr;
  const [unit] = result.units;
  if (from !== undefined && unit?.verdict === 'notrun') {
    stream.write(`The image is unchanged.\n\nfiles    ${result.directory}\n`);
  } else {
    stream.write(`${formatSummary(result, { colour: wantsColour() })}\n`);
  }
  return code;
}

/** An image that was only examined gets no verdict: the command's own exit status counts. */
function exitCode({ units, shell }: ShellResult): number {
  const [unit] = units;
  if (unit?.verdict !== 'notrun') return exitCodeOfUnits(units);
  return shell.status === 0 || shell.status === null ? EXIT.ok : EXIT.failed;
}
