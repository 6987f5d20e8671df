package Vidcast::Case;

# Copyright (C) vidcast contributors

# One source with a set of features of Vidcast::Features, and those that watch
# it: its configuration, its viewers, what each of them has got, and what is
# wrong with that.  Beside those of the features there is one more viewer, of
# all results as NDJSON, for the checks.

use strict;
use warnings;

use JSON::PP qw(decode_json encode_json);
use List::Util qw(any first max sum0);

use Vidcast::Client qw(request);
use Vidcast::Features;
use Vidcast::HTTP2;
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Life ();
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

our $album = 40;    # pictures in the folder, and in the film

my %socket = map { $_ => 1 } qw(websocket frames both paired several);
my %results = map { $_ => 1 }
    qw(websocket both several sse ndjson since watch);
my %pictures = map { $_ => 1 } qw(frames both several mjpeg drawn plain);


# name of the source; names of its features, of those of nginx as well

sub new {
    my ($class, $name, @features) = @_;

    return bless { name => $name, features => \@features, viewers => {},
                   has => { map { $_ => 1 } @features },
                   rows => [ map { feature($_) } @features ] }, $class;
}


sub name { $_[0]{name} }
sub has { $_[0]{has}{$_[1]} }
sub title { join ', ', @{$_[0]{features}} }


# the configuration

sub source_block {
    my ($self, $quality) = @_;

    my %line = map { my $field = $_;
                     $field => join ' ', map { $_->{$field} // () }
                               @{$self->{rows}} }
        qw(input input_more predict predict_more source);

    my $loop = $self->has('file:') && !$self->has('realtime=off')
               ? ' loop=on' : '';

    return join '', "vidcast_source $self->{name} {\n",
        "    input $line{input} $line{input_more}$loop;\n",
        $line{predict} ? "    predict $line{predict} $line{predict_more};\n"
                       : '',
        "    quality $quality;\n",
        $self->has('geometry') ? '' : "    encoders 1;\n",
        "    $line{source}\n}\n";
}


sub views {
    my ($self) = @_;

    return (watch => 'as=ndjson', map { %{$_->{view} // {}} }
                                  @{$self->{rows}});
}


sub locations {
    my ($self) = @_;

    my $more = join ' ', map { $_->{location} // () } @{$self->{rows}};
    my %views = $self->views;
    my $vary = $self->has('variables');
    my $text = '';

    for my $view (sort keys %views) {
        my $name = $vary ? '$1' : $self->{name};
        my $line = $views{$view} eq 'publish' ? "vidcast_publish $name"
                   . ($view eq 'put' ? ' takeover=on' : '')
            : "vidcast $name" . ($view eq 'several' ? ',beside' : '')
              . " $views{$view}";

        $text .= sprintf "location %s { %s; %s }\n",
            $vary ? "~ ^/($self->{name})/$view\$" : "= /$self->{name}/$view",
            $line, $view =~ /^(?:plain|watch)$/ ? '' : $more;
    }

    return $text;
}


# what is to be expected

sub state {
    my ($self) = @_;

    return $self->has('realtime=off') ? 'ended' : 'live';
}


sub frames_in_all {
    my ($self) = @_;

    return $album - ($self->has('warmup=N') ? 2 : 0);
}


# how many results each viewer is to get, for sure

sub results_wanted {
    my ($self) = @_;

    return 3 if $self->has('push:');
    return 0 if $self->has('no predictor');
    return 1 if $self->has('realtime=off');

    return 3 unless $self->has('emit=change');

    # a picture that does not change, and a text that never does

    return $self->has('motion') ? 0 : $self->has('delay') ? 1 : 3;
}


sub pictures_wanted { $_[0]->state eq 'live' ? 3 : 1 }


sub pairs_wanted {
    my ($self) = @_;

    # the only result there is, whose picture has left the ring by now

    return 0 if $self->has('emit=change') && $self->has('delay');

    return $self->results_wanted if $self->results_wanted < 2;
    return 2;
}


# its viewers

sub port {
    my ($self, $view) = @_;

    return 0 if $view eq 'watch';

    return ($self->has('TLS') ? 1 : 0) + ($self->has('HTTP/2') ? 2 : 0);
}


sub client {
    my ($self, $nginx, $view) = @_;

    return {} if $view eq 'watch' || !$self->has('TLS');

    return { tls => { ca => $nginx->prefix . '/cert.pem',
                      $self->has('HTTP/2') ? (alpn => 'h2') : () } };
}


sub path {
    my ($self, $view, $query) = @_;

    return "/$self->{name}/$view" . ($query // '');
}


sub open {
    my ($self, $nginx) = @_;

    $self->{nginx} = $nginx;
    $self->close;

    delete $self->{last};

    my %views = $self->views;

    for my $view (sort keys %views) {
        next if $views{$view} eq 'publish' || $view =~ /^s(?:napshot|hot)$/;

        my $viewer = { view => $view, messages => [], seq => 0, frame => 0 };

        $self->{viewers}{$view} = $viewer;

        eval { $self->dial($viewer); 1 }
            or $viewer->{failed} = "cannot be opened: $@" =~ s/\n//gr;
    }
}


sub dial {
    my ($self, $viewer) = @_;

    my $view = $viewer->{view};
    my $port = $self->{nginx}->port($self->port($view));
    my $client = $self->client($self->{nginx}, $view);

    # of what has ended there is but the newest

    my $path = $self->path($view, $view eq 'since' || $view eq 'watch'
                                  ? '?since=0' : '');

    if ($socket{$view}) {
        my $ws = Vidcast::WebSocket->connect($port, $path,
            client => $client,
            $view eq 'websocket' ? () : (protocol => 'vidcast.v1'),
            $self->has('deflate') ? (deflate => 'permessage-deflate') : ());

        $viewer->{client} = $viewer->{line} = $ws;
        die "status ", $ws->status, "\n" unless $ws->accepted;

        return;
    }

    if ($self->has('HTTP/2') && $view ne 'watch') {
        $self->{h2} //= Vidcast::HTTP2->connect($port, client => $client);

        $viewer->{line} = $self->{h2};
        $viewer->{client} = $self->{h2}->open($path);

    } else {
        $viewer->{line} = $viewer->{client}
            = Vidcast::Stream->open($port, $path, client => $client);
    }

    my $status = $viewer->{client}->status;

    die "status $status\n" if $status != 200;
}


sub close {
    my ($self) = @_;

    for my $viewer (values %{$self->{viewers}}) {
        $viewer->{client}->close if $viewer->{client}
                                    && !$viewer->{client}->eof;
    }

    $self->{h2}->close if $self->{h2};
    delete $self->{h2};

    $self->{viewers} = {};
}


# with this frame

sub ended { $_[0]{last} = $_[1] }


sub viewers { values %{$_[0]{viewers}} }


# those that still wait for something, after taking what is there

sub waiting {
    my ($self) = @_;

    return grep {
        $self->take($_);

        !$_->{failed} && !$_->{client}->eof && !$self->satisfied($_);
    } $self->viewers;
}


sub take {
    my ($self, $viewer) = @_;

    return if $viewer->{failed};

    for (1 .. 50) {
        my $message = eval { $self->next_message($viewer) };

        $viewer->{failed} = "is broken: $@" =~ s/\n//gr if $@;

        last unless $message;

        push @{$viewer->{messages}}, $message;
    }
}


sub next_message {
    my ($self, $viewer) = @_;

    my ($client, $view) = @$viewer{qw(client view)};

    if ($socket{$view}) {
        my $message = $client->message('text', 'binary', 'close', 0)
            or return;

        if ($message->{type} eq 'close') {
            $viewer->{closed} = $message->{code};
            return;
        }

        if ($message->{type} eq 'text') {
            return $self->result($viewer,
                                 Vidcast::WebSocket::inflated($message),
                                 $message->{compressed});
        }

        my ($start, $length) = unpack 'x6nn', $message->{data};
        my $json = decode_json(substr $message->{data}, 12, $length);

        return $self->picture($viewer, substr($message->{data}, $start),
                              @$json{qw(frame source)});
    }

    if ($view eq 'sse') {
        my $event = $client->event(0) or return;

        return defined $event->{data}
               ? $self->result($viewer, $event->{data}) : { retry => 1 };
    }

    if ($results{$view}) {
        my $line;

        do { $line = $client->line(0) // return } while $line !~ /\S/;

        return $self->result($viewer, $line);
    }

    my $part = $client->part(0) or return;

    return $self->picture($viewer, $part->{data},
                          $part->{headers}{'x-vidcast-frame'},
                          $self->{name});
}


sub result {
    my ($self, $viewer, $text, $compressed) = @_;

    my $result = decode_json($text);
    my $name = $result->{source};
    my $last = $viewer->{seqs}{$name} // 0;

    die "an unknown source $name\n" if $name ne $self->{name}
        && ($viewer->{view} ne 'several' || $name ne 'beside');

    die "result $result->{seq} behind $last\n" if $result->{seq} <= $last;
    die "a gap from $last to $result->{seq}\n"
        if $last && $result->{seq} != $last + 1 + ($result->{skipped} // 0);

    $viewer->{seqs}{$name} = $result->{seq};

    if (published($result)) {
        $result->{published} = 1;

    } elsif (defined $result->{result}) {
        my $before = $viewer->{results}{$name} // 0;

        die "frame $result->{frame} predicted behind $before\n"
            if $result->{frame} <= $before;

        $viewer->{results}{$name} = $result->{frame};
    }

    $result->{compressed} = $compressed;

    return { text => $result, source => $name };
}


# by a feeder, not by a predictor

sub published {
    my ($result) = @_;

    return ref $result->{result} eq 'HASH'
           && defined $result->{result}{published};
}


sub picture {
    my ($self, $viewer, $data, $number, $name) = @_;

    my $last = $viewer->{frames}{$name} // 0;

    jpeg_info($data) or die "frame $number is no JPEG\n";

    # MJPEG says the same again

    die "frame $number behind $last\n" if $number < $last;

    my $same = $number == $last;

    $viewer->{frames}{$name} = $number;

    return { picture => $data, frame => $number, source => $name,
             same => $same };
}


sub of {
    my ($self, $viewer, $what, $name) = @_;

    $name //= $self->{name};

    return grep { defined $_->{$what} && ($_->{source} // '') eq $name
                  && !$_->{same} } @{$viewer->{messages}};
}


sub satisfied {
    my ($self, $viewer) = @_;

    my $view = $viewer->{view};

    return 0 if $results{$view}
        && $self->of($viewer, 'text') < $self->results_wanted;

    return 0 if $pictures{$view}
        && $self->of($viewer, 'picture') < $self->pictures_wanted;

    return 0 if $pictures{$view} && defined $self->{last}
        && ($viewer->{frames}{$self->{name}} // 0) != $self->{last};

    return 0 if $view eq 'paired'
        && $self->of($viewer, 'picture') < $self->pairs_wanted;

    return 0 if $view eq 'several'
        && (!$self->of($viewer, 'text', 'beside')
            || !$self->of($viewer, 'picture', 'beside'));

    return $view eq 'drawn' ? defined $self->compared : 1;
}


# will there be more for this one, whatever comes?

sub goes_on {
    my ($self, $viewer) = @_;

    return $self->state eq 'live'
           && (!$results{$viewer->{view}} || $self->results_wanted > 1);
}


# undef: it cannot be said yet; else whether a picture differs

sub compared {
    my ($self) = @_;

    my ($drawn, $plain) = @{$self->{viewers}}{qw(drawn plain)};

    my %plain = map { $_->{frame} => $_->{picture} }
        $self->of($plain, 'picture');

    my @both = grep { defined $plain{$_->{frame}} }
        $self->of($drawn, 'picture');

    return undef if !@both;
    return 1 if any { $_->{picture} ne $plain{$_->{frame}} } @both;
    return $self->boxes ? undef : 0;
}


# are there some for sure?

sub boxes {
    my ($self) = @_;

    return any { $self->has($_) } qw(push: plugin exec);
}


# what is wrong, once nobody waits any more, or none ever will

sub complaints {
    my ($self) = @_;

    my @wrong;

    delete $self->{now};

    for my $viewer (sort { $a->{view} cmp $b->{view} } $self->viewers) {
        $self->take($viewer);

        my $problem = $viewer->{failed}
            // ($self->satisfied($viewer) ? undef
                : sprintf 'got %d results and %d pictures, the last %d of %s%s',
                  scalar $self->of($viewer, 'text'),
                  scalar $self->of($viewer, 'picture'),
                  $viewer->{frames}{$self->{name}} // 0,
                  $self->{last} // 'many',
                  $viewer->{client}->eof ? ', and has ended' : '');

        my $faults = $socket{$viewer->{view}} && $viewer->{client}
            ? $viewer->{client}->faults : '';

        push @wrong, "the viewer of $viewer->{view} $problem" if $problem;
        push @wrong, "the viewer of $viewer->{view}: $faults" if $faults;
    }

    push @wrong, map { "HTTP/2: $_" } @{$self->{h2}{faults}} if $self->{h2};
    push @wrong, $self->shots;

    my $state = $self->status->{state} // '';

    push @wrong, "is $state, not " . $self->state
                 . ": " . ($self->status->{error} // '')
        if $state ne $self->state;

    for my $row (grep { $_->{check} } @{$self->{rows}}) {
        push @wrong, map { "$row->{name}: $_" } $row->{check}->($self);
    }

    return @wrong;
}


sub shots {
    my ($self) = @_;

    my %views = $self->views;
    my @wrong;

    for my $view (grep { $views{$_} } qw(snapshot shot)) {
        my $picture = eval { $self->shot($view) };

        push @wrong, "no $view: $@" =~ s/\n//gr unless $picture;
    }

    return @wrong;
}


sub shot {
    my ($self, $view) = @_;

    my $port = $self->{nginx}->port($self->port($view));
    my $client = $self->client($self->{nginx}, $view);
    my ($status, $body);

    if ($self->has('HTTP/2')) {
        my $h2 = Vidcast::HTTP2->connect($port, client => $client);
        my $stream = $h2->open($self->path($view));

        $status = $stream->status;
        $body = $stream->body;
        $h2->close;

    } else {
        my $response = request($port, $self->path($view), client => $client);

        ($status, $body) = @$response{qw(status body)};
    }

    die "status $status\n" if $status != 200;
    die "no JPEG\n" if !jpeg_info($body);

    return $body;
}


# what checks ask

sub status {
    my ($self) = @_;

    return $self->{now} //= Vidcast::Life::source($self->{nginx},
                                                  $self->{name});
}


sub is {
    my ($self, $what, $got, $wanted) = @_;

    $got //= 'nothing';

    return $got eq $wanted ? () : "$what: $got, not $wanted";
}


sub over {
    my ($self, $what, $got) = @_;

    return $got ? () : "$what: none";
}


# the results which are a predictor's

sub predicted {
    my ($self, $viewer) = @_;

    $viewer //= $self->{viewers}{watch} // return;

    return grep { !$_->{published} } map { $_->{text} }
           $self->of($viewer, 'text');
}


sub only {
    my ($self, $what, $condition) = @_;

    my @wrong = grep { !eval { $condition->($_->{result}) } }
        $self->predicted;

    return @wrong ? "no $what in " . encode_json($wrong[0]) : ();
}


sub differing {
    my ($self) = @_;

    my $json = JSON::PP->new->canonical->allow_nonref;
    my @texts = map { $json->encode($_->{result}) } $self->predicted;

    return map { "the same again: $texts[$_]" }
           grep { $texts[$_] eq $texts[$_ - 1] } 1 .. $#texts;
}


# of what was skipped before this viewer came nothing is known

sub gaps {
    my ($self, $least) = @_;

    my @frames = map { $_->{frame} } $self->predicted;

    return map { "frames $frames[$_ - 1] and $frames[$_]" }
           grep { $frames[$_] - $frames[$_ - 1] < $least } 1 .. $#frames;
}


sub healthy_predictor {
    my ($self) = @_;

    my $predictor = $self->status->{predictor} // {};

    return (map({ "$predictor->{$_} $_: $predictor->{error}" }
                grep { $predictor->{$_} } qw(deaths timeouts killed)),
            map({ "status $_->{status}: " . ($_->{error} // '') }
                grep { $_->{status} ne 'ok' } $self->predicted));
}


sub pairs {
    my ($self) = @_;

    my $viewer = $self->{viewers}{paired} or return;
    my $result;
    my @wrong;

    for my $message (@{$viewer->{messages}}) {
        if (defined $message->{text}) {
            push @wrong, "result $result->{seq} without a picture" if $result;
            $result = $message->{text};
            next;
        }

        push @wrong, !$result ? "picture $message->{frame} without a result"
            : "result of $result->{frame} with picture $message->{frame}"
            if !$result || $result->{frame} != $message->{frame};

        undef $result;
    }

    return @wrong;
}


sub drawn {
    my ($self) = @_;

    my $viewer = $self->{viewers}{drawn} or return;

    return () if $viewer->{failed};

    my $differs = $self->compared;

    return 'no picture differs' if $self->boxes && !$differs;

    return 'a picture without boxes differs'
        if $differs && ($self->has('delay') || $self->has('no predictor'))
           && !$self->boxes;

    return ();
}


sub compressed {
    my ($self) = @_;

    my @texts = map { $_->{text} }
        map { $self->of($_, 'text') }
        grep { $socket{$_->{view}} } $self->viewers;

    return () if !@texts || grep { $_->{compressed} } @texts;
    return 'no result is compressed';
}


1;
