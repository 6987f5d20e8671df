#!/usr/bin/perl

# Copyright (C) vidcast contributors

# The slot that a publisher fills belongs to two processes.  Either may be
# killed at any moment, or told to leave: the next picture gets through, no
# slot is lost, and nobody sees half of one picture and half of another.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 qw(md5);
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);

use Vidcast::Client qw(get request);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame);

Vidcast::Nginx->plan;

# a ring as small as it may be: 2 workers, 1 encoder

my $http = <<'CONF';
vidcast_source door { input push:; encoders 1; frames 10 1m; stale 2s; }

server {
    listen  127.0.0.1:%%PORT%% reuseport;

    add_header  X-Worker $pid always;

    client_max_body_size  2m;

    location = /status  { vidcast_status; }
    location = /ws      { vidcast door send=frames; }
    location = /shot    { vidcast door as=snapshot; }
    location = /publish { vidcast_publish door; }
    location = /take    { vidcast_publish door takeover=on; }
}
CONF

my $nginx = Vidcast::Nginx->new(workers => 2, http => $http)->start;
my $port = $nginx->port;

push @{$nginx->{allow}}, qr/exited on signal 9/;

# each picture has the sum of its bytes in it

my $count = 0;

sub sealed {
    my ($size) = @_;

    my $jpeg = picture(16, 16, ++$count % 256);
    my @texts = ("n$count", (chr(32 + $count % 90) x 60000)
                            x int(($size // 200000) / 60000));
    my $all = comments($jpeg, @texts);

    return comments($all, 'md5:' . md5($all));
}

sub whole {
    my ($jpeg) = @_;

    my ($sum) = $jpeg =~ /^\xff\xd8\xff\xfe\x00\x16md5:(.{16})/s or return 0;

    return md5("\xff\xd8" . substr $jpeg, 2 + 4 + 20) eq $sum;
}

ok whole(sealed()), 'a picture is sealed';

my $broken = sealed();
substr($broken, 1000, 1) = "\0";

ok !whole($broken), 'and one that is not whole is found out';


sub publisher {
    my ($path) = @_;

    return Vidcast::WebSocket->connect($port, $path // '/publish');
}

# by a connection to a certain worker: SO_REUSEPORT spreads them.  Another one
# must have the place back before the next one asks for it

sub publisher_at {
    my ($pid, $path) = @_;

    for (1 .. 100) {
        my $ws = publisher($path);

        return $ws if $ws->header('X-Worker') == $pid;

        $ws->send_close(1000);
        $ws->closed_with;
        $ws->close;
    }
}

# as above, not yet asked to be anything

sub connection_at {
    my ($pid) = @_;

    for (1 .. 100) {
        my $client = Vidcast::Client->new(port => $port);

        publishers_by($client);

        return $client if $client->header('X-Worker') == $pid;

        $client->close;
    }
}

sub publishers_by {
    my ($client) = @_;

    $client->ask(path => '/status');

    my $status = decode_json($client->read_body);

    return $status->{sources}[0]{published_by}{publishers};
}

sub shown {
    my ($jpeg) = @_;

    return wait_for { get($port, '/shot')->{body} eq $jpeg };
}

# the status of a post; 0 when the worker died over it

sub posted {
    my ($jpeg) = @_;

    my $response = eval {
        request($port, '/publish', method => 'POST', body => $jpeg);
    };

    return $response->{status} // 0;
}

sub publishers { source($nginx, 'door')->{published_by}{publishers} }

sub free { wait_for { publishers() == 0 } }

# one that lived for two seconds, and had a frame, is replaced at once; another
# one has to wait

my %seen;

sub settled {
    my $pid;

    wait_for {
        $pid = capture_pid($nginx, 'door') or return 0;
        $seen{$pid} //= time;
        time - $seen{$pid} > 2;
    };

    return $pid;
}

# claims that are left over would make the ring too short

sub runs {
    my ($name) = @_;

    my $ws = publisher('/take');
    my @pictures = map { sealed(1000) } 1 .. 30;
    my $before = source($nginx, 'door')->{captured};

    $ws->send_binary($_) for @pictures;

    ok wait_for { source($nginx, 'door')->{captured} >= $before + 30 },
        "$name: thirty pictures get through";
    ok shown($pictures[-1]), 'the last one is seen';

    $ws->close;
    ok free(), 'and the publisher has left';
}

my $patience = $ENV{VIDCAST_TEST_PATIENCE} || 1;
my @viewers = map { Vidcast::WebSocket->connect($port, '/ws')->attend } 1 .. 8;
my ($got, $torn) = (0, 0);

sub look {
    for my $viewer (@viewers) {
        $viewer->parse;

        while (my $message = shift @{$viewer->{inbox}}) {
            next if $message->{type} ne 'binary';

            $got++;
            $torn++ if !whole($message->{data});
        }
    }
}

runs('at first');


# the capture is killed: between messages, in the middle of one, over and over

for my $round (1 .. 6) {
    my $pid = settled();
    my $ws = publisher('/take');
    my $jpeg = sealed(400000);
    my $bytes = frame(2, $jpeg);
    my $cut = $round % 3 ? int(rand(length $bytes)) : 0;

    $ws->write_and_read(substr $bytes, 0, $cut);
    ok wait_for { publishers() >= 1 }, 'a publisher is there';

    $nginx->signal('KILL', $pid);
    $ws->write_and_read(substr $bytes, $cut);

    ok wait_for { my $new = capture_pid($nginx, 'door');
                  $new && $new ne $pid }, "capture killed, at byte $cut";

    my $next = sealed(300000);

    $ws->write_and_read(frame(2, $next));
    ok shown($next), 'the next picture gets through';
    ok !$ws->eof, 'the publisher is still there';

    $ws->close;
    look();
}

runs('captures killed');


# right while it takes pictures from a fast publisher

for my $round (1 .. 4) {
    my $pid = settled();
    my $ws = publisher('/take')->attend;

    $ws->write_and_read(join '', map { frame(2, sealed(30000)) } 1 .. 10);
    $nginx->signal('KILL', $pid);
    $ws->write_and_read(join '', map { frame(2, sealed(30000)) } 1 .. 50);

    my $next = sealed(1000);

    $ws->write_and_read(frame(2, $next));
    ok shown($next), 'killed at work: the last picture gets through';
    look();
    $ws->close;
}

runs('captures killed at work');


# posts meanwhile are answered, if only by "later"

my @posts = map { Vidcast::Client->new(port => $port) } 1 .. 10;

$nginx->signal('KILL', settled());

for my $post (@posts) {
    my $jpeg = sealed(50000);

    $post->write("POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: "
                 . length($jpeg) . "\r\n\r\n$jpeg");
}

my %answers = map { $_->read_head => $_ } @posts;

is join(' ', grep { !/^(?:204|503)$/ } keys %answers), '',
    'no capture: posts are taken a moment later, or told to wait';
is $answers{503}->header('Retry-After'), 1, 'for so long'
    if $answers{503};

ok wait_for { posted(sealed(100)) == 204 }, 'and then a post gets through';


# a worker is killed with a publisher in the middle of a message

for my $round (1 .. 10) {
    my $ws = publisher('/take');
    my $pid = $ws->header('X-Worker');
    my $bytes = frame(2, sealed(400000));
    my $cut = $round % 3 ? int(rand(length $bytes)) : length $bytes;

    $ws->write_and_read(substr $bytes, 0, $cut);
    $nginx->signal('KILL', $pid);

    ok $ws->wait_eof, "worker killed, at byte $cut";

    # not even one that would be refused may find the dead one's place taken

    my $next = sealed(300000);

    ok wait_for { posted($next) == 204 }, 'the next post gets through';

    ok shown($next), 'and is seen';
    ok wait_for { $nginx->processes('worker') == 2 }, 'two workers again';

    @viewers = map {
        $_->{eof} ? Vidcast::WebSocket->connect($port, '/ws')->attend : $_
    } @viewers;

    look();
}

runs('workers killed');


# both at once

for my $round (1 .. 3) {
    my $pid = settled();
    my $ws = publisher('/take');

    $ws->write_and_read(substr frame(2, sealed(400000)), 0, 200000);
    $nginx->signal('KILL', $_) for $ws->header('X-Worker'), $pid;

    my $next = sealed(1000);

    ok wait_for { posted($next) == 204 },
        'worker and capture killed: the next post gets through';
}

runs('both killed');


# a rival on another worker

my ($one, $two) = map { $_->{pid} } $nginx->processes('worker');

my $first = publisher_at($one);

ok free() || 1;
$first->send_binary(sealed(1000));
ok wait_for { publishers() == 1 }, 'one publishes';
is publisher_at($two)->closed_with, 1008, 'a rival at the other worker';

my $second = publisher_at($two, '/take');
my $mine = sealed(1000);

$second->send_binary($mine);

is $first->closed_with, 1008, 'one that may take over does';
ok shown($mine), 'and publishes';
is publisher_at($one)->closed_with, 1008, 'the place is taken';

# one knocked and died, before it was heard: what has its place in the table of
# processes now did not knock

my ($third, $watch) = map { connection_at($one) } 1, 2;

$nginx->signal('STOP', $two);

$third = Vidcast::WebSocket->connect($port, '/take',
                                     client => { socket => $third->{socket} });

ok wait_for { publishers_by($watch) == 2 }, 'one knocks';

$nginx->signal('KILL', $one);

ok wait_for { !$nginx->process($one) && $nginx->processes('worker') == 2 },
    'killed: a worker again';

$nginx->signal('CONT', $two);

my $another = sealed(1000);

$second->send_binary($another);
ok shown($another), 'the one before still publishes';

$second->close;
$third->close;
ok free(), 'nobody is left';
runs('rivals');


# reload: the capture stays, its publisher is sent away politely, and can
# come back at once

@viewers = map { $_->close; Vidcast::WebSocket->connect($port, '/ws')->attend }
    @viewers;

for my $round (1 .. 4) {
    my $ws = publisher('/take')->attend;
    my $pid = capture_pid($nginx, 'door');
    my $bytes = frame(2, sealed(400000));

    $ws->write_and_read(substr $bytes, 0, $round % 2 ? 200000 : 0);

    ok $nginx->reload, 'reload';

    my $next = publisher();
    my $jpeg = sealed(1000);

    $next->send_binary($jpeg);

    ok shown($jpeg), 'a new publisher gets through';
    ok !$next->eof, 'and was not refused';
    is $ws->closed_with, 1001, 'the old one is told to come back';
    $ws->write_and_read(substr $bytes, 200000) if $round % 2;
    is capture_pid($nginx, 'door'), $pid, 'the capture is the same';

    $next->close;
    ok free(), 'left';
}

runs('reloads');


# a worker dies, and the one after it is not in its place, as reloads go: what
# wants to publish at the other one asks all the time, and need not ask long

for my $round (1 .. 2) {
    ok $nginx->reload, 'reload';

    my ($stays, $dies) = map { $_->{pid} } $nginx->processes('worker');
    my $pid = capture_pid($nginx, 'door');
    my $ws = publisher_at($dies);
    my $jpeg = sealed(1000);

    ok wait_for { publishers() == 1 }, 'one publishes';

    $nginx->signal('STOP', $pid);
    $nginx->signal('KILL', $dies);

    # one about to die has still the place, and what comes is refused

    wait_for { !$nginx->process($dies) };

    my ($next, $asked) = (undef, 0);

    ok &wait_for(sub {
        if (!$asked || grep { $_->{type} eq 'close' } @{$next->{inbox}}) {
            $next->close if $asked++;
            $next = publisher_at($stays)->attend;

            $nginx->signal('CONT', $pid);
            $next->send_binary($jpeg);
        }

        get($port, '/shot')->{body} eq $jpeg;
    }, 30), 'killed: the next one gets through';

    # a slow machine may take more than the 3 seconds that we let it wait

    cmp_ok $asked, '<=', $patience, 'without being refused';
    ok wait_for { $nginx->processes('worker') == 2 }, 'two workers again';

    $next->close;
    ok free(), 'left';
}

runs('a place that nobody takes');


# the source gets another input while somebody publishes, and then this again

my $ws = publisher()->attend;

$ws->write_and_read(substr frame(2, sealed(400000)), 0, 100000);

my $camera = $http =~ s/input push:;/input test: fps=50 size=64x48;/r
                   =~ s/(location = .publish).*\n(.*)//r;

ok $nginx->reload(http => $camera), 'a camera instead';
is $ws->closed_with, 1001, 'the publisher is sent away';
ok live($nginx, 'door'), 'the camera lives';

$ws->close;

my $busy = source($nginx, 'door');

ok wait_for { source($nginx, 'door')->{published} > $busy->{published} + 50 },
    'and fills its ring';
is source($nginx, 'door')->{dropped}{ring_full},
    $busy->{dropped}{ring_full}, 'of which nothing is missing';

ok $nginx->reload(http => $http), 'a door again';
runs('another input');


# quit with a publisher in the middle of a message

look();

$ws = publisher('/take')->attend;
$ws->write_and_read(substr frame(2, sealed(400000)), 0, 100000);
ok wait_for { publishers() == 1 }, 'half a message';

$nginx->stop;

cmp_ok $got, '>', 100, 'viewers had many pictures';
is $torn, 0, 'and all were whole';

done_testing;
