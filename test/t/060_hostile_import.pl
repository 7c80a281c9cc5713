# whatever bytes are imported, the answer is an error or a model, and nothing is left of them
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $n_attacks = 10000;

my $node = PostgreSQL::Test::Cluster->new('hostile');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION aiaas;
CREATE TABLE mail AS SELECT 'win a free prize ' || i % 5 AS body, 'spam' AS label FROM generate_series(1, 10) i
	UNION ALL SELECT 'see you at ' || i % 5, 'ham' FROM generate_series(1, 10) i;
SELECT ai_train('sms', 'SELECT body, label FROM mail', options => '{"char_ngrams": false}');

-- the layout of core/format/aim.h, by hand
CREATE FUNCTION le(value bigint, n int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(set_byte('\x00'::bytea, 0, ((value >> (8 * i)) & 255)::int), '' ORDER BY i)
	FROM generate_series(0, n - 1) i $$;
CREATE FUNCTION pad(bytes bytea, n int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT bytes || decode(repeat('00', (n - length(bytes) % n) % n), 'hex') $$;
CREATE FUNCTION entry(name text, size bigint, place bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT pad(convert_to(name, 'UTF8'), 64) || le(1, 4) || le(1, 4) || pad(le(size, 8), 32) ||
		le(place, 8) || le(size, 8) || le(0, 8) $$;
CREATE FUNCTION forge(content bytea, manifest bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT '\x8941494d0d0a1a0a'::bytea || le(1, 4) || le(2, 4) ||
		le(320 + length(pad(content, 64)) + length(pad(manifest, 64)), 8) || le(0, 8) ||
		pad('aiaas.export', 32) || entry('content', length(content), 320) ||
		entry('manifest', length(manifest), 320 + length(pad(content, 64))) ||
		pad(content, 64) || pad(manifest, 64) $$;

CREATE TABLE good AS
	SELECT e.data AS whole, k.data AS content,
		rtrim(substring(e.data FROM 321 + length(k.data)), '\x00') AS manifest
	FROM ai_export('sms') e, aiaas.chunk k;

-- content with a manifest that has its checksum
CREATE FUNCTION sealed(content bytea, manifest jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT forge(content, convert_to((manifest || jsonb_build_object('bytes', length(content),
		'sha256', encode(sha256(content), 'hex')))::text, 'UTF8')) $$;

-- the SQLSTATE of one import, whose model is used if there is one, and taken back
CREATE FUNCTION try(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ai_import('victim', bytes, true);
	PERFORM ai_classify(body, 'victim'), ai_scores(body, 'victim') FROM mail LIMIT 1;
	PERFORM count(*) FROM ai_explain('win a free prize', 'victim');
	PERFORM count(*) FROM ai_importance('victim');
	PERFORM ai_describe('victim'), count(*) FROM ai_versions, ai_export('victim');
	RAISE EXCEPTION USING ERRCODE = 'TAKEN';
EXCEPTION WHEN others THEN
	RETURN SQLSTATE;
END $$;

-- numbers of 1, 4 and 8 bytes at which readers go wrong, and a NaN and an infinity
CREATE FUNCTION extreme() RETURNS bytea LANGUAGE sql VOLATILE AS $$
	SELECT (ARRAY['\x00', '\xff', '\x80', '\x7f', '\x00000000', '\x01000000', '\xffffff7f', '\xffffffff',
		'\x00000080', '\x0000c07f', '\x0000807f', '\xffff7f7f', '\x0000000000000000',
		'\x4000000000000000', '\xffffffffffffffff', '\xffffffffffffff7f', '\x0000000000000080',
		'\x0000000000000040', '\xc0ffffffffffffff', '\x0000000000010000', '\x40420f0000000000']::bytea[])
		[1 + floor(random() * 21)::int] $$;
CREATE FUNCTION put(bytes bytea, part bytea, place int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT overlay(bytes PLACING part FROM place + 1) $$;
CREATE FUNCTION flip(bytes bytea, place int) RETURNS bytea LANGUAGE sql VOLATILE AS $$
	SELECT set_byte(bytes, place, get_byte(bytes, place) # (1 << floor(random() * 8)::int)) $$;
CREATE FUNCTION below(n int) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::int $$;

-- one damaged export of each kind in turn
CREATE FUNCTION damaged(i int, good good) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	whole bytea := good.whole;
	content bytea := good.content;
	manifest jsonb := convert_from(good.manifest, 'UTF8');
	key text := (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(manifest) k)[1 + below(20)];
BEGIN
	CASE i % 10
	WHEN 0 THEN RETURN flip(whole, below(length(whole)));
	WHEN 1 THEN RETURN flip(flip(whole, below(320)), below(320));
	WHEN 2 THEN RETURN substring(whole FOR below(length(whole)));
	WHEN 3 THEN RETURN put(whole, extreme(), 4 * below(80));
	WHEN 4 THEN RETURN put(put(whole, extreme(), 4 * below(80)), extreme(), 4 * below(80));
	WHEN 5 THEN RETURN sealed(flip(content, below(length(content))), manifest);
	WHEN 6 THEN RETURN sealed(put(content, extreme(), 4 * below(length(content) / 4 - 1)), manifest);
	WHEN 7 THEN RETURN sealed(put(content, extreme(), 4 * below(16 + 32 * 14)), manifest);
	WHEN 8 THEN RETURN sealed(substring(content FOR below(length(content))), manifest);
	ELSE
		manifest := manifest || jsonb_build_object(key, (ARRAY['null', 'true', '-1', '0', '1.5', '1e400',
			'9223372036854775808', '""', '"x"', '[]', '[1]', '{}', '{"columns": [{"name": 1}]}',
			'[["ham"], "spam"]', '"9999-12-31"', '{"$ref": "#"}']::jsonb[])[1 + below(16)]);
		RETURN forge(content, convert_to(manifest::text, 'UTF8'));
	END CASE;
END $$;

CREATE FUNCTION attack(first int, last int) RETURNS TABLE (state text, n bigint) LANGUAGE sql AS $$
	SELECT try(damaged(i, good)) AS state, count(*) FROM good, generate_series(first, last) i
	GROUP BY 1 ORDER BY 1 $$;

CREATE FUNCTION rest() RETURNS text LANGUAGE sql AS $$
	SELECT ROW((SELECT count(*) FROM aiaas.model), (SELECT count(*) FROM aiaas.version),
		(SELECT count(*) FROM aiaas.content), (SELECT count(*) FROM aiaas.chunk),
		(SELECT count(*) FROM aiaas.privilege))::text $$;

-- kB of the process, and bytes of its memory contexts
CREATE FUNCTION memory() RETURNS TABLE (resident int, contexts bigint) LANGUAGE sql AS $$
	SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s*(\d+)')::int,
		(SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts) $$;
SQL
my $rest = $node->safe_psql('postgres', 'SELECT rest()');

# what is forged by hand is what the server writes, and nothing is too strange to be right
is($node->safe_psql('postgres', 'SELECT forge(content, manifest) = whole FROM good'), 't',
	'an export is laid out as documented');
is($node->safe_psql('postgres', 'SELECT try(whole) FROM good'), 'TAKEN', 'an intact one is imported');

# one member of the manifest that is not as it should be
sub with_member
{
	my ($key, $value) = @_;
	my $manifest = "convert_from(manifest, 'UTF8')::jsonb";
	my $changed = defined $value ? "$manifest || jsonb_build_object('$key', $value)" : "$manifest - '$key'";
	my ($code, $out, $err) = $node->psql('postgres',
		"SELECT model FROM good, ai_import(NULL, forge(content, convert_to(($changed)::text, 'UTF8')))");
	return $code == 0 ? $out : $err;
}
foreach my $key (qw(format name version created algorithm kind task options labels features metrics
	lineage train_rows validation_rows metric train_score validation_score duration sha256 bytes))
{
	like(with_member($key), qr/its manifest has no "$key"/, "$key cannot be missing");
}
foreach my $case (
	[ 'format', '2', qr/export format 2 is newer than this server's \(1\)/ ],
	[ 'format', '0.5', qr/"format" of its manifest is not a number between/ ],
	[ 'name', q{''}, qr/"name" of its manifest is not a string of 1 to 63 bytes/ ],
	[ 'name', q{repeat('x', 64)}, qr/"name" of its manifest is not a string of 1 to 63 bytes/ ],
	[ 'name', q{'a@1'}, qr/model name "a\@1" must not contain "@"/ ],
	[ 'name', '1', qr/"name" of its manifest is not a string/ ],
	[ 'version', '0', qr/"version" of its manifest is not a number between 1 and/ ],
	[ 'version', '1.5', qr/"version" of its manifest is not a whole number/ ],
	[ 'version', '1e400', qr/"version" of its manifest is not a number between/ ],
	[ 'created', q{'now'}, qr/"created" of its manifest is not a time/ ],
	[ 'created', q{'2020-13-01'}, qr/date\/time field value out of range/ ],
	[ 'kind', q{'oracle'}, qr/models of kind "oracle" are not supported/ ],
	[ 'task', q{'regression'}, qr/"task" of its manifest is not that of its weights/ ],
	[ 'options', '1', qr/"options" of its manifest is not an object/ ],
	[ 'metrics', q{'[]'::jsonb}, qr/"metrics" of its manifest is not an object/ ],
	[ 'labels', q{'["ham"]'::jsonb}, qr/"labels" of its manifest is not that of its weights/ ],
	[ 'labels', q{'["spam", "ham"]'::jsonb}, qr/"labels" of its manifest is not that of its weights/ ],
	[ 'labels', q{'["ham", 1]'::jsonb}, qr/"labels" of its manifest is not an array of strings/ ],
	[ 'labels', q{(SELECT jsonb_agg(i::text) FROM generate_series(1, 1000000) i)},
		qr/"labels" of its manifest is not an array of at most 10000 strings/ ],
	[ 'labels', 'NULL::text', qr/"labels" of its manifest is not that of its weights/ ],
	[ 'kind', q{'network'}, qr/model is of kind "text_classifier", expected "network"/ ],
	[ 'features', 'NULL::text', qr/"features" of its manifest is not that of its weights/ ],
	[ 'features', q{'{"columns": [{"name": 1}], "count": 34}'::jsonb},
		qr/"features" of its manifest is not that of its weights/ ],
	[ 'features', q{'{"columns": [{"name": "body"}], "count": 1}'::jsonb},
		qr/"features" of its manifest is not that of its weights/ ],
	[ 'train_rows', '-1', qr/"train_rows" of its manifest is not a number between 0 and/ ],
	[ 'validation_rows', '1e18', qr/"validation_rows" of its manifest is not a number between 0 and/ ],
	[ 'validation_score', q{'NaN'::text}, qr/"validation_score" of its manifest is not a number/ ],
	[ 'train_score', '1e400', qr/"train_score" of its manifest is not a number/ ],
	[ 'duration', '1e100', qr/"duration" of its manifest is not a number between 0 and/ ],
	[ 'sha256', q{repeat('0', 64)}, qr/its weights do not have their checksum/ ],
	[ 'sha256', q{repeat('x', 64)}, qr/"sha256" of its manifest is not 64 hexadecimal digits/ ],
	[ 'bytes', '1', qr/its weights do not have their checksum/ ],
	[ 'lineage', 'NULL::text', qr/^sms$/m ],
	[ 'metrics', q{'{"$ref": "#/metrics", "metrics": {"$ref": "#"}}'::jsonb}, qr/^sms$/m ],
	[ 'train_score', 'NULL::text', qr/^sms$/m ],
	[ 'more', '1', qr/^sms$/m ])
{
	my ($key, $value, $message) = @$case;
	like(with_member($key, $value), $message, "$key: $value");
}

# a manifest that is no JSON object, or one too deep
foreach my $case (
	[ q{''}, qr/invalid input syntax for type json/ ],
	[ q|'{'|, qr/invalid input syntax for type json/ ],
	[ q{'[]'}, qr/its manifest has no "format"/ ],
	[ q{'"format"'}, qr/its manifest has no "format"/ ],
	[ q{'\xff'}, qr/invalid byte sequence for encoding "UTF8"/ ],
	[ q{'\x00'}, qr/invalid byte sequence for encoding "UTF8"/ ],
	[ q{convert_to('{"format": "\u0000"}', 'UTF8')}, qr/unsupported Unicode escape sequence/ ],
	[ q{convert_to(repeat('[', 1000000), 'UTF8')}, qr/stack depth limit exceeded/ ],
	[ q|convert_to(repeat('{"a":', 1000000), 'UTF8')|, qr/stack depth limit exceeded/ ])
{
	my ($manifest, $message) = @$case;
	like(($node->psql('postgres', "SELECT ai_import(NULL, forge(content, $manifest)) FROM good"))[2],
		$message, "manifest $manifest");
}
$node->safe_psql('postgres', q{SELECT ai_drop('sms', v) FROM generate_series(2, 5) v});
is($node->safe_psql('postgres', 'SELECT rest()'), $rest, 'the few that were right are dropped again');

# ten thousand attacks in one session; its memory is asked when it has warmed up and at the end
my $batch = $n_attacks / 10;
my $script = "SELECT setseed(0.25);\n";
foreach my $i (0 .. 9)
{
	$script .= sprintf("SELECT * FROM attack(%d, %d);\n", $i * $batch, ($i + 1) * $batch - 1);
	$script .= "SELECT 'memory', * FROM memory();\n" if $i == 6 || $i == 9;
}
my $output = $node->safe_psql('postgres', $script);
my %found;
my @memory;
foreach my $line (split /\n/, $output)
{
	push @memory, [ $1, $2 ] if $line =~ /^memory\|(\d+)\|(\d+)$/;
	$found{$1} += $2 if $line =~ /^(\w{5})\|(\d+)$/;
}
note(join ', ', map { "$_: $found{$_}" } sort keys %found);
my $n_answered = 0;
$n_answered += $_ foreach values %found;
is($n_answered, $n_attacks, 'every attack has an answer');
ok($found{'22P03'} > $n_attacks / 2, 'mostly, that the bytes are wrong');
ok($found{TAKEN} > $n_attacks / 100, 'some are harmless and make a model');
ok(!exists $found{XX000}, 'none is an internal error');
cmp_ok($memory[1][0] - $memory[0][0], '<', 4096, "the process has not grown (@{$memory[0]}, @{$memory[1]})");
cmp_ok($memory[1][1] - $memory[0][1], '<', 1024 * 1024, 'nor have its memory contexts');
is($node->safe_psql('postgres', 'SELECT rest()'), $rest, 'nothing is left in the tables');
is($node->safe_psql('postgres', q{SELECT count(*) FROM mail WHERE ai_classify(body, 'sms') = label}),
	'20', 'the model that was there answers');

$node->stop;
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'no backend crashed');
done_testing();
