#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Memory.  A worker's stays the same however many viewers come, read nothing
# and are thrown out, or publishers, which send right and wrong; so does that of
# a capture, and what they have open; and valgrind finds nothing lost and no wrong access in a
# session of each transport, neither in nginx nor in manager and capture.
#
# Not in the modes asan and valgrind: the former's memory is not nginx's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Crowd;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;


# memory of a process that it shares with nobody, kB

sub own_memory {
    my ($pid) = @_;

    return Vidcast::Nginx::slurp("/proc/$pid/status") =~ /^RssAnon:\s*(\d+)/m
        ? $1 : undef;
}


# viewers that never read

{
    my $nginx = Vidcast::Nginx->new(workers => 1, http => <<"CONF")->start;
vidcast_source front {
    input    test: size=1280x720 fps=25;
    quality  90;
    predict  delay time=5ms;
}

vidcast_stall_timeout  1s;

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('front')]}
}

server {
    listen  127.0.0.1:%%PORT1%% sndbuf=8k;

    @{[locations('front')]}
}
CONF

    my ($worker) = $nginx->processes('worker');
    my $crowd = Vidcast::Crowd->new($nginx->port, '/ws' => 3, '/both' => 3,
        '/mjpeg' => 2, '/sse' => 2);

    ok $crowd->moved, 'viewers that read';

    my ($warm, $stalled, @after) = (undef, 0);

    for my $wave (0 .. 4) {
        my @stuck = map {
            my ($class, $method, $path) = @$_;

            map { $class->$method($nginx->port(1), $path,
                                  client => { recv_buffer => 4096 }) } 1 .. 10;
        } ['Vidcast::WebSocket', 'connect', '/both'],
          ['Vidcast::Stream', 'open', '/mjpeg'];

        $stalled += @stuck;
        $crowd->mark;

        ok $crowd->pump(sub {
            source($nginx, 'front')->{delivered}{stalled} >= $stalled
        }, 20), "wave $wave: 20 viewers that read nothing are thrown out";

        ok $crowd->moved, 'the others get all';
        is source($nginx, 'front')->{viewers}{all}, 10, 'and are alone';

        $_->close for @stuck;
        push @after, own_memory($worker->{pid});
    }

    is scalar($crowd->gone), 0, 'none of them dropped';
    is $crowd->faults, '', 'all came in order';

    # one picture for each viewer of a wave that was left behind would be more

    my $picture = length get($nginx->port, '/snapshot')->{body};

    note "memory of the worker after each wave, kB: @after;",
        " a picture: $picture bytes";

    cmp_ok $after[4] - $after[0], '<', 4 * 20 * $picture / 1024 / 4,
        'the worker needs no more memory after five waves than after one';

    is source($nginx, 'front')->{dropped}{ring_full}, 0, 'no picture was lost';

    $crowd->leave;
    $nginx->stop;
}


# publishers of all kinds, over and over

{
    my $nginx = Vidcast::Nginx->new(workers => 1, http => <<"CONF")->start;
vidcast_source door {
    input    push:;
    frames   auto 256k;
    predict  motion;
}

server {
    listen  127.0.0.1:%%PORT%%;

    client_body_buffer_size  8k;

    location = /publish { vidcast_publish door takeover=on; }

    @{[locations('door')]}
}
CONF

    my ($worker) = $nginx->processes('worker');
    my $port = $nginx->port;
    my $jpeg = comments(picture(320, 240, 99), 'x' x 60000, 'y' x 60000);

    # it is off before it has a capture, too

    ok wait_for { capture_pid($nginx, 'door') ne ''
                  && (source($nginx, 'door')->{state} // '') eq 'off' },
        'a source to be published to';

    my %pids = (worker => $worker->{pid},
                capture => capture_pid($nginx, 'door'));
    my $viewer = Vidcast::WebSocket->connect($port, '/both')->attend;
    my %memory;
    my %files = map { $_ => fewest($nginx, $pids{$_}) } keys %pids;

    # a buffer may get its size late, but then it has it

    for my $wave (1 .. 40) {

        last if !grep { !steady($memory{$_}) } keys %pids;

        for my $n (1 .. 40) {
            sessions($port, $jpeg);

            # what came is of no interest here

            $viewer->fill;
            $viewer->parse;
            $viewer->{inbox} = [];
        }

        ok wait_for {
            source($nginx, 'door')->{published_by}{publishers} == 0
        }, "wave $wave: 40 times all kinds of publishers";

        for my $kind (keys %pids) {
            push @{$memory{$kind}}, own_memory($pids{$kind});

            my $open;

            wait_for {
                $open = open_files($nginx, $pids{$kind}, 1);
                $open eq $files{$kind};
            };

            is $open, $files{$kind}, "$kind: nothing is left open";
        }
    }

    for my $kind (sort keys %memory) {
        note "memory of the $kind after each wave, kB: @{$memory{$kind}}";

        ok steady($memory{$kind}),
            "$kind: needs no more memory from wave to wave in the end";
    }

    is capture_pid($nginx, 'door'), $pids{capture}, 'it is the same capture';

    $viewer->close;
    $nginx->stop;
}


# not more than a few pages over the last five waves: in these two hundred
# times all kinds, 256 bytes which are lost at each would be seen

sub steady {
    my ($memory) = @_;

    my @last = @{$memory // []} > 5 ? @$memory[-6 .. -1] : return 0;

    return $last[-1] - $last[0] < 50;
}


# what a process has open when nobody comes or goes; what has just gone may
# still be closing

sub fewest {
    my ($nginx, $pid) = @_;

    my (%count, $looked);

    wait_for {
        my $open = open_files($nginx, $pid, 1);

        $count{$open} = 0;
        $count{$open} += $_ for $open =~ / x(\d+)/g;
        ++$looked == 25;
    };

    return (sort { $count{$a} <=> $count{$b} } keys %count)[0];
}


sub sessions {
    my ($port, $jpeg) = @_;

    my $ws = Vidcast::WebSocket->connect($port, '/publish')->attend;

    $ws->write_and_read(Vidcast::WebSocket::frame(2, $jpeg)
                        . Vidcast::WebSocket::frame(1, '{"a":[1,2,3]}')
                        . Vidcast::WebSocket::frame(2, substr $jpeg, 0, 99));
    $ws->closed_with == 1007 or fail 'half a picture is refused';
    $ws->close;

    # gone in the middle of a message, of a body; another type; no picture

    $ws = Vidcast::WebSocket->connect($port, '/publish');
    $ws->write(substr Vidcast::WebSocket::frame(2, $jpeg), 0, 50000);
    $ws->close;

    my $client = Vidcast::Client->new(port => $port);

    $client->write("POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: "
                   . "100000\r\n\r\n" . substr $jpeg, 0, 50000);
    $client->close;

    my @answers = map {
        request($port, '/publish', method => 'POST', body => $_->[0],
                headers => ['Content-Type' => $_->[1]])->{status}
    } [$jpeg, 'image/jpeg'], ['[1]', 'application/json'], ['[', 'text/plain'],
      ['x', 'image/jpeg'], [$jpeg, 'image/png'];

    "@answers" eq '204 204 400 400 415' or fail "POST: @answers";
}


# under valgrind

SKIP: {
    skip 'there is no valgrind', 1 if system('valgrind --version > /dev/null '
                                             . '2>&1') != 0;

    for my $single (1, 0) {
        session($single);
    }
}


sub session {
    my ($single) = @_;

    my @valgrind = ('valgrind', '-q', '--leak-check=full',
        '--show-leak-kinds=definite', '--num-callers=30',

        # manager and captures are started anew; a debugger's place in /tmp
        # would be that of another user

        '--trace-children=yes', '--vgdb=no',
        "--suppressions=$FindBin::Bin/util/valgrind.supp");

    # one line of it for each process; a process that takes too long to come up
    # is killed, and started again

    my $nginx = Vidcast::Nginx->new(single => $single, wrap => \@valgrind,
                                    allow => [qr/exited on signal 9/],
                                    http => <<"CONF");
vidcast_source front {
    input    test: size=160x120 fps=10;
    predict  motion;
}

vidcast_source other {
    input    images:%%PREFIX%%/html/*.jpg fps=10;
    predict  delay time=5ms;
}

vidcast_ping           1s timeout=2s;
vidcast_stall_timeout  2s;

server {
    listen  127.0.0.1:%%PORT%% sndbuf=16k;

    @{[locations('front')]}

    location = /other { vidcast other as=websocket send=both; }
    location = /none  { vidcast \$arg_name; }
}
CONF

    $nginx->write_config;
    write_jpeg($nginx->prefix . '/html/1.jpg');
    $nginx->start;

    my $port = $nginx->port;

    in_time('the source lives under valgrind', sub {
        my $source = source($nginx, 'front');

        return ($source->{state} // '') eq 'live' && $source->{result};
    });

    # everything that there is

    my $crowd = Vidcast::Crowd->new($port, '/ws' => 2, '/both' => 2,
        '/pictures' => 1, '/mjpeg' => 2, '/sse' => 2, '/ndjson' => 1);

    ok $crowd->pump(sub { !grep { !Vidcast::Crowd::has_moved($_) }
                          $crowd->viewers }, 60), 'viewers of each kind';

    my $v1 = Vidcast::WebSocket->connect($port, '/other',
                                         protocol => 'vidcast.v1');

    ok $v1->message('binary', 60), 'a picture with its header';

    for my $path (qw(/snapshot /ws /none?name=x /none?name=front /status)) {
        get($port, $path, seconds => 60);
    }

    request($port, '/mjpeg', method => 'HEAD', seconds => 60);
    request($port, '/sse', method => 'POST', body => 'x', seconds => 60);
    get($port, '/ws', seconds => 60, headers => [Origin => 'http://other',
        Upgrade => 'websocket', Connection => 'Upgrade',
        'Sec-WebSocket-Version' => 13,
        'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ==']);

    # rude ones: cut, silent, wrong, in the middle of a picture

    for my $end (qw(reset silent mute wrong close)) {
        my $ws = Vidcast::WebSocket->connect($port, '/both', client =>
            { recv_buffer => 2048 }, auto_pong => 0);

        $ws->message('text', 60) if $end ne 'silent';

        if ($end eq 'reset') {
            setsockopt $ws->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
            $ws->close;
            next;
        }

        $ws->send_frame(3, 'x') if $end eq 'wrong';
        $ws->send_close(1000, 'bye') if $end eq 'close';

        if ($end eq 'silent') {
            my $stalled = source($nginx, 'front')->{delivered}{stalled};

            in_time('one that does not read is thrown out', sub {
                source($nginx, 'front')->{delivered}{stalled} > $stalled
            });
        }

        ok $ws->wait_eof(60), "the end after \"$end\"";
    }

    my $mjpeg = Vidcast::Stream->open($port, '/mjpeg');

    $mjpeg->part(60);
    setsockopt $mjpeg->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    $mjpeg->close;

    # what a master is for

    if (!$single) {
        my $before = status($nginx)->{generation};

        $nginx->write_config(http => $nginx->{http} =~ s/fps=10/fps=12/r);
        $nginx->signal('HUP');

        in_time('a reload', sub {
            (status($nginx)->{generation} // 0) > $before
        });

        in_time('of which the source knows', sub {
            my $source = source($nginx, 'front');

            ($source->{fps_asked} // 0) == 12 && $source->{state} eq 'live';
        });

        ok $crowd->pump(sub { $crowd->gone == $crowd->viewers }, 60),
            'which ended its viewers';
        $crowd->reconnect;
        $crowd->mark;
        ok $crowd->pump(sub { !grep { !Vidcast::Crowd::has_moved($_) }
                              $crowd->viewers }, 60), 'and viewers, too';
    }

    is $crowd->faults, '', 'all came in order';

    $nginx->signal($single ? 'TERM' : 'QUIT');

    ok $crowd->pump(sub { $crowd->gone == $crowd->viewers }, 60),
        'viewers are sent away';

    in_time('all processes leave', sub {
        $nginx->left && !$nginx->processes
    });

    # what it has to say goes to standard error, as nginx's own words do

    my $said = join "\n", grep { /^==\d+==/ } split /\n/,
        Vidcast::Nginx::slurp($nginx->prefix . '/logs/stdout')
        . $nginx->error_log;

    is $said, '', 'valgrind has nothing to say';

    $crowd->leave;
    $nginx->stop;
}


# under valgrind everything takes its time

sub in_time {
    my ($text, $condition) = @_;

    my $true = wait_for { $condition->() } 60;

    ok $true, $text;
}


# a real picture, from a source of ours

sub write_jpeg {
    my ($path) = @_;

    my $nginx = Vidcast::Nginx->new(http => <<"CONF")->start;
vidcast_source front { input test: size=160x120; }
server { listen 127.0.0.1:%%PORT%%; @{[locations('front')]} }
CONF

    live($nginx, 'front') or die "no picture\n";

    my $body = get($nginx->port, '/snapshot')->{body};

    open my $fh, '>:raw', $path or die "$path: $!\n";
    print $fh $body;
    close $fh or die "$path: $!\n";

    $nginx->signal('QUIT');
    $nginx->finish;
}


done_testing;
