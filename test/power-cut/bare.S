/*
 * What the programs of programs.ts run on: a machine without an operating system, two CPUs in long
 * mode. QEMU starts it by the PVH boot protocol (an ELF note names the 32-bit entry).
 *
 * Physical memory is mapped one to one up to 4 GiB. Two pages of pmem that do not follow one another
 * are mapped in a row at WINDOW. All of it is mapped once more at HIGH, where a kernel's addresses are. With
 * LA57 defined there are five levels of page tables.
 *
 * `program_list` has the programs: of each its function, its name and the name's length.
 */
#define PMEM 0x10000000
#define WINDOW 0x200000000
#define HIGH 0xffffff8000000000
#define LAPIC_ICR 0xfee00300
#define TRAMPOLINE 0x8000

/* For programs: their page of pmem, and bytes to be stored. */
#define P %r15
#define A %r12
#define B %r13

#ifdef LA57
#define CR4 0x416a0 | 0x1000
#else
#define CR4 0x406a0
#endif

	.section .note.Xen, "a", @note
	.long 4, 8, 18
	.asciz "Xen"
	.quad start32

	.text
	.code32
	.globl start32
start32:
	cli
	mov $stack_0, %esp
	/* 2048 large pages of 2 MiB */
	mov $directories, %edi
	mov $0x83, %eax
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x200000, %eax
	jnc 1b
	mov $directories + 3, %eax
	mov $pointers, %edi
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x1000, %eax
	loop 1b
	/* The window: page 1000 of the pmem, then page 500. */
	movl $window_directory + 3, pointers + 8 * (WINDOW >> 30)
	movl $window_table + 3, window_directory
	movl $PMEM + 1000 * 4096 + 3, window_table
	movl $PMEM + 500 * 4096 + 3, window_table + 8
	movl $pointers + 3, level_4
	movl $pointers + 3, level_4 + 8 * 511
	movl $level_4 + 3, level_5
	movl $level_4 + 3, level_5 + 8 * 511
	mov $start64, %edi
	jmp enter_long_mode

/* To %edi, in long mode. */
enter_long_mode:
	mov $CR4, %eax
	mov %eax, %cr4
#ifdef LA57
	mov $level_5, %eax
#else
	mov $level_4, %eax
#endif
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax
	wrmsr
	mov $0x80010033, %eax
	mov %eax, %cr0
	lgdt descriptors
	ljmp $0x18, $1f
	.code64
1:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %ecx, %ecx
	xor %edx, %edx
	mov $7, %eax
	xsetbv
	mov %edi, %edi
	jmp *%rdi

start64:
	mov $trampoline, %esi
	mov $TRAMPOLINE, %edi
	mov $trampoline_end - trampoline, %ecx
	rep movsb
	/* INIT and start-up to all CPUs but this one (Intel SDM, volume 3, 9.4.4) */
	mov $LAPIC_ICR, %edi
	movl $0xc4500, (%rdi)
	movl $0xc4600 | TRAMPOLINE >> 12, (%rdi)
1:	pause
	cmpl $0, cpu_1_is_up
	je 1b
	mov $none, %edi
	xor %esi, %esi
	/* marker 1: BEGIN */
	.byte 0x0f, 0x1f, 0x84, 0x00, 1, 'D', 'A', 'X'
	mov $program_list, %ebx
	mov $PMEM, %ebp
next:	cmpq $0, (%rbx)
	je finish
	call values
	call *(%rbx)
	mov 8(%rbx), %rdi
	mov 16(%rbx), %rsi
	/* marker 3: CUT */
	.byte 0x0f, 0x1f, 0x84, 0x00, 3, 'D', 'A', 'X'
	/* The next program begins with nothing on its way. */
	mfence
	mov %rbp, work_page
	mov $fence, %eax
	call on_cpu_1
	add $24, %rbx
	add $4096, %rbp
	jmp next
finish:	mov $none, %edi
	xor %esi, %esi
	/* marker 4: END */
	.byte 0x0f, 0x1f, 0x84, 0x00, 4, 'D', 'A', 'X'
	/* isa-debug-exit: QEMU ends with 3, and with 1 where it does not start */
	mov $1, %eax
	out %al, $0xf4
	jmp .

values:	mov %rbp, P
	mov $0x4141414141414141, A
	mov $0x4242424242424242, B
	movq A, %xmm0
	punpcklqdq %xmm0, %xmm0
	vinserti128 $1, %xmm0, %ymm0, %ymm0
	movq A, %mm0
	ret

fence:	mfence
	ret

/* Has CPU 1 run the function in %rax. Nothing here fences. */
on_cpu_1:
	mov %rbp, work_page
	mov %rax, work
1:	pause
	cmpq $0, work
	jne 1b
	ret

cpu_1:	mov $stack_1, %esp
	movl $1, cpu_1_is_up
1:	pause
	mov work, %rax
	test %rax, %rax
	jz 1b
	mov work_page, %rbp
	push %rax
	call values
	pop %rax
	call *%rax
	movq $0, work
	jmp 1b

	.code16
trampoline:
	cli
	lgdtl %cs:(descriptors_16 - trampoline)
	mov $0x11, %eax
	mov %eax, %cr0
	ljmpl $8, $1f
descriptors_16:
	.word 31
	.long table
trampoline_end:
	.code32
1:	mov $0x10, %eax
	mov %eax, %ds
	mov $cpu_1, %edi
	jmp enter_long_mode

	.data
	.balign 8
table:	.quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff
descriptors:
	.word 31
	.long table
none:	.byte 0
	.balign 8
/* Ordinary memory for programs. */
	.balign 64
scratch: .fill 64, 1, 0x41
	.balign 64
scratch_64: .fill 64, 1, 0x41
work:	.quad 0
work_page: .quad 0
cpu_1_is_up: .long 0

	.bss
	.balign 4096
level_5: .skip 4096
level_4: .skip 4096
pointers: .skip 4096
directories: .skip 4 * 4096
window_directory: .skip 4096
window_table: .skip 4096
	.skip 4096
stack_0: .skip 4096
stack_1:

	.text
	.code64
