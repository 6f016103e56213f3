import { escapeForTerminal } from '../findings/escape.js';
import type { KeptImage } from '../launch/images.js';
import { formatBytes } from '../words.js';

/** `/dev/pmem0 before any repair: 001-…/image-test.tar.gz (312 KiB; unpack with tar -xSzf)` */
export function describeImages(images: readonly KeptImage[] = []): string[] {
  return images.map(({ device, file, bytes = 0, missing }) =>
    escapeForTerminal(
      file === undefined
        ? `${device}: not kept, ${missing}`
        : `${device} before any repair: ${file} (${formatBytes(bytes)}; unpack with tar -xSzf)`,
    ),
  );
}
