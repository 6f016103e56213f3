import type { CellResult } from '../results/compare-result.js';
import { type FindingGroup, groupFindings } from './findings.js';

/** The findings of all cells by signature, so that a finding of several cells shows once. */

export interface SharedFinding extends FindingGroup {
  /** The cells with this finding, in the table's order, with the number of attempts that had it. */
  cells: { cell: CellResult; attempts: number }[];
}

/** The worst first, else in order of appearance. */
export function findingsBySignature(cells: readonly CellResult[]): SharedFinding[] {
  const found = new Map<string, SharedFinding['cells']>();
  for (const cell of cells) {
    for (const { findings } of cell.units) {
      for (const signature of new Set(findings.map((one) => one.signature))) {
        const places = found.get(signature) ?? [];
        const last = places.at(-1);
        if (last?.cell === cell) last.attempts += 1;
        else places.push({ cell, attempts: 1 });
        found.set(signature, places);
      }
    }
  }
  const findings = cells.flatMap(({ units }) => units.flatMap((unit) => unit.findings));
  return groupFindings(findings).map((group) => ({
    ...group,
    cells: found.get(group.signature) ?? [],
  }));
}
