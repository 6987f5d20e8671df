# Copyright (C) vidcast contributors

# As conf-errors.t, of the inputs which a plugin serves: what is refused before
# the plugin itself is asked.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

# "refused" is the whole text of the [emerg], without the place at its end, or
# a pattern

add_block_preprocessor(sub {
    my ($block) = @_;

    my ($refused) = grep { chomp; 1 } $block->refused;
    my $text = $refused =~ s/^~ // ? $refused : quotemeta $refused;

    $block->set_value('config', '') if !defined $block->config;
    $block->set_value('must_die', '');
    $block->set_value('error_log', [
        qr{\[emerg\] \d+#\d+: $text(?: in \S+/nginx\.conf:\d+)?\n}
    ]);
});

plan tests => repeat_each() * 2 * blocks();

no_long_string();
run_tests();

__DATA__

=== TEST 1: a file without a path
--- http_config
    vidcast_source front { input file:; }
--- refused
invalid input "file:": no path



=== TEST 2: rtsp without a host
--- http_config
    vidcast_source front { input rtsp:///stream; }
--- refused
invalid input "rtsp:///stream": no host



=== TEST 3: http without slashes
--- http_config
    vidcast_source front { input http:camera; }
--- refused
invalid input "http:camera": no host



=== TEST 4: secrets of a URL are not told
--- http_config
    vidcast_source front { input https:///me:secret@camera/?key=secret; }
--- refused
~ invalid input "https://\*\*\*": it is not clear what its host is; .*



=== TEST 5: a secret with an unknown scheme
--- http_config
    vidcast_source front { input ftp://me:secret@camera/; }
--- refused
~ invalid input "ftp://\*\*\*\@camera/": unknown scheme, there are ".*"



=== TEST 6: a transport of a file
--- http_config
    vidcast_source front { input file:a.mp4 transport=tcp; }
--- refused
invalid parameter "transport=tcp"



=== TEST 7: an unknown transport
--- http_config
    vidcast_source front { input rtsp://camera/ transport=sctp; }
--- refused
invalid value "transport=sctp"



=== TEST 8: a transport of http
--- http_config
    vidcast_source front { input http://camera/ transport=tcp; }
--- refused
invalid parameter "transport=tcp"



=== TEST 9: a batch run of a camera
--- http_config
    vidcast_source front { input rtsp://camera/ realtime=off; }
--- refused
invalid parameter "realtime=off"



=== TEST 10: realtime neither on nor off
--- http_config
    vidcast_source front { input file:a.mp4 realtime=no; }
--- refused
invalid value "realtime=no"



=== TEST 11: a loop of a camera
--- http_config
    vidcast_source front { input http://camera/ loop=on; }
--- refused
invalid parameter "loop=on"



=== TEST 12: a time-out of zero
--- http_config
    vidcast_source front { input rtsp://camera/ timeout=0; }
--- refused
invalid value "timeout=0"



=== TEST 13: a time-out of a file
--- http_config
    vidcast_source front { input file:a.mp4 timeout=5s; }
--- refused
invalid parameter "timeout=5s"



=== TEST 14: a size of a stream
--- http_config
    vidcast_source front { input rtsp://camera/ size=640; }
--- refused
invalid value "size=640"



=== TEST 15: a rate of a file
--- http_config
    vidcast_source front { input file:a.mp4 fps=fast; }
--- refused
invalid value "fps=fast"



=== TEST 16: a transport inside of TLS
--- http_config
    vidcast_source front { input rtsps://camera/ transport=udp; }
--- refused
invalid parameter "transport=udp"



=== TEST 17: verified neither on nor off
--- http_config
    vidcast_source front { input https://camera/ verify=maybe; }
--- refused
invalid value "verify=maybe"



=== TEST 18: verified without TLS
--- http_config
    vidcast_source front { input rtsp://camera/ verify=on; }
--- refused
invalid parameter "verify=on"



=== TEST 19: trust in nothing
--- http_config
    vidcast_source front { input https://camera/ ca=; }
--- refused
~ invalid (?:value|parameter) "ca="



=== TEST 20: trust in a file
--- http_config
    vidcast_source front { input file:a.mp4 ca=a.pem; }
--- refused
invalid parameter "ca=a.pem"



=== TEST 21: a slash in a password
--- http_config
    vidcast_source front { input rtsp://admin:sec@ret/x@camera/; }
--- refused
invalid input "rtsp://***": it is not clear what its host is; write "@", ":", "/", "?" and "#" of a user or a password as %40, %3A, %2F, %3F and %23, and any "@" behind the host as %40



=== TEST 22: two signs before the host
--- http_config
    vidcast_source front { input http://me:sec@ret@camera/; }
--- refused
invalid input "http://***": it is not clear what its host is; write "@", ":", "/", "?" and "#" of a user or a password as %40, %3A, %2F, %3F and %23, and any "@" behind the host as %40



=== TEST 23: a password where a port should be
--- http_config
    vidcast_source front { input rtsp://me:secret; }
--- refused
invalid input "rtsp://***": it is not clear what its host is; write "@", ":", "/", "?" and "#" of a user or a password as %40, %3A, %2F, %3F and %23, and any "@" behind the host as %40



=== TEST 24: a password that begins like a port
--- http_config
    vidcast_source front { input rtsp://me:12/34@camera/; }
--- refused
invalid input "rtsp://***": it is not clear what its host is; write "@", ":", "/", "?" and "#" of a user or a password as %40, %3A, %2F, %3F and %23, and any "@" behind the host as %40



=== TEST 25: a password with a space
--- http_config
    vidcast_source front { input "rtsp://me:sec ret@camera/"; }
--- refused
invalid input "rtsp://***": it is not clear what its host is; write "@", ":", "/", "?" and "#" of a user or a password as %40, %3A, %2F, %3F and %23, and any "@" behind the host as %40



=== TEST 26: a transport of rtmp
--- http_config
    vidcast_source front { input rtmp://camera/live/1 transport=udp; }
--- refused
invalid parameter "transport=udp"



=== TEST 27: certificates of srt
--- http_config
    vidcast_source front { input srt://camera:9000 verify=on; }
--- refused
invalid parameter "verify=on"



=== TEST 28: udp without slashes
--- http_config
    vidcast_source front { input udp:1234; }
--- refused
invalid input "udp:1234": no host



=== TEST 29: a FIFO without a path
--- http_config
    vidcast_source front { input pipe:; }
--- refused
invalid input "pipe:": no path



=== TEST 30: a FIFO that is a file again
--- http_config
    vidcast_source front { input pipe:/tmp/a loop=on; }
--- refused
invalid parameter "loop=on"



=== TEST 31: damaged pictures neither shown nor held
--- http_config
    vidcast_source front { input rtsp://camera/ damaged=off; }
--- refused
invalid value "damaged=off"



=== TEST 32: a fit without a size
--- http_config
    vidcast_source front { input file:a.mp4 fit=within; }
--- refused
invalid input "file:a.mp4": "fit" needs "size"



=== TEST 33: bars around a picture of one side
--- http_config
    vidcast_source front { input file:a.mp4 fit=letterbox size=640x; }
--- refused
invalid input "file:a.mp4": "fit=letterbox" needs both sides of "size"



=== TEST 34: a stretched picture of one side
--- http_config
    vidcast_source front { input rtsp://camera/ size=x480 fit=stretch; }
--- refused
invalid input "rtsp://camera/": "fit=stretch" needs both sides of "size"



=== TEST 35: an unknown fit
--- http_config
    vidcast_source front { input rtsp://camera/ size=64x48 fit=cover; }
--- refused
invalid value "fit=cover"



=== TEST 36: a size without sides
--- http_config
    vidcast_source front { input rtsp://camera/ size=x; }
--- refused
invalid value "size=x"



=== TEST 37: a fit of a camera
--- http_config
    vidcast_source front { input v4l2:/dev/video0 size=64x48 fit=within; }
--- refused
invalid input "v4l2:/dev/video0": a camera's pictures are not scaled: "fit" is not for it, and "size" chooses one of its modes
