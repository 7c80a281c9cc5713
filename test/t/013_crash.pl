# a crash loses nothing that was committed and leaves nothing half-written, whatever was going on
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Sessions;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;

# models of more than one chunk, one of which is only there as an export
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION aiaas;
	CREATE FUNCTION noise(seed text, n int) RETURNS TABLE (label int, body text) LANGUAGE sql AS $$
		SELECT i % 2, (SELECT string_agg(substr(md5(seed || i || '.' || j), 1, 5), ' ')
			FROM generate_series(1, 20) j)
		FROM generate_series(1, n) i $$;
	CREATE TABLE large AS SELECT * FROM noise('large', 30000)});
sub train
{
	my ($model, $query) = @_;
	return "SELECT version FROM ai_train('$model', \$\$$query\$\$, 'label')";
}
my $import = q{SELECT version FROM ai_import_query('moved', 'SELECT data FROM exported ORDER BY seq')};
$node->safe_psql('postgres', train('sms', q{SELECT * FROM noise('first', 700)}));
$node->safe_psql('postgres', train('moved', q{SELECT * FROM noise('moved', 700)}));
$node->safe_psql(
	'postgres', q{
	CREATE TABLE exported AS SELECT * FROM ai_export('moved');
	SELECT ai_drop('moved'), ai_grant('sms', 'public', 'use')});
is($node->safe_psql('postgres', q{SELECT count(*) > 1 FROM aiaas.chunk}), 't', 'models have several chunks');

my $classify = q{SELECT ai_classify('free prize', 'sms')};
my $stored = q{SELECT model, version, train_score, bytes, stored FROM ai_versions
	JOIN ai_check() USING (model, version, bytes)};
my $rights = 'SELECT model, role, privilege FROM ai_privileges';
my $rests = q{SELECT
	(SELECT count(*) FROM aiaas.content c WHERE NOT EXISTS (SELECT FROM aiaas.version v WHERE v.hash = c.hash)),
	(SELECT count(*) FROM aiaas.chunk k WHERE NOT EXISTS (SELECT FROM aiaas.content c WHERE c.hash = k.hash)),
	(SELECT count(*) FROM aiaas.version v WHERE NOT EXISTS (SELECT FROM aiaas.content c WHERE c.hash = v.hash)),
	(SELECT count(*) FROM aiaas.version v WHERE NOT EXISTS (SELECT FROM aiaas.model m WHERE m.id = v.model)),
	(SELECT count(*) FROM aiaas.privilege p WHERE NOT EXISTS (SELECT FROM aiaas.model m WHERE m.id = p.model)),
	(SELECT count(*) FROM aiaas.model m WHERE NOT EXISTS (SELECT FROM aiaas.version v WHERE v.model = m.id))};
my %before = map { $_ => $node->safe_psql('postgres', $_) } $classify, $stored, $rights;
is($before{$stored} =~ s/.*\|//r, 'ok', 'all is well before');

my $place = $node->data_dir . '/base/pgsql_tmp/pgsql_tmp_aiaas';
sub files
{
	my ($directory) = @_;
	my @paths = grep { !m,/stats-, } glob(($directory || $place) . '/*');
	return @paths;
}

# what was committed is there, and nothing else
my $n_comments = 0;
sub commit_something
{
	$n_comments++;
	$node->safe_psql('postgres', "SELECT ai_comment('sms', 'comment $n_comments')");
}

sub is_whole
{
	my ($what) = @_;

	is($node->safe_psql('postgres', q{SELECT comment FROM ai_models}), "comment $n_comments",
		"$what: what was committed last is there");
	is($node->safe_psql('postgres', $_), $before{$_}, "$what: " . s/\s.*//sr . ' ' . substr($_, 7, 20))
		foreach ($stored, $rights);
	is($node->safe_psql('postgres', $rests), '0|0|0|0|0|0', "$what: no rest of a model");
	is(scalar(files()), 0, "$what: no file in the cache");
	is($node->safe_psql('postgres', $classify), $before{$classify}, "$what: the model answers");
	is(scalar(files()), 1, "$what: from a new file");
	is( $node->safe_psql('postgres',
			join(";\n", 'BEGIN', train('sms', q{SELECT * FROM noise('next', 50)}), $import, 'ROLLBACK')),
		"2\n1", "$what: training and importing go on");
}

# What goes on, and where it is stopped: a lock makes it wait when its chunks are
# written, or its file is begun.  Learning waits for nothing: ai_activity tells that it has begun.
my @works = (
	[ 'storing a training', train('sms', q{SELECT * FROM noise('second', 700)}), 'version IN SHARE MODE' ],
	[ 'storing an import', $import, 'version IN SHARE MODE' ],
	[ 'building a file', $classify, 'chunk IN ACCESS EXCLUSIVE MODE' ],
	[ 'learning', train('sms', 'SELECT * FROM large'), undef ]);

sub start_work
{
	my ($what, $sql, $lock) = @_;
	my ($locker, $worker, $pid);

	if (defined $lock)
	{
		$locker = start_session($node);
		ask($locker, "BEGIN; LOCK TABLE aiaas.$lock");
		($worker, $pid) = start_blocked($node, $sql);
		return ($pid, $worker, $locker);
	}
	$worker = start_session($node);
	$pid = ask($worker, 'SELECT pg_backend_pid()');
	ask_without_waiting($worker, $sql);
	until ($node->safe_psql('postgres', "SELECT phase <> 'reading' FROM ai_activity WHERE pid = $pid") eq 't')
	{
		$worker->{run}->pump_nb;
		die 'it has learnt before it could be stopped' if $worker->{out} =~ /^done$/m;
	}
	return ($pid, $worker);
}

foreach my $work (@works)
{
	my ($what) = @$work;

	foreach my $end ('kill -9', 'immediate shutdown')
	{
		my ($pid, @sessions);

		commit_something();
		unlink(files());
		($pid, @sessions) = start_work(@$work);
		if ($what eq 'building a file')
		{
			my @begun = files();
			is(scalar(@begun), 1, "$what, $end: the file is begun");
			like($begun[0], qr/\.$pid$/, "$what, $end: under a name of its own");
		}
		if ($end eq 'kill -9')
		{
			kill_and_recover($node, $pid);
		}
		else
		{
			$node->stop('immediate');
			$node->start;
		}
		end_session($_) foreach @sessions;
		is_whole("$what, $end");
	}
}

# in a directory of the administrator's the server removes nothing, and nothing half-written is believed
my $other = $node->basedir . '/models';
$node->append_conf('postgresql.conf', "aiaas.cache_directory = '$other'");
$node->restart;
my $locker = start_session($node);
ask($locker, 'BEGIN; LOCK TABLE aiaas.chunk IN ACCESS EXCLUSIVE MODE');
my ($worker, $pid) = start_blocked($node, $classify);
kill_and_recover($node, $pid);
end_session($_) foreach ($worker, $locker);
is_deeply([ map { s/.*\.//r } files($other) ], [$pid], 'elsewhere: a begun file stays under its own name');
is($node->safe_psql('postgres', $classify), $before{$classify}, 'elsewhere: it is not believed');
is(scalar(files($other)), 2, 'elsewhere: but built again');
is($node->safe_psql('postgres', 'SELECT stored, shared FROM ai_check()'), 'ok|ok', 'elsewhere: and sound');
$node->stop('immediate');
$node->start;
my ($whole) = grep { !/\.\d+$/ } files($other);
my $inode = (stat($whole))[1];
is($node->safe_psql('postgres', $classify), $before{$classify}, 'elsewhere: a whole file is used after a crash');
is((stat($whole))[1], $inode, 'elsewhere: and not built again');

# after all that, versions are stored under the next numbers
is($node->safe_psql('postgres', train('sms', q{SELECT * FROM noise('second', 700)})), '2', 'training goes on');
is($node->safe_psql('postgres', $import), '1', 'so does importing');
is($node->safe_psql('postgres', q{SELECT count(*), count(*) FILTER (WHERE stored = 'ok') FROM ai_check()}),
	'3|3', 'and all is sound');

$node->stop;
done_testing();
