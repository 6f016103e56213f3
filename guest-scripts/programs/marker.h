/*
 * Marks: an instruction that does nothing, which the plugin of --power-cut recognises when the
 * guest executes it (power-cut/plugin/README.md). It is a nop of 8 bytes with the kind of mark in
 * it; rdi has the address of a record, and rsi its length.
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

/* From now on stores count. What memory holds now is on the medium. */
MARKER(marker_begin, "0x01")
/* Reports a record. */
MARKER(marker_record, "0x02")
/* Cuts the power now: what would survive is kept. */
MARKER(marker_cut, "0x03")
/* Stores count no more. */
MARKER(marker_end, "0x04")

#endif
