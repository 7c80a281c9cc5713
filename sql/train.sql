-- Training: from a query to a stored version, and every way in which that fails.

CREATE SCHEMA train;
SET search_path = train, public;

-- messages that any classifier tells apart
CREATE TABLE messages AS
	SELECT i AS id,
		CASE WHEN i % 3 = 0 THEN 'spam' ELSE 'ham' END AS label,
		CASE WHEN i % 3 = 0
			THEN 'win a free prize now, call ' || (i * 7919 % 1000)
			ELSE 'see you at lunch, I am at ' || (i * 7919 % 1000) END AS body
	FROM generate_series(1, 300) i;

-- a result without what differs from run to run
CREATE FUNCTION train(model text, query text, target text DEFAULT NULL, options jsonb DEFAULT '{}')
	RETURNS TABLE (version int, train_rows bigint, validation_rows bigint, metric text,
		train numeric, validation numeric, deployed boolean)
	LANGUAGE sql AS $$
		SELECT t.version, t.train_rows, t.validation_rows, t.metric,
			round(t.train_score::numeric, 3), round(t.validation_score::numeric, 3), t.deployed
		FROM ai_train(model, query, target, options => options) t $$;

-- one call trains, measures, stores and deploys
SELECT * FROM train('mail', 'SELECT body, label FROM messages', 'label');
SELECT ai_classify('a free prize', 'mail'), ai_classify('lunch with you', 'mail');
SELECT model, version, algorithm, duration > interval '0' AS took_time
	FROM ai_train('mail2', target => 'label', query => 'SELECT label, body FROM messages;',
		algorithm => 'text');

-- the target is found by a telling name, whatever the order of the columns
SELECT * FROM train('mail3', 'SELECT label AS "Class", body FROM messages');

-- a version that is not better is kept and not deployed; options decide otherwise
SELECT * FROM train('mail', 'SELECT body, label FROM messages', 'label');
SELECT * FROM train('mail', 'SELECT body, label FROM messages', 'label', '{"deploy": "always"}');
SELECT * FROM train('mail', 'SELECT body, label FROM messages', 'label', '{"deploy": "never"}');
SELECT version, deployed FROM ai_versions WHERE model = 'mail';

-- a better one replaces it, as measured on the same rows
SELECT version, deployed FROM train('weak', $$SELECT body, CASE WHEN id % 2 = 0 THEN 'ham' ELSE 'spam' END AS label
	FROM messages$$);
SELECT version, deployed FROM train('weak', 'SELECT body, label FROM messages');
SELECT ai_classify('a free prize', 'weak');

-- with all rows learnt from, the cross-validated scores are compared
SELECT version, validation_rows, validation IS NOT NULL AS has_score, deployed
	FROM train('all', 'SELECT body, label FROM messages', options => '{"validation": 0}');
SELECT version, validation_rows, validation IS NOT NULL AS has_score, deployed
	FROM train('all', 'SELECT body, label FROM messages', options => '{"validation": 0}');

-- rows that only the challenger holds out are no fair test of the deployed version, which has learnt
-- from them: then the stored scores are compared too
SELECT version, deployed FROM train('share', 'SELECT body, label FROM messages');
SELECT version, deployed FROM train('share', 'SELECT body, label FROM messages', options => '{"validation": 0.3}');
SELECT version, deployed FROM train('share', 'SELECT body, label FROM messages', options => '{"validation": 0.05}');
SELECT version, deployed FROM train('share', 'SELECT body, label FROM messages', options => '{"validation": 0}');

-- one statement may train several versions, each measured against the one before
SELECT n, t.version, t.deployed FROM generate_series(200, 300, 100) n,
	ai_train('twice', 'SELECT body, label FROM messages WHERE id <= ' || n) t;

-- a model that never was deployed is no default for its name
SELECT deployed FROM train('shy', 'SELECT body, label FROM messages', options => '{"deploy": "never"}');
SELECT ai_classify('a free prize', 'shy');
SELECT ai_classify('a free prize', 'shy@1');

-- what is known of a version
SELECT d->'features'->'columns' AS columns, d->'labels' AS labels,
	(d->'lineage') - '{server_version,user}'::text[] AS lineage,
	d->'options'->'validation' AS validation, d->'metrics'->'label_rows' AS label_rows
	FROM ai_describe('mail@2') d;

-- rows with a null are left out and counted
SELECT * FROM train('nulls', $$SELECT nullif(body, 'win a free prize now, call 757') AS body,
	CASE WHEN id > 10 THEN label END AS label FROM messages$$);

--
-- Targets
--
CREATE TYPE kind AS ENUM ('ham', 'spam');
CREATE DOMAIN short_label AS varchar(10);
CREATE FUNCTION labels_of(target text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ai_train('target', format('SELECT body, %s AS label FROM messages', target),
		options => '{"deploy": "never"}');
	RETURN ai_describe('target@' || (SELECT max(version) FROM ai_versions WHERE model = 'target'))
		->>'labels';
END $$;
SELECT target, labels_of(target) FROM unnest(ARRAY[
	'label::varchar', 'label::char(8)', 'label::name', 'label::kind', 'label::short_label',
	'label = ''spam''', '(id % 3)::smallint', 'id % 3', '(id % 3)::bigint - 1',
	'(id % 3)::numeric(5,2)', '(id % 3)::float8', '(id % 3)::real']) target;
SELECT labels_of('id / 7.0');
SELECT labels_of('''NaN''::float8');
SELECT labels_of('now()');
SELECT labels_of('ARRAY[label]');

--
-- Texts
--
SELECT type, train.train_rows FROM unnest(ARRAY['varchar', 'char(60)', 'name', 'text', 'json', 'jsonb']) type,
	train('texts', format('SELECT %s::%s AS body, label FROM messages',
		CASE WHEN type LIKE 'json%' THEN 'to_json(body)' ELSE 'body' END, type),
		options => '{"deploy": "always"}') train;

-- empty, one character, control characters, all the same: something is learnt
SELECT train_rows, validation_rows FROM train('odd', $$
	SELECT * FROM (VALUES ('', 'a'), ('x', 'b'), (E'\x01\x02\t\n', 'a'), ('😀', 'b'), ('日本語', 'a'),
		('ไทย', 'b'), ('', 'a'), ('y', 'b')) AS t (body, label)$$, options => '{"validation": 0}');
SELECT ai_classify(body, 'odd') IS NOT NULL AS has_label
	FROM unnest(ARRAY['', 'x', E'\x01', '日', repeat('long ', 100000)]) body;
SELECT validation_rows FROM train('same', $$SELECT 'the same' AS body, i % 2 AS label
	FROM generate_series(1, 20) i$$, options => '{"validation": 0}');

-- an empty label is a label
SELECT train_rows + validation_rows AS rows FROM train('empty label',
	$$SELECT body, CASE label WHEN 'spam' THEN '' ELSE label END AS label FROM messages$$);
SELECT ai_classify('a free prize', 'empty label') = '' AS is_empty;

-- a label of 10 kB
SELECT train_rows + validation_rows AS rows FROM train('long label',
	$$SELECT body, CASE label WHEN 'spam' THEN repeat('spam', 2500) ELSE label END AS label FROM messages$$);
SELECT length(ai_classify('a free prize', 'long label'));

--
-- Rows that cannot be learnt from
--
SELECT train('bad', 'SELECT body, label FROM messages WHERE false');
SELECT train('bad', 'SELECT body, NULL::text AS label FROM messages');
SELECT train('bad', $$SELECT body, 'ham' AS label FROM messages$$);
SELECT train('bad', $$SELECT body, CASE id WHEN 1 THEN 'rare' ELSE label END AS label FROM messages$$);
SELECT train('bad', 'SELECT body || i AS body, i AS label FROM messages, generate_series(1, 1001) i WHERE id < 4');

--
-- Columns
--
SELECT train('bad', 'SELECT body, label FROM messages', 'Label');
SELECT train('bad', 'SELECT body, label AS kind FROM messages');
SELECT train('bad', 'SELECT label, label AS class, body FROM messages');
SELECT train('bad', 'SELECT label, label, body FROM messages', 'label');
SELECT train('bad', 'SELECT * FROM messages; ');
SELECT train('bad', 'SELECT body AS "Subject line", body, label FROM messages');
SELECT train('bad', 'SELECT id, body AS subject, body, now(), label FROM messages');
SELECT train('bad', 'SELECT id, label FROM messages');
SELECT train('bad', 'SELECT id, id AS other, label FROM messages');
SELECT train('bad', 'SELECT label FROM messages');
SELECT train('bad', 'SELECT FROM messages');

-- the query that a hint prints does it
SELECT train_rows + validation_rows AS rows FROM train('hint', $$SELECT concat_ws(' ', subject, body) AS body, label
	FROM (SELECT id, body AS subject, body, now(), label FROM messages) q$$);

--
-- Queries
--
SELECT train('bad', '');
SELECT train('bad', 'SELECT body, label FROM messages; SELECT 1');
SELECT train('bad', 'INSERT INTO messages (id) VALUES (1) RETURNING body, label');
SELECT train('bad', 'WITH d AS (DELETE FROM messages RETURNING *) SELECT body, label FROM d');
SELECT train('bad', 'SELECT body, label FROM messages FOR UPDATE');
SELECT train('bad', 'SELECT body, label FROM (SELECT * FROM messages FOR SHARE) q');
SELECT train('bad', 'SELECT body, label INTO copy FROM messages');
SELECT train('bad', 'EXPLAIN SELECT body, label FROM messages');
SELECT train('bad', 'COPY messages TO STDOUT');
SELECT train('bad', 'SELECT body, label FRM messages');
SELECT train('bad', 'SELECT body, label FROM missing');
SELECT train('bad', 'SELECT body, $1 AS label FROM messages');
SELECT train('bad', 'SELECT body, label FROM messages WHERE 1 / (id - 50) > -1');

-- functions in it cannot write either, and the transaction can again afterwards
CREATE FUNCTION writes() RETURNS int LANGUAGE sql VOLATILE AS
	'INSERT INTO messages (id) VALUES (0) RETURNING 1';
CREATE SEQUENCE numbers;
SELECT train('bad', 'SELECT body, label FROM messages, writes()');
SELECT train('bad', $$SELECT body, label FROM messages WHERE nextval('numbers') > 0$$);
SELECT train('bad', $$SELECT body, label FROM messages,
	set_config('transaction_read_only', 'off', false)$$);
SELECT train('bad', $$SELECT body, label FROM messages, ai_train('inner', 'SELECT body, label FROM messages')$$);
DO $$
BEGIN
	PERFORM ai_train('bad', 'SELECT body, label FROM messages WHERE 1 / (id - 50) > -1');
EXCEPTION WHEN division_by_zero THEN
	CREATE TEMP TABLE written AS SELECT 'yes' AS yes;
END $$;
SELECT * FROM written;

-- VALUES, TABLE, WITH and set operations are SELECTs
CREATE VIEW pairs AS SELECT body, label FROM messages;
SELECT train_rows + validation_rows AS rows FROM train('select', 'TABLE train.pairs', 'label');
SELECT train_rows + validation_rows AS rows FROM train('select2', 'WITH q AS (SELECT * FROM pairs) SELECT * FROM q UNION ALL SELECT * FROM q');

--
-- Options
--
SELECT train('bad', 'SELECT 1', options => '{"epoch": 3}');
SELECT train('bad', 'SELECT 1', options => '[1]');
SELECT train('bad', 'SELECT 1', options => '{"validation": "0.1"}');
SELECT train('bad', 'SELECT 1', options => '{"validation": 0.6}');
SELECT train('bad', 'SELECT 1', options => '{"seed": 1.5}');
SELECT train('bad', 'SELECT 1', options => '{"seed": true}');
SELECT train('bad', 'SELECT 1', options => '{"l2": 0}');
SELECT train('bad', 'SELECT 1', options => '{"l2": -1}');
SELECT train('bad', 'SELECT 1', options => '{"word_ngrams": 6}');
SELECT train('bad', 'SELECT 1', options => '{"word_ngrams": [2, 3]}');
SELECT train('bad', 'SELECT 1', options => '{"word_ngrams": "2"}');
SELECT train('bad', 'SELECT 1', options => '{"char_ngrams": [5, 2]}');
SELECT train('bad', 'SELECT 1', options => '{"char_ngrams": [1]}');
SELECT train('bad', 'SELECT 1', options => '{"char_ngrams": true}');
SELECT train('bad', 'SELECT 1', options => '{"word_ngrams": 0, "char_ngrams": false}');
SELECT train('bad', 'SELECT 1', options => '{"min_count": 0}');
SELECT train('bad', 'SELECT 1', options => '{"min_count": 1e30}');
SELECT train('bad', 'SELECT 1', options => '{"max_features": 1}');
SELECT train('bad', 'SELECT 1', options => '{"lowercase": 1}');
SELECT train('bad', 'SELECT 1', options => '{"class_weight": "blanced"}');
SELECT train('bad', 'SELECT 1', options => '{"class_weight": {"spam": "5"}}');
SELECT train('bad', 'SELECT 1', options => '{"class_weight": {"spam": 0}}');
SELECT train('bad', 'SELECT body, label FROM messages', options => '{"class_weight": {"spma": 5}}');
SELECT train('bad', 'SELECT 1', options => '{"deploy": "maybe"}');
SELECT train('bad', 'SELECT 1', options => '{"max_time": 0}');
SELECT train('bad', 'SELECT 1', options => '{"max_time": "soon"}');
SELECT train('bad', 'SELECT 1', options => '{"max_time": [1]}');
SELECT * FROM ai_train('bad', 'SELECT 1', algorithm => 'magic');
SELECT * FROM ai_train(NULL, 'SELECT 1');
SELECT * FROM ai_train('bad', NULL);

-- all of them at once, and null for the default
SELECT train_rows + validation_rows AS rows FROM train('options', 'SELECT body, label FROM messages',
	options => '{"validation": 0.2, "seed": 7, "l2": 0.001, "word_ngrams": 1, "char_ngrams": [2, 4],
		"min_count": 2, "max_features": 5000, "lowercase": false, "class_weight": {"spam": 2},
		"deploy": "always", "max_time": "1 hour"}');
SELECT ai_describe('options')->'options';
SELECT train_rows + validation_rows AS rows FROM train('options', 'SELECT body, label FROM messages',
	options => '{"l2": "auto", "min_count": "auto", "word_ngrams": [1, 2], "char_ngrams": 0, "class_weight": "balanced",
		"seed": null, "deploy": "always", "max_time": 3600}');
SELECT ai_describe('options')->'options';

-- limits that a superuser sets
SET aiaas.max_train_time = 10;
SELECT train('bad', 'SELECT 1', options => '{"max_time": 11}');
RESET aiaas.max_train_time;
SET aiaas.max_train_memory = '1MB';
DO $$
BEGIN
	PERFORM ai_train('bad', $q$SELECT repeat(md5(i::text), 20) AS body, i % 2 AS label
		FROM generate_series(1, 4000) i$q$);
EXCEPTION WHEN program_limit_exceeded THEN
	RAISE NOTICE 'more than aiaas.max_train_memory';
END $$;

-- one text that is too long for the limit gets a hint of its own
SET aiaas.max_train_memory = '8MB';
DO $$
DECLARE
	hint text;
BEGIN
	PERFORM ai_train('bad', $q$SELECT (SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 20000) i)
		|| j AS body, j % 2 AS label FROM generate_series(1, 4) j$q$);
EXCEPTION WHEN program_limit_exceeded THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '%', hint;
END $$;
RESET aiaas.max_train_memory;

--
-- Names
--
SELECT train('', 'SELECT body, label FROM messages');
SELECT train('a@1', 'SELECT body, label FROM messages');
SELECT train('a#', 'SELECT body, label FROM messages');
SELECT train(repeat('a', 64), 'SELECT body, label FROM messages');

--
-- Transactions
--

-- a model that was trained in a transaction is used there and gone after a rollback
BEGIN;
SELECT version, deployed FROM train('draft', 'SELECT body, label FROM messages');
SELECT ai_classify('a free prize', 'draft');
ROLLBACK;
SELECT ai_classify('a free prize', 'draft');

-- the same with a savepoint
BEGIN;
SAVEPOINT s;
SELECT version, deployed FROM train('draft', 'SELECT body, label FROM messages');
ROLLBACK TO s;
SELECT ai_classify('a free prize', 'draft');
ROLLBACK;

-- what the transaction has written before is learnt from
BEGIN;
CREATE TABLE fresh AS SELECT * FROM pairs;
SELECT train_rows + validation_rows AS rows FROM train('fresh', 'SELECT * FROM fresh');
ROLLBACK;

-- nothing is trained where nothing may be written
BEGIN READ ONLY;
SELECT train('draft', 'SELECT body, label FROM messages');
ROLLBACK;

-- a failed run leaves nothing behind
SELECT count(*) FROM ai_models WHERE name IN ('bad', 'draft', 'inner', 'fresh');

--
-- Rights: the query runs as the caller, and a model is its owner's alone
--
CREATE ROLE regress_aiaas_clerk;
GRANT USAGE ON SCHEMA train TO regress_aiaas_clerk;
GRANT EXECUTE ON FUNCTION ai_train TO regress_aiaas_clerk;
SET ROLE regress_aiaas_clerk;
SELECT * FROM ai_train('clerks', 'SELECT body, label FROM messages');
SELECT version FROM ai_train('clerks', $$SELECT * FROM (VALUES ('a', 1), ('b', 2), ('a a', 1), ('b b', 2)) t (body, label)$$,
	options => '{"validation": 0}');
SELECT version FROM ai_train('mail', $$SELECT * FROM (VALUES ('a', 1), ('b', 2), ('a a', 1), ('b b', 2)) t (body, label)$$);
SELECT ai_classify('a free prize', 'mail');
RESET ROLE;
SELECT owner FROM ai_models WHERE name = 'clerks';
SELECT ai_drop('clerks');

SELECT ai_drop(name) FROM ai_models;
SET client_min_messages = warning;
DROP SCHEMA train CASCADE;
REVOKE EXECUTE ON FUNCTION ai_train FROM regress_aiaas_clerk;
DROP ROLE regress_aiaas_clerk;
