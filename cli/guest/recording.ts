import { createHash } from 'node:crypto';
import { z } from '../schema.js';
import type { Monitor } from './monitor.js';

/** How a recorded execution ended: what a replay must reproduce. */
export interface ExecutionEnd {
  /** Instructions that the guest executed since the record begins. */
  instructions: number;
  /** All that the guest sent on its channel. */
  channel: { bytes: number; sha256: string };
}

const ReplaySchema = z.object({ icount: z.number() });

/** The number of executed instructions; undefined if QEMU has ended. */
export async function countInstructions(monitor: Monitor): Promise<number | undefined> {
  const answer = await monitor.execute('query-replay');
  return answer.ok ? ReplaySchema.safeParse(answer.value).data?.icount : undefined;
}

/** What QEMU says if it could not write a part of the record (replay/replay-internal.c). */
export const INCOMPLETE = 'replay write error';

/** Milliseconds that QEMU may take to write the rest of a record. */
const TO_END = 30_000;

/** Sums up what a guest sends on its channel. */
export class ChannelSum {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
  }

  /** Call it once, at the end. */
  sum(): ExecutionEnd['channel'] {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

/** The end of one guest's record. QEMU completes a record only if it ends by itself. */
export class Recording {
  readonly #monitor: Monitor;
  readonly channel = new ChannelSum();
  #instructions: Promise<number | undefined> | undefined;
  #end: ExecutionEnd | undefined;

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
  }

  /**
   * Stops the guest, notes its instructions, and makes QEMU end. May be called twice. QEMU has ended if the
   * promise resolves to true.
   *
   * @param closed resolves when QEMU has ended
   */
  async finish(closed: Promise<void>): Promise<boolean> {
    this.#instructions ??= this.#stop();
    await this.#instructions;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), TO_END);
    });
    const ended = await Promise.race([closed.then(() => true), late]);
    clearTimeout(timer);
    return ended;
  }

  async #stop(): Promise<number | undefined> {
    await this.#monitor.begin();
    await this.#monitor.execute('stop');
    const instructions = await countInstructions(this.#monitor);
    void this.#monitor.execute('quit');
    return instructions;
  }

  /**
   * Call it when QEMU has ended.
   *
   * @param whole whether QEMU completed the record
   */
  async close(whole: boolean): Promise<void> {
    const instructions = await this.#instructions;
    if (instructions === undefined || !whole) return;
    this.#end = { instructions, channel: this.channel.sum() };
  }

  /** undefined if QEMU ended before it could complete the record. */
  get end(): ExecutionEnd | undefined {
    return this.#end;
  }
}
