import type { OrcEntry } from '../kernel/orc.js';
import { type GuestCode, isKernelAddress } from './code.js';

/** The registers that unwinding starts from. */
export interface Registers {
  sp: bigint;
  bp: bigint;
  r10: bigint;
  r13: bigint;
  di: bigint;
  dx: bigint;
}

/** Part of a stack, from the stack pointer up. */
export interface Stack {
  at: bigint;
  bytes: Buffer;
}

export interface Backtrace {
  /** Addresses of instructions: where the code was, then where each caller will go on. */
  frames: bigint[];
  /** `user`: it began with a call or an exception of a program. `end`: of a kernel thread. */
  end: 'user' | 'end' | 'unknown';
}

const MOST_FRAMES = 64;

/** Offsets in struct pt_regs (arch/x86/include/asm/ptrace.h of Linux). */
const REGS = { r13: 0x10n, bp: 0x20n, r10: 0x38n, dx: 0x60n, di: 0x70n, ip: 0x80n };
/** Offsets in what the CPU saves at an interrupt, from the instruction pointer on. */
const SAVED = { cs: 8n, sp: 24n };

interface State extends Partial<Registers> {
  ip: bigint;
  sp: bigint;
  bp: bigint;
  /** Whether `ip` is the instruction itself, and not where a call returns to. */
  itself: boolean;
}

/** Unwinds a kernel's stack, as its own unwinder does (arch/x86/kernel/unwind_orc.c). */
export function unwind(
  ip: bigint,
  registers: Registers,
  stack: Stack,
  code: Pick<GuestCode, 'orc'>,
): Backtrace {
  const frames: bigint[] = [];
  let state: State | undefined = { ...registers, ip, itself: true };
  while (state && frames.length < MOST_FRAMES) {
    frames.push(state.ip);
    const looked = state.itself ? state.ip : state.ip - 1n;
    const orc = code.orc(looked)?.at(looked);
    if (!orc) return { frames, end: 'unknown' };
    if (orc.type === 'end') return { frames, end: 'end' };
    const next = caller(state, orc, stack);
    if (next === 'user') return { frames, end: 'user' };
    state = next && isKernelAddress(next.ip) ? next : undefined;
  }
  return { frames, end: 'unknown' };
}

function caller(state: State, orc: OrcEntry, stack: Stack): State | 'user' | undefined {
  const sp = previousSp(state, orc, stack);
  if (sp === undefined) return undefined;
  if (orc.type !== 'call') return interrupted(sp, orc.type === 'regs', stack);
  const ip = read(stack, sp - 8n);
  const bp = previousBp(state, orc, sp, stack);
  return ip === undefined || bp === undefined ? undefined : { ip, sp, bp, itself: false };
}

function previousSp(state: State, { sp: { base, offset } }: OrcEntry, stack: Stack) {
  const by = BigInt(offset);
  switch (base) {
    case 'sp':
      return state.sp + by;
    case 'bp':
      return state.bp + by;
    case 'sp-indirect': {
      const found = read(stack, state.sp);
      return found === undefined ? undefined : found + by;
    }
    case 'bp-indirect':
      return read(stack, state.bp + by);
    case 'r10':
    case 'r13':
    case 'di':
    case 'dx':
      return state[base];
    default:
      return undefined;
  }
}

function previousBp(state: State, { bp: { base, offset } }: OrcEntry, sp: bigint, stack: Stack) {
  if (base === 'previous-sp') return read(stack, sp + BigInt(offset));
  if (base === 'bp') return read(stack, state.bp + BigInt(offset));
  return state.bp;
}

/** @param regs where the registers were saved: all of them, or those that the CPU saves */
function interrupted(regs: bigint, all: boolean, stack: Stack): State | 'user' | undefined {
  const saved = all ? regs + REGS.ip : regs;
  const ip = read(stack, saved);
  const cs = read(stack, saved + SAVED.cs);
  const sp = read(stack, saved + SAVED.sp);
  if (ip === undefined || cs === undefined || sp === undefined) return undefined;
  if ((cs & 3n) !== 0n) return 'user';
  const own = (offset: bigint) => (all ? read(stack, regs + offset) : undefined);
  return {
    ...{ ip, sp, itself: true, bp: own(REGS.bp) ?? 0n, r10: own(REGS.r10), r13: own(REGS.r13) },
    ...{ di: own(REGS.di), dx: own(REGS.dx) },
  } as State;
}

function read({ at, bytes }: Stack, address: bigint): bigint | undefined {
  const offset = address - at;
  if (offset < 0n || offset + 8n > BigInt(bytes.length)) return undefined;
  return bytes.readBigUInt64LE(Number(offset));
}
