# JIT is decided by what the server has to do, not by what models cost
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('jit');
$node->init;
$node->start;
if ($node->safe_psql('postgres', 'SET jit = on; SELECT pg_jit_available()') ne 't')
{
	plan skip_all => 'the server cannot compile';
}
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE mail AS
		SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'win a free prize now, call ' || i
			ELSE 'see you at lunch, we meet at ' || i END AS body,
			CASE WHEN i % 2 = 0 THEN 'spam' ELSE 'ham' END AS label, i % 10 AS folder
		FROM generate_series(1, 60000) i;
	CREATE TABLE other AS SELECT i AS id FROM generate_series(1, 1000) i;
	CREATE INDEX ON mail (id);
	ANALYZE;
	SELECT FROM ai_train('mail', 'SELECT body, label FROM mail WHERE id <= 300');
	CREATE FUNCTION dear(text) RETURNS text LANGUAGE plpgsql STABLE COST 300 AS 'BEGIN RETURN $1; END'});

# a scan of mail costs some 1,500 units without calls, and 40,000 with them
my $settings = q{
	SET jit = on; SET jit_above_cost = 5000; SET jit_inline_above_cost = 20000;
	SET jit_optimize_above_cost = 100000;};

sub plan_of
{
	my ($query, $more) = @_;
	return $node->safe_psql('postgres',
		"$settings SET max_parallel_workers_per_gather = 0; @{[ $more // '' ]} EXPLAIN $query");
}

my $label = q{ai_classify(body, 'mail')};
my %cheap = (
	'a target list' => "SELECT $label FROM mail",
	'a condition' => "SELECT count(*) FROM mail WHERE $label = 'spam'",
	'several conditions' => "SELECT count(*) FROM mail WHERE $label = 'spam' AND folder = 3 AND ai_score(body, 'ham', 'mail') < 0.5",
	'a group' => "SELECT $label, count(*) FROM mail GROUP BY 1",
	'an aggregate' => "SELECT max($label) FROM mail",
	'a window' => "SELECT count(*) OVER (PARTITION BY $label) FROM mail WHERE id < 8000",
	'an index scan' => "SELECT $label FROM mail WHERE id < 20000",
	'its filter' => "SELECT id FROM mail WHERE id < 20000 AND $label = 'spam'",
	'a subquery' => "SELECT count(*) FROM (SELECT $label AS a FROM mail OFFSET 0) s WHERE a = 'spam'",
	'WITH' => "WITH c AS MATERIALIZED (SELECT $label AS a FROM mail) SELECT a FROM c LIMIT 1",
	'EXISTS' => "SELECT EXISTS (SELECT FROM mail WHERE $label = 'no')",
	'a sorted group' => "SELECT folder, $label, count(*) FROM mail WHERE id < 15000 GROUP BY 1, 2 ORDER BY 1, 2",
	'a join' => "SELECT $label FROM mail JOIN other USING (id)",
	'a union' => "SELECT $label FROM mail UNION ALL SELECT $label FROM mail");
unlike(plan_of($cheap{$_}), qr/^JIT:/m, "not for calls in $_") foreach sort keys %cheap;

# a thousand index scans are some 10,000 units
my %loops = (
	'a correlated subquery' =>
		"SELECT (SELECT max($label) FROM mail m WHERE m.id BETWEEN o.id AND o.id + 50) FROM other o",
	'the inner side of a join' =>
		"SELECT a FROM other o, LATERAL (SELECT $label AS a FROM mail m WHERE m.id = o.id OFFSET 0) s");
foreach my $name (sort keys %loops)
{
	my $without = $loops{$name} =~ s/ai_classify\(body, 'mail'\)/body/r;
	my ($cost) = plan_of($without) =~ /cost=[0-9.]+\.\.([0-9.]+)/;
	my $enough = 'SET jit_above_cost = ' . int($cost * 1.1);
	unlike(plan_of($loops{$name}, "$enough;"), qr/^JIT:/m, "not for calls in $name");
}

(my $dear = $cheap{'a target list'}) =~ s/ai_classify\(body, 'mail'\)/dear(body)/;
like(plan_of($dear), qr/^JIT:/m, 'for a function that is as expensive');
unlike(plan_of($cheap{'a target list'}, 'SET aiaas.batch = off;'),
	qr/^JIT:/m, 'not for calls that run row by row');
my $parallel = plan_of($cheap{'a target list'}, q{
	SET max_parallel_workers_per_gather = 2; SET min_parallel_table_scan_size = 0;
	SET parallel_tuple_cost = 0; SET parallel_setup_cost = 0;});
like($parallel, qr/Gather/, 'a parallel plan');
unlike($parallel, qr/^JIT:/m, 'not there either');

my %expensive = (
	'a join' => "SELECT $label FROM mail, other WHERE mail.id + other.id = 3",
	'a join below a call' => "SELECT count(*) FROM mail, other WHERE mail.id + other.id > 3 AND $label = 'spam'",
	'a sort below a limit' => "SELECT $label FROM mail ORDER BY folder * 3, body LIMIT 40000");
like(plan_of($expensive{$_}), qr/^JIT:/m, "for $_") foreach sort keys %expensive;

# each threshold counts for itself
like(plan_of("SELECT $label FROM mail ORDER BY folder LIMIT 40000"),
	qr/Inlining false, Optimization false/, 'no more effort than the rest is worth');
like(plan_of($expensive{'a join'}), qr/Inlining true, Optimization true/, 'all effort');
like(plan_of($cheap{'a target list'}, 'SET jit_above_cost = 0;'), qr/^JIT:/m, 'for whoever always wants it');

done_testing();
