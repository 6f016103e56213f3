/**
 * Programs that say what the model has to know, one for each instruction and each rule of order. They
 * run on bare.S, each with a page of pmem of its own (P) that begins as zeros, and registers A and B
 * that are full of the letter they are named after; so are xmm0, ymm0 and mm0, of A. A cut is taken
 * after each.
 */
export interface Program {
  name: string;
  /** Assembler text, in turn on CPU 0 and, where marked, on CPU 1. */
  code: readonly (string | { onCpu1: string })[];
  /**
   * What a byte of the page may be after the cut: first what it is where nothing unflushed survives,
   * last what it is where everything does, in between what else it may be. Z is the zero that was
   * there before. So `A` is sure, and `ZA` may be lost.
   */
  bytes: Readonly<Record<number, string>>;
  /** The same of bytes outside its page, from the pmem's begin. */
  elsewhere?: Readonly<Record<number, string>>;
}

const program = (
  name: string,
  code: Program['code'][number] | Program['code'],
  bytes: Program['bytes'] | string,
): Program => ({
  name,
  code: Array.isArray(code) ? (code as Program['code']) : [code as string],
  bytes: typeof bytes === 'string' ? { 0: bytes } : bytes,
});

const STORE = 'mov A, (P)';
const OTHER_STORE = 'mov B, (P)';

/** After a store and this, is it sure to survive? */
const writeBacks: Program[] = [
  program('a store alone', STORE, 'ZA'),
  program('a store and a fence', [STORE, 'sfence'], 'ZA'),
  program('clwb without a fence', [STORE, 'clwb (P)'], 'ZA'),
  program('clflushopt without a fence', [STORE, 'clflushopt (P)'], 'ZA'),
  program('clflush needs no fence', [STORE, 'clflush (P)'], 'A'),
  program('clwb and sfence', [STORE, 'clwb (P)', 'sfence'], 'A'),
  program('clwb and mfence', [STORE, 'clwb (P)', 'mfence'], 'A'),
  program('clflushopt and sfence', [STORE, 'clflushopt (P)', 'sfence'], 'A'),
  program('clflushopt and mfence', [STORE, 'clflushopt (P)', 'mfence'], 'A'),
  program('clwb and lock add', [STORE, 'clwb (P)', 'lock addl $1, scratch'], 'A'),
  program('clwb and lock cmpxchg', [STORE, 'clwb (P)', 'lock cmpxchg %ecx, scratch'], 'A'),
  program('clwb and lock xadd', [STORE, 'clwb (P)', 'lock xadd %ecx, scratch'], 'A'),
  program('clwb and lock btsl', [STORE, 'clwb (P)', 'lock btsl $3, scratch'], 'A'),
  program(
    'clwb and lock cmpxchg16b',
    [STORE, 'clwb (P)', 'push %rbx; lock cmpxchg16b scratch; pop %rbx'],
    'A',
  ),
  program('clwb and xchg with memory', [STORE, 'clwb (P)', 'xchg %ecx, scratch'], 'A'),
  program('clwb and xchgb with memory', [STORE, 'clwb (P)', 'xchg %cl, scratch'], 'A'),
  program('clwb and xchg of registers', [STORE, 'clwb (P)', 'xchg %ecx, %edx'], 'ZA'),
  program('clwb and xadd without lock', [STORE, 'clwb (P)', 'xadd %ecx, scratch'], 'ZA'),
  program('clwb and lfence', [STORE, 'clwb (P)', 'lfence'], 'ZA'),
  program('clwb and a plain store elsewhere', [STORE, 'clwb (P)', 'mov B, scratch'], 'ZA'),
  program('clwb and a load', [STORE, 'clwb (P)', 'mov (P), %rcx'], 'ZA'),
  program('clwb and cpuid', [STORE, 'clwb (P)', 'push %rbx; cpuid; pop %rbx'], 'ZA'),
  program('clwb and pause', [STORE, 'clwb (P)', 'pause'], 'ZA'),
  program('prefetchw writes nothing back', [STORE, 'prefetchw (P)', 'sfence'], 'ZA'),
  program('wbinvd is not counted on', [STORE, 'wbinvd'], 'ZA'),
];

const orders: Program[] = [
  program('clwb before the store', ['clwb (P)', STORE, 'sfence'], 'ZA'),
  program('clflush before the store', ['clflush (P)', STORE, 'sfence'], 'ZA'),
  program('the fence before clwb', [STORE, 'sfence', 'clwb (P)'], 'ZA'),
  program('clwb between two stores', [STORE, 'clwb (P)', OTHER_STORE], 'ZAB'),
  program('clwb between two stores, and a fence', [STORE, 'clwb (P)', OTHER_STORE, 'sfence'], 'AB'),
  program('two clwb around a store', [STORE, 'clwb (P)', OTHER_STORE, 'clwb (P)'], 'ZAB'),
  program(
    'two clwb around a store, and a fence',
    [STORE, 'clwb (P)', OTHER_STORE, 'clwb (P)', 'sfence'],
    'B',
  ),
  program('clwb and fence, then a store', [STORE, 'clwb (P)', 'sfence', OTHER_STORE], 'AB'),
  program('clflush, then a store', [STORE, 'clflush (P)', OTHER_STORE], 'AB'),
  program('clwb, a store, and clflush', [STORE, 'clwb (P)', OTHER_STORE, 'clflush (P)'], 'B'),
  program(
    'clwb, a store, clflush, and a fence',
    [STORE, 'clwb (P)', OTHER_STORE, 'clflush (P)', 'sfence'],
    'B',
  ),
  program('back to what it was', [STORE, 'clwb (P)', 'movq $0, (P)'], 'ZAZ'),
  program('a locked store is a store', ['lock orq $0x41, (P)'], 'ZA'),
  program('a locked store fences what is before it', [STORE, 'clwb (P)', 'lock orq $0x41, 8(P)'], {
    0: 'A',
    8: 'ZA',
  }),
];

const lines: Program[] = [
  program('two lines, one written back', [STORE, 'mov A, 64(P)', 'clwb (P)', 'sfence'], {
    0: 'A',
    64: 'ZA',
  }),
  program('two stores in one line', [STORE, 'mov B, 56(P)', 'clwb (P)', 'sfence'], {
    0: 'A',
    56: 'B',
  }),
  program('an operand within the line', [STORE, 'clwb 63(P)', 'sfence'], 'A'),
  program('the next line', [STORE, 'clwb 64(P)', 'sfence'], 'ZA'),
  program('across two lines, none written back', ['mov A, 60(P)'], { 60: 'ZA', 64: 'ZA' }),
  program('across two lines, the first written back', ['mov A, 60(P)', 'clwb (P)', 'sfence'], {
    60: 'A',
    64: 'ZA',
  }),
  program('across two lines, the second written back', ['mov A, 60(P)', 'clwb 64(P)', 'sfence'], {
    60: 'ZA',
    64: 'A',
  }),
  program(
    'across two lines, both written back',
    ['mov A, 60(P)', 'clwb (P)', 'clwb 64(P)', 'sfence'],
    { 60: 'A', 64: 'A' },
  ),
  program('32 bytes across two lines', ['vmovdqu %ymm0, 48(P)', 'clwb (P)', 'sfence'], {
    48: 'A',
    63: 'A',
    64: 'ZA',
    79: 'ZA',
  }),
  program('a locked store across two lines', ['lock xadd A, 60(P)'], { 60: 'ZA', 64: 'ZA' }),
];

const cpus: Program[] = [
  program('written back and fenced by the other CPU', [STORE, { onCpu1: 'clwb (P); sfence' }], 'A'),
  program('written back here, fenced there', [STORE, 'clwb (P)', { onCpu1: 'sfence' }], 'ZA'),
  program('written back there, fenced here', [STORE, { onCpu1: 'clwb (P)' }, 'sfence'], 'ZA'),
  program('locked there', [STORE, 'clwb (P)', { onCpu1: 'lock addl $1, scratch' }], 'ZA'),
  program('clflush there', [STORE, { onCpu1: 'clflush (P)' }], 'A'),
  program(
    'stored there, written back and fenced here',
    [{ onCpu1: STORE }, 'clwb (P)', 'sfence'],
    'A',
  ),
  program('both write back, one fences', [STORE, 'clwb (P)', { onCpu1: 'clwb (P); sfence' }], 'A'),
  program(
    'both store and write back, the first fences',
    [STORE, 'clwb (P)', { onCpu1: 'mov B, (P); clwb (P)' }, 'sfence'],
    'AB',
  ),
  program(
    'both store and write back, the second fences',
    [STORE, 'clwb (P)', { onCpu1: 'mov B, (P); clwb (P); sfence' }],
    'B',
  ),
  program(
    'an older write-back never replaces a newer one',
    [STORE, 'clwb (P)', { onCpu1: 'mov B, (P); clwb (P); sfence' }, 'sfence'],
    'B',
  ),
];

const NT = 'movnti A, (P)';

const nonTemporal: Program[] = [
  program('movnti without a fence', NT, 'ZA'),
  program('movnti and sfence', [NT, 'sfence'], 'A'),
  program('movnti and mfence', [NT, 'mfence'], 'A'),
  program('movnti and lock add', [NT, 'lock addl $1, scratch'], 'A'),
  program('movnti and xchg', [NT, 'xchg %ecx, scratch'], 'A'),
  program('movnti and lfence', [NT, 'lfence'], 'ZA'),
  program('movnti and cpuid', [NT, 'push %rbx; cpuid; pop %rbx'], 'A'),
  program('movnti and out', [NT, 'out %al, $0x80'], 'A'),
  program('movnti and mov to cr3', [NT, 'mov %cr3, %rcx; mov %rcx, %cr3'], 'A'),
  program('movnti and invlpg', [NT, 'invlpg scratch'], 'A'),
  program(
    'movnti and iretq',
    [NT, 'mov %rsp, %rcx; push $0x10; push %rcx; pushf; push $0x18; push $1f; iretq; 1:'],
    'A',
  ),
  program(
    'movnti and a serializing wrmsr',
    [NT, 'mov $0xc0000102, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr'],
    'A',
  ),
  program(
    'movnti and a wrmsr that is not',
    [NT, 'mov $0x6e0, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr'],
    'ZA',
  ),
  program('movnti and clwb without a fence', [NT, 'clwb (P)'], 'ZA'),
  program('movnti and clflush without a fence', [NT, 'clflush (P)'], 'ZA'),
  program('movnti and a fence on the other CPU', [NT, { onCpu1: 'sfence' }], 'ZA'),
  program(
    'movnti and clwb with a fence on the other CPU',
    [NT, { onCpu1: 'clwb (P); sfence' }],
    'ZA',
  ),
  program('movnti beside a store, and a fence', [STORE, 'movnti B, 8(P)', 'sfence'], {
    0: 'ZA',
    8: 'B',
  }),
  program(
    'movnti beside a store that is written back',
    [STORE, 'movnti B, 8(P)', 'clwb (P)', 'sfence'],
    { 0: 'A', 8: 'B' },
  ),
  program('a store over movnti', [NT, OTHER_STORE], 'ZAB'),
  program('a store over movnti, and a fence', [NT, OTHER_STORE, 'sfence'], 'AB'),
  program('a store over movnti, clwb and a fence', [NT, OTHER_STORE, 'clwb (P)', 'sfence'], 'B'),
  program('movnti over a store, and a fence', [STORE, 'movnti B, (P)', 'sfence'], 'B'),
  program('movnti twice, and a fence', [NT, 'movnti B, (P)', 'sfence'], 'B'),
  program(
    'movnti of a whole line',
    Array.from({ length: 8 }, (_, index) => `movnti A, ${8 * index}(P)`),
    { 0: 'ZA', 63: 'ZA' },
  ),
  program('movntil', ['movnti %r12d, (P)', 'sfence'], { 0: 'A', 3: 'A', 4: 'Z' }),
  program('movntdq', 'movntdq %xmm0, (P)', { 0: 'ZA', 15: 'ZA' }),
  program('movntdq and sfence', ['movntdq %xmm0, (P)', 'sfence'], { 0: 'A', 15: 'A', 16: 'Z' }),
  program('movntps and sfence', ['movntps %xmm0, (P)', 'sfence'], { 0: 'A', 15: 'A' }),
  program('movntpd and sfence', ['movntpd %xmm0, (P)', 'sfence'], { 0: 'A', 15: 'A' }),
  program('movntq and sfence', ['movntq %mm0, (P)', 'sfence'], { 0: 'A', 7: 'A', 8: 'Z' }),
  program('vmovntdq', 'vmovntdq %ymm0, (P)', { 0: 'ZA', 31: 'ZA' }),
  program('vmovntdq and sfence', ['vmovntdq %ymm0, (P)', 'sfence'], { 0: 'A', 31: 'A', 32: 'Z' }),
  program('vmovntps and sfence', ['vmovntps %ymm0, (P)', 'sfence'], { 0: 'A', 31: 'A' }),
  program('vmovntpd of xmm and sfence', ['vmovntpd %xmm0, (P)', 'sfence'], { 0: 'A', 15: 'A' }),
  program(
    'maskmovdqu and sfence',
    ['mov P, %rdi; pcmpeqb %xmm1, %xmm1; maskmovdqu %xmm1, %xmm0', 'sfence'],
    { 0: 'A', 15: 'A' },
  ),
  // TCG of QEMU 10.0 has no MOVDIRI and no MOVDIR64B.
  program('a load that bypasses stores nothing', [STORE, 'movntdqa (P), %xmm1', 'sfence'], 'ZA'),
];

/** Instructions whose stores are many, or are made by helpers of the emulator. */
const stores: Program[] = [
  program('rep stosb', 'mov P, %rdi; mov $65, %ecx; mov $0x41, %al; rep stosb', {
    0: 'ZA',
    64: 'ZA',
    65: 'Z',
  }),
  program(
    'rep stosq, one line written back',
    ['mov P, %rdi; mov $16, %ecx; mov A, %rax; rep stosq', 'clwb (P)', 'sfence'],
    { 0: 'A', 64: 'ZA' },
  ),
  program('rep movsb', 'mov P, %rdi; mov $scratch_64, %esi; mov $64, %ecx; rep movsb', {
    8: 'ZA',
    63: 'ZA',
  }),
  program('push', 'mov %rsp, %rcx; lea 64(P), %rsp; push A; mov %rcx, %rsp', { 56: 'ZA' }),
  program('cmpxchg', 'xor %eax, %eax; cmpxchg A, (P)', 'ZA'),
  program('cmpxchg that does not match', 'mov $1, %eax; cmpxchg A, (P)', 'Z'),
  program(
    'cmpxchg16b',
    'push %rbx; xor %eax, %eax; xor %edx, %edx; mov A, %rbx; mov A, %rcx; cmpxchg16b (P); pop %rbx',
    { 0: 'ZA', 15: 'ZA' },
  ),
  program('xchg with pmem', 'mov A, %rcx; xchg %rcx, (P)', 'ZA'),
  program('movaps', 'movaps %xmm0, (P)', { 0: 'ZA', 15: 'ZA' }),
  program('fxsave', 'fxsave (P)', { 160: 'ZA' }),
  program('fxsave, written back', ['fxsave (P)', 'clwb 128(P)', 'sfence'], { 160: 'A' }),
  program('xsave', 'mov $7, %eax; xor %edx, %edx; xsave (P)', { 160: 'ZA', 576: 'ZA' }),
  program('movbe', 'movbe A, (P)', 'ZA'),
  program('bts', 'btsq $0, (P); btsq $6, (P)', 'ZA'),
  program('fist', 'push $0x41; fildq (%rsp); fistpq (P); pop %rcx', 'ZA'),
  program('setcc and a byte', 'movb $0x41, (P)', { 0: 'ZA', 1: 'Z' }),
];

/** How an operand can be written. */
const operands: Program[] = [
  ['a displacement of one byte', 'mov P, %rcx; add $100, %rcx; clwb -100(%rcx)'],
  ['a displacement of four bytes', 'mov P, %rcx; sub $0x1000, %rcx; clwb 0x1000(%rcx)'],
  ['base and index', 'mov P, %rcx; sub $16, %rcx; mov $4, %edx; clwb (%rcx,%rdx,4)'],
  ['base, index and displacement', 'mov P, %r8; sub $24, %r8; mov $2, %r9d; clwb 8(%r8,%r9,8)'],
  ['index alone', 'mov P, %rcx; clwb 0(,%rcx,1)'],
  ['r12', 'mov P, %r12; clwb (%r12)'],
  ['r13', 'mov P, %r13; clwb (%r13)'],
  ['rsp', 'mov %rsp, %rcx; mov P, %rsp; clwb (%rsp); mov %rcx, %rsp'],
  ['rbp', 'mov %rbp, %rcx; mov P, %rbp; clwb (%rbp); mov %rcx, %rbp'],
  ['32-bit addresses', 'mov P, %rcx; mov $0x100000000, %rdx; or %rdx, %rcx; clwb (%ecx)'],
  ['gs', 'mov $0xc0000101, %ecx; mov P, %rax; xor %edx, %edx; sub $32, %eax; wrmsr; clwb %gs:32'],
  ['fs', 'mov $0xc0000100, %ecx; mov P, %rax; xor %edx, %edx; sub $32, %eax; wrmsr; clwb %fs:32'],
  ['ds, which is ignored', 'mov P, %rcx; ds clwb (%rcx)'],
].map(([name = '', code = '']) => program(`operand: ${name}`, [STORE, code, 'sfence'], 'A'));

/** How a virtual address becomes a physical one. WINDOW is two pages that do not follow one another. */
const addresses: Program[] = [
  program('operand: relative to the instruction', [STORE, 'clwb PAGE(%rip)', 'sfence'], 'A'),
  program('operand: the line before, relative', [STORE, 'clwb PAGE - 64(%rip)', 'sfence'], 'ZA'),
  {
    ...program(
      'across two pages, none written back',
      'mov $WINDOW + 4092, %rcx; mov A, (%rcx)',
      {},
    ),
    elsewhere: { [1000 * 4096 + 4092]: 'ZA', [500 * 4096]: 'ZA', [1001 * 4096]: 'Z' },
  },
  {
    ...program(
      'across two pages, the second written back',
      ['mov $WINDOW + 4092, %rcx; mov A, (%rcx)', 'clwb 4(%rcx)', 'sfence'],
      {},
    ),
    elsewhere: { [1000 * 4096 + 4092]: 'ZA', [500 * 4096]: 'A' },
  },
  {
    ...program(
      'written back by another address',
      ['mov A, PMEM + 1000 * 4096 + 8', 'mov $WINDOW, %rcx; clwb (%rcx)', 'sfence'],
      {},
    ),
    elsewhere: { [1000 * 4096 + 8]: 'A' },
  },
];

/** Those that depend on how addresses are translated. */
export const ADDRESSES: readonly Program[] = [...operands, ...addresses];

export const PROGRAMS: readonly Program[] = [
  ...writeBacks,
  ...orders,
  ...lines,
  ...cpus,
  ...nonTemporal,
  ...stores,
  ...ADDRESSES,
];
