-- What a statement does beside returning rows is done in the same order, and for the same rows.
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
\pset format unaligned
\pset tuples_only on

-- functions that can be watched
CREATE TABLE log (n serial, what text);
CREATE FUNCTION note(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO log (what) VALUES (t);
	RETURN t;
END $$;
CREATE FUNCTION notes(t text) RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN NEXT note(t); END';
\set effects '''SELECT lpad(row_number() OVER (ORDER BY n)::text, 4), what FROM log'''
CREATE SEQUENCE seq;

--
-- In the target list: when a row is put out
--
SELECT shape('SELECT note(''a'' || id), ai_classify(body) FROM mail', :effects);
SELECT shape('SELECT note(''a'' || id), ai_classify(body) FROM mail LIMIT 10', :effects);
SELECT shape('SELECT note(ai_classify(body) || id) FROM mail WHERE ai_classify(body) = ''spam'' LIMIT 10', :effects);
SELECT shape('SELECT note(ai_classify(ai_classify(body), ''mood'') || id) FROM mail LIMIT 10', :effects);
SELECT shape('SELECT nextval(''seq'') - nextval(''seq''), ai_classify(body), id FROM mail');
-- in the argument of a call: before it
SELECT shape('SELECT ai_classify(note(body)) FROM mail LIMIT 10', :effects);
SELECT shape('SELECT ai_classify(body || (SELECT note(m.body))) FROM mail m LIMIT 10', :effects);
-- beside a subquery that has effects of its own
SELECT shape('SELECT ai_classify(body), (SELECT note(''s'' || m.id)) FROM mail m LIMIT 10', :effects);

--
-- In WHERE: rows are asked for in the same order, and not ahead
--
SELECT shape('SELECT id, ai_classify(body) FROM mail WHERE note(''w'' || id) > ''w2'' LIMIT 10', :effects);
SELECT shape('SELECT note(''t'' || id), ai_classify(body) FROM mail WHERE note(''w'' || id) > ''w2''', :effects);
SELECT shape('SELECT id FROM mail WHERE ai_classify(body) = ''spam'' AND note(''w'' || id) > ''w2''', :effects);
-- where everything is read before anything else is done, it may be read in batches
SELECT shape('SELECT id, ai_classify(body) FROM mail WHERE note(''w'' || id) > ''w2'' ORDER BY 2, 1', :effects);
SELECT shape('SELECT count(ai_classify(body)) FROM mail WHERE note(''w'' || id) > ''w2''', :effects);
SELECT shape('SELECT note(ai_classify(body)), count(*) FROM mail WHERE note(''w'' || id) > ''w2'' GROUP BY ai_classify(body)', :effects);
SELECT shape('SELECT max(ai_classify(body)), max(note(''a'' || id)) FROM mail WHERE note(''w'' || id) > ''w2''', :effects);
SELECT shape('SELECT note(''t'' || id), ai_classify(body) FROM mail WHERE note(''w'' || id) > ''w2'' ORDER BY note(''t'' || id), id', :effects);

--
-- Further down
--
SELECT shape('SELECT note(''t'' || id), ai_classify(t) FROM (SELECT id, note(''s'' || id) AS t FROM mail) q', :effects);
SELECT shape('SELECT ai_classify(t) FROM (SELECT note(''s'' || id) AS t FROM mail) q ORDER BY 1 LIMIT 3', :effects);
SELECT shape('SELECT ai_classify(body) FROM mail m WHERE (SELECT note(''s'' || m.id)) > ''''', :effects);
SELECT shape('SELECT note(''t'' || id), ai_classify(body) FROM mail, LATERAL notes(''f'' || id) f', :effects);
SELECT shape('SELECT note(''t'' || id), ai_classify(f) FROM mail LEFT JOIN LATERAL notes(''f'' || id) f ON id % 2 = 0', :effects);
SELECT shape('SELECT note(''t'' || id), ai_classify(f) FROM mail, LATERAL (SELECT note(''f'' || id) AS f OFFSET 0) f', :effects);
SELECT shape('SELECT note(''t'' || id), ai_classify(x) FROM mail, LATERAL (SELECT max(note(''f'' || id || label)) AS x FROM kind) f', :effects);
SELECT shape('SELECT note(''t'' || id), ai_classify(body) FROM notes(''a'') f, mail', :effects);
SELECT shape('WITH c AS MATERIALIZED (SELECT id, note(''c'' || id) AS t FROM mail) SELECT note(''t'' || id), ai_classify(t) FROM c', :effects);
SELECT shape('SELECT note(''t'' || t), ai_classify(t) FROM (VALUES (note(''a'')), (note(''b'')), (note(''c''))) v (t)', :effects);
SELECT shape('SELECT note(''t'' || id), ai_classify(body) FROM mail m JOIN kind k ON k.label = m.label AND note(k.label || id) > ''''', :effects);
SELECT shape('SELECT note(''t'' || w), ai_classify(w::text) FROM (SELECT count(*) OVER (ORDER BY note(''w'' || weight)) AS w FROM kind) q', :effects);

-- a sort, a hash and groups by hash have read all when the first row comes; so nothing is seen
SELECT shape('SELECT note(''t'' || id), ai_classify(body) FROM mail ORDER BY note(''o'' || id) LIMIT 5', :effects);
SELECT shape('SELECT note(''t'' || box), max(note(body)), ai_classify(max(body)) FROM mail GROUP BY box', :effects);
SELECT shape('SELECT note(''t'' || l), ai_classify(l) FROM (SELECT DISTINCT note(label) AS l FROM mail) q', :effects);
-- groups one after another have not
SET enable_hashagg = off;
SELECT shape('SELECT note(''t'' || box), max(note(body)), ai_classify(max(body)) FROM mail GROUP BY box', :effects);
SELECT shape('SELECT note(''t'' || box), ai_classify(max(body)) FROM mail GROUP BY box', :effects);
SELECT shape('SELECT note(''t'' || box), ai_classify(max(body)) FROM mail GROUP BY box HAVING note(''h'' || box) > ''''', :effects);
RESET enable_hashagg;
SELECT shape('SELECT note(''t'' || id), lag(note(''l'' || id)) OVER w, ai_classify(lag(body) OVER w) FROM mail WINDOW w AS (ORDER BY id)', :effects);
SELECT shape('SELECT note(''t'' || id), max(note(''l'' || id)) OVER (ORDER BY id), max(ai_classify(body)) OVER (ORDER BY id) FROM mail', :effects);
-- nor what starts later: the second half of UNION ALL
SELECT shape('SELECT note(''t'' || t), ai_classify(t) FROM ((SELECT note(''a'' || id) AS t FROM mail ORDER BY 1) UNION ALL (SELECT note(''b'' || id) FROM mail ORDER BY 1)) q LIMIT 301', :effects);
SELECT shape('SELECT note(''t'' || t), ai_classify(t) FROM ((SELECT body AS t FROM mail) UNION ALL (SELECT note(label) FROM kind ORDER BY 1)) q', :effects);

--
-- Statements that write, inside of others
--
SELECT shape('WITH d AS (DELETE FROM mail WHERE id < 20 RETURNING note(''d'' || id) AS t) SELECT note(''t'' || t), ai_classify(t) FROM d', :effects);
SELECT shape('WITH d AS (DELETE FROM mail WHERE ai_classify(body) = ''spam'' RETURNING note(''d'' || id) AS t) SELECT count(ai_classify(t)) FROM d', :effects);
SELECT shape('INSERT INTO log (what) SELECT ai_classify(note(body)) FROM mail', :effects);
SELECT shape('INSERT INTO log (what) SELECT ai_classify(body) || nextval(''seq'') * 0 FROM mail RETURNING note(what)', :effects);

--
-- Rows that are locked
--
SELECT shape('SELECT id, ai_classify(body) FROM mail WHERE ai_classify(body) = ''spam'' ORDER BY id LIMIT 5 FOR UPDATE');
SELECT shape('SELECT id, ai_classify(body) FROM mail WHERE id < 20 FOR NO KEY UPDATE SKIP LOCKED');
SELECT shape('SELECT id, ai_classify(body) FROM (SELECT * FROM mail ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED) q');
-- a queue's usual statements: the rows are locked before the first one is changed
SELECT shape('UPDATE mail SET label = ai_classify(body) WHERE id IN (SELECT id FROM mail WHERE label = ''ham'' ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED)', 'SELECT * FROM mail');
SELECT shape('UPDATE mail m SET label = ai_classify(m.body) FROM (SELECT id FROM mail ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED) q WHERE q.id = m.id', 'SELECT * FROM mail');

DROP FUNCTION note, notes;
DROP TABLE log;
DROP SEQUENCE seq;
