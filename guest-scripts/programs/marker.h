/*
 * Marks: an instruction that does nothing, which --power-cut's plugin for QEMU knows when it is
 * executed. What it means, and its bytes, are those of power-cut/plugin: a nop of eight bytes whose
 * last holds the kind, with a record's address in rdi and its length in rsi.
 *
 * Without the plugin nothing happens.
 */
#ifndef MARKER_H
#define MARKER_H

#define LONGEST_RECORD 4096

#define MARKER(name, kind)                                                                  \
	static inline void name(const char *record, unsigned long length)                   \
	{                                                                                   \
		__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00, " kind ", 0x44, 0x41, 0x58" \
				 :                                                          \
				 : "D"(record), "S"(length)                                 \
				 : "memory");                                               \
	}

/* From now on stores count; what memory holds now is taken as being on the medium. */
MARKER(marker_begin, "0x01")
/* A record, in the order of execution. */
MARKER(marker_record, "0x02")
/* What would survive a power cut now is taken. */
MARKER(marker_cut, "0x03")
/* Nothing counts any more. */
MARKER(marker_end, "0x04")

#endif
