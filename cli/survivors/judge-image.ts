import type { Finding, KernelFindingKind } from '../findings/finding.js';
import { parseFsck } from '../findings/fsck.js';
import { causeOf } from '../findings/stall.js';
import type { SurvivorEvent } from '../guest/protocol.js';
import { brokenPromises } from '../power-cut/answers.js';
import type { BrokenPromise } from '../power-cut/broken-promise.js';
import type { Guarantees } from '../power-cut/guarantees.js';
import type { Claims } from '../power-cut/ledger.js';
import type { Survivor } from '../power-cut/survey.js';
import { describeEnding, type Examination } from './examination.js';

/**
 * Judges an image that survived a power cut by the report of the examining guest. Pure: an
 * incomplete report is a `problem`, never a kept promise.
 */

/** An image, and the promises that it must keep. */
export type Image = Omit<Survivor, 'pages'>;

/** A defect of the image as a whole. */
export interface Defect {
  kind: 'mount' | 'repair' | 'check' | 'kernel' | 'panic';
  /** Continues "the image of a power cut". */
  message: string;
  /** The signature of the message from the check or the kernel. */
  signature?: string | undefined;
}

export interface ImageJudgement {
  /** Why the image proves nothing: one clause without the full stop. */
  problem?: string;
  /** Whether it was repaired, mounted, questioned and checked, each as far as required. */
  examined: boolean;
  /** How many names, sizes and parts of files were compared with the promises. */
  asked: number;
  broken: BrokenPromise[];
  defects: Defect[];
}

type Meaning = 'bug' | 'trouble' | 'expected';

/**
 * The meaning of a kernel message during the examination. `bug`: counts against the image.
 * `trouble`: the guest or this machine has a problem, so the image proves nothing. `expected`: file
 * systems print messages when they recover; mount, check and answers show whether they did.
 */
const MEANINGS: Record<KernelFindingKind, Meaning> = {
  panic: 'bug',
  oops: 'bug',
  bug: 'bug',
  warning: 'bug',
  kasan: 'bug',
  ubsan: 'bug',
  kfence: 'bug',
  kcsan: 'bug',
  lockdep: 'bug',
  'hung-task': 'bug',
  'soft-lockup': 'bug',
  'hard-lockup': 'bug',
  'rcu-stall': 'bug',
  'workqueue-lockup': 'bug',
  slab: 'bug',
  leak: 'bug',
  'io-error': 'trouble',
  'machine-check': 'trouble',
  'out-of-memory': 'trouble',
  'user-crash': 'trouble',
  unsupported: 'trouble',
  device: 'trouble',
  'log-gap': 'trouble',
  'fs-error': 'expected',
};

const NOTHING: ImageJudgement = { examined: false, asked: 0, broken: [], defects: [] };

export function judgeImage(
  image: Image,
  examination: Examination,
  { recovery }: Pick<Guarantees, 'recovery'>,
): ImageJudgement {
  if (examination.kind === 'none') {
    return { ...NOTHING, problem: `an image was not examined: ${examination.because}` };
  }
  const [trouble] = ofMeaning(examination.complaints, 'trouble');
  if (trouble) {
    const problem = `the examining guest was in trouble: ${trouble.message}`;
    return { ...NOTHING, problem };
  }
  // A panic is the guest's ending.
  const bugs = ofMeaning(examination.complaints, 'bug').filter(({ kind }) => kind !== 'panic');
  const judgement =
    examination.kind === 'lost'
      ? judgeLost(image, examination, bugs)
      : judgeTold(image, examination, recovery === 'repair');
  return { ...judgement, defects: [...judgement.defects, ...bugs.map(ofKernel)] };
}

function ofMeaning(complaints: readonly Finding[], meaning: Meaning): Finding[] {
  return complaints.filter(
    (finding) => finding.severity !== 'notice' && meaningOf(finding) === meaning,
  );
}

/**
 * A stall caused by the host is ignored. If the host may have caused it, the image proves nothing.
 */
function meaningOf(finding: Finding): Meaning | undefined {
  const meaning = finding.kind && MEANINGS[finding.kind];
  if (meaning !== 'bug') return meaning;
  return ({ guest: 'bug', unclear: 'trouble', host: 'expected' } as const)[causeOf(finding)];
}

function ofKernel({ message, signature }: Finding): Defect {
  return { kind: 'kernel', message: `makes the kernel complain: ${message}`, signature };
}

/** The guest ended before it had reported what it saw. */
function judgeLost(
  { cut: { cut }, state }: Image,
  { ending }: Extract<Examination, { kind: 'lost' }>,
  bugs: readonly Finding[],
): ImageJudgement {
  if (ending.kind === 'panic') {
    const message = `makes the kernel panic: ${ending.message}`;
    return { ...NOTHING, defects: [{ kind: 'panic', message }] };
  }
  if (bugs.length > 0) return NOTHING;
  const problem = `the guest that examined image "${state}" of power cut ${cut} ended (${describeEnding(ending)})`;
  return { ...NOTHING, problem };
}

function judgeTold(
  { claims }: Image,
  { event, answers, check }: Extract<Examination, { kind: 'told' }>,
  repairs: boolean,
): ImageJudgement {
  const { repair, mount, looked } = event;
  const missing = whatIsMissing(event, repairs);
  if (missing) return { ...NOTHING, problem: `an image was not examined completely: ${missing}` };
  const examined = { ...NOTHING, examined: true };
  if (repair !== undefined && repair >= FIRST_UNREPAIRED) {
    const message = `cannot be repaired by e2fsck (exit code ${repair})`;
    return { ...examined, defects: [{ kind: 'repair', message }] };
  }
  if (mount !== 0) {
    const message = `cannot be mounted: ${firstLine(event.said)}`;
    return { ...examined, defects: [{ kind: 'mount', message }] };
  }
  const broken = looked === 0 ? brokenPromises(claims, answers) : undefined;
  if (!broken) {
    return { ...examined, problem: `an image gave no answers: ${firstLine(event.said)}` };
  }
  return { ...examined, asked: countClaims(claims), broken, ...judgeCheck(event.check, check) };
}

/** @param status undefined if the image is repaired before the mount instead of checked after it */
function judgeCheck(
  status: number | undefined,
  text: string,
): Pick<ImageJudgement, 'defects' | 'problem'> {
  if (status === undefined) return { defects: [] };
  const report = parseFsck(text, { alone: true });
  // The findings decide: e2fsck exits with 0 if only free counts are wrong.
  const serious = report?.findings.find(({ severity }) => severity !== 'notice');
  if (serious || status !== 0) {
    const message = `fails its check: ${serious?.message ?? `exit code ${status}`}`;
    return { defects: [{ kind: 'check', message, signature: serious?.signature }] };
  }
  if (report?.clean) return { defects: [] };
  const because = report?.unparsed[0] ?? report?.reason ?? firstLine(text);
  return { defects: [], problem: `the check of an image did not report it as clean: ${because}` };
}

/** e2fsck(8): below this, everything was repaired. */
const FIRST_UNREPAIRED = 4;
/** Exit codes from here on mean that a program did not start or was killed. */
const FIRST_CRASH = 127;

/** The step that the guest left out; undefined if none. */
function whatIsMissing(
  { repair, mount, looked, check, said }: SurvivorEvent,
  repairs: boolean,
): string | undefined {
  const why = said.trim() === '' ? '' : `: ${firstLine(said)}`;
  if (repairs && repair === undefined) return `it was not repaired${why}`;
  if (repair !== undefined && repair >= FIRST_CRASH) return `e2fsck ended with ${repair}`;
  if (repair !== undefined && repair >= FIRST_UNREPAIRED) return undefined;
  if (mount === undefined) return `it was not mounted${why}`;
  if (mount !== 0) return undefined;
  if (looked === undefined) return `it was not questioned${why}`;
  if (repairs) return undefined;
  if (check === undefined) return `it was not checked afterwards${why}`;
  return check >= FIRST_CRASH ? `its check ended with ${check}` : undefined;
}

/**
 * The number of claims to verify. A name that may be absent and whose file has no promise does not
 * count.
 */
export function countClaims({ names, moves, call }: Claims): number {
  if (call) return (call.lost.length > 0 ? 1 : 0) + (call.file?.unchanged ? 1 : 0);
  const ofName = ({ mayBeAbsent, files }: Claims['names'][number]) =>
    (mayBeAbsent && files.length > 0 ? 0 : 1) +
    files.reduce((sum, { parts, size }) => sum + parts.length + (size ? 1 : 0), 0);
  return names.reduce((sum, name) => sum + ofName(name), moves.length);
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
