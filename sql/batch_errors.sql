-- What a call raises belongs to its row: it comes when the row's turn comes, or never.
\set VERBOSITY terse
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
\pset format unaligned
\pset tuples_only on

-- the tenth of twenty rows is one that every kind of call refuses
CREATE TABLE bad AS
	SELECT i AS id,
		CASE i WHEN 10 THEN 'none' ELSE 'mail' END AS model,
		CASE i WHEN 10 THEN 'nobody' ELSE 'spam' END AS label,
		CASE i WHEN 10 THEN repeat('free prize ', 1000) ELSE 'free prize ' || i END AS body
	FROM generate_series(1, 20) i;
ANALYZE bad;

--
-- A model that is not there, an unknown label, a text that is too long
--
SET aiaas.max_input_bytes = 1000;
SELECT shape('SELECT id, ai_classify(label, model) FROM bad LIMIT 9');
SELECT shape('SELECT id, ai_classify(label, model) FROM bad LIMIT 10');
SELECT shape('SELECT id, ai_score(model, label) FROM bad LIMIT 9');
SELECT shape('SELECT id, ai_score(model, label) FROM bad LIMIT 10');
SELECT shape('SELECT id, ai_classify(body) FROM bad LIMIT 9');
SELECT shape('SELECT id, ai_classify(body) FROM bad LIMIT 10');
SELECT shape('SELECT id, ai_scores(b) FROM bad b LIMIT 9');
SELECT shape('SELECT id, ai_scores(b) FROM bad b LIMIT 10');
SELECT shape('SELECT id, ai_classify(label, model) FROM bad LIMIT 4 OFFSET 5');
SELECT shape('SELECT id, ai_classify(label, model) FROM bad LIMIT 5 OFFSET 5');
-- the row is passed over, but it is computed all the same
SELECT shape('SELECT id, ai_classify(label, model) FROM bad LIMIT 4 OFFSET 15');
SELECT shape('SELECT id, ai_classify(label, model) FROM bad OFFSET 19');

-- whoever reads all rows meets it
SELECT shape('SELECT count(ai_classify(label, model)) FROM bad');
SELECT shape('SELECT max(ai_score(model, label)) FROM bad');
SELECT shape('SELECT ai_classify(body), count(*) FROM bad GROUP BY 1');
SELECT shape('SELECT id FROM bad ORDER BY ai_classify(label, model), id LIMIT 1');
SELECT shape('SELECT id FROM bad WHERE ai_classify(label, model) = ''no such label''');
-- and who stops before does not
SELECT shape('SELECT id FROM bad WHERE ai_classify(label, model) = ''ham'' LIMIT 5');
SELECT shape('SELECT EXISTS (SELECT 1 FROM bad WHERE ai_score(model, label) > 0)');
SELECT shape('SELECT label FROM kind k WHERE EXISTS (SELECT 1 FROM bad b WHERE b.id > k.weight AND ai_score(b.model || k.weight, b.label) > 0 OFFSET 0)');
SELECT shape('SELECT (SELECT ai_score(model, label) > 0 FROM bad LIMIT 1)');
SELECT shape('SELECT * FROM kind k, LATERAL (SELECT ai_classify(b.label, b.model) FROM bad b WHERE b.id >= k.weight LIMIT 7) x');
SELECT shape('SELECT * FROM kind k, LATERAL (SELECT ai_classify(b.label, b.model) FROM bad b WHERE b.id >= k.weight LIMIT 8) x');
-- a condition that keeps the row away is evaluated first, wherever it stands
SELECT shape('SELECT id, ai_classify(label, model) FROM bad WHERE model <> ''none''');
SELECT shape('SELECT id, ai_classify(label, model) FROM bad WHERE ai_classify(id::text) <> '''' AND id <> 10');
SELECT shape('SELECT id, ai_classify(body, model) FROM bad WHERE ai_classify(label) <> '''' AND ai_classify(left(body, 20)) <> '''' AND id <> 10');
SELECT shape('SELECT b.id, ai_classify(b.body, b.model) FROM bad b JOIN kind k ON k.label = b.label');
SELECT shape('SELECT CASE WHEN id <> 10 THEN ai_classify(body, model) END FROM bad');
SELECT shape('SELECT CASE WHEN ai_score(''a'' || id, ''spam'') >= 0 AND id <> 10 THEN ai_classify(body, model) END FROM bad');
-- null in, null out, whatever the rest is
SELECT shape('SELECT ai_classify(NULLIF(label, ''nobody''), model), ai_score(NULLIF(model, ''none''), label) FROM bad');

--
-- Calls of calls: the inner one is asked ahead, and keeps what it would raise
--
SELECT shape('SELECT id, ai_classify(ai_classify(label, model), ''mood'') FROM bad LIMIT 9');
SELECT shape('SELECT id, ai_classify(ai_classify(label, model), ''mood'') FROM bad LIMIT 10');
SELECT shape('SELECT id, ai_classify(ai_classify(label), model) FROM bad LIMIT 9');
SELECT shape('SELECT id, ai_classify(ai_classify(label), model) FROM bad LIMIT 10');
SELECT shape('SELECT id, ai_classify(label, model) FROM bad WHERE ai_classify(model) <> '''' AND ai_score(label, ''ham'') >= 0 LIMIT 9');
SELECT shape('SELECT EXISTS (SELECT 1 FROM bad WHERE ai_classify(ai_classify(ai_classify(ai_classify(label, model)), ''mood'')) <> '''' AND id = 9)');
-- a loop that stops, row by row, at each depth
CREATE FUNCTION until(query text, last int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c refcursor;
	n int := 0;
	r record;
BEGIN
	OPEN c FOR EXECUTE query;
	WHILE n < last LOOP
		FETCH c INTO r;
		n := n + 1;
	END LOOP;
	RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
	RETURN n || ' rows, then ' || SQLERRM;
END $$;
SELECT until(query, 9) AS nine, until(query, 12) AS twelve
FROM (VALUES
	('SELECT ai_classify(label, model) FROM bad'),
	('SELECT ai_classify(ai_classify(label, model)) FROM bad'),
	('SELECT ai_classify(ai_classify(ai_classify(label, model))) FROM bad'),
	('SELECT ai_classify(ai_classify(ai_classify(ai_classify(label, model)))) FROM bad'),
	('SELECT ai_classify(ai_classify(ai_classify(ai_classify(label)), model)) FROM bad'),
	('SELECT ai_classify(ai_classify(ai_classify(label))) FROM bad WHERE ai_classify(label, model) <> '''''),
	('SELECT ai_classify(ai_classify(ai_classify(label))) FROM bad WHERE ai_classify(label, model) <> '''' AND id % 2 = 0')) v (query);

--
-- Other expressions: where they were evaluated
--
-- beside a call
SELECT shape('SELECT 1 / (id - 10), ai_classify(label) FROM bad LIMIT 9');
SELECT shape('SELECT 1 / (id - 10), ai_classify(label) FROM bad LIMIT 10');
SELECT until('SELECT 1 / (id - 10), ai_classify(label) FROM bad', 9), until('SELECT 1 / (id - 10), ai_classify(label) FROM bad', 10);
SELECT shape('SELECT id FROM bad WHERE ai_classify(label) <> '''' AND 1 / (id - 10) < 5 LIMIT 9');
-- in an argument or below, at most as many rows early as are read ahead: exactly none under LIMIT
SELECT shape('SELECT ai_classify((1 / (id - 10))::text) FROM bad LIMIT 9');
SELECT shape('SELECT ai_classify((1 / (id - 10))::text) FROM bad LIMIT 10');
SELECT shape('SELECT ai_classify(ai_classify((1 / (id - 10))::text), ''mood'') FROM bad LIMIT 9');
SELECT shape('SELECT ai_classify(label) FROM bad WHERE 1 / (id - 10) < 5 LIMIT 9');
SELECT until('SELECT ai_classify((1 / (id - 10))::text) FROM bad', 7), until('SELECT ai_classify((1 / (id - 10))::text) FROM bad', 10);

--
-- After an error
--
PREPARE few (int) AS SELECT count(ai_classify(label, model)) FROM (SELECT * FROM bad LIMIT $1) b;
EXECUTE few (9);
EXECUTE few (10);
EXECUTE few (9);
DEALLOCATE few;
CREATE FUNCTION try(n int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(ai_classify(label, model)) FROM bad WHERE id <= n);
EXCEPTION WHEN undefined_object THEN
	RETURN SQLERRM;
END $$;
SELECT try(9), try(10), try(9), try(20), try(1);
-- the whole statement fails, and leaves nothing
UPDATE bad SET label = ai_classify(label, model);
SELECT count(*) FROM bad WHERE label IN ('spam', 'nobody');
BEGIN;
UPDATE bad SET label = ai_classify(label) WHERE id < 10;
SAVEPOINT a;
UPDATE bad SET label = ai_classify(label, model);
ROLLBACK TO a;
UPDATE bad SET label = label || ai_classify(label, model) WHERE id < 10;
SELECT label, count(*) FROM bad GROUP BY 1 ORDER BY 1;
ROLLBACK;
-- a portal that has failed stays so
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_classify(label, model) FROM bad WHERE ai_classify(label) <> '';
FETCH 8 FROM c;
SAVEPOINT a;
FETCH 1 FROM c;
SAVEPOINT b;
FETCH 1 FROM c;
ROLLBACK TO a;
FETCH 1 FROM c;
COMMIT;
RESET aiaas.max_input_bytes;

DROP FUNCTION until, try;
DROP TABLE bad;
