import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import { runTool, type ToolOptions } from '../process/child.js';
import { tail, tool } from '../process/tool.js';

/**
 * Downloads Debian packages of any suite with an apt state of its own. It uses the machine's
 * mirror, keys, proxies and credentials, but neither reads nor changes its sources, package lists
 * and dpkg status. Needs no root.
 */

/** One record of a package list. */
export interface PackageRecord {
  name: string;
  version: string;
  /** The field as it stands: `libc6 (>= 2.34), libelf1 (>= 0.142)`. */
  depends: string;
  /** Bytes to download. */
  size: number;
  sha256: string;
}

export interface Apt {
  directory: string;
  /** Suites whose lists it reads. */
  suites: readonly string[];
  options: readonly string[];
  signal: AbortSignal | undefined;
  /** Warnings and errors from fetching the lists. */
  complaints: string;
}

/** What the machine's apt configuration says about Debian. */
export interface Mirror {
  main: string;
  security?: string;
  /** Files with the keys that sign its packages. */
  keyrings: string[];
}

const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Fetches the package lists of `suites` into `directory`, which must exist and be empty. */
export async function openApt(
  directory: string,
  suites: readonly string[],
  signal?: AbortSignal,
): Promise<Outcome<Apt>> {
  const mirror = await machineMirror(signal);
  if (!mirror.ok) return mirror;
  await mkdir(join(directory, 'state/lists/partial'), { recursive: true });
  await mkdir(join(directory, 'cache/archives/partial'), { recursive: true });
  await writeFile(join(directory, 'status'), '');
  await writeFile(join(directory, 'apt.conf'), CONFIGURATION);
  await writeFile(join(directory, 'sources.list'), sourcesList(mirror.value, suites));
  const options = aptOptions(directory);
  // The exit code says little: apt-get fails if a suite is gone, but not if the mirror cannot be
  // reached. The lookup of packages finds out what is missing.
  const update = await runTool(['apt-get', ...options, 'update'], toolOptions(signal));
  if (update.exitCode === 127) return noApt(update.all);
  if (update.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
  const complaints = update.all.split('\n').filter((line) => /^(W|E|Err):?/.test(line));
  return success({ directory, suites, options, signal, complaints: complaints.join('\n') });
}

/** The records of all versions of the packages that match these names (`*` as in a shell). */
export async function packageRecords(apt: Apt, names: readonly string[]): Promise<PackageRecord[]> {
  const argv = ['apt-cache', ...apt.options, 'show', ...names] as [string, ...string[]];
  // It fails if no package matches; then there are no records.
  const result = await runTool(argv, toolOptions(apt.signal));
  return parseRecords(result.stdout);
}

/**
 * Packages and all that they depend on, as apt would install them on an empty system. Nothing is downloaded.
 *
 * @param names `gcc`, or `gcc=4:12.2.0-3`
 * @param suite the one to prefer; undefined: apt's own choice
 */
export async function packageClosure(
  apt: Apt,
  names: readonly string[],
  suite?: string,
): Promise<Outcome<PackageRecord[]>> {
  const target = suite === undefined ? [] : ['-t', suite];
  const argv = ['-s', ...target, '--no-install-recommends', 'install', ...names];
  const simulated = await runTool(['apt-get', ...apt.options, ...argv], toolOptions(apt.signal));
  if (simulated.canceled) return failure('interrupted', 'Interrupted', 'Start it again');
  const chosen = [...simulated.stdout.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)].map(
    ([, one = '', version = '']) => `${one}=${version}`,
  );
  if (!simulated.ok || chosen.length === 0) {
    return failure(
      'tool-failed',
      `apt cannot choose ${names.join(', ')} with all dependencies from ${suite ?? apt.suites.join(', ')}`,
      'Check the name of the suite and the mirror in /etc/apt',
      { detail: tail(simulated.all) },
    );
  }
  const records = await packageRecords(apt, chosen);
  if (records.length >= chosen.length) return success(records);
  return failure(
    'kernel-unavailable',
    `the mirror has ${records.length} of the ${chosen.length} packages that ${names.join(', ')} needs`,
    'Check the network and the mirror in /etc/apt',
  );
}

/** Downloads exactly these packages into `directory`; apt checks their signed hashes. */
export async function downloadPackages(
  apt: Apt,
  packages: readonly PackageRecord[],
  directory: string,
): Promise<Outcome<unknown>> {
  const wanted = packages.map(({ name, version }) => `${name}=${version}`);
  return tool(
    ['apt-get', ...apt.options, 'download', ...wanted],
    {
      cannot: `Cannot download ${wanted.join(', ')}`,
      remedy: 'Check the network and the mirror in /etc/apt, then start it again',
    },
    { ...toolOptions(apt.signal), cwd: directory },
  );
}

/**
 * Parses deb-control(5) paragraphs and keeps their order: apt prints the newest version of a
 * package first. Skips paragraphs that lack a field we need.
 */
export function parseRecords(text: string): PackageRecord[] {
  const records: PackageRecord[] = [];
  for (const paragraph of text.split(/\n\n+/)) {
    const field = (name: string) => paragraph.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1];
    const [name, version, sha256] = [field('Package'), field('Version'), field('SHA256')];
    const size = Number(field('Size'));
    if (!name || !version || !sha256 || !Number.isInteger(size)) continue;
    records.push({ name, version, depends: field('Depends') ?? '', size, sha256 });
  }
  return records;
}

/** Where this machine gets Debian packages from. Works even before its first `apt-get update`. */
async function machineMirror(signal?: AbortSignal): Promise<Outcome<Mirror>> {
  const format = '$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)\t$(SOURCESENTRY)';
  const targets = await runTool(
    ['apt-get', 'indextargets', '--no-release-info', '--format', format, 'Created-By: Packages'],
    toolOptions(signal),
  );
  if (targets.exitCode === 127) return noApt(targets.all);
  const entries = targets.stdout.split('\n').map((line) => line.split('\t'));
  const mirror = chooseMirror(entries);
  if (!mirror) {
    return failure(
      'kernel-unavailable',
      "This machine's apt has no Debian mirror to get packaged kernels from",
      'Give your own kernel with --kernel image:BZIMAGE,MODULES-DIR, or use --kernel host',
      { detail: tail(targets.all) },
    );
  }
  return success({
    main: mirror.main,
    ...(mirror.security === undefined ? {} : { security: mirror.security }),
    keyrings: await keyrings(mirror.sourceFiles),
  });
}

/** @param entries URI, suite, component and `file:line` of every index that apt reads here */
export function chooseMirror(
  entries: readonly (readonly string[])[],
): { main: string; security?: string; sourceFiles: string[] } | undefined {
  const debian = entries.filter(([, , component]) => component === 'main');
  const isSecurity = (suite = '') => /-security$|\/updates$/.test(suite);
  const security = debian.find(([, suite]) => isSecurity(suite));
  const isRelease = (suite = '') => DEBIAN_SUITE.test(suite);
  // Other distributions have a suite `stable` too, but no address that ends in `debian`.
  const main =
    debian.find(([uri = '', suite]) => isRelease(suite) && /\/debian\/?$/.test(uri)) ??
    debian.find(([, suite]) => isRelease(suite) && suite !== 'stable' && suite !== 'testing');
  if (!main?.[0]) return undefined;
  const sourceFiles = [main, security].map((entry) => entry?.[3]?.replace(/:\d+$/, '') ?? '');
  return {
    main: main[0],
    ...(security?.[0] ? { security: security[0] } : {}),
    sourceFiles: [...new Set(sourceFiles.filter((file) => file !== ''))],
  };
}

const DEBIAN_SUITE =
  /^(oldoldstable|oldstable|stable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke)$/;

/**
 * The keyrings that these sources name, plus Debian's own, which has the keys of other releases.
 */
async function keyrings(sourceFiles: readonly string[]): Promise<string[]> {
  const named = new Set<string>([DEBIAN_KEYRING]);
  for (const file of sourceFiles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const [, value = ''] of text.matchAll(/^Signed-By:[ \t]*(\/.*)$/gim)) {
      for (const path of value.trim().split(/[\s,]+/)) named.add(path);
    }
    for (const [, value = ''] of text.matchAll(/\bsigned-by=(\/[^\s\]]*)/gi)) {
      for (const path of value.split(',')) named.add(path);
    }
  }
  const readable: string[] = [];
  for (const file of named) {
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      readable.push(file);
  }
  return readable;
}

/** sources.list(5). Without `signed-by`, apt uses its own trusted keys. */
function sourcesList(mirror: Mirror, suites: readonly string[]): string {
  const signedBy = mirror.keyrings.length === 0 ? '' : ` signed-by=${mirror.keyrings.join(',')}`;
  const lines: string[] = [];
  for (const suite of suites) {
    const uri = suite.endsWith('-security') ? mirror.security : mirror.main;
    if (uri === undefined) continue;
    lines.push(`deb [arch=amd64 lang=none target=Packages${signedBy}] ${uri} ${suite} main\n`);
  }
  return lines.join('');
}

/**
 * Removes the hooks that the machine's configuration runs after an update: refreshing the desktop's
 * catalogue takes longer than the update and is not our job.
 *
 * Lists of a suite that gets no more updates have expired. Their signatures are still valid.
 */
const CONFIGURATION = `\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
`;

function aptOptions(directory: string): string[] {
  const settings: Record<string, string> = {
    'Dir::State': join(directory, 'state'),
    'Dir::State::Lists': join(directory, 'state/lists'),
    'Dir::State::status': join(directory, 'status'),
    'Dir::Cache': join(directory, 'cache'),
    'Dir::Cache::archives': join(directory, 'cache/archives'),
    'Dir::Cache::pkgcache': join(directory, 'cache/pkgcache.bin'),
    'Dir::Cache::srcpkgcache': join(directory, 'cache/srcpkgcache.bin'),
    'Dir::Etc::sourcelist': join(directory, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::Log': directory,
    // As root, apt would download as a user who cannot enter root's cache.
    'APT::Sandbox::User': 'root',
  };
  const options = ['-q', '-c', join(directory, 'apt.conf')];
  for (const [name, value] of Object.entries(settings)) options.push('-o', `${name}=${value}`);
  return options;
}

/** Messages in English, because we parse them. */
function toolOptions(signal: AbortSignal | undefined): ToolOptions {
  return { env: { LC_ALL: 'C.UTF-8' }, ...(signal ? { signal } : {}) };
}

function noApt(detail: string) {
  return failure(
    'kernel-unavailable',
    'Packaged kernels are downloaded with apt, and this machine has no apt',
    'Give your own kernel with --kernel image:BZIMAGE,MODULES-DIR, or use --kernel host',
    { detail },
  );
}
