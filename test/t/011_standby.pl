# a standby applies models with rights and pins, refuses to change them, and trains and imports after promotion
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $train = q{SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label',
	options => '{"deploy": "always"}')};
my $classify = q{SELECT ai_classify('free prize', 'sms')};

my $import = q{SELECT version FROM ai_import_query('copy', 'SELECT data FROM exported ORDER BY seq')};

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql(
	'postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE mail AS
		SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
		FROM generate_series(1, 40) i
		UNION ALL
		SELECT 'see you at lunch, we meet at ' || i, 'ham'
		FROM generate_series(1, 40) i});
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

sub catch_up
{
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
}

# a model that was trained after the backup
$primary->safe_psql('postgres', $train);
catch_up();
is($standby->safe_psql('postgres', $classify), 'spam', 'a standby classifies');
is( $standby->safe_psql('postgres', 'SELECT model, version FROM ai_loaded'),
	'sms|1', 'with a file of its own');
is($standby->safe_psql('postgres', 'SELECT stored, shared FROM ai_check()'), 'ok|ok', 'which it can check');
is($standby->safe_psql('postgres', 'SELECT name, deployed FROM ai_models'), 'sms|1', 'and lists models');
is( $standby->safe_psql('postgres', q{SELECT ai_describe('sms')->>'labels'}),
	'["ham", "spam"]', 'and describes them');

# what is granted and pinned on the primary holds on the standby
$primary->safe_psql('postgres', 'CREATE ROLE bob; CREATE ROLE eve');
$primary->safe_psql(
	'postgres', q{
	SELECT ai_grant('sms', 'bob', 'use');
	CREATE TABLE exported AS SELECT * FROM ai_export('sms')});
my $pin = $primary->safe_psql('postgres', q{SELECT ai_pin('sms')});
$primary->safe_psql('postgres', "CREATE INDEX mail_label ON mail (ai_classify_pinned(body, '$pin'))");
catch_up();
is($standby->safe_psql('postgres', "SET ROLE bob; $classify"), 'spam', 'who may use a model uses it');
my (undef, undef, $refused) = $standby->psql('postgres', "SET ROLE eve; $classify");
like($refused, qr/ERROR:  model "sms" does not exist/, 'who may not does not');
is($standby->safe_psql('postgres', "SELECT ai_classify_pinned('free prize', '$pin')"), 'spam', 'a pin answers');
is( $standby->safe_psql('postgres',
		"SET enable_seqscan = off; SELECT count(*) FROM mail WHERE ai_classify_pinned(body, '$pin') = 'spam'"),
	'40', 'and so does an index on it');
is( $standby->safe_psql('postgres', q{SELECT string_agg(data, '' ORDER BY seq) =
		(SELECT string_agg(data, '' ORDER BY seq) FROM exported) FROM ai_export('sms')}),
	't', 'a standby exports the same bytes');

# what writes is refused in the server's words
my %writers = (
	'ai_train()' => $train,
	'ai_deploy()' => q{SELECT ai_deploy('sms', 1)},
	'ai_rename()' => q{SELECT ai_rename('sms', 'x')},
	'ai_comment()' => q{SELECT ai_comment('sms', 'x')},
	'ai_drop()' => q{SELECT ai_drop('sms')},
	'ai_grant()' => q{SELECT ai_grant('sms', 'eve', 'use')},
	'ai_revoke()' => q{SELECT ai_revoke('sms', 'bob')},
	'ai_owner()' => q{SELECT ai_owner('sms', 'bob')},
	'ai_import()' => $import);
foreach my $name (sort keys %writers)
{
	my ($status, $stdout, $stderr) = $standby->psql('postgres', $writers{$name});

	isnt($status, 0, "$name fails on a standby");
	like($stderr, qr/ERROR:  cannot execute \Q$name\E during recovery/, "$name says why");
}

# a change reaches the standby as that of any row
$primary->safe_psql('postgres', q{SELECT ai_rename('sms', 'old')});
catch_up();
is($standby->safe_psql('postgres', 'SELECT name FROM ai_models'), 'old', 'changes arrive');
$primary->safe_psql('postgres', q{SELECT ai_rename('old', 'sms')});
catch_up();

# after promotion it is a server like any other
$primary->stop;
$standby->promote;
is($standby->safe_psql('postgres', $train), '2', 'a promoted standby trains');
is($standby->safe_psql('postgres', $classify), 'spam', 'and classifies with the new version');
is($standby->safe_psql('postgres', $import), '1', 'it imports');
is($standby->safe_psql('postgres', q{SELECT ai_pin('copy') = replace(ai_pin('sms@1'), 'sms', 'copy')}),
	't', 'what was exported before');
is($standby->safe_psql('postgres', q{SELECT ai_grant('copy', 'eve', 'use')}), '', 'it grants');
is($standby->safe_psql('postgres', q{SET ROLE eve; SELECT ai_classify('free prize', 'copy')}), 'spam', 'and that counts');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM ai_check() WHERE stored = 'ok'}), '3', 'all is sound');

$standby->stop;
done_testing();
