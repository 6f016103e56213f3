# Records the kernel's trace events about write-back, for --explain: who dirtied an inode, whether
# write-back was called for it, and with what result. lib/reporter.pl loads this file on demand.
#
# It uses its own trace instance (Documentation/trace/ftrace.rst), so that tests that trace do not
# interfere. The events are filtered to the devices under test, and the buffer keeps the newest.
use strict;
use warnings;

# A system call by its number on x86-64.
use constant SYS_MOUNT => 165;
use constant TRACING => '/sys/kernel/tracing';
use constant INSTANCE => TRACING . '/instances/daxrepro';
# The buffer's size in KiB: for all processors together, and for each.
use constant { BUFFER => 4096, LEAST_BUFFER => 256 };

# The events, and the field of each that names the device. Of each group the kernel has one or the other.
my @EVENTS = (
	# dirty_page before 5.17.
	['name', 'writeback/writeback_dirty_folio', 'writeback/writeback_dirty_page'],
	['name', 'writeback/writeback_mark_inode_dirty'],
	['name', 'writeback/writeback_single_inode_start'],
	['name', 'writeback/writeback_single_inode'],
	['dev', 'fs_dax/dax_writeback_range'],
);

# Why there is no trace, and what a trace lacks.
my ($problem, @without) = ('');

# begin_trace DEVICE...
sub begin_trace {
	($problem, @without) = ('');
	eval { set_up(@_); 1 } or $problem = $@ =~ s/\s+/ /gr;
}

sub set_up {
	my @numbers = map { device_number($_) } @_;
	my ($source, $target, $type) = ('tracefs', TRACING, 'tracefs');
	-d TRACING . '/instances' || syscall(SYS_MOUNT, $source, $target, $type, 0, 0) == 0
		or die "this kernel has no tracefs (CONFIG_FTRACE)\n";
	mkdir INSTANCE;
	-d INSTANCE or die "the kernel gives no trace buffer: $!\n";
	my $processors = () = read_file('/proc/cpuinfo') =~ /^processor\s/mg;
	my $size = int(BUFFER / ($processors || 1));
	put(INSTANCE . '/buffer_size_kb', $size > LEAST_BUFFER ? $size : LEAST_BUFFER);
	# The same clock as kernels/witness uses for the times of unmounts.
	put(INSTANCE . '/trace_clock', 'mono');
	for (@EVENTS) {
		my ($field, @names) = @$_;
		my $filter = join ' || ', map { "$field == " . ($field eq 'dev' ? $_->[1] : qq{"$_->[0]"}) } @numbers;
		grep { enable($_, $filter) } @names or push @without, $names[0];
	}
	watch_writepages(map { $_->[1] } @numbers) or push @without, 'do_writepages';
	@without <= @EVENTS or die "this kernel has no trace events of write-back\n";
}

# Probes ->writepages, whoever calls it: an fsync triggers none of the events above. Our module
# (kernels/witness) knows where the kernel's structures hold the inode.
sub watch_writepages {
	my %at = read_file('/proc/daxrepro_witness') =~ /^layout (\w+) (\d+)$/mg or return 0;
	my $inode = '+0(%di)';
	my $arguments = "device=+$at{s_dev}(+$at{i_sb}($inode)):u32 inode=+$at{i_ino}($inode):u64";
	put(TRACING . '/kprobe_events', "p:daxrepro/writepages do_writepages $arguments", '>>') or return 0;
	put(TRACING . '/kprobe_events', 'r:daxrepro/writepages_done do_writepages result=$retval:s64', '>>');
	enable('daxrepro/writepages_done', '');
	return enable('daxrepro/writepages', join ' || ', map { "device == $_" } @_);
}

sub enable {
	my ($event, $filter) = @_;
	my $directory = INSTANCE . "/events/$event";
	return 0 if !-d $directory || $filter && !put("$directory/filter", $filter);
	return put("$directory/enable", 1);
}

# The device as events name it, MAJOR:MINOR, and as the kernel numbers it. rdev has makedev(3)'s bits.
sub device_number {
	my $rdev = (stat shift)[6] // die "there are no devices\n";
	my $major = $rdev >> 8 & 0xfff;
	my $minor = $rdev & 0xff | $rdev >> 12 & 0xfff00;
	return ["$major:$minor", $major << 20 | $minor];
}

# end_trace DEVICE...: sends the events since begin_trace as a file, after an event that says what is
# missing. If there is more than the host accepts, the newest events are sent.
sub end_trace {
	my @devices = map { m{([^/]*)$} && "$1=" . device_number($_)->[0] } @_;
	put(INSTANCE . '/tracing_on', 0);
	my $trace = $problem ? '' : read_file(INSTANCE . '/trace');
	my $lost = 0;
	$lost += /^overrun: (\d+)/m ? $1 : 0 for map { read_file($_) } glob INSTANCE . '/per_cpu/cpu*/stats';
	$problem ||= 'the trace cannot be read' if $trace eq '';
	$trace =~ s/^#[^\n]*\n//mg;
	my $cut = length($trace) - LARGEST_FILE();
	if ($cut > 0) {
		$cut = 1 + index $trace, "\n", $cut;
		$lost += substr($trace, 0, $cut) =~ tr/\n//;
		$trace = substr $trace, $cut;
	}
	event('trace', text('devices', "@devices"), text('problem', $problem), text('without', "@without"), raw('lost', $lost));
	send_file('write-back', $trace);
}

# Writes to a file of the trace instance; returns whether that succeeded.
sub put {
	my ($path, $text, $how) = @_;
	open(my $file, $how // '>', $path) or return 0;
	print $file "$text\n";
	return close $file;
}

1;
