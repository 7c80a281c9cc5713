-- Applying a model: every type without casts, and always the version that the statement means.

CREATE SCHEMA classify;
SET search_path = classify, public;

CREATE TABLE messages AS
	SELECT i AS id,
		CASE WHEN i % 3 = 0 THEN 'spam' ELSE 'ham' END AS label,
		CASE WHEN i % 3 = 0
			THEN 'win a free prize now, call ' || (i * 7919 % 1000)
			ELSE 'see you at lunch, I am at ' || (i * 7919 % 1000) END AS body
	FROM generate_series(1, 300) i;
SELECT version FROM ai_train('mail', 'SELECT body, label FROM messages');

-- the opposite, as a second version that is not deployed
SELECT version FROM ai_train('mail', $$SELECT body, CASE label WHEN 'ham' THEN 'spam' ELSE 'ham' END
	AS label FROM messages$$, options => '{"deploy": "never"}');

-- no model is named and there is no default; the hint, which has the database's name, is not shown
\set VERBOSITY terse
SELECT ai_classify('a free prize');
\set VERBOSITY default
SET aiaas.default_classifier = 'mail';

--
-- Input of any type
--
CREATE TYPE phrase AS ENUM ('a free prize', 'lunch with you');
CREATE DOMAIN note AS text CHECK (length(value) < 100);
CREATE DOMAIN short_note AS note;

SELECT ai_classify('a free prize') AS "unknown",
	ai_classify('a free prize'::text) AS "text",
	ai_classify('a free prize'::varchar) AS "varchar",
	ai_classify('a free prize'::varchar(20)) AS "varchar(20)",
	ai_classify('a free prize'::char(20)) AS "char(20)",
	ai_classify('a free prize'::name) AS "name",
	ai_classify('a free prize'::phrase) AS "enum",
	ai_classify('a free prize'::note) AS "domain",
	ai_classify('a free prize'::short_note) AS "domain of domain",
	ai_classify('"a free prize"'::json) AS "json",
	ai_classify('"a free prize"'::jsonb) AS "jsonb",
	ai_classify('{"x": "a free prize"}'::jsonb->>'x') AS "jsonb->>",
	ai_classify('{"x": "a free prize"}'::jsonb->'x') AS "jsonb->";
SELECT ai_classify('a free prize'::char(20), 'mail'), ai_classify('a free prize'::phrase, 'mail@2'),
	ai_classify('"a free prize"'::jsonb, 'mail@1'::varchar), ai_classify('a free prize', 'mail'::name);

-- padding of char(n) is no part of the text
SELECT ai_score('a free prize'::char(50), 'spam') = ai_score('a free prize', 'spam') AS same;

-- a whole row, by the name of the column that the model was trained on
SELECT id, ai_classify(m), ai_classify(m, 'mail@2'), round(ai_score(m, 'ham')::numeric)
	FROM messages m WHERE id <= 3 ORDER BY id;
SELECT ai_classify(q) FROM (SELECT now(), body::varchar(50) FROM messages WHERE id = 3) q;
SELECT ai_classify(q) IS NULL AS is_null FROM (SELECT NULL::text AS body) q;
SELECT ai_classify(q) FROM (SELECT 'a free prize' AS subject) q;
SELECT ai_classify(q) FROM (SELECT 1 AS body) q;

-- other types are not text
SELECT ai_classify(42);
SELECT ai_classify(now(), 'mail');
SELECT ai_classify(ARRAY['a free prize']);
SELECT ai_classify(true);

-- null in, null out
SELECT ai_classify(NULL::text) IS NULL AND ai_classify(NULL, 'mail') IS NULL
	AND ai_classify(NULL::phrase) IS NULL AND ai_classify(NULL::messages) IS NULL
	AND ai_scores(NULL::text) IS NULL AND ai_score(NULL, 'spam') IS NULL
	AND ai_classify('a free prize', NULL) IS NULL AND ai_score('a free prize', NULL) IS NULL AS all_null;

-- empty, one character, control characters, other scripts, broken-looking text, long text
SELECT ai_classify(body) IN ('ham', 'spam') AS has_label
	FROM unnest(ARRAY['', ' ', 'x', E'\x01\x1f', '免费奖品', 'ฟรี', '👍🏽', U&'\0301\0301',
		repeat('a free prize ', 100000), repeat('x', 1000000)]) body;

--
-- Probabilities
--
SELECT ai_scores('a free prize') ->> 'spam' = ai_score('a free prize', 'spam')::text AS same_text,
	(ai_scores('a free prize') ->> 'spam')::float8 = ai_score('a free prize', 'spam') AS same,
	abs(ai_score('a free prize', 'spam') + ai_score('a free prize', 'ham') - 1) < 1e-9 AS sums_to_one,
	ai_score('a free prize', 'spam') > 0.5 AS is_spam;
SELECT key, value::float8 > 0.5 AS is_it FROM jsonb_each_text(ai_scores('a free prize', 'mail')) ORDER BY key;
SELECT id, ai_score(body, label) > 0.5 AS right FROM messages WHERE id <= 3 ORDER BY id;
SELECT ai_score('a free prize', 'Spam');
SELECT ai_score('a free prize'::phrase, 'nothing', 'mail');

--
-- Models that are not there
--
SELECT ai_classify('x', 'mial');
SELECT ai_classify('x', 'mail@9');
SELECT ai_classify('x', 'mail@');
SELECT ai_classify('x', '');
SELECT ai_classify('x') FROM set_config('aiaas.default_classifier', 'nothing', false);
SET aiaas.default_classifier = 'mail';

--
-- Prepared statements
--
PREPARE one AS SELECT ai_classify($1);
PREPARE two(text) AS SELECT ai_classify($1);
PREPARE three(varchar, text) AS SELECT ai_classify($1, $2);
EXECUTE one('a free prize');
EXECUTE two('a free prize');
EXECUTE three('a free prize', 'mail@2');
EXECUTE three(NULL, 'mail@2');

-- a generic plan uses what is deployed when it runs
SET plan_cache_mode = force_generic_plan;
EXECUTE two('a free prize');
SELECT ai_deploy('mail', 2);
EXECUTE two('a free prize');
SELECT ai_deploy('mail', 1);
EXECUTE two('a free prize');
RESET plan_cache_mode;
DEALLOCATE ALL;

--
-- Which version: looked up once per statement
--

-- plpgsql keeps its expressions for a transaction; a loop sees what changes meanwhile
CREATE FUNCTION loop_over_versions() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	label text;
BEGIN
	FOR i IN 1..4 LOOP
		PERFORM ai_deploy('mail', 2 - i % 2);
		label := ai_classify('a free prize');
		RETURN NEXT label;
	END LOOP;
	PERFORM ai_deploy('mail', 1);
END $$;
SELECT * FROM loop_over_versions();

-- also when a subtransaction takes the change back
CREATE FUNCTION loop_over_subtransactions() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	label text;
BEGIN
	FOR i IN 1..4 LOOP
		BEGIN
			IF i % 2 = 0 THEN
				PERFORM ai_deploy('mail', 2);
			END IF;
			label := ai_classify('a free prize');
			RAISE EXCEPTION 'undo';
		EXCEPTION WHEN raise_exception THEN
			RETURN NEXT label;
		END;
	END LOOP;
END $$;
SELECT * FROM loop_over_subtransactions();

-- trained and used in one transaction, again and again
CREATE FUNCTION retrain() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	label text;
BEGIN
	FOR i IN 1..3 LOOP
		PERFORM ai_train('again', format('SELECT body, label || %s AS label FROM messages', i),
			options => '{"deploy": "always"}');
		label := ai_classify('a free prize', 'again');
		RETURN NEXT label;
	END LOOP;
END $$;
SELECT * FROM retrain();

-- the default may change between calls of one statement's function
CREATE FUNCTION loop_over_defaults() RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
DECLARE
	label text;
BEGIN
	FOR i IN 1..2 LOOP
		PERFORM set_config('aiaas.default_classifier', 'mail@' || i, true);
		label := ai_classify('a free prize');
		RETURN NEXT label;
	END LOOP;
END $$;
SELECT * FROM loop_over_defaults();
SET aiaas.default_classifier = 'mail';

-- another user in between has no right to the model
CREATE ROLE regress_aiaas_guest;
GRANT USAGE ON SCHEMA classify TO regress_aiaas_guest;
CREATE FUNCTION loop_over_users() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	label text;
BEGIN
	FOR i IN 1..2 LOOP
		label := ai_classify('a free prize', 'mail');
		RETURN NEXT label;
		SET LOCAL ROLE regress_aiaas_guest;
	END LOOP;
END $$;
SELECT * FROM loop_over_users();

-- the model may differ from row to row
SELECT v, ai_classify('a free prize', 'mail@' || v) FROM generate_series(1, 2) v, generate_series(1, 2) i ORDER BY i, v;

-- more models than are kept open
CREATE FUNCTION many() RETURNS TABLE (labels bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..12 LOOP
		PERFORM ai_train('many', format('SELECT body, label || %s AS label FROM messages', i),
			options => '{"deploy": "always"}');
	END LOOP;
	RETURN QUERY SELECT count(DISTINCT ai_classify('a free prize', 'many@' || v))
		FROM generate_series(1, 12) v, generate_series(1, 2);
END $$;
SELECT * FROM many();
SELECT count(*) BETWEEN 1 AND 8 AS bounded FROM pg_backend_memory_contexts WHERE name = 'aiaas model';

--
-- Everywhere in SQL
--
SELECT ai_classify(body) AS label, count(*) FROM messages GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM messages WHERE ai_classify(body) = 'spam' AND ai_score(body, 'spam') > 0.5;
SELECT label, max(ai_classify(body)), min(ai_classify(body, 'mail@2')) FROM messages GROUP BY label ORDER BY label;
SELECT array_agg(DISTINCT ai_classify(body) ORDER BY ai_classify(body)) FROM messages;
CREATE VIEW labelled AS SELECT id, ai_classify(body, 'mail') AS label FROM messages;
SELECT count(*) FROM labelled JOIN messages USING (id, label);
CREATE TABLE inbox (body text, label text);
CREATE FUNCTION set_label() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN NEW.label := ai_classify(NEW.body, ''mail''); RETURN NEW; END';
CREATE TRIGGER set_label BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION set_label();
INSERT INTO inbox (body) VALUES ('a free prize'), ('lunch with you'), (NULL);
SELECT * FROM inbox;
UPDATE inbox SET label = ai_classify(body, 'mail@2');
SELECT * FROM inbox;

-- not in an index, since the answer changes with the model
CREATE INDEX ON inbox (ai_classify(body, 'mail'));

-- parallel workers give the same answers
SELECT sum(ai_score(body, 'spam') * id) AS serial FROM messages \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE messages SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT count(*) FROM messages WHERE ai_classify(body) = label;
SELECT count(*) FROM messages WHERE ai_classify(body) = label;
SELECT abs(sum(ai_score(body, 'spam') * id) - :serial) < 1e-6 AS same FROM messages;

-- a read-only transaction may classify
BEGIN READ ONLY;
SELECT ai_classify('a free prize');
COMMIT;

SELECT ai_drop(name) FROM ai_models;
SET client_min_messages = warning;
DROP SCHEMA classify CASCADE;
DROP ROLE regress_aiaas_guest;
