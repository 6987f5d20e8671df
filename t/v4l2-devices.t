#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What a device can be told, by real drivers: vivid's webcam and its grabber,
# which has HDMI and TV.  Controls are read back by v4l2-ctl, a signal changes
# and goes, a camera comes back under another number; and two cameras at once,
# one of them unplugged again and again, with viewers that see it all.
#
# Not in the modes asan and valgrind: nginx runs in a virtual machine.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;

use lib 't/lib';

use Vidcast::Cameras;
use Vidcast::Client qw(get);
use Vidcast::V4L2Grab;
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my ($webcam, $hdmi) = ('/dev/video0', '/dev/video1');

controls();
refused();
norms();
timings();
by_id();
two_cameras();

done_testing();


# a grabber of this device, opened

sub grab {
    return Vidcast::V4L2Grab->new("v4l2:$_[0]", @_[1 .. $#_]);
}


# the value of a control as v4l2-ctl has it

sub read_back {
    my ($device, $name) = @_;

    my $line = `v4l2-ctl -d $device -C $name`;

    return $line =~ /^\Q$name\E: '?(.*?)'?(?: \(.*)?$/ ? $1 : undef;
}


sub size { "$_[0]{width}x$_[0]{height}" }


# the size in which it is opened at last

sub opened {
    my ($grab) = @_;

    my $deadline = deadline(20);

    while (my $event = $grab->next_event($deadline)) {
        return size($event) if $event->{event} eq 'open'
                               && $event->{rc} eq 'ok';
    }

    return undef;
}


sub controls {
    my %asked = (
        brightness => 77, hue => -5, horizontal_flip => 1, menu => 4,
        integer_menu => 6, integer_64_bits => -4000000000, string => 'abcd',
        gain => 50, gain_automatic => 0
    );
    my %words = (
        horizontal_flip => 'on', menu => 'Menu Item 4', integer_menu => 13,
        gain_automatic => 'off'
    );
    my @set = map { "ctrl.$_=" . ($words{$_} // $asked{$_}) }
              reverse sort keys %asked;
    my $grab = grab($webcam, 'size=320x180', @set, 'ctrl.button=1');

    is(($grab->wait('open') // {})->{rc}, 'ok', 'opened with controls');

    for my $name (sort keys %asked) {
        is(read_back($webcam, $name), $asked{$name}, "$name has its value");
    }

    control(brightness => 10);
    control(disconnect => 1);
    ok($grab->wait('lost'), 'lost');
    ok($grab->wait('frame'), 'opened again');
    is(read_back($webcam, 'brightness'), 77, 'and set again');

    $grab->stop;
    control(gain_automatic => 1);
    control(horizontal_flip => 0);
}


sub refused {
    my %reasons = (
        'brightness=300' => 'control "brightness" is not "300", it has 0..255',
        'menu=2' => 'control "menu" is not "2", it has 1:"Menu Item 1"|'
                    . '3:"Menu Item 3"|4:"Menu Item 4"',
        'gain=3' => 'control "gain" is inactive, another one, such as an'
                    . ' automatic, rules it',
        'zoom=3' => qr/^no control "zoom", it has brightness 0\.\.255, .*\.\.\.$/,
        'read_only_integer_32_bits=1' =>
            qr/^(?:control .* is read-only|no control )/,
    );

    for my $set (sort keys %reasons) {
        my $grab = grab($webcam, "ctrl.$set");
        my $error = ($grab->wait('open') // {})->{error} // '';

        ref $reasons{$set} ? like($error, $reasons{$set}, "$set: why not")
                           : is($error, $reasons{$set}, "$set: why not");
        $grab->stop;
    }
}


sub norms {
    my $grab = grab($hdmi, 'input=TV 0', 'norm=pal');

    is(size($grab->wait('open')), '720x576', 'PAL of an input by its name');
    ok($grab->wait('frame'), 'a frame');
    $grab->stop;

    $grab = grab($hdmi, 'input=1', 'norm=ntsc-m');
    is(size($grab->wait('open')), '720x480', 'NTSC, the input by its number');
    $grab->stop;

    control(standard_signal_mode => 1, $hdmi);
    $grab = grab($hdmi, 'input=1', 'norm=ntsc');
    is($grab->wait('open')->{error}, 'no signal at input "TV 0"', 'no signal');
    control(standard_signal_mode => 0, $hdmi);
    ok($grab->wait('frame'), 'it comes');
    $grab->stop;

    $grab = grab($hdmi, 'input=2');
    is($grab->wait('open')->{error},
       'no input "2", it has 0 "HDMI 0", 1 "TV 0"', 'no such input');
    $grab->stop;
}


# the signal is at first that which is set, then one that we choose

sub timings {
    my $grab = grab($hdmi, 'input=HDMI 0');

    ok($grab->wait('frame'), 'HDMI: a frame');
    $grab->skip;

    control(dv_timings_signal_mode => 4, $hdmi);     # as selected
    control(dv_timings => 2, $hdmi);                 # 720x480p59

    my @events;
    my $deadline = deadline(20);

    while (my $event = $grab->next_event($deadline)) {
        push @events, $event->{event} if $event->{event} ne 'frame';
        last if $event->{event} eq 'open' && size($event) eq '720x480';
    }

    is($events[-1], 'open', 'another signal: opened in its size');
    is(scalar(grep { $_ ne 'open' } @events), 0, 'and never lost');
    is(scalar $grab->frames(3), 3, 'frames come');

    control(dv_timings_signal_mode => 1, $hdmi);
    is(($grab->wait('lost') // {})->{error}, 'no signal at input "HDMI 0"',
       'the signal goes: why it is lost');

    control(dv_timings => 4, $hdmi);                 # 720x576p50
    control(dv_timings_signal_mode => 4, $hdmi);
    is(opened($grab), '720x576', 'another one comes: opened in its size');
    is(scalar $grab->frames(3), 3, 'frames come');

    control(dv_timings_signal_mode => 2, $hdmi);
    is(($grab->wait('lost') // {})->{error}, 'no stable signal at input'
       . ' "HDMI 0"', 'an unstable one');

    control(dv_timings => 0, $hdmi);                 # 640x480p59
    control(dv_timings_signal_mode => 4, $hdmi);
    $grab->stop;
}


# as udev would name it; the camera is another node when it is back

sub by_id {
    my $link = '/tmp/by-id-usb-camera';

    symlink $webcam, $link or die "symlink: $!\n";

    my $grab = grab($link);

    is(size($grab->wait('open') // {}), '320x180', 'a camera by a link');

    unlink $link;
    control(disconnect => 1);
    ok($grab->wait('lost'), 'unplugged: lost');
    is(($grab->wait('open') // {})->{error}, 'no such device', 'the link, too');

    symlink $hdmi, $link or die "symlink: $!\n";
    is(opened($grab), '640x480', 'it is back as another node: opened');
    ok($grab->wait('frame'), 'a frame');

    $grab->stop;
    unlink $link;
}


sub status {
    my ($nginx, $source) = @_;

    my $response = get($nginx->port, '/status');
    my ($found) = grep { $_->{name} eq $source }
                  @{ decode_json($response->{body})->{sources} };

    return $found;
}


# pictures until one which the condition, which finds its size in $_, likes

sub sees {
    my ($viewer, $condition) = @_;

    my $deadline = deadline(30);

    while (remaining($deadline)) {
        my $message = $viewer->message(1) // next;

        next if $message->{type} ne 'binary';

        my $info = jpeg_info($message->{data}) or return 0;

        local $_ = "$info->{width}x$info->{height}";

        return 1 if $condition->();
    }

    return 0;
}


sub two_cameras {
    my $nginx = Vidcast::Nginx->new(workers => 1, main => 'user root;',
        allow => [ qr/vidcast source "\w+" is (?:reconnecting|stale)/,
                   qr/vidcast source "\w+": \d+ more changes of its state/ ],
        http => <<"CONF");
vidcast_source webcam {
    input v4l2:$webcam size=320x180 fps=30 ctrl.brightness=99;
}
vidcast_source grabber { input v4l2:$hdmi input=0; }

# no viewer is read while we look at the other, on a slow machine

vidcast_stall_timeout 300s;
vidcast_ping 20s timeout=300s;

server {
    listen 127.0.0.1:%%PORT%%;
    location = /webcam { vidcast webcam send=frames; }
    location = /grabber { vidcast grabber send=frames; }
    location = /status { vidcast_status; }
}
CONF

    $nginx->start;

    my ($first, $second) = map {
        Vidcast::WebSocket->connect($nginx->port, "/$_")
    } qw(webcam grabber);

    ok(sees($first, sub { $_ eq '320x180' }), 'two cameras at once: the one');
    ok(sees($second, sub { $_ eq '640x480' }), 'and the other');
    is(read_back($webcam, 'brightness'), 99, 'its control is set');

    my $log = $nginx->error_log;

    like($log, qr{"v4l2:$webcam" gives YUYV frames of 320x180, \d+\.\d\d a},
         'the log told what comes');

    my $seen = 0;

    for my $i (1 .. 10) {
        my $lost = status($nginx, 'webcam')->{lost};

        control(disconnect => 1);

        wait_for {
            sees($second, sub { 1 });
            status($nginx, 'webcam')->{lost} > $lost;
        } 20;

        $seen += wait_for {
            sees($second, sub { 1 });
            status($nginx, 'webcam')->{state} eq 'live';
        } 20;

        1 while $first->message(0);
        $seen += sees($first, sub { $_ eq '320x180' });
    }

    is($seen, 20, 'ten times unplugged: it is live again, its viewer sees it');
    cmp_ok(status($nginx, 'webcam')->{lost}, '>=', 10, 'ten losses count');
    is(read_back($webcam, 'brightness'), 99, 'the control as well');
    is(status($nginx, 'grabber')->{lost}, 0, 'the other camera was not lost');

    control(dv_timings => 2, $hdmi);

    ok(sees($second, sub { $_ eq '720x480' }),
       'another HDMI signal: a viewer sees it in its size');
    is(status($nginx, 'grabber')->{lost}, 0, 'nothing was lost');
    ok(!$first->eof && !$second->eof, 'no viewer was dropped');

    $nginx->stop;
}
