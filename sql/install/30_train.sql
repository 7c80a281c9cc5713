--
-- Training.
--
CREATE FUNCTION ai_train(
	model text,
	query text,
	target text DEFAULT NULL,
	algorithm text DEFAULT 'auto',
	options jsonb DEFAULT '{}',
	OUT model text,
	OUT version integer,
	OUT algorithm text,
	OUT train_rows bigint,
	OUT validation_rows bigint,
	OUT metric text,
	OUT train_score float8,
	OUT validation_score float8,
	OUT duration interval,
	OUT deployed boolean)
	AS 'MODULE_PATHNAME', 'aiaas_train_query' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION ai_train(text, text, text, text, jsonb) IS
	'learn a column of a query from the others, as a new version of a model';
-- The functions belong to a superuser, also where another role installs the extension.
REVOKE ALL ON FUNCTION ai_train(text, text, text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ai_train(text, text, text, text, jsonb) TO @extowner@;

CREATE FUNCTION ai_evaluate(
	model text,
	query text,
	target text DEFAULT NULL,
	OUT metric text,
	OUT value float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_evaluate_query' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 1000000 ROWS 16;
COMMENT ON FUNCTION ai_evaluate(text, text, text) IS
	'how good a model is on the rows of a query: accuracy, F1, log loss, R2 and others';

CREATE FUNCTION ai_confusion(
	model text,
	query text,
	target text DEFAULT NULL,
	OUT actual text,
	OUT predicted text,
	OUT rows bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_confusion_query' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 1000000 ROWS 16;
COMMENT ON FUNCTION ai_confusion(text, text, text) IS
	'how often each label was taken for each other on the rows of a query';

CREATE FUNCTION ai_history(
	model text,
	OUT epoch integer,
	OUT loss float8,
	OUT score float8,
	OUT validation_loss float8,
	OUT validation_score float8,
	OUT learning_rate float8,
	OUT duration interval)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_history_model' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 1000 ROWS 10;
COMMENT ON FUNCTION ai_history(text) IS
	'the training of a network, epoch by epoch';

CREATE FUNCTION ai_summary(model text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_summary_model' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION ai_summary(text) IS
	'the layers of a network: what they put out, and how many weights they have';
