# what a classifier needs of its embedder outlives everything; MiniLM makes 20 examples a label enough
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use Sessions;

my $patience = 2;    # seconds, of a stop
my $data = "$ENV{TESTDIR}/test/data";
my $minilm = "$ENV{TESTDIR}/build/models/minilm";

my $node = PostgreSQL::Test::Cluster->new('learn');
$node->init;
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION aiaas;
	SELECT ai_import_file('tiny', '$data/encoders/embedder.tar');
	CREATE TABLE notes AS SELECT 'the ' || CASE i % 2 WHEN 0 THEN 'cat' ELSE 'market' END || ' ' || i AS body,
		CASE i % 2 WHEN 0 THEN 'animals' ELSE 'money' END AS topic FROM generate_series(1, 200) i;
});
my $train = q{SELECT version FROM ai_train('notes', 'SELECT body, topic FROM notes', 'topic', options => '{"embedder": "tiny"%s}')};
my $scores = q{SELECT md5(string_agg(ai_score(body, 'money', 'notes')::text, ',' ORDER BY body)) FROM notes};

# an embedder that is dropped while it is learnt from
my $trainer = start_session($node);
ask_without_waiting($trainer,
	q{SELECT version FROM ai_train('notes', 'SELECT body, topic FROM notes, (SELECT pg_sleep(2)) s', 'topic', options => '{"embedder": "tiny"}')});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ai_activity WHERE model = 'notes' AND phase = 'reading'})
	or die 'the training has not begun';
$node->safe_psql('postgres', q{SELECT ai_drop('tiny')});
like(answer_of($trainer), qr/the embedder of the model does not exist any more/, 'a training whose embedder was dropped fails');
is($node->safe_psql('postgres', 'SELECT count(*) FROM aiaas.content'), '0', 'and leaves nothing');

# whoever drops it waits for who has just stored a model that needs it
$node->safe_psql('postgres', "SELECT ai_import_file('tiny', '$data/encoders/embedder.tar')");
ask($trainer, 'BEGIN');
is(ask($trainer, sprintf($train, ', "ngrams": true')), '1', 'a model is trained');
my $dropper = start_session($node);
ask_without_waiting($dropper, q{SELECT ai_drop('tiny')});
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE NOT granted}) or die 'nobody waits';
ask($trainer, 'COMMIT');
like(answer_of($dropper), qr/cannot drop model "tiny" because other objects depend on it/, 'its embedder stays');
end_session($_) foreach $trainer, $dropper;

# other sessions, a restart, and the shared files gone
my $before = $node->safe_psql('postgres', $scores);
$node->restart;
is($node->safe_psql('postgres', $scores), $before, 'the same after a restart');
is($node->safe_psql('postgres', "SET aiaas.threads = 4; $scores"), $before, 'the same on other threads');
is($node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; $scores"), $before, 'the same in parallel workers');

# dump and restore
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->command_ok([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('other') ], 'restored');
is($node->safe_psql('other', $scores), $before, 'a dump has the embedder');
like(($node->psql('other', q{SELECT ai_drop('tiny')}))[2], qr/depend on it/, 'which is needed there too');

# an embedder that somebody has deleted from the tables
$node->safe_psql('other', q{DELETE FROM aiaas.version v USING aiaas.model m WHERE m.id = v.model AND m.name = 'tiny'});
like(($node->psql('other', $scores))[2], qr/the embedder of model "notes" is missing/, 'a lost embedder is reported');

# a training stops while it embeds
foreach my $timeout (300, 1500)
{
	my $start = time;
	my ($rc, $out, $err) = $node->psql('postgres',
		"SET statement_timeout = $timeout;" . q{SELECT ai_train('slow', 'SELECT repeat(body || i, 20) AS body, topic FROM notes, generate_series(1, 1000) i',
			'topic', options => '{"embedder": "tiny"}')});
	like($err, qr/canceling statement due to statement timeout/, "told to stop after $timeout ms");
	cmp_ok(time - $start - $timeout / 1000, '<', $patience, 'it does');
}

SKIP:
{
	die 'there is no MiniLM: run make models' if $ENV{CI} && !-e "$minilm/model.safetensors";
	skip 'build/models has no MiniLM; make models fetches it', 3 if !-e "$minilm/model.safetensors";
	$node->safe_psql('postgres', qq{
		SELECT ai_import_file('minilm', '$minilm', weights => 'int8');
		CREATE TABLE sms (id serial, label text, body text);
		COPY sms (label, body) FROM '$data/sms.tsv';
		CREATE TABLE few AS SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY label ORDER BY md5(id::text)) AS n FROM sms) s
			WHERE n <= 20;
		CREATE TABLE test AS SELECT * FROM sms WHERE id % 5 = 0 AND id NOT IN (SELECT id FROM few)});
	my %f1;
	foreach my $options ('{}', '{"embedder": "minilm", "ngrams": false}', '{"embedder": "minilm"}')
	{
		$node->safe_psql('postgres', "SELECT ai_train('sms', 'SELECT body, label FROM few', 'label', options => '$options'::jsonb ||
			'{\"validation\": 0, \"deploy\": \"always\"}')");
		$f1{$options} = $node->safe_psql('postgres',
			q{SELECT round(value::numeric, 4) FROM ai_evaluate('sms', 'SELECT body, label FROM test', 'label') WHERE metric = 'f1_macro'});
		note "$options: $f1{$options}";
	}
	cmp_ok($f1{'{"embedder": "minilm", "ngrams": false}'}, '>', 0.8, 'embeddings alone learn from 20 messages a label');
	cmp_ok($f1{'{"embedder": "minilm"}'}, '>', 0.88, 'with n-grams they do better');
	cmp_ok($f1{'{"embedder": "minilm"}'}, '>', $f1{'{}'} + 0.01, 'and better than n-grams alone');
}
$node->stop;
done_testing();
