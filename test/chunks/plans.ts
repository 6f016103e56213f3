import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programHash, unitIdentity } from '../../cli/chunks/identity.js';
import type { Plan, PlannedUnit } from '../../cli/chunks/schema.js';
import { writeChunks } from '../../cli/chunks/write-plan.js';
import type { Unit } from '../../cli/plan/unit.js';
import { sha256Of } from '../../cli/sha256.js';
import { XFSTESTS_UNIT } from '../util/units.js';

/** Plans without kernels, for tests and benchmarks that start no guest. */

export const PLAN = sha256Of('a plan');

export function planned(at: number, more: Partial<Unit> = {}): PlannedUnit {
  const { facts: _, ...plain } = XFSTESTS_UNIT;
  const test = `generic/${String(at).padStart(3, '0')}`;
  const unit = { ...plain, test, seed: at, ...more };
  return {
    ...{ at, index: at, inputs: unitIdentity(unit, 'inputs'), prepared: 0, seconds: 1 + (at % 20) },
    ...{ replay: `daxrepro run ext4 ${test}`, unit },
  };
}

/** Writes a plan of so many units. */
export function writeTestPlan(directory: string, count: number, target = 600): PlannedUnit[] {
  const units = Array.from({ length: count }, (_, at) => planned(at));
  mkdirSync(directory, { recursive: true });
  const chunks = writeChunks(directory, units, { target, generation: 1 });
  const plan: Plan = {
    ...{ schemaVersion: 1, kind: 'run', id: PLAN, command: ['run', 'ext4', '-g', 'auto'] },
    tool: { name: 'daxrepro', version: '0.1.0', program: programHash() },
    started: new Date(Date.now() - 1000).toISOString(),
    settings: {
      ...{ accelerator: 'tcg', checkpoints: false, together: false, explain: false },
      imageBytes: 0,
    },
    ...{ tools: {}, expected: [], files: [], userTests: [], units: count, generation: 1 },
    prepared: [
      {
        kernel: { spec: 'debian:6.1', release: '6.1.0-test', id: 'k' },
        ...{ image: 'kernels/001/image', initramfs: 'kernels/001/initramfs' },
        ...{ witness: {}, module: null },
      },
    ],
    all: chunks.map(({ name, sha256, bytes }) => ({ name, sha256, bytes })),
    chunks,
  };
  writeFileSync(join(directory, 'plan.json'), JSON.stringify(plan));
  return units;
}
