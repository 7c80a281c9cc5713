-- Plans that are kept, run again, scanned again, or run by workers give what they gave.
\set VERBOSITY terse
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
-- 16 can sort for aggregates; without that, plans are those of all versions
DO $$BEGIN PERFORM set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_presorted_aggregate'; END$$;
\pset format unaligned
\pset tuples_only on

-- What a query has done, after it has run: the largest batch of each call
CREATE FUNCTION largest(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
	RETURN (
		SELECT coalesce(string_agg(call ->> 'Largest Batch', ', '), 'row by row')
		FROM nodes(plan), LATERAL jsonb_array_elements(node -> 'Batched Calls') call);
END $$;
-- An answer of a query with one value, as a word that is easy to compare
CREATE FUNCTION answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
END $$;

--
-- Prepared statements, with custom plans and a generic one
--
PREPARE labels (int, text) AS
	SELECT string_agg(ai_classify(body, $2), ' ' ORDER BY id) FROM mail WHERE id < $1 AND ai_score(body, 'spam', $2) >= 0;
EXECUTE labels (7, 'mail');
EXECUTE labels (7, 'mail@1');
EXECUTE labels (7, 'none');
SET plan_cache_mode = force_generic_plan;
EXECUTE labels (7, 'mail');
EXECUTE labels (4, 'mail@1');
EXECUTE labels (7, NULL);
EXECUTE labels (7, 'none');
EXECUTE labels (0, 'none');
SELECT calls('EXECUTE labels (7, ''mail'')');
-- the input from a parameter: there are no rows
PREPARE one (text) AS SELECT ai_classify($1);
EXECUTE one ('win a free prize');
EXECUTE one (NULL);
SELECT calls('EXECUTE one (''lunch'')');

-- a plan that was made with batches runs without, and one that was made without stays as it is
PREPARE counted AS SELECT count(*) FROM mail WHERE ai_classify(body) = 'spam';
EXECUTE counted;
SET aiaas.batch = off;
EXECUTE counted;
SELECT calls('EXECUTE counted'), largest('EXECUTE counted');
PREPARE uncounted AS SELECT count(*) FROM mail WHERE ai_classify(body) = 'spam';
EXECUTE uncounted;
SELECT calls('EXECUTE uncounted');
RESET aiaas.batch;
EXECUTE counted;
SELECT largest('EXECUTE counted')::int > 1;
EXECUTE uncounted;
-- also in the middle of a statement's run
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_classify(body) FROM mail;
FETCH 3 FROM c;
SET LOCAL aiaas.batch = off;
FETCH 3 FROM c;
SET LOCAL aiaas.batch = on;
FETCH 3 FROM c;
COMMIT;

-- other models, tables and functions under a plan that is kept
SELECT ai_rename('mail', 'post');
EXECUTE labels (7, 'mail');
EXECUTE labels (7, 'post');
SELECT ai_rename('post', 'mail');
BEGIN;
ALTER TABLE mail ALTER body TYPE varchar(100);
ALTER TABLE mail ADD COLUMN extra int DEFAULT 3;
EXECUTE counted;
ROLLBACK;
EXECUTE counted;
BEGIN;
ALTER FUNCTION ai_classify(text) VOLATILE;
EXECUTE counted;
SELECT calls('EXECUTE counted');
ROLLBACK;
BEGIN;
ALTER FUNCTION ai_classify(text) SET work_mem = '1MB';
EXECUTE counted;
SELECT calls('EXECUTE counted');
ROLLBACK;
SELECT calls('EXECUTE counted');
EXECUTE counted;
RESET plan_cache_mode;
DEALLOCATE ALL;

-- functions in SQL and PL/pgSQL keep their plans, too
CREATE FUNCTION n_spam(n int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(*) FROM mail WHERE id <= n AND ai_classify(body) = 'spam');
END $$;
CREATE FUNCTION spam(n int) RETURNS SETOF int LANGUAGE sql AS
	$$SELECT id FROM mail WHERE id <= n AND ai_classify(body) = 'spam' ORDER BY id; $$;
SELECT string_agg(n_spam(n) || ':' || (SELECT count(*) FROM spam(n)), ' ') FROM generate_series(0, 70, 10) n;
SET aiaas.batch = off;
SELECT string_agg(n_spam(n) || ':' || (SELECT count(*) FROM spam(n)), ' ') FROM generate_series(0, 70, 10) n;
RESET aiaas.batch;
-- a function that stops being asked
SELECT spam(300) LIMIT 3;
SELECT (SELECT s FROM spam(300) s LIMIT 1) FROM generate_series(1, 2);
-- a statement inside of a call's statement
SELECT id, n_spam(id), ai_classify(body) FROM mail WHERE id <= 6 AND n_spam(id) < 9 ORDER BY id;
CREATE FUNCTION deep(n int) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN CASE WHEN n > 0 THEN (SELECT string_agg(ai_classify(body || deep(n - 1)), ' ' ORDER BY id) FROM mail WHERE id <= 2) ELSE '' END;
END $$;
SELECT ai_classify(deep(3)), deep(2);

--
-- Scanned again
--
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
SELECT shape('SELECT k.label, x.l FROM kind k LEFT JOIN LATERAL (SELECT ai_classify(body) AS l FROM mail m WHERE m.label = k.label ORDER BY m.id LIMIT k.weight) x ON true');
SELECT shape('SELECT k.label, (SELECT string_agg(ai_classify(body), '' '' ORDER BY id) FROM mail m WHERE m.label = k.label AND id < 20) FROM kind k');
SELECT shape('SELECT m.id, x.l FROM mail m, LATERAL (SELECT ai_classify(o.body || m.label) AS l FROM mail o WHERE o.id = m.id % 7 OFFSET 0) x ORDER BY 1');
SELECT shape('SELECT m.id, (SELECT count(*) FROM mail o WHERE o.id < m.id % 20 AND ai_classify(o.body) = ai_classify(m.body)) FROM mail m ORDER BY 1');
SELECT shape('SELECT a.id, b.l FROM mail a LEFT JOIN (SELECT label, ai_classify(label) AS l, id FROM mail WHERE id < 5 OFFSET 0) b ON b.id > a.id % 6 ORDER BY 1, 2, b.id');
SELECT shape('SELECT k.label, x.l FROM kind k, LATERAL (SELECT ai_classify(v || k.label) AS l FROM (VALUES (''free prize''), (''lunch'')) t (v) WHERE ai_classify(v) > '''') x');
SELECT shape('SELECT n, x.l FROM generate_series(1, 5) n, LATERAL (SELECT ai_classify(ai_classify(body), ''mood'') AS l FROM mail WHERE id % n = 0 ORDER BY id LIMIT n OFFSET n) x');
SELECT shape('SELECT n, x.c FROM generate_series(1, 5) n, LATERAL (SELECT ai_classify(body), count(*) AS c FROM mail WHERE id <= n * 10 GROUP BY 1 ORDER BY 1) x');
SELECT shape('SELECT k.label, x.l FROM kind k, LATERAL (SELECT ai_classify(body || (SELECT max(label) FROM kind WHERE weight <= k.weight)) AS l FROM mail WHERE id < 9 OFFSET 0) x');
SELECT shape('SELECT k.label, EXISTS (SELECT 1 FROM mail m WHERE ai_classify(m.body) = k.label) FROM kind k');
RESET enable_memoize;
SELECT shape('SELECT m.id, x.l FROM mail m, LATERAL (SELECT ai_classify(o.body || m.box) AS l FROM mail o WHERE o.id = m.box OFFSET 0) x ORDER BY 1');
RESET enable_hashjoin;
RESET enable_mergejoin;
-- a parameter that is itself a result
SELECT shape('SELECT m.l, x.l AS l2 FROM (SELECT id, ai_classify(body) AS l FROM mail WHERE id < 30 OFFSET 0) m, LATERAL (SELECT ai_classify(k.label || m.l) AS l FROM kind k WHERE k.label = m.l OFFSET 0) x ORDER BY m.id');

--
-- Workers
--
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE mail SET (parallel_workers = 2);
-- settings of the session hold for its workers
SELECT answer('SELECT count(*) FROM mail WHERE ai_classify(body) = ''spam''');
SET aiaas.default_classifier = 'mood';
SELECT answer('SELECT count(*) FROM mail WHERE ai_classify(body) = ''spam''');
SELECT answer('SELECT count(*) FROM mail WHERE ai_classify(body) = ''bad''') = answer('SELECT count(*) FROM mail WHERE ai_classify(body, ''mood'') = ''bad''');
SET aiaas.default_classifier = 'mail';
-- an error of a row comes from whoever meets it
SELECT count(ai_classify(body, CASE id WHEN 201 THEN 'none' ELSE 'mail' END)) FROM mail;
SELECT count(ai_score(body, CASE id WHEN 201 THEN 'nobody' ELSE 'ham' END)) FROM mail WHERE ai_classify(body) = 'ham';
SELECT count(ai_score(body, CASE id WHEN 201 THEN 'nobody' ELSE 'ham' END)) FROM mail WHERE id <> 201;
-- workers that start again, and ones that are never started
SELECT shape('SELECT n, (SELECT count(ai_classify(body)) FROM mail WHERE id <= n * 10) FROM generate_series(1, 3) n');
SELECT shape('SELECT count(*) FROM mail a JOIN (SELECT id, ai_classify(body) AS l FROM mail) b USING (id) WHERE b.l = a.label');
BEGIN;
DECLARE c CURSOR FOR SELECT count(ai_classify(body)), ai_classify(label) FROM mail GROUP BY 2 ORDER BY 1;
FETCH 1 FROM c;
ROLLBACK;
-- a plan that is kept, with workers and without
SET plan_cache_mode = force_generic_plan;
PREPARE counted (text) AS SELECT count(*) FROM mail WHERE ai_classify(body, 'mail') = $1;
EXECUTE counted ('spam');
SELECT calls('EXECUTE counted (''spam'')');
SET max_parallel_workers = 0;
EXECUTE counted ('spam');
RESET max_parallel_workers;
SET aiaas.batch = off;
EXECUTE counted ('spam');
SELECT largest('EXECUTE counted (''spam'')');
RESET aiaas.batch;
RESET plan_cache_mode;
DEALLOCATE ALL;
ALTER TABLE mail RESET (parallel_workers);

DROP FUNCTION largest, answer, n_spam, spam, deep;
