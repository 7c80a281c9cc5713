--
-- Pre-trained models in other precisions.
--
CREATE FUNCTION ai_quantize(
	model text,
	weights text,
	query text DEFAULT NULL,
	deploy boolean DEFAULT false,
	OUT model text,
	OUT version integer,
	OUT "precision" text,
	OUT bytes_before bigint,
	OUT bytes_after bigint,
	OUT texts_per_second_before float8,
	OUT texts_per_second_after float8,
	OUT cosine float8,
	OUT min_cosine float8,
	OUT deployed boolean)
	AS 'MODULE_PATHNAME', 'aiaas_quantize_model' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION ai_quantize(text, text, text, boolean) IS
	'make a new version of a pre-trained model with weights in bf16 or int8, and compare both on texts';
-- The functions belong to a superuser, also where another role installs the extension.
REVOKE ALL ON FUNCTION ai_quantize(text, text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ai_quantize(text, text, text, boolean) TO @extowner@;
