#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Many processes read the memory that a camera's process writes, and nobody
# waits for anybody: whatever a receiver does, and whoever dies, no picture may
# ever arrive with bytes of another one.  The pictures here are of all sizes
# and say by a digest whether they are whole.  Readers stall at random in the
# middle of them, over each transport, while workers and the capture are killed
# and nginx is reloaded.  At the end wrong pictures are played: each transport
# must find them, or its silence would mean nothing.
#
# Not in the mode valgrind: at a thirtieth of the speed nothing races.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use List::Util qw(sum0);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Vidcast::HTTP2;
use Vidcast::Nginx;
use Vidcast::Picture qw(digest whole);
use Vidcast::Stream;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(workers => 2,
                                allow => [qr/exited on signal 9/],
                                http => <<'CONF');
vidcast_source front {
    input   images:%%PREFIX%%/html/cam fps=200;
    frames  auto 2m;
}

vidcast_stall_timeout 60s;

server {
    listen  127.0.0.1:%%PORT%% sndbuf=32k;
    listen  127.0.0.1:%%PORT1%% ssl sndbuf=32k;
    listen  127.0.0.1:%%PORT2%% http2 sndbuf=32k;
    listen  127.0.0.1:%%PORT3%% ssl http2 sndbuf=32k;

    ssl_certificate      %%PREFIX%%/cert.pem;
    ssl_certificate_key  %%PREFIX%%/key.pem;

    location = /ws    { vidcast front as=websocket send=frames; }
    location = /mjpeg { vidcast front as=mjpeg; }
    location = /ring  { vidcast front as=mjpeg; sendfile on; }
}
CONF

my $cam = $nginx->prefix . '/html/cam';


# under names of their own, in place of all there are

sub play {
    my ($name, @jpegs) = @_;

    my @old = glob "$cam/*.jpg";

    for my $n (0 .. $#jpegs) {
        my $path = sprintf '%s/%s-%02d', $cam, $name, $n;

        open my $fh, '>:raw', "$path.tmp" or die "$path: $!\n";
        print $fh $jpegs[$n];
        close $fh or die "$path: $!\n";

        rename "$path.tmp", "$path.jpg" or die "$path: $!\n";
    }

    unlink @old;
}


my $first = whole(1, 200000);
my $second = whole(2, 200000);
my @wrong = ($first, substr($first, 0, 100000) . substr($second, 100000),
             $first);

substr($wrong[0], 150000, 1) ^= "\1";
substr($wrong[2], -30, 1) ^= "\x80";

ok digest($first), 'a picture is whole';
is scalar(grep { defined digest($_) } @wrong), 0, 'others are not';

mkdir $cam;
play('whole', map { whole($_, 30000 * 50 ** ($_ / 15)) } 0 .. 15);
certificate($nginx->prefix);

$nginx->start;

my %ca = (ca => $nginx->prefix . '/cert.pem');
my %slow = (recv_buffer => 32768);
my %tls = (%slow, tls => \%ca);
my %h2 = (window => 100000);


# what each transport needs: to open a connection, and to take from it what
# came: ([frame's number, picture], ...)

sub websocket {
    my ($port, $client, %args) = @_;

    my $ws = Vidcast::WebSocket->connect($nginx->port($port), '/ws',
                                         client => $client, %args);

    return $ws->accepted ? $ws : undef;
}


sub mjpeg {
    my ($port, $client, $path) = @_;

    my $video = Vidcast::Stream->open($nginx->port($port), $path // '/mjpeg',
                                      client => $client);

    return $video->status == 200 ? $video : undef;
}


sub http2 {
    my ($port, $client) = @_;

    my $h2 = Vidcast::HTTP2->connect($nginx->port($port), %h2,
                                     client => $client);

    $h2->{video} = $h2->open('/mjpeg');

    return $h2->{video}->status ? $h2 : undef;
}


sub plain {
    my ($ws) = @_;

    return map { [0, $_->{data}] }
           grep { $_->{type} eq 'binary' } splice @{$ws->{inbox}};
}


sub numbered {
    my ($ws) = @_;

    return map {
        my ($offset, $length) = unpack 'x6nn', $_->[1];
        my $head = decode_json(substr $_->[1], 12, $length);

        [$head->{frame}, substr $_->[1], $offset];
    } plain($ws);
}


sub parts {
    my ($video) = @_;

    my @parts;

    $video->unwrap;

    while (my $part = $video->take_part) {
        my $headers = $part->{headers};

        # on a busy machine a reader is there before the first picture is

        next if !defined $headers->{'x-vidcast-frame'}
            && ($headers->{'x-vidcast-state'} // 'live') ne 'live';

        push @parts, [$part->{headers}{'x-vidcast-frame'}, $part->{data}];
    }

    return @parts;
}


my %v1 = (protocol => 'vidcast.v1');

my @transports = (
    ['WebSocket', sub { websocket(0, \%slow) }, \&plain],
    ['vidcast.v1', sub { websocket(0, \%slow, %v1) }, \&numbered],
    ['MJPEG', sub { mjpeg(0, \%slow) }, \&parts],
    ['MJPEG from the ring', sub { mjpeg(0, \%slow, '/ring') }, \&parts],
    ['WebSocket over TLS', sub { websocket(1, \%tls) }, \&plain],
    ['vidcast.v1 over TLS', sub { websocket(1, \%tls, %v1) }, \&numbered],
    ['MJPEG over TLS', sub { mjpeg(1, \%tls) }, \&parts],
    ['MJPEG over HTTP/2', sub { http2(2, \%slow) },
     sub { parts($_[0]{video}) }],
    ['MJPEG over HTTP/2 and TLS',
     sub { http2(3, { %slow, tls => { %ca, alpn => 'h2' } }) },
     sub { parts($_[0]{video}) }],
);

my @readers = map {
    { transport => $_->[0], open => $_->[1], take => $_->[2], wake => 0 }
} map { ($_) x 2 } @transports;

my (%checked, %wrong, %cut, %picture_of);


sub now { return clock_gettime(CLOCK_MONOTONIC) }


sub check {
    my ($reader, $number, $jpeg) = @_;

    my $digest = digest($jpeg);

    # the same number is the same picture, to whomever it went

    $digest = undef
        if $number && defined $digest
           && ($picture_of{$number} //= $digest) ne $digest;

    $checked{$reader->{transport}}++;
    $wrong{$reader->{transport}}++ if !defined $digest;
}


# one reader's turn: takes what came, then possibly sleeps on it

sub turn {
    my ($reader) = @_;

    my $client = $reader->{client};
    my @pictures = eval { $client->serve; $reader->{take}->($client) };

    if ($@) {
        $wrong{$reader->{transport}}++;
        diag("$reader->{transport}: $@");
    }

    check($reader, @$_) for @pictures;

    if ($client->eof || $@) {
        $client->close;
        delete $reader->{client};

    } elsif (rand() < 0.006) {
        $reader->{wake} = now() + 2 * rand() ** 2;

        my $held = length($client->{buffer})
            + length(($client->{video} // $client)->{content} // '');

        $cut{$reader->{transport}}++ if $held > 1000;
    }
}


# everybody reads until the condition holds

sub watch {
    my ($condition, $seconds) = @_;

    my $deadline = deadline($seconds);

    until ($condition->()) {
        return 0 if remaining($deadline) == 0;

        # whoever came while a worker was killed tries again

        for my $reader (grep { !$_->{client} } @readers) {
            $reader->{client} = eval { $reader->{open}->() };
        }

        my $now = now();
        my %of = map { fileno($_->{client}{socket}) => $_ }
                 grep { $_->{client} && $_->{wake} <= $now } @readers;
        my $select = IO::Select->new(map { $_->{client}{socket} } values %of);

        turn($of{fileno $_}) for $select->can_read(0.05);
    }

    return 1;
}


sub checked { return sum0 values %checked }


sub murder {
    my ($kind) = @_;

    my @victims = $nginx->processes($kind);

    $nginx->signal('KILL', $victims[rand @victims]{pid}) if @victims;
}


my $reloads = 0;

my @events = (
    sub { murder('worker') }, sub { murder('capture') },
    sub { murder('worker') }, sub { murder('capture') },
    sub { $reloads += $nginx->reload ? 1 : 0 }, sub { murder('capture') },
    sub { murder('worker') }, sub { murder('manager') },
    sub { murder('capture') },
);

for my $event (@events) {
    $event->();

    # till it has done its harm, and everybody goes on

    my $end = now() + 1;
    my %before = %checked;

    watch(sub {
        now() >= $end
            && !grep { ($checked{$_->[0]} // 0) <= ($before{$_->[0]} // 0) }
                @transports
    }, 20) or fail('all transports go on');
}

watch(sub { !grep { $checked{$_->[0]} < 30 || !$cut{$_->[0]} } @transports },
      30);

for my $name (map { $_->[0] } @transports) {
    cmp_ok $checked{$name}, '>=', 30, "pictures by $name: $checked{$name}";
    is $wrong{$name} // 0, 0, "whole ones by $name";
    cmp_ok $cut{$name} // 0, '>', 0,
        "the reader slept in the middle of one, $name: " . ($cut{$name} // 0);
}

is $reloads, 1, 'nginx was reloaded';
cmp_ok checked(), '>=', 500, 'checked: ' . checked();

%wrong = ();
play('wrong', @wrong);

watch(sub { !grep { !$wrong{$_->[0]} } @transports }, 30);

is join(', ', grep { !$wrong{$_} } map { $_->[0] } @transports), '',
    'wrong pictures are found by each';

for my $reader (grep { $_->{client} } @readers) {
    $reader->{client}->close;
}

$nginx->stop;

done_testing;
