# Inspects the guest and reports to the host on the channel. It starts before a checkpoint, so that a
# clone has it from the start. The same inspection in shell would start ten programs, each of which
# takes some 15 ms under emulation.
#
# usage: perl reporter.pl CHANNEL-DESCRIPTOR <questions >answers
#
# A question is one line of words separated by tabs, starting with a number. Its answer is one line,
# `NUMBER ok` or `NUMBER failed: REASON`. See `ask` in lib/channel.sh. The reporter judges nothing.
use strict;
use warnings;

# System calls by their numbers on x86-64.
use constant { SYS_SYSLOG => 103, SYS_STATFS => 137, SYS_SETTIMEOFDAY => 164, SYS_INIT_MODULE => 175 };
use constant SYS_STATX => 332;
# syslog(2): the actions on the kernel's log.
use constant { LOG_READ_ALL => 3, LOG_READ_CLEAR => 4, LOG_CONSOLE_LEVEL => 8, LOG_SIZE => 10 };
# The host accepts no more than this of a file.
use constant LARGEST_FILE => 4 * 1024 * 1024;
# How much of the kernel's log an event contains: some 100 lines.
use constant LOG_TAIL => 8000;

require "$ENV{DAXREPRO}/lib/data.pl";
require "$ENV{DAXREPRO}/lib/layers.pl";

# A recorded guest reports what it has read from the host when it is so many bytes.
use constant REPORTED => 64 * 1024;
my $unreported = 0;

open(my $channel, '>&=', shift) or die "the channel: $!\n";
binmode $channel;

# If a test uses up the memory, the kernel must not kill the reporter.
if (open(my $score, '>', '/proc/self/oom_score_adj')) { print $score -1000 }

my %answers = (
	'prove'       => \&prove,
	'limit'       => \&limit,
	'end-all'     => \&end_all,
	'test'        => \&test,
	'file'        => \&file,
	'boot-log'    => \&boot_log,
	'kernel-log'  => sub { send_file('kernel-log', kernel_log(LOG_READ_ALL)) },
	'refresh'     => \&refresh,
	'load-module' => \&load_module,
	'contents'    => sub { require "$ENV{DAXREPRO}/lib/contents.pl"; take_contents(@_) },
	'evidence'    => sub { require "$ENV{DAXREPRO}/lib/evidence.pl"; gather_evidence(@_) },
	'unmounts'    => sub { send_file('unmounts', read_file('/proc/daxrepro_witness')) },
	'trace'       => sub { require "$ENV{DAXREPRO}/lib/trace.pl"; begin_trace(@_) },
	'end-trace'   => sub { require "$ENV{DAXREPRO}/lib/trace.pl"; end_trace(@_) },
	'unpack-user-test' => sub { require "$ENV{DAXREPRO}/lib/user-test.pl"; unpack_user_test(@_) },
	'run-user-test'    => sub { require "$ENV{DAXREPRO}/lib/user-test.pl"; run_user_test(@_) },
	'note-scratch'     => sub { require "$ENV{DAXREPRO}/lib/user-test.pl"; note_scratch(@_) },
	'nothing'     => sub { },
);

# Whether a test was killed because of its time limit.
my $time_was_over = 0;
$SIG{ALRM} = sub { $time_was_over = 1; kill 'KILL', -1 };

$| = 1;
while (my $question = <STDIN>) {
	chomp $question;
	my ($number, $name, @words) = split /\t/, $question, -1;
	my $known = $answers{$name // ''};
	my $told = eval { $known ? $known->(@words) : die "no such question\n"; 1 };
	my $reason = $@ =~ s/\s+/ /gr;
	print $number, $told ? " ok\n" : " failed: $reason\n";
}

# ---- reports to the host -----------------------------------------------------------------------

# Reports what is known about a mount. The kernel's own traces show which driver serves it; the mount's
# type does not. ext4 and xfs keep a directory per mounted device in /sys/fs, even if ext4 serves "ext2",
# and each module counts its users.
sub prove {
	my ($when, $device, $directory, $type, $page_size, $references_unmounted) = @_;
	my $node = node_of($device);
	my ($mounted, $found_type, $found_options) = ('false', '', '');
	for (split /\n/, read_file('/proc/mounts')) {
		my ($source, $target, @rest) = split / /;
		next if $target ne $directory;
		# The last entry is the topmost mount.
		$mounted = $source eq $device ? 'true' : 'false';
		($found_type, $found_options) = @rest;
	}
	my ($attributes, $mask, $data, $block_size, @realtime) = ('', '', '[]', '');
	if ($mounted eq 'true') {
		# Without DAX the data is in the page cache, and nothing can be compared.
		my @devices = $device if $found_options =~ /(?:^|,)dax(?:=always)?(?:,|$)/;
		my ($realtime) = $found_options =~ /(?:^|,)rtdev=([^,]+)/;
		push @devices, $realtime if @devices && defined $realtime;
		($attributes, $mask, $data) = new_file($directory, $directory, @devices);
		@realtime = realtime_file($directory, @devices) if defined $realtime;
		$block_size = block_size($directory);
	}
	my $module = "/sys/module/$type";
	# An ELF note: 12 bytes of header, then "GNU\0", then the id (elf(5)).
	my $note = read_file("$module/notes/.note.gnu.build-id");
	my $build_id = length $note > 16 ? substr($note, 16) : '';
	event('proof',
		text('when', $when), text('device', $device), text('directory', $directory),
		raw('mounted', $mounted), text('type', $found_type), text('options', $found_options),
		raw('servedByExt4', -d "/sys/fs/ext4/$node" ? 'true' : 'false'),
		raw('servedByXfs', -d "/sys/fs/xfs/$node" ? 'true' : 'false'),
		text('path', join ' ', device_path($node)), raw('layers', Layers::as_json($node)),
		text('moduleReferences', first_line("$module/refcnt")),
		text('moduleReferencesUnmounted', $references_unmounted),
		text('moduleBuildId', unpack('H*', $build_id)),
		text('statxAttributes', $attributes), text('statxMask', $mask), raw('data', $data), @realtime,
		text('blockSize', $block_size), text('pageSize', $page_size),
		text('kernelLog', kernel_log_tail()));
}

# The kernel's name of a device: a device of device mapper is mounted by a name of its own. st_rdev has
# makedev(3)'s bits.
sub node_of {
	my ($device) = @_;
	my $rdev = -b $device ? (stat _)[6] : 0;
	my $number = ($rdev >> 8 & 0xfff) . ':' . ($rdev & 0xff | $rdev >> 12 & 0xfff00);
	my ($node) = (readlink("/sys/dev/block/$number") // $device) =~ m{([^/]*)$};
	return $node;
}

# The drivers on the way to the device, each with what it drives: `nd_pmem:pfn0.0 nd_region:region0 …`. A
# device that is made of others has the way to the first one.
sub device_path {
	my ($node) = @_;
	my ($below) = glob "/sys/class/block/$node/slaves/*";
	return device_path($below =~ m{([^/]*)$}) if defined $below;
	# A partition is a directory of its disk.
	my $block = real_path("/sys/class/block/$node") =~ s{(/block/[^/]+)/[^/]+$}{$1}r;
	my @path = drivers_above(real_path("$block/device"));
	return @path if !grep { /^cxl_/ } @path;
	my $address = hex first_line("$block/device/resource");
	for my $region (glob '/sys/bus/cxl/devices/region*') {
		my ($start, $size) = map { hex first_line("$region/$_") } 'resource', 'size';
		next if $address < $start || $address >= $start + $size;
		my $decoder = real_path('/sys/bus/cxl/devices/' . first_line("$region/target0"));
		my ($endpoint) = $decoder =~ m{(.*)/};
		my $memory = real_path("$endpoint/uport");
		push @path, drivers_above(real_path("$region/pmem_" . ($region =~ m{([^/]*)$})[0])), drivers_above($decoder);
		push @path, map({ drivers_above($_) } glob("$memory/pmem*")), drivers_above($memory);
	}
	my %seen;
	return grep { !$seen{$_}++ } @path;
}

# `DRIVER:DEVICE` of a device in sysfs and of each above it that has a driver.
sub drivers_above {
	my ($place) = @_;
	my @found;
	while ($place =~ m{^/sys/devices/.*?([^/]+)$}) {
		my $device = $1;
		push @found, "$1:$device" if (readlink("$place/driver") // '') =~ m{([^/]+)$};
		$place =~ s{/[^/]+$}{};
	}
	return @found;
}

# The path of a directory without symbolic links; empty if there is none. O_DIRECTORY, of fcntl.h.
sub real_path {
	sysopen my $directory, shift, 0x10000 or return '';
	return readlink('/proc/self/fd/' . fileno $directory) // '';
}

# Kills all processes after so many seconds, unless `end-all` comes first.
sub limit {
	$time_was_over = 0;
	alarm shift;
}

sub is_time_over {
	return $time_was_over;
}

# For a child that executes another program.
sub close_channel {
	close $channel;
}

# Kills all processes but process 1 and itself, and waits until they are gone: a process that is being
# killed still holds its open files.
sub end_all {
	alarm 0;
	my $left;
	for (1 .. 1000) {
		kill 'KILL', -1;
		$left = others() or return;
		select undef, undef, undef, 0.01;
	}
	die "$left processes do not end\n";
}

# The number of other processes. Kernel threads and zombies run no program and do not count.
sub others {
	opendir(my $processes, '/proc') or die "/proc: $!\n";
	return scalar grep { /^\d+$/ && $_ != 1 && $_ != $$ && defined readlink "/proc/$_/exe" }
		readdir $processes;
}

# Reports how the test ended, and what it noted (lib/test.sh).
sub test {
	my ($status, $microseconds) = @_;
	# 128 and 9: killed.
	my $timed_out = $time_was_over && $status == 137 ? 'true' : 'false';
	my $output = read_file('/run/unit/output', -4096);
	my @lines = $output =~ /([^\n]*\n|[^\n]+\z)/g;
	@lines = @lines[-20 .. -1] if @lines > 20;
	send_file('output', read_file('/run/unit/output', LARGEST_FILE));
	event('test',
		raw('status', $status), raw('timedOut', $timed_out),
		text('failures', read_file('/run/unit/failures', 8192)),
		text('notrun', read_file('/run/unit/notrun', 1024)),
		text('provokes', read_file('/run/unit/provokes', 256)),
		text('lastOutput', join('', @lines) =~ s/\n+\z//r),
		raw('microseconds', $microseconds));
}

sub file {
	my ($name, $path) = @_;
	send_file($name, read_file($path, LARGEST_FILE));
}

# Shows every message on the console from here on. Before, it shows only serious ones: the serial
# console would take a fifth of an emulated boot. The whole boot log is kept as a file.
sub boot_log {
	my $log = kernel_log(LOG_READ_CLEAR);
	send_file('boot-log', $log);
	syscall(SYS_SYSLOG, LOG_CONSOLE_LEVEL, 0, 8);
}

# Gives a clone its own time of day and its own random numbers. It must not share them with the guest
# that it was cloned from: file-system UUIDs are made of random numbers.
sub refresh {
	my ($clock, $entropy) = @_;
	if ($clock) {
		my $time = pack('qq', int($clock / 1_000_000), $clock % 1_000_000);
		syscall(SYS_SETTIMEOFDAY, $time, 0) == 0 or die "settimeofday: $!\n";
	}
	if ($entropy) {
		# random(4): RNDADDENTROPY credits the bytes as entropy; RNDRESEEDCRNG (4.14) makes the kernel use them.
		my $bytes = pack('H*', $entropy);
		open(my $random, '>', '/dev/urandom') or die "/dev/urandom: $!\n";
		my $pool = pack('ii', 8 * length $bytes, length $bytes) . $bytes;
		ioctl($random, 0x40085203, $pool) or die "RNDADDENTROPY: $!\n";
		ioctl($random, 0x5207, 0);
	}
}

# Reads the file-system module, so many bytes, from the channel.
sub load_module {
	my ($name, $size) = @_;
	my $bytes = from_channel($size);
	my $none = "\0";
	syscall(SYS_INIT_MODULE, $bytes, length $bytes, $none) == 0 or die "init_module: $!\n";
	event('module', text('name', $name), text('sha256', sha256($bytes)), text('origin', 'sent'));
}

# Reads so many bytes from the host. A recorded guest reports what it has read, so that the host does not
# send faster (cli/guest/paced-input.ts).
sub from_channel {
	my ($size) = @_;
	my $bytes = '';
	while (length $bytes < $size) {
		my $left = $size - length $bytes;
		my $got = sysread $channel, $bytes, $left < REPORTED ? $left : REPORTED, length $bytes;
		die "the channel: $!\n" if !defined $got;
		die "the host is gone\n" if !$got;
		$unreported += $got;
		next if !$ENV{daxrepro_recorded} || $unreported < REPORTED;
		event('received', raw('bytes', $unreported));
		$unreported = 0;
	}
	return $bytes;
}

# ---- inspection --------------------------------------------------------------------------------

# The attributes and their mask, by statx(2), of a new regular file, and the looks at its data (lib/data.pl) as
# JSON. An existing file may have been made before DAX was on. If the test left no room for a new file, an
# existing one has to do.
#
# new_file PLACE, DIRECTORY, DEVICES: the directory for the file, that of the mount, and its devices.
sub new_file {
	my ($place, $directory, @devices) = @_;
	my $probe = "$place/.daxrepro-probe";
	my $fresh = open(my $file, '+>', $probe);
	$probe = any_file($place) if !$fresh;
	my $result = "\0" x 256;
	# AT_FDCWD, no flags, STATX_BASIC_STATS.
	my $known = defined $probe && syscall(SYS_STATX, -100, $probe, 0, 0x7ff, $result) == 0;
	my @looks = @devices ? Data::compare_data($fresh ? $file : undef, $directory, @devices) : ();
	close $file if $fresh;
	unlink $probe if $fresh;
	my $data = '[' . join(',', map { look_as_json($_) } @looks) . ']';
	return ('', '', $data) if !$known;
	# struct statx: stx_attributes at byte 8, stx_attributes_mask at byte 56.
	return ((map { sprintf '0x%x', unpack "x$_ Q", $result } 8, 56), $data);
}

sub look_as_json {
	my ($look) = @_;
	return '{' . join(',', map { text($_, substr $look->{$_}, 0, 256) } sort keys %$look) . '}';
}

# The same of a new file on the realtime device of an xfs, as fields of an event. A file gets its DAX state
# when it is made, so it inherits the realtime flag from its directory: FS_IOC_FSGETXATTR and
# FS_IOC_FSSETXATTR with FS_XFLAG_RTINHERIT (include/uapi/linux/fs.h). Empty if it cannot be made.
sub realtime_file {
	my ($directory, @devices) = @_;
	my $place = "$directory/.daxrepro-realtime";
	my ($attributes, $data, $flags) = ('', '[]', "\0" x 28);
	if (mkdir $place) {
		if (sysopen my $opened, $place, 0) {
			if (ioctl $opened, 0x801c581f, $flags) {
				substr($flags, 0, 4) = pack 'L', unpack('L', $flags) | 0x100;
				($attributes, undef, $data) = new_file($place, $directory, @devices)
					if ioctl $opened, 0x401c5820, $flags;
			}
			close $opened;
		}
		rmdir $place;
	}
	return (text('realtimeAttributes', $attributes), raw('realtimeData', $data));
}

sub any_file {
	my $found;
	each_file(shift, sub { $found = shift });
	return $found;
}

# each_file DIRECTORY, CODE: calls CODE for each regular file of this file system, until it returns true.
sub each_file {
	my ($top, $code) = @_;
	my @directories = $top;
	my $device = (lstat $top)[0];
	for (my $seen = 0; @directories && $seen < 100_000;) {
		my $directory = shift @directories;
		opendir(my $entries, $directory) or next;
		while (defined(my $name = readdir $entries)) {
			next if $name eq '.' || $name eq '..';
			$seen++;
			my @status = lstat "$directory/$name" or next;
			if (-f _) { return if $code->("$directory/$name") }
			elsif (-d _ && $status[0] == $device) { push @directories, "$directory/$name" }
		}
	}
}

# Bytes: f_frsize of statfs(2), at byte 72.
sub block_size {
	my ($path, $result) = (shift, "\0" x 120);
	return '' if syscall(SYS_STATFS, $path, $result) != 0;
	return unpack 'x72 q', $result;
}

# In hexadecimal. The kernel computes it fast if it has algif_hash (Documentation/crypto/userspace-if).
# Not every system has perl's own module for it.
sub sha256 {
	my ($bytes) = @_;
	return eval { sha256_by_kernel($bytes) } // sha256_by_program($bytes);
}

sub sha256_by_kernel {
	my ($bytes) = @_;
	# AF_ALG, SOCK_SEQPACKET; struct sockaddr_alg.
	socket(my $algorithm, 38, 5, 0) or die;
	bind($algorithm, pack('S a14 L L a64', 38, 'hash', 0, 0, 'sha256')) or die;
	accept(my $operation, $algorithm) or die;
	for (my $at = 0; $at < length $bytes;) {
		# MSG_MORE
		my $part = substr $bytes, $at, 65536;
		$at += send($operation, $part, 0x8000) || die;
	}
	sysread($operation, my $digest, 32) == 32 or die;
	return unpack 'H*', $digest;
}

sub sha256_by_program {
	my ($bytes) = @_;
	my $copy = '/run/unit/to-be-hashed';
	open(my $file, '>:raw', $copy) or die "$copy: $!\n";
	print $file $bytes or die "$copy: $!\n";
	close $file or die "$copy: $!\n";
	my ($digest) = `sha256sum $copy` =~ /^([0-9a-f]{64})/ or die "sha256sum: $?\n";
	unlink $copy;
	return $digest;
}

# The kernel's log as dmesg prints it. printk.time=1 is on the kernel's command line.
sub kernel_log {
	my ($how, $bytes) = @_;
	$bytes ||= syscall(SYS_SYSLOG, LOG_SIZE, 0, 0);
	my $log = "\0" x $bytes;
	my $length = syscall(SYS_SYSLOG, $how, $log, $bytes);
	die "syslog: $!\n" if $length < 0;
	$log = substr $log, 0, $length;
	$log =~ s/^<\d+>//mg;
	return $log;
}

sub kernel_log_tail {
	my $log = kernel_log(LOG_READ_ALL, 2 * LOG_TAIL);
	$log =~ s/\n+\z//;
	return length $log > LOG_TAIL ? substr($log, -LOG_TAIL) : $log;
}

# The contents of a file: the first so many bytes, the last if the number is negative, everything if
# there is no number. Returns nothing if the file cannot be read.
sub read_file {
	my ($path, $bytes) = @_;
	open(my $file, '<', $path) or return '';
	binmode $file;
	seek $file, $bytes, 2 if $bytes && $bytes < 0;
	my $content = '';
	if ($bytes) { read $file, $content, abs $bytes }
	else { local $/; $content = <$file> // '' }
	return $content;
}

sub first_line {
	my ($line) = read_file(shift) =~ /^([^\n]*)/;
	return $line;
}

# ---- output ------------------------------------------------------------------------------------

sub text {
	my ($key, $text) = @_;
	my %short = ("\n" => '\\n', "\t" => '\\t', "\r" => '\\r', '"' => '\\"', '\\' => '\\\\');
	$text =~ s{([\0-\x1f"\\])}{$short{$1} // sprintf '\\u%04x', ord $1}ge;
	return "\"$key\":\"$text\"";
}

sub raw {
	my ($key, $value) = @_;
	return "\"$key\":$value";
}

sub event {
	my ($name, @fields) = @_;
	say_whole('{' . join(',', text('event', $name), @fields) . "}\n");
}

# Sends an event with the file's size, then the file's bytes unchanged.
sub send_file {
	my ($name, $content) = @_;
	return if $content eq '';
	$content = substr $content, 0, LARGEST_FILE if length $content > LARGEST_FILE;
	event('file', text('name', $name), raw('size', length $content));
	say_whole($content);
}

sub say_whole {
	my ($bytes) = @_;
	for (my $at = 0; $at < length $bytes;) {
		my $written = syswrite $channel, $bytes, length($bytes) - $at, $at;
		die "the channel: $!\n" if !defined $written;
		$at += $written;
	}
}
