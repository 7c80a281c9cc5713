# the extension can be created, survives a restart and can be dropped
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('smoke');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE EXTENSION aiaas');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'aiaas'"),
	'1', 'the extension is there');

$node->restart;
is($node->safe_psql('postgres', "SELECT extversion FROM pg_extension WHERE extname = 'aiaas'"),
	'1.0', 'and after a restart still');

$node->safe_psql('postgres', 'DROP EXTENSION aiaas');
is( $node->safe_psql('postgres', "SELECT count(*) FROM pg_proc WHERE proname ~ '^ai_'"),
	'0', 'nothing of it stays when it is dropped');

$node->stop;
done_testing();
