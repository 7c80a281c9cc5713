--
-- Columns of embeddings that follow a column of texts.
--
CREATE FUNCTION ai_embed_trigger() RETURNS trigger
	AS 'MODULE_PATHNAME', 'aiaas_embed_trigger' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_embed_trigger() IS
	'trigger function: after a statement, gives new embeddings to rows with new texts; its arguments are the text column, the embedding column and the model';

CREATE FUNCTION ai_keep_embedding("table" regclass, text_column name, embedding_column name,
		model text) RETURNS void
	AS 'MODULE_PATHNAME', 'aiaas_keep_embedding' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION ai_keep_embedding(regclass, name, name, text) IS
	'makes a column follow the texts of another one: creates the triggers ai_keep_<embedding column>_insert and ai_keep_<embedding column>_update, or replaces them';

CREATE PROCEDURE ai_embed_backfill("table" regclass, text_column name, embedding_column name,
		model text, batch_rows int DEFAULT 1000)
	AS 'MODULE_PATHNAME', 'aiaas_embed_backfill' LANGUAGE C;
COMMENT ON PROCEDURE ai_embed_backfill(regclass, name, name, text, int) IS
	'gives embeddings to all rows that have a text and none, and commits after each batch; it can be stopped at any time and called again';
