# limits that a superuser sets for a role hold in all its sessions, and it cannot raise them
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('limits');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE mail AS SELECT 'win a free prize ' || i AS body, 'spam' AS label FROM generate_series(1, 40) i
		UNION ALL SELECT 'see you at lunch ' || i, 'ham' FROM generate_series(1, 40) i;
	CREATE ROLE clerk LOGIN;
	GRANT SELECT ON mail TO clerk;
	GRANT EXECUTE ON FUNCTION ai_train, ai_import_query TO clerk});

sub as_clerk
{
	my ($query) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $query, extra_params => [ '-U', 'clerk' ], on_error_stop => 0);
	return "$out$err";
}

my %limits = (
	max_input_bytes => [ 100, q{SELECT ai_classify(repeat('a', 101), 'm')} ],
	max_model_bytes => [ q{'5kB'}, q{SELECT ai_import_query('m', 'SELECT data FROM ai_export(''m'') ORDER BY seq')} ],
	max_train_memory => [ q{'1MB'}, q{SELECT ai_train('m', 'SELECT body, label FROM mail', 'label')} ],
	max_train_time => [ q{'1s'}, q{SELECT ai_train('m', 'SELECT body, label FROM mail, pg_sleep(100)', 'label')} ]);

like(as_clerk(q{SELECT version FROM ai_train('m', 'SELECT body, label FROM mail', 'label')}), qr/^1$/m,
	'without limits a model is trained');
foreach my $name (sort keys %limits)
{
	my ($limit, $query) = @{ $limits{$name} };
	my $hint = qr/HINT:  Raise aiaas\.$name\b/;

	$node->safe_psql('postgres', "ALTER ROLE clerk SET aiaas.$name = $limit");
	like(as_clerk($query), $hint, "$name: the error names the setting");
	like(as_clerk("SET aiaas.$name = 0; $query"), $hint, "$name: it cannot be raised before the library is loaded");
	like(as_clerk("SELECT ai_classify('free', 'm'); SET aiaas.$name = 2000; $query"),
		qr/permission denied to set parameter "aiaas\.$name".*$hint/s, "$name: nor after that");
	like(as_clerk("ALTER ROLE clerk SET aiaas.$name = 2000"), qr/permission denied/, "$name: nor for later");
	$node->safe_psql('postgres', "ALTER ROLE clerk RESET aiaas.$name");
}
is($node->safe_psql('postgres', 'SELECT max(version) FROM ai_versions'), '1', 'nothing is left of what failed');

$node->stop;
done_testing();
