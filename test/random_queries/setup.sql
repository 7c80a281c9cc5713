-- What the random queries read: tables of the same columns, whose texts are those of two
-- models.  "bad" has rows that a model refuses, each for one reason.

\set ON_ERROR_STOP on
CREATE EXTENSION aiaas;

CREATE TABLE t (
	id int PRIMARY KEY,
	grp int,
	n int,
	body text,
	label text,
	model text,
	flag bool,
	amount numeric);

-- texts of at most 90 bytes; every tenth is the text of another row, every 15th is empty or null
INSERT INTO t
	SELECT i, i % 11, i * 37 % 23,
		CASE WHEN i % 30 = 7 THEN NULL WHEN i % 30 = 22 THEN ''
			WHEN i % 3 = 0 THEN 'win a free prize now, call ' || (CASE WHEN i % 10 = 0 THEN 5 ELSE i * 7919 % 1000 END)
			WHEN i % 3 = 1 THEN 'see you at lunch, I am at ' || (CASE WHEN i % 10 = 0 THEN 5 ELSE i * 7919 % 1000 END)
			ELSE 'the meeting of group ' || i % 11 || ' is moved to ' || i % 24 || ' o''clock' END,
		CASE WHEN i % 17 = 5 THEN NULL WHEN i % 3 = 0 THEN 'spam' ELSE 'ham' END,
		CASE WHEN i % 19 = 3 THEN NULL WHEN i % 4 = 0 THEN 'm2' WHEN i % 4 = 1 THEN 'm1@1' ELSE 'm1' END,
		CASE WHEN i % 13 = 4 THEN NULL ELSE i % 3 <> 1 END,
		round((i * 101 % 997) / 7.0, 2)
	FROM generate_series(1, 160) i;

CREATE TABLE u (LIKE t INCLUDING ALL);
INSERT INTO u SELECT id / 2, n, grp, body, label, model, flag, -amount FROM t WHERE id % 2 = 1;
CREATE INDEX ON u (grp);

CREATE TABLE s (LIKE t);
INSERT INTO s SELECT * FROM t WHERE id <= 9;

CREATE TABLE e (LIKE t INCLUDING ALL);

CREATE TABLE p (LIKE t) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (40);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (40) TO (50);
CREATE TABLE p3 PARTITION OF p DEFAULT;
INSERT INTO p SELECT * FROM t WHERE id <= 110;
CREATE INDEX ON p (id);

-- values that are stored out of line
CREATE TABLE wide (LIKE t INCLUDING ALL);
ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
INSERT INTO wide
	SELECT id, grp, n, repeat(body, 60), label, model, flag, amount FROM t WHERE id <= 14;

CREATE TABLE bad (LIKE t INCLUDING ALL);
INSERT INTO bad SELECT * FROM t WHERE id <= 70;
UPDATE bad SET label = 'unknown label' WHERE id = 31;
UPDATE bad SET model = 'missing' WHERE id = 52;
UPDATE bad SET model = '' WHERE id = 64;
UPDATE bad SET body = repeat('a long text ', 20) WHERE id = 43;
CLUSTER bad USING bad_pkey;

-- learnt from what no query reads
CREATE TABLE examples AS
	SELECT body, label, CASE id % 3 WHEN 0 THEN 'offer' WHEN 1 THEN 'private' ELSE 'work' END AS topic
	FROM (SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'spam' ELSE 'ham' END AS label,
			CASE i % 3
				WHEN 0 THEN 'win a free prize now, call ' || (i * 31 % 1000)
				WHEN 1 THEN 'see you at lunch, I am at ' || (i * 31 % 1000)
				ELSE 'the meeting of group ' || i % 11 || ' is moved to ' || i % 24 || ' o''clock' END AS body
		FROM generate_series(1, 300) i) x;
SELECT FROM ai_train('m1', 'SELECT body, label FROM examples');
SELECT FROM ai_train('m2', 'SELECT body, topic AS label FROM examples');
-- the same labels as the first version, the other way round, and not deployed
SELECT FROM ai_train('m1', $$SELECT body, CASE label WHEN 'ham' THEN 'spam' ELSE 'ham' END AS label
	FROM examples$$, options => '{"deploy": "never"}');

-- calls that an index has computed
SELECT ai_pin('m1') AS pin \gset
CREATE INDEX ON u (ai_classify_pinned(body, :'pin'));
CREATE INDEX ON t ((round(ai_score_pinned(body, 'ham', :'pin')::numeric, 6)), id);

CREATE VIEW v WITH (security_barrier) AS SELECT * FROM t WHERE ai_classify(body, 'm1') = 'ham' OR flag;
CREATE VIEW w AS SELECT id, grp, n, ai_classify(body, 'm2') AS body, label, model, flag,
	round(ai_score(body, 'spam', 'm1')::numeric, 6) AS amount FROM t WHERE id % 2 = 0;

-- row level security: a role that sees some rows, by a function that says what it was shown
CREATE ROLE random_reader;
CREATE TABLE r (LIKE t INCLUDING ALL);
INSERT INTO r SELECT * FROM t WHERE id <= 60;
ALTER TABLE r ENABLE ROW LEVEL SECURITY;
CREATE POLICY part ON r TO random_reader USING (ai_classify(body, 'm1') = 'spam' OR id % 4 = 0);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO random_reader;
SELECT ai_grant('m1', 'random_reader', 'use'), ai_grant('m2', 'random_reader', 'use');

-- one count of all that volatile functions do
CREATE SEQUENCE ticks;
GRANT ALL ON SEQUENCE ticks TO random_reader;
CREATE FUNCTION tick(x int) RETURNS int LANGUAGE plpgsql VOLATILE AS
	'BEGIN RETURN x + 0 * nextval(''ticks''); END';
CREATE FUNCTION tick_number() RETURNS int LANGUAGE sql VOLATILE AS
	'SELECT nextval(''ticks'')::int';

-- wrapped: inlined, and not
CREATE FUNCTION topic(x text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
	$$SELECT ai_classify(x, 'm2')$$;
CREATE FUNCTION topic_of(x text) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS
	$$BEGIN RETURN ai_classify(x, 'm2'); END$$;
CREATE FUNCTION rows_of(g int) RETURNS SETOF t LANGUAGE sql STABLE PARALLEL SAFE AS
	$$SELECT * FROM t WHERE grp = g AND ai_classify(body, 'm1') = 'ham'$$;

-- for triggers on tables that scripts make: they are all named "x" and have t's columns
CREATE TABLE log (number serial, place text, value text);
CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN NEW.label := coalesce(ai_classify(NEW.body, 'm1'), NEW.label); RETURN NEW; END$$;
CREATE FUNCTION after_statement() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN
		INSERT INTO log (place, value) SELECT TG_OP, id || ' ' || coalesce(ai_classify(body, 'm2'), '')
			FROM changed ORDER BY id;
		RETURN NULL;
	END$$;

VACUUM ANALYZE;
