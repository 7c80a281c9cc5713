
--
-- Watching: what is shared in memory, and whether the bytes are as they were stored.
--
CREATE FUNCTION aiaas.loaded(OUT model text, OUT version integer, OUT bytes bigint,
		OUT backends integer, OUT built timestamptz, OUT last_used timestamptz) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_loaded' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION aiaas.loaded() IS 'what the view ai_loaded shows';

CREATE VIEW ai_loaded AS
	SELECT model, version, bytes, backends, built, last_used FROM aiaas.loaded();
ALTER VIEW ai_loaded OWNER TO @extowner@;
GRANT SELECT ON ai_loaded TO PUBLIC;
COMMENT ON VIEW ai_loaded IS 'models that you may use and that sessions share in memory';
COMMENT ON COLUMN ai_loaded.model IS 'name of the model';
COMMENT ON COLUMN ai_loaded.version IS 'version; equal versions share one copy';
COMMENT ON COLUMN ai_loaded.bytes IS 'size of the shared copy';
COMMENT ON COLUMN ai_loaded.backends IS 'sessions and parallel workers that have it open';
COMMENT ON COLUMN ai_loaded.built IS 'when the copy was made';
COMMENT ON COLUMN ai_loaded.last_used IS 'when a session used it last, to the minute';

CREATE FUNCTION ai_check(OUT model text, OUT version integer, OUT bytes bigint,
		OUT stored text, OUT shared text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_check_all' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION ai_check() IS
	'read all that is stored of every model that you may read, and the shared copies, and compare checksums';

CREATE FUNCTION ai_check(model text, OUT model text, OUT version integer, OUT bytes bigint,
		OUT stored text, OUT shared text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_check_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION ai_check(text) IS
	'the same for all versions of a model, or for one (''reviews@3'')';
