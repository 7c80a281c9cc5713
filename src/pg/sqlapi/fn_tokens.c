/*-------------------------------------------------------------------------
 * fn_tokens.c
 *		ai_tokenize, ai_detokenize, ai_count_tokens, ai_chunk: texts as pre-trained models read
 *		them.
 *
 * Places in a text are counted in characters, from 1 on, as substr() does.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/base/utf8.h"
#include "core/model/chunks.h"
#include "pg/engine/call.h"
#include "pg/engine/kind.h"
#include "pg/host/datum.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"
#include "pg/host/rows.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_tokenize_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_detokenize_ids);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_count_tokens_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_chunk_text);

static const AiaasModelArg model_arg = {1, AIAAS_DEFAULT_EMBEDDER, AIAAS_CALL_USE};
static const AiaasModelArg model_arg_of_chunk = {3, AIAAS_DEFAULT_EMBEDDER, AIAAS_CALL_USE};

/* A call that works with the tokenizer of its model */
typedef struct TokenCall
{
	AiaasCall  *call;
	const char *function;		/* a literal */
	const AiEncoder *encoder;
	const AiTokenizer *tokenizer;
	AiaasCounts counts;
	instr_time	start;
} TokenCall;

/* For short texts one that is kept; nothing else can begin while it is in use. */
static AiTokenizerScratch *
scratch_for(size_t len)
{
	static AiTokenizerScratch *kept = NULL;
	AiTokenizerScratch *scratch;
	MemoryContext context = len > AIAAS_LARGE_INPUT ? CurrentMemoryContext : TopMemoryContext;
	AiError		err;

	if (kept != NULL && len <= AIAAS_LARGE_INPUT)
		return kept;
	AIAAS_CHECK(ai_tokenizer_scratch_create(&scratch, aiaas_host_create(context), &err), &err);
	if (len <= AIAAS_LARGE_INPUT)
		kept = scratch;
	return scratch;
}

static void
begin(TokenCall *t, FunctionCallInfo fcinfo, const AiaasModelArg *arg, const char *function)
{
	*t = (TokenCall) {.call = aiaas_call_begin(fcinfo, arg), .function = function};
	t->encoder = aiaas_engine_encoder(aiaas_call_engine(t->call));
	if (t->encoder == NULL)
	{
		const AiaasModel *model = aiaas_call_model(fcinfo);

		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("model \"%s\" has no tokenizer", model->name),
				 errdetail("Its kind is \"%s\".", model->kind),
				 errhint("Name a pre-trained encoder, or import one with ai_import_file() or "
						 "ai_import().")));
	}
	t->tokenizer = ai_encoder_tokenizer(t->encoder);
	aiaas_call_start_work(t->call, function);
	INSTR_TIME_SET_CURRENT(t->start);
}

static void
end(TokenCall *t, int64 n_tokens)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, t->start);
	t->counts.rows = t->counts.batches = t->counts.distinct = 1;
	t->counts.tokens = n_tokens;
	t->counts.model_time = (int64) (INSTR_TIME_GET_DOUBLE(now) * 1e9);
	aiaas_call_end_work(t->call, t->function, &t->counts);
}

/* Tables of vectors read the tokens of the text alone. */
static bool
adds_special(const TokenCall *t)
{
	return ai_encoder_shape(t->encoder)->n_layers > 0;
}

static AiTokenizeInput
input_of(TokenCall *t, FunctionCallInfo fcinfo)
{
	const void *utf8;
	AiTokenizeInput input = {0};

	(void) aiaas_call_input(t->call, fcinfo, TEXTOID, &utf8, &input.len);
	input.text = utf8;
	return input;
}

static void
tokenize(const TokenCall *t, const AiTokenizeInput *input, bool counts_only, AiTokens *tokens)
{
	AiTokenizeOptions options = {
		.adds_special = adds_special(t), .wants_spans = !counts_only, .counts_only = counts_only
	};
	AiError		err;

	AIAAS_CHECK(ai_tokenize(t->tokenizer, scratch_for(input->len), input, &options, tokens, &err),
				&err);
}

/*
 * Places in characters
 */
typedef struct Place
{
	const char *text;
	size_t		byte;
	int			n_chars;		/* before it */
} Place;

/* In a SQL_ASCII database each byte is a character to substr(). */
static bool
is_begin(unsigned char byte)
{
	return GetDatabaseEncoding() == PG_SQL_ASCII || !ai_utf8_is_tail(byte);
}

/* Characters before a byte: mostly not far from the one that was asked for last */
static int
chars_before(Place *place, size_t byte)
{
	while (place->byte < byte)
		place->n_chars += is_begin(place->text[place->byte++]);
	while (place->byte > byte)
		place->n_chars -= is_begin(place->text[--place->byte]);
	return place->n_chars;
}

/* A piece of the vocabulary, for people: what this database has no character for becomes '?'. */
static Datum
piece_datum(const TokenCall *t, int32 id)
{
	size_t		len;
	const char *piece = ai_tokenizer_piece(t->tokenizer, id, &len);

	return CStringGetTextDatum(aiaas_utf8_to_message(piece == NULL ? "" : pnstrdup(piece, len)));
}

static void
put_token(AiaasRows *rows, const TokenCall *t, const AiTokens *tokens, size_t i, Place *place)
{
	const AiTokenSpan *span = &tokens->span[i];
	bool		is_of_text = span->end > span->start;
	int			start = is_of_text ? chars_before(place, span->start) : 0;
	int			n_chars = is_of_text ? chars_before(place, span->end) - start : 0;
	Datum		values[5] = {
		Int32GetDatum((int32) i + 1),
		Int32GetDatum(tokens->id[i]),
		piece_datum(t, tokens->id[i]),
		Int32GetDatum(start + 1),
		Int32GetDatum(n_chars)
	};
	bool		is_null[5] = {false, false, false, !is_of_text, !is_of_text};

	aiaas_rows_put(rows, values, is_null);
}

Datum
aiaas_tokenize_text(PG_FUNCTION_ARGS)
{
	TokenCall	t;
	AiTokenizeInput input;
	AiTokens	tokens;
	AiaasRows	rows;
	Place		place = {0};
	MemoryContext row_context;
	MemoryContext old_context;

	aiaas_rows_begin(&rows, fcinfo);
	begin(&t, fcinfo, &model_arg, "ai_tokenize");
	input = input_of(&t, fcinfo);
	place.text = input.text;
	tokenize(&t, &input, false, &tokens);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "aiaas token", ALLOCSET_SMALL_SIZES);
	old_context = MemoryContextSwitchTo(row_context);
	for (size_t i = 0; i < tokens.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_token(&rows, &t, &tokens, i, &place);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(old_context);
	end(&t, tokens.n);
	return (Datum) 0;
}

Datum
aiaas_count_tokens_text(PG_FUNCTION_ARGS)
{
	TokenCall	t;
	AiTokenizeInput input;
	AiTokens	tokens;
	size_t		prompt_len;
	const char *prompt;

	begin(&t, fcinfo, &model_arg, "ai_count_tokens");
	input = input_of(&t, fcinfo);
	prompt = ai_encoder_prompt(t.encoder, &prompt_len);
	if (prompt_len > 0)
	{
		char	   *both = MemoryContextAllocHuge(CurrentMemoryContext, prompt_len + input.len);

		memcpy(both, prompt, prompt_len);
		memcpy(both + prompt_len, input.text, input.len);
		input.text = both;
		input.len += prompt_len;
	}
	tokenize(&t, &input, true, &tokens);
	end(&t, tokens.n);
	PG_RETURN_INT32((int32) tokens.n);
}

static void
check_ids(const TokenCall *t, const AiaasModel *model, const int32 *id, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (id[i] < 0 || (uint32) id[i] >= t->tokenizer->n_ids)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("model \"%s\" has no token %d", model->name, id[i]),
					 errdetail("Its tokens are 0 to %u.", t->tokenizer->n_ids - 1)));
	}
}

Datum
aiaas_detokenize_ids(PG_FUNCTION_ARGS)
{
	ArrayType  *ids = PG_GETARG_ARRAYTYPE_P(0);
	int			n = ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids));
	const int32 *id = (const int32 *) ARR_DATA_PTR(ids);
	TokenCall	t;
	AiBuf		utf8;
	text	   *result;
	AiError		err;

	begin(&t, fcinfo, &model_arg, "ai_detokenize");
	if (array_contains_nulls(ids))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tokens must not be null")));
	check_ids(&t, aiaas_call_model(fcinfo), id, n);
	ai_buf_init(&utf8, aiaas_host_create(CurrentMemoryContext));
	AIAAS_CHECK(ai_detokenize(t.tokenizer, id, n, true, &utf8, &err), &err);
	result = aiaas_utf8_to_text((const char *) utf8.data, utf8.len);
	end(&t, n);
	PG_RETURN_TEXT_P(result);
}

/*
 * Chunks
 */
static AiChunkOptions
chunk_options(const TokenCall *t, FunctionCallInfo fcinfo)
{
	int32		max_tokens = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);
	int32		overlap = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	AiChunkOptions options = {
		.max_tokens = PG_ARGISNULL(1) ? (size_t) ai_encoder_shape(t->encoder)->max_tokens :
			(size_t) max_tokens,
		.overlap = (size_t) overlap,
		.adds_special = adds_special(t)
	};

	if (max_tokens < 0 || overlap < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", max_tokens < 0 ? "max_tokens" : "overlap")));
	options.prompt = ai_encoder_prompt(t->encoder, &options.prompt_len);
	return options;
}

static void
put_chunk(AiaasRows *rows, int position, const AiChunk *chunk, Place *place)
{
	Datum		values[4] = {
		Int32GetDatum(position),
		PointerGetDatum(aiaas_utf8_to_text(place->text + chunk->start, chunk->end - chunk->start)),
		Int32GetDatum(chars_before(place, chunk->start) + 1),
		Int32GetDatum((int32) chunk->n_tokens)
	};
	bool		is_null[4] = {false};

	aiaas_rows_put(rows, values, is_null);
	pfree(DatumGetPointer(values[1]));
}

/* The tokens of all chunks */
static int64
put_chunks(AiaasRows *rows, AiChunker *chunker, const char *utf8)
{
	Place		place = {.text = utf8};
	int64		n_tokens = 0;

	for (int position = 1;; position++)
	{
		AiChunk		chunk;
		AiError		err;

		AIAAS_CHECK(ai_chunker_next(chunker, &chunk, &err), &err);
		if (chunk.start == chunk.end)
			return n_tokens;
		put_chunk(rows, position, &chunk, &place);
		n_tokens += chunk.n_tokens;
		CHECK_FOR_INTERRUPTS();
	}
}

Datum
aiaas_chunk_text(PG_FUNCTION_ARGS)
{
	TokenCall	t;
	AiaasRows	rows;
	AiTokenizeInput input;
	AiChunkOptions options;
	AiChunker  *chunker;
	AiError		err;
	int64		n_tokens;

	aiaas_rows_begin(&rows, fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	begin(&t, fcinfo, &model_arg_of_chunk, "ai_chunk");
	input = input_of(&t, fcinfo);
	options = chunk_options(&t, fcinfo);
	AIAAS_CHECK(ai_chunker_create(&chunker, t.tokenizer, input.text, input.len, &options,
								  aiaas_host_create(CurrentMemoryContext), &err), &err);
	n_tokens = put_chunks(&rows, chunker, input.text);
	ai_chunker_destroy(chunker);
	end(&t, n_tokens);
	return (Datum) 0;
}
