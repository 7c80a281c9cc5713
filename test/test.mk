# Rules of the tests, included by the Makefile.
#
# The core is compiled without the server three times: plainly (build/core), by
# clang with sanitizers and assertions (build/core-asan), and so with coverage
# for the fuzzers (build/core-fuzz).

ifndef CLANG
CLANG := $(or $(firstword $(shell for c in clang clang-14 clang-15 clang-16 clang-17 clang-18 \
	clang-19 clang-20; do command -v $$c; done; true)),clang)
endif
FUZZ_SECONDS ?= 15

SANITIZE = -g -fno-omit-frame-pointer -DAI_ASSERT_CHECKING -fno-sanitize-recover=all \
	-fsanitize=address,undefined $(COPT)

compiler_core = $(CC)
compiler_core-asan = $(CLANG)
compiler_core-fuzz = $(CLANG)
flags_core = -g $(COPT)
flags_core-asan = $(SANITIZE)
flags_core-fuzz = $(SANITIZE) -fsanitize=fuzzer-no-link

# A unit test is a program; what has no main beside them is linked into each.
UNIT_TESTS := $(shell grep -lw '^main' test/unit/test_*.c 2>/dev/null)
UNIT_HELPERS := $(filter-out $(UNIT_TESTS),$(wildcard test/unit/*.c))
FUZZERS := $(wildcard test/fuzz/fuzz_*.c)

# What the scripts need to know of the Makefile's lists
LISTS = OBJS='$(sort $(OBJS) $(KERNELS_X86_OBJS))' REGRESS='$(REGRESS)' ISOLATION='$(ISOLATION)'

.PHONY: $(CHECK_GOALS)
.SECONDARY:

check:
	@sh test/check.sh

check-ladder:
	@$(LISTS) sh test/check_ladder.sh

check-format:
	@python3 test/format.py --check

format:
	@python3 test/format.py

check-core: check-core-plain check-core-asan

check-core-plain: $(UNIT_TESTS:test/unit/%.c=build/core/%)
	@sh test/run_programs.sh $^

check-core-asan: $(UNIT_TESTS:test/unit/%.c=build/core-asan/%)
	@sh test/run_programs.sh $^

fuzz: $(FUZZERS:test/fuzz/%.c=build/core-fuzz/%)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) sh test/run_fuzzers.sh $^

check-server:
	@$(LISTS) sh test/run_server_tests.sh $(PARTS)

check-readme:
	@sh test/run_server_tests.sh readme

check-versions:
	@$(LISTS) sh test/check_versions.sh

check-tokenizers: build/core/tokenize
	@TOKENIZERS_FLAGS='$(TOKENIZERS_FLAGS)' sh test/tokenizers/check.sh $<

check-core-suite:
	@sh test/core_suite/run.sh $(SUITE)

check-random:
	@QUERIES='$(QUERIES)' SEED='$(SEED)' SERVER_FUNCTIONS='$(SERVER_FUNCTIONS)' FLAGS='$(RANDOM_FLAGS)' \
		sh test/random_queries/run.sh

demo:
	@sh setup.sh demo

bench-text: build/core/bench_core_text
	@sh test/bench/bench_text.sh

bench-batch: build/core/bench_core_text
	@sh test/bench/bench_batch.sh

bench-share:
	@sh test/bench/bench_share.sh $(BENCH_FLAGS)

bench-network:
	@sh test/bench/bench_network.sh $(BENCH_FLAGS)

bench-encoder:
	@sh test/bench/bench_encoder.sh $(BENCH_FLAGS)

bench-kernels: build/core/bench_core_packed
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE build/core/bench_core_packed $(BENCH_FLAGS)

# minilm, static and random ones, in build/models; MODELS=fetch for the first two alone, MODELS=golden for
# what PyTorch answers
models:
	@sh test/models/make_models.sh $(MODELS)

define core_build
build/$1/%.o: %.c build/$1/settings
	@mkdir -p $$(@D)
	$$(compiler_$1) $$(TEST_CPPFLAGS) $$(AI_CFLAGS) $$(flags_$1) \
		$$(call kernel_flags,$$*.o) -c -o $$@ $$<

build/$1/test_%: build/$1/test/unit/test_%.o \
		$$(addprefix build/$1/,$$(UNIT_HELPERS:.c=.o) $$(CORE_OBJS))
	$$(compiler_$1) $$(flags_$1) -o $$@ $$^ -lcmocka $$(CORE_LIBS)

build/$1/bench_%: build/$1/test/bench/%.o $$(addprefix build/$1/,$$(CORE_OBJS))
	$$(compiler_$1) $$(flags_$1) -o $$@ $$^ $$(CORE_LIBS)

build/$1/tokenize: build/$1/test/tokenizers/tokenize.o $$(addprefix build/$1/,$$(CORE_OBJS))
	$$(compiler_$1) $$(flags_$1) -o $$@ $$^ $$(CORE_LIBS)

build/$1/fuzz_%: build/$1/test/fuzz/fuzz_%.o $$(addprefix build/$1/,$$(CORE_OBJS))
	$$(compiler_$1) $$(flags_$1) -fsanitize=fuzzer -o $$@ $$^ $$(CORE_LIBS)

# Objects made by another compiler or with other flags are made again.
build/$1/settings: FORCE
	@mkdir -p $$(@D)
	@echo '$$(compiler_$1) $$(TEST_CPPFLAGS) $$(AI_CFLAGS) $$(flags_$1)' | cmp -s - $$@ || \
		echo '$$(compiler_$1) $$(TEST_CPPFLAGS) $$(AI_CFLAGS) $$(flags_$1)' >$$@
endef

TEST_CPPFLAGS = -Isrc -I. -D_GNU_SOURCE -MMD -MP
CORE_BUILDS = core core-asan core-fuzz
$(foreach b,$(CORE_BUILDS),$(eval $(call core_build,$b)))

.PHONY: FORCE
FORCE:

-include $(foreach b,$(CORE_BUILDS),$(addprefix build/$b/,$(CORE_OBJS:.o=.d) \
	$(UNIT_TESTS:.c=.d) $(UNIT_HELPERS:.c=.d) $(FUZZERS:.c=.d)))
