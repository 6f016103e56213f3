import { z } from 'zod';

/**
 * What the guest says on its channel: lines of JSON, written by guest-scripts/lib/channel.sh. The
 * guest is not trusted: a line that is no event, or is too long, ends the unit as a protocol
 * violation; text in events is data and is escaped before anyone sees it.
 */

/** Numbers come as text where a shell may have nothing to say: empty is undefined. */
const count = z
  .string()
  .transform((text) => (/^\d+$/.test(text.trim()) ? Number(text) : undefined));
const flags = z
  .string()
  .transform((text) => (/^(0x[0-9a-f]+|\d+)$/i.test(text.trim()) ? Number(text) : undefined));

const Proof = z.object({
  event: z.literal('proof'),
  when: z.enum(['before', 'remount', 'scratch', 'after']),
  device: z.string(),
  directory: z.string(),
  /** Whether that device is mounted there, by /proc/mounts. */
  mounted: z.boolean(),
  type: z.string(),
  options: z.string(),
  /** Whether /sys/fs/ext4/<device> exists; it does for each mount that ext4's code serves. */
  servedByExt4: z.boolean(),
  servedByXfs: z.boolean(),
  /** Users of the file system's module now, and before anything was mounted. */
  moduleReferences: count,
  moduleReferencesUnmounted: count,
  /** The GNU build id of the module that the kernel holds, in hexadecimal. */
  moduleBuildId: z.string(),
  /** Of a fresh regular file, by statx(2). */
  statxAttributes: flags,
  statxMask: flags,
  /** Bytes, by statfs(2). */
  blockSize: count,
  pageSize: count,
  /** The last lines of the kernel's log. */
  kernelLog: z.string(),
});

const GuestEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('ready'),
    release: z.string(),
    testDevice: z.string(),
    scratchDevice: z.string(),
    deviceProblem: z.string(),
    bootId: z.string(),
  }),
  z.object({ event: z.literal('step'), name: z.string() }),
  z.object({
    event: z.literal('module'),
    name: z.string(),
    /** Of the file that was loaded, where the host sent one. */
    sha256: z.string(),
    /** `sent` by the host, or the `kernel`'s own. */
    origin: z.enum(['sent', 'kernel']),
  }),
  z.object({ event: z.literal('mount-failed'), message: z.string(), kernelLog: z.string() }),
  Proof,
  z.object({
    event: z.literal('test'),
    status: z.number().int(),
    timedOut: z.boolean().default(false),
    /** One a line. */
    failures: z.string().default(''),
    notrun: z.string().default(''),
    lastOutput: z.string().default(''),
    reason: z.string().optional(),
    microseconds: z.number().default(0),
  }),
  z.object({
    event: z.literal('fsck'),
    name: z.enum(['test', 'scratch']),
    device: z.string(),
    status: z.number().int(),
  }),
  z.object({
    event: z.literal('file'),
    name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,60}$/),
    data: z.string(),
  }),
  z.object({ event: z.literal('log'), text: z.string() }),
  z.object({
    event: z.literal('gave-up'),
    step: z.string(),
    message: z.string(),
    kernelLog: z.string(),
  }),
  z.object({ event: z.literal('finished') }),
]);

export type GuestEvent = z.infer<typeof GuestEvent>;
export type ProofEvent = z.infer<typeof Proof>;
export type ReadyEvent = Extract<GuestEvent, { event: 'ready' }>;

/** Characters; the guest's longest line is a piece of a file, 24,000 and a little. */
const LONGEST_LINE = 256 * 1024;

export type Received = { ok: true; event: GuestEvent } | { ok: false; problem: string };

/** Turns the channel's bytes into events, whatever the pieces they come in. */
export class EventReader {
  #rest = '';
  readonly #decoder = new TextDecoder();

  push(chunk: Uint8Array): Received[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    const received = lines.filter((line) => line !== '').map(readEvent);
    if (this.#rest.length > LONGEST_LINE) {
      this.#rest = '';
      received.push({ ok: false, problem: `a line of over ${LONGEST_LINE} characters` });
    }
    return received;
  }
}

function readEvent(line: string): Received {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, problem: `a line that is no JSON: ${line.slice(0, 200)}` };
  }
  const parsed = GuestEvent.safeParse(value);
  return parsed.success
    ? { ok: true, event: parsed.data }
    : { ok: false, problem: `an event of no known shape: ${line.slice(0, 200)}` };
}

/** What a guest is asked to run. Values are single lines; what is undefined is not sent. */
export interface UnitRequest {
  FS: string;
  TEST: string;
  MKFS_OPTIONS?: string | undefined;
  MOUNT_OPTIONS?: string | undefined;
  /** Seconds that the test itself may take. */
  TIMEOUT: number;
  /** Modules to load before the one that is sent, separated by blanks. */
  MODULE_NEEDS?: string | undefined;
}

/** The request as the guest reads it, the module's bytes at its end. */
export function encodeRequest(request: UnitRequest, module?: Uint8Array): Buffer {
  const lines = Object.entries(request)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key} ${String(value).replaceAll(/[\r\n]/g, ' ')}`);
  if (module) lines.push(`MODULE_BYTES ${module.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\nEND\n`), module ?? Buffer.alloc(0)]);
}
