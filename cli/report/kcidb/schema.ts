/**
 * The parts of KCIDB's schema 5.3 that our reports use (kernelci/kcidb-io, kcidb_io/schema/v05_03.py). An
 * absent property means that the value is unknown.
 */

export interface KcidbDocument {
  version: { major: 5; minor: 3 };
  checkouts: KcidbCheckout[];
  builds: KcidbBuild[];
  tests: KcidbTest[];
  issues: KcidbIssue[];
  incidents: KcidbIncident[];
}

interface KcidbObject {
  /** The origin, a colon, and what the origin made up. */
  id: string;
  /** Lower-case letters, digits and underscores. */
  origin: string;
  comment?: string;
  misc?: Record<string, unknown>;
}

export interface KcidbResource {
  /** A file name, without directories. */
  name: string;
  url: string;
}

export interface KcidbCheckout extends KcidbObject {
  /** 40 digits. */
  git_commit_hash?: string;
  /** In order; each in a format that `git apply` accepts. */
  patchset_files?: KcidbResource[];
  /** SHA-256 over the patches' hashes, each followed by a line break; empty if there are no patches. */
  patchset_hash?: string;
  start_time?: string;
  /** Whether the patches applied. */
  valid?: boolean;
}

export interface KcidbBuild extends KcidbObject {
  checkout_id: string;
  architecture?: string;
  compiler?: string;
  input_files?: KcidbResource[];
  status?: KcidbStatus;
}

export type KcidbStatus = 'FAIL' | 'ERROR' | 'MISS' | 'PASS' | 'SKIP';

export interface KcidbTest extends KcidbObject {
  build_id: string;
  environment: { comment: string; misc: Record<string, unknown> };
  /** Words of letters, digits, `_` and `-`, with dots between them. */
  path: string;
  status: KcidbStatus;
  /** Seconds. */
  duration: number;
  log_url?: string;
  /** At most `LONGEST_EXCERPT` characters. */
  log_excerpt?: string;
  output_files?: KcidbResource[];
}

export const LONGEST_EXCERPT = 16_384;

export interface KcidbIssue extends KcidbObject {
  version: number;
}

export interface KcidbIncident extends KcidbObject {
  issue_id: string;
  issue_version: number;
  test_id: string;
  present: boolean;
}
