# What a machine can judge: format, analysis, layers, limits.

SOURCES := $(sort $(foreach d,$(DIRS),$(wildcard $(d)/*.c)) \
           $(shell find tests -name '*.c'))
HEADERS := $(sort $(foreach d,$(DIRS),$(wildcard $(d)/*.h)) \
           $(shell find tests -name '*.h'))

.PHONY: run-lint lint-format lint-tidy lint-cppcheck lint-tree
run-lint: lint-format lint-tree lint-cppcheck lint-tidy
	@echo "lint: clean"

lint-format:
	@clang-format --dry-run -Werror $(SOURCES) $(HEADERS)

lint-tree: # headers stand alone, folders form no cycle, files keep limits
	@SEE='$(foreach d,$(DIRS),$(d):$(subst $() ,$(comma),$(SEE_$(d))))' \
		tests/lint-tree $(SOURCES) $(HEADERS)

lint-cppcheck:
	@cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j2 \
		--enable=warning,performance,portability \
		--suppress=missingInclude --suppress=unknownMacro \
		--suppress=invalidPointerCast \
		--suppress=normalCheckLevelMaxBranches \
		$(addprefix -I,$(DIRS)) $(foreach d,$(DIRS),$(wildcard $(d)/*.c))

# One stamp a file, so that a second run looks at what changed only.
TIDY := $(patsubst %.c,$(B)/tidy/%.ok,$(foreach d,$(DIRS),$(wildcard $(d)/*.c)))
lint-tidy: $(TIDY)
$(B)/tidy/%.ok: %.c .clang-tidy $(HEADERS)
	@mkdir -p $(@D)
	$(call say,TIDY,$<) clang-tidy --quiet $< -- $(SLUICE_CFLAGS) \
		$(call includes,$(patsubst %/,%,$(dir $<))) \
		>$@.log 2>&1 || { cat $@.log; exit 1; }
	@touch $@

format:
	clang-format -i $(SOURCES) $(HEADERS)
