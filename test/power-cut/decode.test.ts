import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readElf } from '../../cli/kernel/elf.js';
import { findProgram } from '../../cli/system/programs.js';

// What QEMU cannot run in the model's programs, and what only looks like it: by the assembler's own bytes.

const skip = findProgram('gcc') === undefined && 'there is no gcc';

const DECODE = fileURLToPath(new URL('../../power-cut/plugin/decode.c', import.meta.url));
const MAIN = `#include <stdio.h>
#include "${DECODE}"
int main(void)
{
	unsigned int length;
	while (scanf("%u", &length) == 1) {
		uint8_t bytes[16];
		struct instruction one;
		for (unsigned int index = 0; index < length; index++)
			scanf("%hhx", &bytes[index]);
		decode(bytes, length, &one);
		const char *names[] = {"", "clflush", "clflushopt", "clwb", "fence", "serializing", "wrmsr",
				       "save", "marker"};
		printf("%s%s", names[one.kind], one.non_temporal ? "non-temporal" : "");
		if (has_operand(one.kind))
			printf(" %d+%d*%d+%d%s%s", one.operand.base, one.operand.index, 1 << one.operand.scale,
			       one.operand.displacement, one.operand.segment ? " segment" : "",
			       one.operand.relative_to_next ? " relative" : "");
		putchar('\\n');
	}
}
`;

const SAVED = ' 0+-1*1+0';

/** Assembler text, and what it is taken for. */
const TABLE: [string, string][] = [
  ['movdiri %eax, (%rbx)', 'non-temporal'],
  ['movdiri %r9, 8(%r10)', 'non-temporal'],
  ['movdir64b (%rbx), %rax', 'non-temporal'],
  ['movdir64b (%r11), %r12', 'non-temporal'],
  ['enqcmd (%rbx), %rax', ''],
  ['movbe %eax, (%rbx)', ''],
  ['crc32l (%rbx), %eax', ''],
  ['adcx (%rbx), %eax', ''],
  ['pshufb (%rbx), %xmm0', ''],
  ['xsavec (%rax)', `save${SAVED}`],
  ['xsavec64 (%rax)', `save${SAVED}`],
  ['xsaves (%rax)', `save${SAVED}`],
  ['xsaves64 -8(%r15,%r12,4)', 'save 15+12*4+-8'],
  ['xsave (%rax)', `save${SAVED}`],
  ['xsaveopt64 (%rax)', `save${SAVED}`],
  ['fxsave64 (%rax)', `save${SAVED}`],
  ['xrstors (%rax)', ''],
  ['xrstor (%rax)', ''],
  ['cmpxchg16b (%rax)', ''],
  ['lock cmpxchg16b (%rax)', 'fence'],
  ['rdrand %eax', ''],
  ['rdseed %rax', ''],
  ['ldmxcsr (%rax)', ''],
  ['stmxcsr (%rax)', ''],
  ['rdfsbase %rax', ''],
  ['lfence', ''],
  ['clwb %fs:100000(,%rcx,8)', 'clwb -1+1*8+100000 segment'],
  ['clflushopt 5(%rip)', 'clflushopt -1+-1*1+5 relative'],
  ['vmovntdq %ymm9, (%rax)', 'non-temporal'],
  ['vmovdqa %ymm9, (%rax)', ''],
  ['cvttpd2dq %xmm0, %xmm1', ''],
  ['serialize', 'serializing'],
  ['xchg %rax, %rbx', ''],
  ['xchg %rax, (%rbx)', 'fence'],
];

t.test('instructions by their bytes', { skip }, async (t) => {
  const directory = t.testdir({ 'main.c': MAIN });
  const [source, object, program] = ['a.S', 'a.o', 'decode'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  // Each in a section of its own, so that its bytes are what is there.
  const sections = TABLE.map(([code], number) => `.section .i${number}, "ax"\n${code}\n`);
  writeFileSync(source, sections.join(''));
  execFileSync('gcc', ['-c', '-o', object, source]);
  const elf = readElf(readFileSync(object));
  const lines = TABLE.map((_, number) => {
    const bytes = elf?.sections.get(`.i${number}`) ?? Buffer.alloc(0);
    return `${bytes.length} ${[...bytes].map((byte) => byte.toString(16)).join(' ')}`;
  });
  execFileSync('gcc', ['-w', '-o', program, join(directory, 'main.c')]);
  const found = execFileSync(program, { input: lines.join('\n'), encoding: 'utf8' }).split('\n');
  t.same(
    TABLE.map(([code], number) => [code, found[number]]),
    TABLE,
  );
});
