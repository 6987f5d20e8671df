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


plan tests => repeat_each() * (2 * blocks() + 6);

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
Content-Type: text/plain; charset=utf-8
--- response_body_like: new WebSocket\("ws://localhost/auto"\)
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



=== TEST 12: 426, to a browser: a page that loads and runs nothing
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location /auto { vidcast; }
    location = /ws { vidcast front as=websocket; }
--- client
    my @html = (Accept => 'text/html,application/xhtml+xml,*/*;q=0.8');
    my $page = get('/auto/x?token=secret',
                   headers => [@html, Host => 'cam.example:81']);

    is $page->{status}, 426, 'the status';
    is $page->{headers}{upgrade}, 'websocket', 'Upgrade';
    is $page->{headers}{'content-type'}, 'text/html; charset=utf-8', 'a page';
    like $page->{headers}{'content-security-policy'},
        qr/^default-src 'none';/, 'of which nothing is loaded or run';
    is $page->{headers}{'cache-control'}, 'no-store', 'nor kept';

    my $url = 'cam.example:81/auto/x';

    like $page->{body}, qr/new WebSocket\(&quot;ws:\/\/\Q$url\E&quot;\)/,
        'WebSocket';
    like $page->{body}, qr/new EventSource\(&quot;http:\/\/\Q$url\E&quot;\)/,
        'EventSource';
    like $page->{body}, qr/curl [^\n]*image\/jpeg[^\n]* 'http:\/\/\Q$url\E'/,
        'a snapshot';
    like $page->{body}, qr/as=mjpeg/, 'MJPEG';
    unlike $page->{body}, qr/secret/, 'the query is its own';
    is length $page->{body}, $page->{headers}{'content-length'}, 'all of it';

    my $ws = get('/ws', headers => \@html)->{body};

    like $ws, qr/WebSocket/, 'of a WebSocket alone';
    unlike $ws, qr/EventSource|curl/, 'nothing else';
    is get('/auto', method => 'HEAD', headers => \@html)->{status}, 405,
        'HEAD is refused as ever';



=== TEST 13: 426, to a hostile link
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location ~ ^/ { vidcast; }
--- client
    my $hostile = q{/"><script>alert(1)</script>'`$(id)\\&<!--} . "\xff";
    my %bodies = map { $_ => get($hostile, headers => [
        Accept => $_, Host => q{a"<b>'$(x)}])->{body} } qw(text/html */*);

    for my $accept (sort keys %bodies) {
        my ($urls) = $bodies{$accept} =~ m{(ws://[^\s]+)};

        like $urls, qr{^ws://a%22%3Cb%3E%27%24%28x%29/%22%3E%3Cscript%3Ealert
                       %281%29%3C/script%3E%27%60%24%28id%29%5C%26%3C%21--%FF}x,
            "$accept: all of it is encoded";
        unlike $bodies{$accept}, qr/<script|<b>|\$\(|`|\xff/,
            "$accept: nothing of it is code";
    }

    is_deeply [ $bodies{'text/html'} =~ /<(\/?\w+)/g ],
        [ qw(html meta meta meta title /title h1 /h1 pre /pre) ],
        'these elements and no others';



=== TEST 14: 426, a page of its own
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /auto { vidcast; error_page 426 /how.txt; }
--- user_files
>>> how.txt
ask nicely
--- request
GET /auto
--- response_headers
Upgrade: websocket
--- response_body
ask nicely
--- error_code: 426



=== TEST 15: 426, without a Host header
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /auto { vidcast; }
--- client
    my $client = Vidcast::Client->new(port => Vidcast::Blocks::port());

    $client->write("GET /auto HTTP/1.0\r\n\r\n");

    is $client->read_head, 426, 'the status';
    like $client->read_body, qr{new WebSocket\("ws://[\w.]+/auto"\)}, 'a URL';
