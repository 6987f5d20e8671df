# Copyright (C) vidcast contributors

# One picture by one request, for scripts, dashboards and <img>: the newest
# whole JPEG, with what a cache and a monitor want to know of it.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

plan tests => repeat_each() * (2 * blocks() + 18);

no_long_string();
run_tests();

__DATA__

=== TEST 1: a picture and its headers
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- request
GET /snapshot.jpg
--- response_headers_like
Content-Type: image/jpeg
Content-Length: \d{3,}
Cache-Control: no-cache
ETag: "[0-9a-f]{16}-[1-9]\d*"
X-Vidcast-Frame: [1-9]\d*
X-Vidcast-Age: \d+\.\d{6}
X-Timestamp: \d{10}\.\d{6}
--- response_body_like eval
qr/^\xff\xd8.*\xff\xd9$/s



=== TEST 2: it is whole, and of the camera's size
--- http_config
    vidcast_source front { input test: size=80x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- client
    my $before = time - 1;
    my $snapshot = get('/snapshot.jpg');
    my $info = jpeg_info($snapshot->{body});

    is $info->{width}, 80, 'width';
    is $info->{height}, 48, 'height';
    is length $snapshot->{body}, $snapshot->{headers}{'content-length'},
        'Content-Length';
    cmp_ok $snapshot->{headers}{'x-timestamp'}, '>', $before - 60,
        'taken now, by the wall clock';
    cmp_ok $snapshot->{headers}{'x-timestamp'}, '<=', time + 1,
        'and not tomorrow';



=== TEST 3: a newer one the next time
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- client
    my $first = get('/snapshot.jpg');
    my $next;

    ok wait_for {
        $next = get('/snapshot.jpg');
        $next->{headers}{'x-vidcast-frame'}
            > $first->{headers}{'x-vidcast-frame'};
    }, 'the number has risen';

    isnt $next->{headers}{etag}, $first->{headers}{etag}, 'another ETag';
    cmp_ok $next->{headers}{'x-timestamp'}, '>',
        $first->{headers}{'x-timestamp'}, 'later';
    like $next->{headers}{etag},
        qr/^"[0-9a-f]+-$next->{headers}{'x-vidcast-frame'}"$/,
        'the ETag has the number';



=== TEST 4: HEAD
--- http_config
    vidcast_source headed {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
    }
--- config
    location = /snapshot.jpg { vidcast headed as=snapshot; }
--- pictures
cam/1.jpg 64x48 100
--- live
headed ended
--- client
    my $get = get('/snapshot.jpg');
    my $head = get('/snapshot.jpg', method => 'HEAD');

    is $head->{status}, 200, 'status';
    is $head->{client}->read_body(0.2) // '', '', 'no body';

    for my $name (qw(content-type content-length etag x-vidcast-frame)) {
        is $head->{headers}{$name}, $get->{headers}{$name}, $name;
    }



=== TEST 5: If-None-Match, of a picture that is still the newest
--- http_config
    vidcast_source tagged {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
    }
--- config
    location = /snapshot.jpg { vidcast tagged as=snapshot; }
--- pictures
cam/1.jpg 64x48 100
--- live
tagged ended
--- client
    my $first = get('/snapshot.jpg');
    my $etag = $first->{headers}{etag};

    is $first->{body}, picture(64, 48, 100), 'the picture';

    my $again = get('/snapshot.jpg', headers => ['If-None-Match' => $etag]);

    is $again->{status}, 304, 'not modified';
    is $again->{headers}{etag}, $etag, 'the same ETag';
    is $again->{headers}{'content-length'}, undef, 'no body';

    $again = get('/snapshot.jpg',
                 headers => ['If-None-Match' => "\"other\", W/$etag"]);

    is $again->{status}, 304, 'one of a list, weak';

    $again = get('/snapshot.jpg', headers => ['If-None-Match' => '"other"']);

    is $again->{status}, 200, 'another one';
    is $again->{body}, $first->{body}, 'in full';



=== TEST 6: If-None-Match, of an old picture
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- client
    my $etag = get('/snapshot.jpg')->{headers}{etag};

    ok wait_for {
        get('/snapshot.jpg', headers => ['If-None-Match' => $etag])->{status}
            == 200;
    }, 'a new one comes in full';



=== TEST 7: If-Match
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- more_headers
If-Match: "other"
--- request
GET /snapshot.jpg
--- error_code: 412



=== TEST 8: the age of a picture grows
--- http_config
    vidcast_source aging {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
    }
--- config
    location = /snapshot.jpg { vidcast aging as=snapshot; }
--- pictures
cam/1.jpg 64x48 100
--- live
aging ended
--- client
    my $age = sub { get('/snapshot.jpg')->{headers}{'x-vidcast-age'} };
    my $first = $age->();

    ok wait_for { $age->() > $first + 0.1 }, 'older';
    is get('/snapshot.jpg')->{headers}{'x-vidcast-frame'}, 1, 'the same one';



=== TEST 9: no picture yet
--- http_config
    vidcast_source missing { input v4l2:/dev/video99; }
--- config
    location = /snapshot.jpg { vidcast missing as=snapshot; }
    vidcast_snapshot_timeout 100ms;
--- live
missing reconnecting
--- request
GET /snapshot.jpg
--- response_headers
Retry-After: 1
Content-Type: text/plain; charset=utf-8
X-Vidcast-State: reconnecting
! ETag
--- response_body_like chop
\AThere is no picture of "missing", which is reconnecting: no such device\.\r
It is tried again and again: .*\r
\z
--- error_code: 503



=== TEST 10: no picture yet, HEAD
--- http_config
    vidcast_source missing { input v4l2:/dev/video99; }
--- config
    location = /snapshot.jpg { vidcast missing as=snapshot; }
    vidcast_snapshot_timeout 100ms;
--- live
missing reconnecting
--- request
HEAD /snapshot.jpg
--- response_headers
Retry-After: 1
X-Vidcast-State: reconnecting
--- error_code: 503
--- response_body:



=== TEST 11: no picture yet, with an error page
--- http_config
    vidcast_source missing { input v4l2:/dev/video99; }
--- config
    location = /snapshot.jpg {
        vidcast     missing as=snapshot;
        error_page  503 = /off.txt;
    }

    vidcast_snapshot_timeout 100ms;
--- user_files
>>> off.txt
the camera is off
--- live
missing reconnecting
--- request
GET /snapshot.jpg
--- response_headers
X-Vidcast-State: reconnecting
--- response_body
the camera is off



=== TEST 12: no such source
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location ~ ^/(.*)\.jpg$ { vidcast $1 as=snapshot; }
--- request
GET /back.jpg
--- error_code: 404
--- error_log
no vidcast_source "back"



=== TEST 13: a name that is empty
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast $arg_name as=snapshot; }
--- request
GET /snapshot.jpg
--- error_code: 404
--- error_log
no vidcast_source ""



=== TEST 14: a name that is nearly one
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast $arg_name as=snapshot; }
--- request
GET /snapshot.jpg?name=frontdoor
--- error_code: 404
--- error_log
no vidcast_source "frontdoor"



=== TEST 15: POST
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- request
POST /snapshot.jpg
hello
--- error_code: 405



=== TEST 16: a body is discarded
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- client
    my $client = Vidcast::Client->new(port => Vidcast::Blocks::port());

    for my $turn (1, 2) {
        is $client->ask(path => '/snapshot.jpg', body => 'x' x 10000), 200,
            "request $turn of a connection";
        ok jpeg_info($client->read_body), 'a picture';
    }



=== TEST 17: a range
--- http_config
    vidcast_source parted {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
    }
--- config
    location = /snapshot.jpg { vidcast parted as=snapshot; }
--- pictures
cam/1.jpg 64x48 100
--- live
parted ended
--- client
    my $whole = get('/snapshot.jpg');
    my $part = get('/snapshot.jpg', headers => [Range => 'bytes=0-1']);

    is $whole->{status}, 200, 'all of it';
    like $part->{status}, qr/^20[06]$/, 'a part, or all of it';
    is $part->{body}, $part->{status} == 206 ? "\xff\xd8" : $whole->{body},
        'which it says it is';



=== TEST 18: in a page, by a subrequest
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }

    location = /mirrored {
        mirror   /snapshot.jpg;
        return   200 "here";
    }

    location = /asked {
        auth_request  /snapshot.jpg;
        alias         $TEST_NGINX_SERVER_ROOT/html/index.html;
    }
--- live
front
--- client
    is get('/asked')->{status}, 200, 'auth_request';
    like get('/asked')->{body}, qr/It works!/, 'the page only';
    is get('/mirrored')->{body}, 'here', 'mirror';



=== TEST 19: the counters
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_source none  { input v4l2:/dev/video99; }
    vidcast_snapshot_timeout 100ms;
--- config
    location ~ ^/(.*)\.jpg$ { vidcast $1 as=snapshot; }
--- live
front
--- client
    my $before = source('front')->{delivered};
    my $refused = source('none')->{delivered}{refused};
    my $length = length get('/front.jpg')->{body};
    my $after = source('front')->{delivered};

    is $after->{frames} - $before->{frames}, 1, 'one picture';
    is $after->{bytes} - $before->{bytes}, $length, 'of so many bytes';

    get('/none.jpg');

    is source('none')->{delivered}{refused} - $refused, 1, 'one refused';



=== TEST 20: a stream in a subrequest would have no end
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /asked {
        auth_request  /stream/mjpeg;
        alias         $TEST_NGINX_SERVER_ROOT/html/index.html;
    }

    location ~ ^/mirrored/(.*)$ {
        mirror  /stream/$1;
        alias   $TEST_NGINX_SERVER_ROOT/html/index.html;
    }

    location = /stream/mjpeg      { vidcast front as=mjpeg; }
    location = /stream/sse        { vidcast front as=sse; }
    location = /stream/ndjson     { vidcast front as=ndjson; }
    location = /stream/websocket  { vidcast front as=websocket; }
--- error_log
a subrequest can have a snapshot only of vidcast_source "front"
--- client
    is get('/asked')->{status}, 500, 'auth_request';

    for my $as (qw(mjpeg sse ndjson websocket)) {
        like get("/mirrored/$as")->{body}, qr/^<html>.*It works!/s, $as;
    }

    is source('front')->{viewers}{all}, 0, 'no viewer';



=== TEST 21: a later picture than the one known
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- client
    my $number = get('/snapshot.jpg')->{headers}{'x-vidcast-frame'};
    my @numbers;

    for (1 .. 5) {
        my $next = get("/snapshot.jpg?after=$number");

        push @numbers, $next->{headers}{'x-vidcast-frame'} > $number ? 1 : 0;
        $number = $next->{headers}{'x-vidcast-frame'};
    }

    is "@numbers", '1 1 1 1 1', 'always later';



=== TEST 22: none that will do
--- http_config
    vidcast_source waited {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
    }
--- config
    location = /snapshot.jpg {
        vidcast                   waited as=snapshot;
        vidcast_snapshot_timeout  200ms;
    }
--- pictures
cam/1.jpg 64x48 100
--- live
waited ended
--- client
    my $frame = source('waited')->{frame};
    my $before = $frame - 1;

    is get("/snapshot.jpg?after=$before")->{status}, 200, 'later';
    is get('/snapshot.jpg?max_age=3600')->{status}, 200, 'new enough';

    for my $query ("after=$frame", 'max_age=0.001') {
        my $none = get("/snapshot.jpg?$query");

        is $none->{status}, 503, $query;
        is $none->{headers}{'retry-after'}, 1, 'come back';
    }



=== TEST 23: wrong values
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /snapshot.jpg { vidcast front as=snapshot; }
--- live
front
--- client
    for my $query (qw(after= after=-1 after=x max_age= max_age=new
                      max_age=-1))
    {
        is get("/snapshot.jpg?$query")->{status}, 400, $query;
    }

    is get('/snapshot.jpg?colour=red')->{status}, 200, 'others are ignored';



=== TEST 24: the one that waits hears of the next one
--- http_config
    vidcast_source later { input images:html/later fps=20; }
--- config
    location = /snapshot.jpg {
        vidcast                   later as=snapshot;
        vidcast_snapshot_timeout  30s;
    }
--- live
later reconnecting
--- client
    my $client = Vidcast::Client->new(port => Vidcast::Blocks::port());

    is $client->ask(path => '/snapshot.jpg', seconds => 0.2), 0, 'waits';

    my $folder = "$Test::Nginx::Util::HtmlDir/later";

    mkdir $folder;
    open my $fh, '>:raw', "$folder/new" or die "$folder/new: $!";
    print $fh picture(64, 48, 90);
    close $fh;
    rename "$folder/new", "$folder/1.jpg";

    is $client->read_head(30), 200, 'then it is there';
    is $client->read_body, picture(64, 48, 90), 'the picture';



=== TEST 25: why there is no picture, and what to do
--- http_config
    vidcast_source door { input push:; }
    vidcast_source still {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
    }
    vidcast_snapshot_timeout 100ms;
--- config
    location ~ ^/(.*)\.jpg$ { vidcast $1 as=snapshot; }
--- pictures
cam/1.jpg 64x48 100
--- live
door off
still ended
--- client
    my %said = (
        '/door.jpg' => [ 'off', qr/"door", which is off: no publisher\.\r\nNoth/
                       ],
        '/still.jpg?after=1' => [ 'ended',
                                  qr/"still", which is ended\.\r\n.*later/ ],
    );

    for my $path (sort keys %said) {
        my ($state, $text) = @{$said{$path}};
        my $client = Vidcast::Client->new(port => Vidcast::Blocks::port());

        is $client->ask(path => $path), 503, $path;
        is $client->header('X-Vidcast-State'), $state, 'the state';
        like $client->read_body, $text, 'and its reason';
        is $client->ask(path => '/test-status'), 200,
            'the connection is of further use';
    }



=== TEST 26: no picture, for a page of its own, and for its second one
--- http_config
    vidcast_source missing { input v4l2:/dev/video99; }
    vidcast_snapshot_timeout 100ms;
--- config
    location = /named.jpg {
        vidcast     missing as=snapshot;
        error_page  503 @off;
    }

    location = /other.jpg {
        vidcast     missing as=snapshot;
        error_page  404 @off;
    }

    location = /again.jpg {
        vidcast     missing as=snapshot;
        error_page  503 /other.jpg;
    }

    location @off { return 203 "the camera is off"; }
--- live
missing reconnecting
--- client
    is get('/named.jpg')->{body}, 'the camera is off', 'of a named location';
    like get('/other.jpg')->{body}, qr/^There is no picture of "missing"/,
        'that of another status';

    my $again = get('/again.jpg');

    is $again->{status}, 503, 'the page has none either';
    like $again->{body}, qr/^There is no picture of "missing"/, 'and says so';
