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

--
-- How near texts are.  Of embeddings it is the cosine of their angle, -1 to 1.
--
CREATE FUNCTION ai_similarity(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_similarity_texts' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 200000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_similarity(text, text) IS
	'how near two texts are in meaning, -1 to 1, by aiaas.default_embedder';

CREATE FUNCTION ai_similarity(a text, b text, model text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_similarity_texts' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 200000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_similarity(text, text, text) IS
	'how near two texts are in meaning, -1 to 1, by a model';

CREATE FUNCTION ai_similarity(a real[], b real[]) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_similarity_vectors' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 20;
COMMENT ON FUNCTION ai_similarity(real[], real[]) IS
	'the cosine of the angle between two embeddings';

CREATE FUNCTION ai_similarity(a real[], b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_similarity_vector' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 30 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_similarity(real[], text) IS
	'how near a text is to what has this embedding, by aiaas.default_embedder';

CREATE FUNCTION ai_similarity(a real[], b text, model text) RETURNS float8
	AS 'MODULE_PATHNAME', 'aiaas_similarity_vector' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 30 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_similarity(real[], text, text) IS
	'how near a text is to what has this embedding, by the model that made it';

CREATE FUNCTION ai_rerank(
	query text,
	documents text[],
	OUT "position" int,
	OUT document text,
	OUT score float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_rerank' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 1000000 ROWS 20;
COMMENT ON FUNCTION ai_rerank(text, text[]) IS
	'documents by how well they answer a query, the best first, by aiaas.default_embedder';

CREATE FUNCTION ai_rerank(
	query text,
	documents text[],
	model text,
	OUT "position" int,
	OUT document text,
	OUT score float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_rerank' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 1000000 ROWS 20;
COMMENT ON FUNCTION ai_rerank(text, text[], text) IS
	'documents by how well they answer a query, the best first, by a cross-encoder or an embedder';

--
-- Classification by labels that come with the call
--
CREATE FUNCTION ai_classify(input text, labels text[]) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_classify_labels' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 400000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_classify(text, text[]) IS
	'the label, of those given, that suits a text best, by aiaas.default_zero_shot';

CREATE FUNCTION ai_classify(input text, labels text[], model text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_classify_labels' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 400000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_classify(text, text[], text) IS
	'the label, of those given, that suits a text best, by a model for inference or embeddings';

CREATE FUNCTION ai_scores(input text, labels text[]) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_scores_labels' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 400000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_scores(text, text[]) IS
	'how well each of the labels given suits a text, by aiaas.default_zero_shot';

CREATE FUNCTION ai_scores(input text, labels text[], model text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'aiaas_scores_labels' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 400000 SUPPORT aiaas.support;
COMMENT ON FUNCTION ai_scores(text, text[], text) IS
	'how well each of the labels given suits a text, by a model for inference or embeddings';
