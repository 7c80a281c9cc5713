# aiaas: machine learning inside PostgreSQL
#
#   make, make install, make installcheck    as with every extension; PG_CONFIG=... chooses the server
#   make check                               everything, needs no installed extension and no running server
#   make check-core                          the core alone, needs no PostgreSQL
#   make demo                                a throw-away server that learns from real messages
#
# test/test.mk holds the rules of the tests, and the list of their targets.

MODULE_big = aiaas
EXTENSION = aiaas
DATA_built = sql/aiaas--1.0.sql
PGFILEDESC = "aiaas - machine learning inside PostgreSQL"

#
# Sources, one variable per room, in the order of the ladder (src/README.md)
#
BASE_OBJS = \
	src/core/base/arena.o \
	src/core/base/buf.o \
	src/core/base/gate.o \
	src/core/base/host.o \
	src/core/base/json.o \
	src/core/base/json_large.o \
	src/core/base/json_scan.o \
	src/core/base/pool.o \
	src/core/base/progress.o \
	src/core/base/sha256.o \
	src/core/base/sort.o \
	src/core/base/status.o \
	src/core/base/tally.o

TENSOR_OBJS = \
	src/core/tensor/dtype.o

KERNELS_OBJS = \
	src/core/kernels/attention.o \
	src/core/kernels/dispatch.o \
	src/core/kernels/openblas.o \
	src/core/kernels/packed.o \
	src/core/kernels/ref_dense.o \
	src/core/kernels/ref_packed.o \
	src/core/kernels/ref_sparse.o

# Each file is compiled for the level in its name; dispatch.c chooses one.
KERNELS_X86_OBJS = \
	src/core/kernels/x86/attention_amx_avx512.o \
	src/core/kernels/x86/attention_dpbf16_avx512.o \
	src/core/kernels/x86/attention_fp32_avx512.o \
	src/core/kernels/x86/cpu_features.o \
	src/core/kernels/x86/dense_avx2.o \
	src/core/kernels/x86/dense_avx512.o \
	src/core/kernels/x86/gelu_avx512.o \
	src/core/kernels/x86/gemm_avx2.o \
	src/core/kernels/x86/gemm_avx512.o \
	src/core/kernels/x86/gemm_sparse_avx2.o \
	src/core/kernels/x86/gemm_sparse_avx512.o \
	src/core/kernels/x86/packed_amx_avx512.o \
	src/core/kernels/x86/packed_bf16_avx2.o \
	src/core/kernels/x86/packed_bf16_avx512.o \
	src/core/kernels/x86/packed_dpbf16_avx512.o \
	src/core/kernels/x86/packed_fp32_avx2.o \
	src/core/kernels/x86/packed_fp32_avx512.o \
	src/core/kernels/x86/packed_int8_avx2.o \
	src/core/kernels/x86/packed_int8_avx512.o \
	src/core/kernels/x86/packed_vnni_avx2.o \
	src/core/kernels/x86/packed_vnni_avx512.o \
	src/core/kernels/x86/sparse_avx2.o \
	src/core/kernels/x86/sparse_avx512.o \
	src/core/kernels/x86/transpose_avx2.o

TEXT_OBJS = \
	src/core/text/bert_normalizer.o \
	src/core/text/bpe.o \
	src/core/text/breaks.o \
	src/core/text/byte_chars.o \
	src/core/text/charsmap.o \
	src/core/text/chunk.o \
	src/core/text/detokenize.o \
	src/core/text/ngram.o \
	src/core/text/normalize.o \
	src/core/text/split.o \
	src/core/text/text_buf.o \
	src/core/text/tokenizer.o \
	src/core/text/tokenizer_build.o \
	src/core/text/tokenizer_chars.o \
	src/core/text/tokenizer_check.o \
	src/core/text/tokenizer_files.o \
	src/core/text/tokenizer_json.o \
	src/core/text/trie.o \
	src/core/text/unicode.o \
	src/core/text/unigram.o \
	src/core/text/wordpiece.o

FORMAT_OBJS = \
	src/core/format/aim.o \
	src/core/format/checkpoint.o \
	src/core/format/checkpoint_weights.o \
	src/core/format/export.o \
	src/core/format/magic.o \
	src/core/format/safetensors.o \
	src/core/format/source.o \
	src/core/format/tar.o

CLASSIC_OBJS = \
	src/core/classic/calibrate.o \
	src/core/classic/linear.o \
	src/core/classic/metrics.o \
	src/core/classic/metrics_labels.o \
	src/core/classic/metrics_values.o

GRAPH_OBJS = \
	src/core/graph/definition.o \
	src/core/graph/graph.o \
	src/core/graph/initialise.o \
	src/core/graph/keras.o \
	src/core/graph/keras_argument.o \
	src/core/graph/keras_layer.o \
	src/core/graph/options.o \
	src/core/graph/plan.o \
	src/core/graph/run.o \
	src/core/graph/run_create.o \
	src/core/graph/run_layout.o \
	src/core/graph/shape.o \
	src/core/graph/summary.o

LAYER_OBJS = \
	src/core/layer/activation.o \
	src/core/layer/add.o \
	src/core/layer/attention.o \
	src/core/layer/avg_pool.o \
	src/core/layer/batch_norm.o \
	src/core/layer/concatenate.o \
	src/core/layer/conv.o \
	src/core/layer/conv1d.o \
	src/core/layer/conv2d.o \
	src/core/layer/conv_back.o \
	src/core/layer/dense.o \
	src/core/layer/dropout.o \
	src/core/layer/embedding.o \
	src/core/layer/flatten.o \
	src/core/layer/global_pool.o \
	src/core/layer/gru.o \
	src/core/layer/layer_norm.o \
	src/core/layer/layers.o \
	src/core/layer/lstm.o \
	src/core/layer/max_pool.o \
	src/core/layer/normalize.o \
	src/core/layer/packed.o \
	src/core/layer/pool.o \
	src/core/layer/positional_embedding.o \
	src/core/layer/prepare.o \
	src/core/layer/product.o \
	src/core/layer/recurrent.o \
	src/core/layer/rescale.o \
	src/core/layer/reshape.o \
	src/core/layer/simple_rnn.o \
	src/core/layer/sums.o

MODEL_OBJS = \
	src/core/model/chunks.o \
	src/core/model/encoder.o \
	src/core/model/encoder_batch.o \
	src/core/model/encoder_config.o \
	src/core/model/encoder_import.o \
	src/core/model/encoder_pooling.o \
	src/core/model/similarity.o \
	src/core/model/encoder_run.o \
	src/core/model/encoder_store.o \
	src/core/model/encoder_weights.o \
	src/core/model/inputs.o \
	src/core/model/network.o \
	src/core/model/network_apply.o \
	src/core/model/network_batch.o \
	src/core/model/network_explain.o \
	src/core/model/network_words.o \
	src/core/model/text_batch.o \
	src/core/model/text_classifier.o \
	src/core/model/text_counts.o \
	src/core/model/text_features.o \
	src/core/model/text_fit.o \
	src/core/model/labels.o \
	src/core/model/text_matrix.o \
	src/core/model/text_model.o \
	src/core/model/text_rows.o \
	src/core/model/text_strongest.o \
	src/core/model/text_trainer.o \
	src/core/model/text_vocabulary.o \
	src/core/model/text_words.o

TRAIN_OBJS = \
	src/core/train/batches.o \
	src/core/train/fit.o \
	src/core/train/fit_measure.o \
	src/core/train/fit_update.o \
	src/core/train/loss.o \
	src/core/train/network_build.o \
	src/core/train/network_head.o \
	src/core/train/network_measure.o \
	src/core/train/network_rows.o \
	src/core/train/network_trainer.o \
	src/core/train/optimiser.o \
	src/core/train/row_log.o \
	src/core/train/samples.o \
	src/core/train/schedule.o \
	src/core/train/spill.o \
	src/core/train/stopping.o \
	src/core/train/training_options.o \
	src/core/train/word_counts.o

PG_HOST_OBJS = \
	src/pg/host/cores.o \
	src/pg/host/datum.o \
	src/pg/host/digest.o \
	src/pg/host/guc.o \
	src/pg/host/host.o \
	src/pg/host/json.o \
	src/pg/host/numbers.o \
	src/pg/host/place.o \
	src/pg/host/raise.o \
	src/pg/host/rows.o

PG_STATS_OBJS = \
	src/pg/stats/activity.o \
	src/pg/stats/file.o \
	src/pg/stats/stats.o \
	src/pg/stats/threads.o

PG_CATALOG_OBJS = \
	src/pg/catalog/content.o \
	src/pg/catalog/grantee.o \
	src/pg/catalog/list.o \
	src/pg/catalog/manage.o \
	src/pg/catalog/model.o \
	src/pg/catalog/pin.o \
	src/pg/catalog/privilege.o \
	src/pg/catalog/query.o \
	src/pg/catalog/reference.o \
	src/pg/catalog/version.o

PG_CACHE_OBJS = \
	src/pg/cache/directory.o \
	src/pg/cache/file.o

PG_ENGINE_OBJS = \
	src/pg/engine/answer.o \
	src/pg/engine/batch.o \
	src/pg/engine/call.o \
	src/pg/engine/encoder_features.o \
	src/pg/engine/engine.o \
	src/pg/engine/features.o \
	src/pg/engine/gather.o \
	src/pg/engine/input.o \
	src/pg/engine/input_numbers.o \
	src/pg/engine/kind.o \
	src/pg/engine/kind_encoder.o \
	src/pg/engine/resolved.o \
	src/pg/engine/texts.o \
	src/pg/engine/work.o

PG_EXEC_OBJS = \
	src/pg/exec/calls.o \
	src/pg/exec/carry.o \
	src/pg/exec/cursor.o \
	src/pg/exec/debug.o \
	src/pg/exec/demand.o \
	src/pg/exec/explain.o \
	src/pg/exec/hooks.o \
	src/pg/exec/jit.o \
	src/pg/exec/node.o \
	src/pg/exec/read.o \
	src/pg/exec/recognise.o \
	src/pg/exec/rewrite.o \
	src/pg/exec/support.o \
	src/pg/exec/tree.o

PG_JOBS_OBJS = \
	src/pg/jobs/backfill.o \
	src/pg/jobs/columns.o \
	src/pg/jobs/evaluator.o \
	src/pg/jobs/exporter.o \
	src/pg/jobs/gate.o \
	src/pg/jobs/import_encoder.o \
	src/pg/jobs/import_folder.o \
	src/pg/jobs/import_source.o \
	src/pg/jobs/importer.o \
	src/pg/jobs/keep.o \
	src/pg/jobs/labels.o \
	src/pg/jobs/limits.o \
	src/pg/jobs/manifest.o \
	src/pg/jobs/network_options.o \
	src/pg/jobs/network_query.o \
	src/pg/jobs/options.o \
	src/pg/jobs/quantizer.o \
	src/pg/jobs/query.o \
	src/pg/jobs/sample_texts.o \
	src/pg/jobs/select.o \
	src/pg/jobs/spill.o \
	src/pg/jobs/train_network.o \
	src/pg/jobs/train_text.o \
	src/pg/jobs/trainer.o

PG_SQLAPI_OBJS = \
	src/pg/sqlapi/answers.o \
	src/pg/sqlapi/explain_network.o \
	src/pg/sqlapi/fn_cache.o \
	src/pg/sqlapi/fn_classify.o \
	src/pg/sqlapi/fn_evaluate.o \
	src/pg/sqlapi/fn_explain.o \
	src/pg/sqlapi/fn_keep.o \
	src/pg/sqlapi/fn_models.o \
	src/pg/sqlapi/fn_move.o \
	src/pg/sqlapi/fn_network.o \
	src/pg/sqlapi/fn_quantize.o \
	src/pg/sqlapi/fn_rights.o \
	src/pg/sqlapi/fn_similarity.o \
	src/pg/sqlapi/fn_tokens.o \
	src/pg/sqlapi/fn_train.o \
	src/pg/sqlapi/fn_watch.o \
	src/pg/sqlapi/fn_zero_shot.o \
	src/pg/sqlapi/verbs.o

MAIN_OBJS = \
	src/aiaas.o

#
# Tests of the server, in the order in which they run.  pg_regress creates the
# extension in their database, in schema public.  The TAP tests, test/t/*.pl,
# make servers of their own: "make check-server" runs them, installcheck does not.
#
REGRESS = models damage settings train network classify costs evaluate explain rights pins move import_encoder train_embedder embed tokens embed_trigger limits stats network_apply \
	batch_same batch_tools batch_shapes batch_modify batch_merge batch_order batch_errors batch_cursors batch_security \
	batch_plans batch_limits batch_end

ISOLATION = train-train deploy-classify drop-classify drop-train drop-grant content-race batch-recheck

REGRESS_OPTS = --inputdir=$(srcdir) --load-extension=$(EXTENSION)
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --load-extension=$(EXTENSION)

IS_X86 := $(filter x86_64-%,$(shell $(CC) -dumpmachine))

CORE_OBJS = $(BASE_OBJS) $(TENSOR_OBJS) $(KERNELS_OBJS) $(if $(IS_X86),$(KERNELS_X86_OBJS)) \
	$(TEXT_OBJS) $(FORMAT_OBJS) $(CLASSIC_OBJS) $(GRAPH_OBJS) $(LAYER_OBJS) $(MODEL_OBJS) \
	$(TRAIN_OBJS)
PG_OBJS = $(PG_HOST_OBJS) $(PG_STATS_OBJS) $(PG_CATALOG_OBJS) $(PG_CACHE_OBJS) $(PG_ENGINE_OBJS) $(PG_EXEC_OBJS) $(PG_JOBS_OBJS) \
	$(PG_SQLAPI_OBJS) $(MAIN_OBJS)
OBJS = $(CORE_OBJS) $(PG_OBJS)

#
# Flags.  No -march=native: a package is built on another machine than it runs
# on.  No contraction: fused operations stand only where they are written.
#
WARNINGS = -Wall -Wextra -Wshadow
AI_CFLAGS = -std=gnu11 -O2 -ffp-contract=off $(WARNINGS)
AVX2_FLAGS = -mavx2 -mfma
AVX512_FLAGS = -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mfma
CORE_LIBS = -lcrypto -ljansson -lm -lpthread -ldl

# Flags of one object file by its path, for the server build and the core's own.  Loops become vectors
# only where errno and traps of floating point need not be kept, which nobody asks for; no number changes.
kernel_flags = $(if $(filter src/core/kernels/%,$1),-O3 -fno-math-errno -fno-trapping-math) \
	$(if $(filter %_avx2.o,$1),$(AVX2_FLAGS)) $(if $(filter %_avx512.o,$1),$(AVX512_FLAGS)) \
	$(if $(filter %_dpbf16_avx512.o,$1),-mavx512bf16) \
	$(if $(filter %_amx_avx512.o,$1),-mavx512bf16 -mamx-tile -mamx-int8 -mamx-bf16)

# Up to 15 the server exports every symbol of a library; from 16 on PGDLLEXPORT is defined there.
visibility_flags = $(if $(filter 14 15,$(MAJORVERSION)),\
	-DPGDLLEXPORT='__attribute__((visibility("default")))')

# the server's headers do not stand all warnings, so they count as the system's
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(includedir_server) -MMD -MP $(visibility_flags)
PG_CFLAGS = $(AI_CFLAGS) -fvisibility=hidden -Wno-declaration-after-statement -Wno-unused-parameter
SHLIB_LINK = $(CORE_LIBS)
EXTRA_CLEAN = build $(OBJS:.o=.d)

# The tests' targets are handled without PGXS, so that the core needs no server
# and "check" is ours; any other goal beside them is made by a second make.
CHECK_GOALS = check check-core check-core-plain check-core-asan check-ladder check-format check-server \
	check-readme check-versions check-tokenizers check-core-suite check-random fuzz format demo models bench-text bench-batch bench-share bench-network bench-encoder bench-kernels
ifneq ($(filter $(CHECK_GOALS),$(MAKECMDGOALS)),)

include test/test.mk

OTHER_GOALS = $(filter-out $(CHECK_GOALS),$(MAKECMDGOALS))
.PHONY: $(OTHER_GOALS)
$(OTHER_GOALS):
	$(MAKE) $@

else

# No second compilation by LLVM, and no .deps: files of one name in two rooms collide there.
override with_llvm := no
override autodepend := no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): override CFLAGS += $(call kernel_flags,$@)

# Objects made for another server or with other flags are made again.
SETTINGS := $(shell $(PG_CONFIG) --version) $(CC) $(CPPFLAGS) $(CFLAGS)
ifneq ($(strip $(SETTINGS)),$(strip $(shell cat build/settings 2>/dev/null)))
$(shell mkdir -p build)
$(file >build/settings,$(SETTINGS))
endif
$(OBJS): build/settings

sql/aiaas--1.0.sql: $(sort $(wildcard $(srcdir)/sql/install/*.sql))
	@mkdir -p $(@D)
	cat /dev/null $^ >$@

-include $(OBJS:.o=.d)

endif
