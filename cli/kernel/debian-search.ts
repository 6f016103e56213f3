import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openApt, type PackageRecord, packageRecords } from '../debian/apt.js';
import { type Failure, failure, type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';
import { readReference, settleReference } from '../store/reference.js';
import type { Store } from '../store/store.js';
import { type DebianKernel, lacksDaxSince, readCatalogue, searchedSuites } from './catalogue.js';
import type { KernelContext } from './kernel.js';
import {
  completeSets,
  hostLibc,
  type KernelPackages,
  libcSuffices,
  newestImage,
  packageNames,
  seriesOf,
} from './packages.js';

/**
 * Finds out which packages `debian:SUITE` and a `debian:X.Y` outside of the catalogue stand for. The mirror is
 * asked once, and the answer is kept: one version of one series, in certain suites. Nothing but package lists
 * is downloaded.
 */

const FoundSchema = z.object({
  series: z.string(),
  version: z.string(),
  suites: z.array(z.string()),
});

type Found = z.infer<typeof FoundSchema>;

/** How the cache names it: `7.2`, `sid`, `7.2=7.2.12-1`. */
export function nameOf({ version, suite, pin }: DebianKernel): string {
  return suite ?? `${version}${pin === undefined ? '' : `=${pin}`}`;
}

const referenceOf = (kernel: DebianKernel) => `found-${nameOf(kernel)}`;

/** The kernel with its series and version; undefined if the mirror was not asked yet. */
export async function settledBefore(
  kernel: DebianKernel,
  store: Store,
): Promise<DebianKernel | undefined> {
  if (!isOpen(kernel)) return kernel;
  const { search: _, ...pinned } = kernel;
  if (kernel.pin !== undefined && (await isFetched(kernel, store))) return pinned;
  const found = FoundSchema.safeParse(await readReference(store, referenceOf(kernel))).data;
  return found && asFound(found);
}

/** Whether the series stands for this version already. */
async function isFetched({ version, pin }: DebianKernel, store: Store): Promise<boolean> {
  const remembered = await readReference(store, `debian-${version}`);
  return z.object({ version: z.literal(pin) }).safeParse(remembered).success;
}

/** The kernel with its series and version. Asks the mirror, unless it has said before. */
export async function settleDebian(
  kernel: DebianKernel,
  context: KernelContext,
  { refresh = false }: { refresh?: boolean } = {},
): Promise<Outcome<DebianKernel>> {
  const look = () => settledBefore(kernel, context.store);
  const known = refresh && isOpen(kernel) ? undefined : await look();
  if (known) return success(known);
  return settleReference(
    context.store,
    referenceOf(kernel),
    refresh ? async () => undefined : look,
    async (scratch) => {
      const found = await ask(kernel, scratch, context);
      if (!found.ok) return found;
      return success({ remember: found.value, value: asFound(found.value) });
    },
  );
}

const isOpen = ({ suite, search }: DebianKernel) => suite !== undefined || search === true;

function asFound({ series, version, suites }: Found): DebianKernel {
  const releases = [{ codename: 'debian', suites }];
  return { version: series, pin: version, releases, lacksDax: lacksDaxSince(series) };
}

/** In each of its releases, until one has it. */
async function ask(
  kernel: DebianKernel,
  scratch: string,
  context: KernelContext,
): Promise<Outcome<Found>> {
  let missing: Outcome<Found> | undefined;
  for (const [index, { suites }] of kernel.releases.entries()) {
    missing = await askSuites(kernel, suites, join(scratch, String(index)), context);
    if (missing.ok || !isMissing(missing.failure)) break;
  }
  if (!missing) throw new Error(`${nameOf(kernel)} has no releases`);
  return missing;
}

/** Another release may have it. */
function isMissing({ kind }: Failure): boolean {
  return kind === 'kernel-unavailable' || kind === 'usage';
}

async function askSuites(
  kernel: DebianKernel,
  suites: string[],
  lists: string,
  { progress, signal }: KernelContext,
): Promise<Outcome<Found>> {
  const what = kernel.suite === undefined ? `kernel ${nameOf(kernel)}` : 'its newest kernel';
  progress({
    type: 'note',
    text: `Asking this machine's Debian mirror for ${what}: package lists of ${suites.join(', ')} (some 10 MB each)`,
  });
  await mkdir(lists);
  const apt = await openApt(lists, suites, signal);
  if (!apt.ok) return apt;
  const records = await packageRecords(apt.value, packageNames(kernel.version));
  const set = newestSet(kernel, records);
  if (!set) return notFound(kernel, records, apt.value.complaints);
  const lag = kernel.pin === undefined ? lagOf(set, records) : undefined;
  if (lag !== undefined) progress({ type: 'note', text: lag });
  return success({ series: set.series, version: set.packages.version, suites });
}

interface FoundSet {
  series: string;
  packages: KernelPackages;
}

/** The newest version of the newest series that is whole, rather one whose build tools run here. */
function newestSet(kernel: DebianKernel, records: readonly PackageRecord[]): FoundSet | undefined {
  const libc = hostLibc();
  for (const series of kernel.suite === undefined ? [kernel.version] : seriesOf(records)) {
    const sets = completeSets(series, records).filter(
      ({ version }) => kernel.pin === undefined || version === kernel.pin,
    );
    const packages = sets.find((one) => libcSuffices(one.libc, libc)) ?? sets[0];
    if (packages) return { series, packages };
  }
  return undefined;
}

/** A mirror can have a newer image than sources. Modules must be built from the image's own sources. */
function lagOf({ series, packages }: FoundSet, records: readonly PackageRecord[]) {
  const image = newestImage(series, records);
  if (image === undefined || image.version === packages.version) return undefined;
  const whole = completeSets(series, records).some(({ version }) => version === image.version);
  if (whole) return undefined;
  return `The newest image of ${series} is ${image.version}, but its headers or sources are not on the mirror: using ${packages.version}, which is complete`;
}

function notFound(
  kernel: DebianKernel,
  records: readonly PackageRecord[],
  complaints: string,
): Outcome<never> {
  const { suite, pin, version } = kernel;
  const kernels = readCatalogue()
    .map((one) => `debian:${one.version}`)
    .join(', ');
  const detail = complaints === '' ? {} : { detail: complaints };
  const kind = answered(complaints) ? 'usage' : 'kernel-unavailable';
  if (suite !== undefined) {
    const known = searchedSuites()
      .map((one) => `debian:${one}`)
      .join(', ');
    return failure(
      kind,
      `This machine's Debian mirror has no suite ${suite} with a kernel, its headers and its sources`,
      `Check the name of the suite, the network and the mirror in /etc/apt. There are ${known}`,
      detail,
    );
  }
  const versions = completeSets(version, records).map((one) => one.version);
  if (pin !== undefined && versions.length > 0) {
    return failure(
      'usage',
      `This machine's Debian mirror has no kernel ${version} in version ${pin}`,
      `Use one of ${versions.map((one) => `debian:${version}=${one}`).join(', ')}`,
      detail,
    );
  }
  return failure(
    kind,
    `This machine's Debian mirror has no kernel ${version} with headers and sources in any suite that daxrepro knows`,
    `Use ${kernels}, or check the network and the mirror in /etc/apt`,
    detail,
  );
}

/** A mirror that answers has no such kernel; otherwise the network may be at fault. */
function answered(complaints: string): boolean {
  const causes = complaints.split('\n').filter((line) => /^[WE]: /.test(line));
  return causes.every((line) =>
    /\b404\b|does not have a Release file|Some index files failed/.test(line),
  );
}
