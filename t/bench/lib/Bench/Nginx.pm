package Bench::Nginx;

# Copyright (C) vidcast contributors

# Servers which are nginx: ours, and nchan with what publishes to it.
# "http" makes the text of the http block for a job.

use strict;
use warnings;

use parent -norequire, 'Bench::Server';

use Bench::Server;
use Vidcast::Nginx;
use Vidcast::Wait;


sub ours { $_[0]{ours} }


sub missing {
    my ($self) = @_;

    return $self->SUPER::missing // do {
        my ($lost) = grep { !-f } @{$self->{modules} // []};

        $lost ? "no $lost" : undef;
    };
}


sub start {
    my ($self, $job) = @_;

    my $workers = $job->{workers} // 1;
    my $nginx = $self->{nginx} = Vidcast::Nginx->new(
        workers => $workers,
        log => 'warn',
        ($self->{modules} ? (modules => $self->{modules}) : ()),
        main => 'worker_rlimit_nofile 20000; worker_cpu_affinity '
            . join(' ', ('01', '10')[0 .. $workers - 1]) . ';',
        events => 'worker_connections 15000; multi_accept on;',
        http => "access_log off; sendfile on; "
            . "keepalive_requests 1000000000;\n"
            . ($self->{pools} // '') . $self->{http}->($self, $job));

    $nginx->start;

    # a session of its own: the others have that of t/bench/run

    Bench::Server::favor($nginx->pid);

    $self->{port} = $nginx->port;

    # the capture process was forked by a worker, where it stays if it is
    # measured as well

    if ($self->{ours}) {
        wait_for { $nginx->processes('capture') };

        if (!$self->{together}) {
            pin($_->{pid}) for $nginx->processes('manager'),
                               $nginx->processes('capture');
        }
    }

    if ($self->{feed}) {
        $self->{feeder} = Bench::Server::spawn(1,
            Bench::Server::bench_dir() . '/peers/feed', $self->{port},
            @$job{qw(kind size rate)});
    }

    if ($self->{attack}) {
        $self->{attacker} = Bench::Server::spawn(1,
            Bench::Server::bench_dir() . '/peers/attack', $self->{port},
            @{$self->{attack}});
    }

    return $self;
}


sub pin {
    my ($pid) = @_;

    system("taskset -a -c -p 1 $pid > /dev/null 2>&1");
}


sub stop {
    my ($self) = @_;

    for my $peer (grep { $self->{$_} } qw(feeder attacker)) {
        Bench::Server::end(delete $self->{$peer});
    }

    $self->{nginx}->signal('TERM');
    wait_for { $self->{nginx}->left };
    $self->{nginx}->finish;
}


sub workers {
    my ($self) = @_;

    return map { $_->{pid} } $self->{nginx}->processes('worker');
}


# of the workers, and of our capture

sub pids {
    my ($self) = @_;

    return ($self->workers, map { $_->{pid} }
                            $self->{nginx}->processes('capture'));
}


# microseconds of CPU time that the capture used so far

sub capture_cpu {
    my ($self) = @_;

    my ($capture) = $self->{nginx}->processes('capture') or return undef;

    open my $fh, '<', "/proc/$capture->{pid}/stat" or return undef;

    my ($user, $system) = <$fh> =~ /\) (?:\S+ ){11}(\d+) (\d+)/;

    return ($user + $system) * 1e6 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}


1;
