#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Predictors which are plugins: the sample, boxes mapped back to the frame,
# and one that crashes, hangs, leaks, leaves or lies.  Whatever it does, the
# video goes on at its full rate, and the viewers are told.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

# what crashes here is to crash as ever; and no sanitizer lives in so little

my $asan = ($ENV{VIDCAST_MODE} // '') eq 'asan';

$ENV{ASAN_OPTIONS} .= ':handle_segv=0:handle_abort=0' if $asan;

my $root = "$FindBin::Bin/..";


# what it does is its first argument

my $code = <<'C';
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vidcast_plugin.h>

static const vidcast_context_t  *given;
static vidcast_detection_t       box;
static vidcast_keypoint_t        points[4];
static char                      text[100000];

static int
check(const vidcast_context_t *context, char *error)
{
    const vidcast_param_t  *p;

#if (UNRESOLVED)
    extern int is_nowhere(void);

    is_nowhere();
#endif

#if (LEAVES)
    _exit(9);
#endif

    for (p = context->params; p->name; p++) {
        if (strcmp(p->name, "crash") == 0) {
            abort();
        }

        if (strcmp(p->name, "slow") == 0) {
            sleep(60);
            continue;
        }

        if (strcmp(p->name, "doubt") == 0) {
            snprintf(text, sizeof(text), "%s, of %zu bytes", p->value,
                     context->result_size);
            context->log(context->host, VIDCAST_LOG_WARN, text);
            continue;
        }

        if (strcmp(p->name, "value") != 0) {
            snprintf(error, VIDCAST_ERROR_LEN, "what is %s?", p->name);
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}

static void *
open_it(const vidcast_context_t *context, vidcast_want_t *want, char *error)
{
    given = context;

    if (strcmp(context->argument, "unopened") == 0) {
        snprintf(error, VIDCAST_ERROR_LEN, "it does not open");
        return NULL;
    }

    want->format = VIDCAST_GRAY8;
    want->fit = VIDCAST_FIT_LETTERBOX;
    want->width = 100;
    want->height = 100;

    return text;
}

/* hangs, and writes to its mailbox for ever that it just got the frame */

static void
forges(void)
{
    char             line[1000];
    FILE            *maps;
    unsigned long    start;
    struct timespec  ts;

    maps = fopen("/proc/self/maps", "r");

    while (fgets(line, sizeof(line), maps)) {
        if (strstr(line, "memfd:vidcast mailbox")) {
            break;
        }
    }

    if (sscanf(line, "%lx-", &start) != 1) {
        return;
    }

    given->log(given->host, VIDCAST_LOG_NOTICE, "it begins to forge");

    for ( ;; ) {
        clock_gettime(CLOCK_MONOTONIC, &ts);
        ((volatile uint64_t *) start)[1] = ts.tv_sec * 1000000ull
                                           + ts.tv_nsec / 1000;
        usleep(1000);
    }
}

static int
predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    const char  *does = given->argument;

    if (strcmp(does, "poison") == 0 && sample->frame % 25 == 0) {
        *(volatile int *) NULL = 0;
    }

    if (strcmp(does, "hang") == 0 && sample->frame % 25 == 0) {
        for ( ;; ) {
            sleep(1);
        }
    }

    if (strcmp(does, "forges") == 0 && sample->frame % 25 == 0) {
        forges();
    }

    if (strcmp(does, "leak") == 0) {
        char  *p = malloc(8 << 20);

        if (p == NULL) {
            snprintf(error, VIDCAST_ERROR_LEN, "no memory is left");
            return VIDCAST_ERROR;
        }

        memset(p, 1, 8 << 20);
    }

    if (strcmp(does, "exit") == 0 && sample->frame % 25 == 0) {
        _exit(7);
    }

    if (strcmp(does, "again") == 0) {
        snprintf(error, VIDCAST_ERROR_LEN, "it is too dark");
        return sample->frame % 2 ? VIDCAST_AGAIN : VIDCAST_BAD;
    }

    if (strcmp(does, "large") == 0) {
        memset(text, ' ', sizeof(text));
        memset(text, '1', 50000);
        answer->json = text;
        answer->json_size = 50000;
        return VIDCAST_OK;
    }

    if (strcmp(does, "lies") == 0) {
        answer->json = "{\"a\": nothing}";
        answer->json_size = 14;
        return VIDCAST_OK;
    }

    /* the middle of the picture */

    box.x = 40;
    box.y = 40;
    box.width = 20;
    box.height = 20;
    box.score = .5;
    box.track = 7;
    box.label = "a \"label\"";

    /* its corner, one outside, one that is not known, one without a score */

    points[0].x = 40;
    points[0].y = 40;
    points[0].score = .25;
    points[1].x = -10;
    points[1].y = 60;
    points[1].score = 1;
    points[2].x = NAN;
    points[3].x = 50;
    points[3].y = 50;
    points[3].score = -1;

    box.keypoints = points;
    box.nkeypoints = 4;
    box.keypoint_size = sizeof(vidcast_keypoint_t);

    if (strcmp(does, "points") == 0) {
        box.nkeypoints = VIDCAST_KEYPOINTS_MAX + 1;
    }

    answer->detections = &box;
    answer->ndetections = 1;
    answer->detection_size = sizeof(vidcast_detection_t);

#if (OLD)
    answer->detection_size = offsetof(vidcast_detection_t, keypoints);
#endif

    answer->json = "{ \"more\":\r\n [1]\n} ";
    answer->json_size = strlen(answer->json);

    return VIDCAST_OK;
}

static void
close_it(void *instance)
{
    given->log(given->host, VIDCAST_LOG_NOTICE, "the plugin was closed");
}

static const vidcast_predictor_table_t  table = {
#if (NOTHING)
    sizeof(table), check, open_it
#else
    sizeof(table), check, open_it, predict, close_it
#endif
};

static const vidcast_plugin_t  plugin = {
    sizeof(plugin), ABI, "test", NULL, &table
};

const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &plugin;
}
C


sub build {
    my ($nginx, $name, $file, @options) = @_;

    my $so = $nginx->prefix . "/$name.so";

    system('gcc', '-O1', '-fPIC', '-shared', '-Wall', "-I$root/src", @options,
           '-o', $so, $file) == 0 or die "gcc failed\n";
    chmod 0755, $so;
}


my @names = qw(sample boxes old points poison hang forges leak exit again large
               lies victim);

@names = grep { $_ ne 'leak' } @names if $asan;

# valgrind knows no pidfd_open(), by which they are killed, and reports what
# they do; the others take their time

my $valgrind = ($ENV{VIDCAST_MODE} // '') eq 'valgrind';

@names = grep { !/^(?:poison|hang|forges|leak|exit)$/ } @names if $valgrind;

# what gets stuck is found soon, at the first frame, too; the others have time,
# however busy all is

my %more = (
    hang   => 'timeout=300ms start=1s pause=1s',
    forges => 'timeout=300ms start=1s pause=1s',
    victim => 'timeout=300ms start=1s pause=100ms',
);

my %limits = map {
    $_ => $valgrind ? 'timeout=20s' : 'memory=64m ' . ($more{$_} // 'pause=1s')
} @names;

my $sources = join '', map {
    my $predict = $_ eq 'sample' ? 'brightness.so above=10'
                : $_ eq 'old' ? 'old.so old' : "test.so $_";

    <<"CONF" } @names;
vidcast_source $_ {
    input    test: size=320x240 fps=20 noise=0;
    encoders 1;
    predict  plugin $predict $limits{$_};
}
CONF

my $nginx = Vidcast::Nginx->new(workers => 1, http => <<"CONF");
$sources
server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations(@names)]}
}
CONF

my $file = $nginx->prefix . '/test.c';

open my $fh, '>', $file or die "$file: $!\n";
print $fh $code;
close $fh;

build($nginx, 'test', $file, '-DABI=VIDCAST_ABI', '-lm');
build($nginx, 'old', $file, '-DABI=VIDCAST_ABI', '-DOLD', '-lm');
build($nginx, 'newer', $file, '-DABI=VIDCAST_ABI+1', '-lm');
build($nginx, 'unresolved', $file, '-DABI=VIDCAST_ABI', '-DUNRESOLVED');
build($nginx, 'empty', $file, '-DABI=VIDCAST_ABI', '-DNOTHING',
      '-Wno-unused-function');
build($nginx, 'leaves', $file, '-DABI=VIDCAST_ABI', '-DLEAVES');
build($nginx, 'brightness', "$root/conf/predictors/brightness.c", '-Wextra',
      '-Wno-unused-parameter', '-Werror');


# what nginx -t says

my $good = $nginx->{http};

for (["$$nginx{prefix}/none.so", qr/none\.so": No such file/],
     ['newer.so', qr/newer\.so" has ABI 3, wanted 2/],
     ['unresolved.so', qr/undefined symbol: is_nowhere/],
     ['empty.so', qr/empty\.so" is incomplete: no check, open, predict or close/],
     ['leaves.so', qr/the check left with exit code 9/],
     ['nginx.conf', qr/nginx\.conf/],
     ['test.so a other=1', qr/what is other\?/],
     $valgrind ? ()
               : ['test.so a crash=1', qr/the check crashed: signal 6/],
     ['test.so a slow=1 start=400ms', qr/the check took longer than 400ms/],
     ['test.so a b', qr/invalid parameter "b"/],
     ['brightness.so above=300', qr/what is "above=300"\?/])
{
    my ($predict, $reason) = @$_;

    $nginx->{http}
        = "vidcast_source a { input test:; predict plugin $predict; }\n";

    my ($accepted, $text) = $nginx->test_config;

    ok !$accepted, "plugin $predict is refused";
    like $text, $reason, 'and it is said why';
    like $text, qr/nginx\.conf:\d+/, 'and where';
}

# what it only has its doubts about

{
    $nginx->{http} = 'vidcast_source a { input test:; results 16 5k; '
                     . "predict plugin test.so a doubt=perhaps; }\n";

    my ($accepted, $text) = $nginx->test_config;

    ok $accepted, 'a plugin with a doubt is accepted';
    like $text, qr{\[warn\]\ predictor\ "plugin":\ perhaps,\ of\ 5120\ bytes
                   \ in\ \S+/nginx\.conf:\d+$}mx, 'which is told';
}

$nginx->{http} = $good;
$nginx->start;

ok live($nginx, $_), "$_ is live" for @names;


sub results {
    my ($name, $wanted) = @_;

    my $ws = Vidcast::WebSocket->connect($nginx->port, "/ws_$name");
    my @results;

    while (@results < 1000) {
        my $message = $ws->message('text') // last;

        push @results, decode_json($message->{data});

        last if $wanted->($results[-1], scalar @results);
    }

    return @results;
}


sub predictor {
    return source($nginx, $_[0])->{predictor} // {};
}


# captured and not published, though the encoder had time for it

sub missing {
    my ($source) = @_;

    return $source->{captured} - $source->{frame}
           - $source->{dropped}{encoder_busy};
}


# the sample

my ($first) = results('sample', sub { 1 });

is $first->{status}, 'ok', 'the sample works';
cmp_ok $first->{result}{brightness}, '>', 10, 'it is bright';
is $first->{result}{detections}[0]{label}, 'bright', 'and where';

my ($x, $y, $w, $h) = @{$first->{result}{detections}[0]{bbox}};

ok $x >= 0 && $y >= 0 && $x + $w <= 320 && $y + $h <= 240, 'in the frame';

my ($px, $py, $score) = @{$first->{result}{detections}[0]{keypoints}[0]};

ok $px >= $x && $py >= $y && $px < $x + $w && $py < $y + $h
   && $score > 10 / 255 && $score <= 1, 'and in the box the brightest point';


# 320x240 in 100x100 is 100x75, with 12 rows above (even)

($first) = results('boxes', sub { 1 });

is_deeply $first->{result}, {
    more => [1],
    detections => [{ label => 'a "label"', score => .5, track_id => 7,
                     bbox => [128, 90, 64, 64],
                     keypoints => [[128, 90, .25], [-32, 154, 1], undef,
                                   [160, 122]] }],
}, 'JSON and boxes together, with key points, in pixels of the frame';

($first) = results('old', sub { 1 });

is_deeply $first->{result}, {
    more => [1],
    detections => [{ label => 'a "label"', score => .5, track_id => 7,
                     bbox => [128, 90, 64, 64] }],
}, 'a plugin from before there were key points has none';


# one that has no results, and what has none that can be used

ok wait_for { predictor('again')->{none} > 5 && predictor('again')->{bad} > 2 },
    'no result, and bad frames';
is predictor('again')->{error}, 'it is too dark', 'and it is said why';
is source($nginx, 'again')->{result}, 0, 'of them no viewer hears';

($first) = results('large', sub { 1 });
is $first->{status}, 'result_too_large', 'a large result';
($first) = results('lies', sub { 1 });
is $first->{status}, 'bad_result', 'a result that is none';
like $first->{error}, qr/not JSON/, 'why';
($first) = results('points', sub { 1 });
is $first->{status}, 'bad_result', 'more key points than there may be';
like $first->{error}, qr/has 513 key points, 512 are the most/, 'why';
is predictor($_)->{deaths}, 0, "$_: it lives" for qw(again large lies points);


# a poison frame, and its like: of the video nothing is lost

my %reason = (
    poison => qr/exited on signal 11/,
    hang   => qr/no (?:first )?answer within/,
    exit   => qr/exited with code 7/,
    leak   => qr/no memory is left/,
);

for my $name (grep { $reason{$_} } sort @names) {
    my ($pid, $before) = (capture_pid($nginx, $name), source($nginx, $name));

    my @all = results($name, sub {
        $_[0]{status} eq 'predictor_failed' && $_[1] > 60;
    });
    my @failed = grep { $_->{status} eq 'predictor_failed' } @all;

    ok scalar(@failed), "$name: viewers are told";
    like $failed[-1]{error}, $reason{$name}, 'why';

    # with each frame, or they would miss the video: there is a gap at a death,
    # before it is seen, and where the machine is too slow

    my $gaps = 0;

    for my $n (1 .. $#all) {
        $gaps++ if $all[$n]{frame} != $all[$n - 1]{frame} + 1
                   && $all[$n]{status} eq 'predictor_failed'
                   && $all[$n - 1]{status} eq 'predictor_failed';
    }

    my $now = source($nginx, $name);
    my %passed = map { $_ => $now->{$_} - $before->{$_} } qw(frame published);

    cmp_ok $gaps, '<=', $now->{predictor}{deaths} + @failed / 5
                        + $passed{frame} - $passed{published},
        'with each frame';

    ok wait_for(sub { predictor($name)->{deaths} >= 3 }, 30), 'deaths counted';
    ok $nginx->wait_log(qr/"$name" failed: .* paused for 1000 ms/, 30),
        'it is paused' if $name ne 'leak';

    ok wait_for { predictor($name)->{state} eq 'paused' }, 'and said to be'
        if $name eq 'poison';

    my $after = source($nginx, $name);

    is capture_pid($nginx, $name), $pid, 'the capture is the same';
    is $after->{state}, 'live', 'the video is live';
    ok wait_for {
        abs(missing(source($nginx, $name)) - missing($before)) <= 4;
    }, 'no frame was lost, but some are on their way';
    is $after->{dropped}{ring_full}, 0, 'for want of a slot';

    my ($again) = (results($name, sub { $_[0]{status} eq 'ok' }))[-1];

    is $again->{status}, 'ok', 'it comes back by itself';
}

if (!$valgrind) {
    cmp_ok predictor('hang')->{timeouts}, '>=', 3, 'timeouts are counted';
    cmp_ok predictor('hang')->{killed}, '>=', 3, 'kills too';
}

# one that lies about its time has some more, and no more

if (!$valgrind) {
    my ($forger) = $nginx->wait_log(qr/ \d+#\d+: .*"forges": it begins to forge/) =~ / (\d+)#/;

    ok $forger, 'forges: it begins';
    ok wait_for(sub { !kill 0, $forger }, 20), 'and is killed for it';
    like $nginx->wait_log(qr/"forges" failed: .*/, 20) // '', qr/no (?:first )?answer within/,
        'which is said';

    my $predicted = source($nginx, 'forges')->{predicted};

    ok wait_for { source($nginx, 'forges')->{predicted} > $predicted }, 'another one predicts';
}

# killed, and stopped

my ($manager) = $nginx->processes('manager');
my $capture = capture_pid($nginx, 'victim');
my %before = map { $_ => open_files($nginx, $_, 1) }
    $manager->{pid}, $capture;

for my $round ($valgrind ? () : 1 .. 20) {
    my $signal = $round % 2 ? 'KILL' : 'STOP';
    my $old;

    ok wait_for { ($old) = $nginx->processes('predictor', 'victim') },
        "round $round: there is a process";

    $nginx->signal($signal, $old->{pid});

    ok &wait_for(sub {
        my ($new) = $nginx->processes('predictor', 'victim');

        $new && $new->{pid} != $old->{pid};
    }, 20), "$signal: there is another one";
}

is capture_pid($nginx, 'victim'), $capture, 'the capture is still the same';
is source($nginx, 'victim')->{dropped}{ring_full}, 0, 'no frame was lost';

($first) = (results('victim', sub { $_[0]{status} eq 'ok' }))[-1];
is $first->{status}, 'ok', 'results are good again';

is open_files($nginx, $_, 1), $before{$_}, 'no descriptor was lost'
    for sort keys %before;

ok wait_for {
    !grep { Vidcast::Nginx::slurp($_) =~ /\) Z $manager->{pid} / }
        glob '/proc/[0-9]*/stat';
}, 'no zombie is left';


push @{$nginx->{allow}}, qr/exited on signal (?:9|11)/,
    qr/invalid (?:predictor|parameter)/;

$nginx->stop('QUIT');

done_testing;
