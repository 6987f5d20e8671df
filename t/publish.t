#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Pictures and texts by POST and PUT: what curl, a script or a small camera
# does.  What comes in must come out at viewers, byte by byte, and what is
# wrong with it must be told without any harm to others.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(http => <<'CONF')->start;
vidcast_source door   { input push:; frames auto 200k; results 16 1k;
                        stale 500ms; }
vidcast_source torn   { input push: truncated=allow; }
vidcast_source moving { input push:; predict delay time=1ms; }
vidcast_source front  { input test:; }

server {
    listen  127.0.0.1:%%PORT%%;

    location = /status { vidcast_status; }
    location = /ws     { vidcast door send=both; }
    location = /shot   { vidcast door as=snapshot; }
    location = /moving { vidcast moving; }

    location = /torn-shot { vidcast torn as=snapshot; }

    location = /publish { vidcast_publish door; }
    location = /torn    { vidcast_publish torn; }
    location = /move    { vidcast_publish moving; }

    location = /memory {
        client_body_buffer_size  256k;
        vidcast_publish          door;
    }

    # more than a page or two goes through a file of nginx's

    location = /buffer {
        client_body_buffer_size  1k;
        vidcast_publish          door;
    }

    location = /file {
        client_body_in_file_only  clean;
        vidcast_publish           door;
    }

    location = /little {
        client_max_body_size  1k;
        vidcast_publish       door;
    }

    location = /secret {
        auth_basic            "door";
        auth_basic_user_file  %%PREFIX%%/passwords;
        vidcast_publish       door takeover=off;
    }

    location ~ ^/to/(?<name>.*)$ { vidcast_publish $name; }

    location = /mirror {
        mirror      /publish;
        empty_gif;
    }

    # the body has been thrown away by then

    location @again     { vidcast_publish door; }
    location = /refused {
        error_page       415 = @again;
        vidcast_publish  door;
    }

    location = /anybody { vidcast_origin any; vidcast_publish door; }
}
CONF

open my $passwords, '>', $nginx->prefix . '/passwords' or die "passwords: $!\n";
print $passwords "camera:{PLAIN}secret\n";
close $passwords;

my $port = $nginx->port;

sub post {
    my ($path, $body, $type, %args) = @_;

    return request($port, $path, method => $args{method} // 'POST',
        body => $body, headers => [ defined $type ? ('Content-Type' => $type)
                                                  : (),
                                    @{$args{headers} // []} ]);
}

ok wait_for { (source($nginx, 'door')->{error} // '') eq 'no publisher' },
    'nobody has published: it says so';
is source($nginx, 'door')->{state}, 'off', 'and is off';


# a picture, all ways

my $viewer = Vidcast::WebSocket->connect($port, '/ws');
my $shade = 0;
my $last = 0;

for my $way (['/publish', 'image/jpeg'], ['/publish'],
             ['/publish', 'application/octet-stream'],
             ['/publish', 'image/jpeg; charset=binary'],
             ['/publish', 'application/x-www-form-urlencoded'],
             ['/publish', 'image/jpg'], ['/publish', 'image/pjpeg'],
             ['/publish', 'binary/octet-stream'],
             ['/memory', 'image/jpeg'], ['/file', 'image/jpeg'],
             ['/buffer', 'image/jpeg'],
             ['/to/door', 'image/jpeg'])
{
    for my $method (qw(POST PUT)) {
        my ($path, $type) = @$way;
        my $jpeg = comments(picture(64, 48, 16 + 8 * $shade++),
                            'x' x (5000 * ($shade % 3)),
                            'y' x (60000 * ($shade % 3 == 2)));
        my $name = "$method $path, " . length($jpeg) . ' bytes of '
                   . ($type // 'nothing');
        my $response = post($path, $jpeg, $type, method => $method);

        is $response->{status}, 204, $name;
        cmp_ok $response->{headers}{'x-vidcast-frame'}, '>', $last, 'a frame';

        $last = $response->{headers}{'x-vidcast-frame'};

        my $message = $viewer->message('binary');

        ok $message && $message->{data} eq $jpeg, 'a viewer has it';
        is get($port, '/shot')->{body}, $jpeg, 'a snapshot is it';
    }
}

is source($nginx, 'door')->{state}, 'live', 'the source lives';


# a worker that writes a picture to a file, and reads it, serves nobody else

like $nginx->error_log,
    qr{buffered to a temporary file.*"(?:POST|PUT) /buffer },
    'a small buffer that is configured makes nginx write a file';
unlike $nginx->error_log,
    qr{buffered to a temporary file.*"(?:POST|PUT) /publish },
    'by default a picture fits into memory';


# what it became, for what asks

my $jpeg = picture(32, 32, 99);
my $response = post('/publish', $jpeg, 'image/jpeg',
                    headers => [Prefer => 'respond-async',
                                Prefer => 'return=representation']);

is $response->{status}, 201, 'Prefer: 201';
is $response->{headers}{'content-type'}, 'application/json', 'with JSON';
is decode_json($response->{body})->{frame}, $last + 1, 'the number';
is $response->{headers}{'x-vidcast-frame'}, $last + 1, 'as in the header';

# chunks, and one that asks before it sends

for my $case (['chunks', ['Transfer-Encoding' => 'chunked']],
              ['100-continue', [Expect => '100-continue',
                                'Content-Length' => length $jpeg]])
{
    my $client = Vidcast::Client->new(port => $port);

    if ($case->[0] eq 'chunks') {
        my $body = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
            unpack('(a100)*', $jpeg), '';

        $client->ask(method => 'POST', path => '/publish',
                     headers => $case->[1], after => $body);
    } else {
        is $client->ask(method => 'POST', path => '/publish',
                        headers => $case->[1]), 100, 'go on';
        $client->write($jpeg);
        $client->read_head;
    }

    is $client->status, 204, $case->[0];
}

# one connection, one after the other, without waiting for answers

my $line = Vidcast::Client->new(port => $port);

$line->write(join '', map {
    "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: "
    . length($jpeg) . "\r\n\r\n$jpeg"
} 1 .. 20);

is join(' ', map { $line->read_head } 1 .. 20), join(' ', (204) x 20),
    'twenty in a pipeline';

# and at once

my @crowd = map { Vidcast::Client->new(port => $port) } 1 .. 20;

$_->write("POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: "
          . length($jpeg) . "\r\n\r\n$jpeg") for @crowd;

is join(' ', map { $_->read_head } @crowd), join(' ', (204) x 20),
    'twenty at a time';


# without Huffman tables, as webcams send them: they are put in

my $bare = picture(64, 48, 77) =~ s/\xff\xc4\0\x1f.{29}//sr
                               =~ s/\xff\xc4\0\x14.{18}//sr;

is post('/publish', $bare)->{status}, 204, 'without tables';
is length(get($port, '/shot')->{body}), length($bare) + 420, 'they are in';
is substr(get($port, '/shot')->{body}, -20), substr($bare, -20),
    'and the rest stands behind them';
is source($nginx, 'door')->{tables_inserted}, 1, 'counted';


# what scripts and phones put behind a picture is no part of it

my $trailing = 0;

for my $case (["\r\n", 'the end of a line'], ['x' x 100000, 'anything'],
              ["\0\0\0\x18ftypmp42" . pack('C*', 1 .. 255) x 100,
               'the film of a motion photo'],
              ["$jpeg\xff\xd9", 'another picture'],
              ["\0" x 1000, 'zeros, which cameras send', 'uncounted'])
{
    my ($tail, $name, $uncounted) = @$case;

    is post('/publish', $jpeg . $tail)->{status}, 204, "behind it: $name";
    is get($port, '/shot')->{body}, $jpeg, 'cut off';

    $trailing++ if !$uncounted;
    is source($nginx, 'door')->{trailing}, $trailing, 'and counted';
}

my $thumbnail = comments($jpeg, picture(16, 16, 50) . "\xff\xd9");

is post('/publish', "$thumbnail\r\n")->{status}, 204, 'one with a thumbnail';
is get($port, '/shot')->{body}, $thumbnail, 'which has an end of its own';


# forms, as pages, scripts and small cameras send them: the first JPEG in it

sub form {
    my (%args) = @_;

    my $eol = $args{eol} // "\r\n";
    my $body = join '', map {
        my ($headers, $data) = @$_;

        "--$args{boundary}$eol" . join('', map { "$_$eol" } @$headers)
        . $eol . $data . $eol;
    } @{$args{parts}};

    return $body . ($args{open} ? '' : "--$args{boundary}--$eol");
}

my $disposition = 'Content-Disposition: form-data; name=';
my $file = [ qq($disposition"image"; filename="a.jpg"),
             'Content-Type: image/jpeg' ];
my $text = [ [ qq($disposition"name") ], 'front door' ];
my $json = [ [ qq($disposition"meta"), 'Content-Type: application/json' ],
             '{"price": 17.5}' ];
my $small = picture(16, 16, 50);
my $nasty = comments($jpeg, "\r\n--xxBOUNDARYxx\r\n$small\r\n",
                     "--xxBOUNDARYxx--\r\n");

for my $case (['a file', [ [ $file, $jpeg ] ]],
              ['without a type', [ [ [ $file->[0] ], $jpeg ] ]],
              ['of bytes', [ [ [ $file->[0],
                                 'Content-Type: application/octet-stream' ],
                               $jpeg ] ]],
              ['of other bytes', [ [ [ $file->[0],
                                       'Content-Type: binary/octet-stream' ],
                                     $jpeg ] ]],
              ['behind fields', [ $text, $json, [ $file, $jpeg ] ]],
              ['before fields', [ [ $file, $jpeg ], $text, $json ]],
              ['behind another file',
               [ [ [ qq($disposition"a"; filename="a.png"),
                     'Content-Type: image/png' ],
                   "\x89PNG\r\n\x1a\n" . "\0" x 500 ], [ $file, $jpeg ] ]],
              ['the first of two', [ [ $file, $jpeg ], [ $file, $small ] ]],
              ['behind an empty file', [ [ $file, '' ], [ $file, $jpeg ] ]],
              ['with boundaries in it', [ [ $file, $nasty ] ], $nasty],
              ['a large one', [ [ $file, comments($jpeg, 'x' x 60000) ] ],
               comments($jpeg, 'x' x 60000)])
{
    my ($name, $parts, $wanted) = @$case;

    for my $path ('/publish', '/buffer') {
        my $body = form(boundary => 'xxBOUNDARYxx', parts => $parts);
        my $answer = post($path, $body,
                          'multipart/form-data; boundary=xxBOUNDARYxx');

        is $answer->{status}, 204, "a form at $path: $name";
        ok get($port, '/shot')->{body} eq ($wanted // $jpeg), 'it is shown';
    }
}

for my $case (['a boundary in quotes', '"a b:c"', 'a b:c'],
              ['dashes', '----WebKitFormBoundary7MA', '----WebKitFormBoundary7MA'],
              ['without CR', 'x1234567890', 'x1234567890', eol => "\n"],
              ['without its end', 'x1234567890', 'x1234567890', open => 1])
{
    my ($name, $announced, $boundary, %args) = @$case;
    my $body = form(boundary => $boundary, parts => [ $text, [ $file, $jpeg ] ],
                    %args);

    is post('/publish', $body, "multipart/form-data; boundary=$announced")
       ->{status}, 204, "a form: $name";
    is get($port, '/shot')->{body}, $jpeg, 'it is shown';
}

is post('/publish', form(boundary => 'x123456', parts => [ [ $file, $jpeg ] ]),
        'Multipart/Form-Data')->{status}, 204, 'a form that tells no boundary';

my $frames = qr/^larger than the 204800 bytes that a frame .*see "frames"$/;
my $results = qr/^larger than the 1024 bytes that a result .*see "results"$/;

for my $case ([400, 'fields alone', qr/^a form without a JPEG$/,
               [ $text, $json ]],
              [400, 'nothing', qr/^a form without a JPEG$/, []],
              [400, 'PNG', qr/^a form without a JPEG$/,
               [ [ $file, "\x89PNG\r\n\x1a\n" . "\0" x 500 ] ]],
              [400, 'a JPEG that was cut', qr/^a truncated JPEG: its end is/,
               [ [ $file, substr $jpeg, 0, -2 ] ]],
              [413, 'a picture that is larger than a slot', $frames,
               [ [ $file, comments($jpeg, ('x' x 60000) x 4) ] ]],
              [413, 'fields without end', $frames,
               [ [ $text->[0], 'x' x 280000 ], [ $file, $jpeg ] ]])
{
    my ($status, $name, $like, $parts) = @$case;
    my $refused = source($nginx, 'door')->{published_by}{refused};
    my $answer = post('/publish', form(boundary => 'xxBOUNDARYxx',
                                       parts => $parts),
                      'multipart/form-data; boundary=xxBOUNDARYxx');

    is $answer->{status}, $status, "$status: a form, $name";
    like $answer->{body}, $like, 'it says why';
    is source($nginx, 'door')->{published_by}{refused}, $refused + 1,
        'and is counted';
}


# one that was cut off, where that is allowed

is post('/torn', substr($jpeg, 0, -2))->{status}, 204, 'the end is missing';
is get($port, '/torn-shot')->{body}, $jpeg, 'and is put behind it';
is source($nginx, 'torn')->{truncated}, 1, 'counted';
is post('/torn', substr($jpeg, 0, 40))->{status}, 400, 'nothing to be shown';


# texts

$viewer = Vidcast::WebSocket->connect($port, '/ws');
$viewer->message('binary');

my $frame = source($nginx, 'door')->{frame};

for my $case (['application/json', '{"price": 17.5}', '{"price": 17.5}'],
              ['application/json; charset=utf-8', '[1,2,{"a":null}]'],
              ['text/plain', '"hello"'], ['text/json', ' 17 ', '17'],
              ['application/json', "{\n\t\"a\":\r\n  \"b\"\n}\n",
               '{  "a":    "b" }'],
              ['application/json', '123456789012345678901234567890'],
              ['application/json', '"\u0000"'], ['application/json', 'true'])
{
    my ($type, $text, $told) = @$case;
    my $response = post('/publish', $text, $type);

    is $response->{status}, 204, "a text of $type";

    my $message = $viewer->message('text');
    my $result = decode_json($message->{data});

    is $result->{seq}, $response->{headers}{'x-vidcast-result'}, 'a result';
    is $result->{frame}, $frame, 'of the newest frame';
    is "$result->{source} $result->{status} $result->{v}", 'door ok 1', 'like others';
    cmp_ok abs($result->{ts} - time), '<', 60, 'of now';
    $told //= $text;
    like $message->{data}, qr/,"result":\Q$told\E\}$/,
        'and its text is the same';
}

is decode_json(post('/publish', '{}', 'application/json',
                    headers => [Prefer => 'return=representation'])->{body})
   ->{seq}, source($nginx, 'door')->{result}, 'told, too';


# what is wrong

for my $case (
    [400, '/publish', '', undef, qr/^an empty picture$/, 'nothing'],
    [400, '/publish', 'hello', undef, qr/^text, not a JPEG$/, 'no JPEG'],
    [400, '/publish', '<!DOCTYPE html>', undef, qr/^HTML, /, 'a page'],
    [400, '/publish', "\x89PNG\r\n\x1a\n" . "\0" x 99, undef, qr/^PNG, /, 'PNG'],
    [400, '/publish', substr($jpeg, 0, -2), undef,
     qr/^a truncated JPEG: its end is missing$/, 'one that was cut'],
    [400, '/publish', substr($jpeg, 0, -2) . $jpeg, undef,
     qr/^a truncated JPEG: its end is missing$/, 'one runs into the next'],
    [400, '/publish', "\xff\xd8\xff\xd9", undef, qr/without a picture/,
     'an empty one'],
    [400, '/publish', "\xff" x 5000, undef, qr/^not a JPEG/, 'markers'],
    [400, '/publish', "\xff\xd8\xff\xe0\xff\xff" . "\0" x 100 . "\xff\xd9",
     undef, qr/before its picture begins/, 'a length that is a lie'],
    [400, '/publish', $jpeg =~ s/\xff\xc0/\xff\xc9/r, undef, qr/arithmetic/,
     'arithmetic coding'],
    [400, '/publish', $jpeg =~ s/\xff\xc0\0\x0b\x08/\xff\xc1\0\x0b\x0c/r, undef,
     qr/12 bits/, '12 bits'],
    [400, '/publish', picture(64, 0, 99), undef, qr/DNL/, 'DNL'],
    [400, '/publish', picture(20000, 8, 99), undef, qr/16384/, 'too wide'],
    [400, '/publish', $jpeg =~ s/(\xff\xc0.{3})..../$1@\0@\0/sr, undef,
     qr/64 million pixels/, 'too many pixels'],
    [400, '/publish', '{"a":', 'application/json', qr/^not JSON$/, 'half'],
    [400, '/publish', '', 'application/json', qr/^not JSON$/, 'no text'],
    [400, '/publish', '1 2', 'application/json', qr/^not JSON$/, 'two'],
    [400, '/publish', "1\0", 'application/json', qr/^not JSON$/, 'a null'],
    [400, '/publish', "\"\xff\"", 'text/plain', qr/^not JSON$/, 'no UTF-8'],
    [413, '/publish', 'x' x 204801, undef, $frames, 'a byte too many'],
    [413, '/publish', '"' . 'x' x 1023 . '"', 'text/plain', $results,
     'a text'],
    [413, '/publish', '"' . 'x' x 900 . '"', 'text/plain', $results,
     'a text with what belongs to it'],
    [413, '/little', comments($jpeg, 'x' x 1024), undef, qr/Too Large/,
     'for nginx'],
    [415, '/publish', $jpeg, 'image/png', qr/Unsupported/, 'PNG'],
    [415, '/publish', $jpeg, 'multipart/mixed; boundary=x',
     qr/Unsupported/, 'parts that are no form'],
    [404, '/to/nobody', $jpeg, undef, qr/Not Found/, 'no such source'],
    [404, '/to/front', $jpeg, undef, qr/Not Found/, 'a camera'],
    [404, '/to/', $jpeg, undef, qr/Not Found/, 'no name'],
    [401, '/secret', $jpeg, undef, qr/Authorization/, 'no password'])
{
    my ($status, $path, $body, $type, $like, $name) = @$case;
    my $response = post($path, $body, $type);

    is $response->{status}, $status, "$status: $name";
    like $response->{body}, $like, 'it says why';
}

is post('/publish', "\xff\xd8" . 'x' x 204798)->{status}, 400,
    'as large as a slot: looked at';
is post('/secret', $jpeg, undef, headers => [Authorization => 'Basic '
        . encode_base64('camera:secret', '')])->{status}, 204, 'a password';

my $edge = comments($jpeg, ('x' x 60000) x 3);
my $large = comments($edge, 'x' x (204800 - 4 - length $edge));

is length $large, 204800, 'just as large as a slot';
is post('/publish', $large)->{status}, 204, 'is a frame';
is get($port, '/shot')->{body}, $large, 'and all of it';

my $larger = comments($large =~ s/\xff\xc4\0\x1f.{29}//sr
                             =~ s/\xff\xc4\0\x14.{18}//sr, 'x' x 40);

is post('/publish', $larger)->{status}, 413, 'no room for tables';

# other methods, other sites

for my $method (qw(GET HEAD DELETE PATCH OPTIONS)) {
    my $response = request($port, '/publish', method => $method);

    is $response->{status}, 405, "$method is not allowed";
    is $response->{headers}{allow}, 'POST, PUT', 'these are';
}

is post('/publish', $jpeg, undef,
        headers => [Origin => 'http://evil.example'])->{status}, 403,
    'a page of another site';
is post('/publish', $jpeg, undef,
        headers => [Origin => "http://127.0.0.1:$port"])->{status}, 204,
    'of this one';
is post('/anybody', $jpeg, undef,
        headers => [Origin => 'http://evil.example'])->{status}, 204,
    'of any';


# where nginx may bring a request to by itself

is post('/mirror', $jpeg)->{status}, 405, 'a mirror';
ok $nginx->wait_log(qr/a subrequest cannot publish to vidcast_source "door"/),
    'is no publisher';
is post('/refused', $jpeg, 'image/png')->{status}, 415, 'an error page';
is post('/publish', $jpeg)->{status}, 204, 'and nothing has happened';


# half a body, and never the rest: it keeps nobody from anything

my @slow = map {
    my $client = Vidcast::Client->new(port => $port);

    $client->write("POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: "
                   . "100000\r\n\r\n" . substr $jpeg, 0, 100);
    $client;
} 1 .. 10;

is post('/publish', $jpeg)->{status}, 204, 'beside ten slow ones';


# a predictor sees them

my $watcher = Vidcast::WebSocket->connect($port, '/moving');
my $number = post('/move', $jpeg)->{headers}{'x-vidcast-frame'};
my $result = $watcher->json;

is $result->{frame}, $number, 'predicted';
is $result->{width}, 32, 'of its width';


# and then silence

ok wait_for { source($nginx, 'door')->{state} eq 'off' },
    'off, after a while';
is source($nginx, 'door')->{error}, 'no publisher', 'nobody publishes';
like $nginx->error_log, qr/"door" is stale: no frame for 500 ms/,
    'it was stale before';

my $counts = source($nginx, 'door')->{published_by};

is $counts->{publishers}, 0, 'no publisher now';
cmp_ok $counts->{taken}, '>', 60, 'letters taken';
is $counts->{results}, 9, 'results';
cmp_ok $counts->{refused}, '>', 10, 'refused';
cmp_ok $counts->{bytes}, '>', 500000, 'bytes';

$_->close for @slow;

is source($nginx, 'door')->{dropped}{ring_full}, 0, 'no frame was dropped';
is $viewer->faults, '', 'nothing was wrong at the viewer';

$nginx->stop;

done_testing;
