# sessions share one file for each model: it is found, built again, evicted, and never believed blindly
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Sessions;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('cache');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->append_conf('postgresql.conf', 'max_connections = 40');
$node->start;

# two models of more than half a megabyte, and a small one
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE mail AS
		SELECT i % 2 AS label, CASE i % 2 WHEN 0 THEN 'free prize ' ELSE 'see you ' END || i AS body
		FROM generate_series(1, 80) i;
	CREATE FUNCTION noise(seed text) RETURNS TABLE (label int, body text) LANGUAGE sql AS $$
		SELECT i % 2, (SELECT string_agg(substr(md5(seed || i || '.' || j), 1, 5), ' ')
			FROM generate_series(1, 20) j)
		FROM generate_series(1, 300) i $$});
sub train
{
	my ($model, $query) = @_;
	$node->safe_psql('postgres', "SELECT version FROM ai_train('$model', '$query', 'label')");
}
train('small', 'SELECT label, body FROM mail');
train('one', q{SELECT label, body FROM noise(''one'')});
train('two', q{SELECT label, body FROM noise(''two'')});
my $large = $node->safe_psql('postgres', q{SELECT min(bytes) FROM ai_models WHERE name <> 'small'});
cmp_ok($large, '>', 512 * 1024, 'two of the models are large');
cmp_ok($large, '<', 900 * 1024, 'but leave room for a small one in a megabyte');

sub classify { return "SELECT ai_classify('free prize', '$_[0]')"; }
my %answer = map { $_ => $node->safe_psql('postgres', classify($_)) } qw(small one two);
my $place = $node->data_dir . '/base/pgsql_tmp/pgsql_tmp_aiaas';

sub files
{
	my ($directory) = @_;
	my @paths = grep { !m,/stats-, } glob(($directory || $place) . '/*');
	return @paths;
}

sub path_of
{
	my ($model) = @_;
	my $hash = $node->safe_psql('postgres', "SELECT ai_describe('$model')->>'hash'");
	return "$place/$hash-1";
}

sub answers
{
	my ($model, $what) = @_;
	is($node->safe_psql('postgres', classify($model)), $answer{$model}, $what);
}

# change a byte, with the time as it was or with that of now
sub alter
{
	my ($path, $offset, $keeps_time) = @_;
	my ($atime, $mtime) = (stat($path))[ 8, 9 ];

	open(my $file, '+<:raw', $path) or die "$path: $!";
	seek($file, $offset, 0);
	read($file, my $byte, 1);
	seek($file, $offset, 0);
	print $file chr(ord($byte) ^ 255);
	close($file);
	utime($atime, $mtime, $path) if $keeps_time;
}

# what the sessions that begin from now on will see
sub set_and_reload
{
	my ($setting, $value) = @_;

	$node->safe_psql('postgres', "LOAD 'aiaas';\nALTER SYSTEM SET $setting = '$value';\nSELECT pg_reload_conf()");
	$node->poll_query_until('postgres', "LOAD 'aiaas';\nSELECT setting = '$value' FROM pg_settings WHERE name = '$setting'", "LOAD\nt")
		or die "setting $setting does not arrive";
}

# one file for each model, however many begin at once
is(scalar(files()), 3, 'each model has one file');
unlink(files());
my $script = $node->basedir . '/classify.sql';
append_to_file($script, classify('one') . ";\n" . classify('two') . ";\n");
command_ok(
	[ 'pgbench', '-n', '-C', '-c', '10', '-j', '2', '-t', '5', '-f', $script,
		'-h', $node->host, '-p', $node->port, 'postgres' ],
	'ten sessions begin at once');
is(scalar(files()), 2, 'and build each file once');
my $inode = (stat(path_of('one')))[1];
answers('one', 'a file that is there is used');
is((stat(path_of('one')))[1], $inode, 'and not built again');

# workers of a parallel query build and share it too
unlink(files());
$node->safe_psql('postgres', 'CREATE TABLE many AS SELECT body FROM mail, generate_series(1, 200)');
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2;
	SET parallel_leader_participation = off;};
like($node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, COSTS off) SELECT count(ai_classify(body, 'one')) FROM many"),
	qr/Workers Launched: 2/, 'a parallel query runs');
is(scalar(files()), 1, 'and its workers build one file');
answers('one', 'which answers as before');
answers('two', 'for another model');

# a file that has been changed is built again, also under a session that has it open
my $session = start_session($node);
is(ask($session, classify('one')), $answer{one}, 'a session has the file open');
is($node->safe_psql('postgres', q{SELECT backends FROM ai_loaded WHERE model = 'one'}), '1', 'and is counted');
alter(path_of('one'), 100000, 0);
answers('one', 'an altered file is not believed');
like(slurp_file($node->logfile), qr/LOG:  cache file "[^"]*" has been altered and is built again/, 'the log says so');
truncate(path_of('one'), 5000);
is(ask($session, classify('one')), $answer{one}, 'a file that was cut under an open session is built again');
unlink(path_of('one'));
is(ask($session, classify('one')), $answer{one}, 'a file that has vanished too');
ok(-e path_of('one'), 'and is there again');

# damage that keeps the time: in what every session reads it shows at once, else by ai_check()
alter(path_of('one'), 4096 + 72, 1);
answers('one', 'damage in the directory of the model is found when it is opened');
alter(path_of('one'), 100000, 1);
is($node->safe_psql('postgres', q{SELECT stored, shared FROM ai_check('one')}),
	'ok|The file was damaged and has been removed.', 'other damage is found by ai_check()');
ok(!-e path_of('one'), 'which removes the file');
is(ask($session, classify('one')), $answer{one}, 'so that the next use builds it again');
is($node->safe_psql('postgres', q{SELECT stored, shared FROM ai_check('one')}), 'ok|ok', 'and all is well');

# what poolers and two-phase commit do
is(ask($session, 'DISCARD ALL'), '', 'DISCARD ALL');
is(ask($session, classify('one')), $answer{one}, 'does no harm');
is(ask($session, "BEGIN; " . classify('one') . "; PREPARE TRANSACTION 'p'"), $answer{one}, 'nor does PREPARE TRANSACTION');
is(ask($session, "COMMIT PREPARED 'p'"), '', 'which can be committed');
end_session($session);

# a builder that is cancelled or killed leaves nothing that is believed
unlink(files());
my $locker = start_session($node);
ask($locker, 'BEGIN; LOCK TABLE aiaas.chunk IN ACCESS EXCLUSIVE MODE');
sub start_builder
{
	my ($builder, $pid) = start_blocked($node, classify('one'));
	is(scalar(files()), 1, 'a builder has begun its file');
	return ($builder, $pid);
}
my ($builder, $pid) = start_builder();
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
like(answer_of($builder), qr/canceling statement due to user request/, 'it is cancelled');
is(scalar(files()), 0, 'and takes its file along');
end_session($builder);
($builder, $pid) = start_builder();
kill_and_recover($node, $pid);
end_session($_) foreach ($builder, $locker);
is(scalar(files()), 0, 'after a kill the server removes all files');
answers('one', 'and the next session builds its own');

# what was left long ago goes when there is something to build; what is young may be in work
append_to_file(path_of('two') . '.999999', 'x');
append_to_file(path_of('two') . '.999998', 'x');
utime(time - 7200, time - 7200, path_of('two') . '.999999');
answers('two', 'a file is built beside those of others');
ok(!-e path_of('two') . '.999999', 'an old rest is removed');
ok(-e path_of('two') . '.999998', 'a young one is not');
unlink(path_of('two') . '.999998');

# space is bounded; what is in use stays, and what was not used for longest goes
set_and_reload('aiaas.cache_size', '1');
unlink(files());
$session = start_session($node);
is(ask($session, classify('one')), $answer{one}, 'a session uses a model that fills the cache');
my ($status, $stdout, $stderr) = $node->psql('postgres', '\set VERBOSITY verbose' . "\n" . classify('two'));
like($stderr, qr/ERROR:  53400: cache of models is full/, 'there is no room for another');
like($stderr, qr/HINT:  Raise the setting aiaas.cache_size/, 'and a hint');
answers('small', 'but for a small one');
end_session($session);
answers('two', 'there is when the session has ended');
ok(!-e path_of('one') && -e path_of('two'), 'since the file of the first has been evicted');
utime(time - 3600, (stat(path_of('small')))[9], path_of('small'));
answers('one', 'and the other way round');
ok(-e path_of('one') && !-e path_of('two') && !-e path_of('small'), 'with those used least recently first');
set_and_reload('aiaas.cache_size', '0');

# another place
my $other = $node->basedir . '/models';
(undef, undef, $stderr) = $node->psql('postgres', qq{LOAD 'aiaas';\nALTER SYSTEM SET aiaas.cache_directory = 'models'});
like($stderr, qr/The path must be absolute/, 'a relative path is refused');
set_and_reload('aiaas.cache_directory', $other);
answers('one', 'files may be in another place');
is(scalar(files($other)), 1, 'and are there');
chmod(0500, $other);
(undef, undef, $stderr) = $node->psql('postgres', classify('two'));
like($stderr, qr/ERROR:  could not create cache file ".*": Permission denied/, 'which must be writable');
chmod(0700, $other);
answers('two', 'and then is used');
set_and_reload('aiaas.cache_directory', '');

# no backup has the files of the default place, and a restart removes them
answers('small', 'back in the default place');
$node->backup('base');
ok(!-e $node->backup_dir . '/base/base/pgsql_tmp', 'a base backup has no such file');
$node->restart;
is(scalar(files()), 0, 'a restart removes them');
answers('small', 'and the first use builds them again');

$node->stop;
done_testing();
