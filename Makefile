
# Copyright (C) vidcast contributors
#
#   make          the module, build/module/ngx_http_vidcast_module.so
#   make plugins  and the plugins beside it which need more libraries
#   make run      starts the demo of conf/nginx.conf: http://localhost:8080/
#                 (another port: make run PORT=8081)
#   make test     everything that proves it works
#   make unit     the unit tests, plain and under sanitizers
#   make style    the gates on style, layers and documents
#   make asan     the suites, on an nginx built with AddressSanitizer
#   make tsan     captures for three minutes, on one with ThreadSanitizer
#   make valgrind the suites, on nginx under valgrind: an hour or two
#   make soak     kills, stops and reloads for ten minutes (SOAK_TIME=600), with
#                 a hundred viewers of each transport: t/soak.t.  SOAK_SEED=N
#                 is the one that was told; SOAK_MODE=asan
#   make fuzz     FUZZ_TIME=60 seconds of each fuzz target, t/fuzz/Makefile
#   make bench    beside other servers, about 45 minutes: t/bench/run; less
#                 with BENCH="--rows=results-1000 --pairs=3"
#   make install  the module, where Debian's nginx looks for modules
#   make clean    removes build/
#
# "run" and "test" install the packages that are missing; t/util/packages is
# the list.  Nothing is written outside of build/ but by "install".


MAKEFLAGS    += --no-print-directory --no-builtin-rules

ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS    += -j$(shell nproc)
endif

SHELL         = /bin/bash
.SHELLFLAGS   = -euc

PORT          = 8080
CLANG         = clang

SOAK_TIME     = 600
SOAK_SEED     = $(shell date +%s)
SOAK_VIEWERS  = 100

NGINX_SRC     = /usr/share/nginx/src
MODULE        = ngx_http_vidcast_module

WARNINGS      = -Wall -Wextra -Wno-unused-parameter                            \
                -Wdeclaration-after-statement -Wvla -Werror
MODULE_CFLAGS = -g -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 $(WARNINGS)

UNIT_CFLAGS   = -g -O1 -D_GNU_SOURCE $(WARNINGS)
UNIT_LIBS     = -lturbojpeg -lyuv -lv4l2 -ljansson -lz                         \
                $(if $(wildcard /usr/include/seccomp.h),-lseccomp) -lpthread -lm
SANITIZE      = -fsanitize=address,undefined -fno-sanitize-recover=all         \
                -fno-omit-frame-pointer -DNGX_DEBUG_PALLOC=1

INCS          = -It/unit -Isrc                                                 \
                $(addprefix -isystem build/nginx-source/src/,core event        \
                    os/unix http http/modules http/v2)                         \
                -isystem build/module

UNITS         = $(shell find t/unit -name 'test_*.c')
SOURCES       = $(shell find src -name '*.[ch]')
FLAGS         = $(wildcard $(NGINX_SRC)/conf_flags $(NGINX_SRC)/src/core/nginx.h)


.PHONY:         module run test unit style asan tsan valgrind soak fuzz bench
.PHONY:         install clean FORCE
.PHONY:         packages-build packages-run packages-test packages-bench
.PHONY:         packages-plugins plugins test-built
.DELETE_ON_ERROR:


module:         build/module/$(MODULE).so


packages-build:
	@t/util/install build

packages-run: packages-build
	@t/util/install run

packages-plugins: packages-build
	@t/util/install plugins

packages-test: packages-run packages-plugins
	@t/util/install test npm

packages-bench: packages-run packages-plugins
	@t/util/install bench npm


plugins:        packages-plugins
	@$(MAKE) module


# as Debian builds its module packages; the log is shown when it fails

define configure
	mkdir -p $(@D) && cd $(NGINX_SRC) && . ./conf_flags                    \
	&& ./configure "$${NGX_CONF_FLAGS[@]}" --with-cc=$(1)                  \
	    --with-cc-opt="$(MODULE_CFLAGS)"                                   \
	    --add-dynamic-module=$(CURDIR) --builddir=$(CURDIR)/$(@D)          \
	    > $(CURDIR)/$(@D)/configure.log 2>&1                               \
	|| { tail -n 20 $(CURDIR)/$(@D)/configure.log >&2; exit 1; }
endef

define compile
	mkdir -p $(@D) && $(MAKE) -C $(NGINX_SRC) -f $(CURDIR)/$(<D)/Makefile  \
	    modules > $(@D)/make.log 2>&1                                      \
	|| { grep -B 2 -A 20 -E 'error:|Error ' $(@D)/make.log >&2; exit 1; }
endef

# what configure finds is looked for again when the libraries come or go

FOUND         = build/found$(if                                               \
                $(wildcard /usr/include/seccomp.h),-seccomp)$(if               \
                $(wildcard /usr/include/*/libavformat/avformat.h),-libav)$(if  \
                $(wildcard /usr/include/*/curl/curl.h),-curl)$(if              \
                $(wildcard /usr/include/onnxruntime/*.h),-onnx)$(if            \
                $(wildcard /usr/include/nats/nats.h),-nats)

$(FOUND):
	@mkdir -p build && rm -f build/found* && touch $@

build/module/Makefile: config config.make $(FLAGS) $(FOUND) | packages-build
	@echo "configuring the module"
	@$(call configure,gcc)

build/module/$(MODULE).so: build/module/Makefile $(SOURCES)
	@echo "building the module"
	@$(compile)
	@touch $@

build/clang/Makefile: config config.make $(FLAGS) $(FOUND) | packages-test
	@echo "configuring the module for clang"
	@$(call configure,$(CLANG))

build/clang/$(MODULE).so: build/clang/Makefile $(SOURCES)
	@echo "building the module with clang"
	@$(compile)
	@touch $@


run:            module | packages-run
	@t/util/run $(PORT)


# unit tests: test_*.c in t/unit, one program each, and nginx's own functions

vpath test_%.c  $(sort $(dir $(UNITS)))

build/nginx-source/version: FORCE | packages-test
	@t/util/nginx-source

define unit_rules
build/$(1)/ngx_core.o: t/unit/ngx_core.c build/nginx-source/version            \
                build/module/Makefile
	@mkdir -p $$(@D)
	@gcc $$(UNIT_CFLAGS) $(2) $$(INCS) -MMD -MP -c -o $$@ $$<

build/$(1)/test_%: test_%.c build/$(1)/ngx_core.o
	@gcc $$(UNIT_CFLAGS) $(2) $$(INCS) -MMD -MP -MF $$@.d -o $$@ $$<       \
	    build/$(1)/ngx_core.o $$(UNIT_LIBS)
endef

$(eval $(call unit_rules,unit,))
$(eval $(call unit_rules,unit-sanitize,$(SANITIZE)))

# the plugin's own, which nginx is not linked with

build/unit/test_av build/unit-sanitize/test_av:                                \
    UNIT_LIBS += -lavformat -lavcodec -lavutil -lswscale

build/unit/test_curl build/unit-sanitize/test_curl: UNIT_LIBS += -lcurl

build/unit/test_nats build/unit-sanitize/test_nats                             \
build/unit/test_nats_server build/unit-sanitize/test_nats_server:              \
    UNIT_LIBS += -lnats

UNIT_NAMES    = $(basename $(notdir $(UNITS)))
UNIT_PROGRAMS = $(addprefix build/unit/,$(UNIT_NAMES))                         \
                $(addprefix build/unit-sanitize/,$(UNIT_NAMES))

-include $(wildcard build/unit*/*.d)


unit:           $(UNIT_PROGRAMS)
	@t/util/suite unit

style:          module | packages-test
	@t/util/suite style

asan:           module build/nginx-source/version
	@t/util/nginx-sanitized asan
	@t/util/suite --mode=asan nginx

tsan:           module build/nginx-source/version
	@t/util/nginx-sanitized tsan
	@VIDCAST_TSAN_SECONDS=180 t/util/suite t/threads.t

valgrind:       module | packages-test
	@t/util/suite --mode=valgrind nginx

soak:           module build/nginx-source/version
	@[ "$(SOAK_MODE)" != asan ] || t/util/nginx-sanitized asan
	@VIDCAST_SOAK_SECONDS=$(SOAK_TIME) VIDCAST_SOAK_SEED=$(SOAK_SEED)      \
	    VIDCAST_SOAK_VIEWERS=$(SOAK_VIEWERS)                               \
	    t/util/suite -v $(addprefix --mode=,$(SOAK_MODE)) t/soak.t

fuzz:           module build/nginx-source/version
	@$(MAKE) -f t/fuzz/Makefile

test:           packages-test
	@$(MAKE) test-built

test-built:     module build/clang/$(MODULE).so $(UNIT_PROGRAMS)
	@t/util/nginx-sanitized tsan
	@t/util/suite all


build/bench/%: t/bench/%.c
	@mkdir -p $(@D)
	@gcc -O2 -D_GNU_SOURCE $(WARNINGS) $< -o $@

# pictures: our own objects as they are in the module, and FFmpeg's functions

CODEC_OBJS    = $(addprefix build/module/addon/media/ngx_vidcast_,             \
                resize.o image.o jpeg.o jpeg_fault.o jpeg_probe.o              \
                orientation.o)
CODEC_FFMPEG  = $(if $(wildcard /usr/include/*/libavcodec/avcodec.h),          \
                -DBENCH_FFMPEG=1 -lavcodec -lavutil -lswscale)

build/bench/codec: t/bench/codec.c build/module/$(MODULE).so
	@mkdir -p $(@D)
	@gcc -O2 -D_GNU_SOURCE $(WARNINGS) -Isrc                               \
	    $(addprefix -isystem $(NGINX_SRC)/src/,core event os/unix)         \
	    -isystem build/module $< $(CODEC_OBJS) -lturbojpeg -lyuv           \
	    $(CODEC_FFMPEG) -o $@

# the motion predictor as unit tests have it, but as fast as in the module

build/bench/motion: t/bench/motion.c build/unit/ngx_core.o $(SOURCES)
	@mkdir -p $(@D)
	@gcc -O2 -D_GNU_SOURCE $(WARNINGS) $(INCS) $< build/unit/ngx_core.o     \
	    $(UNIT_LIBS) -o $@

bench:          module $(addprefix build/bench/,load flood raw codec motion)   \
                | packages-bench
	@t/bench/run $(BENCH)


# a package of Debian's would put the same files there

install:        module
	@install -D -m 644 build/module/$(MODULE).so                           \
	    $(DESTDIR)/usr/lib/nginx/modules/$(MODULE).so
	@for so in build/module/vidcast_*.so; do                               \
	    [ ! -f "$$so" ] || install -m 644 $$so                             \
	        $(DESTDIR)/usr/lib/nginx/modules;                              \
	done
	@install -D -m 644 src/vidcast_plugin.h                                \
	    $(DESTDIR)/usr/include/vidcast_plugin.h
	@install -D -m 644 conf/predictors/vidcast.py                          \
	    $(DESTDIR)/usr/lib/python3/dist-packages/vidcast.py
	@install -d $(DESTDIR)/usr/share/nginx/modules-available
	@echo "load_module modules/$(MODULE).so;"                              \
	    > $(DESTDIR)/usr/share/nginx/modules-available/mod-http-vidcast.conf
	@install -d $(DESTDIR)/etc/nginx/modules-enabled
	@ln -sf /usr/share/nginx/modules-available/mod-http-vidcast.conf       \
	    $(DESTDIR)/etc/nginx/modules-enabled/50-mod-http-vidcast.conf
	@echo "installed and enabled $(MODULE).so"

clean:
	@rm -rf build
