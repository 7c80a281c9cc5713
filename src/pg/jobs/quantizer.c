/*-------------------------------------------------------------------------
 * quantizer.c
 *		An encoder in another precision, as a new version, beside what that costs.
 *
 * Measure the stored version, make the new one, measure it, store it.  Nothing is written and
 * no model is locked before the last stage.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/quantizer.h"

#include <math.h>

#include "core/model/encoder_batch.h"
#include "core/model/encoder_store.h"
#include "core/model/similarity.h"
#include "mb/pg_wchar.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "pg/engine/encoder_features.h"
#include "pg/engine/engine.h"
#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/guc.h"
#include "pg/host/host.h"
#include "pg/host/json.h"
#include "pg/host/raise.h"
#include "pg/jobs/gate.h"
#include "pg/jobs/limits.h"
#include "pg/jobs/sample_texts.h"
#include "pg/jobs/select.h"
#include "pg/stats/stats.h"

#define MAX_TEXTS 200
#define MAX_TEXT (64 * 1024)	/* bytes that are looked at, more than any encoder reads */

/* How long a speed is measured: the first, and the second where one run takes that long */
#define MIN_SECONDS 0.1
#define MANY_SECONDS 1.0

typedef struct Quantizer
{
	const AiaasQuantizeRequest *request;
	MemoryContext context;
	const AiHost *host;
	const AiaasModel *model;	/* the stored version */
	const AiEncoder *encoder;	/* opened from it */
	AiInput		texts[MAX_TEXTS];
	size_t		n_texts;
} Quantizer;

/* What one of the two has answered */
typedef struct Measure
{
	size_t		n_outputs;
	float	   *answers;		/* [n_texts, n_outputs], in the order of the texts */
	double		speed;
} Measure;

/*
 * Check
 */
static void
find_encoder(Quantizer *q)
{
	AiPrecision stored;

	q->model = aiaas_model_resolve(q->request->model, AIAAS_TRAIN);
	aiaas_activity_model(q->model->id);
	q->encoder = aiaas_engine_encoder(aiaas_engine_acquire(q->model));
	if (q->encoder == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model \"%s\" cannot be quantized", q->model->name),
				 errdetail("Its algorithm is \"%s\".", q->model->algorithm),
				 errhint("Only pre-trained encoders have weights in several precisions.")));
	stored = (AiPrecision) ai_encoder_shape(q->encoder)->precision;
	if (q->request->precision == stored)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version %d of model \"%s\" is stored in %s already", q->model->version,
						q->model->name, ai_precision_name(stored))));
	if (q->request->precision < stored)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot make %s of %s", ai_precision_name(q->request->precision),
						ai_precision_name(stored)),
				 errdetail("What version %d of model \"%s\" has lost by rounding is not stored.",
						   q->model->version, q->model->name),
				 errhint("Name a version that is stored in a finer precision, as '%s@1', or import "
						 "the model again.", q->model->name)));
}

/*
 * Texts
 */
static void
add_text(Quantizer *q, const char *utf8, size_t len)
{
	char	   *copy;

	if (q->n_texts == MAX_TEXTS)
		return;
	if (len > MAX_TEXT)
		len = pg_encoding_mbcliplen(PG_UTF8, utf8, MAX_TEXT, MAX_TEXT);
	copy = MemoryContextAlloc(q->context, Max(len, 1));
	memcpy(copy, utf8, len);
	q->texts[q->n_texts++] = (AiInput) {.bytes = copy, .len = len};
}

typedef struct TextReceiver
{
	Quantizer  *quantizer;
	AiaasTextReader reader;
} TextReceiver;

static void
receive_text(void *ud, TupleTableSlot *slot)
{
	TextReceiver *receiver = ud;
	bool		is_null;
	Datum		value = slot_getattr(slot, 1, &is_null);
	const char *utf8;
	size_t		len;

	aiaas_activity_rows(1);
	if (is_null)
		return;
	aiaas_reader_get(&receiver->reader, value, &utf8, &len);
	add_text(receiver->quantizer, utf8, len);
}

static void
read_query(Quantizer *q)
{
	TextReceiver receiver = {.quantizer = q};
	AiaasSelect select;

	aiaas_activity_phase("reading");
	aiaas_select_open(&select, q->request->query);
	if (select.desc->natts != 1 ||
		!aiaas_text_reader_init(&receiver.reader, TupleDescAttr(select.desc, 0)->atttypid,
								q->context))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query must have one column of text"),
				 errdetail("%s", aiaas_select_columns(&select)),
				 errhint("Use a query such as: SELECT body FROM messages LIMIT %d", MAX_TEXTS)));
	select.max_rows = MAX_TEXTS;
	aiaas_select_run(&select, receive_text, &receiver);
	aiaas_select_close(&select);
	if (q->n_texts == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no text to compare on")));
}

static void
read_texts(Quantizer *q)
{
	if (q->request->query != NULL)
		read_query(q);
	else
	{
		for (int i = 0; aiaas_sample_texts[i] != NULL; i++)
			add_text(q, aiaas_sample_texts[i], strlen(aiaas_sample_texts[i]));
	}
}

/*
 * Measure
 */
/* All texts once, in seconds */
static double
run_once(const Quantizer *q, const AiInputs *inputs, const AiEncoder *encoder,
		 AiEncoderReader *reader, float *answers)
{
	const AiRequest request = {.is_raw = true};
	AiEncoderCounts counts;
	instr_time	start;
	instr_time	end;
	AiError		err;

	INSTR_TIME_SET_CURRENT(start);
	AIAAS_CHECK(ai_encoder_batch_run(inputs, encoder, &request, &reader, answers, &counts, 1, NULL,
									 &err), &err);
	aiaas_host_check(q->host);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	return INSTR_TIME_GET_DOUBLE(end);
}

/* In the first run the weights come into memory, so later ones count, unless it is long. */
static double
measure_speed(const Quantizer *q, const AiInputs *inputs, const AiEncoder *encoder,
			  AiEncoderReader *reader, float *answers)
{
	double		seconds = run_once(q, inputs, encoder, reader, answers);
	int			n_runs = 1;

	if (seconds < MANY_SECONDS)
	{
		for (seconds = n_runs = 0; seconds < MIN_SECONDS; n_runs++)
			seconds += run_once(q, inputs, encoder, reader, answers);
	}
	return n_runs * (double) inputs->n_distinct / seconds;
}

static void
take_answers(const Quantizer *q, Measure *measure)
{
	for (size_t i = 0; i < q->n_texts; i++)
	{
		const AiInput *input = &q->texts[q->texts[i].same_as];

		if (input->code != AI_OK)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("text %zu of the comparison could not be computed", i + 1)));
		memcpy(measure->answers + i * measure->n_outputs, input->answer,
			   measure->n_outputs * sizeof(float));
	}
}

static void
measure_encoder(Quantizer *q, Measure *measure, const AiEncoder *encoder)
{
	size_t		n = ai_encoder_n_outputs(encoder);
	float	   *computed = MemoryContextAllocHuge(q->context, q->n_texts * n * sizeof(float));
	AiEncoderReader *reader;
	AiInputs	inputs;
	AiError		err;

	aiaas_activity_phase("measuring");
	measure->n_outputs = n;
	measure->answers = MemoryContextAllocHuge(q->context, q->n_texts * n * sizeof(float));
	AIAAS_CHECK(ai_inputs_init(&inputs, q->texts, q->n_texts, q->host, &err), &err);
	AIAAS_CHECK(ai_encoder_reader_create(&reader, q->host, encoder, &err), &err);
	measure->speed = measure_speed(q, &inputs, encoder, reader, computed);
	take_answers(q, measure);
	ai_encoder_reader_destroy(reader);
	ai_inputs_free(&inputs);
	pfree(computed);
}

/* Of equal ones 1, also where both are zero */
static double
cosine(const float *a, const float *b, size_t n)
{
	return memcmp(a, b, n * sizeof(float)) == 0 ? 1 : ai_cosine(a, b, n);
}

static void
compare(AiaasQuantizeResult *result, const Measure *before, const Measure *after, size_t n_texts)
{
	size_t		width = before->n_outputs > 1 ? before->n_outputs : n_texts;
	size_t		n = before->n_outputs > 1 ? n_texts : 1;
	double		sum = 0;

	result->min_cosine = 1;
	for (size_t i = 0; i < n; i++)
	{
		double		c = cosine(before->answers + i * width, after->answers + i * width, width);

		sum += c;
		result->min_cosine = Min(result->min_cosine, c);
	}
	result->mean_cosine = sum / n;
	result->speed_before = before->speed;
	result->speed_after = after->speed;
}

/*
 * Make
 */
static const void *
make_bytes(Quantizer *q, size_t *size)
{
	AiAimWriter *writer = palloc(sizeof(AiAimWriter));
	const void *bytes;
	AiError		err;
	AiCode		code;

	aiaas_activity_phase("packing");
	ai_aim_writer_init(writer, q->host, AI_ENCODER_KIND);
	writer->max_size = (size_t) aiaas_max_model_bytes * 1024;
	code = ai_encoder_store_again(writer, &bytes, size, q->encoder, q->request->precision, &err);
	if (code == AI_ERR_LIMIT)
		aiaas_check_model_size(writer->size);
	AIAAS_CHECK(code, &err);
	return bytes;
}

/*
 * Store
 */
static Jsonb *
create_metrics(const AiaasQuantizeResult *result, size_t n_texts)
{
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	aiaas_json_begin(&json, "quantized");
	aiaas_json_int(&json, "texts", (int64) n_texts);
	aiaas_json_float(&json, "cosine", result->mean_cosine);
	aiaas_json_float(&json, "min_cosine", result->min_cosine);
	aiaas_json_float(&json, "texts_per_second_before", result->speed_before);
	aiaas_json_float(&json, "texts_per_second_after", result->speed_after);
	aiaas_json_end(&json);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

/* That of the version that it was made of, and which one that was */
static Jsonb *
create_lineage(const Quantizer *q, const Jsonb *lineage)
{
	AiPrecision precision = (AiPrecision) ai_encoder_shape(q->encoder)->precision;
	AiaasJson	json = {0};
	Jsonb	   *quantized;

	aiaas_json_begin(&json, NULL);
	aiaas_json_begin(&json, "quantized");
	aiaas_json_int(&json, "version", q->model->version);
	aiaas_json_string(&json, "precision", ai_precision_name(precision));
	aiaas_json_string(&json, "query", q->request->query);
	aiaas_json_string(&json, "user", GetUserNameFromId(GetUserId(), false));
	aiaas_json_end(&json);
	aiaas_json_end(&json);
	quantized = aiaas_json_finish(&json);
	if (lineage == NULL)
		return quantized;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(lineage),
											  JsonbPGetDatum(quantized)));
}

static void
store_version(Quantizer *q, AiaasNewVersion *version, AiaasQuantizeResult *result)
{
	AiaasNewVersion stored;
	TimestampTz created;
	AiaasModelLock lock;

	aiaas_activity_phase("storing");
	aiaas_version_read(&stored, &created, q->model);
	version->kind = AI_ENCODER_KIND;
	version->algorithm = stored.algorithm;
	version->lineage = create_lineage(q, stored.lineage);
	version->metrics = create_metrics(result, q->n_texts);
	version->train_score = version->validation_score = version->duration = NAN;
	aiaas_model_lock(&lock, q->model->name);
	strlcpy(result->model, lock.name, sizeof(result->model));
	result->version = lock.version;
	result->is_deployed = q->request->deploy;
	aiaas_version_store(&lock, version, result->is_deployed);
}

static void
quantize(Quantizer *q, AiaasQuantizeResult *result)
{
	AiaasNewVersion version = {0};
	Measure		before;
	Measure		after;
	AiEncoder  *encoder;
	AiError		err;

	find_encoder(q);
	read_texts(q);
	measure_encoder(q, &before, q->encoder);
	version.bytes = make_bytes(q, &version.n_bytes);
	AIAAS_CHECK(ai_encoder_open(&encoder, q->host, version.bytes, version.n_bytes, &err), &err);
	measure_encoder(q, &after, encoder);
	compare(result, &before, &after, q->n_texts);
	aiaas_encoder_describe(&version, encoder);
	result->bytes_before = q->model->n_bytes;
	result->bytes_after = (int64) version.n_bytes;
	ai_encoder_close(encoder);
	store_version(q, &version, result);
}

void
aiaas_quantize(AiaasQuantizeResult *result, const AiaasQuantizeRequest *request)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aiaas quantize",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	Quantizer  *q = palloc0(sizeof(Quantizer));

	aiaas_require_writable("ai_quantize()");
	aiaas_activity_begin("ai_quantize", request->model, 0);
	q->request = request;
	q->context = context;
	q->host = aiaas_host_create(context);
	quantize(q, result);
	aiaas_activity_end();
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	if (!result->is_deployed)
		aiaas_notice_not_deployed(result->model, result->version, "made");
}
