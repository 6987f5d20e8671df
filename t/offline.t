#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A page with a camera that is not there must show why there is no picture, not
# an empty frame; a program that reads the stream must not be left without an
# end, if it asked for one; and that may not happen in the moment in which a
# camera is only being opened.  A placeholder is no picture: it has no number,
# and is counted as none.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(sum0);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::HTTP2;
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $patience = 30;

my %blocks = (
    lost  => 'input v4l2:/dev/video99;',
    door  => 'input push:; stale 1s;',
    gate  => 'input push:; stale 1s;',
    yard  => 'input push:;',
    hall  => 'input push:;',
    front => 'input test: size=64x48 fps=20; on_demand 300ms;',
    drawn => 'input test: size=64x48 fps=20; on_demand 300ms;',
    still => 'input images:%%PREFIX%%/still loop=off;',
    none  => 'input images:%%PREFIX%%/none loop=off warmup=2;',
    slow  => 'input images:%%PREFIX%%/slow fps=0.7; stale 300ms;',
);

my $sources = join '', map { "vidcast_source $_ { $blocks{$_} }\n" }
              sort keys %blocks;

my $nginx = Vidcast::Nginx->new(
    allow => [ qr/"(?:lost|slow)" is (?:reconnecting|stale)/,
               qr/"slow": \d+ more losses/ ],
    http => <<"CONF");
$sources

server {
    listen  127.0.0.1:%%PORT%%;
    listen  127.0.0.1:%%PORT1%% ssl http2;
    listen  127.0.0.1:%%PORT2%% http2;

    ssl_certificate      %%PREFIX%%/cert.pem;
    ssl_certificate_key  %%PREFIX%%/key.pem;

    location = /status       { vidcast_status; }
    location ~ ^/publish/(.*) { vidcast_publish \$1; }

    location ~ ^/hold/(.*)    { vidcast \$1 as=mjpeg; }
    location ~ ^/picture/(.*) { vidcast \$1 as=mjpeg; vidcast_offline picture; }
    location ~ ^/close/(.*)   { vidcast \$1 as=mjpeg; vidcast_offline close; }

    location = /overlay { vidcast lost as=mjpeg overlay=on; }
    location = /boxes   { vidcast drawn as=mjpeg overlay=on;
                          vidcast_offline picture; }
    location = /two     { vidcast lost,door as=mjpeg; }
    location = /few     { vidcast yard as=mjpeg; vidcast_fps 1;
                          vidcast_offline picture; }
}
CONF

add('still', '1.jpg', picture(64, 48, 100));
add('none', "$_.jpg", picture(64, 48, 100)) for 1, 2;
add('slow', "$_.jpg", picture(64, 48, 40 * $_)) for 1 .. 4;

certificate($nginx->prefix);

$nginx->start;

in_state('lost', 'reconnecting');
in_state('still', 'ended');
in_state('none', 'ended');
in_state('door', 'off');

before_the_first();
each_line();
held();
replaced();
late_viewer();
seldom();
ended();
on_demand();
closed();
waited_for();
counted();
reloaded();

$nginx->stop;

done_testing;


sub add {
    my ($folder, $name, $bytes) = @_;

    my $path = $nginx->prefix . "/$folder";

    mkdir $path;

    open my $fh, '>:raw', "$path/$name" or die "$path/$name: $!\n";
    print $fh $bytes;
    close $fh;
}


sub in_state {
    my ($name, $state) = @_;

    return ok scalar(wait_for { (source($nginx, $name)->{state} // '')
                                eq $state } $patience),
        "$name is $state";
}


sub video { Vidcast::Stream->open($nginx->port, @_) }


sub publish {
    my ($name, $shade) = @_;

    return request($nginx->port, "/publish/$name", method => 'POST',
                   body => picture(64, 48, $shade))->{status};
}


# of a part: its state, and which picture it is

sub told {
    my ($part) = @_;

    my $headers = $part->{headers} // {};
    my $state = $headers->{'x-vidcast-state'} // 'no state';

    return $headers->{'x-vidcast-frame'} ? "$state, a picture"
                                         : "$state, a placeholder";
}


# the next part that is told so; those before it are passed over

sub comes {
    my ($video, $told, $name) = @_;

    my ($part, %seen);

    while ($part = $video->any_part($patience)) {
        last if told($part) eq $told;
        $seen{told($part)}++;
    }

    ok $part, $name or diag "there were: @{[sort keys %seen]}";

    return $part // {};
}


sub before_the_first {
    my $video = video('/hold/lost');
    my $part = $video->any_part;
    my $info = jpeg_info($part->{data});

    is told($part), 'reconnecting, a placeholder', 'first: at once';
    is join(' ', sort keys %{$part->{headers}}),
        'content-length content-type x-vidcast-state',
        'first: neither number nor time';
    is "$info->{width}x$info->{height}", '640x360', 'first: of this size';
    cmp_ok length $part->{data}, '<', 16384, 'first: small';

    my $again = $video->any_part;

    is_deeply $again, $part, 'first: again and again';

    # each says something else

    my $door = video('/hold/door')->any_part;

    is told($door), 'off, a placeholder', 'first: without a publisher';
    isnt $door->{data}, $part->{data}, 'first: another picture';

    is told(video('/two')->any_part), 'reconnecting, a placeholder',
        'first: of two sources, that of the first one';
    is told(video('/overlay')->any_part), 'reconnecting, a placeholder',
        'first: of an overlay';

    my $ended = video('/hold/none')->any_part;

    is told($ended), 'ended, a placeholder', 'first: there was no picture';

    my $head = get($nginx->port, '/hold/lost', method => 'HEAD');

    is $head->{status}, 200, 'first: HEAD';
    is $head->{client}->read_body(0.2) // '', '', 'first: HEAD, no body';
}


sub each_line {
    my %tls = (ca => $nginx->prefix . '/cert.pem');
    my %parts = map { $_->[0] => $_->[1]->any_part } (
        [ 'HTTP/1.0', video('/hold/lost', version => '1.0') ],
        [ 'TLS', Vidcast::Stream->open($nginx->port(1), '/hold/lost',
                                       client => { tls => { %tls } }) ],
        [ 'HTTP/2', Vidcast::HTTP2->connect($nginx->port(2))
                    ->open('/hold/lost') ],
        [ 'HTTP/2 by TLS', Vidcast::HTTP2->connect($nginx->port(1),
              client => { tls => { %tls, alpn => 'h2' } })
              ->open('/picture/lost') ],
    );

    my $plain = video('/hold/lost')->any_part;

    is_deeply $parts{$_}, $plain, "lines: $_" for sort keys %parts;
}


# by default: what has been shown stays

sub held {
    my $video = video('/hold/gate');

    is told($video->any_part), 'off, a placeholder', 'hold: at first';
    is publish('gate', 100), 204, 'hold: a picture comes';

    my $part = comes($video, 'live, a picture', 'hold: it is live');

    is $part->{data}, picture(64, 48, 100), 'hold: it is shown';

    for my $state (qw(stale off)) {
        my $part = comes($video, "$state, a picture", "hold: it is $state");

        is $part->{data}, picture(64, 48, 100), 'hold: the same stays';
    }

    is publish('gate', 120), 204, 'hold: another one comes';
    is comes($video, 'live, a picture', 'hold: it lives again')->{data},
        picture(64, 48, 120), 'hold: and is seen';
}


sub replaced {
    my $video = video('/picture/door');

    is told($video->any_part), 'off, a placeholder', 'picture: at first';
    publish('door', 100);
    comes($video, 'live, a picture', 'picture: it is live');

    my $stale = comes($video, 'stale, a placeholder', 'picture: it is stale');
    my $off = comes($video, 'off, a placeholder', 'picture: it is off');

    isnt $stale->{data}, $off->{data}, 'picture: that is told';

    publish('door', 120);

    is comes($video, 'live, a picture', 'picture: it lives again')->{data},
        picture(64, 48, 120), 'picture: what is new is seen';

    comes($video, 'off, a placeholder', 'picture: it is off again');

    # a result is a proof of life, and the picture is the present again

    request($nginx->port, '/publish/door', method => 'POST', body => '{}',
            headers => ['Content-Type' => 'application/json']);

    is comes($video, 'live, a picture', 'picture: it lives, unchanged')->{data},
        picture(64, 48, 120), 'picture: the last one is seen again';
}


# a viewer that comes when it is lost

sub late_viewer {
    in_state('door', 'off');

    my $video = video('/picture/door');
    my @parts = map { $video->any_part } 1 .. 3;

    is told($parts[0]), 'off, a picture', 'late: it is said to be old';
    is told($parts[$_]), 'off, a placeholder', "late: part $_" for 1, 2;

    is told(video('/hold/door')->any_part), 'off, a picture',
        'late: the picture stays for others';
}


# few pictures a second: it is not lost between two of them

sub seldom {
    my $video = video('/picture/slow');
    my (%states, %numbers, %other);

    comes($video, $_, "seldom: $_") for 'stale, a picture', 'live, a picture';

    while (keys %numbers < 3) {
        my $part = $video->any_part($patience) or last;
        my $number = $part->{headers}{'x-vidcast-frame'};

        $number ? $numbers{$number}++ : $other{told($part)}++;
    }

    is scalar keys %numbers, 3, 'seldom: pictures come';
    is join(' ', %other), '', 'seldom: and nothing else';
}


# the last picture of what has ended is right

sub ended {
    for my $policy (qw(hold picture)) {
        my $video = video("/$policy/still");

        is told($video->any_part), 'ended, a picture', "ended: $policy"
            for 1 .. 3;
    }

    my $video = video('/close/still');

    is $video->part->{data}, picture(64, 48, 100), 'ended: close, the picture';
    ok $video->ended($patience), 'ended: close, and then the end';
}


# a camera that is opened for its first viewer

sub on_demand {
    for my $policy (qw(hold picture close)) {
        in_state('front', 'sleeping');

        my $video = video("/$policy/front");
        my $part = $video->any_part;

        like told($part), $policy eq 'close'
            ? qr/^live, a picture$/
            : qr/^(?:sleeping|starting), a placeholder$|^live, a picture$/,
            "on demand: $policy, at first";

        comes($video, 'live, a picture', "on demand: $policy");
        $video->close;
    }

    in_state('drawn', 'sleeping');
    comes(video('/boxes'), 'live, a picture', 'on demand: an overlay');
}


sub closed {
    for my $name (qw(lost none)) {
        my $video = video("/close/$name");

        is $video->status, 200, "close: $name, it begins";
        ok $video->ended($patience), "close: $name, and ends";
    }

    my $video = video('/close/door');

    publish('door', 100);
    comes($video, 'live, a picture', 'close: while it lives');
    ok $video->ended($patience), 'close: the publisher is gone';

    # it never is told why, as a program would take that for a picture

    $video = video('/close/lost', version => '1.0');
    $video->until_some(sub { undef }, $patience);
    ok $video->eof, 'close: HTTP/1.0';
    $video->unwrap;
    is $video->{content}, "--frame\r\n", 'close: no placeholder';
}


# a camera that takes longer to open than a lost one has: it is stopped, and
# the other one's end is the clock

sub waited_for {
    in_state('front', 'sleeping');

    my $pid = capture_pid($nginx, 'front');

    $nginx->signal('STOP', $pid);

    my $waits = video('/close/front');

    ok video('/close/lost')->ended($patience), 'waits: a lost one ends';
    ok !$waits->eof, 'waits: this one does not';

    my $part = $waits->any_part(0.01);
    ok !$part, 'waits: nor has it a part' or diag told($part);

    $nginx->signal('CONT', $pid);

    is told($waits->any_part($patience)), 'live, a picture',
        'waits: then there it is';
}


# a placeholder is no frame, whatever it takes the place of

sub counted {
    my @videos = map { video("/$_") } qw(hold/yard picture/yard few);

    comes($_, 'off, a placeholder', 'counted: placeholders') for @videos;

    is source($nginx, 'yard')->{delivered}{frames}, 0, 'counted: none is';
    cmp_ok source($nginx, 'yard')->{viewers}{mjpeg}, '==', 3,
        'counted: viewers are';

    my $bytes = wait_for { source($nginx, 'yard')->{delivered}{bytes} };

    cmp_ok $bytes, '>', 3000, 'counted: and their bytes';

    publish('yard', 10 * $_) for 1 .. 7;
    comes($_, 'live, a picture', 'counted: pictures') for @videos;
    comes($_, 'stale, a picture', 'counted: pictures again')
        for $videos[0];
    comes($videos[1], 'stale, a placeholder', 'counted: a placeholder again');
    $_->close for @videos;

    ok scalar(wait_for { source($nginx, 'yard')->{viewers}{all} == 0 }),
        'counted: all have left';

    my $yard = source($nginx, 'yard');

    is sum0($yard->{delivered}{frames}, values %{$yard->{not_delivered}}),
        3 * $yard->{published}, 'counted: each viewer got each, or why not';
}


# viewers that see a placeholder stay with the old worker, and get the picture

sub reloaded {
    my @videos = map { video("/$_/hall") } qw(hold picture);

    comes($_, 'off, a placeholder', 'reload: before it') for @videos;

    $nginx->reload;

    for my $video (@videos) {
        is told($video->any_part), 'off, a placeholder',
            'reload: it goes on' for 1 .. 3;
    }

    publish('hall', 90);

    is comes($_, 'live, a picture', 'reload: it comes')->{data},
        picture(64, 48, 90), 'reload: the picture' for @videos;

    is told(video('/hold/lost')->any_part), 'reconnecting, a placeholder',
        'reload: and for new viewers';

    my $master = $nginx->pid;

    $_->close for @videos;
    ok kill(0, $master), 'reload: the master lives';
}
