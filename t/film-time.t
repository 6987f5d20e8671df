#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A film that was played as fast as it goes had no detection: the background
# was learned by the wall clock, and the film was over before.  Predictors go
# by the time in the film, so its results are the same on every run and at
# every speed, and say when in the film they are.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;

use Vidcast::Film;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

plan skip_all => 'the plugin is not built'
    unless plugin(Vidcast::Nginx->modules);


my $frames = 160;
my $rate = 20;

my %input = (
    fast => 'file:%%PREFIX%%/html/film.mp4 realtime=off',
    again => 'file:%%PREFIX%%/html/film.mp4 realtime=off',
    paced => 'file:%%PREFIX%%/html/film.mp4',
    files => "images:%%PREFIX%%/html/files fps=$rate loop=off realtime=off",
    twice => 'file:%%PREFIX%%/html/short.mp4 loop=on',
);

my @names = sort keys %input;

my $program = <<'PERL';
#!/usr/bin/perl

use strict;
use warnings;

my ($prefix) = $0 =~ m{(.*)/};
my $told = '';

$| = 1;

open my $memory, '<&=', 3 or die "descriptor 3: $!\n";
binmode $memory;

while (my $line = <STDIN>) {
    my ($offset) = $line =~ /^frame (\d+)/ or die;

    sysseek $memory, $offset + 88, 0;
    sysread $memory, my $times, 16;

    printf qq({"pts":%d,"media_time":%d}\n), unpack 'q Q', $times;
}
PERL

my $sources = join '', map { <<"CONF" } @names;
    vidcast_source $_ {
        input   $input{$_};
        predict motion;
        results 1000;
    }
CONF

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
    $sources

    vidcast_source told {
        input   file:%%PREFIX%%/html/short.mp4 realtime=off loop=on;
        predict exec %%PREFIX%%/program.pl;
        results 1000;
    }

    vidcast_source live {
        input   test: fps=20 size=160x120;
        predict exec %%PREFIX%%/program.pl;
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        vidcast_backlog 1000;
        @{[locations(@names, qw(told live))]}
    }
CONF

my $prefix = $nginx->prefix;

# a square that goes to and fro before a still, uneven wall

sub picture {
    my ($count) = @_;

    return ('-f', 'lavfi', '-i',
            "nullsrc=s=160x120:r=$rate,format=gray,"
            . "geq=lum='if(lt(abs(X-80-50*sin(2*PI*T/4))\\,12)"
            . "*lt(abs(Y-60)\\,12)\\,230\\,80+40*mod(floor(X/8)\\,2))',"
            . 'format=yuv420p', '-frames:v', $count);
}

sub make {
    system('ffmpeg', '-v', 'error', '-nostdin', '-y', @_) == 0
        or die "ffmpeg failed\n";
}

make(picture($frames), qw(-c:v mpeg4 -q:v 2), "$prefix/html/film.mp4");
make(picture(30), qw(-c:v mpeg4 -q:v 2), "$prefix/html/short.mp4");

mkdir "$prefix/html/files" or die "$prefix/html/files: $!\n";
make(picture($frames), qw(-c:v mjpeg -q:v 2), "$prefix/html/files/%03d.jpg");

chmod 0644, glob "$prefix/html/*.mp4 $prefix/html/files/*";

write_file("$prefix/program.pl", $program);
chmod 0755, "$prefix/program.pl";

$nginx->start;

my %results;

for my $name (qw(fast again files)) {
    ok &wait_for(sub { state($name) eq 'ended' }, 60), "$name: ended";

    $results{$name} = [history($nginx, $name, $frames)];

    my @found = grep { @{$_->{result}{detections}} } @{$results{$name}};

    cmp_ok scalar @found, '>', $frames / 2, "$name: what moves is found";

    is join(' ', map { sprintf '%.6f', $_->{pts} } @{$results{$name}}),
        join(' ', map { sprintf '%.6f', $_ / $rate } 0 .. $frames - 1),
        "$name: each result says when in the film it is";
}

is text('again'), text('fast'), 'the same results on every run';

ok &wait_for(sub { state('paced') eq 'ended' }, 60), 'paced: ended';

SKIP: {
    my $paced = source($nginx, 'paced');

    skip 'the machine was too slow for its pace', 1
        if $paced->{not_shown}{encoder_busy}
           || $paced->{not_predicted}{predictor_busy};

    $results{paced} = [history($nginx, 'paced', $frames)];

    is text('paced'), text('fast'), 'and at the pace of the film';
}


# round after round

my @rounds = history($nginx, 'twice', 150);
my @anew = grep { $rounds[$_]{pts} < $rounds[$_ - 1]{pts} } 1 .. $#rounds;

cmp_ok scalar @anew, '>=', 3, 'a film that begins anew says so';
cmp_ok scalar(grep { @{$_->{result}{detections}} } @rounds[75 .. $#rounds]),
    '>', 0, 'and what moves is found in later rounds';

my @told = history($nginx, 'told', 70);
my $back = grep { $told[$_]{result}{media_time}
                  <= $told[$_ - 1]{result}{media_time} } 1 .. $#told;

is $back, 0, 'media time never goes back';
is $told[69]{result}{media_time} - $told[0]{result}{media_time},
    ($told[69]{frame} - $told[0]{frame}) * 1000000 / $rate,
    'and goes by the film, from round to round';
is scalar(grep { $_->{result}{pts} != sprintf '%.0f', $_->{pts} * 1000000 }
          @told), 0, 'a program is told of both';

my ($live) = history($nginx, 'live', 1);

is $live->{result}{pts}, -1, 'a live picture is of no film';
ok !exists $live->{pts}, 'nor is its result';

$nginx->stop;


sub write_file {
    my ($name, $text) = @_;

    open my $out, '>', $name or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
}


sub state {
    my ($name) = @_;

    return source($nginx, $name)->{state} // '';
}


# what has to be the same

sub text {
    my ($name) = @_;

    my $json = JSON::PP->new->canonical;

    return join "\n", map {
        my %result = %$_;

        delete @result{qw(ts latency epoch source)};
        $json->encode(\%result);
    } @{$results{$name}};
}


done_testing;
