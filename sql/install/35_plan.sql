--
-- What the planner asks about the functions that apply models.
--
CREATE FUNCTION aiaas.support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'aiaas_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION aiaas.support(internal) IS
	'tells the planner what a call costs, by its model and the length of its input';

