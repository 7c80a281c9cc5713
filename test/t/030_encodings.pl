# every function works in databases of every encoding, with the same numbers
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('encodings');
$node->init;
$node->start;

# Texts and labels as code points, so that this file and psql stay ASCII.
my $rows = q{
	CREATE TABLE messages AS SELECT
		CASE i % 2 WHEN 0 THEN chr(233) || 't' || chr(233) ELSE 'hiver' END AS label,
		CASE i % 2 WHEN 0 THEN 'caf' || chr(233) || ' glac' || chr(233) || ' ' ELSE 'neige ' END || i AS body
	FROM generate_series(1, 100) i;
};
# A label as the bytes of its UTF-8
my $label = q{encode(convert_to(ai_classify('caf' || chr(233), 'm'), 'UTF8'), 'hex')};
my $ete = 'c3a974c3a9';

sub create_database
{
	my ($encoding) = @_;
	my $db = lc("d_$encoding");
	$node->safe_psql('postgres',
		"CREATE DATABASE $db ENCODING '$encoding' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($db, 'CREATE EXTENSION aiaas');
	return $db;
}

my %numbers;
foreach my $encoding ('UTF8', 'LATIN1', 'WIN1252', 'LATIN9')
{
	my $db = create_database($encoding);
	$node->safe_psql($db, $rows);
	is( $node->safe_psql($db, q{SELECT deployed FROM ai_train('m', 'SELECT body, label FROM messages')}),
		't', "$encoding: a model is trained");
	is($node->safe_psql($db, "SELECT $label"), $ete, "$encoding: a label comes back as it was");
	is( $node->safe_psql($db, q{SELECT count(*) FROM messages WHERE ai_classify(body, 'm') = label}),
		'100', "$encoding: labels compare equal");
	is( $node->safe_psql($db, q{SELECT string_agg(encode(convert_to(key, 'UTF8'), 'hex'), ' ' ORDER BY length(key))
			FROM jsonb_object_keys(ai_scores('x', 'm')) key}),
		"$ete 6869766572", "$encoding: scores have the labels");
	is( $node->safe_psql($db, q{SELECT count(*) FROM ai_explain('un caf' || chr(233), 'm')
			WHERE kind = 'word' AND feature = 'caf' || chr(233)}),
		'1', "$encoding: an explanation has the words of the text");
	is( $node->safe_psql($db, q{SELECT count(*) > 0 FROM ai_importance('m') WHERE feature LIKE '%caf' || chr(233) || '%'}),
		't', "$encoding: so have importances");
	is( $node->safe_psql($db, q{SELECT rows FROM ai_confusion('m', 'SELECT body, label FROM messages')
			WHERE actual = predicted AND actual = chr(233) || 't' || chr(233)}),
		'50', "$encoding: and the confusion matrix");
	is( $node->safe_psql($db, q{SELECT ai_score('glac' || chr(233), chr(233) || 't' || chr(233), 'm') > 0.5}),
		't', "$encoding: a label is found");
	like( ($node->psql($db, q{SELECT ai_score('x', 'printemps', 'm')}))[2],
		qr/has no label "printemps"/, "$encoding: a missing label is reported");
	like( ($node->psql($db, q{SELECT ai_train('n', 'SELECT body, chr(233)::text AS label FROM messages')}))[2],
		qr/all rows have the same label/, "$encoding: an error of the core is translated");
	$numbers{$encoding} = $node->safe_psql($db,
		q{SELECT string_agg(ai_score(body, label, 'm')::text, ' ' ORDER BY body) FROM messages});
}
is($numbers{$_}, $numbers{UTF8}, "$_: the numbers are those of UTF8") foreach ('LATIN1', 'WIN1252', 'LATIN9');

# nobody knows what bytes mean in SQL_ASCII: they come back as they went in
my $db = create_database('SQL_ASCII');
$node->safe_psql($db, q{
	CREATE TABLE messages AS SELECT
		CASE i % 2 WHEN 0 THEN E'\xe9t\xe9' ELSE E'\xc3\xa9' END AS label,
		CASE i % 2 WHEN 0 THEN E'caf\xe9 ' ELSE E'neige\xff\xfe ' END || i AS body
	FROM generate_series(1, 100) i;
});
is( $node->safe_psql($db, q{SELECT deployed FROM ai_train('m', 'SELECT body, label FROM messages')}),
	't', 'SQL_ASCII: a model is trained');
is( $node->safe_psql($db, q{SELECT encode(convert_to(ai_classify(E'caf\xe9', 'm'), 'SQL_ASCII'), 'hex'),
		encode(convert_to(ai_classify(E'neige\xff\xfe', 'm'), 'SQL_ASCII'), 'hex')}),
	'e974e9|c3a9', 'SQL_ASCII: labels are the same bytes');
is( $node->safe_psql($db, q{SELECT count(*) FROM messages WHERE ai_classify(body, 'm') = label}),
	'100', 'SQL_ASCII: labels compare equal');
is( $node->safe_psql($db, q{SELECT ai_score(E'caf\xe9', E'\xe9t\xe9', 'm') > 0.5}),
	't', 'SQL_ASCII: a label is found');
is($node->safe_psql($db, q{SELECT count(*) > 0 FROM ai_explain(E'caf\xe9', 'm')}),
	't', 'SQL_ASCII: a text is explained');
is($node->safe_psql($db, q{SELECT count(*) > 0 FROM ai_importance('m')}),
	't', 'SQL_ASCII: a model tells what it goes by');
is($node->safe_psql($db, q{SELECT value FROM ai_evaluate('m', 'SELECT body, label FROM messages') WHERE metric = 'accuracy'}),
	'1', 'SQL_ASCII: a model is evaluated');

$node->stop;
done_testing();
