#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A picture that is larger than a slot of the ring is dropped and counted each
# time, and told once: passed through or encoded here, the viewer of the log
# must learn why the screen is black.  So must a program that asks for the state:
# a source all of whose pictures are refused is not live, whatever it sends.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture qw(picture comments);
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(allow => [qr/is stale: no frame for/],
                                http => <<"CONF");
vidcast_source passed {
    input   images:pictures fps=50;
    frames  auto 1k;
}

vidcast_source made {
    input   test: size=640x480 fps=30;
    frames  auto 1k;
}

vidcast_source turns {
    input   images:turns fps=50;
    frames  auto 4k;
    stale   2s;
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('passed')]}

    location = /health { vidcast_health; }
}
CONF

my $small = picture(64, 48, 200);
my $large = comments($small, 'x' x 5000);

mkdir $nginx->prefix . "/$_" or die "$_: $!\n" for qw(pictures turns);

put('pictures', $large);
put('turns', $small);

$nginx->start;

for my $name ('passed', 'made') {
    ok wait_for { source($nginx, $name)->{dropped}{too_large} > 5 },
       "$name: counted each time";

    my $told = () = $nginx->error_log
        =~ /a frame of vidcast source "$name" is larger than 1024 bytes/g;

    is $told, 1, "$name: told once";
    is source($nginx, $name)->{frame}, 0, "$name: no frame came out";
}

my $reason = 'a frame is larger than 1024 bytes, see "frames"';

for my $name ('passed', 'made') {
    my $source = source($nginx, $name);

    is_deeply [@{$source}{qw(fps frame_age life_age)}], [0, undef, undef],
        "$name: nothing to see, no sign of life";

    like $source->{state}, qr/^(?:starting|stale)$/, "$name: it is not live";
    like $source->{error}, qr/\Q$reason\E$/, "$name: and says why";
    like health($name), qr/\Q$reason\E$/, "$name: it ails for that reason";

    ok wait_for { source($nginx, $name)->{state} eq 'stale' },
        "$name: it is stale in the end";
    is source($nginx, $name)->{error}, "no frame for 5000 ms: $reason",
        "$name: and says why";
    is health($name), "no frame for 5000 ms: $reason", "$name: to all";
}

# a camera whose pictures grow, and shrink again

ok live($nginx, 'turns'), 'turns: it lives';
is health('turns'), undef, 'turns: and is well';

put('turns', $large);

$reason = 'no frame for 2000 ms: a frame is larger than 4096 bytes,'
          . ' see "frames"';

ok wait_for { source($nginx, 'turns')->{state} eq 'stale' },
    'turns: its pictures are refused, it is stale';
is source($nginx, 'turns')->{error}, $reason, 'turns: and says why';
is health('turns'), $reason, 'turns: to all';

put('turns', $small);

ok live($nginx, 'turns'), 'turns: it lives again';
is source($nginx, 'turns')->{error}, '', 'turns: without a reason';
is health('turns'), undef, 'turns: and is well';

$nginx->stop;

done_testing;


# a whole one at any time

sub put {
    my ($folder, $jpeg) = @_;

    my $path = $nginx->prefix . "/$folder";

    open my $file, '>:raw', "$path/new" or die "$path/new: $!\n";
    print $file $jpeg;
    close $file or die "$path/new: $!\n";

    rename "$path/new", "$path/1.jpg" or die "$path/1.jpg: $!\n";
}


# why this source is not well

sub health {
    my ($name) = @_;

    my $health = decode_json(get($nginx->port, '/health')->{body});
    my ($source) = grep { $_->{name} eq $name } @{$health->{sources} // []};

    return $source && $source->{error};
}
