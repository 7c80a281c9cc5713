/*-------------------------------------------------------------------------
 * test_encoder_import.c
 *		What a checkpoint says of an encoder is understood, and every tensor that it needs is found
 *		under the names that exporters give; what is not built, missing or too much is named.
 *
 *	test_encoder_import --write-corpus DIRECTORY
 *
 * writes the folders with which test/fuzz/fuzz_checkpoint.c begins.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_weights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_files.h"
#include "test_folder.h"
#include "test_host.h"

/* Two layers, two heads, width 4 */
#define SIZES \
	"\"hidden_size\":4,\"num_hidden_layers\":2,\"num_attention_heads\":2,\"intermediate_size\":6," \
	"\"vocab_size\":9,\"max_position_embeddings\":8"
#define BERT_CONFIG "{\"model_type\":\"bert\"," SIZES ",\"architectures\":[\"BertModel\"]}"

#define MATRIX(name, rows, width) name ".weight " #rows " " #width ";" name ".bias " #rows ";"
#define NORM(name) name ".weight 4;" name ".bias 4;"
#define EMBEDDINGS \
	"embeddings.word_embeddings.weight 9 4;embeddings.position_embeddings.weight 8 4;" \
	NORM("embeddings.LayerNorm")
#define TYPES(n) "embeddings.token_type_embeddings.weight " #n " 4;"

#define BERT_LAYERS \
	MATRIX("encoder.layer.%.attention.self.query", 4, 4) \
	MATRIX("encoder.layer.%.attention.self.key", 4, 4) \
	MATRIX("encoder.layer.%.attention.self.value", 4, 4) \
	MATRIX("encoder.layer.%.attention.output.dense", 4, 4) \
	NORM("encoder.layer.%.attention.output.LayerNorm") \
	MATRIX("encoder.layer.%.intermediate.dense", 6, 4) \
	MATRIX("encoder.layer.%.output.dense", 4, 6) \
	NORM("encoder.layer.%.output.LayerNorm")
#define DISTILBERT_LAYERS \
	MATRIX("transformer.layer.%.attention.q_lin", 4, 4) \
	MATRIX("transformer.layer.%.attention.k_lin", 4, 4) \
	MATRIX("transformer.layer.%.attention.v_lin", 4, 4) \
	MATRIX("transformer.layer.%.attention.out_lin", 4, 4) \
	NORM("transformer.layer.%.sa_layer_norm") \
	MATRIX("transformer.layer.%.ffn.lin1", 6, 4) \
	MATRIX("transformer.layer.%.ffn.lin2", 4, 6) \
	NORM("transformer.layer.%.output_layer_norm")
#define MPNET_LAYERS \
	MATRIX("encoder.layer.%.attention.attn.q", 4, 4) \
	MATRIX("encoder.layer.%.attention.attn.k", 4, 4) \
	MATRIX("encoder.layer.%.attention.attn.v", 4, 4) \
	MATRIX("encoder.layer.%.attention.attn.o", 4, 4) \
	NORM("encoder.layer.%.attention.LayerNorm") \
	MATRIX("encoder.layer.%.intermediate.dense", 6, 4) \
	MATRIX("encoder.layer.%.output.dense", 4, 6) \
	NORM("encoder.layer.%.output.LayerNorm")

/* Every name of the list behind the prefix; "~" before a name: without it */
static char *
put_prefix(const char *list, const char *prefix)
{
	char	   *out = calloc(1, strlen(list) * (strlen(prefix) + 1) + 1);
	char	   *to = out;

	while (*list != '\0')
	{
		size_t		len = strcspn(list, ";") + 1;

		if (*list == '~')
			to += sprintf(to, "%.*s", (int) len - 1, list + 1);
		else
			to += sprintf(to, "%s%.*s", prefix, (int) len, list);
		list += len;
	}
	return out;
}

/* model.safetensors of what every layer has and what there is besides */
static void
put_model(TestFolder *folder, const char *prefix, const char *layers, const char *rest)
{
	char	   *repeated = folder_repeat(layers, 2);
	char	   *all = calloc(1, strlen(repeated) + strlen(rest) + 1);
	char	   *named;

	strcat(strcpy(all, repeated), rest);
	named = put_prefix(all, prefix);
	folder_weights(folder, "model.safetensors", named);
	free(named);
	free(all);
	free(repeated);
}

static void
put_bert(TestFolder *folder)
{
	folder_text(folder, "config.json", BERT_CONFIG);
	put_model(folder, "", BERT_LAYERS, EMBEDDINGS TYPES(2));
}

/* One import, from files to rows of numbers */
typedef struct Import
{
	AiCheckpoint checkpoint;
	AiCheckpointWeights	weights;
	AiEncoderConfig config;
	AiEncoderWeights parts;
} Import;

static void
import_free(Import *import)
{
	ai_encoder_weights_close(&import->parts);
	ai_checkpoint_weights_close(&import->weights);
	ai_checkpoint_free(&import->checkpoint);
}

static AiCode
import_open(Import *import, const TestFolder *folder, const AiHost *host, AiError *err)
{
	AiCheckpoint *checkpoint = &import->checkpoint;

	memset(import, 0, sizeof(*import));
	AI_TRY(folder_open(checkpoint, folder, host, err));
	AI_TRY(ai_checkpoint_weights_open(&import->weights, checkpoint, checkpoint->folder, err));
	AI_TRY(ai_encoder_config_read(&import->config, checkpoint, &import->weights, err));
	return ai_encoder_weights_open(&import->parts, &import->config, checkpoint, &import->weights,
								   err);
}

static void
must_import(Import *import, const TestFolder *folder)
{
	AiError		err;

	if (import_open(import, folder, ai_malloc_host(), &err) != AI_OK)
		fail_msg("%s %s", err.message, err.detail);
}

static void
must_refuse(const TestFolder *folder, AiCode code, const char *message, const char *detail)
{
	Import		import;
	AiError		err = {.message = ""};
	AiCode		found = import_open(&import, folder, ai_malloc_host(), &err);

	if (found != code || strcmp(err.message, message) != 0 ||
		(detail != NULL && strcmp(err.detail, detail) != 0))
		fail_msg("%d, %s %s", found, err.message, err.detail);
	import_free(&import);
}

static const AiEncoderWeight *
find_tensor(const Import *import, AiEncoderArray array, int layer, bool is_bias)
{
	return ai_encoder_weights_find(&import->parts, &(AiEncoderTensor) {array, layer, is_bias});
}

/* all there is of a family: each part with its shape, and in each layer */
static void
check_parts(const Import *import)
{
	const AiEncoderConfig *config = &import->config;
	float		row[16];
	AiError		err;

	for (int array = AI_ARRAY_QUERY; array <= AI_ARRAY_LAYER_NORM; array++)
	{
		for (int layer = 0; layer < 2 * config->n_layers; layer++)
			assert_non_null(find_tensor(import, (AiEncoderArray) array, layer / 2, layer % 2 == 1));
		assert_null(find_tensor(import, (AiEncoderArray) array, config->n_layers, false));
	}
	for (int i = 0; i < import->parts.n; i++)
	{
		const AiEncoderWeight *weight = &import->parts.list[i];

		assert_int_equal(weight->n_rows * weight->width, weight->source.tensor->n_elements);
		assert_int_equal(ai_encoder_weight_read(weight, row, weight->n_rows - 1, 1, &err), AI_OK);
		assert_int_equal(ai_encoder_weight_read(weight, row, weight->n_rows, 1, &err), AI_ERR_BUG);
	}
}

/* BERT with each prefix, and in what the parts of training have left over */
static void
test_prefixes(void **state)
{
	static const char *const prefixes[] = {
		"", "bert.", "model.", "0.auto_model.", "encoder.", "a.b.bert."
	};

	(void) state;
	for (int i = 0; i < 6; i++)
	{
		TestFolder	folder;
		Import		import;

		folder_init(&folder);
		folder_text(&folder, "config.json", BERT_CONFIG);
		put_model(&folder, prefixes[i], BERT_LAYERS, EMBEDDINGS TYPES(2)
				  "embeddings.position_ids 1 8;" MATRIX("pooler.dense", 4, 4)
				  "~cls.predictions.bias 9;~cls.predictions.transform.dense.weight 4 4;");
		must_import(&import, &folder);
		assert_int_equal(import.config.family, AI_ENCODER_BERT);
		assert_int_equal(import.config.answer, AI_ANSWER_EMBEDDING);
		assert_int_equal(import.config.n_types, 2);
		assert_int_equal(import.config.max_tokens, 8);
		assert_int_equal(import.config.n_out, 4);
		assert_true(import.config.eps == 1e-12);
		assert_int_equal(import.parts.n, 5 + 2 * 16);
		check_parts(&import);
		import_free(&import);
		folder_free(&folder);
	}
}

/* gamma and beta are a norm's weight and bias */
static void
test_old_names(void **state)
{
	TestFolder	folder;
	Import		import;
	AiBuf	   *file;

	(void) state;
	folder_init(&folder);
	put_bert(&folder);
	file = &folder.files[1];
	for (size_t i = 0; i + 20 < file->len; i++)
	{
		char	   *at = (char *) file->data + i;

		/* the same number of bytes, with a space in the place of the last one */
		if (memcmp(at, "LayerNorm.weight\":", 18) == 0)
			memcpy(at, "LayerNorm.gamma\": ", 18);
		else if (memcmp(at, "LayerNorm.bias\":", 16) == 0)
			memcpy(at, "LayerNorm.beta\":", 16);
	}
	must_import(&import, &folder);
	check_parts(&import);
	import_free(&import);
	folder_free(&folder);
}

/* the other families, with their own names, sizes and positions */
static void
test_families(void **state)
{
	static const struct
	{
		const char *config;
		const char *prefix;
		const char *layers;
		const char *rest;
		AiEncoderFamily family;
		int			first_position;
		int			n_types;
		double		eps;
		AiActivation activation;
	}			cases[] = {
		{"{\"model_type\":\"distilbert\",\"dim\":4,\"n_layers\":2,\"n_heads\":2,\"hidden_dim\":6,"
		"\"vocab_size\":9,\"max_position_embeddings\":8,\"activation\":\"relu\"}",
		"distilbert.", DISTILBERT_LAYERS, EMBEDDINGS, AI_ENCODER_DISTILBERT, 0, 0, 1e-12, AI_ACT_RELU},
		{"{\"model_type\":\"roberta\"," SIZES ",\"layer_norm_eps\":1e-5,\"type_vocab_size\":1,"
		"\"pad_token_id\":1,\"architectures\":[\"RobertaForMaskedLM\"]}",
		"roberta.", BERT_LAYERS, EMBEDDINGS TYPES(1) "~lm_head.bias 9;", AI_ENCODER_ROBERTA, 2, 1, 1e-5,
		AI_ACT_GELU},
		{"{" SIZES ",\"type_vocab_size\":1,\"pad_token_id\":3,\"hidden_act\":\"gelu_new\","
		"\"architectures\":[\"XLMRobertaModel\"]}",
		"", BERT_LAYERS, EMBEDDINGS TYPES(1), AI_ENCODER_XLM_ROBERTA, 4, 1, 1e-12, AI_ACT_GELU_TANH},
		{"{\"model_type\":\"mpnet\"," SIZES ",\"relative_attention_num_buckets\":32}",
		"mpnet.", MPNET_LAYERS, EMBEDDINGS "encoder.relative_attention_bias.weight 32 2;",
		AI_ENCODER_MPNET, 2, 0, 1e-12, AI_ACT_GELU},
	};

	(void) state;
	for (int i = 0; i < 4; i++)
	{
		TestFolder	folder;
		Import		import;

		folder_init(&folder);
		folder_text(&folder, "config.json", cases[i].config);
		put_model(&folder, cases[i].prefix, cases[i].layers, cases[i].rest);
		must_import(&import, &folder);
		assert_int_equal(import.config.family, cases[i].family);
		assert_int_equal(import.config.first_position, cases[i].first_position);
		assert_int_equal(import.config.max_tokens, 8 - cases[i].first_position);
		assert_int_equal(import.config.n_types, cases[i].n_types);
		assert_int_equal(import.config.activation, cases[i].activation);
		assert_true(import.config.eps == cases[i].eps);
		assert_int_equal(find_tensor(&import, AI_ARRAY_BIAS, 0, false) != NULL,
						 cases[i].family == AI_ENCODER_MPNET);
		check_parts(&import);
		import_free(&import);
		folder_free(&folder);
	}
}

static void
put_head(TestFolder *folder, const char *more, const char *labels)
{
	char		config[1000];
	char		rest[1000];

	snprintf(config, sizeof(config), "{\"model_type\":\"bert\"," SIZES
			 ",\"architectures\":[\"BertForSequenceClassification\"]%s}", more);
	snprintf(rest, sizeof(rest), EMBEDDINGS TYPES(2) MATRIX("pooler.dense", 4, 4)
			 "~classifier.weight %s 4;~classifier.bias %s;", labels, labels);
	folder_text(folder, "config.json", config);
	put_model(folder, "bert.", BERT_LAYERS, rest);
}

/* the kinds of heads, by problem_type and the names of labels */
static void
test_heads(void **state)
{
	static const struct
	{
		const char *more;
		const char *n;
		AiEncoderAnswer answer;
		AiActivation score;
	}			cases[] = {
		{"", "2", AI_ANSWER_CLASS, AI_ACT_LINEAR},
		{",\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"}", "3", AI_ANSWER_CLASS, AI_ACT_LINEAR},
		{",\"id2label\":{\"1\":\"Neutral\",\"0\":\"ENTAILMENT\",\"2\":\"contradiction\"}", "3",
		AI_ANSWER_CLASS, AI_ACT_LINEAR},
		{",\"id2label\":{\"0\":\"entailment\",\"1\":\"not_entailment\"}", "2", AI_ANSWER_CLASS,
		AI_ACT_LINEAR},
		{",\"num_labels\":4,\"problem_type\":\"multi_label_classification\"", "4", AI_ANSWER_LABELS,
		AI_ACT_LINEAR},
		{",\"num_labels\":1,\"problem_type\":\"regression\"", "1", AI_ANSWER_VALUES,
		AI_ACT_LINEAR},
		{",\"id2label\":{\"0\":\"LABEL_0\"}", "1", AI_ANSWER_VALUES, AI_ACT_SIGMOID},
		{",\"num_labels\":1,\"sbert_ce_default_activation_function\":\"torch.nn.modules.linear.Identity\"", "1",
		AI_ANSWER_VALUES, AI_ACT_LINEAR},
		{",\"num_labels\":1,\"sentence_transformers\":{\"activation_fn\":\"torch.nn.modules.linear.Identity\"}",
		"1", AI_ANSWER_VALUES, AI_ACT_LINEAR},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		TestFolder	folder;
		Import		import;

		folder_init(&folder);
		put_head(&folder, cases[i].more, cases[i].n);
		must_import(&import, &folder);
		assert_int_equal(import.config.answer, cases[i].answer);
		assert_int_equal(import.config.n_out, atoi(cases[i].n));
		assert_int_equal(import.config.score_activation, cases[i].score);
		assert_non_null(import.config.labels[import.config.n_out - 1]);
		assert_non_null(find_tensor(&import, AI_ARRAY_AFTER, 0, true));
		assert_int_equal(find_tensor(&import, AI_ARRAY_AFTER, 1, false)->n_rows,
						 atoi(cases[i].n));
		import_free(&import);
		folder_free(&folder);
	}
}

/* RoBERTa's and DistilBERT's heads have other names */
static void
test_other_heads(void **state)
{
	TestFolder	folder;
	Import		import;

	(void) state;
	folder_init(&folder);
	folder_text(&folder, "config.json", "{\"model_type\":\"roberta\"," SIZES ",\"type_vocab_size\":1,"
				"\"architectures\":[\"RobertaForSequenceClassification\"]}");
	put_model(&folder, "roberta.", BERT_LAYERS, EMBEDDINGS TYPES(1)
			  "~classifier.dense.weight 4 4;~classifier.dense.bias 4;"
			  "~classifier.out_proj.weight 2 4;~classifier.out_proj.bias 2;");
	must_import(&import, &folder);
	assert_non_null(find_tensor(&import, AI_ARRAY_AFTER, 0, false));
	assert_string_equal(import.config.labels[1], "LABEL_1");
	import_free(&import);
	folder_text(&folder, "config.json", "{\"model_type\":\"distilbert\",\"dim\":4,\"n_layers\":2,\"n_heads\":2,"
				"\"hidden_dim\":6,\"vocab_size\":9,\"max_position_embeddings\":8,"
				"\"architectures\":[\"DistilBertForSequenceClassification\"]}");
	put_model(&folder, "distilbert.", DISTILBERT_LAYERS, EMBEDDINGS
			  "~pre_classifier.weight 4 4;~pre_classifier.bias 4;~classifier.weight 2 4;~classifier.bias 2;");
	must_import(&import, &folder);
	assert_non_null(find_tensor(&import, AI_ARRAY_AFTER, 0, false));
	import_free(&import);
	folder_free(&folder);
}

#define MODULE(kind, path) "{\"type\":\"sentence_transformers.models." kind "\",\"path\":\"" path "\"}"

static void
put_modules(TestFolder *folder)
{
	put_bert(folder);
	folder_text(folder, "modules.json", "[" MODULE("Transformer", "") "," MODULE("Pooling", "1_Pooling") ","
				MODULE("Dense", "2_Dense") "," MODULE("Normalize", "3_Normalize") "]");
	folder_text(folder, "1_Pooling/config.json", "{\"word_embedding_dimension\":4,"
				"\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":false}");
	folder_text(folder, "2_Dense/config.json", "{\"in_features\":4,\"out_features\":3,\"bias\":true,"
				"\"activation_function\":\"torch.nn.modules.linear.Identity\"}");
	folder_weights(folder, "2_Dense/model.safetensors", "linear.weight 3 4;linear.bias 3;");
	folder_text(folder, "sentence_bert_config.json", "{\"max_seq_length\":5,\"do_lower_case\":true}");
	folder_text(folder, "config_sentence_transformers.json", "{\"prompts\":{\"query\":\"q: \",\"doc\":\"d: \"},"
				"\"default_prompt_name\":\"doc\",\"similarity_fn_name\":\"dot\"}");
}

/* what sentence-transformers puts behind the transformer */
static void
test_modules(void **state)
{
	TestFolder	folder;
	Import		import;

	(void) state;
	folder_init(&folder);
	put_modules(&folder);
	must_import(&import, &folder);
	assert_int_equal(import.config.pooling, AI_POOL_FIRST);
	assert_int_equal(import.config.n_dense, 1);
	assert_int_equal(import.config.n_out, 3);
	assert_true(import.config.normalises);
	assert_true(import.config.lowers);
	assert_int_equal(import.config.max_tokens, 5);
	assert_int_equal(import.config.n_prompts, 2);
	assert_string_equal(import.config.prompts[import.config.default_prompt].text, "d: ");
	assert_string_equal(import.config.similarity, "dot");
	assert_int_equal(find_tensor(&import, AI_ARRAY_AFTER, 0, false)->n_rows, 3);
	import_free(&import);
	folder_text(&folder, "1_Pooling/config.json", "{\"pooling_mode\":\"lasttoken\"}");
	must_import(&import, &folder);
	assert_int_equal(import.config.pooling, AI_POOL_LAST);
	import_free(&import);
	folder_free(&folder);
}

/* how long an input may be, by whatever file says the least */
static void
test_max_tokens(void **state)
{
	static const struct
	{
		const char *text;
		int			expected;
	}			cases[] = {
		{"{\"model_max_length\":7}", 7}, {"{\"model_max_length\":512}", 8}, {"{}", 8},
		{"{\"model_max_length\":1000000000000000019884624838656}", 8}, {"{\"model_max_length\":null}", 8},
	};
	TestFolder	folder;
	Import		import;

	(void) state;
	folder_init(&folder);
	put_bert(&folder);
	for (int i = 0; i < 5; i++)
	{
		folder_text(&folder, "tokenizer_config.json", cases[i].text);
		must_import(&import, &folder);
		assert_int_equal(import.config.max_tokens, cases[i].expected);
		import_free(&import);
	}
	folder_free(&folder);
}

/* tables without a transformer: model2vec's two layouts, and sentence-transformers' */
static void
test_static(void **state)
{
	TestFolder	folder;
	Import		import;

	(void) state;
	folder_init(&folder);
	folder_text(&folder, "config.json", "{\"model_type\":\"model2vec\",\"normalize\":true}");
	folder_weights(&folder, "model.safetensors", "embeddings 7 3;");
	must_import(&import, &folder);
	assert_int_equal(import.config.family, AI_ENCODER_STATIC);
	assert_int_equal(import.config.n_vocab, 7);
	assert_int_equal(import.config.n_out, 3);
	assert_true(import.config.normalises && import.config.skips_unknown);
	assert_null(find_tensor(&import, AI_ARRAY_ROWS, 0, false));
	import_free(&import);

	folder_text(&folder, "config.json", "{\"normalize\":false}");
	folder_weights(&folder, "model.safetensors", "weights 9;embeddings 7 3;");
	must_refuse(&folder, AI_ERR_SHAPE, "tensor \"weights\" of file \"model.safetensors\" has the wrong shape",
				"The shape is (9), expected (7).");
	folder_weights(&folder, "model.safetensors", "mapping 9;embeddings 7 3;");
	must_refuse(&folder, AI_ERR_UNSUPPORTED, "tensor \"mapping\" of file \"model.safetensors\" has "
				"elements of type F32, which is not supported", NULL);

	folder_text(&folder, "modules.json", "[" MODULE("StaticEmbedding", ".") "," MODULE("Normalize", "1") "]");
	folder_weights(&folder, "model.safetensors", "embedding.weight 7 3;");
	must_import(&import, &folder);
	assert_true(import.config.normalises && !import.config.skips_unknown);
	assert_int_equal(import.config.max_tokens, 0);
	import_free(&import);
	folder_free(&folder);
}

/* config.json of a BERT, and what is said of it */
static const struct
{
	const char *config;
	AiCode		code;
	const char *message;
}			configs[] = {
	{"[]", AI_ERR_FORMAT, "file \"config.json\" of the model is no JSON object"},
	{"{}", AI_ERR_FORMAT, "\"model_type\" in file \"config.json\" of the model must be the name of a family"},
	{"{\"model_type\":\"llama\"}", AI_ERR_UNSUPPORTED, "model type \"llama\" is not supported"},
	{"{\"model_type\":1}", AI_ERR_FORMAT, "\"model_type\" in file \"config.json\" of the model must be a string"},
	{"{\"architectures\":[\"T5Model\"]}", AI_ERR_UNSUPPORTED, "architecture \"T5Model\" is not supported"},
	{"{\"architectures\":\"T5Model\"}", AI_ERR_FORMAT,
	"\"architectures\" in file \"config.json\" of the model must be a list of strings"},
	{"{\"model_type\":\"bert\"," SIZES ",\"architectures\":[\"BertForTokenClassification\"]}", AI_ERR_UNSUPPORTED,
	"architecture \"BertForTokenClassification\" is not supported"},
	{"{\"model_type\":\"bert\",\"hidden_size\":-1}", AI_ERR_FORMAT,
	"\"hidden_size\" in file \"config.json\" of the model must be a whole number from 1 to 16777216"},
	{"{\"model_type\":\"bert\",\"hidden_size\":1e18}", AI_ERR_FORMAT,
	"\"hidden_size\" in file \"config.json\" of the model must be a whole number from 1 to 16777216"},
	{"{\"model_type\":\"bert\",\"hidden_size\":4.5}", AI_ERR_FORMAT,
	"\"hidden_size\" in file \"config.json\" of the model must be a whole number from 1 to 16777216"},
	{"{\"model_type\":\"bert\",\"hidden_size\":6,\"num_attention_heads\":4}", AI_ERR_FORMAT,
	"\"hidden_size\" (6) in file \"config.json\" of the model must be a multiple of \"num_attention_heads\" (4)"},
	{"{\"model_type\":\"bert\",\"position_embedding_type\":\"relative_key\"}", AI_ERR_UNSUPPORTED,
	"position_embedding_type \"relative_key\" is not supported"},
	{"{\"model_type\":\"bert\",\"is_decoder\":true}", AI_ERR_UNSUPPORTED,
	"a model with is_decoder is not supported"},
	{"{\"model_type\":\"bert\",\"hidden_act\":\"mish\"}", AI_ERR_UNSUPPORTED, "activation \"mish\" is not supported"},
	{"{\"model_type\":\"bert\",\"layer_norm_eps\":0}", AI_ERR_FORMAT,
	"\"layer_norm_eps\" in file \"config.json\" of the model must be a number between 0 and 1"},
	{"{\"model_type\":\"roberta\",\"max_position_embeddings\":2}", AI_ERR_FORMAT,
	"\"max_position_embeddings\" in file \"config.json\" of the model must be larger than pad_token_id"},
	{"{\"model_type\":\"bert\",\"architectures\":[\"BertForSequenceClassification\"],\"id2label\":{\"1\":\"a\"}}",
	AI_ERR_FORMAT, "\"id2label\" in file \"config.json\" of the model must be an object with the names of "
	"labels 0, 1 and so on"},
	{"{\"model_type\":\"bert\",\"architectures\":[\"BertForSequenceClassification\"],"
	"\"id2label\":{\"0\":\"a\",\"00\":\"b\"}}",
	AI_ERR_FORMAT, "\"id2label\" in file \"config.json\" of the model must be an object with the names of "
	"labels 0, 1 and so on"},
	{"{\"model_type\":\"bert\",\"architectures\":[\"BertForSequenceClassification\"],"
	"\"id2label\":{\"0\":\"a\",\"2\":\"b\",\"1\":\"a\"}}",
	AI_ERR_FORMAT, "label \"a\" of the model is there twice"},
	{"{\"model_type\":\"bert\",\"architectures\":[\"BertForSequenceClassification\"],\"num_labels\":99999}",
	AI_ERR_LIMIT, "model has 99999 labels, more than 10000"},
	{"{\"model_type\":\"bert\",\"architectures\":[\"BertForSequenceClassification\"],\"problem_type\":\"x\"}",
	AI_ERR_UNSUPPORTED, "problem_type \"x\" is not supported"},
	{"{\"model_type\":\"bert\",\"vocab_size\":10," "\"hidden_size\":4,\"num_attention_heads\":2}", AI_ERR_SHAPE,
	"tensor \"embeddings.word_embeddings.weight\" of file \"model.safetensors\" has the wrong shape"},
	{"{\"model_type\":\"bert\",\"num_hidden_layers\":1,\"hidden_size\":4,\"num_attention_heads\":2,"
	"\"intermediate_size\":6,\"vocab_size\":9,\"max_position_embeddings\":8}", AI_ERR_FORMAT,
	"tensor \"encoder.layer.1.attention.output.LayerNorm.bias\" of file \"model.safetensors\" belongs to no "
	"part of the model"},
	{"{\"model_type\":\"bert\",\"num_hidden_layers\":16000000,\"hidden_size\":4,\"num_attention_heads\":2,"
	"\"intermediate_size\":6,\"vocab_size\":9,\"max_position_embeddings\":8}", AI_ERR_FORMAT,
	"the model has no tensor \"encoder.layer.2.attention.self.query.weight\""},
	{"{\"model_type\":\"mpnet\"," SIZES ",\"relative_attention_num_buckets\":64}", AI_ERR_UNSUPPORTED,
	"relative_attention_num_buckets 64 is not supported"},
	{"{\"model_type\":\"mpnet\"," SIZES "}", AI_ERR_FORMAT,
	"the model has no tensor \"encoder.relative_attention_bias.weight\""},
	{"{\"model_type\":\"bert\"," SIZES ",\"architectures\":[\"BertForSequenceClassification\"]}", AI_ERR_FORMAT,
	"the model has no tensor \"pooler.dense.weight\""},
};

#define N_CONFIGS (int) (sizeof(configs) / sizeof(configs[0]))

static void
test_hostile_configs(void **state)
{
	TestFolder	folder;

	(void) state;
	folder_init(&folder);
	put_bert(&folder);
	for (int i = 0; i < N_CONFIGS; i++)
	{
		folder_text(&folder, "config.json", configs[i].config);
		must_refuse(&folder, configs[i].code, configs[i].message, NULL);
	}
	folder_free(&folder);
}

/* files beside config.json, one of which is wrong */
static const struct
{
	const char *path;
	const char *text;
	AiCode		code;
	const char *message;
}			modules[] = {
	{"1_Pooling/config.json", "{}", AI_ERR_UNSUPPORTED,
	"pooling in file \"1_Pooling/config.json\" is not supported"},
	{"1_Pooling/config.json", "{\"pooling_mode_cls_token\":true,\"pooling_mode_max_tokens\":true}",
	AI_ERR_UNSUPPORTED, "pooling in file \"1_Pooling/config.json\" is not supported"},
	{"1_Pooling/config.json", "{\"pooling_mode_cls_token\":1}", AI_ERR_FORMAT,
	"\"pooling_mode_cls_token\" in file \"config.json\" of the model must be true or false"},
	{"2_Dense/config.json", "{\"in_features\":5,\"out_features\":3}", AI_ERR_FORMAT,
	"file \"2_Dense/config.json\" of the model has in_features 5, what goes in has 4 numbers"},
	{"2_Dense/config.json", "{\"in_features\":4,\"out_features\":2}", AI_ERR_SHAPE,
	"tensor \"linear.weight\" of file \"2_Dense/model.safetensors\" has the wrong shape"},
	{"2_Dense/config.json", "{\"in_features\":4,\"out_features\":3,\"activation_function\":\"os.system\"}",
	AI_ERR_UNSUPPORTED, "activation \"os.system\" is not supported"},
	{"modules.json", "[" MODULE("CLIPModel", "") "]", AI_ERR_UNSUPPORTED, "module \"CLIPModel\" is not supported"},
	{"modules.json", "[" MODULE("Transformer", "") "," MODULE("LSTM", "x") "]", AI_ERR_UNSUPPORTED,
	"module \"LSTM\" is not supported"},
	{"modules.json", "[" MODULE("Transformer", "") "," MODULE("Normalize", "x") "," MODULE("Dense", "2_Dense") "]",
	AI_ERR_UNSUPPORTED, "module \"Dense\" behind Normalize is not supported"},
	{"modules.json", "[" MODULE("Transformer", "../..") "]", AI_ERR_FORMAT,
	"the model has no file \"../../model.safetensors\""},
	{"sentence_bert_config.json", "{\"max_seq_length\":\"x\"}", AI_ERR_FORMAT,
	"\"max_seq_length\" in file \"sentence_bert_config.json\" of the model must be a whole number from 3 to 16777216"},
	{"config_sentence_transformers.json", "{\"prompts\":[]}", AI_ERR_FORMAT,
	"\"prompts\" in file \"config_sentence_transformers.json\" of the model must be an object with at most 100 strings"},
	{"config_sentence_transformers.json", "{\"prompts\":{\"a\":\"b\"},\"default_prompt_name\":\"c\"}", AI_ERR_FORMAT,
	"\"default_prompt_name\" in file \"config_sentence_transformers.json\" of the model must be the name of a prompt"},
};

static void
test_hostile_modules(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
	{
		TestFolder	folder;

		folder_init(&folder);
		put_modules(&folder);
		folder_text(&folder, modules[i].path, modules[i].text);
		must_refuse(&folder, modules[i].code, modules[i].message, NULL);
		folder_free(&folder);
	}
}

/* every tensor that has another name is missing */
static void
test_missing(void **state)
{
	TestFolder	folder;
	TestFolder	changed;
	Import		import;

	(void) state;
	folder_init(&folder);
	folder_init(&changed);
	put_bert(&folder);
	must_import(&import, &folder);
	for (int64_t i = 0; i < import.weights.n; i++)
	{
		const char *name = import.weights.list[i].tensor->name;
		char		key[200];
		char		message[200];
		char	   *at;

		put_bert(&changed);
		snprintf(key, sizeof(key), "\"%s\"", name);
		at = memmem(changed.files[1].data, changed.files[1].len, key, strlen(key));
		assert_non_null(at);
		at[strlen(key) - 2] = '!';
		snprintf(message, sizeof(message), "the model has no tensor \"%s\"", name);
		must_refuse(&changed, AI_ERR_FORMAT, message, "Its config.json needs it.");
	}
	import_free(&import);
	folder_free(&folder);
	folder_free(&changed);
}

static AiCode
import_all(const AiHost *host, void *arg, AiError *err)
{
	Import		import;
	AiCode		code = import_open(&import, arg, host, err);

	import_free(&import);
	return code;
}

static void
test_every_allocation_fails(void **state)
{
	TestFolder	folder;

	(void) state;
	folder_init(&folder);
	put_modules(&folder);
	test_every_failed_alloc(import_all, &folder);
	folder_free(&folder);
}

/* As fuzz_checkpoint.c reads it: path, 0, content, 255 */
static void
write_folder(const char *directory, const char *name, const TestFolder *folder)
{
	AiBuf		all;

	ai_buf_init(&all, ai_malloc_host());
	for (int i = 0; i < folder->n; i++)
	{
		bool		is_weights = strstr(folder->paths[i], ".safetensors") != NULL;
		size_t		skipped = is_weights ? 8 : 0;
		size_t		len = folder->files[i].len;

		/* of weights the header alone; the fuzzer adds what it needs */
		if (is_weights)
			len = 8 + (size_t) *(uint64_t *) folder->files[i].data;
		(void) ai_buf_append(&all, folder->paths[i], strlen(folder->paths[i]) + 1, NULL);
		(void) ai_buf_append(&all, folder->files[i].data + skipped, len - skipped, NULL);
		(void) ai_buf_append(&all, "\xff", 1, NULL);
	}
	files_write(directory, name, &all);
	ai_buf_free(&all);
}

static void
write_corpus(const char *directory)
{
	TestFolder	folder;
	char		name[32];

	folder_init(&folder);
	put_bert(&folder);
	for (int i = 0; i < N_CONFIGS; i++)
	{
		folder_text(&folder, "config.json", configs[i].config);
		snprintf(name, sizeof(name), "config_%02d", i);
		write_folder(directory, name, &folder);
	}
	put_modules(&folder);
	write_folder(directory, "modules", &folder);
	folder_free(&folder);
	put_head(&folder, ",\"id2label\":{\"0\":\"entailment\",\"1\":\"neutral\",\"2\":\"contradiction\"}", "3");
	write_folder(directory, "head", &folder);
	folder_text(&folder, "config.json", "{\"normalize\":true}");
	folder_weights(&folder, "model.safetensors", "weights 7;embeddings 7 3;");
	write_folder(directory, "static", &folder);
	folder_free(&folder);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_old_names),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_other_heads),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_max_tokens),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_hostile_configs),
		cmocka_unit_test(test_hostile_modules),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_every_allocation_fails),
	};

	if (argc == 3 && strcmp(argv[1], "--write-corpus") == 0)
	{
		write_corpus(argv[2]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
