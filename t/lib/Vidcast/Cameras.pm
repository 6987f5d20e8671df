package Vidcast::Cameras;

# Copyright (C) vidcast contributors

# Real V4L2 devices, in a virtual machine (see t/util/v4l2-vm), where the test
# file that asks for them runs once more:
#
#     use Vidcast::Cameras;                 # outside does not come back
#
#     control(disconnect => 1);             # vivid's webcam, /dev/video0
#     control(dv_timings => 2, $device);    # its grabber, /dev/video1
#     my $camera = plug(@files);            # a USB camera, $camera->{node}
#
# Without QEMU the file is skipped.

use strict;
use warnings;

use Exporter 'import';
use Fcntl qw(O_RDWR :flock);
use IO::Select;
use JSON::PP qw(decode_json);
use Test::More ();

use Vidcast::Wait;

our @EXPORT = qw(control unbind bind_again plug unplug write_jpegs decode
                 slurp spew);

my $timeout = 300;
my $program = 'build/unit/test_v4l2_grab';
my $vivid = '/sys/bus/platform/drivers/vivid';

exit outside() if !$ENV{VIDCAST_VM};


# on the host: relays what the machine says

sub outside {
    build();

    local $ENV{VIDCAST_VM} = 1;
    local $ENV{VIDCAST_TEST_PATIENCE} = 3 * ($ENV{VIDCAST_TEST_PATIENCE} || 1);

    open my $vm, '-|', 't/util/v4l2-vm', '--timeout', $timeout,
                       $^X, '-It/lib', $0
        or die "v4l2-vm: $!\n";

    $| = 1;
    print while <$vm>;
    close $vm;

    Test::More::plan(skip_all => 'no virtual machine can be had here,'
                                 . ' see build/vm/log')
        if $? >> 8 == 77;

    return $? >> 8 || $?;
}


# two files may want it at the same time

sub build {
    mkdir 'build';

    open my $lock, '>', 'build/v4l2.lock' or die "build/v4l2.lock: $!\n";
    flock $lock, LOCK_EX or die "flock: $!\n";

    system('make', '-s', $program) == 0 or die "cannot build $program\n";
}


# a control of vivid's, by its name as v4l2-ctl would have it

sub control {
    my ($name, $value, $device) = @_;

    $device //= '/dev/video0';

    my ($queryctrl, $s_ctrl, $next) = (0xc0445624, 0xc008561c, 0x80000000);
    my $id = 0;

    sysopen my $fh, $device, O_RDWR or die "$device: $!\n";

    for (;;) {
        my $query = pack 'L L Z32 l4 L L2', $id | $next, (0) x 9;

        ioctl $fh, $queryctrl, $query or die "no control \"$name\"\n";

        ($id, undef, my $own) = unpack 'L L Z32', $query;

        $own = lc $own;
        $own =~ s/[^a-z0-9]+/_/g;

        last if $own eq $name;
    }

    my $control = pack 'L l', $id, $value;

    ioctl $fh, $s_ctrl, $control or die "control \"$name\": $!\n";
    close $fh;
}


# takes vivid from the machine, and gives it back

sub unbind     { spew("$vivid/unbind", 'vivid.0') }
sub bind_again { spew("$vivid/bind", 'vivid.0') }


# a USB camera that sends these files

sub plug {
    my @files = @_;

    my $pid = open my $out, '-|', 't/util/uvc-camera', @files
        or die "uvc-camera: $!\n";

    wait_for { IO::Select->new($out)->can_read(0) } 30;

    chomp(my $node = <$out> // die "uvc-camera: no device\n");

    return { pid => $pid, out => $out, node => $node };
}


sub unplug {
    my ($camera) = @_;

    kill 'KILL', $camera->{pid};
    close $camera->{out};
}


# so many different JPEGs of the size; their paths

sub write_jpegs {
    my ($count, $size) = @_;

    my @files = map { "/tmp/$size-$_.jpg" } 1 .. $count;

    for my $i (0 .. $#files) {
        system($program, '-w', $files[$i], $size, $i) == 0
            or die "cannot write $files[$i]\n";
    }

    return @files;
}


# what libjpeg makes of it: { width, height, md5, bars }, undef: nothing

sub decode {
    my ($jpeg) = @_;

    spew('/tmp/decode.jpg', $jpeg);

    my $text = `$program -d /tmp/decode.jpg`;

    return $? ? undef : decode_json($text);
}


sub slurp {
    my ($path) = @_;

    open my $fh, '<:raw', $path or die "$path: $!\n";
    local $/;

    return scalar <$fh>;
}


sub spew {
    my ($path, $data) = @_;

    open my $fh, '>:raw', $path or die "$path: $!\n";
    print $fh $data;
    close $fh or die "$path: $!\n";
}


1;
