# a dump brings models back: their versions, owners, rights and weights, and training goes on
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $train = q{SELECT version FROM ai_train('%s', 'SELECT body, label FROM mail', 'label',
	options => '{"deploy": "%s", "min_count": %d}')};
my $versions = q{SELECT model, version, deployed, algorithm, task, train_rows, validation_rows, metric,
	train_score, validation_score, duration, bytes, created FROM ai_versions};
my $models = 'SELECT name, deployed, versions, created, comment, owner FROM ai_models';
my $contents = q{SELECT hash, bytes, (SELECT string_agg(sha256::text, ' ' ORDER BY seq)
	FROM aiaas.chunk k WHERE k.hash = c.hash) FROM aiaas.content c ORDER BY hash};
my $rights = 'SELECT model, role, privilege, grantor FROM ai_privileges';
my $check = q{SELECT count(*), count(*) FILTER (WHERE stored = 'ok') FROM ai_check()};
my $answers = q{SELECT string_agg(ai_classify(body, m), ',' ORDER BY body)
	FROM mail, unnest(ARRAY['sms', 'sms@1', 'bobs', 'renamed']) m};

# what a user sees of the models of a database
sub seen
{
	my ($node, $database) = @_;
	return { map { $_ => $node->safe_psql($database, $_) } $versions, $contents, $answers };
}

sub as
{
	my ($node, $database, $role, $query) = @_;
	return $node->safe_psql($database, "SET ROLE $role; $query");
}

# roles as they were: what each has is what it had
sub check_rights
{
	my ($node, $database) = @_;

	is(as($node, $database, 'guest', 'SELECT name, privilege FROM ai_models'),
		'renamed|use', "$database: public's privilege is everybody's");
	is(as($node, $database, 'ann', "SELECT name, privilege FROM ai_models"),
		"bobs|admin\nrenamed|use\nsms|owner", "$database: a role has what it owns and was granted");
	is(as($node, $database, 'late', "SELECT name, privilege FROM ai_models WHERE privilege <> 'owner'"),
		'sms|read', "$database: so has one that was renamed after it was granted");
	as($node, $database, 'ann', "SELECT ai_comment('bobs', 'looked after by ann')");
	my ($status, $stdout, $stderr) =
		$node->psql($database, q{SET ROLE late; SELECT ai_comment('sms', 'not mine')});
	like($stderr, qr/permission denied for model "sms"/, "$database: and no more");
}

# in the restored database a known model gets the next number and a new one its own row
sub train_on
{
	my ($node, $database) = @_;

	is(as($node, $database, 'ann', sprintf($train, 'sms', 'always', 3)), '3', "$database: next version");
	is(as($node, $database, 'ann', sprintf($train, 'new', 'better', 1)), '1', "$database: new model");
	is($node->safe_psql($database, 'SELECT count(*) = count(DISTINCT id) FROM aiaas.model'),
		't', "$database: its id is new");
	is(as($node, $database, 'ann', "SELECT ai_classify('free prize', 'new')"),
		'spam', "$database: and it works");
	as($node, $database, 'ann', "SELECT ai_drop('sms'), ai_drop('new')");
}

my $source = PostgreSQL::Test::Cluster->new('source');
$source->init;
$source->start;
$source->safe_psql('postgres', "CREATE ROLE $_ LOGIN") foreach qw(dba ann bob early guest);
$source->safe_psql('postgres', 'CREATE DATABASE shop OWNER dba');

# the database's owner, who is no superuser, installs the extension
$source->safe_psql('shop', 'CREATE EXTENSION aiaas', extra_params => [ '-U', 'dba' ]);
$source->safe_psql(
	'shop', q{
	CREATE TABLE mail AS
		SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
		FROM generate_series(1, 40) i
		UNION ALL
		SELECT 'see you at lunch, we meet at ' || i, 'ham'
		FROM generate_series(1, 40) i;
	GRANT SELECT ON mail TO PUBLIC;
	GRANT EXECUTE ON FUNCTION ai_train TO PUBLIC});
as($source, 'shop', 'ann', sprintf($train, 'sms', 'better', 1));
as($source, 'shop', 'ann', sprintf($train, 'sms', 'never', 2));
as($source, 'shop', 'ann', "SELECT ai_comment('sms', 'spam or not')");
as($source, 'shop', 'bob', sprintf($train, 'bobs', 'better', 4));
as($source, 'shop', 'early', sprintf($train, 'renamed', 'better', 1));
as($source, 'shop', 'ann', "SELECT ai_grant('sms', 'early', 'read'), ai_grant('sms', 'bob', 'train')");
as($source, 'shop', 'bob', "SELECT ai_grant('bobs', 'ann', 'admin')");
as($source, 'shop', 'early', "SELECT ai_grant('renamed', 'public', 'use')");
$source->safe_psql('postgres', 'ALTER ROLE early RENAME TO late');

my $seen = seen($source, 'shop');
my $owned = $source->safe_psql('shop', $models);
my $granted = $source->safe_psql('shop', $rights);
like($owned, qr/renamed.*\|late$/m, 'a model follows the new name of its owner');

my $dir = PostgreSQL::Test::Utils::tempdir;
$source->command_ok([ 'pg_dump', '-U', 'dba', '-f', "$dir/shop.sql", 'shop' ],
	'the owner of the database dumps it');
$source->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/shop.dump", 'shop' ], 'a superuser dumps it');

# in the same cluster, all roles are there
$source->safe_psql('postgres', 'CREATE DATABASE plain');
$source->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'plain', '-f', "$dir/shop.sql" ],
	'plain: restores without an error');
is_deeply(seen($source, 'plain'), $seen, 'plain: versions, contents and answers are the same');
is($source->safe_psql('plain', $models), $owned, 'plain: so are names, comments and owners');
is($source->safe_psql('plain', $rights), $granted, 'plain: so are rights');
is($source->safe_psql('plain', $check), '4|4', 'plain: what is stored is sound');
check_rights($source, 'plain');
train_on($source, 'plain');

# in parallel
$source->safe_psql('postgres', 'CREATE DATABASE parallel');
$source->command_ok([ 'pg_restore', '-j2', '-d', 'parallel', "$dir/shop.dump" ],
	'parallel: restores without an error');
is_deeply(seen($source, 'parallel'), $seen, 'parallel: versions, contents and answers are the same');
is($source->safe_psql('parallel', $models), $owned, 'parallel: so are names, comments and owners');
is($source->safe_psql('parallel', $rights), $granted, 'parallel: so are rights');
is($source->safe_psql('parallel', $check), '4|4', 'parallel: what is stored is sound');
check_rights($source, 'parallel');
train_on($source, 'parallel');

# in another cluster, where a role that owns, was granted and has granted does not exist
my $target = PostgreSQL::Test::Cluster->new('target');
$target->init;
$target->start;
$target->safe_psql('postgres', "CREATE ROLE $_ LOGIN") foreach qw(dba late ann guest);
$target->safe_psql('postgres', 'CREATE DATABASE shop OWNER dba');
my ($stdout, $stderr);
ok( IPC::Run::run(
		[ 'pg_restore', '-j2', '-d', $target->connstr('shop'), "$dir/shop.dump" ],
		'>', \$stdout, '2>', \$stderr),
	'missing role: restores without an error') or diag($stderr);
like(slurp_file($target->logfile), qr/WARNING:  role "bob" does not exist/,
	'missing role: but with a warning in the log, since pg_restore shows none');
is_deeply(seen($target, 'shop'), $seen, 'missing role: versions, contents and answers are the same');
is($target->safe_psql('shop', 'SELECT name, owner FROM ai_models'),
	"bobs|\nrenamed|late\nsms|ann", 'missing role: its models have no owner, others keep theirs');
my $without_bob = join("\n", sort split(/\n/, $granted =~ s/\bbob\b//gr));
is(join("\n", sort split(/\n/, $target->safe_psql('shop', $rights))),
	$without_bob, 'missing role: its rights are nobody\'s, others keep theirs');
is($target->safe_psql('shop', $check), '4|4', 'missing role: what is stored is sound');
check_rights($target, 'shop');
$target->safe_psql('postgres', 'CREATE ROLE bob');
is(as($target, 'shop', 'bob', 'SELECT name, privilege FROM ai_models'),
	'renamed|use', 'missing role: nor are they a later role\'s of this name');
as($target, 'shop', 'ann', "SELECT ai_grant('sms', 'bob', 'use')");
is(as($target, 'shop', 'ann', "SELECT role, privilege FROM ai_privileges WHERE model = 'sms'"),
	"ann|owner\nbob|use\nlate|read", 'missing role: what is nobody\'s goes when something is granted');
$target->safe_psql('shop', "SELECT ai_owner('bobs', 'bob')");
is(as($target, 'shop', 'bob', 'SELECT name, privilege FROM ai_models'),
	"bobs|owner\nrenamed|use\nsms|use", 'missing role: a superuser gives its models away');
train_on($target, 'shop');

$source->stop;
$target->stop;
done_testing();
