# Writes a GUID partition table, and has the kernel read it. Its partitions are equal, and take the whole
# device. The form is that of the UEFI specification, chapter 5.
#
# usage: perl partition.pl DEVICE SECTORS COUNT; partitions begin at multiples of these sectors.
use strict;
use warnings;

use constant SECTOR => 512;
# Of the table: 128 entries of 128 bytes.
use constant { ENTRIES => 128, ENTRY => 128 };
use constant TABLE_SECTORS => ENTRIES * ENTRY / SECTOR;
# DAX needs partitions of whole pages.
use constant PAGE_SECTORS => 8;
# ioctl(2): BLKSSZGET, BLKRRPART.
use constant { BLKSSZGET => 0x1268, BLKRRPART => 0x125f };
# The type of Linux file systems, 0FC63DAF-8483-4772-8E79-3D69D8477DE4, and identifiers of no meaning.
use constant LINUX => pack 'H*', 'af3dc60f838472478e793d69d8477de4';
use constant { DISK_ID => 'daxrepro-table-0', PARTITION_ID => 'daxrepro-part--' };

my ($device, $step, $count) = @ARGV;
open my $disk, '+<', $device or die "$device: $!\n";
my $size = pack 'L', 0;
ioctl $disk, BLKSSZGET, $size or die "$device: $!\n";
unpack('L', $size) == SECTOR or die 'its sectors have ', unpack('L', $size), " bytes\n";
my $sectors = sysseek($disk, 0, 2) / SECTOR;
my $usable = $sectors - TABLE_SECTORS - 2;
my $last = $usable + 1 - ($usable + 1) % PAGE_SECTORS - 1;
my $size_of_one = int(($last + 1 - $step) / $count / $step) * $step;
$size_of_one > 0 || $count == 1 && $last > $step or die "it has no room for a partition\n";

my $table = '';
for my $number (1 .. $count) {
	my $first = $step + ($number - 1) * $size_of_one;
	my $end = $count == 1 ? $last : $first + $size_of_one - 1;
	$table .= pack 'a16 a16 Q Q Q a72', LINUX, PARTITION_ID . $number, $first, $end, 0, '';
}
$table .= "\0" x (ENTRIES * ENTRY - length $table);
my $checksum = crc32($table);
put(0, protective());
put(SECTOR, header(1, $sectors - 1, 2), $table);
put(($sectors - 1 - TABLE_SECTORS) * SECTOR, $table, header($sectors - 1, 1, $sectors - 1 - TABLE_SECTORS));
close $disk or die "$device: $!\n";

# Opened anew: what was written is on the device by then.
open $disk, '<', $device or die "$device: $!\n";
ioctl $disk, BLKRRPART, 0 or die "the kernel does not read it: $!\n";

sub put {
	my ($place, @parts) = @_;
	my $bytes = join '', @parts;
	sysseek $disk, $place, 0 or die "$device: $!\n";
	(syswrite($disk, $bytes) // -1) == length $bytes or die "$device cannot be written: $!\n";
}

# A master boot record with a partition of type 0xee, which hides the disk from old programs.
sub protective {
	my $length = $sectors - 1 > 0xffffffff ? 0xffffffff : $sectors - 1;
	return pack 'x446 C4 C4 L L x48 S', 0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, $length, 0xaa55;
}

# header HERE, OTHER, TABLE: sectors of this header, of the other one, and of this one's table.
sub header {
	my ($here, $other, $at) = @_;
	my @fields = ('EFI PART', 0x10000, 92, 0, 0, $here, $other, TABLE_SECTORS + 2, $usable,
		DISK_ID, $at, ENTRIES, ENTRY, $checksum);
	$fields[3] = crc32(pack 'a8 L L L L Q Q Q Q a16 Q L L L', @fields);
	return pack 'a8 L L L L Q Q Q Q a16 Q L L L x420', @fields;
}

# Of ISO 3309, as in zip.
sub crc32 {
	my $crc = 0xffffffff;
	for my $byte (unpack 'C*', shift) {
		$crc ^= $byte;
		$crc = $crc & 1 ? $crc >> 1 ^ 0xedb88320 : $crc >> 1 for 1 .. 8;
	}
	return $crc ^ 0xffffffff;
}
