package Vidcast::Stream;

# Copyright (C) vidcast contributors

# A response without an end: the parts of MJPEG, the events of SSE, lines.
#
#     my $stream = Vidcast::Stream->open($port, '/video_feed');
#     my $part = $stream->part;      # { headers, data }, with a picture
#     my $part = $stream->any_part;  # or a placeholder
#     my $event = $stream->event;    # { id, event, data, retry }

use strict;
use warnings;

use parent 'Vidcast::Client';

use JSON::PP qw(decode_json);

sub open {
    my ($class, $port, $path, %args) = @_;

    my $self = $class->new(port => $port, content => '',
                           %{$args{client} // {}});

    $self->ask(path => $path, %args);

    $self->{chunked}
        = ($self->header('Transfer-Encoding') // '') =~ /chunked/i;

    return $self;
}


# moves what came to "content", without the chunks' frame

sub unwrap {
    my ($self) = @_;

    if (!$self->{chunked}) {
        $self->{content} .= $self->{buffer};
        $self->{buffer} = '';
        return;
    }

    while ($self->{buffer} =~ /^([0-9a-f]+)\r\n/i) {
        my ($line, $size) = ($+[0], hex $1);

        return if length $self->{buffer} < $line + $size + 2;

        $self->{ended} = 1 if $size == 0;

        $self->{content} .= substr $self->{buffer}, $line, $size;
        substr($self->{buffer}, 0, $line + $size + 2) = '';
    }
}


# was the last chunk seen?

sub ended {
    my ($self, $seconds) = @_;

    $self->until_some(sub {
        $self->unwrap;
        $self->{content} = '';
        $self->{ended};
    }, $seconds);

    return $self->{ended} ? 1 : 0;
}


sub some {
    my ($self, $take, $seconds) = @_;

    return $self->until_some(sub { $self->unwrap; $take->() }, $seconds);
}


# one part of multipart/x-mixed-replace; Content-Length is believed, so that
# a wrong one is found by the boundary that must follow

sub any_part {
    my ($self, $seconds) = @_;

    return $self->some(sub { $self->take_part }, $seconds);
}


# the next one that is no placeholder

sub part {
    my ($self, $seconds) = @_;

    return $self->some(sub {
        while (my $part = $self->take_part) {
            return $part unless placeholder($part);
        }

        return undef;
    }, $seconds);
}


# a part in place of a picture has no number of a frame

sub placeholder {
    my ($part) = @_;

    my $headers = $part->{headers};

    return $headers->{'x-vidcast-state'} && !$headers->{'x-vidcast-frame'};
}


# without waiting

sub take_part {
    my ($self) = @_;

    my ($boundary) = ($self->header('Content-Type') // '')
        =~ /boundary="?([^";]+)/ or die "no boundary\n";

    my ($head, $fields) = $self->{content}
        =~ /^((?:\r\n)?--\Q$boundary\E\r\n(.*?)\r\n\r\n)/s or return;

    my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () }
        split /\r\n/, $fields;

    my $size = $headers{'content-length'} // die "no Content-Length\n";
    my $end = length($head) + $size;

    return if length $self->{content} < $end + 4 + length $boundary;

    my $data = substr $self->{content}, length $head, $size;
    my $next = substr $self->{content}, $end, 4 + length $boundary;

    die "no boundary behind the part\n" if $next ne "\r\n--$boundary";

    substr($self->{content}, 0, $end) = '';

    return { headers => \%headers, data => $data };
}


# one event of text/event-stream; comments are counted

sub event {
    my ($self, $seconds) = @_;

    return $self->some(sub {
        while ($self->{content} =~ s/^(.*?)\n\n//s) {
            my %event;

            for my $line (split /\n/, $1) {
                if ($line =~ /^:/) {
                    $self->{comments}++;
                    next;
                }

                my ($name, $value) = split /: ?/, $line, 2;

                $event{$name} = defined $event{$name}
                    ? "$event{$name}\n$value" : $value;
            }

            return \%event if %event;
        }

        return undef;
    }, $seconds);
}


# what has come of NDJSON so far, decoded; the space of a ping is before it

sub objects {
    my ($self) = @_;
    my @objects;

    $self->fill;
    $self->unwrap;

    while ($self->{content} =~ s/^ *(\{[^\n]*)\n//) {
        push @objects, decode_json($1);
    }

    return @objects;
}


sub line {
    my ($self, $seconds) = @_;

    return $self->some(sub {
        return $self->{content} =~ s/^(.*?)\r?\n// ? $1 : undef;
    }, $seconds);
}


1;
