# what is pinned comes back from a dump, in the order that the README says
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $dir = PostgreSQL::Test::Utils::tempdir;
my $counts = 'SELECT label, count(*) FROM %s GROUP BY label ORDER BY label';

# a database with a model; returns its pin
sub create_source
{
	my ($name) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	return $node->safe_psql(
		$name, q{
		CREATE EXTENSION aiaas;
		CREATE TABLE mail AS
			SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
			FROM generate_series(1, 40) i
			UNION ALL
			SELECT 'see you at lunch, we meet at ' || i, 'ham'
			FROM generate_series(1, 40) i;
		SET client_min_messages = error;
		DO $$ BEGIN PERFORM ai_train('sms', 'SELECT body, label FROM mail', 'label'); END $$;
		SELECT ai_pin('sms')});
}

# 0 and nothing when all went well
sub restore
{
	my ($database, @options) = @_;
	my ($stdout, $stderr);
	my $ok = IPC::Run::run([ 'pg_restore', @options, '-d', $database, "$dir/$database.dump" ],
		'>', \$stdout, '2>', \$stderr);
	return $ok ? '' : $stderr;
}

sub dump_and_empty
{
	my ($database) = @_;
	$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/$database.dump", $database ], "$database: pg_dump");
	$node->command_ok([ 'pg_dump', '-f', "$dir/$database.sql", $database ], "$database: plain pg_dump");
	create_empty($database);
}

sub create_empty
{
	my ($database) = @_;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $database");
	$node->safe_psql('postgres', "CREATE DATABASE $database");
}

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;

# models first, then the rest in parallel
sub restore_in_order
{
	my ($database) = @_;
	return restore($database, '--section=pre-data')
		. restore($database, '--section=data', '--schema=aiaas')
		. restore($database, '--section=data', '--section=post-data', '--exclude-schema=aiaas', '-j2');
}

#
# The recipe of the README, a column that the user's own trigger fills: nothing to heed
#
create_source('recipe');
$node->safe_psql(
	'recipe', q{
	CREATE TABLE inbox (body text, label text);
	CREATE FUNCTION set_label() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		NEW.label := ai_classify(NEW.body, 'sms');
		RETURN NEW;
	END $$;
	CREATE TRIGGER set_label BEFORE INSERT OR UPDATE OF body ON inbox
		FOR EACH ROW EXECUTE FUNCTION set_label();
	CREATE INDEX inbox_label ON inbox (label);
	INSERT INTO inbox SELECT body FROM mail});
dump_and_empty('recipe');

sub check_recipe
{
	my ($how) = @_;
	is($node->safe_psql('recipe', sprintf($counts, 'inbox')), "ham|40\nspam|40", "$how: labels are there");
	is($node->safe_psql('recipe', q{INSERT INTO inbox (body) VALUES ('a free prize') RETURNING label}),
		'spam', "$how: and go on");
	create_empty('recipe');
}
is(restore('recipe', '-j2'), '', 'recipe: pg_restore -j2');
check_recipe('recipe -j2');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'recipe', '-f', "$dir/recipe.sql" ],
	'recipe: a plain dump');
check_recipe('recipe, plain');

#
# Indexes are built when all rows are there; but with -j when those of their table are
#
my $pin = create_source('indexed');
$node->safe_psql(
	'indexed', qq{
	CREATE TABLE inbox AS SELECT body FROM mail;
	CREATE INDEX inbox_label ON inbox (ai_classify_pinned(body, '$pin'));
	CREATE INDEX inbox_spam ON inbox (body) WHERE ai_classify_pinned(body, '$pin') = 'spam'});
dump_and_empty('indexed');

sub check_indexed
{
	my ($how) = @_;
	my $by_index = qq{SET enable_seqscan = off; %s SELECT count(*) FROM inbox
		WHERE ai_classify_pinned(body, '$pin') = 'spam'};
	like($node->safe_psql('indexed', sprintf($by_index, 'EXPLAIN')), qr/Index.* (using|on) inbox_/,
		"$how: indexes are used");
	is($node->safe_psql('indexed', sprintf($by_index, '')), '40', "$how: and right");
	create_empty('indexed');
}
is(restore('indexed'), '', 'indexed: pg_restore without -j needs no care');
check_indexed('serial');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'indexed', '-f', "$dir/indexed.sql" ],
	'indexed: a plain dump needs none either');
check_indexed('plain');
is(restore_in_order('indexed'), '', 'indexed: with -j2 after the models');
check_indexed('in order');

#
# Generated columns and CHECK constraints need the models before their rows
#
$pin = create_source('generated');
$node->safe_psql(
	'generated', qq{
	CREATE TABLE inbox (body text,
		label text GENERATED ALWAYS AS (ai_classify_pinned(body, '$pin')) STORED);
	INSERT INTO inbox SELECT body FROM mail;
	CREATE TABLE checked (label text, body text
		CHECK (ai_classify_pinned(body, '$pin') IN ('ham', 'spam')));
	INSERT INTO checked SELECT label, body FROM mail});
dump_and_empty('generated');

sub check_generated
{
	my ($how) = @_;
	is($node->safe_psql('generated', sprintf($counts, $_)), "ham|40\nspam|40", "$how: $_")
		foreach qw(inbox checked);
	is( $node->safe_psql('generated', q{INSERT INTO inbox VALUES ('a free prize') RETURNING label}),
		'spam', "$how: and new rows");
	create_empty('generated');
}

# tables are dumped by the names of their schemas, and "aiaas" stands before "public"
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'generated', '-f', "$dir/generated.sql" ],
	'generated: a plain dump of schema public restores');
check_generated('plain');
is(restore('generated'), '', 'generated: so does pg_restore without -j');
check_generated('serial');

is(restore_in_order('generated'), '', 'generated: pg_restore -j2 of the rest after the models');
check_generated('in order');

# otherwise the error says what is missing and what to do
is(restore('generated', '--section=pre-data'), '', 'generated: without models, tables');
my $stderr = restore('generated', '--section=data', '--exclude-schema=aiaas');
like($stderr, qr/COPY failed for table "inbox": ERROR:  the model of pin "\Q$pin\E" does not exist/,
	'generated: without models, rows fail');
like($stderr, qr/HINT:  Restore or import models before the tables that are pinned to them/,
	'generated: with a hint');
is( restore('generated', '--section=data', '--schema=aiaas')
		. restore('generated', '--data-only', '--table=inbox')
		. restore('generated', '--data-only', '--table=checked'),
	'', 'generated: and can be loaded later');
check_generated('later');

#
# A schema whose name stands before "aiaas" is dumped before the models
#
$pin = create_source('early');
$node->safe_psql(
	'early', qq{
	CREATE SCHEMA accounts;
	CREATE TABLE accounts.inbox (body text,
		label text GENERATED ALWAYS AS (ai_classify_pinned(body, '$pin')) STORED);
	INSERT INTO accounts.inbox SELECT body FROM mail});
dump_and_empty('early');
like(restore('early'), qr/the model of pin "\Q$pin\E" does not exist/,
	'early: pg_restore comes to the rows too soon');
create_empty('early');
is(restore_in_order('early'), '', 'early: with models first it does not');
is($node->safe_psql('early', sprintf($counts, 'accounts.inbox')), "ham|40\nspam|40", 'early: labels are there');

$node->stop;
done_testing();
