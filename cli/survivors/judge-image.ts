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
 * Judges one image that survived a power cut by what the examining guest told about it. Pure: whatever is
 * not told to the end is a `problem`, and never a kept promise.
 */

/** An image: which it is, and what has to hold of it. */
export type Image = Omit<Survivor, 'pages'>;

/** What is wrong with an image as a whole. */
export interface Defect {
  kind: 'mount' | 'repair' | 'check' | 'kernel' | 'panic';
  /** Goes on after "the image of a power cut". */
  message: string;
  /** The signature of the message that the check or the kernel printed. */
  signature?: string | undefined;
}

export interface ImageJudgement {
  /** Why the image proves nothing, in one clause without the full stop. */
  problem?: string;
  /** Whether it was repaired, mounted, asked and checked, each as far as it should be. */
  examined: boolean;
  /** How many names, sizes and parts of files were compared with what was promised. */
  asked: number;
  broken: BrokenPromise[];
  defects: Defect[];
}

type Meaning = 'bug' | 'trouble' | 'expected';

/**
 * What a kernel message says about the image that was examined meanwhile. `bug`: it is held against the
 * image. `trouble`: the guest or this machine is in trouble, and nothing can be told. `expected`: file systems
 * print messages of their own when they recover. Whether they recover is told by mount, check and answers.
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

/** A stall that the host caused says nothing; of one that it may have caused nothing can be told. */
function meaningOf(finding: Finding): Meaning | undefined {
  const meaning = finding.kind && MEANINGS[finding.kind];
  if (meaning !== 'bug') return meaning;
  return ({ guest: 'bug', unclear: 'trouble', host: 'expected' } as const)[causeOf(finding)];
}

function ofKernel({ message, signature }: Finding): Defect {
  return { kind: 'kernel', message: `makes the kernel complain: ${message}`, signature };
}

/** The guest ended before it had told what it saw. */
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
  if (missing) return { ...NOTHING, problem: `an image was not examined to the end: ${missing}` };
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

/** @param status undefined where an image is repaired before the mount, in place of a check after it */
function judgeCheck(
  status: number | undefined,
  text: string,
): Pick<ImageJudgement, 'defects' | 'problem'> {
  if (status === undefined) return { defects: [] };
  const report = parseFsck(text, { alone: true });
  // The findings decide: e2fsck exits with 0 where only free counts are wrong.
  const serious = report?.findings.find(({ severity }) => severity !== 'notice');
  if (serious || status !== 0) {
    const message = `fails its check: ${serious?.message ?? `exit code ${status}`}`;
    return { defects: [{ kind: 'check', message, signature: serious?.signature }] };
  }
  if (report?.clean) return { defects: [] };
  const because = report?.unparsed[0] ?? report?.reason ?? firstLine(text);
  return { defects: [], problem: `the check of an image did not say that it is clean: ${because}` };
}

/** e2fsck(8): below this it has repaired everything. */
const FIRST_UNREPAIRED = 4;
/** An exit code from here on is that of a program that did not start or was killed. */
const FIRST_CRASH = 127;

/** Which step of an image the guest left out; undefined where it left out none. */
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
  if (looked === undefined) return `it was not asked${why}`;
  if (repairs) return undefined;
  if (check === undefined) return `it was not checked afterwards${why}`;
  return check >= FIRST_CRASH ? `its check ended with ${check}` : undefined;
}

/** How many things have to hold. A name that may be absent, and of whose file nothing is promised, is none. */
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
