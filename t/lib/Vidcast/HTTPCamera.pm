package Vidcast::HTTPCamera;

# Copyright (C) vidcast contributors

# Cameras which speak HTTP in ways of their own, all of them in one server, in a
# process of its own:
#
#     my $camera = Vidcast::HTTPCamera->start(
#         plain => { },                      # at /plain, ten pictures a second
#         odd   => { head => "HTTP/1.0 200 OK\r\n\r\n", part => "%s\n" },
#         own   => sub { my ($socket, $request, $count) = @_; ... },
#     );
#     $camera->port;
#     $camera->requests('odd');              # each as it came, as text
#     $camera->stop;
#
# "head" is sent first, "part" for each picture, where %s is the picture and %d
# its size, and "end" at the end of "count" of them; "pause" is the time between
# two.  Each picture is of 64x48 pixels.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep);

use Vidcast::Picture;

my $usual = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
    . "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";
my $part = "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
    . "%s\r\n";


sub start {
    my ($class, %paths) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                       Proto => 'tcp', LocalPort => 0,
                                       ReuseAddr => 1)
        or die "cannot listen: $@\n";

    my $self = bless {
        port => $listen->sockport, owner => $$,
        log => tempdir('vidcast-camera-XXXXXX', TMPDIR => 1, CLEANUP => 1),
    }, $class;

    $self->{pid} = fork;

    die "fork: $!\n" if !defined $self->{pid};

    if ($self->{pid} == 0) {
        $self->serve($listen, \%paths);
        POSIX::_exit(0);
    }

    # stop() may come before the child has run

    POSIX::setpgid($self->{pid}, 0);

    close $listen;

    return $self;
}


sub port { $_[0]{port} }


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid};

    if ($pid && $self->{owner} == $$) {
        kill 'TERM', -$pid;
        waitpid $pid, 0;
    }
}


sub DESTROY {
    my ($self) = @_;

    local ($?, $!, $@);

    $self->stop;
}


# what was asked at a path

sub requests {
    my ($self, $path) = @_;

    open my $fh, '<', "$self->{log}/$path" or return ();

    local $/ = "\r\n\r\n";

    my @requests = <$fh>;

    return @requests;
}


# a process for each connection; with its group it ends

sub serve {
    my ($self, $listen, $paths) = @_;

    POSIX::setpgid(0, 0);

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    $SIG{PIPE} = 'IGNORE';
    $SIG{CHLD} = 'IGNORE';

    my $parent = getppid;

    for (;;) {
        my $ready = '';

        vec($ready, fileno $listen, 1) = 1;

        if (select $ready, undef, undef, 1) {
            my $socket = $listen->accept or next;
            my $pid = fork;

            if (defined $pid && $pid == 0) {
                close $listen;
                $self->answer($socket, $paths);
                POSIX::_exit(0);
            }
        }

        return if getppid != $parent;
    }
}


# one request after the other, as long as the path's own answer keeps it open

sub answer {
    my ($self, $socket, $paths) = @_;

    $socket->autoflush;

    for (;;) {
        my $request = '';

        while ($request !~ /\r\n\r\n/) {
            sysread $socket, $request, 4096, length $request or return;
        }

        my ($path) = $request =~ m{^\w+ (?:http://[^/]+)?/([\w.-]*)}
            or return;

        open my $fh, '>>', "$self->{log}/$path" or return;
        syswrite $fh, $request;
        close $fh;

        my $count = () = $self->requests($path);
        my $case = $paths->{$path};

        if (!$case) {
            print $socket "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            next;
        }

        if (ref $case eq 'CODE') {
            $case->($socket, $request, $count) or return;
            next;
        }

        show($socket, %$case);

        return;
    }
}


sub show {
    my ($socket, %case) = @_;

    my $count = $case{count} // 1e9;
    my $format = $case{part} // $part;

    print $socket $case{head} // $usual or return;

    for my $n (1 .. $count) {
        my $jpeg = ($case{picture} // \&shot)->($n);
        my $size = length($jpeg) + ($case{wrong} // 0);
        my $text = $n == 1 ? $case{first} // $format : $format;

        $text =~ s/%([sd])/$1 eq 's' ? $jpeg : $size/ge;

        $text = sprintf "%x\r\n%s\r\n", length $text, $text
            if $case{chunked};

        print $socket $text or return;

        sleep $case{pause} // 0.1;
    }

    print $socket $case{end} if defined $case{end};
}


# the next picture

sub shot {
    my ($n) = @_;

    return picture(64, 48, 20 + $n * 7 % 200);
}


1;
