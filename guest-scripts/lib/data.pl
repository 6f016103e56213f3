# Compares what DAX reaches with what the block device has. statx tells that a file uses DAX, but not which
# bytes it reaches: device mapper maps DAX by whole pages, so a mapping that begins in the middle of a page
# reaches other bytes than reads and writes of the same device.
#
# A new file gets a page by write(2) and a page by a store through a mapping. Then the block device is read
# where the file system says the pages are, with O_DIRECT: past the page cache. Nothing has to be synced,
# because DAX has no page cache either. Without room for a new file, an existing one has to do.
#
# lib/reporter.pl loads this file.
package Data;

use strict;
use warnings;

# System calls by their numbers on x86-64. The flags are those of fcntl.h; not every perl has Fcntl.
use constant { SYS_READ => 0, SYS_WRITE => 1, SYS_MMAP => 9, SYS_MUNMAP => 11, SYS_PREAD64 => 17 };
use constant { SYS_UTIMENSAT => 280, SYS_STATX => 332, O_RDWR => 2, O_DIRECT => 0x4000 };
use constant { PAGE => 4096, SECTOR => 512 };
# FS_IOC_FIEMAP, and extents whose place is unknown or not that of plain data: UNKNOWN, DELALLOC, ENCODED,
# DATA_ENCRYPTED, NOT_ALIGNED, DATA_INLINE, DATA_TAIL (include/uapi/linux/fiemap.h).
use constant { FIEMAP => 0xc020660b, FIEMAP_NO_PLACE => 0x78e, FIEMAP_UNWRITTEN => 0x800, FIEMAP_SHARED => 0x2000 };
# FS_IOC_FSGETXATTR and FS_XFLAG_REALTIME (include/uapi/linux/fs.h).
use constant { FSGETXATTR => 0x801c581f, XFLAG_REALTIME => 1 };
# Existing files to try.
use constant MOST_FILES => 1000;

my $patterns = 0;

# compare_data FILE, DIRECTORY, DEVICES: the looks at this mount. FILE is a new file, open for reading and
# writing; undefined if there is none. DEVICES are those of the mount: of its data and, for xfs, its
# realtime device. Each look is a hash: `how` the page got there or was found, the `device`, the `position`
# there in bytes, how many bytes are the `same`, and the `problem` if there was nothing to compare.
sub compare_data {
	my ($file, $directory, @devices) = @_;
	my @looks;
	if (defined $file) {
		@looks = (look('written', \&write_page, $file, @devices), look('mapped', \&map_page, $file, @devices));
		return @looks if grep { $_->{problem} eq '' } @looks;
	}
	my $realtime = defined $file ? is_realtime($file) : 0;
	return (@looks, existing_file($directory, $realtime, @devices));
}

# look HOW, CODE, FILE, DEVICES: CODE changes a page of the file, and returns its offset and its bytes.
sub look {
	my ($how, $code, $file, @devices) = @_;
	my %look = (how => $how, device => device_of($file, @devices), position => '', same => '', problem => '');
	eval {
		my ($offset, $bytes) = $code->($file);
		@look{'position', 'same'} = compare_page($file, $offset, $bytes, $look{device});
		1;
	} or $look{problem} = $@ =~ s/\s+\z//r;
	return \%look;
}

sub write_page {
	my ($file) = @_;
	my $bytes = pattern();
	(syswrite($file, $bytes) // -1) == PAGE or die "a page cannot be written: $!\n";
	return (0, $bytes);
}

sub map_page {
	my ($file) = @_;
	my $bytes = pattern();
	truncate $file, 2 * PAGE or die "the file cannot grow: $!\n";
	store($file, PAGE, $bytes);
	return (PAGE, $bytes);
}

# compare_page FILE, OFFSET, BYTES, DEVICE: the position on the device, and how many bytes are the same.
sub compare_page {
	my ($file, $offset, $bytes, $device) = @_;
	my ($position) = place_of($file, $offset);
	my $found = read_device($device, $position);
	return ($position, ($found ^ $bytes) =~ tr/\0//);
}

# A page whose every eight bytes are unlike all others of it, and unlike those of any earlier page.
sub pattern {
	my $number = ++$patterns;
	my $seed = (time & 0xffff) << 16 | ($number ^ $$ << 8) & 0xffff;
	# Odd factors spread the numbers over all bytes, and keep them apart.
	my @words = map { ($seed ^ $_ * 0x9e3779b1, $number ^ $_ * 0x85ebca6b) } 1 .. PAGE / 8;
	return pack 'N*', map { $_ & 0xffffffff } @words;
}

# The position of this byte of the file on its device, and the extent's flags.
sub place_of {
	my ($file, $offset) = @_;
	# struct fiemap for one extent, and a struct fiemap_extent.
	my $map = pack('QQLLLL', $offset, PAGE, 0, 0, 1, 0) . "\0" x 56;
	ioctl $file, FIEMAP, $map or die "the file system does not tell where a file is: $!\n";
	unpack 'x20 L', $map or die "the file has no block\n";
	my ($logical, $physical, $length) = unpack 'x32 QQQ', $map;
	my $flags = unpack 'x72 L', $map;
	die sprintf("the file's place is not known: flags 0x%x\n", $flags) if $flags & FIEMAP_NO_PLACE;
	$offset >= $logical && $offset + PAGE <= $logical + $length or die "the file has no block\n";
	return ($physical + $offset - $logical, $flags);
}

# The first page of the file that has a place and was written: its offset, its position, and the flags.
sub first_page {
	my ($file, $size) = @_;
	my $map = pack('QQLLLL', 0, $size, 0, 0, 1, 0) . "\0" x 56;
	ioctl $file, FIEMAP, $map or return;
	unpack 'x20 L', $map or return;
	my ($offset) = unpack 'x32 Q', $map;
	my ($position, $flags) = eval { place_of($file, $offset) } or return;
	return if $flags & FIEMAP_UNWRITTEN || $offset + PAGE > $size;
	return ($offset, $position, $flags);
}

sub read_device {
	my ($device, $position) = @_;
	sysopen my $disk, $device, O_DIRECT or die "$device: $!\n";
	# The bytes go to an aligned place within the string.
	my $buffer = "\0" x (2 * PAGE);
	my $address = unpack 'Q', pack 'p', $buffer;
	my $margin = -$address % PAGE;
	my $got = syscall SYS_PREAD64, fileno $disk, $address + $margin, PAGE, $position;
	$got == PAGE or die "$device cannot be read at $position: ", $got < 0 ? $! : 'it ends there', "\n";
	return substr $buffer, $margin, PAGE;
}

# Stores a page through a shared mapping. The kernel copies the bytes, from a pipe: a fault that fails is
# an error of the call then, and no signal.
sub store {
	my ($file, $offset, $bytes) = @_;
	pipe my $out, my $in or die "pipe: $!\n";
	(syswrite($in, $bytes) // -1) == PAGE or die "pipe: $!\n";
	with_mapping($file, $offset, 3, sub {
		my ($address) = @_;
		syscall(SYS_READ, fileno $out, $address, PAGE) == PAGE
			or die "a mapped page cannot be written: $!\n";
	});
}

# Reads a page through a shared mapping, likewise.
sub load {
	my ($file, $offset) = @_;
	my $bytes = '';
	pipe my $out, my $in or die "pipe: $!\n";
	with_mapping($file, $offset, 1, sub {
		my ($address) = @_;
		syscall(SYS_WRITE, fileno $in, $address, PAGE) == PAGE or die "a mapped page cannot be read: $!\n";
	});
	(sysread($out, $bytes, PAGE) // -1) == PAGE or die "pipe: $!\n";
	return $bytes;
}

# with_mapping FILE, OFFSET, PROTECTION, CODE: the protection is that of mmap(2); MAP_SHARED is 1.
sub with_mapping {
	my ($file, $offset, $protection, $code) = @_;
	my $address = syscall SYS_MMAP, 0, PAGE, $protection, 1, fileno $file, $offset;
	die "the file cannot be mapped: $!\n" if $address == -1;
	my $done = eval { $code->($address); 1 };
	my $reason = $@;
	syscall SYS_MUNMAP, $address, PAGE;
	die $reason if !$done;
}

# ---- without room for a new file -----------------------------------------------------------------

# existing_file DIRECTORY, REALTIME, DEVICES: compares a page of an existing file. If the parts of the page
# are alike, a shifted one would look the same: then the page is exchanged for a pattern, and put back.
sub existing_file {
	my ($directory, $realtime, @devices) = @_;
	my ($look, $like, $tried) = (undef, undef, 0);
	main::each_file($directory, sub {
		my ($path) = @_;
		my $writable = sysopen(my $file, $path, O_RDWR);
		if (($writable || sysopen $file, $path, 0) && is_realtime($file) == $realtime) {
			my ($offset, undef, $flags) = first_page($file, -s $file);
			my $bytes = defined $offset ? eval { load($file, $offset) } : undef;
			if (defined $bytes) {
				my %parts = map { $_ => 1 } unpack '(a' . SECTOR . ')*', $bytes;
				$look = look('existing', sub { ($offset, $bytes) }, $file, @devices)
					if keys %parts == PAGE / SECTOR;
				$like //= [$path, $file, $offset, $bytes] if $writable && !($flags & FIEMAP_SHARED);
			}
		}
		return defined $look || ++$tried >= MOST_FILES;
	});
	return $look if $look;
	return exchange(@$like, @devices) if $like;
	return { how => 'existing', device => $devices[0], position => '', same => '', problem => 'no file has a page to compare' };
}

sub exchange {
	my ($path, $file, $offset, $bytes, @devices) = @_;
	# struct statx: stx_atime at byte 64, stx_mtime at byte 112, each 64 bits of seconds and 32 of nanoseconds.
	my $status = "\0" x 256;
	my $known = syscall(SYS_STATX, -100, $path, 0, 0x7ff, $status) == 0;
	my $times = pack 'qqqq', unpack 'x64 q L x36 q L', $status if $known;
	my $look = look('exchanged', sub {
		my $pattern = pattern();
		store($file, $offset, $pattern);
		return ($offset, $pattern);
	}, $file, @devices);
	store($file, $offset, $bytes);
	syscall(SYS_UTIMENSAT, -100, $path, $times, 0) if $known;
	return $look;
}

sub is_realtime {
	my ($file) = @_;
	my $flags = "\0" x 28;
	return ioctl($file, FSGETXATTR, $flags) && unpack('L', $flags) & XFLAG_REALTIME ? 1 : 0;
}

# The device that holds the file.
sub device_of {
	my ($file, $data, $realtime) = @_;
	return is_realtime($file) ? $realtime // $data : $data;
}

1;
