package Vidcast::NATS;

# Copyright (C) vidcast contributors

# A real nats-server for tests, and a client of a few lines that says to it
# whatever a test likes, and reads what goes by.
#
#     my $bus = Vidcast::NATS->new(config => 'max_payload: 8MB')->start;
#     $bus->url; $bus->signal('STOP'); $bus->kill; $bus->start;
#
#     my $client = $bus->client; $client->sub('site.>');
#     my $message = $client->message;     # { subject, headers => {}, data }
#     $client->pub('site.front.want', '', 'Vidcast-Edge' => 'a');

use strict;
use warnings;

use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use Test::More ();

use Vidcast::Wait;

my $owner = $$;
my %running;


sub binary {
    return (grep { -x } '/usr/sbin/nats-server', '/usr/bin/nats-server',
            '/usr/local/bin/nats-server')[0];
}


# skips the test file where there is no server, or no plugin

sub plan {
    my ($class) = @_;

    Test::More::plan(skip_all => 'nats-server is not installed')
        if !$class->binary;

    my ($module) = Vidcast::Nginx->modules;
    my $plugin = $module =~ s{[^/]+$}{vidcast_nats.so}r;

    Test::More::plan(skip_all => 'vidcast_nats.so is not built')
        if !-f $plugin;
}


# config: lines of its configuration, which start() may still be given

sub new {
    my ($class, %args) = @_;

    my @held = map {
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                              Proto => 'tcp', Listen => 1)
            or die "cannot listen: $@\n"
    } 1 .. 3;

    my $self = bless { config => '', %args,
        ports => [map { $_->sockport } @held],
        dir => tempdir('vidcast-nats-XXXXXX', TMPDIR => 1) }, $class;

    $self->{port} = $self->{ports}[0];
    $running{$self->{dir}} = $self;

    return $self;
}


# three servers of one cluster, each of which takes leaf nodes

sub cluster {
    my ($class) = @_;

    my @servers = map { $class->new } 1 .. 3;
    my $routes = join ", ", map { "\"nats://127.0.0.1:" . $_->port(1) . "\"" } @servers;

    for my $n (1 .. 3) {
        my $server = $servers[$n - 1];

        $server->{config} = <<"CONF";
server_name: s$n
max_payload: 8MB
ping_interval: "1s"
ping_max: 2
cluster  { name: c, listen: "127.0.0.1:@{[ $server->port(1) ]}", routes: [ $routes ] }
leafnodes { listen: "127.0.0.1:@{[ $server->port(2) ]}" }
CONF
        $server->start;
    }

    return @servers;
}


# a server of its own, at the end of a line to these

sub leaf {
    my ($class, @servers) = @_;

    my $urls = join ', ', map { "\"nats://127.0.0.1:" . $_->port(2) . '"' } @servers;
    my $leaf = $class->new;

    $leaf->{config} = <<"CONF";
server_name: leaf@{[ $leaf->port ]}
max_payload: 8MB
ping_interval: "1s"
ping_max: 2
leafnodes { reconnect: 1, remotes: [ { urls: [ $urls ] } ] }
CONF

    return $leaf->start;
}


sub port { $_[0]{ports}[$_[1] // 0] }
sub url  { 'nats://' . ($_[1] // '') . "127.0.0.1:$_[0]{port}" }
sub pid  { $_[0]{pid} }


sub start {
    my ($self) = @_;

    open my $fh, '>', "$self->{dir}/nats.conf" or die "nats.conf: $!\n";
    print $fh "listen: 127.0.0.1:$self->{port}\n$self->{config}\n";
    close $fh;

    $self->{pid} = fork // die "fork: $!\n";

    if ($self->{pid} == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/log";
        open STDERR, '>>', "$self->{dir}/log";

        exec $self->binary, '-c', "$self->{dir}/nats.conf"
            or POSIX::_exit(127);
    }

    wait_for {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                              PeerPort => $self->{port})
    } or die "nats-server does not listen\n";

    return $self;
}


sub signal {
    my ($self, $signal) = @_;

    kill $signal, $self->{pid};
}


sub kill {
    my ($self) = @_;

    return if !$self->{pid};

    CORE::kill 'CONT', $self->{pid};
    CORE::kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;

    $self->{pid} = undef;
}


sub client {
    my ($self, %args) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $self->{port})
        or die "cannot connect to nats-server: $@\n";

    my $client = bless { socket => $socket, buffer => '', inbox => [],
                         sid => 0 }, 'Vidcast::NATS::Client';

    my $login = $args{user} ? qq(,"user":"$args{user}","pass":"$args{password}")
                            : '';

    $client->write(qq(CONNECT {"verbose":false,"headers":true,"lang":"perl",)
                   . qq("version":"1","protocol":1,"no_responders":false$login)
                   . "}\r\nPING\r\n");

    $client->{alive} = 0;
    wait_for { $client->read(0.05); $client->{alive} }
        or die "nats-server does not answer\n";

    return $client;
}


sub END {
    return if $$ != $owner;

    my $status = $?;

    for my $self (values %running) {
        $self->kill;
        remove_tree($self->{dir});
    }

    $? = $status;
}


package Vidcast::NATS::Client;

use Vidcast::Wait;


sub write {
    my ($self, $bytes) = @_;

    while (length $bytes) {
        my $n = syswrite $self->{socket}, $bytes;

        return 0 if !defined $n;
        substr($bytes, 0, $n) = '';
    }

    return 1;
}


sub sub {
    my ($self, $subject) = @_;

    my $sid = ++$self->{sid};

    $self->write("SUB $subject $sid\r\n");

    return $sid;
}


# what went by before it has been taken by the server

sub flush {
    my ($self) = @_;

    $self->{alive} = 0;
    $self->write("PING\r\n");

    return wait_for { $self->read(0.05); $self->{alive} };
}


# a header's value is sent as it is

sub pub {
    my ($self, $subject, $data, @headers) = @_;

    my ($reply) = ref $subject ? $subject->[1] : ();

    $subject = $subject->[0] if ref $subject;

    my $head = "NATS/1.0\r\n";

    while (my ($name, $value) = splice @headers, 0, 2) {
        $head .= "$name: $value\r\n";
    }

    $head .= "\r\n";

    return $self->write("HPUB $subject " . (defined $reply ? "$reply " : '')
                        . length($head) . ' '
                        . (length($head) + length $data)
                        . "\r\n$head$data\r\n");
}


sub read {
    my ($self, $seconds) = @_;

    my $select = IO::Select->new($self->{socket});

    if ($select->can_read($seconds)) {
        my $n = sysread $self->{socket}, my $bytes, 1 << 20;

        $self->{eof} = 1 if !$n;
        $self->{buffer} .= $bytes if $n;
    }

    $self->parse;
}


sub parse {
    my ($self) = @_;

    for ($self->{buffer}) {

        while (1) {
            if (s/^(?:INFO [^\r]*|\+OK)\r\n//) {
                next;
            }

            if (s/^PING\r\n//) {
                $self->write("PONG\r\n");
                next;
            }

            if (s/^PONG\r\n//) {
                $self->{alive} = 1;
                next;
            }

            if (s/^(-ERR [^\r]*)\r\n//) {
                $self->{error} = $1;
                next;
            }

            if (/^H?MSG (\S+) (\S+) (?:(\S+) )??(?:(\d+) )?(\d+)\r\n/) {
                my ($subject, $reply, $head, $size) = ($1, $3, $4 // 0, $5);
                my $offset = length $&;

                last if length() < $offset + $size + 2;

                my %headers = substr($_, $offset, $head)
                    =~ /^([\w-]+): ?([^\r]*)\r$/mg;

                push @{$self->{inbox}}, {
                    subject => $subject, reply => $reply,
                    headers => \%headers,
                    data => substr $_, $offset + $head, $size - $head,
                };

                substr($_, 0, $offset + $size + 2) = '';
                next;
            }

            last;
        }
    }
}


# the next one of a subject that matches, others are forgotten

sub message {
    my ($self, $subject, $seconds) = @_;

    return wait_for {
        $self->read(0.02) if !@{$self->{inbox}};

        while (my $message = shift @{$self->{inbox}}) {
            return $message
                if !$subject || $message->{subject} =~ $subject;
        }

        undef;
    } $seconds;
}


1;
