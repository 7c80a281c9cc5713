--
-- Applying models.  A value of another type than text finds the function for
-- anyelement, which looks at the actual type.
--
CREATE FUNCTION ai_classify(input text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_classify_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_classify(text) IS
	'the label that aiaas.default_classifier gives to a text';

CREATE FUNCTION ai_classify(input text, model text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_classify_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_classify(text, text) IS
	'the label that a model gives to a text';

CREATE FUNCTION ai_classify(input anyelement) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_classify_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_classify(anyelement) IS
	'the label that aiaas.default_classifier gives to a value or row';

CREATE FUNCTION ai_classify(input anyelement, model text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_classify_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_classify(anyelement, text) IS
	'the label that a model gives to a value or row';

CREATE FUNCTION ai_scores(input text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_scores_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 350 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_scores(text) IS
	'the probability of every label that aiaas.default_classifier knows, for a text';

CREATE FUNCTION ai_scores(input text, model text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_scores_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 350 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_scores(text, text) IS
	'the probability of every label that a model knows, for a text';

CREATE FUNCTION ai_scores(input anyelement) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_scores_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 350 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_scores(anyelement) IS
	'the probability of every label that aiaas.default_classifier knows, for a value or row';

CREATE FUNCTION ai_scores(input anyelement, model text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_scores_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 350 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_scores(anyelement, text) IS
	'the probability of every label that a model knows, for a value or row';

CREATE FUNCTION ai_score(input text, label text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_score_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_score(text, text) IS
	'the probability that aiaas.default_classifier gives to a label, for a text';

CREATE FUNCTION ai_score(input text, label text, model text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_score_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_score(text, text, text) IS
	'the probability that a model gives to a label, for a text';

CREATE FUNCTION ai_score(input anyelement, label text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_score_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_score(anyelement, text) IS
	'the probability that aiaas.default_classifier gives to a label, for a value or row';

CREATE FUNCTION ai_score(input anyelement, label text, model text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_score_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_score(anyelement, text, text) IS
	'the probability that a model gives to a label, for a value or row';

CREATE FUNCTION ai_predict(input text, model text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_predict_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_predict(text, text) IS
	'the number that a model predicts for a text';

CREATE FUNCTION ai_predict(input anyelement, model text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_predict_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_predict(anyelement, text) IS
	'the number that a model predicts for a value or row';

CREATE FUNCTION ai_transform(input text, model text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_transform_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_transform(text, text) IS
	'all numbers that a network gives for a text: its values or probabilities';

CREATE FUNCTION ai_transform(input text, model text, layer text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_transform_layer_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_transform(text, text, text) IS
	'what comes out of a layer of a network for a text, in the shape that the layer has';

CREATE FUNCTION ai_transform(input anyelement, model text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_transform_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_transform(anyelement, text) IS
	'all numbers that a network gives for a value or row: its values or probabilities';

CREATE FUNCTION ai_transform(input anyelement, model text, layer text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_transform_layer_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 250 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_transform(anyelement, text, text) IS
	'what comes out of a layer of a network for a value or row, in the shape that the layer has';

CREATE FUNCTION ai_explain(
	input text,
	OUT feature text,
	OUT kind text,
	OUT count bigint,
	OUT value float8,
	OUT contribution float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_explain_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 2000 ROWS 200;
COMMENT ON FUNCTION ai_explain(text) IS
	'what in a text speaks for its label, by aiaas.default_classifier; contributions sum to the score';

CREATE FUNCTION ai_explain(
	input text,
	model text,
	OUT feature text,
	OUT kind text,
	OUT count bigint,
	OUT value float8,
	OUT contribution float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_explain_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 2000 ROWS 200;
COMMENT ON FUNCTION ai_explain(text, text) IS
	'what in a text speaks for its label, by a model; contributions sum to the score';

CREATE FUNCTION ai_explain(
	input text,
	model text,
	label text,
	OUT feature text,
	OUT kind text,
	OUT count bigint,
	OUT value float8,
	OUT contribution float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_explain_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 2000 ROWS 200;
COMMENT ON FUNCTION ai_explain(text, text, text) IS
	'what in a text speaks for a given label, by a model; contributions sum to the score';

CREATE FUNCTION ai_explain(
	input anyelement,
	OUT feature text,
	OUT kind text,
	OUT count bigint,
	OUT value float8,
	OUT contribution float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_explain_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 2000 ROWS 200;
COMMENT ON FUNCTION ai_explain(anyelement) IS
	'what in a value or row speaks for its label, by aiaas.default_classifier; contributions sum to the score';

CREATE FUNCTION ai_explain(
	input anyelement,
	model text,
	OUT feature text,
	OUT kind text,
	OUT count bigint,
	OUT value float8,
	OUT contribution float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_explain_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 2000 ROWS 200;
COMMENT ON FUNCTION ai_explain(anyelement, text) IS
	'what in a value or row speaks for its label, by a model; contributions sum to the score';

CREATE FUNCTION ai_explain(
	input anyelement,
	model text,
	label text,
	OUT feature text,
	OUT kind text,
	OUT count bigint,
	OUT value float8,
	OUT contribution float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_explain_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 2000 ROWS 200;
COMMENT ON FUNCTION ai_explain(anyelement, text, text) IS
	'what in a value or row speaks for a given label, by a model; contributions sum to the score';

CREATE FUNCTION ai_importance(
	model text,
	OUT label text,
	OUT feature text,
	OUT kind text,
	OUT weight float8,
	OUT rows bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_importance_model' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 2000 ROWS 200;
COMMENT ON FUNCTION ai_importance(text) IS
	'the words and n-grams that speak most strongly for each label of a model';
