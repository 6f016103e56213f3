import { type Checkpoint, checkpointKey, recentFailure } from '../guest/checkpoint.js';
import type { GuestLimits } from '../guest/guest.js';
import type { MachineFiles, MachineShape } from '../guest/machine.js';
import {
  findMountedGuest,
  MOUNTED_GUEST,
  type MountedGuest,
  makeMountedGuest,
} from '../guest/mounted-guest.js';
import type { UnitRequest } from '../guest/protocol.js';
import type { Outcome } from '../outcome.js';
import type { Unit } from '../plan/unit.js';
import type { Progress } from '../progress.js';
import { sha256Of } from '../sha256.js';
import { keepNewest } from '../store/clean.js';
import { cacheKey, type Store } from '../store/store.js';
import { mountProblem } from './mount-problem.js';
import type { Prepared } from './prepared.js';
import { wasWanted } from './wanted.js';

/**
 * The second checkpoints of a run: finds them, and decides which are worth making. One costs about
 * as much as it saves two units.
 */

export interface MountedContext {
  store: Store;
  progress: Progress;
  shape: MachineShape;
  files: Omit<MachineFiles, 'devices'>;
  limits: GuestLimits;
  /** The guest to begin with. */
  booted: () => Promise<Outcome<Checkpoint>>;
  signal: AbortSignal | undefined;
}

/** So many units have to share one. */
const WORTH_IT = 3;

/** How many the cache keeps. Each takes some 350 MiB. */
const MOST_KEPT = 8;

/** Seconds to load a module, make a file system and mount it. */
const TO_MOUNT = 120;

/** Raise it if guests prepare the mount differently. */
const LAYOUT = '1';

export class MountedGuests {
  /** Units that have not started, by what they mount. */
  readonly #left = new Map<string, number>();
  /** By key: being made, or not to be made in this run. */
  readonly #making = new Set<string>();
  readonly #without = new Set<string>();

  /** @param units all units of the run */
  constructor(units: readonly Unit[]) {
    for (const unit of units) {
      const kind = kindOf(unit);
      this.#left.set(kind, (this.#left.get(kind) ?? 0) + 1);
    }
  }

  /** The guest to clone for this unit; undefined if the unit has to mount for itself. */
  async find(
    unit: Unit,
    prepared: Prepared,
    context: MountedContext,
  ): Promise<MountedGuest | undefined> {
    const { store } = context;
    const kind = kindOf(unit);
    const sharing = this.#left.get(kind) ?? 1;
    this.#left.set(kind, sharing - 1);
    const key = await keyOf(unit, prepared, context);
    if (this.#making.has(key) || this.#without.has(key)) return undefined;
    const found = await findMountedGuest(store, key);
    if (found) return found;
    if ((await recentFailure(store, key)) !== undefined) return undefined;
    if (sharing < WORTH_IT && !(await wasWanted(store, key))) return undefined;
    // The units beside the one that makes it do not wait.
    if (this.#making.has(key)) return undefined;
    this.#making.add(key);
    try {
      const made = await make(unit, prepared, key, context);
      if (!made) this.#without.add(key);
      return made;
    } finally {
      this.#making.delete(key);
    }
  }
}

/** What has to be equal for units to share one, as far as a plan tells. */
function kindOf(unit: Unit): string {
  const { fs, kernelSpec, variant, shape, mkfsOptions, mountOptions } = unit;
  return JSON.stringify([fs, kernelSpec, variant, shape, mkfsOptions, mountOptions]);
}

/** Of everything that determines the state of the mounted guest. */
async function keyOf(
  { fs, mkfsOptions, mountOptions }: Unit,
  { module }: Prepared,
  { shape, files }: MountedContext,
): Promise<string> {
  return cacheKey({
    layout: LAYOUT,
    booted: await checkpointKey(shape, files),
    fs,
    mkfsOptions,
    mountOptions,
    module: JSON.stringify([module?.sha256, module?.buildId, module?.origin, module?.dependencies]),
  });
}

async function make(
  unit: Unit,
  prepared: Prepared,
  key: string,
  context: MountedContext,
): Promise<MountedGuest | undefined> {
  const { store, progress, signal, limits, shape, files } = context;
  const from = await context.booted();
  if (!from.ok) return undefined;
  progress({ type: 'stage', text: `mounting ${unit.fs} once, to clone the guest from then on` });
  const made = await makeMountedGuest(store, key, {
    ...{ shape, files, limits, signal, seconds: TO_MOUNT },
    from: from.value,
    request: mountRequest(unit, prepared),
    module: prepared.module?.bytes,
    problem: (events, findings) => mountProblem(unit, prepared, events, findings),
  });
  if (made.ok) {
    await keepNewest(store, MOUNTED_GUEST, MOST_KEPT);
    return made.value;
  }
  if (made.failure.kind !== 'interrupted') {
    progress({ type: 'note', text: `${made.failure.message}; each unit mounts for itself` });
  }
  return undefined;
}

function mountRequest({ fs, mkfsOptions, mountOptions }: Unit, { module }: Prepared): UnitRequest {
  return {
    FS: fs,
    TEST: 'none',
    MKFS_OPTIONS: mkfsOptions,
    MOUNT_OPTIONS: mountOptions,
    TIMEOUT: TO_MOUNT,
    CLOCK: Date.now() * 1000,
    // The same for all variants of a comparison. Clones get random numbers of their own.
    ENTROPY: sha256Of('entropy of mounted guests'),
    MODULE_NEEDS: module?.bytes && module.dependencies.join(' '),
    CLONES: 1,
  };
}
