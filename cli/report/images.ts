import type { KeptImage } from '../evidence/images.js';
import { escapeForTerminal } from '../findings/escape.js';
import { formatBytes } from './text.js';

/** `/dev/pmem0 before any repair: 001-…/image-test.tar.gz (312 KiB; tar -xSzf unpacks it)` */
export function describeImages(images: readonly KeptImage[] = []): string[] {
  return images.map(({ device, file, bytes = 0, missing }) =>
    escapeForTerminal(
      file === undefined
        ? `${device}: not kept, ${missing}`
        : `${device} before any repair: ${file} (${formatBytes(bytes)}; tar -xSzf unpacks it)`,
    ),
  );
}
