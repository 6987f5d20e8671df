# Copyright (C) vidcast contributors

# The smallest use of each thing: if this fails, all the other files do, and
# this is the one to look at first.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

plan tests => repeat_each() * (2 * blocks() + 5);

no_long_string();
run_tests();

__DATA__

=== TEST 1: the status
--- http_config
    vidcast_source front { input test: size=320x240; }
--- config
    location = /status { vidcast_status; }
--- request
GET /status
--- response_headers
Content-Type: application/json
--- response_body_like: "name":"front"



=== TEST 2: a picture
--- http_config
    vidcast_source front { input test: size=320x240; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- request
GET /snapshot.jpg
--- response_headers
Content-Type: image/jpeg
--- response_body_like eval
qr/^\xff\xd8.*\xff\xd9$/s



=== TEST 3: results by WebSocket
--- http_config
    vidcast_source front { input test: size=320x240; predict delay time=0; }
--- config
    location = /ws { vidcast; }
--- client
    my $ws = websocket('/ws');

    ok $ws->accepted, 'accepted';
    is $ws->json->{source}, 'front', 'a result';
    is $ws->faults, '', 'without a fault';



=== TEST 4: pictures by WebSocket
--- http_config
    vidcast_source front { input test: size=320x240; }
--- config
    location = /ws { vidcast front send=frames; }
--- client
    my $ws = websocket('/ws');

    ok $ws->accepted, 'accepted';
    is jpeg_info($ws->message('binary')->{data})->{width}, 320, 'a picture';
    is $ws->faults, '', 'without a fault';



=== TEST 5: results by SSE
--- http_config
    vidcast_source front { input test: size=320x240; predict delay time=0; }
--- config
    location = /events { vidcast front as=sse; }
--- client
    my $sse = stream('/events');

    is $sse->status, 200, 'status';
    is result($sse)->{source}, 'front', 'a result';



=== TEST 6: MJPEG
--- http_config
    vidcast_source front { input test: size=320x240; }
--- config
    location = /video { vidcast front as=mjpeg; }
--- client
    my $mjpeg = stream('/video');

    is $mjpeg->status, 200, 'status';
    is jpeg_info($mjpeg->part->{data})->{height}, 240, 'a picture';



=== TEST 7: results by NDJSON
--- http_config
    vidcast_source front { input test: size=320x240; predict delay time=0; }
--- config
    location = /lines { vidcast front as=ndjson; }
--- client
    my $lines = stream('/lines');

    is $lines->status, 200, 'status';
    is decode_json($lines->line)->{source}, 'front', 'a result';



=== TEST 8: a predictor that looks
--- http_config
    vidcast_source front { input test: size=320x240; predict motion; }
--- config
    location = /ws { vidcast; }
--- client
    my $ws = websocket('/ws');

    is ref $ws->json->{result}{detections}, 'ARRAY', 'detections';



=== TEST 9: a folder of pictures
--- http_config
    vidcast_source front { input images:$TEST_NGINX_SERVER_ROOT/html/cam; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- pictures
cam/1.jpg 64x48 100
--- live
front
--- request
GET /snapshot.jpg
--- response_body eval
Vidcast::Picture::picture(64, 48, 100)
