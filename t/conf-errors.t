# Copyright (C) vidcast contributors

# A configuration that cannot work is refused by "nginx -t", in words that say
# what is wrong, and where.  Those words are a promise: people look for them.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

# "refused" is the whole text of the [emerg], without the place at its end, or
# a pattern; "event" an event method

add_block_preprocessor(sub {
    my ($block) = @_;

    my ($refused) = grep { chomp; 1 } $block->refused;
    my $text = $refused =~ s/^~ // ? $refused : quotemeta $refused;

    $block->set_value('config', '') if !defined $block->config;
    $block->set_value('must_die', '');
    $block->set_value('error_log', [
        qr{\[emerg\] \d+#\d+: $text(?: in \S+/nginx\.conf:\d+)?\n}
    ]);

    $Test::Nginx::Util::EventType = $block->event;
});

plan tests => repeat_each() * 2 * blocks();

no_long_string();
run_tests();

__DATA__

=== TEST 1: vidcast_source in a server
--- config
    vidcast_source front { input test:; }
--- refused
"vidcast_source" directive is not allowed here



=== TEST 2: vidcast_source without a name
--- http_config
    vidcast_source { input test:; }
--- refused
invalid number of arguments in "vidcast_source" directive



=== TEST 3: vidcast_source with two names
--- http_config
    vidcast_source front back { input test:; }
--- refused
invalid number of arguments in "vidcast_source" directive



=== TEST 4: vidcast_source without a block
--- http_config
    vidcast_source front;
--- refused
directive "vidcast_source" has no opening "{"



=== TEST 5: a name with a space
--- http_config
    vidcast_source "front door" { input test:; }
--- refused
invalid source name "front door"



=== TEST 6: an empty name
--- http_config
    vidcast_source "" { input test:; }
--- refused
invalid source name ""



=== TEST 7: a name with a slash
--- http_config
    vidcast_source front/door { input test:; }
--- refused
invalid source name "front/door"



=== TEST 8: a name of another alphabet
--- http_config
    vidcast_source Tür { input test:; }
--- refused
invalid source name "Tür"



=== TEST 9: a name of 64 bytes
--- http_config eval
"vidcast_source " . "a" x 64 . " { input test:; }"
--- refused
~ invalid source name "a{64}"



=== TEST 10: two sources of one name
--- http_config
    vidcast_source front { input test:; }
    vidcast_source front { input test:; }
--- refused
duplicate vidcast_source "front"



=== TEST 11: more than 256 sources
--- http_config eval
join "\n", map { "vidcast_source s$_ { input test:; encoders 1; }" } 1 .. 257
--- refused
more than 256 vidcast_source blocks



=== TEST 12: a source without an input
--- http_config
    vidcast_source front { predict motion; }
--- refused
vidcast_source "front" must have "input"



=== TEST 13: an empty source
--- http_config
    vidcast_source front {  }
--- refused
vidcast_source "front" must have "input"



=== TEST 14: an unknown directive in a source
--- http_config
    vidcast_source front { input test:; colour on; }
--- refused
unknown directive "colour" in vidcast_source



=== TEST 15: nginx's own directive in a source
--- http_config
    vidcast_source front { input test:; root html; }
--- refused
unknown directive "root" in vidcast_source



=== TEST 16: a block in a source
--- http_config
    vidcast_source front { input { test:; } }
--- refused
unexpected "{"



=== TEST 17: input twice
--- http_config
    vidcast_source front { input test:; input test:; }
--- refused
"input" directive is duplicate



=== TEST 18: predict twice
--- http_config
    vidcast_source front { input test:; predict motion; predict motion; }
--- refused
"predict" directive is duplicate



=== TEST 19: quality twice
--- http_config
    vidcast_source front { input test:; quality 80; quality 80; }
--- refused
"quality" directive is duplicate



=== TEST 20: encoders twice
--- http_config
    vidcast_source front { input test:; encoders 2; encoders 2; }
--- refused
"encoders" directive is duplicate



=== TEST 21: frames twice
--- http_config
    vidcast_source front { input test:; frames auto; frames auto; }
--- refused
"frames" directive is duplicate



=== TEST 22: results twice
--- http_config
    vidcast_source front { input test:; results 16; results 16; }
--- refused
"results" directive is duplicate



=== TEST 23: stale twice
--- http_config
    vidcast_source front { input test:; stale 5s; stale 5s; }
--- refused
"stale" directive is duplicate



=== TEST 24: input with a wrong number of arguments
--- http_config
    vidcast_source front { input; }
--- refused
invalid number of arguments in "input" directive



=== TEST 25: predict with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; predict; }
--- refused
invalid number of arguments in "predict" directive



=== TEST 26: quality with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; quality 80 90; }
--- refused
invalid number of arguments in "quality" directive



=== TEST 27: encoders with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; encoders; }
--- refused
invalid number of arguments in "encoders" directive



=== TEST 28: frames with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; frames 20 1m 2m; }
--- refused
invalid number of arguments in "frames" directive



=== TEST 29: results with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; results; }
--- refused
invalid number of arguments in "results" directive



=== TEST 30: stale with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; stale 1s 2s; }
--- refused
invalid number of arguments in "stale" directive



=== TEST 31: an unknown input
--- http_config
    vidcast_source front { input ftp://camera/; }
--- refused
invalid input "ftp://camera/"



=== TEST 32: an input without a scheme
--- http_config
    vidcast_source front { input /dev/video0; }
--- refused
invalid input "/dev/video0"



=== TEST 33: a scheme alone
--- http_config
    vidcast_source front { input test; }
--- refused
invalid input "test"



=== TEST 34: a scheme in capitals
--- http_config
    vidcast_source front { input TEST:; }
--- refused
invalid input "TEST:"



=== TEST 35: a parameter without a value
--- http_config
    vidcast_source front { input test: size; }
--- refused
invalid parameter "size"



=== TEST 36: a parameter without a name
--- http_config
    vidcast_source front { input test: =1; }
--- refused
invalid parameter "=1"



=== TEST 37: an unknown parameter of test
--- http_config
    vidcast_source front { input test: colour=on; }
--- refused
invalid parameter "colour=on"



=== TEST 38: a parameter of another input
--- http_config
    vidcast_source front { input test: loop=off; }
--- refused
invalid parameter "loop=off"



=== TEST 39: test with size=640
--- http_config
    vidcast_source front { input test: size=640; }
--- refused
invalid value "size=640"



=== TEST 40: test with size=640x
--- http_config
    vidcast_source front { input test: size=640x; }
--- refused
invalid value "size=640x"



=== TEST 41: test with size=x480
--- http_config
    vidcast_source front { input test: size=x480; }
--- refused
invalid value "size=x480"



=== TEST 42: test with size=0x480
--- http_config
    vidcast_source front { input test: size=0x480; }
--- refused
invalid value "size=0x480"



=== TEST 43: test with size=640X480
--- http_config
    vidcast_source front { input test: size=640X480; }
--- refused
invalid value "size=640X480"



=== TEST 44: test with size=640x480x3
--- http_config
    vidcast_source front { input test: size=640x480x3; }
--- refused
invalid value "size=640x480x3"



=== TEST 45: test with size=16385x16
--- http_config
    vidcast_source front { input test: size=16385x16; }
--- refused
invalid value "size=16385x16"



=== TEST 46: test with size=99999999999x16
--- http_config
    vidcast_source front { input test: size=99999999999x16; }
--- refused
invalid value "size=99999999999x16"



=== TEST 47: test with size=-1x5
--- http_config
    vidcast_source front { input test: size=-1x5; }
--- refused
invalid value "size=-1x5"



=== TEST 48: test with size=
--- http_config
    vidcast_source front { input test: size=; }
--- refused
invalid value "size="



=== TEST 49: test with fps=0
--- http_config
    vidcast_source front { input test: fps=0; }
--- refused
invalid value "fps=0"



=== TEST 50: test with fps=-1
--- http_config
    vidcast_source front { input test: fps=-1; }
--- refused
invalid value "fps=-1"



=== TEST 51: test with fps=1001
--- http_config
    vidcast_source front { input test: fps=1001; }
--- refused
invalid value "fps=1001"



=== TEST 52: test with fps=30/0
--- http_config
    vidcast_source front { input test: fps=30/0; }
--- refused
invalid value "fps=30/0"



=== TEST 53: test with fps=30/
--- http_config
    vidcast_source front { input test: fps=30/; }
--- refused
invalid value "fps=30/"



=== TEST 54: test with fps=thirty
--- http_config
    vidcast_source front { input test: fps=thirty; }
--- refused
invalid value "fps=thirty"



=== TEST 55: test with fps=1e3
--- http_config
    vidcast_source front { input test: fps=1e3; }
--- refused
invalid value "fps=1e3"



=== TEST 56: test with fps=30fps
--- http_config
    vidcast_source front { input test: fps=30fps; }
--- refused
invalid value "fps=30fps"



=== TEST 57: test with fps=
--- http_config
    vidcast_source front { input test: fps=; }
--- refused
invalid value "fps="



=== TEST 58: test with too much noise
--- http_config
    vidcast_source front { input test: noise=21; }
--- refused
invalid value "noise=21"



=== TEST 59: test with noise below zero
--- http_config
    vidcast_source front { input test: noise=-1; }
--- refused
invalid value "noise=-1"



=== TEST 60: test with too many shapes
--- http_config
    vidcast_source front { input test: shapes=17; }
--- refused
invalid value "shapes=17"



=== TEST 61: test with a path
--- http_config
    vidcast_source front { input test:front; }
--- refused
invalid input "test:front": unexpected "front" after "test:"



=== TEST 62: test too narrow
--- http_config
    vidcast_source front { input test: size=8x480; }
--- refused
invalid input "test:": size 8x480 is too small, at least 16x16 is needed



=== TEST 63: test too low
--- http_config
    vidcast_source front { input test: size=640x15; }
--- refused
invalid input "test:": size 640x15 is too small, at least 16x16 is needed



=== TEST 64: images without a path
--- http_config
    vidcast_source front { input images:; }
--- refused
invalid input "images:": no folder given



=== TEST 65: images with loop=maybe
--- http_config
    vidcast_source front { input images:/cam loop=maybe; }
--- refused
invalid value "loop=maybe"



=== TEST 66: images with fps=0
--- http_config
    vidcast_source front { input images:/cam fps=0; }
--- refused
invalid value "fps=0"



=== TEST 67: images with a size
--- http_config
    vidcast_source front { input images:/cam size=640x480; }
--- refused
invalid parameter "size=640x480"



=== TEST 68: v4l2 without a device
--- http_config
    vidcast_source front { input v4l2:; }
--- refused
invalid input "v4l2:": the device must be given by its full path



=== TEST 69: v4l2 by its name
--- http_config
    vidcast_source front { input v4l2:video0; }
--- refused
invalid input "v4l2:video0": the device must be given by its full path



=== TEST 70: v4l2 with an unknown format
--- http_config
    vidcast_source front { input v4l2:/dev/video0 format=h264; }
--- refused
invalid value "format=h264"



=== TEST 71: v4l2 with a wrong size
--- http_config
    vidcast_source front { input v4l2:/dev/video0 size=big; }
--- refused
invalid value "size=big"



=== TEST 72: v4l2 with a wrong rate
--- http_config
    vidcast_source front { input v4l2:/dev/video0 fps=0; }
--- refused
invalid value "fps=0"



=== TEST 73: v4l2 with an unknown parameter
--- http_config
    vidcast_source front { input v4l2:/dev/video0 gain=3; }
--- refused
invalid parameter "gain=3"



=== TEST 74: an unknown predictor
--- http_config
    vidcast_source front { input test:; predict oracle; }
--- refused
invalid predictor "oracle"



=== TEST 75: a predictor parameter without a value
--- http_config
    vidcast_source front { input test:; predict motion area; }
--- refused
invalid parameter "area"



=== TEST 76: an unknown parameter of motion
--- http_config
    vidcast_source front { input test:; predict motion speed=1; }
--- refused
invalid parameter "speed=1"



=== TEST 77: motion with threshold=0
--- http_config
    vidcast_source front { input test:; predict motion threshold=0; }
--- refused
invalid value "threshold=0"



=== TEST 78: motion with threshold=256
--- http_config
    vidcast_source front { input test:; predict motion threshold=256; }
--- refused
invalid value "threshold=256"



=== TEST 79: motion with threshold=-1
--- http_config
    vidcast_source front { input test:; predict motion threshold=-1; }
--- refused
invalid value "threshold=-1"



=== TEST 80: motion with threshold=ten
--- http_config
    vidcast_source front { input test:; predict motion threshold=ten; }
--- refused
invalid value "threshold=ten"



=== TEST 81: motion with threshold=
--- http_config
    vidcast_source front { input test:; predict motion threshold=; }
--- refused
invalid value "threshold="



=== TEST 82: motion with area=1.1
--- http_config
    vidcast_source front { input test:; predict motion area=1.1; }
--- refused
invalid value "area=1.1"



=== TEST 83: motion with area=-0.1
--- http_config
    vidcast_source front { input test:; predict motion area=-0.1; }
--- refused
invalid value "area=-0.1"



=== TEST 84: motion with area=half
--- http_config
    vidcast_source front { input test:; predict motion area=half; }
--- refused
invalid value "area=half"



=== TEST 85: motion with area=0.0000001
--- http_config
    vidcast_source front { input test:; predict motion area=0.0000001; }
--- refused
invalid value "area=0.0000001"



=== TEST 86: motion with area=
--- http_config
    vidcast_source front { input test:; predict motion area=; }
--- refused
invalid value "area="



=== TEST 87: an unknown parameter of delay
--- http_config
    vidcast_source front { input test:; predict delay size=1; }
--- refused
invalid parameter "size=1"



=== TEST 88: delay with time=soon
--- http_config
    vidcast_source front { input test:; predict delay time=soon; }
--- refused
invalid value "time=soon"



=== TEST 89: delay with time=-1s
--- http_config
    vidcast_source front { input test:; predict delay time=-1s; }
--- refused
invalid value "time=-1s"



=== TEST 90: delay with time=
--- http_config
    vidcast_source front { input test:; predict delay time=; }
--- refused
invalid value "time="



=== TEST 91: delay with a text that is not UTF-8
--- http_config eval
"vidcast_source front { input test:; predict delay text=\xff; }"
--- refused eval
"invalid value \"text=\xff\""



=== TEST 92: quality 0
--- http_config
    vidcast_source front { input test:; quality 0; }
--- refused
invalid value "0" in "quality" directive, it must be between 1 and 100



=== TEST 93: quality 101
--- http_config
    vidcast_source front { input test:; quality 101; }
--- refused
invalid value "101" in "quality" directive, it must be between 1 and 100



=== TEST 94: quality -1
--- http_config
    vidcast_source front { input test:; quality -1; }
--- refused
invalid value "-1" in "quality" directive, it must be between 1 and 100



=== TEST 95: quality good
--- http_config
    vidcast_source front { input test:; quality good; }
--- refused
invalid value "good" in "quality" directive, it must be between 1 and 100



=== TEST 96: quality ""
--- http_config
    vidcast_source front { input test:; quality ""; }
--- refused
invalid value "" in "quality" directive, it must be between 1 and 100



=== TEST 97: encoders 0
--- http_config
    vidcast_source front { input test:; encoders 0; }
--- refused
invalid value "0" in "encoders" directive, it must be between 1 and 64



=== TEST 98: encoders 65
--- http_config
    vidcast_source front { input test:; encoders 65; }
--- refused
invalid value "65" in "encoders" directive, it must be between 1 and 64



=== TEST 99: encoders many
--- http_config
    vidcast_source front { input test:; encoders many; }
--- refused
invalid value "many" in "encoders" directive, it must be between 1 and 64



=== TEST 100: frames 0
--- http_config
    vidcast_source front { input test:; frames 0; }
--- refused
invalid value "0" in "frames" directive, it must be between 1 and 1024



=== TEST 101: frames 1025
--- http_config
    vidcast_source front { input test:; frames 1025; }
--- refused
invalid value "1025" in "frames" directive, it must be between 1 and 1024



=== TEST 102: frames few
--- http_config
    vidcast_source front { input test:; frames few; }
--- refused
invalid value "few" in "frames" directive, it must be between 1 and 1024



=== TEST 103: frames of 1023
--- http_config
    vidcast_source front { input test:; frames auto 1023; }
--- refused
invalid size "1023" in "frames" directive, it must be between 1024 and 67108864



=== TEST 104: frames of 65m
--- http_config
    vidcast_source front { input test:; frames auto 65m; }
--- refused
invalid size "65m" in "frames" directive, it must be between 1024 and 67108864



=== TEST 105: frames of big
--- http_config
    vidcast_source front { input test:; frames auto big; }
--- refused
invalid size "big" in "frames" directive, it must be between 1024 and 67108864



=== TEST 106: frames too few for workers and encoders
--- http_config
    vidcast_source front { input test:; encoders 2; frames 8; }
--- refused
~ "frames 8" of vidcast_source "front" is too small for (?:1 workers and 2 encoders, it must be at least 9|2 workers and 2 encoders, it must be at least 11)



=== TEST 107: results 0
--- http_config
    vidcast_source front { input test:; results 0; }
--- refused
invalid value "0" in "results" directive, it must be between 1 and 65536



=== TEST 108: results 65537
--- http_config
    vidcast_source front { input test:; results 65537; }
--- refused
invalid value "65537" in "results" directive, it must be between 1 and 65536



=== TEST 109: results auto
--- http_config
    vidcast_source front { input test:; results auto; }
--- refused
invalid value "auto" in "results" directive, it must be between 1 and 65536



=== TEST 110: results of 511
--- http_config
    vidcast_source front { input test:; results 16 511; }
--- refused
invalid size "511" in "results" directive, it must be between 512 and 1048576



=== TEST 111: results of 2m
--- http_config
    vidcast_source front { input test:; results 16 2m; }
--- refused
invalid size "2m" in "results" directive, it must be between 512 and 1048576



=== TEST 112: results of big
--- http_config
    vidcast_source front { input test:; results 16 big; }
--- refused
invalid size "big" in "results" directive, it must be between 512 and 1048576



=== TEST 113: stale 0
--- http_config
    vidcast_source front { input test:; stale 0; }
--- refused
invalid value "0"



=== TEST 114: stale never
--- http_config
    vidcast_source front { input test:; stale never; }
--- refused
invalid value "never"



=== TEST 115: stale -5s
--- http_config
    vidcast_source front { input test:; stale -5s; }
--- refused
invalid value "-5s"



=== TEST 116: vidcast in a server
--- http_config
    vidcast_source front { input test:; }
--- config
    vidcast;
--- refused
"vidcast" directive is not allowed here



=== TEST 117: vidcast twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast; vidcast; }
--- refused
"vidcast" directive is duplicate



=== TEST 118: vidcast without any source
--- config
    location = /ws { vidcast; }
--- refused
"vidcast" without any vidcast_source



=== TEST 119: vidcast without a name among two sources
--- http_config
    vidcast_source front { input test:; }
    vidcast_source back { input test:; }
--- config
    location = /ws { vidcast; }
--- refused
"vidcast" must name one of the sources



=== TEST 120: an unknown source
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast back; }
--- refused
unknown vidcast_source "back"



=== TEST 121: an unknown source, and none at all
--- config
    location = /ws { vidcast front; }
--- refused
unknown vidcast_source "front"



=== TEST 122: a part of a name
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast fron; }
--- refused
unknown vidcast_source "fron"



=== TEST 123: an unknown transport
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front as=rtsp; }
--- refused
invalid parameter "as=rtsp"



=== TEST 124: an empty transport
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front as=; }
--- refused
invalid parameter "as="



=== TEST 125: an unknown thing to send
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front send=sound; }
--- refused
invalid parameter "send=sound"



=== TEST 126: an unknown parameter
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front fps=5; }
--- refused
invalid parameter "fps=5"



=== TEST 127: two names
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front back; }
--- refused
invalid parameter "back"



=== TEST 128: a name behind a parameter
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast as=sse front; }
--- refused
invalid parameter "front"



=== TEST 129: a variable that nobody knows
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast $nobody; }
--- refused
unknown "nobody" variable



=== TEST 130: a status of another format
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_status xml; }
--- refused
invalid parameter "xml"



=== TEST 131: vidcast_fps too large
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_fps 1001; }
--- refused
value must be between 0 and 1000



=== TEST 132: vidcast_fps that is no number
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_fps many; }
--- refused
"vidcast_fps" directive invalid number



=== TEST 133: vidcast_fps twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_fps 5; vidcast_fps 5; }
--- refused
"vidcast_fps" directive is duplicate



=== TEST 134: vidcast_backlog too large
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_backlog 65537; }
--- refused
value must be between 1 and 65536



=== TEST 135: vidcast_backlog that is no number
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_backlog many; }
--- refused
"vidcast_backlog" directive invalid number



=== TEST 136: vidcast_backlog twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_backlog 5; vidcast_backlog 5; }
--- refused
"vidcast_backlog" directive is duplicate



=== TEST 137: a backlog of nothing
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_backlog 0; }
--- refused
value must be between 1 and 65536



=== TEST 138: a ping that is no time
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping often; }
--- refused
invalid value "often"



=== TEST 139: a ping with something else
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s wait=5s; }
--- refused
invalid parameter "wait=5s"



=== TEST 140: a ping timeout that is no time
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s timeout=long; }
--- refused
invalid value "timeout=long"



=== TEST 141: a ping timeout of nothing
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s timeout=0; }
--- refused
invalid value "timeout=0"



=== TEST 142: a ping twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s; vidcast_ping 5s; }
--- refused
"vidcast_ping" directive is duplicate



=== TEST 143: a ping with too much
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s timeout=5s 5s; }
--- refused
invalid number of arguments in "vidcast_ping" directive



=== TEST 144: a stall timeout that is no time
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_stall_timeout long; }
--- refused
"vidcast_stall_timeout" directive invalid value



=== TEST 145: a stall timeout of nothing
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_stall_timeout 0; }
--- refused
"vidcast_stall_timeout" directive must not be zero



=== TEST 146: a stall timeout twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_stall_timeout 5s; vidcast_stall_timeout 5s; }
--- refused
"vidcast_stall_timeout" directive is duplicate



=== TEST 147: a message size that is none
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_max_message big; }
--- refused
"vidcast_max_message" directive invalid value



=== TEST 148: a message size twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_max_message 1k; vidcast_max_message 1k; }
--- refused
"vidcast_max_message" directive is duplicate



=== TEST 149: an origin with its scheme
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin https://example.com; }
--- refused
invalid host "https://example.com", it is "host[:port]" without a scheme



=== TEST 150: an empty origin
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin ""; }
--- refused
invalid host "", it is "host[:port]" without a scheme



=== TEST 151: no origin and a host
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin none example.com; }
--- refused
"vidcast_origin" directive has "none" beside other values



=== TEST 152: a host and no origin
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin example.com none; }
--- refused
"vidcast_origin" directive has "none" beside other values



=== TEST 153: an origin twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin any; vidcast_origin same; }
--- refused
"vidcast_origin" directive is duplicate



=== TEST 154: an origin without a value
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin; }
--- refused
invalid number of arguments in "vidcast_origin" directive



=== TEST 155: a limit of viewers below zero
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_max_viewers -1; }
--- refused
"vidcast_max_viewers" directive invalid number



=== TEST 156: a limit of viewers twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_max_viewers 1; vidcast_max_viewers 1; }
--- refused
"vidcast_max_viewers" directive is duplicate



=== TEST 157: a snapshot timeout that is no time
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_snapshot_timeout long; }
--- refused
"vidcast_snapshot_timeout" directive invalid value



=== TEST 158: a snapshot timeout twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_snapshot_timeout 1s; vidcast_snapshot_timeout 1s; }
--- refused
"vidcast_snapshot_timeout" directive is duplicate



=== TEST 159: deflate that is neither on nor off
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_deflate maybe; }
--- refused
invalid value "maybe" in "vidcast_deflate" directive, it must be "on" or "off"



=== TEST 160: deflate twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_deflate on; vidcast_deflate off; }
--- refused
"vidcast_deflate" directive is duplicate



=== TEST 161: an echo with a parameter
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_echo loud; }
--- refused
invalid number of arguments in "vidcast_echo" directive



=== TEST 162: an echo in a server
--- config
    vidcast_echo;
--- refused
"vidcast_echo" directive is not allowed here



=== TEST 163: a status in a server
--- config
    vidcast_status;
--- refused
"vidcast_status" directive is not allowed here



=== TEST 164: an unknown source in a list
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front,back; }
--- refused
unknown vidcast_source "back"



=== TEST 165: more than 32 sources in a list
--- http_config eval
join "\n", map { "vidcast_source s$_ { input test:; encoders 1; }" } 1 .. 33
--- config eval
"location = /ws { vidcast " . join(",", map { "s$_" } 1 .. 33) . "; }"
--- refused
~ more than 32 sources in "s1,s2,.*,s33"



=== TEST 166: an empty place in a list
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front,,; }
--- refused
unknown vidcast_source ""



=== TEST 167: an event method without edges
--- http_config
    vidcast_source front { input test:; }
--- event chomp
poll
--- skip_eval
2: `$Test::Nginx::Util::NginxBinary -V 2>&1` !~ /--with-poll_module/
--- refused
vidcast needs the "epoll" event method, but "use poll" is configured



=== TEST 168: on_demand twice
--- http_config
    vidcast_source front { input test:; on_demand 5s; on_demand off; }
--- refused
"on_demand" directive is duplicate



=== TEST 169: on_demand with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; on_demand 5s 3; }
--- refused
invalid number of arguments in "on_demand" directive



=== TEST 170: on_demand 0
--- http_config
    vidcast_source front { input test:; on_demand 0; }
--- refused
invalid value "0"



=== TEST 171: on_demand on
--- http_config
    vidcast_source front { input test:; on_demand on; }
--- refused
invalid value "on"



=== TEST 172: a warmup that is none
--- http_config
    vidcast_source front { input test: warmup=; }
--- refused
invalid value "warmup="



=== TEST 173: a warmup below zero
--- http_config
    vidcast_source front { input images:html warmup=-1; }
--- refused
invalid value "warmup=-1"



=== TEST 174: a warmup of too many frames
--- http_config
    vidcast_source front { input v4l2:/dev/video0 warmup=10001; }
--- refused
invalid value "warmup=10001"



=== TEST 175: something behind push:
--- http_config
    vidcast_source door { input push:here; }
--- refused
invalid input "push:here": nothing may follow "push:"



=== TEST 176: a rate of push:
--- http_config
    vidcast_source door { input push: fps=30; }
--- refused
invalid parameter "fps=30"



=== TEST 177: publishing to a camera
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /publish { vidcast_publish front; }
--- refused
"vidcast_publish" needs a source with "input push:", which "front" is not,



=== TEST 178: publishing to nobody
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish dor; }
--- refused
unknown vidcast_source "dor"



=== TEST 179: publishing to two
--- http_config
    vidcast_source a { input push:; }
    vidcast_source b { input push:; }
--- config
    location = /publish { vidcast_publish a,b; }
--- refused
unknown vidcast_source "a,b"



=== TEST 180: publishing without a name
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish; }
--- refused
invalid number of arguments in "vidcast_publish" directive



=== TEST 181: a wrong parameter of publishing
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish door takeover=maybe; }
--- refused
invalid parameter "takeover=maybe"



=== TEST 182: publishing twice
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish door; vidcast_publish door; }
--- refused
"vidcast_publish" directive is duplicate



=== TEST 183: publishing in a server
--- config
    vidcast_publish door;
--- refused
"vidcast_publish" directive is not allowed here



=== TEST 184: publishing to an unknown variable
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish $nobody; }
--- refused
unknown "nobody" variable



=== TEST 185: v4l2 with a control without a value
--- http_config
    vidcast_source front { input v4l2:/dev/video0 ctrl.gain=; }
--- refused
invalid value "ctrl.gain="



=== TEST 186: v4l2 with a control by another name than v4l2-ctl's
--- http_config
    vidcast_source front { input v4l2:/dev/video0 ctrl.Gain=3; }
--- refused
invalid parameter "ctrl.Gain=3"



=== TEST 187: v4l2 with a control without a name
--- http_config
    vidcast_source front { input v4l2:/dev/video0 ctrl.=3; }
--- refused
invalid parameter "ctrl.=3"



=== TEST 188: v4l2 with a control twice
--- http_config
    vidcast_source front { input v4l2:/dev/video0 ctrl.gain=3 ctrl.gain=4; }
--- refused
invalid input "v4l2:/dev/video0": control "gain" is given twice



=== TEST 189: v4l2 with an unknown norm
--- http_config
    vidcast_source front { input v4l2:/dev/video0 norm=hdtv; }
--- refused
invalid value "norm=hdtv"



=== TEST 190: v4l2 with an empty input
--- http_config
    vidcast_source front { input v4l2:/dev/video0 input=; }
--- refused
invalid value "input="



=== TEST 191: on_demand without a device
--- http_config
    vidcast_source front { input push:; on_demand 10s; }
--- refused
"on_demand" is of no use with input "push:", which has no device to close



=== TEST 192: a warmup without a device
--- http_config
    vidcast_source front { input push: warmup=3; }
--- refused
invalid parameter "warmup=3"



=== TEST 193: a zone without a name
--- http_config
    vidcast_source front { input test:; predict motion zone=0,0,1,0,1,1; }
--- refused
invalid value "zone=0,0,1,0,1,1"



=== TEST 194: a zone of two points
--- http_config
    vidcast_source front { input test:; predict motion zone=door:0,0,1,1; }
--- refused
invalid value "zone=door:0,0,1,1"



=== TEST 195: a zone beyond the picture
--- http_config
    vidcast_source front { input test:; predict motion zone=door:0,0,640,0,640,480; }
--- refused
invalid value "zone=door:0,0,640,0,640,480"



=== TEST 196: a zone without an area
--- http_config
    vidcast_source front { input test:; predict motion zone=door:0,0,0.5,0.5,1,1; }
--- refused
invalid value "zone=door:0,0,0.5,0.5,1,1"



=== TEST 197: two zones of one name
--- http_config
    vidcast_source front { input test:; predict motion zone=door:0,0,1,0,1,1 zone=door:0,0,1,0,0,1; }
--- refused
invalid value "zone=door:0,0,1,0,0,1"



=== TEST 198: motion with outside=maybe
--- http_config
    vidcast_source front { input test:; predict motion outside=maybe; }
--- refused
invalid value "outside=maybe"



=== TEST 199: motion with emit=never
--- http_config
    vidcast_source front { input test:; predict motion emit=never; }
--- refused
invalid value "emit=never"



=== TEST 200: delay with emit=
--- http_config
    vidcast_source front { input test:; predict delay emit=; }
--- refused
invalid value "emit="



=== TEST 201: delay with a zone
--- http_config
    vidcast_source front { input test:; predict delay zone=door:0,0,1,0,1,1; }
--- refused
invalid parameter "zone=door:0,0,1,0,1,1"



=== TEST 202: vidcast_status with two parameters
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /status { vidcast_status json prometheus; }
--- refused
invalid number of arguments in "vidcast_status" directive



=== TEST 203: vidcast_health with a parameter
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /health { vidcast_health front; }
--- refused
invalid number of arguments in "vidcast_health" directive



=== TEST 204: an overlay of results
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front as=sse overlay=on; }
--- refused
"vidcast" directive has "overlay=on" without pictures to draw on, which are those of "as=mjpeg" and "as=snapshot"



=== TEST 205: an overlay of a WebSocket
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front overlay=on as=websocket send=both; }
--- refused
"vidcast" directive has "overlay=on" without pictures to draw on, which are those of "as=mjpeg" and "as=snapshot"



=== TEST 206: an overlay which may be
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front as=mjpeg overlay=maybe; }
--- refused
invalid parameter "overlay=maybe"



=== TEST 207: a program that is nowhere
--- http_config
    vidcast_source front { input test:; predict exec nosuchprogram; }
--- refused
invalid predictor "exec": "nosuchprogram" is not in /usr/local/bin, /usr/bin or /bin



=== TEST 208: a program that is not there
--- http_config
    vidcast_source front { input test:; predict exec /nowhere/program; }
--- refused
invalid predictor "exec": "/nowhere/program": No such file or directory



=== TEST 209: a program that cannot be executed
--- http_config
    vidcast_source front { input test:; predict exec /etc/passwd; }
--- refused
invalid predictor "exec": "/etc/passwd" cannot be executed



=== TEST 210: a directory as a program
--- http_config
    vidcast_source front { input test:; predict exec /usr/bin/; }
--- refused
invalid predictor "exec": "/usr/bin/" cannot be executed



=== TEST 211: no program
--- http_config
    vidcast_source front { input test:; predict exec size=64x64; }
--- refused
invalid predictor "exec": no command



=== TEST 212: an unknown parameter of a program
--- http_config
    vidcast_source front { input test:; predict exec cat sise=64x64; }
--- refused
invalid parameter "sise=64x64"



=== TEST 213: an unknown format of pixels
--- http_config
    vidcast_source front { input test:; predict exec cat format=yuyv; }
--- refused
invalid value "format=yuyv"



=== TEST 214: bare pixels of any size
--- http_config
    vidcast_source front { input test:; predict exec cat frames=pipe; }
--- refused
invalid predictor "exec": "frames=pipe" needs "size"



=== TEST 215: bare pixels of sizes that differ
--- http_config
    vidcast_source front { input test:; predict exec cat frames=pipe size=64x64 fit=within; }
--- refused
invalid predictor "exec": "frames=pipe" needs "fit" to be "stretch" or "letterbox"



=== TEST 216: a fit without a size
--- http_config
    vidcast_source front { input test:; predict exec cat fit=stretch; }
--- refused
invalid predictor "exec": "fit" needs "size"



=== TEST 217: a fill above white
--- http_config
    vidcast_source front { input test:; predict exec cat size=64x64 fill=256; }
--- refused
invalid value "fill=256"



=== TEST 218: no predictor processes
--- http_config
    vidcast_source front { input test:; predict exec cat workers=0; }
--- refused
invalid value "workers=0"



=== TEST 219: too many predictor processes
--- http_config
    vidcast_source front { input test:; predict exec cat workers=17; }
--- refused
invalid value "workers=17"



=== TEST 220: no time to predict
--- http_config
    vidcast_source front { input test:; predict exec cat timeout=0; }
--- refused
invalid value "timeout=0"



=== TEST 221: too little memory
--- http_config
    vidcast_source front { input test:; predict exec cat memory=15m; }
--- refused
invalid value "memory=15m"



=== TEST 222: every frame of none
--- http_config
    vidcast_source front { input test:; predict motion every=0; }
--- refused
invalid value "every=0"



=== TEST 223: processes for a built-in predictor
--- http_config
    vidcast_source front { input test:; predict motion workers=2; }
--- refused
invalid parameter "workers=2"



=== TEST 224: an argument of a built-in predictor
--- http_config
    vidcast_source front { input test:; predict motion -- 2; }
--- refused
invalid parameter "--"



=== TEST 225: no plugin
--- http_config
    vidcast_source front { input test:; predict plugin timeout=1s; }
--- refused
invalid predictor "plugin": no file



=== TEST 226: a plugin that is not there
--- http_config
    vidcast_source front { input test:; predict plugin /nowhere.so; }
--- refused
invalid predictor "plugin": "/nowhere.so": No such file or directory



=== TEST 227: no model
--- http_config
    vidcast_source front { input test:; predict onnx score=0.5; }
--- refused
invalid predictor "onnx": no model



=== TEST 228: a model that is not there
--- http_config
    vidcast_source front { input test:; predict onnx /nowhere.onnx; }
--- refused
invalid predictor "onnx": "/nowhere.onnx": No such file or directory



=== TEST 229: two models
--- http_config
    vidcast_source front { input test:; predict onnx a.onnx b.onnx; }
--- refused
invalid parameter "b.onnx"



=== TEST 230: images with realtime neither on nor off
--- http_config
    vidcast_source front { input images:/cam realtime=no; }
--- refused
invalid value "realtime=no"



=== TEST 231: two handlers in a location
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast front; vidcast_status; }
--- refused
"vidcast_status" cannot be in one location with "vidcast"



=== TEST 232: the same two, the other way round
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_status prometheus; vidcast front; }
--- refused
"vidcast" cannot be in one location with "vidcast_status"



=== TEST 233: viewers and publishers in a location
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast front; vidcast_publish door; }
--- refused
"vidcast_publish" cannot be in one location with "vidcast"



=== TEST 234: health beside echo
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_echo; vidcast_health; }
--- refused
"vidcast_health" cannot be in one location with "vidcast_echo"



=== TEST 235: echo beside health
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_health; vidcast_echo; }
--- refused
"vidcast_echo" cannot be in one location with "vidcast_health"



=== TEST 236: vidcast_status twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_status; vidcast_status prometheus; }
--- refused
"vidcast_status" directive is duplicate



=== TEST 237: vidcast_health twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_health; vidcast_health; }
--- refused
"vidcast_health" directive is duplicate



=== TEST 238: vidcast_echo twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_echo; vidcast_echo; }
--- refused
"vidcast_echo" directive is duplicate



=== TEST 239: vidcast_publish twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_publish door; vidcast_publish door; }
--- refused
"vidcast_publish" directive is duplicate



=== TEST 240: two handlers in an "if"
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast front; if ($arg_x) { vidcast_status; vidcast_health; } }
--- refused
"vidcast_health" cannot be in one location with "vidcast_status"



=== TEST 241: a handler of nginx's before
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { stub_status; vidcast front; }
--- refused
"vidcast" cannot be in one location with a handler of another module



=== TEST 242: a handler of nginx's behind
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_publish door; proxy_pass http://127.0.0.1:1; }
--- refused
"vidcast_publish" cannot be in one location with a handler of another module



=== TEST 243: a handler of nginx's in the same "if"
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { if ($arg_x) { vidcast front; proxy_pass http://127.0.0.1:1; } }
--- refused
"vidcast" cannot be in one location with a handler of another module



=== TEST 244: vidcast in an "if" of a server
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    if ($arg_x) { vidcast front; }
--- refused
"vidcast" directive is not allowed here
