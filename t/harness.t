#!/usr/bin/perl

# Copyright (C) vidcast contributors

# The other tests are as good as t/lib: its checks must be able to fail.  An
# alert in the log, a process left behind, a wrong frame, half a picture are
# made here on purpose and must be found; what a dying test started must end.
# Needs nginx only, not the module.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket;
use POSIX qw(WNOHANG);
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket qw(frame gather);

my $server = 'server { listen 127.0.0.1:%%PORT%%; location / { return 200; } }';


sub nginx {
    return Vidcast::Nginx->new(modules => [], http => $server, @_);
}


# the verdict of stop(), kept out of our own results

sub verdict {
    my ($nginx, $seconds) = @_;

    no warnings 'redefine';

    my @verdict;

    local *Test::More::is = sub { push @verdict, $_[0]; $_[0] eq $_[1] };
    local *Test::More::diag = sub { };

    $nginx->stop('QUIT', $seconds);

    return $verdict[0];
}


# a zombie is gone: what adopts it may be slow to ask

sub gone {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/stat" or return 1;

    return (<$fh> // ') Z') =~ /\) [ZX]/;
}


alarm 120;

my $nginx = nginx(workers => 2)->start;

is_deeply [map { $_->{kind} } $nginx->processes], [qw(master worker worker)],
    'the processes of an instance';
is get($nginx->port, '/')->{status}, 200, 'a response';

my $other = nginx()->start;

is scalar(my @two = $other->processes), 2, 'the other instance has its own';
is verdict($other), '', 'a clean end';
ok !-d $other->prefix, 'its directory is gone';
is scalar(@two = $other->processes), 0, 'nothing runs';

my %old = map { $_->{pid} => 1 } $nginx->processes('worker');

ok $nginx->reload, 'reload';
is scalar(grep { $old{$_->{pid}} } $nginx->processes('worker')), 0,
    'new workers';

my ($worker) = $nginx->processes('worker');

$nginx->signal('KILL', $worker->{pid});
ok $nginx->wait_log(qr/exited on signal 9/), 'the log is read';
like verdict($nginx), qr/\[alert\].*exited on signal 9/, 'an alert is found';

$nginx = nginx(allow => [qr/exited on signal 9/])->start;
$nginx->signal('KILL', ($nginx->processes('worker'))[0]{pid});
$nginx->wait_log(qr/exited on signal 9/);
is verdict($nginx), '', 'an allowed one is not';

$nginx = nginx()->start;

# a child in a session of its own that holds the log open

my $child = fork // die "fork: $!\n";

if ($child == 0) {
    POSIX::setsid();
    open STDERR, '>>', $nginx->prefix . '/logs/error.log';
    exec 'sleep', 1000;
}

ok wait_for { grep { $_->{title} =~ /^sleep/ } $nginx->processes },
    'a process with a session of its own is seen';
like verdict($nginx, 1), qr/still there: $child sleep/, 'a left one is found';
is waitpid($child, WNOHANG), $child, 'and ended';

$nginx = nginx(single => 1)->start;
is_deeply [map { $_->{kind} } $nginx->processes], ['single'], 'no master';
is verdict($nginx), '', 'a clean end';

my ($ok, $output) = nginx(http => 'bogus;')->test_config;
ok !$ok && $output =~ /unknown directive "bogus"/, 'a wrong configuration';
ok !eval { nginx(http => 'bogus;')->start; 1 }, 'does not start';
like $@, qr/unknown directive "bogus"/, 'and says why';


# a test that dies in the middle

pipe my $read, my $write or die "pipe: $!\n";
my $lib = "$FindBin::Bin/lib";
my $pid = fork // die "fork: $!\n";

if ($pid == 0) {
    open STDOUT, '>&', $write;
    open STDERR, '>', '/dev/null';
    exec $^X, "-I$lib", '-MVidcast::Nginx', '-e', <<"PERL";
\$| = 1;
\$n = Vidcast::Nginx->new(modules => [], http => '$server')->start;
print join(' ', map { \$_->{pid} } \$n->processes), ' ', \$n->prefix, "\\n";
die;
PERL
}

close $write;
my ($master, $child_worker, $prefix) = split ' ', <$read>;
waitpid $pid, 0;

isnt $?, 0, 'it failed';
ok gone($master), 'its master is gone';
ok gone($child_worker), 'its worker too';
ok !-d $prefix, 'and its directory';


# a WebSocket server that breaks every rule

sub pair {
    my ($class, $bytes, %args) = @_;

    my ($ours, $theirs) = IO::Socket->socketpair(AF_UNIX, SOCK_STREAM,
                                                 PF_UNSPEC);

    syswrite $theirs, $bytes;
    shutdown $theirs, 1;

    return ($class->new(socket => $ours, inbox => [], content => '', %args),
            $theirs);
}


sub told {
    my ($bytes) = @_;

    my ($ws, $peer) = pair('Vidcast::WebSocket', $bytes);
    my @told;

    while (my $message = $ws->message) {
        push @told, "$message->{type}($message->{data})";
    }

    return join(' ', @told) . '|' . $ws->faults;
}


my %plain = (mask => 0);

is told(frame(1, 'text', %plain) . frame(2, 'b' x 3, %plain)),
    'text(text) binary(bbb)|', 'messages';
is told(frame(1, 'a', %plain, fin => 0) . frame(9, 'p', %plain)
        . frame(0, 'b', %plain)), 'ping(p) text(ab)|', 'fragments';
is length told(frame(2, 'x' x 70000, %plain)), 70009, 'a long one';
is length told(frame(2, 'x' x 300, %plain)), 309, 'a middle one';

like told(frame(1, 'x')), qr/\|a masked frame$/, 'masked';
like told(frame(1, 'x', %plain, rsv => 4)), qr/\|RSV bits$/, 'RSV';
like told(frame(0, 'x', %plain)), qr/\|a wrong fragment$/, 'continuation';
like told(frame(1, 'x', %plain, fin => 0) . frame(1, 'y', %plain)),
    qr/\|a wrong fragment$/, 'a text within a text';
like told(frame(3, 'x', %plain)), qr/\|an unknown opcode/, 'an opcode';
like told(frame(9, 'x', %plain, fin => 0)), qr/\|a bad control frame$/,
    'a fragmented ping';
like told(frame(8, "\x03\xe8", %plain) . frame(1, 'x', %plain)),
    qr/\|a frame after a close$/, 'after a close';

my ($ws, $peer) = pair('Vidcast::WebSocket', frame(1, 'half', %plain,
                                                   length => 9));
is $ws->message, undef, 'half a frame is none';
ok $ws->eof, 'but the end is seen';

($ws, $peer) = pair('Vidcast::WebSocket', frame(8, "\x03\xe9bye", %plain));
is $ws->closed_with, 1001, 'a close code';

($ws, $peer) = pair('Vidcast::WebSocket', frame(9, 'ping', %plain),
                    auto_pong => 1);
$ws->message('text', 0.1);
sysread $peer, my $pong, 100;
my ($mask, $data) = unpack 'x2a4a*', $pong;
is substr($pong, 0, 2) . ($data ^ $mask), "\x8a\x84ping", 'a masked pong';


# streams

my $mjpeg = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;"
    . " boundary=frame\r\nTransfer-Encoding: chunked\r\n\r\n";
my $part = "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\r\n"
    . "abcd\r\n--frame";
my $chunks = join '', map { "1\r\n$_\r\n" } split //, $part;

my ($stream) = pair('Vidcast::Stream', "$mjpeg${chunks}0\r\n\r\n");
$stream->read_head;
$stream->{chunked} = 1;
is $stream->part->{data}, 'abcd', 'a part in chunks';
ok $stream->ended, 'the last chunk';

$part =~ s/Length: 4/Length: 3/;
($stream) = pair('Vidcast::Stream', $mjpeg . sprintf "%x\r\n%s\r\n",
                 length $part, $part);
$stream->read_head;
$stream->{chunked} = 1;
ok !eval { $stream->part; 1 }, 'a wrong Content-Length is found';

($stream) = pair('Vidcast::Stream', "HTTP/1.1 200 OK\r\n\r\n: hello\n\n"
                 . "id: 7\ndata: one\ndata: two\n\nid: 8\ndata: half");
$stream->read_head;
is_deeply $stream->event, { id => 7, data => "one\ntwo" }, 'an event';
is $stream->event, undef, 'half an event is none';
is $stream->{comments}, 1, 'a comment';


# pictures

my $sof = "\xff\xc0" . pack 'nCnnC', 11, 8, 240, 320, 1;
my $jpeg = "\xff\xd8$sof\x01\x11\x00\xff\xda" . pack('n', 8) . 'x' x 6
    . "data\xff\xd9";

is jpeg_info($jpeg)->{width}, 320, 'a width';
is jpeg_info($jpeg)->{height}, 240, 'a height';
is jpeg_info(substr $jpeg, 0, -1), undef, 'a picture cut short';
is jpeg_info(substr $jpeg, 1), undef, 'without its begin';
is jpeg_info("\xff\xd8\xff\xd9"), undef, 'an empty one';
is jpeg_info($jpeg =~ s/\xff\xc0/\xff\xc4/r), undef, 'without a size';

done_testing;
