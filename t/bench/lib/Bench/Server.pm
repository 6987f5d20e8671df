package Bench::Server;

# Copyright (C) vidcast contributors

# Those that are measured: started on the first core, asked for their process,
# ended.
#
#     my $server = Bench::Server->new(name => 'ws', command => sub { ... });
#
#     $server->missing              why it cannot run here, or nothing
#     $server->start(\%job)         job: kind (text, picture), size, rate,
#                                   workers, ...
#     $server->port, $server->path
#     $server->workers              their pids
#     $server->pids                 and those of what else is measured
#     $server->stop

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();

use Vidcast::Wait;

my $here = __FILE__ =~ s{/lib/Bench/[^/]*$}{}r;
my %running;


sub new {
    my ($class, %args) = @_;

    return bless { path => '/', %args }, $class;
}


sub name { $_[0]{name} }
sub raw  { $_[0]{raw} }
sub ours { 0 }
sub port { $_[0]{port} }
sub pid  { $_[0]{pid} }
sub pids { $_[0]{pid} }
sub workers { $_[0]{pid} }
sub path { $_[0]{path} }

sub bench_dir { $here }
sub build_dir { "$here/../../build/bench" }


# "needs" are commands which must succeed, by what they are of

sub missing {
    my ($self) = @_;

    return $self->{missing} if exists $self->{missing};

    my %needs = %{$self->{needs} // {}};

    for my $what (sort keys %needs) {
        next if system("$needs{$what} > /dev/null 2>&1") == 0;

        return $self->{missing} = "no $what";
    }

    return $self->{missing} = undef;
}


sub start {
    my ($self, $job) = @_;

    $self->{port} = free_port();
    $self->{pid} = spawn(0, $self->{command}->($self, $job));

    wait_for {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                              PeerPort => $self->{port})
    } or die "$self->{name} does not listen\n";

    return $self;
}


sub stop {
    my ($self) = @_;

    end($self->{pid});
}


sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                       LocalPort => 0, Listen => 1)
        or die "cannot listen: $@\n";

    return $socket->sockport;
}


# a process on one core; it ends with us

sub spawn {
    my ($core, @command) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>>', build_dir() . '/stderr';

        exec 'taskset', '-c', $core, @command or POSIX::_exit(127);
    }

    $running{$pid} = 1;

    return $pid;
}


# with autogrouping niceness is of sessions: what else runs gets less

sub favor {
    my ($pid) = @_;

    if (open my $group, '>', "/proc/$pid/autogroup") {
        print $group '-20';
    }
}


sub end {
    my ($pid) = @_;

    kill 'KILL', $pid;
    waitpid $pid, 0;
    delete $running{$pid};
}


END {
    my $status = $?;

    end($_) for keys %running;
    $? = $status;
}


1;
