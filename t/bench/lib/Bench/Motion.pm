package Bench::Motion;

# Copyright (C) vidcast contributors

# Those that find what moves in films with known boxes: no server is started.

use strict;
use warnings;

use parent -norequire, 'Bench::Server';

use Bench::Server;
use JSON::PP;


sub ours { $_[0]{ours} }
sub start { }
sub stop { }


sub missing {
    my ($self) = @_;

    my $street = '/usr/share/doc/opencv-doc/examples/data/vtest.avi';

    $self->{needs} = {
        'python3-opencv' => '/usr/bin/python3 -c "import cv2"',
        $self->{street} ? ('opencv-doc' => "test -e $street") : (),
    };

    return $self->SUPER::missing;
}


# figures of each kind of film

sub motion {
    my ($self, @kinds) = @_;

    my $build = Bench::Server::build_dir();

    open my $out, '-|', 'taskset', '-c', 0, '/usr/bin/python3',
        Bench::Server::bench_dir() . '/motion/measure.py', '-c',
        "$build/films", $self->{join} ? '-j' : (),
        $self->{as} // "$build/motion", @kinds
        or die "measure.py: $!\n";

    my $text = join '', <$out>;

    close $out or die 'measure.py: no answer of ', $self->name, "\n";

    return decode_json($text);
}


1;
