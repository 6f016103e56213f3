import { escapeComma } from '../guest/option-list.js';
import { failure, type Outcome } from '../outcome.js';
import { buildWatchingPlugin } from '../power-cut/plugin.js';
import { capableQemu, capableVersion } from '../power-cut/qemu.js';
import type { Store } from '../store/store.js';
import type { KernelTables } from './kernel-tables.js';
import type { Located } from './locate.js';
import type { KeptExecution } from './read-record.js';

/** The plugin that reports the stores to one byte (power-cut/who-wrote). */

export interface Watched {
  low: number;
  /** TEST_DEV's name in the guest. */
  disk: string;
  /** Of a block, or of a page; the byte's number in it. */
  unit: number;
  byte: number;
  physical?: bigint;
  virtual?: bigint;
  /** Of a block or a file: where the byte is on TEST_DEV. */
  located?: Located;
}

/** Builds the plugin, if the QEMU that recorded can load it. */
export async function watchingPlugin(
  { qemu, record }: KeptExecution,
  { store, signal }: { store: Store; signal?: AbortSignal | undefined },
): Promise<Outcome<string>> {
  if ((await capableVersion(qemu)) === undefined) {
    const found = await capableQemu(store);
    return failure(
      'usage',
      `--who-wrote needs a record of QEMU 10.0 or newer, built with plugins; this is one of ${record.qemu.version}`,
      found.ok
        ? `Record the failure again with --qemu ${found.value.program}`
        : '`daxrepro setup --power-cut` downloads one; then record the failure again with it (--qemu)',
    );
  }
  return buildWatchingPlugin(store, signal);
}

/** QEMU's arguments that load it. */
export function watchArguments(
  { low, unit, byte, physical, virtual, located }: Watched,
  kernel: KernelTables | undefined,
  { plugin, directory, memory }: { plugin: string; directory: string; memory: string },
): string[] {
  const given: [string, string | number | bigint | undefined][] = [
    ...Object.entries({ out: directory, memory, low, unit, byte, physical, virtual }),
    ...bufferOptions(located, kernel),
    ...taskOptions(kernel),
  ];
  const text = given
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeComma(String(value))}`);
  return ['-plugin', [`file=${escapeComma(plugin)}`, ...text].join(',')];
}

/** Whether the plugin finds the kernel's buffers of a block. */
export function findsBuffers(located: Located | undefined, kernel: KernelTables | undefined) {
  return bufferOptions(located, kernel).length > 0;
}

function bufferOptions(
  located: Located | undefined,
  kernel: KernelTables | undefined,
): [string, number][] {
  const types = kernel?.types;
  const options = {
    block: located?.block,
    'bh-block': types?.offsetOf('buffer_head', 'b_blocknr'),
    'bh-size': types?.offsetOf('buffer_head', 'b_size'),
    'bh-data': types?.offsetOf('buffer_head', 'b_data'),
    'bh-device': types?.offsetOf('buffer_head', 'b_bdev'),
    'bh-next': types?.offsetOf('buffer_head', 'b_this_page'),
    'bh-page': types?.offsetOf('buffer_head', 'b_page'),
    'page-private': types?.offsetOf('folio', 'private') ?? types?.offsetOf('page', 'private'),
    'page-mapping': types?.offsetOf('folio', 'mapping') ?? types?.offsetOf('page', 'mapping'),
    'device-disk': types?.offsetOf('block_device', 'bd_disk'),
    'disk-name': types?.offsetOf('gendisk', 'disk_name'),
  };
  return allOrNone(options);
}

/** `current` is a variable of each CPU; from 6.2 to 6.14 it was part of another one. */
function taskOptions(kernel: KernelTables | undefined): [string, number | bigint][] {
  if (!kernel) return [];
  const { types, symbols } = kernel;
  const sum = (symbol: string, offset: number | undefined) => {
    const address = symbols.get(symbol);
    return address === undefined || offset === undefined ? undefined : address + BigInt(offset);
  };
  const task = allOrNone({
    current:
      symbols.get('current_task') ?? sum('pcpu_hot', types?.offsetOf('pcpu_hot', 'current_task')),
    'task-comm': types?.offsetOf('task_struct', 'comm'),
    'task-pid': types?.offsetOf('task_struct', 'pid'),
    'task-tgid': types?.offsetOf('task_struct', 'tgid'),
  });
  const fault = symbols.get('asm_exc_page_fault');
  return [
    ...task,
    ...allOrNone({ fault }),
    ...allOrNone({ clock: sum('runqueues', types?.offsetOf('rq', 'clock')) }),
  ];
}

function allOrNone<Value>(options: Record<string, Value | undefined>): [string, Value][] {
  const entries = Object.entries(options);
  return entries.every(([, value]) => value !== undefined) ? (entries as [string, Value][]) : [];
}
