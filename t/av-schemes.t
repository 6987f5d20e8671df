#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Streams that come in other ways than RTSP and HTTP: through a FIFO, whose
# writer may come late and come back, and by UDP, SRT and RTMP.  What is in
# them opens nothing else; what a server wants and libavformat cannot do is
# told as such; and no piece of a password is in the log, whatever libavformat
# has taken it for.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use POSIX qw(mkfifo);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Film;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

plan skip_all => 'the plugin is not built'
    unless plugin(Vidcast::Nginx->modules);

my %children;

END { kill 'KILL', keys %children if %children }

my $nginx = Vidcast::Nginx->new(ports => 7, http => <<'CONF');
    vidcast_source fifo { input pipe:html/fifo timeout=1s; }
    vidcast_source list { input pipe:html/list timeout=1s; }
    vidcast_source film { input pipe:html/film.ts; }
    vidcast_source file { input file:html/other; }
    vidcast_source udp { input udp://127.0.0.1:%%PORT1%%; }
    vidcast_source srt { input srt://127.0.0.1:%%PORT2%%?passphrase=secret1234; }
    vidcast_source rtmp { input rtmp://127.0.0.1:%%PORT3%%/live/film?key=secret; }
    vidcast_source host { input rtsp://me:secret@secret.invalid/; }
    vidcast_source digest { input rtsp://me:secret@127.0.0.1:%%PORT4%%/; }
    vidcast_source no_tcp { input rtsp://127.0.0.1:%%PORT5%%/; }
    vidcast_source no_udp { input rtsp://127.0.0.1:%%PORT5%%/ transport=udp; }

    vidcast_source keyless { input pipe:html/keyless timeout=1s; }
    vidcast_source nobody { input rtsp://127.0.0.1:%%PORT6%%/wrong; }
    vidcast_source wrong { input rtsp://me:secret@127.0.0.1:%%PORT6%%/wrong; }
    vidcast_source loop { input rtsp://me:secret@127.0.0.1:%%PORT6%%/loop; }
    vidcast_source away { input rtsp://me:secret@127.0.0.1:%%PORT6%%/away; }
    vidcast_source near { input rtsp://me:secret@127.0.0.1:%%PORT6%%/near; }
    vidcast_source other { input rtsp://me:secret@127.0.0.1:%%PORT6%%/other; }
    vidcast_source page { input rtsp://me:secret@127.0.0.1:%%PORT6%%/page; }
    vidcast_source closed { input rtsp://me:secret@127.0.0.1:%%PORT6%%/closed; }
    vidcast_source latin { input rtsp://me:secret@127.0.0.1:%%PORT6%%/latin; }

    server {
        listen 127.0.0.1:%%PORT%%;
        location = /status { vidcast_status; }
        location = /fifo.jpg { vidcast fifo as=snapshot; }
    }
CONF

push @{$nginx->{allow}}, qr/\[crit\] .* is (?:reconnecting:|stale:)/;

my $html = $nginx->prefix . '/html';
my @h264 = qw(-c:v libx264 -bf 0 -g 25);

film("$html/film.ts", 500, @h264);
film("$html/film.mjpeg", 100, qw(-c:v mjpeg -q:v 3 -f mjpeg));

for my $name (qw(fifo list other keyless)) {
    mkfifo("$html/$name", 0666) or die "mkfifo: $!\n";
    chmod 0666, "$html/$name";
}

# asks each time for a digest that is newer than libavformat

rtsp($nginx->port(4), sub {
    return $_[0] eq 'OPTIONS' ? "200 OK\r\nPublic: DESCRIBE\r\n"
        : "401 Unauthorized\r\nWWW-Authenticate: Digest "
          . qq(realm="a", nonce="b", algorithm=SHA-256\r\n);
});

# has no transport at all

rtsp($nginx->port(5), sub {
    return $_[0] eq 'SETUP' ? "461 Unsupported Transport\r\n"
        : $_[0] ne 'DESCRIBE' ? "200 OK\r\nPublic: DESCRIBE, SETUP\r\n"
        : ("200 OK\r\nContent-Type: application/sdp\r\n",
           "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
           . "m=video 0 RTP/AVP 26\r\na=control:video\r\n");
});

# sends to other places, the one to ask at being one of them, or is odd

my $basic = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\n";
my $moved = "302 Moved\r\nLocation:";
my $port = $nginx->port(6);

my %odd = (
    wrong => $basic,
    ask => $basic,
    loop => "$moved rtsp://127.0.0.1:$port/loop\r\n",
    near => "$moved rtsp://127.0.0.1:$port/ask\r\n",
    away => "$moved rtsp://localhost:$port/ask\r\n",
    other => "$moved http://127.0.0.1:$port/\r\n",
    latin => "500 b\xf6se\r\n",
);

rtsp($port, sub {
    my ($method, $request) = @_;
    my ($path) = $request =~ m{^\S+ rtsp://[^/]+/(\w+)};

    return if $path eq 'closed';

    return 'page' if $path eq 'page';
    return "200 OK\r\nPublic: DESCRIBE\r\n" if $method eq 'OPTIONS';
    return "453 Not Enough Bandwidth\r\n"
        if $path eq 'ask' && $request =~ /^Authorization: Basic /mi;

    return $odd{$path};
});

child(sending('mpegts', 'udp://127.0.0.1:' . $nginx->port(1)));
child(sending('mpegts', 'srt://127.0.0.1:' . $nginx->port(2)
                        . '?mode=listener&passphrase=secret1234'));
child(sending('flv', '-listen', '1',
              'rtmp://127.0.0.1:' . $nginx->port(3) . '/live/film'));

$nginx->start;

for my $name (qw(udp srt rtmp)) {
    ok wait_for(sub { source($nginx, $name)->{published} >= 25 }, 30),
        "$name: pictures come" or diag source($nginx, $name)->{error};
    is source($nginx, $name)->{width}, 160, "$name: of their size";
}


# nobody has written yet; one writes, and leaves; another one comes back

{
    is source($nginx, 'fifo')->{state}, 'starting',
        'FIFO: it is waited for a writer';

    my $film = child('sh', '-c',
        "exec ffmpeg -v error -nostdin -re -i $html/film.ts -c copy -f mpegts"
        . " - > $html/fifo 2>&-");

    ok live($nginx, 'fifo'), 'FIFO: live as soon as there is one';
    is get($nginx->port, '/fifo.jpg')->{status}, 200, 'FIFO: a picture';

    kill 'KILL', $film;

    ok told('fifo', qr/^the stream has ended$/), 'FIFO: the writer left';

    my $before = source($nginx, 'fifo')->{published};

    child('sh', '-c', "exec cat $html/film.mjpeg > $html/fifo");

    ok wait_for(sub { source($nginx, 'fifo')->{published} > $before }),
        'FIFO: another one, with another codec';
}


# one that plays a list would open what it names

{
    open my $list, '>', "$html/m3u8" or die "open: $!\n";
    print $list "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n",
        "file://$html/film.ts\n" x 60, "#EXT-X-ENDLIST\n";
    close $list;

    child('sh', '-c', "exec cat $html/m3u8 > $html/list");

    ok told('list', qr/^could not be opened: (?!nothing)|^no picture/),
        'a list in a FIFO opens no file, ' . source($nginx, 'list')->{error};
    is source($nginx, 'list')->{published}, 0, 'no picture of it';
}

# pictures that refer to one which never comes

child('sh', '-c', "exec ffmpeg -v error -nostdin -re -stream_loop -1"
      . " -i $html/film.ts -c copy -bsf:v filter_units=remove_types=5"
      . " -f mpegts - > $html/keyless 2>&-");

ok told('keyless', qr/^no key frame for 2000 ms in what came$/),
    'no key frame, ' . source($nginx, 'keyless')->{error};
is source($nginx, 'keyless')->{published}, 0, 'no picture without one';

ok told('film', qr/^it is no FIFO; "file:" reads it$/), 'no FIFO';
ok told('file', qr/^it is a FIFO, which "pipe:" reads$/), 'no file';


# what libavformat would tell, and what it cannot do

ok told('host', qr/^could not be opened: \S.*\(host: [^)]+\)$/),
    'no host, ' . source($nginx, 'host')->{error};
ok told('digest', qr/digest by SHA-256, and libavformat knows only MD5$/),
    'another digest, ' . source($nginx, 'digest')->{error};
ok told('no_tcp', qr/does not send by TCP; use "transport=udp"$/),
    'no TCP, ' . source($nginx, 'no_tcp')->{error};
ok told('no_udp', qr/does not send by UDP; use "transport=tcp"$/),
    'no UDP, ' . source($nginx, 'no_udp')->{error};

my %told = (
    wrong => qr/: 401 Unauthorized, user or password is wrong$/,
    nobody => qr/: 401 Unauthorized, it asks for user and password$/,
    loop => qr/: redirects without end$/,
    away => qr/: 401 \S+, a redirect to another server, which is told no user/,
    near => qr/: method DESCRIBE failed: 453 Not Enough Bandwidth$/,
    other => qr/: a redirect to what is not RTSP$/,
    page => qr/: the answer of the server is not one of RTSP$/,
    closed => qr/: the server closed the connection without an answer$/,
    latin => qr/: method DESCRIBE failed: 500 b\?se$/,
);

for my $name (sort keys %told) {
    ok told($name, $told{$name}), "$name: " . source($nginx, $name)->{error};
}

is scalar(grep { /secret/ } $nginx->error_log,
          get($nginx->port, '/status')->{body}), 0,
    'no secret in the log or the status';

for my $pid (keys %children) {
    kill 'KILL', $pid;
    waitpid $pid, 0;
}

undef %children;

$nginx->stop;

done_testing;


sub told {
    my ($name, $pattern) = @_;

    return wait_for(sub { source($nginx, $name)->{error} =~ $pattern }, 30);
}


sub sending {
    my ($format, @to) = @_;

    return (qw(ffmpeg -v quiet -nostdin -re -stream_loop -1 -i),
            "$html/film.ts", qw(-c copy -f), $format, @to);
}


sub child {
    my (@command) = @_;

    my $pid = fork;

    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        exec { $command[0] } @command or POSIX::_exit(1);
    }

    $children{$pid} = 1;

    return $pid;
}


# a server of RTSP: $answer->($method) is the status with its headers, and the
# body if there is one

sub rtsp {
    my ($port, $answer) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Proto => 'tcp', Listen => 4, ReuseAddr => 1)
        or die "port $port: $!\n";

    my $pid = fork;

    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        while (my $client = $listen->accept) {
            my $request = '';

            while (my $line = <$client>) {
                $request .= $line;

                next if $line =~ /\S/;

                my ($method) = $request =~ /^(\S+)/;
                my ($cseq) = $request =~ /^(CSeq:.*\n)/mi;
                my ($head, $body) = $answer->($method, $request);

                last if !defined $head;

                if ($head eq 'page') {
                    print $client "HTTP/1.1 400 Bad Request\r\n\r\n";
                    last;
                }

                $body //= '';

                print $client "RTSP/1.0 $head", $cseq,
                    'Content-Length: ', length $body, "\r\n\r\n", $body;
                $request = '';
            }
        }

        POSIX::_exit(0);
    }

    $children{$pid} = 1;

    return $pid;
}
