# What a clone must not share with the guest it was cloned from: the time of day, and the random
# numbers to come (file-system UUIDs are made of them).
#
# usage: perl refresh.pl MICROSECONDS-SINCE-THE-EPOCH HEXADECIMAL
use strict;
use warnings;

my ($clock, $entropy) = @ARGV;

if ($clock) {
	# settimeofday(2) is number 164 on x86-64.
	my $time = pack('qq', int($clock / 1_000_000), $clock % 1_000_000);
	syscall(164, $time, 0) == 0 or warn "settimeofday: $!\n";
}
if ($entropy) {
	# random(4): RNDADDENTROPY credits what it is given, RNDRESEEDCRNG (4.14) uses it at once.
	my $bytes = pack('H*', $entropy);
	open(my $random, '>', '/dev/urandom') or die "/dev/urandom: $!\n";
	my $pool = pack('ii', 8 * length $bytes, length $bytes) . $bytes;
	ioctl($random, 0x40085203, $pool) or warn "RNDADDENTROPY: $!\n";
	ioctl($random, 0x5207, 0) or warn "RNDRESEEDCRNG: $!\n";
}
