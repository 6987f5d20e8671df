# Copyright (C) vidcast contributors

# The status must explain a black picture: what each source does, where frames
# are lost, what watches.  Programs read it, so names and types are fixed.

use strict;
use warnings;

use List::Util;
use Test::Nginx::Socket;
use Vidcast::Blocks;

plan tests => repeat_each() * (2 * blocks() + 8);

no_long_string();
run_tests();

__DATA__

=== TEST 1: JSON, not to be cached
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /status { vidcast_status; }
--- request
GET /status
--- response_headers
Content-Type: application/json
Cache-Control: no-cache, no-store
--- response_body_like eval
qr/^\{"v":1,.*\}\r\n$/



=== TEST 2: HEAD
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /status { vidcast_status; }
--- request
HEAD /status
--- response_headers_like
Content-Type: application/json
Content-Length: \d{3,}
--- response_body:



=== TEST 3: POST
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /status { vidcast_status; }
--- request
POST /status
hello
--- error_code: 405



=== TEST 4: all fields, of the type that they have
--- http_config
    vidcast_source front {
        input    test: size=160x120 fps=50;
        predict  delay time=1ms;
    }
--- config
    location = /status { vidcast_status; }
--- live
front
--- client
    ok wait_for { source('front')->{result} }, 'there is a result';

    my $text = get('/status')->{body};
    my $status = decode_json($text);

    is join(' ', sort keys %$status), 'generation manager pid sources v',
        'the status';
    is join(' ', sort keys %{$status->{manager}}), 'hung pid restarts',
        'the manager';

    my $source = $status->{sources}[0];

    is join(' ', sort keys %$source), join(' ', qw(
        captured damaged delivered direct dropped encode_ms error fps fps_asked
        fps_predicted frame frame_age grabbed height hung life_age lost name
        not_delivered not_predicted not_shown offered opened pid pins predict_ms
        predicted published result sandbox slots starts state state_age
        tables_inserted
        trailing truncated viewers width workers)), 'a source';

    is join(' ', sort keys %{$source->{dropped}}), join(' ', qw(
        bad_frame encoder_busy encoder_error fps_limit held late no_memory
        overtaken predictor_busy predictor_error ring_full sequence_gap
        too_large unfinished warmup)), 'dropped';
    is join(' ', sort keys %{$source->{not_shown}}), join(' ', qw(
        bad_frame encoder_busy encoder_error fps_limit held late no_memory
        overtaken ring_full sequence_gap too_large unfinished warmup)),
        'not shown';
    is join(' ', sort keys %{$source->{not_predicted}}), join(' ', qw(
        every gone interrupted no_result predictor_busy predictor_error)),
        'not predicted';
    is join(' ', sort keys %{$source->{not_delivered}}),
        'fps left paused slow unacknowledged unpaired', 'not delivered';
    is join(' ', sort keys %{$source->{viewers}}),
        'all mjpeg ndjson snapshot sse websocket', 'viewers';
    is join(' ', sort keys %{$source->{delivered}}), join(' ', qw(
        bytes commands frames frames_cut frames_skipped frames_unpublished no_memory
        refused results results_left results_skipped stalled talkative waits)),
        'delivered';
    is join(' ', sort keys %{$source->{workers}[0]}),
        'exiting generation pid viewers', 'a worker';

    # every value is a number, but for these

    $text =~ s/"(?:name|state|error|sandbox)":"[^"]*"//g;
    $text =~ s/"exiting":(?:true|false)//g;

    unlike $text, qr/:(?!-?\d|[\[{])/, 'numbers';



=== TEST 5: what the values are
--- http_config
    vidcast_source front {
        input    test: size=160x120 fps=50;
        predict  delay time=1ms;
    }
--- config
    location = /status { vidcast_status; }
--- live
front
--- client
    ok wait_for {
        my $source = source('front');
        $source->{fps_predicted} > 0 && $source->{fps} > 0;
    }, 'rates are known';

    my $status = decode_json(get('/status')->{body});
    my $source = $status->{sources}[0];

    is $status->{v}, 1, 'version';
    ok kill(0, $status->{pid}), 'the worker lives';
    ok wait_for {
        my $manager = decode_json(get('/status')->{body})->{manager}{pid};
        $manager && kill 0, $manager;
    }, 'the manager lives';
    ok kill(0, $source->{pid}), 'the capture lives';
    is $status->{manager}{restarts}, 0, 'it did not have to be restarted';
    cmp_ok $status->{generation}, '>=', 1, 'generation';

    is $source->{name}, 'front', 'name';
    is $source->{state}, 'live', 'state';
    is $source->{error}, '', 'no error';
    is $source->{width}, 160, 'width';
    is $source->{height}, 120, 'height';
    is $source->{fps_asked}, 50, 'rate asked';
    cmp_ok $source->{fps}, '<', 60, 'rate';
    is $source->{lost}, 0, 'never lost';
    cmp_ok $source->{opened}, '>=', 1, 'opened';
    cmp_ok $source->{starts}, '>=', 1, 'started';
    cmp_ok $source->{encode_ms}, '>', 0, 'time to encode';
    cmp_ok $source->{predict_ms}, '>=', 1, 'time to predict';
    is $source->{tables_inserted}, 0, 'our JPEGs have their tables';

    # one is read after the other, and the predictor is given raw pictures

    my $later = source('front');

    cmp_ok $later->{captured}, '>=', $source->{published}, 'captured';
    cmp_ok $later->{captured}, '>=', $source->{predicted}, 'predicted';
    is $source->{viewers}{all}, 0, 'nobody watches';

    my ($own) = grep { $_->{pid} == $status->{pid} } @{$source->{workers}};

    is $own->{generation}, $status->{generation}, 'the worker that answers';
    ok !$own->{exiting}, 'stays';



=== TEST 6: numbers rise
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- live
front
--- client
    my $first = source('front');
    my $next;

    for my $name (qw(captured published predicted frame result)) {
        ok wait_for { ($next = source('front'))->{$name} > $first->{$name} },
            $name;
    }



=== TEST 7: viewers by transport
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /ws     { vidcast; }
    location = /both   { vidcast front send=both; }
    location = /sse    { vidcast front as=sse; }
    location = /mjpeg  { vidcast front as=mjpeg; }
    location = /ndjson { vidcast front as=ndjson; }
--- live
front
--- client
    my $viewers = sub { source('front')->{viewers} };
    my %none = (websocket => 0, sse => 0, mjpeg => 0, ndjson => 0,
                snapshot => 0, all => 0);

    wait_for { $viewers->()->{all} == 0 };
    is_deeply $viewers->(), \%none, 'none';

    my @ws = map { websocket($_) } qw(/ws /both /ws);

    $_->json for @ws;
    is_deeply $viewers->(), { %none, websocket => 3, all => 3 }, 'WebSocket';

    my @streams = map { stream($_) } qw(/sse /mjpeg /mjpeg /ndjson);

    is_deeply $viewers->(), { websocket => 3, sse => 1, mjpeg => 2,
        ndjson => 1, snapshot => 0, all => 7 }, 'all';

    my $sum = 0;
    $sum += $_->{viewers} for @{source('front')->{workers}};
    is $sum, 7, 'of the workers';

    $_->close for @ws, @streams;
    ok wait_for { $viewers->()->{all} == 0 }, 'they left';
    is_deeply $viewers->(), \%none, 'none again';



=== TEST 8: a HEAD request is no viewer, nor is a refused one
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /mjpeg { vidcast front as=mjpeg; }
    location = /ws    { vidcast front; }
--- live
front
--- client
    wait_for { source('front')->{viewers}{all} == 0 };

    my $head = get('/mjpeg', method => 'HEAD');
    my $ws = websocket('/ws', origin => 'http://elsewhere.example');

    is $head->{status}, 200, 'HEAD';
    is $ws->status, 403, 'refused';
    is source('front')->{viewers}{all}, 0, 'no viewer';
--- error_log
origin "http://elsewhere.example" is not allowed



=== TEST 9: what was delivered
--- http_config
    vidcast_source front { input test: size=64x48; predict delay time=0; }
--- config
    location = /both { vidcast front send=both; }
--- live
front
--- client
    wait_for { source('front')->{viewers}{all} == 0 };

    my $before = source('front')->{delivered};
    my $ws = websocket('/both');
    my %got;

    while (!$got{text} || !$got{binary}) {
        my $message = $ws->message('text', 'binary') or last;

        $got{$message->{type}}++;
        $got{bytes} += length $message->{data};
    }

    my $after = sub { source('front')->{delivered}{$_[0]} - $before->{$_[0]} };

    cmp_ok $after->('frames'), '>=', $got{binary}, 'frames';
    cmp_ok $after->('results'), '>=', $got{text}, 'results';
    ok wait_for { $after->('bytes') >= $got{bytes} },
        'bytes, while the viewer is there';

    $ws->close;
    wait_for { source('front')->{viewers}{all} == 0 };

    my $bytes = $after->('bytes');

    cmp_ok $bytes, '>=', $got{bytes}, 'bytes, when it has left';
    is $after->('bytes'), $bytes, 'all of them';



=== TEST 10: a missing device
--- http_config
    vidcast_source missing { input v4l2:/dev/video99; }
--- live
missing reconnecting
--- client
    my $source = source('missing');

    is $source->{error}, 'no such device', 'the reason in words';
    is $source->{frame}, 0, 'no frame';
    is $source->{width}, 0, 'no width';
    is $source->{fps}, 0, 'no rate';
    ok kill(0, $source->{pid}), 'the capture process lives';
    is $source->{opened}, 0, 'never opened';
    is $source->{lost}, 0, 'and so never lost';
--- error_log
[crit]
vidcast source "missing" is reconnecting: no such device



=== TEST 11: a missing folder, with a name that JSON must escape
--- http_config
    vidcast_source folder { input 'images:/no/"such"\folder/*.jpg'; }
--- live
folder reconnecting
--- client
    is source('folder')->{error}, 'opendir() "/no/"such"\folder/" failed'
        . ' (2: No such file or directory)', 'the reason in words';
--- error_log
[crit]
is reconnecting: opendir() "/no/"such"\x5Cfolder/" failed (2: No such file



=== TEST 12: a source that has ended
--- http_config
    vidcast_source short {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off fps=50;
    }
--- pictures
cam/1.jpg 64x48 100
cam/2.jpg 64x48 110
cam/3.jpg 80x48 120
--- live
short ended
--- client
    my $source = source('short');

    is $source->{published}, 3, 'its pictures';
    is $source->{width}, 80, 'the width of the last one';
    is $source->{error}, '', 'no error';
--- error_log
vidcast source "short" is ended



=== TEST 13: frames that are none
--- http_config
    vidcast_source broken { input images:$TEST_NGINX_SERVER_ROOT/html/bad; }
--- user_files
>>> bad/1.jpg
not a JPEG at all
--- client
    ok wait_for { (source('broken') // {})->{dropped}{bad_frame} }, 'counted';
    is source('broken')->{published}, 0, 'not published';
--- error_log
vidcast source "broken" gave a bad frame: text, not a JPEG: "



=== TEST 14: frames that were lost before anybody had them
--- http_config
    vidcast_source fast { input test: size=1920x1080 fps=1000; }
--- config
    location = /metrics { vidcast_status prometheus; }
--- live
fast
--- client
    ok wait_for { source('fast')->{not_shown}{late} }, 'counted';
    like get('/metrics')->{body},
        qr/^vidcast_not_shown_total\{source="fast",reason="late"\} [1-9]/m,
        'in the metrics, too';



=== TEST 15: a source that gives nothing is stale
--- http_config
    vidcast_source slow {
        input  images:$TEST_NGINX_SERVER_ROOT/html/cam fps=0.2;
        stale  200ms;
    }
--- pictures
cam/1.jpg 64x48 100
--- live
slow stale
--- client
    my $source = source('slow');

    like $source->{error}, qr/^no frame for \d+ ms$/, 'the reason in words';
    is $source->{frame}, 1, 'the last frame is kept';
--- error_log eval
qr/\[crit\] .*vidcast source "slow" is stale: no frame for \d+ ms/



=== TEST 16: skipped by a slow predictor
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=100;
        predict  delay time=200ms;
    }
--- live
front
--- client
    ok wait_for { source('front')->{dropped}{predictor_busy} }, 'counted';
    ok wait_for { source('front')->{predict_ms} >= 200 }, 'its time';
    cmp_ok source('front')->{published}, '>', source('front')->{predicted},
        'pictures did not wait';



=== TEST 17: each frame has one end
--- http_config
    vidcast_source film {
        input    images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off realtime=off
                 warmup=1;
        predict  delay time=1ms every=2;
        frames   12 4k;
    }
    vidcast_source fast {
        input    images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off fps=100;
        predict  delay time=40ms;
        frames   12 4k;
    }
--- user_files eval
[
    (map { [ "cam/$_.jpg", Vidcast::Picture::picture(64, 48, 100 + $_) ] }
     1, 2, 4, 6 .. 9),
    [ 'cam/3.jpg', Vidcast::Picture::picture(1280, 960, 100) ],
    [ 'cam/5.jpg', 'not a JPEG at all' ],
]
--- live
film ended
fast ended
--- client
    for my $name (qw(film fast)) {
        my $source = source($name);
        my $shown = $source->{not_shown};
        my $predicted = $source->{not_predicted};

        is List::Util::sum0($source->{published}, values %$shown),
            $source->{grabbed},
            "$name: each is published, or has its reason";
        is List::Util::sum0($source->{captured},
                            @{$shown}{qw(bad_frame warmup)}),
            $source->{grabbed}, "$name: of these, some have a number";
        is List::Util::sum0($source->{predicted}, values %$predicted),
            $source->{offered}, "$name: each is predicted, or has its reason";
        is $source->{offered}, $source->{published}, "$name: all are offered";
        is $shown->{too_large}, 1, "$name: the large one";
        cmp_ok $shown->{bad_frame}, '>=', 1, "$name: the bad one";

        is_deeply $source->{dropped},
            { %$shown, map { $_ => $predicted->{$_} }
                       qw(predictor_busy predictor_error) },
            "$name: some have older names, too";
    }

    is source('film')->{not_shown}{warmup}, 1, 'the first one';
    is source('film')->{not_predicted}{every}, 3, 'every other one';
    cmp_ok source('fast')->{not_predicted}{predictor_busy}, '>=', 1,
        'the predictor is slow';
--- error_log
a frame of vidcast source "film" is larger than 4096 bytes



=== TEST 18: several sources in the order of the configuration
--- http_config
    vidcast_source one   { input test: size=64x48; }
    vidcast_source two   { input test: size=80x48; }
    vidcast_source three { input test: size=96x48; }
--- config
    location = /status { vidcast_status; }
--- live
one
two
three
--- client
    my $sources = decode_json(get('/status')->{body})->{sources};

    is join(' ', map { $_->{name} } @$sources), 'one two three', 'names';
    is join(' ', map { $_->{width} } @$sources), '64 80 96', 'widths';

    my %pids = map { $_->{pid} => 1 } @$sources;

    is scalar(keys %pids), 3, 'a process each';



=== TEST 19: a capture that hangs is not what it last said of itself
--- http_config
    vidcast_source front { input test: size=64x48 fps=20; stale 500ms; }
--- config
    location = /metrics  { vidcast_status prometheus; }
    location = /health   { vidcast_health; }
    location = /snapshot {
        vidcast front as=snapshot;
        vidcast_snapshot_timeout 200ms;
    }
--- live
front
--- client
    ok wait_for { source('front')->{fps} > 0 }, 'it has a rate';
    is get('/snapshot')->{status}, 200, 'a picture';

    my $pid = source('front')->{pid};

    kill 'STOP', $pid;

    my $stale = wait_for { source('front')->{state} eq 'stale' };
    my $source = source('front');
    my $metrics = get('/metrics')->{body};
    my $health = get('/health');
    my $snapshot = get('/snapshot');

    kill 'CONT', $pid;

    ok $stale, 'it is stopped: stale';
    is $source->{pid}, $pid, 'the process is there';
    is $source->{error}, 'no frame for 500 ms', 'the reason';
    is $source->{fps}, 0, 'no frame comes';
    cmp_ok $source->{state_age}, '<', 60, 'since a moment';
    is $health->{status}, 503, 'it ails';
    is decode_json($health->{body})->{sources}[0]{error},
        'no frame for 500 ms', 'for the same reason';
    like $metrics, qr/^vidcast_state\{source="front",state="stale"\} 1$/m,
        'the metrics say so';
    like $metrics, qr/^vidcast_state\{source="front",state="live"\} 0$/m,
        'and nothing else';
    like $metrics, qr/^vidcast_fps\{source="front"\} 0\.000$/m,
        'with no rate';
    is $snapshot->{status}, 503, 'an old picture is none';

    ok wait_for { source('front')->{state} eq 'live' }, 'it goes on: live';
    is get('/snapshot')->{status}, 200, 'a picture again';
    ok wait_for { source('front')->{fps} > 0 }, 'and a rate';



=== TEST 20: the last picture of a slow source, of a film, of a publisher
--- http_config
    vidcast_source slow { input test: size=64x48 fps=0.1; stale 100ms; }
    vidcast_source film {
        input  images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
        stale  100ms;
    }
    vidcast_source door { input push:; stale 100ms; }
--- config
    location = /slow { vidcast slow as=snapshot; vidcast_snapshot_timeout 0; }
    location = /film { vidcast film as=snapshot; vidcast_snapshot_timeout 0; }
    location = /door { vidcast door as=snapshot; vidcast_snapshot_timeout 0; }
    location = /publish { vidcast_publish door; }
--- pictures
cam/1.jpg 64x48 100
--- live
slow stale
film ended
--- client
    my $post = request('/publish', method => 'POST',
                       body => picture(64, 48, 100));

    ok wait_for { source('door')->{state} =~ /stale|off/ },
        'nobody publishes any more';

    is get("/$_")->{status}, 200, $_ for qw(slow film door);
