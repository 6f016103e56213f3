import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../evidence/open-image.js';
import { type DeviceContents, extentsOfFile } from '../guest/contents.js';
import { failure, type Outcome, success } from '../outcome.js';
import { type KeptUnit, readUnit } from '../results/read.js';
import type { UnitResult } from '../results/run-result.js';

/** The images of a failed unit, as initial contents of a guest's devices. */

export interface OpenedUnit {
  unit: UnitResult;
  /** Bytes of each device. */
  size: number;
  contents: Partial<Record<'test' | 'scratch', DeviceContents>>;
  /** Sentences that name the file and the device with its copy. */
  images: string[];
  close(): void;
}

/** @param name a run's directory, `RUN#N`, or a unit's directory: see `readUnit` */
export async function openUnit(name: string, signal: AbortSignal): Promise<Outcome<OpenedUnit>> {
  const read = readUnit(name, {
    choose: ({ images = [] }) => images.length > 0,
    what: 'units with an image',
  });
  return read.ok ? openImages(read.value, signal) : read;
}

async function openImages(
  { unit, directory }: KeptUnit,
  signal: AbortSignal,
): Promise<Outcome<OpenedUnit>> {
  const opened: OpenedUnit['contents'] = {};
  const descriptors: number[] = [];
  const images: string[] = [];
  const close = () => {
    for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
  };
  let size = 0;
  for (const { device, file } of unit.images ?? []) {
    // TEST_DEV is the first device: pmem0, pmem0p1, dm-0, vda, vda1.
    const role = /(?:0(?:p1)?|a1?)$/.test(device) ? 'test' : 'scratch';
    // If a device was damaged more than once, the first image is the most useful.
    if (file === undefined || opened[role]) continue;
    const path = join(directory, file);
    const image = await openImage(path, signal);
    if (!image.ok) {
      close();
      return image;
    }
    descriptors.push(image.value.descriptor);
    size = Math.max(size, image.value.size);
    opened[role] = extentsOfFile(image.value.descriptor);
    images.push(`${path}, copied to ${device}`);
  }
  if (images.length > 0) return success({ unit, size, contents: inOrder(opened), images, close });
  const [first] = unit.images ?? [];
  return failure(
    'usage',
    `${unit.fs} ${unit.test} of ${directory} has no image${first?.missing ? `: ${first.missing}` : ''}`,
    'Images are kept only if a check found something, and within the limit of --keep-images',
  );
}

/** In the order in which they are sent. */
function inOrder({ test, scratch }: OpenedUnit['contents']): OpenedUnit['contents'] {
  return { ...(test ? { test } : {}), ...(scratch ? { scratch } : {}) };
}

/** The files of a unit's changes, taken from its replay command. */
export function changesOf({ replay }: Pick<UnitResult, 'replay'>): string[] {
  const words = replay.matchAll(/ --patch (?:'((?:[^']|'\\'')*)'|(\S+))/g);
  return [...words].map(([, quoted, plain]) => quoted?.replaceAll("'\\''", "'") ?? plain ?? '');
}
