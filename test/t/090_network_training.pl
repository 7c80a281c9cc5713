# a network's training tells how it goes, stops when told, and leaves no file behind
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Sessions;
use Test::More;
use Time::HiRes qw(time);

# How long a stop may take, in seconds; the aim is 0.1, the rest is for slow machines.
my $patience = 2;

my $node = PostgreSQL::Test::Cluster->new('network');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE points AS SELECT i AS id, sin(i)::real AS x, cos(i * 1.7)::real AS y,
			CASE WHEN sin(i) + cos(i * 1.7) > 0 THEN 'up' ELSE 'down' END AS label
		FROM generate_series(1, 300) i;
	CREATE TABLE wide AS SELECT array_fill(0.5::real, ARRAY[99]) || (i % 1000)::real AS v, i % 2 AS label
		FROM generate_series(1, 40000) i});

# what a training says
sub notices
{
	my ($query, $options, $model) = @_;
	my ($code, $out, $err) = $node->psql('postgres', sprintf(
			q{SELECT version FROM ai_train('%s', '%s', options => '{%s}')}, $model // 'm', $query, $options));

	is($code, 0, "a training with $options") or diag($err);
	return $err;
}

my $layers = q{"layers": [{"dense": 8, "activation": "relu"}, {"dense": 2}], "learning_rate": 0.05};
my $points = 'SELECT x, y, label FROM points';
my $said = notices($points, "$layers, \"epochs\": 3");
like($said, qr/NOTICE:  epoch 1 of 3: loss [\d.]+, accuracy [\d.]+, validation loss [\d.]+, validation accuracy [\d.]+, [\d.]+ s, [\d.]+ s left/,
	'an epoch is told of');
is(scalar(() = $said =~ /NOTICE/g), 3, 'and each once');

$said = notices('SELECT x, nullif(y, x) AS y, CASE WHEN id > 5 THEN label END AS label FROM points',
	"$layers, \"epochs\": 1, \"on_bad_row\": \"skip\", \"deploy\": \"always\"", 'skip');
like($said, qr/NOTICE:  5 rows that do not fit were left out/, 'rows that are left out are told of');

$said = notices($points, '"layers": [{"dense": 2}], "epochs": 1, "learning_rate": 0');
like($said, qr/DETAIL:  On the same \d+ validation rows it has a macro F1 of [\d.]+, version 1 of [\d.]+\./,
	'a version is compared with the deployed one on the same rows');
$said = notices('SELECT x, y AS target FROM points', '"layers": [{"dense": 1}], "epochs": 1');
like($said, qr/DETAIL:  Its metric is r2 and that of version 1 is macro F1, which cannot be compared\./,
	'not with one that does something else');
$said = notices($points, "$layers, \"validation\": 0, \"epochs\": 1");
like($said, qr/DETAIL:  It has a validation score of unknown; version 1 had [\d.]+ when it was trained\./,
	'and by stored scores where nothing is held out');

# max_time
$said = notices($points, "$layers, \"epochs\": 1000000, \"max_time\": \"0.5 s\", \"deploy\": \"never\"");
like($said, qr/NOTICE:  training stopped at the best so far because max_time is 0.5 s/, 'max_time stops');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET client_min_messages = warning');

# seen while it learns, and cancelled; then while its rows are in a file
my $tmp = $node->data_dir . '/base/pgsql_tmp';
my $long = q{"layers": [{"dense": 256}, {"dense": 2}], "epochs": 300};
foreach my $case ([ 'memory', '256MB', 0 ], [ 'a file', '20MB', 1 ])
{
	my ($where, $memory, $has_file) = @$case;
	my $session = start_session($node);
	my $pid = ask($session, 'SELECT pg_backend_pid()');

	ask($session, "SET aiaas.max_train_memory = '$memory'");
	ask_without_waiting($session,
		"SELECT ai_train('long', 'SELECT v, label FROM wide', options => '{$long}')");
	ok($node->poll_query_until('postgres', "SELECT epoch >= 3 AND loss > 0 AND share > 0 AND time_left > '0' AND rows = 40000
			AND phase = 'training' FROM ai_activity WHERE pid = $pid AND model = 'long'"),
		"its epoch and loss are seen, with rows in $where");
	my @files = glob("$tmp/pgsql_tmp$pid*");
	is(scalar(@files) > 0, $has_file == 1, "with rows in $where there are " . scalar(@files) . ' files');
	my $start = time;
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	like(answer_of($session), qr/canceling statement due to user request/, "it is cancelled, with rows in $where");
	my $took = time - $start;
	cmp_ok($took, '<', $patience, sprintf('within %.3f s', $took));
	is(scalar(() = glob("$tmp/pgsql_tmp$pid*")), 0, 'and no file is left');
	is(ask($session, 'SELECT 1'), '1', 'the session goes on');
	end_session($session);
}

# a server that is shut down fast does not wait for it
my $session = start_session($node);
ask_without_waiting($session, "SELECT ai_train('long', 'SELECT v, label FROM wide', options => '{$long}')");
$node->poll_query_until('postgres', "SELECT epoch >= 1 FROM ai_activity WHERE model = 'long'");
my $start = time;
$node->stop('fast');
cmp_ok(time - $start, '<', 10, 'the server stops');
end_session($session);

done_testing();
