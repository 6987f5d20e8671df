#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Camera boxes stand behind lines of their own, each with a server that is a
# leaf of a cluster of three, to which the edges are connected.  Any server may
# be killed, and any line cut: every viewer has every result once and
# in order, of all cameras, as soon as there is a way again, or is told how many
# there was no way for.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Life;
use Vidcast::NATS;
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;

sub soon(&$);

Vidcast::Nginx->plan;
Vidcast::NATS->plan;

my @servers = Vidcast::NATS->cluster;
my @leaves = map { Vidcast::NATS->leaf(@servers) } 1 .. 2;
my $urls = 'nats://' . join ',', map { '127.0.0.1:' . $_->port } @servers;
my $alarms = qr/is stale|is reconnecting: (?:no server|the connection|the origin)/;

my @boxes = map { box($_) } 1 .. 2;
my @edges = map { edge() } 1 .. 2;

ok live($edges[$_ % 2], 'cam' . (1 + int $_ / 2), 30), 'live' for 0 .. 3;

my @viewers = map { my $edge = $_; map { viewer($edge, $_) } 1 .. 2 } @edges;

# servers of the cluster, one after the other; always two are left

for my $server (@servers) {
    $server->kill;
    ok go_on(), 'one server of the cluster was killed';
    $server->start;
}

# the line of a box is cut, and is there again

$leaves[0]->kill;

soon { source($boxes[0], 'cam1')->{outputs}[0]{error} =~ /no server/ }
    'a box without a line says so';
ok go_on(2), 'the other one goes on';

$leaves[0]->start;
ok go_on(), 'both are there again';

# an edge, and a box, are killed without a word

for my $site ($edges[0], $boxes[1]) {
    $site->signal('KILL', $_->{pid}) for $site->processes('capture');
}

ok go_on(), 'captures were killed at both ends';

is wrong($_), '', "every result of $_->{name} once, in order, or told" for @viewers;
$_->stop for @edges, @boxes;

done_testing;


sub soon(&$) {
    my ($condition, $name) = @_;

    return ok wait_for(\&$condition, 30), $name;
}


sub box {
    my ($n) = @_;
    my $url = $leaves[$n - 1]->url;

    return Vidcast::Nginx->new(allow => [$alarms, qr/exited on signal 9/],
                               http => <<"CONF")->start;
vidcast_source cam$n {
    input    test: size=64x48 fps=25;
    predict  delay time=2ms;
    results  3000;
    output   $url/site.berlin;
}

server { listen 127.0.0.1:%%PORT%%; location /status { vidcast_status; } }
CONF
}


sub edge {
    my $sources = join '', map { <<"CONF" } 1 .. 2;
vidcast_source cam$_ { input $urls/site.berlin.cam$_; results 3000; }
CONF

    return Vidcast::Nginx->new(workers => 2, allow => [$alarms,
                               qr/exited on signal 9/], http => <<"CONF")->start;
$sources
server {
    listen  127.0.0.1:%%PORT%%;

    location /status { vidcast_status; }
    location /cam1   { vidcast cam1 as=ndjson; }
    location /cam2   { vidcast cam2 as=ndjson; }
}
CONF
}


sub viewer {
    my ($edge, $n) = @_;

    my $viewer = { name => "cam$n", box => $boxes[$n - 1], seen => [],
                   stream => Vidcast::Stream->open($edge->port, "/cam$n") };

    $viewer->{stream}->attend;

    return $viewer;
}


sub look {
    my ($viewer) = @_;

    push @{$viewer->{seen}}, $viewer->{stream}->objects;

    return $viewer->{seen}[-1];
}


# all viewers, or those of one box, get what their box has published by now

sub go_on {
    my ($n) = @_;

    for my $viewer (grep { !$n || $_->{name} eq "cam$n" } @viewers) {
        my $there = source($viewer->{box}, $viewer->{name})->{result};

        wait_for {
            my $result = look($viewer);

            $result && $result->{seq} >= $there;
        } 40 or return 0;
    }

    return 1;
}


sub wrong {
    my ($viewer) = @_;
    my ($last, @wrong);

    for my $result (@{$viewer->{seen}}) {
        push @wrong, "$last->{seq}, $result->{seq}"
            if $last && ($result->{seq} - ($result->{skipped} // 0)
                             != $last->{seq} + 1
                         || $result->{epoch} ne $last->{epoch});
        push @wrong, "reset at $result->{seq}" if $result->{reset};

        $last = $result;
    }

    return join '; ', @wrong;
}
