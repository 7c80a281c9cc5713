# Sessions of psql that stay open while a test goes on.
package Sessions;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;

our @EXPORT = qw(start_session ask ask_without_waiting answer_of end_session start_blocked
	kill_and_recover);

my $patience = 120;    # seconds, of a session

sub start_session
{
	my ($node) = @_;
	my %session = (in => '', out => '', timer => IPC::Run::timeout($patience));

	$session{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
		'<', \$session{in}, '>', \$session{out}, '2>&1', $session{timer});
	return \%session;
}

# what a statement prints, errors included
sub ask
{
	my ($session, $sql) = @_;

	ask_without_waiting($session, $sql);
	return answer_of($session);
}

sub ask_without_waiting
{
	my ($session, $sql) = @_;

	$session->{out} = '';
	$session->{in} .= "$sql;\n\\echo done\n";
	$session->{run}->pump_nb;
}

sub answer_of
{
	my ($session) = @_;

	$session->{run}->pump until $session->{out} =~ /^done$/m;
	$session->{out} =~ s/\n?done\n//;
	return $session->{out};
}

# whether psql is asked to end, or its server has gone
sub end_session
{
	my ($session) = @_;

	$session->{in} .= "\\q\n";
	eval { $session->{run}->finish };
}

# a session whose statement waits for a lock, and the process that serves it
sub start_blocked
{
	my ($node, $sql) = @_;
	my $session = start_session($node);
	my $pid = ask($session, 'SELECT pg_backend_pid()');

	ask_without_waiting($session, $sql);
	$node->poll_query_until('postgres',
		"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid")
		or die "no lock stops: $sql";
	return ($session, $pid);
}

# kill a backend as the kernel does, and come back when the server has recovered
sub kill_and_recover
{
	my ($node, $pid) = @_;
	my $witness = start_session($node);

	ask($witness, 'SELECT 1');
	kill('KILL', $pid) or die "no process $pid";
	eval { ask($witness, 'SELECT pg_sleep(3600)') };    # ends when the server has noticed
	end_session($witness);
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
}

1;
