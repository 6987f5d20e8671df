package Vidcast::Film;

# Copyright (C) vidcast contributors

# Films for tests, made by ffmpeg: each picture shows its number, from 0 on, as
# bars, white for a bit that is set, so that it can be read again whatever has
# happened to it on its way.
#
#     film("$dir/a.mp4", 300, qw(-c:v libx264 -bf 3));
#     my @numbers = numbers(@jpegs);

use strict;
use warnings;

use Exporter qw(import);
use File::Temp qw(tempfile);

our @EXPORT = qw(film numbers plugin);

my $bits = 10;
my $bar = 16;


# the plugin, beside the module; undef: it was not built

sub plugin {
    my (@modules) = @_;

    my ($file) = map { s{[^/]+$}{vidcast_av.so}r } grep { m{/} } @modules;

    return defined $file && -f $file ? $file : undef;
}


# options before "-i" may be given as a first array

sub film {
    my ($file, $count, @options) = @_;

    my %film = (rate => 25, size => join('x', $bits * $bar, 64),
                ref $options[0] ? %{shift @options} : ());

    run('ffmpeg', '-v', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i',
        "color=black:s=$film{size}:r=$film{rate},format=gray,"
        . "geq=lum='255*mod(floor(N/pow(2,floor(X/(W/$bits)))),2)',"
        . "format=yuv420p", '-frames:v', $count, @options, $file);

    chmod 0644, $file;

    return $file;
}


# what the pictures show

sub numbers {
    my (@jpegs) = @_;

    my ($in, $file) = tempfile(UNLINK => 1);

    binmode $in;
    print $in @jpegs;
    close $in;

    open my $out, '-|', 'ffmpeg', '-v', 'error', '-nostdin', '-f', 'mjpeg',
        '-i', $file, '-vf', "scale=$bits:1:flags=area,format=gray",
        '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'
        or die "ffmpeg: $!\n";

    binmode $out;

    my @numbers;

    while (read($out, my $row, $bits) == $bits) {
        my $number = 0;
        my @bars = unpack 'C*', $row;

        $number |= ($bars[$_] > 127) << $_ for 0 .. $bits - 1;

        push @numbers, $number;
    }

    close $out;

    return @numbers;
}


sub run {
    my (@command) = @_;

    system(@command) == 0 or die "@command: failed\n";
}


1;
