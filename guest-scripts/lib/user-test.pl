# Runs a test file of the user's. lib/reporter.pl loads this file on demand.
#
# The reporter itself starts the program, for two reasons: the program can kill other processes but not
# the reporter, and wait(2) distinguishes a signal from an exit code. The output goes through a pipe, so
# that it cannot fill the guest's memory.
use strict;
use warnings;

use constant { SYS_SETSID => 112, SYS_CLOCK_GETTIME => 228, CLOCK_MONOTONIC => 1, WNOHANG => 1 };
use constant { SYS_MOUNT => 165, MS_RDONLY => 1, MS_REMOUNT => 32, MS_BIND => 4096 };
# Where the host's archive has the test file and the directory of --with (cli/user-test/pack.ts).
use constant { TEST_FILE => '/run/user-test/test', WITH => '/run/user-test/with' };
# How much output is kept: so many bytes of its beginning and of its end.
use constant KEPT => 1024 * 1024;
# Bytes read from the channel or the pipe at once.
use constant PORTION => 256 * 1024;
# Messages of fio (8.x and earlier, verify.c) about data that differs from what it wrote. fio can print
# them and still exit with 0.
use constant VERIFY_ERROR => qr/^(?:verify: bad .*|\S*: verify failed at file .*|trim: verify failed .*|fio: verify type mismatch .*)/m;

# By number, on x86-64 (signal(7)).
my @SIGNALS = qw(ZERO HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD
	CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS);

# unpack_user_test BYTES: reads the archive from the channel and unpacks it.
sub unpack_user_test {
	my ($left) = @_;
	open(my $tar, '|-', 'tar', '-x', '-p', '-C', '/', '--skip-old-files', '-f', '-') or die "tar: $!\n";
	binmode $tar;
	while ($left > 0) {
		my $bytes = from_channel($left < PORTION ? $left : PORTION);
		print $tar $bytes or die "tar: $!\n";
		$left -= length $bytes;
	}
	close $tar or die "tar could not unpack the test\n";
	return if !-d WITH;
	my ($directory, $none) = (WITH, "\0");
	for my $flags (MS_BIND, MS_BIND | MS_REMOUNT | MS_RDONLY) {
		syscall(SYS_MOUNT, $directory, $directory, $none, $flags, $none) == 0 or die "mount: $!\n";
	}
}

# run_user_test KIND SECONDS END NAME=VALUE...: runs the test; the variables are its environment. KIND is
# `program` or `fio`. At the time limit the test fails, or, if END is `normal`, it is complete.
sub run_user_test {
	my ($kind, $seconds, $end, @variables) = @_;
	my %environment = map { split /=/, $_, 2 } @variables;
	my $work = "$environment{TEST_DIR}/work";
	mkdir $work or die "$work: $!\n";
	my @command = $kind eq 'fio' ? ('fio', TEST_FILE) : (TEST_FILE);
	my $started = now();
	limit($seconds);
	my ($child, $output, $refusal) = start_program($work, \%environment, @command);
	my ($status, $kept) = follow($child, $output, $kind);
	my $time_over = is_time_over();
	my $microseconds = now() - $started;
	end_all();
	take_rest($output, $kept);
	my $why = <$refusal>;
	tell_user_test({
		kind => $kind, status => $status, kept => $kept, refused => $why, microseconds => $microseconds,
		time_over => $time_over, ends_by_time => $end eq 'normal',
	});
}

# Microseconds.
sub now {
	my $time = "\0" x 16;
	syscall(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, $time) == 0 or die "clock_gettime: $!\n";
	my ($seconds, $nanoseconds) = unpack 'q q', $time;
	return $seconds * 1_000_000 + int($nanoseconds / 1000);
}

# Returns the child's process id, the pipe with its output, and a pipe with the reason why it could not
# start (empty if it did).
sub start_program {
	my ($work, $environment, @command) = @_;
	pipe(my $output, my $to_output) or die "pipe: $!\n";
	pipe(my $refusal, my $to_refusal) or die "pipe: $!\n";
	my $child = fork // die "fork: $!\n";
	if ($child == 0) {
		$SIG{ALRM} = 'DEFAULT';
		eval {
			syscall(SYS_SETSID);
			chdir $work or die "$work: $!\n";
			open(STDIN, '<', '/dev/null') or die "/dev/null: $!\n";
			open(STDOUT, '>&', $to_output) or die "output: $!\n";
			open(STDERR, '>&', $to_output) or die "output: $!\n";
			close_channel();
			# If memory runs out, the kernel must not kill the reporter; it may kill the test.
			if (open(my $score, '>', '/proc/self/oom_score_adj')) { print $score 0; close $score }
			set_environment($environment);
			no warnings 'exec';
			exec @command or die "$command[0]: $!\n";
		};
		syswrite $to_refusal, $@;
		kill 'KILL', $$;
	}
	return ($child, $output, $refusal);
}

sub set_environment {
	my ($variables) = @_;
	%ENV = %$variables;
	@ENV{qw(HOME USER LOGNAME SHELL LC_ALL TZ TERM)} = qw(/root root root /bin/bash C UTC dumb);
	@ENV{qw(DAXREPRO_PHASE PAGE_SIZE)} = ('test', 4096);
	$ENV{WITH_DIR} = WITH if -d WITH;
}

# Reads the output until the program has ended. Returns its status and the kept output.
sub follow {
	my ($child, $output, $kind) = @_;
	my $kept = { kind => $kind, head => '', tail => '', bytes => 0, line => '', verify => '' };
	my $open = 1;
	for (;;) {
		my $ready = '';
		vec($ready, fileno $output, 1) = 1 if $open;
		# A child of the program may keep the pipe open, and the program may close it early.
		my $found = select $ready, undef, undef, 0.02;
		$open = keep($output, $kept) if $found > 0 && $open;
		return ($?, $kept) if waitpid($child, WNOHANG) == $child;
	}
}

# All other processes are dead now, so the pipe ends after what they wrote.
sub take_rest {
	my ($output, $kept) = @_;
	while (keep($output, $kept)) { }
}

sub keep {
	my ($output, $kept) = @_;
	my $got = sysread $output, my $bytes, PORTION;
	return 1 if !defined $got;
	return 0 if !$got;
	$kept->{bytes} += $got;
	look_for_verify_error($bytes, $kept) if $kept->{kind} eq 'fio' && $kept->{verify} eq '';
	my $room = KEPT - length $kept->{head};
	$kept->{head} .= substr $bytes, 0, $room, '' if $room > 0;
	$kept->{tail} .= $bytes;
	substr($kept->{tail}, 0, -KEPT(), '') if length $kept->{tail} > 2 * KEPT;
	return 1;
}

sub look_for_verify_error {
	my ($bytes, $kept) = @_;
	my $lines = $kept->{line} . $bytes;
	$kept->{verify} = $& if $lines =~ VERIFY_ERROR;
	($kept->{line}) = $lines =~ /([^\n]{0,1000})\z/;
}

sub tell_user_test {
	my ($ran) = @_;
	my ($head, $tail) = ($ran->{kept}{head}, $ran->{kept}{tail});
	$tail = substr $tail, -KEPT() if length $tail > KEPT;
	my $missing = $ran->{kept}{bytes} - length($head) - length $tail;
	my $output = $missing > 0 ? "$head\n[… $missing bytes are left out …]\n$tail" : "$head$tail";
	send_file('output', $output);
	my @lines = grep { /\S/ } split /\n/, substr $output, length $output > 8192 ? -8192 : 0;
	@lines = @lines[-20 .. -1] if @lines > 20;
	my $last = @lines ? $lines[-1] : '';
	my ($status, $failure, $reason, $timed_out) = (0, '', '', 'false');
	my $signal = $ran->{status} & 127;
	my $code = $ran->{status} >> 8;
	if (defined $ran->{refused}) {
		($status, $reason) = (127, "the test could not be started: $ran->{refused}");
		$reason =~ s/\s+\z//;
	} elsif ($ran->{time_over}) {
		if (!$ran->{ends_by_time}) { ($status, $timed_out) = (1, 'true') }
	} elsif ($signal) {
		my $name = $SIGNALS[$signal] ? "SIG$SIGNALS[$signal]" : "signal $signal";
		($status, $failure) = (1, "the test was killed by $name");
	} elsif ($code == 77) {
		$status = 77;
	} elsif ($code) {
		($status, $failure) = (1, "the test ended with exit code $code" . ($last ne '' ? ": $last" : ''));
	}
	if ($ran->{kept}{verify} ne '' && $status != 127) {
		($status, $failure) = (1, "fio: $ran->{kept}{verify}");
	}
	mark_suspicious() if $status == 1;
	event('test',
		raw('status', $status), raw('timedOut', $timed_out),
		text('failures', short_line($failure)), text('notrun', $status == 77 ? short_line($last) : ''),
		text('lastOutput', substr(join("\n", @lines), -4096)),
		$reason ne '' ? text('reason', short_line($reason)) : (),
		raw('microseconds', $ran->{microseconds}));
}

# The unit's shell reads this file: it collects evidence only if something may be wrong.
sub mark_suspicious {
	open(my $mark, '>', '/run/unit/suspicious') or return;
	close $mark;
}

sub short_line {
	my ($line) = @_;
	return length $line > 300 ? substr($line, 0, 200) . ' … ' . substr($line, -80) : $line;
}

# Identifies a device's file system by its superblock: `ext` (ext2 and ext4 share the magic number at
# offset 1080), `xfs`, or ''.
sub file_system_on {
	my ($device) = @_;
	my $begin = read_file($device, 2048);
	return 'xfs' if substr($begin, 0, 4) eq 'XFSB';
	return 'ext' if length $begin >= 1082 && unpack('x1080 S<', $begin) == 0xef53;
	return '';
}

# note_scratch DEVICE TYPE: if the test made a file system of this type, it is checked at the end.
sub note_scratch {
	my ($device, $type) = @_;
	my $found = file_system_on($device);
	return if $found eq '' || ($found eq 'xfs') != ($type eq 'xfs');
	open(my $mark, '>', '/run/unit/scratch-used') or die "scratch-used: $!\n";
	close $mark;
}

1;
