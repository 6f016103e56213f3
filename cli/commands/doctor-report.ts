import type { KvmDevice } from '../system/kvm.js';
import type { Machine, Place } from '../system/machine.js';
import type { Tool } from '../system/versions.js';
import type { ConfigurationReport } from './doctor-configuration.js';
import type { SuiteReport } from './doctor-suite.js';

/** What `daxrepro doctor --json` prints. */
export interface DoctorReport {
  schemaVersion: 1;
  tool: { name: 'daxrepro'; version: string };
  system: string;
  /** Whether a run could work: with what is here, or what the first run would install. */
  usable: boolean;
  /** Why not: each a sentence without its full stop. */
  problems: string[];
  /** What may matter all the same. */
  notes: string[];
  programs: Tool[];
  missing: { package: string | null; names: string[]; purpose: string }[];
  /** What a person types to install what is missing. */
  install: string | null;
  machine: Machine;
  cache: Place & { kernels: string[] };
  temporary: Place;
  kvm: KvmDevice & { trial?: { usable: boolean; reason: string } };
  parentDeath: boolean;
  /** What the project says once for all its runs; null where it says nothing. */
  configuration: ConfigurationReport | null;
  /** The xfstests tree; null where there is none, and none was asked for. */
  suite: SuiteReport | null;
}
