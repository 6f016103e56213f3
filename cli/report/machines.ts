import { escapeForTerminal } from '../findings/escape.js';
import { groupBy } from '../group-by.js';
import type { UnitResult } from '../results/run-result.js';
import { plural } from '../words.js';

/** The machines that ran the units: one line each. Empty if the run was not spread. */
export function formatMachines(units: readonly UnitResult[]): string[] {
  const groups = groupBy(
    units.filter(({ machine }) => machine),
    ({ machine, accel }) => JSON.stringify([machine?.host, machine?.qemu, accel]),
  );
  const lines = [...groups.values()].map((group) => {
    const [{ machine, accel } = {} as UnitResult] = group;
    const { host = '', qemu = '' } = machine ?? {};
    return escapeForTerminal(
      `machine  ${host}: ${plural(group.length, 'unit')}, ${accel}, ${qemu}`,
    );
  });
  return lines.sort();
}
