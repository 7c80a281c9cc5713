-- each limit has an error whose hint names its setting
\set SHOW_CONTEXT never
CREATE TABLE mail AS
	SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
	FROM generate_series(1, 40) i
	UNION ALL
	SELECT 'see you at lunch, we meet at ' || i, 'ham'
	FROM generate_series(1, 40) i;
SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label');
CREATE TABLE parts AS SELECT * FROM ai_export('sms');
CREATE FUNCTION failure(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'none';
EXCEPTION WHEN program_limit_exceeded THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN substring(hint FROM 'Raise aiaas.\w+');
END $$;

-- the text of one call, of whatever type; the limit itself is allowed
SET aiaas.max_input_bytes = '1kB';
SELECT ai_classify(repeat('a', 1024), 'sms') IS NOT NULL AS is_classified;
SELECT ai_classify(repeat('a', 1025), 'sms');
\echo :SQLSTATE
SELECT ai_classify(repeat(chr(233), 513), 'sms');
SELECT ai_score(repeat('a', 1025), 'spam', 'sms');
SELECT ai_scores(repeat('a', 1025), 'sms');
SELECT * FROM ai_explain(repeat('a', 1025), 'sms');
SELECT ai_classify(repeat('a', 1025)::varchar, 'sms');
SELECT ai_classify(to_jsonb(repeat('a', 1025)), 'sms');
SELECT ai_classify(r, 'sms') FROM (SELECT repeat('a', 1025) AS body) r;
SELECT ai_classify(r, 'sms') IS NOT NULL AS is_classified
FROM (SELECT 'short' AS body, repeat('a', 1025) AS other) r;
SELECT ai_classify('short'::name, 'sms') IS NOT NULL AS is_classified;
SELECT * FROM ai_evaluate('sms', 'SELECT repeat(body, 100) AS body, label FROM mail');

-- as it is given, not as it is stored: a value that packs well is as long as before
CREATE TABLE long AS SELECT repeat('free prize ', 1000) AS body;
SELECT pg_column_size(body) < 1024 AS is_packed FROM long;
SELECT ai_classify(body, 'sms') FROM long;
SELECT ai_classify(l, 'sms') FROM long l;
SELECT ai_classify(left(body, 1000), 'sms') FROM long;
RESET aiaas.max_input_bytes;
SELECT ai_classify(body, 'sms') FROM long;

-- a model, trained or imported
SET aiaas.max_model_bytes = '10kB';
SELECT version FROM ai_train('large', 'SELECT body, label FROM mail', 'label');
\echo :SQLSTATE
SELECT ai_import('large', data) FROM parts;
\echo :SQLSTATE
SELECT ai_import_query('large', 'SELECT data FROM parts');
SELECT version FROM ai_train('small', 'SELECT body, label FROM mail', 'label',
	options => '{"char_ngrams": false, "word_ngrams": 1}');
SET aiaas.max_model_bytes = '1MB';
SELECT model FROM parts, ai_import('large', data);
RESET aiaas.max_model_bytes;

-- the memory of a training
CREATE TABLE many AS
	SELECT i % 2 AS label, string_agg(md5((i * 100 + j)::text), ' ') AS body
	FROM generate_series(1, 400) i, generate_series(1, 20) j GROUP BY i;
SET aiaas.max_train_memory = '1MB';
SELECT failure($$SELECT ai_train('many', 'SELECT body, label FROM many', 'label')$$);
RESET aiaas.max_train_memory;

-- its time: while the query runs, and where max_time would take longer
SET aiaas.max_train_time = '1s';
SELECT version FROM ai_train('slow', 'SELECT body, label FROM mail, pg_sleep(60)', 'label');
\echo :SQLSTATE
SELECT version FROM ai_train('slow', 'SELECT body, label FROM mail', 'label', options => '{"max_time": 2}');
\echo :SQLSTATE
SELECT version FROM ai_train('quick', 'SELECT body, label FROM mail', 'label', options => '{"max_time": 1}');

-- it is no cancel that a later statement meets, and an error that may be caught
DO $$
BEGIN
	PERFORM ai_train('slow', 'SELECT body, label FROM mail, pg_sleep(60)', 'label');
EXCEPTION WHEN program_limit_exceeded THEN
	RAISE NOTICE 'caught: %', SQLERRM;
END $$;
SELECT count(*) FROM mail, pg_sleep(1.2);

-- a cancel is still a cancel
SET statement_timeout = '500ms';
SELECT version FROM ai_train('slow', 'SELECT body, label FROM mail, pg_sleep(60)', 'label');
RESET statement_timeout;
RESET aiaas.max_train_time;

SELECT ai_drop(name) FROM ai_models;
DROP FUNCTION failure(text);
DROP TABLE mail, parts, long, many;
