-- Statements that write, or keep what a query returns: the same rows end up in the same places.
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
\pset format unaligned
\pset tuples_only on

CREATE TYPE verdict AS (label text, score float8);
CREATE TABLE done (id int PRIMARY KEY, body text, label text DEFAULT 'none', v verdict, labels text[],
	loud text GENERATED ALWAYS AS (upper(label)) STORED)
	WITH (autovacuum_enabled = off);

--
-- INSERT
--
SELECT shape('INSERT INTO done (id, label) SELECT id, ai_classify(body) FROM mail', 'SELECT * FROM done');
SELECT shape('INSERT INTO done (label, id) SELECT ai_classify(body), id FROM mail WHERE ai_classify(body) = ''spam'' RETURNING label || id', 'SELECT * FROM done');
SELECT shape('INSERT INTO done (id, v.label, v.score, labels[2]) SELECT id, ai_classify(body), ai_score(body, ''ham''), ai_classify(body) FROM mail', 'SELECT * FROM done');
SELECT shape('INSERT INTO done (id, label) VALUES (1, ai_classify(''free prize'')), (2, ai_classify(''lunch''))', 'SELECT * FROM done');
SELECT shape('INSERT INTO done (id, label) SELECT id % 100, ai_classify(body) FROM mail ON CONFLICT DO NOTHING', 'SELECT * FROM done');
SELECT shape('INSERT INTO done AS d (id, label) SELECT id % 100, ai_classify(body) FROM mail ON CONFLICT (id) DO UPDATE SET label = d.label || excluded.label', 'SELECT * FROM done');
SELECT shape('INSERT INTO done (id, body) SELECT id, body FROM mail RETURNING ai_classify(body)', 'SELECT * FROM done');
SELECT shape('INSERT INTO done (id, body) SELECT id, body FROM mail ON CONFLICT (id) DO UPDATE SET label = ai_classify(excluded.body)', 'SELECT * FROM done');
SELECT shape('INSERT INTO done (id, label) SELECT id, ai_classify(body) FROM mail WHERE id < 5 UNION ALL SELECT -weight, ai_classify(label) FROM kind', 'SELECT * FROM done');

--
-- UPDATE and DELETE
--
ALTER TABLE done DROP CONSTRAINT done_pkey;
INSERT INTO done (id, body, label, labels) SELECT id, body, label, ARRAY[label, label] FROM mail;
ANALYZE done;
SELECT shape('UPDATE done SET label = ai_classify(body)', 'SELECT * FROM done');
SELECT shape('UPDATE done SET label = ai_classify(body) WHERE ai_classify(body) <> label', 'SELECT * FROM done');
SELECT shape('UPDATE done SET label = ai_classify(body), v.label = ai_classify(body), v.score = ai_score(body, ''ham'')', 'SELECT * FROM done');
SELECT shape('UPDATE done SET labels[1] = ai_classify(body), v = ROW(ai_classify(body), 0)', 'SELECT * FROM done');
SELECT shape('UPDATE done SET (label, body) = (SELECT ai_classify(body), body)', 'SELECT * FROM done');
SELECT shape('UPDATE done SET (label, body) = (ai_classify(body), id::text) WHERE id < 50', 'SELECT * FROM done');
SELECT shape('UPDATE done d SET (label, v.score) = (SELECT k.label, k.weight FROM kind k WHERE k.label = ai_classify(d.body))', 'SELECT * FROM done');
SELECT shape('UPDATE done d SET label = ai_classify(d.body || k.weight) FROM kind k WHERE k.label = d.label', 'SELECT * FROM done');
SELECT shape('UPDATE done d SET label = m.l FROM (SELECT id, ai_classify(body) AS l FROM mail) m WHERE m.id = d.id AND d.label <> m.l', 'SELECT * FROM done');
SELECT shape('UPDATE done SET label = ai_classify(body) WHERE id < 20 RETURNING id || label', 'SELECT * FROM done');
SELECT shape('UPDATE done SET body = body || 1 RETURNING ai_classify(body)', 'SELECT * FROM done');
SELECT shape('DELETE FROM done WHERE ai_classify(body) = ''spam''', 'SELECT * FROM done');
SELECT shape('DELETE FROM done WHERE ai_classify(body) = ''spam'' RETURNING id', 'SELECT * FROM done');
SELECT shape('DELETE FROM done d USING kind k WHERE k.weight = 1 AND ai_score(d.body, k.label) > 0.5', 'SELECT * FROM done');
SELECT shape('DELETE FROM done d USING mail m WHERE m.id = d.id AND ai_classify(m.body) <> m.label', 'SELECT * FROM done');
SELECT shape('WITH gone AS (DELETE FROM done WHERE ai_classify(body) = ''spam'' RETURNING id, body) SELECT id, ai_classify(body) FROM gone');
SELECT shape('WITH new AS (SELECT id, ai_classify(body) AS l FROM mail) UPDATE done d SET label = new.l FROM new WHERE new.id = d.id', 'SELECT * FROM done');
SELECT shape('WITH moved AS (DELETE FROM done WHERE id < 9 RETURNING id + 1000 AS id, body) INSERT INTO done (id, label) SELECT id, ai_classify(body) FROM moved', 'SELECT * FROM done');

-- a table of parts, where rows move
CREATE TABLE box (id int, body text, label text) PARTITION BY LIST (label);
CREATE TABLE box_spam PARTITION OF box FOR VALUES IN ('spam');
CREATE TABLE box_other (label text, gone int, id int, body text);
ALTER TABLE box_other DROP COLUMN gone;
ALTER TABLE box ATTACH PARTITION box_other DEFAULT;
INSERT INTO box SELECT id, body, 'new' FROM mail;
ANALYZE box;
SELECT shape('UPDATE box SET label = ai_classify(body)', 'SELECT tableoid::regclass, * FROM box');
SELECT shape('UPDATE box b SET label = ai_classify(b.body || k.weight) FROM kind k WHERE k.weight = 2', 'SELECT tableoid::regclass, * FROM box');
SELECT shape('DELETE FROM box WHERE ai_classify(body) = ''ham''', 'SELECT tableoid::regclass, * FROM box');
SELECT shape('INSERT INTO box SELECT id, body, ai_classify(body) FROM mail', 'SELECT tableoid::regclass, * FROM box');

-- tables that inherit, and a view that can be updated
CREATE TABLE small (CHECK (id < 10)) INHERITS (done);
INSERT INTO small (id, body) SELECT id - 400, body FROM mail WHERE id < 9;
SELECT shape('UPDATE done SET label = ai_classify(body)', 'SELECT tableoid::regclass, * FROM done');
DROP TABLE small;
CREATE VIEW open AS SELECT id, body, label FROM done WHERE ai_classify(body) = 'spam' WITH CHECK OPTION;
SELECT shape('UPDATE open SET label = ai_classify(body) || 1', 'SELECT * FROM done');
SELECT shape('UPDATE open SET body = ''lunch''', 'SELECT * FROM done');
SELECT shape('DELETE FROM open WHERE ai_score(body, ''spam'') > 0.5', 'SELECT * FROM done');

--
-- Triggers
--
CREATE FUNCTION set_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.label := NEW.label || '/' || ai_classify(NEW.body);
	RETURN NEW;
END $$;
CREATE TRIGGER set_label BEFORE INSERT OR UPDATE ON done FOR EACH ROW EXECUTE FUNCTION set_label();
SELECT shape('UPDATE done SET label = ai_classify(body)', 'SELECT * FROM done');
-- of a row that another row's trigger has changed, the statement sees what it saw before
CREATE FUNCTION change_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE done SET body = 'win a free prize' WHERE id = NEW.id + 150 AND body <> 'win a free prize';
	RETURN NEW;
END $$;
CREATE TRIGGER change_next AFTER UPDATE ON done FOR EACH ROW EXECUTE FUNCTION change_next();
SELECT shape('UPDATE done SET label = ai_classify(body) WHERE id <= 150', 'SELECT * FROM done');
DROP TRIGGER change_next ON done;
CREATE TRIGGER change_next BEFORE UPDATE ON done FOR EACH ROW EXECUTE FUNCTION change_next();
SELECT shape('UPDATE done SET label = ai_classify(body)', 'SELECT * FROM done');
DROP TRIGGER change_next ON done;
-- a statement's trigger reads what was changed
CREATE TABLE log (n serial, what text);
CREATE FUNCTION count_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO log (what) SELECT ai_classify(body) || count(*) FROM new_rows GROUP BY ai_classify(body) ORDER BY 1;
	RETURN NULL;
END $$;
CREATE TRIGGER count_labels AFTER UPDATE ON done REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION count_labels();
SELECT shape('UPDATE done SET label = ai_classify(body)', 'SELECT what FROM log');
DROP TRIGGER set_label ON done;
DROP TRIGGER count_labels ON done;

--
-- Tables and files made of queries
--
SET aiaas.batch = off;
CREATE TABLE made_without AS SELECT id, ai_classify(body) AS l, ai_scores(body) FROM mail;
CREATE MATERIALIZED VIEW seen_without AS SELECT ai_classify(body) AS l, count(*) FROM mail GROUP BY 1;
COPY (SELECT id, ai_classify(body), round(ai_score(body, 'ham')::numeric, 3) FROM mail WHERE id % 60 = 3 ORDER BY id) TO STDOUT;
RESET aiaas.batch;
CREATE TABLE made AS SELECT id, ai_classify(body) AS l, ai_scores(body) FROM mail;
SELECT * INTO made_too FROM (SELECT id, ai_classify(body) AS l, ai_scores(body) FROM mail) q;
CREATE MATERIALIZED VIEW seen AS SELECT ai_classify(body) AS l, count(*) FROM mail GROUP BY 1;
REFRESH MATERIALIZED VIEW seen;
COPY (SELECT id, ai_classify(body), round(ai_score(body, 'ham')::numeric, 3) FROM mail WHERE id % 60 = 3 ORDER BY id) TO STDOUT;
(TABLE made EXCEPT ALL TABLE made_without) UNION ALL (TABLE made_without EXCEPT ALL TABLE made);
(TABLE made_too EXCEPT ALL TABLE made_without) UNION ALL (TABLE made_without EXCEPT ALL TABLE made_too);
(TABLE seen EXCEPT ALL TABLE seen_without) UNION ALL (TABLE seen_without EXCEPT ALL TABLE seen);
SELECT calls('CREATE TABLE x AS SELECT ai_classify(body) FROM mail');
COPY (UPDATE done SET label = ai_classify(body) WHERE id < 4 RETURNING id, label) TO STDOUT;

--
-- Temporary tables, and what a commit does to them
--
BEGIN;
CREATE TEMP TABLE gone (id int, body text, label text) ON COMMIT DELETE ROWS;
INSERT INTO gone SELECT id, body, ai_classify(body) FROM mail WHERE id <= 6;
UPDATE gone SET label = ai_classify(body, 'mail@1') WHERE ai_classify(body) = label;
SELECT count(*) FROM gone WHERE ai_classify(body) = label;
COMMIT;
SELECT count(*) FROM gone;
BEGIN;
CREATE TEMP TABLE dropped ON COMMIT DROP AS SELECT id, ai_classify(body) AS l FROM mail;
SELECT l, count(*), count(ai_classify(l, 'mood')) FROM dropped GROUP BY l ORDER BY l;
COMMIT;
SELECT to_regclass('dropped') IS NULL AS is_dropped;

--
-- What is undone, is; what a transaction has not committed, its statements see
--
BEGIN;
UPDATE done SET body = 'win a free prize' WHERE id = 1;
SAVEPOINT a;
UPDATE done SET label = ai_classify(body) WHERE id < 3;
SELECT id, label FROM done WHERE id < 3 ORDER BY id;
ROLLBACK TO a;
SELECT id, label, ai_classify(body) FROM done WHERE id < 3 ORDER BY id;
SAVEPOINT a;
DELETE FROM done WHERE ai_classify(body) = 'spam';
SELECT count(*) FROM done WHERE ai_classify(body) = 'spam';
ROLLBACK;
SELECT count(*) FROM done WHERE ai_classify(body) = 'spam';

DROP MATERIALIZED VIEW seen, seen_without;
DROP VIEW open;
DROP TABLE done, box, log, made, made_too, made_without;
DROP TYPE verdict;
DROP FUNCTION set_label, change_next, count_labels;
