-- What the planner thinks of calls: they cost what their model and input cost, so they come
-- after what is cheap, only for rows that are wanted, and in parallel.

CREATE SCHEMA costs;
SET search_path = costs, public;

CREATE TABLE messages AS
	SELECT i AS id, i % 100 AS folder,
		CASE WHEN i % 2 = 0 THEN 'spam' ELSE 'ham' END AS label,
		CASE WHEN i % 2 = 0
			THEN 'win a free prize now, call ' || (i * 7919 % 1000)
			ELSE 'see you at lunch, I am at ' || (i * 7919 % 1000) END AS body,
		repeat('a longer text ', 40) AS letter
	FROM generate_series(1, 400) i;
ANALYZE messages;
SELECT version FROM ai_train('mail', 'SELECT body, label FROM messages', 'label');

-- what evaluating an expression for a row costs, in operators
CREATE FUNCTION operators(expression text, source text DEFAULT 'messages') RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	explain text := 'EXPLAIN (FORMAT JSON) SELECT %s FROM %s';
	with_it json;
	without json;
BEGIN
	EXECUTE format(explain, expression, source) INTO with_it;
	EXECUTE format(explain, 'NULL', source) INTO without;
	RETURN round(((with_it #>> '{0,Plan,Total Cost}')::numeric - (without #>> '{0,Plan,Total Cost}')::numeric)
		/ (with_it #>> '{0,Plan,Plan Rows}')::numeric / current_setting('cpu_operator_cost')::numeric);
END $$;

-- the nodes of a plan from the top, each with the functions and columns in its filter
CREATE FUNCTION nodes(plan json) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(plan ->> 'Custom Plan Provider', plan ->> 'Node Type') ||
		coalesce(' [' || (SELECT string_agg(m[1], ' ') FROM regexp_matches(plan ->> 'Filter', 'ai_\w+|folder', 'g') m) || ']', '') ||
		coalesce(' < ' || (SELECT string_agg(nodes(p), ', ') FROM json_array_elements(plan -> 'Plans') p), '')
$$;
CREATE FUNCTION shape(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN nodes(plan #> '{0,Plan}');
END $$;

--
-- The cost of a call
--

-- some hundred operators for a short text, more for a longer one
SELECT operators($$ai_classify(body, 'mail')$$) BETWEEN 50 AND 1000 AS short,
	operators($$ai_classify(letter, 'mail')$$) > 2 * operators($$ai_classify(body, 'mail')$$) AS long;

-- however the column comes, and whatever names the model
SET aiaas.default_classifier = 'mail';
SELECT way, abs(operators(expression, source) - operators($$ai_classify(letter, 'mail')$$)) < 10 AS same
FROM (VALUES
	('default', 'ai_classify(letter)', 'messages'),
	('cast', 'ai_classify(letter::varchar)', 'messages'),
	('collation', $$ai_classify(letter COLLATE "C", 'mail')$$, 'messages'),
	('version', $$ai_classify(letter, 'mail@1')$$, 'messages'),
	('pin', format('ai_classify_pinned(letter, %L)', ai_pin('mail')), 'messages'),
	('subquery', 'ai_classify(l)', '(SELECT letter AS l FROM messages) s'),
	('closed subquery', 'ai_classify(l)', '(SELECT letter AS l FROM messages OFFSET 0) s'))
	v(way, expression, source);
SELECT operators('ai_classify(messages)') = operators('ai_classify(body)') AS "the model's column of a row",
	operators('ai_classify(upper(letter))') BETWEEN 50 AND 1000 AS "not known";
RESET aiaas.default_classifier;

-- nothing is raised while a model is not known; then COST counts
SELECT expression, operators(expression)
FROM (VALUES
	($$ai_classify(body, 'no such model')$$),
	($$ai_classify(body, 'mail@7')$$),
	($$ai_classify(body, 'mail@x')$$),
	($$ai_classify(body, '')$$),
	($$ai_classify(body, label)$$),
	($$ai_classify_pinned(body, 'mail')$$),
	($$ai_classify_pinned(body, 'mail@1#00000000000000000000000000000000')$$),
	($$ai_score(body, 'spam', 'no such model')$$),
	($$ai_scores(body, 'no such model')$$),
	('ai_classify(body)')) v(expression);

-- nor does the cost tell a role about models that it may not use
CREATE ROLE costs_reader;
GRANT USAGE ON SCHEMA costs TO costs_reader;
GRANT SELECT ON messages TO costs_reader;
SET ROLE costs_reader;
SELECT operators($$ai_classify(letter, 'mail')$$) = operators($$ai_classify(letter, 'none')$$) AS hidden;
RESET ROLE;
SELECT ai_grant('mail', 'costs_reader', 'use');
SET ROLE costs_reader;
SELECT operators($$ai_classify(letter, 'mail')$$) = operators($$ai_classify(letter, 'none')$$) AS hidden;
RESET ROLE;

-- what a transaction has done counts, and no longer when it is undone
BEGIN;
SELECT operators($$ai_classify(letter, 'new')$$) > 500 AS known;
SELECT version FROM ai_train('new', 'SELECT body, label FROM messages', 'label');
SELECT operators($$ai_classify(letter, 'new')$$) > 500 AS known;
SAVEPOINT trained;
SELECT ai_drop('new');
SELECT operators($$ai_classify(letter, 'new')$$) > 500 AS known;
ROLLBACK TO trained;
SELECT operators($$ai_classify(letter, 'new')$$) > 500 AS known;
ROLLBACK;
SELECT operators($$ai_classify(letter, 'new')$$) > 500 AS known;

-- where nothing can be written
BEGIN READ ONLY;
SELECT operators($$ai_classify(letter, 'mail')$$) > 500 AS known;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY;
SELECT operators($$ai_classify(letter, 'mail')$$) > 500 AS known;
COMMIT;

-- functions that plan, in parallel workers too
CREATE FUNCTION count_spam(int) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000 AS $$
BEGIN
	RETURN (SELECT count(*) FROM messages WHERE ai_classify(body, 'mail') = 'spam' AND folder = $1);
END $$;
SET parallel_setup_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT shape('SELECT sum(count_spam(folder)) FROM messages WHERE id <= 100') ~ 'Gather' AS in_workers;
SELECT sum(count_spam(folder)) FROM messages WHERE id <= 100;
RESET parallel_leader_participation;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;

-- The planner runs a call of constants, to know what it compares with: what that raises comes
-- already when such a condition is planned.
EXPLAIN SELECT FROM messages WHERE label = ai_classify('a free prize', 'no such model');
SELECT shape($$SELECT ai_classify('a free prize', 'no such model') FROM messages$$);

--
-- Plans
--
CREATE TABLE inbox AS
	SELECT i AS id, i % 100 AS folder, body || ', and some more words to read' AS body
	FROM generate_series(1, 120000) i JOIN messages m ON m.id = i % 400 + 1;
CREATE INDEX ON inbox (id);
ANALYZE inbox;
SET max_parallel_workers_per_gather = 0;

-- after cheap conditions, in whatever order they are written
SELECT shape($$SELECT id FROM inbox WHERE ai_classify(body, 'mail') = 'spam' AND folder = 3$$);
SELECT shape($$SELECT id FROM inbox WHERE ai_classify(body, 'none') = 'spam' AND folder = 3$$);
SELECT shape($$SELECT id FROM inbox WHERE ai_classify(body, 'mail') = 'spam' AND id < 30$$);

-- only for the rows that a LIMIT leaves
SELECT shape($$SELECT id, ai_classify(body, 'mail') FROM inbox ORDER BY folder LIMIT 10$$);
SELECT shape($$SELECT id, ai_score(body, 'spam', 'none') FROM inbox ORDER BY folder LIMIT 10$$);
SELECT shape($$SELECT id, ai_scores(body, 'mail') FROM inbox ORDER BY folder, id DESC LIMIT 10$$);

-- once for a row of a table, before a join multiplies it, where a subquery says so
SELECT shape($$SELECT a FROM (SELECT id, ai_classify(body, 'mail') AS a FROM messages OFFSET 0) m
	JOIN inbox i ON i.folder = m.id$$);

-- in parallel, with the settings as they come, when there is enough to do
RESET max_parallel_workers_per_gather;
SELECT shape($$SELECT body FROM inbox$$);
SELECT shape($$SELECT ai_classify(body, 'mail') FROM inbox$$);
SELECT shape($$SELECT ai_classify(body, 'none') FROM inbox$$);
SELECT shape($$SELECT id FROM inbox WHERE ai_classify(body, 'mail') = 'spam'$$);
SELECT shape($$SELECT ai_classify(body, 'mail'), count(*) FROM inbox GROUP BY 1$$) ~ 'Gather.* < BatchProject < Seq Scan' AS group_in_workers;

-- a small table goes parallel when it is told to
CREATE TABLE small AS SELECT * FROM inbox WHERE id <= 20000;
ANALYZE small;
SELECT shape($$SELECT ai_classify(body, 'mail') FROM small$$);
ALTER TABLE small SET (parallel_workers = 2);
SELECT shape($$SELECT ai_classify(body, 'mail') FROM small$$);

-- the same for partitions
CREATE TABLE parts (LIKE inbox) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (1) TO (60001);
CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (60001) TO (200000);
INSERT INTO parts SELECT * FROM inbox;
ANALYZE parts;
SELECT shape($$SELECT ai_classify(body, 'mail') FROM parts$$);

SELECT ai_drop('mail');
DROP SCHEMA costs CASCADE;
DROP ROLE costs_reader;
