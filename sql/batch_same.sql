-- Batching changes how calls are computed, and nothing else that can be seen.

CREATE SCHEMA batch_same;
SET search_path = batch_same, public;

CREATE TABLE messages AS
	SELECT i AS id, i % 4 AS grp,
		CASE WHEN i % 3 = 0
			THEN 'win a free prize now, call ' || (i * 7919 % 1000)
			ELSE 'see you at lunch, I am at ' || (i * 7919 % 1000) END AS body
	FROM generate_series(1, 300) i;
SELECT version FROM ai_train('mail',
	$$SELECT body, CASE id % 3 WHEN 0 THEN 'spam' ELSE 'ham' END AS label FROM messages$$);
SET aiaas.default_classifier = 'mail';
ANALYZE messages;

-- the node is there
EXPLAIN (COSTS OFF) SELECT ai_classify(body) FROM messages;
SET aiaas.batch = off;
EXPLAIN (COSTS OFF) SELECT ai_classify(body) FROM messages;
SET aiaas.batch = on;

-- a sort below a limit knows how many rows are wanted: it keeps no others, and ties come as they did
CREATE FUNCTION sort_methods(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		IF line ~ 'Sort Method' THEN
			RETURN NEXT regexp_replace(trim(line), ' *Memory.*', '');
		END IF;
	END LOOP;
END $$;
SELECT sort_methods('SELECT id, ai_classify(body) FROM messages ORDER BY grp LIMIT 5');
SELECT sort_methods('SELECT id, ai_classify(ai_classify(body)) FROM messages ORDER BY grp LIMIT 5 OFFSET 3');
SELECT sort_methods('SELECT id, ai_classify(body) FROM messages ORDER BY grp LIMIT NULL');
CREATE TABLE answers AS SELECT id, ai_classify(body) AS label FROM messages ORDER BY grp LIMIT 20;
SET aiaas.batch = off;
SELECT count(*) FROM answers a
	JOIN (SELECT id, ai_classify(body) AS label FROM messages ORDER BY grp LIMIT 20) b USING (id, label);
SET aiaas.batch = on;
-- also when the limit is another one in the next scan
SELECT g, c FROM generate_series(1, 4) g,
	LATERAL (SELECT string_agg(id || ai_classify, ',') AS c
		FROM (SELECT id, ai_classify(body) FROM messages ORDER BY grp, id LIMIT g % 3) x) y;

-- windows and groups read a row more than they use, and some window functions do not look at
-- all rows: an error comes with the row that is used
CREATE TABLE doubtful AS SELECT id, grp, body, CASE id WHEN 7 THEN 'missing' ELSE 'mail' END AS model
	FROM messages WHERE id <= 9;
CREATE INDEX ON doubtful (id);
SET enable_hashagg = off;
\set VERBOSITY terse
SELECT id, sum(round(ai_score(body, 'spam', model))) OVER (ORDER BY id) FROM doubtful LIMIT 6;
SELECT id, sum(round(ai_score(body, 'spam', model))) OVER (ORDER BY id) FROM doubtful LIMIT 7;
SELECT id, max(ai_classify(body, model)) FROM doubtful GROUP BY id ORDER BY id LIMIT 6;
SELECT id, max(ai_classify(body, model)) FROM doubtful GROUP BY id ORDER BY id LIMIT 7;
SELECT id, lag(ai_classify(body, model)) OVER (ORDER BY id) FROM doubtful WHERE id <= 7;
SELECT id, lag(ai_classify(body, model)) OVER (ORDER BY id) FROM doubtful WHERE id <= 8;
SELECT first_value(ai_classify(ai_classify(body, model), 'mail')) OVER (ORDER BY id) FROM doubtful LIMIT 1;
SELECT last_value(ai_classify(ai_classify(body, model), 'mail')) OVER (ORDER BY id) FROM doubtful LIMIT 7;
SELECT id, count(ai_classify(body, model)) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING)
	FROM doubtful WHERE id <= 7;
-- and so does one of an argument, whether or not it is batched
SELECT id, lag(ai_classify((10 / (id - 7))::text)) OVER (ORDER BY id) FROM doubtful WHERE id BETWEEN 5 AND 7;
\set VERBOSITY default
RESET enable_hashagg;

-- nor does it take a call that has run before
\c -
SELECT ai_stats_reset();
SELECT count(l) FROM (SELECT lag(ai_classify(body, 'mail')) OVER (ORDER BY id) AS l FROM batch_same.doubtful) x;
SELECT function, rows, batches FROM ai_stats WHERE function = 'ai_classify';
