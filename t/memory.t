#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Machines are planned by the formula of docs/performance.md, "Memory": here it
# is held against what the kernel says all processes have together.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(sum);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;


# kB, without the pages of files, which other programs have as well: those of
# a memfd are none of them

sub measured {
    my ($nginx) = @_;

    return sum map {
        my $sum = 0;

        if (open my $maps, '<', "/proc/$_->{pid}/smaps_rollup") {
            while (<$maps>) {
                $sum += $1 if /^Pss_(?:Anon|Shmem):\s+(\d+)/;
            }
        }

        $sum;
    } $nginx->processes;
}


# as docs/performance.md has it, kB

sub formula {
    my (%of) = @_;

    my $slots = 1 + $of{encoders} + ($of{viewers} ? $of{workers} : 0);
    my $source = $slots * ($of{frame} + 4)
        + ($of{predict} ? $of{results} * ($of{result} + 0.1) : 0) + 150 + 1650
        + 4 * 1.5 * $of{width} * $of{height} / 1024;

    return 2000 + 500 * $of{workers} + $of{sources} * $source
        + 10 * $of{viewers};
}


sub compare {
    my ($name, %of) = @_;

    my $nginx = Vidcast::Nginx->new(
        workers => $of{workers},
        http => join('', map { <<"CONF" } 1 .. $of{sources}) . <<'CONF'
vidcast_source s$_ {
    input     test: size=$of{width}x$of{height} fps=$of{fps};
    encoders  $of{encoders};
    results   $of{results} $of{result}k;
    $of{predict}
}
CONF
server {
    listen 127.0.0.1:%%PORT%%;
    location = /ws { vidcast s1 as=websocket; }
    location = /snapshot.jpg { vidcast s1 as=snapshot; }
    location = /status { vidcast_status; }
}
CONF
    )->start;

    ok live($nginx, "s$_"), "$name, s$_ lives" for 1 .. $of{sources};

    my @viewers = map {
        Vidcast::WebSocket->connect($nginx->port, '/ws')
    } 1 .. $of{viewers};

    is scalar(grep { $_->accepted } @viewers), $of{viewers}, 'viewers';

    # as many slots have been used as ever are at a time, and all results

    ok wait_for(sub {
        !grep { source($nginx, "s$_")->{published}
                < 3 * source($nginx, "s$_")->{slots}
            || $of{predict}
                && source($nginx, "s$_")->{result} < $of{results} }
            1 .. $of{sources};
    }, 20), 'time passes';

    is source($nginx, 's1')->{slots}, 2 * $of{workers} + $of{encoders} + 5,
        'slots';

    $of{frame} = length(get($nginx->port, '/snapshot.jpg')->{body}) / 1024;

    my $formula = formula(%of);
    my $measured = measured($nginx);

    ok abs($measured / $formula - 1) <= 0.2,
        sprintf '%s: %d kB of %d kB', $name, $measured, $formula;

    $_->close for @viewers;
    $nginx->stop;
}


my %small = (workers => 1, sources => 1, encoders => 1, width => 320,
             height => 240, results => 256, result => 4, viewers => 0,
             fps => 20, predict => '');

compare('a small source', %small);
compare('pictures', %small, encoders => 2, width => 1280, height => 720);
compare('more of all', %small, workers => 2, sources => 3, width => 640,
        height => 480, viewers => 300);
compare('many results, none of them written', %small, results => 4096,
        result => 8);
compare('results', %small, results => 512, fps => 100,
        predict => 'predict delay time=1ms;');

done_testing;
