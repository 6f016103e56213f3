import { existsSync } from 'node:fs';
import { CXL_SUITE, cxlQemu, fetchCxlQemu } from '../emulator/cxl.js';
import { exitCodeOf, formatFailure } from '../outcome.js';
import { capableQemu } from '../power-cut/qemu.js';
import { setUpPowerCuts } from '../power-cut/setup.js';
import type { Progress } from '../progress.js';
import { defaultStore, type Store } from '../store/store.js';
import { describeMissing, installCommand } from '../system/distribution.js';
import { ensureSystem, type Host, installPrivilege, thisHost } from '../system/install.js';
import { missingRequirements } from '../system/programs.js';
import { type Part, partsToInstall } from '../system/requirements.js';
import { packageRoot } from '../version.js';

export interface SetupOptions {
  /** Print what would be installed, and install nothing. */
  dryRun?: boolean;
  /** Also set up power cuts: the plugin, and a QEMU in the cache if the system's is too old. */
  powerCut?: boolean;
  /** Also set up CXL memory: the program cxl, and a QEMU in the cache if the system's is too old. */
  cxl?: boolean;
}

export interface SetupContext {
  host?: Host;
  signal?: AbortSignal;
  progress?: Progress;
  /** The checkout or the installed package. */
  root?: URL;
  store?: Store;
  parts?: readonly Part[];
  print?: (text: string) => void;
  printError?: (text: string) => void;
}

/** `daxrepro setup`: installs everything that the first run would. Nothing needs root afterwards. */
export async function setupCommand(
  { dryRun = false, powerCut = false, cxl = false }: SetupOptions,
  context: SetupContext = {},
): Promise<number> {
  const {
    host = thisHost(),
    signal,
    root = packageRoot,
    store = defaultStore(),
    parts = [...partsToInstall(), ...(cxl ? (['cxl'] as const) : [])],
  } = context;
  const print = context.print ?? ((text) => process.stdout.write(`${text}\n`));
  const printError = context.printError ?? ((text) => process.stderr.write(`${text}\n`));
  if (dryRun) {
    const lines = [...npmLines(root), ...(await systemLines(host, parts))];
    if (powerCut) lines.push(await powerCutLine(store, host));
    if (cxl) lines.push(await cxlLine(store, host));
    for (const line of lines) print(line);
    return 0;
  }
  const progress: Progress =
    context.progress ??
    ((event) => {
      if (event.type !== 'detail') printError(`daxrepro: ${event.text}`);
    });
  const ensured = await ensureSystem(parts, { host, progress, ...(signal ? { signal } : {}) });
  if (!ensured.ok) {
    printError(formatFailure(ensured.failure));
    return exitCodeOf(ensured.failure);
  }
  if (powerCut) {
    const ready = await setUpPowerCuts({ store, progress, signal }, host.path);
    if (!ready.ok) {
      printError(formatFailure(ready.failure));
      return exitCodeOf(ready.failure);
    }
    printError(`daxrepro: QEMU for power cuts: ${ready.value.version}, ${ready.value.program}`);
  }
  if (cxl) {
    const ready = await fetchCxlQemu({ store, progress, ...(signal ? { signal } : {}) }, host.path);
    if (!ready.ok) {
      printError(formatFailure(ready.failure));
      return exitCodeOf(ready.failure);
    }
    printError(`daxrepro: QEMU for CXL memory: ${ready.value.version}, ${ready.value.program}`);
  }
  printError('daxrepro: everything is installed');
  return 0;
}

async function powerCutLine(store: Store, host: Host): Promise<string> {
  const qemu = await capableQemu(store, host.path);
  return qemu.ok
    ? `QEMU for power cuts: ${qemu.value.version}, ${qemu.value.program}`
    : "QEMU for power cuts: Debian's 10.0 would be downloaded, 13 MB, and unpacked into the cache";
}

async function cxlLine(store: Store, host: Host): Promise<string> {
  const qemu = await cxlQemu(store, host.path);
  return qemu.ok
    ? `QEMU for CXL memory: ${qemu.value.version}, ${qemu.value.program}`
    : `QEMU for CXL memory: that of Debian's ${CXL_SUITE} would be downloaded, about 40 MB, and unpacked into the cache`;
}

/** The launcher installs npm packages, so those that daxrepro needs are there. */
function npmLines(root: URL): string[] {
  if (!existsSync(new URL('package-lock.json', root))) return [];
  const tools = existsSync(new URL('node_modules/.bin/tap', root))
    ? 'Those for the tests are installed too.'
    : 'Those for the tests are not installed; `npm test` installs them.';
  return [`npm packages: those that daxrepro needs are installed. ${tools}`];
}

async function systemLines(host: Host, parts: readonly Part[]): Promise<string[]> {
  const missing = missingRequirements(parts, host.path, host.requirements);
  if (missing.length === 0) return ['System packages: nothing is missing.'];
  const { family, name } = host.distribution;
  const privilege = await installPrivilege(host);
  const title = privilege.ok
    ? `System packages that would be installed with ${[...privilege.argv, 'apt-get'].join(' ')}:`
    : `System packages missing on ${name}; install them yourself (${privilege.reason}):`;
  const list = describeMissing(missing, family).map((line) => `  ${line}`);
  const command = installCommand(missing, host.distribution, host.root);
  return [title, ...list, ...(command ? [`The command: ${command}`] : [])];
}
