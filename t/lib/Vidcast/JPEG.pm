package Vidcast::JPEG;

# Copyright (C) vidcast contributors

# Is it a whole JPEG, and of which size?  Walks the segments; no pixel is
# decoded.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(jpeg_info);


# { width, height, components, dht } or undef

sub jpeg_info {
    my ($data) = @_;

    return undef if !defined $data || length $data < 4;
    return undef if substr($data, 0, 2) ne "\xff\xd8";
    return undef if substr($data, -2) ne "\xff\xd9";

    my $pos = 2;
    my %info = (dht => 0);

    while ($pos + 4 <= length $data) {
        my ($ff, $marker, $length) = unpack 'CCn', substr $data, $pos, 4;

        return undef if $ff != 0xff || $length < 2;
        return undef if $pos + 2 + $length > length $data;

        $info{dht} = 1 if $marker == 0xc4;

        if ($marker >= 0xc0 && $marker <= 0xc2) {
            @info{qw(height width components)}
                = unpack 'nnC', substr $data, $pos + 5, 5;
        }

        if ($marker == 0xda) {
            return $info{width} && $info{height} ? \%info : undef;
        }

        $pos += 2 + $length;
    }

    return undef;
}


1;
