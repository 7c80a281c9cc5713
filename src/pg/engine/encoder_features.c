/*-------------------------------------------------------------------------
 * encoder_features.c
 *		What a version's row says of an encoder, made from the encoder itself.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/encoder_features.h"

#include "catalog/pg_type.h"

#include "pg/engine/features.h"
#include "pg/engine/kind.h"
#include "pg/host/datum.h"
#include "pg/host/json.h"

/* The numbers of the features, by name */
typedef struct Count
{
	const char *name;
	int64		n;
} Count;

#define N_COUNTS 6
#define N_SIZES 4				/* of them, that another release would count alike */

static void
count(Count *counts, const AiEncoder *encoder)
{
	const AiEncoderShape *shape = ai_encoder_shape(encoder);

	counts[0] = (Count) {"max_tokens", shape->max_tokens};
	counts[1] = (Count) {"width", shape->width};
	counts[2] = (Count) {"layers", shape->n_layers};
	counts[3] = (Count) {"words", shape->n_words};
	counts[4] = (Count) {"parameters", ai_encoder_n_parameters(encoder)};
	counts[5] = (Count) {"work", (int64) Max(ai_encoder_work(encoder), shape->width)};
}

static Jsonb *
create_features(const AiEncoder *encoder)
{
	Count		counts[N_COUNTS];
	AiaasJson	json = {0};

	count(counts, encoder);
	aiaas_json_begin(&json, NULL);
	aiaas_json_begin_array(&json, "columns");
	aiaas_json_begin(&json, NULL);
	aiaas_json_string(&json, "name", "text");
	aiaas_json_string(&json, "type", "text");
	aiaas_json_end(&json);
	aiaas_json_end_array(&json);
	for (int i = 0; i < N_COUNTS; i++)
		aiaas_json_int(&json, counts[i].name, counts[i].n);
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

/* A whole row is read by the column that is named here. */
bool
aiaas_encoder_are_features(const AiEncoder *encoder, const Jsonb *features)
{
	Count		counts[N_COUNTS];

	if (aiaas_features_find_column(features) == NULL)
		return false;
	count(counts, encoder);
	for (int i = 0; i < N_SIZES; i++)
	{
		if (aiaas_json_number(features, counts[i].name) != (double) counts[i].n)
			return false;
	}
	return true;
}

static Jsonb *
create_options(const AiEncoder *encoder)
{
	AiPrecision precision = (AiPrecision) ai_encoder_shape(encoder)->precision;
	AiaasJson	json = {0};

	aiaas_json_begin(&json, NULL);
	aiaas_json_string(&json, "precision", ai_precision_name(precision));
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

static ArrayType *
create_labels(const AiEncoder *encoder)
{
	int			n = ai_encoder_n_labels(encoder);
	Datum	   *labels = palloc(Max(n, 1) * sizeof(Datum));

	if (n == 0)
		return NULL;
	for (int i = 0; i < n; i++)
	{
		size_t		len;
		const char *label = ai_encoder_label(encoder, i, &len);

		labels[i] = PointerGetDatum(aiaas_utf8_to_text(label, len));
	}
	return construct_array(labels, n, TEXTOID, -1, false, TYPALIGN_INT);
}

void
aiaas_encoder_describe(AiaasNewVersion *version, const AiEncoder *encoder)
{
	version->task = aiaas_task_name(aiaas_encoder_kind.task(encoder));
	version->options = create_options(encoder);
	version->features = create_features(encoder);
	version->labels = create_labels(encoder);
}
