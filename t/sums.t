#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Frames may be lost, but not without a trace: what an input gave is published
# or has a reason, once, and so is what was offered to a predictor, to an
# overlay, and to each viewer, whatever is killed meanwhile.  A sum that is true
# only while all is well would hide the very frames that somebody looks for.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(sum0);
use Test::More;

use Vidcast::Client qw(request);
use Vidcast::Crowd;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture qw(picture comments);
use Vidcast::Program;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $patience = 60;
my $length = 150;

my $nginx = Vidcast::Nginx->new(workers => 1,
    allow => [qr/exited on signal 9/, qr/predictor of vidcast source/],
    http => <<"CONF");
vidcast_source film {
    input      images:%%PREFIX%%/album loop=off fps=40 warmup=2;
    predict    exec ./program.pl format=gray8 size=64x48 workers=2 every=2;
    frames     auto 64k;
    on_demand  60s;
}

vidcast_source made {
    input     test: size=320x240 fps=60;
    predict   delay time=20ms;
    encoders  1;
}

vidcast_source door {
    input  push:;
}

server {
    listen  127.0.0.1:%%PORT%%;
    listen  127.0.0.1:%%PORT1%% sndbuf=16k;

    @{[locations('film', 'made')]}

    location = /mjpeg_overlay  { vidcast film as=mjpeg overlay=on; }
    location = /both_pairs     { vidcast film send=paired; }
    location = /pictures_few   { vidcast film send=frames; vidcast_fps 5; }

    location = /door           { vidcast_publish door; }
}
CONF

box_program($nginx->prefix . '/program.pl');
write_album($nginx->prefix . '/album');

$nginx->start;


# viewers of all kinds come while nothing moves: all see the same frames

ok wait_for { state('film') eq 'sleeping' }, 'film: it sleeps';

my ($capture) = $nginx->processes('capture', 'film');

$nginx->signal('STOP', $capture->{pid});

my $crowd = Vidcast::Crowd->new($nginx->port,
    '/pictures_film' => 3, '/both_film' => 2, '/mjpeg_film' => 2,
    '/both_pairs' => 2, '/pictures_few' => 1, '/mjpeg_overlay' => 2);

my %single = (
    slow => Vidcast::WebSocket->connect($nginx->port(1), '/pictures_film',
                                        client => { recv_buffer => 4096 }),
    map { $_ => Vidcast::WebSocket->connect($nginx->port, '/pictures_film') }
        qw(paused acks),
);

# it is answered after what was said before

$single{paused}->send_text('{"type":"pause"}');
$single{paused}->send_text('{"type":"dance"}');

ok $single{paused}->json, 'film: one viewer pauses';

my ($watching, $overlaid) = (13, 2);

ok wait_for { source($nginx, 'film')->{viewers}{all}
              == $watching + $overlaid },
    'film: all are there';
is source($nginx, 'film')->{published}, 0, 'film: before the first frame';

$nginx->signal('CONT', $capture->{pid});


# the film is played; a predictor is killed, and then the capture process, so
# that it is played once more, in full

ok $crowd->pump(sub { source($nginx, 'film')->{predicted} > 3 }, $patience),
    'film: it is predicted';
ok $single{acks}->message('binary', $patience), 'film: one acknowledges';
$single{acks}->send_text('{"type":"ack"}');

my ($predictor) = $nginx->processes('predictor', 'film');

$nginx->signal('KILL', $predictor->{pid});

ok $crowd->pump(sub { source($nginx, 'film')->{published} > 40 }, $patience),
    'film: it goes on';

$nginx->signal('KILL', $capture->{pid});

ok $crowd->pump(sub { state('film') eq 'ended' }, $patience),
    'film: it has ended';
ok $crowd->pump(sub { at_rest('film')
                      && !grep { $_ } in_hand(source($nginx, 'film')) },
                $patience),
    'film: all is done';

my $film = source($nginx, 'film');
my ($shown, $predicted) = @{$film}{qw(not_shown not_predicted)};

is $film->{starts}, 2, 'film: two processes played it';

my ($hand, $asked, $drawing) = in_hand($film);

is $hand, 0, 'film: what is grabbed is published, or has a reason';
is $asked, 0, 'film: what is offered is predicted, or has a reason';

# what a dead process leaves is a frame or two: more would be other reasons

cmp_ok $shown->{unfinished}, '<=', 2, 'film: few were unfinished';
cmp_ok $predicted->{interrupted}, '<=', 4, 'film: few were interrupted';
cmp_ok $shown->{$_}, '>', 0, "film: some were lost: $_"
    for qw(bad_frame too_large warmup);
cmp_ok $film->{predictor}{deaths}, '>', 0, 'film: a predictor died';

cmp_ok $film->{overlay}{drawn}, '>', 0, 'overlay: frames are drawn';
is $drawing, 0, 'overlay: they are drawn, or have a reason';


# all viewers leave; nothing is published any more

$_->{client}->close for $crowd->viewers;
$_->close for values %single;

ok wait_for { source($nginx, 'film')->{viewers}{all} == 0 },
    'film: all have left';

$film = source($nginx, 'film');

my $skips = $film->{not_delivered};

is sum0($film->{delivered}{frames}, values %$skips),
    $watching * $film->{published} + $overlaid * $film->{overlay}{drawn},
    'film: each viewer got each frame, or there is a reason';
is $film->{delivered}{frames_skipped},
    sum0(values %$skips) - $skips->{left}, 'film: the older name';
cmp_ok $skips->{$_}, '>', 0, "film: some were skipped: $_"
    for qw(slow fps paused unacknowledged unpaired left);
is $skips->{paused}, $film->{published} - 1, 'film: all but the last one'
    or diag explain $skips;


# publishers

for my $body ((picture(64, 48, 100)) x 5, ('no picture') x 3) {
    request($nginx->port, '/door', method => 'POST', body => $body);
}

my $door = source($nginx, 'door');

is $door->{grabbed}, 8, 'door: pictures of publishers are grabbed';
is $door->{published}, 5, 'door: published';
is $door->{not_shown}{bad_frame}, 3, 'door: or bad';
is $door->{published_by}{refused}, 3, 'door: and refused';


# raw pictures, under load, through reloads and deaths

for my $round (1 .. 3) {
    my $busy = Vidcast::Crowd->new($nginx->port, '/ws_made' => 5,
                                   '/both_made' => 5, '/mjpeg_made' => 5);

    $busy->mark;
    ok $busy->moved, "made: round $round, all get something";

    $nginx->write_config->signal('HUP');

    my $frames = source($nginx, 'made')->{published};

    ok $busy->pump(sub { source($nginx, 'made')->{published}
                         > $frames + 30 }, $patience),
        "made: round $round, frames go on over a reload";

    my ($pid) = map { $_->{pid} } $nginx->processes('capture', 'made');

    $nginx->signal('KILL', $pid);

    ok scalar(wait_for { my $now = source($nginx, 'made');
                  $now->{state} eq 'live' && $now->{pid} != $pid } $patience),
        "made: round $round, and over a death";

    $_->{client}->close for $busy->viewers;
}

my ($last) = $nginx->processes('capture', 'made');

$nginx->signal('STOP', $last->{pid});

ok wait_for { at_rest('made'); }, 'made: it stands still';

my $made = source($nginx, 'made');

($hand, $asked) = in_hand($made);

ok $hand >= 0 && $hand <= 4, "made: all but those in hand: $hand";
ok $asked >= 0 && $asked <= 2, "made: all but those that it predicts: $asked";
cmp_ok $made->{not_shown}{unfinished}, '<=', 3 * 4,
    'made: few were unfinished';
cmp_ok $made->{not_predicted}{predictor_busy}, '>', 0,
    'made: the predictor is slow';

# when it is dead nothing is in hand any more

$nginx->signal('KILL', $last->{pid});

ok scalar(wait_for { source($nginx, 'made')->{starts} == $made->{starts} + 1 }
              $patience),
    'made: another one comes, and counts what was left';
ok scalar(wait_for { source($nginx, 'made')->{not_shown}{unfinished}
                     >= $made->{not_shown}{unfinished} + $hand } $patience),
    'made: under its own name';

$nginx->stop;

done_testing;


sub state { source($nginx, $_[0])->{state} // '' }


# frames that have no end yet: of the input, the predictor and the overlay

sub in_hand {
    my ($source) = @_;

    my $overlay = $source->{overlay} // {};

    return (
        $source->{grabbed}
            - sum0($source->{published}, values %{$source->{not_shown}}),
        $source->{offered}
            - sum0($source->{predicted}, values %{$source->{not_predicted}}),
        ($overlay->{offered} // 0)
            - sum0($overlay->{drawn} // 0, values %{$overlay->{dropped} // {}}),
    );
}


# are the counters the same, looked at twice?

my %before;

sub at_rest {
    my ($name) = @_;

    my $source = source($nginx, $name);

    # they only grow

    my $now = sum0(@{$source}{qw(grabbed published offered predicted)},
                   map({ values %{$source->{$_}} }
                       qw(not_shown not_predicted not_delivered)),
                   map({ $_ // 0 } @{$source->{overlay}}{qw(drawn offered)}),
                   $source->{delivered}{frames});

    my $same = ($before{$name} // -1) == $now;

    $before{$name} = $now;

    return $same;
}


sub write_album {
    my ($folder) = @_;

    mkdir $folder or die "$folder: $!\n";

    my $good = comments(picture(64, 48, 100), 'x' x 30000);
    my $large = comments(picture(64, 48, 100), ('x' x 60000) x 2);

    for my $n (1 .. $length) {
        my $jpeg = $n % 15 == 7 ? 'not a picture'
                 : $n % 30 == 11 ? $large : $good;
        my $path = sprintf '%s/%03d.jpg', $folder, $n;

        open my $fh, '>:raw', $path or die "$path: $!\n";
        print $fh $jpeg;
        close $fh;
    }
}
