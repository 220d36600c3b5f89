# Tests: built per folder with the same -I as the code they test, run by prove.
#
#   tests/unit/FOLDER/X_test.c       the pure parts, no I/O
#   tests/component/FOLDER/X_test.c  one module against a fake or a file
#   tests/component/X.t, tests/e2e/X.t   scripts: programs, real servers
#   tests/fuzz/X_fuzz.c              a parser; its corpus is replayed

C_TESTS    := $(sort $(shell find tests -path "tests/unit/*" -o -path "tests/component/*" | grep '_test\.c$$'))
FUZZERS    := $(sort $(wildcard tests/fuzz/*_fuzz.c))
TEST_BINS  := $(C_TESTS:%.c=$(B)/%)
FUZZ_BINS  := $(FUZZERS:%.c=$(B)/%)
SCRIPTS    := $(sort $(wildcard tests/component/*.t))
# Real servers take the machine for themselves: after the rest, one by one.
E2E        := $(sort $(wildcard tests/e2e/*.t))
FAKES      := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/fake/*.c))

# tests/unit/agent/store/x_test.c -> agent/store
tested = $(patsubst tests/unit/%,%,$(patsubst tests/component/%,%,$(patsubst %/,%,$(dir $(1)))))
archive_of = $(if $(filter agent%,$(1)),$(B)/libagent.a,$(if $(filter lib%,$(1)),,$(B)/libcontroller.a))

$(B)/obj/tests/fake/%.o: SEE_tests/fake := lib lib/net agent/mail agent/source

define c_test
$(B)/$(basename $(1)): $(1) $(call archive_of,$(call tested,$(1))) $(B)/libsluice.a $(FAKES)
	@mkdir -p $$(@D)
	$$(call say,CC,$(1)) $$(CC) $$(SLUICE_CFLAGS) -Itests/fake \
		$$(call includes,$(call tested,$(1))) -MMD -MP -o $$@ $(1) $(FAKES) \
		$(call archive_of,$(call tested,$(1))) $(B)/libsluice.a \
		-lcmocka $$(SLUICE_LIBS)
endef
$(foreach t,$(C_TESTS),$(eval $(call c_test,$(t))))

# A fuzzer may look anywhere: it names the parser it feeds.
$(B)/tests/fuzz/%_fuzz: tests/fuzz/%_fuzz.c tests/fuzz/replay.c \
		$(B)/libagent.a $(B)/libcontroller.a $(B)/libsluice.a
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(SLUICE_CFLAGS) $(addprefix -I,$(DIRS)) \
		-MMD -MP -o $@ $^ $(SLUICE_LIBS)

.PHONY: run-tests run-bench run-lab-truth tests-built
tests-built: all $(TEST_BINS) $(FUZZ_BINS) $(B)/tests/bench/relay

run-tests: tests-built
	@BUILD=$(B) tests/run $(TEST_BINS) $(FUZZ_BINS) $(SCRIPTS) $(E2E)

BENCH_TOOLS := relay drain measure crowd listed
run-bench: all $(BENCH_TOOLS:%=$(B)/tests/bench/%) \
		$(B)/tests/bench/recommend_bench
	@BUILD=$(B) ONLY='$(ONLY)' tests/bench/run

run-lab-truth: all
	@ONLY='$(ONLY)' PART='$(PART)' QUICK='$(QUICK)' tests/truth/run

# A benchmark of one module; the ones against servers are scripts.
$(B)/tests/bench/%_bench: tests/bench/%_bench.c $(B)/libagent.a \
		$(B)/libcontroller.a $(B)/libsluice.a
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(SLUICE_CFLAGS) $(addprefix -I,$(DIRS)) \
		-MMD -MP -o $@ $^ $(SLUICE_LIBS)

# relay is a long line on loopback, also for tests of round trips.
$(BENCH_TOOLS:%=$(B)/tests/bench/%): $(B)/tests/bench/%: tests/bench/%.c \
		$(B)/libsluice.a
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(SLUICE_CFLAGS) -Ilib -MMD -MP -o $@ $^ \
		$(SLUICE_LIBS)
