# Mappings for tests in perl: `perl -I"$DAXREPRO/lib" -e 'require "mappings.pl"; …'`.
#
# The kernel itself stores into the mapping and loads from it, by pread64(2) and pwrite64(2) of a file in
# memory. So a fault that cannot be handled is an error, EFAULT, where a store of the program's own would
# end it by SIGBUS.
use strict;
use warnings;

# x86-64: numbers of system calls, and constants of mmap(2) and fallocate(2).
use constant {
	PREAD => 17, PWRITE => 18, MMAP => 9, MUNMAP => 11, MSYNC => 26, FALLOCATE => 285,
	PROT_READ => 1, READ_WRITE => 3, SHARED => 1, PRIVATE => 2, ANONYMOUS => 0x20, SYNC => 4,
	KEEP_SIZE => 1, PUNCH => 3, COLLAPSE => 8, ZERO => 0x10, INSERT => 0x20, UNSHARE => 0x40,
};

# open_file(NAME): for reading and writing; it is made if it does not exist.
sub open_file {
	open my $file, "+>>", $_[0] or die "$_[0]: $!\n";
	close $file;
	open $file, "+<", $_[0] or die "$_[0]: $!\n";
	return $file;
}

# fill(FILE, LENGTH, BYTE [, OFFSET]): write(2).
sub fill {
	my ($file, $length, $byte, $offset) = @_;
	sysseek $file, $offset // 0, 0 or die "seek: $!\n";
	my $wrote = syswrite $file, chr($byte) x $length;
	defined $wrote && $wrote == $length or die "write of $length bytes: $!\n";
}

# contents(FILE, OFFSET, LENGTH): what read(2) returns.
sub contents {
	my ($file, $offset, $length) = @_;
	sysseek $file, $offset, 0 or die "seek: $!\n";
	defined sysread $file, my $bytes, $length or die "read: $!\n";
	return $bytes;
}

# map_file(FILE, LENGTH [, FLAGS [, PROTECTION]]): returns the address.
sub map_file {
	my ($file, $length, $flags, $protection) = @_;
	my $address = syscall MMAP, 0, $length, $protection // READ_WRITE, $flags // SHARED,
		defined $file ? fileno $file : -1, 0;
	die "mmap: $!\n" if $address == -1;
	return $address;
}

sub unmap { syscall(MUNMAP, $_[0], $_[1]) == 0 or die "munmap: $!\n" }
sub sync_mapping { syscall(MSYNC, $_[0], $_[1], SYNC) == 0 or die "msync: $!\n" }

# change_space(FILE, MODE, OFFSET, LENGTH): fallocate(2).
sub change_space {
	my ($file, $mode, $offset, $length) = @_;
	return syscall(FALLOCATE, fileno $file, $mode, $offset, $length) == 0;
}

my ($bytes, $loaded);

# store(ADDRESS, LENGTH, BYTE): returns how much of it could be stored.
sub store {
	my ($address, $length, $byte) = @_;
	$bytes //= open_file("/tmp/bytes-$$");
	truncate $bytes, 0;
	fill($bytes, $length, $byte);
	my $stored = syscall PREAD, fileno $bytes, $address, $length, 0;
	return $stored == -1 ? 0 : $stored;
}

# load(ADDRESS, LENGTH): returns the bytes, fewer if some cannot be read.
sub load {
	my ($address, $length) = @_;
	$loaded //= open_file("/tmp/loaded-$$");
	truncate $loaded, 0;
	my $count = syscall PWRITE, fileno $loaded, $address, $length, 0;
	return $count == -1 ? "" : contents($loaded, 0, $count);
}

1;
