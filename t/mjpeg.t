# Copyright (C) vidcast contributors

# MJPEG is what every browser, every camera viewer and every old script can
# show.  They split it by the boundary or by Content-Length, and some show a
# part only when the next one begins: all of it must be exact.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

plan tests => repeat_each() * (2 * blocks() + 6);

no_long_string();
run_tests();

__DATA__

=== TEST 1: HEAD
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /video { vidcast front as=mjpeg; }
--- request
HEAD /video
--- response_headers
Content-Type: multipart/x-mixed-replace; boundary=frame
Cache-Control: no-cache, no-store
! Content-Length
! ETag
! Last-Modified
--- response_body:



=== TEST 2: POST
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /video { vidcast front as=mjpeg; }
--- request
POST /video
hello
--- error_code: 405



=== TEST 3: parts
--- http_config
    vidcast_source front { input test: size=160x120; }
--- config
    location = /video { vidcast front as=mjpeg; }
--- client
    my $video = stream('/video');
    my $before = { 'x-vidcast-frame' => 0, 'x-timestamp' => time - 60 };

    is $video->status, 200, 'status';
    is $video->header('Content-Type'),
        'multipart/x-mixed-replace; boundary=frame', 'Content-Type';

    for my $n (1 .. 10) {
        my $part = $video->part;
        my $headers = $part->{headers};

        is join(' ', sort keys %$headers),
            'content-length content-type x-timestamp x-vidcast-frame'
            . ' x-vidcast-state',
            "headers of part $n";
        is $headers->{'content-type'}, 'image/jpeg', 'Content-Type';
        is $headers->{'x-vidcast-state'}, 'live', 'the state';
        is jpeg_info($part->{data})->{width}, 160, 'a whole JPEG';

        for my $name (qw(x-vidcast-frame x-timestamp)) {
            cmp_ok $headers->{$name}, '>', $before->{$name}, "$name rises";
        }

        $before = $headers;
    }

    like $before->{'x-timestamp'}, qr/^\d{10}\.\d{6}$/, 'microseconds';
    cmp_ok abs(time - $before->{'x-timestamp'}), '<', 60, 'of the wall clock';



=== TEST 4: every byte, from the first to the boundary behind a part
--- http_config
    vidcast_source still {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
    }
--- config
    location = /video { vidcast still as=mjpeg; }
--- pictures
cam/1.jpg 64x48 100
--- client
    wait_for { source('still')->{state} eq 'ended' };

    my $video = stream('/video', version => '1.0');
    my $jpeg = picture(64, 48, 100);
    my $length = length $jpeg;
    my $end = "\r\n--frame\r\n";

    my $content = $video->some(sub {
        $video->{content} =~ s/^(.*\Q$jpeg$end\E)//s ? $1 : undef;
    });

    like $content, qr/^--frame\r\nContent-Type:\ image\/jpeg\r\n
        Content-Length:\ $length\r\n
        X-Timestamp:\ \d{10}\.\d{6}\r\n
        X-Vidcast-Frame:\ 1\r\n
        X-Vidcast-State:\ ended\r\n\r\n
        \Q$jpeg\E\r\n--frame\r\n$/x, 'the part and its end at once';



=== TEST 5: the newest picture at once, and again when nothing new comes
--- http_config
    vidcast_source short {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off fps=100;
    }
--- config
    location = /video { vidcast short as=mjpeg; }
--- pictures
cam/1.jpg 64x48 100
cam/2.jpg 64x48 120
cam/3.jpg 64x48 140
--- live
short ended
--- client
    my $video = stream('/video');
    my $first = $video->part;

    is $first->{data}, picture(64, 48, 140), 'the newest one';
    is $first->{headers}{'x-vidcast-frame'}, source('short')->{frame},
        'with its number';

    my $again = $video->part(10);

    is $again->{data}, $first->{data}, 'the same again';
    is_deeply $again->{headers}, $first->{headers}, 'with the same headers';



=== TEST 6: what is repeated is no new delivery, and ends with a new picture
--- http_config
    vidcast_source slow {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam fps=0.4;
    }
--- config
    location = /video { vidcast slow as=mjpeg; }
--- pictures
cam/1.jpg 64x48 100
cam/2.jpg 64x48 120
--- live
slow
--- client
    my $before = source('slow')->{delivered}{frames};
    my $video = stream('/video');
    my @shown;

    # the first one may have come just before the next one

    while (@shown < 3) {
        my $part = $video->part(20) or last;
        my $number = $part->{headers}{'x-vidcast-frame'};

        if (!@shown || $shown[-1]{number} != $number) {
            push @shown, { number => $number, times => 0 };
        }

        $shown[-1]{times}++;
    }

    cmp_ok $shown[1]{times}, '>', 1, 'repeated';
    is $shown[2]{number}, $shown[1]{number} + 1, 'then the next one';
    is source('slow')->{delivered}{frames} - $before, 3, 'three, each once';



=== TEST 7: two viewers get the same pictures
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /video { vidcast front as=mjpeg; }
--- client
    my @videos = map { stream('/video') } 1, 2;
    my (%data, @both);

    wait_for {
        for my $video (@videos) {
            my $part = $video->part;
            my $seen = $data{$part->{headers}{'x-vidcast-frame'}} //= [];

            push @$seen, $part->{data};
        }

        @both = grep { @$_ == 2 } values %data;
        @both >= 5;
    };

    cmp_ok scalar @both, '>=', 5, 'pictures that both had';
    is scalar(grep { $_->[0] ne $_->[1] } @both), 0, 'equal';



=== TEST 8: a viewer that comes before the first picture
--- http_config
    vidcast_source later {
        input images:$TEST_NGINX_SERVER_ROOT/html/later fps=50;
    }
--- config
    location = /video { vidcast later as=mjpeg; }
--- live
later reconnecting
--- client
    my $video = stream('/video');

    is $video->status, 200, 'status';

    my $root = $Test::Nginx::Util::HtmlDir;

    mkdir "$root/later";

    open my $fh, '>:raw', "$root/later.tmp" or die "later.tmp: $!";
    print $fh picture(64, 48, 90);
    close $fh;
    rename "$root/later.tmp", "$root/later/1.jpg";

    is $video->part(30)->{data}, picture(64, 48, 90), 'gets it';



=== TEST 9: HTTP/1.1 in chunks, HTTP/1.0 until it is closed
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /video { vidcast front as=mjpeg; }
--- client
    my $new = stream('/video');
    my $old = stream('/video', version => '1.0');

    is $new->header('Transfer-Encoding'), 'chunked', 'chunks';
    is $old->header('Transfer-Encoding'), undef, 'no chunks';
    is $old->header('Connection'), 'close', 'no other request';
    ok jpeg_info($new->part->{data}), 'a picture in chunks';
    ok jpeg_info($old->part->{data}), 'a picture without';



=== TEST 10: pictures of any size
--- http_config
    vidcast_source sizes {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam fps=50;
    }
--- config
    location = /video { vidcast sizes as=mjpeg; }
--- pictures
cam/1.jpg 16x16 1
cam/2.jpg 1000x1000 2
cam/3.jpg 64x48 3
cam/4.jpg 3000x2000 4
--- client
    my $video = stream('/video');
    my %sizes;

    wait_for {
        my $info = jpeg_info($video->part->{data});

        $sizes{"$info->{width}x$info->{height}"} = 1;
        keys %sizes == 4;
    };

    is join(' ', sort keys %sizes), '1000x1000 16x16 3000x2000 64x48', 'sizes';



=== TEST 11: no such source
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location ~ ^/video/(.*)$ { vidcast $1 as=mjpeg; }
--- request
GET /video/back
--- error_code: 404
--- error_log
no vidcast_source "back"



=== TEST 12: gzip leaves it alone
--- http_config
    vidcast_source front { input test: size=64x48; }
    gzip on;
--- config
    location = /video { vidcast front as=mjpeg; }
--- client
    my $video = stream('/video', headers => ['Accept-Encoding' => 'gzip']);

    is $video->header('Content-Encoding'), undef, 'not encoded';
    ok jpeg_info($video->part->{data}), 'a picture';



=== TEST 13: the log has it when it ends
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /video { vidcast front as=mjpeg; }
--- client
    my $video = stream('/video');

    $video->part;
    $video->close;

    my $log = $Test::Nginx::Util::AccLogFile;

    ok wait_for {
        open my $fh, '<', $log or return 0;
        grep { m{"GET /video HTTP/1.1" (?:200|499) [1-9]\d{2,} } } <$fh>;
    }, 'request, status and bytes';



=== TEST 14: a viewer of few pictures a second gets the last one as well
--- http_config
    vidcast_source short {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off fps=50;
        on_demand 1s;
    }
    vidcast_source other {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off fps=50;
        on_demand 1s;
    }
--- config
    vidcast_fps 2;

    location = /video { vidcast short as=mjpeg; }
    location = /ws { vidcast other as=websocket send=frames; }
--- pictures
cam/1.jpg 64x48 100
cam/2.jpg 64x48 120
cam/3.jpg 64x48 140
--- live
short sleeping
other sleeping
--- client
    my $video = stream('/video');
    my $part = $video->part;

    is $part->{headers}{'x-vidcast-frame'}, 1, 'the first one';

    for (1 .. 4) {
        $part = $video->part or last;
        last if $part->{headers}{'x-vidcast-frame'} == 3;
    }

    is $part->{data}, picture(64, 48, 140), 'and the last one';

    my $ws = websocket('/ws');

    is $ws->message('binary')->{data}, picture(64, 48, 100),
        'WebSocket: the first one';
    is $ws->message('binary')->{data}, picture(64, 48, 140),
        'WebSocket: and the last one';
