# a back-fill of embeddings can be stopped and called again, beside others and users
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Sessions;
use Test::More;
use Time::HiRes qw(time);

# How long a stop may take, in seconds; the aim is 0.1, the rest is for slow machines.
my $patience = 2;
my $n_rows = 300;
my $backfill = q{CALL ai_embed_backfill('docs', 'body', 'e', 'tiny', 10)};
my $right = q{SELECT count(e) || ' ' || bool_and(e = ai_embed(body, 'tiny')) FROM docs};

my $node = PostgreSQL::Test::Cluster->new('backfill');
$node->init;
$node->start;
my $tar = "$FindBin::RealBin/../data/encoders/embedder.tar";
my $psql = [ 'psql', '-XAtq', '-d', $node->connstr('postgres') ];
$node->safe_psql('postgres', 'CREATE EXTENSION aiaas');
run_log([ @$psql, '-c', "\\lo_import '$tar'" ], '>', \my $nothing);
$node->safe_psql('postgres', q{
	SELECT ai_import('tiny', loid) FROM (SELECT oid AS loid FROM pg_largeobject_metadata) o;
	CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
	CREATE TABLE docs (id int PRIMARY KEY, body text, e real[]);
	CREATE TRIGGER slowly BEFORE UPDATE OF e ON docs FOR EACH ROW EXECUTE FUNCTION slowly();
});

sub fill_table
{
	$node->safe_psql('postgres', qq{
		TRUNCATE docs;
		INSERT INTO docs SELECT i, 'the cat number ' || i, NULL FROM generate_series(1, $n_rows) i;
		INSERT INTO docs VALUES (0, NULL, NULL)});
}

sub wait_for_rows
{
	my ($n) = @_;
	$node->poll_query_until('postgres', "SELECT count(e) >= $n FROM docs") or die 'no rows';
}

sub pid_of
{
	my ($session) = @_;
	return ask($session, 'SELECT pg_backend_pid()');
}

# stopped, seen, and called again
fill_table();
my $session = start_session($node);
my $pid = pid_of($session);
ask_without_waiting($session, $backfill);
wait_for_rows(20);
like( $node->safe_psql('postgres', q{SELECT function || ' ' || model || ' ' || (rows > 0) FROM ai_activity}),
	qr/^ai_embed_backfill tiny true$/m, 'it is seen while it runs');
my $stopped = time;
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
like(answer_of($session), qr/canceling statement due to user request/, 'it can be cancelled');
cmp_ok(time - $stopped, '<', $patience, 'at once');
my $done = $node->safe_psql('postgres', 'SELECT count(e) FROM docs');
cmp_ok($done, '>=', 20, 'batches that were done stay');
cmp_ok($done, '<', $n_rows, 'the others are not');
is($done % 10, 0, 'they are whole batches');
is($node->safe_psql('postgres', $right), "$done true", 'all of them are right');
my $left = $n_rows - $done;
is(ask($session, $backfill), "NOTICE:  filled in $left embeddings of public.docs",
	'the next call does the rest');
is($node->safe_psql('postgres', $right), "$n_rows true", 'all rows are done');
is(ask($session, $backfill), 'NOTICE:  filled in 0 embeddings of public.docs',
	'then there is nothing to do');

# killed
fill_table();
ask_without_waiting($session, $backfill);
wait_for_rows(20);
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
end_session($session);
is( $node->safe_psql('postgres', q{SELECT count(e) % 10 || ' ' || bool_and(e = ai_embed(body, 'tiny')) FROM docs}),
	'0 true', 'what a backend had done that was ended stays');

# three at once
fill_table();
my @sessions = map { start_session($node) } 1 .. 3;
ask_without_waiting($_, $backfill) for @sessions;
my $sum = 0;
for (@sessions)
{
	my $answer = answer_of($_);
	like($answer, qr/^NOTICE:  filled in \d+ embeddings? of public.docs/, 'each of three ends well');
	unlike($answer, qr/ERROR/, 'without an error');
	$sum += $1 if $answer =~ /filled in (\d+)/;
}
is($sum, $n_rows, 'no row is done twice or left');
is($node->safe_psql('postgres', $right), "$n_rows true", 'all rows are right');

# users change texts meanwhile
fill_table();
$node->safe_psql('postgres', q{SELECT ai_keep_embedding('docs', 'body', 'e', 'tiny')});
my ($filler, $user, $other) = @sessions;
ask($user, "BEGIN; UPDATE docs SET body = 'the fish' WHERE id = $n_rows");
ask_without_waiting($filler, $backfill);
wait_for_rows(20);
ask($other, "UPDATE docs SET body = 'a dog ' || id WHERE id % 3 = 0 AND id BETWEEN 1 AND 290");
like(answer_of($filler), qr/DETAIL:  Other rows have none.*HINT:  Call ai_embed_backfill again/s,
	'a row that is locked is left, and told');
ask($user, 'COMMIT');
is($node->safe_psql('postgres', $right), "$n_rows true", 'no embedding is that of an old text');

# the row that was left, where no trigger does it
$node->safe_psql('postgres', q{
	DROP TRIGGER ai_keep_e_insert ON docs; DROP TRIGGER ai_keep_e_update ON docs;
	UPDATE docs SET e = NULL WHERE id < 6});
ask($user, "BEGIN; UPDATE docs SET body = 'changed' WHERE id = 3");
like(ask($filler, $backfill), qr/filled in 4 embeddings/, 'a locked row is not waited for');
ask($user, 'COMMIT');
like(ask($filler, $backfill), qr/filled in 1 embedding of/, 'its new text is read later');
is($node->safe_psql('postgres', $right), "$n_rows true", 'and is right');

# a table that goes away
fill_table();
ask_without_waiting($filler, $backfill);
wait_for_rows(20);
$node->safe_psql('postgres', 'DROP TABLE docs');
like(answer_of($filler), qr/relation "public.docs" does not exist/, 'a dropped table is told');
end_session($_) for @sessions;

done_testing();
