# Copyright (C) vidcast contributors

# A line of JSON for each result: what "curl | jq" and a shell script can read.

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
    location = /lines { vidcast front as=ndjson; }
--- request
HEAD /lines
--- response_headers
Content-Type: application/x-ndjson
Cache-Control: no-cache, no-store
! Content-Length
! ETag
--- response_body:



=== TEST 2: PUT
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /lines { vidcast front as=ndjson; }
--- request
PUT /lines
hello
--- error_code: 405



=== TEST 3: lines, and nothing else
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=100;
        predict  delay time=1ms "text=two\nlines";
    }
--- config
    location = /lines { vidcast front as=ndjson; }
--- client
    my $lines = stream('/lines', version => '1.0');

    is $lines->status, 200, 'status';

    my $content = $lines->some(sub {
        my $count = () = $lines->{content} =~ /\n/g;

        return $count > 3 ? $lines->{content} : undef;
    });

    like $content, qr/^(?:\{"v":1,"source":"front",[^\n]*\}\n){3}/, 'lines';
    is decode_json($content =~ /^(.*)\n/)->{result}, "two\nlines",
        'a result of two lines';



=== TEST 4: every result, in order
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=100;
        predict  delay time=1ms;
    }
--- config
    location = /lines { vidcast front as=ndjson; }
--- client
    my $lines = stream('/lines');
    my $seq = decode_json($lines->line)->{seq};

    is decode_json($lines->line)->{seq}, ++$seq, "result $_" for 1 .. 20;



=== TEST 5: the newest result at once, though no other comes
--- http_config
    vidcast_source still {
        input    images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
        predict  delay time=0;
    }
--- config
    location = /lines { vidcast still as=ndjson; }
--- pictures
cam/1.jpg 64x48 100
--- live
still ended
--- client
    wait_for { source('still')->{result} };

    my $lines = stream('/lines');

    is decode_json($lines->line)->{seq}, source('still')->{result}, 'newest';
    is $lines->line(0.3), undef, 'and nothing more';



=== TEST 6: without a predictor there are no results
--- http_config
    vidcast_source front { input test: size=64x48 fps=50; }
--- config
    location = /lines { vidcast front as=ndjson; }
--- live
front
--- client
    my $lines = stream('/lines');
    my $frame = source('front')->{frame};

    is $lines->status, 200, 'status';
    ok wait_for { source('front')->{frame} > $frame + 5 }, 'frames go by';
    is $lines->line(0), undef, 'no line';



=== TEST 7: curl, as it comes
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /lines { vidcast front; }
--- client
    my $port = Vidcast::Blocks::port();

    open my $curl, '-|', 'curl', '-sN', '-H', 'Accept: application/x-ndjson',
        "http://127.0.0.1:$port/lines" or die "curl: $!";

    is decode_json(scalar <$curl>)->{source}, 'front', "line $_" for 1 .. 3;

    close $curl;



=== TEST 8: a space when there is nothing else
--- http_config
    vidcast_source door { input push:; }
--- config
    location = /lines   { vidcast door as=ndjson; vidcast_ping 300ms; }
    location = /silent  { vidcast door as=ndjson; vidcast_ping 0; }
    location = /publish { vidcast_publish door; }
--- live
door off
--- client
    my $lines = stream('/lines');
    my $silent = stream('/silent');

    ok $lines->some(sub { $lines->{content} =~ /^  / || undef }), 'two';
    is request('/publish', method => 'POST', body => '{"price":17.5}',
               headers => ['Content-Type' => 'application/json'])->{status},
        204, 'something';

    my $line = $lines->line;

    like $line, qr/^ {2,}\{"v":1,/, 'the line begins with them';
    is decode_json($line)->{result}{price}, 17.5, 'and is what it was';
    like $silent->line, qr/^\{"v":1,/, 'none when it is off';
