\echo Use "CREATE EXTENSION aiaas" to load this file. \quit

--
-- The tables behind the functions (src/pg/catalog).
--
-- They belong to whoever owns the extension and are closed to all others: the
-- functions check the caller's rights and then read and write as that owner.
-- There are no foreign keys between them, so that they can be reference tables
-- of Citus; the writers in src/pg/catalog keep them consistent.
--
CREATE SCHEMA aiaas AUTHORIZATION @extowner@;
COMMENT ON SCHEMA aiaas IS 'tables of the extension aiaas: models, their versions and contents';

--
-- A role by its name, as regrole, but a role that a restored dump does not find
-- becomes "none" instead of stopping the restore.
--
CREATE TYPE aiaas.grantee;
CREATE FUNCTION aiaas.grantee_in(cstring) RETURNS aiaas.grantee
	AS 'MODULE_PATHNAME', 'aiaas_grantee_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION aiaas.grantee_out(aiaas.grantee) RETURNS cstring
	AS 'MODULE_PATHNAME', 'aiaas_grantee_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE TYPE aiaas.grantee (INPUT = aiaas.grantee_in, OUTPUT = aiaas.grantee_out, LIKE = pg_catalog.oid);
CREATE CAST (aiaas.grantee AS pg_catalog.oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.oid AS aiaas.grantee) WITHOUT FUNCTION;
COMMENT ON FUNCTION aiaas.grantee_in(cstring) IS 'input of aiaas.grantee';
COMMENT ON FUNCTION aiaas.grantee_out(aiaas.grantee) IS 'output of aiaas.grantee';
COMMENT ON CAST (aiaas.grantee AS pg_catalog.oid) IS 'the role''s oid';
COMMENT ON CAST (pg_catalog.oid AS aiaas.grantee) IS 'the role of an oid';
COMMENT ON TYPE aiaas.grantee IS 'a role, "public", or "none": a role that does not exist';

CREATE TABLE aiaas.model (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text COLLATE "C" NOT NULL UNIQUE,
	deployed integer,
	last_version integer NOT NULL DEFAULT 0,
	comment text,
	created timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE aiaas.model IS 'names of models and the version that answers to each';
COMMENT ON SEQUENCE aiaas.model_id_seq IS 'numbers of models';
COMMENT ON COLUMN aiaas.model.deployed IS 'version that the bare name means; NULL: none';
COMMENT ON COLUMN aiaas.model.last_version IS 'highest number given so far; numbers are never given twice';

CREATE TABLE aiaas.version (
	model bigint NOT NULL,
	number integer NOT NULL,
	hash bytea NOT NULL,
	needs bytea,
	algorithm text NOT NULL,
	kind text NOT NULL,
	task text NOT NULL,
	options jsonb,
	labels text[],
	features jsonb,
	metrics jsonb,
	lineage jsonb,
	train_rows bigint NOT NULL,
	validation_rows bigint NOT NULL,
	metric text,
	train_score float8,
	validation_score float8,
	duration float8,
	created timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (model, number)
);
CREATE INDEX version_hash ON aiaas.version (hash);
CREATE INDEX version_needs ON aiaas.version (needs) WHERE needs IS NOT NULL;
COMMENT ON TABLE aiaas.version IS 'trained versions of models';
COMMENT ON COLUMN aiaas.version.hash IS 'content, by its SHA-256';
COMMENT ON COLUMN aiaas.version.needs IS 'content of the embedder that it is applied with; NULL: none';
COMMENT ON COLUMN aiaas.version.kind IS 'what reads the content';
COMMENT ON COLUMN aiaas.version.options IS 'all options of the training';
COMMENT ON COLUMN aiaas.version.labels IS 'in the order that the content has them';
COMMENT ON COLUMN aiaas.version.features IS 'columns that the model reads, and what it makes of them';
COMMENT ON COLUMN aiaas.version.metrics IS 'everything that was measured';
COMMENT ON COLUMN aiaas.version.lineage IS 'where it comes from: query, target, user, version before';
COMMENT ON COLUMN aiaas.version.duration IS 'of the training, in seconds';

CREATE TABLE aiaas.content (
	hash bytea PRIMARY KEY,
	bytes bigint NOT NULL
);
COMMENT ON TABLE aiaas.content IS 'contents of versions, by SHA-256; equal ones are stored once';

CREATE TABLE aiaas.chunk (
	hash bytea NOT NULL,
	seq integer NOT NULL,
	data bytea NOT NULL,
	sha256 bytea NOT NULL,
	PRIMARY KEY (hash, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_vacuum_scale_factor = 0.01);
-- weights do not compress, and the attempt costs more than the rest of the insert
ALTER TABLE aiaas.chunk ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE aiaas.chunk IS 'contents in pieces of 1 MiB';
COMMENT ON COLUMN aiaas.chunk.hash IS 'SHA-256 of the whole content';
COMMENT ON COLUMN aiaas.chunk.sha256 IS 'SHA-256 of this piece';

-- One owner for each model, and one level for each role that was granted any.
-- No key: several roles of one model may have become "none" in a restore.
CREATE TABLE aiaas.privilege (
	model bigint NOT NULL,
	grantee aiaas.grantee NOT NULL,
	privilege text NOT NULL,
	grantor aiaas.grantee NOT NULL
);
CREATE INDEX privilege_model ON aiaas.privilege (model);
ALTER TABLE aiaas.privilege REPLICA IDENTITY FULL;
COMMENT ON TABLE aiaas.privilege IS 'who may do what with a model';
COMMENT ON COLUMN aiaas.privilege.privilege IS 'owner, admin, train, read or use; each includes those after it';
COMMENT ON COLUMN aiaas.privilege.grantor IS 'who granted it; nothing depends on him';

ALTER TABLE aiaas.model OWNER TO @extowner@;
ALTER TABLE aiaas.version OWNER TO @extowner@;
ALTER TABLE aiaas.content OWNER TO @extowner@;
ALTER TABLE aiaas.chunk OWNER TO @extowner@;
ALTER TABLE aiaas.privilege OWNER TO @extowner@;

REVOKE ALL ON SCHEMA aiaas FROM PUBLIC;
REVOKE ALL ON aiaas.model, aiaas.version, aiaas.content, aiaas.chunk, aiaas.privilege FROM PUBLIC;
REVOKE ALL ON SEQUENCE aiaas.model_id_seq FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('aiaas.model', '');
SELECT pg_catalog.pg_extension_config_dump('aiaas.model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('aiaas.version', '');
SELECT pg_catalog.pg_extension_config_dump('aiaas.content', '');
SELECT pg_catalog.pg_extension_config_dump('aiaas.chunk', '');
SELECT pg_catalog.pg_extension_config_dump('aiaas.privilege', '');
