#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A picture that is larger than a slot of the ring is dropped and counted each
# time, and told once: passed through or encoded here, the viewer of the log
# must learn why the screen is black.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture qw(picture comments);
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_source passed {
    input   images:pictures fps=50;
    frames  auto 1k;
}

vidcast_source made {
    input   test: size=640x480 fps=30;
    frames  auto 1k;
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('passed')]}
}
CONF

my $pictures = $nginx->prefix . '/pictures';

mkdir $pictures or die "$pictures: $!\n";
open my $file, '>:raw', "$pictures/1.jpg" or die "$pictures/1.jpg: $!\n";
print $file comments(picture(64, 48, 200), 'x' x 5000);
close $file or die "$pictures/1.jpg: $!\n";

$nginx->start;

for my $name ('passed', 'made') {
    ok wait_for { source($nginx, $name)->{dropped}{too_large} > 5 },
       "$name: counted each time";

    my $told = () = $nginx->error_log
        =~ /a frame of vidcast source "$name" is larger than 1024 bytes/g;

    is $told, 1, "$name: told once";
    is source($nginx, $name)->{frame}, 0, "$name: no frame came out";
}

$nginx->stop;

done_testing;
