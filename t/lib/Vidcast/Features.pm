package Vidcast::Features;

# Copyright (C) vidcast contributors

# The table of all features, which t/features.t walks: every two of them on
# together, in one source with its viewers.  A NEW FEATURE ADDS ITS ROW HERE:
# each name of a directive, a parameter or an argument which the sources know
# is in a row's "of", or in the list at the end of what is no feature, and why;
# else t/features.t fails.
#
# A row has
#
#   name      as it is told
#   kind      input, predictor: a source has one of each; source: more that it
#             may have; viewer: what watches it, or publishes; line: how
#             these come; nginx: of the whole instance; event: what happens to
#             it
#   of        the names which it stands for
#   with      it makes sense only with one of these, of which one is put in
#   not       [ reason, names... ]: pairs that cannot be, and why; where nginx
#             refuses them its words are the reason, qr/.../, and are asked for
#   live      an input: of what happens now, which cannot come faster
#   not_live  why it cannot be with such an input
#   thin      with it there is little to be seen of the others
#   unless    why it cannot be had here; the row is skipped for that
#
# what it adds to the configuration: "input", "predict" are the beginning of
# that directive, "input_more", "predict_more" go on, "source" is another line
# of the block, "location" one of each location, "main" and "http" of nginx's
# own; "view" is the location of a viewer of its own, by a name; and
#
#   holds     what must be so when it is on, in words
#   check     the same in code: it gets a Vidcast::Case, and returns complaints
#
# That nobody dies on a signal, that the source gets to its state, and that each
# viewer has its first messages, in order, holds for every row.
#
# What the viewer of a new name of a "view" gets, and by which protocol, is told
# at the head of t/lib/Vidcast/Case.pm, and in its dial(); whether it outlives a
# reload, in reload() of t/features.t.

use strict;
use warnings;

use Exporter 'import';
use List::Util qw(any first);

use Vidcast::NATS;

our @EXPORT = qw(features feature available impossible unfit_names
                 location_params);

my $bus = Vidcast::NATS->new;

my @rows = (

    # where pictures come from

    {
        name  => 'test:',
        kind  => 'input',
        live  => 1,
        of    => ['input test', 'input size', 'input fps', 'input noise',
                  'input shapes'],
        input => 'test: size=160x120 fps=20 noise=2 shapes=3',
        holds => 'pictures are of the size asked for',
        check => sub {
            my ($case) = @_;
            return $case->is('width', $case->status->{width}, 160);
        },
    },
    {
        name  => 'images:',
        kind  => 'input',
        of    => ['input images'],
        input => 'images:%%PREFIX%%/album fps=20',
        holds => 'pictures are those of the folder',
        check => sub {
            my ($case) = @_;
            return $case->is('width', $case->status->{width}, 96);
        },
    },
    {
        name  => 'push:',
        kind  => 'input',
        live  => 1,
        of    => ['input push', 'vidcast_publish'],
        with  => ['by POST', 'by WebSocket'],
        input => 'push:',
        holds => 'what is published is taken',
        check => sub {
            my ($case) = @_;
            my $by = $case->status->{published_by} // {};
            return ($case->over('taken', $by->{taken}),
                    $case->over('results', $by->{results}));
        },
    },
    {
        name   => 'file:',
        kind   => 'input',
        of     => ['input file', 'input fit'],
        unless => \&no_av,
        input  => 'file:%%PREFIX%%/film.mp4 size=160x64 fit=letterbox',
        holds  => 'pictures are of the size asked for',
        check  => sub {
            my ($case) = @_;
            return $case->is('height', $case->status->{height}, 64);
        },
    },
    {
        name   => 'http:',
        kind   => 'input',
        live   => 1,
        of     => ['input http', 'input timeout'],
        unless => \&no_http,
        input  => 'http://127.0.0.1:%%PORT%%/beside/mjpeg timeout=20s',
        holds  => 'pictures of another source of the same nginx come',
        check  => sub {
            my ($case) = @_;
            return $case->is('width', $case->status->{width}, 64);
        },
    },

    {
        name   => 'nats:',
        kind   => 'input',
        live   => 1,
        of     => ['input nats', 'input group'],
        unless => \&no_bus,
        input  => 'nats://127.0.0.1:' . $bus->port . '/features.beside',
        holds  => 'pictures of another source of the same nginx come',
        check  => sub {
            my ($case) = @_;
            return $case->is('width', $case->status->{width}, 64);
        },
    },

    # what looks at them

    {
        name  => 'no predictor',
        kind  => 'predictor',
        of    => [],
        holds => 'there are no results but those that are published',
        check => sub {
            my ($case) = @_;
            return $case->is('predicted', $case->status->{predicted}, 0);
        },
    },
    {
        name    => 'delay',
        kind    => 'predictor',
        of      => ['predict delay', 'predict time', 'predict text'],
        predict => 'delay time=10ms text=feature',
        holds   => 'its text is the result',
        check   => sub {
            my ($case) = @_;
            return $case->only('text', sub { $_[0] eq 'feature' });
        },
    },
    {
        name    => 'motion',
        kind    => 'predictor',
        of      => ['predict motion'],
        predict => 'motion',
        holds   => 'results have a list of detections',
        check   => sub {
            my ($case) = @_;
            return $case->only('detections',
                               sub { ref $_[0]{detections} eq 'ARRAY' });
        },
    },
    {
        name    => 'plugin',
        kind    => 'predictor',
        of      => ['predict plugin'],
        predict => 'plugin %%PREFIX%%/brightness.so above=20',
        holds   => 'results have what the plugin measures, and key points',
        check   => sub {
            my ($case) = @_;
            return ($case->only('brightness',
                                sub { defined $_[0]{brightness} }),
                    $case->only('key points', sub {
                        !grep { @{$_->{keypoints}} != 1 }
                            @{$_[0]{detections} // []};
                    }),
                    $case->healthy_predictor);
        },
    },
    {
        name    => 'exec',
        kind    => 'predictor',
        of      => ['predict exec', 'predict format', 'predict fill'],
        predict => 'exec ./program.pl format=gray8 fill=9',
        holds   => 'each result is the one of its own frame',
        check   => sub {
            my ($case) = @_;
            return ($case->only('a number', sub { $_[0]{n} }),
                    $case->healthy_predictor);
        },
    },
    {
        name    => 'onnx',
        kind    => 'predictor',
        of      => ['predict onnx', 'predict threads'],
        unless  => \&no_onnx,
        predict => 'onnx %%PREFIX%%/yolov8.onnx threads=1',
        holds   => 'results have a list of detections',
        check   => sub {
            my ($case) = @_;
            return ($case->only('detections',
                                sub { ref $_[0]{detections} eq 'ARRAY' }),
                    $case->healthy_predictor);
        },
    },

    # what else a source may have

    {
        name       => 'realtime=off',
        kind       => 'source',
        thin       => 1,
        of         => ['input realtime', 'input loop'],
        with       => ['images:', 'file:'],
        not_live   => 'what is live cannot come faster',
        input_more => 'realtime=off loop=off',
        holds      => 'each frame is published once, and predicted once',
        check      => sub {
            my ($case) = @_;
            my $now = $case->status;
            my $frames = $case->frames_in_all;
            my $every = $case->has('every=N') ? 2 : 1;

            return ($case->is('published', $now->{published} % $frames, 0),
                    $case->has('no predictor') ? ()
                    : $case->is('predicted', $now->{predicted} * $every,
                                $now->{published}));
        },
    },
    {
        name       => 'warmup=N',
        kind       => 'source',
        of         => ['input warmup'],
        not        => [[qr/invalid parameter "warmup=2"/, 'push:']],
        input_more => 'warmup=2',
        holds      => 'so many frames are skipped at each opening',
        check      => sub {
            my ($case) = @_;
            my $now = $case->status;

            # a process about to leave opens it in vain

            return $case->over('skipped', $now->{dropped}{warmup})
                if grep { $case->has($_) } qw(http: reload upgrade);

            return $case->is('skipped', $now->{dropped}{warmup},
                             2 * $now->{opened});
        },
    },
    {
        name       => 'truncated=allow',
        kind       => 'source',
        of         => ['input truncated'],
        not        => [[qr/invalid parameter "truncated=allow"/, 'test:']],
        input_more => 'truncated=allow',
        holds      => 'whole pictures are none of those that it is for',
        check      => sub {
            my ($case) = @_;
            my $now = $case->status;

            return ($case->is('truncated', $now->{truncated}, 0),
                    $case->is('bad', $now->{dropped}{bad_frame}, 0));
        },
    },
    {
        name   => 'on_demand',
        kind   => 'source',
        of     => ['on_demand'],
        not    => [[qr/"on_demand" is of no use with input "push:"/,
                    'push:']],
        source => 'on_demand 300ms;',
        holds  => 'it sleeps before the first viewer and behind the last one',
        check  => sub {
            my ($case) = @_;
            return $case->over('opened', $case->status->{opened});
        },
    },
    {
        name   => 'output',
        kind   => 'source',
        of     => ['output', 'output nats', 'output send', 'output fps'],
        unless => \&no_nats,
        source => 'output nats://127.0.0.1:1/features send=both fps=10;',
        holds  => 'it waits for a server that is not there',
        check  => sub {
            my ($case) = @_;
            return $case->is('output', $case->status->{outputs}[0]{state},
                             'waiting');
        },
    },
    {
        name         => 'motion zones',
        kind         => 'source',
        of           => ['predict zone', 'predict outside',
                         'predict threshold', 'predict area'],
        with         => ['motion'],
        predict_more => 'threshold=14 area=0.001 outside=on'
                        . ' zone=all:0,0,1,0,1,1,0,1',
        holds        => 'each detection says its zones; the status has them',
        check        => sub {
            my ($case) = @_;
            my $zones = $case->status->{zones} // [];

            return ($case->is('zones', join(' ', map { $_->{name} } @$zones),
                              'all'),
                    $case->only('zones', sub {
                        !grep { ref $_->{zones} ne 'ARRAY' }
                            @{$_[0]{detections}};
                    }));
        },
    },
    {
        name         => 'emit=change',
        kind         => 'source',
        thin         => 1,
        of           => ['predict emit'],
        not          => [['nothing is predicted', 'no predictor']],
        predict_more => 'emit=change',
        holds        => 'no result is as the one before it',
        check        => sub {
            my ($case) = @_;
            return $case->has('motion') ? () : $case->differing;
        },
    },
    {
        name         => 'every=N',
        kind         => 'source',
        of           => ['predict every'],
        not          => [['nothing is predicted', 'no predictor']],
        predict_more => 'every=2',
        holds        => 'no two frames in a row are predicted',
        check        => sub { $_[0]->gaps(2) },
    },
    {
        name         => 'workers=N',
        kind         => 'source',
        of           => ['predict workers'],
        with         => ['plugin', 'exec', 'onnx'],
        not          => [[qr/invalid parameter "workers=2"/,
                          'delay', 'motion']],
        predict_more => 'workers=2',
        holds        => 'there are two, and results are in order',
        check        => sub {
            my ($case) = @_;
            my $processes = $case->status->{predictor}{processes} // [];
            return $case->is('processes', scalar @$processes, 2);
        },
    },
    {
        name         => 'memory=SIZE',
        kind         => 'source',
        of           => ['predict memory'],
        with         => ['plugin', 'exec'],
        unless       => \&no_room,
        not          => [['a runtime of models takes more', 'onnx'],
                         [qr/invalid parameter "memory=256m"/,
                          'delay', 'motion']],
        predict_more => 'memory=256m',
        holds        => 'it is enough',
        check        => sub { $_[0]->healthy_predictor },
    },
    {
        name         => 'frames=pipe',
        kind         => 'source',
        of           => ['predict frames', 'predict size', 'predict fit'],
        with         => ['exec'],
        predict_more => 'frames=pipe size=64x48 fit=letterbox',
        holds        => 'each result is the one of its own frame',
        check        => sub {
            my ($case) = @_;
            return $case->only('piped', sub { ($_[0]{piped} // 0) == 1 });
        },
    },
    {
        name   => 'geometry',
        kind   => 'source',
        of     => ['quality', 'encoders', 'frames', 'results', 'stale'],
        source => 'encoders 2; frames 30 256k; results 100 2k; stale 3s;',
        holds  => 'the ring is as long as said',
        check  => sub {
            my ($case) = @_;
            return $case->is('slots', $case->status->{slots}, 30);
        },
    },

    # what publishes

    {
        name  => 'by POST',
        kind  => 'viewer',
        of    => [],
        with  => ['push:'],
        view  => { post => 'publish' },
        holds => 'what is published is taken',
    },
    {
        name  => 'by WebSocket',
        kind  => 'viewer',
        of    => ['vidcast_publish takeover'],
        with  => ['push:'],
        view  => { put => 'publish' },
        holds => 'what is published is taken',
    },

    # what watches

    {
        name  => 'websocket',
        kind  => 'viewer',
        of    => ['vidcast as=websocket', 'vidcast send=results'],
        view  => { websocket => 'as=websocket' },
        holds => 'results come',
    },
    {
        name  => 'send=frames',
        kind  => 'viewer',
        of    => ['vidcast send=frames'],
        view  => { frames => 'as=websocket send=frames' },
        holds => 'pictures come',
    },
    {
        name  => 'send=both',
        kind  => 'viewer',
        of    => ['vidcast send=both'],
        view  => { both => 'as=websocket send=both' },
        holds => 'results and pictures come',
    },
    {
        name  => 'send=paired',
        kind  => 'viewer',
        of    => ['vidcast send=paired'],
        view  => { paired => 'as=websocket send=paired' },
        holds => 'each result is followed by its own picture',
        check => sub { $_[0]->pairs },
    },
    {
        name  => 'several sources',
        kind  => 'viewer',
        of    => [],
        view  => { several => 'as=websocket send=both' },
        holds => 'messages of each source come',
    },
    {
        name  => 'sse',
        kind  => 'viewer',
        of    => ['vidcast as=sse'],
        view  => { sse => 'as=sse' },
        holds => 'results come',
    },
    {
        name  => 'ndjson',
        kind  => 'viewer',
        of    => ['vidcast as=ndjson'],
        view  => { ndjson => 'as=ndjson' },
        holds => 'results come',
    },
    {
        name  => 'since',
        kind  => 'viewer',
        of    => ['query since'],
        view  => { since => 'as=ndjson' },
        holds => 'results of before come, from the history',
    },
    {
        name  => 'mjpeg',
        kind  => 'viewer',
        of    => ['vidcast as=mjpeg'],
        view  => { mjpeg => 'as=mjpeg' },
        holds => 'pictures come',
    },
    {
        name  => 'snapshot',
        kind  => 'viewer',
        of    => ['vidcast as=snapshot', 'query after', 'query max_age',
                  'vidcast_snapshot_timeout'],
        view  => { snapshot => 'as=snapshot' },
        holds => 'a picture comes',
    },
    {
        name  => 'overlay=on',
        kind  => 'viewer',
        of    => ['vidcast overlay', 'query overlay'],
        view  => { drawn => 'as=mjpeg overlay=on', plain => 'as=mjpeg',
                   shot => 'as=snapshot overlay=on' },
        holds => 'where results have boxes pictures are others than without',
        check => sub {
            my ($case) = @_;
            my $overlay = $case->status->{overlay} // {};
            return ($case->over('drawn', $overlay->{drawn}), $case->drawn);
        },
    },

    # how they come

    {
        name     => 'deflate',
        kind     => 'line',
        of       => ['vidcast_deflate'],
        with     => ['websocket', 'send=both', 'send=paired'],
        location => 'vidcast_deflate on;',
        holds    => 'results are compressed',
        check    => sub { $_[0]->compressed },
    },
    {
        name     => 'vidcast_fps',
        kind     => 'line',
        of       => ['vidcast_fps', 'query fps'],
        with     => ['mjpeg', 'send=frames', 'send=both'],
        location => 'vidcast_fps 5;',
        holds    => 'pictures come still',
    },
    {
        name     => 'vidcast_offline',
        kind     => 'line',
        of       => ['vidcast_offline'],
        with     => ['mjpeg'],
        location => 'vidcast_offline picture;',
        holds    => 'pictures come still, and placeholders are none',
    },
    {
        name  => 'TLS',
        kind  => 'line',
        of    => [],
        with  => ['mjpeg', 'websocket', 'sse'],
        holds => 'all of it by TLS',
    },
    {
        name  => 'HTTP/2',
        kind  => 'line',
        of    => [],
        with  => ['mjpeg', 'sse', 'ndjson', 'snapshot'],
        not   => [['nginx has no WebSocket of HTTP/2 (RFC 8441)',
                   'websocket', 'send=frames', 'send=both', 'send=paired',
                   'several sources', 'by WebSocket']],
        holds => 'all of it by streams of one connection',
    },

    # of the whole nginx, and what happens to it

    {
        name  => 'several workers',
        kind  => 'nginx',
        of    => [],
        holds => 'whoever serves a viewer',
    },
    {
        name  => 'single process',
        kind  => 'nginx',
        of    => [],
        not   => [['there is no master', 'several workers', 'reload',
                   'upgrade']],
        holds => 'without a master',
    },
    {
        name  => 'sendfile',
        kind  => 'nginx',
        of    => [],
        with  => ['mjpeg', 'snapshot', 'overlay=on'],
        http  => 'sendfile on;',
        holds => 'pictures leave by sendfile()',
    },
    {
        name  => 'aio threads',
        kind  => 'nginx',
        of    => [],
        with  => ['mjpeg', 'snapshot', 'overlay=on'],
        http  => 'aio threads;',
        holds => 'pictures are copies',
    },
    {
        name  => 'variables',
        kind  => 'nginx',
        of    => [],
        with  => ['mjpeg', 'websocket', 'sse', 'ndjson', 'snapshot',
                  'overlay=on'],
        holds => 'sources are chosen by the request',
    },
    {
        name  => 'reload',
        kind  => 'event',
        of    => [],
        holds => 'a source that is as it was goes on, with viewers of mjpeg'
                 . ' and ndjson; another one comes back',
    },
    {
        name  => 'upgrade',
        kind  => 'event',
        of    => [],
        holds => 'the sources of the new binary live when the old one leaves',
    },
);

# what is no feature that could meet others, and why

my @unfit = (
    ['needs a driver, see t/v4l2*.t',
     'input v4l2', 'input format', 'input input', 'input norm', 'input ctrl'],
    ['needs a server of its own, see t/av-streams.t, t/av-tls.t and t/curl.t',
     'input rtsp', 'input rtsps', 'input https', 'input transport',
     'input verify', 'input ca'],
    ['turns what tests read from pictures, see t/orientation.t',
     'input rotate', 'input flip'],
    ['needs a program that sends, see t/av-schemes.t',
     'input rtmp', 'input srt', 'input udp', 'input pipe'],
    ['needs a server of its own, see t/output.t and t/nats.t',
     map({ ("output $_", "input $_") } qw(creds tls cert key)), 'output ca'],
    ['needs a stream that is damaged, see t/av.t',
     'input damaged'],
    ['says when a predictor has failed, see t/predict-exec.t',
     'predict timeout', 'predict start', 'predict pause'],
    ['is what a predictor may do, see t/isolation.t', 'predict sandbox'],
    ['is how a model is read, see t/predict-onnx.t',
     map({ "predict $_" } qw(head labels first score iou max layout color mean
                             scale boxes units activation anchor output
                             digits))],
    ['chooses one of the others, see t/negotiate.t',
     'vidcast as=auto', 'query source', 'query send'],
    ['says when somebody is refused or closed, see t/limits.t,'
     . ' t/slow-viewer.t and t/ws-*.t',
     map { "vidcast_$_" } qw(backlog max_viewers ping stall_timeout max_message
                             origin)],
    ['says when a slow one is closed, see t/publish-hostile.t',
     'vidcast_publish timeout'],
    ['has no source', 'vidcast_echo'],
    ['is for a debugger, see t/isolation.t', 'vidcast_debug'],
    ['says when a process hangs, see t/watchdog.t', 'vidcast_watchdog'],
    ['is asked in each configuration here', 'vidcast_status',
     'vidcast_health'],
    ['is what all of this is about', 'vidcast_source', 'input', 'predict',
     'vidcast'],
);

my %named = map { $_->{name} => $_ } @rows;


sub features { @rows }


sub feature {
    my ($name) = @_;

    return $named{$name} // die "there is no feature \"$name\"\n";
}


# name of the code => reason

sub unfit_names {
    return map { my ($reason, @names) = @$_; map { $_ => $reason } @names }
           @unfit;
}


# the parameters of directives, by the tables of the source of locations:
# [ directive, parameter, words... ]

sub location_params {
    my ($text) = @_;

    my (%words, @params);

    while ($text =~ /^static ngx_conf_enum_t +(\w+)\[\] = \{\n(.*?)^\};/gms) {
        my ($table, $body) = ($1, $2);

        $words{$table} = [ $body =~ /ngx_string\("(\w+)"\)/g ];
    }

    while ($text =~ /^static\ \w+_location_param_t\ +ngx_http_(\w+)_params\[\]
                     \ =\ \{\n(.*?)^\};/gmsx)
    {
        my ($directive, $body) = ($1, $2);

        while ($body =~ /ngx_string\("(\w+)"\),\s+(\w+),/g) {
            push @params, [ $directive, $1, @{$words{$2} // []} ];
        }
    }

    return @params;
}


# undef: it is; else why not

my %available;

sub available {
    my ($row) = @_;

    return $available{$row->{name}} //= [ $row->{unless} ? $row->{unless}->()
                                                         : undef ];
}


# why two features cannot be on together; undef: they can

sub impossible {
    my ($one, $other) = @_;

    return excluded($one, $other) // apart($one, $other)
           // apart($other, $one);
}


# told in the table, or of a kind of which there is one

sub excluded {
    my ($one, $other) = @_;

    for my $row ($one, $other) {
        return available($row)->[0] if available($row)->[0];
    }

    return "a source has one $one->{kind}"
        if $one->{kind} eq $other->{kind} && $one->{kind} =~ /^(?:in|pre)/;

    for ([$one, $other], [$other, $one]) {
        my ($row, $name) = ($_->[0], $_->[1]{name});

        for my $not (@{$row->{not} // []}) {
            my ($reason, @names) = @$not;

            return $reason if grep { $_ eq $name } @names;
        }

        return $row->{not_live} if $row->{not_live} && feature($name)->{live};
    }

    return undef;
}


# one needs what cannot be with the other, or with what that needs

sub apart {
    my ($one, $other) = @_;

    my @with = @{$one->{with} // []} or return undef;
    my @reasons;

    return undef if any { $_ eq $other->{name} } @with;

    for my $name (@with) {
        my $need = feature($name);
        my $reason = excluded($need, $other);

        if (!defined $reason) {
            my @others = map { feature($_) } @{$other->{with} // []};
            my @against = map { excluded($need, $_) }
                grep { $_ != $need } @others;

            return undef if !@others || any { $_ == $need } @others;
            return undef if any { !defined } @against;

            $reason = $against[0];
        }

        push @reasons, "$one->{name} goes with $name: $reason";
    }

    return $reasons[0];
}


sub no_room {
    return ($ENV{VIDCAST_MODE} // '') eq 'asan'
           ? 'no sanitizer lives in so little' : undef;
}


sub no_http {
    require Vidcast::Nginx;

    my @files = map { s{[^/]+$}{vidcast_curl.so}r } Vidcast::Nginx->modules;

    return grep({ -f } @files) ? undef : no_av();
}


# a real server, which the first feature that needs one starts

sub no_bus {
    my $reason = no_nats();

    return $reason if $reason;
    return 'nats-server is not installed' if !Vidcast::NATS->binary;

    $bus->start if !$bus->pid;

    return undef;
}


sub beside {
    return no_bus() ? ''
                    : 'output nats://127.0.0.1:' . $bus->port . '/features;';
}


sub no_nats {
    require Vidcast::Nginx;

    my @files = map { s{[^/]+$}{vidcast_nats.so}r } Vidcast::Nginx->modules;

    return grep({ -f } @files) ? undef : 'vidcast_nats.so is not built';
}


sub no_av {
    require Vidcast::Film;
    require Vidcast::Nginx;

    return Vidcast::Film::plugin(Vidcast::Nginx->modules)
           ? undef : 'vidcast_av.so is not built';
}


sub no_onnx {
    require Vidcast::Nginx;

    my ($file) = map { s{[^/]+$}{vidcast_onnx.so}r }
        grep { m{/} } Vidcast::Nginx->modules;

    return 'vidcast_onnx.so is not built' unless $file && -f $file;

    return system("python3 -c 'import onnx, onnxruntime' > /dev/null 2>&1")
           ? 'python3-onnx is not installed' : undef;
}


1;
