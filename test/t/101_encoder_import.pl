# a real pre-trained model is imported in all ways and precisions, and embeds as PyTorch does
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $models = "$ENV{TESTDIR}/build/models";
if (!-e "$models/minilm/model.safetensors")
{
	die 'there is no MiniLM: run make models' if $ENV{CI};
	plan skip_all => 'there is no MiniLM: run make models';
}

# How late a cancel may be, in seconds; the aim is 0.1, the rest is for slow machines.
my $patience = 1;
# of the content, in the three precisions, and of the weights that it was made of
my %bytes = (fp32 => 91134400, bf16 => 46459840, int8 => 36008896);
my $sha256 = '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db';

my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('encoders');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmax_wal_size = 4GB");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION aiaas; CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION aiaas');

sub timed
{
	my ($what, $sql) = @_;
	my $start = time;
	my $out = $node->safe_psql('postgres', $sql);
	note sprintf('%s: %.2f s', $what, time - $start);
	return $out;
}

# a folder, in every precision; each is one version, made twice the same
foreach my $precision (sort keys %bytes)
{
	is(timed("import in $precision", qq{
			SELECT model, version, algorithm, task, bytes, deployed
			FROM ai_import_file('$precision', '$models/minilm', weights => '$precision')}),
		"$precision|1|bert|embedding|$bytes{$precision}|t", "a folder is imported in $precision");
}
is($node->safe_psql('postgres', q{
		SELECT f ->> 'sha256', d -> 'lineage' -> 'license' ->> 'tag', d -> 'features' ->> 'parameters'
		FROM ai_describe('fp32') d, jsonb_array_elements(d -> 'lineage' -> 'files') f
		WHERE f ->> 'path' = 'model.safetensors'}),
	"$sha256|apache-2.0|22565376", 'what it was made of is known');

# an archive of the folder, by the client alone, as a large object and in parts
command_ok([ 'tar', '-cf', "$dir/minilm.tar", '-C', $models, 'minilm' ], 'the folder is packed');
my ($code, $out, $err) = $node->psql('postgres', qq{
	\\lo_import '$dir/minilm.tar'
	\\set object :LASTOID
	SELECT bytes FROM ai_import('of_object', :object);
	CREATE TABLE parts AS SELECT i, lo_get(:object, i, 1000000) AS data
		FROM generate_series(0, (SELECT sum(length(data)) FROM pg_largeobject WHERE loid = :object) - 1, 1000000) i;
	SELECT bytes FROM ai_import_query('of_parts', 'SELECT data FROM parts ORDER BY i');
	SELECT lo_unlink(:object);
	DROP TABLE parts;
}, on_error_stop => 1);
like($out, qr/^$bytes{fp32}\n$bytes{fp32}\n1$/, 'an archive is imported');
is($node->safe_psql('postgres', q{
		SELECT count(DISTINCT hash) FROM aiaas.version v JOIN aiaas.model m ON m.id = v.model
		WHERE m.name IN ('fp32', 'of_object', 'of_parts')}),
	'1', 'all ways lead to the same bytes');
$node->safe_psql('postgres', q{SELECT ai_drop('of_object'), ai_drop('of_parts')});

# what PyTorch makes of some texts in double precision
sub read_golden
{
	my ($path) = @_;
	open(my $file, '<:raw', $path) or die "$path: $!";
	my @cases;
	my ($text, $is_pair);
	while (my $line = <$file>)
	{
		if ($line =~ /^(text|pair) (-?\d+)$/)
		{
			my $size = $2;
			$is_pair = $1 eq 'pair' && $size >= 0;
			next if $size < 0;
			read($file, my $bytes, $size + 1);
			chop $bytes;
			$text = $bytes if $1 eq 'text';
		}
		elsif ($line =~ /^out \d+ (.*)$/ && !$is_pair)
		{
			push @cases, [ $text, join(',', split(' ', $1)) ];
		}
	}
	return @cases;
}

my @golden = read_golden("$ENV{TESTDIR}/test/models/golden/minilm.txt");
{
	my $rows = join(",\n", map {
		my $hex = unpack('H*', $_->[0]);
		"(convert_from('\\x$hex', 'UTF8'), '{$_->[1]}'::float8[])"
	} @golden);
	$node->safe_psql('postgres', "CREATE TABLE golden AS SELECT * FROM (VALUES $rows) v(body, expected)");
	my $compare = q{
		SELECT count(*), %s FROM (
			SELECT body, max(abs(a - b)) AS difference, sum(a * b) / sqrt(sum(a * a) * sum(b * b)) AS cosine
			FROM golden, unnest(expected, ai_embed(body, '%s')::float8[]) u(a, b) GROUP BY body) x};
	is($node->safe_psql('postgres', sprintf($compare, 'max(difference) <= 2e-6', 'fp32')),
		scalar(@golden) . '|t', 'fp32 is within 2e-6 of PyTorch');
	is($node->safe_psql('postgres', sprintf($compare, 'min(cosine) >= 0.9999', 'bf16')),
		scalar(@golden) . '|t', 'cosines of bf16 are at least 0.9999');
	is($node->safe_psql('postgres', sprintf($compare, 'avg(cosine) >= 0.995', 'int8')),
		scalar(@golden) . '|t', 'cosines of int8 are at least 0.995 on average');
}

# from one database to another: the same answers, bit for bit
my $embedding = q{SELECT md5(string_agg(float4send(v), '')) FROM unnest(ai_embed('The cat sat on the mat.', 'int8')) v};
$node->safe_psql('postgres', qq{\\copy (SELECT seq, data FROM ai_export('int8')) TO '$dir/parts' WITH (FORMAT binary)});
is($node->safe_psql('other', qq{
		CREATE TABLE parts (seq int, data bytea);
		\\copy parts FROM '$dir/parts' WITH (FORMAT binary)
		SELECT bytes FROM ai_import_query(NULL, 'SELECT data FROM parts ORDER BY seq')}),
	$bytes{int8}, 'an export is imported');
is($node->safe_psql('other', $embedding), $node->safe_psql('postgres', $embedding),
	'its embeddings are the same');
is($node->safe_psql('other', q{SELECT stored || ' ' || shared FROM ai_check('int8')}), 'ok ok',
	'and its bytes are sound');

# another precision from the stored one is what an import makes
is(timed('quantize', q{
		SELECT version, bytes_after, cosine > 0.995, texts_per_second_after > texts_per_second_before, deployed
		FROM ai_quantize('fp32', 'int8', deploy => true)}),
	"2|$bytes{int8}|t|t|t", 'int8 is made of fp32, and is faster');
is($node->safe_psql('postgres', q{
		SELECT count(DISTINCT hash) FROM aiaas.version v JOIN aiaas.model m ON m.id = v.model
		WHERE m.name = 'int8' OR m.name = 'fp32' AND v.number = 2}),
	'1', 'it is the same that an import makes');

# long work shows what it does
my $import = "SELECT count(*) FROM ai_import_file('slow', '$models/minilm')";
my %seen;
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c',
		join(';', ($import) x 5) ], '<', \undef, '>', \my $session_out, '2>', \my $session_err);
while ($session->pumpable)
{
	my $now = $node->safe_psql('postgres', q{
		SELECT phase FROM ai_activity WHERE function = 'ai_import_file' AND model = 'slow' AND bytes >= 0});
	$seen{$now} = 1 if $now ne '';
	$session->pump_nb;
}
$session->finish;
note 'phases: ' . join(', ', sort keys %seen);
my @strange = grep { !/^(receiving|reading|packing|hashing|storing)$/ } keys %seen;
ok(%seen && !@strange, 'an import shows its phases');
$node->safe_psql('postgres', q{SELECT ai_drop('slow')});

# and stops when told, wherever it is, and leaves nothing behind
sub rest
{
	return $node->safe_psql('postgres', q{
		SELECT (SELECT count(*) FROM aiaas.model), (SELECT count(*) FROM aiaas.version),
			(SELECT count(*) FROM aiaas.content), (SELECT count(*) FROM aiaas.chunk)});
}
my $rest = rest();
my $latest = 0;
my $n_stopped = 0;
foreach my $sql ($import, q{SELECT count(*) FROM ai_quantize('fp32@1', 'bf16')})
{
	foreach my $delay (10, 30, 60, 100, 150, 200, 300, 400, 600, 800, 1200)
	{
		my $start = time;
		($code, $out, $err) = $node->psql('postgres', "BEGIN; SET statement_timeout = $delay; $sql; ROLLBACK");
		my $late = time - $start - $delay / 1000;
		next if $err !~ /canceling statement due to statement timeout/;
		$n_stopped++;
		$latest = $late if $late > $latest;
	}
}
cmp_ok($n_stopped, '>', 5, "$n_stopped runs were stopped");
cmp_ok($latest, '<', $patience, sprintf('the latest %.3f s after its time, with its session', $latest));
is(rest(), $rest, 'nothing is left of them');

# a file that changes meanwhile, or is cut, is an error
mkdir "$dir/cut";
system('cp', '-R', "$models/minilm/.", "$dir/cut") == 0 or die;
chmod 0755, $dir, "$dir/cut";
truncate("$dir/cut/model.safetensors", 50_000_000) or die;
($code, $out, $err) = $node->psql('postgres', "SELECT ai_import_file('x', '$dir/cut')");
like($err, qr/ends beyond the end of the file/, 'a file that was cut is refused');
unlink "$dir/cut/model.safetensors";
($code, $out, $err) = $node->psql('postgres', "SELECT ai_import_file('x', '$dir/cut')");
like($err, qr/has no file "model.safetensors"/, 'and one that is missing');
is(rest(), $rest, 'nothing is left of them');

$node->stop;
done_testing();
