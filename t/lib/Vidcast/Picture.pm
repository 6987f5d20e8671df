package Vidcast::Picture;

# Copyright (C) vidcast contributors

# Small JPEGs made by hand, so that no test needs a file or a library: one
# shade of gray, of any size.  What decodes them to the last pixel is in
# t/unit; here they are to be recognized.
#
#     my $jpeg = picture(64, 48, 200);
#     my $large = comments($jpeg, ('x' x 65000) x 16);
#     my $print = cmyk(64, 48, 200);
#     my $jpeg = whole(1, 200000); digest($jpeg) // die 'it is a wrong one';

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Exporter 'import';
use List::Util qw(min);

our @EXPORT = qw(picture cmyk comments);
our @EXPORT_OK = qw(whole digest);

my @noise;

# the table of Annex K for differences of DC: lengths and codes by category

my @dc_counts = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0);
my @dc_codes = qw(00 010 011 100 101 110 1110 11110 111110 1111110 11111110
                  111111110);


sub segment {
    my ($marker, $data) = @_;

    return pack 'CCna*', 0xff, $marker, 2 + length $data, $data;
}


# baseline, quantized by one; of AC there is one code, "0": the block ends

sub picture { return components(1, @_) }


# four components, as programs for print write them

sub cmyk { return components(4, @_) }


sub components {
    my ($n, $width, $height, $shade) = @_;

    my $dc = ($shade - 128) * 8;
    my $blocks = int(($width + 7) / 8) * int(($height + 7) / 8);

    my $bits = (difference($dc) . '0') x $n
               . ($dc_codes[0] . '0') x ($n * ($blocks - 1));

    $bits .= '1' x (-length($bits) % 8);

    return "\xff\xd8"
        . segment(0xdb, "\0" . "\1" x 64)
        . segment(0xc0, pack 'CnnC*', 8, $height, $width, $n,
                  map { ($_, 0x11, 0) } 1 .. $n)
        . segment(0xc4, pack 'C*', 0x00, @dc_counts, 0 .. 11)
        . segment(0xc4, pack 'C*', 0x10, 1, (0) x 15, 0)
        . segment(0xda, pack 'C*', $n, map({ ($_, 0) } 1 .. $n), 0, 63, 0)
        . (pack 'B*', $bits) =~ s/\xff/\xff\0/gr
        . "\xff\xd9";
}


# the same with comments behind its first two bytes

sub comments {
    my ($jpeg, @texts) = @_;

    return substr($jpeg, 0, 2) . join('', map { segment(0xfe, $_) } @texts)
        . substr $jpeg, 2;
}


# a JPEG of about this size, padded by comments; the first one has a digest of
# all the rest, it itself being blank

sub whole {
    my ($number, $size) = @_;

    my @padding;

    @noise = map { pack 'L*', map { rand 2 ** 32 } 1 .. 16384 } 1, 2
        if !@noise;

    for (my $n = 0; $size > 0; $n++, $size -= 65000) {
        my $start = ($number * 7919 + $n * 104729) % 65536;

        push @padding, substr $noise[0] . $noise[1], $start, min(65000, $size);
    }

    my $jpeg = comments(picture(64, 48, 100 + $number), ' ' x 32, @padding);

    substr($jpeg, 6, 32) = md5_hex($jpeg);

    return $jpeg;
}


# the digest of a picture, undef: it is a wrong one

sub digest {
    my ($jpeg) = @_;

    return undef if length $jpeg < 100;

    my $digest = substr $jpeg, 6, 32, ' ' x 32;

    return $digest eq md5_hex($jpeg) ? $digest : undef;
}


sub difference {
    my ($dc) = @_;

    my $size = $dc ? length sprintf '%b', abs $dc : 0;

    return $dc_codes[0] if !$size;

    my $value = $dc > 0 ? $dc : $dc + (1 << $size) - 1;

    return $dc_codes[$size] . sprintf '%0*b', $size, $value;
}


1;
