# Tandem: build, run, test. `make help` lists the targets.
#   CC=gcc|clang   SAN=address,undefined|thread   leave them out for the program to run
VERSION := 0.1.0

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

ifeq ($(origin CC),default)
CC := gcc
endif
comma := ,

# Every mix of compiler and sanitizer has a folder of its own; the plain programs stand in build/ itself.
VARIANT := $(or $(subst $(comma),-,$(SAN)),plain)$(if $(filter-out gcc cc,$(CC)),-$(notdir $(CC)))$(if $(FUZZER),-fuzzer)
OUT     := build/$(VARIANT)
BIN     := $(if $(filter plain,$(VARIANT)),build,$(OUT))

# --- sources, by layer, lowest first: a layer uses those before it (tests/lint/layers.awk) ---------------------------
BASE   := $(sort $(wildcard service/base/*.c))
CORE   := $(sort $(wildcard service/core/*.c))
CONFIG := $(sort $(wildcard service/config/*.c))
REMOTE := $(sort $(wildcard service/remote/*.c))
STORE  := $(sort $(wildcard service/store/*.c))
SYNC   := $(sort $(wildcard service/sync/*.c))
API    := $(sort $(wildcard api/*.c))
APP    := $(sort $(wildcard service/app/*.c))

LIB     := $(BASE) $(CORE) $(CONFIG) $(REMOTE) $(STORE) $(SYNC) $(API) $(APP)
SANDBOX := $(sort $(wildcard sandbox/*.c sandbox/*/*.c))
UNIT    := $(sort $(wildcard tests/unit/test_*.c tests/store/test_*.c tests/replay/test_*.c))
SIM     := $(sort $(wildcard tests/sim/*.c))
AIDS    := $(filter-out $(UNIT),$(sort $(wildcard tests/unit/*.c tests/store/*.c tests/replay/*.c)))
FUZZ    := $(sort $(wildcard tests/fuzz/fuzz_*.c))
HEADERS := $(sort $(wildcard service/*/*.h api/*.h sandbox/*/*.h))
SQL     := $(sort $(wildcard migrations/*.sql))
ALL_C   := $(sort $(wildcard service/main.c) $(LIB) $(SANDBOX) $(wildcard tests/*/*.c bench/*.c))

LIB_OBJ     := $(LIB:%.c=$(OUT)/%.o) $(OUT)/gen/migrations.o
SANDBOX_OBJ := $(SANDBOX:%.c=$(OUT)/%.o)
UNIT_BIN    := $(UNIT:%.c=$(OUT)/%)
FUZZ_BIN    := $(FUZZ:%.c=$(OUT)/%)
SIM_OBJ     := $(SIM:%.c=$(OUT)/%.o)
ORACLE_BIN  := $(OUT)/tests/oracle/states $(OUT)/tests/oracle/roundtrip
SIM_BIN     := $(OUT)/tests/sim/tandem-sim
PROBE_BIN   := $(OUT)/tests/scenario/marketo_probe
ARCHIVE     := $(OUT)/libtandem.a

# --- flags ---------------------------------------------------------------------------------------------------------
# pkg-config is asked only when something is compiled, so that `make run` works before anything is installed.
PKGS         := libmicrohttpd libcurl json-c libpq libsodium libutf8proc yaml-0.1 libcrypto
SANDBOX_PKGS := libmicrohttpd json-c libcrypto

WARN := -Wall -Wextra -Werror -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wswitch-enum -Wundef -Wpointer-arith
# glibc implements _FORTIFY_SOURCE for clang with macros, which the list of banned calls must not meet.
HARDEN := -fstack-protector-strong -fPIE $(if $(findstring clang,$(CC)),,-D_FORTIFY_SOURCE=2)
OPTIMISE := $(if $(SAN),-O1 -fno-omit-frame-pointer,-O2 $(HARDEN))
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)

CPPFLAGS += -D_GNU_SOURCE -DTANDEM_VERSION='"$(VERSION)"'
CFLAGS   += -std=gnu17 -g $(OPTIMISE) $(WARN) $(SANITIZE) $(if $(FUZZER),-fsanitize=fuzzer-no-link)
LDFLAGS  += $(SANITIZE) -Wl,--as-needed $(if $(SAN),,-pie -Wl,-z,relro -Wl,-z,now)

# What differs between folders: the sandbox sees nothing of ours, ours may not call what banned.h bans.
INCLUDES = $(if $(filter sandbox/%,$1),-Isandbox,-Iservice -I.)
# A header of OpenSSL names a parameter like a banned call, so it comes before the ban.
STRICT   = $(if $(filter service/remote/dynamics_assertion.c,$1),-include openssl/evp.h) \
	   $(if $(filter service/% api/%,$1),-include service/base/banned.h) \
	   $(if $(filter service/base/% service/core/%,$1),-Wconversion)

once         = $(eval $1 := $2)$($1)
PKGS_CFLAGS  = $(call once,PKGS_CFLAGS,$(shell pkg-config --cflags $(PKGS)))
LIBS         = $(call once,LIBS,$(shell pkg-config --libs $(PKGS)) -lpthread)

# --- what people type ----------------------------------------------------------------------------------------------
.PHONY: all run test test-clients sim mutants lint bench fuzz format clean help tests fuzzers syntax

all: $(BIN)/tandem $(BIN)/tandem-sandbox
	@:

help:
	@echo 'make                 build build/tandem and build/tandem-sandbox'
	@echo 'make run             install what is missing, start everything with sample people, serve until Ctrl-C'
	@echo 'make run CYCLES=2    the same, ending by itself after two cycles; succeeds when both sides agree'
	@echo 'make test            install what is missing, run every test (one alone: tests/run NAME)'
	@echo 'make test-clients    drive the sandbox with clients from npm (needs a registry the first time)'
	@echo 'make sim             simulate histories (RUNS=100000 SEED=1); a failing one is shrunk and told as a story'
	@echo 'make mutants         plant known mistakes one by one; every one must be caught'
	@echo 'make lint            static checks'
	@echo 'make bench           every figure with its target (PEOPLE=1000000: a quarter of an hour or more)'
	@echo 'make fuzz            fuzz the decoders (FUZZ_SECONDS=20 each)'
	@echo 'make format          lay out the C sources with clang-format'
	@echo 'make clean           remove build/ and .run/'

run:
	@deploy/install build run
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	@deploy/run

test:
	@deploy/install build run test
	@tests/run

test-clients:
	@deploy/install build
	@{ node --version && npm --version; } >/dev/null 2>&1 || deploy/install clients
	@$(MAKE) --no-print-directory $(BIN)/tandem-sandbox
	@tests/clients/run

RUNS := 100000
SEED := 1
sim: $(SIM_BIN)
	@$(SIM_BIN) --runs $(RUNS) --seed $(SEED)

mutants:
	@deploy/install build test
	@tests/mutants/run

lint:
	@tests/lint/run

bench: all $(OUT)/bench/json_cost $(OUT)/bench/decide
	@bench/run
	@bench/sandbox

fuzz:
	@$(MAKE) --no-print-directory CC=clang SAN=address,undefined FUZZER=1 fuzzers
	@tests/fuzz/run build/address-undefined-clang-fuzzer/tests/fuzz

format:
	clang-format -i $(ALL_C) $(HEADERS)

clean:
	rm -rf build .run

# --- programs ------------------------------------------------------------------------------------------------------
$(BIN)/tandem: $(OUT)/service/main.o $(ARCHIVE)
	$(link) $(LIBS)

$(BIN)/tandem-sandbox: $(SANDBOX_OBJ)
	$(link) $(shell pkg-config --libs $(SANDBOX_PKGS)) -lpthread -lm

$(ARCHIVE): $(LIB_OBJ)
	$(call say,AR)
	@rm -f $@
	@$(AR) rcs $@ $^

tests: $(UNIT_BIN) $(ORACLE_BIN) $(SIM_BIN) $(PROBE_BIN)

$(PROBE_BIN): %: %.o $(ARCHIVE)
	$(link) $(LIBS)

$(OUT)/tests/oracle/states: $(OUT)/tests/oracle/states.o $(ARCHIVE)
	$(link) $(LIBS)

$(OUT)/tests/oracle/roundtrip: $(OUT)/tests/oracle/roundtrip.o $(OUT)/tests/oracle/roundtrip_table.o $(ARCHIVE)
	$(link) $(LIBS)

# Time and the real-time thread are the simulation's own.
$(SIM_BIN): LDFLAGS += -Wl,--wrap=clock_wall_ms,--wrap=clock_mono_ms,--wrap=realtime_work_open
$(SIM_BIN): $(SIM_OBJ) $(ARCHIVE)
	$(link) $(LIBS)

$(OUT)/bench/decide: %: %.o $(ARCHIVE)
	$(link) $(LIBS)

$(OUT)/bench/json_cost: %: %.o
	$(link) $(shell pkg-config --libs json-c)

# What the tests of a folder share is linked to each of them.
aids = $(patsubst %.c,$(OUT)/%.o,$(filter tests/$1/%,$(AIDS)))
$(filter $(OUT)/tests/unit/%,$(UNIT_BIN)): $(call aids,unit)
$(filter $(OUT)/tests/store/%,$(UNIT_BIN)): $(call aids,store)
$(filter $(OUT)/tests/replay/%,$(UNIT_BIN)): $(call aids,replay)

# Answers are replayed without pauses, at the time they are of.
$(OUT)/tests/replay/test_replay: LDFLAGS += -Wl,--wrap=http_origin_wait_ms,--wrap=http_origin_close,--wrap=clock_wall_ms

$(UNIT_BIN): %: %.o $(ARCHIVE)
	$(link) $(LIBS) $(shell pkg-config --libs cmocka)

fuzzers: $(FUZZ_BIN)

$(FUZZ_BIN): LDFLAGS += -fsanitize=fuzzer
$(FUZZ_BIN): $(OUT)/tests/replay/world.o
$(FUZZ_BIN): %: %.o $(ARCHIVE)
	$(link) $(LIBS)

# --- objects; V=1 shows the commands -------------------------------------------------------------------------------
say  = $(if $(V),,@printf '  %-4s %s\n' '$1' '$@')
hide = $(if $(V),,@)
define link
$(call say,LINK)
$(hide)mkdir -p $(@D) && $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)
endef

COMPILE = $(CC) $(CPPFLAGS) $(call INCLUDES,$<) $(call STRICT,$<) $(CFLAGS) $(PKGS_CFLAGS)

$(OUT)/%.o: %.c Makefile
	$(call say,CC)
	$(hide)mkdir -p $(@D) && $(COMPILE) -MMD -MP -c $< -o $@

$(OUT)/gen/migrations.o: $(OUT)/gen/migrations.c
	$(call say,CC)
	$(hide)$(COMPILE) -MMD -MP -c $< -o $@

$(OUT)/gen/migrations.c: migrations/embed.awk $(SQL)
	$(call say,GEN)
	$(hide)mkdir -p $(@D) && awk -f migrations/embed.awk $(SQL) > $@

# A compiler's opinion without making anything; every header must stand alone. Used by the lint.
SYNTAX = $(CC) $(CPPFLAGS) $(call INCLUDES,$*) $(CFLAGS) $(PKGS_CFLAGS) -fsyntax-only
.PHONY: $(ALL_C:%=syntax/%) $(HEADERS:%=syntax/%)
syntax: $(ALL_C:%=syntax/%) $(HEADERS:%=syntax/%)

$(ALL_C:%=syntax/%): syntax/%:
	$(hide)$(SYNTAX) $(call STRICT,$*) $*

$(HEADERS:%=syntax/%): syntax/%:
	$(hide)$(SYNTAX) -Wno-unused-function -x c -include $* /dev/null

-include $(LIB_OBJ:.o=.d) $(SANDBOX_OBJ:.o=.d) $(UNIT_BIN:=.d) $(AIDS:%.c=$(OUT)/%.d) $(FUZZ_BIN:=.d) $(SIM_OBJ:.o=.d) \
	$(wildcard $(OUT)/tests/oracle/*.d) $(PROBE_BIN).d $(OUT)/service/main.d
