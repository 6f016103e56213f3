# What a device is made of: devices of device mapper with their tables, a partition, and the disk. It is
# what the kernel says at the moment, not what lib/layers.sh made. lib/reporter.pl loads this file.
use strict;
use warnings;

package Layers;

# More than any stack that makes sense.
use constant MOST => 8;
# include/uapi/linux/dm-ioctl.h: _IOWR(0xfd, 12, struct dm_ioctl), DM_STATUS_TABLE_FLAG, and the size of
# the structure.
use constant { TABLE_STATUS => 0xc138fd0c, STATUS_TABLE => 0x10, HEAD => 312, ROOM => 16384 };
# The most of a table that goes to the host.
use constant LONGEST_TABLE => 2000;

# as_json NODE: the layers from top to bottom. A device of device mapper is followed by the first device
# that its table names; `below` names all of them, a partition with its first sector: pmem0p1@4096.
sub as_json {
	my ($node) = @_;
	my @layers;
	while (defined $node && @layers < MOST) {
		my $place = main::real_path("/sys/class/block/$node");
		my $kind = -d "$place/dm" ? 'device-mapper' : -e "$place/partition" ? 'partition' : 'disk';
		my $number = main::first_line("$place/dev");
		my ($table, @below) = ('');
		if ($kind eq 'device-mapper') {
			$table = table($number);
			my %seen;
			for (grep { !$seen{$_}++ } $table =~ /\b(\d+:\d+)\b/g) {
				my ($name) = (readlink("/sys/dev/block/$_") // $_) =~ m{([^/]+)$};
				my $start = main::first_line("/sys/dev/block/$_/start");
				push @below, $start eq '' ? $name : "$name\@$start";
			}
		} elsif ($kind eq 'partition') {
			@below = $place =~ m{([^/]+)/[^/]+$};
		}
		push @layers, '{' . join(',', main::text('node', $node), main::text('kind', $kind),
			main::text('number', $number), main::text('start', main::first_line("$place/start")),
			main::text('table', substr $table, 0, LONGEST_TABLE),
			main::text('below', substr join(' ', @below), 0, 256)) . '}';
		($node) = @below ? $below[0] =~ /^([^@]+)/ : ();
	}
	return '[' . join(',', @layers) . ']';
}

# table MAJOR:MINOR: as `dmsetup table` prints it; empty if the kernel does not say.
sub table {
	my ($major, $minor) = shift =~ /^(\d+):(\d+)$/ or return '';
	open my $control, '+<', '/dev/mapper/control' or return '';
	# The device's number, with makedev(3)'s bits, and neither name nor UUID.
	my $number = $minor & 0xff | $major << 8 | ($minor & ~0xff) << 12;
	my $buffer = pack 'L3 L L L l L L L Q x264', 4, 0, 0, ROOM, HEAD, 0, 0, STATUS_TABLE, 0, 0, $number;
	$buffer .= "\0" x (ROOM - HEAD);
	ioctl $control, TABLE_STATUS, $buffer or return '';
	my ($start, $count) = unpack 'x16 L L', $buffer;
	my @lines;
	# struct dm_target_spec; its `next` counts from the first one.
	for (my $at = 0; $count-- > 0 && $at < ROOM - $start - 40;) {
		my ($from, $length, $next, $target, $rest) = unpack "x$start x$at Q Q x4 L Z16 Z*", $buffer;
		push @lines, "$from $length $target $rest";
		$at = $next;
	}
	return join "\n", @lines;
}

1;
