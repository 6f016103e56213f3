import { escapeForTerminal } from '../findings/escape.js';
import type { KeptImage } from '../launch/images.js';
import { formatBytes } from '../words.js';

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
