--
-- Rights.
--
CREATE FUNCTION ai_grant(model text, role text, privilege text) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_grant' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_grant(text, text, text) IS
	'let a role, or ''public'', use, read, train or administer a model';

CREATE FUNCTION ai_revoke(model text, role text, privilege text DEFAULT 'use') RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_revoke(text, text, text) IS
	'take a privilege on a model, and those above it, from a role';

CREATE FUNCTION ai_owner(model text, role text) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_owner(text, text) IS 'give a model to another owner';

CREATE FUNCTION has_model_privilege(model text, privilege text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'aiaas_has_privilege' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION has_model_privilege(text, text) IS
	'whether you have a privilege on a model';

CREATE FUNCTION has_model_privilege(role text, model text, privilege text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'aiaas_has_privilege_role' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION has_model_privilege(text, text, text) IS
	'whether a role has a privilege on a model that you may use';

--
-- Who looks after a model sees all of its rows, others those that count for them.
--
CREATE VIEW ai_privileges WITH (security_barrier) AS
	SELECT m.name AS model,
		CASE WHEN p.grantee::pg_catalog.oid OPERATOR(pg_catalog.=) 0 THEN 'public'::pg_catalog.name
			ELSE g.rolname END AS role,
		p.privilege,
		b.rolname AS grantor
	FROM aiaas.privilege p
		JOIN aiaas.model m ON m.id OPERATOR(pg_catalog.=) p.model
		JOIN aiaas.allowed u ON u.model OPERATOR(pg_catalog.=) p.model
		LEFT JOIN pg_catalog.pg_roles g ON g.oid OPERATOR(pg_catalog.=) p.grantee::pg_catalog.oid
		LEFT JOIN pg_catalog.pg_roles b ON b.oid OPERATOR(pg_catalog.=) p.grantor::pg_catalog.oid
	WHERE u.privilege OPERATOR(pg_catalog.=) 'owner'
		OR u.privilege OPERATOR(pg_catalog.=) 'admin'
		OR p.grantee::pg_catalog.oid OPERATOR(pg_catalog.=) 0
		OR pg_catalog.pg_has_role(p.grantee::pg_catalog.oid, 'USAGE')
	ORDER BY m.name, 2, p.privilege;
ALTER VIEW ai_privileges OWNER TO @extowner@;
GRANT SELECT ON ai_privileges TO PUBLIC;
COMMENT ON VIEW ai_privileges IS
	'who may do what: of models that you own or administer all, of others what you have';
COMMENT ON COLUMN ai_privileges.model IS 'name of the model';
COMMENT ON COLUMN ai_privileges.role IS 'who has it; public: everybody; NULL: a role that is gone';
COMMENT ON COLUMN ai_privileges.privilege IS 'owner, admin, train, read or use; each includes those after it';
COMMENT ON COLUMN ai_privileges.grantor IS 'who granted it; NULL: a role that is gone';
