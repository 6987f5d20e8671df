package Vidcast::Feeder;

# Copyright (C) vidcast contributors

# It publishes all the time, in a process of its own: a picture and a
# text ten times a second, by POST or by WebSocket, or now by this and now by
# that; and it comes back when nginx has sent it away.
#
#     my $feeder = Vidcast::Feeder->start(@lines);   # { port, client, http2,
#     $feeder->stop;                                 #   post, put } (paths)

use strict;
use warnings;

use JSON::PP qw(encode_json);
use POSIX ();
use Time::HiRes qw(sleep);

use Vidcast::Client qw(request);
use Vidcast::HTTP2;
use Vidcast::Picture;
use Vidcast::WebSocket;


sub start {
    my ($class, @lines) = @_;

    my $self = bless { }, $class;
    my $parent = $$;

    return $self if !@lines;

    $self->{pid} = fork // die "fork: $!\n";

    if ($self->{pid} == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);

        for (my $n = 1; getppid == $parent; $n++) {
            for my $line (@lines) {
                eval { publish($line, $n); 1 } or delete $line->{socket};
            }

            sleep 0.1;
        }

        POSIX::_exit(0);
    }

    return $self;
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    kill 'KILL', $pid;
    waitpid $pid, 0;
}


sub DESTROY { $_[0]->stop }


sub publish {
    my ($line, $n) = @_;

    my $jpeg = picture(64, 48, 60 + $n % 100);
    my $json = encode_json({ published => $n, detections => [
        { label => 'box', score => 0.5, bbox => [4, 4, 30, 30] } ] });

    if ($line->{put} && (!$line->{post} || $n / 10 % 2)) {
        my $ws = $line->{socket} //= Vidcast::WebSocket->connect(
            $line->{port}, $line->{put}, client => $line->{client});

        die "not accepted\n" unless $ws->accepted;

        # what it is told meanwhile, a ping or the end

        $ws->message(0);
        die "closed\n" if $ws->eof || $ws->{closed};

        $ws->send_binary($jpeg);
        $ws->send_text($json);

        return;
    }

    if (my $ws = delete $line->{socket}) {
        $ws->close;
    }

    post($line, 'image/jpeg', $jpeg);
    post($line, 'application/json', $json);
}


sub post {
    my ($line, $type, $body) = @_;

    my %request = (method => 'POST', body => $body,
                   headers => ['Content-Type' => $type]);

    if ($line->{http2}) {
        my $h2 = Vidcast::HTTP2->connect($line->{port},
                                         client => $line->{client});
        $h2->open($line->{post}, %request,
                  headers => [@{$request{headers}},
                              'Content-Length' => length $body]);
        $h2->close;

        return;
    }

    request($line->{port}, $line->{post}, client => $line->{client},
            %request);
}


1;
