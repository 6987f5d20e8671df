#!/usr/bin/perl

# Copyright (C) vidcast contributors

# The v4l2: input above real drivers: vivid, which gives raw pictures and can
# be told to fail in any way a driver does, and a USB camera that sends MJPEG.
# They are in a virtual machine: this file starts it, and runs again in there.
#
# Not in the modes asan and valgrind: nginx runs in a virtual machine.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Test::More;

use lib 't/lib';

use Vidcast::Cameras;
use Vidcast::V4L2Grab;
use Vidcast::Wait;

my $descriptors;               # of a grabber that had no trouble

raw('640x480');
raw('1280x720');
accepted();
refused();
denied();
busy();
faults();
replugged();
mjpeg();

done_testing();


# time stamps in their order, and none from another clock

sub clock_is_sane {
    my @frames = @_;

    for my $i (1 .. $#frames) {
        return 0 if $frames[$i]{time} <= $frames[$i - 1]{time};
    }

    return !grep { $_->{age} < 0 || $_->{age} > 5e6 } @frames;
}


# vivid's bars, from left to right: white (of 75 %), yellow, cyan, green,
# magenta, red, blue, black; gray has no color

sub bars_are_right {
    my ($bars) = @_;

    my @chroma = ([0, 0], [-1, 1], [1, -1], [-1, -1], [1, 1], [-1, 1],
                  [1, -1], [0, 0]);

    return 0 if abs($bars->[0][0] - 0.75 * 255) > 3 || $bars->[7][0] > 3;

    for my $i (0 .. $#chroma) {
        return 0 if $i && $bars->[$i][0] >= $bars->[$i - 1][0];

        for my $plane (0, 1) {
            my $diff = $bars->[$i][$plane + 1] - 128;

            return 0 if (abs $diff > 3 ? $diff <=> 0 : 0)
                        != $chroma[$i][$plane];
        }
    }

    return 1;
}


# it may fail in other ways before it opens

sub opened {
    my ($grab, $seconds) = @_;

    my $deadline = deadline($seconds);

    while (my $event = $grab->next_event($deadline)) {
        return 1 if $event->{event} eq 'open' && $event->{rc} eq 'ok';
    }

    return 0;
}


sub raw {
    my ($size) = @_;

    my $grab = Vidcast::V4L2Grab->new('v4l2:/dev/video0', "size=$size",
                                     'fps=10');
    my $open = $grab->wait('open');
    my @frames = $grab->frames(10);

    is_deeply([@$open{qw(rc format)}, "$open->{width}x$open->{height}"],
              ['ok', 'i420', $size], "vivid at $size");
    is(scalar @frames, 10, 'ten frames, and nothing else');
    is(scalar(grep { bars_are_right($_->{bars}) } @frames), 10,
       'the bars have their colors');
    ok(clock_is_sane(@frames), "the driver's time stamps");

    my $end = $grab->stop;

    $descriptors = $end->{descriptors};
    ok($descriptors, 'ended');
}


sub accepted {
    my $grab = Vidcast::V4L2Grab->new('v4l2:/dev/video0', 'size=333x222');
    my $open = $grab->wait('open');

    is("$open->{width}x$open->{height}", '320x180',
       "the driver's own size is accepted");
    is($open->{said}, 1, 'and said');
    is(scalar $grab->frames(3), 3, 'frames come');

    $grab->stop;
}


sub refused {
    my $grab = Vidcast::V4L2Grab->new('v4l2:/dev/video0', 'format=mjpeg');

    like($grab->wait('open')->{error},
         qr/^unsupported format: no MJPEG from this device, it has \w{4}, /,
         'vivid has no MJPEG');
    is($grab->stop->{descriptors}, $descriptors, 'nothing is left open');
}


# to a user that is not in the group of the device

sub denied {
    system('cp', $Vidcast::V4L2Grab::command[0], '/tmp/grab') == 0
        or die "cannot copy the program\n";

    local @Vidcast::V4L2Grab::command
        = qw(setpriv --reuid=nobody --regid=nogroup --clear-groups /tmp/grab);

    my $grab = Vidcast::V4L2Grab->new('v4l2:/dev/video0');
    my $group = getgrgid((stat '/dev/video0')[5]);

    is($grab->wait('open')->{error}, 'permission denied, nginx\'s "user" has'
       . " to be in the group \"$group\"", 'permission denied: what to do');

    $grab->stop;
}


sub busy {
    my $first = Vidcast::V4L2Grab->new('v4l2:/dev/video0', 'size=320x180');

    ok($first->wait('frame'), 'a first program has the device');

    my $second = Vidcast::V4L2Grab->new('v4l2:/dev/video0', 'size=640x480');
    my $open = $second->wait('open');

    is($open->{rc}, 'busy', 'a second one is told that it is busy');
    like($open->{error}, qr/^busy, another program uses it: /, 'in words');

    is(scalar $first->frames(5), 5, 'the first one is not disturbed');
    $first->stop;

    ok(opened($second), 'the second one gets it when the first one leaves');
    ok($second->wait('frame'), 'and frames');

    $second->stop;
}


# each is survived by opening the device again

sub faults {
    my $grab = Vidcast::V4L2Grab->new('v4l2:/dev/video0', 'size=320x180',
                                     'fps=30');
    my $healed = sub {
        my ($name) = @_;

        ok(opened($grab), "$name: opened again");
        is(scalar $grab->frames(5), 5, "$name: frames come");
        $grab->skip;
    };

    ok($grab->wait('frame'), 'vivid before the faults');

    control(inject_v4l2_buf_flag_error => 1);
    is(($grab->wait('bad') // {})->{error},
       'the driver says the frame is damaged', 'a damaged frame is told');
    is(scalar $grab->frames(5), 5, 'and the next ones come');

    control(inject_vidioc_qbuf_error => 1);
    like(($grab->wait('lost') // {})->{error}, qr/VIDIOC_QBUF failed \(22: /,
         'QBUF: lost');
    $healed->('QBUF');

    control(inject_fatal_streaming_error => 1);
    like(($grab->wait('lost') // {})->{error}, qr/VIDIOC_D?QBUF failed \(5: /,
         'fatal streaming error: lost');
    $healed->('fatal streaming error');

    control(disconnect => 1);
    like(($grab->wait('lost') // {})->{error},
         qr/VIDIOC_DQBUF failed \((?:19|22): /, 'disconnect: lost');
    $healed->('disconnect');

    for my $call (qw(STREAMON REQBUFS)) {
        control("inject_vidioc_\L${call}\E_error" => 1);
        control(inject_fatal_streaming_error => 1);

        ok($grab->wait('lost'), "$call: lost by another fault");
        like(($grab->wait('open') // {})->{error},
             qr/^the device failed: VIDIOC_$call failed \(22: /,
             "$call: it cannot be opened, and says why");
        $healed->($call);
    }

    control(percentage_of_dropped_buffers => 100);
    is(($grab->wait('lost', 20) // {})->{error}, 'no frame for 5 s',
       'silence: lost');
    control(percentage_of_dropped_buffers => 0);
    $healed->('silence');

    is($grab->stop->{descriptors}, $descriptors,
       'after all of it no descriptor is left');
}


sub replugged {
    my $grab = Vidcast::V4L2Grab->new('v4l2:/dev/video0', 'size=320x180',
                                     'fps=30');

    ok($grab->wait('frame'), 'vivid before it is unplugged');

    unbind();

    ok($grab->wait('lost'), 'unplugged: lost');
    is(($grab->wait('open') // {})->{error}, 'no such device',
       'it cannot be opened, and says why');

    bind_again();

    ok(opened($grab, 20), 'plugged in: opened');
    is(scalar $grab->frames(5), 5, 'frames come');
    is($grab->stop->{descriptors}, $descriptors, 'no descriptor is left');
}


sub mjpeg {
    my @files = write_jpegs(4, '320x240');
    my %number = map { md5_hex(slurp($files[$_])) => $_ } 0 .. 3;

    is(scalar keys %number, 4, 'four different JPEGs');

    my $camera = plug(@files);
    my $grab = Vidcast::V4L2Grab->new("v4l2:$camera->{node}", 'size=320x240',
                                     'fps=30');
    my $open = $grab->wait('open');

    is_deeply([@$open{qw(rc format width height)}],
              ['ok', 'jpeg', 320, 240], 'a USB camera with MJPEG');

    my @frames = $grab->frames(40);
    my @numbers = map { $number{$_->{md5}} // 'another' } @frames;
    my $steps = grep { $numbers[$_] == ($numbers[$_ - 1] + 1) % 4 } 1 .. 39;

    is(scalar(grep { /^\d$/ } @numbers), 40,
       'forty frames are the files, byte for byte');
    cmp_ok($steps, '>=', 30, 'in their order, with few of them skipped');
    ok(clock_is_sane(@frames), "the camera's time stamps");

    kill 'STOP', $camera->{pid};
    is(($grab->wait('lost', 20) // {})->{error}, 'no frame for 5 s',
       'it hangs: lost');

    unplug($camera);
    like(($grab->wait('open', 20) // {})->{error}, qr/\w/,
         'it is unplugged: it cannot be opened, and says why');

    spew('/tmp/damaged.jpg', substr slurp($files[2]), 0, 2000);
    $camera = plug(@files[0, 1], '/tmp/damaged.jpg');

    ok(opened($grab, 20), 'plugged in: opened');

    like(($grab->wait('bad') // {})->{error},
         qr/^a truncated JPEG: .* \(2000 bytes, /, 'a damaged frame is told');
    like($number{($grab->wait('frame') // {})->{md5} // ''}, qr/^[01]$/,
         'and a whole one comes');

    is($grab->stop->{descriptors}, $descriptors, 'no descriptor is left');
    unplug($camera);
}
