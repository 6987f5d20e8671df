#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What a source has goes on by its outputs, whose plugins are code on a library
# of others: what they are given must be what viewers get, and whatever becomes
# of one, as it waits, fails, hangs or is killed, the video goes on, and the
# status says so.  A plugin of this test stands where that of NATS does: it
# writes what it gets to a file, and does what another file tells it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::OutputPlugin;
use Vidcast::Stream;
use Vidcast::Wait;

Vidcast::Nginx->plan;

my ($module) = grep { m{/ngx_http_vidcast} } Vidcast::Nginx->modules;

plan skip_all => 'the module is linked with nginx' if !$module;

my $camera = 'test: size=64x48 fps=20';

my %sources = (
    cam  => "input $camera; predict delay time=1ms; results 64 4k;"
        . ' output nats://me:secret@127.0.0.1,[::1]:4222/video creds=tmp/creds;'
        . ' output nats://127.0.0.1/second.video send=frames tls=off;',
    rare => "input $camera; on_demand 300ms; output nats://127.0.0.1/video;",
    texts => 'input push:; output nats://127.0.0.1/video send=results;',
);

my $nginx = Vidcast::Nginx->new(workers => 2, http => http());
my $prefix = $nginx->prefix;

output_plugin($nginx);

spill("$prefix/tmp/creds", "secret\n");
chmod 0644, "$prefix/tmp/creds";

$nginx->start;

my $port = $nginx->port;

given_on();
told();
waits();
doubts();
fails();
hangs();
wanted();
killed();
reloads();
leaves();

like $nginx->error_log, qr/it opens/, 'it can say something';
unlike $nginx->error_log, qr/secret/, 'no secret is in the log';

$nginx->stop;

texts();
configurations();

done_testing;


sub http {
    my (%change) = @_;

    my %all = (%sources, %change);

    return join("\n", map { "vidcast_source $_ { $all{$_} }" } sort keys %all)
        . "\nserver {\n    listen 127.0.0.1:%%PORT%%;\n"
        . locations(sort keys %all)
        . "location = /metrics { vidcast_status prometheus; }\n"
        . "location = /publish { vidcast_publish texts; }\n}\n";
}


sub spill {
    my ($file, $text) = @_;

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";
}


# the plugin of this output is to do that, from its next run on

sub order {
    my ($name, $word) = @_;

    spill("$prefix/tmp/$name.do.new", "$word\n");
    chmod 0644, "$prefix/tmp/$name.do.new";
    rename "$prefix/tmp/$name.do.new", "$prefix/tmp/$name.do"
        or die "rename: $!\n";
}


sub countermand {
    my ($name) = @_;

    unlink "$prefix/tmp/$name.do" or die "unlink: $!\n";
}


# what it was given, by the first words

sub given {
    my ($name, $kind) = @_;

    return map { [ split / /, $_, 4 ] } grep { /^$kind / }
        Vidcast::Nginx::slurp("$prefix/tmp/$name") =~ /^(.*)\n/gm;
}


sub output {
    my ($name, $n) = @_;

    return source($nginx, $name)->{outputs}[$n // 0];
}


sub is_state {
    my ($state, $error, $name, $what, $seconds) = @_;

    my $now;

    ok &wait_for(sub {
        $now = output($name);
        $now->{state} eq $state && $now->{error} eq $error;
    }, $seconds), $what
        or diag "it is $now->{state}: $now->{error}";
}


sub soon (&$;$) {
    my ($condition, $what, $seconds) = @_;

    return ok &wait_for($condition, $seconds), $what;
}


sub given_on {
    ok live($nginx, 'cam'), 'the source is live';

    soon { given('cam', 'frame') >= 10 && given('cam', 'result') >= 10 }
        'it gives on frames and results';

    my ($state) = grep { $_->[1] eq 'live' } given('cam', 'state');
    my @frames = given('cam', 'frame');
    my %seen = map { $_->{seq} => $_ } history($nginx, 'cam', 10);
    my $epoch = (values %seen)[0]{epoch};

    is $state->[2], '""', 'state: of a live source there is no reason';

    is_deeply [ map { $_->[1] } @frames ],
        [ sort { $a <=> $b } map { $_->[1] } @frames ], 'frames: newer ones only';
    is scalar(grep { $_->[2] ne $epoch } @frames), 0,
        'frames: of the epoch that viewers know';
    is scalar(grep { $_->[3] !~ /^\d{16} 64x48 \d+ ffd8ffd9$/ } @frames), 0,
        'frames: whole pictures' or diag $frames[0][3];

    soon {
        my %given = map { $_->[1] => $_ } given('cam', 'result');

        keys %seen == grep { $given{$_} } keys %seen;
    } 'results: all that viewers got';

    my @results = given('cam', 'result');
    my %given = map { $_->[1] => $_ } @results;

    is_deeply { map { $_ => decode_json($given{$_}[3]) } keys %seen }, \%seen,
        'results: as they got them';
    is $results[-1][1] - $results[0][1], $#results, 'results: without a gap';

    soon { given('cam.2', 'frame') >= 3 } 'the second output has its own';
}


sub told {
    my ($first, $second) = map { output('cam', $_) } 0, 1;

    is $first->{uri}, 'nats://***@127.0.0.1,[::1]:4222/video',
        'status: the URI without its secrets';
    is $second->{uri}, 'nats://127.0.0.1/second.video', 'status: and the other one';
    is "$first->{state} $first->{error}", 'live ', 'status: it is live';
    is $first->{readers}, 3, 'status: readers';
    cmp_ok $first->{$_}, '>', 0, "status: $_" for qw(frames results bytes);
    is $first->{$_}, 0, "status: no $_" for qw(too_large lost reconnects);

    ok !exists source($nginx, 'cam')->{outputs}[2], 'status: no more of them';

    my $metrics = get($port, '/metrics')->{body};
    my $labels = 'source="cam",output="nats://***@127.0.0.1,[::1]:4222/video"';

    like $metrics, qr/^vidcast_output_frames_total\{\Q$labels\E\} [1-9]/m,
        'metrics: frames';
    like $metrics, qr/^vidcast_output_readers\{\Q$labels\E\} 3$/m,
        'metrics: readers';
    like $metrics, qr/^vidcast_output_state\{\Q$labels\E,state="live"\} 1$/m,
        'metrics: the state';
    like $metrics, qr/^vidcast_output_state\{\Q$labels\E,state="hung"\} 0$/m,
        'metrics: and the others';

    is source($nginx, 'cam')->{sandbox}, source($nginx, 'texts')->{sandbox},
        'status: the sandbox is as full as that of others';
}


sub waits {
    order('cam', 'wait');

    is_state('waiting', 'nobody answers', 'cam', 'it waits, and says why');
    ok $nginx->wait_log(qr/\[error\] .*"\Qnats:\/\/***\E\@.*" of vidcast source "cam" is waiting: nobody answers/),
        'so does the log';
    is output('cam', 1)->{state}, 'live', 'the other one does not';

    my $before = source($nginx, 'cam')->{published};

    soon { source($nginx, 'cam')->{published} > $before + 3 }
        'the video goes on';

    countermand('cam');
    is_state('live', '', 'cam', 'it is live again');

    my @results = given('cam', 'result');

    is $results[-1][1] - $results[0][1], $#results,
        'it had the results of meanwhile in the history';
}


sub doubts {
    order('cam', 'doubt');
    is_state('live', 'a frame is too large', 'cam',
        'something is wrong with one that is live');
    countermand('cam');
    is_state('live', '', 'cam', 'and is not any more');
}


sub fails {
    my $before = output('cam');

    order('cam', 'die');
    is_state('failed', "it has had\nenough", 'cam', 'one fails');
    ok $nginx->wait_log(qr/is failed: it has had\\x0Aenough/), 'so says the log';

    soon { given('cam', 'open') >= 3 } 'it is opened anew, again and again';

    my $opened = given('cam', 'open');

    ok live($nginx, 'cam'), 'the source is live';

    countermand('cam');
    is_state('live', '', 'cam', 'it comes back', 40);

    soon { output('cam')->{frames} > $before->{frames} } 'its counters go on';

    my ($closed) = scalar(() = Vidcast::Nginx::slurp("$prefix/tmp/cam") =~ /^close$/mg);

    is $closed, given('cam', 'open') - 1, 'each one that was opened was closed';
}


sub hangs {
    my $pid = capture_pid($nginx, 'cam');

    order('cam', 'hang');
    is_state('hung', 'it did not come back for 5 s', 'cam', 'one hangs', 20);
    ok $nginx->wait_log(qr/"cam" is hung: it did not come back/), 'so says the log';

    my $before = source($nginx, 'cam');
    my $other = output('cam', 1)->{frames};

    soon { source($nginx, 'cam')->{published} > $before->{published} + 5 }
        'the video goes on';
    soon { output('cam', 1)->{frames} > $other + 3 } 'the other output does';
    is source($nginx, 'cam')->{dropped}{ring_full}, 0, 'no frame is lost';

    countermand('cam');
    is_state('live', '', 'cam', 'it comes back');
    is capture_pid($nginx, 'cam'), $pid, 'the capture process is the same';
}


sub wanted {
    soon { source($nginx, 'rare')->{state} eq 'sleeping' }
        'on demand: it sleeps, as nobody looks';
    soon { grep { $_->[1] eq 'sleeping' } given('rare', 'state') }
        'on demand: its output knows';
    is output('rare')->{state}, 'live', 'on demand: and is well';

    my $frames = given('rare', 'frame');

    order('rare', 'want');

    ok live($nginx, 'rare'), 'on demand: it is open for one that is elsewhere';
    soon { given('rare', 'frame') > $frames + 10 } 'on demand: it has frames';
    is source($nginx, 'rare')->{viewers}{all}, 0, 'on demand: without a viewer here';

    countermand('rare');

    soon { source($nginx, 'rare')->{state} eq 'sleeping' }
        'on demand: it sleeps again';
}


# while its output has a pin

sub killed {
    my $pid = capture_pid($nginx, 'cam');

    order('cam', 'hang');

    my $before = output('cam', 1);

    push @{$nginx->{allow}}, qr/exited on signal 9/;
    $nginx->signal('KILL', $pid);

    soon { my $now = capture_pid($nginx, 'cam'); $now && $now != $pid }
        'killed: there is another capture process';

    countermand('cam');

    ok live($nginx, 'cam'), 'killed: it is live';
    is_state('live', '', 'cam', 'killed: so is its output');
    soon { output('cam', 1)->{frames} > $before->{frames} }
        'killed: counters go on';
}


sub reloads {
    my $pid = capture_pid($nginx, 'cam');
    my $rare = capture_pid($nginx, 'rare');

    ok $nginx->reload, 'reload: the same';
    ok live($nginx, 'cam'), 'reload: it is live';
    is capture_pid($nginx, 'cam'), $pid, 'reload: its process stays';

    spill("$prefix/tmp/creds", "another secret\n");

    ok $nginx->reload, 'reload: another file of credentials';

    soon { my $now = capture_pid($nginx, 'cam'); $now && $now != $pid }
        'reload: another process';

    $pid = capture_pid($nginx, 'cam');

    (my $changed = $sources{cam}) =~ s{second\.video}{second.films};

    ok $nginx->reload(http => http(cam => $changed)), 'reload: another output';

    soon { my $now = capture_pid($nginx, 'cam'); $now && $now ne $pid }
        'reload: another process';
    soon { (output('cam', 1)->{uri} // '') =~ /films$/
           && output('cam', 1)->{state} eq 'live' } 'reload: which has it';
    is capture_pid($nginx, 'rare'), $rare, 'reload: the others are as they were';

    (my $none = $sources{cam}) =~ s{ output .*}{};

    ok $nginx->reload(http => http(cam => $none)), 'reload: none any more';
    soon { live($nginx, 'cam') && !source($nginx, 'cam')->{outputs} }
        'reload: the status has none';

    ok $nginx->reload(http => http()), 'reload: as before';
    soon { live($nginx, 'cam') && output('cam')->{state} eq 'live' }
        'reload: it is live';
}


# one which hangs does not keep its process

sub leaves {
    my $pid = capture_pid($nginx, 'cam');

    order('cam.2', 'hang');

    my $closed = () = Vidcast::Nginx::slurp("$prefix/tmp/cam") =~ /^close$/mg;

    (my $changed = $sources{cam}) =~ s{64 4k}{65 4k};

    ok $nginx->reload(http => http(cam => $changed)), 'leaving: a reload';
    soon { !kill 0, $pid } 'leaving: the process has left, though one hangs';

    is scalar(() = Vidcast::Nginx::slurp("$prefix/tmp/cam") =~ /^close$/mg),
        $closed + 1, 'leaving: the other one was closed';
    like +(grep { /^state/ } split /\n/, Vidcast::Nginx::slurp("$prefix/tmp/cam")
               =~ s/close\n(?!.*close).*//sr)[-1], qr/^state off/,
        'leaving: and was told that the source is off';

    countermand('cam.2');
}


# what is published right before the end is given on

sub texts {
    my $nginx = Vidcast::Nginx->new(http => http());

    $prefix = $nginx->prefix;
    output_plugin($nginx);
    spill("$prefix/tmp/creds", "secret\n");
    chmod 0644, "$prefix/tmp/creds";

    $nginx->start;

    soon { source($nginx, 'texts')->{outputs}[0]{state} eq 'live' }
        'texts: its output is live';

    my $taken = 0;

    for my $n (1 .. 20) {
        my $response = Vidcast::Client::request($nginx->port, '/publish',
            method => 'POST', headers => [ 'Content-Type' => 'application/json' ],
            body => "{\"n\":$n}");

        $taken++ if $response->{status} =~ /^20/;
    }

    is $taken, 20, 'texts: published';

    $nginx->signal('TERM');

    soon { $nginx->left } 'texts: nginx ends at once';
    soon { Vidcast::Nginx::slurp("$prefix/tmp/texts") =~ /^close$/m }
        'texts: the output was closed';

    is scalar(given('texts', 'result')), 20, 'texts: all were given on before';

    $nginx->stop;
}


sub configurations {
    my $nginx = Vidcast::Nginx->new(http => http());

    $prefix = $nginx->prefix;
    output_plugin($nginx);

    my $output = sub {
        my ($text) = @_;

        $nginx->{http} = "vidcast_source cam {\n    input $camera;\n"
            . "    output $text;\n}\n";

        return $nginx->test_config;
    };

    my ($ok, $text) = $output->('nats://127.0.0.1/video');

    ok $ok, 'configuration: a good one' or diag $text;

    for my $params ('tls=on', 'tls=off', 'send=results', 'send=frames fps=29.97',
                    'send=both fps=30000/1001', 'creds=a/b.creds',
                    'ca=ca.pem cert=cert.pem key=/etc/key.pem tls=on')
    {
        ($ok, $text) = $output->("nats://127.0.0.1/video.a-b_1 $params");

        ok $ok, "configuration: $params" or diag $text;
    }

    ($ok, $text) = $output->(join ";\n    output ",
        map { "nats://127.0.0.1/$_" } 'a' .. 'd');

    ok $ok, 'configuration: four of them' or diag $text;

    ($ok, $text) = $output->('nats://me:secret@127.0.0.1/refused');

    ok !$ok, 'configuration: one that the plugin refuses';
    like $text, qr{\[emerg\] .*invalid output "nats://\*\*\*\@127\.0\.0\.1/refused": there is no such place in .*nginx\.conf:\d+},
        'configuration: with its words, its file and line';
    unlike $text, qr/secret/, 'configuration: and no secret';

    ($ok, $text) = $output->('nats://127.0.0.1/crashes');

    ok !$ok, 'configuration: the plugin crashes';
    like $text, qr/invalid output .*: the check crashed: signal 6/,
        'configuration: which is said';

    ($ok, $text) = $output->('nats://127.0.0.1/video fps=5');

    ok $ok, 'configuration: one that the plugin warns of';
    like $text, qr{\[warn\] .*output "nats://127\.0\.0\.1/video": fps is doubtful in .*nginx\.conf:\d+},
        'configuration: that is told';

    unlink "$prefix/vidcast_nats.so";

    ($ok, $text) = $output->('nats://127.0.0.1/video');

    ok !$ok, 'configuration: without the plugin';
    like $text, qr/vidcast_nats\.so" is not there; it is built with the module if libnats-dev is installed/,
        'configuration: the reader is told how to get it';

    $nginx->finish;
}
