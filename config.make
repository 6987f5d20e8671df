# sourced by nginx's configure after "config": the plugins, built where their
# libraries are, beside the modules and with them

# vidcast_plugin NAME INCLUDES LIBRARIES [SHARED], the last being a .c of the
# module's which it is built with, too.  A new file in its folder is seen when
# this is run again, which a change of this file brings about

vidcast_plugin()
{
    VIDCAST_PLUGIN_SRCS=`find $ngx_addon_dir/src/plugins/$1 -name '*.c'`
    VIDCAST_PLUGIN_DEPS=`find $ngx_addon_dir/src/plugins/$1 -name '*.h'`

    # each on the line of the rule

    VIDCAST_PLUGIN_SRCS=`echo $VIDCAST_PLUGIN_SRCS $4`
    VIDCAST_PLUGIN_DEPS=`echo $VIDCAST_PLUGIN_DEPS ${4%.c}${4:+.h} \
                              $ngx_addon_dir/src/vidcast_plugin.h`

    cat << END                                                >> $NGX_MAKEFILE

modules:	$NGX_OBJS/vidcast_$1.so
build:	$NGX_OBJS/vidcast_$1.so

$NGX_OBJS/vidcast_$1.so:	$VIDCAST_PLUGIN_SRCS $VIDCAST_PLUGIN_DEPS
	\$(CC) \$(CFLAGS) -D_GNU_SOURCE -O3 -fPIC -fvisibility=hidden -shared \\
	    -I $ngx_addon_dir/src $2 -o \$@ $VIDCAST_PLUGIN_SRCS $NGX_LD_OPT \\
	    $3 -lpthread -lm

install:	vidcast-install-$1

vidcast-install-$1:	$NGX_OBJS/vidcast_$1.so
	test -d '\$(DESTDIR)$NGX_MODULES_PATH' \\
		|| mkdir -p '\$(DESTDIR)$NGX_MODULES_PATH'
	cp $NGX_OBJS/vidcast_$1.so '\$(DESTDIR)$NGX_MODULES_PATH'

END
}


if [ "$VIDCAST_AV" = YES ]; then
    vidcast_plugin av "" "$VIDCAST_AV_LIBS"
fi

if [ "$VIDCAST_CURL" = YES ]; then
    vidcast_plugin curl "" "$VIDCAST_CURL_LIBS" \
        $ngx_addon_dir/src/wire/multipart/ngx_vidcast_multipart_reader.c
fi

if [ "$VIDCAST_ONNX" = YES ]; then
    vidcast_plugin onnx "-isystem /usr/include/onnxruntime" \
        "$VIDCAST_ONNX_LIBS"
fi

if [ "$VIDCAST_NATS" = YES ]; then
    vidcast_plugin nats "" "$VIDCAST_NATS_LIBS"
fi
