# the statement that loads the library is batched as all others are, whoever runs it and however
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('first');
$node->init;
$node->append_conf(
	'postgresql.conf', q{
max_parallel_workers_per_gather = 0
aiaas.default_classifier = 'mail'
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE mail AS
		SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'win a free prize now, call ' || i
			ELSE 'see you at lunch, we meet at ' || i END AS body,
			CASE WHEN i % 2 = 0 THEN 'spam' ELSE 'ham' END AS label
		FROM generate_series(1, 300) i;
	CREATE TABLE folder AS SELECT i AS id, 'folder ' || i % 7 AS name FROM generate_series(1, 300) i;
	ANALYZE;
	SELECT FROM ai_train('mail', 'SELECT body, label FROM mail');
	CREATE FUNCTION count_spam() RETURNS bigint LANGUAGE plpgsql AS $$
		DECLARE n bigint;
		BEGIN
			SELECT count(*) INTO n FROM mail WHERE ai_classify(body) = 'spam';
			RETURN n;
		END $$;
	CREATE FUNCTION count_spam_often() RETURNS bigint LANGUAGE plpgsql AS $$
		DECLARE n bigint; total bigint := 0;
		BEGIN
			FOR i IN 1..5 LOOP
				SELECT count(*) INTO n FROM mail WHERE ai_classify(body) = 'spam' AND id <= i * 10;
				total := total + n;
			END LOOP;
			RETURN total;
		END $$;
	CREATE FUNCTION read_by_loop() RETURNS bigint LANGUAGE plpgsql AS $$
		DECLARE n bigint := 0; row record;
		BEGIN
			FOR row IN SELECT ai_classify(body) AS answer FROM mail JOIN folder USING (id) LOOP
				n := n + (row.answer = 'spam')::int;
			END LOOP;
			RETURN n;
		END $$;
	CREATE FUNCTION read_one_table() RETURNS bigint LANGUAGE plpgsql AS $$
		DECLARE n bigint := 0; row record;
		BEGIN
			FOR row IN SELECT ai_classify(body) AS answer FROM letter LOOP
				n := n + (row.answer = 'spam')::int;
			END LOOP;
			RETURN n;
		END $$;
	CREATE FUNCTION read_by_sql() RETURNS SETOF text LANGUAGE sql STABLE AS $$
		SELECT name FROM folder WHERE id < 0;
		SELECT ai_classify(body) FROM mail $$;
	CREATE PROCEDURE relabel() LANGUAGE plpgsql AS $$
		BEGIN
			FOR i IN 1..3 LOOP
				UPDATE mail SET label = ai_classify(body) WHERE id % 3 = i - 1;
				COMMIT;
			END LOOP;
		END $$;
	CREATE TABLE answers (id int, answer text);
	CREATE TABLE letter AS SELECT * FROM mail});

# answers of the statements of one new session, and the plans that ran (auto_explain)
sub run_new
{
	my ($statements, %params) = @_;
	my $before = $params{before} // '';
	my ($rc, $out, $err) = $node->psql(
		'postgres',
		qq{$before
			LOAD 'auto_explain';
			SET auto_explain.log_min_duration = 0;
			SET auto_explain.log_nested_statements = on;
			SET client_min_messages = log;
			$statements},
		extra_params => [ '-v', 'ON_ERROR_STOP=1' ]);
	return ($out, $err // '');
}

sub n_nodes { return scalar(() = $_[0] =~ /Custom Scan \(BatchProject\)/g) }

my ($out, $plans);
my $count = q{SELECT count(*) FROM mail WHERE ai_classify(body) = 'spam'};

# EXPLAIN shows what is run, with and without ANALYZE
foreach my $options ('COSTS OFF', 'COSTS OFF, ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF')
{
	my $first = $node->safe_psql('postgres', "EXPLAIN ($options) SELECT ai_classify(body) FROM mail");
	like($first, qr/^Custom Scan \(BatchProject\)/, "EXPLAIN ($options) as the first statement");
	my $second = $node->safe_psql('postgres',
		"SELECT ai_classify('a'); EXPLAIN ($options) SELECT ai_classify(body) FROM mail");
	$second =~ s/^.*\n//;
	is($second, $first, 'it shows the same as the second statement');
}
like($node->safe_psql('postgres', "EXPLAIN (FORMAT JSON, COSTS OFF) $count"),
	qr/"Custom Plan Provider": "BatchProject"/, 'as JSON too');

# a plain statement; another extension sees the plan that runs
SKIP:
{
	my ($rc) = $node->psql('postgres', q{LOAD 'auto_explain'});
	skip 'no auto_explain', 1 if $rc != 0;

	my %statements = (
		'SELECT' => [ $count, 150, 1 ],
		'subquery' => [ "SELECT (SELECT max(n) FROM ($count) t(n))", 150, 1 ],
		'WITH' => [ q{WITH c AS MATERIALIZED (SELECT ai_classify(body) AS a FROM mail)
			SELECT count(*) FROM c WHERE a = 'spam'}, 150, 1 ],
		'CREATE TABLE AS' => [ q{BEGIN; CREATE TABLE copy AS SELECT ai_classify(body) AS a FROM mail;
			SELECT count(*) FROM copy WHERE a = 'spam'; ROLLBACK}, 150, 1 ],
		'INSERT' => [ q{BEGIN; INSERT INTO answers SELECT id, ai_classify(body) FROM mail;
			SELECT count(*) FROM answers WHERE answer = 'spam'; ROLLBACK}, 150, 1 ],
		'UPDATE' => [ q{BEGIN; UPDATE mail SET label = ai_classify(body) || '!';
			SELECT count(*) FROM mail WHERE label = 'spam!'; ROLLBACK}, 150, 1 ],
		'RETURNING' => [ q{BEGIN; WITH d AS (DELETE FROM mail WHERE ai_classify(body) = 'spam' RETURNING id)
			SELECT count(*) FROM d; ROLLBACK}, 150, 1 ],
		'PL/pgSQL' => [ 'SELECT count_spam()', 150, 1 ],
		'a loop in PL/pgSQL' => [ 'SELECT count_spam_often()', 75, 5 ],
		'rows in a loop' => [ 'SELECT read_by_loop()', 150, 1 ],
		'rows of one table in a loop' =>
			[ 'SELECT read_one_table(); SELECT read_one_table()', "150\n150", 2 ],
		'an SQL function' => [ q{SELECT count(*) FROM read_by_sql() a WHERE a = 'spam'}, 150, 1 ],
		'a procedure that commits' => [ 'CALL relabel()', '', 3 ],
		'COPY' => [ q{COPY (SELECT count(*) FROM mail WHERE ai_classify(body) = 'spam') TO STDOUT}, 150, 1 ],
		'a generic plan' => [ q{SET plan_cache_mode = force_generic_plan;
			PREPARE p (int) AS SELECT count(*) FROM mail WHERE ai_classify(body) = 'spam' AND id > $1;
			EXECUTE p (0)}, 150, 1 ],
		'a plan that is kept' => [ q{PREPARE p AS SELECT count(*) FROM mail WHERE ai_classify(body) = 'spam';
			EXECUTE p; EXECUTE p}, "150\n150", 2 ]);
	foreach my $name (sort keys %statements)
	{
		my ($sql, $answer, $n) = @{ $statements{$name} };
		($out, $plans) = run_new($sql);
		is($out, $answer, "$name: the answer");
		is(n_nodes($plans), $n, 'is computed in batches');
	}

	# the extended protocol, as drivers speak it
	my $script = PostgreSQL::Test::Utils::tempdir() . '/script';
	append_to_file($script, "$count\n");
	foreach my $mode ('extended', 'prepared')
	{
		local $ENV{PGOPTIONS} = '-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0';
		my $start = -s $node->logfile;
		$node->command_ok(
			[ 'pgbench', '-n', '-t', '3', '-M', $mode, '-f', $script, $node->connstr('postgres') ],
			"a driver, protocol \"$mode\"");
		is(n_nodes(substr(slurp_file($node->logfile), $start)), 3, 'is computed in batches');
	}

	($out, $plans) = run_new($count, before => 'SET aiaas.batch = off;');
	is($out, 150, 'a session that does not want batches');
	is(n_nodes($plans), 0, 'gets none');
}

# cursors keep what they could do
$out = $node->safe_psql('postgres', q{
	BEGIN;
	DECLARE c CURSOR FOR SELECT id, ai_classify(body) FROM mail ORDER BY id + 0;
	FETCH 3 FROM c; FETCH BACKWARD 1 FROM c; MOVE ABSOLUTE 10 IN c; FETCH FROM c;
	COMMIT});
is($out, "1|ham\n2|spam\n3|ham\n2|spam\n11|ham", 'a cursor that is moved');
$out = $node->safe_psql('postgres', q{
	BEGIN;
	DECLARE c SCROLL CURSOR FOR SELECT id, ai_classify(body) FROM mail JOIN folder USING (id) ORDER BY id;
	FETCH LAST FROM c; FETCH FIRST FROM c; FETCH RELATIVE 4 FROM c;
	COMMIT});
is($out, "300|spam\n1|ham\n5|ham", 'a cursor that can be scrolled');
$out = $node->safe_psql('postgres', q{
	BEGIN;
	DECLARE c NO SCROLL CURSOR FOR SELECT ai_classify(body) FROM letter WHERE id > 100;
	MOVE 3 IN c;
	UPDATE letter SET label = 'here' WHERE CURRENT OF c RETURNING id;
	ROLLBACK});
is($out, '103', 'a cursor at a row that is updated');
$out = $node->safe_psql('postgres', q{
	BEGIN;
	SELECT ai_classify('win a free prize');
	DECLARE c NO SCROLL CURSOR FOR SELECT ai_classify(body) FROM letter WHERE id > 100;
	MOVE 3 IN c;
	UPDATE letter SET label = 'here' WHERE CURRENT OF c RETURNING id;
	ROLLBACK});
is($out, "spam\n103", 'the same after the first statement');
$out = $node->safe_psql('postgres', q{
	DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT id, ai_classify(body) FROM mail JOIN folder USING (id) ORDER BY id;
	FETCH LAST FROM c; FETCH FIRST FROM c});
is($out, "300|spam\n1|ham", 'a cursor that outlives its transaction');

# workers get the plan that was rewritten
my $parallel = q{
	SET max_parallel_workers_per_gather = 2;
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET parallel_leader_participation = off;};
like($node->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) $count"),
	qr/Workers Launched: [1-9].*Gather.*BatchProject|Gather.*Workers Launched: [1-9].*BatchProject/s,
	'a parallel plan');
is($node->safe_psql('postgres', "$parallel $count"), 150, 'its answer');

# an error of the first statement leaves a session that works
my ($rc, $stdout, $stderr) = $node->psql('postgres', qq{SELECT ai_classify(body, 'nope') FROM mail; $count},
	on_error_stop => 0);
like($stderr, qr/model "nope" does not exist/, 'a first statement that fails');
is($stdout, 150, 'the next one');

# preloaded, nothing is different
my $explain = "EXPLAIN (COSTS OFF) $count";
my $expected = $node->safe_psql('postgres', $explain);
foreach my $setting ('session_preload_libraries', 'shared_preload_libraries')
{
	$node->append_conf('postgresql.conf', "$setting = 'aiaas'");
	$node->restart;
	is($node->safe_psql('postgres', $explain), $expected, "$setting: the same plan");
	is($node->safe_psql('postgres', $count), 150, 'and answer');
	is($node->safe_psql('postgres', "$parallel $count"), 150, 'in parallel too');
	is($node->safe_psql('postgres', 'SELECT read_by_loop()'), 150, 'and in PL/pgSQL');
	like($node->safe_psql('postgres', 'SHOW aiaas.batch'), qr/^on$/, 'settings are known');
}

done_testing();
