--
-- Pins: the same by content, whatever a name means tomorrow.
--
CREATE FUNCTION ai_pin(model text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_pin' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION ai_pin(text) IS
	'what names the content of a version for ever, for indexes and generated columns';

CREATE FUNCTION ai_classify_pinned(input text, pin text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_classify_pinned_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_classify_pinned(text, text) IS
	'the label that the model of a pin gives to a text';

CREATE FUNCTION ai_classify_pinned(input anyelement, pin text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_classify_pinned_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_classify_pinned(anyelement, text) IS
	'the label that the model of a pin gives to a value or row';

CREATE FUNCTION ai_scores_pinned(input text, pin text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_scores_pinned_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 350 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_scores_pinned(text, text) IS
	'the probability of every label that the model of a pin knows, for a text';

CREATE FUNCTION ai_scores_pinned(input anyelement, pin text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_scores_pinned_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 350 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_scores_pinned(anyelement, text) IS
	'the probability of every label that the model of a pin knows, for a value or row';

CREATE FUNCTION ai_score_pinned(input text, label text, pin text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_score_pinned_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_score_pinned(text, text, text) IS
	'the probability that the model of a pin gives to a label, for a text';

CREATE FUNCTION ai_score_pinned(input anyelement, label text, pin text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_score_pinned_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_score_pinned(anyelement, text, text) IS
	'the probability that the model of a pin gives to a label, for a value or row';
