# threads change the time that a batch takes and nothing else, and stop when told
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

use Sessions;

# How long a stop may take, in seconds; the aim is 0.1, the rest is for slow machines.
my $patience = 2;

my $node = PostgreSQL::Test::Cluster->new('batch_threads');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aiaas;
	CREATE TABLE message AS SELECT i AS id, i % 3 AS label,
			(SELECT string_agg(CASE i % 3 WHEN 0 THEN 'free prize ' WHEN 1 THEN 'see you ' ELSE 'dear sir ' END ||
				substr(md5((i * 31 + j)::text), 1, 1 + (i + j) % 9), ' ')
			 FROM generate_series(1, 1 + i % 40) j) AS body
		FROM generate_series(1, 3000) i;
	SELECT version FROM ai_train('m', 'SELECT body, label FROM message', options => '{"l2": 1}');
	CREATE TABLE long AS SELECT i AS id, repeat('win a free prize now ' || i || ' ', 100000) AS body
		FROM generate_series(1, 60) i;

	-- a network with enough work for several threads
	SET client_min_messages = warning;
	CREATE TABLE image AS SELECT i AS id, i % 2 AS label,
			(SELECT string_agg(sha512((i % 2 * 1000 + i * j)::text::bytea), '' ORDER BY j)
			 FROM generate_series(1, 4) j) AS pixels
		FROM generate_series(1, 3000) i;
	SELECT version FROM ai_train('n', 'SELECT pixels, label FROM image WHERE id <= 100', 'label', 'network',
		'{"layers": [{"dense": 400, "activation": "relu"}, {"dense": 400, "activation": "relu"}, {"dense": 2}], "epochs": 1}');
	ANALYZE image;
});

sub pid_of { return ask($_[0], 'SELECT pg_backend_pid()'); }

# threads of a process, the first among them
sub threads_of
{
	my @threads = glob("/proc/$_[0]/task/*");
	return @threads;
}

# ticks of the processor that all threads of a process have used
sub ticks_of
{
	my $sum = 0;
	foreach my $thread (threads_of($_[0]))
	{
		my @fields = split(/ /, slurp_file("$thread/stat") =~ s/.*\) //sr);
		$sum += $fields[11] + $fields[12];
	}
	return $sum;
}

# once the statement has ended
sub is_at_rest
{
	my ($pid, $what) = @_;
	my $before = ticks_of($pid);
	usleep(300000);
	cmp_ok(ticks_of($pid) - $before, '<=', 1, "$what: no thread works on");
}

# every bit of every answer
my $answers = q{
	SELECT md5(string_agg(concat_ws('|', ai_classify(body, 'm'), ai_scores(body, 'm')::text,
		ai_score(body, label::text, 'm')), ',' ORDER BY id))
	FROM (SELECT id, label, body FROM message UNION ALL
		SELECT 5000 + id, 0, substr(body, 1, 60000) FROM long) t};

my $session = start_session($node);
my $expected = ask($session, "SET aiaas.batch = off; $answers");
like($expected, qr/^[0-9a-f]{32}$/, 'answers row by row');
ask($session, 'SET aiaas.batch = on');
foreach my $n_threads (1, 2, 4)
{
	ask($session, "SET aiaas.threads = $n_threads");
	is(ask($session, $answers), $expected, "the same in batches, with $n_threads threads");
}

# the same of a network
my $numbers = q{
	SELECT md5(string_agg(concat_ws('|', ai_scores(pixels, 'n'), ai_transform(pixels, 'n', 'dense')), ',' ORDER BY id))
	FROM image};
my $expected_numbers = ask($session, "SET aiaas.batch = off; $numbers");
like($expected_numbers, qr/^[0-9a-f]{32}$/, 'answers of a network row by row');
ask($session, 'SET aiaas.batch = on');
foreach my $n_threads (1, 2, 4)
{
	ask($session, "SET aiaas.threads = $n_threads");
	is(ask($session, $numbers), $expected_numbers, "the same in batches, with $n_threads threads");
}

my $n_cores = `nproc`;
SKIP:
{
	skip 'one core only', 2 if $n_cores < 2;
	my $pid = pid_of($session);
	cmp_ok(scalar(threads_of($pid)), '>=', 2, 'there were further threads');
	is_at_rest($pid, 'after batches');
}

# a session whose batches are small never starts a thread
{
	my $small = start_session($node);
	ask($small, q{SELECT count(ai_classify(body, 'm')) FROM message WHERE id <= 20});
	is(scalar(threads_of(pid_of($small))), 1, 'small batches start no thread');
	end_session($small);
}

# pg_cancel_backend, at several moments of a batch of long texts
my $control = start_session($node);
ask($control, 'SELECT 1');
ask($session, q{SET aiaas.threads = 4});
my $long = q{SELECT count(ai_classify(body, 'm')) FROM long};
foreach my $delay (0.1, 0.2, 0.5)
{
	my $pid = pid_of($session);
	ask_without_waiting($session, $long);
	usleep($delay * 1e6);
	my $start = time;
	ask($control, "SELECT pg_cancel_backend($pid)");
	my $answer = answer_of($session);
	my $took = time - $start;
	like($answer, qr/canceling statement due to user request/, "a batch is cancelled after $delay s");
	cmp_ok($took, '<', $patience, sprintf('within %.3f s', $took));
	is_at_rest($pid, 'after a cancel');
}

# statement_timeout, with one text and with many, and in a network
foreach my $case ([ 'many texts', $long ],
	[ 'many images', q{SELECT count(ai_classify(pixels || int4send(i) || int4send(i), 'n')) FROM
		(SELECT substr(pixels, 1, 248) AS pixels, i FROM image, generate_series(1, 1000) i) t} ],
	[ 'one text', q{SELECT ai_classify(string_agg(body, ' '), 'm') FROM long} ],
	[ 'blanks', q{SELECT ai_classify(repeat(' ', 500000000), 'm')} ])
{
	my ($what, $sql) = @$case;
	ask($session, q{SET statement_timeout = '400ms'});
	my $start = time;
	like(ask($session, $sql), qr/canceling statement due to statement timeout/,
		"$what: stopped by statement_timeout");
	my $took = time - $start - 0.4;
	cmp_ok($took, '<', $patience, sprintf('within %.3f s', $took));
	ask($session, 'RESET statement_timeout');
}
is(ask($session, $answers), $expected, 'the session goes on, and answers as before');
is( ask($session, q{SELECT sum(total_bytes) < 50000000 FROM pg_backend_memory_contexts WHERE name LIKE 'aiaas%'}),
	't', 'without the memory of long texts');

# pg_terminate_backend
{
	my $pid = pid_of($session);
	ask_without_waiting($session, $long);
	usleep(300000);
	ask($control, "SELECT pg_terminate_backend($pid)");
	ok( $node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"),
		'a backend in the middle of a batch is terminated');
	end_session($session);
	my $start = time;
	usleep(10000) while -e "/proc/$pid" && time < $start + $patience;
	ok(!-e "/proc/$pid", 'and its process goes');
	is($node->safe_psql('postgres', $answers), $expected, 'the server goes on');
}

end_session($control);
$node->stop;
done_testing();
