#!/usr/bin/perl

# Copyright (C) vidcast contributors

# docs/deployment.md tells how to put other people's programs around vidcast:
# proxies, tokens, limits, names, systemd.  People copy that, so each block is
# taken from there and run as it stands, but for ports and the name of the
# service that knows the tokens; and what the text says goes wrong without it
# must go wrong.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Handle;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Client qw(get request);
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $root = "$FindBin::Bin/..";
my $front = 'vidcast_source front { input test: size=64x48 fps=20;'
            . ' predict delay time=1ms; }';

proxies();
haproxy();
filters();
tokens();
limits();
names();
systemd();
python();

done_testing;


# the first block in this language under a heading, or the one after "skip"

sub block {
    my ($heading, $language, $file, $skip) = @_;

    my $text = Vidcast::Nginx::slurp("$root/docs/"
                                     . ($file // 'deployment.md'));

    my ($section) = $text =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms
        or die "no section \"$heading\"\n";
    my @blocks = $section =~ /^```\Q$language\E\n(.*?)^```$/msg;

    return $blocks[$skip // 0] // die "\"$heading\" has no $language\n";
}


# the text with another one in it, which must be there

sub changed {
    my ($text, %changes) = @_;

    for my $from (keys %changes) {
        $text =~ s/\Q$from\E/$changes{$from}/g
            or die "\"$from\" is not in the document\n";
    }

    return $text;
}


sub status {
    my ($port, $path, %args) = @_;

    my $ws = Vidcast::WebSocket->connect($port, $path, %args);

    return $ws->accepted ? 101 : $ws->status // 0;
}


# all that has no end arrives while it goes on

sub streams {
    my ($name, $port, $prefix, @tls) = @_;

    my $scheme = @tls ? 'https' : 'http';
    my $ws = Vidcast::WebSocket->connect($port, "$prefix/live", @tls,
                                  origin => "$scheme://127.0.0.1:$port");

    ok $ws->accepted, "$name: a WebSocket of a page passes";
    is $ws->message->{type}, 'text', "$name: with results";
    is status($port, "$prefix/live", @tls, origin => 'http://127.0.0.1:1'), 403,
        "$name: one of another origin does not";

    my $sse = Vidcast::Stream->open($port, "$prefix/events", @tls);

    ok $sse->event, "$name: SSE" for 1 .. 2;

    my $video = Vidcast::Stream->open($port, "$prefix/video", @tls);

    ok $video->part, "$name: MJPEG" for 1 .. 2;
    is get($port, "$prefix/snapshot", @tls)->{status}, 200, "$name: a snapshot";
}


sub locations {
    return <<'CONF';
location = /live     { vidcast front; }
location = /events   { vidcast front as=sse; }
location = /video    { vidcast front as=mjpeg; }
location = /snapshot { vidcast front as=snapshot; }
location = /address  { return 200 $remote_addr; }
CONF
}


sub proxies {
    my $block = block('Behind another nginx', 'nginx');
    my $location = changed($block, '8080' => '%%PORT1%%');

    my $wrong = changed($location, '$http_host' => '$host',
                        'location /camera/' => 'location /wrong/');
    my $none = changed($location, 'location /camera/' => 'location /none/')
               =~ s/^.*\bHost\b.*\n//mr;

    my $believed = block('Behind another nginx', 'nginx', undef, 1);

    my $nginx = Vidcast::Nginx->new(http => <<"CONF")->start;
    $front
    server { listen 127.0.0.1:%%PORT1%%; $believed @{[locations()]} }
    server { listen 127.0.0.1:%%PORT%%; $location $wrong $none }
CONF

    my $port = $nginx->port;

    streams('nginx', $port, '/camera');

    is get($port, '/camera/address', client => { local => '127.0.0.2' })
        ->{body}, '127.0.0.2', 'nginx: the address is that of the client';

    $nginx->{allow} = [qr/is not allowed for host/];

    for my $path ('/wrong/live', '/none/live') {
        is status($port, $path, origin => "http://127.0.0.1:$port"), 403,
            "nginx: $path: Host has no port, or another one";
    }

    $nginx->stop;
}


sub haproxy {
  SKIP: {
        skip 'no haproxy', 10 if !grep { -x "$_/haproxy" } '/usr/sbin',
                                split /:/, $ENV{PATH};

        local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";

        my $believed = block('Behind another nginx', 'nginx', undef, 1);

        my $nginx = Vidcast::Nginx->new(allow => [qr/is not allowed for host/],
                                        http => <<"CONF")->start;
        $front
        server { listen 127.0.0.1:%%PORT%%; $believed @{[locations()]} }
CONF

        my $port = $nginx->port(1);
        my $prefix = $nginx->prefix;
        my $file = "$prefix/haproxy.cfg";
        my @tls = (client => { tls => { ca => "$prefix/cert.pem" } });

        certificate($prefix);
        spill("$prefix/both.pem",
              join '', map { Vidcast::Nginx::slurp("$prefix/$_.pem") }
                       qw(cert key));

        spill($file, changed(block('Behind HAProxy', 'haproxy'),
                             '8080' => $nginx->port,
                             ':8443' => "127.0.0.1:$port",
                             '/etc/haproxy/camera.pem' => "$prefix/both.pem"));

        my $pid = run("$file.log", qw(haproxy -db -f), $file);

        ok wait_for(sub {
            IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
        }), 'HAProxy takes the document' or diag Vidcast::Nginx::slurp("$file.log");

        streams('HAProxy', $port, '', @tls);

        is get($port, '/address', client => { %{$tls[1]},
                                              local => '127.0.0.2' })
            ->{body}, '127.0.0.2', 'HAProxy: the address is that of the client';

        end($pid);
        $nginx->stop;
    }
}


sub filters {
    my ($brotli) = glob '/usr/*/nginx/modules/ngx_http_brotli_filter_module.so';
    my $block = block('Filters', 'nginx');

    # the documents' lists, and those that a user may add

    $block =~ s/^brotli.*\n//mg if !$brotli;

    my $more = $block =~ s{(_types +)}{$1text/event-stream application/x-ndjson }gr;

    my $nginx = Vidcast::Nginx->new(
        modules => [Vidcast::Nginx->modules, $brotli // ()], http => <<"CONF");
    $front
    server { listen 127.0.0.1:%%PORT%%; $block @{[locations()]}
             location = /status { vidcast_status; } }
    server { listen 127.0.0.1:%%PORT1%%; $more @{[locations()]} }
CONF

    $nginx->start;

    for my $type ('gzip', $brotli ? 'br' : ()) {
        my @headers = (headers => ['Accept-Encoding' => $type]);
        my $port = $nginx->port;

        my $status = request($port, '/status', @headers);

        is $status->{headers}{'content-encoding'}, $type,
            "filters: $type: the status is compressed";

        my $sse = Vidcast::Stream->open($port, '/events', @headers);

        is $sse->header('Content-Encoding'), undef,
            "filters: $type: events are not";
        ok $sse->event, "filters: $type: and come" for 1 .. 2;

        my $packed = Vidcast::Stream->open($nginx->port(1), '/events',
                                           @headers);

        is $packed->header('Content-Encoding'), $type,
            "filters: $type: events are, where a list names them";

        for (1 .. 3) {
            $packed->{content} = '';
            ok $packed->some(sub { length $packed->{content} || undef }),
                "filters: $type: and leave at once";
        }

        my $video = Vidcast::Stream->open($nginx->port(1), '/video', @headers);

        is $video->header('Content-Encoding'), undef,
            "filters: $type: MJPEG is not compressed";
        ok $video->part, "filters: $type: MJPEG comes";
    }

    $nginx->stop;
}


sub tokens {
    my $block = changed(block('Tokens', 'nginx'),
                        'listen 8080' => 'listen 127.0.0.1:%%PORT%%',
                        '127.0.0.1:9000' => '127.0.0.1:%%PORT1%%');

    my $nginx = Vidcast::Nginx->new(http => <<"CONF")->start;
    $front
    $block
    server {
        listen 127.0.0.1:%%PORT1%%;

        location = /check {
            if (\$http_x_token != "r1ght~") { return 403; }
            return 204;
        }
    }
CONF

    my $port = $nginx->port;

    is status($port, '/live?token=r1ght~'), 101, 'tokens: in the query';
    is status($port, '/live?token=wrong'), 403, 'tokens: a wrong one';
    is status($port, '/live'), 403, 'tokens: none';
    is status($port, '/live', headers => [Cookie => 'a=b; token=r1ght~']), 101,
        'tokens: in a cookie';
    is status($port, '/live', headers => [Cookie => 'nottoken=r1ght~']), 403,
        'tokens: in another one';

    my $ws = Vidcast::WebSocket->connect($port, '/live',
        protocol => 'vidcast.v1, token.r1ght~');

    ok $ws->accepted, 'tokens: in the subprotocol';
    is $ws->header('Sec-WebSocket-Protocol'), 'vidcast.v1',
        'tokens: of which the other one is chosen';

    is status($port, '/live', protocol => 'token.r1ght~,vidcast.v1'), 101,
        'tokens: in any order';
    is status($port, '/live', protocol => 'vidcast.v1, token.wrong'), 403,
        'tokens: a wrong one in the subprotocol';
    is status($port, '/live', protocol => 'vidcast.v1, mytoken.r1ght~'), 403,
        'tokens: in another one';

    is status($port, '/live?token=r1ght~', headers => [Cookie => 'token=old']),
        101, 'tokens: that of the query before that of a cookie';

    my $both = get($port, '/live?token=r1ght~',
                   headers => [Accept => 'image/jpeg']);

    is $both->{status}, 200, 'tokens: a snapshot by the query';

    $nginx->stop;
}


sub limits {
    my $block = changed(block('Limits for one address', 'nginx'),
                        'listen 8080' => 'listen 127.0.0.1:%%PORT%%');

    my $nginx = Vidcast::Nginx->new(allow => [qr/limiting connections/],
                                    http => "$front\n$block")->start;
    my $port = $nginx->port;

    my @viewers = map { Vidcast::WebSocket->connect($port, '/live') } 1 .. 8;

    is scalar(grep { $_->accepted } @viewers), 8, 'limits: eight come in';
    is status($port, '/live'), 503, 'limits: the ninth does not';

    shift @viewers;

    ok wait_for(sub { status($port, '/live') == 101 }),
        'limits: until one has left';

    $nginx->stop;
}


sub names {
    my $block = changed(block('Names', 'nginx'),
                        'listen       8080' => 'listen       127.0.0.1:%%PORT%%');

    my $nginx = Vidcast::Nginx->new(http => "$front\n$block")->start;
    my $port = $nginx->port;

    for my $name ('camera.example', '127.0.0.1', 'evil.example') {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $port);

        print $socket "GET /live HTTP/1.1\r\nHost: $name:$port\r\n"
            . "Origin: http://$name:$port\r\nUpgrade: websocket\r\n"
            . "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

        my $line = <$socket> // '';

        like $line, $name ne 'evil.example' ? qr/^HTTP\/1.1 101 / : qr/^$/,
            "names: $name";
    }

    $nginx->stop;
}


# as if systemd had set them, but for what only it may raise

sub systemd {
    my $block = block('systemd', 'ini');
    my @options;

    while ($block =~ /^Limit(\w+)=(\w+)$/mg) {
        my ($name, $value) = (lc $1, $2);

        my $most = hard($name);

        $value = $most if $value eq 'infinity'
                          || $most ne 'unlimited' && $most < $value;

        push @options, "--$name=$value";
    }

    is scalar(@options), 3, 'systemd: there are limits';

    my $nginx = Vidcast::Nginx->new(wrap => ['prlimit', @options],
        http => "$front\nserver { listen 127.0.0.1:%%PORT%%; @{[locations()]} }");

    $nginx->start;

    is status($nginx->port, '/live'), 101, "systemd: it runs by @options";

    $nginx->stop;
}


sub hard {
    my ($name) = @_;

    my ($hard) = `prlimit --$name --noheadings --output=HARD` =~ /(\S+)/
        or die "prlimit does not know \"$name\"\n";

    return $hard;
}


sub python {
    my $program = block('WebSocket', 'python', 'wire-protocol.md');

  SKIP: {
        skip 'no websockets for Python', 3
            if system('/usr/bin/python3 -c "import websockets" 2>/dev/null');

        my $nginx = Vidcast::Nginx->new(http => <<"CONF");
        vidcast_source front { input images:html/large fps=5; frames auto 4m;
                               predict delay time=1ms; }
        server { listen 127.0.0.1:%%PORT%%;
                 location = /live/front { vidcast front send=both; } }
CONF

        # 1.2 million bytes, by comments

        my $picture = Vidcast::Picture::comments(
            Vidcast::Picture::picture(64, 48, 100), ('x' x 60000) x 20);

        mkdir $nginx->prefix . '/html/large';
        spill($nginx->prefix . '/html/large/1.jpg', $picture);

        $nginx->start;

        $program = changed($program, '8080' => $nginx->port);

        my $all = python_says($nginx, $program);

        like $all, qr/^\Q@{[length $picture]}\E bytes of JPEG$/m,
            'Python: a large picture comes';
        like $all, qr/^test$/m, 'Python: and so do results';

        like python_says($nginx, changed($program, 'max_size=None' => 'close_timeout=1')),
            qr/1009/, 'Python: without max_size it closes by 1009';

        $nginx->stop;
    }
}


# until it has had a picture and a result, or ends

sub python_says {
    my ($nginx, $program) = @_;

    my $prefix = $nginx->prefix;

    spill("$prefix/viewer.py", $program);

    my $pid = run("$prefix/viewer.log", '/usr/bin/python3',
                  "$prefix/viewer.py");

    my $ended;

    wait_for {
        my $said = Vidcast::Nginx::slurp("$prefix/viewer.log");

        $ended = waitpid $pid, 1;
        $ended || ($said =~ /JPEG/ && $said =~ /^test$/m);
    };

    end($pid) if !$ended;

    return Vidcast::Nginx::slurp("$prefix/viewer.log");
}


sub run {
    my ($log, @command) = @_;

    spill($log, '');

    my $pid = fork // die "fork: $!\n";

    return $pid if $pid;

    open STDOUT, '>>', $log or exit 1;
    open STDERR, '>>', $log or exit 1;

    exec @command or exit 1;
}


sub end {
    my ($pid) = @_;

    kill TERM => $pid;
    waitpid $pid, 0;
}


sub spill {
    my ($path, $text) = @_;

    open my $fh, '>:raw', $path or die "$path: $!\n";
    print $fh $text;
    close $fh or die "$path: $!\n";
}
