# whatever folder of a pre-trained model is imported, the answer is an error or a model that runs
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $n_attacks = 700;			# on each of the three archives

my $node = PostgreSQL::Test::Cluster->new('hostile_encoders');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION aiaas;
	CREATE TABLE good (name text, bytes bytea);
	\\lo_import '$ENV{TESTDIR}/test/data/encoders/embedder.tar'
	INSERT INTO good SELECT 'embedder', lo_get(:LASTOID);
	\\lo_import '$ENV{TESTDIR}/test/data/encoders/classifier.tar'
	INSERT INTO good SELECT 'classifier', lo_get(:LASTOID);
	\\lo_import '$ENV{TESTDIR}/test/data/encoders/static.tar'
	INSERT INTO good SELECT 'static', lo_get(:LASTOID);
	SELECT lo_unlink(oid) FROM pg_largeobject_metadata;
});
$node->safe_psql('postgres', <<'SQL');
-- the SQLSTATE of one import, whose model is used if there is one, and taken back
CREATE FUNCTION try(bytes bytea, weights text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ai_import('victim', bytes, true, weights);
	IF (SELECT task FROM ai_models WHERE name = 'victim') = 'embedding' THEN
		PERFORM ai_embed(t, 'victim') FROM unnest(ARRAY['', 'The cat sat on the mat.', repeat('xyz ', 100)]) t;
	ELSE
		PERFORM ai_scores(t, 'victim') FROM unnest(ARRAY['', 'The cat sat on the mat.', repeat('xyz ', 100)]) t;
	END IF;
	PERFORM ai_describe('victim'), count(*) FROM ai_versions, ai_export('victim');
	RAISE EXCEPTION USING ERRCODE = 'TAKEN';
EXCEPTION WHEN others THEN
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION below(n int) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::int $$;
CREATE FUNCTION flip(bytes bytea, place int) RETURNS bytea LANGUAGE sql VOLATILE AS $$
	SELECT set_byte(bytes, place, get_byte(bytes, place) # (1 << below(8))) $$;
-- the sums of headers in these places are put right again, so that damage gets past them
CREATE FUNCTION seal(bytes bytea, places int[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	place int; total int;
BEGIN
	FOREACH place IN ARRAY places LOOP
		SELECT sum(CASE WHEN i BETWEEN 148 AND 155 THEN 32 ELSE get_byte(bytes, place + i) END)
		INTO total FROM generate_series(0, 511) i;
		bytes := overlay(bytes PLACING convert_to(lpad(to_octal(total), 6, '0'), 'UTF8') || '\x0020' FROM place + 149);
	END LOOP;
	RETURN bytes;
END $$;
CREATE FUNCTION to_octal(value int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(((value >> (3 * i)) & 7)::text, '' ORDER BY i DESC) FROM generate_series(0, 5) i $$;
CREATE TABLE places AS
	SELECT name, bytes, array_agg(at ORDER BY at) AS headers
	FROM good, LATERAL (SELECT 512 * i AS at FROM generate_series(0, length(bytes) / 512 - 1) i) p
	WHERE substring(bytes FROM at + 258 FOR 5) = 'ustar' GROUP BY name, bytes;

-- one damaged archive of each kind in turn
CREATE FUNCTION damaged(i int, good places) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	bytes bytea := good.bytes;
	header int := good.headers[1 + below(cardinality(good.headers))];
	strange bytea := (ARRAY['\x00', '\xff', '\x22', '\x7b', '\x5b', '\x2d', '\x39', '\xc07f', '\x807f', '\xffffffff',
		'\x00000080', '\x0a', '\x5c75', '\x2c2c', '\x65393939', '\x3939393939393939']::bytea[])[1 + below(16)];
BEGIN
	CASE i % 7
	WHEN 0 THEN bytes := flip(bytes, below(length(bytes)));
	-- the text of a small file, or the header of a large one, has something else at its beginning
	WHEN 1, 2 THEN bytes := overlay(bytes PLACING strange FROM header + 513 + below(300));
	WHEN 3 THEN bytes := overlay(bytes PLACING strange FROM header + 513 + below(5000));
	WHEN 4 THEN bytes := substring(bytes FOR below(length(bytes)));
	WHEN 5 THEN bytes := flip(bytes, header + below(512));
	ELSE bytes := overlay(flip(bytes, header + below(345)) PLACING strange FROM header + 125 + below(11));
	END CASE;
	RETURN CASE WHEN length(bytes) = length(good.bytes) THEN seal(bytes, ARRAY[header]) ELSE bytes END;
END $$;
CREATE FUNCTION attack(first int, last int) RETURNS TABLE (state text, n bigint) LANGUAGE sql AS $$
	SELECT try(damaged(i, places), (ARRAY['fp32', 'bf16', 'int8'])[1 + i % 3]) AS state, count(*)
	FROM places, generate_series(first, last) i GROUP BY 1 ORDER BY 1 $$;
CREATE FUNCTION rest() RETURNS text LANGUAGE sql AS $$
	SELECT ROW((SELECT count(*) FROM aiaas.model), (SELECT count(*) FROM aiaas.version),
		(SELECT count(*) FROM aiaas.content), (SELECT count(*) FROM aiaas.chunk),
		(SELECT count(*) FROM aiaas.privilege))::text $$;
CREATE FUNCTION memory() RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts $$;
SQL

is($node->safe_psql('postgres', 'SELECT string_agg(DISTINCT try(seal(bytes, headers), NULL), \',\') FROM places'), 'TAKEN',
	'what is sealed and not damaged is imported');

my $seed = $ENV{SEED} // 0.5;
my ($code, $out, $err) = $node->psql('postgres', qq{
	SELECT setseed($seed) \\gset
	SELECT sum(n) AS first FROM attack(1, 100) \\gset
	SELECT memory() AS before \\gset
	SELECT state, sum(n) FROM attack(101, $n_attacks) GROUP BY state ORDER BY state;
	SELECT 'grown by', (memory() - :before) / 1024;
}, on_error_stop => 1);
is($code, 0, 'the server has survived') or diag $err;
note $out;
my ($grown) = $out =~ /grown by\|(-?\d+)/;
cmp_ok($grown, '<', 2048, 'no memory is lost');
unlike($out, qr/^XX/m, 'nothing is an internal error');
like($out, qr/^22P03\|/m, 'most of it is refused');
is($node->safe_psql('postgres', 'SELECT rest()'), '(0,0,0,0,0)', 'nothing is left of it');

$node->stop;
done_testing();
