-- a pin means one content for ever, so it may stand in indexes, generated columns and constraints
\set SHOW_CONTEXT never
CREATE TABLE mail AS
	SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
	FROM generate_series(1, 40) i
	UNION ALL
	SELECT 'see you at lunch, we meet at ' || i, 'ham'
	FROM generate_series(1, 40) i;
SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label');
SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label',
	options => '{"deploy": "never", "min_count": 2}');

-- it shows name and version, and ends with the first half of the content's hash
SELECT ai_pin('sms') AS pin, ai_pin('sms@2') AS pin2 \gset
SELECT regexp_replace(pin, '[0-9a-f]{32}$', '<32 digits>') AS pin,
	right(pin, 32) = left(ai_describe(model)->>'hash', 32) AS is_hash
FROM unnest(ARRAY['sms', 'sms@2']) model, ai_pin(model) pin;
SELECT ai_pin(NULL) IS NULL AS is_null;
SELECT ai_pin('weather');

-- the answers are those of the version
SELECT bool_and(ai_classify_pinned(body, :'pin') = ai_classify(body, 'sms')) AS labels,
	bool_and(ai_score_pinned(body, 'spam', :'pin2') = ai_score(body, 'spam', 'sms@2')) AS score,
	bool_and(ai_scores_pinned(body, :'pin') = ai_scores(body, 'sms')) AS scores
FROM mail;
SELECT bool_and(ai_classify_pinned(m, :'pin') = label) AS of_row,
	bool_and(ai_score_pinned(m, 'spam', :'pin') = ai_score(m, 'spam', 'sms')) AS score_of_row,
	bool_and(ai_scores_pinned(m, :'pin') = ai_scores(m, 'sms')) AS scores_of_row
FROM mail m;
SELECT ai_classify_pinned('"free prize"'::jsonb, :'pin') AS of_json,
	ai_classify_pinned('free prize'::varchar, :'pin') AS of_varchar,
	round(ai_score_pinned('"free prize"'::json, 'spam', :'pin')) AS score_of_json;

-- NULL gives NULL
SELECT ai_classify_pinned(NULL, :'pin') IS NULL AND ai_classify_pinned('x', NULL) IS NULL AS label,
	ai_score_pinned('x', NULL, :'pin') IS NULL AND ai_score_pinned(NULL::jsonb, 'spam', :'pin') IS NULL AS score,
	ai_scores_pinned(NULL, :'pin') IS NULL AS scores;
SELECT ai_classify_pinned(m, :'pin') IS NULL AS of_row
FROM (SELECT (NULL::text, 'x')::mail AS m) x;

-- the functions are immutable, parallel safe and cost what their twins do
SELECT p.proname, p.provolatile, p.proparallel, p.proisstrict, p.procost = t.procost AS same_cost
FROM pg_proc p JOIN pg_proc t ON t.proname || '_pinned' = p.proname
	AND t.proargtypes = p.proargtypes
ORDER BY 1, p.oid;

--
-- What is no pin
--
SELECT ai_classify_pinned('free prize', 'sms');
\echo :SQLSTATE
SELECT ai_classify_pinned('free prize', 'sms@1');
SELECT ai_classify_pinned('free prize', '');
SELECT ai_classify_pinned('free prize', 'sms@1#');
SELECT ai_classify_pinned('free prize', 'sms@1#0123456789abcdef');
SELECT ai_classify_pinned('free prize', 'sms@1#0123456789abcdef0123456789ABCDEF');
SELECT ai_score_pinned('free prize', 'spam', 'sms@1#0123456789abcdef0123456789abcdef0');
SELECT ai_scores_pinned('free prize', 'sms@1#0123456789abcdef0123456789abcdeg');

-- only the hash counts; one that nobody has is an error
SELECT ai_classify_pinned('free prize', 'whatever#' || right(:'pin', 32));
CREATE FUNCTION words(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE call;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN replace(concat_ws(E'\n', SQLSTATE, SQLERRM, detail, hint), current_user, 'me');
END $$;
SELECT words($$SELECT ai_classify_pinned('free prize', 'sms@1#00000000000000000000000000000000')$$);
SELECT words($$SELECT ai_classify_pinned('free prize', 'sms@1#ffffffffffffffffffffffffffffffff')$$);

-- a label that the model does not have
SELECT ai_score_pinned('free prize', 'eggs', :'pin');

--
-- Indexes, columns, constraints
--
CREATE TABLE inbox (id int GENERATED ALWAYS AS IDENTITY, body text);
INSERT INTO inbox (body) SELECT body FROM mail;
CREATE INDEX inbox_label ON inbox (ai_classify_pinned(body, :'pin'));
CREATE INDEX inbox_spam ON inbox (id) WHERE ai_score_pinned(body, 'spam', :'pin') > 0.5;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		RETURN NEXT regexp_replace(line, '#[0-9a-f]{32}', '#<32 digits>');
	END LOOP;
END $$;
SELECT plan_of(format('SELECT body FROM inbox WHERE ai_classify_pinned(body, %L) = ''spam''', :'pin'));
SELECT plan_of(format('SELECT id FROM inbox WHERE ai_score_pinned(body, ''spam'', %L) > 0.5 ORDER BY id', :'pin'));
SELECT count(*) FROM inbox WHERE ai_classify_pinned(body, :'pin') = 'spam';
INSERT INTO inbox (body) VALUES ('another free prize'), ('see you'), (NULL);
SELECT id, body FROM inbox WHERE ai_classify_pinned(body, :'pin') = 'spam' ORDER BY id DESC LIMIT 1;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- a stored generated column, also one of another type than text
CREATE TABLE letters (
	body text,
	label text GENERATED ALWAYS AS (ai_classify_pinned(body, :'pin')) STORED,
	document jsonb,
	is_spam boolean GENERATED ALWAYS AS (ai_score_pinned(document, 'spam', :'pin') > 0.5) STORED
);
INSERT INTO letters (body, document) VALUES ('free prize', '"see you at lunch"'), (NULL, NULL);
SELECT body, label, is_spam FROM letters;
UPDATE letters SET body = 'see you at lunch', document = '"free prize"' RETURNING label, is_spam;
COPY letters (body) FROM stdin;
win a free prize
we meet at lunch
\.
SELECT label, count(*) FROM letters GROUP BY label ORDER BY label;

-- constraints of tables and domains
ALTER TABLE letters ADD CONSTRAINT no_spam CHECK (ai_classify_pinned(body, :'pin') = 'ham') NOT VALID;
INSERT INTO letters (body) VALUES ('see you');
\set VERBOSITY terse
INSERT INTO letters (body) VALUES ('free prize');
\set VERBOSITY default
CREATE DOMAIN polite AS text CONSTRAINT polite CHECK (ai_classify_pinned(VALUE, :'pin') = 'ham');
SELECT 'see you at lunch'::polite;
SELECT 'win a free prize'::polite;
ALTER TABLE letters ADD COLUMN verdict text DEFAULT ai_classify_pinned('a free prize', :'pin');

-- keys of partitions, and statistics
CREATE TABLE parted (body text) PARTITION BY LIST (ai_classify_pinned(body, :'pin'));
CREATE TABLE parted_spam PARTITION OF parted FOR VALUES IN ('spam');
CREATE TABLE parted_ham PARTITION OF parted FOR VALUES IN ('ham');
INSERT INTO parted SELECT body FROM mail;
SELECT tableoid::regclass, count(*) FROM parted GROUP BY 1 ORDER BY 1;
CREATE STATISTICS inbox_labels ON ai_classify_pinned(body, :'pin') FROM inbox;
ANALYZE inbox;

-- maintenance, in a session that has not yet opened the model
\c -
\set SHOW_CONTEXT never
CREATE INDEX CONCURRENTLY inbox_label2 ON inbox (ai_classify_pinned(body, :'pin2'));
\c -
\set SHOW_CONTEXT never
CREATE INDEX inbox_constant ON inbox (id) WHERE ai_classify_pinned('free prize', :'pin') = 'spam';
\c -
\set SHOW_CONTEXT never
VACUUM FULL inbox;
\c -
\set SHOW_CONTEXT never
VACUUM (ANALYZE) inbox;
\c -
\set SHOW_CONTEXT never
REINDEX TABLE CONCURRENTLY inbox;
\c -
\set SHOW_CONTEXT never
REINDEX TABLE inbox;
\c -
\set SHOW_CONTEXT never
ALTER TABLE letters ADD COLUMN more int DEFAULT random() * 0;
\c -
\set SHOW_CONTEXT never
SET min_parallel_table_scan_size = 0;
SET max_parallel_maintenance_workers = 2;
ALTER TABLE inbox SET (parallel_workers = 2);
CREATE INDEX inbox_parallel ON inbox (ai_score_pinned(body, 'spam', :'pin'));
RESET min_parallel_table_scan_size;
RESET max_parallel_maintenance_workers;
DROP INDEX inbox_parallel, inbox_constant;
\c -
\set SHOW_CONTEXT never
INSERT INTO inbox (body) VALUES ('free prize');
SELECT count(*) FROM inbox WHERE ai_classify_pinned(body, :'pin') = 'spam';

-- a cursor that outlives its transaction
BEGIN;
DECLARE later CURSOR WITH HOLD FOR SELECT ai_classify_pinned(body, :'pin') AS label FROM inbox ORDER BY id;
COMMIT;
FETCH 1 FROM later;
CLOSE later;

-- in a block that ends its transaction
DO $$
DECLARE
	pin text := ai_pin('sms');
	label text;
BEGIN
	FOR i IN 1..2 LOOP
		COMMIT;
		label := ai_classify_pinned('free prize', pin);
		RAISE NOTICE '%', label;
	END LOOP;
END $$;

-- a new version and a new name change nothing
SELECT ai_deploy('sms', 2);
SELECT ai_rename('sms', 'texts');
SELECT ai_pin('texts@1') = replace(:'pin', 'sms', 'texts') AS same_hash;
INSERT INTO inbox (body) VALUES ('free prize');
SET enable_seqscan = off;
SELECT count(*) FROM inbox WHERE ai_classify_pinned(body, :'pin') = 'spam';
RESET enable_seqscan;
INSERT INTO letters (body) VALUES ('see you') RETURNING label;

--
-- Dropping what something is pinned to
--
SELECT ai_drop('texts', 1);
\echo :SQLSTATE
SELECT ai_drop('texts');

-- another version with the content, of any model, is enough
SELECT version FROM ai_train('copy', 'SELECT body, label FROM mail', 'label');
SELECT ai_pin('copy') = replace(:'pin', 'sms', 'copy') AS same_hash;
BEGIN;
SELECT ai_drop('texts', 1);
SELECT ai_classify_pinned('free prize', :'pin');
SELECT ai_drop('copy');
ROLLBACK;
SELECT ai_drop('copy');

-- what is gone holds nothing
DROP INDEX inbox_label2;
BEGIN;
SELECT ai_deploy('texts', 1), ai_drop('texts', 2);
ROLLBACK;
DROP INDEX inbox_label, inbox_spam;
DROP TABLE letters, parted;
DROP STATISTICS inbox_labels;
SELECT ai_drop('texts', 1);
DROP DOMAIN polite;
SELECT ai_drop('texts', 1);
SELECT words(format('SELECT ai_classify_pinned(''free prize'', %L)', :'pin')) LIKE '42704%' AS is_gone;

-- views and functions can be made again, and hold nothing
CREATE VIEW judged AS SELECT ai_classify_pinned(body, :'pin2') AS label FROM inbox;
BEGIN;
SELECT ai_drop('texts');
ROLLBACK;
DROP VIEW judged;

--
-- Rights
--
CREATE ROLE regress_aiaas_clerk;
CREATE TABLE notes (body text, label text GENERATED ALWAYS AS (ai_classify_pinned(body, :'pin2')) STORED);
CREATE INDEX notes_label ON notes (ai_classify_pinned(body, :'pin2'));
GRANT SELECT, INSERT ON notes TO regress_aiaas_clerk;
SET ROLE regress_aiaas_clerk;
SELECT words($$INSERT INTO notes (body) VALUES ('free prize')$$) AS hidden \gset
SELECT words($$SELECT ai_classify_pinned('free prize', 'texts@2#00000000000000000000000000000000')$$) AS absent \gset
SELECT regexp_replace(:'hidden', '#[0-9a-f]{32}', '') = replace(regexp_replace(:'absent', '#[0-9a-f]{32}', ''), 'texts', 'sms') AS same;
SELECT regexp_replace(:'hidden', '#[0-9a-f]{32}', '#<32 digits>') AS words;
RESET ROLE;
SELECT ai_grant('texts', 'regress_aiaas_clerk', 'use');
SET ROLE regress_aiaas_clerk;
INSERT INTO notes (body) VALUES ('free prize') RETURNING label;
SELECT ai_pin('texts') = replace(:'pin2', 'sms', 'texts') AS pin;

-- of several versions with the content it takes one that the user may use
RESET ROLE;
SELECT version FROM ai_train('copy', 'SELECT body, label FROM mail', 'label', options => '{"min_count": 2}');
SELECT ai_revoke('texts', 'regress_aiaas_clerk'), ai_grant('copy', 'regress_aiaas_clerk', 'use');
SET ROLE regress_aiaas_clerk;
INSERT INTO notes (body) VALUES ('see you') RETURNING label;

-- an index is built as the table's owner
RESET ROLE;
SELECT ai_revoke('copy', 'regress_aiaas_clerk');
ALTER TABLE notes OWNER TO regress_aiaas_clerk;
SELECT words('REINDEX TABLE notes') LIKE '%role "regress_aiaas_clerk" may not use it%' AS is_refused;
SELECT ai_grant('copy', 'regress_aiaas_clerk', 'use');
REINDEX TABLE notes;

DROP TABLE notes, inbox;
SELECT ai_drop(name) FROM ai_models;
DROP TABLE mail;
DROP FUNCTION words(text), plan_of(text);
DROP ROLE regress_aiaas_clerk;
