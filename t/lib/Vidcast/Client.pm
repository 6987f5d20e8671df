package Vidcast::Client;

# Copyright (C) vidcast contributors

# One connection: bytes in and out with deadlines, and the head of an HTTP
# response.  WebSocket.pm and Stream.pm go on from there.

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_RCVBUF);

use Vidcast::Wait;

our @EXPORT_OK = qw(get request);

my %attended;


# port or socket; recv_buffer: small, to play a slow viewer; tls: see TLS.pm;
# local: the address that it comes from

sub new {
    my ($class, %args) = @_;

    my $self = bless { buffer => '', eof => 0, %args }, $class;

    $self->{socket} //= $self->dial;
    $self->{socket}->blocking(0);
    binmode $self->{socket};

    return $self;
}


sub dial {
    my ($self) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'tcp')
        or die "socket: $@\n";

    if ($self->{recv_buffer}) {
        setsockopt $socket, SOL_SOCKET, SO_RCVBUF,
            pack('i', $self->{recv_buffer});
    }

    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, pack('i', 1);

    bind $socket, Socket::pack_sockaddr_in(0, Socket::inet_aton($self->{local}))
        or die "bind to $self->{local}: $!\n" if $self->{local};

    my $address = Socket::pack_sockaddr_in($self->{port},
        Socket::inet_aton($self->{address} // '127.0.0.1'));

    connect $socket, $address or die "connect to $self->{port}: $!\n";

    return $socket if !$self->{tls};

    require Vidcast::TLS;

    return Vidcast::TLS::upgrade($socket, %{$self->{tls}});
}


sub eof { $_[0]{eof} }


# writes all, or dies: a server that takes no byte is a fault

sub write {
    my ($self, $data) = @_;

    my $deadline = deadline();
    my $select = IO::Select->new($self->{socket});

    while (length $data) {
        my $n = syswrite $self->{socket}, $data;

        if (defined $n) {
            substr($data, 0, $n) = '';
            next;
        }

        # the peer may close while it is being abused

        return 0 if !$!{EAGAIN} && !$!{EINTR};

        $select->can_write(remaining($deadline))
            or die "cannot write in time\n";
    }

    return 1;
}


# writes all, and takes meanwhile what comes: for a server that answers before
# it reads on.  False when the peer has closed

sub write_and_read {
    my ($self, $data) = @_;

    my $deadline = deadline(30);
    my $select = IO::Select->new($self->{socket});
    my $at = 0;

    while ($at < length $data) {
        my ($in, $out) = IO::Select->select($select, $select, undef,
                                            remaining($deadline))
            or die "cannot write in time\n";

        $self->serve if @$in;

        return 0 if $self->{eof};
        next if !@$out;

        $at += syswrite($self->{socket}, $data, 262144, $at)
               // ($!{EAGAIN} || $!{EINTR} ? 0 : return 0);
    }

    return 1;
}


# no more bytes from here, RFC 9293's half-closed connection

sub half_close { shutdown $_[0]{socket}, 1 }


# what there is, without waiting; 0 at the end

sub fill {
    my ($self) = @_;

    return 0 if $self->{eof};

    my $n = sysread $self->{socket}, $self->{buffer}, 262144,
        length $self->{buffer};

    if (defined $n ? $n == 0 : (!$!{EAGAIN} && !$!{EINTR})) {
        $self->{reset} = 1 if !defined $n;
        $self->{eof} = 1;
        return 0;
    }

    return 1;
}


# takes what came; a WebSocket goes on to read its frames

sub serve { $_[0]->fill }


# this connection is served whenever a test waits for another one

sub attend {
    my ($self) = @_;

    $attended{$self} = $self;

    return $self;
}


# serves connections that can be read, and the attended ones, till something
# came for one of the former; false when nothing did

sub wait_readable {
    my ($clients, $deadline) = @_;

    my %of = map { fileno($_->{socket}) => $_ }
        grep { !$_->{eof} } values %attended, @$clients;
    my %wanted = map { $_ => 1 } grep { !$_->{eof} } @$clients;
    my $select = IO::Select->new(map { $_->{socket} } values %of);

    while (%wanted) {
        my @ready = $select->can_read(remaining($deadline)) or return 0;
        my $served = 0;

        for my $client (map { $of{fileno $_} } @ready) {
            $client->serve;
            $served = 1 if $wanted{$client};

            $select->remove($client->{socket}) if $client->{eof};
        }

        return 1 if $served;
    }

    return 0;
}


# calls $take until it returns something; undef at the end, and in vain

sub until_some {
    my ($self, $take, $seconds) = @_;

    my $deadline = deadline($seconds);

    for (;;) {
        my $value = $take->();

        return $value if defined $value;
        return undef if $self->{eof};

        wait_readable([$self], $deadline) or return undef;
    }
}


sub take {
    my ($self, $size) = @_;

    return undef if length $self->{buffer} < $size;

    return substr $self->{buffer}, 0, $size, '';
}


# does the server close, whatever comes before?

sub wait_eof {
    my ($self, $seconds) = @_;

    $self->{blind} = 1;
    $self->until_some(sub { $self->{buffer} = ''; undef }, $seconds);

    return $self->{eof};
}


# sends a request and reads the head of the response.  method, path, version,
# headers => [name, value, ...], body, after => bytes sent along

sub ask {
    my ($self, %args) = @_;

    my @headers = @{$args{headers} // []};
    my $names = lc join "\n", @headers[grep { $_ % 2 == 0 } 0 .. $#headers];

    if (!$args{no_host} && $names !~ /^host$/m) {
        unshift @headers, Host => "127.0.0.1:" . ($self->{port} // 80);
    }

    if (defined $args{body}) {
        push @headers, 'Content-Length' => length $args{body};
    }

    my $head = sprintf "%s %s HTTP/%s\r\n", $args{method} // 'GET',
        $args{path} // '/', $args{version} // '1.1';

    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }

    $self->write("$head\r\n" . ($args{body} // '') . ($args{after} // ''));

    return $self->read_head($args{seconds});
}


sub read_head {
    my ($self, $seconds) = @_;

    my $head = $self->until_some(sub {
        return $self->{buffer} =~ s/^(.*?)\r\n\r\n//s ? $1 : undef;
    }, $seconds);

    return 0 if !defined $head;

    my ($status, @lines) = split /\r\n/, $head;

    ($self->{status}) = $status =~ m{^HTTP/1\.[01] (\d{3})};
    $self->{headers} = {};

    for my $line (@lines) {
        my ($name, $value) = split /:\s*/, $line, 2;

        push @{$self->{headers}{lc $name}}, $value;
    }

    return $self->{status};
}


sub status { $_[0]{status} // 0 }


# values of one header, joined as HTTP allows; undef when there is none

sub header {
    my ($self, $name) = @_;

    my $values = $self->{headers}{lc $name} or return undef;

    return join ', ', @$values;
}


# the rest of a response which ends

sub read_body {
    my ($self, $seconds) = @_;

    if (($self->header('Transfer-Encoding') // '') =~ /chunked/i) {
        my $body = '';

        while (defined(my $chunk = $self->read_chunk($seconds))) {
            return $body if $chunk eq '';
            $body .= $chunk;
        }

        return undef;
    }

    my $length = $self->header('Content-Length');

    if (defined $length) {
        return $self->until_some(sub { $self->take($length) }, $seconds);
    }

    $self->until_some(sub { undef }, $seconds);

    return $self->{eof} ? $self->{buffer} : undef;
}


# one chunk, '' for the last one

sub read_chunk {
    my ($self, $seconds) = @_;

    return $self->until_some(sub {
        my ($line, $size) = $self->{buffer} =~ /^(([0-9a-f]+)\r\n)/i or return;

        $size = hex $size;
        return if length $self->{buffer} < length($line) + $size + 2;

        substr $self->{buffer}, 0, length $line, '';
        my $chunk = $self->take($size);
        $self->take(2);

        return $chunk;
    }, $seconds);
}


sub close {
    my ($self) = @_;

    delete $attended{$self};

    close $self->{socket} if $self->{socket};
    $self->{eof} = 1;
}


# As if the host had lost its power: the kernel drops whatever comes for this
# socket before it looks at it, and nothing leaves any more.  A filter which
# takes no byte, BPF_RET|BPF_K of 0, by SO_ATTACH_FILTER

sub vanish {
    my ($self) = @_;

    my $code = pack 'S C C L', 6, 0, 0, 0;

    setsockopt $self->{socket}, SOL_SOCKET, 26, pack 'S x![P] P', 1, $code
        or die "SO_ATTACH_FILTER: $!\n";
}


# a response in full: { status, headers, body }, the object itself as "client"

sub request {
    my ($port, $path, %args) = @_;

    my $client = __PACKAGE__->new(port => $port, %{$args{client} // {}});
    my @headers = @{$args{headers} // []};

    $client->ask(%args, path => $path,
                 headers => [@headers, Connection => 'close']);

    my $none = ($args{method} // '') eq 'HEAD' || $client->status =~ /^[23]04$/;

    return {
        client => $client,
        status => $client->status,
        headers => { map { $_ => $client->header($_) }
                     keys %{$client->{headers} // {}} },
        body => $none ? '' : $client->read_body($args{seconds}),
    };
}


sub get {
    my ($port, $path, %args) = @_;

    return request($port, $path, %args);
}


1;
