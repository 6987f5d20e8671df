#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Reloads under viewers: what did not change goes on, what did is replaced,
# what went is ended, and a reload that fails is none.  Nothing is left of
# twenty of them: no process, no descriptor, no memory, no pin.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use Test::More;
use Time::HiRes qw(time);

use Vidcast::Client qw(get);
use Vidcast::Crowd;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;


# sources by name, with what is in their blocks

sub http {
    my (%sources) = @_;

    my @names = sort keys %sources;

    return join('', map { "vidcast_source $_ { $sources{$_} }\n" } @names)
        . <<"CONF";
server {
    listen  127.0.0.1:%%PORT%% reuseport;

    @{[locations(@names)]}
    location = /fixed { return 200 fixed; }
}
CONF
}

my $test = 'input test: size=320x240 fps=20; predict delay time=5ms;';


# old workers have gone, and what is there is told by "kinds"

sub settled {
    my ($nginx, $text, %count) = @_;

    my $start = time;

    my $settled = wait_for {
        !grep { my $kind = $_;
                $nginx->processes($kind) != ($count{$kind} // 0) }
            qw(exiting worker manager capture);
    };

    ok $settled, $text or diag join "\n",
        map { "$_->{pid} $_->{title}" } $nginx->processes;
    note sprintf 'settled after %.2f s', time - $start;
}


my $nginx = Vidcast::Nginx->new(workers => 2, http => http(a => $test,
                                                           b => $test))->start;
my $port = $nginx->port;
my $master = $nginx->pid;


# 20 reloads of the same, 50 viewers: 1001 for what can come again, and a place
# in the old worker for what cannot

my $crowd = Vidcast::Crowd->new($port, '/ws_a' => 8, '/ws_b' => 6,
    '/both_a' => 8, '/both_b' => 6, '/sse_a' => 6, '/sse_b' => 6,
    '/mjpeg_a' => 5, '/mjpeg_b' => 5);

is scalar($crowd->viewers), 50, '50 viewers';
ok $crowd->moved, 'get what they want';

my %pid = map { $_ => capture_pid($nginx, $_) } qw(a b);

my %before = (
    master => open_files($nginx, $master, 1),
    memory => shared_memory($master),
    manager => open_files($nginx, ($nginx->processes('manager'))[0]{pid}, 1),
    worker => open_files($nginx, ($nginx->processes('worker'))[0]{pid}),
);

my ($longest, %codes) = (0);

for my $time (1 .. 20) {
    my @stay = grep { $_->{kind} eq 'mjpeg' } $crowd->viewers;
    my @go = grep { $_->{kind} ne 'mjpeg' } $crowd->viewers;

    $crowd->mark;
    $crowd->longest_gap;

    ok $nginx->reload, "reload $time";
    ok $crowd->pump(sub { $crowd->gone == @go }), 'what can come again, must';

    $codes{$_->{client}{close}{code} // 'none'}++
        for grep { $_->{kind} =~ /ws|both/ } @go;
    $codes{$_->{client}{ended} ? 'ended' : 'cut'}++
        for grep { $_->{kind} eq 'sse' } @go;

    is scalar(grep { $_->{client}->eof } @stay), 0, 'MJPEG stays';

    my $gap = $crowd->longest_gap(@stay);
    $longest = $gap if $gap > $longest;

    $crowd->reconnect;
    $crowd->mark;
    ok $crowd->moved, 'all get more';

    is capture_pid($nginx, $_), $pid{$_}, "the capture of $_ is the same"
        for qw(a b);
}

is_deeply \%codes, { 1001 => 20 * 28, ended => 20 * 12 },
    'each was told, with 1001 or with the last chunk';
is $crowd->faults, '', 'all came in order';
note sprintf 'no viewer of MJPEG waited longer than %.2f s', $longest;

is source($nginx, $_)->{starts}, 1, "$_ was started once" for qw(a b);
is source($nginx, $_)->{dropped}{ring_full}, 0, 'and never had a full ring'
    for qw(a b);
is status($nginx)->{generation}, 21, 'the 21st generation';

$crowd->leave;
settled($nginx, 'nobody else is left', worker => 2, manager => 1, capture => 2);

for my $name (qw(a b)) {
    ok wait_for { source($nginx, $name)->{viewers}{all} == 0 }, 'no viewer';
    is source($nginx, $name)->{pins}, 0, 'no pin';
}

# the master may not have waited for the last of them yet

wait_for { open_files($nginx, $master, 1) eq $before{master} };

is open_files($nginx, $master, 1), $before{master}, 'files of the master';
is shared_memory($master), $before{memory}, 'memory of the master';
is open_files($nginx, ($nginx->processes('manager'))[0]{pid}, 1),
    $before{manager}, 'files of the manager';
is open_files($nginx, $_->{pid}), $before{worker}, 'files of a worker'
    for $nginx->processes('worker');


# nginx -t beside it, with other sources: nothing happens

{
    my $log = length $nginx->error_log;
    my $good = $nginx->{http};

    $nginx->{http} = http(a => "$test frames 40;", c => $test);
    my ($ok, $text) = $nginx->test_config;
    ok $ok, 'nginx -t' or diag $text;

    is substr($nginx->error_log, $log) =~ s/.*\[notice\].*\n//gr, '',
        'nothing is written to the log';
    is scalar($nginx->processes), 6, 'nobody is started';
    is capture_pid($nginx, $_), $pid{$_}, "$_ is the same" for qw(a b);
    is status($nginx)->{generation}, 21, 'the generation too';

    $nginx->{http} = $good;
    $nginx->write_config;
}


# 10 reloads that fail, some of them late: after zones were made

{
    my $good = $nginx->{http};

    $crowd = Vidcast::Crowd->new($port, '/both_a' => 2, '/mjpeg_b' => 2);

    for my $bad ('bogus;',
                 'vidcast_source x { input nonsense:; }',
                 http(x => $test, y => "$test frames 3;"),
                 http(x => $test) . 'server { listen 127.0.0.1:'
                     . fileno_port() . '; }',
                 http(a => "$test frames 40;", x => $test)
                     . 'server { listen 127.0.0.1:' . fileno_port() . '; }')
    {
        for my $time (1, 2) {
            my $log = length $nginx->error_log;

            $nginx->write_config(http => $bad);
            $crowd->mark;
            $nginx->signal('HUP');

            # a bind() is tried five times, half a second between

            ok wait_for { substr($nginx->error_log, $log) =~ /\[emerg\]/ },
                'a reload fails';
            ok wait_for { my $new = substr $nginx->error_log, $log;
                          $new !~ /bind\(\)/
                          || $new =~ /still could not bind/ }, 'in the end';
            ok $crowd->moved, 'all get more';
        }
    }

    is scalar($crowd->gone), 0, 'nobody was dropped';
    is capture_pid($nginx, $_), $pid{$_}, "$_ is the same" for qw(a b);
    is status($nginx)->{generation}, 21, 'the generation too';
    is open_files($nginx, $master, 1), $before{master}, 'files of the master';
    is shared_memory($master), $before{memory}, 'memory of the master';

    push @{$nginx->{allow}}, qr/\[emerg\]/;
    $nginx->write_config(http => $good);
    $crowd->leave;
}


# somebody else's port

sub fileno_port {
    our $other //= IO::Socket::INET->new(Listen => 1,
                                         LocalAddr => '127.0.0.1');

    return $other->sockport;
}


# one is added, one changed, one removed, one stays

{
    $crowd = Vidcast::Crowd->new($port, '/ws_a' => 2, '/ws_b' => 2,
        '/mjpeg_a' => 2, '/mjpeg_b' => 2, '/sse_b' => 1, '/ndjson_b' => 1);
    ok $crowd->moved, 'viewers of a and b';

    my $epoch = (Vidcast::WebSocket->connect($port, '/ws_a')->json)->{epoch};

    ok $nginx->reload(http => http(a => $test, c => $test)), 'b goes, c comes';

    my @of_b = grep { $_->{path} =~ /_b$/ } $crowd->viewers;

    ok $crowd->pump(sub { !grep { !$_->{client}->eof } @of_b }),
        'all viewers of b are sent away, MJPEG too';
    is_deeply [map { $_->{client}{close}{code} }
               grep { $_->{kind} eq 'ws' } @of_b], [1001, 1001], 'with 1001';
    is_deeply [map { $_->{client}{ended} }
               grep { $_->{kind} ne 'ws' } @of_b], [1, 1, 1, 1],
        'or the last chunk';

    my @mjpeg = grep { $_->{path} eq '/mjpeg_a' } $crowd->viewers;

    $crowd->mark;
    ok $crowd->moved(@mjpeg), 'MJPEG of a goes on';
    is capture_pid($nginx, 'a'), $pid{a}, 'its capture is the same';
    ok live($nginx, 'c'), 'c lives';
    ok wait_for { capture_pid($nginx, 'b') eq '' }, 'b is gone';
    is get($port, '/ws_b')->{status}, 404, 'its location too';

    $crowd->leave;
    settled($nginx, 'nobody else is left', worker => 2, manager => 1,
            capture => 2);

    # the memory of b, with all that had it

    is scalar(grep { open_files($nginx, $_->{pid})
                     =~ /memfd:vidcast frames \(deleted\) x(\d+)/
                     && $1 > ($_->{kind} eq 'capture' ? 1 : 2) }
              $nginx->processes), 0, 'nobody holds its frames';

    # other parameters: another capture, the same memory, the first one having
    # left before the second one begins

    my $old = Vidcast::WebSocket->connect($port, '/ws_a');
    my $frame = source($nginx, 'a')->{frame};
    my $log = length $nginx->error_log;

    ok $nginx->reload(http => http(a => $test =~ s/fps=20/fps=25/r,
                                   c => $test)), 'a changes';
    is $old->closed_with, 1001, 'its viewers get 1001';
    ok wait_for { my $new = capture_pid($nginx, 'a');
                  $new && $new ne $pid{a} }, 'another capture';
    ok live($nginx, 'a'), 'a lives';

    my $said = substr $nginx->error_log, $log;

    like $said, qr/process of "a" exiting.*start vidcast capture process: a /s,
        'which began when the old one left';

    my $json = Vidcast::WebSocket->connect($port, '/ws_a')->json;

    is $json->{epoch}, $epoch, 'of the same epoch';
    cmp_ok $json->{frame}, '>', $frame, 'frames are counted on';

    # another geometry: other memory, another epoch

    ok $nginx->reload(http => http(a => "$test frames 30 512k;", c => $test)),
        'more frames';
    ok live($nginx, 'a'), 'a lives';
    is source($nginx, 'a')->{slots}, 30, 'with 30 slots';
    $json = Vidcast::WebSocket->connect($port, '/ws_a')->json;
    isnt $json->{epoch}, $epoch, 'of another epoch';
    $epoch = $json->{epoch};

    # another one which takes as much: results against their size

    ok $nginx->reload(http => http(
        a => "$test frames 30 512k; results 128 8256;", c => $test)),
        'as much memory, divided otherwise';
    ok live($nginx, 'a'), 'a lives';
    $json = Vidcast::WebSocket->connect($port, '/ws_a')->json;
    isnt $json->{epoch}, $epoch, 'of another epoch';

    settled($nginx, 'nobody else is left', worker => 2, manager => 1,
            capture => 2);

    my $pid = capture_pid($nginx, 'a');

    ok $nginx->reload, 'and the same again';
    settled($nginx, 'nobody else is left', worker => 2, manager => 1,
            capture => 2);
    is capture_pid($nginx, 'a'), $pid, 'the capture is the same';

    # the fingerprint of a source is of what it is, not of how it is written

    ok $nginx->reload(http => http(
        a => join(' ', 'results 128 8256; frames 30 512k;',
                  reverse $test =~ /[^;]+;/g), c => $test)),
        'and the same in another order';
    settled($nginx, 'nobody else is left', worker => 2, manager => 1,
            capture => 2);
    is capture_pid($nginx, 'a'), $pid, 'the capture is the same';
}


# two reloads within the second in which the first manager was forked, with a
# viewer that keeps that worker

{
    ok $nginx->reload(http => http(a => $test)), 'a reload';
    ok live($nginx, 'a'), 'a lives';

    my $stay = Vidcast::Crowd->new($port, '/mjpeg' => 8);
    ok $stay->moved, 'viewers that stay';

    ok $nginx->reload(http => http(a => $test, d => $test)), 'a reload';
    ok $nginx->reload(http => http(a => $test, e => $test)), 'another one';
    ok live($nginx, 'e'), 'there is a manager for the new source';

    $stay->mark;
    ok $stay->moved, 'and those that stay get more';
    $stay->leave;
}


# without any source, and back: nothing is left, nothing was lost

{
    settled($nginx, 'two captures', worker => 2, manager => 1, capture => 2);

    my $stay = Vidcast::Crowd->new($port, '/mjpeg_a' => 2, '/ws_a' => 2);
    ok $stay->moved, 'viewers';

    ok $nginx->reload(http => <<'CONF'), 'no source at all';
server {
    listen  127.0.0.1:%%PORT%% reuseport;
    location = /fixed  { return 200 fixed; }
    location = /status { vidcast_status; }
}
CONF

    ok $stay->pump(sub { $stay->gone == 4 }), 'viewers are sent away';
    settled($nginx, 'only workers are left', worker => 2);
    is get($port, '/fixed')->{body}, 'fixed', 'nginx serves';
    is_deeply status($nginx)->{sources}, [], 'the status is empty';
    is open_files($nginx, $master, 1) =~ /vidcast|eventfd/, '',
        'no file of ours in the master';

    ok $nginx->reload(http => http(a => $test, b => $test)), 'and back';
    ok live($nginx, 'a') && live($nginx, 'b'), 'both live';
    is open_files($nginx, $master, 1), $before{master}, 'files of the master';
    settled($nginx, 'all are there', worker => 2, manager => 1, capture => 2);
}


# files that the input looks at again by itself are of the same source, though
# a new picture was there before the reload; another film is another source

sub put {
    my ($name, $width) = @_;

    my $file = $nginx->prefix . "/$name";

    open my $fh, '>:raw', "$file.new" or die "$file.new: $!\n";
    print $fh picture($width, 32, 99);
    close $fh or die "$file.new: $!\n";
    rename "$file.new", "$file.jpg" or die "$file: $!\n";
}


{
    mkdir $nginx->prefix . "/$_" or die "$_: $!\n" for qw(album film);

    put($_, 32) for qw(now album/1 film/1 film/2);

    # another picture in the same second would not change it

    utime 1, 1, $nginx->prefix . '/film';

    $nginx->reload(http => http(
        now   => 'input images:%%PREFIX%%/now.jpg fps=20;',
        album => 'input images:%%PREFIX%%/album fps=20;',
        film  => 'input images:%%PREFIX%%/film fps=20 loop=off;'));

    ok live($nginx, $_), "$_ lives" for qw(now album);
    ok wait_for { source($nginx, 'film')->{state} eq 'ended' }, 'a film ends';

    my $go = Vidcast::Crowd->new($port, '/ws_now' => 1, '/ws_album' => 1);
    my $stay = Vidcast::Crowd->new($port, '/mjpeg_now' => 2,
                                   '/mjpeg_album' => 2);
    my %old = map { $_ => capture_pid($nginx, $_) } qw(now album film);

    ok $stay->moved, 'viewers';

    put($_, 48) for qw(now album/2 film/3);

    ok $nginx->reload, 'a reload, with new pictures';
    ok $go->pump(sub { $go->gone == 2 }), 'what can come again, must';
    ok wait_for { my $new = capture_pid($nginx, 'film');
                  $new && $new ne $old{film} }, 'another film, and capture';

    put('now', 64);
    $stay->mark;
    ok $stay->moved, 'viewers of pictures get more';
    is scalar($stay->gone), 0, 'all stay';
    is capture_pid($nginx, $_), $old{$_}, "the capture of $_ is the same"
        for qw(now album);

    $_->leave for $go, $stay;

    ok $nginx->reload(http => http(a => $test, b => $test)), 'and back';
    ok live($nginx, 'a') && live($nginx, 'b'), 'both live';
    settled($nginx, 'all are there', worker => 2, manager => 1, capture => 2);
}


# the module's file is replaced, as an upgrade of its package does

{
    my ($module) = $nginx->modules;
    my $copy = $nginx->prefix . '/module.so';

    copy($module, $copy) or die "$copy: $!\n";

    my $stay = Vidcast::Crowd->new($port, '/mjpeg_a' => 2, '/ws_a' => 2);
    ok $stay->moved, 'viewers';

    ok $nginx->reload(modules => [$copy]), 'the module is another file';
    ok $stay->pump(sub { $stay->gone == 2 }), 'WebSocket viewers go';
    $stay->reconnect;
    $stay->mark;
    ok $stay->moved, 'all get more';
    $stay->leave;
    settled($nginx, 'nobody else is left', worker => 2, manager => 1,
            capture => 2);

    copy($module, "$copy.new") or die "$copy: $!\n";
    rename "$copy.new", $copy or die "$copy: $!\n";

    ok $nginx->reload, 'the file is replaced';
    ok live($nginx, 'a'), 'a lives';
    settled($nginx, 'nobody else is left', worker => 2, manager => 1,
            capture => 2);
    is open_files($nginx, $master, 1), $before{master}, 'files of the master';
    ok $nginx->reload(modules => [$module]), 'and back';
    ok live($nginx, 'a'), 'a lives';
}


# another number of workers is another length of the ring

for my $workers (4, 1, 2) {
    my $crowd = Vidcast::Crowd->new($port, '/ws_a' => 4, '/mjpeg_a' => 4);

    ok $nginx->reload(workers => $workers), "$workers workers";
    ok $crowd->pump(sub { $crowd->gone == $crowd->viewers }),
        'all viewers are sent away';
    ok live($nginx, 'a'), 'a lives';
    settled($nginx, 'nobody else is left', worker => $workers, manager => 1,
            capture => 2);
    $crowd->reconnect;
    ok $crowd->moved, 'and they get more';
    $crowd->leave;
    is scalar(@{source($nginx, 'a')->{workers}}), $workers,
        'the status has them';
}

is open_files($nginx, $master, 1), $before{master}, 'files of the master';


# workers bound to a processor; captures are not

SKIP: {
    my ($all) = allowed($$);

    skip 'one processor', 3 if $all !~ /[,-]/;

    ok $nginx->reload(main => 'worker_cpu_affinity 01 01;',
                      http => http(a => $test)), 'worker_cpu_affinity';
    ok live($nginx, 'a'), 'a lives';

    ok wait_for { !grep { allowed($_->{pid}) ne $all }
                  map { $nginx->processes($_) } qw(capture manager) },
        'manager and capture have all processors';

    $nginx->reload(main => '', http => http(a => $test, b => $test));
}


sub allowed {
    my ($pid) = @_;

    return Vidcast::Nginx::slurp("/proc/$pid/status")
        =~ /^Cpus_allowed_list:\s*(\S+)/m ? $1 : '';
}


# logs are renamed: all processes write to the new ones

{
    settled($nginx, 'all are there', worker => 2, manager => 1, capture => 2);

    my $log = $nginx->prefix . '/logs/error.log';

    rename $log, "$log.1" or die "$log: $!\n";
    $nginx->signal('USR1');

    # nginx's own processes keep one, of before they knew their configuration

    my $with_old = sub {
        my ($process) = @_;
        my %files = $nginx->descriptors($process->{pid});

        return scalar grep { ($_ // '') eq "$log.1" } values %files;
    };

    my $followed = wait_for {
        !grep { $with_old->($_) }
            map { $nginx->processes($_) } qw(manager capture);
    };

    ok $followed, 'manager and captures do not have the old log'
        or diag join "\n", map { "$_->{pid} $_->{title}" }
            grep { $with_old->($_) } $nginx->processes;

    my ($manager) = $nginx->processes('manager');
    my $pid = capture_pid($nginx, 'b');

    push @{$nginx->{allow}}, qr/exited on signal 9/;
    $nginx->signal('KILL', $pid);

    ok $nginx->wait_log(
        qr/ $manager->{pid}#\d+: vidcast capture process: b $pid exited/),
        'the manager writes to the new';
    ok $nginx->wait_log(qr/source "b" is live/), 'so does the capture';

    # of an older generation

    my $other = capture_pid($nginx, 'a');

    ok $nginx->reload(http => http(b => $test)), 'a goes';
    ok $nginx->wait_log(qr/ $other#\d+: vidcast capture process of "a" exit/),
        'an old capture does';
    is $nginx->wait_log(qr/\[alert\] \d+#\d+: (?!vidcast capture).*/, 0), undef,
        'without an alert';
}


$nginx->stop;


# workers of an unprivileged user

SKIP: {
    skip 'not root', 6 if $> != 0;

    my $user = getpwnam('www-data') ? 'www-data' : 'nobody';
    my $nginx = Vidcast::Nginx->new(workers => 1, main => "user $user;",
                                    http => http(a => $test))->start;

    ok live($nginx, 'a'), "user $user";

    my $uid = getpwnam $user;

    is +(stat "/proc/$_->{pid}")[4], $uid, "the user of \"$_->{title}\""
        for map { $nginx->processes($_) } qw(worker manager capture);

    my $log = $nginx->prefix . '/logs/error.log';
    my $pid = capture_pid($nginx, 'a');

    rename $log, "$log.1" or die "$log: $!\n";
    $nginx->signal('USR1');

    ok wait_for {
        my %files = $nginx->descriptors($pid);
        grep { ($_ // '') eq $log } values %files;
    }, 'the capture follows a rotated log';

    ok $nginx->reload, 'a reload';
    is capture_pid($nginx, 'a'), $pid, 'the capture is the same';

    $nginx->stop;
}


done_testing;
