
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

--
-- What runs now, and what has been done: from the file that sessions share.
--
CREATE FUNCTION aiaas.activity(OUT pid integer, OUT leader_pid integer, OUT database oid, OUT role oid,
		OUT function text, OUT model text, OUT version integer, OUT phase text, OUT threads integer,
		OUT rows bigint, OUT rows_per_second float8, OUT bytes bigint, OUT share float8, OUT epoch integer,
		OUT loss float8, OUT started timestamptz, OUT elapsed interval, OUT time_left interval)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_show_activity' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION aiaas.activity() IS 'what the view ai_activity shows';

CREATE VIEW ai_activity AS
	SELECT a.pid, a.leader_pid, d.datname AS database, r.rolname AS role, a.function, a.model, a.version,
		a.phase, a.threads, a.rows, a.rows_per_second, a.bytes, a.share, a.epoch, a.loss, a.started,
		a.elapsed, a.time_left
	FROM aiaas.activity() a
		LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) a.database
		LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.role
	ORDER BY a.started, a.pid;
ALTER VIEW ai_activity OWNER TO @extowner@;
GRANT SELECT ON ai_activity TO PUBLIC;
COMMENT ON VIEW ai_activity IS
	'what sessions do with models now: your own, and all for members of pg_read_all_stats';
COMMENT ON COLUMN ai_activity.pid IS 'process, as in pg_stat_activity';
COMMENT ON COLUMN ai_activity.leader_pid IS 'process that a parallel worker works for';
COMMENT ON COLUMN ai_activity.database IS 'database that it is connected to';
COMMENT ON COLUMN ai_activity.role IS 'who has logged in';
COMMENT ON COLUMN ai_activity.function IS 'function that runs; NULL: a model is opened for one';
COMMENT ON COLUMN ai_activity.model IS
	'name of the model; NULL: there is none, or only who owns the function that was called may see it';
COMMENT ON COLUMN ai_activity.version IS 'its version; NULL: as for the model, or it has none yet';
COMMENT ON COLUMN ai_activity.phase IS 'what a function that takes several steps is at';
COMMENT ON COLUMN ai_activity.threads IS 'threads that compute; NULL: it asks for none now';
COMMENT ON COLUMN ai_activity.rows IS 'rows so far';
COMMENT ON COLUMN ai_activity.rows_per_second IS 'mean since it has started, while rows were coming';
COMMENT ON COLUMN ai_activity.bytes IS 'bytes that were read or written in this phase';
COMMENT ON COLUMN ai_activity.share IS 'share of the work that is done, 0 to 1; NULL: not known';
COMMENT ON COLUMN ai_activity.epoch IS 'passes over the rows that a training has made';
COMMENT ON COLUMN ai_activity.loss IS 'of the training, as of now';
COMMENT ON COLUMN ai_activity.started IS 'when it has started';
COMMENT ON COLUMN ai_activity.elapsed IS 'time since then';
COMMENT ON COLUMN ai_activity.time_left IS 'estimate of the time that is left; NULL: not known';

CREATE FUNCTION aiaas.stats(OUT model bigint, OUT version integer, OUT function text, OUT calls bigint,
		OUT rows bigint, OUT batches bigint, OUT distinct_inputs bigint, OUT tokens bigint,
		OUT truncated bigint, OUT errors bigint, OUT model_time float8, OUT cache_builds bigint,
		OUT cache_hits bigint, OUT since timestamptz) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_show_stats' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 10000 ROWS 100;
COMMENT ON FUNCTION aiaas.stats() IS 'what the view ai_stats shows';

CREATE VIEW ai_stats WITH (security_barrier) AS
	SELECT m.name AS model, s.version, s.function, s.calls, s.rows, s.batches, s.distinct_inputs, s.tokens,
		s.truncated, s.errors, s.model_time, s.cache_builds, s.cache_hits, s.since
	FROM aiaas.stats() s
		LEFT JOIN aiaas.version v ON v.model OPERATOR(pg_catalog.=) s.model
			AND v.number OPERATOR(pg_catalog.=) s.version
		LEFT JOIN aiaas.model m ON m.id OPERATOR(pg_catalog.=) v.model
		LEFT JOIN aiaas.allowed u ON u.model OPERATOR(pg_catalog.=) m.id
	WHERE s.model IS NULL OR u.privilege IS NOT NULL
	ORDER BY m.name, s.version, s.function;
ALTER VIEW ai_stats OWNER TO @extowner@;
GRANT SELECT ON ai_stats TO PUBLIC;
COMMENT ON VIEW ai_stats IS 'what has been done with the models that you may use';
COMMENT ON COLUMN ai_stats.model IS
	'name of the model; NULL: the sum of what there was no room for, of all databases';
COMMENT ON COLUMN ai_stats.version IS 'its version';
COMMENT ON COLUMN ai_stats.function IS 'what it was used by; NULL: opening it, whatever for';
COMMENT ON COLUMN ai_stats.calls IS 'times that the function began to run at a place in a statement';
COMMENT ON COLUMN ai_stats.rows IS 'inputs that were not NULL';
COMMENT ON COLUMN ai_stats.batches IS 'batches that they were computed in, of one row and more';
COMMENT ON COLUMN ai_stats.distinct_inputs IS
	'inputs that were computed: of those of a batch that are equal, one';
COMMENT ON COLUMN ai_stats.tokens IS 'tokens of these inputs, for models that have tokens';
COMMENT ON COLUMN ai_stats.truncated IS 'inputs of which the model read a part, because they were too long';
COMMENT ON COLUMN ai_stats.errors IS 'calls that an error or a cancel ended';
COMMENT ON COLUMN ai_stats.model_time IS 'time in the model, in milliseconds';
COMMENT ON COLUMN ai_stats.cache_builds IS 'times that the copy that sessions share was made';
COMMENT ON COLUMN ai_stats.cache_hits IS 'times that a session opened a copy that was there';
COMMENT ON COLUMN ai_stats.since IS 'when counting began';

CREATE FUNCTION ai_stats_reset() RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_reset_stats' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION ai_stats_reset() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ai_stats_reset() TO @extowner@;
COMMENT ON FUNCTION ai_stats_reset() IS 'forget what was counted for all models of this database';

CREATE FUNCTION ai_stats_reset(model text) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_reset_model_stats' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION ai_stats_reset(text) IS
	'forget what was counted for a model that you administer, or for one version (''reviews@3'')';

-- another installation of the extension may have counted for models of these numbers
SELECT ai_stats_reset();
