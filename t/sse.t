# Copyright (C) vidcast contributors

# Server-sent events are what a page uses that only listens: EventSource splits
# lines, remembers the id and comes back by itself, so the form is exact.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

plan tests => repeat_each() * (2 * blocks() + 5);

no_long_string();
run_tests();

__DATA__

=== TEST 1: HEAD
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /events { vidcast front as=sse; }
--- request
HEAD /events
--- response_headers
Content-Type: text/event-stream
Cache-Control: no-cache, no-store
! Content-Length
! ETag
--- response_body:



=== TEST 2: POST
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /events { vidcast front as=sse; }
--- request
POST /events
hello
--- error_code: 405



=== TEST 3: every byte of the first events
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=100;
        predict  delay time=1ms "text=two\nlines";
    }
--- config
    location = /events { vidcast front as=sse; }
--- client
    my $sse = stream('/events', version => '1.0');

    is $sse->status, 200, 'status';
    is $sse->header('Content-Type'), 'text/event-stream', 'Content-Type';

    my $content = $sse->some(sub {
        my $events = () = $sse->{content} =~ /\n\n/g;

        return $events > 3 ? $sse->{content} : undef;
    });

    like $content, qr/^retry:\ [1-3]\d{3}\n\n
        (?: id:\ [0-9a-f]{16}-[1-9]\d*\n
            data:\ \{"v":1,"source":"front",[^\n]*\}\n\n ){3}/x, 'events';



=== TEST 4: the id is epoch and number, and rises by one
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=100;
        predict  delay time=1ms;
    }
--- config
    location = /events { vidcast front as=sse; }
--- client
    my $sse = stream('/events');
    my ($epoch, $seq, @gaps);

    ok $sse->event->{retry}, 'how long to wait before coming back';

    for (1 .. 20) {
        my $event = $sse->event;
        my $data = decode_json($event->{data});

        is $event->{id}, "$data->{epoch}-$data->{seq}", 'id';

        $epoch //= $data->{epoch};
        $seq //= $data->{seq} - 1;

        push @gaps, "$data->{epoch}-$data->{seq}"
            if $data->{epoch} ne $epoch || $data->{seq} != ++$seq;
    }

    is "@gaps", '', 'no gap';



=== TEST 5: fields of a result
--- http_config
    vidcast_source front {
        input    test: size=160x120;
        predict  delay time=20ms "text=ok";
    }
--- config
    location = /events { vidcast front as=sse; }
--- client
    my $result = result(stream('/events'));

    is join(' ', sort keys %$result),
        'epoch frame height latency result seq source status ts v width',
        'fields';
    is $result->{v}, 1, 'v';
    is $result->{source}, 'front', 'source';
    is $result->{status}, 'ok', 'status';
    is $result->{width}, 160, 'width';
    is $result->{height}, 120, 'height';
    is $result->{result}, 'ok', 'result';
    cmp_ok $result->{latency}{predict}, '>=', 0.02, 'latency';
    cmp_ok $result->{latency}{total}, '>=', $result->{latency}{predict},
        'in all';
    cmp_ok abs(time - $result->{ts}), '<', 60, 'ts';
    cmp_ok $result->{frame}, '>=', $result->{seq}, 'frame';



=== TEST 6: the newest result at once, though no other comes
--- http_config
    vidcast_source still {
        input    images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
        predict  delay time=0;
    }
--- config
    location = /events { vidcast still as=sse; }
--- pictures
cam/1.jpg 64x48 100
--- live
still ended
--- client
    wait_for { source('still')->{result} };

    my $result = result(stream('/events'));

    is $result->{seq}, source('still')->{result}, 'the newest one';
    is $result->{frame}, source('still')->{frame}, 'of the last frame';



=== TEST 7: a comment when there is nothing else
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /events { vidcast front as=sse; vidcast_ping 300ms; }
    location = /silent { vidcast front as=sse; vidcast_ping 0; }
--- client
    my $sse = stream('/events');
    my $silent = stream('/silent');

    my $content = $sse->some(sub {
        $sse->{content} =~ /^(retry: \d+\n\n:\n\n:\n\n)/ ? $1 : undef;
    });

    ok $content, 'two comments';
    $silent->fill;
    $silent->unwrap;
    like $silent->{content}, qr/^retry: \d+\n\n$/, 'none when it is off';



=== TEST 8: what EventSource asks for
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /events { vidcast front; }
--- client
    my $sse = stream('/events', headers => [
        Accept => 'text/event-stream', 'Cache-Control' => 'no-cache',
        'Last-Event-ID' => '0123456789abcdef-7']);

    is $sse->status, 200, 'status';
    ok result($sse), 'a result';



=== TEST 9: results in order, all to everybody
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=100;
        predict  delay time=1ms;
    }
--- config
    location = /events { vidcast front as=sse; }
--- client
    my @viewers = map { stream('/events') } 1 .. 3;
    my %text;

    for my $sse (@viewers) {
        for (1 .. 20) {
            my $event = $sse->event;

            $text{$event->{id}}{$event->{data}} = 1 if $event->{id};
        }
    }

    is scalar(grep { keys %$_ != 1 } values %text), 0, 'the same text for all';
    cmp_ok scalar keys %text, '>=', 19, 'so many';



=== TEST 10: no such source
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location ~ ^/events/(.*)$ { vidcast $1 as=sse; }
--- request
GET /events/back
--- error_code: 404
--- error_log
no vidcast_source "back"



=== TEST 11: pictures are not for SSE, whatever "send" says
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /events { vidcast front as=sse send=both; }
--- client
    my $sse = stream('/events');

    ok result($sse), 'a result' for 1 .. 3;



=== TEST 12: viewers do not all come back in one instant
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /events { vidcast front as=sse; }
--- client
    my %retries = map { stream('/events')->event->{retry} => 1 } 1 .. 30;

    is join(' ', grep { $_ < 1000 || $_ > 3000 } keys %retries), '',
        'each comes within one to three seconds';

    # the fewest of 30 draws out of 2001 that chance gives in ages

    cmp_ok scalar keys %retries, '>', 15, 'each at a time of its own';
