import type { Answer, Event, StoreEvent, Stores } from '../exact/answer.js';
import type { Place } from '../exact/code.js';
import { escapeForTerminal } from '../findings/escape.js';
import { wrapField } from './wrap.js';

/** Who wrote a byte, as text. */
export function formatWhoWrote(answer: Answer, { width }: { width: number }): string {
  const shape = { indent: 0, label: 8, width };
  const line = (name: string, text: string) => wrapField(name, escapeForTerminal(text), shape);
  const { memory, medium, place, notes } = answer;
  const buffered = place !== undefined || answer.physical === undefined;
  return [
    ...line('byte', describeByte(answer)),
    ...(buffered && (memory.count !== 0 || place === undefined)
      ? section(
          'memory',
          `stores to ${place ? 'its buffers in the page cache' : 'it'}`,
          memory,
          line,
        )
      : line('memory', 'no store to a buffer of this block was seen')),
    ...(answer.physical === undefined
      ? []
      : section('medium', `stores to ${answer.physical}`, medium, line)),
    ...line('', flushText(answer)).filter((text) => text !== ''),
    ...(answer.copied === undefined ? [] : line('CONCLUDE', conclusion(answer))),
    ...notes.flatMap((note) => line('note', note)),
  ].join('\n');
}

type Line = (name: string, text: string) => string[];

function describeByte({ asked, physical, virtual, place }: Answer): string {
  const where =
    place &&
    `byte ${place.byte} of block ${place.block}, at ${place.offset} on TEST_DEV, ${physical} in physical memory`;
  const other = physical ? 'a physical address' : `the kernel's address ${virtual}`;
  return `${asked}: ${where ?? other}`;
}

function section(name: string, what: string, { count, last }: Stores, line: Line): string[] {
  const total =
    count === undefined ? `${what}: the last ${last.length} are known` : `${count} ${what}`;
  const shown = count !== undefined && count > last.length ? `; the last ${last.length}:` : '';
  return [
    ...line(name, `${total}${shown}`),
    ...last.flatMap((store, index) => storeLines(store, index === last.length - 1, line)),
  ];
}

/** The last one with its callers, and what the console showed. */
function storeLines(store: StoreEvent, isLast: boolean, line: Line): string[] {
  const how = store.nonTemporal ? ' (non-temporal)' : '';
  const what = `${placeText(store.code)} stored ${store.value}${how}`;
  if (!isLast) return line('', `${what}; ${momentText(store)}`);
  const { console, callers } = store;
  return [
    ...line('LAST', what),
    ...line('', momentText(store)),
    ...(callers.length > 0 ? line('', `called by ${callersText(store)}`) : []),
    ...line(
      '',
      console === null
        ? 'before the first line of the console'
        : `after line ${console.line} of the console: ${console.text}`,
    ),
  ];
}

function callersText({ callers, complete }: Event): string {
  return `${callers.map(placeText).join(' < ')}${complete ? '' : ' < (unknown)'}`;
}

function placeText({ address, in: where, function: name, offset = 0 }: Place): string {
  const code = name === undefined ? address : `${name}+0x${offset.toString(16)}`;
  return where === 'kernel' && name !== undefined ? code : `${code} [${where}]`;
}

function momentText({ instructions, seconds, process }: Event): string {
  const { least, most } = instructions;
  const number = most.toLocaleString('en');
  return [
    process === undefined ? 'process unknown' : `${process.name}, pid ${process.pid}`,
    ...(seconds === undefined ? [] : [`${seconds.toFixed(6)} s`]),
    least === most
      ? `instruction ${number}`
      : `instruction ${least.toLocaleString('en')} to ${number}`,
  ].join(', ');
}

function flushText({ medium: { last, flushed }, physical }: Answer): string {
  if (physical === undefined || last.length === 0) return '';
  if (!flushed)
    return 'the last one was not brought to the medium by write-back and fence until the end';
  return `then ${flushed.map((event) => placeText(event.code)).join(', ')} brought it to the medium (${momentText(flushed.at(-1) as Event)})`;
}

function conclusion({ copied, memory, medium: { flushed } }: Answer): string {
  const last = memory.last.at(-1);
  const by = last ? placeText(last.code) : '';
  if (!copied) {
    return `${by} stored to the byte in memory last, and until the end nothing was stored to its place on the medium after that`;
  }
  const end = flushed ? 'and a fence followed' : 'but no write-back and fence followed';
  return `after ${by} stored to the byte in memory last, its place on the medium was stored to, ${end}`;
}
