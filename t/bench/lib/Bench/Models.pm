package Bench::Models;

# Copyright (C) vidcast contributors

# Those that run models in ONNX: t/bench/models, here or, where there is no
# ONNX Runtime, in the Debian 13 of t/util/onnx-chroot.  Models are those of
# packages of npm; for those that cannot be had there are graphs of
# t/util/onnx-models with outputs of their kind.

use strict;
use warnings;

use parent -norequire, 'Bench::Server';

use Bench::Server;
use JSON::PP;

my $top = Bench::Server::bench_dir() . '/../..';
my $folder = 'build/bench/models';

# by the figures of their own, and by that of the graph instead

my %models = (
    blaze128 => ['face_detection_front_128x128_barracuda', 'blaze64'],
    blaze256 => ['face_detection_back_256x256_barracuda', 'blaze64'],
    detect   => ['fr_detect', 'ssd64'],
);

my %graphs = (blaze64 => 'randomblaze', ssd64 => 'randomssd');

my ($ready, $why, @enter, %names);


sub ours { $_[0]{ours} }
sub start { }
sub stop { }


# once for all of them

sub missing {
    my ($self) = @_;

    if (!$ready) {
        $ready = 1;
        $why = prepare();
    }

    return $why;
}


sub prepare {
    my $python = '/usr/bin/python3 -c "import cv2, onnxruntime"';

    if (!-f "$top/build/module/vidcast_onnx.so"
        || system("$python > /dev/null 2>&1") != 0)
    {
        my $said = `$top/t/util/onnx-chroot t/util/install models`;

        return $said =~ /(.+)\n?\z/ ? "no ONNX Runtime: $1"
                                    : 'no ONNX Runtime' if $?;

        @enter = ("$top/t/util/onnx-chroot", '--again');
    }

    system("rm -rf $top/$folder && mkdir -p $top/$folder/pictures") == 0
        && system('/usr/bin/python3', Bench::Server::bench_dir()
                  . '/peers/pictures.py', "$top/$folder/pictures") == 0
        or return 'no pictures of opencv-doc, by python3-opencv';

    system("$top/t/util/install pack");

    for my $key (sort keys %models) {
        my ($name, $graph) = @{$models{$key}};
        my ($file) = glob "$top/build/models/*/package/*/$name.onnx";

        if ($file && system('cp', $file, "$top/$folder/") == 0) {
            $names{$name} = $key;

        } else {
            print "no $name of npm: a graph of t/util/onnx-models instead\n";
            $names{$graphs{$graph}} = $graph;
        }
    }

    # what the room gets has its place below that of the tree

    if (@enter) {
        my $room = "$top/build/chroot/srv/vidcast/build/bench";

        system("mkdir -p $room && rm -rf $room/models"
               . " && cp -r $top/$folder $room/") == 0
            or return 'no room';
    }

    if (grep { /^random/ } keys %names) {
        inside("t/util/onnx-models $folder 2> /dev/null") == 0
            or return 'no graphs of t/util/onnx-models';
    }

    return undef;
}


sub inside {
    my ($command) = @_;

    return system 'sh', '-c', "cd $top && exec \"\$@\"", 'sh', @enter, 'sh',
                  '-c', $command;
}


# milliseconds a picture, by the keys above; ends with us where what it finds
# is not what the others find

sub models {
    my ($self, $seconds) = @_;

    my @names = sort keys %names;

    open my $out, '-|', 'sh', '-c', "cd $top && exec \"\$@\"", 'sh',
        'taskset', '-c', 0, @enter, 't/bench/models', "--seconds=$seconds",
        $self->{as}, $folder, @names or die "models: $!\n";

    my $text = join '', <$out>;

    close $out or die 'models: no figures of ', $self->name, "\n";

    my $figures = decode_json($text);

    return { map { $names{$_} => $figures->{$_} } @names };
}


1;
