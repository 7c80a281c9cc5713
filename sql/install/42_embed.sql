--
-- Embeddings: texts as points, near each other where they mean much the same.
--
CREATE FUNCTION ai_embed(input text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed(text) IS
	'the embedding of a text by aiaas.default_embedder; a longer text is truncated to what the model reads';

CREATE FUNCTION ai_embed(input text, model text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed(text, text) IS
	'the embedding of a text by a model; a longer text is truncated to what the model reads';

CREATE FUNCTION ai_embed(input text, truncate boolean) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_default_whole_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed(text, boolean) IS
	'the embedding of a text by aiaas.default_embedder; with truncate => false a longer text is an error';

CREATE FUNCTION ai_embed(input text, model text, truncate boolean) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_whole_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed(text, text, boolean) IS
	'the embedding of a text by a model; with truncate => false a longer text is an error';

CREATE FUNCTION ai_embed(input anyelement) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed(anyelement) IS
	'the embedding of a value or of the text in a row by aiaas.default_embedder';

CREATE FUNCTION ai_embed(input anyelement, model text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed(anyelement, text) IS
	'the embedding of a value or of the text in a row by a model';

CREATE FUNCTION ai_embed(input anyelement, model text, truncate boolean) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_whole_any' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed(anyelement, text, boolean) IS
	'the embedding of a value or of the text in a row by a model; with truncate => false a longer text is an error';

CREATE FUNCTION ai_embed_pinned(input text, pin text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_pinned_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed_pinned(text, text) IS
	'the embedding of a text by the model of a pin, for indexes and generated columns';

CREATE FUNCTION ai_embed_pinned(input anyelement, pin text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'aiaas_embed_pinned_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 100000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_embed_pinned(anyelement, text) IS
	'the embedding of a value or of the text in a row by the model of a pin';
