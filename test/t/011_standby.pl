# a standby applies models, refuses to change them, and trains after promotion
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $train = q{SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label',
	options => '{"deploy": "always"}')};
my $classify = q{SELECT ai_classify('free prize', 'sms')};

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

# what writes is refused in the server's words
my %writers = (
	'ai_train()' => $train,
	'ai_deploy()' => q{SELECT ai_deploy('sms', 1)},
	'ai_rename()' => q{SELECT ai_rename('sms', 'x')},
	'ai_comment()' => q{SELECT ai_comment('sms', 'x')},
	'ai_drop()' => q{SELECT ai_drop('sms')});
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

$standby->stop;
done_testing();
