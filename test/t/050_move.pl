# a model goes from one server to another from psql, and is there what it was
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $data = "$ENV{TESTDIR}/test/data/sms.tsv";
my $load = qq{
	CREATE TABLE messages (id int GENERATED ALWAYS AS IDENTITY, label text, body text);
	\\copy messages (label, body) FROM '$data' WITH (FORMAT csv, DELIMITER E'\\t', QUOTE E'\\x01')
};
# all probabilities, to the last bit
my $answers = q{SELECT count(*), md5(string_agg(float8send(ai_score(body, 'spam', 'sms')), '' ORDER BY id))
	FROM messages};
my $explained = q{SELECT md5(string_agg(e::text, ',' ORDER BY id, e::text))
	FROM messages, ai_explain(body, 'sms') e WHERE id <= 50};
my $described = q{SELECT (d - 'owner' - 'created') #- '{lineage,imported}' FROM ai_describe('sms') d};
my $exported = q{SELECT md5(string_agg(data, '' ORDER BY seq)) FROM ai_export('sms')};
my $import = 'SELECT model, version, algorithm, task, labels, deployed FROM ';

sub start_server
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => 1);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION aiaas');
	$node->safe_psql('postgres', "CREATE ROLE $name; $load");
	return $node;
}

sub psql
{
	my ($node, $script) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $script, on_error_die => 1);
	return $out;
}

my $source = start_server('source');
my $target = start_server('target');
$source->safe_psql('postgres', q{
	SELECT ai_train('sms', 'SELECT label, body FROM messages WHERE id <= 1000', 'label');
	SELECT ai_train('sms', 'SELECT label, body FROM messages WHERE id <= 3000', 'label',
		options => '{"deploy": "always", "class_weight": "balanced"}')});
my %original = map { $_ => $source->safe_psql('postgres', $_) } $answers, $explained, $described, $exported;
is($source->safe_psql('postgres', $exported), $original{$exported}, 'exports are deterministic');
cmp_ok($source->safe_psql('postgres', q{SELECT count(*) FROM ai_export('sms')}), '>', 1,
	'there are several parts');

# everything that shows of the version is as it was, except for whose it is and since when
sub is_the_same
{
	my ($how) = @_;
	is($target->safe_psql('postgres', $answers), $original{$answers},
		"$how: the answers are the same, bit for bit");
	is($target->safe_psql('postgres', $explained), $original{$explained}, "$how: so are their reasons");
	is($target->safe_psql('postgres', "$described"),
		$target->safe_psql('postgres', q{SELECT jsonb '} . $original{$described} =~ s/'/''/gr .
			q{' || jsonb_build_object('version', ai_describe('sms')->'version')}),
		"$how: it describes itself as before");
	is( $target->safe_psql('postgres', q{SELECT i->>'name', i->>'version', i->>'user' = current_user, (i->>'created')::timestamptz < now()
			FROM ai_describe('sms') d, LATERAL (SELECT d->'lineage'->'imported' AS i) i}),
		'sms|2|t|t', "$how: and says where it was");
}

# as text, by \copy
psql($source, "\\copy (SELECT * FROM ai_export('sms')) TO '$dir/sms.copy'");
is(psql($target, qq{
	CREATE TEMP TABLE parts (seq int, data bytea);
	\\copy parts FROM '$dir/sms.copy'
	$import ai_import_query('sms', 'SELECT data FROM parts ORDER BY seq')}),
	'sms|1|text|classification|2|t', '\copy: it is imported');
is_the_same('\copy');

# as a file of its own, by way of large objects
psql($source, qq{
	SELECT lo_create(0) AS object \\gset
	SELECT count(lo_put(:object, seq::bigint * 1048576, data)) FROM ai_export('sms');
	\\lo_export :object $dir/sms.aiaas
	SELECT lo_unlink(:object)});
my ($code, $out, $err) = $target->psql('postgres', qq{
	\\lo_import $dir/sms.aiaas
	\\set object :LASTOID
	$import ai_import('sms', :object, deploy => true);
	\\lo_unlink :object});
like($out, qr/^sms\|2\|text\|classification\|2\|t$/m, '\lo_import: it is imported');
is_the_same('\lo_import');
is($source->safe_psql('postgres', 'SELECT count(*) FROM pg_largeobject_metadata') .
		$target->safe_psql('postgres', 'SELECT count(*) FROM pg_largeobject_metadata'),
	'00', '\lo_import: no large object is left');

# the same file, on the server
is($target->safe_psql('postgres', "$import ai_import_file(NULL, '$dir/sms.aiaas', true)"),
	'sms|3|text|classification|2|t', 'a file of the server: it is imported');
is_the_same('a file of the server');

# three versions, one content; sent on it has the same weights and another manifest
is($target->safe_psql('postgres', 'SELECT count(*) FROM aiaas.content'), '1', 'the bytes are stored once');
is($target->safe_psql('postgres', q{SELECT ai_describe('sms@1')->'hash' = ai_describe('sms')->'hash'}),
	't', 'under the same hash');
isnt($target->safe_psql('postgres', $exported), $original{$exported}, 'an import exports as an import');

# an imported version is one to beat, and training goes on
like($target->safe_psql('postgres', q{SELECT version, deployed FROM ai_train('sms', 'SELECT label, body FROM messages WHERE id <= 100', 'label')}),
	qr/^4\|f$/, 'training goes on from there');

# a standby exports and does not import
{
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$source->backup('base');
	$standby->init_from_backup($source, 'base', has_streaming => 1);
	$standby->start;
	is($standby->safe_psql('postgres', $exported), $original{$exported}, 'a standby exports the same');
	like(($standby->psql('postgres', "SELECT ai_import_file('x', '$dir/sms.aiaas')"))[2],
		qr/cannot execute ai_import\(\) during recovery/, 'and does not import');
	$standby->stop;
}

# labels arrive in the encoding of the database, or not at all
my $create = "ENCODING '%s' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
foreach my $encoding ('utf8', 'latin1', 'sql_ascii')
{
	$target->safe_psql('postgres', "CREATE DATABASE d_$encoding " . sprintf($create, $encoding));
	$target->safe_psql("d_$encoding", 'CREATE EXTENSION aiaas');
}
$target->safe_psql('d_utf8', q{
	CREATE TABLE texts AS SELECT chr(CASE i % 2 WHEN 0 THEN 233 ELSE 234 END) AS latin,
		chr(CASE i % 2 WHEN 0 THEN 1078 ELSE 1079 END) AS cyrillic,
		CASE i % 2 WHEN 0 THEN 'glace ' ELSE 'neige ' END || i AS body
	FROM generate_series(1, 40) i;
	SELECT ai_train('latin', 'SELECT latin AS label, body FROM texts');
	SELECT ai_train('cyrillic', 'SELECT cyrillic AS label, body FROM texts')});
foreach my $model ('latin', 'cyrillic')
{
	$target->safe_psql('d_utf8', "\\copy (SELECT data FROM ai_export('$model')) TO '$dir/$model.copy'");
}
my $import_copy = "CREATE TEMP TABLE parts (data bytea); \\copy parts FROM '$dir/%s.copy'\n" .
	"SELECT version FROM ai_import_query('m', 'SELECT data FROM parts')";
my $label = q{SELECT encode(convert_to(ai_classify('glace', 'm'), 'UTF8'), 'hex')};
is($target->safe_psql('d_latin1', sprintf($import_copy, 'latin')), '1', 'LATIN1: labels that it has come in');
is($target->safe_psql('d_latin1', $label), 'c3a9', 'LATIN1: and are what they were');
is($target->safe_psql('d_latin1', q{SELECT version FROM ai_import_query('again', $$SELECT data FROM ai_export('m') ORDER BY seq$$)}),
	'1', 'LATIN1: it exports in turn');
like(($target->psql('d_latin1', sprintf($import_copy, 'cyrillic')))[2],
	qr/has no equivalent in encoding "LATIN1"/, 'LATIN1: labels that it does not have stay out');
is($target->safe_psql('d_latin1', 'SELECT count(*) FROM ai_versions'), '2', 'LATIN1: with all the model');
is($target->safe_psql('d_sql_ascii', sprintf($import_copy, 'cyrillic')), '1', 'SQL_ASCII: takes them as bytes');
is($target->safe_psql('d_sql_ascii', q{SELECT encode(ai_classify('glace', 'm')::bytea, 'hex')}), 'd0b6',
	'SQL_ASCII: of UTF-8');
$target->safe_psql('d_sql_ascii', q{
	CREATE TABLE texts AS SELECT CASE i % 2 WHEN 0 THEN E'\xe9' ELSE E'\xea' END AS label, 'text ' || i AS body
	FROM generate_series(1, 40) i;
	SELECT ai_train('bytes', 'SELECT label, body FROM texts')});
like(($target->psql('d_sql_ascii', q{SELECT ai_export('bytes')}))[2],
	qr/model "bytes" cannot be exported because its texts are not UTF-8/, 'SQL_ASCII: bytes that are not stay');

$source->stop;
$target->stop;
done_testing();
