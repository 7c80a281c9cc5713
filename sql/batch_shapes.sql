-- Every shape of a query: what is computed in batches, and that the answers are the same.
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
SET jit = off;
-- 16 can sort for aggregates; without that, plans are those of all versions
DO $$BEGIN PERFORM set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_presorted_aggregate'; END$$;
\pset format unaligned
\pset tuples_only on

--
-- Target lists and WHERE
--
SELECT shape('SELECT id, ai_classify(body) FROM mail');
SELECT shape('SELECT ai_classify(body) a, ai_classify(body, ''mail@1'') b, ai_score(body, ''spam''), ai_scores(body) FROM mail');
SELECT shape('SELECT upper(ai_classify(body)) || id a, ai_score(body, ''spam'') > 0.5 b FROM mail');
SELECT shape('SELECT count(*) FROM mail WHERE ai_classify(body) = ''spam''');
SELECT shape('SELECT id FROM mail WHERE ai_classify(body) = ''spam'' AND id < 100 AND box > 2');
SELECT shape('SELECT id FROM mail WHERE id % 2 = 0 AND ai_classify(body) = ''spam'' AND ai_score(body, ''spam'') > 0.9');
-- the same call is computed once
SELECT shape('SELECT id, ai_classify(body) FROM mail WHERE ai_classify(body) = ''spam'' ORDER BY ai_classify(body), id');
SELECT shape('SELECT ai_classify(body) a, ai_classify(body) || ''!'' b, ai_classify(body) IS NULL c FROM mail');
-- another argument is another call
SELECT shape('SELECT ai_classify(body) a, ai_classify(body || '''') b, ai_classify(lower(body)) c FROM mail');
SELECT shape('SELECT ai_classify(CASE label WHEN ''spam'' THEN body ELSE label END) a, ai_classify(array_to_string(string_to_array(body, '' '')::varchar(3)[], '' '')) b FROM mail');
-- calls of calls
SELECT shape('SELECT ai_classify(ai_classify(body), ''mood'') FROM mail');
SELECT shape('SELECT id FROM mail WHERE ai_classify(ai_classify(body), ''mood'') = ''bad''');
SELECT shape('SELECT ai_classify(ai_classify(ai_classify(body), ''mood'')) a, ai_classify(body) b FROM mail');
SELECT shape('SELECT ai_classify(ai_classify(body) || ai_score(body, ''spam''), ''mood'') FROM mail');
-- inputs that are no text
SELECT shape('SELECT ai_classify(body::varchar) a, ai_classify(to_jsonb(body)) b, ai_classify(body::char(40)) c FROM mail');
SELECT shape('SELECT ai_classify(m), ai_score(m, ''ham'', ''mail'') FROM mail m');
SELECT shape('SELECT ai_classify(q) a, ai_classify(ROW(body, label)::word) b FROM (SELECT id, body, label FROM mail) q');
SELECT shape('SELECT m, ai_classify(body) FROM mail m');
-- the model, or the label, from a column
SELECT shape('SELECT ai_classify(body, ''mail@'' || (1 + id * 0)), ai_score(body, label) FROM mail');
SELECT shape('SELECT ai_classify(''free prize'', ''mail@'' || (1 + id * 0)) FROM mail');
-- nothing of the row in it: computed without the rows
SELECT shape('SELECT ai_classify(''free prize''), id FROM mail');
SELECT shape('SELECT ai_classify(''free prize'')');
SELECT shape('VALUES (ai_classify(''free prize'')), (ai_classify(''lunch''))');
-- every kind of expression around it
SELECT shape('SELECT ARRAY[ai_classify(body), label] a, ROW(ai_classify(body), id)::text b, (ARRAY[''a'', ''b''])[length(ai_classify(body)) - 2] c FROM mail');
SELECT shape('SELECT ai_classify(body) IN (''ham'', label) a, ai_classify(body) IS DISTINCT FROM label b, nullif(ai_classify(body), label) c FROM mail');
SELECT shape('SELECT greatest(ai_classify(body), label) a, (ai_score(body, ''ham'') > 0.5) IS NOT TRUE b, NOT ai_classify(body) = label c FROM mail');
SELECT shape('SELECT ai_scores(body) ->> ''ham'', (ai_scores(body) -> ''spam'')::float8, ai_score(body, ''ham'')::text::numeric FROM mail');
SELECT shape('SELECT ai_classify(body)::varchar(2), ARRAY[ai_score(body, ''ham'')]::int[], ai_classify(body) COLLATE "C" < ''m'' FROM mail');
SELECT shape('SELECT format(''%s %s'', ai_classify(body), id), concat(label, ai_classify(body)) FROM mail');
SELECT shape('SELECT (ai_classify(body), id) < (''ham'', 100), (id, ai_classify(label)) > (id, ''ham'') AS b FROM mail');

--
-- Where not every row evaluates it, it runs row by row
--
SELECT shape('SELECT CASE WHEN id % 2 = 0 THEN ai_classify(body) END FROM mail');
SELECT shape('SELECT CASE WHEN id % 2 = 0 THEN 1 WHEN ai_classify(body) = ''spam'' THEN 2 ELSE 3 END FROM mail');
SELECT shape('SELECT coalesce(body, ai_classify(label)) FROM mail');
SELECT shape('SELECT id FROM mail WHERE id < 100 OR ai_classify(body) = ''spam''');
SELECT shape('SELECT id % 3 = 0 AND ai_classify(body) = ''spam'' FROM mail');
SELECT shape('SELECT count(*) FILTER (WHERE ai_classify(body) = ''spam''), sum(ai_score(body, ''spam'')::int) FILTER (WHERE id > 5) FROM mail');
-- the first place is evaluated always
SELECT shape('SELECT CASE WHEN ai_classify(body) = ''spam'' THEN id ELSE 0 END FROM mail');
SELECT shape('SELECT CASE ai_classify(body) WHEN ''spam'' THEN id WHEN label THEN 0 END FROM mail');
SELECT shape('SELECT coalesce(ai_classify(body), label) FROM mail');
SELECT shape('SELECT id FROM mail WHERE ai_classify(body) = ''spam'' OR id < 100');
-- and what one place evaluates is there for the other
SELECT shape('SELECT ai_classify(body), CASE WHEN id % 2 = 0 THEN ai_classify(body) || id END FROM mail');

--
-- Order and groups
--
SELECT shape('SELECT id FROM mail ORDER BY ai_score(body, ''spam'') DESC, id');
SELECT shape('SELECT id FROM mail ORDER BY ai_score(body, ''spam'') DESC, id LIMIT 5');
SELECT shape('SELECT id, ai_classify(body) FROM mail ORDER BY label, id LIMIT 5');
SELECT shape('SELECT ai_classify(body), count(*) FROM mail GROUP BY 1 ORDER BY 1');
SELECT shape('SELECT ai_classify(body) || box, min(id) FROM mail GROUP BY 1 ORDER BY 1');
SELECT shape('SELECT DISTINCT ai_classify(body) FROM mail ORDER BY 1');
SELECT shape('SELECT DISTINCT ON (ai_classify(body)) id, body FROM mail ORDER BY ai_classify(body), id');
SELECT shape('SELECT box, ai_classify(max(body)) FROM mail GROUP BY box ORDER BY box');
SELECT shape('SELECT box FROM mail GROUP BY box HAVING ai_classify(max(body)) = ''spam'' ORDER BY box');
SELECT shape('SELECT box FROM mail GROUP BY box HAVING min(ai_score(body, ''spam'')) < 0.5 ORDER BY box');
SELECT shape('SELECT label, ai_classify(body), count(*) FROM mail GROUP BY GROUPING SETS ((label), (ai_classify(body)), ()) ORDER BY 1, 2, 3');
SELECT shape('SELECT ai_classify(label), grouping(label), count(*) FROM mail GROUP BY ROLLUP (label) ORDER BY 1, 2');
SELECT shape('SELECT label, box, max(ai_classify(body)) FROM mail GROUP BY CUBE (label, box) ORDER BY 1, 2, 3');
SET enable_hashagg = off;
SELECT shape('SELECT ai_classify(body), max(ai_score(body, ''ham'')::numeric(6, 4)) FROM mail GROUP BY 1 ORDER BY 1');
SELECT shape('SELECT ai_classify(label) FROM mail GROUP BY label ORDER BY 1');
SELECT shape('SELECT DISTINCT ai_classify(body) FROM mail');
RESET enable_hashagg;

--
-- Arguments of aggregates and window functions
--
SELECT shape('SELECT count(ai_classify(body)), max(ai_classify(body)) FROM mail');
SELECT shape('SELECT box, string_agg(ai_classify(body), '','' ORDER BY id) FROM mail GROUP BY box ORDER BY box');
SELECT shape('SELECT count(DISTINCT ai_classify(body)), array_agg(DISTINCT ai_classify(body) ORDER BY ai_classify(body)) FROM mail');
SELECT shape('SELECT array_agg(id ORDER BY ai_score(body, ''spam''), id) FROM mail');
SELECT shape('SELECT string_agg(ai_classify(body), ai_classify(label) ORDER BY id) FROM mail');
SELECT shape('SELECT max(ai_classify(ai_classify(body), ''mood'')) FROM mail');
SELECT shape('SELECT max(ai_classify(body) || CASE WHEN id % 2 = 0 THEN ai_classify(label) END) FROM mail');
SELECT shape('SELECT ai_classify(max(ai_classify(body))) FROM mail');
SELECT shape('SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ai_score(body, ''spam'')), mode() WITHIN GROUP (ORDER BY ai_classify(body)) FROM mail');
SELECT shape('SELECT box, count(*) FILTER (WHERE id > 9), max(ai_classify(body)) FROM mail GROUP BY box HAVING min(ai_classify(label)) = ''ham'' ORDER BY 1');
SELECT shape('SELECT ai_classify(string_agg(body, '' '' ORDER BY id)) FROM mail GROUP BY box ORDER BY box');
SELECT shape('SELECT id, lag(ai_classify(body)) OVER (PARTITION BY box ORDER BY id) FROM mail ORDER BY id');
SELECT shape('SELECT id, lag(ai_classify((10 / id)::text)) OVER (PARTITION BY box ORDER BY id) FROM mail ORDER BY id');
SELECT shape('SELECT id, max(ai_classify(body)) OVER (PARTITION BY box ORDER BY id), min(ai_classify(body)) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) FROM mail ORDER BY id');
SELECT shape('SELECT id, rank() OVER (ORDER BY ai_classify(body), id) FROM mail ORDER BY id');
SELECT shape('SELECT id, ai_classify(lag(body) OVER (ORDER BY id)) FROM mail ORDER BY id');
SELECT shape('SELECT id, count(*) OVER (PARTITION BY ai_classify(body)), ai_classify(body) FROM mail ORDER BY id');
SELECT shape('SELECT id, sum(ai_score(body, ''ham'')::numeric(6, 4)) OVER w, string_agg(ai_classify(body), '''') OVER w FROM mail WINDOW w AS (ORDER BY id ROWS 2 PRECEDING) ORDER BY id');
SELECT shape('SELECT id, count(ai_classify(body)) FILTER (WHERE id % 2 = 0) OVER (ORDER BY id) FROM mail ORDER BY id');
-- from 15 on the node stops by itself, and is left alone
SELECT compare('SELECT * FROM (SELECT id, ai_classify(body), row_number() OVER (ORDER BY id) AS n FROM mail) q WHERE n <= 5', NULL);

DO $$BEGIN PERFORM set_config(name, 'on', false) FROM pg_settings WHERE name = 'enable_presorted_aggregate'; END$$;
SELECT compare('SELECT count(DISTINCT ai_classify(body)), array_agg(DISTINCT ai_classify(body) ORDER BY ai_classify(body)) FROM mail', NULL);
SELECT compare('SELECT box, string_agg(ai_classify(body), '','' ORDER BY id) a, string_agg(DISTINCT ai_classify(body), '''') b FROM mail GROUP BY box ORDER BY box', NULL);
DO $$BEGIN PERFORM set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_presorted_aggregate'; END$$;

--
-- Joins
--
SELECT shape('SELECT m.id, ai_classify(m.body || k.weight) FROM mail m JOIN kind k USING (label) ORDER BY 1');
SELECT shape('SELECT k.label, ai_classify(m.body) FROM kind k LEFT JOIN mail m ON m.label = k.label ORDER BY 1, m.id');
SELECT shape('SELECT ai_classify(m.body) a, ai_classify(k.label) b FROM mail m FULL JOIN kind k ON m.label = k.label AND m.id > 10 ORDER BY m.id, 2');
SELECT shape('SELECT count(*) FROM kind k LEFT JOIN mail m ON m.label = k.label WHERE ai_classify(m.body) IS NULL');
SELECT shape('SELECT count(*) FROM mail m JOIN kind k USING (label) WHERE ai_score(m.body, k.label) < 0.9');
SELECT shape('SELECT count(*), min(m.id) FROM mail m, kind k WHERE m.id < 20 AND ai_classify(m.body || k.label) = k.label');
-- the join may have looked for a first match only, which the condition was part of
CREATE UNIQUE INDEX kind_label ON kind (label);
SELECT shape('SELECT m.id, k.weight FROM mail m JOIN kind k ON k.label = m.label AND ai_score(m.body || k.label, ''spam'') < 0.5 ORDER BY 1');
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
SELECT shape('SELECT m.id, k.weight FROM mail m JOIN kind k ON ai_classify(m.body || k.weight) = k.label ORDER BY 1, 2');
SELECT shape('SELECT m.id, k.weight FROM mail m JOIN kind k ON ai_classify(m.body) = k.label ORDER BY 1, 2');
SELECT shape('SELECT m.id, k.weight FROM mail m LEFT JOIN kind k ON ai_classify(m.body || k.weight) = k.label ORDER BY 1, 2');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_memoize;
SELECT shape('SELECT id FROM mail m WHERE EXISTS (SELECT 1 FROM kind k WHERE k.label = m.label) AND ai_classify(body) = ''spam'' ORDER BY id');
SELECT shape('SELECT ai_classify(body) FROM mail m WHERE NOT EXISTS (SELECT 1 FROM kind k WHERE k.weight = m.box) ORDER BY id');
SELECT shape('SELECT l, count(*) FROM (SELECT ai_classify(body) AS l FROM mail) q JOIN kind k ON k.label = q.l GROUP BY l ORDER BY l');
SELECT shape('SELECT l, count(*) FROM (SELECT ai_classify(body) AS l FROM mail OFFSET 0) q JOIN kind k ON k.label = q.l GROUP BY l ORDER BY l');
SELECT shape('SELECT id FROM mail WHERE ai_classify(body) IN (SELECT label FROM kind WHERE weight > 1) ORDER BY id');
SELECT shape('SELECT label FROM kind WHERE label NOT IN (SELECT ai_classify(body) FROM mail WHERE body <> '''') ORDER BY 1');
SELECT shape('SELECT ai_classify(q.c) FROM kind a JOIN (SELECT k.weight, coalesce(m.body, ''free prize'') AS c FROM kind k LEFT JOIN mail m ON m.box = k.weight AND m.id < 3 AND ai_classify(coalesce(m.body, ''free prize'')) = ''ham'' OFFSET 0) q USING (weight) ORDER BY a.weight');
-- what a scan has computed comes up, and is NULL where the join makes it so, if that is right
SELECT shape('SELECT k.weight, ai_classify(m.body) FROM kind k LEFT JOIN mail m ON m.box = k.weight AND m.id < 3 AND ai_classify(m.body) = ''ham'' ORDER BY 1');
SELECT shape('SELECT k.weight, ai_classify(m.body || ''!'') FROM kind k LEFT JOIN mail m ON m.box = k.weight AND m.id < 3 AND ai_classify(m.body || ''!'') = ''ham'' ORDER BY 1');
SELECT shape('SELECT k.weight, ai_classify(coalesce(m.body, ''free prize'')) FROM kind k LEFT JOIN mail m ON m.box = k.weight AND m.id < 3 AND ai_classify(coalesce(m.body, ''free prize'')) = ''ham'' ORDER BY 1');
SELECT shape('SELECT k.weight, ai_classify(concat(m.body), coalesce(m.label, ''mail'')) FROM kind k LEFT JOIN (SELECT id, box, body, ''mail''::text AS label FROM mail OFFSET 0) m ON m.box = k.weight AND m.id < 3 AND ai_classify(concat(m.body), coalesce(m.label, ''mail'')) = ''ham'' ORDER BY 1');
SELECT shape('SELECT count(*) a, count(ai_classify(m.body)) b, max(ai_score(coalesce(m.body, k.label), ''spam'')) FROM mail m FULL JOIN kind k ON m.label = k.label AND ai_score(coalesce(m.body, k.label), ''spam'') < 0.5');
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT shape('SELECT m.id, ai_classify(m.body || k.weight) FROM mail m JOIN kind k USING (label) ORDER BY 1');
SELECT shape('SELECT a.id, b.l FROM (SELECT id, ai_classify(body) AS l FROM mail ORDER BY id) a JOIN (SELECT id, ai_classify(body) AS l FROM mail ORDER BY id OFFSET 0) b USING (id) ORDER BY 1');
SELECT shape('SELECT count(*) FROM mail a JOIN (SELECT id, ai_classify(body) AS l FROM mail ORDER BY id OFFSET 0) b ON a.id = b.id AND a.label = b.l');
SELECT shape('SELECT count(*) FROM mail m JOIN kind k ON k.label = ai_classify(m.body)');
RESET enable_nestloop;
SET enable_mergejoin = off;
SELECT shape('SELECT m.id, ai_classify(m.body || k.weight) FROM mail m JOIN kind k USING (label) ORDER BY 1');
SELECT shape('SELECT m.id, x.l FROM kind k, LATERAL (SELECT id, ai_classify(body) AS l FROM mail WHERE box = k.weight ORDER BY id LIMIT 3) m (id, l), LATERAL (SELECT m.l || k.label AS l) x ORDER BY 1');
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT shape('SELECT m.id, x.l FROM mail m, LATERAL (SELECT ai_classify(m.body) AS l) x');
SELECT shape('SELECT m.id, x.l FROM mail m, LATERAL (SELECT ai_classify(m.body) AS l OFFSET 0) x');
-- from 16 on the call is computed below the join
SELECT compare('SELECT m.id, x.l FROM mail m LEFT JOIN LATERAL (SELECT ai_classify(w) AS l FROM unnest(string_to_array(m.body, '' '')) w WHERE length(w) > 3) x ON true ORDER BY 1, 2', NULL);

--
-- Subqueries, CTEs, set operations
--
SELECT shape('SELECT id, (SELECT max(ai_classify(b.body)) FROM mail b WHERE b.id <= m.box) FROM mail m ORDER BY id');
SELECT shape('SELECT id, (SELECT ai_classify(m.body)) FROM mail m ORDER BY id');
SELECT shape('SELECT id FROM mail m WHERE EXISTS (SELECT 1 FROM kind k WHERE k.label = ai_classify(m.body) OFFSET 0) ORDER BY id');
SELECT shape('SELECT id FROM mail m WHERE label = ANY (ARRAY(SELECT ai_classify(body) FROM mail WHERE id < 4)) ORDER BY id');
SELECT shape('SELECT id FROM mail WHERE ai_classify(body) = (SELECT ai_classify(body) FROM mail WHERE id = 3) ORDER BY id');
SELECT shape('SELECT ai_classify((SELECT k.label || m.body FROM kind k WHERE k.label = m.label)) FROM mail m ORDER BY id');
SELECT shape('WITH c AS MATERIALIZED (SELECT id, ai_classify(body) AS l FROM mail) SELECT l, count(*) FROM c GROUP BY l ORDER BY l');
SELECT shape('WITH c AS MATERIALIZED (SELECT id, body FROM mail) SELECT ai_classify(body), c.id FROM c');
SELECT shape('WITH c AS NOT MATERIALIZED (SELECT id, ai_classify(body) AS l FROM mail) SELECT a.l, b.l AS l2 FROM c a JOIN c b USING (id) WHERE a.l = ''spam'' ORDER BY id');
SELECT shape('WITH RECURSIVE r AS (SELECT 1 AS n, ai_classify(body) AS l FROM mail WHERE id = 1 UNION ALL SELECT n + 1, ai_classify(l || n) FROM r WHERE n < 50) SELECT * FROM r');
SELECT shape('WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n, ai_classify(n::text) FROM r LIMIT 20');
SELECT shape('SELECT ai_classify(body) FROM mail WHERE id < 9 UNION ALL SELECT ai_classify(label) FROM mail WHERE id > 290');
SELECT shape('SELECT ai_classify(body) FROM mail UNION SELECT label FROM kind ORDER BY 1');
SELECT shape('SELECT ai_classify(body) FROM mail INTERSECT SELECT label FROM kind ORDER BY 1');
SELECT shape('SELECT label FROM kind EXCEPT SELECT ai_classify(body) FROM mail ORDER BY 1');
SELECT shape('SELECT ai_classify(t) FROM (SELECT body AS t FROM mail WHERE id < 9 UNION ALL SELECT label FROM kind) q');

--
-- Other sources of rows
--
SELECT shape('SELECT ai_classify(v) FROM (VALUES (''free prize''), (''lunch''), (NULL)) t (v)');
SELECT shape('SELECT ai_classify(w), n FROM unnest(ARRAY[''free prize'', ''lunch'', '''']) WITH ORDINALITY u (w, n)');
SELECT shape('SELECT ai_classify(n::text), generate_series(1, n) FROM generate_series(1, 3) n');
SELECT shape('SELECT ai_classify(regexp_split_to_table(body, '' '')) FROM mail WHERE id < 9');
SELECT shape('SELECT ai_classify(body) FROM mail TABLESAMPLE BERNOULLI (50) REPEATABLE (1)');
SELECT shape('SELECT ai_classify(body) FROM mail WHERE ctid = ''(0,3)''');
SELECT shape('SELECT ai_classify(body) FROM mail WHERE ctid > ''(0,3)'' AND ctid < ''(0,9)''');
CREATE INDEX mail_id ON mail (id);
SET enable_seqscan = off;
SELECT shape('SELECT id, ai_classify(body) FROM mail WHERE id BETWEEN 5 AND 15 AND ai_classify(body) = ''ham'' ORDER BY id');
SET enable_indexscan = off;
SELECT shape('SELECT id, ai_classify(body) FROM mail WHERE id BETWEEN 5 AND 15 AND ai_classify(body) = ''ham'' ORDER BY id');
RESET enable_indexscan;
CREATE INDEX mail_label ON mail (label);
VACUUM mail;
SELECT shape('SELECT ai_classify(label) FROM mail WHERE label > ''h'' AND ai_classify(label || '' '') > '''' ORDER BY label');
RESET enable_seqscan;
DROP INDEX mail_id, mail_label;
CREATE VIEW labelled AS SELECT id, ai_classify(body) AS l, ai_score(body, 'spam') AS s FROM mail;
SELECT shape('SELECT id, l FROM labelled WHERE s > 0.5');
SELECT shape('SELECT id FROM labelled WHERE l = ''spam''');
CREATE FUNCTION label_of(t text) RETURNS text LANGUAGE sql STABLE AS 'SELECT ai_classify(t)';
SELECT shape('SELECT label_of(body) FROM mail');

--
-- Partitions and inheritance
--
CREATE TABLE part (id int, body text, label text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (101);
CREATE TABLE part_2 (label text, gone int, body text, id int);
ALTER TABLE part_2 DROP COLUMN gone;
ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES FROM (101) TO (201);
CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM (201) TO (1000);
INSERT INTO part SELECT id, body, label FROM mail;
CREATE INDEX ON part (id);
ANALYZE part;
SELECT shape('SELECT tableoid::regclass AS part, id, ai_classify(body) FROM part WHERE ai_classify(body) = ''spam''');
SELECT shape('SELECT ai_classify(p) FROM part p');
SELECT shape('SELECT id, ai_classify(body) FROM part WHERE id > 150 LIMIT 30');
SELECT shape('SELECT id, ai_classify(body) FROM part ORDER BY id LIMIT 110');
SET enable_partitionwise_aggregate = on;
SELECT shape('SELECT label, max(ai_classify(body)) FROM part GROUP BY label ORDER BY 1');
RESET enable_partitionwise_aggregate;
SET enable_partitionwise_join = on;
SELECT shape('SELECT id, ai_classify(a.body || b.label) FROM part a JOIN part b USING (id) ORDER BY id');
RESET enable_partitionwise_join;

--
-- Parallel plans
--
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET min_parallel_index_scan_size = 0;
ALTER TABLE mail SET (parallel_workers = 2);
SELECT shape('SELECT id, ai_classify(body) FROM mail ORDER BY id');
SELECT shape('SELECT count(*) FROM mail WHERE ai_classify(body) = ''spam'' AND ai_score(body, ''ham'') < 0.5');
SELECT shape('SELECT max(ai_classify(body)), count(*) FROM mail');
SELECT shape('SELECT ai_classify(body), count(*) FROM mail GROUP BY 1 ORDER BY 1');
SELECT shape('SELECT box, max(ai_classify(ai_classify(body), ''mood'')) FROM mail GROUP BY box HAVING min(ai_score(body, ''ham'')) < 0.5 ORDER BY box');
SELECT shape('SELECT id FROM mail ORDER BY ai_score(body, ''spam''), id');
SELECT shape('SELECT ai_classify(m.body || k.label) AS l, count(*) FROM mail m JOIN kind k USING (label) GROUP BY 1 ORDER BY 1');
SELECT shape('SELECT count(ai_classify(body)) FROM part');
SELECT shape('SELECT ai_classify(max(body)) FROM mail GROUP BY box ORDER BY 1');
SELECT shape('SELECT id, ai_classify(body) FROM mail WHERE id IN (SELECT max(id) FROM mail GROUP BY box) ORDER BY 1');
-- what workers may not do is done above them
CREATE FUNCTION alone(t text) RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED AS 'BEGIN RETURN t; END';
SELECT shape('SELECT ai_classify(alone(body)) FROM mail WHERE id % 2 = 0 ORDER BY 1');
SET parallel_leader_participation = off;
SELECT shape('SELECT count(*), max(ai_classify(body)) FROM mail WHERE ai_classify(body) = ''spam''');
RESET parallel_leader_participation;
ALTER TABLE mail RESET (parallel_workers);

DROP INDEX kind_label;
DROP FUNCTION label_of, alone;
DROP VIEW labelled;
DROP TABLE part;
