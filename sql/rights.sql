-- who may do what: use, read, train, admin and owner, each with those before it
\set SHOW_CONTEXT never
CREATE TABLE mail AS
	SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
	FROM generate_series(1, 40) i
	UNION ALL
	SELECT 'see you at lunch, we meet at ' || i, 'ham'
	FROM generate_series(1, 40) i;
GRANT SELECT ON mail TO PUBLIC;
CREATE ROLE regress_aiaas_owner;
CREATE ROLE regress_aiaas_admin;
CREATE ROLE regress_aiaas_train;
CREATE ROLE regress_aiaas_read;
CREATE ROLE regress_aiaas_use;
CREATE ROLE regress_aiaas_team;
CREATE ROLE regress_aiaas_member;
CREATE ROLE regress_aiaas_noinherit NOINHERIT;
CREATE ROLE regress_aiaas_nobody;
GRANT regress_aiaas_team TO regress_aiaas_member, regress_aiaas_noinherit;

-- training is for those who are allowed to
SET ROLE regress_aiaas_owner;
SELECT version FROM ai_train('hidden', 'SELECT body, label FROM mail', 'label');
\echo :SQLSTATE
RESET ROLE;
GRANT EXECUTE ON FUNCTION ai_train TO PUBLIC;
SET ROLE regress_aiaas_owner;
SELECT version FROM ai_train('hidden', 'SELECT body, label FROM mail', 'label');
SELECT version FROM ai_train('hidden', 'SELECT body, label FROM mail', 'label',
	options => '{"deploy": "never", "min_count": 2}');
SELECT version FROM ai_train('open', 'SELECT body, label FROM mail', 'label',
	options => '{"min_count": 3}');
SELECT ai_grant('hidden', 'regress_aiaas_' || level, level)
FROM unnest(ARRAY['admin', 'train', 'read', 'use']) level;
SELECT ai_grant('hidden', 'regress_aiaas_team', 'read');
SELECT ai_grant('open', 'public', 'use');
SELECT * FROM ai_privileges;
RESET ROLE;

--
-- The matrix: every function that takes a model, in the name of every role
--
-- yes: it worked, and was undone; no: permission denied; hidden: as if the model
-- did not exist; taken: its name is another's
CREATE FUNCTION try(role text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE call;
	RAISE EXCEPTION 'undone';
EXCEPTION
	WHEN raise_exception THEN
		RETURN 'yes';
	WHEN undefined_object THEN
		RETURN CASE WHEN SQLERRM LIKE '%model %" does not exist' THEN 'hidden' ELSE SQLERRM END;
	WHEN insufficient_privilege THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RETURN CASE WHEN detail LIKE '%another role%' THEN 'taken' ELSE 'no' END;
	WHEN division_by_zero THEN
		RETURN 'hidden';
END $$;
-- the functions that take a pin get that of the model
CREATE FUNCTION named_by(name text, model text) RETURNS text LANGUAGE sql
	RETURN CASE WHEN name LIKE '%pinned' THEN ai_pin(model) ELSE model END;
CREATE TABLE part AS SELECT * FROM ai_export('hidden');
GRANT SELECT ON part TO PUBLIC;
GRANT EXECUTE ON FUNCTION ai_import_query TO PUBLIC;
CREATE TABLE call (n serial, name text, call text);
GRANT SELECT ON call TO PUBLIC;
INSERT INTO call (name, call) VALUES
	('ai_models', 'SELECT 1 / count(*) FROM ai_models WHERE name = %L'),
	('ai_versions', 'SELECT 1 / count(*) FROM ai_versions WHERE model = %L'),
	('ai_classify', 'SELECT ai_classify(''free prize'', %L)'),
	('ai_classify row', 'SELECT ai_classify(m, %L) FROM mail m'),
	('ai_score', 'SELECT ai_score(''free prize'', ''spam'', %L)'),
	('ai_score row', 'SELECT ai_score(m, ''spam'', %L) FROM mail m'),
	('ai_scores', 'SELECT ai_scores(''free prize'', %L)'),
	('ai_scores row', 'SELECT ai_scores(m, %L) FROM mail m'),
	('ai_pin', 'SELECT ai_pin(%L)'),
	('ai_classify_pinned', 'SELECT ai_classify_pinned(''free prize'', %L)'),
	('ai_score_pinned', 'SELECT ai_score_pinned(''free prize'', ''spam'', %L)'),
	('ai_scores_pinned', 'SELECT ai_scores_pinned(''free prize'', %L)'),
	('ai_evaluate', 'SELECT ai_evaluate(%L, ''SELECT * FROM mail'')'),
	('ai_confusion', 'SELECT ai_confusion(%L, ''SELECT * FROM mail'')'),
	('ai_explain', 'SELECT ai_explain(''free prize'', %L)'),
	('ai_explain row', 'SELECT ai_explain(m, %L) FROM mail m'),
	('ai_importance', 'SELECT ai_importance(%L)'),
	('ai_describe', 'SELECT ai_describe(%L)'),
	('ai_export', 'SELECT ai_export(%L)'),
	('ai_check', 'SELECT ai_check(%L)'),
	('ai_loaded', 'SELECT 1 / count(*) FROM ai_loaded WHERE model = %L'),
	('ai_train', 'SELECT ai_train(%L, ''SELECT * FROM mail'', options => ''{"deploy": "never"}'')'),
	('ai_import', 'SELECT ai_import_query(%L, ''SELECT data FROM part ORDER BY seq'')'),
	('ai_deploy', 'SELECT ai_deploy(%L, 1)'),
	('ai_rename', 'SELECT ai_rename(%L, ''renamed'')'),
	('ai_comment', 'SELECT ai_comment(%L, ''a comment'')'),
	('ai_drop', 'SELECT ai_drop(%L)'),
	('ai_drop version', 'SELECT ai_drop(%L, 1)'),
	('ai_grant', 'SELECT ai_grant(%L, ''public'', ''use'')'),
	('ai_revoke', 'SELECT ai_revoke(%L, ''regress_aiaas_use'')'),
	('ai_owner', 'SELECT ai_owner(%L, current_user)');

SELECT name,
	try('regress_aiaas_owner', format(call, hidden)) AS owner,
	try('regress_aiaas_admin', format(call, hidden)) AS admin,
	try('regress_aiaas_train', format(call, hidden)) AS train,
	try('regress_aiaas_read', format(call, hidden)) AS read,
	try('regress_aiaas_use', format(call, hidden)) AS use,
	try('regress_aiaas_nobody', format(call, open)) AS public,
	try('regress_aiaas_member', format(call, hidden)) AS member,
	try('regress_aiaas_noinherit', format(call, hidden)) AS noinherit,
	try('regress_aiaas_nobody', format(call, hidden)) AS nobody,
	try(current_user, format(call, hidden)) AS superuser
FROM call, named_by(call.name, 'hidden') hidden, named_by(call.name, 'open') open
WHERE name <> 'ai_drop version' ORDER BY n;

-- a version can be dropped by who may drop the model
SELECT role, try('regress_aiaas_' || role, 'SELECT ai_drop(''hidden'', 2)') AS drop_version
FROM unnest(ARRAY['owner', 'admin', 'train', 'use', 'nobody']) role;

-- the same in words: what he lacks, and who may help
SET ROLE regress_aiaas_use;
SELECT ai_describe('hidden');
\echo :SQLSTATE
SELECT version FROM ai_train('hidden', 'SELECT body, label FROM mail', 'label');
SELECT ai_grant('hidden', 'regress_aiaas_use', 'admin');
SET ROLE regress_aiaas_admin;
SELECT ai_owner('hidden', 'regress_aiaas_admin');
\echo :SQLSTATE

-- that a model exists is told to nobody who may not use it
RESET ROLE;
CREATE FUNCTION words(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE call;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, detail, hint);
END $$;
SET ROLE regress_aiaas_nobody;
SELECT name, replace(words(format(call, 'hidden')), 'hidden', 'NAME')
	= replace(words(format(call, 'absent')), 'absent', 'NAME') AS equal
FROM call WHERE name NOT IN ('ai_train', 'ai_import') AND name NOT LIKE '%pinned' ORDER BY n;
SELECT words('SELECT ai_describe(''hidden@7'')');
SELECT words('SELECT ai_deploy(''hidden'', 7)');
SELECT words('SELECT ai_classify(''free prize'', ''hiden'')');
SELECT has_model_privilege('hidden', 'use') AS hidden, has_model_privilege('absent', 'use') AS absent,
	has_model_privilege('regress_aiaas_owner', 'hidden', 'use') AS of_owner;

-- but its name is taken
SELECT version FROM ai_train('hidden', 'SELECT body, label FROM mail', 'label');

-- nobody reads the tables and the view behind the views
SELECT * FROM aiaas.privilege;
\echo :SQLSTATE
SELECT * FROM aiaas.allowed;
RESET ROLE;

--
-- What each of them sees
--
SELECT role, try('regress_aiaas_' || role, 'SELECT 1 / count(*) FROM ai_privileges') AS sees_privileges
FROM unnest(ARRAY['owner', 'use', 'nobody']) role;
SET ROLE regress_aiaas_admin;
SELECT name, owner, privilege FROM ai_models;
SELECT * FROM ai_privileges;
SET ROLE regress_aiaas_member;
SELECT name, owner, privilege FROM ai_models;
SELECT * FROM ai_privileges;
SELECT model, version FROM ai_versions;
SET ROLE regress_aiaas_noinherit;
SELECT name, owner, privilege FROM ai_models;
SET ROLE regress_aiaas_team;
SELECT name, owner, privilege FROM ai_models;
RESET ROLE;
SELECT name, owner, privilege FROM ai_models;

--
-- has_model_privilege()
--
SELECT role, string_agg(privilege, ', ' ORDER BY n) AS has
FROM unnest(ARRAY['owner', 'admin', 'train', 'read', 'use', 'member', 'noinherit', 'nobody']) role,
	unnest(ARRAY['use', 'read', 'train', 'admin', 'owner']) WITH ORDINALITY p (privilege, n)
WHERE has_model_privilege('regress_aiaas_' || role, 'hidden', privilege)
GROUP BY role ORDER BY max(n) DESC, role;
SELECT has_model_privilege('public', 'open', 'use') AS open, has_model_privilege('public', 'hidden', 'use') AS hidden,
	has_model_privilege('public', 'open', 'read') AS more;
SELECT has_model_privilege(current_user, 'open', 'owner') AS superuser, has_model_privilege('open', 'owner') AS me,
	has_model_privilege('hidden@2', 'use') AS version, has_model_privilege('hidden@9', 'use') AS no_version,
	has_model_privilege(NULL, 'use') IS NULL AS is_null;
SELECT has_model_privilege('open', 'write');
\echo :SQLSTATE
SELECT has_model_privilege('nosuch', 'open', 'use');
\echo :SQLSTATE

--
-- Granting and revoking
--
SET ROLE regress_aiaas_owner;

-- a grant raises, and never lowers
SELECT ai_grant('open', 'regress_aiaas_use', 'train');
SELECT ai_grant('open', 'regress_aiaas_use', 'use');
SELECT * FROM ai_privileges WHERE model = 'open';

-- a revoke leaves what is below
SELECT ai_revoke('open', 'regress_aiaas_use', 'train');
SELECT privilege FROM ai_privileges WHERE model = 'open' AND role = 'regress_aiaas_use';
SELECT ai_revoke('open', 'regress_aiaas_use', 'admin');
SELECT privilege FROM ai_privileges WHERE model = 'open' AND role = 'regress_aiaas_use';
SELECT ai_revoke('open', 'regress_aiaas_use');
SELECT privilege FROM ai_privileges WHERE model = 'open' AND role = 'regress_aiaas_use';
SELECT ai_revoke('open', 'regress_aiaas_use');
\echo :SQLSTATE

-- an owner stays one, whatever is granted or revoked
SELECT ai_revoke('open', 'regress_aiaas_owner', 'admin');
SELECT ai_grant('open', 'regress_aiaas_owner', 'use');
SELECT ai_revoke('open', 'regress_aiaas_owner');
SELECT has_model_privilege('open', 'owner');

-- names of privileges and "public" in any case
SELECT ai_revoke('open', 'PUBLIC');
SELECT ai_grant('open', 'Public', 'USE');
SELECT role, privilege FROM ai_privileges WHERE model = 'open';

-- an admin grants, and his grants stay without him
SET ROLE regress_aiaas_admin;
SELECT ai_grant('hidden', 'regress_aiaas_nobody', 'admin');
SELECT ai_revoke('hidden', 'regress_aiaas_admin');
SELECT name FROM ai_models;
SET ROLE regress_aiaas_nobody;
SELECT ai_grant('hidden', 'regress_aiaas_admin', 'admin');
SELECT role, privilege, grantor FROM ai_privileges
WHERE role IN ('regress_aiaas_admin', 'regress_aiaas_nobody');
SELECT ai_revoke('hidden', 'regress_aiaas_nobody');
SELECT ai_classify('free prize', 'hidden');

-- what cannot be
SET ROLE regress_aiaas_owner;
SELECT ai_grant('hidden', 'nosuch', 'use');
\echo :SQLSTATE
SELECT ai_grant('hidden', 'none', 'use');
SELECT ai_grant('hidden', 'regress_aiaas_use', 'write');
\echo :SQLSTATE
SELECT ai_grant('hidden', 'regress_aiaas_use', 'owner');
SELECT ai_grant('hidden', 'regress_aiaas_use', '');
SELECT ai_revoke('hidden', 'regress_aiaas_use', 'all');
SELECT ai_revoke('hidden', 'nosuch');
SELECT ai_grant('hidden@1', 'regress_aiaas_use', 'use');
SELECT ai_grant('absent', 'regress_aiaas_use', 'use');
SELECT ai_grant(NULL, 'regress_aiaas_use', 'use');
SELECT ai_grant('hidden', NULL, 'use');
SELECT ai_grant('hidden', 'regress_aiaas_use', NULL);
SELECT ai_revoke('hidden', NULL);
SELECT ai_owner('hidden', NULL);

-- rights obey transactions
BEGIN;
SELECT ai_grant('hidden', 'public', 'use');
SET LOCAL ROLE regress_aiaas_nobody;
SELECT ai_classify('free prize', 'hidden');
SAVEPOINT a;
SET LOCAL ROLE regress_aiaas_owner;
SELECT ai_revoke('hidden', 'public');
SET LOCAL ROLE regress_aiaas_nobody;
SELECT has_model_privilege('hidden', 'use');
ROLLBACK TO a;
SELECT ai_classify('free prize', 'hidden');
ROLLBACK;
SET ROLE regress_aiaas_nobody;
SELECT has_model_privilege('hidden', 'use');
RESET ROLE;
BEGIN READ ONLY;
SELECT ai_grant('hidden', 'public', 'use');
\echo :SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT ai_revoke('hidden', 'public');
ROLLBACK;
BEGIN READ ONLY;
SELECT ai_owner('hidden', 'regress_aiaas_use');
ROLLBACK;

-- a right that is taken while a function runs counts from the next statement on
CREATE FUNCTION loop_over_rights() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	label text;
BEGIN
	FOR i IN 1..2 LOOP
		label := ai_classify('free prize', 'open');
		RETURN NEXT label;
		PERFORM ai_revoke('open', 'public');
		SET LOCAL ROLE regress_aiaas_nobody;
	END LOOP;
END $$;
SELECT * FROM loop_over_rights();

--
-- A new owner
--
SET ROLE regress_aiaas_member;
SELECT version FROM ai_train('mine', 'SELECT body, label FROM mail', 'label');
SELECT ai_owner('mine', 'regress_aiaas_use');
\echo :SQLSTATE
SELECT ai_owner('mine', 'public');
\echo :SQLSTATE
SELECT ai_owner('mine', 'nosuch');
SELECT ai_owner('mine', 'regress_aiaas_team');
SELECT name, owner, privilege FROM ai_models WHERE name = 'mine';
SELECT role, privilege, grantor FROM ai_privileges WHERE model = 'mine';

-- members of the owning role own it
SELECT ai_owner('mine', 'regress_aiaas_member');

-- who was the owner keeps nothing that was not granted
RESET ROLE;
SELECT ai_owner('mine', 'regress_aiaas_use');
SELECT has_model_privilege('regress_aiaas_member', 'mine', 'use') AS before,
	has_model_privilege('regress_aiaas_use', 'mine', 'owner') AS now;

--
-- The querying user counts
--
-- in a view, whoever owns it
GRANT CREATE ON SCHEMA public TO regress_aiaas_owner;
SET ROLE regress_aiaas_owner;
CREATE VIEW judged AS SELECT ai_classify('free prize', 'hidden') AS verdict;
CREATE VIEW listed AS SELECT name FROM ai_models;
GRANT SELECT ON judged, listed TO PUBLIC;
SELECT verdict FROM judged;
SET ROLE regress_aiaas_use;
SELECT verdict FROM judged;
SELECT name FROM listed;
SET ROLE regress_aiaas_nobody;
SELECT verdict FROM judged;
SELECT name FROM listed;

-- in a trigger and in a column's default
RESET ROLE;
CREATE TABLE inbox (body text, label text, made text DEFAULT ai_classify('free prize', 'hidden'));
CREATE FUNCTION set_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.label := ai_classify(NEW.body, 'hidden');
	RETURN NEW;
END $$;
CREATE TRIGGER set_label BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION set_label();
GRANT INSERT, SELECT ON inbox TO PUBLIC;
SET ROLE regress_aiaas_use;
INSERT INTO inbox (body) VALUES ('free prize') RETURNING label, made;
SET ROLE regress_aiaas_nobody;
INSERT INTO inbox (body, made) VALUES ('free prize', NULL);
\echo :SQLSTATE
INSERT INTO inbox (body) VALUES ('free prize');

-- in a SECURITY DEFINER function that is its owner
SET ROLE regress_aiaas_owner;
CREATE FUNCTION judge(body text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = public, pg_temp
	RETURN ai_classify(body, 'hidden');
SET ROLE regress_aiaas_nobody;
SELECT judge('free prize');
SELECT judge(body) FROM inbox;
RESET ROLE;
ALTER FUNCTION judge(text) OWNER TO regress_aiaas_nobody;
SELECT judge('free prize');

--
-- Roles that come and go
--
-- REASSIGN OWNED and DROP OWNED do not know of models
REASSIGN OWNED BY regress_aiaas_owner TO regress_aiaas_nobody;
DROP OWNED BY regress_aiaas_owner, regress_aiaas_use;
SELECT name, owner FROM ai_models;
SELECT has_model_privilege('regress_aiaas_use', 'hidden', 'use');

-- models of a dropped role are the superusers', and what was granted to one is gone
DROP OWNED BY regress_aiaas_nobody;
REVOKE EXECUTE ON FUNCTION ai_train, ai_import_query FROM PUBLIC;
DROP ROLE regress_aiaas_owner, regress_aiaas_train;
SELECT name, owner, privilege FROM ai_models;
SELECT role, privilege, grantor FROM ai_privileges WHERE model = 'hidden' ORDER BY role, privilege;
SET ROLE regress_aiaas_read;
SELECT ai_classify('free prize', 'hidden');
SET ROLE regress_aiaas_nobody;
SELECT name FROM ai_models;
RESET ROLE;

-- the next grant sweeps out what was granted to roles that are gone
SELECT ai_grant('hidden', 'regress_aiaas_read', 'read');
SELECT role, privilege, grantor FROM ai_privileges WHERE model = 'hidden' ORDER BY role, privilege;

-- a superuser gives the models of a dropped role to somebody
SELECT ai_owner('hidden', 'regress_aiaas_admin');
SET ROLE regress_aiaas_admin;
SELECT name, owner, privilege FROM ai_models;

-- a role that is renamed keeps what it has
RESET ROLE;
ALTER ROLE regress_aiaas_admin RENAME TO regress_aiaas_boss;
SELECT name, owner FROM ai_models WHERE name = 'hidden';

-- a model takes its rights with it
SELECT ai_drop(name) FROM ai_models;
SELECT count(*) FROM aiaas.privilege;

DROP TABLE inbox, mail, call, part;
DROP FUNCTION set_label(), loop_over_rights(), named_by(text, text), try(text, text), words(text);
DROP ROLE regress_aiaas_boss, regress_aiaas_read, regress_aiaas_use, regress_aiaas_team,
	regress_aiaas_member, regress_aiaas_noinherit, regress_aiaas_nobody;
