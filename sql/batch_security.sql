-- Rows that somebody may not see are seen by none of his functions, and rights are asked for as without batches.
\set VERBOSITY terse
SET search_path = batch, public;
SET aiaas.default_classifier = 'mail';
SET max_parallel_workers_per_gather = 0;
\pset format unaligned
\pset tuples_only on

CREATE ROLE regress_aiaas_reader;
CREATE TABLE secret AS SELECT id, CASE WHEN id % 2 = 0 THEN 'regress_aiaas_reader' ELSE 'other' END AS owner, body, label
	FROM mail WHERE id <= 20;
ANALYZE secret;
-- rows that the reader must not see say so
UPDATE secret SET body = 'hidden ' || body WHERE owner = 'other';
-- functions that tell what they were given, cheaper than anything else
CREATE TABLE log (what text);
CREATE FUNCTION leak(t text) RETURNS bool LANGUAGE plpgsql COST 0.0001 SECURITY DEFINER AS
	'BEGIN INSERT INTO batch.log VALUES (t); RETURN true; END';
CREATE FUNCTION leak_stable(t text) RETURNS text LANGUAGE plpgsql STABLE COST 0.0001 AS
	'BEGIN IF t LIKE ''hidden%'' THEN RAISE NOTICE ''saw %'', t; END IF; RETURN t; END';
CREATE FUNCTION leaked() RETURNS text LANGUAGE sql SECURITY DEFINER AS
	'SELECT count(*) || '' rows, '' || count(*) FILTER (WHERE what LIKE ''hidden%'') || '' hidden'' FROM batch.log';
GRANT USAGE ON SCHEMA batch TO regress_aiaas_reader;
GRANT SELECT ON mail TO regress_aiaas_reader;
SELECT ai_grant('mail', 'regress_aiaas_reader', 'use');

--
-- Security barriers
--
CREATE VIEW visible WITH (security_barrier) AS SELECT * FROM secret WHERE owner = 'regress_aiaas_reader';
CREATE VIEW visible_ham WITH (security_barrier) AS
	SELECT * FROM secret WHERE owner = 'regress_aiaas_reader' AND ai_classify(label) = 'ham';
CREATE VIEW visible_labelled WITH (security_barrier) AS
	SELECT id, body, ai_classify(body) AS l FROM secret WHERE owner = 'regress_aiaas_reader';
GRANT SELECT ON visible, visible_ham, visible_labelled TO regress_aiaas_reader;
SET ROLE regress_aiaas_reader;
SELECT calls('SELECT id FROM visible WHERE leak(body) AND ai_classify(body) = ''spam''');
SELECT id FROM visible WHERE leak(body) AND ai_classify(body) = 'spam' ORDER BY id;
SELECT leaked();
SELECT calls('SELECT id FROM visible WHERE ai_classify(leak_stable(body)) = ''spam''');
SELECT count(*) FROM visible WHERE ai_classify(leak_stable(body)) = 'spam';
SELECT calls('SELECT id FROM visible_ham WHERE leak_stable(body) > '''' AND ai_score(body, ''ham'') > 0.5');
SELECT count(*) FROM visible_ham WHERE leak(body);
SELECT leaked();
SELECT count(*) FROM visible_ham WHERE leak_stable(body) > '' AND ai_score(leak_stable(body), 'ham') > 0.5;
SELECT calls('SELECT id, l FROM visible_labelled WHERE leak_stable(body) > '''' AND ai_classify(leak_stable(l)) > ''''');
SELECT count(l) FROM visible_labelled WHERE leak_stable(body) > '' AND ai_classify(leak_stable(l)) > '';
SELECT count(l) FROM visible_labelled WHERE leak(body) AND l = 'spam';
SELECT leaked();
RESET ROLE;

--
-- Policies
--
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
GRANT SELECT, UPDATE, DELETE, INSERT ON secret TO regress_aiaas_reader;
TRUNCATE log;
SET ROLE regress_aiaas_reader;
SELECT calls('SELECT id FROM secret WHERE leak_stable(body) > '''' AND ai_classify(leak_stable(body)) = ''spam''');
SELECT count(*) FROM secret WHERE leak_stable(body) > '' AND ai_classify(leak_stable(body)) = 'spam';
SELECT count(*) FROM secret WHERE ai_classify(body) = 'spam' AND leak(body);
SELECT id, ai_classify(body) FROM secret WHERE leak(body) ORDER BY ai_score(leak_stable(body), 'ham'), id LIMIT 2;
SELECT max(ai_classify(leak_stable(body))), count(*) FROM secret s WHERE EXISTS (SELECT 1 FROM secret t WHERE leak(t.body) AND t.id = s.id);
SELECT leaked();
-- the policy itself is a call: what it hides is seen by no other condition, call or argument
RESET ROLE;
DROP POLICY own ON secret;
CREATE POLICY ham ON secret USING (ai_classify(label, 'mail') = 'ham');
UPDATE secret SET label = CASE WHEN owner = 'other' THEN 'win a free prize now' ELSE 'see you at lunch' END;
TRUNCATE log;
SET ROLE regress_aiaas_reader;
SELECT calls('SELECT id FROM secret WHERE leak_stable(body) > '''' AND ai_classify(leak_stable(body)) = ''spam''');
SELECT count(*) FROM secret;
SELECT count(*) FROM secret WHERE leak_stable(body) > '' AND ai_classify(leak_stable(body)) = 'spam';
SELECT count(*) FROM secret WHERE leak(body);
SELECT count(*) FROM secret WHERE ai_classify(body) = 'spam' AND leak(body);
SELECT id, ai_classify(leak_stable(body)) FROM secret WHERE ai_score(leak_stable(body), 'ham') > 0.9 ORDER BY id LIMIT 2;
SELECT count(*) FROM secret s JOIN mail m ON m.id = s.id AND leak(s.body || m.body);
SELECT id FROM secret WHERE 1 / (id % 2 - 1) < 0 AND ai_classify(body) > '' ORDER BY id LIMIT 1;
BEGIN;
UPDATE secret SET body = body || '!' WHERE leak(body) AND ai_classify(leak_stable(body)) = 'spam' RETURNING id;
DELETE FROM secret WHERE leak(body) RETURNING leak_stable(body) || ai_classify(body) LIKE 'hidden%' AS is_hidden;
ROLLBACK;
BEGIN;
DELETE FROM secret WHERE leak(body) AND ai_classify(leak_stable(body)) > '';
ROLLBACK;
SELECT leaked();
-- and it is asked for what is written
BEGIN;
UPDATE secret SET label = 'lunch with you' WHERE ai_classify(body) > '';
UPDATE secret SET label = 'win a free prize' WHERE ai_classify(body) > '';
ROLLBACK;
-- under a row's own error, rows that are hidden raise none
SELECT count(ai_classify(body, CASE WHEN body LIKE 'hidden%' THEN 'none' ELSE 'mail' END)) FROM secret;
RESET ROLE;

--
-- Rights
--
-- EXECUTE is asked for when a statement starts, on every function in it
REVOKE EXECUTE ON FUNCTION ai_classify(text, text) FROM PUBLIC;
SET ROLE regress_aiaas_reader;
SELECT ai_classify(body, 'mail') FROM visible;
SELECT ai_classify(body, 'mail') FROM visible WHERE false;
EXPLAIN (COSTS OFF) SELECT ai_classify(body, 'mail') FROM visible WHERE id < 0;
SELECT count(ai_classify(body, 'mail')) FROM visible;
SELECT count(ai_classify(body)) FROM visible;
-- a plan that is kept asks again
RESET ROLE;
GRANT EXECUTE ON FUNCTION ai_classify(text, text) TO regress_aiaas_reader;
SET ROLE regress_aiaas_reader;
SET plan_cache_mode = force_generic_plan;
PREPARE few AS SELECT count(ai_classify(body, 'mail')) FROM visible;
EXECUTE few;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION ai_classify(text, text) FROM regress_aiaas_reader;
EXECUTE few;
SET ROLE regress_aiaas_reader;
EXECUTE few;
DEALLOCATE few;
RESET ROLE;
GRANT EXECUTE ON FUNCTION ai_classify(text, text) TO PUBLIC;
-- the right on a model is that of the user at the time
PREPARE few AS SELECT count(ai_classify(body, 'mood')) FROM visible;
EXECUTE few;
SET ROLE regress_aiaas_reader;
EXECUTE few;
SELECT ai_classify(body, CASE id WHEN 8 THEN 'mood' ELSE 'mail' END) FROM visible LIMIT 3;
SELECT ai_classify(body, CASE id WHEN 8 THEN 'mood' ELSE 'mail' END) FROM visible LIMIT 4;
RESET ROLE;
SELECT ai_grant('mood', 'regress_aiaas_reader', 'use');
SET ROLE regress_aiaas_reader;
EXECUTE few;
RESET ROLE;
SELECT ai_revoke('mood', 'regress_aiaas_reader', 'use');
SET ROLE regress_aiaas_reader;
EXECUTE few;
DEALLOCATE few;
RESET plan_cache_mode;
RESET ROLE;
-- in a function with the rights of another, those count
CREATE FUNCTION moods() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = batch, public AS
	$$SELECT ai_classify(body, 'mood') FROM visible WHERE id < 9$$;
CREATE FUNCTION mood(t text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = batch, public AS
	$$SELECT ai_classify(t, 'mood')$$;
SET ROLE regress_aiaas_reader;
SELECT count(*) FROM moods();
SELECT count(ai_classify(mood(body))) FROM visible;
SELECT count(mood(ai_classify(body))) FROM visible;
RESET ROLE;

DROP FUNCTION moods, mood, leaked, leak, leak_stable;
DROP TABLE secret, log CASCADE;
SELECT ai_revoke('mail', 'regress_aiaas_reader', 'use');
REVOKE ALL ON mail FROM regress_aiaas_reader;
REVOKE USAGE ON SCHEMA batch FROM regress_aiaas_reader;
DROP ROLE regress_aiaas_reader;
