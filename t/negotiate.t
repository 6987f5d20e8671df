# Copyright (C) vidcast contributors

# One URL for everybody: "as=auto" looks at what the client can take, and tells
# the others how to ask.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;


# what an Accept header is answered with; HEAD, so that it ends

sub type {
    my ($path, @accept) = @_;

    my $response = get($path, method => 'HEAD',
                       headers => [map { (Accept => $_) } @accept]);

    return $response->{status} == 200 ? $response->{headers}{'content-type'}
                                      : $response->{status};
}


plan tests => repeat_each() * (2 * blocks() + 2);

no_long_string();
run_tests();

__DATA__

=== TEST 1: by the Accept header
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /auto { vidcast; }
--- live
front
--- client
    is main::type('/auto', 'text/event-stream'), 'text/event-stream', 'SSE';
    is main::type('/auto', 'application/x-ndjson'), 'application/x-ndjson',
        'NDJSON';
    is main::type('/auto', 'multipart/x-mixed-replace'),
        'multipart/x-mixed-replace; boundary=frame', 'MJPEG';
    is main::type('/auto', 'image/jpeg'), 'image/jpeg', 'snapshot';



=== TEST 2: in all the forms of the header
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /auto { vidcast front as=auto; }
--- live
front
--- client
    my $sse = 'text/event-stream';

    is main::type('/auto', 'Text/Event-Stream'), $sse, 'in any case';
    is main::type('/auto', "$sse;q=0.9, */*;q=0.1"), $sse, 'with parameters';
    is main::type('/auto', "$sse ; q=0.9"), $sse, 'with spaces';
    is main::type('/auto', "text/html,\t$sse"), $sse, 'in a list';
    is main::type('/auto', 'text/html', $sse), $sse, 'in another header';
    is main::type('/auto', "image/jpeg, $sse"), $sse, 'results first';



=== TEST 3: what is nearly one of them is not
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /auto { vidcast; }
--- client
    for my $accept ('*/*', 'text/*', 'image/*', '', ',', ' , ,',
                    'text/event-streams', 'xtext/event-stream', 'image/jpeg2',
                    'text/html,application/xhtml+xml,*/*;q=0.8',
                    'image/avif,image/webp,image/apng,*/*;q=0.8')
    {
        is get('/auto', headers => [Accept => $accept])->{status}, 426,
            "\"$accept\"";
    }



=== TEST 4: 426 tells how to ask
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /auto { vidcast; }
--- request
GET /auto
--- response_headers
Upgrade: websocket
Sec-WebSocket-Version: 13
--- error_code: 426



=== TEST 5: an upgrade comes before the Accept header
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /auto { vidcast; }
--- client
    my $ws = websocket('/auto', headers => [Accept => 'text/event-stream']);

    ok $ws->accepted, 'accepted';
    ok $ws->json, 'a result';



=== TEST 6: an upgrade to something else
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /auto { vidcast; }
--- more_headers
Upgrade: h2c
--- request
GET /auto
--- error_code: 426



=== TEST 7: said in the configuration, the Accept header has no say
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /websocket { vidcast front as=websocket; }
    location = /sse       { vidcast front as=sse; }
    location = /mjpeg     { vidcast front as=mjpeg; }
    location = /ndjson    { vidcast front as=ndjson; }
    location = /snapshot  { vidcast front as=snapshot; }
--- live
front
--- client
    for my $accept ('image/jpeg', 'text/event-stream', '*/*') {
        is main::type('/websocket', $accept), 405, 'WebSocket is for GET';
        is get('/websocket', headers => [Accept => $accept])->{status}, 426,
            'and for what asks';
        is main::type('/sse', $accept), 'text/event-stream', 'SSE';
        is main::type('/mjpeg', $accept),
            'multipart/x-mixed-replace; boundary=frame', 'MJPEG';
        is main::type('/ndjson', $accept), 'application/x-ndjson', 'NDJSON';
        is main::type('/snapshot', $accept), 'image/jpeg', 'snapshot';
    }



=== TEST 8: a WebSocket where there is none
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot { vidcast front as=snapshot; }
--- live
front
--- client
    my $ws = websocket('/snapshot');

    is $ws->status, 200, 'not switched';
    ok jpeg_info($ws->read_body), 'a picture';



=== TEST 9: other methods
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /auto { vidcast; }
--- client
    my @accept = (headers => [Accept => 'text/event-stream']);

    for my $method (qw(POST PUT DELETE PATCH OPTIONS)) {
        is get('/auto', method => $method, @accept)->{status}, 405,
            "$method, SSE";
        is get('/auto', method => $method)->{status}, 405, $method;
    }



=== TEST 10: several sources at one location
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_source back  { input test: size=80x48; }
--- config
    location ~ ^/(?<name>\w+)$ { vidcast $name; }
--- live
front
back
--- client
    my @accept = (headers => [Accept => 'image/jpeg']);

    is jpeg_info(get('/front', @accept)->{body})->{width}, 64, 'front';
    is jpeg_info(get('/back', @accept)->{body})->{width}, 80, 'back';



=== TEST 11: a proxy of our own in between
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /auto { vidcast; }

    location = /proxied {
        proxy_pass          http://127.0.0.1:$TEST_NGINX_SERVER_PORT/auto;
        proxy_buffering     off;
        proxy_http_version  1.1;
        proxy_set_header    Host        $host;
        proxy_set_header    Upgrade     $http_upgrade;
        proxy_set_header    Connection  $http_connection;
    }
--- client
    my $ws = websocket('/proxied');

    ok $ws->accepted, 'WebSocket';
    ok $ws->json, 'a result';

    my $sse = stream('/proxied', headers => [Accept => 'text/event-stream']);

    ok result($sse), 'SSE';
