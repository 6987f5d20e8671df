#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Pictures of phones lie down, and EXIF says how.  Browsers stand them up; the
# boxes of predictors stayed where they would be in the lying picture, and an
# overlay was shown lying, as its pictures have no EXIF.  And cameras that are
# mounted so have "rotate" and "flip".

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;

use Vidcast::Client;
use Vidcast::Film;
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Program;
use Vidcast::Stream;
use Vidcast::Wait;

my $width = 96;
my $height = 64;

# parameters, and how a picture that lies so would stand upright

my %turned = (r90 => ['rotate=90', 6], r180 => ['rotate=180', 3],
              r270 => ['rotate=270', 8], fh => ['flip=h', 2],
              fv => ['flip=v', 4], r90fh => ['flip=h rotate=90', 5],
              r90fv => ['rotate=90 flip=v', 7]);

my (@sources, @locations);

for my $name (sort keys %turned) {
    push @sources, <<"CONF";
    vidcast_source $name {
        input   push: $turned{$name}[0];
        predict exec %%PREFIX%%/program.pl format=gray8;
    }
    vidcast_source raw_$name {
        input   file:%%PREFIX%%/html/corner.avi loop=on $turned{$name}[0];
        predict exec %%PREFIX%%/program.pl format=gray8;
    }
CONF

    push @locations, <<"CONF";
        location = /publish_$name { vidcast_publish $name; }
        location = /ndjson_$name  { vidcast $name as=ndjson; }
        location = /ndjson_raw_$name  { vidcast raw_$name as=ndjson; }
        location = /picture_$name { vidcast $name as=snapshot; }
CONF
}

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
    @sources

    vidcast_source front {
        input   push:;
        predict exec %%PREFIX%%/program.pl format=gray8;
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location = /publish  { vidcast_publish front; }
        location = /ndjson   { vidcast front as=ndjson; }
        location = /picture  { vidcast front as=snapshot; }
        location = /drawn    { vidcast front as=snapshot overlay=on; }
        location = /status   { vidcast_status; }
        @locations
    }
CONF

my $prefix = $nginx->prefix;

corner_program("$prefix/program.pl", 8);

# the top left corner is bright, as the picture lies

my @corner = (qw(-v error -nostdin -f lavfi -i),
              "nullsrc=s=${width}x$height:r=10,format=gray,"
              . "geq=lum='if(lt(X\\,32)*lt(Y\\,32)\\,230\\,40)',"
              . 'format=yuvj420p');

system('ffmpeg', @corner, qw(-frames:v 10 -c:v rawvideo -pix_fmt yuv420p),
       "$prefix/html/corner.avi") == 0 or die "ffmpeg failed\n";
chmod 0644, "$prefix/html/corner.avi";

open my $in, '-|', 'ffmpeg', @corner,
    qw(-frames:v 1 -c:v mjpeg -q:v 2 -f mjpeg -) or die "ffmpeg: $!\n";
binmode $in;
my $jpeg = do { local $/; <$in> };
close $in;

$nginx->start;

my $port = $nginx->port;
my $lines = Vidcast::Stream->open($port, '/ndjson');

# the corner where the first row and column belong, by the standard

my %corner = (1 => [0, 0], 2 => [1, 0], 3 => [1, 1], 4 => [0, 1],
              5 => [0, 0], 6 => [1, 0], 7 => [1, 1], 8 => [0, 1]);

for my $lies (1 .. 8) {
    my $picture = substr($jpeg, 0, 2) . exif($lies) . substr $jpeg, 2;
    my @size = $lies < 5 ? ($width, $height) : ($height, $width);

    is post($picture), 204, "$lies: published";

    my $result = next_result();

    is "$result->{width}x$result->{height}", "$size[0]x$size[1]",
        "$lies: the size of the upright picture";
    is_deeply $result->{result}{size}, \@size, "$lies: which programs get";

    my ($x, $y) = @{$result->{result}{detections}[0]{bbox}};

    is_deeply [$x > $size[0] / 2 ? 1 : 0, $y > $size[1] / 2 ? 1 : 0],
        $corner{$lies}, "$lies: the box is where the corner is";

    ok body('/picture') eq $picture, "$lies: viewers get it as it came";

    my $drawn = drawn($picture);
    my $info = jpeg_info($drawn) // {};

    is "$info->{width}x$info->{height}", "$size[0]x$size[1]",
        "$lies: an overlay stands upright by itself";
    ok index($drawn, "Exif\0") < 0, "$lies: and says nothing else";
}


# and a camera that is mounted so; a picture that lies stands upright first

for my $name (sort keys %turned) {
    my ($params, $orientation) = @{$turned{$name}};

    $lines = Vidcast::Stream->open($port, "/ndjson_$name");

    for my $lies (1, 6) {
        my $picture = substr($jpeg, 0, 2) . exif($lies) . substr $jpeg, 2;
        my $label = "$params, lies as $lies";

        is post($picture, "/publish_$name"), 204, "$label: published";

        my $result = next_result();
        my $upright = $lies == 1 ? [0, 0] : [1, 0];

        where($result, ($lies == 1) == ($orientation < 5),
              turned($orientation, @$upright), $label);

        my $got = body("/picture_$name");
        my $info = jpeg_info($got) // {};

        is "$info->{width}x$info->{height}",
            "$result->{width}x$result->{height}", "$label: viewers get it so";
        ok index($got, "Exif\0") < 0, "$label: without a tag";

        is jpeg_info($got)->{components}, 3, "$label: with its colors";
    }

  SKIP: {
        skip 'the plugin is not built', 3 unless plugin(Vidcast::Nginx->modules);

        $lines = Vidcast::Stream->open($port, "/ndjson_raw_$name");
        where(next_result(), $orientation < 5, turned($orientation, 0, 0),
              "$params, pixels");
    }
}

$nginx->stop;


# where a corner is after a turn, 0 or 1 in each direction

sub turned {
    my ($orientation, $x, $y) = @_;

    return $orientation == 2 ? [1 - $x, $y] : $orientation == 3 ? [1 - $x, 1 - $y]
         : $orientation == 4 ? [$x, 1 - $y] : $orientation == 5 ? [$y, $x]
         : $orientation == 6 ? [1 - $y, $x]
         : $orientation == 7 ? [1 - $y, 1 - $x] : [$y, 1 - $x];
}


sub where {
    my ($result, $wide, $corner, $label) = @_;

    my @size = $wide ? ($width, $height) : ($height, $width);
    my ($x, $y) = @{$result->{result}{detections}[0]{bbox}};

    is "$result->{width}x$result->{height}", "$size[0]x$size[1]",
        "$label: the size";
    is_deeply $result->{result}{size}, \@size, "$label: which programs get";
    is_deeply [$x > $size[0] / 2 ? 1 : 0, $y > $size[1] / 2 ? 1 : 0], $corner,
        "$label: the box is where the corner is";
}


sub post { published(@_)->{status} }


sub published {
    my ($picture, $path) = @_;

    return Vidcast::Client::request($port, $path // '/publish',
                                    method => 'POST',
                                    headers => ['Content-Type' => 'image/jpeg'],
                                    body => $picture);
}


sub body { Vidcast::Client::get($port, $_[0])->{body} }


# a picture is drawn when a viewer is there, and has its boxes when its result
# is there: another one of the same sort

sub drawn {
    my ($picture) = @_;

    my $drawn = '';

    &wait_for(sub {
        my $frame = published($picture)->{headers}{'x-vidcast-frame'};

        next_result();

        my $answer = Vidcast::Client::get($port, '/drawn');

        $drawn = $answer->{body};

        return ($answer->{headers}{'x-vidcast-frame'} // 0) >= $frame
               && index($drawn, "Exif\0") < 0;
    });

    return $drawn;
}


sub exif {
    my ($orientation) = @_;

    my $tiff = 'MM' . pack('nN n nnNnn N', 42, 8, 1, 0x0112, 3, 1,
                           $orientation, 0, 0);
    my $body = "Exif\0\0$tiff";

    return "\xff\xe1" . pack('n', 2 + length $body) . $body;
}


sub next_result {
    while (defined(my $line = $lines->line)) {
        my $result = decode_json($line);
        return $result if $result->{status} eq 'ok';
    }

    die "no result\n";
}


done_testing;
