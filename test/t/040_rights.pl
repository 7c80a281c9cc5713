# a database's owner installs the extension: it works for him and those he lets in, and for nobody else
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('trusted');
$node->init;
$node->start;
$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN") foreach qw(dba ann bob eve heir);
$node->safe_psql('postgres', 'CREATE DATABASE shop OWNER dba');

# what somebody gets for a query, and the error
sub as
{
	my ($role, $query) = @_;
	my ($rc, $stdout, $stderr) =
		$node->psql('shop', $query, extra_params => [ '-U', $role, '-v', 'ON_ERROR_STOP=1' ]);
	return $rc == 0 ? $stdout : $stderr;
}

my $train = q{SELECT model, version, deployed FROM ai_train('%s', 'SELECT body, label FROM mail', 'label')};
my $classify = q{SELECT ai_classify('free prize', 'sms')};

as('dba', 'CREATE EXTENSION aiaas');
is(as('dba', q{SELECT extowner::regrole FROM pg_extension WHERE extname = 'aiaas'}),
	'dba', 'the owner of the database installs the extension');
is( as( 'dba', q{SELECT DISTINCT relowner::regrole FROM pg_class
		WHERE relnamespace = 'aiaas'::regnamespace OR relname ~ '^ai_'}),
	'dba', 'tables and views are his');
as( 'dba', q{
	CREATE TABLE mail AS
		SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
		FROM generate_series(1, 40) i
		UNION ALL
		SELECT 'see you at lunch, we meet at ' || i, 'ham'
		FROM generate_series(1, 40) i;
	GRANT SELECT ON mail TO PUBLIC});

# the owner of the database needs no superuser to train, nor to let others do it
is(as('dba', sprintf($train, 'sms')), 'sms|1|t', 'he trains');
is(as('dba', $classify), 'spam', 'and classifies');
as('dba', q{SELECT format('CREATE INDEX mail_label ON mail (ai_classify_pinned(body, %L))', ai_pin('sms')) \gexec});
like(as('dba', q{SELECT ai_drop('sms')}), qr/DETAIL:  index mail_label depends on version 1 of model "sms"/,
	'a model that he pinned an index to is not dropped');
as('dba', 'DROP INDEX mail_label');
like(as('ann', sprintf($train, 'anns')), qr/permission denied for function ai_train/, 'others do not train');
like(as('ann', $classify), qr/model "sms" does not exist/, 'nor see his models');
as('dba', 'GRANT EXECUTE ON FUNCTION ai_train TO ann');
like(as('ann', sprintf($train, 'anns')), qr/permission denied for function ai_train/,
	'he does not let them, since the function belongs to a superuser');
$node->safe_psql('shop', 'GRANT EXECUTE ON FUNCTION ai_train TO ann');
is(as('ann', sprintf($train, 'anns')), 'anns|1|t', 'a superuser does');

# rights go from model to model, and the owner of the tables has no more than others
as('dba', q{SELECT ai_grant('sms', 'ann', 'use')});
is(as('ann', $classify), 'spam', 'a role that may use a model classifies');
is(as('ann', 'SELECT string_agg(name, chr(32) ORDER BY name) FROM ai_models'), 'anns sms', 'and sees it');
is(as('dba', 'SELECT string_agg(name, chr(32) ORDER BY name) FROM ai_models'),
	'sms', 'he who owns the tables sees his models');
is(as('bob', 'SELECT count(*) FROM ai_models'), '0', 'a stranger sees none');

# a stranger reads and writes no table
foreach my $table (qw(model version content chunk privilege allowed))
{
	like(as('eve', "SELECT * FROM aiaas.$table"), qr/permission denied/, "$table is not read");
	like(as('eve', "DELETE FROM aiaas.$table"), qr/permission denied/, "$table is not written");
}
like(as('eve', "SELECT nextval('aiaas.model_id_seq')"), qr/permission denied/, 'nor is the sequence');

# nobody gets the rights of the tables' owner by objects that look like ours
as('dba', 'GRANT CREATE ON DATABASE shop TO eve');
my $trap = q{
	CREATE SCHEMA evil;
	CREATE FUNCTION evil.note(text, text) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		RAISE WARNING 'run as %', current_user;
		RETURN true;
	END $$;
	CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.note);
	CREATE FUNCTION evil.pg_has_role(oid, text) RETURNS boolean LANGUAGE sql RETURN true;
	CREATE FUNCTION evil.strpos(text, text) RETURNS int LANGUAGE sql RETURN 1};
as('eve', $trap);
my $path = 'SET search_path = evil, pg_catalog, public;';
my ($stdout, $stderr) = ('', '');
foreach my $call ("ai_classify('free prize', 'sms')", "ai_drop('sms')", "ai_grant('sms', 'eve', 'use')")
{
	$node->psql('shop', "$path SELECT $call", stderr => \$stderr, extra_params => [ '-U', 'eve' ]);
	like($stderr, qr/model "sms" does not exist/, "$call: operators of others are not used");
	unlike($stderr, qr/run as/, "$call: nor run");
}
is(as('eve', "$path SELECT count(*) FROM ai_models"), '0', 'nor are functions, in the views');

# roles that go: their models are left to superusers, their grants to nobody
as('ann', q{SELECT ai_grant('anns', 'bob', 'admin')});
$node->safe_psql('shop', 'DROP OWNED BY ann');
$node->safe_psql('postgres', 'DROP ROLE ann');
is($node->safe_psql('shop', q{SELECT owner IS NULL, privilege FROM ai_models WHERE name = 'anns'}),
	't|owner', 'the model of a dropped role has no owner');
is(as('bob', q{SELECT ai_classify('free prize', 'anns')}), 'spam', 'what it granted stays');
like(as('bob', q{SELECT ai_owner('anns', 'bob')}), qr/permission denied for model "anns"/,
	'an admin does not become the owner');
$node->safe_psql('postgres', 'CREATE ROLE ann LOGIN');
is(as('ann', 'SELECT count(*) FROM ai_models'), '0', 'a later role of this name has nothing');
$node->safe_psql('shop', q{SELECT ai_owner('anns', 'bob')});
is(as('bob', q{SELECT owner FROM ai_models WHERE name = 'anns'}), 'bob', 'a superuser gives it to another');

# the tables get another owner, and nothing else changes
$node->safe_psql('shop', 'REASSIGN OWNED BY dba TO heir');
is($node->safe_psql('shop', q{SELECT relowner::regrole FROM pg_class WHERE oid = 'aiaas.model'::regclass}),
	'heir', 'REASSIGN OWNED gives the tables to another');
is(as('dba', $classify), 'spam', 'models stay with their owner');
is(as('dba', q{SELECT owner FROM ai_models WHERE name = 'sms'}), 'dba', 'as the views say');
is(as('heir', 'SELECT count(*) FROM ai_models'), '0', 'and are not given to the new owner of the tables');
is(as('dba', sprintf($train, 'more')), 'more|1|t', 'training goes on');

$node->stop;
done_testing();
