#!/usr/bin/perl

# Copyright (C) vidcast contributors

# The threads of a capture share frames, results and counters: a flag that one
# of them loses leaves a frame unpredicted, or a slot pinned for ever, once in
# a day.  Whole captures run here on an nginx with ThreadSanitizer, which sees
# two threads that do not agree even if nothing came of it: a synthetic camera,
# motion, programs, overlays, outputs, publishers, sources that sleep, and
# reloads.
# "make tsan" does so for minutes (VIDCAST_TSAN_SECONDS).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::OutputPlugin;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

my $root = "$FindBin::Bin/..";
my $dir = "$root/build/tsan";

plan(skip_all => 'nginx with ThreadSanitizer is not built: make tsan')
    if !-x "$dir/nginx";

# its memory must lie where it looks for it

my @wrap = system('setarch -R true 2> /dev/null') == 0 ? qw(setarch -R) : ();

# a process may be somebody else, and the tree be closed to it

my $found = tempdir('vidcast-found-XXXXXX', TMPDIR => 1, CLEANUP => 1);

chmod 01777, $found or die "$found: $!\n";

$ENV{TEST_NGINX_BINARY} = "$dir/nginx";
$ENV{TSAN_OPTIONS} = "log_path=$found/tsan:history_size=7:exitcode=0"
    . ":suppressions=$root/t/util/tsan.supp";


# the control: a race of two threads, built and run alike, is seen

my $race = "$found/race";

open my $cc, '|-', 'gcc', '-g', '-O1', '-fsanitize=thread', '-x', 'c', '-o',
     $race, '-', '-lpthread' or die "gcc: $!\n";
print $cc <<'C';
#include <pthread.h>

static int  shared;

static void *
run(void *data)
{
    shared++;
    return data;
}

int
main(void)
{
    pthread_t  a, b;

    pthread_create(&a, NULL, run, NULL);
    pthread_create(&b, NULL, run, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);

    return 0;
}
C
close $cc or die "gcc failed\n";

system @wrap, $race;

like reports(), qr/data race/, 'a race is seen';
unlink glob "$found/*";


my $nginx = Vidcast::Nginx->new(
    workers => 2, modules => ["$dir/module/ngx_http_vidcast_module.so"],
    http => config(30));

$nginx->{wrap} = \@wrap if @wrap;

output_plugin($nginx);

open my $fh, '>', $nginx->prefix . '/program.pl' or die "program.pl: $!\n";
print $fh <<'PERL';
#!/usr/bin/perl
$| = 1;
my $n = 0;
while (<STDIN>) {
    $n++;
    print $n % 7 == 0 ? "\n" : $n % 11 == 0 ? "what\n"
        : qq({"detections":[{"label":"box","bbox":[8,8,20,20]}]}\n);
}
PERL
close $fh;
chmod 0755, $nginx->prefix . '/program.pl';

mkdir $nginx->prefix . '/pictures';

for my $n (1 .. 9) {
    open my $out, '>', $nginx->prefix . "/pictures/$n.jpg" or die "$n: $!\n";
    print $out $n % 3 ? picture(64, 48, 20 * $n) : "\xff\xd8 this is none";
    close $out;
}

$nginx->start;

my @live = qw(motion program change pictures);

ok live($nginx, $_, 30), "$_ is live" for @live;


# viewers of all of them, which come and go

my $seconds = $ENV{VIDCAST_TSAN_SECONDS} // 10;
my $deadline = deadline($seconds / ($ENV{VIDCAST_TEST_PATIENCE} || 1));
my $turns = 0;

while ($turns == 0 || remaining($deadline)) {
    my $port = $nginx->port;
    my @feeds = map { Vidcast::Stream->open($port, "/drawn_$_") }
                qw(motion program change pictures sleepy);
    my $paired = Vidcast::WebSocket->connect($port, '/paired');
    my $both = Vidcast::WebSocket->connect($port, '/both_program');

    for (1 .. 4) {
        $_->part for @feeds;
        $paired->message('text');
        $both->message('binary');

        request($port, '/publish', method => 'POST', body => picture(64, 48, 9),
                headers => ['Content-Type' => 'image/jpeg']);
        request($port, '/publish', method => 'POST', body => '{"a":1}',
                headers => ['Content-Type' => 'application/json']);
        get($port, '/status');
    }

    undef $_ for @feeds, $paired, $both;

    # what sleeps is woken in the next turn; every second one is a reload, by
    # which one source changes

    wait_for { (source($nginx, 'sleepy')->{state} // '') eq 'sleeping' } 5;

    $nginx->reload(http => config($turns % 4 ? 30 : 25)) if $turns % 2;

    $turns++;
}

ok $turns, "$turns turns";

for my $name (@live) {
    cmp_ok source($nginx, $name)->{frame} // 0, '>', 20, "$name has frames";
}

cmp_ok source($nginx, $_)->{predicted}, '>', 5, "$_ is predicted"
    for qw(motion program change);

cmp_ok source($nginx, 'sleepy')->{opened}, '>=', $turns - 1,
    'the one that sleeps was woken';

for my $output (@{source($nginx, 'motion')->{outputs}},
                @{source($nginx, 'push')->{outputs}})
{
    cmp_ok $output->{frames}, '>', 0, "$output->{uri} has frames";
    cmp_ok $output->{results}, '>', 0, "$output->{uri} has results";
}

$nginx->stop;

is reports(), '', 'no two threads disagree';

done_testing();


sub reports {
    return join '', map { Vidcast::Nginx::slurp($_) } glob "$found/tsan.*";
}


sub config {
    my ($fps) = @_;

    my @names = qw(motion program change pictures sleepy push);

    my $locations = join '', map { <<"CONF" } @names;
    location = /drawn_$_ { vidcast $_ as=mjpeg overlay=on; }
    location = /both_$_  { vidcast $_ send=both; }
CONF

    return <<"CONF";
vidcast_source motion {
    input    test: size=160x120 fps=$fps;
    encoders 3;
    predict  motion;
    output   nats://127.0.0.1/first;
    output   nats://127.0.0.1/second;
}

vidcast_source program {
    input    test: size=128x96 fps=30;
    encoders 2;
    predict  exec ./program.pl workers=2 format=gray8 size=64x48;
}

vidcast_source change {
    input    test: size=96x64 fps=30;
    predict  exec ./program.pl emit=change every=2 format=gray8 size=64x48;
}

vidcast_source pictures {
    input    images:pictures fps=30;
    predict  motion;
}

vidcast_source sleepy {
    input      test: size=64x48 fps=30;
    on_demand  300ms;
    predict    motion;
    output     nats://127.0.0.1/video;
}

vidcast_source push {
    input    push:;
    predict  motion;
    output   nats://127.0.0.1/video;
}

server {
    listen  127.0.0.1:%%PORT%%;

    location = /status   { vidcast_status; }
    location = /publish  { vidcast_publish push; }
    location = /paired   { vidcast motion send=paired; }
$locations
}
CONF
}
