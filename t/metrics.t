# Copyright (C) vidcast contributors

# What monitors read: the text format of Prometheus, whole and true, with the
# numbers that the status has; and one answer to the one question, is all well?

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::Nginx::Socket;
use Vidcast::Blocks;


# what makes the longest texts: names, and reasons that JSON has to escape; the
# program is there, and fails

our @names = map { sprintf '%063d', $_ } 1 .. 20;
our $odd = "\"\\\1" x 80;
our $program = tempdir('vidcast-XXXXXX', TMPDIR => 1, CLEANUP => 1) . "/$odd";

symlink '/bin/false', $program or die "symlink() failed: $!\n";


# the samples, "name{labels}" => value; what is wrong with the text is reported

sub samples {
    my ($text) = @_;

    my (%samples, %type, %ended, @wrong);
    my $family = '';

    for my $line (split /\n/, $text) {

        if (my ($what, $of, $text)
            = $line =~ /^# (HELP|TYPE) (vidcast_\w+) (.+)$/)
        {
            push @wrong, "twice: $line" if $ended{$of};

            if ($what eq 'TYPE') {
                $type{$of} = $text;
                push @wrong, $line if $text !~ /^(?:counter|gauge)$/;
                push @wrong, $line
                    if ($text eq 'counter') != ($of =~ /_total$/ ? 1 : 0);
            }

            $ended{$family} = 1 if $family ne $of;
            $family = $of;
            next;
        }

        my ($name, $labels, $value) = $line =~
            /^(vidcast_\w+)\{(source="[\w.-]+"(?:,\w+="\w+")?)\} (\d+(?:\.\d+)?)$/
            or push @wrong, $line and next;

        push @wrong, "of another family: $line" if $name ne $family;
        push @wrong, "without a type: $line" if !$type{$name};
        push @wrong, "twice: $line" if exists $samples{"$name\{$labels}"};

        $samples{"$name\{$labels}"} = $value;
    }

    Test::More::is(join("\n", @wrong), '', 'the text is as it should be');
    Test::More::like($text, qr/\n\z/, 'and its last line has an end');

    return \%samples;
}


plan tests => repeat_each() * (2 * blocks() + 3);

no_long_string();
run_tests();

__DATA__

=== TEST 1: the numbers of the status
--- http_config
    vidcast_source film {
        input    images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off warmup=1;
        predict  delay time=1ms;
    }
    vidcast_source gate { input test: size=64x48; }
--- config
    location = /metrics { vidcast_status prometheus; }
    location = /sse { vidcast gate as=sse; }
--- pictures
cam/1.jpg 64x48 100
cam/2.jpg 64x48 110
cam/3.jpg 64x48 120
--- live
film ended
gate
--- client
    my $viewer = stream('/sse');

    ok wait_for { source('gate')->{viewers}{sse} == 1 }, 'a viewer';
    ok wait_for { source('film')->{predicted} }, 'a result';

    my $answer = get('/metrics');
    my $film = source('film');
    my $metrics = main::samples($answer->{body});
    my $of = sub { $metrics->{"vidcast_$_[0]"} };

    is $answer->{headers}{'content-type'}, 'text/plain; version=0.0.4',
        'Content-Type';

    is $of->("${_}_total{source=\"film\"}"), $film->{$_}, $_
        for qw(captured published predicted opened lost damaged
               tables_inserted trailing truncated direct);
    is $of->('captured_total{source="film"}'), 2, 'two of three';

    is $of->("dropped_total{source=\"film\",reason=\"$_\"}"),
        $film->{dropped}{$_}, $_ for sort keys %{$film->{dropped}};
    is $of->('dropped_total{source="film",reason="warmup"}'), 1, 'one';

    for my $group (qw(not_shown not_predicted not_delivered)) {
        is $of->("${group}_total{source=\"film\",reason=\"$_\"}"),
            $film->{$group}{$_}, "$group: $_" for sort keys %{$film->{$group}};
    }

    is $of->("delivered_${_}_total{source=\"film\"}"),
        $film->{delivered}{$_}, $_ for sort keys %{$film->{delivered}};

    is $of->('width{source="film"}'), 64, 'width';
    is $of->('fps_asked{source="gate"}'), '30.000', 'a rate';
    is $of->('viewers{source="gate",transport="sse"}'), 1, 'the viewer';
    is $of->('viewers{source="gate",transport="mjpeg"}'), 0, 'no other';
    is $of->('state{source="film",state="ended"}'), 1, 'its state';
    is $of->('state{source="film",state="live"}'), 0, 'and not another';
    is $of->('state{source="gate",state="live"}'), 1, 'the other is live';
    cmp_ok $of->('encode_seconds_total{source="gate"}'), '>', 0, 'seconds';



=== TEST 2: publishers
--- http_config
    vidcast_source door { input push:; }
    vidcast_source gate { input test: size=64x48; }
--- config
    location = /metrics { vidcast_status prometheus; }
    location = /publish { vidcast_publish door; }
--- live
door off
gate
--- client
    my $published = sub {
        my $metrics = main::samples(get('/metrics')->{body});

        is scalar(grep { /^vidcast_publish(?:ers|ed_by)/ && /gate/ }
                  keys %$metrics), 0, 'nothing of what has a camera';

        my @values = map { $metrics->{'vidcast_' . $_ . '{source="door"}'} }
            qw(publishers published_by_taken_total published_by_results_total
               published_by_refused_total published_by_bytes_total);

        return "@values";
    };

    is $published->(), '0 0 0 0 0', 'nobody';

    my $ws = websocket('/publish');

    $ws->send_text('"1"') for 1 .. 3;
    ok wait_for { source('door')->{published_by}{taken} == 3 }, 'all taken';

    is $published->(), '1 3 3 0 9', 'one, and three texts';

    $ws->send_text('{');
    is $ws->closed_with, 1007, 'and what is none';
    ok wait_for { source('door')->{published_by}{publishers} == 0 }, 'left';

    my @now = split ' ', $published->();

    is "@now[0 .. 3]", '0 3 3 1', 'nobody again';
    is $now[4], source('door')->{published_by}{bytes}, 'as in the status';



=== TEST 3: many sources
--- http_config eval
join "\n", map { "vidcast_source s$_ { input test: fps=1; on_demand 1s; }" }
    1 .. 40
--- config
    location = /metrics { vidcast_status prometheus; }
--- live eval
join "\n", map { "s$_ sleeping" } 1 .. 40
--- client
    my $metrics = main::samples(get('/metrics')->{body});

    is scalar(grep { /^vidcast_width\{/ } keys %$metrics), 40, 'all there';
    is scalar(grep { /^vidcast_state\{/ && $metrics->{$_} } keys %$metrics),
        40, 'each in one state';



=== TEST 4: no sources
--- config
    location = /metrics { vidcast_status prometheus; }
    location = /health { vidcast_health; }
    location = /echo { vidcast_echo; }
--- request
GET /metrics
--- response_body



=== TEST 5: POST
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /metrics { vidcast_status prometheus; }
--- request
POST /metrics
--- error_code: 405



=== TEST 6: json, by its name
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /json { vidcast_status json; }
--- request
GET /json
--- response_body_like eval
qr/^\{"v":1,.*"name":"front".*\}\r\n$/



=== TEST 7: all is well
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_source gate { input test: size=64x48; on_demand 1s; }
    vidcast_source door { input push:; }
    vidcast_source film {
        input images:$TEST_NGINX_SERVER_ROOT/html/cam loop=off;
    }
--- config
    location = /health { vidcast_health; }
--- pictures
cam/1.jpg 64x48 100
--- live
front
gate sleeping
film ended
--- client
    ok wait_for { get('/health')->{status} == 200 }, 'status';

    my $answer = get('/health');

    is $answer->{body}, "{\"v\":1,\"status\":\"ok\"}\r\n", 'body';
    is $answer->{headers}{'content-type'}, 'application/json', 'type';
    is $answer->{headers}{'cache-control'}, 'no-cache, no-store', 'not kept';



=== TEST 8: one ails
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_source gone { input v4l2:/dev/video99; }
    vidcast_source lost { input v4l2:/dev/video98; on_demand 1s; }
--- config
    location = /health { vidcast_health; }
--- live
front
gone reconnecting
lost sleeping
--- client
    my $answer = get('/health');

    is $answer->{status}, 503, 'status';

    my $health = JSON::PP::decode_json($answer->{body});

    is $health->{status}, 'unhealthy', 'in a word';
    is join(' ', map { $_->{name} } @{$health->{sources}}), 'gone',
        'which one';
    is $health->{sources}[0]{state}, 'reconnecting', 'its state';
    is $health->{sources}[0]{error}, source('gone')->{error}, 'and why';
    is get('/health', method => 'HEAD')->{status}, 503, 'HEAD';



=== TEST 9: silent
--- http_config
    vidcast_source slow { input test: size=64x48 fps=0.01; stale 100ms; }
--- config
    location = /health { vidcast_health; }
--- live
slow stale
--- request
GET /health
--- error_code: 503
--- response_body_like eval
qr/"name":"slow","error":"no frame for 100 ms","state":"stale"/



=== TEST 10: predictor processes
--- http_config
    vidcast_source good {
        input    test: size=64x48 fps=10;
        predict  exec sed workers=2 -- -u s/.*/1/;
    }
    vidcast_source dead {
        input    test: size=64x48 fps=10;
        predict  exec false;
    }
    vidcast_source none { input test: size=64x48; }
--- config
    location = /metrics { vidcast_status prometheus; }
--- live
good
dead
none
--- client
    ok wait_for { source('good')->{predictor}{answers} > 2 }, 'answers';
    ok wait_for { source('dead')->{predictor}{state} eq 'paused' }, 'deaths';

    my $before = source('good')->{predictor};
    my $metrics = main::samples(get('/metrics')->{body});
    my $dead = source('dead')->{predictor};
    my $of = sub { $metrics->{"vidcast_predictor_$_[0]"} };

    is $of->("${_}_total{source=\"dead\"}"), $dead->{$_}, $_
        for qw(starts deaths timeouts killed answers none bad too_large stray
               logged);
    is $of->('deaths_total{source="dead"}'), 3, 'three times';

    cmp_ok $of->('answers_total{source="good"}'), '>=', $before->{answers},
        'answers';
    is $of->('starts_total{source="good"}'), 2, 'of two';

    is $of->('processes{source="good",state="ready"}'), 2, 'both are ready';
    is $of->('processes{source="good",state="paused"}'), 0, 'and nothing else';
    is $of->('processes{source="dead",state="paused"}'), 1, 'the other is not';
    is $of->('processes{source="dead",state="ready"}'), 0, 'at all';
    is scalar(grep { /predictor_\w+\{source="none"/ } keys %$metrics), 0,
        'one without processes has no numbers of any';
--- error_log
predictor of vidcast source "dead" failed



=== TEST 11: without a predictor, and with one of two
--- http_config
    vidcast_source half {
        input    test: size=64x48 fps=10;
        predict  exec sh workers=2 --
                 -c "test $VIDCAST_WORKER -eq 1 && exit 1; sed -u s/.*/1/";
    }
    vidcast_source dead {
        input    test: size=64x48 fps=10;
        predict  exec false;
    }
    vidcast_source idle {
        input      test: size=64x48;
        on_demand  1s;
        predict    exec false;
    }
--- config
    location = /health { vidcast_health; }
--- live
half
dead
idle sleeping
--- client
    ok wait_for { source('half')->{predictor}{state} eq 'paused' }, 'one';
    ok wait_for { source('half')->{predictor}{answers} }, 'and the other';
    ok wait_for { source('dead')->{predictor}{state} eq 'paused' }, 'dead';

    my $answer = get('/health');

    is $answer->{status}, 503, 'status';

    my $health = JSON::PP::decode_json($answer->{body});

    is join(' ', map { $_->{name} } @{$health->{sources}}), 'dead',
        'what has none ails';
    is $health->{sources}[0]{state}, 'predictor_failed', 'it is said why';
    is $health->{sources}[0]{error}, source('dead')->{predictor}{error},
        'in detail';
    like $health->{sources}[0]{error}, qr/exited with code 1/, 'and truly';
    is source('dead')->{state}, 'live', 'though pictures come';
--- error_log
predictor of vidcast source "dead" failed



=== TEST 12: a predictor that comes back
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=10;
        predict  exec sed pause=10ms -- -u s/.*/1/;
    }
--- config
    location = /health { vidcast_health; }
--- live
front
--- client
    ok wait_for { source('front')->{predictor}{answers} }, 'an answer';
    is get('/health')->{status}, 200, 'all is well';

    my $child = source('front')->{predictor}{processes}[0]{child};

    ok kill('KILL', $child), 'it is killed';
    ok wait_for { source('front')->{predictor}{deaths} }, 'and dead';
    ok wait_for { get('/health')->{status} == 200 }, 'well again';
--- error_log
predictor of vidcast source "front" failed



=== TEST 13: the longest names and reasons, of many sources and processes
--- http_config eval
join "\n", map({ "vidcast_source $_ { input 'images:/no/$main::odd/*.jpg'; }" }
                @main::names), <<"END"
    vidcast_source front {
        input    test: size=64x48 fps=10;
        predict  exec '$main::program' workers=16 pause=1h;
    }
    vidcast_source zones {
        input    test: size=64x48;
        predict  motion @{[map "zone=z$_:0,0,1,0,0.1234,1", 1 .. 16]};
    }
END
--- config
    location = /metrics { vidcast_status prometheus; }
    location = /health { vidcast_health; }
--- live eval
join "\n", 'front', 'zones', map { "$_ reconnecting" } @main::names
--- client
    my $missing = 'opendir() "...' . substr("/no/$main::odd/", -120)
                  . '" failed (2: No such file or directory)';
    my $fails = substr qq("$main::program" exited with code 1), 0, 255;

    ok wait_for {
        16 == grep { $_->{state} eq 'paused' }
              @{source('front')->{predictor}{processes}}
    }, 'all processes have failed';

    my $answer = get('/test-status');
    my @sources = @{decode_json($answer->{body})->{sources}};
    my ($front, $zones) = splice @sources, 20;

    is $answer->{headers}{'content-length'}, length $answer->{body}, 'length';
    is_deeply [ map { $_->{name} } @sources ], \@main::names, 'names';
    is_deeply [ map { $_->{error} } @sources ], [ ($missing) x 20 ],
        'why they have no pictures';
    is_deeply [ map { $_->{error} } @{$front->{predictor}{processes}} ],
        [ ($fails) x 16 ], 'why there are no results';
    is scalar(@{$zones->{zones}}), 16, 'zones';

    my $health = decode_json(get('/health')->{body})->{sources};

    is_deeply [ map { $_->{name} } @$health ], [ @main::names, 'front' ],
        'what ails';
    is_deeply [ map { $_->{error} } @$health ], [ ($missing) x 20, $fails ],
        'and why';

    my $metrics = main::samples(get('/metrics')->{body});

    is $metrics->{"vidcast_state{source=\"$_\",state=\"reconnecting\"}"}, 1,
        'a state' for @main::names;
    is $metrics->{'vidcast_predictor_processes{source="front",state="paused"}'},
        16, 'processes';
--- error_log
predictor of vidcast source "front" failed
