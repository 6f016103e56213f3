import type { KvmDevice } from '../system/kvm.js';
import type { Machine, Place } from '../system/machine.js';
import type { Tool } from '../system/versions.js';
import type { ConfigurationReport } from './configuration.js';
import type { SuiteReport } from './suite.js';

/** What `daxrepro doctor --json` prints. */
export interface DoctorReport {
  schemaVersion: 1;
  tool: { name: 'daxrepro'; version: string };
  system: string;
  /** Whether a run can work, counting what the first run would install. */
  usable: boolean;
  /** Why not: sentences without the full stop. */
  problems: string[];
  /** Remarks that stop no run: sentences without the full stop. */
  notes: string[];
  programs: Tool[];
  missing: { package: string | null; names: string[]; purpose: string }[];
  /** The command that installs the missing packages. */
  install: string | null;
  machine: Machine;
  cache: Place & { kernels: string[] };
  temporary: Place;
  kvm: KvmDevice & { trial?: { usable: boolean; reason: string } };
  parentDeath: boolean;
  /** Whether `--pmem cxl` works here, and with which QEMU; why not: a sentence without the full stop. */
  cxl: { usable: boolean; qemu?: { program: string; version: string }; problem?: string };
  /** The project's daxrepro.yaml; null if there is none. */
  configuration: ConfigurationReport | null;
  /** The xfstests tree; null if there is none and --suite named none. */
  suite: SuiteReport | null;
}
