#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Pictures are published by what people have at hand, not by clients of ours:
# curl in all its ways to send a body, Python's requests and websockets, npm's
# ws.  What
# each of them sends has to arrive at viewers of all kinds byte for byte, and
# what it says as a text as a result; with a password, too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Handle;
use JSON::PP qw(decode_json);
use POSIX ();
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $root = "$FindBin::Bin/..";

$ENV{NODE_PATH} //= "$root/build/npm/node_modules";

my $nginx = Vidcast::Nginx->new(workers => 2, http => <<'CONF')->start;
vidcast_source door {
    input  push:;
}

client_max_body_size  4m;

server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT1%% http2;

    location = /publish      { vidcast_publish door; }
    location = /live         { vidcast door send=both; }
    location = /video_feed   { vidcast door as=mjpeg; }
    location = /events       { vidcast door as=sse; }
    location = /snapshot.jpg { vidcast door as=snapshot; }

    location = /guarded {
        auth_basic            publishers;
        auth_basic_user_file  %%PREFIX%%/users;
        vidcast_publish       door;
    }
}
CONF

my $port = $nginx->port;
my $http = "http://127.0.0.1:$port";
my $ws = "ws://127.0.0.1:$port";

spill('users', "me:{PLAIN}right\n");

my $count = 0;
my (%viewers, $events);


sub spill {
    my ($name, $text) = @_;

    my $path = $nginx->prefix . "/$name";

    open my $fh, '>:raw', $path or die "$path: $!\n";
    print $fh $text;
    close $fh or die "$path: $!\n";

    return $path;
}


# one like no other: (its bytes, its file); many bytes make curl ask first

sub fresh {
    my ($size) = @_;

    $count++;

    my $jpeg = comments(picture(16 + 8 * ($count % 5), 16, 20 * ($count % 12)),
                        "number $count",
                        map { chr(65 + $_ % 26) x 65000 }
                            1 .. ($size // 0) / 65000);

    return ($jpeg, spill("$count.jpg", $jpeg));
}


# curl's HTTP status

sub curl {
    my (@options) = @_;

    my $input = ref $options[0] ? ${shift @options} : '/dev/null';
    my $pid = open my $out, '-|';

    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        open STDIN, '<', $input or die "$input: $!\n";
        exec 'curl', '-q', '-sS', '--max-time', 20, '--noproxy', '*', '-o',
            '/dev/null', '-w', '%{http_code} ', @options
            or POSIX::_exit(127);
    }

    my $text = join '', <$out>;

    close $out;

    return $text =~ s/ $//r;
}


# what all viewers got, since it is the newest

sub arrives {
    my ($jpeg, $name) = @_;

    my @missing;

    for my $kind (sort keys %viewers) {
        push @missing, $kind if !wait_for {
            ($viewers{$kind}->() // '') eq $jpeg
        };
    }

    is "@missing", '', "$name: viewers have it byte for byte";
}


sub result {
    my ($json, $name) = @_;

    my $wanted = JSON::PP->new->allow_nonref->canonical;
    my $text = $wanted->encode($wanted->decode($json));
    my $right = sub {
        my ($message) = @_;

        return exists $message->{result}
            && $wanted->encode($message->{result}) eq $text;
    };

    my $live = $viewers{live};

    ok wait_for { $right->($live->(1) // {}) }, "$name: a result, WebSocket";
    ok wait_for {
        my $event = $events->event(1);

        $event && $event->{data} && $right->(decode_json($event->{data}));
    }, "$name: a result, SSE";
}


sub watch {
    my $live = Vidcast::WebSocket->connect($port, '/live');
    my $mjpeg = Vidcast::Stream->open($port, '/video_feed');

    $events = Vidcast::Stream->open($port, '/events');

    %viewers = (
        live     => sub {
            my ($text) = @_;

            return $text ? $live->json(1) : ($live->message('binary', 1)
                                             // {})->{data};
        },
        mjpeg    => sub { ($mjpeg->part(1) // {})->{data} },
        snapshot => sub { get($port, '/snapshot.jpg')->{body} },
    );
}


my ($jpeg, $file) = fresh();

like curl('-T', $file, "$http/publish"), qr/^20[14]$/, 'curl: PUT';
watch();
arrives($jpeg, 'curl: PUT');


# curl

($jpeg, $file) = fresh();
like curl('-H', 'Content-Type: image/jpeg', '--data-binary', "\@$file",
          "$http/publish"), qr/^20[14]$/, 'curl: POST';
arrives($jpeg, 'curl: POST');

($jpeg, $file) = fresh();
like curl(\$file, '-T', '-', "$http/publish"), qr/^20[14]$/, 'curl: chunked';
arrives($jpeg, 'curl: chunked');

($jpeg, $file) = fresh(1_500_000);
like curl('-T', $file, "$http/publish"), qr/^20[14]$/,
    'curl: 1.5 MB, which it asks for with Expect';
arrives($jpeg, 'curl: with Expect');

($jpeg, $file) = fresh(500_000);
like curl(\$file, '-T', '-', '-H', 'Expect: 100-continue', "$http/publish"),
    qr/^20[14]$/, 'curl: chunked with Expect';
arrives($jpeg, 'curl: chunked with Expect');

(undef, my $before) = fresh();
($jpeg, $file) = fresh(100_000);
like curl('-T', $before, "$http/publish", '-T', $file, "$http/publish"),
    qr/^20[14] 20[14]$/, 'curl: two on a connection';
arrives($jpeg, 'curl: two on a connection');

($jpeg, $file) = fresh(4_300_000);
is curl('-T', $file, "$http/publish"), 413, 'curl: too large';

is curl('-T', spill('text', 'no picture'), "$http/publish"), 400,
    'curl: not a JPEG';


# forms: as curl and Python's requests build them, or, where that is not
# installed, as people build them by hand

($jpeg, $file) = fresh(200_000);
like curl('-F', "image=\@$file", "$http/publish"), qr/^20[14]$/, 'curl: a form';
arrives($jpeg, 'curl: a form');

($jpeg, $file) = fresh();
like curl('-F', 'name=front door', '-F', "image=\@$file;type=image/jpeg",
          '-F', 'token=secret', "$http/publish"), qr/^20[14]$/,
    'curl: a form with fields';
arrives($jpeg, 'curl: a form with fields');

($jpeg, $file) = fresh(1_500_000);
like curl('--http2-prior-knowledge', '-F', "image=\@$file",
          'http://127.0.0.1:' . $nginx->port(1) . '/publish'), qr/^20[14]$/,
    'curl: a form by HTTP/2';
arrives($jpeg, 'curl: a form by HTTP/2');

is curl('-F', 'name=front door', "$http/publish"), 400,
    'curl: a form without a picture';
is curl('-F', 'image=@' . spill('large', 'x' x 3_000_000), "$http/publish"),
    400, 'curl: a large one';

my $poster = spill('post.py', <<'PYTHON');
import http.client, sys, urllib.parse

def by_requests(url, data, form):
    import requests

    if form:
        return requests.post(url, files={'image': ('a.jpg', data)},
                             data={'name': 'front door'}).status_code

    return requests.post(url, data=data).status_code

def by_hand(url, data, form):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    headers = {}

    if form:
        headers['Content-Type'] = 'multipart/form-data; boundary=RandomNerd'
        data = (b'--RandomNerd\r\nContent-Disposition: form-data; '
                b'name="imageFile"; filename="esp32-cam.jpg"\r\n'
                b'Content-Type: image/jpeg\r\n\r\n' + data
                + b'\r\n--RandomNerd--\r\n')

    connection.request('POST', parts.path, data, headers)
    return connection.getresponse().status

url, name, form, how = sys.argv[1:]

with open(name, 'rb') as file:
    data = file.read()

print((by_requests if how == 'requests' else by_hand)(url, data, form == 'form'))
PYTHON

for my $how ('requests', 'http.client') {
    SKIP: {
        skip "Python's requests are not installed", 8
            if $how eq 'requests'
               && system '/usr/bin/python3 -c "import requests" 2>/dev/null';

        for my $form ('form', 'body') {
            for my $size (0, 500_000) {
                ($jpeg, $file) = fresh($size);

                open my $out, '-|', '/usr/bin/python3', $poster,
                    "$http/publish", $file, $form, $how or die "python3: $!\n";

                my $status = <$out>;

                close $out;

                is $status, "204\n", "Python, $how: a $form";
                arrives($jpeg, "Python, $how: a $form");
            }
        }
    }
}


# clients on WebSocket: told what to do by lines, they tell what happened

my $python = <<'PYTHON';
import asyncio, sys, websockets

async def main():
    loop = asyncio.get_running_loop()

    async with websockets.connect(sys.argv[1], max_size=None) as ws:
        print('open', flush=True)

        while True:
            reads = asyncio.ensure_future(
                loop.run_in_executor(None, sys.stdin.readline))
            await asyncio.wait([reads, asyncio.ensure_future(
                                           ws.wait_closed())],
                               return_when=asyncio.FIRST_COMPLETED)

            if ws.close_code is not None:
                print('closed', ws.close_code, flush=True)

            line = (await reads).rstrip('\n')

            if line.startswith('picture '):
                with open(line[8:], 'rb') as f:
                    await ws.send(f.read())

            elif line.startswith('text '):
                await ws.send(line[5:])

            else:
                break

    print('left', ws.close_code, flush=True)

try:
    asyncio.run(main())
except BrokenPipeError:
    pass
except websockets.exceptions.InvalidHandshake as e:
    response = getattr(e, 'response', e)
    print('refused', response.status_code, flush=True)
PYTHON

my $node = <<'NODE';
const { WebSocket } = require('ws');
const { readFileSync } = require('node:fs');
const lines = require('node:readline').createInterface(process.stdin);
const ws = new WebSocket(process.argv[2]);

ws.on('unexpected-response', (request, { statusCode }) => {
    console.log(`refused ${statusCode}`);
    process.exit();
});
ws.on('error', (error) => console.log(`error ${error.message}`));
ws.on('open', () => console.log('open'));
ws.on('close', (code) => {
    console.log(`${leaving ? 'left' : 'closed'} ${code}`);

    if (leaving) {
        process.exit();
    }
});

let leaving = false;

lines.on('line', (line) => {
    if (line.startsWith('picture ')) {
        ws.send(readFileSync(line.slice(8)));

    } else if (line.startsWith('text ')) {
        ws.send(line.slice(5));

    } else if (ws.readyState === WebSocket.OPEN) {
        leaving = true;
        ws.close(1000);

    } else {
        process.exit();
    }
});
NODE

my %programs = (
    'Python websockets' => [ '/usr/bin/python3', spill('send.py', $python) ],
    'npm ws' => [ 'node', spill('send.js', $node) ],
);

my %missing = (
    'Python websockets' => scalar
        system('/usr/bin/python3 -c "import websockets" 2>/dev/null'),
    'npm ws' => scalar system(q(node -e 'require("ws")' 2>/dev/null)),
);


# { in, out, pid }; says is its next line

sub start {
    my ($name, $url) = @_;

    pipe my $read, my $in or die "pipe: $!\n";

    my $pid = open my $out, '-|';

    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        close $in;
        open STDIN, '<&', $read;
        exec 'timeout', 60, @{$programs{$name}}, $url or POSIX::_exit(127);
    }

    close $read;
    $in->autoflush(1);

    return { in => $in, out => $out };
}


sub order {
    my ($client, @lines) = @_;

    print {$client->{in}} map { "$_\n" } @lines;
}


sub says {
    my ($client) = @_;

    return (readline($client->{out}) // 'nothing') =~ s/\n//r;
}


# in this order: it goes when it has no more to read

sub end {
    my ($client) = @_;

    close $client->{in};
    close $client->{out};
}


sub publishes {
    my ($name, $url) = @_;

    my $client = start($name, $url);

    is says($client), 'open', "$name: connected";

    for my $size (0, 70_000, 2_000_000) {
        ($jpeg, $file) = fresh($size);
        order($client, "picture $file");
        arrives($jpeg, sprintf '%s: a picture of %d bytes', $name,
                length $jpeg);
    }

    my $json = qq({"by": "$name", "scores": [0.5, -1e3], "ok": true});

    order($client, "text $json");
    result($json, $name);

    order($client, 'text "a string"');
    result('"a string"', "$name: a string");

    return $client;
}


sub leaves {
    my ($name, $client) = @_;

    order($client, 'bye');
    is says($client), 'left 1000', "$name: leaves";
    end($client);
}


for my $name (sort keys %programs) {
    SKIP: {
        skip "$name is not installed", 1 if $missing{$name};

        my $client = publishes($name, "$ws/publish");

        # one at a time: it is theirs until they leave

        is curl('-T', $file, "$http/publish"), 409,
            "$name publishes, curl may not";

        for my $other (grep { !$missing{$_} } sort keys %programs) {
            my $second = start($other, "$ws/publish");

            is says($second), 'open', "$other, beside $name";
            is says($second), 'closed 1008', 'is told';

            order($second, 'bye');
            end($second);
        }

        ($jpeg, $file) = fresh();
        order($client, "picture $file");
        arrives($jpeg, "$name: undisturbed");

        leaves($name, $client);

        ($jpeg, $file) = fresh();
        ok wait_for { curl('-T', $file, "$http/publish") =~ /^20[14]$/ },
            'then curl may again';
        arrives($jpeg, "curl after $name");

        # no JPEG, no JSON

        for my $bad ("picture " . spill('text', 'no picture'), 'text {"open"') {
            $client = undef;

            wait_for {
                end($client) if $client;
                $client = start($name, "$ws/publish");
                says($client) eq 'open';
            };

            order($client, $bad);
            is says($client), 'closed 1007', "$name: " . substr $bad, 0, 7;
            order($client, 'bye');
            end($client);
        }
    }
}


# with a password

($jpeg, $file) = fresh();
is curl('-T', $file, "$http/guarded"), 401, 'curl: a password is wanted';
is curl('-T', $file, '-u', 'me:wrong', "$http/guarded"), 401, 'not this one';
ok wait_for { curl('-T', $file, '-u', 'me:right', "$http/guarded")
              =~ /^20[14]$/ }, 'the right one';
arrives($jpeg, 'curl: with a password');

for my $name (sort keys %programs) {
    SKIP: {
        skip "$name is not installed", 1 if $missing{$name};

        my $stranger = start($name, "$ws/guarded");

        is says($stranger), 'refused 401', "$name: a password is wanted";
        end($stranger);

        my $client = publishes($name, $ws =~ s{//}{//me:right\@}r
                                      . '/guarded');

        leaves($name, $client);
    }
}

$nginx->stop;

done_testing;
