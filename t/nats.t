#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A camera is here, its viewers are anywhere: what is captured at the origin is
# shown at the edges with the same epoch and the same numbers, each result once
# and in order, whatever is killed or stopped in between, the bus included; and
# a viewer may come from any of them.  Where it cannot be, the state says why,
# and viewers are kept.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Life;
use Vidcast::NATS;
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;
Vidcast::NATS->plan;

sub soon(&$);

my $bus = Vidcast::NATS->new(config => <<'CONF')->start;
max_payload: 8MB
CONF

my $kills = qr/exited on signal 9/;
my $alarms = qr/is reconnecting: (?:no server|the connection|no origin|the origin)/;

my $url = $bus->url;
my $origin = site(<<"CONF");
vidcast_source front {
    input    test: size=64x48 fps=50;
    predict  delay time=2ms;
    results  2000;
    output   $url/site;
}

vidcast_source lazy {
    input      test: size=64x48 fps=20;
    predict    delay time=2ms;
    on_demand  1s;
    output     $url/site;
}

vidcast_source slow {
    input    test: size=64x48 fps=30;
    predict  delay time=150ms;
    output   $url/site;
}
CONF

my @edges = map { site(<<"CONF") } 1 .. 2;
vidcast_source front {
    input    $url/site.front;
    results  2000;
}

vidcast_source lazy {
    input      $url/site.lazy;
    on_demand  1s;
}

vidcast_source slow { input $url/site.slow; }

# the first edge looks for something, which the second one shows

vidcast_source found {
    input  $url/site.@{[ $_ == 1 ? 'front' : 'found' ]};
    @{[ $_ == 1 ? "predict motion; output $url/site;" : '' ]}
}
CONF

same_numbers();
pictures();
pairs();
another_model();
public_format();
moves();
bus_lost();
killed();
restarted();
on_demand();
hostile();
$_->stop for @edges, $origin;

words();

done_testing;


# a test that a condition comes true

sub soon(&$) {
    my ($condition, $name) = @_;

    return ok wait_for(\&$condition, 30), $name;
}


sub site {
    my ($sources) = @_;
    my $found = $sources =~ /found/
                ? 'location /found { vidcast found as=ndjson; }' : '';

    return Vidcast::Nginx->new(workers => 2, allow => [$kills, $alarms],
        http => $sources . <<'CONF' . "$found }\n")->start;
server {
    listen  127.0.0.1:%%PORT%%;

    location /status   { vidcast_status; }
    location /ws       { vidcast front as=websocket; }
    location /pairs    { vidcast front as=websocket send=both; }
    location /nd       { vidcast front as=ndjson; }
    location /snapshot { vidcast front as=snapshot; }
    location /lazy     { vidcast lazy as=ndjson; }
    location /paired   { vidcast slow as=websocket send=paired; }
    location /drawn    { vidcast slow as=mjpeg overlay=on; }
CONF
}


sub viewer {
    my ($site, $since, $path) = @_;

    $path //= '/nd';
    $path .= "?since=$since->{epoch}-$since->{seq}" if $since;

    return { stream => Vidcast::Stream->open($site->port, $path),
             seen => [] };
}


# takes what a viewer of lines has been sent; the newest result

sub look {
    my ($viewer) = @_;

    push @{$viewer->{seen}}, $viewer->{stream}->objects;

    return $viewer->{seen}[-1];
}


# till it has so many more

sub more {
    my ($viewer, $count, $seconds) = @_;

    my $wanted = @{$viewer->{seen}} + $count;

    return wait_for { look($viewer); @{$viewer->{seen}} >= $wanted }
        $seconds // 20;
}


# till it has one that came behind this one

sub behind {
    my ($viewer, $seq) = @_;

    return wait_for {
        my $result = look($viewer);

        $result && $result->{seq} > $seq;
    } 30;
}


# what is wrong with the numbers; a reset, once, is "resets"

sub wrong {
    my ($viewer, $resets) = @_;

    my ($last, @wrong);

    for my $result (@{$viewer->{seen}}) {

        if ($result->{reset}) {
            push @wrong, "reset at $result->{seq}" if !$resets--;

        } elsif ($last) {
            push @wrong, "$last->{seq}, $result->{seq}"
                if $result->{seq} != $last->{seq} + 1
                   || $result->{epoch} ne $last->{epoch};
        }

        $last = $result;
    }

    return join '; ', @wrong;
}


# the same result at the origin and at the edges, but for nothing

sub same_numbers {
    ok live($_, 'front', 20), 'live' for $origin, @edges;

    my @viewers = map { viewer($_) } $origin, @edges;

    ok more($_, 20), 'results' for @viewers;

    my %texts = map { $_->{seq} => $_ } @{$viewers[0]{seen}};
    my $common = 0;

    for my $viewer (@viewers[1, 2]) {
        for my $result (@{$viewer->{seen}}) {
            next if !$texts{$result->{seq}};

            $common++;
            is_deeply $result, $texts{$result->{seq}},
                "$result->{seq} is the same";
            last if $common % 5 == 0;
        }

        is wrong($viewer), '', 'each of them once';
    }

    is $common, 10, 'there were enough';

    my ($status) = @{source($origin, 'front')->{outputs}};

    is $status->{state}, 'live', 'the output is live';
    is $status->{readers}, 3, 'it has its readers';
    is $status->{lost}, 0, 'no result was lost';
    unlike $status->{uri}, qr/@/, 'its address has no secret';
}


sub pictures {
    my $ws = Vidcast::WebSocket->connect($edges[0]->port, '/pairs');
    my ($text, $jpeg);

    wait_for {
        my $message = $ws->message or return 0;

        $text //= $message->{data} if $message->{type} eq 'text';
        $jpeg //= $message->{data} if $message->{type} eq 'binary';
        $text && $jpeg;
    };

    like $jpeg // '', qr/^\xff\xd8.*\xff\xd9$/s, 'a picture';
    ok $text, 'and a result';

    # one that both still have

    my ($here, $there);

    soon {
        ($there, $here) = map { get($_->port, '/snapshot') } $origin, $edges[0];
        $here->{headers}{etag} eq $there->{headers}{etag};
    } 'the same tag at both';

    is $here->{body}, $there->{body}, 'is the same picture';
    is $here->{headers}{$_}, $there->{headers}{$_}, "with the same $_"
        for qw(x-vidcast-frame x-timestamp);

    cmp_ok source($edges[0], 'front')->{captured}, '>', 0, 'captured';
}


# a slow predictor is elsewhere: its pictures wait here for what it says

sub pairs {
    my $ws = Vidcast::WebSocket->connect($edges[0]->port, '/paired');
    my ($result, $n);

    for (1 .. 5) {
        my $text = $ws->message('text', 20) or last;
        my $picture = $ws->message('binary', 20) or last;

        like $picture->{data}, qr/^\xff\xd8/, 'a result and its picture';
        $n++;
    }

    is $n, 5, 'one after the other';

    my $drawn = Vidcast::Stream->open($edges[0]->port, '/drawn');
    my $part = $drawn->part(20);

    like $part->{body} // $part->{data} // '', qr/^\xff\xd8/,
        'a picture with what was found drawn in';
}


# a model on another machine, and its results on a third one

sub another_model {
    my ($here, $there) = map { viewer($_, undef, '/found') } @edges;
    my $front = viewer($edges[0]);

    ok more($_, 5), 'results' for $here, $there, $front;
    is look($there)->{epoch}, look($here)->{epoch}, 'have its epoch';
    isnt look($here)->{epoch}, look($front)->{epoch}, 'which is its own';
    ok defined look($there)->{result}{detections}, 'what it has found';
    is wrong($_), '', 'each of them once' for $here, $there;
}


# what anybody may read and write: names and numbers

sub public_format {
    my $client = $bus->client;

    $client->sub('site.front.>');

    my $state = $client->message(qr/^site\.front\.state$/);
    my $told = decode_json($state->{data});

    is $told->{source}, 'front', 'the state is JSON';
    is $told->{state}, 'live', 'and says that it is live';
    is $told->{epoch}, $state->{headers}{'Vidcast-Epoch'},
        'in the header as in the text';

    my $result = $client->message(qr/^site\.front\.result$/);
    my $text = decode_json($result->{data});

    is $result->{headers}{'Vidcast-Seq'}, $text->{seq},
        'a result has its number';
    is $result->{headers}{'Vidcast-Frame'}, $text->{frame},
        'and that of its frame';

    my $frame = $client->message(qr/^site\.front\.frame$/);

    like $frame->{data}, qr/^\xff\xd8.*\xff\xd9$/s, 'a frame is a JPEG';
    is $frame->{headers}{'Vidcast-Size'}, '64x48', 'of this size';
    like $frame->{headers}{'Vidcast-Time'}, qr/^\d+\.\d{6}$/, 'of this time';

    my $want = $client->message(qr/^site\.front\.want$/);

    like $want->{headers}{'Vidcast-Credit'}, qr/^\d+$/, 'edges give credit';
}


sub moves {
    my $viewer = viewer($edges[0]);

    more($viewer, 5);
    my $last = look($viewer);

    for my $site ($edges[1], $origin, $edges[0]) {
        my $next = viewer($site, $last);

        ok more($next, 3), 'it has moved';
        is $next->{seen}[0]{seq}, $last->{seq} + 1, 'goes on where it was';
        ok !$next->{seen}[0]{reset}, 'without a reset';

        $last = look($next);
    }
}


sub bus_lost {
    my @viewers = map { viewer($_) } $origin, @edges;

    more($_, 5) for @viewers;

    $bus->kill;

    soon {
        source($edges[0], 'front')->{error} =~ /no server at 127\.0\.0\.1/
    } 'an edge says that there is no bus';
    soon {
        source($origin, 'front')->{outputs}[0]{error} =~ /no server at/
    } 'so does the origin';

    my $there = newest($origin);

    soon { newest($origin) > $there + 20 } 'which goes on';

    $bus->start;

    $there = newest($origin);

    for (1, 2) {
        ok behind($viewers[$_], $there),
            "edge $_: on";
    }

    $bus->signal('STOP');
    $there = newest($origin);
    soon { newest($origin) > $there + 20 } 'it goes on';
    $bus->signal('CONT');

    for (1, 2) {
        ok behind($viewers[$_], $there + 20),
            "edge $_: on again";
    }

    is wrong($_), '', 'every result once, in order' for @viewers;
}


sub newest { source($_[0], 'front')->{result} // 0 }


sub killed {
    my @viewers = map { viewer($_) } @edges;

    more($_, 5) for @viewers;

    for my $site ($origin, $edges[0]) {
        my ($capture) = $site->processes('capture', 'front');

        $site->signal('KILL', $capture->{pid});

        soon {
            my ($new) = $site->processes('capture', 'front');
            $new && $new->{pid} != $capture->{pid};
        } 'there is another one';

        my $there = newest($origin);

        ok behind($_, $there), 'on' for @viewers;
    }

    is wrong($_), '', 'every result once, in order' for @viewers;
}


# another nginx has another epoch at the origin, and the same at an edge

sub restarted {
    my @viewers = map { viewer($_) } @edges;

    more($_, 5) for @viewers;

    my $old = look($viewers[0]);

    $origin->stop;
    $origin = restart($origin);

    for my $viewer (@viewers) {
        soon { look($viewer)->{epoch} ne $old->{epoch} } 'another epoch';
        more($viewer, 5);
        is wrong($viewer, 1), '', 'after a reset';
    }

    is scalar(grep { $_->{reset} } @{$viewers[0]{seen}}), 1, 'which is told';

    my $last = look($viewers[1]);

    $edges[1]->stop;
    $edges[1] = restart($edges[1]);

    my $next = viewer($edges[1], $last);

    ok more($next, 3, 30), 'an edge that is new';
    is $next->{seen}[0]{seq}, $last->{seq} + 1, 'goes on where it was';
    is wrong($next), '', 'and has all of them';

    # a reload of both

    my $viewer = viewer($edges[0]);

    more($viewer, 5);
    ok $_->reload, 'reload' for $origin, $edges[0];
    my $there = newest($origin);
    ok behind($viewer, $there), 'goes on';
    is wrong($viewer), '', 'with all of them';
}


sub restart {
    my ($site) = @_;

    return Vidcast::Nginx->new(workers => 2, allow => [$kills, $alarms],
                               http => $site->{http})->start;
}


sub on_demand {
    soon { source($origin, 'lazy')->{state} eq 'sleeping' } 'nobody is there: the camera sleeps';

    my $viewer = viewer($edges[1], undef, '/lazy');

    ok more($viewer, 3), 'one at an edge wakes it';
    is source($origin, 'lazy')->{state}, 'live', 'it is live';

    $viewer->{stream}->close;

    soon { source($origin, 'lazy')->{state} eq 'sleeping' } 'it sleeps again';
}


# whoever may publish may still mean harm

sub hostile {
    my $client = $bus->client;
    my $viewer = viewer($edges[0]);

    more($viewer, 5);

    my $epoch = look($viewer)->{epoch};
    my @numbers = ('', '0', '-1', '18446744073709551615', '1e9', "\x01", 'x' x 4000);

    for my $kind (qw(frame result state want get)) {
        for my $number (@numbers) {
            for my $data ('', 'x', "\xff\xd8", '{', "\0" x 70000) {
                $client->pub(["site.front.$kind", 'site.front.reply'], $data,
                    'Vidcast-Origin' => $number, 'Vidcast-Epoch' => $number,
                    'Vidcast-Frame' => $number, 'Vidcast-Seq' => $number,
                    'Vidcast-Oldest' => $number, 'Vidcast-Time' => $number,
                    'Vidcast-Age' => $number, 'Vidcast-Size' => "${number}x$number",
                    'Vidcast-State' => $number, 'Vidcast-Edge' => $number,
                    'Vidcast-Credit' => $number, 'Vidcast-Get' => $number,
                    'Vidcast-After' => $number, 'Vidcast-Upto' => $number,
                    'Vidcast-Group' => $number);
            }
        }
    }

    ok $client->flush, 'garbage on all subjects';

    my %captures = map { $_ => ($_->processes('capture', 'front'))[0]{pid} }
        $origin, $edges[0];
    my $there = newest($origin);

    ok behind($viewer, $there + 20), 'goes on';
    is look($viewer)->{epoch}, $epoch, 'in the same epoch';
    is wrong($viewer), '', 'nothing is lost';

    is(($_->processes('capture', 'front'))[0]{pid}, $captures{$_},
       'the same process') for $origin, $edges[0];
}


# what is wrong, in words, at both ends; viewers of the edge are kept

sub words {
    my $closed = Vidcast::NATS->new(config => <<'CONF')->start;
authorization { user: camera, password: secret }
max_payload: 8192
CONF

    my ($url, $login) = map { $closed->url($_) } '', 'camera:secret@';

    my $nginx = Vidcast::Nginx->new(allow => [$alarms, qr/not authori[sz]ed/,
        qr/two origins/, qr/is reconnecting/], http => <<"CONF")->start;
vidcast_source denied  { input $url/a.b; }
vidcast_source silent  { input $login/a.nobody timeout=1s; }
vidcast_source front   { input test: size=64x48 fps=20; output $login/a; }
vidcast_source two     { input $login/a.front; }
vidcast_source refused { input test: size=64x48; output $url/a; }
vidcast_source large   { input test: size=640x480 fps=5; output $login/a; }
vidcast_source asked   { input $login/a.large; }

server {
    listen  127.0.0.1:%%PORT%%;

    location /status { vidcast_status; }
    location /denied { vidcast denied as=ndjson; }
}
CONF

    my $viewer = viewer($nginx, undef, '/denied');

    soon { source($nginx, 'denied')->{error} =~ /not authori[sz]ed/i } 'denied: it is not authorised';
    soon {
        source($nginx, 'refused')->{outputs}[0]{error} =~ /not authori[sz]ed/i
    } 'an output, too';
    soon {
        source($nginx, 'silent')->{error} =~ /no origin publishes .*a\.nobody/
    } 'silent: there is no origin';
    ok live($nginx, 'two'), 'one with a password is live';
    unlike get($nginx->port, '/status')->{body}, qr/secret/,
        'no password is told';
    unlike $nginx->error_log, qr/secret/, 'nor logged';

    # a second one with the same name

    my $client = $closed->client(user => 'camera', password => 'secret');

    soon {
        $client->pub('a.front.state', '{}', 'Vidcast-Origin' => 'f' x 16,
            'Vidcast-Epoch' => 'f' x 16, 'Vidcast-State' => 'live',
            'Vidcast-Frame' => 1, 'Vidcast-Seq' => 1, 'Vidcast-Oldest' => 1,
            'Vidcast-Size' => '64x48', 'Vidcast-Fps' => 20);

        $nginx->error_log =~ /two origins publish a\.front/;
    } 'two origins of one name are told';
    is source($nginx, 'two')->{state}, 'live', 'it stays with the first one';

    soon {
        source($nginx, 'large')->{outputs}[0]{error}
            =~ /larger than .* put "max_payload: 8MB" into its configuration/
    } 'a frame that is too large: what to do';
    cmp_ok source($nginx, 'large')->{outputs}[0]{too_large}, '>', 0,
        'it is counted';

    ok !$viewer->{stream}->wait_eof(0.1), 'viewers are kept';

    $nginx->stop;
}
