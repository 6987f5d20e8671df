# Copyright (C) vidcast contributors

# A configuration that cannot work is refused by "nginx -t", in words that say
# what is wrong, and where.  Those words are a promise: people look for them.
#
# Titles begin with the directive, and all blocks of a directive are together.

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

# so that a new block is not put to the end

my (%ended, $last);

open my $self, '<', __FILE__ or die "open() failed: $!\n";

while (<$self>) {
    next if !/^=== TEST \d+: (.+)/;

    my ($directive) = $1 =~ /^([\w ,=]+): / or die "\"$1\": of which one?\n";

    die "\"$directive\" is in two places\n"
        if $directive ne ($last // '') && $ended{$directive}++;

    $last = $directive;
}

close $self;

plan tests => repeat_each() * 2 * blocks();

no_long_string();
run_tests();

__DATA__

=== TEST 1: vidcast_source: in a server
--- config
    vidcast_source front { input test:; }
--- refused
"vidcast_source" directive is not allowed here



=== TEST 2: vidcast_source: without a name
--- http_config
    vidcast_source { input test:; }
--- refused
invalid number of arguments in "vidcast_source" directive



=== TEST 3: vidcast_source: with two names
--- http_config
    vidcast_source front back { input test:; }
--- refused
invalid number of arguments in "vidcast_source" directive



=== TEST 4: vidcast_source: without a block
--- http_config
    vidcast_source front;
--- refused
directive "vidcast_source" has no opening "{"



=== TEST 5: vidcast_source: a name with a space
--- http_config
    vidcast_source "front door" { input test:; }
--- refused
invalid source name "front door"



=== TEST 6: vidcast_source: an empty name
--- http_config
    vidcast_source "" { input test:; }
--- refused
invalid source name ""



=== TEST 7: vidcast_source: a name with a slash
--- http_config
    vidcast_source front/door { input test:; }
--- refused
invalid source name "front/door"



=== TEST 8: vidcast_source: a name of another alphabet
--- http_config
    vidcast_source Tür { input test:; }
--- refused
invalid source name "Tür"



=== TEST 9: vidcast_source: a name of 64 bytes
--- http_config eval
"vidcast_source " . "a" x 64 . " { input test:; }"
--- refused
~ invalid source name "a{64}"



=== TEST 10: vidcast_source: two sources of one name
--- http_config
    vidcast_source front { input test:; }
    vidcast_source front { input test:; }
--- refused
duplicate vidcast_source "front"



=== TEST 11: vidcast_source: more than 256 sources
--- http_config eval
join "\n", map { "vidcast_source s$_ { input test:; encoders 1; }" } 1 .. 257
--- refused
more than 256 vidcast_source blocks



=== TEST 12: vidcast_source: a source without an input
--- http_config
    vidcast_source front { predict motion; }
--- refused
vidcast_source "front" must have "input"



=== TEST 13: vidcast_source: an empty source
--- http_config
    vidcast_source front {  }
--- refused
vidcast_source "front" must have "input"



=== TEST 14: vidcast_source: an unknown directive in a source
--- http_config
    vidcast_source front { input test:; colour on; }
--- refused
unknown directive "colour" in vidcast_source



=== TEST 15: vidcast_source: nginx's own directive in a source
--- http_config
    vidcast_source front { input test:; root html; }
--- refused
unknown directive "root" in vidcast_source



=== TEST 16: vidcast_source: a block in a source
--- http_config
    vidcast_source front { input { test:; } }
--- refused
unexpected "{"



=== TEST 17: input: with a wrong number of arguments
--- http_config
    vidcast_source front { input; }
--- refused
invalid number of arguments in "input" directive



=== TEST 18: input: twice
--- http_config
    vidcast_source front { input test:; input test:; }
--- refused
"input" directive is duplicate



=== TEST 19: input: an unknown input
--- http_config
    vidcast_source front { input ftp://camera/; }
--- refused
invalid input "ftp://camera/": unknown scheme, there are "test:", "images:", "v4l2:", "push:", "file:", "rtsp:", "rtsps:", "rtmp:", "srt:", "udp:", "pipe:", "http:", "https:" and "nats:"



=== TEST 20: input: an input without a scheme
--- http_config
    vidcast_source front { input /dev/video0; }
--- refused
invalid input "/dev/video0": did you mean "v4l2:/dev/video0"?



=== TEST 21: input: a scheme alone
--- http_config
    vidcast_source front { input test; }
--- refused
invalid input "test": unknown scheme, there are "test:", "images:", "v4l2:", "push:", "file:", "rtsp:", "rtsps:", "rtmp:", "srt:", "udp:", "pipe:", "http:", "https:" and "nats:"



=== TEST 22: input: a scheme in capitals
--- http_config
    vidcast_source front { input TEST:; }
--- refused
invalid input "TEST:": unknown scheme, there are "test:", "images:", "v4l2:", "push:", "file:", "rtsp:", "rtsps:", "rtmp:", "srt:", "udp:", "pipe:", "http:", "https:" and "nats:"



=== TEST 23: input: the path of a film
--- http_config
    vidcast_source front { input "/data/a b.mp4"; }
--- refused
invalid input "/data/a b.mp4": did you mean "file:/data/a b.mp4"?



=== TEST 24: input: the path of a folder
--- http_config
    vidcast_source front { input "./pictures/"; }
--- refused
invalid input "./pictures/": did you mean "images:./pictures/"?



=== TEST 25: input: a pattern of names
--- http_config
    vidcast_source front { input "/data/*.jpg"; }
--- refused
invalid input "/data/*.jpg": did you mean "images:/data/*.jpg"?



=== TEST 26: input: a password without slashes before it
--- http_config
    vidcast_source front { input "rtsp:me:secret@camera/"; }
--- refused
invalid input "***": no host



=== TEST 27: input: a password without a scheme
--- http_config
    vidcast_source front { input "me:secret@camera"; }
--- refused
invalid input "***": unknown scheme, there are "test:", "images:", "v4l2:", "push:", "file:", "rtsp:", "rtsps:", "rtmp:", "srt:", "udp:", "pipe:", "http:", "https:" and "nats:"



=== TEST 28: input: a parameter without a value
--- http_config
    vidcast_source front { input test: size; }
--- refused
invalid parameter "size"



=== TEST 29: input: a parameter without a name
--- http_config
    vidcast_source front { input test: =1; }
--- refused
invalid parameter "=1"



=== TEST 30: input test: an unknown parameter of test
--- http_config
    vidcast_source front { input test: colour=on; }
--- refused
invalid parameter "colour=on"



=== TEST 31: input test: a parameter of another input
--- http_config
    vidcast_source front { input test: loop=off; }
--- refused
invalid parameter "loop=off"



=== TEST 32: input test: size=640
--- http_config
    vidcast_source front { input test: size=640; }
--- refused
invalid value "size=640"



=== TEST 33: input test: size=x
--- http_config
    vidcast_source front { input test: size=x; }
--- refused
invalid value "size=x"



=== TEST 34: input test: size=x16384
--- http_config
    vidcast_source front { input test: size=x16384; }
--- refused
invalid input "test:": size 21844x16384 is too large



=== TEST 35: input test: size=0x480
--- http_config
    vidcast_source front { input test: size=0x480; }
--- refused
invalid value "size=0x480"



=== TEST 36: input test: size=640X480
--- http_config
    vidcast_source front { input test: size=640X480; }
--- refused
invalid value "size=640X480"



=== TEST 37: input test: size=640x480x3
--- http_config
    vidcast_source front { input test: size=640x480x3; }
--- refused
invalid value "size=640x480x3"



=== TEST 38: input test: size=16385x16
--- http_config
    vidcast_source front { input test: size=16385x16; }
--- refused
invalid value "size=16385x16"



=== TEST 39: input test: size=99999999999x16
--- http_config
    vidcast_source front { input test: size=99999999999x16; }
--- refused
invalid value "size=99999999999x16"



=== TEST 40: input test: size=-1x5
--- http_config
    vidcast_source front { input test: size=-1x5; }
--- refused
invalid value "size=-1x5"



=== TEST 41: input test: size=
--- http_config
    vidcast_source front { input test: size=; }
--- refused
invalid value "size="



=== TEST 42: input test: fps=0
--- http_config
    vidcast_source front { input test: fps=0; }
--- refused
invalid value "fps=0"



=== TEST 43: input test: fps=-1
--- http_config
    vidcast_source front { input test: fps=-1; }
--- refused
invalid value "fps=-1"



=== TEST 44: input test: fps=1001
--- http_config
    vidcast_source front { input test: fps=1001; }
--- refused
invalid value "fps=1001"



=== TEST 45: input test: fps=30/0
--- http_config
    vidcast_source front { input test: fps=30/0; }
--- refused
invalid value "fps=30/0"



=== TEST 46: input test: fps=30/
--- http_config
    vidcast_source front { input test: fps=30/; }
--- refused
invalid value "fps=30/"



=== TEST 47: input test: fps=thirty
--- http_config
    vidcast_source front { input test: fps=thirty; }
--- refused
invalid value "fps=thirty"



=== TEST 48: input test: fps=1e3
--- http_config
    vidcast_source front { input test: fps=1e3; }
--- refused
invalid value "fps=1e3"



=== TEST 49: input test: fps=30fps
--- http_config
    vidcast_source front { input test: fps=30fps; }
--- refused
invalid value "fps=30fps"



=== TEST 50: input test: fps=
--- http_config
    vidcast_source front { input test: fps=; }
--- refused
invalid value "fps="



=== TEST 51: input test: too much noise
--- http_config
    vidcast_source front { input test: noise=21; }
--- refused
invalid value "noise=21"



=== TEST 52: input test: noise below zero
--- http_config
    vidcast_source front { input test: noise=-1; }
--- refused
invalid value "noise=-1"



=== TEST 53: input test: too many shapes
--- http_config
    vidcast_source front { input test: shapes=17; }
--- refused
invalid value "shapes=17"



=== TEST 54: input test: a path
--- http_config
    vidcast_source front { input test:front; }
--- refused
invalid input "test:front": unexpected "front" after "test:"



=== TEST 55: input test: too narrow
--- http_config
    vidcast_source front { input test: size=8x480; }
--- refused
invalid input "test:": size 8x480 is too small, at least 16x16 is needed



=== TEST 56: input test: too low
--- http_config
    vidcast_source front { input test: size=640x15; }
--- refused
invalid input "test:": size 640x15 is too small, at least 16x16 is needed



=== TEST 57: input images: without a path
--- http_config
    vidcast_source front { input images:; }
--- refused
invalid input "images:": no folder given



=== TEST 58: input images: loop=maybe
--- http_config
    vidcast_source front { input images:/cam loop=maybe; }
--- refused
invalid value "loop=maybe"



=== TEST 59: input images: fps=0
--- http_config
    vidcast_source front { input images:/cam fps=0; }
--- refused
invalid value "fps=0"



=== TEST 60: input images: a size
--- http_config
    vidcast_source front { input images:/cam size=640x480; }
--- refused
invalid parameter "size=640x480"



=== TEST 61: input images: realtime neither on nor off
--- http_config
    vidcast_source front { input images:/cam realtime=no; }
--- refused
invalid value "realtime=no"



=== TEST 62: input v4l2: without a device
--- http_config
    vidcast_source front { input v4l2:; }
--- refused
invalid input "v4l2:": the device must be given by its full path



=== TEST 63: input v4l2: by its name
--- http_config
    vidcast_source front { input v4l2:video0; }
--- refused
invalid input "v4l2:video0": the device must be given by its full path



=== TEST 64: input v4l2: an unknown format
--- http_config
    vidcast_source front { input v4l2:/dev/video0 format=h264; }
--- refused
invalid value "format=h264"



=== TEST 65: input v4l2: a wrong size, where one side would do
--- http_config
    vidcast_source front { input v4l2:/dev/video0 size=640x size=big; }
--- refused
invalid value "size=big"



=== TEST 66: input v4l2: a wrong rate
--- http_config
    vidcast_source front { input v4l2:/dev/video0 fps=0; }
--- refused
invalid value "fps=0"



=== TEST 67: input v4l2: an unknown parameter
--- http_config
    vidcast_source front { input v4l2:/dev/video0 gain=3; }
--- refused
invalid parameter "gain=3"



=== TEST 68: input v4l2: a control without a value
--- http_config
    vidcast_source front { input v4l2:/dev/video0 ctrl.gain=; }
--- refused
invalid value "ctrl.gain="



=== TEST 69: input v4l2: a control by another name than v4l2-ctl's
--- http_config
    vidcast_source front { input v4l2:/dev/video0 ctrl.Gain=3; }
--- refused
invalid parameter "ctrl.Gain=3"



=== TEST 70: input v4l2: a control without a name
--- http_config
    vidcast_source front { input v4l2:/dev/video0 ctrl.=3; }
--- refused
invalid parameter "ctrl.=3"



=== TEST 71: input v4l2: a control twice
--- http_config
    vidcast_source front { input v4l2:/dev/video0 ctrl.gain=3 ctrl.gain=4; }
--- refused
invalid input "v4l2:/dev/video0": control "gain" is given twice



=== TEST 72: input v4l2: an unknown norm
--- http_config
    vidcast_source front { input v4l2:/dev/video0 norm=hdtv; }
--- refused
invalid value "norm=hdtv"



=== TEST 73: input v4l2: an empty input
--- http_config
    vidcast_source front { input v4l2:/dev/video0 input=; }
--- refused
invalid value "input="



=== TEST 74: input push: something behind it
--- http_config
    vidcast_source door { input push:here; }
--- refused
invalid input "push:here": nothing may follow "push:"



=== TEST 75: input push: with a rate
--- http_config
    vidcast_source door { input push: fps=30; }
--- refused
invalid parameter "fps=30"



=== TEST 76: input, warmup=: no number
--- http_config
    vidcast_source front { input test: warmup=; }
--- refused
invalid value "warmup="



=== TEST 77: input, warmup=: below zero
--- http_config
    vidcast_source front { input images:html warmup=-1; }
--- refused
invalid value "warmup=-1"



=== TEST 78: input, warmup=: too many frames
--- http_config
    vidcast_source front { input v4l2:/dev/video0 warmup=10001; }
--- refused
invalid value "warmup=10001"



=== TEST 79: input, warmup=: without a device
--- http_config
    vidcast_source front { input push: warmup=3; }
--- refused
invalid parameter "warmup=3"



=== TEST 80: input, rotate=: not a quarter
--- http_config
    vidcast_source front { input test: rotate=45; }
--- refused
invalid value "rotate=45"



=== TEST 81: input, flip=: neither way
--- http_config
    vidcast_source front { input push: flip=hv; }
--- refused
invalid value "flip=hv"



=== TEST 82: predict: with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; predict; }
--- refused
invalid number of arguments in "predict" directive



=== TEST 83: predict: twice
--- http_config
    vidcast_source front { input test:; predict motion; predict motion; }
--- refused
"predict" directive is duplicate



=== TEST 84: predict: a word that cannot be told to its process
--- http_config eval
"vidcast_source front { input test:; predict exec /bin/echo '" . '"' x 2048 . "'; }"
--- refused
too long parameter of "predict": its quotes and backslashes count twice



=== TEST 85: predict: an unknown predictor
--- http_config
    vidcast_source front { input test:; predict oracle; }
--- refused
invalid predictor "oracle"



=== TEST 86: predict: a predictor parameter without a value
--- http_config
    vidcast_source front { input test:; predict motion area; }
--- refused
invalid parameter "area"



=== TEST 87: predict, any predictor: motion with emit=never
--- http_config
    vidcast_source front { input test:; predict motion emit=never; }
--- refused
invalid value "emit=never"



=== TEST 88: predict, any predictor: delay with emit=
--- http_config
    vidcast_source front { input test:; predict delay emit=; }
--- refused
invalid value "emit="



=== TEST 89: predict, any predictor: no predictor processes
--- http_config
    vidcast_source front { input test:; predict exec cat workers=0; }
--- refused
invalid value "workers=0"



=== TEST 90: predict, any predictor: too many predictor processes
--- http_config
    vidcast_source front { input test:; predict exec cat workers=17; }
--- refused
invalid value "workers=17"



=== TEST 91: predict, any predictor: no time to predict
--- http_config
    vidcast_source front { input test:; predict exec cat timeout=0; }
--- refused
invalid value "timeout=0"



=== TEST 92: predict, any predictor: too little memory
--- http_config
    vidcast_source front { input test:; predict exec cat memory=15m; }
--- refused
invalid value "memory=15m"



=== TEST 93: predict, any predictor: neither with a sandbox nor without one
--- http_config
    vidcast_source front { input test:; predict exec cat sandbox=maybe; }
--- refused
invalid value "sandbox=maybe"



=== TEST 94: predict, any predictor: every frame of none
--- http_config
    vidcast_source front { input test:; predict motion every=0; }
--- refused
invalid value "every=0"



=== TEST 95: predict, any predictor: processes for a built-in predictor
--- http_config
    vidcast_source front { input test:; predict motion workers=2; }
--- refused
invalid parameter "workers=2"



=== TEST 96: predict, any predictor: an argument of a built-in predictor
--- http_config
    vidcast_source front { input test:; predict motion -- 2; }
--- refused
invalid parameter "--"



=== TEST 97: predict delay: an unknown parameter of delay
--- http_config
    vidcast_source front { input test:; predict delay size=1; }
--- refused
invalid parameter "size=1"



=== TEST 98: predict delay: time=soon
--- http_config
    vidcast_source front { input test:; predict delay time=soon; }
--- refused
invalid value "time=soon"



=== TEST 99: predict delay: time=-1s
--- http_config
    vidcast_source front { input test:; predict delay time=-1s; }
--- refused
invalid value "time=-1s"



=== TEST 100: predict delay: time=
--- http_config
    vidcast_source front { input test:; predict delay time=; }
--- refused
invalid value "time="



=== TEST 101: predict delay: a text that is not UTF-8
--- http_config eval
"vidcast_source front { input test:; predict delay text=\xff; }"
--- refused eval
"invalid value \"text=\xff\""



=== TEST 102: predict delay: a zone
--- http_config
    vidcast_source front { input test:; predict delay zone=door:0,0,1,0,1,1; }
--- refused
invalid parameter "zone=door:0,0,1,0,1,1"



=== TEST 103: predict motion: an unknown parameter of motion
--- http_config
    vidcast_source front { input test:; predict motion speed=1; }
--- refused
invalid parameter "speed=1"



=== TEST 104: predict motion: threshold=0
--- http_config
    vidcast_source front { input test:; predict motion threshold=0; }
--- refused
invalid value "threshold=0"



=== TEST 105: predict motion: threshold=256
--- http_config
    vidcast_source front { input test:; predict motion threshold=256; }
--- refused
invalid value "threshold=256"



=== TEST 106: predict motion: threshold=-1
--- http_config
    vidcast_source front { input test:; predict motion threshold=-1; }
--- refused
invalid value "threshold=-1"



=== TEST 107: predict motion: threshold=ten
--- http_config
    vidcast_source front { input test:; predict motion threshold=ten; }
--- refused
invalid value "threshold=ten"



=== TEST 108: predict motion: threshold=
--- http_config
    vidcast_source front { input test:; predict motion threshold=; }
--- refused
invalid value "threshold="



=== TEST 109: predict motion: area=1.1
--- http_config
    vidcast_source front { input test:; predict motion area=1.1; }
--- refused
invalid value "area=1.1"



=== TEST 110: predict motion: area=-0.1
--- http_config
    vidcast_source front { input test:; predict motion area=-0.1; }
--- refused
invalid value "area=-0.1"



=== TEST 111: predict motion: area=half
--- http_config
    vidcast_source front { input test:; predict motion area=half; }
--- refused
invalid value "area=half"



=== TEST 112: predict motion: area=0.0000001
--- http_config
    vidcast_source front { input test:; predict motion area=0.0000001; }
--- refused
invalid value "area=0.0000001"



=== TEST 113: predict motion: area=
--- http_config
    vidcast_source front { input test:; predict motion area=; }
--- refused
invalid value "area="



=== TEST 114: predict motion: a zone without a name
--- http_config
    vidcast_source front { input test:; predict motion zone=0,0,1,0,1,1; }
--- refused
invalid value "zone=0,0,1,0,1,1"



=== TEST 115: predict motion: a zone of two points
--- http_config
    vidcast_source front { input test:; predict motion zone=door:0,0,1,1; }
--- refused
invalid value "zone=door:0,0,1,1"



=== TEST 116: predict motion: a zone beyond the picture
--- http_config
    vidcast_source front { input test:; predict motion zone=door:0,0,640,0,640,480; }
--- refused
invalid value "zone=door:0,0,640,0,640,480"



=== TEST 117: predict motion: a zone without an area
--- http_config
    vidcast_source front { input test:; predict motion zone=door:0,0,0.5,0.5,1,1; }
--- refused
invalid value "zone=door:0,0,0.5,0.5,1,1"



=== TEST 118: predict motion: two zones of one name
--- http_config
    vidcast_source front { input test:; predict motion zone=door:0,0,1,0,1,1 zone=door:0,0,1,0,0,1; }
--- refused
invalid value "zone=door:0,0,1,0,0,1"



=== TEST 119: predict motion: outside=maybe
--- http_config
    vidcast_source front { input test:; predict motion outside=maybe; }
--- refused
invalid value "outside=maybe"



=== TEST 120: predict exec: a program that is nowhere
--- http_config
    vidcast_source front { input test:; predict exec nosuchprogram; }
--- refused
invalid predictor "exec": "nosuchprogram" is not in /usr/local/bin, /usr/bin or /bin



=== TEST 121: predict exec: a program that is not there
--- http_config
    vidcast_source front { input test:; predict exec /nowhere/program; }
--- refused
invalid predictor "exec": "/nowhere/program": No such file or directory



=== TEST 122: predict exec: a program that cannot be executed
--- http_config
    vidcast_source front { input test:; predict exec /etc/passwd; }
--- refused
invalid predictor "exec": "/etc/passwd" cannot be executed



=== TEST 123: predict exec: a directory as a program
--- http_config
    vidcast_source front { input test:; predict exec /usr/bin/; }
--- refused
invalid predictor "exec": "/usr/bin/" cannot be executed



=== TEST 124: predict exec: no program
--- http_config
    vidcast_source front { input test:; predict exec size=64x64; }
--- refused
invalid predictor "exec": no command



=== TEST 125: predict exec: an unknown parameter of a program
--- http_config
    vidcast_source front { input test:; predict exec cat sise=64x64; }
--- refused
invalid parameter "sise=64x64"



=== TEST 126: predict exec: an unknown format of pixels
--- http_config
    vidcast_source front { input test:; predict exec cat format=yuyv; }
--- refused
invalid value "format=yuyv"



=== TEST 127: predict exec: bare pixels of any size
--- http_config
    vidcast_source front { input test:; predict exec cat frames=pipe; }
--- refused
invalid predictor "exec": "frames=pipe" needs "size"



=== TEST 128: predict exec: bare pixels of sizes that differ
--- http_config
    vidcast_source front { input test:; predict exec cat frames=pipe size=64x64 fit=within; }
--- refused
invalid predictor "exec": "frames=pipe" needs "fit" to be "stretch" or "letterbox"



=== TEST 129: predict exec: a fit without a size
--- http_config
    vidcast_source front { input test:; predict exec cat fit=stretch; }
--- refused
invalid predictor "exec": "fit" needs "size"



=== TEST 130: predict exec: a fill above white
--- http_config
    vidcast_source front { input test:; predict exec cat size=64x64 fill=256; }
--- refused
invalid value "fill=256"



=== TEST 131: predict plugin: no plugin
--- http_config
    vidcast_source front { input test:; predict plugin timeout=1s; }
--- refused
invalid predictor "plugin": no file



=== TEST 132: predict plugin: a plugin that is not there
--- http_config
    vidcast_source front { input test:; predict plugin /nowhere.so; }
--- refused
invalid predictor "plugin": "/nowhere.so": No such file or directory



=== TEST 133: predict onnx: no model
--- http_config
    vidcast_source front { input test:; predict onnx score=0.5; }
--- refused
invalid predictor "onnx": no model



=== TEST 134: predict onnx: a model that is not there
--- http_config
    vidcast_source front { input test:; predict onnx /nowhere.onnx; }
--- refused
invalid predictor "onnx": "/nowhere.onnx": No such file or directory



=== TEST 135: predict onnx: two models
--- http_config
    vidcast_source front { input test:; predict onnx a.onnx b.onnx; }
--- refused
invalid parameter "b.onnx"



=== TEST 136: quality: with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; quality 80 90; }
--- refused
invalid number of arguments in "quality" directive



=== TEST 137: quality: twice
--- http_config
    vidcast_source front { input test:; quality 80; quality 80; }
--- refused
"quality" directive is duplicate



=== TEST 138: quality: 0
--- http_config
    vidcast_source front { input test:; quality 0; }
--- refused
invalid value "0" in "quality" directive, it must be between 1 and 100



=== TEST 139: quality: 101
--- http_config
    vidcast_source front { input test:; quality 101; }
--- refused
invalid value "101" in "quality" directive, it must be between 1 and 100



=== TEST 140: quality: -1
--- http_config
    vidcast_source front { input test:; quality -1; }
--- refused
invalid value "-1" in "quality" directive, it must be between 1 and 100



=== TEST 141: quality: good
--- http_config
    vidcast_source front { input test:; quality good; }
--- refused
invalid value "good" in "quality" directive, it must be between 1 and 100



=== TEST 142: quality: ""
--- http_config
    vidcast_source front { input test:; quality ""; }
--- refused
invalid value "" in "quality" directive, it must be between 1 and 100



=== TEST 143: encoders: with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; encoders; }
--- refused
invalid number of arguments in "encoders" directive



=== TEST 144: encoders: twice
--- http_config
    vidcast_source front { input test:; encoders 2; encoders 2; }
--- refused
"encoders" directive is duplicate



=== TEST 145: encoders: 0
--- http_config
    vidcast_source front { input test:; encoders 0; }
--- refused
invalid value "0" in "encoders" directive, it must be between 1 and 64



=== TEST 146: encoders: 65
--- http_config
    vidcast_source front { input test:; encoders 65; }
--- refused
invalid value "65" in "encoders" directive, it must be between 1 and 64



=== TEST 147: encoders: many
--- http_config
    vidcast_source front { input test:; encoders many; }
--- refused
invalid value "many" in "encoders" directive, it must be between 1 and 64



=== TEST 148: frames: with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; frames 20 1m 2m; }
--- refused
invalid number of arguments in "frames" directive



=== TEST 149: frames: twice
--- http_config
    vidcast_source front { input test:; frames auto; frames auto; }
--- refused
"frames" directive is duplicate



=== TEST 150: frames: 0
--- http_config
    vidcast_source front { input test:; frames 0; }
--- refused
invalid value "0" in "frames" directive, it must be between 1 and 1024



=== TEST 151: frames: 1025
--- http_config
    vidcast_source front { input test:; frames 1025; }
--- refused
invalid value "1025" in "frames" directive, it must be between 1 and 1024



=== TEST 152: frames: few
--- http_config
    vidcast_source front { input test:; frames few; }
--- refused
invalid value "few" in "frames" directive, it must be between 1 and 1024



=== TEST 153: frames: of 1023
--- http_config
    vidcast_source front { input test:; frames auto 1023; }
--- refused
invalid size "1023" in "frames" directive, it must be between 1024 and 67108864



=== TEST 154: frames: of 65m
--- http_config
    vidcast_source front { input test:; frames auto 65m; }
--- refused
invalid size "65m" in "frames" directive, it must be between 1024 and 67108864



=== TEST 155: frames: of big
--- http_config
    vidcast_source front { input test:; frames auto big; }
--- refused
invalid size "big" in "frames" directive, it must be between 1024 and 67108864



=== TEST 156: frames: too few for workers and encoders
--- http_config
    vidcast_source front { input test:; encoders 2; frames 8; }
--- refused
~ "frames 8" of vidcast_source "front" is too small for (?:1 workers and 2 encoders, it must be at least 9|2 workers and 2 encoders, it must be at least 11)



=== TEST 157: results: with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; results; }
--- refused
invalid number of arguments in "results" directive



=== TEST 158: results: twice
--- http_config
    vidcast_source front { input test:; results 16; results 16; }
--- refused
"results" directive is duplicate



=== TEST 159: results: 0
--- http_config
    vidcast_source front { input test:; results 0; }
--- refused
invalid value "0" in "results" directive, it must be between 1 and 65536



=== TEST 160: results: 65537
--- http_config
    vidcast_source front { input test:; results 65537; }
--- refused
invalid value "65537" in "results" directive, it must be between 1 and 65536



=== TEST 161: results: auto
--- http_config
    vidcast_source front { input test:; results auto; }
--- refused
invalid value "auto" in "results" directive, it must be between 1 and 65536



=== TEST 162: results: of 511
--- http_config
    vidcast_source front { input test:; results 16 511; }
--- refused
invalid size "511" in "results" directive, it must be between 512 and 1048576



=== TEST 163: results: of 2m
--- http_config
    vidcast_source front { input test:; results 16 2m; }
--- refused
invalid size "2m" in "results" directive, it must be between 512 and 1048576



=== TEST 164: results: of big
--- http_config
    vidcast_source front { input test:; results 16 big; }
--- refused
invalid size "big" in "results" directive, it must be between 512 and 1048576



=== TEST 165: stale: with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; stale 1s 2s; }
--- refused
invalid number of arguments in "stale" directive



=== TEST 166: stale: twice
--- http_config
    vidcast_source front { input test:; stale 5s; stale 5s; }
--- refused
"stale" directive is duplicate



=== TEST 167: stale: 0
--- http_config
    vidcast_source front { input test:; stale 0; }
--- refused
invalid value "0"



=== TEST 168: stale: never
--- http_config
    vidcast_source front { input test:; stale never; }
--- refused
invalid value "never"



=== TEST 169: stale: -5s
--- http_config
    vidcast_source front { input test:; stale -5s; }
--- refused
invalid value "-5s"



=== TEST 170: on_demand: with a wrong number of arguments
--- http_config
    vidcast_source front { input test:; on_demand 5s 3; }
--- refused
invalid number of arguments in "on_demand" directive



=== TEST 171: on_demand: twice
--- http_config
    vidcast_source front { input test:; on_demand 5s; on_demand off; }
--- refused
"on_demand" directive is duplicate



=== TEST 172: on_demand: 0
--- http_config
    vidcast_source front { input test:; on_demand 0; }
--- refused
invalid value "0"



=== TEST 173: on_demand: on
--- http_config
    vidcast_source front { input test:; on_demand on; }
--- refused
invalid value "on"



=== TEST 174: on_demand: without a device
--- http_config
    vidcast_source front { input push:; on_demand 10s; }
--- refused
"on_demand" is of no use with input "push:", which has no device to close



=== TEST 175: vidcast: in a server
--- http_config
    vidcast_source front { input test:; }
--- config
    vidcast;
--- refused
"vidcast" directive is not allowed here



=== TEST 176: vidcast: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast; vidcast; }
--- refused
"vidcast" directive is duplicate



=== TEST 177: vidcast: without any source
--- config
    location = /ws { vidcast; }
--- refused
"vidcast" without any vidcast_source



=== TEST 178: vidcast: without a name among two sources
--- http_config
    vidcast_source front { input test:; }
    vidcast_source back { input test:; }
--- config
    location = /ws { vidcast; }
--- refused
"vidcast" must name one of the sources



=== TEST 179: vidcast: an unknown source
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast back; }
--- refused
unknown vidcast_source "back"



=== TEST 180: vidcast: an unknown source, and none at all
--- config
    location = /ws { vidcast front; }
--- refused
unknown vidcast_source "front"



=== TEST 181: vidcast: a part of a name
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast fron; }
--- refused
unknown vidcast_source "fron"



=== TEST 182: vidcast: an unknown transport
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front as=rtsp; }
--- refused
invalid parameter "as=rtsp"



=== TEST 183: vidcast: an empty transport
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front as=; }
--- refused
invalid parameter "as="



=== TEST 184: vidcast: an unknown thing to send
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front send=sound; }
--- refused
invalid parameter "send=sound"



=== TEST 185: vidcast: an unknown parameter
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front fps=5; }
--- refused
invalid parameter "fps=5"



=== TEST 186: vidcast: two names
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front back; }
--- refused
invalid parameter "back"



=== TEST 187: vidcast: a name behind a parameter
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast as=sse front; }
--- refused
invalid parameter "front"



=== TEST 188: vidcast: a variable that nobody knows
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast $nobody; }
--- refused
unknown "nobody" variable



=== TEST 189: vidcast: an unknown source in a list
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front,back; }
--- refused
unknown vidcast_source "back"



=== TEST 190: vidcast: more than 32 sources in a list
--- http_config eval
join "\n", map { "vidcast_source s$_ { input test:; encoders 1; }" } 1 .. 33
--- config eval
"location = /ws { vidcast " . join(",", map { "s$_" } 1 .. 33) . "; }"
--- refused
~ more than 32 sources in "s1,s2,.*,s33"



=== TEST 191: vidcast: an empty place in a list
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front,,; }
--- refused
unknown vidcast_source ""



=== TEST 192: vidcast: an overlay of results
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front as=sse overlay=on; }
--- refused
"vidcast" directive has "overlay=on" without pictures to draw on, which are those of "as=mjpeg" and "as=snapshot"



=== TEST 193: vidcast: an overlay of a WebSocket
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front overlay=on as=websocket send=both; }
--- refused
"vidcast" directive has "overlay=on" without pictures to draw on, which are those of "as=mjpeg" and "as=snapshot"



=== TEST 194: vidcast: an overlay which may be
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast front as=mjpeg overlay=maybe; }
--- refused
invalid parameter "overlay=maybe"



=== TEST 195: vidcast: in an "if" of a server
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    if ($arg_x) { vidcast front; }
--- refused
"vidcast" directive is not allowed here



=== TEST 196: vidcast_publish: to a camera
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /publish { vidcast_publish front; }
--- refused
"vidcast_publish" needs a source with "input push:", which "front" is not,



=== TEST 197: vidcast_publish: to nobody
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish dor; }
--- refused
unknown vidcast_source "dor"



=== TEST 198: vidcast_publish: to two
--- http_config
    vidcast_source a { input push:; }
    vidcast_source b { input push:; }
--- config
    location = /publish { vidcast_publish a,b; }
--- refused
unknown vidcast_source "a,b"



=== TEST 199: vidcast_publish: without a name
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish; }
--- refused
invalid number of arguments in "vidcast_publish" directive



=== TEST 200: vidcast_publish: a wrong parameter
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish door takeover=maybe; }
--- refused
invalid parameter "takeover=maybe"



=== TEST 201: vidcast_publish: a time of none
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish door takeover=on timeout=0; }
--- refused
invalid parameter "timeout=0"



=== TEST 202: vidcast_publish: a time that is none
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish door takeover=on timeout=soon; }
--- refused
invalid parameter "timeout=soon"



=== TEST 203: vidcast_publish: a time without a value
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish door takeover=on timeout=; }
--- refused
invalid parameter "timeout="



=== TEST 204: vidcast_publish: twice
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish door; vidcast_publish door; }
--- refused
"vidcast_publish" directive is duplicate



=== TEST 205: vidcast_publish: in a server
--- config
    vidcast_publish door;
--- refused
"vidcast_publish" directive is not allowed here



=== TEST 206: vidcast_publish: to an unknown variable
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish { vidcast_publish $nobody; }
--- refused
unknown "nobody" variable



=== TEST 207: vidcast_status: in a server
--- config
    vidcast_status;
--- refused
"vidcast_status" directive is not allowed here



=== TEST 208: vidcast_status: another format
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_status xml; }
--- refused
invalid parameter "xml"



=== TEST 209: vidcast_status: two parameters
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /status { vidcast_status json prometheus; }
--- refused
invalid number of arguments in "vidcast_status" directive



=== TEST 210: vidcast_status: twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_status; vidcast_status prometheus; }
--- refused
"vidcast_status" directive is duplicate



=== TEST 211: vidcast_health: with a parameter
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /health { vidcast_health front; }
--- refused
invalid number of arguments in "vidcast_health" directive



=== TEST 212: vidcast_health: twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_health; vidcast_health; }
--- refused
"vidcast_health" directive is duplicate



=== TEST 213: vidcast_echo: in a server
--- config
    vidcast_echo;
--- refused
"vidcast_echo" directive is not allowed here



=== TEST 214: vidcast_echo: with a parameter
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_echo loud; }
--- refused
invalid number of arguments in "vidcast_echo" directive



=== TEST 215: vidcast_echo: twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_echo; vidcast_echo; }
--- refused
"vidcast_echo" directive is duplicate



=== TEST 216: vidcast_origin: an origin with a path
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin https://example.com/; }
--- refused
invalid host "https://example.com/", it is "[scheme://]host[:port]"



=== TEST 217: vidcast_origin: an empty origin
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin ""; }
--- refused
invalid host "", it is "[scheme://]host[:port]"



=== TEST 218: vidcast_origin: no origin and a host
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin none example.com; }
--- refused
"vidcast_origin" directive has "none" beside other values



=== TEST 219: vidcast_origin: a host and no origin
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin example.com none; }
--- refused
"vidcast_origin" directive has "none" beside other values



=== TEST 220: vidcast_origin: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin any; vidcast_origin same; }
--- refused
"vidcast_origin" directive is duplicate



=== TEST 221: vidcast_origin: without a value
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin; }
--- refused
invalid number of arguments in "vidcast_origin" directive



=== TEST 222: vidcast_origin: a path
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same http://h/path; }
--- refused
invalid host "http://h/path", it is "[scheme://]host[:port]"



=== TEST 223: vidcast_origin: all hosts
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same *; }
--- refused
invalid host "*", it is "[scheme://]host[:port]"



=== TEST 224: vidcast_origin: half a wildcard
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same a*b; }
--- refused
invalid host "a*b", it is "[scheme://]host[:port]"



=== TEST 225: vidcast_origin: a wildcard at the end
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same example.*; }
--- refused
invalid host "example.*", it is "[scheme://]host[:port]"



=== TEST 226: vidcast_origin: a wildcard of an address
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same *.[::1]; }
--- refused
invalid host "*.[::1]", it is "[scheme://]host[:port]"



=== TEST 227: vidcast_origin: a port that is none
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same example.com:http; }
--- refused
invalid host "example.com:http", it is "[scheme://]host[:port]"



=== TEST 228: vidcast_origin: a port out of range
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same example.com:65536; }
--- refused
invalid host "example.com:65536", it is "[scheme://]host[:port]"



=== TEST 229: vidcast_origin: a user
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same me@example.com; }
--- refused
invalid host "me@example.com", it is "[scheme://]host[:port]"



=== TEST 230: vidcast_origin: two of them
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same a.example,b.example; }
--- refused
invalid host "a.example,b.example", it is "[scheme://]host[:port]"



=== TEST 231: vidcast_origin: null
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same "null://"; }
--- refused
invalid host "null://", it is "[scheme://]host[:port]"



=== TEST 232: vidcast_origin: letters beyond ASCII
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same kämera.example; }
--- refused
invalid host "kämera.example", it is "[scheme://]host[:port]"



=== TEST 233: vidcast_origin: IPv6 without brackets
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_origin same ::1; }
--- refused
invalid host "::1", it is "[scheme://]host[:port]"



=== TEST 234: vidcast_fps: too large
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_fps 1001; }
--- refused
value must be between 0 and 1000



=== TEST 235: vidcast_fps: no number
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_fps many; }
--- refused
"vidcast_fps" directive invalid number



=== TEST 236: vidcast_fps: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_fps 5; vidcast_fps 5; }
--- refused
"vidcast_fps" directive is duplicate



=== TEST 237: vidcast_backlog: too large
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_backlog 65537; }
--- refused
value must be between 1 and 65536



=== TEST 238: vidcast_backlog: no number
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_backlog many; }
--- refused
"vidcast_backlog" directive invalid number



=== TEST 239: vidcast_backlog: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_backlog 5; vidcast_backlog 5; }
--- refused
"vidcast_backlog" directive is duplicate



=== TEST 240: vidcast_backlog: of nothing
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_backlog 0; }
--- refused
value must be between 1 and 65536



=== TEST 241: vidcast_max_viewers: below zero
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_max_viewers -1; }
--- refused
"vidcast_max_viewers" directive invalid number



=== TEST 242: vidcast_max_viewers: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_max_viewers 1; vidcast_max_viewers 1; }
--- refused
"vidcast_max_viewers" directive is duplicate



=== TEST 243: vidcast_max_message: no size
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_max_message big; }
--- refused
"vidcast_max_message" directive invalid value



=== TEST 244: vidcast_max_message: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_max_message 1k; vidcast_max_message 1k; }
--- refused
"vidcast_max_message" directive is duplicate



=== TEST 245: vidcast_deflate: neither on nor off
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_deflate maybe; }
--- refused
invalid value "maybe" in "vidcast_deflate" directive, it must be "on" or "off"



=== TEST 246: vidcast_deflate: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_deflate on; vidcast_deflate off; }
--- refused
"vidcast_deflate" directive is duplicate



=== TEST 247: vidcast_ping: no time
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping often; }
--- refused
invalid value "often"



=== TEST 248: vidcast_ping: with something else
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s wait=5s; }
--- refused
invalid parameter "wait=5s"



=== TEST 249: vidcast_ping: a timeout that is no time
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s timeout=long; }
--- refused
invalid value "timeout=long"



=== TEST 250: vidcast_ping: a timeout of nothing
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s timeout=0; }
--- refused
invalid value "timeout=0"



=== TEST 251: vidcast_ping: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s; vidcast_ping 5s; }
--- refused
"vidcast_ping" directive is duplicate



=== TEST 252: vidcast_ping: with too much
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_ping 5s timeout=5s 5s; }
--- refused
invalid number of arguments in "vidcast_ping" directive



=== TEST 253: vidcast_stall_timeout: no time
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_stall_timeout long; }
--- refused
"vidcast_stall_timeout" directive invalid value



=== TEST 254: vidcast_stall_timeout: of nothing
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_stall_timeout 0; }
--- refused
"vidcast_stall_timeout" directive must not be zero



=== TEST 255: vidcast_stall_timeout: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_stall_timeout 5s; vidcast_stall_timeout 5s; }
--- refused
"vidcast_stall_timeout" directive is duplicate



=== TEST 256: vidcast_snapshot_timeout: no time
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_snapshot_timeout long; }
--- refused
"vidcast_snapshot_timeout" directive invalid value



=== TEST 257: vidcast_snapshot_timeout: twice
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /ws { vidcast_snapshot_timeout 1s; vidcast_snapshot_timeout 1s; }
--- refused
"vidcast_snapshot_timeout" directive is duplicate



=== TEST 258: two handlers: one behind the other
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast front; vidcast_status; }
--- refused
"vidcast_status" cannot be in one location with "vidcast"



=== TEST 259: two handlers: the same two, the other way round
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_status prometheus; vidcast front; }
--- refused
"vidcast" cannot be in one location with "vidcast_status"



=== TEST 260: two handlers: viewers and publishers in a location
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast front; vidcast_publish door; }
--- refused
"vidcast_publish" cannot be in one location with "vidcast"



=== TEST 261: two handlers: health beside echo
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_echo; vidcast_health; }
--- refused
"vidcast_health" cannot be in one location with "vidcast_echo"



=== TEST 262: two handlers: echo beside health
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_health; vidcast_echo; }
--- refused
"vidcast_echo" cannot be in one location with "vidcast_health"



=== TEST 263: two handlers: in an "if"
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast front; if ($arg_x) { vidcast_status; vidcast_health; } }
--- refused
"vidcast_health" cannot be in one location with "vidcast_status"



=== TEST 264: two handlers: a handler of nginx's before
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { stub_status; vidcast front; }
--- refused
"vidcast" cannot be in one location with a handler of another module



=== TEST 265: two handlers: a handler of nginx's behind
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { vidcast_publish door; proxy_pass http://127.0.0.1:1; }
--- refused
"vidcast_publish" cannot be in one location with a handler of another module



=== TEST 266: two handlers: a handler of nginx's in the same "if"
--- http_config
    vidcast_source front { input test:; }
    vidcast_source door { input push:; }
--- config
    location = /ws { if ($arg_x) { vidcast front; proxy_pass http://127.0.0.1:1; } }
--- refused
"vidcast" cannot be in one location with a handler of another module



=== TEST 267: events: a method without edges
--- http_config
    vidcast_source front { input test:; }
--- event chomp
poll
--- skip_eval
2: `$Test::Nginx::Util::NginxBinary -V 2>&1` !~ /--with-poll_module/
--- refused
vidcast needs the "epoll" event method, but "use poll" is configured



=== TEST 268: input, truncated=: neither allow nor refuse
--- http_config
    vidcast_source front { input images:html truncated=on; }
--- refused
invalid value "truncated=on"



=== TEST 269: input, truncated=: without JPEGs
--- http_config
    vidcast_source front { input test: truncated=allow; }
--- refused
invalid parameter "truncated=allow"



=== TEST 270: vidcast_offline: none of its words
--- http_config
    vidcast_source front { input test:; }
--- config
    location = /video { vidcast as=mjpeg; vidcast_offline on; }
--- refused
invalid value "on"



=== TEST 271: vidcast_offline: twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_offline hold;
    vidcast_offline close;
--- refused
"vidcast_offline" directive is duplicate



=== TEST 272: vidcast_child: what only processes of ours read
--- main_config
    vidcast_child manager 0 { }
--- refused
"vidcast_child" directive is not for configurations



=== TEST 273: vidcast_child_source: likewise
--- main_config
    vidcast_child_source front { input test:; }
--- refused
"vidcast_child_source" directive is not for configurations



=== TEST 274: vidcast_watchdog: no time
--- http_config
    vidcast_source front { input test:; }
    vidcast_watchdog soon;
--- refused
invalid value "soon"



=== TEST 275: vidcast_watchdog: too short
--- http_config
    vidcast_source front { input test:; }
    vidcast_watchdog 999ms;
--- refused
"999ms" is too short for "vidcast_watchdog", which is "off", or one second at least



=== TEST 276: vidcast_watchdog: of nothing
--- http_config
    vidcast_source front { input test:; }
    vidcast_watchdog 0;
--- refused
"0" is too short for "vidcast_watchdog", which is "off", or one second at least



=== TEST 277: vidcast_watchdog: twice
--- http_config
    vidcast_source front { input test:; }
    vidcast_watchdog off;
    vidcast_watchdog 5s;
--- refused
"vidcast_watchdog" directive is duplicate



=== TEST 278: vidcast_watchdog: in a server
--- http_config
    vidcast_source front { input test:; }
--- config
    vidcast_watchdog 5s;
--- refused
"vidcast_watchdog" directive is not allowed here



=== TEST 279: output: an unknown scheme
--- http_config
    vidcast_source front {
        input test:;
        output rtsp://127.0.0.1/video;
    }
--- refused
invalid output "rtsp://127.0.0.1/video": unknown scheme, there is "nats:"



=== TEST 280: output: no scheme
--- http_config
    vidcast_source front {
        input test:;
        output here;
    }
--- refused
invalid output "here": unknown scheme, there is "nats:"



=== TEST 281: output: no argument
--- http_config
    vidcast_source front {
        input test:;
        output;
    }
--- refused
invalid number of arguments in "output" directive



=== TEST 282: output: no host
--- http_config
    vidcast_source front {
        input test:;
        output nats:///video;
    }
--- refused
invalid output "nats:///video": no host



=== TEST 283: output: no prefix
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1;
    }
--- refused
invalid output "nats://127.0.0.1": it has no prefix of subjects, as "/video"



=== TEST 284: output: a prefix with a wildcard
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video.*;
    }
--- refused
invalid output "nats://127.0.0.1/video.*": its prefix of subjects may have letters, digits, "_", "-" and "." only



=== TEST 285: output: a prefix with an empty part
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video..front;
    }
--- refused
invalid output "nats://127.0.0.1/video..front": its prefix of subjects has an empty part



=== TEST 286: output: a port that is none
--- http_config
    vidcast_source front {
        input test:;
        output nats://me:key@127.0.0.1,b:65536/video;
    }
--- refused
~ invalid output "nats://\*\*\*": it is not clear what its host is; .*, and "," as %2C



=== TEST 287: output: a password with a comma
--- http_config
    vidcast_source front {
        input test:;
        output nats://me:k,ey@127.0.0.1/video;
    }
--- refused
~ invalid output "nats://\*\*\*": it is not clear what its host is; .*, and "," as %2C



=== TEST 288: output: a host in quotes
--- http_config
    vidcast_source front {
        input test:;
        output 'nats://"a"/video';
    }
--- refused
invalid output "nats://"a"/video": its host has the character """



=== TEST 289: output: an unknown parameter
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video group=a;
    }
--- refused
invalid parameter "group=a"



=== TEST 290: output: a word that is no parameter
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video both;
    }
--- refused
invalid parameter "both"



=== TEST 291: output: send: neither results, frames nor both
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video send=all;
    }
--- refused
invalid value "send=all"



=== TEST 292: output: fps: none
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video fps=0;
    }
--- refused
invalid value "fps=0"



=== TEST 293: output: fps: of results
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video send=results fps=5;
    }
--- refused
invalid output "nats://127.0.0.1/video": "fps" is of no use with "send=results"



=== TEST 294: output: tls: neither on nor off
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video tls=yes;
    }
--- refused
invalid value "tls=yes"



=== TEST 295: output: tls: off, with a file of authorities
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video tls=off ca=ca.pem;
    }
--- refused
invalid output "nats://127.0.0.1/video": "ca" is of no use with "tls=off"



=== TEST 296: output: creds: no file
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video creds=;
    }
--- refused
invalid value "creds="



=== TEST 297: output: cert: without its key
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video cert=cert.pem;
    }
--- refused
invalid output "nats://127.0.0.1/video": "cert" needs "key"



=== TEST 298: output: key: without its certificate
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video key=key.pem;
    }
--- refused
invalid output "nats://127.0.0.1/video": "key" needs "cert"



=== TEST 299: output: twice to one place
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/video;
        output nats://me:key@127.0.0.1/other;
        output nats://you:key@127.0.0.1/other;
    }
--- refused
invalid output "nats://***@127.0.0.1/other": there is one already



=== TEST 300: output: more than four
--- http_config
    vidcast_source front {
        input test:;
        output nats://127.0.0.1/a;
        output nats://127.0.0.1/b;
        output nats://127.0.0.1/c;
        output nats://127.0.0.1/d;
        output nats://127.0.0.1/e;
    }
--- refused
more than 4 outputs of vidcast_source "front"



=== TEST 301: output: of a source whose name is no subject
--- http_config
    vidcast_source front. {
        input test:;
        output nats://127.0.0.1/video;
    }
--- refused
invalid output "nats://127.0.0.1/video": the name "front." of the source has an empty part, so that it can be no subject



=== TEST 302: output: outside of a source
--- http_config
    output nats://127.0.0.1/video;
--- refused
unknown directive "output"
