#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What leaves by sendfile() are the pages of the ring themselves, and on this
# machine the receiver's socket refers to them till somebody reads: so here
# they stand in the middle of a picture while the ring is written over and over
# again, by another capture as well, and find the picture that it was.  Pages
# may not be shared with those that were sent a copy, either.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture qw(digest whole);
use Vidcast::Stream;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;
use Vidcast::WebSocket qw(gather);

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(workers => 2, allow => [qr/signal 9/],
                                http => <<"CONF");
vidcast_source front {
    input   images:%%PREFIX%%/html/cam fps=100;
    frames  auto 2m;
}

vidcast_stall_timeout 60s;
sendfile on;

server {
    listen  127.0.0.1:%%PORT%%;
    listen  127.0.0.1:%%PORT1%% ssl;
    listen  127.0.0.1:%%PORT2%% sndbuf=32k;

    ssl_certificate      %%PREFIX%%/cert.pem;
    ssl_certificate_key  %%PREFIX%%/key.pem;

    @{[locations('front')]}
    location = /copied { sendfile off; vidcast front send=frames; }

    # what others do to a response, in ways that its pictures must survive

    location = /pushed   { tcp_nopush on; vidcast front as=mjpeg; }
    location = /threads  { aio threads; vidcast front as=mjpeg; }
    location = /limited  { limit_rate 2m; vidcast front as=mjpeg; }
    location = /filtered { sub_filter "no such text" ""; sub_filter_types *;
                           vidcast front as=mjpeg; }
}
CONF

my $cam = $nginx->prefix . '/html/cam';

mkdir $cam;

# of sizes for which it is used, on both sides of them, and at their ends

my @sizes = map { 20000 + 13000 * $_ } 0 .. 17;

for my $n (0 .. $#sizes + 2) {
    open my $fh, '>:raw', sprintf '%s/%02d.jpg', $cam, $n or die $!;
    print $fh whole($n, $sizes[$n] // ($n % 2 ? 300000 : 9000));
    close $fh or die $!;
}

certificate($nginx->prefix);

$nginx->start;

ok live($nginx, 'front'), 'the source lives';

my %tls = (client => { tls => { ca => $nginx->prefix . '/cert.pem' } });


sub viewer {
    my ($path, $port, %args) = @_;

    return Vidcast::WebSocket->connect($nginx->port($port // 0), $path, %args);
}


sub counted {
    my ($name) = @_;

    return source($nginx, 'front')->{$name};
}


# few viewers are no reason for it

my %viewers = (plain => [ map { viewer('/pictures') } 1 .. 8 ]);

my $published = counted('published');

ok wait_for { counted('published') > $published + 150 }, 'time passes';
is counted('direct'), 0, 'eight viewers are sent copies';

push @{$viewers{plain}}, map { viewer('/pictures') } 9 .. 48;

$viewers{tls} = [ map { viewer('/pictures', 1, %tls) } 1 .. 2 ];
$viewers{copied} = [ map { viewer('/copied') } 1 .. 2 ];

# the first of these are always in the middle of a picture

sub videos {
    my ($path, $n, $port) = @_;

    return [ map { Vidcast::Stream->open($nginx->port($port // 0), $path) }
             1 .. $n ];
}

my %videos = (stuck => videos('/mjpeg', 8, 2), mjpeg => videos('/mjpeg', 24),
              map { $_ => videos("/$_", 2) } qw(pushed threads limited
                                                filtered));

ok wait_for { counted('direct') > 0 }, 'many are not';

my (%checked, %wrong, %pictures);


# takes the pictures which are there, the rest of the one in the middle first

sub check {
    my ($kind, @pictures) = @_;

    for my $jpeg (@pictures) {
        my $digest = digest($jpeg);

        $checked{$kind}++;
        $wrong{$kind}++ if !defined $digest;
        $pictures{$digest // ''}++;
    }
}


sub take {
    my ($kind, $enough) = @_;

    my @seen;

    return gather($viewers{$kind}, sub {
        for my $i (0 .. $#{$viewers{$kind}}) {
            my @found = map { $_->{data} }
                        grep { $_->{type} eq 'binary' }
                             splice @{$viewers{$kind}[$i]{inbox}};

            check($kind, @found);
            $seen[$i] += @found;
        }

        return !grep { $_ < $enough } @seen;
    });
}


sub take_parts {
    my ($kind, $enough) = @_;

    for my $video (@{$videos{$kind}}) {
        for (1 .. $enough) {
            my $part = $video->part or return 0;

            check($kind, $part->{data});
        }
    }

    return 1;
}


# everybody sleeps while all slots are written some times

sub sleep_well {
    my $until = counted('published') + 4 * source($nginx, 'front')->{slots};

    return wait_for { counted('published') > $until };
}


for my $turn (1 .. 6) {
    ok sleep_well(), "turn $turn, the ring has been written again";

    if ($turn == 3) {
        my ($capture) = $nginx->processes('capture');

        $nginx->signal('KILL', $capture->{pid});

        ok live($nginx, 'front'), 'by another capture, too';
        ok sleep_well(), 'some times';
    }

    ok take_parts($_, 4), "pictures go on, $_" for sort keys %videos;

    if ($turn == 5) {
        ok $nginx->reload, 'nginx is reloaded';

        # its viewers are sent away, but for those of MJPEG

        $_->close for map { @$_ } values %viewers;

        %viewers = (
            plain => [ map { viewer('/pictures') } 1 .. 48 ],
            tls => [ map { viewer('/pictures', 1, %tls) } 1 .. 2 ],
            copied => [ map { viewer('/copied') } 1 .. 2 ],
        );
        next;
    }

    ok take($_, 4), "pictures go on, $_" for sort keys %viewers;
}

for my $kind (sort keys %viewers, keys %videos) {
    cmp_ok $checked{$kind}, '>=', 30, "pictures, $kind: $checked{$kind}";
    is $wrong{$kind} // 0, 0, "whole ones, $kind";
}

cmp_ok scalar(keys %pictures), '>=', 18, 'of all sizes';

my $before = counted('direct');

ok wait_for { counted('direct') > $before }, 'it went on to the end';
is counted('dropped')->{ring_full}, 0, 'and the ring was never full';

# with the viewers it ends

$_->close for @{$viewers{plain}}, map { @$_ } values %videos;

ok wait_for {
    my $published = counted('published');
    my $direct = counted('direct');

    wait_for { counted('published') > $published + 50 };
    counted('direct') == $direct;
}, 'it ends with the viewers';

$_->close for map { @$_ } @viewers{qw(tls copied)};

$nginx->stop;

done_testing;
