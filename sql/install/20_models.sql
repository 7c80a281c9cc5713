
--
-- Looking after models.
--
CREATE FUNCTION ai_describe(model text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_describe' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION ai_describe(text) IS
	'everything known of a model: labels, features, options, scores, size, lineage';

CREATE FUNCTION ai_deploy(model text, version integer) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_deploy' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_deploy(text, integer) IS
	'let the bare name of a model mean this version from now on';

CREATE FUNCTION ai_rename(model text, new_name text) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_rename' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_rename(text, text) IS 'give a model another name';

CREATE FUNCTION ai_comment(model text, comment text) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_comment' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_comment(text, text) IS 'say what a model is for; NULL removes the comment';

CREATE FUNCTION ai_drop(model text) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_drop' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_drop(text) IS
	'drop a model with all its versions, or one version (''reviews@3'')';

CREATE FUNCTION ai_drop(model text, version integer) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_drop_version' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_drop(text, integer) IS
	'drop a version that is not deployed; the last version takes the model with it';

--
-- What the querying user may do with each model, as privilege.c decides it.
-- Nobody but a superuser has role 0.
--
CREATE VIEW aiaas.allowed WITH (security_barrier) AS
	SELECT m.id AS model,
		CASE WHEN pg_catalog.pg_has_role(0, 'USAGE') THEN 'owner'
			ELSE (SELECT l.privilege
				FROM aiaas.privilege p
					JOIN (VALUES (1, 'use'), (2, 'read'), (3, 'train'), (4, 'admin'), (5, 'owner'))
						l (level, privilege) ON l.privilege OPERATOR(pg_catalog.=) p.privilege
				WHERE p.model OPERATOR(pg_catalog.=) m.id
					AND (p.grantee::pg_catalog.oid OPERATOR(pg_catalog.=) 0
						OR pg_catalog.pg_has_role(p.grantee::pg_catalog.oid, 'USAGE'))
				ORDER BY l.level DESC LIMIT 1)
		END AS privilege
	FROM aiaas.model m;
ALTER VIEW aiaas.allowed OWNER TO @extowner@;
REVOKE ALL ON aiaas.allowed FROM PUBLIC;
COMMENT ON VIEW aiaas.allowed IS 'what you may do with each model';
COMMENT ON COLUMN aiaas.allowed.privilege IS 'the highest that you have; NULL: none';

--
-- These views read the closed tables with their owner's rights and show what the
-- querying user may use.
--
CREATE VIEW ai_models WITH (security_barrier) AS
	SELECT m.name,
		m.deployed,
		(SELECT pg_catalog.count(*) FROM aiaas.version a
			WHERE a.model OPERATOR(pg_catalog.=) m.id) AS versions,
		v.algorithm,
		v.task,
		pg_catalog.cardinality(v.labels) AS labels,
		v.metric,
		v.validation_score AS score,
		c.bytes,
		r.rolname AS owner,
		u.privilege,
		m.created,
		m.comment
	FROM aiaas.model m
		JOIN aiaas.allowed u ON u.model OPERATOR(pg_catalog.=) m.id
			AND u.privilege IS NOT NULL
		LEFT JOIN aiaas.privilege p ON p.model OPERATOR(pg_catalog.=) m.id
			AND p.privilege OPERATOR(pg_catalog.=) 'owner'
		LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) p.grantee::pg_catalog.oid
		LEFT JOIN aiaas.version v ON v.model OPERATOR(pg_catalog.=) m.id
			AND v.number OPERATOR(pg_catalog.=) m.deployed
		LEFT JOIN aiaas.content c ON c.hash OPERATOR(pg_catalog.=) v.hash
	ORDER BY m.name;
ALTER VIEW ai_models OWNER TO @extowner@;
GRANT SELECT ON ai_models TO PUBLIC;
COMMENT ON VIEW ai_models IS 'models that you may use, each as its deployed version is';
COMMENT ON COLUMN ai_models.name IS 'what to call it by';
COMMENT ON COLUMN ai_models.deployed IS 'version that the bare name means; NULL: none';
COMMENT ON COLUMN ai_models.versions IS 'number of versions kept';
COMMENT ON COLUMN ai_models.algorithm IS 'how it was trained';
COMMENT ON COLUMN ai_models.task IS 'what it does';
COMMENT ON COLUMN ai_models.labels IS 'number of labels';
COMMENT ON COLUMN ai_models.metric IS 'what the score is';
COMMENT ON COLUMN ai_models.score IS 'metric on the rows that were held out from training';
COMMENT ON COLUMN ai_models.bytes IS 'size of the stored model';
COMMENT ON COLUMN ai_models.owner IS 'role that it belongs to; NULL: superusers only';
COMMENT ON COLUMN ai_models.privilege IS 'the highest that you have: owner, admin, train, read or use';
COMMENT ON COLUMN ai_models.created IS 'when its first version was trained';
COMMENT ON COLUMN ai_models.comment IS 'what it is for, see ai_comment()';

CREATE VIEW ai_versions WITH (security_barrier) AS
	SELECT m.name AS model,
		v.number AS version,
		(v.number OPERATOR(pg_catalog.=) m.deployed) IS TRUE AS deployed,
		v.algorithm,
		v.task,
		v.train_rows,
		v.validation_rows,
		v.metric,
		v.train_score,
		v.validation_score,
		pg_catalog.make_interval(secs => v.duration) AS duration,
		c.bytes,
		v.created
	FROM aiaas.version v
		JOIN aiaas.model m ON m.id OPERATOR(pg_catalog.=) v.model
		JOIN aiaas.allowed u ON u.model OPERATOR(pg_catalog.=) m.id
			AND u.privilege IS NOT NULL
		LEFT JOIN aiaas.content c ON c.hash OPERATOR(pg_catalog.=) v.hash
	ORDER BY m.name, v.number;
ALTER VIEW ai_versions OWNER TO @extowner@;
GRANT SELECT ON ai_versions TO PUBLIC;
COMMENT ON VIEW ai_versions IS 'versions of the models that you may use';
COMMENT ON COLUMN ai_versions.model IS 'name of the model';
COMMENT ON COLUMN ai_versions.version IS 'its number: ''reviews@3'' is version 3';
COMMENT ON COLUMN ai_versions.deployed IS 'whether the bare name means it';
COMMENT ON COLUMN ai_versions.algorithm IS 'how it was trained';
COMMENT ON COLUMN ai_versions.task IS 'what it does';
COMMENT ON COLUMN ai_versions.train_rows IS 'rows that it has learnt from';
COMMENT ON COLUMN ai_versions.validation_rows IS 'rows that were held out to measure it';
COMMENT ON COLUMN ai_versions.metric IS 'what the scores are';
COMMENT ON COLUMN ai_versions.train_score IS 'metric on the rows that it has learnt from';
COMMENT ON COLUMN ai_versions.validation_score IS
	'metric on the rows held out; without such rows by cross-validation';
COMMENT ON COLUMN ai_versions.created IS 'when the transaction that trained it began';
COMMENT ON COLUMN ai_versions.duration IS 'time that the training took';
COMMENT ON COLUMN ai_versions.bytes IS 'size of the stored version';
