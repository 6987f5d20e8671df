package Vidcast::Crowd;

# Copyright (C) vidcast contributors

# Many viewers at once, of several transports, and the worker that each of them
# is with: the locations must have "add_header X-Worker $pid always".  What
# comes is counted, checked for its order, and thrown away.
#
#     my $crowd = Vidcast::Crowd->new($port, '/ws' => 20, '/mjpeg' => 10);
#
#     $crowd->mark;
#     $crowd->moved;                 # has everybody got more since?
#     $crowd->moved($crowd->of($pid));
#     $crowd->reconnect;             # what was dropped
#     $crowd->faults;                # '' is right

use strict;
use warnings;

use IO::Select;
use Time::HiRes qw(time);

use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;


# a path's name tells its transport, and what is to come: ws, both, pictures
# (WebSocket), mjpeg, sse, ndjson; digits and more may follow

sub new {
    my ($class, $port, %count) = @_;

    my $self = bless { port => $port, viewers => [], faults => [] }, $class;

    for my $path (sort keys %count) {
        push @{$self->{viewers}}, map { $self->open($path) }
            1 .. $count{$path};
    }

    return $self;
}


sub open {
    my ($self, $path) = @_;

    my ($kind) = $path =~ m{^/(ws|both|pictures|mjpeg|sse|ndjson)}
        or die "what is $path?\n";

    my $viewer = { path => $path, kind => $kind, texts => 0, pictures => 0,
                   gap => 0 };

    $self->dial($viewer);

    return $viewer;
}


sub dial {
    my ($self, $viewer) = @_;

    my $stream = $viewer->{kind} =~ /mjpeg|sse|ndjson/;
    my $class = $stream ? 'Vidcast::Stream' : 'Vidcast::WebSocket';
    my $client = $stream ? $class->open($self->{port}, $viewer->{path})
                         : $class->connect($self->{port}, $viewer->{path});

    # one that was dropped meanwhile is gone, and no reason to end

    die "no answer for $viewer->{path}\n" if !$client->status && !$client->eof;

    $viewer->{client} = $client;
    $viewer->{worker} = $client->header('X-Worker') // 0;
    $viewer->{wanted} = $stream ? 200 : 101;
    $viewer->{last} = time;

    $self->fault($viewer, 'answered by ' . $client->status)
        if $client->status && $client->status != $viewer->{wanted};

    delete @$viewer{qw(seq frame)};
}


sub viewers { @{$_[0]{viewers}} }
sub gone    { grep { $_->{client}->eof } $_[0]->viewers }

# with this worker; not with it

sub of      { my ($self, $pid) = @_;
              return grep { $_->{worker} == $pid } $self->viewers }
sub beside  { my ($self, $pid) = @_;
              return grep { $_->{worker} != $pid } $self->viewers }


sub refused {
    my ($self) = @_;

    return grep { $_->{client}->status != $_->{wanted} } $self->viewers;
}


sub mark {
    my ($self) = @_;

    $self->take_all;

    for my $viewer ($self->viewers) {
        @$viewer{qw(mark_texts mark_pictures)} = @$viewer{qw(texts pictures)};
    }
}


# reads what is there already

sub take_all {
    my ($self) = @_;

    $self->pump(sub { 0 }, 0);
}


sub has_moved {
    my ($viewer) = @_;

    my ($texts, $pictures) = (
        $viewer->{texts} > ($viewer->{mark_texts} // 0),
        $viewer->{pictures} > ($viewer->{mark_pictures} // 0));

    return $viewer->{kind} eq 'both' ? $texts && $pictures
        : $viewer->{kind} =~ /mjpeg|pictures/ ? $pictures : $texts;
}


# did all of them (or all that are there) get something since mark()?

sub moved {
    my ($self, @viewers) = @_;

    @viewers = $self->viewers if !@viewers;

    return $self->pump(sub { !grep { !has_moved($_) } @viewers });
}


# reads everybody's connection until the condition holds

sub pump {
    my ($self, $condition, $seconds) = @_;

    my $late = 0;
    my $deadline = deadline($seconds);
    my %of = map { fileno($_->{client}{socket}) => $_ }
        grep { !$_->{client}->eof } $self->viewers;
    my $select = IO::Select->new(map { $_->{client}{socket} } values %of);

    $self->parse($_) for values %of;

    for (;;) {
        return 1 if $condition->();

        # what is waited for may be no news for a viewer at all

        my $left = remaining($deadline);
        my @ready = $select->can_read($left < 0.05 ? $left : 0.05);

        return 0 if !$left && (!@ready || $late++);

        for my $socket (@ready) {
            my $viewer = $of{fileno $socket};

            $viewer->{client}->fill;
            $self->parse($viewer);

            if ($viewer->{client}->eof) {
                $select->remove($socket);
                $viewer->{client}->close;
            }
        }
    }
}


sub parse {
    my ($self, $viewer) = @_;

    my $client = $viewer->{client};

    return if $client->status != $viewer->{wanted};

    if ($viewer->{kind} eq 'mjpeg') {
        while (my $part = $client->part(0)) {
            $self->picture($viewer, $part->{headers}{'x-vidcast-frame'});
        }

    } elsif ($viewer->{kind} eq 'sse') {
        while (my $event = $client->event(0)) {
            $self->text($viewer, $event->{data}) if defined $event->{data};
        }

    } elsif ($viewer->{kind} eq 'ndjson') {
        $client->unwrap;

        while ($client->{content} =~ s/^(.*)\n//) {
            $self->text($viewer, $1);
        }

    } else {
        $client->parse;

        while (my $message = shift @{$client->{inbox}}) {
            $self->text($viewer, $message->{data})
                if $message->{type} eq 'text';
            $self->picture($viewer) if $message->{type} eq 'binary';
            $client->send_close($message->{code})
                if $message->{type} eq 'close';
        }
    }
}


sub text {
    my ($self, $viewer, $text) = @_;

    my ($seq) = $text =~ /"seq":(\d+)/;

    $self->fault($viewer, "\"$text\"") if !$seq;
    $self->fault($viewer, "result $seq after $viewer->{seq}")
        if $viewer->{seq} && $seq <= $viewer->{seq};

    $viewer->{seq} = $seq;
    $viewer->{texts}++;

    $self->came($viewer);
}


# the last one may come again when nothing else does

sub picture {
    my ($self, $viewer, $number) = @_;

    if ($number) {
        $self->fault($viewer, "frame $number after $viewer->{frame}")
            if $viewer->{frame} && $number < $viewer->{frame};

        $viewer->{frame} = $number;
    }

    $viewer->{pictures}++;

    $self->came($viewer);
}


sub came {
    my ($self, $viewer) = @_;

    my $gap = time - $viewer->{last};

    $viewer->{gap} = $gap if $gap > $viewer->{gap};
    $viewer->{last} = time;
}


# the longest time that a viewer got nothing, since this was asked last

sub longest_gap {
    my ($self, @viewers) = @_;

    my $longest = 0;

    for my $viewer (@viewers ? @viewers : $self->viewers) {
        $longest = $viewer->{gap} if $viewer->{gap} > $longest;
        $viewer->{gap} = 0;
    }

    return $longest;
}


sub fault {
    my ($self, $viewer, $text) = @_;

    push @{$self->{faults}}, "$viewer->{path}: $text";
}


sub faults {
    my ($self) = @_;

    return join "\n", @{$self->{faults}},
        map { $_->{path} . ': ' . $_->{client}->faults }
        grep { $_->{client}->can('faults') && $_->{client}->faults ne '' }
        $self->viewers;
}


# what was dropped comes again; the number of them

sub reconnect {
    my ($self) = @_;

    my @gone = $self->gone;

    for my $viewer (@gone) {
        $viewer->{client}->close;
        $self->dial($viewer);
    }

    return scalar @gone;
}


sub leave {
    my ($self) = @_;

    $_->{client}->close for $self->viewers;
    $self->{viewers} = [];
}


1;
