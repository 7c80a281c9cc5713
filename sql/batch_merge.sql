-- MERGE: its source runs in batches, its conditions and actions row by row.
SELECT current_setting('server_version_num')::int < 150000 AS has_no_merge \gset
\if :has_no_merge
\quit
\endif
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
\pset format unaligned
\pset tuples_only on

CREATE TABLE done (id int, body text, label text DEFAULT 'none') WITH (autovacuum_enabled = off);
INSERT INTO done (id, body) SELECT id, body FROM mail WHERE id % 2 = 0;
ANALYZE done;
-- the planner moves an expression of the source to where it is used, which is an action
SELECT shape('MERGE INTO done d USING (SELECT id, body, ai_classify(body) AS l FROM mail) m ON m.id = d.id
	WHEN MATCHED AND m.l = ''spam'' THEN DELETE
	WHEN MATCHED THEN UPDATE SET label = m.l
	WHEN NOT MATCHED THEN INSERT VALUES (m.id, m.body, m.l)', 'SELECT * FROM done');
-- unless the source is a query of its own
SELECT shape('MERGE INTO done d USING (SELECT id, body, ai_classify(body) AS l FROM mail OFFSET 0) m ON m.id = d.id
	WHEN MATCHED AND m.l = ''spam'' THEN DELETE
	WHEN MATCHED THEN UPDATE SET label = m.l
	WHEN NOT MATCHED THEN INSERT VALUES (m.id, m.body, m.l)', 'SELECT * FROM done');
SELECT shape('WITH m AS MATERIALIZED (SELECT id, body, ai_classify(body) AS l FROM mail) MERGE INTO done d USING m ON m.id = d.id
	WHEN MATCHED AND m.l = ''spam'' THEN DELETE
	WHEN MATCHED THEN UPDATE SET label = m.l
	WHEN NOT MATCHED THEN INSERT VALUES (m.id, m.body, m.l)', 'SELECT * FROM done');
SELECT shape('MERGE INTO done d USING (SELECT id, body FROM mail WHERE ai_classify(body) = ''spam'') m ON m.id = d.id
	WHEN MATCHED THEN UPDATE SET label = ''spam''
	WHEN NOT MATCHED THEN INSERT VALUES (m.id, m.body)', 'SELECT * FROM done');
SELECT shape('MERGE INTO done d USING mail m ON m.id = d.id
	WHEN MATCHED AND ai_classify(m.body) = ''spam'' THEN DO NOTHING
	WHEN MATCHED THEN UPDATE SET label = ai_classify(d.body)
	WHEN NOT MATCHED AND ai_score(m.body, ''ham'') > 0.5 THEN INSERT VALUES (m.id, m.body, ai_classify(m.body))', 'SELECT * FROM done');
SELECT shape('MERGE INTO done d USING (SELECT ai_classify(body) AS l, max(id) AS id FROM mail GROUP BY 1) m ON m.id = d.id
	WHEN MATCHED THEN UPDATE SET label = m.l
	WHEN NOT MATCHED THEN INSERT VALUES (m.id, m.l)', 'SELECT * FROM done');
SELECT shape('MERGE INTO done d USING mail m ON m.id = d.id AND ai_classify(m.body) = ''spam'' AND ai_score(d.body || m.label, ''spam'') > 0.5
	WHEN MATCHED THEN UPDATE SET label = ''spam''', 'SELECT * FROM done');
-- a row that cannot be classified
SELECT shape('MERGE INTO done d USING (SELECT id, ai_classify(body, CASE id WHEN 99 THEN ''none'' ELSE ''mail'' END) AS l FROM mail OFFSET 0) m ON m.id = d.id
	WHEN MATCHED THEN UPDATE SET label = m.l', 'SELECT * FROM done');
-- into parts, where rows move
CREATE TABLE box (id int, body text, label text) PARTITION BY LIST (label);
CREATE TABLE box_new PARTITION OF box FOR VALUES IN ('new');
CREATE TABLE box_other PARTITION OF box DEFAULT;
INSERT INTO box SELECT id, body, 'new' FROM mail WHERE id % 2 = 0;
ANALYZE box;
SELECT shape('MERGE INTO box b USING (SELECT id, body, ai_classify(body) AS l FROM mail OFFSET 0) m ON m.id = b.id
	WHEN MATCHED THEN UPDATE SET label = m.l
	WHEN NOT MATCHED THEN INSERT VALUES (m.id, m.body, m.l)', 'SELECT tableoid::regclass, * FROM box');
DROP TABLE done, box;
