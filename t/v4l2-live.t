#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Real cameras all the way to the viewers: frames arrive, those of an MJPEG
# camera byte for byte, and whatever becomes of a device is told by the status,
# mended, and drops no viewer.  v4l2.t has the input alone, fault by fault.
#
# Not in the modes asan and valgrind: nginx runs in a virtual machine.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use JSON::PP qw(decode_json);
use Test::More;

use lib 't/lib';

use Vidcast::Cameras;
use Vidcast::Client qw(get);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

# the last one has no Huffman tables, as with many cameras

my @files = write_jpegs(4, '320x240');
my $whole = slurp($files[3]);

spew($files[3], without_tables($whole));

my $camera = plug(@files);
my $changes = qr/vidcast\ source\ "\w+"(?:\ is\ (?:reconnecting|stale)
                 |:\ \d+\ more\ changes\ of\ its\ state)/x;

my $nginx = Vidcast::Nginx->new(workers => 2, main => 'user root;',
                                allow => [ $changes ],
                                http => config('320x180'));

$nginx->start;

my %viewer = map {
    $_ => [ viewer($_), viewer($_) ]
} qw(vivid usb);

raw_frames();
usb_frames();
foreign_client();

fault('QBUF', sub { control(inject_vidioc_qbuf_error => 1) });
fault('a fatal error', sub { control(inject_fatal_streaming_error => 1) });
fault('STREAMON', sub {
    control(inject_vidioc_streamon_error => 1);
    control(inject_fatal_streaming_error => 1);
});
fault('disconnect', sub { control(disconnect => 1) });

held('silence', qr/^no frame for 5 s$/,
     sub { control(percentage_of_dropped_buffers => 100) },
     sub { control(percentage_of_dropped_buffers => 0) });
held('unplugged', qr/^no such device$/, \&unbind, \&bind_again);

usb_unplugged();
not_dropped();
handed_over();

unplug($camera);
$nginx->stop;

done_testing();


sub config {
    my ($size) = @_;

    return <<"CONF";
vidcast_source vivid { input v4l2:/dev/video0 size=$size fps=30; }
vidcast_source usb { input v4l2:$camera->{node} size=320x240 fps=30; }

# no viewer is read while we look at another, on a slow machine

vidcast_stall_timeout 300s;
vidcast_ping 20s timeout=300s;

server {
    listen 127.0.0.1:%%PORT%%;
    location = /vivid { vidcast vivid send=frames; }
    location = /usb { vidcast usb send=frames; }
    location = /status { vidcast_status; }
}
CONF
}


sub viewer {
    my ($source) = @_;

    return Vidcast::WebSocket->connect($nginx->port, "/$source");
}


sub status {
    my ($source) = @_;

    my $response = get($nginx->port, '/status');
    my ($found) = grep { $_->{name} eq $source }
                  @{ decode_json($response->{body})->{sources} };

    return $found;
}


# waits for a status that the condition, which finds it in $_, likes; meanwhile
# all viewers take what they get, as one that does not is closed

sub becomes {
    my ($source, $condition) = @_;

    return wait_for {
        forget($_) for map { @$_ } values %viewer;

        local $_ = status($source);

        $condition->();
    } 30;
}


sub forget {
    my ($viewer) = @_;

    1 while $viewer->message(0);
}


# the next picture, a new one: what came before is forgotten

sub next_picture {
    my ($viewer) = @_;

    forget($viewer);

    my $message = $viewer->message('binary', 20);

    return $message && $message->{data};
}


sub without_tables {
    my ($jpeg) = @_;

    my $pos = 2;

    for (;;) {
        my ($marker, $length) = unpack 'nn', substr $jpeg, $pos, 4;

        return $jpeg if $marker == 0xffda;

        if ($marker == 0xffc4) {
            substr $jpeg, $pos, 2 + $length, '';

        } else {
            $pos += 2 + $length;
        }
    }
}


sub raw_frames {
    for my $viewer (@{ $viewer{vivid} }) {
        my $picture = next_picture($viewer);
        my $info = decode($picture // '') // {};

        is(($info->{width} // 0) . 'x' . ($info->{height} // 0), '320x180',
           'a frame of vivid decodes as JPEG');

        my @bars = map { $_->[0] } @{ $info->{bars} // [] };

        is(scalar(grep { $bars[$_] < $bars[$_ - 1] } 1 .. $#bars), 7,
           "vivid's bars, from the brightest to the darkest");
    }

    is(status('vivid')->{state}, 'live', 'the state is live');
}


sub usb_frames {
    my %files = map { md5_hex(slurp($_)) => $_ } @files[0 .. 2];
    my (%seen, @tables);

    for (1 .. 24) {
        my $message = $viewer{usb}[0]->message('binary', 20) // last;
        my $file = $files{md5_hex($message->{data})};

        $seen{$file // 'another'}++;
        push @tables, $message->{data} if !$file;
    }

    is(scalar(grep { $seen{$_} } @files[0 .. 2]), 3,
       'frames of the USB camera are its files, byte for byte');

    my $luma = decode($whole)->{md5};

    ok(@tables && jpeg_info($tables[0]) && jpeg_info($tables[0])->{dht},
       'the one without Huffman tables got them');
    is(scalar(grep { (decode($_) // {})->{md5} // '' eq $luma } @tables),
       scalar @tables, 'and decodes to the same picture');
    cmp_ok(status('usb')->{tables_inserted}, '>', 0, 'which is counted');
}


# the client of the tutorials: Debian's python3-websockets

sub foreign_client {
    my $program = <<'PYTHON' =~ s/^    //gmr;
    import asyncio, hashlib, sys, websockets

    async def main():
        async with websockets.connect(sys.argv[1], max_size=None) as socket:
            for _ in range(8):
                print(hashlib.md5(await socket.recv()).hexdigest())

    asyncio.run(main())
PYTHON

    my %files = map { md5_hex(slurp($_)) => 1 } @files[0 .. 2];

    spew('/tmp/client.py', $program);

    my $url = sprintf 'ws://127.0.0.1:%d/usb', $nginx->port;
    my @sums = split /\n/, `/usr/bin/python3 /tmp/client.py $url`;

    my %other = map { $_ => 1 } grep { !$files{$_} } @sums;

    is(scalar @sums, 8, 'a client in Python gets eight frames');
    ok((grep { $files{$_} } @sums) && keys %other <= 1,
       'they are the files, but for the one which got tables');
}


# what is mended at once: the state may change faster than one can look

sub fault {
    my ($name, $cause) = @_;

    my $before = status('vivid')->{lost};
    my $lines = () = $nginx->error_log =~ /"vivid" is reconnecting/g;

    $cause->();

    ok(becomes('vivid', sub { $_->{lost} > $before }), "$name: it is lost");
    ok(becomes('vivid', sub { $_->{state} eq 'live' }),
       "$name: it is live again");

    my $now = () = $nginx->error_log =~ /"vivid" is reconnecting/g;

    cmp_ok($now, '>', $lines, "$name: the log told of reconnecting");
    ok(defined next_picture($viewer{vivid}[0]), "$name: a frame comes");
}


# what goes on until we end it

sub held {
    my ($name, $reason, $cause, $end) = @_;

    $cause->();

    ok(becomes('vivid', sub {
        $_->{state} eq 'reconnecting' && $_->{error} =~ $reason
    }), "$name: reconnecting, and why");

    $end->();

    ok(becomes('vivid', sub { $_->{state} eq 'live' }),
       "$name: it is live again");
    is(status('vivid')->{error}, '', "$name: nothing is wrong any more");
    ok(defined next_picture($viewer{vivid}[0]), "$name: a frame comes");
}


sub usb_unplugged {
    unplug($camera);

    ok(becomes('usb', sub { $_->{state} eq 'reconnecting' }),
       'the USB camera is unplugged: reconnecting');
    becomes('usb', sub { !-e $camera->{node} });

    my $node = $camera->{node};

    $camera = plug(@files);
    is($camera->{node}, $node, 'plugged in: the same device');

    ok(becomes('usb', sub { $_->{state} eq 'live' }), 'it is live again');
    ok(defined next_picture($viewer{usb}[0]), 'a frame comes');
}


sub not_dropped {
    for my $source (sort keys %viewer) {
        for my $viewer (@{ $viewer{$source} }) {
            ok(defined next_picture($viewer) && !$viewer->eof,
               "a viewer of $source saw it all on one connection");
        }

        is(status($source)->{viewers}{websocket}, 2, "both of $source count");
    }
}


# the old capture process has the device when the new one starts

sub handed_over {
    my %before = map { $_ => status($_)->{pid} } qw(vivid usb);

    ok($nginx->reload(http => config('640x360')),
       'a reload asks vivid for another size');

    ok(becomes('vivid', sub {
        $_->{state} eq 'live' && $_->{width} == 640 && $_->{height} == 360
    }), 'vivid is live in that size');

    isnt(status('vivid')->{pid}, $before{vivid}, 'by a new process');
    is(status('usb')->{pid}, $before{usb}, 'the other camera keeps its own');

    my $info = jpeg_info(next_picture(viewer('vivid')) // '') // {};

    is(($info->{width} // 0) . 'x' . ($info->{height} // 0), '640x360',
       'a viewer gets that size');
    ok(defined next_picture(viewer('usb')),
       'and one of the other camera is served');
}
