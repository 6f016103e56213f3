# Collects evidence from a damaged device before anything repairs it: the inodes that its check names,
# and the device's image. Both go to the host. lib/reporter.pl loads this file on demand, so a guest
# without findings never does. Devices are only read.
#
# It may pick out more numbers than needed. The host decides which finding is about which inode.
use strict;
use warnings;
require "$ENV{DAXREPRO}/lib/extents.pl";

# The most inodes that are looked at: those that the log names, and those that lost data at an unmount.
use constant { MOST_OF_LOG => 20, MOST_OF_UNMOUNTS => 12 };
# The limits of a program: bytes of its output, and seconds that it may run.
use constant { LONGEST_OUTPUT => 1024 * 1024, PATIENCE => 30 };
# The bytes of a block that go to the host.
use constant SHOWN_OF_BLOCK => 64;

# gather_evidence NAME DEVICE LOG TYPE BYTES: for the device whose check wrote this log. The image is
# sent only if it has at most this many bytes in extents that are not zero.
sub gather_evidence {
	my ($name, $device, $log, $type, $bytes) = @_;
	eval { send_image($name, $device, $bytes); 1 } or event('log', text('text', "no image: $@"));
	my $wanted = wanted_inodes(read_file($log, LARGEST_FILE()), $device);
	my ($said, $block_size, @inodes) =
		$type eq 'xfs' ? ask_xfs_db($device, $wanted) : ask_debugfs($device, $wanted);
	send_file("inodes-$name", $said);
	for my $inode (@inodes) {
		my ($zeros, $begin) = ('', '');
		if (defined $inode->{position}) {
			my $block = read_at($device, $inode->{position}, $block_size);
			if (length $block == $block_size) {
				$zeros = $block =~ /[^\0]/ ? 'no' : 'yes';
				$begin = unpack 'H*', substr $block, 0, SHOWN_OF_BLOCK;
			}
		}
		event('inode', text('name', $name), text('device', $device),
			map({ text($_, $inode->{$_} // '') }
				qw(inode mode size links flags blockMap path block position)),
			text('zeros', $zeros), text('bytes', $begin));
	}
}

# Maps each inode to its block that the log names, or to 0.
sub wanted_inodes {
	my ($log, $device) = @_;
	my (%wanted, %of_unmounts);
	for my $line (split /\n/, $log) {
		while ($line =~ /\bino(?:de)?(?: number)?[ #(=]*(0x[0-9a-f]+|\d+)|\((\d+)\)/gi) {
			my $inode = defined $1 ? ($1 =~ /^0x/ ? hex $1 : $1) : $2;
			next if $inode < 1 || length $inode > 15;
			last if keys %wanted >= MOST_OF_LOG && !exists $wanted{$inode};
			my ($block) = $line =~ /\bblock #?(\d{1,9})/;
			$wanted{$inode} ||= $block // 0;
		}
	}
	my ($node) = $device =~ m{([^/]*)$};
	my ($ours, $dropped) = (0, 0);
	for (split /\n/, read_file('/proc/daxrepro_witness')) {
		$ours = $1 eq $node if /^unmount \d+ \S+ (\S+)/;
		$dropped = $1 eq 'dropped' if /^look (\w+)/;
		$of_unmounts{$1} = 1 if $ours && $dropped && /^inode (\d+)/;
		last if keys %of_unmounts >= MOST_OF_UNMOUNTS;
	}
	$wanted{$_} //= 0 for keys %of_unmounts;
	return \%wanted;
}

# ---- ext2 and ext4 -----------------------------------------------------------------------------

# With damaged bitmaps debugfs opens the file system only with -c.
sub ask_debugfs {
	my ($device, $wanted) = @_;
	my @numbers = sort { $a <=> $b } keys %$wanted;
	my ($said, $block_size, @how) = ('', block_size_of_ext($device));
	for my $way ([], ['-c']) {
		@how = @$way;
		$said = ask_debugfs_for($device, \@how, map "stat <$_>", @numbers);
		last if $said =~ /^Inode: /m;
	}
	# For an inode that does not exist debugfs names none.
	my @there = $said =~ /^Inode: (\d+) /mg;
	my $names = @there ? ask_debugfs_for($device, \@how, "ncheck @there") : '';
	my (@found, %path);
	$path{2} = '/';
	for (split /\n/, $names) {
		$path{$1} //= $2 if m{^(\d+)\t/?(/.*)$};
	}
	for (split /^debugfs: (?=stat <)/m, $said) {
		my ($inode, $mode, $flags) =
			/^Inode: (\d+) .*? Mode: +(\d+) +Flags: (0x[0-9a-f]+)/m or next;
		my ($size) = /^User:.* Size: (\d+)$/m;
		my ($links) = /^Links: (\d+) /m;
		my ($type) = /^Inode: .*? Type: (.*?) +Mode:/m;
		my ($map) = /^(?:BLOCKS|EXTENTS):\n(.*)/m;
		my $block = $wanted->{$inode};
		my $number = block_of_map($map // '', $block);
		push @found, {
			inode => $inode, mode => mode_of($type, $mode), size => $size, links => $links,
			flags => $flags, blockMap => substr($map // '', 0, 400), path => $path{$inode},
			block => $block, position => defined $number ? $number * $block_size : undef,
		};
	}
	return ($said . $names, $block_size, @found);
}

sub ask_debugfs_for {
	my ($device, $how, @commands) = @_;
	my $file = ($ENV{TMPDIR} // '/tmp') . '/daxrepro-debugfs';
	write_file($file, join '', map "$_\n", @commands);
	return said_by('debugfs', @$how, '-f', $file, $device);
}

# s_log_block_size of the superblock, which starts at byte 1024 (ext4(5)).
sub block_size_of_ext {
	my $log = unpack 'V', read_at(shift, 1024 + 24, 4);
	return defined $log && $log <= 6 ? 1024 << $log : 4096;
}

# debugfs prints the permissions in octal and the type as a word.
sub mode_of {
	my ($type, $permissions) = @_;
	my %types = ('directory' => 4, 'regular' => 8, 'symlink' => 10, 'FIFO' => 1, 'socket' => 12,
		'character special' => 2, 'block special' => 6);
	my $bits = $types{$type // ''};
	return defined $bits ? sprintf '%o', $bits << 12 | oct $permissions : '';
}

# Maps a block of the inode to a block of the device, by a list like "(0-11):1053-1064, (IND):1065, (12):1066".
sub block_of_map {
	my ($map, $wanted) = @_;
	while ($map =~ /\((\d+)(?:-(\d+))?(?:\[u\])?\):(\d+)/g) {
		return $3 + $wanted - $1 if $wanted >= $1 && $wanted <= ($2 // $1);
	}
	return undef;
}

# ---- xfs ---------------------------------------------------------------------------------------

sub ask_xfs_db {
	my ($device, $wanted) = @_;
	my @numbers = sort { $a <=> $b } keys %$wanted;
	my @commands = map { ('-c', $_) } ('sb 0', 'p blocksize rootino'), map {
		("echo == $_", "inode $_", 'p core.mode', 'p core.size', 'p core.nlinkv2',
			'p v3.flags2', 'bmap', 'dblock ' . $wanted->{$_}, 'daddr')
	} @numbers;
	my $said = said_by('xfs_db', '-r', @commands, $device);
	my ($block_size) = $said =~ /^blocksize = (\d+)$/m;
	$block_size = 4096 if !$block_size || $block_size > 65536;
	my %path;
	my ($root) = $said =~ /^rootino = (\d+)$/m;
	$path{$root} = '/' if defined $root;
	my @asked = map { ('-i', $_) } @numbers;
	my $names = @asked
		? said_by('xfs_db', '-r', '-c', 'blockget -ns', '-c', "ncheck @asked", $device) : '';
	for (split /\n/, $names) {
		# The name of a directory ends in "/.".
		$path{$1} //= "/$2" if m{^ *(\d+) (.+?)(?:/\.)?$};
	}
	my @found;
	for (split /^== (?=\d+ *$)/m, $said) {
		my ($inode) = /^(\d+) *$/m;
		my ($mode) = /^core\.mode = 0?(\d+)$/m;
		next if !defined $inode || !defined $mode || /^bad inode number/m;
		my ($size) = /^core\.size = (\d+)$/m;
		my ($links) = /^core\.nlinkv2 = (\d+)$/m;
		my ($flags) = /^v3\.flags2 = (\w+)$/m;
		my $map = join ', ', /^(data offset .*)$/mg;
		my ($sector) = /^(?:file data block is unmapped|no type for file data)$/m ? () : /^current daddr is (\d+)$/m;
		push @found, {
			inode => $inode, mode => $mode, size => $size, links => $links, flags => $flags,
			blockMap => substr($map, 0, 400), path => $path{$inode}, block => $wanted->{$inode},
			position => defined $sector && $map ne '' ? $sector * 512 : undef,
		};
	}
	return ($said . $names, $block_size, @found);
}

# ---- the image ---------------------------------------------------------------------------------

# Sends the pieces that are not zero, each as a file with its offset, and then whether it succeeded.
sub send_image {
	my ($name, $device, $most) = @_;
	return if !$most;
	my ($sent, $whole) = (0, 'true');
	for_each_extent($device, sub {
		my ($at, $bytes) = @_;
		$sent += length $bytes;
		if ($sent > $most) { $whole = 'false'; return 0 }
		event('file', text('name', "image-$name"), raw('size', length $bytes), raw('offset', $at));
		say_whole($bytes);
		return 1;
	});
	event('image', text('name', "image-$name"), text('device', $device), raw('whole', $whole));
}

# ---- helpers -----------------------------------------------------------------------------------

# Runs a program and returns both of its output streams, with limits on time and size.
sub said_by {
	my @command = ('timeout', PATIENCE, @_);
	my $child = open(my $output, '-|') // die "fork: $!\n";
	if (!$child) {
		open STDIN, '<', '/dev/null';
		open STDERR, '>&', \*STDOUT;
		exec @command or exit 127;
	}
	my $said = '';
	1 while length $said < LONGEST_OUTPUT && sysread $output, $said, 65536, length $said;
	close $output;
	return $said;
}

sub read_at {
	my ($path, $offset, $length) = @_;
	open(my $file, '<', $path) or return '';
	binmode $file;
	my $content = '';
	return '' if !sysseek $file, $offset, 0;
	while (length $content < $length) {
		sysread($file, $content, $length - length $content, length $content) or last;
	}
	return $content;
}

sub write_file {
	my ($path, $content) = @_;
	open(my $file, '>', $path) or die "$path: $!\n";
	print $file $content;
	close $file or die "$path: $!\n";
}

1;
