-- models are rows: they have names, versions and owners, and obey transactions
\set SHOW_CONTEXT never
CREATE TABLE mail AS
	SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
	FROM generate_series(1, 40) i
	UNION ALL
	SELECT 'see you at lunch, we meet at ' || i, 'ham'
	FROM generate_series(1, 40) i;
GRANT SELECT ON mail TO PUBLIC;

-- a training makes a version, and the first one is deployed
SELECT model, version, deployed FROM ai_train('sms', 'SELECT body, label FROM mail', 'label');
SELECT model, version, deployed
FROM ai_train('sms', 'SELECT body, label FROM mail', 'label',
	options => '{"deploy": "never", "min_count": 2}');
SELECT model, version, deployed
FROM ai_train('sms', 'SELECT body, label FROM mail', 'label',
	options => '{"deploy": "always", "min_count": 3}');

-- the views show them
SELECT name, deployed, versions, algorithm, task, labels, metric, score > 0.5 AS is_scored,
	bytes > 0 AS has_bytes, owner = current_user AS is_mine, comment
FROM ai_models;
SELECT model, version, deployed, algorithm, task, train_rows + validation_rows AS rows, metric,
	duration > interval '0' AS took_time, bytes > 0 AS has_bytes
FROM ai_versions;

-- ai_describe() knows the deployed version, or the one that is named
SELECT d->>'model' AS model, d->>'version' AS version, d->>'deployed' AS deployed,
	d->>'kind' AS kind, d->'labels' AS labels, d->'options'->>'min_count' AS min_count,
	length(d->>'hash') AS hash, d->'lineage'->>'query' AS query
FROM unnest(ARRAY['sms', 'sms@2']) AS m, ai_describe(m) AS d;
SELECT jsonb_object_keys(ai_describe('sms')) ORDER BY 1;
SELECT ai_describe(NULL) IS NULL AS is_null;

-- the bare name follows ai_deploy(), a number never changes its meaning
SELECT ai_deploy('sms', 2);
SELECT ai_describe('sms')->>'version' AS version, deployed FROM ai_models;
SELECT ai_classify('free prize', 'sms'), ai_classify('free prize', 'sms@1');

-- a version that is deployed stays while there are others
SELECT ai_drop('sms@2');
\echo :SQLSTATE
SELECT ai_drop('sms', 3);
SELECT version, deployed FROM ai_versions;

-- the number of a dropped version is not given again
SELECT version
FROM ai_train('sms', 'SELECT body, label FROM mail', 'label', options => '{"deploy": "always"}');

-- equal models are stored once, and stay while a version refers to them
SELECT count(DISTINCT hash) AS contents, count(*) AS versions FROM aiaas.version;
SELECT count(*) AS contents FROM aiaas.content;
SELECT ai_drop('sms', 1);
SELECT ai_classify('free prize', 'sms');
SELECT count(*) AS contents FROM aiaas.content;

-- a comment is said once and taken back by NULL
SELECT ai_comment('sms', 'spam or not');
SELECT comment, ai_describe('sms')->>'comment' AS described FROM ai_models;
SELECT ai_comment('sms', NULL);
SELECT comment FROM ai_models;

-- a new name takes everything along
SELECT ai_rename('sms', 'messages');
SELECT name, deployed, versions FROM ai_models;
SELECT ai_classify('free prize', 'messages');
SELECT ai_classify('free prize', 'sms');
\echo :SQLSTATE
SELECT version FROM ai_train('other', 'SELECT body, label FROM mail', 'label');
SELECT ai_rename('other', 'messages');
\echo :SQLSTATE

-- the last version takes the model with it
SELECT ai_drop('other', 1);
SELECT name FROM ai_models;

-- what a transaction did is used in it and undone with it
BEGIN;
SELECT version FROM ai_train('draft', 'SELECT body, label FROM mail', 'label');
SELECT ai_classify('free prize', 'draft');
SELECT ai_drop('messages'), ai_rename('draft', 'messages');
SELECT name, deployed FROM ai_models;
ROLLBACK;
SELECT name, deployed FROM ai_models;
SELECT ai_classify('free prize', 'draft');
BEGIN;
SAVEPOINT a;
SELECT ai_drop('messages');
SELECT count(*) FROM ai_models;
ROLLBACK TO a;
SELECT ai_classify('free prize', 'messages');
COMMIT;

-- a read-only transaction applies models and changes none
BEGIN READ ONLY;
SELECT ai_classify('free prize', 'messages');
SAVEPOINT a;
SELECT * FROM ai_train('x', 'SELECT body, label FROM mail', 'label');
\echo :SQLSTATE
ROLLBACK TO a;
SELECT ai_deploy('messages', 2);
ROLLBACK TO a;
SELECT ai_rename('messages', 'x');
ROLLBACK TO a;
SELECT ai_comment('messages', 'x');
ROLLBACK TO a;
SELECT ai_drop('messages');
ROLLBACK TO a;
SELECT ai_drop('messages', 2);
ROLLBACK;

-- no such model: near names are proposed, otherwise all that may be used
SELECT ai_classify('free prize', 'mesages');
\echo :SQLSTATE
SELECT ai_classify('free prize', 'weather');
SELECT ai_describe('weather@2');

-- no such version
SELECT ai_classify('free prize', 'messages@7');
\echo :SQLSTATE
SELECT ai_deploy('messages', 1);
SELECT ai_drop('messages', 1);
SELECT ai_deploy('messages', 0);
\echo :SQLSTATE

-- a model without a deployed version
SELECT version
FROM ai_train('trial', 'SELECT body, label FROM mail', 'label', options => '{"deploy": "never"}');
SELECT name, deployed, versions, algorithm FROM ai_models WHERE name = 'trial';
SELECT ai_classify('free prize', 'trial');
\echo :SQLSTATE
SELECT ai_classify('free prize', 'trial@1');
SELECT ai_drop('trial');

-- NULL for work that cannot be done is an error
SELECT ai_deploy('messages', NULL);
\echo :SQLSTATE
SELECT ai_drop(NULL);
SELECT ai_drop('messages', NULL);
SELECT ai_rename('messages', NULL);
SELECT ai_comment(NULL, 'x');

-- names and references that cannot be
SELECT ai_rename('messages', '');
\echo :SQLSTATE
SELECT ai_rename('messages', repeat('x', 64));
\echo :SQLSTATE
SELECT ai_rename('messages', 'a@b');
\echo :SQLSTATE
SELECT ai_rename('messages', 'a#b');
SELECT ai_rename('messages', E'a\tb');
SELECT ai_deploy('messages@2', 2);
SELECT ai_drop('messages@2', 2);
SELECT * FROM ai_train('', 'SELECT body, label FROM mail', 'label');
SELECT * FROM ai_train('messages@2', 'SELECT body, label FROM mail', 'label');
SELECT ai_describe('@2');
SELECT ai_describe('messages@');
\echo :SQLSTATE
SELECT ai_describe('messages@0');
SELECT ai_describe('messages@-1');
SELECT ai_describe('messages@1x');
SELECT ai_describe('messages@99999999999');
SELECT ai_describe('messages#0');
SELECT ai_rename('messages', repeat('x', 63)), ai_rename(repeat('x', 63), 'messages');
SELECT ai_rename('messages', 'the boss''s "mail"'), ai_rename('the boss''s "mail"', 'messages');

-- no model is named and none is set
DO $$
DECLARE
	hint text;
BEGIN
	PERFORM ai_classify('free prize');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '%', SQLERRM;
	RAISE NOTICE '%', replace(hint, quote_ident(current_database()), 'this_database');
END
$$;
SET aiaas.default_classifier = 'messages';
SELECT ai_classify('free prize');
SET aiaas.default_classifier = 'messages@4';
SELECT ai_classify('free prize');
SET aiaas.default_classifier = 'massages';
SELECT ai_classify('free prize');
RESET aiaas.default_classifier;

--
-- Rights
--
CREATE ROLE regress_aiaas_ann;
CREATE ROLE regress_aiaas_bob;
CREATE ROLE regress_aiaas_team;
GRANT regress_aiaas_team TO regress_aiaas_ann;
GRANT EXECUTE ON FUNCTION ai_train TO PUBLIC;

-- another's model is as if it did not exist
SET ROLE regress_aiaas_ann;
SELECT name FROM ai_models;
SELECT model FROM ai_versions;
SELECT ai_classify('free prize', 'messages');
\echo :SQLSTATE
SELECT ai_describe('messages');
SELECT ai_deploy('messages', 2);
SELECT ai_comment('messages', 'mine');
SELECT ai_rename('messages', 'mine');
SELECT ai_drop('messages');
SELECT ai_classify('free prize');

-- but its name is taken
SELECT * FROM ai_train('messages', 'SELECT body, label FROM mail', 'label');
\echo :SQLSTATE

-- the tables are closed
SELECT * FROM aiaas.model;
\echo :SQLSTATE
SELECT * FROM aiaas.chunk;
UPDATE ai_models SET name = 'mine';
\echo :SQLSTATE

-- one's own models are one's own, and superusers see all
SELECT version FROM ai_train('anns', 'SELECT body, label FROM mail', 'label');
SELECT name, owner FROM ai_models;
SELECT ai_classify('free prize', 'anns');
SET ROLE regress_aiaas_team;
SELECT version FROM ai_train('teams', 'SELECT body, label FROM mail', 'label');
SET ROLE regress_aiaas_bob;
SELECT name FROM ai_models;
SELECT ai_classify('free prize', 'anns');
RESET ROLE;
SELECT name, owner = current_user AS is_mine FROM ai_models;
SELECT ai_classify('free prize', 'anns');

-- members of the owning role share its models
SET ROLE regress_aiaas_ann;
SELECT name, owner FROM ai_models;
SELECT ai_classify('free prize', 'teams');
SELECT ai_comment('teams', 'for all of us');
RESET ROLE;

-- the querying user counts, also in a view
CREATE VIEW judged AS SELECT ai_classify('free prize', 'messages') AS verdict;
GRANT SELECT ON judged TO regress_aiaas_bob;
SET ROLE regress_aiaas_bob;
SELECT * FROM judged;
RESET ROLE;

-- models of a role that was dropped are the superusers'
DROP ROLE regress_aiaas_team;
SET ROLE regress_aiaas_ann;
SELECT name FROM ai_models;
RESET ROLE;
SELECT name, owner FROM ai_models WHERE owner IS NULL;
SELECT ai_classify('free prize', 'teams');
SELECT ai_drop('teams'), ai_drop('anns'), ai_drop('messages');

-- nothing stays behind
SELECT (SELECT count(*) FROM aiaas.model) AS models,
	(SELECT count(*) FROM aiaas.version) AS versions,
	(SELECT count(*) FROM aiaas.content) AS contents,
	(SELECT count(*) FROM aiaas.chunk) AS chunks,
	(SELECT count(*) FROM aiaas.privilege) AS privileges;

REVOKE EXECUTE ON FUNCTION ai_train FROM PUBLIC;
DROP VIEW judged;
DROP TABLE mail;
DROP ROLE regress_aiaas_ann, regress_aiaas_bob;
