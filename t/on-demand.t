#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A camera that is open only while somebody looks: it must be there for the
# first one that comes, in whatever way, must never show it pictures
# of another time, and must be closed when all have gone, also those that went
# with a worker that was killed.  Opening and closing are seen by the status;
# t/v4l2-demand.t asks the driver.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Crowd;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

# "stale" is shorter than any sleep here: it must not be taken for silence

my $front = 'input test: size=64x48 fps=20; predict delay time=1ms;'
    . ' encoders 1; stale 2s; on_demand 400ms;';

my %blocks = (
    front => $front,
    brisk => 'input test: size=64x48 fps=100; predict delay time=1ms;'
        . ' encoders 1; on_demand 1ms;',
    album => 'input images:%%PREFIX%%/album fps=20; on_demand 300ms;',
    gone  => 'input v4l2:/dev/video99; on_demand 300ms;',
    late  => 'input images:%%PREFIX%%/late; on_demand 300ms;',
    run   => 'input images:%%PREFIX%%/run loop=off realtime=off;'
        . ' predict delay time=1ms; on_demand 500ms;',
    film  => 'input images:%%PREFIX%%/film fps=20 loop=off;'
        . ' on_demand 300ms;',
    warm  => 'input images:%%PREFIX%%/warm fps=10 warmup=3;'
        . ' on_demand 300ms;',
);

my $nginx = Vidcast::Nginx->new(workers => 2, http => http(),
    allow => [ qr/exited on signal 9/, qr/"(?:gone|late)" is reconnecting/ ]);

add('album', '1.jpg', 100);
add('film', "$_.jpg", 40 * $_) for 1 .. 3;
add('run', "$_.jpg", 90 + $_) for 11 .. 30;
add('warm', '1-bad.jpg');
add('warm', "$_.jpg", 40 * $_) for 2 .. 6;
add('warm', sprintf('7-%02d.jpg', $_), 100) for 1 .. 40;

$nginx->start;

my $port = $nginx->port;

asleep_at_first();
each_transport();
refused();
snapshots();
snapshots_keep_awake();
nothing_old();
no_old_result();
two_workers();
worker_killed();
old_worker_killed();
capture_killed();
reloads();
flapping();
at_the_edge();
broken();
waiting_snapshot();
played_again();
from_the_first();
warmed_up();
single_process();

$nginx->stop;

done_testing;


sub http {
    my (%other) = @_;

    my %all = (%blocks, %other);
    my @names = sort keys %all;

    return join('', map { "vidcast_source $_ { $all{$_} }\n" } @names)
        . <<"CONF";
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    vidcast_snapshot_timeout 5s;

    @{[locations(@names)]}

    location = /two_ws  { vidcast front,album; vidcast_max_viewers 1; }
    location = /two_sse { vidcast front,album as=sse; vidcast_max_viewers 1; }

    location = /hasty { vidcast gone as=snapshot;
                        vidcast_snapshot_timeout 100ms; }
}
CONF
}


# a picture into a folder, whole at once; without a shade, no picture

sub add {
    my ($folder, $name, $shade) = @_;

    my $path = $nginx->prefix . "/$folder";

    mkdir $path;

    open my $fh, '>:raw', "$path/$name.new" or die "$path/$name.new: $!\n";
    print $fh defined $shade ? picture(64, 48, $shade) : 'no picture';
    close $fh or die "$path/$name.new: $!\n";

    rename "$path/$name.new", "$path/$name" or die "$path/$name: $!\n";
}


sub sleeps {
    my ($name, $seconds) = @_;

    return wait_for { source($nginx, $name)->{state} eq 'sleeping' } $seconds;
}


sub opened { source($nginx, $_[0])->{opened} }


# the first thing that a viewer gets that comes this way

sub first {
    my ($client, $kind) = @_;

    return $client->part if $kind eq 'mjpeg';
    return $client->event && $client->event if $kind eq 'sse';
    return $client->line if $kind eq 'ndjson';

    return $client->message;
}


sub visit {
    my ($kind, $name) = @_;

    return Vidcast::Stream->open($port, "/${kind}_$name")
        if $kind =~ /mjpeg|sse|ndjson/;

    return Vidcast::WebSocket->connect($port, "/${kind}_$name");
}


# so many frames go by

sub frames_pass {
    my ($name, $count) = @_;

    my $from = source($nginx, $name)->{frame};

    return wait_for { source($nginx, $name)->{frame} >= $from + $count };
}


sub asleep_at_first {
    for my $name (qw(front album gone late film)) {
        ok sleeps($name), "$name sleeps at first";

        my $source = source($nginx, $name);

        is $source->{opened}, 0, 'it was never opened';
        is $source->{captured}, 0, 'and gave nothing';
        is $source->{error}, '', 'which is no fault';
        ok $source->{pid}, 'its process is there';
    }
}


sub each_transport {
    for my $kind (qw(ws both pictures mjpeg sse ndjson)) {
        ok sleeps('front'), 'it sleeps';

        my $before = opened('front');
        my $client = visit($kind, 'front');

        ok first($client, $kind), "$kind wakes it, and gets what it wants";
        is opened('front'), $before + 1, 'it was opened once';
        is source($nginx, 'front')->{state}, 'live', 'it is live';

        ok frames_pass('front', 20), 'it goes on';
        is opened('front'), $before + 1, 'and stays open';

        $client->close;
    }

    ok sleeps('front'), 'all have left: it sleeps';
    is source($nginx, 'front')->{lost}, 0, 'nothing was lost';
}


# nothing wakes a source that is refused: by the handshake, or since another
# source of the location has viewers enough

sub refused {
    my $before = opened('front');
    my $client = visit('mjpeg', 'album');

    ok first($client, 'mjpeg'), 'another source has a viewer';

    my %refused = (
        426 => [ '/ws_front', headers => [ 'Sec-WebSocket-Version' => 12 ] ],
        400 => [ '/ws_front', key => 'no key' ],
        403 => [ '/ws_front', origin => 'http://elsewhere' ],
        503 => [ '/two_ws' ],
    );

    for my $status (sort keys %refused) {
        is +Vidcast::WebSocket->connect($port, @{$refused{$status}})->status,
            $status, "a WebSocket is refused: $status";
    }

    is get($port, '/two_sse')->{status}, 503, 'a stream is refused: 503';

    # as long as it would take to wake

    ok frames_pass('album', 20), 'time goes by';

    is opened('front'), $before, 'which has woken nothing';

    $client->close;

    ok wait_for {
        $client = Vidcast::WebSocket->connect($port, '/two_ws');
        $client->status == 101;
    }, 'when the other one has left there is room';

    ok wait_for { opened('front') == $before + 1 }, 'it gets in, and wakes all';

    $client->close;

    ok sleeps('front') && sleeps('album'), 'it has left: both sleep';
}


sub snapshots {
    my $before = opened('front');
    my ($frame, $etag) = (source($nginx, 'front')->{frame});

    my $answer = get($port, '/snapshot_front');

    is $answer->{status}, 200, 'a snapshot wakes it';
    cmp_ok $answer->{headers}{'x-vidcast-frame'}, '>', $frame,
        'and is a new picture';
    is opened('front'), $before + 1, 'it was opened';

    $etag = $answer->{headers}{etag};

    ok sleeps('front'), 'it sleeps again';

    $answer = get($port, '/snapshot_front', method => 'HEAD');
    is $answer->{status}, 200, 'HEAD wakes it, too';
    isnt $answer->{headers}{etag}, $etag, 'and tells of a new picture';

    ok sleeps('front'), 'it sleeps again';

    $answer = get($port, '/snapshot_front',
                  headers => [ 'If-None-Match' => $etag ]);
    is $answer->{status}, 200, 'the one known is not the newest any more';
    isnt $answer->{headers}{etag}, $etag, 'there is another one';

    ok sleeps('front'), 'it sleeps again';

    $answer = get($port, '/snapshot_front?max_age=3600');
    is $answer->{status}, 200, 'one that would take an old one';
    cmp_ok $answer->{headers}{'x-vidcast-age'}, '<', 60, 'gets a new one';

    ok sleeps('front'), 'it sleeps again';

    is get($port, '/sse_front', method => 'HEAD')->{status}, 200,
        'HEAD of a stream';
    is source($nginx, 'front')->{state}, 'sleeping', 'looks at nothing';
}


# one that asks more often than it would fall asleep

sub snapshots_keep_awake {
    my $first = get($port, '/snapshot_front')->{headers}{'x-vidcast-frame'};
    my $before = opened('front');
    my $last = $first;

    ok wait_for {
        $last = get($port, '/snapshot_front')->{headers}{'x-vidcast-frame'};
        $last >= $first + 40;
    }, 'snapshots by the dozen';

    is opened('front'), $before, 'keep it open';
    ok sleeps('front'), 'till nobody asks any more';
}


# pictures of the folder as it was are never shown when it has changed

sub nothing_old {
    my $old = picture(64, 48, 100);
    my $shade = 100;

    is get($port, '/snapshot_album')->{body}, $old, 'the first picture';

    for my $kind (qw(snapshot mjpeg pictures)) {
        ok sleeps('album'), 'it sleeps';

        my $new = picture(64, 48, $shade += 20);

        add('album', '1.jpg', $shade);

        my $got = $kind eq 'snapshot' ? get($port, '/snapshot_album')->{body}
                : first(my $client = visit($kind, 'album'), $kind)->{data};

        ok $got eq $new, "$kind shows what there is now";

        $client->close if $client;
    }
}


# the newest result is told at once, unless it is from before the sleep; the
# history is still there for what resumes

sub no_old_result {
    ok sleeps('front'), 'it sleeps';

    my $source = source($nginx, 'front');
    my $point = $source->{result} - 5;

    for my $kind (qw(ws ndjson)) {
        my $client = visit($kind, 'front');
        my $first = first($client, $kind);
        my $result = decode_json($kind eq 'ws' ? $first->{data} : $first);

        cmp_ok $result->{frame}, '>', $source->{frame}, "$kind: a new result";
        is $result->{skipped}, undef, 'nothing that was missed';

        $client->close;
        ok sleeps('front'), 'it sleeps';

        last if $kind eq 'ndjson';

        $source = source($nginx, 'front');
        $point = $source->{result} - 5;
    }

    $point = source($nginx, 'front')->{result} - 5;

    my $client = Vidcast::WebSocket->connect($port, "/ws_front?since=$point");

    is decode_json($client->message->{data})->{seq}, $point + 1,
        'one that resumes gets the history';

    $client->close;
}


sub two_workers {
    my %with;

    for (1 .. 50) {
        my $client = visit('ws', 'front');

        $with{$client->header('X-Worker')} //= $client;
        $client->close if $with{$client->header('X-Worker')} != $client;

        last if keys %with == 2;
    }

    my ($one, $other) = values %with;

    is scalar(keys %with), 2, 'viewers with two workers';
    ok $one->message && $other->message, 'both get results';

    my $before = opened('front');

    $one->close;
    $other->attend;
    ok frames_pass('front', 30), 'one leaves: it stays open';
    is opened('front'), $before, 'all the time';

    $other->close;
    ok sleeps('front'), 'both have left: it sleeps';
}


# its count stays where it was, with nobody to take it back

sub worker_killed {
    my $client = visit('both', 'front');
    my $worker = $client->header('X-Worker');

    ok $client->message, 'a viewer';

    $nginx->signal('KILL', $worker);

    ok $client->wait_eof, 'its worker is killed';
    ok sleeps('front'), 'it sleeps';
    is source($nginx, 'front')->{viewers}{all}, 0, 'nobody is counted';

    ok wait_for { $nginx->processes('worker') == 2 }, 'two workers again';
}


# an old worker has no successor that would take its place in shared memory

sub old_worker_killed {
    my $client = visit('mjpeg', 'front');
    my $worker = $client->header('X-Worker');
    my $pid = capture_pid($nginx, 'front');

    ok $client->part, 'a viewer of MJPEG';
    ok $nginx->reload, 'stays with the old worker';
    $client->attend;
    ok frames_pass('front', 30), 'and keeps it open';
    is capture_pid($nginx, 'front'), $pid, 'the same capture';
    is_deeply [ map { $_->{pid} } $nginx->processes('exiting') ], [ $worker ],
        'the old worker is still there';

    $nginx->signal('KILL', $worker);

    ok $client->wait_eof, 'it is killed';
    ok sleeps('front'), 'and with it the last viewer left';
}


sub capture_killed {
    ok wait_for { source($nginx, 'front')->{state_age} >= 2 },
        'it slept for a while';

    my $pid = capture_pid($nginx, 'front');

    $nginx->signal('KILL', $pid);

    ok wait_for { my $new = capture_pid($nginx, 'front');
                  $new && $new ne $pid }, 'killed, it is replaced';
    ok sleeps('front'), 'and sleeps';

    my $client = visit('both', 'front');
    my $before = opened('front');

    ok $client->message, 'it wakes';
    $client->attend;

    $pid = capture_pid($nginx, 'front');
    $nginx->signal('KILL', $pid);

    ok wait_for { opened('front') > $before },
        'killed under a viewer: it opens at once';
    ok frames_pass('front', 20), 'and goes on';
    ok !$client->eof, 'for the same viewer';

    $client->close;
    ok sleeps('front'), 'and sleeps';
}


sub reloads {
    my $pid = capture_pid($nginx, 'front');
    my $before = opened('front');

    ok $nginx->reload, 'a reload while it sleeps' for 1 .. 3;

    is capture_pid($nginx, 'front'), $pid, 'the same capture';
    is source($nginx, 'front')->{state}, 'sleeping', 'sleeps on';
    is opened('front'), $before, 'and was not opened';

    my $client = visit('ws', 'front');

    ok $client->message, 'it wakes for a viewer of a new worker';
    ok $nginx->reload, 'a reload while it is live';
    is capture_pid($nginx, 'front'), $pid, 'the same capture';
    is opened('front'), $before + 1, 'opened once';

    $client->close;

    ok $nginx->reload(http => http(front => $front =~ s/400ms/300ms/r)),
        'another time';
    ok wait_for { my $new = capture_pid($nginx, 'front');
                  $new && $new ne $pid }, 'another capture';
    ok sleeps('front'), 'which sleeps';

    ok $nginx->reload(http => http()), 'and back';
    ok wait_for { (source($nginx, 'front')->{state} // '') eq 'sleeping' },
        'it sleeps';
}


sub flapping {
    my $before = opened('front');

    for (1 .. 60) {
        my $client = Vidcast::Client->new(port => $port);

        $client->write("GET /sse_front HTTP/1.1\r\nHost: a\r\n\r\n");
        $client->{socket}->close;
    }

    my $client = visit('ws', 'front');

    ok $client->message, 'among many that come and go one stays';
    cmp_ok opened('front'), '<=', $before + 5, 'it is not opened for each';

    $client->close;
    ok sleeps('front'), 'it sleeps';
    ok wait_for { source($nginx, 'front')->{viewers}{all} == 0 },
        'nobody is left';
}


# they come just when it falls asleep: nobody may be missed

sub at_the_edge {
    my $before = opened('brisk');
    my $missed = 0;

    for my $time (1 .. 60) {
        my $client = visit($time % 2 ? 'ws' : 'mjpeg', 'brisk');

        first($client, $time % 2 ? 'ws' : 'mjpeg') or $missed++;
        $client->close;

        select undef, undef, undef, 0.005 * ($time % 30);
    }

    is $missed, 0, 'all 60 that came at any moment got something';

    my $opened = opened('brisk') - $before;

    cmp_ok $opened, '>', 5, "in $opened openings";
    ok sleeps('brisk'), 'it sleeps';
}


# nothing can be opened: that is told while somebody looks

sub broken {
    my $answer = get($port, '/hasty');

    is $answer->{status}, 503, 'a snapshot in vain';
    is $answer->{headers}{'retry-after'}, 1, 'to be tried again';

    my $client = visit('mjpeg', 'gone');

    ok wait_for { source($nginx, 'gone')->{state} eq 'reconnecting' },
        'what is not there cannot be opened';
    isnt source($nginx, 'gone')->{error}, '', 'it says why';

    $client->close;

    ok sleeps('gone'), 'nobody looks any more: it sleeps';
    is source($nginx, 'gone')->{error}, '', 'nothing is wrong with that';
}


sub waiting_snapshot {
    my $client = Vidcast::Client->new(port => $port);

    $client->write("GET /snapshot_late HTTP/1.1\r\nHost: a\r\n\r\n");

    ok wait_for { source($nginx, 'late')->{state} eq 'reconnecting' },
        'a snapshot waits for what cannot be opened';
    is source($nginx, 'late')->{viewers}{snapshot}, 1, 'and is counted';

    add('late', '1.jpg', 70);

    is $client->read_head, 200, 'and gets its picture';
    is $client->read_body, picture(64, 48, 70), 'the one that came';

    $client->close;
    ok sleeps('late'), 'it sleeps';
}


sub played_again {
    for my $time (1, 2) {
        ok sleeps('film'), 'it sleeps';

        my $client = visit('pictures', 'film');
        ok $client->message, "time $time: it plays";
        ok wait_for { source($nginx, 'film')->{state} eq 'ended' }, 'and ends';
        is opened('film'), $time, 'opened once for it';
        is source($nginx, 'film')->{captured}, 3 * $time, 'played in full';

        $client->close;
    }

    ok sleeps('film'), 'it sleeps';
}


# a run that is over in a moment, while the worker of the viewer that has started
# it has no time

sub from_the_first {
    my @results;

    ok sleeps('run'), 'it sleeps';

    my $client = start_run('ws', 'ended');

    while (@results < 20) {
        push @results, $client->json // last;
    }

    is scalar(grep { $_->{skipped} } @results), 0, 'no result is skipped';
    is scalar(@results), 20, 'there are all of them';
    is(($results[-1]{frame} // 0) - ($results[0]{frame} // 0), 19,
       'from the first');

    $client->close;

    ok sleeps('run'), 'it sleeps';

    $client = start_run('both', 'live');

    ok +($client->message('binary') // {})->{data} eq picture(64, 48, 101),
        'the first picture is that of the run';

    $client->close;
}


sub start_run {
    my ($kind, $state) = @_;

    my $capture = capture_pid($nginx, 'run');
    my $count = sub {
        return scalar(() = $nginx->error_log
                      =~ /vidcast source "run" is $state/g);
    };

    my $before = $count->();

    $nginx->signal('STOP', $capture);

    my $client = visit($kind, 'run');
    my $worker = $client->header('X-Worker');

    $nginx->signal('STOP', $worker);
    $nginx->signal('CONT', $capture);

    ok wait_for { $count->() > $before }, "it runs: $state";

    $nginx->signal('CONT', $worker);

    return $client;
}


sub warmed_up {
    for my $time (1, 2) {
        ok sleeps('warm'), 'it sleeps';

        my $client = visit('mjpeg', 'warm');

        ok $client->part->{data} eq picture(64, 48, 160),
            "time $time: the first three were skipped";

        my $dropped = source($nginx, 'warm')->{dropped};

        is $dropped->{warmup}, 3 * $time, 'and counted';
        is $dropped->{bad_frame}, 0, 'the bad one, too';

        $client->close;
    }

    unlike $nginx->error_log, qr/"warm" gave a bad frame/, 'and not logged';
}


# without a master the same

sub single_process {
    my $single = Vidcast::Nginx->new(single => 1, http => <<'CONF')->start;
vidcast_source front {
    input test: size=64x48 fps=20; encoders 1; on_demand 200ms;
}
server {
    listen 127.0.0.1:%%PORT%%;
    location = /snapshot { vidcast front as=snapshot; }
    location = /status { vidcast_status; }
}
CONF

    ok wait_for { (source($single, 'front')->{state} // '') eq 'sleeping' },
        'a single process: it sleeps';
    is get($single->port, '/snapshot')->{status}, 200, 'it wakes';
    ok wait_for { source($single, 'front')->{state} eq 'sleeping' },
        'and sleeps again';

    $single->stop('TERM');
}
