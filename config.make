# sourced by nginx's configure after "config": the plugins, built where their
# libraries are, beside the modules and with them

if [ "$VIDCAST_AV" = YES ]; then

    VIDCAST_AV_SRCS=`echo $ngx_addon_dir/src/plugins/vidcast_av*.c`
    VIDCAST_AV_DEPS=`echo $ngx_addon_dir/src/plugins/vidcast_av*.h \
                          $ngx_addon_dir/src/vidcast_plugin.h`

    cat << END                                                >> $NGX_MAKEFILE

modules:	$NGX_OBJS/vidcast_av.so
build:	$NGX_OBJS/vidcast_av.so

$NGX_OBJS/vidcast_av.so:	$VIDCAST_AV_SRCS $VIDCAST_AV_DEPS
	\$(CC) \$(CFLAGS) -D_GNU_SOURCE -O3 -fPIC -fvisibility=hidden -shared \\
	    -I $ngx_addon_dir/src -o \$@ $VIDCAST_AV_SRCS $NGX_LD_OPT \\
	    $VIDCAST_AV_LIBS -lpthread -lm

install:	vidcast-install-av

vidcast-install-av:	$NGX_OBJS/vidcast_av.so
	test -d '\$(DESTDIR)$NGX_MODULES_PATH' \\
		|| mkdir -p '\$(DESTDIR)$NGX_MODULES_PATH'
	cp $NGX_OBJS/vidcast_av.so '\$(DESTDIR)$NGX_MODULES_PATH'

END

fi
