/*-------------------------------------------------------------------------
 * encoder_config.c
 *		What a checkpoint says of an encoder.
 *
 * config.json names the family (model_type) and the class (architectures) whose name tells
 * the head.  Families call the same sizes by different names: a table says how.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONFIG "config.json"
#define STATIC_TOKENS 512		/* model2vec's limit, where nothing else is said */
#define MAX_SIZE (1 << 24)		/* of anything that config.json counts */

/* While a checkpoint is read */
typedef struct Read
{
	AiCheckpoint *checkpoint;
	const AiCheckpointWeights *weights;
	AiEncoderConfig *config;
	const AiJson *json;			/* config.json; NULL: there is none */
	AiError    *err;
} Read;

/*
 * Families
 */
typedef struct Family
{
	AiEncoderFamily family;
	const char *model_type;
	const char *class_name;		/* with which names of architectures begin */
	const char *width;			/* keys of config.json */
	const char *n_layers;
	const char *n_heads;
	const char *inner_width;
	const char *activation;
	int			default_width;	/* what is not said; their other sizes are those of bert-base */
	int			n_vocab;
	int			n_types;
	int			pad_id;
	double		eps;
} Family;

#define BERT_KEYS "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", \
	"hidden_act"

static const Family families[] = {
	{AI_ENCODER_BERT, "bert", "Bert", BERT_KEYS, 768, 30522, 2, 0, 1e-12},
	{AI_ENCODER_DISTILBERT, "distilbert", "DistilBert", "dim", "n_layers", "n_heads", "hidden_dim",
	"activation", 768, 30522, 0, 0, 1e-12},
	{AI_ENCODER_ROBERTA, "roberta", "Roberta", BERT_KEYS, 768, 50265, 2, 1, 1e-12},
	{AI_ENCODER_XLM_ROBERTA, "xlm-roberta", "XLMRoberta", BERT_KEYS, 768, 30522, 2, 1, 1e-12},
	{AI_ENCODER_MPNET, "mpnet", "MPNet", BERT_KEYS, 768, 30527, 0, 1, 1e-12},
};

#define N_FAMILIES (int) (sizeof(families) / sizeof(families[0]))

const char *
ai_encoder_family_name(AiEncoderFamily family)
{
	return family == AI_ENCODER_STATIC ? "static" : families[family].model_type;
}

/*
 * Values
 */
static AiCode
wrong_value(Read *read, const char *file, const char *key, const char *what)
{
	return ai_fail(read->err, AI_ERR_FORMAT, "\"%s\" in file \"%s\" of the model must be %s", key,
				   file, what);
}

/* A whole number from min to MAX_SIZE, or what it is when nothing is said */
static AiCode
read_size(Read *read, int *size, const AiJson *json, const char *file, const char *key,
		  int otherwise, int min)
{
	const AiJson *value = ai_json_member(json, key);
	char		what[80];

	*size = otherwise;
	if (value == NULL || value->kind == AI_JSON_NULL)
		return AI_OK;
	if (value->kind != AI_JSON_NUMBER || !(value->number >= min && value->number <= MAX_SIZE) ||
		value->number != (int) value->number)
	{
		snprintf(what, sizeof(what), "a whole number from %d to %d", min, MAX_SIZE);
		return wrong_value(read, file, key, what);
	}
	*size = (int) value->number;
	return AI_OK;
}

static AiCode
read_truth(Read *read, bool *truth, const AiJson *json, const char *file, const char *key,
		   bool otherwise)
{
	const AiJson *value = ai_json_member(json, key);

	*truth = otherwise;
	if (value == NULL || value->kind == AI_JSON_NULL)
		return AI_OK;
	if (value->kind != AI_JSON_BOOL)
		return wrong_value(read, file, key, "true or false");
	*truth = value->truth;
	return AI_OK;
}

/* *string is NULL when nothing is said */
static AiCode
read_string(Read *read, const char **string, const AiJson *json, const char *file,
			const char *key)
{
	const AiJson *value = ai_json_member(json, key);

	*string = NULL;
	if (value == NULL || value->kind == AI_JSON_NULL)
		return AI_OK;
	if (value->kind != AI_JSON_STRING)
		return wrong_value(read, file, key, "a string");
	*string = value->string;
	return AI_OK;
}

/*
 * Activations, by the names that transformers gives them, and by their classes in torch
 */
static AiCode
find_activation(Read *read, AiActivation *activation, const char *name)
{
	static const struct
	{
		const char *name;
		AiActivation activation;
	}			known[] = {
		{"gelu", AI_ACT_GELU}, {"gelu_python", AI_ACT_GELU},
		{"gelu_new", AI_ACT_GELU_TANH}, {"gelu_fast", AI_ACT_GELU_TANH},
		{"gelu_pytorch_tanh", AI_ACT_GELU_TANH}, {"relu", AI_ACT_RELU},
		{"silu", AI_ACT_SILU}, {"swish", AI_ACT_SILU}, {"tanh", AI_ACT_TANH},
		{"torch.nn.modules.linear.Identity", AI_ACT_LINEAR},
		{"torch.nn.modules.activation.Tanh", AI_ACT_TANH},
		{"torch.nn.modules.activation.ReLU", AI_ACT_RELU},
		{"torch.nn.modules.activation.GELU", AI_ACT_GELU},
		{"torch.nn.modules.activation.SiLU", AI_ACT_SILU},
		{"torch.nn.modules.activation.Sigmoid", AI_ACT_SIGMOID},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		if (strcmp(name, known[i].name) == 0)
		{
			*activation = known[i].activation;
			return AI_OK;
		}
	}
	return ai_fail(read->err, AI_ERR_UNSUPPORTED, "activation \"%s\" is not supported", name);
}

/*
 * The transformer
 */
static AiCode
unsupported_model(Read *read, const char *kind, const char *name)
{
	ai_fail(read->err, AI_ERR_UNSUPPORTED, "%s \"%s\" is not supported", kind, name);
	ai_hint(read->err, "Models that are read are of the families BERT, DistilBERT, RoBERTa, XLM-RoBERTa, "
			"MPNet and model2vec, for embeddings or sequence classification.");
	return AI_ERR_UNSUPPORTED;
}

/* The first name of architectures, or NULL */
static AiCode
read_architecture(Read *read, const char **name)
{
	const AiJson *list = ai_json_member(read->json, "architectures");

	*name = NULL;
	if (list == NULL || list->kind == AI_JSON_NULL || (list->kind == AI_JSON_ARRAY && list->n == 0))
		return AI_OK;
	if (list->kind != AI_JSON_ARRAY || list->items[0].kind != AI_JSON_STRING)
		return wrong_value(read, CONFIG, "architectures", "a list of strings");
	*name = list->items[0].string;
	return AI_OK;
}

/* NULL in *family: it is a static table */
static AiCode
find_family(Read *read, const Family **family, const char *architecture)
{
	const AiCheckpoint *checkpoint = read->checkpoint;
	const char *model_type;

	*family = NULL;
	AI_TRY(read_string(read, &model_type, read->json, CONFIG, "model_type"));
	if (checkpoint->has_modules && strcmp(checkpoint->modules[0].type, "StaticEmbedding") == 0)
		return AI_OK;
	for (int i = 0; i < N_FAMILIES; i++)
	{
		const char *name = families[i].class_name;

		if (model_type != NULL ? strcmp(model_type, families[i].model_type) == 0 :
			architecture != NULL && strncmp(architecture, name, strlen(name)) == 0)
		{
			*family = &families[i];
			return AI_OK;
		}
	}
	if (model_type != NULL && strcmp(model_type, "model2vec") != 0)
		return unsupported_model(read, "model type", model_type);
	if (architecture != NULL && strcmp(architecture, "StaticModel") != 0)
		return unsupported_model(read, "architecture", architecture);
	if (model_type == NULL && architecture == NULL &&
		ai_checkpoint_weights_find(read->weights, "embeddings") == NULL)
		return wrong_value(read, CONFIG, "model_type", "the name of a family");
	return AI_OK;
}

/* What changes the mathematics and is not built */
static AiCode
check_variant(Read *read)
{
	const char *positions;
	bool		is_decoder;

	AI_TRY(read_string(read, &positions, read->json, CONFIG, "position_embedding_type"));
	if (positions != NULL && strcmp(positions, "absolute") != 0)
		return ai_fail(read->err, AI_ERR_UNSUPPORTED,
					   "position_embedding_type \"%s\" is not supported", positions);
	AI_TRY(read_truth(read, &is_decoder, read->json, CONFIG, "is_decoder", false));
	if (is_decoder)
		return ai_fail(read->err, AI_ERR_UNSUPPORTED, "a model with is_decoder is not supported");
	return AI_OK;
}

static AiCode
read_eps(Read *read, double otherwise)
{
	const AiJson *value = ai_json_member(read->json, "layer_norm_eps");

	read->config->eps = otherwise;
	if (value == NULL || read->config->family == AI_ENCODER_DISTILBERT)
		return AI_OK;
	if (value->kind != AI_JSON_NUMBER || !(value->number > 0 && value->number < 1))
		return wrong_value(read, CONFIG, "layer_norm_eps", "a number between 0 and 1");
	read->config->eps = value->number;
	return AI_OK;
}

static AiCode
read_sizes(Read *read, const Family *family)
{
	AiEncoderConfig *config = read->config;
	const AiJson *json = read->json;

	AI_TRY(read_size(read, &config->width, json, CONFIG, family->width, family->default_width, 1));
	AI_TRY(read_size(read, &config->n_layers, json, CONFIG, family->n_layers,
					 family->family == AI_ENCODER_DISTILBERT ? 6 : 12, 1));
	AI_TRY(read_size(read, &config->n_heads, json, CONFIG, family->n_heads, 12, 1));
	AI_TRY(read_size(read, &config->inner_width, json, CONFIG, family->inner_width, 3072, 1));
	AI_TRY(read_size(read, &config->n_vocab, json, CONFIG, "vocab_size", family->n_vocab, 1));
	AI_TRY(read_size(read, &config->n_positions, json, CONFIG, "max_position_embeddings", 512, 1));
	AI_TRY(read_size(read, &config->pad_id, json, CONFIG, "pad_token_id", family->pad_id, 0));
	if (family->n_types > 0)
		AI_TRY(read_size(read, &config->n_types, json, CONFIG, "type_vocab_size",
						 family->n_types, 1));
	if (family->family == AI_ENCODER_MPNET)
		AI_TRY(read_size(read, &config->n_buckets, json, CONFIG,
						 "relative_attention_num_buckets", AI_ENCODER_BUCKETS, 4));
	if (config->n_buckets != 0 && config->n_buckets != AI_ENCODER_BUCKETS)
		return ai_fail(read->err, AI_ERR_UNSUPPORTED,
					   "relative_attention_num_buckets %d is not supported", config->n_buckets);
	if (config->n_heads > config->width || config->width % config->n_heads != 0)
		return ai_fail(read->err, AI_ERR_FORMAT,
					   "\"%s\" (%d) in file \"" CONFIG "\" of the model must be a multiple of \"%s\" (%d)",
					   family->width, config->width, family->n_heads, config->n_heads);
	return AI_OK;
}

static AiCode
read_transformer(Read *read, const Family *family)
{
	AiEncoderConfig *config = read->config;
	const char *activation;

	config->family = family->family;
	AI_TRY(check_variant(read));
	AI_TRY(read_sizes(read, family));
	AI_TRY(read_eps(read, family->eps));
	AI_TRY(read_string(read, &activation, read->json, CONFIG, family->activation));
	AI_TRY(find_activation(read, &config->activation, activation == NULL ? "gelu" : activation));
	/* MPNet's code has its own number for the padding, whatever is said */
	if (config->family == AI_ENCODER_MPNET)
		config->first_position = 2;
	else if (config->family == AI_ENCODER_ROBERTA || config->family == AI_ENCODER_XLM_ROBERTA)
		config->first_position = config->pad_id + 1;
	if (config->first_position >= config->n_positions)
		return wrong_value(read, CONFIG, "max_position_embeddings", "larger than pad_token_id");
	return AI_OK;
}

/* How many tokens go in: the least that any file says */
static AiCode
read_max_tokens(Read *read)
{
	static const char *const names[] = {
		"sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json",
		"sentence_xlm-roberta_config.json", "sentence_mpnet_config.json"
	};
	AiEncoderConfig *config = read->config;
	const AiJson *json;
	const AiJson *value;
	int			limit = config->n_positions - config->first_position;
	int			max_tokens = limit;

	for (int i = 0; i < 5; i++)
	{
		AI_TRY(ai_checkpoint_json(read->checkpoint, &json, read->checkpoint->folder, names[i],
								  read->err));
		if (json == NULL)
			continue;
		AI_TRY(read_truth(read, &config->lowers, json, names[i], "do_lower_case", false));
		AI_TRY(read_size(read, &max_tokens, json, names[i], "max_seq_length", limit, 3));
		config->max_tokens = max_tokens < limit ? max_tokens : limit;
		return AI_OK;
	}
	AI_TRY(ai_checkpoint_json(read->checkpoint, &json, read->checkpoint->folder,
							  "tokenizer_config.json", read->err));
	/* a number of 30 digits stands for none */
	value = ai_json_member(json, "model_max_length");
	if (value != NULL && value->kind == AI_JSON_NUMBER && value->number >= 3 &&
		value->number < limit)
		max_tokens = (int) value->number;
	config->max_tokens = max_tokens;
	return AI_OK;
}

/*
 * The head
 */
static bool
ends_with(const char *string, const char *end)
{
	size_t		len = strlen(string);
	size_t		end_len = strlen(end);

	return len >= end_len && strcmp(string + len - end_len, end) == 0;
}

/* Has the class a head for sequences?  AI_ERR_UNSUPPORTED when it is made for something else */
static AiCode
read_has_head(Read *read, bool *has_head, const char *architecture)
{
	static const char *const bodies[] = {"Model", "ForMaskedLM", "ForPreTraining"};

	if (architecture == NULL)
	{
		*has_head = !read->checkpoint->has_modules && ai_json_member(read->json, "id2label") != NULL;
		return AI_OK;
	}
	*has_head = ends_with(architecture, "ForSequenceClassification");
	if (*has_head)
		return AI_OK;
	for (int i = 0; i < 3; i++)
	{
		if (ends_with(architecture, bodies[i]))
			return AI_OK;
	}
	/* what sentence-transformers takes of a model is its body */
	if (read->checkpoint->has_modules)
		return AI_OK;
	return unsupported_model(read, "architecture", architecture);
}

static AiCode
wrong_labels(Read *read)
{
	return wrong_value(read, CONFIG, "id2label", "an object with the names of labels 0, 1 and so on");
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Answers are told apart by their labels. */
static AiCode
check_distinct(Read *read, const char *const *names, int n)
{
	size_t		size = (size_t) n * sizeof(char *);
	const char **sorted = ai_arena_alloc(&read->checkpoint->arena, size);

	if (sorted == NULL)
		return ai_out_of_memory(read->err, size, "labels");
	memcpy(sorted, names, size);
	qsort(sorted, (size_t) n, sizeof(char *), compare_strings);
	for (int i = 1; i < n; i++)
	{
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return ai_fail(read->err, AI_ERR_FORMAT, "label \"%s\" of the model is there twice",
						   sorted[i]);
	}
	return AI_OK;
}

/* names:[n] from {"0": "joy", "1": "anger"} */
static AiCode
place_labels(Read *read, const char **names, const AiJson *json, int n)
{
	for (int i = 0; i < n; i++)
	{
		const AiJson *item = &json->items[i];
		char	   *end;
		long		number = strtol(item->key, &end, 10);

		if (item->key[0] < '0' || item->key[0] > '9' || *end != '\0' || number >= n ||
			names[number] != NULL || item->kind != AI_JSON_STRING)
			return wrong_labels(read);
		names[number] = item->string;
	}
	return check_distinct(read, names, n);
}

/* "LABEL_7", transformers' own */
static AiCode
invent_labels(Read *read, const char **names, int n)
{
	for (int i = 0; i < n; i++)
	{
		char	   *name = ai_arena_alloc(&read->checkpoint->arena, 24);

		if (name == NULL)
			return ai_out_of_memory(read->err, 24, "labels");
		snprintf(name, 24, "LABEL_%d", i);
		names[i] = name;
	}
	return AI_OK;
}

static AiCode
read_labels(Read *read)
{
	const AiJson *json = ai_json_member(read->json, "id2label");
	const char **names;
	int			n;

	AI_TRY(read_size(read, &n, read->json, CONFIG, "num_labels", 2, 1));
	if (json != NULL && json->kind == AI_JSON_NULL)
		json = NULL;
	if (json != NULL && (json->kind != AI_JSON_OBJECT || json->n == 0))
		return wrong_labels(read);
	if (json != NULL)
		n = json->n;
	if (n > AI_ENCODER_MAX_LABELS)
		return ai_fail(read->err, AI_ERR_LIMIT, "model has %d labels, more than %d", n,
					   AI_ENCODER_MAX_LABELS);
	names = ai_arena_alloc_zero(&read->checkpoint->arena, (size_t) n, sizeof(char *));
	if (names == NULL)
		return ai_out_of_memory(read->err, (size_t) n * sizeof(char *), "labels");
	read->config->labels = names;
	read->config->n_out = n;
	return json == NULL ? invent_labels(read, names, n) : place_labels(read, names, json, n);
}

/* sentence-transformers' default for one label is a sigmoid. */
static AiCode
read_score_activation(Read *read)
{
	const char *name;

	AI_TRY(read_string(read, &name, ai_json_member(read->json, "sentence_transformers"), CONFIG,
					   "activation_fn"));
	if (name == NULL)
		AI_TRY(read_string(read, &name, read->json, CONFIG, "sbert_ce_default_activation_function"));
	read->config->score_activation = AI_ACT_SIGMOID;
	return name == NULL ? AI_OK : find_activation(read, &read->config->score_activation, name);
}

static AiCode
read_head(Read *read)
{
	AiEncoderConfig *config = read->config;
	const char *problem;

	AI_TRY(read_labels(read));
	AI_TRY(read_string(read, &problem, read->json, CONFIG, "problem_type"));
	config->answer = config->n_out == 1 ? AI_ANSWER_VALUES : AI_ANSWER_CLASS;
	if (problem != NULL && strcmp(problem, "regression") == 0)
		config->answer = AI_ANSWER_VALUES;
	else if (problem != NULL && strcmp(problem, "multi_label_classification") == 0)
		config->answer = AI_ANSWER_LABELS;
	else if (problem != NULL && strcmp(problem, "single_label_classification") != 0)
		return ai_fail(read->err, AI_ERR_UNSUPPORTED, "problem_type \"%s\" is not supported", problem);
	else if (config->n_out == 1)
		return read_score_activation(read);
	return AI_OK;
}

/*
 * What sentence-transformers puts behind the transformer
 */
static const struct
{
	const char *flag;			/* older files: one key for each, true or false */
	const char *name;			/* later ones: the value of pooling_mode */
	AiPooling pooling;
}			poolings[] = {
	{"pooling_mode_mean_tokens", "mean", AI_POOL_MEAN},
	{"pooling_mode_cls_token", "cls", AI_POOL_FIRST},
	{"pooling_mode_max_tokens", "max", AI_POOL_MAX},
	{"pooling_mode_lasttoken", "lasttoken", AI_POOL_LAST},
	{"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", AI_POOL_MEAN_SQRT},
	{"pooling_mode_weightedmean_tokens", "weightedmean", AI_POOL_WEIGHTED},
};

static AiCode
read_pooling(Read *read, const AiCheckpointModule *module)
{
	const AiJson *json;
	const char *name;
	bool		includes_prompt;
	int			n = 0;

	AI_TRY(ai_checkpoint_json(read->checkpoint, &json, module->folder, CONFIG, read->err));
	AI_TRY(read_string(read, &name, json, CONFIG, "pooling_mode"));
	for (int i = 0; i < 6; i++)
	{
		bool		is_on;

		AI_TRY(read_truth(read, &is_on, json, CONFIG, poolings[i].flag, false));
		if (is_on || (name != NULL && strcmp(name, poolings[i].name) == 0))
		{
			read->config->pooling = poolings[i].pooling;
			n++;
		}
	}
	if (n != 1)
	{
		ai_fail(read->err, AI_ERR_UNSUPPORTED, "pooling in file \"%s" CONFIG "\" is not supported",
				module->folder);
		ai_detail(read->err, "One of mean, cls, max, last, mean_sqrt_len and weightedmean must be chosen.");
		return AI_ERR_UNSUPPORTED;
	}
	AI_TRY(read_truth(read, &includes_prompt, json, CONFIG, "include_prompt", true));
	if (!includes_prompt && read->config->default_prompt >= 0)
		return ai_fail(read->err, AI_ERR_UNSUPPORTED, "pooling without the prompt is not supported");
	return AI_OK;
}

static AiCode
read_dense(Read *read, const AiCheckpointModule *module)
{
	AiEncoderConfig *config = read->config;
	AiEncoderDense *dense = &config->dense[config->n_dense];
	const AiJson *json;
	const char *activation;
	const char *input;

	if (config->n_dense == AI_ENCODER_MAX_DENSE)
		return ai_fail(read->err, AI_ERR_UNSUPPORTED, "more than %d Dense modules are not supported",
					   AI_ENCODER_MAX_DENSE);
	dense->folder = module->folder;
	AI_TRY(ai_checkpoint_json(read->checkpoint, &json, module->folder, CONFIG, read->err));
	AI_TRY(read_size(read, &dense->n_in, json, CONFIG, "in_features", 0, 1));
	AI_TRY(read_size(read, &dense->n_out, json, CONFIG, "out_features", 0, 1));
	AI_TRY(read_truth(read, &dense->has_bias, json, CONFIG, "bias", true));
	AI_TRY(read_string(read, &activation, json, CONFIG, "activation_function"));
	AI_TRY(read_string(read, &input, json, CONFIG, "module_input_name"));
	if (input != NULL && strcmp(input, "sentence_embedding") != 0)
		return ai_fail(read->err, AI_ERR_UNSUPPORTED, "module_input_name \"%s\" is not supported", input);
	if (dense->n_in != config->n_out || dense->n_out == 0)
		return ai_fail(read->err, AI_ERR_FORMAT,
					   "file \"%s" CONFIG "\" of the model has in_features %d, what goes in has %d numbers",
					   module->folder, dense->n_in, config->n_out);
	config->n_out = dense->n_out;
	config->n_dense++;
	return find_activation(read, &dense->activation, activation == NULL ?
						   "torch.nn.modules.activation.Tanh" : activation);
}

static AiCode
read_module(Read *read, const AiCheckpointModule *module)
{
	if (strcmp(module->type, "Dropout") == 0)
		return AI_OK;			/* of training only */
	if (strcmp(module->type, "Normalize") == 0)
	{
		read->config->normalises = true;
		return AI_OK;
	}
	if (read->config->normalises)
		return ai_fail(read->err, AI_ERR_UNSUPPORTED, "module \"%s\" behind Normalize is not supported",
					   module->type);
	if (strcmp(module->type, "Dense") == 0)
		return read_dense(read, module);
	if (strcmp(module->type, "Pooling") == 0 && read->config->family != AI_ENCODER_STATIC &&
		read->config->n_dense == 0)
		return read_pooling(read, module);
	return unsupported_model(read, "module", module->type);
}

static AiCode
read_modules(Read *read)
{
	AiCheckpoint *checkpoint = read->checkpoint;
	const char *first = read->config->family == AI_ENCODER_STATIC ? "StaticEmbedding" : "Transformer";

	read->config->pooling = AI_POOL_MEAN;
	read->config->n_out = read->config->width;
	if (!checkpoint->has_modules)
		return AI_OK;
	if (strcmp(checkpoint->modules[0].type, first) != 0)
		return unsupported_model(read, "module", checkpoint->modules[0].type);
	for (int i = 1; i < checkpoint->n_modules; i++)
		AI_TRY(read_module(read, &checkpoint->modules[i]));
	return AI_OK;
}

/*
 * Prompts
 */
#define PROMPTS_FILE "config_sentence_transformers.json"

static AiCode
read_prompts(Read *read)
{
	AiEncoderConfig *config = read->config;
	const AiJson *json;
	const AiJson *list;
	const char *chosen;
	AiEncoderPrompt *prompts;

	AI_TRY(ai_checkpoint_json(read->checkpoint, &json, "", PROMPTS_FILE, read->err));
	AI_TRY(read_string(read, &config->similarity, json, PROMPTS_FILE, "similarity_fn_name"));
	AI_TRY(read_string(read, &chosen, json, PROMPTS_FILE, "default_prompt_name"));
	list = ai_json_member(json, "prompts");
	if (list == NULL || list->kind == AI_JSON_NULL)
		return AI_OK;
	if (list->kind != AI_JSON_OBJECT || list->n > AI_ENCODER_MAX_PROMPTS)
		return wrong_value(read, PROMPTS_FILE, "prompts", "an object with at most 100 strings");
	prompts = ai_arena_alloc_zero(&read->checkpoint->arena, (size_t) list->n, sizeof(*prompts));
	if (prompts == NULL)
		return ai_out_of_memory(read->err, (size_t) list->n * sizeof(*prompts), "prompts");
	for (int i = 0; i < list->n; i++)
	{
		const AiJson *item = &list->items[i];

		if (item->kind != AI_JSON_STRING)
			return wrong_value(read, PROMPTS_FILE, "prompts", "an object with at most 100 strings");
		prompts[i] = (AiEncoderPrompt) {item->key, item->string};
		if (chosen != NULL && strcmp(item->key, chosen) == 0)
			config->default_prompt = i;
	}
	config->prompts = prompts;
	config->n_prompts = list->n;
	if (chosen != NULL && config->default_prompt < 0)
		return wrong_value(read, PROMPTS_FILE, "default_prompt_name", "the name of a prompt");
	return AI_OK;
}

/*
 * Tables without a transformer
 */
static AiCode
read_static(Read *read)
{
	AiEncoderConfig *config = read->config;
	bool		is_module = read->checkpoint->has_modules;
	const AiCheckpointWeight *table = ai_checkpoint_weights_find(read->weights, "embeddings");
	const AiCheckpointWeight *mapping = ai_checkpoint_weights_find(read->weights, "mapping");

	config->family = AI_ENCODER_STATIC;
	if (table == NULL)
		table = ai_checkpoint_weights_find(read->weights, "embedding.weight");
	if (table == NULL)
		return ai_fail(read->err, AI_ERR_FORMAT, "the model has no tensor \"embeddings\"");
	if (table->tensor->n_dims != 2 || table->tensor->n_elements == 0 ||
		table->tensor->dims[0] > MAX_SIZE || table->tensor->dims[1] > MAX_SIZE)
		return ai_fail(read->err, AI_ERR_FORMAT, "tensor \"%s\" has the wrong shape",
					   table->tensor->name);
	config->width = (int) table->tensor->dims[1];
	config->n_vocab = (int) table->tensor->dims[0];
	if (mapping != NULL && (mapping->tensor->n_dims != 1 || mapping->tensor->dims[0] < 1 ||
							mapping->tensor->dims[0] > MAX_SIZE))
		return ai_fail(read->err, AI_ERR_FORMAT, "tensor \"mapping\" has the wrong shape");
	if (mapping != NULL)
		config->n_vocab = (int) mapping->tensor->dims[0];
	config->skips_unknown = !is_module;
	config->max_tokens = is_module ? 0 : STATIC_TOKENS;
	AI_TRY(read_modules(read));
	return is_module ? AI_OK :
		read_truth(read, &config->normalises, read->json, CONFIG, "normalize", false);
}

AiCode
ai_encoder_config_read(AiEncoderConfig *config, AiCheckpoint *checkpoint,
					   const AiCheckpointWeights *weights, AiError *err)
{
	Read		read = {.checkpoint = checkpoint, .weights = weights, .config = config, .err = err};
	const Family *family;
	const char *architecture;
	bool		has_head;

	*config = (AiEncoderConfig) {.default_prompt = -1};
	AI_TRY(ai_checkpoint_json(checkpoint, &read.json, checkpoint->folder, CONFIG, err));
	AI_TRY(read_architecture(&read, &architecture));
	AI_TRY(find_family(&read, &family, architecture));
	AI_TRY(read_prompts(&read));
	if (family == NULL)
		return read_static(&read);
	AI_TRY(read_transformer(&read, family));
	AI_TRY(read_max_tokens(&read));
	AI_TRY(read_has_head(&read, &has_head, architecture));
	return has_head ? read_head(&read) : read_modules(&read);
}
