# Fills a device with the contents that the host sends, before the first mount. lib/reporter.pl loads
# this file on demand.
#
# The contents arrive on the channel as extents: offset and length in bytes, two little-endian 64-bit
# numbers, followed by the extent's bytes. An extent of length 0 ends the contents. Everything that no
# extent covers is zero.
use strict;
use warnings;
require "$ENV{DAXREPRO}/lib/extents.pl";

use constant { SYS_FSYNC => 74, O_RDWR => 2 };
# Bytes read from the channel at once.
use constant MOUTHFUL => 1024 * 1024;

# take_contents DEVICE STATE: `used` if the device may hold data that has to be erased first, `empty` if
# it is known to be all zeros.
sub take_contents {
	my ($device, $state) = @_;
	sysopen(my $file, $device, O_RDWR) or die "$device: $!\n";
	my $size = sysseek $file, 0, 2;
	# Zeros are not overwritten with zeros: a clone shares its memory until it writes to it.
	for_each_extent($device, sub {
		my ($at, $bytes) = @_;
		write_at($device, $file, $at, "\0" x length $bytes);
	}) if $state ne 'empty';
	for (;;) {
		my ($at, $left) = unpack 'Q< Q<', from_channel(16);
		last if !$left;
		die "contents at $at, beyond the end of $device\n" if $at + $left > $size;
		while ($left > 0) {
			my $bytes = from_channel($left < MOUTHFUL ? $left : MOUTHFUL);
			write_at($device, $file, $at, $bytes);
			$at += length $bytes;
			$left -= length $bytes;
		}
	}
	syscall(SYS_FSYNC, fileno $file) == 0 or die "$device: $!\n";
	close $file or die "$device: $!\n";
}

sub write_at {
	my ($device, $file, $at, $bytes) = @_;
	sysseek $file, $at, 0 or die "$device: $!\n";
	for (my $done = 0; $done < length $bytes;) {
		$done += syswrite($file, $bytes, length($bytes) - $done, $done) // die "$device: $!\n";
	}
	return 1;
}

1;
