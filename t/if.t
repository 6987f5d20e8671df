# Copyright (C) vidcast contributors

# "if" and "limit_except" are locations of their own to nginx, without a name:
# people put a header or a log into them, and expect that the rest goes on as
# it stands around, as it does with "proxy_pass".

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

plan tests => repeat_each() * 2 * blocks();

no_long_string();
run_tests();

__DATA__

=== TEST 1: each transport
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=100;
        predict  delay time=1ms;
    }
--- config
    location = /snapshot { vidcast front as=snapshot;
                           if ($arg_x) { add_header X-If yes; } }
    location = /mjpeg    { vidcast front as=mjpeg;
                           if ($arg_x) { add_header X-If yes; } }
    location = /sse      { vidcast front as=sse;
                           if ($arg_x) { add_header X-If yes; } }
    location = /ndjson   { vidcast front as=ndjson;
                           if ($arg_x) { add_header X-If yes; } }
    location = /ws       { vidcast front as=websocket send=frames;
                           if ($arg_x) { add_header X-If yes; } }
--- live
front
--- client
    my $shot = get('/snapshot?x=1');

    is $shot->{status}, 200, 'snapshot';
    is jpeg_info($shot->{body})->{width}, 64, 'a picture';
    is $shot->{headers}{'x-if'}, 'yes', 'and what the "if" is for';
    is get('/snapshot')->{headers}{'x-if'}, undef, 'not when it does not hold';

    my $mjpeg = stream('/mjpeg?x=1');
    my $sse = stream('/sse?x=1');
    my $ndjson = stream('/ndjson?x=1');
    my $ws = websocket('/ws?x=1');

    is $_->header('X-If'), 'yes', 'of the "if"' for $mjpeg, $sse, $ndjson;
    ok $mjpeg->part, 'mjpeg';
    ok result($sse), 'sse';
    ok decode_json($ndjson->line), 'ndjson';
    is $ws->status, 101, 'websocket';
    is jpeg_info($ws->message->{data})->{width}, 64, 'which sends frames';



=== TEST 2: which source, also by variables
--- http_config
    vidcast_source small { input test: size=64x48; }
    vidcast_source large { input test: size=320x240; }
--- config
    location = /large { vidcast large as=snapshot;
                        if ($arg_x) { add_header X-If yes; } }
    location ~ ^/of/(?<name>.*)$ { vidcast $name as=snapshot;
                        if ($arg_x) { add_header X-If x; }
                        if ($arg_y) { add_header X-If y; } }
--- live
small
large
--- client
    is jpeg_info(get('/large?x=1')->{body})->{width}, 320, 'by its name';
    is jpeg_info(get('/of/large?x=1')->{body})->{width}, 320, 'by a variable';
    is jpeg_info(get('/of/small?x=1&y=1')->{body})->{width}, 64,
        'of two that hold';
    is get('/of/small?x=1&y=1')->{headers}{'x-if'}, 'y', 'the last one';



=== TEST 3: the directives without a source
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /status { vidcast_status;
                         if ($arg_x) { add_header X-If yes; } }
    location = /metrics { vidcast_status prometheus;
                         if ($arg_x) { add_header X-If yes; } }
    location = /health { vidcast_health;
                         if ($arg_x) { add_header X-If yes; } }
    location = /echo   { vidcast_echo;
                         if ($arg_x) { add_header X-If yes; } }
--- live
front
--- client
    my %like = (status => qr/^\{"v":1,"pid"/, metrics => qr/^# HELP vidcast/,
                health => qr/"status":"ok"/);

    for my $path (sort keys %like) {
        my $answer = get("/$path?x=1");

        is $answer->{headers}{'x-if'}, 'yes', "the \"if\" of $path";
        like $answer->{body}, $like{$path}, 'the same answer';
    }

    my $echo = websocket('/echo?x=1');

    $echo->send_text('hello');
    is $echo->message->{data}, 'hello', 'echo';



=== TEST 4: publishers, and what "takeover" says
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /publish  { vidcast_publish door takeover=on;
                           if ($arg_x) { add_header X-If yes always; } }
    location = /meek     { vidcast_publish door;
                           if ($arg_x) { add_header X-If yes always; } }
--- live
door off
--- client
    my $answer = request('/publish?x=1', method => 'POST',
                         body => picture(64, 48, 100));

    is $answer->{status}, 204, 'published';
    is $answer->{headers}{'x-if'}, 'yes', 'with the header';

    my $first = websocket('/publish?x=1');

    $first->send_binary(picture(64, 48, 120));
    ok wait_for { source('door')->{published} == 2 }, 'by WebSocket';
    is request('/meek?x=1', method => 'POST',
               body => picture(64, 48, 140))->{status}, 409, 'one at a time';

    my $second = websocket('/publish?x=1');

    ok $first->closed_with(1008), 'taken over';



=== TEST 5: limit_except
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_source door { input push:; }
--- config
    location = /publish  { vidcast_publish door;
                           limit_except GET { allow 127.0.0.1; deny all; } }
    location = /denied   { vidcast_publish door;
                           limit_except GET { deny all; } }
    location = /snapshot { vidcast front as=snapshot;
                           limit_except POST { allow all; } }
--- live
front
door off
--- no_error_log
[alert]
--- client
    my @body = (method => 'PUT', body => picture(64, 48, 100));

    is request('/publish', @body)->{status}, 204, 'one that is allowed';
    is request('/denied', @body)->{status}, 403, 'one that is not';
    is jpeg_info(get('/snapshot')->{body})->{width}, 64, 'a viewer';



=== TEST 6: locations inside have none
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location /s {
        vidcast front as=snapshot;

        location /s/in     { }
        location ~ ^/s/re$ { add_header X-Re yes always; }
    }
--- live
front
--- no_error_log
[alert]
--- client
    is get('/s')->{status}, 200, 'the location itself';
    is get('/s/other')->{status}, 200, 'and what begins with it';
    is get('/s/in')->{status}, 404, 'a location in it';
    is get('/s/re')->{status}, 404, 'by a regular expression, too';



=== TEST 7: an "if" that has its own
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=1ms; }
    vidcast_source door { input push:; }
--- config
    location = /one { vidcast front as=snapshot;
                      if ($arg_x) { vidcast_status; }
                      if ($arg_y) { add_header X-If y; } }
    location = /two { vidcast front as=sse;
                      if ($arg_x) { vidcast front as=snapshot; }
                      limit_except GET { vidcast_publish door; } }
    location = /foreign { vidcast front as=snapshot;
                      if ($arg_x) {
                          proxy_pass http://127.0.0.1:$server_port/test-status;
                      } }
--- live
front
door off
--- client
    is get('/one')->{headers}{'content-type'}, 'image/jpeg', 'around it';
    like get('/one?x=1')->{body}, qr/^\{"v":1,/, 'the status in it';
    is get('/one?y=1')->{headers}{'content-type'}, 'image/jpeg',
        'the other one';
    is get('/one?x=1&y=1')->{headers}{'content-type'}, 'image/jpeg',
        'the last one that holds';
    is get('/two?x=1')->{headers}{'content-type'}, 'image/jpeg',
        'the same directive';
    is request('/two', method => 'POST',
               body => picture(64, 48, 100))->{status}, 204, 'limit_except';
    like get('/foreign?x=1')->{body}, qr/^\{"v":1,/, 'of another module';



=== TEST 8: two of which only the first one has something
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_source door { input push:; }
--- config
    location = /none { if ($arg_x) { vidcast_publish door; }
                       if ($arg_y) { add_header X-If y; } }
--- error_log
the last "if" that holds has no vidcast directive
--- client
    is request('/none?x=1', method => 'POST', body => 'x')->{status}, 400,
        'the first one';
    is request('/none?x=1&y=1', method => 'POST', body => 'x')->{status}, 500,
        'both';



=== TEST 9: boxes
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=50;
        predict  delay time=0 text=none;
    }
--- config
    location = /plain  { vidcast front as=snapshot; }
    location = /drawn  { vidcast front as=snapshot overlay=on;
                         if ($arg_x) { add_header X-If yes; } }
--- live
front
--- client
    is get('/drawn?x=1&overlay=on')->{status}, 200, 'as the location has them';
    is get('/plain?overlay=on')->{status}, 403, 'and this one has not';
