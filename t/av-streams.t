#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Streams from the network, of real servers: GStreamer's for RTSP, another
# vidcast for MJPEG over HTTP.  A server that dies is back as soon as it lives,
# without a viewer being dropped; one that is silent is found out; passwords
# are told to nobody.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Film;
use Vidcast::JPEG;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;

plan skip_all => 'the plugin is not built'
    unless plugin(Vidcast::Nginx->modules);

my $util = "$FindBin::Bin/util";
my %servers;

END { kill 'KILL', keys %servers if %servers }

# a server that takes connections and never says a word

my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                   Proto => 'tcp', Listen => 16);
my $silent_port = $silent->sockport;

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
    vidcast_source h264 { input rtsp://127.0.0.1:%%PORT1%%/h264; }
    vidcast_source udp {
        input rtsp://me:secret\@127.0.0.1:%%PORT1%%/h264 transport=udp fps=5
              size=80x32;
    }
    vidcast_source mjpeg { input rtsp://127.0.0.1:%%PORT1%%/mjpeg; }
    vidcast_source camera { input test: size=160x96 fps=20; }
    vidcast_source http {
        input http://me:secret\@127.0.0.1:%%PORT%%/auth?key=secret;
    }
    vidcast_source silent {
        input http://127.0.0.1:$silent_port/video timeout=500ms;
    }
    vidcast_source mute { input rtsp://127.0.0.1:$silent_port/ timeout=500ms; }
    vidcast_source missing { input http://127.0.0.1:%%PORT%%/nothing; }
    vidcast_source page { input http://127.0.0.1:%%PORT%%/page; }

    server {
        listen 127.0.0.1:%%PORT%%;
        location = /status { vidcast_status; }
        location = /h264 { vidcast h264 as=mjpeg; }
        location = /udp { vidcast udp as=mjpeg; }
        location = /mjpeg { vidcast mjpeg as=mjpeg; }
        location = /http { vidcast http as=mjpeg; }
        location = /camera { vidcast camera as=mjpeg; }
        location = /page { return 200 "a page"; }
        location = /auth {
            if (\$http_authorization != "Basic bWU6c2VjcmV0") {
                add_header WWW-Authenticate 'Basic realm="here"' always;
                return 401;
            }
            if (\$arg_key != "secret") { return 403; }
            rewrite ^ /camera;
        }
    }
CONF

push @{$nginx->{allow}}, qr/\[crit\] .* is reconnecting:/;

my $film = film($nginx->prefix . '/html/film.mp4', 1000,
                qw(-c:v libx264 -bf 2 -g 25));

my $pid = serve();

$nginx->start;

for my $name (qw(h264 udp mjpeg camera http)) {
    ok live($nginx, $name, 30), "$name: live"
        or diag source($nginx, $name)->{error};
}

# one that does not read while others are waited for would be given up

my %viewers = map {
    $_ => Vidcast::Stream->open($nginx->port, "/$_")->attend
} qw(h264 udp mjpeg http);


# pictures are those of the server, in their order; numbers() are of the film

{
    my $info = info($viewers{mjpeg});

    is "$info->{width}x$info->{height}", '176x144', 'mjpeg: its size';

    my @shown = numbers(map { $viewers{h264}->part->{data} } 1 .. 20);

    is scalar(grep { $shown[$_] <= $shown[$_ - 1] } 1 .. $#shown), 0,
        "h264: in order, @shown";
    ok $shown[-1] - $shown[0] >= 19, 'h264: one after the other';

    $info = info($viewers{udp});

    is "$info->{width}x$info->{height}", '80x32', 'udp: the size asked for';

    my $one = $viewers{http}->part;
    my $two = $viewers{http}->part;

    $info = Vidcast::JPEG::jpeg_info($one->{data});

    is "$info->{width}x$info->{height}", '160x96', 'http: of the camera';
    isnt $one->{data}, $two->{data}, 'http: pictures follow';

    is source($nginx, 'http')->{dropped}{bad_frame}, 0, 'http: none is bad';
    ok source($nginx, 'http')->{encode_ms} == 0
       && source($nginx, 'mjpeg')->{encode_ms} == 0, 'MJPEG is not encoded';
    ok source($nginx, 'h264')->{encode_ms} > 0, 'H.264 is';
}


# as fast as it says, not as fast as it can

{
    my @before = map { source($nginx, $_)->{captured} } qw(h264 udp);
    my $camera = source($nginx, 'camera')->{captured};

    ok wait_for { source($nginx, 'camera')->{captured} >= $camera + 60 },
        'three seconds by the camera';

    my @after = map { source($nginx, $_)->{captured} } qw(h264 udp);

    my $rate = ($after[0] - $before[0]) / 3;

    ok $rate > 15 && $rate < 40, "h264: about 25 a second, $rate";
    ok $after[1] - $before[1] < ($after[0] - $before[0]) / 2,
        'udp: a part of them, as "fps" says';
}


# the server is killed, stays away for a while, and is there again

for my $round (1 .. 2) {
    my %opened = map { $_ => source($nginx, $_)->{opened} } qw(h264 udp mjpeg);

    stop($pid);

    for my $name (qw(h264 udp mjpeg)) {
        ok wait_for { source($nginx, $name)->{state} eq 'reconnecting' },
            "$name: reconnecting, $round";
    }

    ok live($nginx, 'http', 0), 'http: nothing has happened';

    $pid = serve();

    for my $name (qw(h264 udp mjpeg)) {
        ok live($nginx, $name, 40), "$name: live again, $round"
            or diag $nginx->log_end;

        # once more when the film ended, which takes 40 seconds

        cmp_ok source($nginx, $name)->{opened}, '>', $opened{$name},
            "$name: opened anew";

        my $frame = source($nginx, $name)->{frame};
        my $part;

        do {
            $part = $viewers{$name}->part;
        } while ($part && $part->{headers}{'x-vidcast-frame'} < $frame);

        ok $part, "$name: the viewer of the beginning gets more";
    }
}

is join(' ', map { source($nginx, $_)->{starts} } qw(h264 udp mjpeg)),
    '1 1 1', 'no capture was started again';


# those of which nothing can be got

for my $name (qw(silent mute)) {
    my $nothing = qr/^could not be opened: nothing came for 500 ms$/;

    ok wait_for { source($nginx, $name)->{error} =~ $nothing },
        "$name: " . source($nginx, $name)->{error};
}

ok wait_for { source($nginx, 'missing')->{error} =~ /404 Not Found/ },
    'missing: ' . source($nginx, 'missing')->{error};
ok wait_for { source($nginx, 'page')->{error} =~ /Invalid data|"a page"/ },
    'page: ' . source($nginx, 'page')->{error};

is scalar(grep { /secret/ } $nginx->error_log, get($nginx->port,
          '/status')->{body}), 0, 'no secret in the log or the status';

$_->close for values %viewers;

$nginx->stop;
stop($pid);


# one picture a second: it is not waited for more of them than are needed, nor
# for the ten a second that an H.264 says it has

{
    $nginx = Vidcast::Nginx->new(http => <<'CONF');
        vidcast_source ten { input rtsp://127.0.0.1:%%PORT1%%/ten; }
        vidcast_source jpeg { input rtsp://127.0.0.1:%%PORT1%%/jpeg; }
        vidcast_source wide { input rtsp://127.0.0.1:%%PORT1%%/wide; }
        vidcast_source woken {
            input     rtsp://127.0.0.1:%%PORT1%%/ten transport=udp;
            on_demand 100ms;
        }
        server {
            listen 127.0.0.1:%%PORT%%;
            location = /status { vidcast_status; }
            location = /woken.jpg { vidcast woken as=snapshot; }
        }
CONF

    $film = film($nginx->prefix . "/html/ten.mp4", 200, { rate => 10 },
                 qw(-c:v libx264 -bf 0 -g 10
                    -bsf:v setts=pts=PTS*10:dts=DTS*10));

    $pid = serve(ten => h264($film), jpeg => jpeg('1/1'),
                 wide => jpeg('1/1', 2560, 64));

    $nginx->start;

    for my $name (qw(ten jpeg)) {
        ok wait_for { source($nginx, $name)->{published} >= 5 },
            "slow, $name: pictures come";

        my $source = source($nginx, $name);

        is "$source->{state}, $source->{opened} $source->{lost}", 'live, 1 0',
            "slow, $name: from the first connection";
    }

    ok wait_for { source($nginx, 'wide')->{error} =~ /more than 2040 pixels/ },
        'too wide for RTP/JPEG: ' . source($nginx, 'wide')->{error};

    for my $round (1 .. 2) {
        is get($nginx->port, '/woken.jpg')->{status}, 200,
            "slow, on demand: a snapshot, $round";
        ok wait_for { source($nginx, 'woken')->{state} eq 'sleeping' },
            'slow, on demand: sleeps';
    }

    push @{$nginx->{allow}}, qr/\[crit\] .* is reconnecting: its JPEGs /;

    $nginx->stop;
    stop($pid);
}

done_testing;


# streams, by name; without any those of the beginning

sub serve {
    my %streams = @_ ? @_ : (h264 => h264($film), mjpeg => jpeg('25/1'));

    my $pid = open my $out, '-|', "$util/rtsp-server", $nginx->port(1),
        map { "$_=$streams{$_}" } sort keys %streams
        or die "rtsp-server: $!\n";

    $servers{$pid} = $out;

    my $line = <$out> // '';

    die "the RTSP server does not start\n" if $line ne "ready\n";

    return $pid;
}


sub h264 {
    my ($file) = @_;

    return "filesrc location=$file ! qtdemux ! h264parse"
           . ' ! rtph264pay name=pay0 pt=96';
}


sub jpeg {
    my ($rate, $width, $height) = (@_, 176, 144);

    return 'videotestsrc is-live=true ! video/x-raw,format=I420,width='
           . "$width,height=$height,framerate=$rate ! jpegenc"
           . ' ! rtpjpegpay name=pay0 pt=26';
}


sub stop {
    my ($pid) = @_;

    kill 'KILL', $pid;
    close delete $servers{$pid};
}


sub info {
    my ($stream) = @_;

    return Vidcast::JPEG::jpeg_info($stream->part->{data});
}
