# Builds, installs and tests pgml_fdw against the PostgreSQL that PG_CONFIG names.
#
#   make, make install, make installcheck   the usual PGXS targets
#   make test    everything from nothing: packages, build, throw-away clusters
#                (WHAT="floors regress isolation tap" and TESTS="name ..." run parts)
#   make fuzz    random queries, for a minute (SECONDS=..., SEED=...)
#   make torture random faults, for a minute (SECONDS=..., SEED=...)
#   make demo    the tour, on throw-away clusters too
#   make bench   measurements, likewise (WHAT OVER SCALE ROUNDS TABLES WHO SUBJECTS PLOT:
#                see test/bench/bench)
#   WERROR=1     turns warnings into errors

EXTENSION = pgml_fdw
MODULE_big = pgml_fdw
PGFILEDESC = "pgml_fdw - streams rows between PostgreSQL databases"
DATA = $(wildcard sql/*--*.sql)
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

# pg_regress finds inputs under test/ and, because it looks in the current
# directory first, outputs in expected/.  "setup" makes what the others use.
REGRESS = setup $(filter-out setup,$(sort $(basename $(notdir $(wildcard test/sql/*.sql)))))
REGRESS_OPTS = --inputdir=test
ISOLATION = $(sort $(basename $(notdir $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=pgml_fdw

PG_CPPFLAGS = -Isrc -I$(libpq_srcdir) -MMD -MP
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror)
SHLIB_LINK_INTERNAL = $(libpq)
EXTRA_CLEAN = $(OBJS:.o=.d) .build-id results

# Bitcode would only let the JIT inline our functions, which are not called from
# expressions: not worth a clang of the server's version.
override with_llvm = no
# Our own -MMD keeps one dependency file per object; PostgreSQL's --enable-depend
# would keep one per base name, and two of our folders may share a base name.
override autodepend =

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
.DEFAULT_GOAL := all

ifneq ($(wildcard $(PGXS)),)
include $(PGXS)

-include $(OBJS:.o=.d)

# Objects of another server version or of other warnings are built anew.
$(OBJS): .build-id
.build-id: FORCE
	@echo '$(VERSION) WERROR=$(WERROR)' | cmp -s - $@ || echo '$(VERSION) WERROR=$(WERROR)' > $@
else
all install installcheck:
	@echo "PostgreSQL's server headers are missing ($(PG_CONFIG) --pgxs names no file)." >&2
	@echo "\"make test\" and \"make demo\" install or name the packages that they need." >&2
	@exit 1
clean:
	rm -rf $(MODULE_big).so $(OBJS) $(EXTRA_CLEAN)
endif

# PG_CONFIG reaches the harness only if the user has set it.
test demo bench:
	@WERROR='$(WERROR)' WHAT='$(WHAT)' TESTS='$(TESTS)' OVER='$(OVER)' SCALE='$(SCALE)' ROUNDS='$(ROUNDS)' \
		TABLES='$(TABLES)' WHO='$(WHO)' SUBJECTS='$(SUBJECTS)' PLOT='$(PLOT)' test/harness/run $@

fuzz:
	@WERROR='$(WERROR)' WHAT=tap TESTS=fuzz FUZZ_SECONDS='$(SECONDS)' FUZZ_SEED='$(SEED)' test/harness/run test

torture:
	@WERROR='$(WERROR)' WHAT=tap TESTS=torture TORTURE_SECONDS='$(SECONDS)' TORTURE_SEED='$(SEED)' test/harness/run test

FORCE:
.PHONY: all install installcheck clean test fuzz torture demo bench FORCE
