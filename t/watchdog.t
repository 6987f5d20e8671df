#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A process that hangs is not dead: its lock is held, its source is merely
# stale, and nothing of it comes back by itself.  Each kind of process is
# stopped here, and an input goes into a call that never ends; what hangs must
# be killed and replaced, with its reason in words, and nobody else may notice.
# And nothing may be killed that could not run: not where all are stopped
# together, nor under a debugger.

use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Crowd;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Program;
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $root = "$FindBin::Bin/..";

# the plugin of http:, as one that gives gray pictures till its orders, a file,
# are to hang: in a sleep that has no end, or in a write to a file system

my $plugin = <<'C';
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vidcast_plugin.h"

static unsigned char  pixels[160 * 120 * 3 / 2];

static int
check(const vidcast_context_t *context, char *error)
{
    return VIDCAST_OK;
}

static void *
open_input(const vidcast_context_t *context, const volatile int *stop,
    char *error)
{
    return pixels;
}

static int
grab(void *instance, vidcast_picture_t *picture, char *error)
{
    int  fd;

    if (access(PREFIX "/tmp/hang", F_OK) == 0) {
        for ( ;; ) { pause(); }
    }

    if (access(PREFIX "/tmp/freeze", F_OK) == 0) {
        fd = open(PREFIX "/frozen/file", O_WRONLY);
        if (write(fd, "x", 1) != 1) { return VIDCAST_ERROR; }
    }

    usleep(50000);
    memset(pixels, 128, sizeof(pixels));

    picture->image.format = VIDCAST_I420;
    picture->image.width = 160;
    picture->image.height = 120;
    picture->image.plane[0] = pixels;
    picture->image.plane[1] = pixels + 160 * 120;
    picture->image.plane[2] = pixels + 160 * 120 * 5 / 4;
    picture->image.stride[0] = 160;
    picture->image.stride[1] = picture->image.stride[2] = 80;

    return VIDCAST_OK;
}

static void
close_input(void *instance)
{
}

static const vidcast_input_table_t  input = {
    .size = sizeof(input), .check = check, .open = open_input, .grab = grab,
    .close = close_input
};

static const vidcast_plugin_t  plugin = {
    .size = sizeof(plugin), .abi = VIDCAST_ABI, .name = "hangs",
    .input = &input
};

const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &plugin;
}
C

# a debugger: stops a process, and looks at it till its own input ends

my $debugger = <<'C';
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    int   pid;
    char  c;

    pid = atoi(argv[1]);

    if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0) { return 1; }

    waitpid(pid, NULL, 0);
    (void) !write(1, "y", 1);
    (void) !read(0, &c, 1);

    return ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0;
}
C


sub soon (&$;$) {
    my ($condition, $name, $seconds) = @_;

    my $met = wait_for { $condition->() } $seconds;

    return ok $met, $name;
}


sub gcc {
    my ($text, $file, @options) = @_;

    open my $gcc, '|-', 'gcc', '-o', $file, @options, '-x', 'c', '-'
        or die "gcc: $!\n";
    print $gcc $text;
    close $gcc or die "gcc failed\n";
}


# two sources: what happens to "a" is nothing to "b"

sub http {
    my (%args) = @_;

    my $input = $args{input} // 'test: size=160x120 fps=20';
    my $predict = $args{predict} // 'exec %%PREFIX%%/program.pl';

    # no viewer is read while something else is waited for

    return <<"CONF";
vidcast_stall_timeout 60s;
vidcast_watchdog @{[$args{watchdog} // '1s']};

vidcast_source a { input $input; predict $predict; }
@{[$args{alone} ? ''
   : 'vidcast_source b { input test: size=160x120 fps=20;
                         predict delay time=5ms; }']}

server {
    listen  127.0.0.1:%%PORT%%;

    location = /metrics { vidcast_status prometheus; }
    location = /health { vidcast_health; }

    @{[locations('a', $args{alone} ? 'c' : 'b') =~ s/.* c .*\n//gr]}
}
CONF
}


sub nginx {
    my (%args) = @_;

    my $nginx = Vidcast::Nginx->new(workers => 2, http => http(%args),
                                    %{$args{nginx} // {}});

    box_program($nginx->prefix . '/program.pl');

    # what is stopped for long is called so

    push @{$nginx->{allow}}, qr/source "a" is stale/;

    return $nginx->start;
}


sub crowd {
    my ($nginx) = @_;

    my $crowd = Vidcast::Crowd->new($nginx->port, map {
        ("/ws_$_" => 2, "/both_$_" => 3, "/mjpeg_$_" => 2, "/sse_$_" => 2,
         "/ndjson_$_" => 2)
    } qw(a b));

    ok $crowd->moved, 'viewers of two sources';

    return $crowd;
}


# all get more, and nobody has been dropped

sub goes_on {
    my ($crowd, $name) = @_;

    $crowd->mark;

    ok $crowd->moved, "$name: all viewers get more";
    is scalar($crowd->gone), 0, 'none was dropped';
    is $crowd->faults, '', 'all came in order';
}


# the processes, those of nginx itself only with "all"

sub pids {
    my ($nginx, %args) = @_;

    return { map { join(' ', grep { defined } @$_{qw(kind name)})
                   => $_->{pid} }
             grep { $args{all} || $_->{kind} =~ /^(?:manager|capture|predictor)$/ }
             $nginx->processes };
}


# stops it; true when there is another one in its place

sub stop {
    my ($nginx, @which) = @_;

    my ($pid) = map { $_->{pid} } $nginx->processes(@which);

    $nginx->signal('STOP', $pid);

    return wait_for {
        my @now = $nginx->processes(@which);

        @now == 1 && $now[0]{pid} != $pid;
    };
}


# more than a watchdog would need, as judges see it

sub patience {
    my ($crowd) = @_;

    $crowd->pump(sub { 0 }, 2.5);
}


{
    my $nginx = nginx();
    my $crowd = crowd($nginx);
    my $before = pids($nginx);

    is scalar(keys %$before), 4, 'a manager, two captures, a predictor';

    # a capture

    ok stop($nginx, 'capture', 'a'), 'a stopped capture is replaced';
    ok $nginx->wait_log(qr/"a" hangs: the capture process did not move for 1 s/),
        'and told of';
    goes_on($crowd, 'capture');

    is source($nginx, 'a')->{hung}, 1, 'it is counted';
    is source($nginx, 'b')->{hung}, 0, 'for this source alone';
    like get($nginx->port, '/metrics')->{body},
        qr/^vidcast_hung_total\{source="a"\} 1$/m, 'in the metrics, too';

    my $now = pids($nginx);

    is_deeply { %$now, 'capture a' => 0 }, { %$before, 'capture a' => 0 },
        'all others are as they were';

    # a predictor; it would have five seconds for its frame

    ok stop($nginx, 'predictor', 'a'), 'a stopped predictor is replaced';
    goes_on($crowd, 'predictor');

    my $predictor = source($nginx, 'a')->{predictor};

    is_deeply [@$predictor{qw(hung timeouts)}], [1, 0],
        'as it did not move, not as it was slow';
    ok $nginx->wait_log(qr/failed: the process did not move for 1 s/),
        'and told of';
    ok !kill(0, $before->{'predictor a'}), 'it is gone';

    # the manager, which a worker looks after

    my %captures = map { $_->{pid} => 1 } $nginx->processes('capture');

    ok stop($nginx, 'manager'), 'a stopped manager is replaced';
    goes_on($crowd, 'manager');

    is status($nginx)->{manager}{hung}, 1, 'it is counted, once';
    is scalar(() = $nginx->error_log =~ /manager process \d+ did not move/g),
        1, 'and told of once, though two workers looked';
    is_deeply { map { $_->{pid} => 1 } $nginx->processes('capture') },
        \%captures, 'its captures are as they were';

    # none of which is a child of the new one

    ok stop($nginx, 'capture', 'b'), 'a capture of the manager before';
    goes_on($crowd, 'not a child');
    is source($nginx, 'b')->{hung}, 1, 'it is counted';

    # several things at once

    $nginx->signal('STOP', $_->{pid})
        for map { $nginx->processes($_) } qw(manager capture predictor);

    $before = pids($nginx);

    soon {
        my $now = pids($nginx);

        !grep { ($now->{$_} // 0) == $before->{$_} || !$now->{$_} }
              keys %$before;
    } 'all of ours are stopped, and replaced', 20;

    goes_on($crowd, 'all of ours');

    $crowd->leave;
    $nginx->stop;
}


# everything is stopped, as by a suspend, and goes on

{
    my $nginx = nginx();
    my $crowd = crowd($nginx);
    my $before = pids($nginx, all => 1);

    $nginx->signal('STOP', $_->{pid}) for $nginx->processes;

    # that time is what is tested: three times that of the watchdog

    sleep 3;

    $nginx->signal('CONT', $_->{pid}) for $nginx->processes;

    patience($crowd);
    goes_on($crowd, 'after a suspend');

    is_deeply pids($nginx, all => 1), $before, 'nobody was killed';
    is_deeply [map { $_->{hung} } status($nginx)->{manager},
               source($nginx, 'a'), source($nginx, 'b'),
               source($nginx, 'a')->{predictor}],
        [0, 0, 0, 0], 'nor counted';

    $crowd->leave;
    $nginx->stop;
}


# a reload meanwhile; the one that should leave is stopped, or the one that
# should take its place

for my $kind (qw(capture manager)) {
    my $nginx = nginx();
    my $crowd = crowd($nginx);
    my ($pid) = map { $_->{pid} }
        $nginx->processes($kind, $kind eq 'capture' ? 'a' : ());

    $nginx->signal('STOP', $pid);

    ok $nginx->reload, "a reload while the $kind is stopped";
    soon {
        my @now = $nginx->processes($kind);

        !grep({ $_->{pid} == $pid } @now)
            && @now == ($kind eq 'capture' ? 2 : 1);
    } 'it is replaced';

    $crowd->pump(sub { $crowd->gone == $crowd->viewers });
    $crowd->reconnect;
    goes_on($crowd, 'after the reload');

    $crowd->leave;
    $nginx->stop;
}

{
    my $nginx = nginx();

    ok live($nginx, 'a') && live($nginx, 'b'), 'two sources';

    my @stopped = map { $_->{pid} } $nginx->processes('capture', 'b'),
                  $nginx->processes('predictor', 'a');

    $nginx->signal('STOP', $_) for @stopped;

    ok $nginx->reload(http => http(alone => 1, predict => 'delay')),
        'a reload that needs neither any more';
    soon { !grep { kill 0, $_ } @stopped } 'they are ended'
        or diag join "\n", map { $_->{title} } $nginx->processes;
    ok live($nginx, 'a'), 'the source that is left is live';

    $nginx->stop;
}


# off

{
    my $nginx = nginx(watchdog => 'off');

    ok live($nginx, 'a'), 'watchdog off';

    my $before = pids($nginx);
    my $crowd = crowd($nginx);

    $nginx->signal('STOP', $before->{$_}) for 'capture a', 'manager';

    patience($crowd);

    is_deeply pids($nginx), $before, 'what hangs stays';

    $nginx->signal('CONT', $before->{$_}) for 'capture a', 'manager';

    goes_on($crowd, 'off');
    $crowd->leave;
    $nginx->stop;
}


# a debugger

SKIP: {
    my $nginx = nginx();
    my $crowd = crowd($nginx);
    my $before = pids($nginx);
    my $gdb = $nginx->prefix . '/debugger';

    gcc($debugger, $gdb);

    my @lookers;

    for my $name ('capture a', 'manager', 'predictor a') {
        pipe my $their_in, my $in or die "pipe: $!\n";
        pipe my $out, my $their_out or die "pipe: $!\n";

        my $pid = fork // die "fork: $!\n";

        if ($pid == 0) {
            open STDIN, '<&', $their_in;
            open STDOUT, '>&', $their_out;
            close $_ for $in, $out, map { $_->{in} } @lookers;
            exec $gdb, $before->{$name} or POSIX::_exit(127);
        }

        close $their_out;
        push @lookers, { pid => $pid, in => $in,
                         ok => sysread $out, my $c, 1 };
    }

    if (grep { !$_->{ok} } @lookers) {
        close $_->{in} for @lookers;
        waitpid $_->{pid}, 0 for @lookers;
        $nginx->stop;
        skip 'no process can be traced here', 1;
    }

    patience($crowd);

    is_deeply pids($nginx), $before, 'what a debugger looks at is left alone';

    close $_->{in} for @lookers;
    waitpid $_->{pid}, 0 for @lookers;

    goes_on($crowd, 'after that');
    $crowd->leave;
    $nginx->stop;
}


# an input that does not come back

sub hanging {
    my ($nginx_ref) = @_;

    my ($module) = grep { m{/ngx_http_vidcast} } Vidcast::Nginx->modules;

    my $nginx = Vidcast::Nginx->new(workers => 2,
        http => http(input => 'http://127.0.0.1/ timeout=1s'));
    my $prefix = $nginx->prefix;

    copy($module, "$prefix/ngx_http_vidcast_module.so") or die "copy: $!\n";

    $nginx->{modules} = [ map { m{/ngx_http_vidcast}
                                ? "$prefix/ngx_http_vidcast_module.so" : $_ }
                          Vidcast::Nginx->modules ];

    gcc($plugin, "$prefix/vidcast_curl.so", '-shared', '-fPIC', '-I',
        "$root/src", "-DPREFIX=\"$prefix\"");
    box_program("$prefix/program.pl");

    push @{$nginx->{allow}}, qr/source "a" is stale/;

    return $nginx;
}


sub touch {
    my ($file) = @_;

    open my $fh, '>', $file or die "$file: $!\n";
    chmod 0666, $file;
}


{
    my $nginx = hanging()->start;
    my $crowd = crowd($nginx);
    my $before = pids($nginx);
    my $hang = $nginx->prefix . '/tmp/hang';
    my $reason = 'the input did not come back for 6 s';

    touch($hang);

    ok $nginx->wait_log(qr/"a" hangs: $reason/, 20),
        'an input that does not come back is told of';

    my $source;

    soon {
        $source = source($nginx, 'a');
        $source->{state} eq 'reconnecting' && $source->{error} eq $reason
            && $source->{pid};
    } 'its source has that reason, while the next capture tries';
    is $source->{hung}, 1, 'it is counted';
    like get($nginx->port, '/health')->{body}, qr/"error":"$reason"/,
        'so says the health';

    unlink $hang;

    soon { live($nginx, 'a') } 'it is live again', 20;
    goes_on($crowd, 'input');

    is pids($nginx)->{"$_"}, $before->{$_}, "$_ is as it was"
        for 'capture b', 'manager', 'predictor a';

    $crowd->leave;
    $nginx->stop;
}


# one that cannot be killed: in a write to a file system that is frozen

SKIP: {
    my $nginx = hanging();
    my $prefix = $nginx->prefix;
    my $place = "$prefix/frozen";

    mkdir $place;

    skip 'a file system that can be frozen needs root, and mkfs.ext4', 1
        if $> != 0
           || system("{ truncate -s 16M $prefix/image"
                     . " && mkfs.ext4 -q $prefix/image"
                     . " && mount -o loop $prefix/image $place; } 2> /dev/null")
              != 0;

    touch("$place/file");
    $nginx->start;

    my $crowd = crowd($nginx);
    my ($pid) = capture_pid($nginx, 'a');

    if (system("fsfreeze -f $place") != 0) {
        $nginx->stop;
        system("umount $place");
        skip 'fsfreeze fails', 1;
    }

    touch("$prefix/tmp/freeze");

    my $told = $nginx->wait_log(qr/capture process $pid of vidcast source "a" was killed and does not die/, 30);

    ok $told, 'a capture in the kernel is told of';
    like source($nginx, 'a')->{error}, qr/6 s, and cannot be killed/,
        'in the status, too';
    is source($nginx, 'a')->{pid}, $pid, 'which has its pid';
    is source($nginx, 'a')->{starts}, 1, 'and there is no other one';

    my @b = grep { $_->{path} =~ /_b$/ } $crowd->viewers;

    $crowd->mark;
    ok $crowd->moved(@b), 'the other source goes on';
    is scalar($crowd->gone), 0, 'no viewer was dropped';

    patience($crowd);

    is scalar(() = $nginx->error_log =~ /does not die/g), 1, 'it is told once';

    unlink "$prefix/tmp/freeze";
    system("fsfreeze -u $place");

    soon { live($nginx, 'a') } 'it leaves with the write, and comes back', 20;
    goes_on($crowd, 'kernel');

    $nginx->signal('QUIT');
    wait_for { $nginx->left && !$nginx->processes };
    system("umount $place");
    ok $nginx->left, 'nginx has left';
    $nginx->finish;
}


done_testing;
