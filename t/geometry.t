#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Films of phones lie, and their display matrix says how; those of DVDs and of
# some cameras have pixels that are not square.  They were shown lying, or too
# narrow, and so were all that goes by the picture: boxes, zones, overlays, and
# "size".

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;

use Vidcast::Client;
use Vidcast::Film;
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Program;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

plan skip_all => 'the plugin is not built'
    unless plugin(Vidcast::Nginx->modules);

# the film, its parameters, the size of what is shown, and its bright corner,
# which is at the left and at the top of what was filmed; none: a bar is there

my %shown = (
    phone     => ['phone.mp4', '', [64, 96], [1, 0]],
    jpegs     => ['phone.mov', '', [64, 96], [1, 0]],
    mirror    => ['mirror.mp4', '', [96, 64], [1, 0]],
    slanted   => ['slanted.mp4', '', [96, 64], [0, 0]],
    turned    => ['phone.mp4', 'rotate=90', [96, 64], [1, 1]],
    returned  => ['phone.mov', 'rotate=270', [96, 64], [0, 0]],
    narrow    => ['phone.mp4', 'size=32x', [32, 48], [1, 0]],
    low       => ['phone.mov', 'size=x48', [32, 48], [1, 0]],
    within    => ['phone.mp4', 'size=48x48 fit=within', [32, 48], [1, 0]],
    small     => ['phone.mp4', 'size=640x480 fit=within', [64, 96], [1, 0]],
    stretched => ['phone.mp4', 'size=80x40 fit=stretch', [80, 40], [1, 0]],
    boxed     => ['phone.mp4', 'size=128x96 fit=letterbox', [128, 96], undef],
    boxed_too => ['phone.mov', 'size=96x96 fit=letterbox flip=h', [96, 96],
                  undef],
    wide      => ['wide.mkv', '', [192, 64], [0, 0]],
    wide_jpeg => ['wide.mov', '', [192, 64], [0, 0]],
    wide_size => ['wide.mkv', 'size=96x rotate=180', [96, 32], [1, 1]],
    exif      => ['exif.mjpeg', 'size=32x', [32, 48], [1, 0]],
);

my (@sources, @locations);

for my $name (sort keys %shown) {
    my ($film, $params) = @{$shown{$name}};

    push @sources, <<"CONF";
    vidcast_source $name {
        input   file:%%PREFIX%%/html/$film loop=on $params;
        predict exec %%PREFIX%%/program.pl format=gray8;
        on_demand 1s;
        encoders 1;
    }
CONF

    push @locations, <<"CONF";
        location = /ndjson_$name  { vidcast $name as=ndjson; }
        location = /picture_$name { vidcast $name as=snapshot; }
CONF
}

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
    @sources

    vidcast_source batch {
        input   file:%%PREFIX%%/html/phone.mp4 realtime=off size=x48;
        predict exec %%PREFIX%%/program.pl format=gray8;
    }

    # what moves does so at the upper side of what was filmed: at the right

    vidcast_source zones {
        input   file:%%PREFIX%%/html/moves.mp4 loop=on;
        predict motion zone=left:0,0,0.5,0,0.5,1,0,1
                       zone=right:0.5,0,1,0,1,1,0.5,1;
        on_demand 1s;
        encoders 1;
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /status   { vidcast_status; }
        location = /drawn    { vidcast phone as=snapshot overlay=on; }
        location = /zones    { vidcast zones as=ndjson; }
        location = /paired   { vidcast phone send=paired; }
        @locations
    }
CONF

push @{$nginx->{allow}}, qr/its display matrix is ignored/;

my $prefix = $nginx->prefix;
my $html = "$prefix/html";

corner_program("$prefix/program.pl", 4);

my $corner = 'color=black:s=96x64:r=10,format=gray,'
    . "geq=lum='if(lt(X\\,32)*lt(Y\\,32)\\,230\\,40)',format=yuvj420p";
my @h264 = qw(-c:v libx264 -pix_fmt yuv420p -bf 0);
my @mjpeg = qw(-c:v mjpeg -q:v 2);

make($corner, 'phone.mp4', [0, 1, -1, 0], @h264);
make($corner, 'phone.mov', [0, 1, -1, 0], @mjpeg);
make($corner, 'mirror.mp4', [-1, 0, 0, 1], @h264);
make($corner, 'slanted.mp4', [1, 1, -1, 1], @h264);
make($corner, 'wide.mkv', undef, @h264, qw(-vf setsar=2/1));
make($corner, 'wide.mov', undef, @mjpeg, qw(-vf setsar=2/1));
make($corner, 'exif.mjpeg', undef, @mjpeg, qw(-f mjpeg));

make("color=gray:s=320x240:r=10[g];color=white:s=40x40:r=10[w];[g][w]"
     . "overlay=x='40+20*mod(n\\,10)':y=30", 'moves.mp4', [0, 1, -1, 0], @h264);

{
    local $/;

    open my $in, '<:raw', "$html/exif.mjpeg" or die "exif.mjpeg: $!\n";
    my $jpegs = <$in>;
    close $in;

    my $exif = "Exif\0\0MM" . pack('nN n nnNnn N', 42, 8, 1, 0x0112, 3, 1, 6,
                                   0, 0);

    $exif = "\xff\xd8\xff\xe1" . pack('n', 2 + length $exif) . $exif;
    $jpegs =~ s/\xff\xd8(?=\xff)/$exif/g;

    open my $film, '>:raw', "$html/exif.mjpeg" or die "exif.mjpeg: $!\n";
    print $film $jpegs;
    close $film;
}

$nginx->start;

my $port = $nginx->port;

for my $name (sort keys %shown) {
    my (undef, undef, $size, $corner) = @{$shown{$name}};

    my $lines = Vidcast::Stream->open($port, "/ndjson_$name");
    my $result = result($lines);

    is "$result->{width}x$result->{height}", join('x', @$size),
        "$name: the size in results";
    is_deeply $result->{result}{size}, $size, "$name: which programs get";

    my ($x, $y) = @{$result->{result}{detections}[0]{bbox}};

    is_deeply $x < 0 ? undef : [$x > $size->[0] / 2 ? 1 : 0,
                                $y > $size->[1] / 2 ? 1 : 0],
        $corner, "$name: the box is where the corner is";

    my $info = jpeg_info(body("/picture_$name")) // {};

    is "$info->{width}x$info->{height}", join('x', @$size),
        "$name: viewers get it so";

    my $source = source($nginx, $name);

    is "$source->{width}x$source->{height}", join('x', @$size),
        "$name: the status says it";
    is $source->{dropped}{bad_frame}, 0, "$name: none is bad";

    if ($name eq 'jpegs' || $name eq 'returned') {
        is $source->{encode_ms}, 0, "$name: it is turned without loss";
    }
}

is scalar(grep { /display matrix is ignored/ } $nginx->error_log), 1,
    'a matrix that is none of a camera is told once';


# what is drawn, what is in a zone, pairs, and a batch run

{
    my $lines = Vidcast::Stream->open($port, '/ndjson_phone');
    my $info = {};

    result($lines);

    ok wait_for {
        $info = jpeg_info(body('/drawn')) // {};
        "$info->{width}x$info->{height}" eq '64x96';
    }, 'an overlay stands upright';

    my $ws = Vidcast::WebSocket->connect($port, '/paired',
                                         protocol => 'vidcast.v1');
    my $json = decode_json($ws->message->{data});
    my $picture = $ws->message->{data};

    $info = jpeg_info(substr $picture, index $picture, "\xff\xd8\xff") // {};

    is "$json->{width}x$json->{height} $info->{width}x$info->{height}",
        '64x96 64x96', 'a pair is of one size';
}

{
    my $lines = Vidcast::Stream->open($port, '/zones');
    my %seen;

    # a round of the film, and more

    for (1 .. 40) {
        $seen{$_}++
            for map { @{$_->{zones}} } @{result($lines)->{result}{detections}};
    }

    is join(' ', sort keys %seen), 'right',
        'zones are of the upright picture';
}

ok wait_for { source($nginx, 'batch')->{state} eq 'ended' },
    'a batch run ends';

my $batch = source($nginx, 'batch');

is "$batch->{published} $batch->{predicted} $batch->{width}x$batch->{height}",
    '20 20 32x48', 'with all of its pictures, in their size';

$nginx->stop;

done_testing;


# "matrix" is that of the film, of whole numbers

sub make {
    my ($graph, $name, $matrix, @options) = @_;

    system(qw(ffmpeg -v error -nostdin -y -f lavfi -i), $graph,
           qw(-frames:v 20), @options, "$html/$name") == 0
        or die "ffmpeg failed\n";

    chmod 0644, "$html/$name";

    return unless $matrix;

    local $/;

    open my $in, '<:raw', "$html/$name" or die "$name: $!\n";
    my $film = <$in>;
    close $in;

    my ($a, $b, $c, $d) = map { $_ * 65536 } @$matrix;

    $film =~ s/(tkhd.{40}).{36}/$1 . pack 'l>9', $a, $b, 0, $c, $d, 0, 0, 0,
                                     1 << 30/se or die "$name: no tkhd\n";

    open my $out, '>:raw', "$html/$name" or die "$name: $!\n";
    print $out $film;
    close $out;
}


sub body { Vidcast::Client::get($port, $_[0])->{body} }


sub result {
    my ($lines) = @_;

    while (defined(my $line = $lines->line)) {
        my $result = decode_json($line);
        return $result if $result->{status} eq 'ok';
    }

    die "no result\n";
}
