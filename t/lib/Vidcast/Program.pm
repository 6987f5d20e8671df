package Vidcast::Program;

# Copyright (C) vidcast contributors

# Programs for "predict exec", each with what it answers known beforehand:
#
#     box_program("$dir/program.pl");       # the same box for each frame
#     corner_program("$dir/program.pl", 8); # where a corner is bright, looked
#                                           # at 8 pixels from its sides

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(box_program corner_program);


sub box_program {
    my ($file) = @_;

    spill($file, <<'PERL');
#!/usr/bin/perl
$| = 1;
print '{"detections":[{"label":"box","score":1,"bbox":[40,30,80,60]}]}', "\n"
    while <STDIN>;
PERL
}


# in pixels of the frame, and the size of what it gets; of "format=gray8"

sub corner_program {
    my ($file, $inside) = @_;

    spill($file, <<'PERL' =~ s/%INSIDE%/$inside/gr);
#!/usr/bin/perl

use strict;
use warnings;

$| = 1;

open my $memory, '<&=', 3 or die "descriptor 3: $!\n";
binmode $memory;

while (my $line = <STDIN>) {
    my ($offset) = $line =~ /^frame (\d+)/ or die;

    sysseek $memory, $offset, 0;
    sysread $memory, my $head, 128;

    my (undef, $skip, undef, $w, $h, $stride) = unpack 'L6', $head;

    sysseek $memory, $offset + $skip, 0;
    sysread $memory, my $pixels, $stride * $h;

    my ($right, $bottom) = ($w - 1 - %INSIDE%, $h - 1 - %INSIDE%);
    my ($x, $y) = (-1, -1);

    for my $try ([%INSIDE%, %INSIDE%], [$right, %INSIDE%],
                 [%INSIDE%, $bottom], [$right, $bottom])
    {
        ($x, $y) = @$try
            if ord(substr $pixels, $try->[1] * $stride + $try->[0], 1) > 160;
    }

    printf qq({"size":[%d,%d],"detections":[{"label":"corner",)
           . qq("bbox":[%d,%d,8,8]}]}\n),
        $w, $h, $x - 4, $y - 4;
}
PERL
}


sub spill {
    my ($file, $text) = @_;

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";
    chmod 0755, $file;
}


1;
