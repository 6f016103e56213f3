import type { Unit } from '../plan/unit.js';
import type { Expectation } from '../record/record.js';
import type { Prepared } from './prepared.js';

/** The requirements that the unit's guest must meet. */
export function expectation(unit: Unit, { kernel, module }: Prepared): Expectation {
  return {
    session: unit.session,
    fs: unit.fs,
    release: kernel.release,
    control: unit.control,
    pmem: unit.shape.pmem,
    partition: unit.shape.partition,
    stack: unit.shape.stack,
    poison: unit.poison,
    devices: unit.devices,
    powerCut: unit.powerCut !== undefined,
    userTest: unit.userTest !== undefined,
    xfstests: unit.suite.name === 'xfstests' ? { test: unit.test, ...unit.facts } : undefined,
    module: module && {
      sha256: module.sha256,
      buildId: module.buildId,
      sent: module.bytes !== undefined,
    },
  };
}
