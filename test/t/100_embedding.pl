# embedding stops when told, whatever it is about, and pgvector finds what was embedded
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# How long a stop may take, in seconds; the aim is 0.1, the rest is for slow machines.
my $patience = 2;
my $data = "$ENV{TESTDIR}/test/data/encoders";

my $node = PostgreSQL::Test::Cluster->new('embedding');
$node->init;
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION aiaas;
	SELECT ai_import_file('tiny', '$data/embedder.tar');
	SELECT ai_import_file('inference', '$data/classifier.tar');
	CREATE TABLE docs AS SELECT i AS id, 'the cat ' || i || ' looks at number ' || i * 7 AS body
		FROM generate_series(1, 200000) i;
});
my $long = q{repeat('the cat sat on the mat ', 10000000)};

# statement_timeout, in batches and row by row, for many texts and for long ones
foreach my $case (
	[ 'many texts', q{SELECT count(ai_embed(body, 'tiny')) FROM docs, generate_series(1, 10)} ],
	[ 'texts one by one', q{SET aiaas.batch = off; SELECT count(ai_embed(body, 'tiny')) FROM docs, generate_series(1, 10)} ],
	[ 'a long text that has to fit', "SELECT ai_embed($long, 'tiny', truncate => false)" ],
	[ 'similarities', q{SELECT sum(ai_similarity(a.body, b.body, 'tiny')) FROM docs a, docs b} ],
	[ 'documents', q{SELECT count(*) FROM ai_rerank('a cat', (SELECT array_agg(body || i) FROM docs, generate_series(1, 5) i), 'tiny')} ],
	[ 'labels', q{SELECT count(ai_scores(body, (SELECT array_agg(md5(i::text)) FROM generate_series(1, 500) i), 'inference')) FROM docs} ])
{
	my ($what, $sql) = @$case;
	my $start = time;
	my ($rc, $out, $err) = $node->psql('postgres', "SET statement_timeout = '1s'; $sql");
	my $late = time - $start - 1;

	like($err, qr/canceling statement due to statement timeout/, "$what: told to stop");
	cmp_ok($late, '<', $patience, sprintf('%s: %.3f s late', $what, $late));
}
is($node->safe_psql('postgres', q{SELECT array_length(ai_embed('the cat', 'tiny'), 1)}), '32',
	'the model still answers');
cmp_ok($node->safe_psql('postgres', q{SELECT truncated FROM ai_stats WHERE model = 'tiny' AND function = 'ai_embed'}),
	'>=', '0', 'truncated inputs are counted');

# longer than a model reads: not read beyond that
my $start = time;
is($node->safe_psql('postgres', "SELECT ai_embed($long, 'tiny') IS NOT NULL"), 't',
	'of a long text the beginning is embedded');
note(sprintf('%.3f s', time - $start));
is($node->safe_psql('postgres', q{SELECT truncated > 0 FROM ai_stats WHERE model = 'tiny' AND function = 'ai_embed'}),
	't', 'which is counted');

SKIP:
{
	skip 'pgvector is not installed', 6
		unless $node->safe_psql('postgres',
			q{SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'});
	$node->safe_psql('postgres', q{
		CREATE EXTENSION vector;
		CREATE TABLE found (id int PRIMARY KEY, body text, v vector(32));
		INSERT INTO found SELECT id, body, ai_embed(body, 'tiny') FROM docs WHERE id <= 2000;
		UPDATE found SET v = ai_embed(body, 'tiny') WHERE id % 2 = 0;
		CREATE INDEX ON found USING hnsw (v vector_cosine_ops);
	});
	is($node->safe_psql('postgres', q{SELECT count(v) FROM found}), '2000', 'embeddings are assigned to vectors');
	my $query = q{SELECT id FROM found ORDER BY v <=> ai_embed('the cat 7 looks at number 49', 'tiny')::vector LIMIT 1};
	is($node->safe_psql('postgres', $query), '7', 'the nearest is found');
	like($node->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN (COSTS OFF) $query"),
		qr/Index Scan using found_v_idx/, 'by the index');
	is($node->safe_psql('postgres', "SET enable_seqscan = off; $query"), '7', 'and is the same');
	is($node->safe_psql('postgres', q{SELECT id FROM found ORDER BY ai_similarity(v, 'the cat 7 looks at number 49', 'tiny') DESC LIMIT 1}),
		'7', 'ai_similarity reads vectors');
	is($node->safe_psql('postgres', q{SELECT bool_and(abs(1 - (v <=> ai_embed('a dog', 'tiny')::vector) - ai_similarity(v, 'a dog', 'tiny')) < 1e-5) FROM found}),
		't', 'and measures as pgvector does');
}

$node->stop;
done_testing();
