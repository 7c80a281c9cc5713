--
-- Tokens: texts as pre-trained models read them.
--
CREATE FUNCTION ai_tokenize(input text,
		OUT "position" int, OUT id int, OUT token text, OUT start int, OUT length int)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_tokenize_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 1500 ROWS 100;
COMMENT ON FUNCTION ai_tokenize(text) IS
	'the tokens that aiaas.default_embedder reads of a text; substr(input, start, length) is what a token stands for, both are NULL for special tokens';

CREATE FUNCTION ai_tokenize(input text, model text,
		OUT "position" int, OUT id int, OUT token text, OUT start int, OUT length int)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_tokenize_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 1500 ROWS 100;
COMMENT ON FUNCTION ai_tokenize(text, text) IS
	'the tokens that a model reads of a text; substr(input, start, length) is what a token stands for, both are NULL for special tokens';

CREATE FUNCTION ai_detokenize(ids int[]) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_detokenize_ids' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 200;
COMMENT ON FUNCTION ai_detokenize(int[]) IS
	'the text of tokens of aiaas.default_embedder, without special ones';

CREATE FUNCTION ai_detokenize(ids int[], model text) RETURNS text
	AS 'MODULE_PATHNAME', 'aiaas_detokenize_ids' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 200;
COMMENT ON FUNCTION ai_detokenize(int[], text) IS
	'the text of tokens of a model, without special ones';

CREATE FUNCTION ai_count_tokens(input text) RETURNS int
	AS 'MODULE_PATHNAME', 'aiaas_count_tokens_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 500;
COMMENT ON FUNCTION ai_count_tokens(text) IS
	'how many tokens a text has for aiaas.default_embedder, with those that the model adds, before it is truncated';

CREATE FUNCTION ai_count_tokens(input text, model text) RETURNS int
	AS 'MODULE_PATHNAME', 'aiaas_count_tokens_text' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 500;
COMMENT ON FUNCTION ai_count_tokens(text, text) IS
	'how many tokens a text has for a model, with those that the model adds, before it is truncated';

CREATE FUNCTION ai_chunk(input text, max_tokens int DEFAULT NULL, overlap int DEFAULT 0,
		model text DEFAULT NULL,
		OUT "position" int, OUT chunk text, OUT start int, OUT tokens int)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'aiaas_chunk_text' LANGUAGE C STABLE PARALLEL SAFE
	COST 10000 ROWS 10;
COMMENT ON FUNCTION ai_chunk(text, int, int, text) IS
	'a text in chunks of at most so many tokens, by default as many as the model reads, which end where sentences do; with an overlap a chunk begins with about so many tokens of the one before';
