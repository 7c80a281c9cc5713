-- Reading ahead has bounds: as many rows as are wanted where that is known, otherwise twice as many at most.
\set VERBOSITY terse
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
\pset format unaligned
\pset tuples_only on

-- The rows that each BatchProject has read, and the rows of the statement
CREATE FUNCTION reads(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
	RETURN (
		SELECT format('%s read for %s', coalesce(string_agg(
				((below ->> 'Actual Rows')::numeric * (below ->> 'Actual Loops')::numeric)::int::text, ', '), 'not batched,'),
			round((plan::jsonb #>> '{0,Plan,Actual Rows}')::numeric))
		FROM nodes(plan), LATERAL child(node) below
		WHERE node ->> 'Custom Plan Provider' = 'BatchProject');
END $$;

--
-- LIMIT: exactly
--
SELECT reads('SELECT ai_classify(body) FROM mail');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT 10');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT 10 OFFSET 5');
SELECT reads('SELECT ai_classify(body) FROM mail OFFSET 290');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT 10 OFFSET 295');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT 10 OFFSET 1000');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT 0');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT 0 OFFSET 5');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT NULL');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT ALL OFFSET NULL');
SELECT reads('SELECT ai_classify(body) FROM mail LIMIT (SELECT max(weight) FROM kind) OFFSET (SELECT 2)');
SELECT reads('SELECT ai_classify(body) FROM mail FETCH FIRST 7 ROWS ONLY');
SELECT reads('SELECT ai_classify(body) FROM mail WHERE id > 100 LIMIT 10');
SELECT reads('SELECT ai_classify(body) FROM mail ORDER BY id DESC LIMIT 10');
SELECT reads('SELECT ai_classify(body) FROM mail ORDER BY box, id LIMIT 10');
SELECT reads('SELECT ai_classify(body) FROM mail FOR UPDATE LIMIT 10');
SELECT reads('SELECT ai_classify(m.body || k.label) FROM mail m JOIN kind k USING (label) LIMIT 10');
-- of ties nobody knows how many
SELECT reads('SELECT id, ai_classify(body) FROM mail ORDER BY id FETCH FIRST 8 ROWS WITH TIES');
-- parameters, which the plan does not know
PREPARE several (bigint, bigint) AS SELECT ai_classify(body) FROM mail LIMIT $1 OFFSET $2;
SET plan_cache_mode = force_generic_plan;
SELECT reads('EXECUTE several (10, 5)');
SELECT reads('EXECUTE several (1, 0)');
SELECT reads('EXECUTE several (10, NULL)');
SELECT reads('EXECUTE several (NULL, 10)');
SET plan_cache_mode = force_custom_plan;
SELECT reads('EXECUTE several (10, 5)');
RESET plan_cache_mode;
DEALLOCATE several;
-- inside of others
SELECT reads('SELECT count(l) FROM (SELECT ai_classify(body) AS l FROM mail LIMIT 10) q');
SELECT reads('SELECT * FROM (SELECT ai_classify(body) AS l, id FROM mail LIMIT 10) q ORDER BY id');
SELECT reads('WITH c AS MATERIALIZED (SELECT ai_classify(body) FROM mail LIMIT 10 OFFSET 3) SELECT count(*) FROM c');
SELECT reads('SELECT (SELECT ai_classify(body) FROM mail LIMIT 1)');
SELECT reads('SELECT ARRAY(SELECT ai_classify(body) FROM mail LIMIT 6)');
SELECT reads('SELECT k.label, l FROM kind k, LATERAL (SELECT ai_classify(body || k.label) AS l FROM mail LIMIT k.weight) q');
SELECT reads('SELECT k.label, l FROM kind k, LATERAL (SELECT ai_classify(body || k.label) AS l FROM mail LIMIT k.weight OFFSET k.weight) q');
SELECT reads('SELECT ai_classify(body) FROM (SELECT * FROM mail LIMIT 20) m LIMIT 10');
-- the inner limit tells what it wants
SELECT reads('SELECT l FROM (SELECT ai_classify(body) AS l FROM mail LIMIT 20) m LIMIT 10');
-- through nodes that pass rows on
SELECT reads('SELECT l FROM (SELECT ai_classify(body) AS l, id FROM mail OFFSET 0) m LIMIT 10');
SELECT reads('SELECT ai_classify(ai_classify(body), ''mood'') FROM mail LIMIT 10');
SELECT reads('SELECT ai_classify(ai_classify(ai_classify(body), ''mood'')) FROM mail LIMIT 10 OFFSET 2');
SELECT reads('SELECT ai_classify(body) FROM mail WHERE id < 9 UNION ALL SELECT ai_classify(label) FROM kind UNION ALL SELECT ai_classify(label) FROM mail LIMIT 9');
SELECT reads('SELECT ai_classify(body) FROM mail WHERE id < 9 UNION ALL SELECT ai_classify(label) FROM kind UNION ALL SELECT ai_classify(label) FROM mail LIMIT 10 OFFSET 5');
CREATE TABLE part (id int, body text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (11);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (11) TO (21);
CREATE TABLE part_3 PARTITION OF part DEFAULT;
INSERT INTO part SELECT id, body FROM mail;
ANALYZE part;
SELECT reads('SELECT ai_classify(body) FROM part LIMIT 14');
SELECT reads('SELECT ai_classify(ai_classify(body), ''mood'') FROM part LIMIT 14');
DROP TABLE part;

--
-- Where some rows will not do, or nobody knows how many are wanted: 1, 2, 4, ...
--
SELECT reads('SELECT id FROM mail WHERE ai_classify(body) > '''' LIMIT 10');
SELECT reads('SELECT id FROM mail WHERE ai_classify(body) = ''spam'' LIMIT 1');
SELECT reads('SELECT id FROM mail WHERE ai_classify(body) = ''spam'' LIMIT 10');
SELECT reads('SELECT id FROM mail WHERE ai_classify(body) = ''spam'' AND id > 100');
SELECT reads('SELECT EXISTS (SELECT 1 FROM mail WHERE ai_classify(body) = ''ham'')');
SELECT reads('SELECT EXISTS (SELECT 1 FROM mail WHERE ai_classify(body) = ''spam'')');
SELECT reads('SELECT EXISTS (SELECT 1 FROM mail WHERE ai_classify(body) = ''spam'' AND id > 9)');
SELECT reads('SELECT label FROM kind k WHERE EXISTS (SELECT 1 FROM mail WHERE ai_classify(body || k.label) > '''' OFFSET 0)');
SELECT reads('SELECT count(*) FROM kind k WHERE weight > 1 AND 2 > ANY (SELECT length(ai_classify(body)) - k.weight FROM mail)');
SELECT reads('SELECT l FROM (SELECT ai_classify(body) AS l FROM mail OFFSET 0) m WHERE l = ''spam'' LIMIT 2');
-- what a scan of a cursor tells when it is read
CREATE FUNCTION told(n int) RETURNS bool LANGUAGE plpgsql STABLE AS 'BEGIN RAISE NOTICE ''reads %'', n; RETURN true; END';
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_classify(body) FROM mail WHERE told(id);
FETCH 1 FROM c;
FETCH 1 FROM c;
FETCH 1 FROM c;
FETCH 1 FROM c;
FETCH 3 FROM c;
FETCH 0 FROM c;
FETCH PRIOR FROM c;
FETCH 1 FROM c;
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_classify(ai_classify(body), 'mood') FROM mail WHERE told(id);
FETCH 1 FROM c;
FETCH 1 FROM c;
FETCH 2 FROM c;
ROLLBACK;
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT id, ai_classify(body) FROM mail WHERE told(id) LOOP
		EXIT WHEN r.id = 3;
	END LOOP;
END $$;
-- without batches a row is read when it is wanted
SET aiaas.batch = off;
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_classify(body) FROM mail WHERE told(id);
FETCH 2 FROM c;
ROLLBACK;
RESET aiaas.batch;
PREPARE known AS SELECT id, ai_classify(body) FROM mail WHERE told(id) AND id < 4;
SET plan_cache_mode = force_generic_plan;
EXECUTE known;
SET aiaas.batch = off;
SELECT reads('SELECT id, ai_classify(body) FROM mail LIMIT 5');
RESET aiaas.batch;
RESET plan_cache_mode;
DEALLOCATE known;

--
-- Batches: of full size at once where everything is read anyway, equal inputs once
--
SET aiaas.threads = 1;
-- rows, batches, the largest of them, different inputs, for each call
CREATE FUNCTION work(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
	RETURN (
		SELECT string_agg(format('%s rows in %s, largest %s, different %s', call ->> 'Batched Rows',
			call ->> 'Batches', call ->> 'Largest Batch', call ->> 'Distinct Inputs'), '; ')
		FROM nodes(plan), LATERAL jsonb_array_elements(node -> 'Batched Calls') call);
END $$;
SELECT work('SELECT ai_classify(label) FROM mail');
SELECT work('SELECT ai_classify(label) FROM mail LIMIT 100');
SELECT work('SELECT id FROM mail ORDER BY ai_classify(label), id');
SELECT work('SELECT ai_classify(label), count(*) FROM mail GROUP BY 1');
SELECT work('SELECT max(ai_classify(label)) FROM mail');
SELECT work('SELECT count(*) FROM mail WHERE ai_classify(label) = ''ham''');
SELECT work('SELECT count(ai_classify(ai_classify(label), ''mood'')) FROM mail');
SELECT work('SELECT a.id FROM kind k JOIN (SELECT id, ai_classify(label) AS l FROM mail OFFSET 0) a ON a.l = k.label');
SELECT work('SELECT DISTINCT ai_classify(label) FROM mail');
SELECT work('SELECT ai_classify(label) FROM mail UNION SELECT ai_classify(label) FROM mail WHERE id < 9');
BEGIN;
SELECT work('INSERT INTO mail (id, body) SELECT -id, ai_classify(body) FROM mail');
SELECT work('UPDATE mail SET label = ai_classify(label)');
SELECT work('DELETE FROM mail WHERE ai_classify(label) = ''ham''');
ROLLBACK;
-- nulls are no work; an input that comes again is not computed again, and a call that stands twice neither
SELECT work('SELECT max(ai_classify(body)) FROM mail WHERE id % 50 = 0');
SELECT work('SELECT max(ai_classify(body)), min(ai_classify(body)), count(*) FROM mail WHERE ai_classify(body) IS NOT NULL');
SELECT work('SELECT id, ai_classify(body) FROM mail WHERE ai_classify(body) = ''spam'' ORDER BY ai_classify(body), id');
-- without batches: one by one, also in a plan that was made with them
PREPARE known AS SELECT id FROM mail ORDER BY ai_classify(body), id;
SET plan_cache_mode = force_generic_plan;
SELECT work('EXECUTE known');
SET aiaas.batch = off;
SELECT work('EXECUTE known');
RESET aiaas.batch;
RESET plan_cache_mode;
DEALLOCATE known;

--
-- Memory
--
CREATE TABLE wide (id int, body text, note text);
ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
INSERT INTO wide SELECT i, repeat('win a free prize ', 6000), repeat('n', 1000) || i FROM generate_series(1, 64) i;
ANALYZE wide;
CREATE FUNCTION batch_bytes() RETURNS bigint LANGUAGE sql AS
	$$SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts WHERE name = 'aiaas batch'$$;
-- a text that was computed further down has to be kept: the batch ends when it has reached the limit
SET aiaas.max_batch_memory = '64MB';
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT upper, ai_classify('prize ' || id) FROM (SELECT id, upper(body) FROM wide OFFSET 0) w;
MOVE 16 FROM c;
SELECT batch_bytes() BETWEEN 1600000 AND 3000000;
ROLLBACK;
SET aiaas.max_batch_memory = '300kB';
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT upper, ai_classify('prize ' || id) FROM (SELECT id, upper(body) FROM wide OFFSET 0) w;
MOVE 16 FROM c;
SELECT batch_bytes() < 300000 + 110000 + 30000;
ROLLBACK;
SET aiaas.max_batch_memory = '64kB';
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT upper, ai_classify(upper), ai_classify(ai_classify(upper)) FROM (SELECT id, upper(body) FROM wide OFFSET 0) w;
MOVE 16 FROM c;
SELECT batch_bytes() < 2 * (64000 + 2 * 110000 + 30000);
ROLLBACK;
SELECT work('SELECT max(ai_classify(body)) FROM wide');
SELECT work('SELECT max(ai_classify(upper(body))) FROM wide');
SELECT compare('SELECT id, ai_classify(upper(body)) a, ai_classify(note) b FROM wide', NULL);
SET aiaas.max_batch_memory = '64MB';
SELECT work('SELECT max(ai_classify(note)) FROM wide');
RESET aiaas.max_batch_memory;
-- one that is stored out of line stays there, and one on a page stays on it
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT id, body, note, ai_classify('prize ' || id) FROM wide;
MOVE 34 FROM c;
SELECT batch_bytes() < 30000;
ROLLBACK;
-- also when the rows have gone meanwhile
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT id, length(body), md5(body) = md5(repeat('win a free prize ', 6000)), note LIKE '%n' || id, ai_classify('prize ' || id) FROM wide;
MOVE 36 FROM c;
DELETE FROM wide WHERE id % 2 = 0;
UPDATE wide SET note = 'x', body = 'y';
INSERT INTO wide SELECT i, 'z', repeat('m', 1000) FROM generate_series(1, 64) i;
FETCH 3 FROM c;
ROLLBACK;
-- and in a temporary table, whose pages are not shared
CREATE TEMP TABLE own AS SELECT * FROM wide;
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT id, length(body), note LIKE '%n' || id, ai_classify('prize ' || id) FROM own;
MOVE 36 FROM c;
UPDATE own SET note = repeat('x', 1000), body = 'y';
FETCH 2 FROM c;
ROLLBACK;
-- what is carried through several
SELECT count(*), bool_and(n LIKE '%n' || id AND length(b) = 102000) FROM (
	SELECT id, body AS b, note AS n, ai_classify(ai_classify('prize ' || id), 'mood') AS l FROM wide ORDER BY ai_classify('prize ' || id) OFFSET 0) q;

DROP TABLE wide, own;
RESET aiaas.threads;
DROP FUNCTION reads, told, work, batch_bytes;
