import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultStore } from '../../cli/store/store.js';
import { INSTALLED } from '../../cli/suite/xfstests/tree.js';

/** The programs and schemas that people use to read our reports. Each is this machine's own. */

/** A reader, or why there is none. */
export type Found<Reader> =
  | { reader: Reader; missing?: undefined }
  | { reader?: undefined; missing: string };

/** @returns the output; throws an error with the program's messages if it does not accept the input */
export function accepts(program: string, words: readonly string[], input: string | Buffer): string {
  return execFileSync(program, words, {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: 'pipe',
  });
}

export function hasProgram(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** The schema of xfstests' own reports, in the tree that `--suite xfstests` would use. */
export function xunitSchema(): Found<string> {
  const tree = process.env['DAXREPRO_XFSTESTS'] || INSTALLED;
  const schema = join(tree, 'doc/xunit.xsd');
  if (!hasProgram('xmllint')) return { missing: 'xmllint is not installed' };
  if (existsSync(schema)) return { reader: schema };
  return { missing: `${schema} does not exist: set DAXREPRO_XFSTESTS to an xfstests tree` };
}

let kunit: Found<string> | undefined;

/**
 * `kunit.py` of a kernel's source: the tree in $DAXREPRO_TEST_KERNEL_TREE, or else one of Debian's source
 * packages that is installed, or that `daxrepro kernel build` has fetched.
 */
export function kunitParser(): Found<string> {
  kunit ??= findKunit();
  return kunit;
}

const KUNIT = 'tools/testing/kunit';

function findKunit(): Found<string> {
  if (!hasProgram('python3')) return { missing: 'python3 is not installed' };
  const tree = process.env['DAXREPRO_TEST_KERNEL_TREE'];
  if (tree) {
    const program = join(tree, KUNIT, 'kunit.py');
    return existsSync(program) ? { reader: program } : { missing: `${program} does not exist` };
  }
  const fetched = join(defaultStore().root, 'kernel-archive');
  const [archive] = ['/usr/src', ...entriesOf(fetched)].flatMap((directory) =>
    entriesOf(directory).filter((file) => /\/linux-source-[\d.]+\.tar\.xz$/.test(file)),
  );
  if (archive === undefined) {
    return { missing: 'there is no packaged kernel source: set DAXREPRO_TEST_KERNEL_TREE to one' };
  }
  return { reader: join(unpackKunit(archive), KUNIT, 'kunit.py') };
}

/** Unpacks it once, since a reader of the whole archive needs a minute on a busy machine. */
function unpackKunit(archive: string): string {
  const { size, mtimeMs } = statSync(archive);
  const directory = fileURLToPath(new URL(`../../.tap/kunit-${size}-${mtimeMs}`, import.meta.url));
  if (existsSync(directory)) return directory;
  mkdirSync(dirname(directory), { recursive: true });
  const making = mkdtempSync(`${directory}-`);
  const tar = ['--extract', `--file=${archive}`, '--strip-components=1', `--directory=${making}`];
  execFileSync('tar', [...tar, '--wildcards', `*/${KUNIT}/*.py`]);
  try {
    renameSync(making, directory);
  } catch {
    // Another test was faster.
    rmSync(making, { recursive: true, force: true });
  }
  return directory;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

const VALIDATE = `
import json, sys
sys.path.insert(0, sys.argv[1])
from kcidb_io.schema.v05_03 import Version
Version.validate_exactly(json.load(sys.stdin))
`;

/**
 * KCIDB's own validator: `kcidb_io` in a checkout of kernelci/kcidb-io, in $DAXREPRO_TEST_KCIDB. No
 * registry has it as a package.
 *
 * @returns a function that throws if the document is not valid
 */
export function kcidbValidator(): Found<(text: string) => void> {
  const checkout = process.env['DAXREPRO_TEST_KCIDB'];
  if (!checkout) {
    return { missing: 'DAXREPRO_TEST_KCIDB is not set to a checkout of kernelci/kcidb-io' };
  }
  if (spawnSync('python3', ['-c', 'import jsonschema']).status !== 0) {
    return { missing: 'python3 has no module jsonschema' };
  }
  return { reader: (text) => void accepts('python3', ['-c', VALIDATE, checkout], text) };
}

export interface KunitTest {
  name: string;
  /** As `kunit.py parse --json` writes it: `PASS`, `FAIL`, `SKIP` or `ERROR`. */
  status: string;
}

/** Runs `kunit.py parse`. Throws if it complains about the format. @returns the tests it found, in order */
export function parseKtap(program: string, text: string): KunitTest[] {
  const run = spawnSync('python3', [program, 'parse', '--json'], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const at = run.stdout.search(/^\{$/m);
  if (/\[ERROR\]|Traceback/.test(run.stdout.slice(0, at) + run.stderr) || at < 0) {
    throw new Error(`kunit.py does not accept it: ${run.stderr}${run.stdout.slice(-2000)}`);
  }
  const [json = ''] = /^\{$[\s\S]*?^\}$/m.exec(run.stdout.slice(at)) ?? [];
  return testsOf(JSON.parse(json));
}

interface KunitGroup {
  test_cases: KunitTest[];
  sub_groups: KunitGroup[];
}

function testsOf({ test_cases: tests, sub_groups: groups }: KunitGroup): KunitTest[] {
  return [...tests.map(({ name, status }) => ({ name, status })), ...groups.flatMap(testsOf)];
}
