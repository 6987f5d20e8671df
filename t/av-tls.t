#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What we believe to be the camera: a server whose certificate is not trusted,
# or is of somebody else, gives no picture, not even by a redirect of one that
# is, or by its list of parts; unless it is said that this does not matter.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Film;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;

plan skip_all => 'the plugin is not built'
    unless plugin(Vidcast::Nginx->modules);

my ($server, $out);

END { kill 'KILL', $server if $server }

my $nginx = Vidcast::Nginx->new(
    allow => [ qr/\[crit\] .* is reconnecting:/ ]);

my $prefix = $nginx->prefix;
my ($good, $bad, $other, $rtsps) = map { $nginx->port($_) } 0 .. 3;
my $ca = 'ca=good/cert.pem';

mkdir "$prefix/$_" for qw(good bad other);

certificate("$prefix/good");
certificate("$prefix/bad");
certificate("$prefix/other", 'DNS:camera.example');

my $html = "$prefix/html";

film("$html/film.mp4", 100, qw(-c:v libx264));

mkdir "$html/$_" for qw(own foreign);

my @hls = qw(-c:v libx264 -g 25 -f hls -hls_time 1 -hls_list_size 0);

film("$html/own/list.m3u8", 100, @hls);
film("$html/foreign/list.m3u8", 100, @hls,
     '-hls_base_url', "https://127.0.0.1:$bad/foreign/");

my %inputs = (

    # of one that is trusted

    mjpeg => "https://me:secret\@127.0.0.1:$good/auth?key=secret $ca",
    film => "https://127.0.0.1:$good/film.mp4 $ca",
    parts => "https://127.0.0.1:$good/own/list.m3u8 ca=$prefix/good/cert.pem",
    there => "http://127.0.0.1:%%PORT4%%/there $ca",

    # nobody asks

    any => "https://127.0.0.1:$bad/film.mp4 verify=off",
    any_name => "https://127.0.0.1:$other/film.mp4 verify=off",
    any_parts => "https://127.0.0.1:$good/foreign/list.m3u8 verify=off",

    # of one that is not

    system => "https://me:secret\@127.0.0.1:$good/auth?key=secret",
    unknown => "https://127.0.0.1:$bad/film.mp4 $ca",
    name => "https://127.0.0.1:$other/film.mp4 ca=other/cert.pem",
    sent_on => "https://127.0.0.1:$good/away $ca",
    http => "http://127.0.0.1:%%PORT4%%/away $ca",
    foreign => "https://127.0.0.1:$good/foreign/list.m3u8 $ca",

    camera => 'test: size=160x96 fps=20',
);

my $locations = <<'CONF';
    location = /status { vidcast_status; }
    location = /camera { vidcast camera as=mjpeg; }
    location = /auth {
        if ($http_authorization != "Basic bWU6c2VjcmV0") {
            add_header WWW-Authenticate 'Basic realm="here"' always;
            return 401;
        }
        if ($arg_key != "secret") { return 403; }
        rewrite ^ /camera;
    }
CONF

$nginx->{ports} = 5;
$nginx->{port}[4] = free_port();
$nginx->{http} = join "\n",
    (map { "vidcast_source $_ { input $inputs{$_}; }" } sort keys %inputs),
    "server { listen 127.0.0.1:%%PORT4%%; $locations",
    "location = /there { return 302 https://127.0.0.1:$good/film.mp4; }",
    "location = /away { return 302 https://127.0.0.1:$bad/film.mp4; } }",
    "server { listen 127.0.0.1:$good ssl; $locations",
    'ssl_certificate good/cert.pem; ssl_certificate_key good/key.pem;',
    "location = /away { return 302 https://127.0.0.1:$bad/film.mp4; } }",
    (map {
        "server { listen 127.0.0.1:" . ($_ eq 'bad' ? $bad : $other) . ' ssl;'
        . " ssl_certificate $_/cert.pem; ssl_certificate_key $_/key.pem; }"
    } qw(bad other));

$nginx->start;

for my $name (qw(mjpeg film parts there any any_name any_parts)) {
    ok wait_for { of($name)->{captured} }, "$name: gives pictures";
}

# in the words of either plugin

my $trust = qr/certificate failed verification|server is not trusted/;

my %why = (system => $trust,
           unknown => $trust,
           name => qr/owner does not match hostname|is of another name/,
           sent_on => $trust,
           http => $trust,
           foreign => qr/could not be opened|no picture in it/);

for my $name (sort keys %why) {
    ok wait_for { of($name)->{state} eq 'reconnecting' },
        "$name: is refused";
    like of($name)->{error}, $why{$name}, "$name: the reason";
    is of($name)->{captured}, 0, "$name: no picture";
}


# another certificate in the same file is another configuration

{
    my $pid = capture_pid($nginx, 'unknown');
    my $other_pid = capture_pid($nginx, 'any');

    system("cat $prefix/bad/cert.pem >> $prefix/good/cert.pem") == 0 or die;

    ok $nginx->reload, 'reload';
    ok wait_for { of('unknown')->{captured} }, 'now it is trusted';
    is capture_pid($nginx, 'any'), $other_pid, 'one that did not ask goes on';

    # the old one, which tries again meanwhile, reads the same file

    ok wait_for { capture_pid($nginx, 'unknown') !~ /^$|\b$pid\b/ },
        'one that did is a new one';
}

# but for the log of the server, which was told

is scalar(grep { /secret/ && !/ request: / } split(/\n/, $nginx->error_log),
          get($nginx->port(4), '/status')->{body}), 0,
    'no secret in the log or the status';

$nginx->stop;


# RTSP inside of TLS

$nginx = Vidcast::Nginx->new(
    allow => [ qr/\[crit\] .* is reconnecting:/, qr/cannot verify/ ]);

certificate($nginx->prefix);
serve();

$nginx->write_config(http => rtsps(''));

my ($ok, $text) = $nginx->test_config;

if ($ok) {
    pass 'rtsps: libavformat can verify';

} else {
    like $text, qr/\[emerg\] invalid input "rtsps:[^"]+": this libavformat, /,
        'rtsps: the certificate cannot be verified';
    like $text, qr/ "verify=off" does without in \S+:\d+\n/,
        'rtsps: not without saying so';
    unlike $text, qr/secret/, 'rtsps: the password is not told';
}

$nginx->write_config(http => rtsps('verify=off'));
$nginx->start;

ok live($nginx, 'door', 30), 'rtsps: live';
is source($nginx, 'door')->{encode_ms}, 0, 'rtsps: MJPEG passes';

kill 'KILL', $server;
waitpid $server, 0;
undef $server;

ok wait_for { source($nginx, 'door')->{state} eq 'reconnecting' },
    'rtsps: reconnecting, ' . source($nginx, 'door')->{error};
is scalar(grep { /secret/ } $nginx->error_log, get($nginx->port,
          '/status')->{body}), 0, 'no secret in the log or the status';

$nginx->stop;

done_testing;


sub of {
    return source($nginx, $_[0], 4);
}


sub free_port {
    return IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                 Proto => 'tcp', Listen => 1)->sockport;
}


sub rtsps {
    my ($params) = @_;

    return <<"CONF";
    vidcast_source door {
        input rtsps://me:secret\@127.0.0.1:$rtsps/mjpeg $params;
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        location = /status { vidcast_status; }
    }
CONF
}


sub serve {
    $server = open $out, '-|', "$FindBin::Bin/util/rtsp-server", $rtsps,
        '--tls=' . $nginx->prefix, 'mjpeg=videotestsrc is-live=true'
        . ' ! video/x-raw,format=I420,width=176,height=144,framerate=25/1'
        . ' ! jpegenc ! rtpjpegpay name=pay0 pt=26'
        or die "rtsp-server: $!\n";

    my $line = <$out> // '';

    is $line, "ready\n", 'the RTSP server is ready';
}
