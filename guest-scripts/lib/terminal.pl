# Runs a program for `daxrepro shell`, and carries bytes between it and the host over a separate port. The
# program gets a terminal (a pty, its controlling terminal) or three pipes.
#
# usage: perl terminal.pl PORT terminal|pipes ROWS COLUMNS DIRECTORY
#
# DAXREPRO_COMMAND is a command for bash, and DAXREPRO_TERMINFO the terminal's entry. Both are in
# hexadecimal, since the host sends lines of text. The exit code goes to /run/unit/session; if the
# session broke, that file does not exist.
#
# Both sides send frames on the port: a letter, the payload's length (32 bits, big-endian), and the
# payload.
#
#     to the guest    d  typed characters, or standard input     e  its end
#                     s  the window's size: rows and columns, 16 bits each, big-endian
#     to the host     b  the program runs                        o, r  its output, its standard error
#                     x  the program has ended: its exit code, 32 bits
use strict;
use warnings;

# System calls by their numbers on x86-64; ioctl_tty(2). The constants are those of fcntl.h; not every
# perl has Fcntl.
use constant SYS_SETSID => 112;
use constant { TIOCSCTTY => 0x540e, TIOCSWINSZ => 0x5414, TIOCGPTN => 0x80045430, TIOCSPTLCK => 0x40045431 };
use constant { O_RDWR => 2, O_NOCTTY => 0x100, O_NONBLOCK => 0x800, F_SETFL => 4, EINTR => 4, EAGAIN => 11 };
use constant MOUTHFUL => 32 * 1024;

my ($port, $mode, $rows, $columns, $directory) = @ARGV;
my $command = pack 'H*', delete $ENV{DAXREPRO_COMMAND} // '';
my @program = ('bash', $command ne '' ? ('-c', $command) : ('--rcfile', "$ENV{DAXREPRO}/lib/shellrc", '-i'));
add_terminfo(pack 'H*', delete $ENV{DAXREPRO_TERMINFO} // '');
sysopen(my $host, $port, O_RDWR) or die "$port: $!\n";

# The descriptors that are read for the host, by letter, and the one that gets the host's input.
my (%from, $to, $master);
# What the child gets, and what it does before it executes the program.
my ($stdin, $stdout, $stderr);
if ($mode eq 'terminal') {
	sysopen($master, '/dev/ptmx', O_RDWR | O_NOCTTY) or die "/dev/ptmx: $!\n";
	my ($unlocked, $number) = ("\0" x 4, "\0" x 4);
	ioctl($master, TIOCSPTLCK, $unlocked) or die "the terminal: $!\n";
	ioctl($master, TIOCGPTN, $number) or die "the terminal: $!\n";
	$number = unpack 'i', $number;
	sysopen($stdin, "/dev/pts/$number", O_RDWR | O_NOCTTY) or die "/dev/pts/$number: $!\n";
	($stdout, $stderr) = ($stdin, $stdin);
	resize($rows, $columns);
	%from = (o => $master);
	$to = $master;
} else {
	pipe($stdin, $to) && pipe($from{o}, $stdout) && pipe($from{r}, $stderr) or die "pipe: $!\n";
}

# Tells the loop that a child has ended.
pipe(my $woken, my $waker) or die "pipe: $!\n";
$SIG{CHLD} = sub { syswrite $waker, '!' };
$SIG{PIPE} = 'IGNORE';

my $child = fork // die "fork: $!\n";
if (!$child) {
	$SIG{$_} = 'DEFAULT' for qw(CHLD PIPE);
	syscall SYS_SETSID;
	ioctl($stdin, TIOCSCTTY, 0) if $mode eq 'terminal';
	open(STDIN, '<&', $stdin) && open(STDOUT, '>&', $stdout) && open(STDERR, '>&', $stderr) or exit 126;
	chdir $directory;
	no warnings 'exec';
	exec { $program[0] } @program;
	print STDERR "$program[0]: $!\n";
	exit 127;
}
close $_ for $stdin, $stdout, $stderr;
fcntl($_, F_SETFL, O_NONBLOCK) for $to, values %from;
send_frame('b', '');

# Input from the host that is not yet a whole frame, and input that the program has not yet read.
my ($coming, $waiting, $input_ended) = ('', '', 0);
my $status;
until (defined $status) {
	close_input() if $input_ended && $waiting eq '' && $to;
	my ($readable, $writable) = ('', '');
	# While the program does not read its input, the host's is not read either, and the host waits.
	vec($readable, fileno $host, 1) = 1 if $waiting eq '' || $mode eq 'terminal';
	vec($readable, fileno $_, 1) = 1 for $woken, values %from;
	vec($writable, fileno $to, 1) = 1 if $waiting ne '' && $to;
	select($readable, $writable, undef, undef) > 0 or next;
	sysread $woken, my $ignored, 64 if vec $readable, fileno $woken, 1;
	take_frames() if vec $readable, fileno $host, 1;
	give_input() if $to && vec $writable, fileno $to, 1;
	for my $letter (keys %from) {
		carry($letter) if vec $readable, fileno $from{$letter}, 1;
	}
	$status = $? if waitpid($child, 1) == $child;
}
# The program's last output. Processes that it left behind may hold the other end open; do not wait for them.
for my $letter (sort keys %from) { 1 while $from{$letter} && carry($letter) }
$status = $status & 127 ? 128 + ($status & 127) : $status >> 8;
open(my $session, '>', '/run/unit/session') or die "/run/unit/session: $!\n";
print $session "$status\n";
close $session or die "/run/unit/session: $!\n";
send_frame('x', pack 'N', $status);
exit 0;

# Returns whether there was output. A terminal that nobody holds open gives an error.
sub carry {
	my ($letter) = @_;
	my $got = sysread $from{$letter}, my $bytes, MOUTHFUL;
	return 0 if !defined $got && ($! == EAGAIN || $! == EINTR);
	if (!$got) {
		# The terminal's other end may be opened again while the program lives.
		if ($mode eq 'terminal') { select undef, undef, undef, 0.02 if !defined $status }
		else { delete $from{$letter} }
		return 0;
	}
	send_frame($letter, $bytes);
	return 1;
}

sub take_frames {
	my $got = sysread $host, $coming, MOUTHFUL, length $coming;
	return if !defined $got;
	# The host is gone, or is about to end the guest.
	exit 129 if !$got;
	while (length $coming >= 5) {
		my ($letter, $length) = unpack 'a N', $coming;
		last if length $coming < 5 + $length;
		my $bytes = substr $coming, 5, $length;
		substr $coming, 0, 5 + $length, '';
		if ($letter eq 'd') { $waiting .= $bytes }
		elsif ($letter eq 'e') { $input_ended = 1 }
		elsif ($letter eq 's' && $master) { resize(unpack 'n n', $bytes) }
	}
	give_input();
}

sub give_input {
	return if $waiting eq '';
	if (!$to) { $waiting = ''; return }
	my $given = syswrite $to, $waiting;
	if (defined $given) { substr $waiting, 0, $given, '' }
	# The program does not want any more input.
	elsif ($! != EAGAIN && $! != EINTR) { $waiting = ''; close_input() }
}

# A terminal stays open: its end means the program's end.
sub close_input {
	return if $master;
	close $to;
	undef $to;
}

sub resize {
	my $size = pack 'S4', $_[0] || 24, $_[1] || 80, 0, 0;
	ioctl($master, TIOCSWINSZ, $size);
}

# The place where ncurses looks first.
sub add_terminfo {
	my ($entry) = @_;
	return if $entry eq '';
	my $place = "$ENV{HOME}/.terminfo";
	mkdir $place;
	$place .= '/' . substr $ENV{TERM}, 0, 1;
	mkdir $place;
	open(my $file, '>:raw', "$place/$ENV{TERM}") or return;
	print $file $entry;
	close $file;
}

sub send_frame {
	my ($letter, $bytes) = @_;
	my $frame = pack('a N', $letter, length $bytes) . $bytes;
	for (my $at = 0; $at < length $frame;) {
		my $written = syswrite $host, $frame, length($frame) - $at, $at;
		next if !defined $written && $! == EINTR;
		exit 129 if !$written;
		$at += $written;
	}
}
