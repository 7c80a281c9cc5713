-- a model goes from one server to another as bytes, and answers there as before
\set SHOW_CONTEXT never
CREATE TABLE mail AS
	SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
	FROM generate_series(1, 40) i
	UNION ALL
	SELECT 'see you at lunch, we meet at ' || i, 'ham'
	FROM generate_series(1, 40) i;
SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label');
CREATE TABLE parts AS SELECT * FROM ai_export('sms');
CREATE FUNCTION whole() RETURNS bytea LANGUAGE sql AS $$
	SELECT string_agg(data, '' ORDER BY seq) FROM parts $$;

-- an export is a block of ours: header, the model as it is stored, the manifest
SELECT p.seq, substring(p.data FOR 8) AS magic, length(p.data) % 64 AS rest,
	encode(substring(p.data FROM 33 FOR 12), 'escape') AS kind,
	position(k.data IN p.data) AS content_at
FROM parts p, aiaas.chunk k;
SELECT count(*) FROM ai_export(NULL);

-- the same version gives the same bytes, whatever the session has set
SET extra_float_digits = 0;
SET DateStyle = 'German';
SET TimeZone = 'Asia/Kolkata';
SET IntervalStyle = 'sql_standard';
SET bytea_output = 'escape';
SELECT data = whole() AS is_equal FROM ai_export('sms@1');
RESET ALL;

-- all four ways in; the first version of a model is deployed
SELECT * FROM ai_import('of_bytea', whole());
SELECT lo_from_bytea(0, whole()) AS object \gset
SELECT * FROM ai_import('of_object', :object);
SELECT * FROM ai_import_query('of_query', 'SELECT data FROM parts ORDER BY seq');
SELECT lo_export(:object, 'regress_aiaas_export');
SELECT * FROM ai_import_file('of_file', 'regress_aiaas_export');
COPY (SELECT 1) TO PROGRAM 'rm -f regress_aiaas_export';
SELECT name, versions, deployed, labels, owner = current_user AS is_mine
FROM ai_models ORDER BY name;

-- their answers are those of the original, to the last bit, and their bytes are stored once
SELECT name, count(*) AS rows,
	count(*) FILTER (WHERE ai_scores(body, name) = ai_scores(body, 'sms')) AS equal
FROM ai_models, mail GROUP BY name ORDER BY name;
SELECT count(*) AS contents FROM aiaas.content;

-- what is known of a model comes along; where it was is noted
SELECT name, array_agg(key ORDER BY key) AS differs
FROM ai_models, jsonb_each(ai_describe(name))
WHERE name <> 'sms' AND value <> ai_describe('sms')->key
GROUP BY name ORDER BY name;
SELECT (d->'lineage') - 'imported' = o->'lineage' AS same_lineage,
	(d->'lineage'->'imported') - 'created' - 'user' AS imported,
	d->'lineage'->'imported'->>'user' = current_user AS is_by_me,
	(d->'lineage'->'imported'->>'created')::timestamptz = (o->>'created')::timestamptz AS same_time
FROM ai_describe('of_bytea') d, ai_describe('sms') o;

-- without a name it is the one that it had; a later version waits for ai_deploy(), or is deployed at once
SELECT * FROM ai_import(NULL, whole());
SELECT * FROM ai_import('sms', source => whole(), deploy => true);
SELECT version, deployed FROM ai_versions WHERE model = 'sms';
SELECT ai_drop('sms@1');
SELECT * FROM ai_import_query(NULL, 'SELECT data FROM parts ORDER BY seq', true);

-- an export of an import carries the same weights
SELECT position(k.data IN e.data) AS content_at, length(e.data) > length(whole()) AS is_longer
FROM ai_export('of_bytea') e, aiaas.chunk k;

-- a larger model comes in parts of 1 MiB
CREATE TABLE many AS
	SELECT i % 2 AS label, string_agg(md5((i * 100 + j)::text), ' ') AS body
	FROM generate_series(1, 400) i, generate_series(1, 20) j GROUP BY i;
SET client_min_messages = warning;	-- progress, on a slow machine
SELECT version FROM ai_train('large', 'SELECT body, label FROM many', 'label',
	options => '{"char_ngrams": [4, 5]}');
RESET client_min_messages;
SELECT count(*) > 2 AS has_parts, min(seq) AS first, max(seq) - count(*) AS last,
	count(*) FILTER (WHERE length(data) = 1048576) = count(*) - 1 AS are_full,
	sum(length(data)) > (SELECT bytes FROM ai_models WHERE name = 'large') AS has_all
FROM ai_export('large');
SELECT model, version, labels, bytes = (SELECT bytes FROM ai_models WHERE name = 'large') AS same_size
FROM ai_import_query('larger', 'SELECT data FROM ai_export(''large'') ORDER BY seq');
SELECT count(*) AS rows,
	count(*) FILTER (WHERE ai_scores(body, 'larger') = ai_scores(body, 'large')) AS equal FROM many;

-- with a stored value, the head is looked at before the rest is unpacked
CREATE TABLE stored AS SELECT string_agg(data, '' ORDER BY seq) AS data FROM ai_export('large');
SELECT model, version FROM stored, ai_import('larger', data, true);
SELECT ai_import('x', convert_to(repeat('no model', 1000000), 'UTF8'));

-- rolled back, it was never there
BEGIN;
SELECT model FROM ai_import('draft', whole());
SELECT ai_classify('free prize', 'draft');
ROLLBACK;
SELECT ai_classify('free prize', 'draft');

-- nothing is imported where nothing may be written
BEGIN READ ONLY;
SELECT count(*) FROM ai_export('sms');
SELECT ai_import('x', whole());
ROLLBACK;

-- arguments
SELECT ai_import('x', NULL::bytea);
SELECT ai_import('x', whole(), NULL);
SELECT ai_import_file('x', NULL);
SELECT ai_import_query('x', NULL);
SELECT ai_import('x@1', whole());
SELECT ai_import('', whole());

-- bytes that are no export, or not all of one
SELECT ai_import('x', ''::bytea);
\echo :SQLSTATE
SELECT ai_import('x', '\x47475546'::bytea);
SELECT ai_import('x', data) FROM aiaas.chunk ORDER BY length(data) LIMIT 1;
\set VERBOSITY terse
SELECT ai_import('x', substring(whole() FOR 200));
SELECT ai_import('x', substring(whole() FOR length(whole()) - 1));
SELECT ai_import('x', whole() || '\x00'::bytea);
\set VERBOSITY default
SELECT ai_import('x', set_byte(whole(), 8, 2));
\echo :SQLSTATE
SELECT ai_import('x', set_byte(whole(), 1000, get_byte(whole(), 1000) # 1));
\echo :SQLSTATE
SELECT ai_import('x', set_byte(whole(), length(whole()) - 64, 0));
\echo :SQLSTATE

-- large objects
SELECT ai_import('x', 0::oid);
\set VERBOSITY terse
SELECT lo_put(:object, 20000, '\x00');
SELECT ai_import('x', :object);
SELECT lo_unlink(:object);
\set VERBOSITY sqlstate
SELECT ai_import('x', :object);
\set VERBOSITY default

-- queries
SELECT ai_import_query('x', 'SELECT data FROM parts WHERE false');
SELECT ai_import_query('x', 'SELECT seq, data FROM parts');
SELECT ai_import_query('x', 'SELECT seq FROM parts');
SELECT ai_import_query('x', 'SELECT FROM parts');
SELECT ai_import_query('x', 'SELECT NULL::bytea');
SELECT ai_import_query('x', 'SELECT data FROM ai_export(''large'') ORDER BY seq DESC');
\set VERBOSITY terse
SELECT ai_import_query('x', 'SELECT data FROM ai_export(''large'') ORDER BY seq LIMIT 1');
SELECT ai_import_query('x', 'SELECT data FROM parts UNION ALL SELECT ''\x00''');
\set VERBOSITY default
SELECT ai_import_query('x', 'DELETE FROM parts RETURNING data');
SELECT ai_import_query('x', 'SELECT data FROM parts FOR UPDATE');
SELECT ai_import_query('x', 'SELECT data FROM missing');
SELECT ai_import_query('x', '');
CREATE DOMAIN bytes AS bytea;
SELECT model FROM ai_import_query('of_domain', 'SELECT data::bytes FROM parts');

-- files
SELECT ai_import_file('x', 'base');
\echo :SQLSTATE
SELECT ai_import_file('x', 'regress_aiaas_missing');
\echo :SQLSTATE
SELECT ai_import_file('x', 'PG_VERSION');

-- an import is for those to whom it was allowed, into models that they may train
CREATE ROLE regress_aiaas_ann;
CREATE ROLE regress_aiaas_bob;
GRANT SELECT ON parts TO PUBLIC;
SET ROLE regress_aiaas_ann;
SELECT ai_import('x', '\x00'::bytea);
SELECT ai_import('x', 0::oid);
SELECT ai_import_query('x', 'SELECT data FROM parts');
SELECT ai_import_file('x', 'x');
RESET ROLE;
GRANT EXECUTE ON FUNCTION ai_import(text, bytea, boolean, text), ai_import(text, oid, boolean, text),
	ai_import_query(text, text, boolean, text), ai_import_file(text, text, boolean, text)
	TO regress_aiaas_ann, regress_aiaas_bob;
SELECT lo_from_bytea(0, whole()) AS object \gset
SET ROLE regress_aiaas_ann;
SELECT model, version, deployed FROM ai_import('anns', whole());
SELECT name, owner FROM ai_models;
SELECT ai_import('sms', whole());
\echo :SQLSTATE
SELECT ai_import(NULL, whole());
SELECT count(*) FROM ai_export('sms');
\echo :SQLSTATE
\set VERBOSITY sqlstate
SELECT ai_import('x', :object);
\set VERBOSITY default
SELECT ai_import_file('x', 'PG_VERSION');
\echo :SQLSTATE
SET ROLE regress_aiaas_bob;
SELECT ai_import('anns', whole());
SELECT count(*) FROM ai_export('anns');
RESET ROLE;
GRANT pg_read_server_files TO regress_aiaas_bob;
GRANT SELECT ON LARGE OBJECT :object TO regress_aiaas_bob;
SET ROLE regress_aiaas_bob;
SELECT ai_import_file('x', 'PG_VERSION');
SELECT model, version FROM ai_import('bobs', :object);
RESET ROLE;
SELECT lo_unlink(:object);

-- nothing is left of all that failed
SELECT name, owner = current_user AS is_mine, versions FROM ai_models ORDER BY name;
SELECT count(*) AS contents FROM aiaas.content c
WHERE NOT EXISTS (SELECT FROM aiaas.version v WHERE v.hash = c.hash);

SELECT ai_drop(name) FROM ai_models;
REVOKE EXECUTE ON FUNCTION ai_import(text, bytea, boolean, text), ai_import(text, oid, boolean, text),
	ai_import_query(text, text, boolean, text), ai_import_file(text, text, boolean, text)
	FROM regress_aiaas_ann, regress_aiaas_bob;
DROP ROLE regress_aiaas_ann, regress_aiaas_bob;
DROP DOMAIN bytes;
DROP FUNCTION whole();
DROP TABLE mail, parts, many, stored;
