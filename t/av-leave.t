#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A capture that leaves while libav waits for a server must not wait with it,
# neither for one that never says a word nor for one that fell silent; and one
# that is served over UDP says goodbye, since its server would else send to
# nobody for as long as it likes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::INET;
use Test::More;

use Vidcast::Film;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;

plan skip_all => 'the plugin is not built'
    unless plugin(Vidcast::Nginx->modules);

# much less than the time-outs of the sources

my $soon = 3;

my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                   Proto => 'tcp', Listen => 16);
my $silent_port = $silent->sockport;

my ($server, $out);

END { kill 'KILL', $server if $server }


# those that connected, and now wait for a word

{
    my %blocks = map {
        $_ => "input $_://127.0.0.1:$silent_port/ timeout=1m"
              . (/s$/ ? ' verify=off;' : ';')
    } qw(rtsp rtsps http https);

    my $nginx = instance(%blocks);
    my @waiting = map { waiting() } keys %blocks;

    is scalar(grep { defined } @waiting), 4, 'all of them are connected';

    my %pid = map { $_ => capture_pid($nginx, $_) } keys %blocks;

    ok $nginx->reload, 'reload';
    is capture_pid($nginx, $_), $pid{$_}, "$_: goes on, unchanged"
        for keys %blocks;

    ok $nginx->reload(http => conf(%blocks, rtsp => 'input test:;')),
        'reload: another input';
    ok wait_for(sub { !kill 0, $pid{rtsp} }, $soon), 'rtsp: left at once';
    ok live($nginx, 'rtsp'), 'rtsp: is the other one';

    delete $blocks{https};

    ok $nginx->reload(http => conf(%blocks)), 'reload: one less';
    ok wait_for(sub { !kill 0, $pid{https} }, $soon), 'https: left at once';

    ok defined waiting(), 'rtsp: connected anew';

    $nginx->stop('QUIT', $soon);

    $nginx = instance(%blocks);
    @waiting = map { waiting() } keys %blocks;

    $nginx->stop('TERM', $soon);
}


# the server is told, whoever decides that it is over

{
    my $port = serve();
    my $udp = "input rtsp://127.0.0.1:$port/mjpeg transport=udp timeout=1m;";
    my $nginx = instance(udp => "$udp on_demand 200ms;");

    my $viewer = Vidcast::Stream->open($nginx->port, '/udp');

    ok $viewer->part(30), 'udp: on demand';
    is said(), 'play /mjpeg', 'the server plays';

    $viewer->close;

    is said(), 'teardown /mjpeg', 'the last viewer left: it is told';
    ok wait_for { source($nginx, 'udp')->{state} eq 'sleeping' },
        'udp: sleeps';

    ok $nginx->reload(http => conf(udp => $udp)), 'reload: always on';
    is said(), 'play /mjpeg', 'the server plays';
    ok live($nginx, 'udp', 30), 'udp: live';

    ok $nginx->reload(http => conf(udp => "$udp stale 9s;")),
        'reload: another configuration';
    is said(), 'teardown /mjpeg', 'the old capture said goodbye';
    is said(), 'play /mjpeg', 'the new one is served';
    ok live($nginx, 'udp', 30), 'udp: live';

    $nginx->stop('QUIT', $soon);
    is said(), 'teardown /mjpeg', 'QUIT: it is told';

    # it stands still while it is read, and hears no goodbye

    for my $signal (qw(QUIT TERM)) {
        $nginx = instance(udp => $udp);
        is said(), 'play /mjpeg', 'the server plays';
        ok live($nginx, 'udp', 30), 'udp: live';

        kill 'STOP', $server;
        $nginx->stop($signal, $soon);
        kill 'CONT', $server;

        is said(), 'teardown /mjpeg', "$signal: it hears it later";
    }

    kill 'KILL', $server;
    waitpid $server, 0;
    undef $server;
}

done_testing;


sub instance {
    return Vidcast::Nginx->new(http => conf(@_),
        allow => [ qr/\[crit\] .* is reconnecting:/ ])->start;
}


sub conf {
    my (%blocks) = @_;

    return join "\n",
        (map { "vidcast_source $_ { $blocks{$_} }" } sort keys %blocks),
        'server { listen 127.0.0.1:%%PORT%%;',
        'location = /status { vidcast_status; }',
        (map { "location = /$_ { vidcast $_ as=mjpeg; }" } sort keys %blocks),
        '}';
}


# one that has connected to the silent server

sub waiting {
    return IO::Select->new($silent)->can_read(remaining(deadline()))
        ? scalar $silent->accept : undef;
}


sub serve {
    my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                     Proto => 'tcp', Listen => 1)->sockport;

    $server = open $out, '-|', "$FindBin::Bin/util/rtsp-server", $port,
        'mjpeg=videotestsrc is-live=true'
        . ' ! video/x-raw,format=I420,width=176,height=144,framerate=25/1'
        . ' ! jpegenc ! rtpjpegpay name=pay0 pt=26'
        or die "rtsp-server: $!\n";

    is said(), 'ready', 'the server is ready';

    return $port;
}


# the next line of the server

sub said {
    my $line = '';

    while ($line !~ /\n/) {
        IO::Select->new($out)->can_read(remaining(deadline(30)))
            or return "nothing, $line";
        sysread($out, $line, 1, length $line) or return 'the end';
    }

    chomp $line;

    return $line;
}
