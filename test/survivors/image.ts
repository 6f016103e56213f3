import type { SurvivorEvent } from '../../cli/guest/protocol.js';
import type { Claims } from '../../cli/power-cut/ledger.js';
import type { Examination } from '../../cli/survivors/examination.js';
import type { Image } from '../../cli/survivors/judge-image.js';

/** An image with one promised name of 4096 bytes, and a guest's report about it. */

export const CLAIMS: Claims = {
  names: [
    {
      name: 'a',
      mayBeAbsent: false,
      by: 'fsync',
      files: [
        {
          file: 1,
          parts: [{ from: 0, to: 4096, byte: 17, by: 'fsync' }],
          size: { bytes: 4096, by: 'fsync' },
        },
      ],
    },
  ],
  moves: [],
};

export const KEPT = 'name file 4096\ndata same\nend\n';
export const BROKEN = 'name file 4096\ndata differs 0 63 64 1 8192\nend\n';

/** Output of a check without findings. */
export const CLEAN = `e2fsck 1.47.0 (5-Feb-2023)
Pass 1: Checking inodes, blocks, and sizes
Pass 2: Checking directory structure
Pass 3: Checking directory connectivity
Pass 4: Checking reference counts
Pass 5: Checking group summary information
/dev/vda1: 12/16384 files (0.0% non-contiguous), 8459/65536 blocks
`;

export function image(more: Partial<Image> = {}): Image {
  return {
    cut: {
      ...{ event: 'cut', sequence: 1, cut: 3, cause: 'marker', label: '', cpu: 0 },
      ...{ states: ['nothing', 'everything'], dirty: 0, pending: 0, lost: 0, store: null },
    },
    ...{ device: 0, state: 'nothing', claims: CLAIMS, lost: [] },
    ...more,
  };
}

const EVENT: SurvivorEvent = {
  ...{ event: 'survivor', number: 1, repair: undefined, mount: 0, looked: 0, check: 0, said: '' },
};

type Told = Extract<Examination, { kind: 'told' }>;

export function told({
  event,
  ...more
}: Partial<Omit<Told, 'event'>> & { event?: Partial<SurvivorEvent> } = {}): Told {
  return {
    ...{ kind: 'told', answers: KEPT, check: CLEAN, complaints: [] },
    event: { ...EVENT, ...event },
    ...more,
  };
}
