--
-- Moving models between servers.
--
CREATE FUNCTION ai_export(
	model text,
	OUT seq integer,
	OUT data bytea)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_export_model' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100000 ROWS 10;
COMMENT ON FUNCTION ai_export(text) IS
	'a model as bytes for another server, in parts of 1 MiB: to be imported in their order';

CREATE FUNCTION ai_import(
	model text,
	source bytea,
	deploy boolean DEFAULT false,
	weights text DEFAULT NULL,
	OUT model text,
	OUT version integer,
	OUT algorithm text,
	OUT task text,
	OUT labels integer,
	OUT bytes bigint,
	OUT deployed boolean)
	AS 'MODULE_PATHNAME', 'aiaas_import_value' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION ai_import(text, bytea, boolean, text) IS
	'store as a new version of a model what ai_export() has written, or an uncompressed tar of a pre-trained model''s folder';

CREATE FUNCTION ai_import(
	model text,
	source oid,
	deploy boolean DEFAULT false,
	weights text DEFAULT NULL,
	OUT model text,
	OUT version integer,
	OUT algorithm text,
	OUT task text,
	OUT labels integer,
	OUT bytes bigint,
	OUT deployed boolean)
	AS 'MODULE_PATHNAME', 'aiaas_import_object' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION ai_import(text, oid, boolean, text) IS
	'the same as ai_import() of bytea, from a large object';

CREATE FUNCTION ai_import_query(
	model text,
	query text,
	deploy boolean DEFAULT false,
	weights text DEFAULT NULL,
	OUT model text,
	OUT version integer,
	OUT algorithm text,
	OUT task text,
	OUT labels integer,
	OUT bytes bigint,
	OUT deployed boolean)
	AS 'MODULE_PATHNAME', 'aiaas_import_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION ai_import_query(text, text, boolean, text) IS
	'the same as ai_import(), its parts as the rows of a query';

CREATE FUNCTION ai_import_file(
	model text,
	path text,
	deploy boolean DEFAULT false,
	weights text DEFAULT NULL,
	OUT model text,
	OUT version integer,
	OUT algorithm text,
	OUT task text,
	OUT labels integer,
	OUT bytes bigint,
	OUT deployed boolean)
	AS 'MODULE_PATHNAME', 'aiaas_import_path' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION ai_import_file(text, text, boolean, text) IS
	'the same as ai_import(), from a file of the server, or from a pre-trained model''s folder';

-- What comes from elsewhere is let in by those to whom it was allowed.
REVOKE EXECUTE ON FUNCTION ai_import(text, bytea, boolean, text), ai_import(text, oid, boolean, text),
	ai_import_query(text, text, boolean, text), ai_import_file(text, text, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ai_import(text, bytea, boolean, text), ai_import(text, oid, boolean, text),
	ai_import_query(text, text, boolean, text), ai_import_file(text, text, boolean, text) TO @extowner@;
