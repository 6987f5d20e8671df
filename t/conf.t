# Copyright (C) vidcast contributors

# What is accepted, in all the forms that docs/directives gives, and what comes
# of it: a form that is taken and then ignored is worse than a refused one.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

plan tests => repeat_each() * (2 * blocks() + 1);

no_long_string();
run_tests();

__DATA__

=== TEST 1: test: with all of its parameters
--- http_config
    vidcast_source front {
        input  test: size=160x120 fps=10 noise=0 shapes=1;
    }
--- live
front
--- client
    my $source = source('front');

    is $source->{width}, 160, 'width';
    is $source->{height}, 120, 'height';
    is $source->{fps_asked}, 10, 'rate';



=== TEST 2: rates in all their forms
--- http_config
    vidcast_source decimal  { input test: size=64x48 fps=29.97; }
    vidcast_source fraction { input test: size=64x48 fps=30000/1001; }
    vidcast_source slow     { input test: size=64x48 fps=0.5; }
    vidcast_source default  { input test: size=64x48; }
--- live
decimal
fraction
slow
default
--- client
    is source('decimal')->{fps_asked}, 29.97, 'decimal';
    is source('fraction')->{fps_asked}, 29.97, 'a fraction';
    is source('slow')->{fps_asked}, 0.5, 'below one';
    is source('default')->{fps_asked}, 30, 'the default';



=== TEST 3: the default size of test:
--- http_config
    vidcast_source front { input test:; }
--- live
front
--- client
    is source('front')->{width}, 640, 'width';
    is source('front')->{height}, 480, 'height';



=== TEST 4: the smallest picture
--- http_config
    vidcast_source front { input test: size=16x16; }
--- live
front
--- client
    is source('front')->{width}, 16, 'width';



=== TEST 5: odd sizes
--- http_config
    vidcast_source front { input test: size=161x121; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- client
    my $info = jpeg_info(get('/snapshot.jpg')->{body});

    is $info->{width}, 161, 'width';
    is $info->{height}, 121, 'height';



=== TEST 6: every directive of a source
--- http_config
    vidcast_source front {
        # comments, and "quotes"
        input     "test:" 'size=160x120' "fps=30" warmup=2;
        predict   delay time=10ms "text=it said \"yes\"";
        quality   50;
        encoders  1;
        frames    16 1m;
        results   8 1k;
        stale     1500ms;
        on_demand 10s;
    }
--- config
    location = /ws { vidcast; }
--- client
    is websocket('/ws')->json->{result}, 'it said "yes"', 'a result';



=== TEST 7: in any order
--- http_config
    vidcast_source front {
        on_demand off;
        stale     1m;
        results   16;
        frames    auto;
        encoders  2;
        quality   100;
        predict   motion threshold=20 outside=off emit=always area=0.01
                  zone=a:0,0,1,0,1,1 zone=B-2_x.y:.5,0,1,1,0.123456,1,0,0.5;
        input     test: size=160x120;
    }
--- config
    location = /ws { vidcast; }
--- client
    is ref websocket('/ws')->json->{result}{detections}, 'ARRAY', 'a result';



=== TEST 8: the quality is the encoder's
--- http_config
    vidcast_source good { input test: size=320x240 fps=5; quality 95; }
    vidcast_source poor { input test: size=320x240 fps=5; quality 10; }
--- config
    location ~ ^/(.*).jpg$ { vidcast $1 as=snapshot; }
--- live
good
poor
--- client
    my ($good, $poor) = map { length get("/$_.jpg")->{body} } qw(good poor);

    cmp_ok $good, '>', 3 * $poor, 'more bytes for more quality';



=== TEST 9: a frame larger than "frames" allows
--- http_config
    vidcast_source front { input test: size=320x240; frames auto 1k; }
--- error_log
a frame of vidcast source "front" is larger than 1024 bytes
--- client
    ok wait_for { (source('front') // {})->{dropped}{too_large} },
        'counted';
    is source('front')->{published}, 0, 'and not sent';



=== TEST 10: a name of 63 bytes, and one of all the signs
--- http_config eval
'vidcast_source ' . 'a' x 63 . ' { input test: size=64x48; }
vidcast_source Aa-Zz_0.9 { input test: size=64x48; }'
--- client
    ok wait_for { Vidcast::Blocks::live('a' x 63) }, 'the long one';
    ok wait_for { Vidcast::Blocks::live('Aa-Zz_0.9') }, 'all signs';



=== TEST 11: a source defined behind the location that names it
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
    }

    vidcast_source front { input test: size=64x48; }

    server {
        server_name  behind;
--- live
front
--- client
    is get('/snapshot.jpg')->{status}, 200, 'served';



=== TEST 12: a name of variables
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_source back  { input test: size=80x48; }
    map $arg_camera $camera { default front; second back; }
--- config
    location = /snapshot.jpg { vidcast $camera as=snapshot; }
    location ~ ^/(?<some>fro|ba)/snapshot.jpg$ {
        vidcast  "${some}${arg_rest}" as=snapshot;
    }
--- live
front
back
--- client
    my $width = sub { jpeg_info(get($_[0])->{body})->{width} };

    is $width->('/snapshot.jpg'), 64, 'the default';
    is $width->('/snapshot.jpg?camera=second'), 80, 'the other one';
    is $width->('/fro/snapshot.jpg?rest=nt'), 64, 'put together';



=== TEST 13: the only source needs no name
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast as=snapshot; }
--- live
front
--- request
GET /snapshot.jpg
--- response_headers
Content-Type: image/jpeg



=== TEST 14: every directive at every level
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }

    vidcast_fps            10;
    vidcast_backlog        8;
    vidcast_ping           5s;
    vidcast_stall_timeout  500ms;
    vidcast_offline        hold;
    vidcast_max_message    1k;
    vidcast_origin         any;
--- config
    vidcast_fps            0;
    vidcast_backlog        65536;
    vidcast_ping           0;
    vidcast_stall_timeout  1h;
    vidcast_offline        picture;
    vidcast_max_message    1m;
    vidcast_origin         none;

    location = /ws {
        vidcast  front as=websocket send=both;

        vidcast_fps            1000;
        vidcast_backlog        1;
        vidcast_ping           1m timeout=10s;
        vidcast_stall_timeout  1;
        vidcast_offline        close;
        vidcast_max_message    0;
        vidcast_origin         same example.com example.com:8080 *.example.org;
    }
--- client
    ok websocket('/ws')->json, 'a result';



=== TEST 15: a parameter may come before the name of another, as after it
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /a { vidcast as=ndjson send=results; }
    location = /b { vidcast send=results as=ndjson; }
    location = /c { vidcast front send=results as=ndjson; }
    location = /d { vidcast front; }
    location = /e { vidcast; }
--- client
    for my $path (qw(/a /b /c)) {
        is get($path, method => 'HEAD')->{headers}{'content-type'},
            'application/x-ndjson', $path;
    }

    ok websocket($_)->accepted, $_ for qw(/d /e);



=== TEST 16: vidcast_fps is inherited, and narrowed
--- http_config
    vidcast_source front { input test: size=64x48 fps=50; }
    vidcast_fps 2;
--- config
    location = /few  { vidcast front as=mjpeg; }
    location = /many { vidcast front as=mjpeg; vidcast_fps 0; }
--- client
    my ($few, $many) = map { stream($_) } qw(/few /many);
    my $frame = sub { $_[0]->part->{headers}{'x-vidcast-frame'} };

    # the first one may be old, the third comes half a time early at most

    my (undef, $one, $two) = map { $frame->($few) } 1 .. 3;

    cmp_ok $two - $one, '>=', 12, 'not all of them';

    # a busy machine may lose some, but not always

    $one = $frame->($many);
    ok wait_for { $two = $one; ($one = $frame->($many)) - $two < 12 },
        'all that can be had';



=== TEST 17: vidcast_max_message is inherited
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_max_message 8;
--- config
    location = /small { vidcast; }
    location = /large { vidcast; vidcast_max_message 1k; }
--- client
    my ($small, $large) = map { websocket($_) } qw(/small /large);

    $_->send_text('x' x 9) for $small, $large;
    $large->send_ping('still there');

    is $small->closed_with, 1009, 'too large';
    is $large->message('pong')->{data}, 'still there', 'not too large';



=== TEST 18: other modules in the same location
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg {
        deny      127.0.0.1;
        vidcast   front as=snapshot;
    }
--- request
GET /snapshot.jpg
--- error_code: 403
--- error_log
access forbidden by rule



=== TEST 19: v4l2: with all of its parameters, and no such device
--- http_config
    vidcast_source front {
        input  v4l2:/dev/v4l/by-id/none size=1280x720 fps=29.97 format=mjpeg
               input=0 norm=pal-bg ctrl.brightness=-5 ctrl.focus_auto=off
               "ctrl.power_line_frequency=50 Hz";
    }
--- live
front reconnecting
--- client
    my $source = source('front');

    is $source->{error}, 'no such device', 'the reason';
    is $source->{fps_asked}, 29.97, 'rate';
