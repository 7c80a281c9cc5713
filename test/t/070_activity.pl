# what runs in other sessions is seen, what they count adds up, and nothing of it outlives a killed one
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Sessions;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('activity');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_connections = 30\nrestart_after_crash = on");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE mail AS
		SELECT i % 2 AS label, CASE i % 2 WHEN 0 THEN 'free prize ' ELSE 'see you ' END || i AS body
		FROM generate_series(1, 80) i;
	CREATE FUNCTION noise(n int) RETURNS TABLE (label int, body text) LANGUAGE sql AS $$
		SELECT i % 7, (SELECT string_agg(substr(md5(i % 97 || '.' || j), 1, 4), ' ')
			FROM generate_series(1, 60) j)
		FROM generate_series(1, n) i $$;
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE ROLE auditor LOGIN;
	GRANT pg_read_all_stats TO auditor;
	SELECT version FROM ai_train('sms', 'SELECT label, body FROM mail', 'label')});

my $place = $node->data_dir . '/base/pgsql_tmp/pgsql_tmp_aiaas';
sub stats_file
{
	my ($directory) = @_;
	my @paths = glob(($directory || $place) . '/stats-*');
	return wantarray ? @paths : $paths[0];
}

sub query
{
	my ($sql, $database) = @_;
	return $node->safe_psql($database || 'postgres', $sql);
}

sub query_as
{
	my ($role, $sql) = @_;
	return $node->safe_psql('postgres', $sql, extra_params => [ '-U', $role ]);
}

my $evaluate = q{SELECT count(*) FROM ai_evaluate('sms', 'SELECT label, body FROM mail', 'label')};
my $counted = q{SELECT calls, rows, errors FROM ai_stats WHERE function = 'ai_evaluate'};

# a session whose training waits after so many rows, and its process
sub start_training
{
	my ($model, $lock) = @_;
	my $session = start_session($node);
	my $pid = ask($session, 'SELECT pg_backend_pid()');

	ask_without_waiting($session, "SELECT version FROM ai_train('$model',
		'SELECT label, body FROM (SELECT label, body, row_number() OVER () AS i FROM mail) m
			WHERE CASE i WHEN 41 THEN pg_advisory_xact_lock($lock) IS NOT NULL ELSE true END', 'label')");
	$node->poll_query_until('postgres',
		"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid")
		or die "the training of $model does not wait";
	return ($session, $pid);
}

# a training that waits is seen, by whom it concerns
my $holder = start_session($node);
ask($holder, 'SELECT pg_advisory_lock(1)');
my ($trainer, $trainer_pid) = start_training('one', 1);
my $what = 'SELECT pid, database, function, model, version, phase, rows FROM ai_activity';
is(query($what), "$trainer_pid|postgres|ai_train|one||reading|40", 'another session sees a training');
is(query_as('auditor', $what), query($what), 'so does who reads all statistics');
is(query_as('bob', $what), '', 'others do not');
is( query(q{SELECT rows_per_second > 0 AND elapsed > '0' AND started < clock_timestamp() AND role = current_user
		FROM ai_activity}),
	't', 'with its pace and its user');
is(query(q{SELECT share >= 0 AND share < 0.7 FROM ai_activity}), 't', 'and not much is done');
ask($holder, 'SELECT pg_advisory_unlock(1)');
is(answer_of($trainer), '1', 'it goes on');
is(query($what), '', 'and is gone when it is done');

# a long one tells how far it has come, never less than before
query(q{CREATE TABLE noise AS SELECT * FROM noise(1000); ANALYZE noise});
ask_without_waiting($trainer, q{SELECT version FROM ai_train('long', 'SELECT label, body FROM noise', 'label')});
my $share = 0;
my %phases;
my ($n_falls, $n_estimates) = (0, 0);
while (query("SELECT state FROM pg_stat_activity WHERE pid = $trainer_pid") eq 'active')
{
	my ($now, $phase, $left) =
		split(/\|/, query('SELECT share, phase, extract(epoch FROM time_left) FROM ai_activity'), -1);

	next unless defined $left;
	$n_falls++ if $now < $share || $now > 1;
	$n_estimates++ if $left ne '';
	$share = $now;
	$phases{$phase}++;
}
like(answer_of($trainer), qr/^1$/m, 'a long training ends');
is($n_falls, 0, 'its share never falls');
cmp_ok($share, '>', 0.3, 'and rises');
cmp_ok($n_estimates, '>', 0, 'with estimates of what is left');
ok($phases{'cross-validation'}, 'in phases: ' . join(', ', sort keys %phases));

# a function with the rights of its owner does not show the caller the name of the model
query(
	q{CREATE FUNCTION definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$
	SELECT count(*) FROM ai_evaluate('sms', 'SELECT label, body FROM mail WHERE pg_advisory_xact_lock(2) IS NOT NULL', 'label') $$});
ask($holder, 'SELECT pg_advisory_lock(2)');
my $caller = start_session($node);
ask($caller, 'SET SESSION AUTHORIZATION bob');
ask_without_waiting($caller, 'SELECT definer()');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ai_activity WHERE function = 'ai_evaluate'})
	or die 'the function does not run';
is(query('SELECT role, model, version FROM ai_activity'), 'bob|sms|1', 'superusers see the model of a function');
is(query_as('bob', 'SELECT role, model, version FROM ai_activity'), 'bob||', 'its caller does not');
is(query_as('alice', 'SELECT role, model, version FROM ai_activity'), '', 'others see nothing');
ask($holder, 'SELECT pg_advisory_unlock_all()');
is(answer_of($caller), '16', 'the function ends');

# sums of many sessions that begin at once are exact, and there is one file
query('SELECT ai_stats_reset()');
my $script = $node->basedir . '/evaluate.sql';
append_to_file($script, "$evaluate;\n");
command_ok(
	[ 'pgbench', '-n', '-C', '-c', '8', '-j', '2', '-t', '10', '-f', $script,
		'-h', $node->host, '-p', $node->port, 'postgres' ],
	'eight sessions evaluate, eighty times');
is(query($counted), '80|6400|0', 'all of it is counted');
is(query(q{SELECT cache_builds, cache_hits FROM ai_stats WHERE function IS NULL}), '0|80', 'and models that were opened');
is(scalar(() = stats_file()), 1, 'there is one file');

# so are those of parallel workers, and of batches in many sessions
query(q{CREATE TABLE many AS SELECT body || ' ' || j AS body FROM mail, generate_series(1, 500) j; ANALYZE many});
query('SELECT ai_stats_reset()');
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2;
	SET parallel_leader_participation = off;};
my $classify = q{SELECT count(ai_classify(body, 'sms')) FROM many};
my $classified = q{SELECT rows, distinct_inputs, errors FROM ai_stats WHERE function = 'ai_classify'};
is(query("$parallel $classify;\n$classified"), "40000\n40000|40000|0", 'what parallel workers do is counted');

# where one worker is late, the other has read everything
my $calls = query(q{SELECT calls FROM ai_stats WHERE function = 'ai_classify'});
ok($calls == 1 || $calls == 2, 'and the workers that have had rows');
append_to_file($script, "$classify;\n");
command_ok(
	[ 'pgbench', '-n', '-c', '4', '-j', '2', '-t', '3', '-f', $script,
		'-h', $node->host, '-p', $node->port, 'postgres' ],
	'four sessions classify, three times');
is(query($classified), '520000|520000|0', 'rows of all batches are counted');
is(query(q{SELECT calls FROM ai_stats WHERE function = 'ai_classify'}), $calls + 12, 'and so are calls');

# a query of many batches shows its rows, and its workers whom they work for
my $classifier = start_session($node);
my $classifier_pid = ask($classifier, 'SELECT pg_backend_pid()');
my $forever = "DO 'BEGIN FOR i IN 1 .. 100000 LOOP PERFORM count(ai_classify(body, ''sms'')) FROM many; END LOOP; END'";
ask_without_waiting($classifier, $forever);
ok( $node->poll_query_until('postgres', qq{SELECT count(*) > 0 FROM ai_activity
		WHERE pid = $classifier_pid AND function = 'ai_classify' AND model = 'sms' AND version = 1 AND
			phase IS NULL AND rows > 40000 AND rows_per_second > 100 AND threads > 0}),
	'the rows of a long statement rise');
query("SELECT pg_cancel_backend($classifier_pid)");
like(answer_of($classifier), qr/canceling statement/, 'until it is cancelled');
is(query('SELECT count(*) FROM ai_activity'), '0', 'then it is gone');
ask($classifier, $parallel);
ask_without_waiting($classifier, $forever);
ok( $node->poll_query_until('postgres', qq{SELECT count(*) > 0 FROM ai_activity
		WHERE leader_pid = $classifier_pid AND function = 'ai_classify'}),
	'parallel workers show whom they work for');
query("SELECT pg_cancel_backend($classifier_pid)");
answer_of($classifier);
end_session($classifier);
query('SELECT ai_stats_reset(); ' . "$evaluate; " x 80);

# databases have counters of their own, and see what runs in each other
query('CREATE DATABASE other');
query(
	q{CREATE EXTENSION aiaas;
	CREATE TABLE mail AS SELECT i % 2 AS label, 'text ' || i % 2 AS body FROM generate_series(1, 80) i;
	SELECT version FROM ai_train('sms', 'SELECT label, body FROM mail', 'label')}, 'other');
query($evaluate, 'other');
is(query($counted, 'other'), '1|80|0', 'a model of another database has counters of its own');
is(query($counted), '80|6400|0', 'though its name and number are the same');
query('SELECT ai_stats_reset()', 'other');
is(query($counted), '80|6400|0', 'which are reset by themselves');
ask($holder, 'SELECT pg_advisory_lock(1)');
($trainer, $trainer_pid) = start_training('two', 1);
is(query($what, 'other'), "$trainer_pid|postgres|ai_train|two||reading|40", 'what runs is seen in other databases');
query('DROP EXTENSION aiaas CASCADE; CREATE EXTENSION aiaas', 'other');
is(query($counted, 'other'), '', 'another installation begins anew');

# the file is removed, with sessions at work: they move to a new one
my $session = start_session($node);
ask($session, $evaluate);
unlink(scalar stats_file());
is(ask($session, $counted), '', 'what was counted in a file that was removed is lost');
ask($session, $evaluate);
is(query($counted), '1|80|0', 'sessions count in a new one');
is(query($what), '', 'a session that does nothing else has not moved yet');
ask($holder, 'SELECT pg_advisory_unlock(1)');
is(answer_of($trainer), '1', 'but it goes on');
ask($trainer, 'SELECT pg_sleep(1.1)');
ask($trainer, $evaluate);
is(query($counted), '2|160|0', 'and moves with its next statement');

# whatever else is there instead is replaced
my $good = slurp_file(scalar stats_file());
foreach my $bad ('', 'x' x 4096, substr($good, 0, length($good) - 1), "\0" x length($good), "$good ")
{
	my $path = stats_file();

	unlink($path);
	append_to_file($path, $bad);
	is(query("$evaluate;\n$counted"), "16\n1|80|0", 'a file of ' . length($bad) . ' other bytes is replaced');
}
{
	my $path = stats_file();
	my $log = -s $node->logfile;

	unlink($path);
	mkdir($path) or die "$path: $!";
	is(query("$evaluate;\n$counted;\nSELECT count(*) FROM ai_activity"), "16\n0",
		'where no file can be, nothing is counted, and all works');
	my $lines = () = slurp_file($node->logfile, $log) =~ /LOG:  could not share counters in file/g;
	is($lines, 1, 'which is logged once in a session');
	rmdir($path) or die "$path: $!";
	is(query("$evaluate;\n$counted"), "16\n1|80|0", 'until there can be one again');
}

# threads that a training computes with, at most; it takes long enough to be seen on a busy machine
my $much = 'SELECT n.label, n.body FROM noise n, generate_series(1, 8)';

sub threads_of_training
{
	my ($model) = @_;
	my $session = start_session($node);
	my $most = 0;

	ask_without_waiting($session,
		"SELECT version FROM ai_train('$model', '$much', 'label')");
	until ($session->{out} =~ /^done$/m)
	{
		my $now = query('SELECT max(threads) FROM ai_activity') || 0;
		$most = $now if $now > $most;
		$session->{run}->pump_nb;
	}
	end_session($session);
	return $most;
}

# a session that is killed: the server recovers, and nothing is left of it
ask($holder, 'SELECT pg_advisory_lock(1)');
($trainer, $trainer_pid) = start_training('three', 1);
is(query('SELECT count(*) FROM ai_activity'), '1', 'a training waits');
kill_and_recover($node, $trainer_pid);
end_session($_) foreach ($trainer, $session, $caller, $holder);
is(query('SELECT count(*) FROM ai_activity'), '0', 'when it is killed, it runs no more');
is(query($counted), '', 'and counters begin anew with the server');

# the same where files outlive the server, with a training that computes
my $elsewhere = $node->basedir . '/cache';
mkdir($elsewhere) or die "$elsewhere: $!";
$node->append_conf('postgresql.conf', "aiaas.cache_directory = '$elsewhere'");
$node->restart;
query($evaluate);
is(scalar(() = stats_file($elsewhere)), 1, 'the file may be elsewhere');
my $most = threads_of_training('four');
cmp_ok($most, '>=', 1, 'a training computes with threads');
$trainer = start_session($node);
$trainer_pid = ask($trainer, 'SELECT pg_backend_pid()');
ask_without_waiting($trainer, "SELECT version FROM ai_train('four', '$much', 'label')");
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM ai_activity WHERE threads = $most")
	or die 'the training does not compute';
kill_and_recover($node, $trainer_pid);
end_session($trainer);
is(query('SELECT count(*) FROM ai_activity'), '0', 'what the dead did is not seen there either');
is(query($counted), '1|80|0', 'there a kill loses no counters');
is(threads_of_training('four'), $most, 'and the threads of the dead are free');
$node->restart;
is(query($counted), '', 'a start of the server does');
is(scalar(() = stats_file($elsewhere)), 1, 'in the same file\'s place');
$node->append_conf('postgresql.conf', "aiaas.cache_directory = ''");
$node->restart;

# a standby counts for itself, and shows what runs on it
my $standby = PostgreSQL::Test::Cluster->new('standby');
$node->backup('base');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
query($evaluate);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', "$evaluate;\n$evaluate;\n$counted"), "16\n16\n2|160|0", 'a standby counts for itself');
is( $standby->safe_psql('postgres', qq{
		SELECT count(*) FROM ai_evaluate('sms',
			'SELECT label, body FROM mail WHERE (SELECT function = ''ai_evaluate'' FROM ai_activity)', 'label');
		SELECT ai_stats_reset();
		SELECT ai_stats_reset('sms');
		$counted}),
	"16\n\n", 'shows what runs, and resets');
is(query($counted), '1|80|0', 'and the primary has its own counters');

$standby->stop;
$node->stop;
done_testing();
