# Gives a device the contents that the host sends, before anything is mounted from it. Loaded by
# lib/reporter.pl when it is asked for.
#
# The contents come on the channel as extents: where one begins and how long it is, in bytes, two
# numbers of 64 bits with the lowest byte first, then its bytes. One of no length is the end. What no
# extent covers is zero.
use strict;
use warnings;
require "$ENV{DAXREPRO}/lib/extents.pl";

use constant { SYS_FSYNC => 74, O_RDWR => 2 };
# Bytes that are taken from the channel at once.
use constant MOUTHFUL => 1024 * 1024;

# take_contents DEVICE STATE: `used` where the device may hold something that has to go first, `empty`
# where it is known to be zero.
sub take_contents {
	my ($device, $state) = @_;
	sysopen(my $file, $device, O_RDWR) or die "$device: $!\n";
	my $size = sysseek $file, 0, 2;
	# What is zero already is not written: a clone's memory is shared until it is.
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
