import type { Finding } from '../../findings/finding.js';
import { unitName } from '../../plan/unit.js';
import type { Verdict } from '../../verdict/judge.js';
import { groupFindings } from '../findings.js';
import { testCasesOf } from '../test-cases.js';
import { excerpt, type KcidbNaming, objectId, resource, testPath } from './names.js';
import {
  type KcidbIncident,
  type KcidbIssue,
  type KcidbStatus,
  type KcidbTest,
  LONGEST_EXCERPT,
} from './schema.js';
import type { KcidbRun, KcidbUnit } from './source.js';

/** Tests, issues and incidents: what a unit's verdict and findings are in KCIDB. */

/** A harness that could not tell has not run the test; one that ran it without DAX has broken it. */
const STATUSES: Record<Verdict, KcidbStatus> = {
  pass: 'PASS',
  fail: 'FAIL',
  notrun: 'SKIP',
  invalid: 'ERROR',
  error: 'MISS',
};

/** @param number the unit's number in its run */
export function testOf(unit: KcidbUnit, { run, number, buildId, naming }: TestPlace): KcidbTest {
  const { directory, started } = run;
  const { console: guest, output, ...others } = unit.artifacts;
  const log = output ?? guest;
  const rest = [...(output === undefined || guest === undefined ? [] : [guest])];
  const files = [...rest, ...Object.values(others)];
  return {
    id: objectId(naming, 'test', [started, directory, number, unit.fs, unit.test]),
    origin: naming.origin,
    build_id: buildId,
    path: testPath([unit.suite.name, unit.fs, unit.test]),
    status: STATUSES[unit.verdict],
    comment: `${unitName({ ...unit, askedKernel: unit.kernel.asked })}: ${unit.verdict}, ${unit.reason}`,
    duration: unit.durationSeconds,
    environment: environmentOf(unit),
    ...(log === undefined ? {} : { log_url: resource(naming, directory, log).url }),
    log_excerpt: excerpt(linesOf(unit), LONGEST_EXCERPT),
    ...(files.length === 0
      ? {}
      : { output_files: files.map((file) => resource(naming, directory, file)) }),
    misc: miscOf(unit),
  };
}

export interface TestPlace {
  run: KcidbRun;
  number: number;
  buildId: string;
  naming: KcidbNaming;
}

function environmentOf({ pmem, accel, dax, control }: KcidbUnit): KcidbTest['environment'] {
  const proof = dax.proven ? 'proven' : control ? 'not in use, as requested' : 'not proven';
  return {
    comment: `QEMU guest (${accel}) with ${pmem} persistent memory, DAX ${proof}`,
    misc: {
      accel,
      pmem,
      dax: { proven: dax.proven, driver: dax.driver, mount_options: dax.mountOptions },
    },
  };
}

function linesOf(unit: KcidbUnit): string[] {
  const [outcome] = testCasesOf([unit]);
  const kernel = unit.findings.flatMap(({ lines = [] }) => lines);
  return [...(outcome?.details ?? []), ...kernel];
}

function miscOf(unit: KcidbUnit): Record<string, unknown> {
  const { test, fs, suite, variant, attempt, seed, outcome, expectedFailure, replay } = unit;
  return {
    ...{ test, fs, suite, variant, attempt, seed, verdict: unit.verdict, replay },
    ...(outcome ? { outcome } : {}),
    ...(expectedFailure ? { expected_failure: expectedFailure } : {}),
  };
}

/** Nothing is said about the culprit: a finding alone does not prove whether kernel or tools are wrong. */
export function issueOf({ signature, tool, severity, message }: Finding, naming: KcidbNaming) {
  const issue: KcidbIssue = {
    id: objectId(naming, 'issue', [signature]),
    origin: naming.origin,
    version: 1,
    comment: excerpt([message], 200),
    misc: { signature, tool, severity },
  };
  return issue;
}

/** One for each kind of finding. A report that the test provokes is no issue. */
export function incidentsOf(unit: KcidbUnit, test: KcidbTest, naming: KcidbNaming) {
  return groupFindings(unit.findings, unit.omitted)
    .filter(({ finding }) => finding.provoked === undefined)
    .map(({ finding, count }) => {
      const issue = issueOf(finding, naming);
      const incident: KcidbIncident = {
        id: objectId(naming, 'incident', [issue.id, test.id]),
        origin: naming.origin,
        issue_id: issue.id,
        issue_version: issue.version,
        test_id: test.id,
        present: true,
        comment: excerpt([finding.message], 200),
        misc: { count },
      };
      return { issue, incident };
    });
}
