package Vidcast::WebSocket;

# Copyright (C) vidcast contributors

# A WebSocket client that can also misbehave: any bits, any length, masked or
# not.  Messages arrive in order in an inbox, pings are answered unless
# auto_pong is 0.  With deflate => "..." permessage-deflate is offered so, and
# a message may be "compressed": see inflated() and deflated().
#
#     my $ws = Vidcast::WebSocket->connect($port, '/ws');
#     my $message = $ws->message;           # { type, data }, undef: none came
#     gather([$ws1, $ws2], sub { ... });    # many at once

use strict;
use warnings;

use parent 'Vidcast::Client';

use Compress::Raw::Zlib;
use Digest::SHA qw(sha1);
use Exporter 'import';
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);

use Vidcast::Wait;

our @EXPORT_OK = qw(gather frame accept_of deflated inflated);

my %types = (0 => 'continuation', 1 => 'text', 2 => 'binary', 8 => 'close',
             9 => 'ping', 10 => 'pong');


# headers => [...] come last, and replace those of the same name (undef: none)

sub connect {
    my ($class, $port, $path, %args) = @_;

    my $self = $class->new(port => $port, inbox => [], auto_pong => 1,
        frames => 0, %{$args{client} // {}});

    my $key = $args{key} // encode_base64(pack('N4', map { rand 2 ** 32 } 1..4),
                                          '');
    my @given = @{$args{headers} // []};
    my %given;

    for (my $i = 0; $i < @given; $i += 2) {
        $given{lc $given[$i]} = 1;
    }

    my @headers = (
        'Upgrade' => 'websocket',
        'Connection' => 'Upgrade',
        'Sec-WebSocket-Key' => $key,
        'Sec-WebSocket-Version' => '13',
    );

    push @headers, 'Sec-WebSocket-Protocol' => $args{protocol}
        if defined $args{protocol};

    push @headers, 'Sec-WebSocket-Extensions' => $args{deflate}
        if defined $args{deflate};

    push @headers, Origin => $args{origin} if defined $args{origin};

    my @all;

    while (my ($name, $value) = splice @headers, 0, 2) {
        push @all, $name, $value if !$given{lc $name};
    }

    while (my ($name, $value) = splice @given, 0, 2) {
        push @all, $name, $value if defined $value;
    }

    $self->{auto_pong} = $args{auto_pong} if defined $args{auto_pong};
    $self->{key} = $key;

    $self->ask(path => $path, method => $args{method},
               version => $args{version}, headers => \@all,
               after => $args{after}, no_host => $args{no_host});

    $self->{deflate}
        = ($self->header('Sec-WebSocket-Extensions') // '')
          =~ /^permessage-deflate\b/;

    return $self;
}


sub accept_of {
    my ($key) = @_;

    return encode_base64(sha1($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'),
                         '');
}


# 101, and the answer belongs to the key

sub accepted {
    my ($self) = @_;

    return $self->status == 101
        && ($self->header('Sec-WebSocket-Accept') // '')
           eq accept_of($self->{key});
}


# a client's frame; fin, rsv (0-7), mask => 0, length => a lie, form => 7, 16
# or 64 bits for the length

sub frame {
    my ($opcode, $payload, %args) = @_;

    $payload = "$payload";      # a number would be masked as a number

    my $length = $args{length} // length $payload;
    my $form = $args{form} // ($length < 126 ? 7 : $length < 65536 ? 16 : 64);
    my $mask = ($args{mask} // 1) ? 0x80 : 0;

    my $head = pack 'C', (($args{fin} // 1) << 7) | (($args{rsv} // 0) << 4)
        | $opcode;

    $head .= $form == 7 ? pack('C', $mask | $length)
        : $form == 16 ? pack('Cn', $mask | 126, $length)
        : pack('CQ>', $mask | 127, $length);

    return $head . $payload if !$mask;

    my $key = pack 'N', rand 2 ** 32;
    my $stream = $key x (length($payload) / 4 + 1);

    return $head . $key . ($payload ^ substr $stream, 0, length $payload);
}


sub send_frame {
    my $self = shift;

    return $self->write(frame(@_));
}


sub send_text   { $_[0]->send_frame(1, $_[1]) }
sub send_binary { $_[0]->send_frame(2, $_[1]) }
sub send_ping   { $_[0]->send_frame(9, $_[1] // '') }
sub send_pong   { $_[0]->send_frame(10, $_[1] // '') }


sub send_close {
    my ($self, $code, $reason) = @_;

    return $self->send_frame(8, defined $code ? pack('n', $code)
                                . ($reason // '') : '');
}


# RFC 7692, 7.2: without context takeover; level, bits of the window

sub deflated {
    my ($text, %args) = @_;

    my $d = Compress::Raw::Zlib::Deflate->new(
        -WindowBits => -($args{bits} // 15), -AppendOutput => 1,
        -Level => $args{level} // Z_DEFAULT_COMPRESSION);

    my $out = '';

    $d->deflate($text, $out) == Z_OK or die "deflate\n";
    $d->flush($out, Z_SYNC_FLUSH) == Z_OK or die "flush\n";

    $out =~ s/\x00\x00\xff\xff\z// or die "no empty block\n";

    return $out;
}


# what a message says; undef when it cannot be inflated in such a window

sub inflated {
    my ($message, $bits) = @_;

    return $message->{data} if !$message->{compressed};

    my $i = Compress::Raw::Zlib::Inflate->new(-WindowBits => -($bits // 15),
                                              -AppendOutput => 1);
    my $in = "$message->{data}\x00\x00\xff\xff";
    my $out = '';
    my $rc = $i->inflate($in, $out);

    return ($rc == Z_OK || $rc == Z_STREAM_END) && $in eq '' ? $out : undef;
}


# the next frame of the buffer: { fin, rsv, opcode, masked, data }

sub take_frame {
    my ($self) = @_;

    my $have = length $self->{buffer};
    return undef if $have < 2;

    my ($first, $second) = unpack 'CC', $self->{buffer};
    my ($length, $head) = ($second & 0x7f, 2);

    if ($length == 126) {
        return undef if $have < 4;
        ($length, $head) = (unpack('x2n', $self->{buffer}), 4);

    } elsif ($length == 127) {
        return undef if $have < 10;
        ($length, $head) = (unpack('x2Q>', $self->{buffer}), 10);
    }

    $head += 4 if $second & 0x80;       # a fault, but the next frame is there

    return undef if $have < $head + $length;

    $self->{frames}++;
    $self->take($head);

    return {
        fin => $first >> 7,
        rsv => ($first >> 4) & 7,
        opcode => $first & 15,
        masked => $second >> 7,
        data => $self->take($length),
    };
}


sub serve {
    my ($self) = @_;

    $self->fill;
    $self->parse if $self->status == 101 && !$self->{blind};
}


# all frames of the buffer into the inbox; faults of the server are noted

sub parse {
    my ($self) = @_;

    while (my $frame = $self->take_frame) {
        my $type = $types{$frame->{opcode}} // 'unknown';

        $self->fault('an unknown opcode') if $type eq 'unknown';
        $self->fault('a masked frame') if $frame->{masked};
        # RSV1 may be in the first frame of a message, when it was agreed on

        my $compressed = $self->{deflate} && $frame->{rsv} == 4
            && ($frame->{opcode} == 1 || $frame->{opcode} == 2);

        $self->fault('RSV bits') if $frame->{rsv} && !$compressed;
        $self->fault('a frame after a close') if $self->{closed};

        if ($frame->{opcode} >= 8) {
            $self->fault('a bad control frame')
                if !$frame->{fin} || length $frame->{data} > 125;

            $self->control($type, $frame->{data});
            next;
        }

        $self->fault('a wrong fragment')
            if ($type eq 'continuation') != defined $self->{partial};

        $self->{partial} //= { type => $type, data => '',
                               compressed => $compressed };
        $self->{partial}{data} .= $frame->{data};

        if ($frame->{fin}) {
            push @{$self->{inbox}}, delete $self->{partial};
        }
    }
}


sub control {
    my ($self, $type, $data) = @_;

    my $message = { type => $type, data => $data };

    if ($type eq 'ping') {
        $self->{pings}++;
        $self->send_pong($data) if $self->{auto_pong};

    } elsif ($type eq 'close') {
        $self->{closed} = 1;
        $message->{code} = length $data ? unpack('n', $data) : 1005;
        $message->{reason} = length $data ? substr($data, 2) : '';
        $self->{close} = $message;
    }

    push @{$self->{inbox}}, $message;
}


sub fault {
    my ($self, $text) = @_;

    # one brings others

    push @{$self->{faults}}, $text if @{$self->{faults} // []} < 5;
}


sub faults { join ', ', @{$_[0]{faults} // []} }


# the next message of one of the types (any: no type given), others dropped

sub message {
    my ($self, @types) = @_;

    my $seconds = @types && $types[-1] =~ /^[\d.]+$/ ? pop @types : undef;
    my %wanted = map { $_ => 1 } @types;

    return $self->until_some(sub {
        $self->parse;

        while (my $message = shift @{$self->{inbox}}) {
            return $message if !@types || $wanted{$message->{type}};
        }

        return undef;
    }, $seconds);
}


# the next text, decoded; undef when none came

sub json {
    my ($self, $seconds) = @_;

    my $message = $self->message('text', $seconds // 10) or return undef;

    return decode_json(inflated($message));
}


# the code of the server's close frame, after which TCP must end; 0: none

sub closed_with {
    my ($self, $seconds) = @_;

    my $message = $self->message('close', $seconds // 10) or return 0;

    return $message->{code};
}


# reads all of them at once until the condition holds; false when in vain

sub gather {
    my ($clients, $condition, $seconds) = @_;

    my $deadline = deadline($seconds);

    $_->parse for @$clients;

    for (;;) {
        return 1 if $condition->();

        Vidcast::Client::wait_readable($clients, $deadline) or return 0;
    }
}


1;
