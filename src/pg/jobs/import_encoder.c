/*-------------------------------------------------------------------------
 * import_encoder.c
 *		A checkpoint of Hugging Face's layout becomes a version that is an encoder.
 *
 * Weights go from where they lie into the form that products want, array by array, so memory
 * holds the stored model and its largest array.  How large the stored model is, is known, and
 * compared with the limit, before the first weight is read.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "core/model/encoder_config.h"
#include "core/model/encoder_import.h"
#include "utils/builtins.h"

#include "pg/engine/encoder_features.h"
#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/digest.h"
#include "pg/host/guc.h"
#include "pg/host/host.h"
#include "pg/host/json.h"
#include "pg/host/raise.h"
#include "pg/jobs/importer_internal.h"
#include "pg/jobs/limits.h"
#include "pg/stats/stats.h"

/*
 * Reading
 */
static void
read_config(AiaasImporter *importer, AiEncoderConfig *config)
{
	AiCheckpoint *checkpoint = &importer->checkpoint;
	AiCheckpointWeights weights;
	AiError		err;
	AiCode		code;

	AIAAS_CHECK(ai_checkpoint_open(checkpoint, &err), &err);
	AIAAS_CHECK(ai_checkpoint_weights_open(&weights, checkpoint, checkpoint->folder, &err), &err);
	code = ai_encoder_config_read(config, checkpoint, &weights, &err);
	ai_checkpoint_weights_close(&weights);
	AIAAS_CHECK(code, &err);
}

/*
 * Packing
 */
static void
pack(AiaasImporter *importer)
{
	AiAimWriter *writer = palloc(sizeof(AiAimWriter));
	const void *bytes;
	AiError		err;
	AiCode		code;

	aiaas_activity_phase("packing");
	ai_aim_writer_init(writer, importer->host, AI_ENCODER_KIND);
	writer->max_size = (size_t) aiaas_max_model_bytes * 1024;
	code = ai_encoder_import(writer, &bytes, &importer->version.n_bytes, &importer->checkpoint,
							 importer->precision, &err);
	aiaas_host_check(importer->host);
	if (code == AI_ERR_LIMIT)
		aiaas_check_model_size(writer->size);
	AIAAS_CHECK(code, &err);
	importer->version.bytes = bytes;
}

/* With all the checks that a model passes before it is used */
static void
describe(AiaasImporter *importer)
{
	AiEncoder  *encoder;
	AiError		err;

	AIAAS_CHECK(ai_encoder_open(&encoder, importer->host, importer->version.bytes,
								importer->version.n_bytes, &err), &err);
	aiaas_encoder_describe(&importer->version, encoder);
	ai_encoder_close(encoder);
}

/*
 * Lineage
 */
static void
put_file(AiaasImporter *importer, AiaasJson *json, const AiCheckpointFile *file)
{
	uint8_t		digest[AI_SHA256_SIZE];
	AiError		err;

	AIAAS_CHECK(ai_checkpoint_hash(&importer->checkpoint, digest, file, &err), &err);
	aiaas_json_begin(json, NULL);
	aiaas_json_string(json, "path", aiaas_utf8_to_message(file->path));
	aiaas_json_int(json, "bytes", (int64) file->source.size);
	aiaas_json_string(json, "sha256", aiaas_hash_hex(digest));
	aiaas_json_end(json);
}

static void
put_license(AiaasImporter *importer, AiaasJson *json)
{
	AiCheckpointLicense license;
	AiError		err;

	AIAAS_CHECK(ai_checkpoint_license(&importer->checkpoint, &license, &err), &err);
	if (license.tag == NULL && license.text == NULL)
		return;
	aiaas_json_begin(json, "license");
	if (license.tag != NULL)
		aiaas_json_string(json, "tag", aiaas_utf8_to_message(license.tag));
	if (license.text != NULL)
		aiaas_json_string(json, "text",
						  aiaas_utf8_to_message(pnstrdup(license.text, license.text_len)));
	aiaas_json_end(json);
}

static void
put_prompts(AiaasJson *json, const AiEncoderConfig *config)
{
	if (config->n_prompts == 0)
		return;
	aiaas_json_begin_array(json, "prompts");
	for (int i = 0; i < config->n_prompts; i++)
	{
		aiaas_json_begin(json, NULL);
		aiaas_json_string(json, "name", aiaas_utf8_to_message(config->prompts[i].name));
		aiaas_json_string(json, "text", aiaas_utf8_to_message(config->prompts[i].text));
		aiaas_json_bool(json, "default", i == config->default_prompt);
		aiaas_json_end(json);
	}
	aiaas_json_end_array(json);
}

static Jsonb *
create_lineage(AiaasImporter *importer, const AiEncoderConfig *config)
{
	AiCheckpoint *checkpoint = &importer->checkpoint;
	AiaasJson	json = {0};

	aiaas_activity_phase("hashing");
	aiaas_json_begin(&json, NULL);
	if (importer->path != NULL)
		aiaas_json_string(&json, "path", importer->path);
	aiaas_json_begin_array(&json, "files");
	for (int64 i = 0; i < checkpoint->n_files; i++)
	{
		if (checkpoint->files[i].is_used)
			put_file(importer, &json, &checkpoint->files[i]);
	}
	aiaas_json_end_array(&json);
	put_license(importer, &json);
	put_prompts(&json, config);
	if (config->similarity != NULL)
		aiaas_json_string(&json, "similarity", aiaas_utf8_to_message(config->similarity));
	aiaas_json_string(&json, "user", GetUserNameFromId(GetUserId(), false));
	aiaas_json_string(&json, "server_version", GetConfigOption("server_version", false, false));
	aiaas_json_end(&json);
	return aiaas_json_finish(&json);
}

void
aiaas_import_encoder(AiaasImporter *importer)
{
	AiaasNewVersion *version = &importer->version;
	AiEncoderConfig config;

	aiaas_activity_phase("reading");
	read_config(importer, &config);
	version->kind = AI_ENCODER_KIND;
	version->algorithm = ai_encoder_family_name(config.family);
	version->train_score = version->validation_score = version->duration = NAN;
	pack(importer);
	describe(importer);
	version->lineage = create_lineage(importer, &config);
}
