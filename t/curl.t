#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Cameras by HTTP keep to no rules, and what a browser shows is what their users
# expect to see: each of those here gives its pictures, every one of them whole.
# A camera which answers with one picture is asked again; one which gives none
# is told of in words that say what came instead; and what is no camera of this
# kind is left to the plugin for FFmpeg.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use MIME::Base64 qw(decode_base64);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Film;
use Vidcast::HTTPCamera;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Wait;

my ($module) = grep { m{/ngx_http_vidcast} } Vidcast::Nginx->modules;
my $curl = ($module // '') =~ s{[^/]+$}{vidcast_curl.so}r;
my $av = plugin(Vidcast::Nginx->modules);

plan skip_all => 'the plugin is not built' unless -f $curl;

my $mixed = 'Content-Type: multipart/x-mixed-replace;';
my $ok = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
my $jpeg = "Content-Type: image/jpeg\r\n";
my $length = "Content-Length: %d\r\n";
my $password = 'p@ss:w#rd/1?%';
my $escaped = 'p%40ss%3Aw%23rd%2F1%3F%25';


# streams, by what is odd about them

my %streams = (
    plain         => { },
    no_length     => { part => "--frame\r\n$jpeg\r\n%s\r\n" },
    lf_no_length  => { part => "--frame\nContent-Type: image/jpeg\n\n%s\n" },
    lf            => { part => "--frame\nContent-Type: image/jpeg\n"
                               . "Content-Length: %d\n\n%s\n" },
    close_up      => { part => "--frame\r\n$jpeg\r\n%s" },
    blank_lines   => { part => "\r\n\r\n--frame\r\n$jpeg\r\n%s\r\n\r\n" },
    blank_body    => { part => "--frame\r\n$jpeg$length\r\n\r\n%s\r\n" },
    announced     => { head => "$ok$mixed boundary=--frame\r\n\r\n" },
    four_dashes   => { head => "$ok$mixed boundary=--frame\r\n\r\n",
                       part => "----frame\r\n$jpeg$length\r\n%s\r\n" },
    no_dashes     => { part => "frame\r\n$jpeg$length\r\n%s\r\n" },
    quoted        => { head => "$ok$mixed  boundary=\"frame\"\r\n\r\n" },
    another       => { part => "--image\r\n$jpeg\r\n%s\r\n" },
    no_boundary   => { head => "$ok$mixed\r\n\r\n" =~ s/;//r },
    never         => { part => "$jpeg$length\r\n%s\r\n" },
    not_at_first  => { first => "$jpeg$length\r\n%s\r\n" },
    behind        => { part => "$jpeg$length\r\n%s\r\n--frame\r\n" },
    preamble      => { first => "This is a multipart message.\r\n\r\n"
                                . "--frame\r\n$jpeg\r\n%s\r\n" },
    image_jpg     => { part => "--frame\r\nContent-Type: image/jpg\r\n"
                               . "$length\r\n%s\r\n" },
    parameter     => { part => "--frame\r\nContent-Type: image/jpeg; "
                               . "charset=binary\r\n\r\n%s\r\n" },
    no_type       => { part => "--frame\r\n$length\r\n%s\r\n" },
    no_headers    => { part => "--frame\r\n\r\n%s\r\n" },
    no_blank      => { part => "--frame\r\n%s\r\n" },
    octets        => { part => "--frame\r\nContent-Type: application/"
                               . "octet-stream\r\n\r\n%s\r\n" },
    text          => { part => "--frame\r\nContent-Type: text/plain\r\n\r\n"
                               . "%s\r\n" },
    lower_case    => { part => "--frame\r\ncontent-type:image/jpeg\r\n"
                               . "content-length:%d\r\nx-n:1\r\n\r\n%s\r\n" },
    no_answer_type => { head => "$ok\r\n" },
    wrong_type    => { head => "${ok}Content-Type: text/html\r\n\r\n" },
    last_each     => { part => "--frame\r\n$jpeg\r\n%s\r\n--frame--\r\n" },
    too_short     => { wrong => -300 },
    too_long      => { wrong => 1000 },
    length_zero   => { part => "--frame\r\n${jpeg}Content-Length: 0\r\n\r\n"
                               . "%s\r\n" },
    length_word   => { head => "${ok}Content-Length: unlimited\r\n"
                               . "$mixed boundary=frame\r\n\r\n" },
    length_minus  => { head => "${ok}Content-Length: -1\r\n"
                               . "$mixed boundary=frame\r\n\r\n" },
    length_none   => { head => "${ok}Content-Length: 0\r\n"
                               . "$mixed boundary=frame\r\n\r\n" },
    same_line     => { part => "--frame Content-Type: image/jpeg\r\n\r\n"
                               . "%s\r\n" },
    header_glued  => { part => "--frameContent-Type: image/jpeg\r\n"
                               . "$length\r\n%s\r\n" },
    twice         => { part => "--frame\r\n--frame\r\n$jpeg\r\n%s\r\n" },
    blank_name    => { head => "$ok$mixed boundary =frame\r\n\r\n" },
    blank_inside  => { head => "$ok$mixed boundary=a frame--\r\n\r\n",
                       part => "--a frame--\r\n$jpeg$length\r\n%s\r\n" },
    all_quoted    => { head => "${ok}Content-Type: \"multipart/"
                               . "x-mixed-replace;boundary=frame\"\r\n\r\n",
                       part => "--frame\r\nContent-Type: \"image/jpeg\"\r\n"
                               . "\r\n%s\r\n" },
    icy           => { head => "ICY 200 OK\r\n$mixed boundary=frame\r\n"
                               . "\r\n" },
    chunked       => { chunked => 1, head =>
                       "HTTP/1.1 200 OK\r\n$mixed boundary=frame\r\n"
                       . "Transfer-Encoding: chunked\r\n\r\n" },
    no_status     => { head => '' },
    old           => { head => "HTTP/1.0 200\r\n$mixed boundary=frame\r\n"
                               . "\r\n" },
    bare          => { head => "${ok}Content-Type: video/x-motion-jpeg\r\n"
                               . "\r\n", part => '%s' },
    bare_jpeg     => { head => "$ok$jpeg\r\n", part => '%s' },
    bare_lines    => { head => "$ok$jpeg\r\n", part => "%s\r\n" },
    inside        => { part => "--frame\r\n$jpeg\r\n%s\r\n", picture => sub {
                       comments(Vidcast::HTTPCamera::shot(@_),
                                "a\r\n--frame\r\n\r\n--TEXT\n\xff\xd8\xff\xd9")
                       } },
    trailer       => { picture => sub {
                       Vidcast::HTTPCamera::shot(@_) . "\r\n\0\1<html>junk" } },
    second        => { picture => sub {
                       Vidcast::HTTPCamera::shot(@_) . picture(8, 8, 1) } },
    sound         => { part => "--frame\r\nContent-Type: audio/basic\r\n\r\n"
                               . "noise \xff\xd8\xff\xe0 noise\r\n"
                               . "--frame\r\n$jpeg$length\r\n%s\r\n" },
    turns         => { first => "--frame\r\n$jpeg$length\r\n%s\r\n",
                       part => "--frame\r\n$jpeg\r\n%s\r\n\r\n" },
    one_each      => { count => 1 },
    three_each    => { count => 3 },
    basic         => \&basic,
    digest        => sub { digest(@_, 'MD5', \&md5_hex) },
    digest256     => sub { digest(@_, 'SHA-256', \&sha256_hex) },
    cookie        => \&cookie,
);

my %words = (
    page      => { head => "${ok}Content-Type: text/html; charset=utf-8\r\n\r\n"
                   . "<html>\n<body>Log in</body>\n</html>\n", count => 0 },
    json      => { head => "${ok}Content-Type: application/json\r\n\r\n"
                   . '{"error":5}', count => 0 },
    empty     => { head => "$ok$jpeg\r\n", count => 0 },
    busy      => { head => "HTTP/1.1 503 Too many\r\nContent-Length: 0\r\n\r\n",
                   count => 0 },
    echo      => { head => "${ok}Content-Type: text/plain\r\n\r\n"
                   . "no such key: hushhush", count => 0 },
    cut       => { head => "$ok$mixed boundary=frame\r\n\r\n--frame\r\n",
                   count => 0, end => 'x' },
);

# a server that goes on with what is no picture, and one that says no more

$words{mute} = sub {
    my ($socket) = @_;
    print $socket "$ok$mixed boundary=frame\r\n\r\n";
    sleep 60;
};

$words{sound} = sub {
    my ($socket) = @_;
    print $socket "$ok$mixed boundary=frame\r\n\r\n";

    while (print $socket "--frame\r\nContent-Type: audio/aac\r\n\r\nnoise\r\n")
    {
        Time::HiRes::sleep(0.1);
    }
};

$words{ntlm} = sub { refuse($_[0], 'NTLM') };

# another name of this host is another server

$words{away} = sub {
    my ($socket) = @_;
    my $to = $socket->sockport;

    print $socket "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
        . "Location: http://localhost:$to/basic\r\n\r\n";
    return 1;
};

my %polled = (
    still => sub {
        my ($socket, $request) = @_;

        # it never changes

        if ($request =~ /^If-None-Match: "same"\r$/mi) {
            print $socket "HTTP/1.1 304 Not Modified\r\n\r\n";
            return 1;
        }

        one($socket, picture(64, 48, 99), 'ETag: "same"');
    },
    dated => sub {
        my ($socket, $request) = @_;
        my $date = 'Sat, 28 Nov 2026 12:00:00 GMT';

        if ($request =~ /^If-Modified-Since: $date\r$/mi) {
            print $socket "HTTP/1.1 304 Not Modified\r\n\r\n";
            return 1;
        }

        one($socket, picture(64, 48, 99), "Last-Modified: $date");
    },
    snapshot => sub { one($_[0], picture(64, 48, 20 + $_[2] % 200)) },
    appended => sub { one($_[0], picture(64, 48, 20) . picture(8, 8, 9)) },
);

my $camera = Vidcast::HTTPCamera->start(%streams,
    (map { ("words-$_" => $words{$_}) } keys %words), %polled);
my $port = $camera->port;

# nobody listens there, nor can

my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                   Proto => 'tcp');

my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16,
                                   LocalPort => 0, Proto => 'tcp');

# as many wait to be accepted as may

my $full = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                 LocalPort => 0, Proto => 'tcp');
my @waiting = map {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $full->sockport,
                          Proto => 'tcp', Blocking => 0)
} 1 .. 4;

my $nginx;


# every one of them, at once

my %users = map { $_ => "admin:$escaped\@" } qw(basic digest digest256);

sources((map {
            ("s_$_" => 'http://' . ($users{$_} // '') . "127.0.0.1:$port/$_"
             . ($_ =~ /_each$/ ? ' fps=10' : '')) } keys %streams),
        (map { ("p_$_" => "http://127.0.0.1:$port/$_ fps=10") } keys %polled));

$nginx->start;

for my $name (map({ "s_$_" } sort keys %streams), 'p_snapshot', 'p_appended') {
    ok published($name, 4), "$name: gives pictures"
        or diag source($nginx, $name)->{error};

    my $source = source($nginx, $name);

    is $source->{width} . 'x' . $source->{height}, '64x48', "$name: its own";
    is $source->{dropped}{bad_frame}, 0, "$name: each is whole";

    # behind the end of a picture, where the next one is not waited for

    is $source->{trailing}, 0, "$name: what stands behind it is not counted";

    # on a slow machine three pictures may last as long as a stream

    if ($name eq 's_three_each') {
        ok asked_again($name), "$name: is asked again, and not opened";
        next;
    }

    is $source->{opened}, 1, "$name: is not opened again and again";
}


# "not modified" is an answer: the source is not dead

for my $name (qw(p_still p_dated)) {
    my $path = $name =~ s/^p_//r;

    ok wait_for { $camera->requests($path) >= 20 }, "$name: is asked again";

    my $source = source($nginx, $name);

    is $source->{state}, 'live', "$name: live";
    is $source->{published}, 1, "$name: one picture";
    is $source->{opened}, 1, "$name: it was opened once";
}

$nginx->stop;


# a camera which is silent, or gives something else, and what is told of it

my %told = (
    page => qr{200 text/html, begins "<html> <body>Log in</body> </html>"$},
    json => qr{200 application/json, begins "\{\.error\.:5\}"$},
    empty => qr{200 image/jpeg, and nothing in it$},
    busy => qr{503 Too many$},
    echo => qr{200 text/plain$},
    cut => qr{200 multipart/x-mixed-replace, no picture in it},
    mute => qr{200 multipart/x-mixed-replace, and then nothing for 500 ms$},
    sound => qr{but no picture for 1000 ms, only "audio/aac", begins "--frame},
    missing => qr{404 Not Found$},
    wrong => qr{401 \S+, user or password is wrong$},
    nobody => qr{401 \S+, it asks for user and password$},
    ntlm => qr{401 \S+, it asks neither for basic nor for digest auth},
    away => qr{401 \S+, a redirect to another server, which is told no user},
    full => qr{: the server does not take the connection$},
    closed => qr{: Connection refused$},
    silent => qr{: nothing came for 500 ms$},
    host => qr{: the name of the server is not known$},
);

sources((map {
            ($_ => "http://127.0.0.1:$port/words-$_?key=hushhush timeout=500ms")
        } grep { $_ !~ /^(?:wrong|nobody|ntlm|away|full|closed|silent|host)$/ } keys %told),
        (map {
            ($_ => "http://admin:$escaped\@127.0.0.1:$port/words-$_")
        } qw(ntlm away)),
        full => 'http://127.0.0.1:' . $full->sockport . '/ timeout=500ms',
        wrong => "http://me:hushhush\@127.0.0.1:$port/digest",
        nobody => "http://127.0.0.1:$port/basic",
        closed => 'http://127.0.0.1:' . $closed->sockport . '/',
        host => 'http://me:hushhush@camera.invalid/',
        silent => 'http://127.0.0.1:' . $silent->sockport . '/ timeout=500ms');

$nginx->start;

for my $name (sort keys %told) {
    ok says($name, $told{$name}), "$name: " . source($nginx, $name)->{error};
}

is scalar(grep { /hush/ } $nginx->error_log, get($nginx->port,
          '/status')->{body}), 0, 'no secret in the log or the status';

$nginx->stop;


# by way of a proxy, which nginx's own environment names

{
    my $proxy = Vidcast::HTTPCamera->start(plain => { });

    sources(far => 'http://camera.invalid/plain');
    $nginx->{main} = "env http_proxy=http://127.0.0.1:" . $proxy->port . ';';
    $nginx->start;

    ok wait_for { source($nginx, 'far')->{captured} }, 'by a proxy'
        or diag source($nginx, 'far')->{error};
    like +($proxy->requests('plain'))[0], qr{^GET http://camera\.invalid/plain },
        'the proxy was asked';

    $nginx->stop;
}


# what is no picture is of the next plugin, where there is one

SKIP: {
    skip 'vidcast_av.so is not built', 8 if !$av;

    sources(film => "http://127.0.0.1:%%PORT1%%/film.mp4",
            size => "http://127.0.0.1:$port/plain size=32x24");
    film($nginx->prefix . '/html/film.mp4', 100, qw(-c:v libx264));
    $nginx->start;

    ok wait_for { source($nginx, 'film')->{captured} }, 'a film is played'
        or diag source($nginx, 'film')->{error};
    ok wait_for { source($nginx, 'size')->{captured} }, 'of another size'
        or diag source($nginx, 'size')->{error};
    is source($nginx, 'size')->{width}, 32, 'as it was asked for';

    ok wait_for { source($nginx, 'film')->{state} eq 'ended' }, 'it ends'
        or diag source($nginx, 'film')->{state};

    $nginx->stop;

    # each of the two alone

    my $alone = tempdir('vidcast-alone-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    chmod 0755, $alone;
    copy($module, "$alone/ngx_http_vidcast_module.so") or die "copy: $!\n";
    copy($av, "$alone/vidcast_av.so") or die "copy: $!\n";

    sources(plain => "http://127.0.0.1:$port/plain");
    $nginx->{modules} = [ "$alone/ngx_http_vidcast_module.so" ];
    $nginx->start;

    ok wait_for { source($nginx, 'plain')->{captured} },
        'without vidcast_curl.so the other one serves it';

    $nginx->stop;

    unlink "$alone/vidcast_av.so";
    copy($curl, "$alone/vidcast_curl.so") or die "copy: $!\n";

    sources(plain => "http://127.0.0.1:$port/plain",
            film => "http://127.0.0.1:%%PORT1%%/film.mp4");
    $nginx->{modules} = [ "$alone/ngx_http_vidcast_module.so" ];
    film($nginx->prefix . '/html/film.mp4', 100, qw(-c:v libx264));
    $nginx->start;

    ok wait_for { source($nginx, 'plain')->{captured} },
        'without vidcast_av.so it is served';
    ok says('film', qr{200 video/mp4, begins .*vidcast_av\.so" is not there}),
        'a film is not: ' . source($nginx, 'film')->{error};

    $nginx->stop;

    sources(size => "http://127.0.0.1:$port/plain size=32x24");
    $nginx->{modules} = [ "$alone/ngx_http_vidcast_module.so" ];

    my ($accepted, $text) = $nginx->test_config;

    ok !$accepted && $text =~ /vidcast_av\.so" is not there; it is built/,
        'nor can it change the size';
}

$camera->stop;

done_testing;


sub sources {
    my (%inputs) = @_;

    $nginx = Vidcast::Nginx->new(
        allow => [ qr/\[crit\] .* is reconnecting:/ ]);

    my $blocks = join "\n",
        map { "vidcast_source $_ { input $inputs{$_}; frames 12 64k; }" }
        sort keys %inputs;

    $nginx->{http} = <<"CONF";
    $blocks
    server {
        listen 127.0.0.1:%%PORT%%;
        location = /status { vidcast_status; }
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        types { video/mp4 mp4; }
    }
CONF
}


sub published {
    my ($name, $count) = @_;

    return wait_for {
        (source($nginx, $name)->{published} // 0) >= $count;
    } 60;
}


# more pictures than the answers to as many openings have

sub asked_again {
    my ($name) = @_;

    return wait_for {
        my $source = source($nginx, $name);
        $source->{published} > 3 * $source->{opened};
    } 60;
}


sub says {
    my ($name, $reason) = @_;

    return wait_for {
        (source($nginx, $name)->{error} // '') =~ $reason;
    } 30;
}


sub one {
    my ($socket, $picture, @headers) = @_;

    print $socket join("\r\n", 'HTTP/1.1 200 OK', 'Content-Type: image/jpeg',
                       'Content-Length: ' . length $picture, @headers),
        "\r\n\r\n", $picture;

    return 1;
}


sub refuse {
    my ($socket, $challenge) = @_;

    print $socket "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: $challenge"
        . "\r\nContent-Length: 0\r\n\r\n";

    return 1;
}


sub basic {
    my ($socket, $request) = @_;

    my ($given) = $request =~ /^Authorization: Basic (\S+)\r$/mi;

    return refuse($socket, 'Basic realm="cam"')
        if decode_base64($given // '') ne "admin:$password";

    Vidcast::HTTPCamera::show($socket);
}


sub digest {
    my ($socket, $request, $count, $name, $hash) = @_;

    my ($given) = $request =~ /^Authorization: Digest (.*)\r$/mi;
    my %d = ($given // '') =~ /(\w+)="?([^",]*)/g;

    my $a1 = $hash->("admin:cam:$password");
    my $a2 = $hash->('GET:' . ($d{uri} // ''));
    my $want = $hash->(join ':', $a1, map({ $d{$_} // '' }
                                          qw(nonce nc cnonce qop)), $a2);

    return refuse($socket, "Digest realm=\"cam\", nonce=\"n$count\","
                           . " algorithm=$name, qop=\"auth\"")
        if ($d{response} // '') ne $want;

    Vidcast::HTTPCamera::show($socket);
}


sub cookie {
    my ($socket, $request) = @_;

    if ($request !~ /^Cookie: s=1\r$/mi) {
        print $socket "HTTP/1.1 302 Found\r\nSet-Cookie: s=1; path=/\r\n"
            . "Location: /cookie\r\nContent-Length: 0\r\n\r\n";
        return 1;
    }

    Vidcast::HTTPCamera::show($socket);
}
