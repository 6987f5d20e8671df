package Vidcast::HTTP2;

# Copyright (C) vidcast contributors

# A client of HTTP/2 with its hands on every window: several streams on one
# connection, each a Vidcast::Stream with the same part(), event() and line().
#
#     my $h2 = Vidcast::HTTP2->connect($port, window => 20000);
#     my $video = $h2->open('/video');
#     my $part = $video->part;
#
#     $video->{hold} = 1;             # its window is not opened any more
#     $video->release;                # it is again
#     $video->reset;                  # RST_STREAM
#
# "faults" has what the server must not do.

use strict;
use warnings;

use parent 'Vidcast::Client';

use Vidcast::HTTP2::Stream;

my %static = (8 => ':status 200', 9 => ':status 204', 10 => ':status 206',
              11 => ':status 304', 12 => ':status 400', 13 => ':status 404',
              14 => ':status 500', 28 => 'content-length',
              31 => 'content-type', 33 => 'date', 44 => 'last-modified',
              46 => 'location', 54 => 'server', 59 => 'vary');

# RFC 7541, Appendix B, as far as it is ASCII: the codes of one length follow
# each other; length, the first code, the characters

my %huffman = huffman([5, 0x0, '012aceiost'],
                      [6, 0x14, ' %-./3456789=A_bdfghlmnpru'],
                      [7, 0x5c, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
                      [8, 0xf8, '&*,;XZ'], [10, 0x3f8, '!"()?'],
                      [11, 0x7fa, "'+|"], [12, 0xffa, '#>'],
                      [13, 0x1ff9, '$@[]~'], [14, 0x3ffc, '^}'],
                      [15, 0x7ffc, '<`{'], [19, 0x7fff0, '\\']);

my ($data, $headers, $rst, $settings, $ping, $goaway, $update, $more)
    = (0, 1, 3, 4, 6, 7, 8, 9);


sub huffman {
    my %codes;

    for my $group (@_) {
        my ($length, $code, $chars) = @$group;

        $codes{sprintf '%0*b', $length, $code++} = $_ for split //, $chars;
    }

    return %codes;
}


# window: of each stream; credit: of the connection, beyond the 65535 which it
# has from the start.  Both are opened as bytes come

sub connect {
    my ($class, $port, %args) = @_;

    my $self = $class->new(port => $port, streams => {}, next => 1, faults => [],
                           window => $args{window} // 65535,
                           %{$args{client} // {}});

    $self->write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                 . frame($settings, 0, 0, pack 'nN nN', 2, 0,
                         4, $self->{window})
                 . ($args{credit} ? frame($update, 0, 0, pack 'N', $args{credit})
                                  : ''));

    return $self;
}


sub frame {
    my ($type, $flags, $id, $payload) = @_;

    return pack('CnCCN', length($payload) >> 16, length($payload) & 0xffff,
                $type, $flags, $id) . $payload;
}


# begins a request: the stream, whose head has come; method, headers =>
# [name, value, ...]

sub open {
    my ($self, $path, %args) = @_;

    my $stream = Vidcast::HTTP2::Stream->new($self, $self->{next});
    my @fields = (':method' => $args{method} // 'GET', ':scheme' => 'http',
                  ':path' => $path, ':authority' => "127.0.0.1:$self->{port}",
                  @{$args{headers} // []});
    my $block = '';

    $block .= "\0" . literal(lc shift @fields) . literal(shift @fields)
        while @fields;

    # a body is to fit into the window that a stream has from the start

    my $body = $args{body};
    my @parts = defined $body && length $body ? unpack('(a16384)*', $body)
                                              : ();

    $self->{streams}{$self->{next}} = $stream;
    $self->write(join '', frame($headers, @parts ? 4 : 5, $self->{next},
                                $block),
        map { frame($data, $_ == $#parts, $self->{next}, $parts[$_]) }
            0 .. $#parts);
    $self->{next} += 2;

    $stream->some(sub { $stream->status || undef }, $args{seconds});

    return $stream;
}


sub literal {
    my ($text) = @_;

    my $size = length $text;

    return pack('C', $size) . $text if $size < 127;

    $size -= 127;

    my $head = "\x7f";

    for ( ; $size > 127; $size >>= 7) {
        $head .= pack 'C', 0x80 | ($size & 0x7f);
    }

    return $head . pack('C', $size) . $text;
}


sub serve {
    my ($self) = @_;

    $self->fill;

    while (length $self->{buffer} >= 9) {
        my ($high, $low, $type, $flags, $id) = unpack 'CnCCN', $self->{buffer};
        my $size = $high << 16 | $low;

        last if length $self->{buffer} < 9 + $size;

        $self->take(9);
        $self->accept($type, $flags, $id, $self->take($size));
    }
}


sub accept {
    my ($self, $type, $flags, $id, $payload) = @_;

    my $stream = $self->{streams}{$id};

    push @{$self->{faults}}, sprintf 'frame %d of %d', $type, $id
        if $id && (!$stream || $stream->{ended});

    if ($type == $data && $stream) {
        $payload = substr $payload, 1, -1 - unpack 'C', $payload if $flags & 8;
        $stream->add($payload);
        $self->open_window($stream, length $payload);

    } elsif (($type == $headers || $type == $more) && $stream) {
        $stream->{block} .= $payload;

        if ($flags & 4) {
            my @fields = fields(delete $stream->{block});

            push @{$self->{faults}}, forbidden(@fields);
            $stream->head(@fields);
        }

    } elsif ($type == $rst && $stream) {
        $stream->{reset} = unpack 'N', $payload;

    } elsif ($type == $settings && !($flags & 1)) {
        $self->write(frame($settings, 1, 0, ''));

    } elsif ($type == $ping && !($flags & 1)) {
        $self->write(frame($ping, 1, 0, $payload));

    } elsif ($type == $goaway) {
        $self->{goaway} = unpack 'x4N', $payload;
    }

    $stream->{ended} = 1 if $stream && $type <= $headers && $flags & 1;
}


# fields that make a message malformed, RFC 9113, 8.2; browsers close then

sub forbidden {
    my %fields = @_;

    return map { "field $_ of HTTP/1.1" }
        grep { /[A-Z]|^(?:connection|keep-alive|proxy-connection
                          |transfer-encoding|upgrade)$/x } sort keys %fields;
}


sub open_window {
    my ($self, $stream, $size) = @_;

    return if !$size;

    my $text = frame($update, 0, 0, pack 'N', $size);

    if ($stream->{hold}) {
        $stream->{held} += $size;

    } elsif (!$stream->{ended}) {
        $text .= frame($update, 0, $stream->{id}, pack 'N', $size);
    }

    $self->write($text);
}


sub release {
    my ($self, $stream) = @_;

    my $held = delete $stream->{held};

    $stream->{hold} = 0;
    $self->write(frame($update, 0, $stream->{id}, pack 'N', $held)) if $held;
}


sub reset {
    my ($self, $stream) = @_;

    $self->write(frame($rst, 0, $stream->{id}, pack 'N', 8));

    # what was on its way may still come

    $stream->{cancelled} = 1;
}


# HPACK: (name, value, ...); nginx puts nothing into the dynamic table

sub fields {
    my ($block) = @_;

    my @fields;

    while (length $block) {
        my $first = unpack 'C', $block;

        if ($first & 0x80) {
            push @fields, split / /, $static{integer(\$block, 7)} // die 'HPACK';
            next;
        }

        if (($first & 0xe0) == 0x20) {
            integer(\$block, 5);
            next;
        }

        my $index = integer(\$block, $first & 0x40 ? 6 : 4);
        my ($name) = $index ? split / /, $static{$index} // die "HPACK $index"
                            : text(\$block);

        push @fields, $name, text(\$block);
    }

    return @fields;
}


sub integer {
    my ($block, $bits) = @_;

    my $most = (1 << $bits) - 1;
    my $value = unpack('C', substr $$block, 0, 1, '') & $most;
    my $shift = 0;

    return $value if $value < $most;

    for (;;) {
        my $byte = unpack 'C', substr $$block, 0, 1, '';

        $value += ($byte & 0x7f) << $shift;
        $shift += 7;

        return $value if $byte < 0x80;
    }
}


sub text {
    my ($block) = @_;

    my $coded = unpack('C', $$block) & 0x80;
    my $text = substr $$block, 0, integer($block, 7), '';

    return $text if !$coded;

    my ($code, $plain) = ('', '');

    for my $bit (split //, unpack 'B*', $text) {
        $code .= $bit;

        next if !defined $huffman{$code};

        $plain .= $huffman{$code};
        $code = '';
    }

    return $plain;
}


1;
