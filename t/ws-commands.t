#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What a viewer may say, in the query of its URL and as JSON on its socket:
# each wish is kept, within what the location allows, each other one refused in
# words; and however much it says, the other viewers do not notice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json encode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket qw(deflated frame gather);

Vidcast::Nginx->plan;

# one that is behind by more is told that something was skipped

my $backlog = 64 * ($ENV{VIDCAST_TEST_PATIENCE} || 1);

my $nginx = Vidcast::Nginx->new(workers => 1, http => <<"CONF")->start;
vidcast_source front {
    input    test: size=160x120 fps=30;
    predict  delay time=2ms text=front;
}

vidcast_source gate {
    input    test: size=96x64 fps=30;
    predict  delay time=2ms text=gate;
}

vidcast_source secret { input test: size=64x48; predict delay time=2ms; }

server {
    listen  127.0.0.1:%%PORT%%;
    listen  127.0.0.1:%%PORT1%% sndbuf=8k;

    location /status  { vidcast_status; }
    location /one     { vidcast front as=websocket send=both; }
    location /frames  { vidcast front as=websocket send=frames; }
    location /ten     { vidcast front as=websocket send=frames;
                        vidcast_fps 10; }
    location /short   { vidcast front; vidcast_backlog 8; }
    location /both    { vidcast front,gate as=websocket send=both; }
    location /two     { vidcast front,gate; }
    location /witness { vidcast front,gate; vidcast_backlog $backlog; }
    location /deflate { vidcast front; vidcast_deflate on; }
}
CONF

my $port = $nginx->port;
my ($worker) = map { $_->{pid} } $nginx->processes('worker');


sub dial {
    my ($path, @args) = @_;

    my $ws = Vidcast::WebSocket->connect($port, $path, @args);

    $ws->accepted or die "no handshake at $path: ", $ws->status, "\n";

    return $ws;
}


sub status {
    my ($name) = @_;

    my $status = decode_json(get($port, '/status')->{body});
    my ($source) = grep { $_->{name} eq $name } @{$status->{sources}};

    return $source;
}


# a viewer of results that sees all that follows

my $witness = dial('/witness')->attend;
my ($taken, @gaps) = (0);
my %seen;


# takes what the witness got: so many results more, and each without a gap

sub watch {
    my ($count, @others) = @_;

    my $end = $taken + $count;

    return gather([$witness, @others], sub {
        while (my $message = shift @{$witness->{inbox}}) {
            next if $message->{type} ne 'text';

            my $result = decode_json($message->{data});
            my $last = \$seen{$result->{source}};

            push @gaps, "$result->{source} $$last, then $result->{seq}"
                if defined $$last && $result->{seq} != $$last + 1;

            $$last = $result->{seq};
            $taken++;
        }

        return $taken >= $end;
    }, 30);
}


sub command {
    my ($ws, $type, %members) = @_;

    return $ws->send_text(encode_json({ type => $type, %members }));
}


# everything that was sent has been read, and what came before it is dropped

sub barrier {
    my ($ws) = @_;

    my $text = 'barrier ' . rand;

    $ws->send_ping($text);

    return gather([$ws], sub {
        while (my $message = shift @{$ws->{inbox}}) {
            return 1 if $message->{type} eq 'pong'
                && $message->{data} eq $text;
        }
    });
}


# nothing comes, while the witness gets results

sub silent {
    my ($ws, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    # one message may be leaving when the command comes

    barrier($ws);
    barrier($ws);
    watch(20);
    $ws->send_ping('silence');

    my $message = $ws->message;

    is $message && "$message->{type} $message->{data}", 'pong silence', $name;
}


# the sources of the next messages, in alphabetical order, without repetition

sub sources {
    my ($ws, $count) = @_;

    my %names;

    for (1 .. $count) {
        my $message = $ws->message('text', 'binary') or return 'nothing';

        my $json = $message->{type} eq 'text' ? $message->{data}
            : substr $message->{data}, 12, unpack 'x8n', $message->{data};

        $names{decode_json($json)->{source}} = 1;
    }

    return join ' ', sort keys %names;
}


sub picture {
    my ($ws) = @_;

    my $message = $ws->message('binary') or return undef;
    my ($offset, $length) = unpack 'x6nn', $message->{data};

    fail('a picture is damaged')
        if !jpeg_info(substr $message->{data}, $offset);

    return decode_json(substr $message->{data}, 12, $length);
}


# the least time between the pictures that follow, by their own clock

sub least_gap {
    my ($ws, $count) = @_;

    my $least;
    my $last = picture($ws) or return 0;

    for (1 .. $count) {
        my $next = picture($ws) or return 0;
        my $gap = $next->{ts} - $last->{ts};

        $least = $gap if !defined $least || $gap < $least;
        $last = $next;
    }

    return $least;
}


ok watch(10), 'results for the witness';


# refusals

my %wrong = (
    '' => qr/JSON/,
    'x' => qr/JSON/,
    '{' => qr/JSON/,
    '{"type":"pause"} x' => qr/JSON/,
    '{"type":"pause","type":"resume"}' => qr/JSON/,
    '{"type":"pa' . "\x01" . 'use"}' => qr/JSON/,
    '[' x 5000 => qr/JSON/,
    '[]' => qr/type/,
    '{}' => qr/type/,
    '{"type":null}' => qr/type/,
    '{"type":1}' => qr/type/,
    '{"type":["pause"]}' => qr/type/,
    '{"Type":"pause"}' => qr/type/,
    '{"type":""}' => qr/unknown/,
    '{"type":"dance"}' => qr/unknown/,
    '{"type":"pause\u0020"}' => qr/unknown/,
    '{"type":"PAUSE"}' => qr/unknown/,
    '{"type":"fps"}' => qr/value/,
    '{"type":"fps","value":"5"}' => qr/value/,
    '{"type":"fps","value":null}' => qr/value/,
    '{"type":"fps","value":-1}' => qr/value/,
    '{"type":"fps","value":0.009}' => qr/value/,
    '{"type":"fps","value":1001}' => qr/value/,
    '{"type":"fps","value":1e300}' => qr/value/,
    '{"type":"subscribe"}' => qr/source/,
    '{"type":"subscribe","source":7}' => qr/source/,
    '{"type":"subscribe","source":""}' => qr/source/,
    '{"type":"subscribe","source":"' . 'x' x 64 . '"}' => qr/source/,
    '{"type":"subscribe","source":"nobody"}' => qr/no such/,
    '{"type":"subscribe","source":"fron"}' => qr/no such/,
    '{"type":"subscribe","source":"front1"}' => qr/no such/,
    '{"type":"subscribe","source":"secret"}' => qr/no such/,
    '{"type":"unsubscribe"}' => qr/source/,
    '{"type":"unsubscribe","source":"nobody"}' => qr/no such/,
);

my $ws = dial('/one');

for my $text (sort keys %wrong) {
    my $name = length $text > 60 ? substr($text, 0, 60) . '...' : $text;
    my $error;

    $ws->send_text($text);

    ok gather([$ws], sub {
        while (my $message = shift @{$ws->{inbox}}) {
            next if $message->{type} ne 'text';

            my $json = decode_json($message->{data});

            return $error = $json if ($json->{type} // '') eq 'error';
        }
    }), "an answer to: $name";

    like $error->{error}, $wrong{$text}, 'which says what is wrong';
    is $error->{v}, 1, 'of this version';
}

$ws->send_text('{"type":"subscribe","source":"front\u0000x"}');
ok gather([$ws], sub {
    grep { $_->{type} eq 'text' && $_->{data} =~ /"type":"error"/ }
        @{$ws->{inbox}};
}), 'a NUL in a name';

for my $text ('{"type":"pause"}', '{"type":"resume","later":[1,{"a":null}]}',
              ' {"value":30,"type":"fps"} ', "\n{\"type\":\"ack\"}\r\n",
              '{"type":"\u0061ck"}')
{
    $ws->send_text($text);
}

$ws->{inbox} = [];
barrier($ws);
ok $ws->json, 'after all of it results go on';
is $ws->faults, '', 'nothing wrong with the frames';


# fps

$ws = dial('/frames', protocol => 'vidcast.v1');

ok picture($ws), 'pictures';

command($ws, fps => value => 5);
barrier($ws);
picture($ws);
cmp_ok least_gap($ws, 6), '>=', 0.15, 'at 5 a second';

command($ws, fps => value => 0.01);
barrier($ws);
picture($ws);
silent($ws, 'one in 100 seconds');

command($ws, fps => value => 30);
ok picture($ws), 'a higher rate holds at once';
ok least_gap($ws, 20), 'and goes on';

command($ws, fps => value => 0.01);
barrier($ws);
picture($ws);
command($ws, fps => value => 0);
ok least_gap($ws, 20), 'no limit';

$ws = dial('/ten', protocol => 'vidcast.v1');
picture($ws);
cmp_ok least_gap($ws, 6), '>=', 0.06, 'vidcast_fps 10';

for my $fps (30, 0, 1000) {
    command($ws, fps => value => $fps);
    barrier($ws);
    cmp_ok least_gap($ws, 6), '>=', 0.06, "is not widened by $fps";
}

command($ws, fps => value => 4);
barrier($ws);
picture($ws);
cmp_ok least_gap($ws, 4), '>=', 0.18, 'but narrowed';

$ws = dial('/ten?fps=5', protocol => 'vidcast.v1');
picture($ws);
cmp_ok least_gap($ws, 4), '>=', 0.15, 'by ?fps=5 as well';

$ws = dial('/ten?fps=0.01', protocol => 'vidcast.v1');
picture($ws);
silent($ws, '?fps=0.01');
command($ws, fps => value => 10);
barrier($ws);
cmp_ok least_gap($ws, 4), '>=', 0.06, 'a command is of more weight';

$ws = dial('/ten?fps=500', protocol => 'vidcast.v1');
picture($ws);
cmp_ok least_gap($ws, 4), '>=', 0.06, 'not widened by ?fps=500';


# pause, resume

$ws = dial('/one');
ok $ws->json, 'a result';
command($ws, 'pause');
silent($ws, 'a pause');
command($ws, 'pause');
silent($ws, 'twice');

$ws->send_text('nonsense');
is $ws->json->{type}, 'error', 'answers come meanwhile';

command($ws, 'resume');
ok $ws->json, 'results again';
ok $ws->message('binary'), 'pictures too';
command($ws, 'resume');
ok $ws->json, 'resumed twice';

for my $path ('/two?source=front', '/short') {
    $ws = dial($path);

    my $last;

    # till the pause has come through

    command($ws, 'pause') if $ws->json;
    $ws->send_ping('paused');

    gather([$ws], sub {
        while (my $message = shift @{$ws->{inbox}}) {
            return 1 if $message->{type} eq 'pong';

            $last = decode_json($message->{data})->{seq};
        }
    });

    watch(80);      # 40 of each source
    command($ws, 'resume');

    my ($skipped, @faults) = (0);

    for (1 .. 60) {
        my $result = $ws->json or last;

        push @faults, "$result->{seq} after $last"
            if defined $last
               && $result->{seq} != $last + 1 + ($result->{skipped} // 0);

        $skipped += $result->{skipped} // 0;
        $last = $result->{seq};
    }

    is "@faults", '', "$path: in order, or told how many are missing";

    $path eq '/short' ? cmp_ok($skipped, '>', 0, 'more than the backlog')
                      : is($skipped, 0, 'less than the backlog');
}


# ack

$ws = dial('/frames', protocol => 'vidcast.v1');
ok least_gap($ws, 5), 'pictures flow before the first ack';

command($ws, 'ack');
barrier($ws);
picture($ws) if !grep { $_->{type} eq 'binary' } @{$ws->{inbox}};
silent($ws, 'then one by one');

for my $round (1 .. 5) {
    my $before = $seen{front};

    command($ws, 'ack');

    ok picture($ws), "picture $round was acknowledged";
    silent($ws, 'and no other one comes');
}

$ws = dial('/one');
command($ws, 'ack');
barrier($ws);
watch(10);
ok $ws->json, 'results do not wait for it' for 1 .. 10;


# several sources

for (
    ['/two', 'front gate'],
    ['/both', 'front gate'],
    ['/two?source=gate', 'gate'],
    ['/two?source=front', 'front'],
    ['/two?source=gate,front', 'front gate'],
    ['/two?source=gate%2Cfront', 'front gate'],
    ['/both?source=gate', 'gate'],
    ['/both?source=gate&send=frames', 'gate'],
    ['/both?send=frames', 'front gate'],
    ['/both?send=results', 'front gate'],
) {
    my ($path, $names) = @$_;

    is sources(dial($path, protocol => 'vidcast.v1'), 40), $names, $path;
}

for (
    ['/two?source=nobody', 404],
    ['/two?source=secret', 404],
    ['/two?source=front,secret', 404],
    ['/one?source=gate', 404],
    ['/two?source=', 400],
    ['/two?source=front,', 400],
    ['/two?source=front,front', 400],
    ['/two?source=front&source=gate', 400],
    ['/two?send=frames', 403],
    ['/frames?send=results', 403],
    ['/both?send=pictures', 400],
    ['/both?send=', 400],
    ['/one?fps=-1', 400],
    ['/one?fps=x', 400],
    ['/one?fps=1001', 400],
    ['/one?since=x', 400],
    ['/one?fps=5&fps=6', 400],
) {
    my ($path, $status) = @$_;

    is(Vidcast::WebSocket->connect($port, $path)->status, $status,
       "$path: $status");
}

ok dial('/one?FPS=x&other=%00&&=')->json, 'other arguments are ignored';

# both kinds of both sources, one after the other

$ws = dial('/both', protocol => 'vidcast.v1');

my %kinds;

for (1 .. 80) {
    my $message = $ws->message or last;
    my $binary = $message->{type} eq 'binary';

    my $json = $binary
        ? substr $message->{data}, 12, unpack 'x8n', $message->{data}
        : $message->{data};

    $json = decode_json($json);
    $kinds{"$json->{source} $message->{type} $json->{width}x$json->{height}"}++;
}

is join(', ', sort keys %kinds), 'front binary 160x120, front text 160x120,'
    . ' gate binary 96x64, gate text 96x64', 'results and pictures of both';

cmp_ok $kinds{'gate binary 96x64'}, '>=', 5, 'none is starved';
cmp_ok $kinds{'front binary 160x120'}, '>=', 5, 'nor the other one';

# subscriptions change

$ws = dial('/both', protocol => 'vidcast.v1');

my ($front, $gate) = map { status($_)->{viewers}{websocket} } qw(front gate);

command($ws, unsubscribe => source => 'gate');
barrier($ws);
barrier($ws);
is sources($ws, 40), 'front', 'only one is left';
is status('gate')->{viewers}{websocket}, $gate - 1, 'the status has it';

command($ws, unsubscribe => source => 'gate');
barrier($ws);
is sources($ws, 20), 'front', 'twice is as once';
is status('gate')->{viewers}{websocket}, $gate - 1, 'in the status, too';

command($ws, unsubscribe => source => 'front');
silent($ws, 'none is left');
is status('front')->{viewers}{websocket}, $front - 1, 'in the status, too';

command($ws, subscribe => source => 'gate');
is sources($ws, 40), 'gate', 'the other one';
command($ws, subscribe => source => 'gate');
command($ws, subscribe => source => 'front');
is sources($ws, 80), 'front gate', 'both again';
is status('gate')->{viewers}{websocket}, $gate, 'twice is as once';

$ws->send_close(1000);
is $ws->closed_with, 1000, 'a clean end';

ok wait_for { status('gate')->{viewers}{websocket} == $gate - 1
              && status('front')->{viewers}{websocket} == $front - 1 },
    'and nothing is left of it';


# the newest result at once, from a source that was left and taken again

$ws = dial('/two?source=gate');
ok $ws->json, 'a result';
command($ws, unsubscribe => source => 'gate');
silent($ws, 'left');
command($ws, subscribe => source => 'gate');

my $newest = $seen{gate};
my $result = $ws->json;

cmp_ok $result->{seq}, '>=', $newest, 'again: from the newest one on';
is $result->{skipped}, undef, 'which is no gap';


# a lot of it

sub memory {
    open my $fh, '<', "/proc/$worker/statm" or return 0;

    return (split ' ', <$fh>)[1] * 4096;
}


sub churn {
    my ($ws, $rounds) = @_;

    for my $round (1 .. $rounds / 100) {
        $ws->write_and_read(join '', map {
            (frame(1, '{"type":"unsubscribe","source":"gate"}'),
             frame(1, '{"type":"unsubscribe","source":"front"}'),
             frame(1, '{"type":"subscribe","source":"front"}'),
             frame(1, '{"type":"subscribe","source":"gate"}'))
        } 1 .. 100);

        barrier($ws) or return 0;
        watch(1);
    }

    return 1;
}


$ws = dial('/both', protocol => 'vidcast.v1');

ok churn($ws, 2000), '2,000 times in and out';

my $memory = memory();

for (1 .. 5) {
    $ws->close;
    $ws = dial('/both', protocol => 'vidcast.v1');

    ok churn($ws, 2000), 'and 2,000 times more';
}

SKIP: {
    skip 'a sanitizer keeps what was freed', 1
        if $nginx->sanitized($worker);

    cmp_ok memory() - $memory, '<', 512 * 1024, 'takes no memory';
}

is sources($ws, 80), 'front gate', 'and both are there';
is $ws->faults, '', 'in right frames';


# floods

my @commands = map { frame(1, $_) } '{"type":"fps","value":30}',
    '{"type":"pause"}', '{"type":"resume"}', '{"type":"ack"}', 'nonsense',
    '{"type":"subscribe","source":"gate"}', '{"type":"dance"}',
    '{"type":"unsubscribe","source":"gate"}',
    '{"type":"subscribe","source":"secret"}';

my @flooders = map { dial('/both') } 1 .. 4;

for my $round (1 .. 30) {
    for my $ws (@flooders) {
        $ws->write_and_read(join '', map { $commands[rand @commands] }
                                     1 .. 500);
        $ws->{inbox} = [];
    }

    watch(2);
}

ok watch(30), 'results for the witness all the time';

for my $ws (@flooders) {
    ok barrier($ws), 'and one that says so much is still there';
    is $ws->faults, '', 'in right frames';
    $ws->close;
}


# there are bounds: to what is read of a peer at a time, and to all of it.  A
# command counts 64 bytes at least, 1 MB may be used up, 64 kB a second come
# back.

sub delivered { return status('front')->{delivered} }

my $before = delivered();

$ws = dial('/one');
$ws->write(join '', map { frame(1, '{"type":"resume"}') } 1 .. 1000);

ok barrier($ws), 'one that says much at a time is heard';

my $after = delivered();

is $after->{commands} - $before->{commands}, 1000, 'all of it';
cmp_ok $after->{waits} - $before->{waits}, '>=', int(1000 / 64),
    'but others have their turn after 64 commands';

$ws->close;

# how much a viewer could say before it was sent away

sub closed_after {
    my ($ws, $text, $most) = @_;

    my $before = delivered();
    my $said = 0;

    while ($said < $most) {
        $ws->write_and_read($text x 50);
        $ws->{inbox} = [grep { $_->{type} eq 'close' } @{$ws->{inbox}}];
        last if @{$ws->{inbox}};
        $said += 50;
    }

    my $code = $ws->closed_with;
    my $after = delivered();

    return ($code, $after->{commands} - $before->{commands},
            $after->{talkative} - $before->{talkative});
}

my $nothing = frame(1, '{"type":"resume"}');
my ($code, $heard, $count) = closed_after(dial('/one'), $nothing, 200_000);

is $code, 1008, 'too many commands: it is sent away';
cmp_ok $heard, '>=', 16 * 1024, 'not before they are too many';
is $count, 1, 'which is counted';
like $nginx->error_log, qr/viewer sent too many commands/, 'and told';

# it is what they cost, not what they take on the wire

$ws = dial('/deflate', deflate => 'permessage-deflate');

my $blown = frame(1, deflated('{"type":"resume",' . ' ' x 16_000 . '"x":1}'),
                  rsv => 4);

cmp_ok length $blown, '<', 200, 'a command of 16 kB is small when deflated';

($code, $heard, $count) = closed_after($ws, $blown, 10_000);

is $code, 1008, 'too many of those';
cmp_ok $heard, '>=', 64, 'are more than 64';
cmp_ok $heard, '<', 1000, 'and fewer than small ones';

# acknowledgements are for nothing, as long as they are no more than that

$ws = dial('/one');

for (1 .. 60) {
    $ws->write(frame(1, '{"type":"ack"}') x 500);
    barrier($ws) or last;
}

ok barrier($ws), '30,000 acknowledgements are none too many';

$ws->close;

my $large = frame(1, '{"type":"ack",' . ' ' x 16_000 . '"x":1}');

($code) = closed_after(dial('/one'), $large, 10_000);

is $code, 1008, 'but large ones are';


# nonsense from those that do not read the answers, with more behind

my @deaf = map {
    Vidcast::WebSocket->connect($nginx->port(1), $_ % 2 ? '/both' : '/two',
                                client => { recv_buffer => 2048 })
} 1 .. 6;

for my $ws (@deaf) {
    command($ws, 'pause');

    for my $round (1 .. 400) {
        $ws->write(join '', map { frame(1, 'nonsense'), frame(9, 'x' x rand 99) }
                            1 .. 5);
    }

    watch(1);
}

watch(20);
command($_, 'resume') for @deaf;
watch(20);

for my $ws (@deaf) {
    $ws->send_ping('behind all of it');

    my ($errors, $results, $bad) = (0, 0, 0);

    ok gather([$ws], sub {
        while (my $message = shift @{$ws->{inbox}}) {

            if ($message->{type} eq 'text') {
                my $json = eval { decode_json($message->{data}) };

                $json ? ($json->{type} // '') eq 'error' ? $errors++
                                                         : $results++
                      : $bad++;

            } elsif ($message->{type} eq 'binary') {
                $bad++ if !jpeg_info($message->{data});

            } elsif ($message->{data} eq 'behind all of it') {
                return 1;
            }
        }
    }, 30), 'one that did not listen reads on';

    cmp_ok $errors, '>', 0, 'answers';
    is $bad, 0, 'nothing is torn';
    is $ws->faults, '', 'in right frames';

    ok $ws->json, 'and results follow';
}

$_->close for @deaf;


# one that says nothing that is text

$ws = dial('/one');
$ws->send_binary('{"type":"pause"}');
is $ws->closed_with, 1003, 'a binary command';


ok watch(30), 'results for the witness to the end';
is join("\n", @gaps), '', 'without a gap';
is $witness->faults, '', 'in right frames';

unlike $nginx->error_log, qr/exited on signal/, 'nobody died';

$nginx->stop;

done_testing;
