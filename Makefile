# Sluice. `make` builds both programs, `make help` lists the rest.
#
# The tree is the data flow, and this file keeps it so: a folder is compiled
# with -I for the folders in its SEE line and for nothing else, so that an
# include against the flow does not compile.

comma := ,
B := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr/local

# ---------------------------------------------------------------- layers
SEE_lib                  :=
SEE_lib/net              := lib

SEE_agent/mail           := lib
SEE_agent/config         := lib
SEE_agent/store          := lib agent/mail
SEE_agent/source         := lib lib/net agent/mail
SEE_agent/sync           := $(SEE_agent/source) agent/source agent/store
SEE_agent/link           := $(SEE_agent/sync) agent/sync agent/config
SEE_agent/fleet          := lib agent/config agent/mail agent/store
SEE_agent                := $(SEE_agent/link) agent/link agent/fleet

SEE_controller/config    := lib
SEE_controller/model     := lib
SEE_controller/recommend := lib controller/model
SEE_controller/simulate  := lib controller/model controller/recommend \
                            controller/rollout
SEE_controller/measure   := lib lib/net controller/model
SEE_controller/rollout   := lib controller/config
SEE_controller/archive   := lib controller/model controller/recommend \
                            controller/rollout
SEE_controller/server    := lib lib/net controller/config controller/model \
                            controller/recommend controller/measure \
                            controller/rollout controller/archive
SEE_reports              := $(SEE_controller/archive) controller/archive
SEE_scenarios/fill       := lib lib/net controller/config
SEE_controller           := $(SEE_controller/server) controller/server \
                            controller/simulate \
                            reports scenarios/fill

LIB_DIRS        := lib lib/net
AGENT_DIRS      := agent/mail agent/config agent/store agent/source \
                   agent/sync agent/link agent/fleet agent
CONTROLLER_DIRS := controller/config controller/model controller/recommend \
                   controller/simulate controller/measure controller/rollout \
                   controller/archive \
                   controller/server reports scenarios/fill controller
DIRS            := $(LIB_DIRS) $(AGENT_DIRS) $(CONTROLLER_DIRS)

# ---------------------------------------------------------------- compiler
CC       ?= gcc
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wvla -Wformat=2 -Werror
OPT      ?= -O2
VERSION  := 0.1.0

# Asked of pkg-config once, and only when something is compiled.
PACKAGES := libcurl libuv gnutls sqlite3 libmicrohttpd jansson yaml-0.1 \
            expat libical libdeflate zlib
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PACKAGES)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PACKAGES)))$(PKG_LIBS)

SLUICE_CFLAGS = -std=c17 -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' -g \
                $(OPT) -pthread $(WARNINGS) \
                $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) \
                $(PKG_CFLAGS) $(CFLAGS)
SLUICE_LIBS   = $(if $(SAN),-fsanitize=$(SAN)) -pthread -letpan $(PKG_LIBS) \
                -lresolv -lm $(LDFLAGS)

ifeq ($(V),)
say = @printf '  %-4s %s\n' $(1) $(2);
endif

.PHONY: all
all: $(B)/bin/sluice $(B)/bin/sluice-agent

sources = $(filter-out %/main.c,$(foreach d,$(1),$(sort $(wildcard $(d)/*.c))))
objects = $(patsubst %.c,$(B)/obj/%.o,$(call sources,$(1)))

$(B)/libsluice.a: $(call objects,$(LIB_DIRS))
$(B)/libagent.a: $(call objects,$(AGENT_DIRS))
$(B)/libcontroller.a: $(call objects,$(CONTROLLER_DIRS))
$(B)/%.a:
	$(call say,AR,$@) rm -f $@ && ar rcs $@ $^

$(B)/bin/sluice-agent: $(B)/obj/agent/main.o $(B)/libagent.a $(B)/libsluice.a
$(B)/bin/sluice: $(B)/obj/controller/main.o $(B)/libcontroller.a $(B)/libsluice.a
$(B)/bin/%:
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) -o $@ $^ $(SLUICE_LIBS)

# $(1): the folder of a source file without its trailing slash.
includes = -I$(1) $(addprefix -I,$(SEE_$(1)))

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(SLUICE_CFLAGS) \
		$(call includes,$(patsubst %/,%,$(dir $<))) -MMD -MP -c -o $@ $<

include tests/tests.mk
include tests/lint.mk

# ---------------------------------------------------------------- people
.PHONY: deps demo check bench lab-truth lint format docs clean install help
# As many at once as the machine has processors, unless make was told.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

deps: ## install the Debian packages that are missing
	@deploy/deps

demo: deps ## a whole rollout on a local lab; leaves build/demo/report.html
	@$(MAKE) --no-print-directory all
	@scenarios/demo/run

check: deps ## every test, one TAP summary
	@$(MAKE) $(JOBS) --no-print-directory tests-built
	@$(MAKE) --no-print-directory run-tests

bench: deps ## speed, as ratios measured side by side; writes build/bench
	@$(MAKE) --no-print-directory run-bench

lab-truth: deps ## is the recommended size the right one? writes build/lab-truth
	@$(MAKE) --no-print-directory run-lab-truth

lint: deps ## format, clang-tidy, cppcheck, layers, limits
	@$(MAKE) $(JOBS) --no-print-directory run-lint

docs: all ## print the references that come from tables
	@$(B)/bin/sluice scenario-reference > docs/scenario.md
	@$(B)/bin/sluice metrics-reference > docs/metrics.md

install: all ## into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/doc/sluice
	install $(B)/bin/sluice $(B)/bin/sluice-agent $(DESTDIR)$(PREFIX)/bin
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/sluice

clean: ## forget everything that was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

-include $(shell find $(B)/obj $(B)/tests -name '*.d' 2>/dev/null)
