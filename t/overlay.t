#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Pictures with boxes drawn in: each frame once, by the capture, and only as
# long as somebody looks, whoever leaves, is killed or comes back; and what is
# drawn for nobody must not be shown to the next one as if it were new.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Program;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(workers => 2, http => <<'CONF');
vidcast_source front {
    input    test: size=320x240 fps=30;
    predict  motion;
}

vidcast_source slow {
    input    test: size=64x48 fps=0.05;
}

vidcast_source asleep {
    input      test: size=64x48 fps=30;
    on_demand  1s;
}

# the boxes of a program, beside another source with an overlay

vidcast_source program {
    input    test: size=160x120 fps=15 noise=0 shapes=0;
    predict  exec ./program.pl format=gray8 size=64x48 workers=2;
}

# one picture, and then no more

vidcast_source once {
    input  push:;
}

# pictures which fit into the ring, but not with boxes

vidcast_source tight {
    input    images:%%PREFIX%%/tight fps=10;
    predict  exec ./program.pl format=gray8 size=64x48;
    quality  100;
    frames   32 4k;
}

server {
    listen  127.0.0.1:%%PORT%%;

    vidcast_snapshot_timeout  10s;

    location /plain   { vidcast front as=snapshot; }
    location /drawn   { vidcast front as=snapshot overlay=on; }
    location /feed    { vidcast front as=mjpeg overlay=on; }
    location /auto    { vidcast front overlay=on; }
    location /few     { vidcast front as=mjpeg overlay=on;
                        vidcast_max_viewers 1; }
    location /slow    { vidcast slow as=snapshot overlay=on; }
    location /asleep  { vidcast asleep as=mjpeg overlay=on; }
    location /bare    { vidcast program as=snapshot; }
    location /boxes   { vidcast program as=mjpeg overlay=on; }
    location /once    { vidcast once as=snapshot overlay=on; }
    location /door    { vidcast_publish once; }
    location /tight   { vidcast tight as=mjpeg overlay=on; }
    location /paired  { vidcast program send=paired; }
    location /status  { vidcast_status; }
}
CONF

box_program("$nginx->{prefix}/program.pl");
write_picture("$nginx->{prefix}/tight");
$nginx->start;

my $port = $nginx->port;
my $pixels;


sub write_picture {
    my ($folder) = @_;

    mkdir $folder or die "$folder: $!\n";

    open my $fh, '>:raw', "$folder/1.jpg" or die "$folder/1.jpg: $!\n";
    print $fh picture(640, 480, 100);
    close $fh;
}


sub source {
    my ($name) = @_;

    my $status = decode_json(get($port, '/status')->{body});

    return (grep { $_->{name} eq $name } @{$status->{sources}})[0];
}


sub drawn { source('front')->{overlay}{drawn} }


# the brightness of a picture of 64x48

sub pixels {
    my ($jpeg) = @_;

    my $file = "$nginx->{prefix}/drawn.jpg";

    open my $out, '>:raw', $file or die "$file: $!\n";
    print $out $jpeg;
    close $out;

    open my $in, '-|', qw(ffmpeg -v error -nostdin -i), $file,
        qw(-f rawvideo -pix_fmt gray -) or die "ffmpeg: $!\n";
    binmode $in;
    local $/;

    return scalar <$in>;
}


sub luma { ord substr $pixels // '', $_[0] + 64 * $_[1], 1 }


# does the drawing stop?  Two looks at a time in which many would be drawn

sub stops {
    return wait_for {
        my $before = drawn();
        my $frame = source('front')->{frame};

        wait_for { source('front')->{frame} > $frame + 15 };

        return drawn() == $before;
    };
}


sub feed { Vidcast::Stream->open($port, shift // '/feed') }


ok wait_for { source('front')->{state} eq 'live' }, 'a source';

is_deeply [ map { $_->{name} }
            @{decode_json(get($port, '/status')->{body})->{sources}} ],
    [ qw(front slow asleep program once tight) ], 'an overlay is no source of its own';

is_deeply source('front')->{overlay}, { drawn => 0, offered => 0, viewers => 0,
    dropped => { map { $_ => 0 } qw(bad_frame encoder_error late overtaken
                                    ring_full too_large unfinished) } },
    'nothing is drawn for nobody';

# the boxes of predictor processes

ok wait_for { source('program')->{predictor}{state} eq 'ready' },
    'a program predicts';

my $boxes = feed('/boxes');
my $paired = Vidcast::WebSocket->connect($port, '/paired');

ok $boxes->part, 'its boxes are drawn';
ok wait_for { source('program')->{overlay}{drawn} > 15 }, 'frame after frame';
is $paired->message('text') && $paired->message->{type}, 'binary',
    'beside pairs';

my $bare = length get($port, '/bare')->{body};
my $differ = wait_for { length $boxes->part->{data} != $bare };

ok $differ, 'and change the picture';
is source('program')->{predictor}{deaths}, 0, 'no predictor dies';

undef $_ for $boxes, $paired;

# a picture that cannot be decoded, whose boxes are known

request($port, '/door', method => 'POST', body => picture(64, 48, 100));
request($port, '/door', method => 'POST',
        headers => ['Content-Type' => 'application/json'],
        body => '{"detections":[{"bbox":[8,8,32,24]}]}');

request($port, '/door', method => 'POST', body => cmyk(64, 48, 100));

is get($port, '/once')->{body}, cmyk(64, 48, 100),
    'what cannot be decoded is shown without boxes';

# boxes that make a picture too large for its slot

my $tight = feed('/tight');

ok wait_for { source('tight')->{overlay}{dropped}{too_large} },
    'a picture that is too large with its boxes is counted';
is source('tight')->{dropped}{too_large}, 0, 'apart from those of the source';

undef $tight;

# snapshots

my $shot = get($port, '/drawn');
my $info = jpeg_info($shot->{body});

is $shot->{status}, 200, 'a snapshot';
is "$info->{width}x$info->{height}", '320x240', 'of the same size';
isnt $shot->{headers}{etag}, get($port, '/plain')->{headers}{etag},
    'another picture for caches';

is get($port, '/drawn?overlay=off')->{status}, 200, 'overlay=off';
is get($port, '/drawn?overlay=on')->{status}, 200, 'overlay=on';
is get($port, '/plain?overlay=off')->{status}, 200, 'off, where none is';
is get($port, '/plain?overlay=on')->{status}, 403, 'on, where none is';
is get($port, '/drawn?overlay=maybe')->{status}, 400, 'neither';

my ($plain, $off) = map { substr get($port, $_)->{headers}{etag}, 0, 17 }
                    qw(/plain /drawn?overlay=off);

is $off, $plain, 'off is the source itself';

ok stops(), 'and then nobody looks';

# an old picture is none for what comes later

my $newest = source('front')->{frame};

$shot = get($port, '/drawn');
cmp_ok $shot->{headers}{'x-vidcast-frame'}, '>=', $newest,
    'the next snapshot is not the last one drawn';

# a camera which gives one picture in 20 seconds

is get($port, '/slow')->{status}, 200, 'a slow one is drawn as well';

# a picture that was drawn already, for others that have left

ok wait_for {
    request($port, '/door', method => 'POST', body => picture(64, 48, 100))
        ->{status} eq '204';
}, 'a picture is published';

for my $time (1 .. 3) {
    is get($port, '/once')->{status}, 200, "and drawn, time $time";

    my $frame = source('front')->{frame};

    wait_for { source('front')->{frame} > $frame + 60 };
}

# key points are dots, in the color of the box; those that are none do no harm

request($port, '/door', method => 'POST', body => picture(64, 48, 100));
request($port, '/door', method => 'POST',
        headers => ['Content-Type' => 'application/json'],
        body => '{"detections":[{"bbox":[2,2,20,20],"keypoints":'
                . '[[40,30,0.9],null,[56,30,0.1],[1e300,-5],["x",1]]}]}');

wait_for {
    $pixels = pixels(get($port, '/once')->{body});
    return abs(luma(40, 30) - 100) > 30;
};

cmp_ok abs(luma(40, 30) - luma(2, 10)), '<', 15, 'a key point is drawn';
cmp_ok abs(luma(@$_) - 100), '<', 15, "and nothing at @$_"
    for [56, 30], [40, 40], [48, 30];

# streams

my @feeds = map { feed() } 1 .. 4;
my (@numbers, @whole);

for (1 .. 10) {
    my $part = $feeds[0]->part or last;

    push @numbers, $part->{headers}{'x-vidcast-frame'};
    push @whole, scalar jpeg_info($part->{data});
}

is scalar @numbers, 10, 'parts of MJPEG';
is_deeply \@numbers, [ sort { $a <=> $b } @numbers ], 'in order';
is scalar(grep { $_ && $_->{width} == 320 } @whole), 10, 'all whole';

ok wait_for { source('front')->{overlay}{viewers} == 4 }, 'viewers';
is source('front')->{viewers}{mjpeg}, 4, 'which are viewers of the source';

my ($frames, $before) = (source('front')->{frame}, drawn());

wait_for { source('front')->{frame} > $frames + 30 };

cmp_ok drawn() - $before, '<=', source('front')->{frame} - $frames + 1,
    'a frame is drawn once for all';

is feed('/few')->status, 503, 'they are counted where they are limited';

my $auto = Vidcast::Stream->open($port, '/auto', headers => [
    Accept => 'multipart/x-mixed-replace' ]);

ok $auto->part, 'as=auto';
ok wait_for { source('front')->{overlay}{viewers} == 5 }, 'is one, too';

undef $auto;
undef @feeds;

ok wait_for { source('front')->{overlay}{viewers} == 0 }, 'all leave';
ok stops(), 'and the drawing ends';

# by force

@feeds = map { feed() } 1 .. 8;
ok $_->part, 'a picture' for @feeds;

kill 'KILL', grep { $_ } map { $_->{pid} } @{source('front')->{workers}};

ok wait_for {
    my $source = eval { source('front') };
    $source && $source->{overlay}{viewers} == 0;
}, 'viewers of killed workers are none';
ok stops(), 'nobody draws for them';

# the capture

my $feed = feed();
ok $feed->part, 'a picture';

my $pid = source('front')->{pid};
my $last = drawn();

kill 'KILL', $pid;

ok wait_for { (source('front')->{pid} || $pid) != $pid }, 'another capture';
ok wait_for { drawn() > $last + 10 }, 'draws on';

my $number = $feed->part->{headers}{'x-vidcast-frame'};

ok wait_for {
    my $part = $feed->part or return 0;
    $part->{headers}{'x-vidcast-frame'} > $number + 10;
}, 'for the same viewer';

# a reload, by which nothing changes

$nginx->reload;

$last = drawn();

ok wait_for { drawn() > $last + 10 }, 'a viewer stays over a reload';
ok wait_for { $feed->part->{headers}{'x-vidcast-frame'} > $number + 30 },
    'and has pictures';
is feed()->status, 200, 'others come';

undef $feed;

# one that looks at the overlay only looks at the source, too

ok wait_for { source('asleep')->{state} eq 'sleeping' }, 'a source sleeps';

$feed = feed('/asleep');

ok $feed->part, 'a viewer wakes it';
is source('asleep')->{state}, 'live', 'and keeps it awake';

undef $feed;

ok wait_for { source('asleep')->{state} eq 'sleeping' }, 'it sleeps again';

done_testing();
