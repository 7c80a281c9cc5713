# long work stops when told, and a backend that dies in it leaves nothing behind
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

# How long a stop may take, in seconds; the aim is 0.1, the rest is for slow machines.
my $patience = 2;

my $node = PostgreSQL::Test::Cluster->new('cancel');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE small AS SELECT i % 2 AS label, CASE i % 2 WHEN 0 THEN 'free prize ' ELSE 'see you ' END || i AS body
		FROM generate_series(1, 200) i;
	CREATE TABLE large AS SELECT i % 20 AS label,
			(SELECT string_agg(substr(md5((i * 31 + j)::text), 1, 4), ' ') FROM generate_series(1, 60) j) AS body
		FROM generate_series(1, 60000) i;
});
my $train = q{SELECT version FROM ai_train('m', 'SELECT body, label FROM large')};
my $huge = q{repeat('win a free prize now ', 10000000)};
is($node->safe_psql('postgres', q{SELECT version FROM ai_train('m', 'SELECT body, label FROM small')}),
	'1', 'a first version is trained');

# run SQL in another session; its process id is in pg_stat_activity by this name
my $n_sessions = 0;
sub start_session
{
	my ($sql) = @_;
	my $session = { name => 'session' . ++$n_sessions, out => '', err => '' };
	$session->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres') . " application_name=$session->{name}",
			'-c', $sql ],
		'<', \undef, '>', \$session->{out}, '2>', \$session->{err});
	$node->poll_query_until('postgres', qq{
		SELECT count(*) = 1 FROM pg_stat_activity
		WHERE application_name = '$session->{name}' AND state = 'active'});
	$session->{pid} = $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE application_name = '$session->{name}'");
	return $session;
}

sub stays_silent
{
	my ($what) = @_;
	is($node->safe_psql('postgres', q{SELECT string_agg(version::text, ',') FROM ai_versions}),
		'1', "$what: no version is stored");
	is( $node->safe_psql('postgres', q{SELECT count(*) FROM aiaas.content c
			WHERE NOT EXISTS (SELECT 1 FROM aiaas.version v WHERE v.hash = c.hash)}),
		'0', "$what: no content without a version");
	is($node->safe_psql('postgres', q{SELECT ai_classify('free prize', 'm')}),
		'0', "$what: the deployed version answers");
}

# pg_cancel_backend, at several moments of a run
foreach my $delay (0.1, 1, 3)
{
	my $session = start_session($train);
	usleep($delay * 1e6);
	my $start = time;
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($session->{pid})");
	$session->{run}->finish;
	my $took = time - $start;
	like($session->{err}, qr/canceling statement due to user request/,
		"training is cancelled after $delay s");
	cmp_ok($took, '<', $patience, sprintf('within %.3f s', $took));
}
stays_silent('cancel');

# statement_timeout: the same for a training, for one large text, and for its explanation
foreach my $case (
	[ 'a training', $train ],
	[ 'classifying 200 MB', "SELECT ai_classify($huge, 'm')" ],
	[ 'explaining 200 MB', "SELECT count(*) FROM ai_explain($huge, 'm')" ],
	[ 'an evaluation', q{SELECT count(*) FROM ai_evaluate('m', 'SELECT body, label FROM large, generate_series(1, 100)')} ])
{
	my ($what, $sql) = @$case;
	my $start = time;
	my ($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = '500ms'; $sql");
	my $took = time - $start - 0.5;
	like($err, qr/canceling statement due to statement timeout/, "$what is stopped by statement_timeout");
	cmp_ok($took, '<', $patience, sprintf('within %.3f s', $took));
}
stays_silent('statement_timeout');

# a session that has been stopped goes on
my ($code, $out, $err) = $node->psql('postgres', qq{
	SET statement_timeout = '300ms';
	SELECT ai_classify($huge, 'm');
	RESET statement_timeout;
	SELECT ai_classify('free prize', 'm'), ai_score('free prize', '0', 'm') > 0.5;
	SELECT sum(total_bytes) < 100000000 FROM pg_backend_memory_contexts WHERE name LIKE 'aiaas%';
}, on_error_stop => 0);
is($out, "0|t\nt", 'the session goes on, without the memory of the large text');

# pg_terminate_backend
{
	my $session = start_session($train);
	usleep(1e6);
	my $start = time;
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($session->{pid})");
	$session->{run}->finish;
	my $took = time - $start;
	like($session->{err}, qr/terminating connection due to administrator command/, 'training is terminated');
	cmp_ok($took, '<', $patience, sprintf('within %.3f s', $took));
	stays_silent('terminate');
}

# a client that is gone is noticed
{
	my $session = start_session("SET client_connection_check_interval = '200ms'; $train");
	usleep(5e5);
	$session->{run}->signal('KILL');
	$session->{run}->finish;
	ok( $node->poll_query_until('postgres', qq{
			SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '$session->{name}'}),
		'the run of a client that is gone ends');
}

# killed in the middle: the server recovers, and nothing is half-written
{
	my $session = start_session($train);
	usleep(1e6);
	kill 'KILL', $session->{pid};
	$session->{run}->finish;
	$node->poll_query_until('postgres', 'SELECT true');
	stays_silent('kill');
}

# the model outlives a restart, and training goes on
$node->restart;
stays_silent('restart');
is($node->safe_psql('postgres', q{SELECT version FROM ai_train('m', 'SELECT body, label FROM small', options => '{"deploy": "always"}')}),
	'2', 'the next version gets the next number');
is($node->safe_psql('postgres', q{SELECT ai_classify('see you', 'm'), ai_classify('see you', 'm@1')}),
	'1|1', 'and both answer');

# a run that max_time stops is no failure: it stores the best so far, and says so
($code, $out, $err) = $node->psql('postgres',
	q{SELECT version FROM ai_train('hurried', 'SELECT body, label FROM large LIMIT 20000', options => '{"max_time": 1}')});
is($out, '1', 'a run that max_time stops stores a version');
like($err, qr/training stopped at the best so far because max_time is 1 s/, 'and says so');
is($node->safe_psql('postgres', q{SELECT ai_classify('see you', 'hurried') IS NOT NULL}), 't', 'which answers');

$node->stop;
done_testing();
