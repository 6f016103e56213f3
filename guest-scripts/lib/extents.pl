# Looks at all of a device for what is not zero.
use strict;
use warnings;

# System calls by their numbers on x86-64; fcntl.h, whose flags perl has in a module that not each has.
use constant { SYS_PREAD64 => 17, O_RDONLY => 0, O_DIRECT => 0x4000 };
# What direct reads are aligned to: more than any device asks for.
use constant ALIGNMENT => 4096;
# Bytes: what is looked at for zeros at once, and the largest piece.
use constant { GRAIN => 64 * 1024, PIECE => 1024 * 1024 };

# for_each_extent DEVICE, CODE: calls CODE with the position and the bytes of each extent that is not
# zero, until it returns false.
#
# A device is read past the page cache, which an emulated guest does three times faster, into memory that
# is aligned for it: within a string that is zeros at both ends, so that it is compared as a whole.
sub for_each_extent {
	my ($device, $code) = @_;
	my $file;
	sysopen($file, $device, O_RDONLY | O_DIRECT) or sysopen($file, $device, O_RDONLY)
		or die "$device: $!\n";
	my $buffer = "\0" x (PIECE + 2 * ALIGNMENT);
	my $zeros = "\0" x length $buffer;
	my $address = unpack 'Q', pack 'p', $buffer;
	my $margin = -$address % ALIGNMENT;
	my $at = 0;
	for (;;) {
		my $got = syscall SYS_PREAD64, fileno $file, $address + $margin, PIECE, $at;
		die "$device: $!\n" if $got < 0;
		return if !$got;
		# What an earlier piece left behind a short one is none of this one's.
		substr($buffer, $margin + $got, PIECE - $got) = "\0" x (PIECE - $got) if $got < PIECE;
		if ($buffer ne $zeros) {
			for my $extent (extents(substr $buffer, $margin, $got)) {
				my ($from, $length) = @$extent;
				$code->($at + $from, substr $buffer, $margin + $from, $length) or return;
			}
		}
		$at += $got;
	}
}

# [from, length] of what is not zero in a piece, in grains; neighbours together.
sub extents {
	my ($piece) = @_;
	my ($zeros, @found) = "\0" x GRAIN;
	for (my $at = 0; $at < length $piece; $at += GRAIN) {
		my $grain = substr $piece, $at, GRAIN;
		next if $grain eq substr $zeros, 0, length $grain;
		my $last = $found[-1];
		if ($last && $last->[0] + $last->[1] == $at) { $last->[1] += length $grain }
		else { push @found, [$at, length $grain] }
	}
	return @found;
}

1;
