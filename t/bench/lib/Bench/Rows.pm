package Bench::Rows;

# Copyright (C) vidcast contributors

# What is measured: rows of servers, jobs and figures.

use strict;
use warnings;

use Bench::Codec;
use Bench::Models;
use Bench::Motion;
use Bench::Nginx;
use Bench::Pictures;
use Bench::Server;

use JSON::PP;
use List::Util qw(sum);
use Vidcast::Client qw(get);

my $peers = Bench::Server::bench_dir() . '/peers';
my $build = Bench::Server::build_dir();
my $npm = Bench::Server::bench_dir() . '/../../build/npm/node_modules';


sub raw {
    my ($mode) = @_;

    return Bench::Server->new(
        name => "raw $mode", raw => 1,
        command => sub {
            my ($self, $job) = @_;

            return ("$build/raw", '-m', $mode, '-k', $job->{kind}, '-s',
                    $job->{size}, '-r', $job->{rate}, $self->port);
        });
}


sub websockets {
    return Bench::Server->new(
        name => 'python websockets',
        needs => { 'python3-websockets' => '/usr/bin/python3 -c "import websockets"' },
        command => sub {
            my ($self, $job) = @_;

            return ('/usr/bin/python3', "$peers/broadcast.py", $self->port,
                    @$job{qw(kind size rate)});
        });
}


sub npm_ws {
    return Bench::Server->new(
        name => 'npm ws',
        needs => { 'npm ws' => "test -d '$npm/ws'" },
        command => sub {
            my ($self, $job) = @_;

            return ('env', "NODE_PATH=$npm", 'node', "$peers/broadcast.js",
                    $self->port, @$job{qw(kind size rate)});
        });
}


sub flask {
    return Bench::Server->new(
        name => 'flask', path => '/mjpeg',
        needs => { 'python3-flask' => '/usr/bin/python3 -c "import flask"' },
        command => sub {
            my ($self, $job) = @_;

            return ('/usr/bin/python3', "$peers/flask_mjpeg.py", $self->port,
                    @$job{qw(kind size rate)});
        });
}


sub nchan {
    return Bench::Nginx->new(
        name => 'nchan', path => '/ws', feed => 1,
        modules => [ '/usr/lib/nginx/modules/ngx_nchan_module.so' ],
        http => sub {
            my ($self, $job) = @_;

            # a channel's messages are kept as long as someone is sending them

            return <<"CONF";
nchan_max_reserved_memory 512m;
server {
    listen 127.0.0.1:%%PORT%% backlog=4096 reuseport;
    client_max_body_size 8m;
    client_body_buffer_size 8m;
    location = /pub { nchan_publisher; nchan_channel_id a;
                      nchan_message_buffer_length 8; }
    location = /ws { nchan_subscriber websocket; nchan_channel_id a;
                     nchan_subscriber_first_message newest; }
}
CONF
        });
}


sub vidcast {
    my ($as) = @_;

    return Bench::Nginx->new(
        name => $as eq 'mjpeg' ? 'vidcast mjpeg' : 'vidcast',
        path => "/$as", ours => 1,
        http => sub {
            my ($self, $job) = @_;

            my $send = $job->{kind} eq 'text' ? 'results' : 'frames';

            return $job->{source} . <<"CONF";
server {
    listen 127.0.0.1:%%PORT%% backlog=4096 reuseport;
    location = /ws { vidcast b as=websocket send=$send; }
    location = /mjpeg { vidcast b as=mjpeg; }
    location = /status { vidcast_status; }
}
CONF
        });
}


# those that take what is published

sub takers {
    my $ours = Bench::Nginx->new(
        name => 'vidcast', path => '/publish', ours => 1, together => 1,
        http => sub {
            return <<'CONF';
vidcast_source b { input push:; }
server {
    listen 127.0.0.1:%%PORT%%;
    location = /publish { vidcast_publish b; }
    location = /status { vidcast_status; }
}
CONF
        });

    my $python = websockets();
    my $node = npm_ws();

    $python->{command} = sub {
        return ('/usr/bin/python3', "$peers/take.py", $_[0]->port);
    };

    $node->{command} = sub {
        return ('env', "NODE_PATH=$npm", 'node', "$peers/take.js",
                $_[0]->port);
    };

    return ($ours, raw('recv'), $python, $node);
}


# a result has about 200 bytes with all that is around the predictor's text

sub results_source {
    my ($rate) = @_;

    return "vidcast_source b { input test: size=160x120 fps=$rate;\n"
        . "                    predict delay time=0; }\n";
}


sub pictures_source {
    my ($size, $pace) = @_;

    my $dir = Bench::Pictures::folder($size);

    return "vidcast_source b { input images:$dir $pace; }\n";
}


sub results_row {
    my ($name, $viewers, $goal, @more) = @_;

    return Bench::Rows->new(
        name => $name,
        title => "results of 200 bytes at 30 Hz, $viewers viewers",
        goal => $goal,
        job => { kind => 'text', size => 200, rate => 30,
                 source => results_source(30) },
        load => [ '-n', $viewers ],
        metrics => [
            { key => 'cpu_us', title => 'us a message', ratio => 1 },
            { key => 'p99', title => 'p99 ms', ratio => 1, digits => 1 },
            { key => 'least', title => 'least Hz', digits => 1 },
            { key => 'median', title => 'median Hz', digits => 1 },
            { key => 'kb', title => 'kB a viewer', digits => 1 },
            { key => 'connected', title => 'viewers', digits => 0 },
        ],
        servers => [ vidcast('ws'), raw('send'), nchan(), websockets(),
                     npm_ws() ]);
}


sub pictures_row {
    my ($viewers) = @_;

    return Bench::Rows->new(
        name => "pictures-$viewers",
        title => "pictures of 50 kB at 30 fps, $viewers viewers, WebSocket",
        goal => 'at most raw send, and 1.15 x raw sendfile',
        job => { kind => 'picture', size => 50000, rate => 30,
                 source => pictures_source(50000, 'fps=30') },
        load => [ '-n', $viewers ],
        metrics => [
            { key => 'cpu_us', title => 'us a picture', ratio => 1 },
            { key => 'p99', title => 'p99 ms', digits => 1 },
            { key => 'least', title => 'least fps', digits => 1 },
            { key => 'capture', title => 'capture, us a frame', digits => 0 },
        ],
        servers => [ vidcast('ws'), raw('send'), raw('sendfile'), nchan(),
                     websockets(), npm_ws() ]);
}


sub mjpeg_row {
    my ($viewers) = @_;

    my $ws = vidcast('ws');
    my $mjpeg = vidcast('mjpeg');

    $ws->{ours} = 1;
    $ws->{name} = 'vidcast websocket';
    $mjpeg->{transport} = 'mjpeg';

    my $flask = flask();
    $flask->{transport} = 'mjpeg';

    return Bench::Rows->new(
        name => "mjpeg-$viewers",
        title => "pictures of 50 kB at 30 fps, $viewers viewers, MJPEG",
        goal => 'at most 1.5 x our WebSocket',
        job => { kind => 'picture', size => 50000, rate => 30,
                 source => pictures_source(50000, 'fps=30') },
        load => [ '-n', $viewers ],
        metrics => [
            { key => 'cpu_us', title => 'us a picture', ratio => 1 },
            { key => 'p99', title => 'p99 ms', digits => 1 },
            { key => 'least', title => 'least fps', digits => 1 },
        ],
        servers => [ $mjpeg, $ws, $viewers <= 200 ? $flask : () ]);
}


# more pictures are made than leave, at little cost to the client's core

sub stream_row {
    my ($name, $size, $pace) = @_;

    return Bench::Rows->new(
        name => "stream-$name",
        title => "one picture stream of $size bytes, flat out, one viewer",
        goal => "at most 1.1 x raw send",
        job => { kind => 'picture', size => $size, rate => 0,
                 source => pictures_source($size, $pace) },
        load => [ '-n', 1 ],
        metrics => [
            { key => 'cpu_gb', title => 'CPU seconds a GB', ratio => 1,
              digits => 3 },
            { key => 'median', title => 'pictures a second', digits => 0 },
            { key => 'capture', title => 'capture, us a frame', digits => 0 },
        ],
        servers => [ vidcast('ws'), raw('send'), raw('sendfile'),
                     websockets(), npm_ws() ]);
}


sub publish_row {
    my ($name, $size) = @_;

    return Bench::Rows->new(
        name => "publish-$name",
        title => "pictures of $size bytes from one publisher, flat out",
        goal => 'at most 1.6 x raw recv',
        job => { kind => 'picture', size => $size, rate => 0 },
        run => \&flood,
        metrics => [
            { key => 'cpu_gb', title => 'CPU seconds a GB', ratio => 1,
              digits => 3 },
            { key => 'capture_gb', title => 'the capture\'s part',
              digits => 3 },
            { key => 'median', title => 'pictures a second', digits => 0 },
            { key => 'client', title => 'client, of a core' },
        ],
        servers => [ takers() ]);
}


# what others notice of a few peers that say what is cheap to send

sub attack_row {
    return Bench::Rows->new(
        name => 'attack',
        title => 'results of 200 bytes at 30 Hz, 100 viewers, beside 4 peers'
            . ' that send compressed messages, flat out',
        goal => 'p99 at most 10 ms',
        job => { kind => 'text', size => 200, rate => 30,
                 source => results_source(30) },
        load => [ '-n', 100 ],
        metrics => [
            { key => 'p50', title => 'p50 ms', digits => 1 },
            { key => 'p99', title => 'p99 ms', digits => 1 },
            { key => 'least', title => 'least Hz', digits => 1 },
        ],
        servers => [ attacked('nobody else'),
                     attacked('commands of 16 kB', '/ws', 16000),
                     attacked('16 kB to an echo', '/echo', 16000),
                     attacked('1 MB to an echo', '/echo', 1_000_000),
                     attacked('1 MB of noise', '/echo', 1_000_000, 'noise') ]);
}


sub attacked {
    my ($name, $path, $size, @noise) = @_;

    return Bench::Nginx->new(
        name => $name, path => '/ws', ours => 1,
        ($path ? (attack => [$path, 4, $size, @noise]) : ()),
        http => sub {
            my ($self, $job) = @_;

            return $job->{source} . <<"CONF";
vidcast_deflate on;
server {
    listen 127.0.0.1:%%PORT%% backlog=4096 reuseport;
    location = /ws { vidcast b as=websocket; }
    location = /echo { vidcast_echo; vidcast_max_message 1m; }
    location = /status { vidcast_status; }
}
CONF
        });
}


# what it costs to be there; nobody is sent anything

sub memory_row {
    my $tuned = vidcast('ws');
    my $plain = plain();
    my $plain_tuned = plain();

    $tuned->{name} = 'vidcast, tuned pools';
    $plain_tuned->{name} = 'plain request, tuned pools';

    $_->{pools} = "connection_pool_size 256; request_pool_size 512;\n"
        . "client_header_buffer_size 256;\n" for $tuned, $plain_tuned;

    return Bench::Rows->new(
        name => 'memory',
        title => 'private memory of 10,000 idle viewers',
        goal => 'at most a stalled plain request and 1.5 kB, below nchan; '
            . 'tuned 6 kB',
        job => { kind => 'text', size => 200, rate => 0.001,
                 source => "vidcast_source b { input test: size=160x120; }\n" },
        load => [ '-n', 10000 ],
        metrics => [
            { key => 'kb', title => 'kB a viewer', ratio => 1 },
        ],
        servers => [ vidcast('ws'), $tuned, $plain, $plain_tuned, nchan(),
                     websockets(), npm_ws() ]);
}


# requests for a large file whose answers nobody reads

sub plain {
    return Bench::Nginx->new(
        name => 'plain request, stalled', path => '/large', modules => [],
        transport => 'plain', load => [ '-n', 0, '-z', 10000 ],
        http => sub {
            my ($self) = @_;

            my $dir = Bench::Server::build_dir() . '/large';

            if (!-f "$dir/large") {
                mkdir $dir;
                open my $fh, '>', "$dir/large" or die "$dir/large: $!\n";
                truncate $fh, 64 * 1024 * 1024;
            }

            return <<"CONF";
server { listen 127.0.0.1:%%PORT%% backlog=4096 reuseport; location / { root $dir; } }
CONF
        });
}


sub latency_row {
    return Bench::Rows->new(
        name => 'latency',
        title => 'capture to last byte, 640x480, one viewer',
        goal => 'p99 at most 2 ms beyond encoding',
        job => { kind => 'picture', size => 50000, rate => 30,
                 source => "vidcast_source b { input test: size=640x480; }\n" },
        load => [ '-n', 1 ],
        metrics => [
            { key => 'p50', title => 'p50 ms' },
            { key => 'p99', title => 'p99 ms' },
            { key => 'encode', title => 'encoding ms' },
            { key => 'beyond', title => 'p99 beyond it' },
        ],
        servers => [ vidcast('ws') ]);
}


sub codec_row {
    return Bench::Rows->new(
        name => 'codec',
        title => 'YUYV 1280x720 to JPEG, and JPEG to half of it',
        goal => 'at most 1.1 x the library, both',
        run => sub { $_[1]->codec($_[2]{seconds}) },
        metrics => [
            { key => 'encode_ms', title => 'ms to encode', ratio => 1 },
            { key => 'decode_ms', title => 'ms to decode', ratio => 1 },
        ],
        servers => [ map { Bench::Codec->new(@$_) }
            [ name => 'vidcast', ours => 1 ],
            [ name => 'libturbojpeg alone', raw => 1, as => 'turbojpeg' ],
            [ name => 'ffmpeg, decoding full size', as => 'ffmpeg' ] ]);
}


# of the street nobody knows more than how far it is from its median

sub street_row {
    return Bench::Rows->new(
        name => 'motion-street',
        title => 'what moves on the street of opencv-doc, 320x240, 10 fps',
        goal => 'F1 at most 0.02 below the better one, less ms than the'
            . ' cheaper one; strictly it is missed where we tell people'
            . ' apart that touch',
        run => sub { $_[1]->motion('street')->{street} },
        metrics => [
            { key => 'precision', title => 'precision', digits => 3 },
            { key => 'recall', title => 'recall', digits => 3 },
            { key => 'f1', title => 'F1', digits => 3 },
            { key => 'ms', title => 'ms a picture', ratio => 1 },
        ],
        servers => [ finders(street => 1), Bench::Motion->new(
            name => 'vidcast, touching boxes joined', join => 1,
            street => 1) ]);
}


# by seeds that nobody has tuned by

sub films_row {
    my @kinds = qw(flat textured sway shadow slow sudden jpeg stop crowd noise
                   start loop);

    return Bench::Rows->new(
        name => 'motion-films',
        title => 'F1 of what moves in films with known boxes, 320x240, 15 fps',
        goal => 'F1 at most 0.02 below the better one, less ms than the'
            . ' cheaper one',
        run => sub {
            my $films = $_[1]->motion(@kinds);
            my %run = map { $_ => $films->{$_}{f1} } @kinds;

            for my $key (qw(precision recall ms)) {
                $run{$key} = sum(map { $films->{$_}{$key} } @kinds) / @kinds;
            }

            return \%run;
        },
        metrics => [
            map({ { key => $_, title => $_, digits => 3 } } @kinds),
            { key => 'precision', title => 'mean precision', digits => 3 },
            { key => 'recall', title => 'mean recall', digits => 3 },
            { key => 'ms', title => 'ms a picture', ratio => 1 },
        ],
        servers => [ finders() ]);
}


# models in ONNX, of the photographs of opencv-doc

sub models_row {
    return Bench::Rows->new(
        name => 'models',
        title => 'CPU ms a picture by models in ONNX, on one thread, the same'
            . ' detections',
        goal => 'at most the loop in Python',
        run => sub { $_[1]->models($_[2]{seconds}) },
        metrics => [
            map { { key => $_->[0], title => $_->[1], ratio => 1 } }
                [ blaze128 => 'BlazeFace 128' ],
                [ blaze256 => 'BlazeFace 256' ],
                [ detect => 'fr_detect' ],
                [ blaze64 => 'BlazeFace, a graph' ],
                [ ssd64 => 'SSD, a graph' ],
        ],
        servers => [ map { Bench::Models->new(@$_) }
            [ name => 'vidcast, predict onnx', as => 'vidcast', ours => 1 ],
            [ name => 'loop in Python', as => 'loop' ],
            [ name => 'vidcast, predict exec', as => 'program' ] ]);
}


sub finders {
    return map { Bench::Motion->new(@$_) }
        [ name => 'vidcast', ours => 1, @_ ],
        [ name => 'OpenCV MOG2', as => 'mog2', @_ ],
        [ name => 'OpenCV KNN', as => 'knn', @_ ];
}


sub all {
    return (
        results_row('results-10000', 10000, 'at most 1.1 x raw send, ahead of'
                    . ' all others; flat out'),
        results_row('results-1000', 1000, 'at most 1.1 x raw send, both'),
        pictures_row(200),
        pictures_row(1000),
        mjpeg_row(200),
        mjpeg_row(1000),
        stream_row('1m', 1024 * 1024, 'realtime=off'),
        stream_row('3.5m', 3584 * 1024, 'fps=1000'),
        publish_row('1m', 1024 * 1024),
        publish_row('3.5m', 3584 * 1024),
        memory_row(),
        attack_row(),
        latency_row(),
        codec_row(),
        street_row(),
        films_row(),
        models_row(),
    );
}


sub new {
    my ($class, %args) = @_;

    return bless { %args }, $class;
}


# the row without all that a second worker spoils; nothing is left of some

sub cpu_only {
    my ($self) = @_;

    my @metrics = grep { $_->{key} =~ /^cpu_/ } @{$self->{metrics}};
    my @servers = grep { $_->raw || $_->isa('Bench::Nginx') }
                       @{$self->{servers}};

    return undef if !@metrics;

    return Bench::Rows->new(%$self, metrics => \@metrics,
                            servers => \@servers);
}


# one run of one server

sub measure {
    my ($self, $server, $options) = @_;

    my %job = (%{$self->{job} // {}}, workers => $options->{workers});

    $server->start(\%job);

    return $self->{run}->($self, $server, $options) if $self->{run};

    my $before = $server->ours ? capture($server) : undef;

    my $json = load($server, @{$server->{load} // $self->{load}},
                    '-w', 1, '-d', $options->{seconds});

    my $after = $server->ours ? capture($server) : undef;

    $server->stop;

    my %run = (
        cpu_us => $json->{cpu_us},
        cpu_gb => $json->{cpu_us} * 1000 / $job{size},
        p50 => $json->{latency_ms}{p50},
        p99 => $json->{latency_ms}{p99},
        least => $json->{fps}{min},
        median => $json->{fps}{median},
        kb => $json->{kb},
        connected => $json->{connected},
    );

    if ($after) {
        my $frames = $after->{frames} - $before->{frames} || 1;

        $run{capture} = ($after->{cpu} - $before->{cpu}) / $frames;
        $run{encode} = $after->{encode};
        $run{beyond} = $run{p99} - $run{encode};
    }

    return \%run;
}


# the other way round: the client sends, and the capture's time counts, too

sub flood {
    my ($self, $server, $options) = @_;

    my $dir = Bench::Pictures::folder($self->{job}{size});
    my $json = client($server, 'flood', [ '-w', 1, '-d', $options->{seconds},
                                          map({ ('-p', $_) } $server->pids) ],
                      "$dir/0.jpg");
    my @cpu = @{$json->{cpu}};
    my $capture = $server->ours ? pop @cpu : undef;

    $server->stop;

    return {
        cpu_gb => sum(@cpu, $capture // 0) / $json->{bytes} * 1e9,
        capture_gb => defined $capture ? $capture / $json->{bytes} * 1e9
                                       : undef,
        median => $json->{messages} / $json->{seconds},
        client => $json->{client} / $json->{seconds},
    };
}


# the capture process so far: frames, CPU time in us, mean encoding time in ms

sub capture {
    my ($server) = @_;

    my $status = decode_json(get($server->port, '/status')->{body});
    my $source = $status->{sources}[0];

    return { frames => $source->{published}, cpu => $server->capture_cpu,
             encode => $source->{encode_ms} };
}


sub load {
    my ($server, @arguments) = @_;

    return client($server, 'load', [ '-t', $server->{transport} // 'ws',
                                     @arguments,
                                     map { ('-p', $_) } $server->workers ]);
}


# what a client of ours has to tell

sub client {
    my ($server, $program, $options, @more) = @_;

    open my $out, '-|', 'taskset', '-c', 1, "$build/$program", @$options,
        '127.0.0.1', $server->port, $server->path, @more
        or die "$program: $!\n";

    my $text = join '', <$out>;

    close $out or die "$program: no answer of ", $server->name, "\n";

    return decode_json($text);
}


1;
