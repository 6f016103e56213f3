import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareSignatures, type Explanation, limitTrace } from '../evidence/explanation.js';
import { explainUnit } from '../evidence/unit.js';
import { expectation } from '../launch/expectation.js';
import { ImageBudget } from '../launch/images.js';
import type { Prepared } from '../launch/prepared.js';
import { type Unit, unitName } from '../plan/unit.js';
import type { Progress } from '../progress.js';
import { unitFolder, writeJson } from '../results/run-directory.js';
import type { UnitResult } from '../results/run-result.js';
import type { Store } from '../store/store.js';
import { judge } from '../verdict/judge.js';
import { attempt } from './attempt.js';
import { runUnit } from './run-unit.js';

/** The parts of the engine that a second run uses. */
export interface ExplainContext {
  prepared: (unit: Unit) => Prepared;
  /** The run's directory. */
  directory: string;
  store: Store;
  checkpoints: boolean;
  progress: Progress;
  observer: { unitStep(unit: Unit, index: number, step: string): void };
  signal?: AbortSignal;
}

/**
 * `--explain`: runs failing units once more, in guests of their own and with write-back traced.
 * Explains repeated failures of the same kind once.
 */
export class Explainer {
  readonly #known = new Set<string>();

  /** Whether to explain this result: true once for each kind of failure of a test. */
  claims(result: UnitResult): boolean {
    const { fs, test, variant, pmem, kernel, verdict, findings, expectedFailure } = result;
    if (verdict !== 'fail' || expectedFailure?.held) return false;
    const signatures = [...new Set(findings.map(({ signature }) => signature))].sort();
    const kind = JSON.stringify([fs, test, variant, pmem, kernel.asked, signatures]);
    if (this.#known.has(kind)) return false;
    this.#known.add(kind);
    return true;
  }

  /** The result with what was learned, also in the unit's file; unchanged if interrupted. */
  async explain(
    unit: Unit,
    index: number,
    result: UnitResult,
    context: ExplainContext,
  ): Promise<UnitResult> {
    const explanation = await runAgain(unit, index, result, context);
    if (!explanation) return result;
    const explained = { ...result, explanation };
    try {
      const directory = join(context.directory, unitFolder(unit, index));
      writeJson(join(directory, 'unit.json'), explained);
    } catch {
      // The run's own result has it, and reports a full disk.
    }
    return explained;
  }
}

async function runAgain(
  unit: Unit,
  index: number,
  { ending, findings }: UnitResult,
  context: ExplainContext,
): Promise<Explanation | undefined> {
  if (context.signal?.aborted) return undefined;
  if (ending !== 'finished') {
    return {
      ran: false,
      reason: `a guest that ends like this (${ending}) cannot return its trace`,
    };
  }
  const { progress, observer } = context;
  const text = `Running ${unitName(unit)} again, with write-back traced`;
  progress({ type: 'stage', text });
  const folder = `${unitFolder(unit, index)}/explain`;
  const directory = join(context.directory, folder);
  const prepared = context.prepared(unit);
  const started = performance.now();
  // An error of our own writing must not lose what the first run found.
  const again = await attempt(async () => {
    mkdirSync(directory, { recursive: true });
    return runUnit(unit, {
      ...{ prepared, directory, progress, trace: true, images: new ImageBudget(0) },
      ...{ store: context.store, checkpoints: context.checkpoints, signal: context.signal },
      onStep: (step) => observer.unitStep(unit, index, `again: ${step}`),
    });
  });
  if (context.signal?.aborted) return undefined;
  if (!again.ok) return { ran: false, reason: again.failure.message };
  const { record, artifacts } = again.value;
  const judgement = judge(record, expectation(unit, prepared));
  const { unwritten } = explainUnit(record, judgement, prepared.witness);
  const reason = 'the guest ended before it could report this';
  return {
    ran: true,
    verdict: judgement.verdict,
    reason: judgement.reason,
    signatures: compareSignatures(findings, judgement.findings),
    ...(unwritten ? { unwritten } : {}),
    trace: limitTrace(record.writeBack ?? { known: false, reason }, unwritten),
    durationSeconds: Math.round((performance.now() - started) / 10) / 100,
    artifacts: Object.fromEntries(
      Object.entries(artifacts).map(([name, file]) => [name, `${folder}/${file}`]),
    ),
  };
}
