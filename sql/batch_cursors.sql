-- Cursors go where they could go, know their row, and stay as their query was when they were opened.
\set VERBOSITY terse
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
\pset format unaligned
\pset tuples_only on

--
-- All kinds of plans, walked at random with batches and without, and with the setting changed on the way
--
CREATE FUNCTION fetched(how text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'FETCH ' || how || ' FROM walker';
END $$;
CREATE FUNCTION step(can_go_back bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n int := random() * 20;
BEGIN
	IF NOT can_go_back THEN
		RETURN 'FORWARD ' || 1 + n / 2;
	END IF;
	RETURN (ARRAY['NEXT', 'PRIOR', 'FIRST', 'LAST', 'FORWARD 0', 'BACKWARD ALL', 'FORWARD ' || n,
		'BACKWARD ' || n / 3, 'RELATIVE ' || n - 10, 'ABSOLUTE ' || n - 4])[1 + floor(random() * 10)];
END $$;
-- After each step the current row is updated, if a table is given.
CREATE FUNCTION walk(declaration text, target text, steps text[], batch text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	seen text[];
	step text;
	line text;
BEGIN
	PERFORM set_config('aiaas.batch', replace(batch, 'mixed', 'on'), false);
	EXECUTE declaration;
	FOREACH step IN ARRAY steps LOOP
		IF batch = 'mixed' THEN
			PERFORM set_config('aiaas.batch', CASE WHEN random() < 0.5 THEN 'on' ELSE 'off' END, false);
		END IF;
		seen := seen || ARRAY(SELECT fetched(step));
		CONTINUE WHEN target IS NULL;
		BEGIN
			EXECUTE format('UPDATE %s SET label = label || 1 WHERE CURRENT OF walker RETURNING id', target)
				INTO line;
			seen := seen || format('updated %s', line);
		EXCEPTION WHEN OTHERS THEN
			seen := seen || SQLERRM;
		END;
	END LOOP;
	RAISE SQLSTATE 'UND00';
EXCEPTION
	WHEN SQLSTATE 'UND00' THEN
		RETURN seen;
	WHEN OTHERS THEN
		RETURN seen || SQLERRM;
END $$;
CREATE FUNCTION walks(query text, options text, target text, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	declaration text := 'DECLARE walker ' || options || ' CURSOR FOR ' || query;
	steps text[];
	with_batches text[];
	without text[];
BEGIN
	FOR i IN 1..n LOOP
		steps := ARRAY(SELECT step(options <> 'NO SCROLL') FROM generate_series(1, 15));
		with_batches := walk(declaration, target, steps, CASE WHEN i % 2 = 0 THEN 'on' ELSE 'mixed' END);
		without := walk(declaration, target, steps, 'off');
		IF with_batches IS DISTINCT FROM without THEN
			RETURN format('DIFFERENT: %s and %s without, after %s', with_batches, without, steps);
		END IF;
	END LOOP;
	PERFORM set_config('aiaas.batch', 'on', false);
	RETURN 'same';
END $$;
SELECT setseed(0.5);
SELECT calls(query), walks(query, '', NULL, 10), walks(query, 'SCROLL', NULL, 10), walks(query, 'NO SCROLL', NULL, 6)
FROM (VALUES
	('SELECT id || ai_classify(body) FROM mail WHERE id < 40'),
	('SELECT id::text FROM mail WHERE ai_classify(body) = ''spam'' AND id % 4 = 0'),
	('SELECT id || ai_classify(ai_classify(body), ''mood'') FROM mail WHERE id % 8 = 0'),
	('SELECT id || ai_score(body, ''ham'')::text FROM mail WHERE ai_classify(body) = ''spam'' AND id % 4 = 0'),
	('SELECT id || ai_classify(ai_classify(ai_classify(body), ''mood'')) FROM mail WHERE ai_classify(ai_classify(body)) <> ai_classify(body) OR id % 7 = 1'),
	('SELECT id || ai_classify(ai_classify(ai_classify(body), ''mood'')) FROM mail WHERE ai_classify(ai_classify(body)) <> '''' AND id % 7 > 4'),
	('SELECT id || ai_classify(body) FROM mail ORDER BY id DESC LIMIT 20 OFFSET 5'),
	('SELECT id || ai_classify(body) FROM mail ORDER BY box, id LIMIT 20'),
	('SELECT id || ai_classify(body) FROM mail WHERE id < 9 UNION ALL SELECT label || ai_classify(label) FROM kind UNION ALL SELECT id || ai_classify(body) FROM mail WHERE id BETWEEN 20 AND 29'),
	('SELECT ai_classify(l) || l FROM (SELECT ai_classify(body) || id AS l FROM mail WHERE id < 40 OFFSET 0) m WHERE l LIKE ''spam%'''),
	('SELECT id || ai_classify(body) FROM (SELECT * FROM mail ORDER BY id LIMIT 30) m LIMIT 20 OFFSET 4'),
	('SELECT id || ai_classify(m.body || k.label) FROM mail m, kind k WHERE id < 9'),
	('SELECT box || max(ai_classify(body)) FROM mail GROUP BY box'),
	('WITH c AS MATERIALIZED (SELECT * FROM mail WHERE id < 30) SELECT id || ai_classify(body) FROM c'),
	('SELECT n || ai_classify(n::text) FROM generate_series(1, 30) n'),
	('SELECT ai_classify(id::text) || generate_series(1, 2) FROM mail WHERE id < 20'),
	-- the error of a row comes where it came
	('SELECT id || ai_classify(body, CASE id WHEN 15 THEN ''none'' ELSE ''mail'' END) FROM mail WHERE id < 40'),
	('SELECT id || ai_classify(ai_classify(ai_classify(body, CASE id WHEN 15 THEN ''none'' ELSE ''mail'' END))) FROM mail WHERE ai_score(body, ''ham'') < 0.9 AND id < 40')) v (query);

--
-- WHERE CURRENT OF
--
CREATE TABLE part (id int, body text, label text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (11);
CREATE TABLE part_2 (label text, id int, body text);
ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES FROM (11) TO (21);
CREATE TABLE part_3 PARTITION OF part DEFAULT;
INSERT INTO part SELECT id, body, label FROM mail WHERE id <= 40;
ANALYZE part;
SELECT calls(query), walks(query, '', target, 8), walks(query, 'SCROLL', target, 8), walks(query, 'NO SCROLL', target, 5)
FROM (VALUES
	('SELECT id || ai_classify(body) FROM mail WHERE id < 40', 'mail'),
	('SELECT id::text FROM mail WHERE ai_classify(body) = ''spam'' AND id % 4 = 0', 'mail'),
	('SELECT id || ai_classify(ai_classify(body), ''mood'') FROM mail WHERE id % 8 = 0', 'mail'),
	('SELECT id || ai_classify(body) FROM mail ORDER BY id LIMIT 20 OFFSET 5', 'mail'),
	('SELECT id || ai_classify(body) FROM mail ORDER BY box, id LIMIT 20', 'mail'),
	('SELECT id || ai_classify(body) FROM part', 'part'),
	('SELECT id || ai_classify(body) FROM part WHERE ai_classify(body) = ''spam''', 'part'),
	('SELECT ai_classify(l) || l FROM (SELECT ai_classify(body) || id AS l FROM mail WHERE id < 40 OFFSET 0) m', 'mail'),
	('SELECT id || ai_classify(m.body || k.label) FROM mail m, kind k WHERE id < 9', 'mail')) v (query, target);
SELECT calls(query), walks(query, '', target, 5), walks(query, 'NO SCROLL', target, 5)
FROM (VALUES
	('SELECT id || ai_classify(body) FROM mail WHERE id < 40 FOR UPDATE', 'mail'),
	('SELECT id || ai_classify(body) FROM mail WHERE id < 40 AND ai_classify(body) = ''spam'' FOR UPDATE', 'mail'),
	('SELECT id || ai_classify(m.body || k.label) FROM mail m, kind k WHERE id < 9 FOR UPDATE OF m', 'mail'),
	('SELECT id || ai_classify(body) FROM part FOR UPDATE', 'part')) v (query, target);
CREATE INDEX mail_id ON mail (id);
VACUUM mail;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT calls(query), walks(query, '', 'mail', 5)
FROM (VALUES ('SELECT id || ai_classify(body) FROM mail WHERE id BETWEEN 20 AND 40'),
	('SELECT ai_classify(id::text) FROM mail WHERE id BETWEEN 20 AND 40 ORDER BY id')) v (query);
SELECT calls(query), walks(query, '', NULL, 5), walks(query, 'SCROLL', NULL, 5)
FROM (VALUES ('SELECT id || ai_classify(body) FROM mail ORDER BY id DESC LIMIT 20 OFFSET 5'),
	('SELECT ai_classify(id::text) FROM mail WHERE id BETWEEN 20 AND 40 ORDER BY id')) v (query);
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX mail_id;
-- by hand, so that something is seen
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_classify(body) FROM mail WHERE ai_classify(body) = 'spam';
FETCH 3 FROM c;
UPDATE mail SET label = ai_classify(body) || '!' WHERE CURRENT OF c RETURNING id, label;
MOVE 5 FROM c;
FETCH 1 FROM c;
DELETE FROM mail WHERE CURRENT OF c RETURNING id;
UPDATE mail SET label = 'no' WHERE CURRENT OF c;
FETCH PRIOR FROM c;
UPDATE mail SET label = 'yes' WHERE CURRENT OF c RETURNING id;
MOVE FORWARD ALL FROM c;
UPDATE mail SET label = 'no' WHERE CURRENT OF c;
ROLLBACK;

--
-- What happens to the table, or to the model, while a cursor is open
--
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_classify(body) FROM mail WHERE id < 9;
FETCH 2 FROM c;
UPDATE mail SET body = 'win a free prize';
DELETE FROM mail WHERE id > 4;
INSERT INTO mail VALUES (-1, 1, 'ham', 'lunch');
SELECT ai_drop('mail');
FETCH ALL FROM c;
ROLLBACK;
-- a savepoint takes back what comes after it, not where the cursor stands
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_classify(body) FROM mail WHERE id < 20;
FETCH 2 FROM c;
SAVEPOINT a;
FETCH 2 FROM c;
UPDATE mail SET body = 'x' WHERE id < 20;
ROLLBACK TO a;
FETCH 2 FROM c;
SAVEPOINT b;
SELECT 1 / 0;
ROLLBACK TO b;
RELEASE a;
FETCH 2 FROM c;
COMMIT;

--
-- WITH HOLD
--
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT id, ai_classify(body) FROM mail WHERE id < 9;
FETCH 2 FROM held;
COMMIT;
FETCH 2 FROM held;
DECLARE back SCROLL CURSOR WITH HOLD FOR SELECT id, ai_classify(ai_classify(body), 'mood') FROM mail WHERE id < 9;
FETCH LAST FROM back;
FETCH PRIOR FROM back;
FETCH ALL FROM held;
CLOSE ALL;
-- a row that cannot be classified fails the commit, as it is read then
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT id, ai_classify(body, CASE id WHEN 5 THEN 'none' ELSE 'mail' END) FROM mail;
FETCH 4 FROM held;
COMMIT;

--
-- PL/pgSQL
--
CREATE FUNCTION cursor_of(query text) RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'c';
BEGIN
	OPEN c SCROLL FOR EXECUTE query;
	RETURN c;
END $$;
BEGIN;
SELECT cursor_of('SELECT id, ai_classify(body) FROM mail');
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
COMMIT;
DO $$
DECLARE
	c CURSOR (n int) FOR SELECT id, ai_classify(body) AS l FROM part WHERE id + 0 <= n;
	r record;
	seen text := '';
BEGIN
	FOR r IN c (6) LOOP
		UPDATE part SET label = r.l || '?' WHERE CURRENT OF c;
		seen := seen || r.id || r.l || ' ';
	END LOOP;
	RAISE NOTICE '%', seen;
END $$;
SELECT id, label FROM part WHERE label LIKE '%?' ORDER BY id;
-- commits inside of a loop over rows
CREATE PROCEDURE relabel(n int) LANGUAGE plpgsql AS $$
DECLARE
	r record;
	seen int := 0;
BEGIN
	FOR r IN SELECT id, ai_classify(body) AS l FROM part WHERE id <= n ORDER BY id LOOP
		UPDATE part SET label = r.l WHERE id = r.id AND ai_classify(body) = r.l;
		seen := seen + 1;
		IF seen % 7 = 0 THEN
			COMMIT;
		ELSIF seen % 10 = 0 THEN
			ROLLBACK;
		END IF;
	END LOOP;
	RAISE NOTICE '% rows', seen;
END $$;
CALL relabel(40);
-- an error in the middle, caught
DO $$
DECLARE
	r record;
	seen text := '';
BEGIN
	FOR r IN SELECT id, ai_classify(body) AS l FROM mail WHERE id < 7 ORDER BY id LOOP
		BEGIN
			seen := seen || r.id || ai_classify(r.l, CASE WHEN r.id % 2 = 0 THEN 'none' ELSE 'mood' END) || ' ';
		EXCEPTION WHEN undefined_object THEN
			seen := seen || r.id || '- ';
		END;
	END LOOP;
	RAISE NOTICE '%', seen;
END $$;

DROP TABLE part;
DROP PROCEDURE relabel;
DROP FUNCTION fetched, step, walk, walks, cursor_of;
