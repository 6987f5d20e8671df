#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Features meet.  Each has tests of its own, in which the others are off, and so
# what two of them do to each other is seen by nobody: a predictor's process
# died of a signal, at once and always, where the same source had an overlay.
# Here every two features of the table in t/lib/Vidcast/Features.pm are on
# together, in as few sources as cover all pairs; each pair is one test, and
# one that cannot be says why.
#
# Where a source fails, those of its pairs which no other source has shown to
# be well are tried each alone, so that a failure has the name of its pair.
#
#     perl -It/lib t/features.t 'exec' 'overlay=on'     # this pair alone

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(uniq);
use Test::More;
use Time::HiRes qw(time);

use Vidcast::Case;
use Vidcast::Client qw(get);
use Vidcast::Features;
use Vidcast::Feeder;
use Vidcast::Film;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Pairs;
use Vidcast::Picture;
use Vidcast::TLS qw(certificate);
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $root = "$FindBin::Bin/..";
my $patience = 15;         # seconds, of which a good run needs two or three
my $crowd = 16;            # sources, when pairs are tried each alone
my $most = 200;            # pairs that are

# what is on in each instance; together they have all pairs of these

my @instances = (
    ['several workers', 'sendfile', 'variables', 'reload'],
    ['single process', 'sendfile', 'aio threads', 'variables'],
    ['several workers', 'aio threads', 'reload', 'upgrade'],
    ['sendfile', 'variables', 'reload', 'upgrade'],
);

# each frame has a result of its own, with a box

my $program = <<'PERL';
#!/usr/bin/perl

use strict;
use warnings;

$| = 1;

my $piped = !defined $ENV{VIDCAST_FD};
my $size = $piped ? $ENV{VIDCAST_WIDTH} * $ENV{VIDCAST_HEIGHT} : 0;

for (my $n = 1; ; $n++) {
    if ($piped) {
        exit if (read(STDIN, my $frame, $size) // 0) != $size;

    } else {
        defined(<STDIN>) or exit;
    }

    print '{"detections":[{"label":"box","score":0.9,"bbox":[4,4,24,24]}],',
          "\"n\":$n,\"piped\":", $piped ? 1 : 0, "}\n";
}
PERL

my %made;
my $pairs = Vidcast::Pairs->new(features());

if (@ARGV) {
    alone(@ARGV);
    done_testing;
    exit;
}

names_are_known();
refusals();
pairs();

done_testing;


# nobody adds a feature without a row

sub names_are_known {
    my %code = map { $_ => 1 } code_names();
    my %table = ((map { $_ => 1 } map { @{$_->{of}} } features()),
                 unfit_names());

    cmp_ok scalar(keys %code), '>', 80, 'names were found in the sources';

    is missing(\%code, \%table), '',
        'each name that the sources know is in the table of features';
    is missing(\%table, \%code), '', 'which has no other ones';

    # a new one would be found

    delete @table{'predict emit', 'vidcast_deflate', 'query since',
                  'predict onnx', 'vidcast send=both'};

    is missing(\%code, \%table),
        'predict emit, predict onnx, query since, vidcast send=both,'
        . ' vidcast_deflate',
        'a name without a row is found';

    # of a new directive, too, whatever its words are

    is join(', ', map { "@$_" } location_params(<<'TABLE')),
static ngx_conf_enum_t  words[] = {
    { ngx_string("low"), 0 },
    { ngx_string("high"), 1 },
    { ngx_null_string, 0 }
};
static a_location_param_t  ngx_http_vidcast_new_params[] = {
    { ngx_string("level"), words,
      offsetof(a_t, level) },
    { ngx_null_string, NULL, 0 }
};
TABLE
        'vidcast_new level low high', 'so is one of a new directive';

    # the fuzzer begins by a query with all of them

    my $query = Vidcast::Nginx::slurp("$root/t/fuzz/corpus-query/all");

    is join(', ', grep { /^query (\w+)/ && $query !~ /(?:^|&)$1=/ }
                  sort keys %code), '', 'each argument is in corpus-query/all';

    my %count;

    $count{$_}++ for map({ @{$_->{of}} } features()), keys %{{unfit_names()}};

    is join(', ', grep { $count{$_} > 1 } sort keys %count), '',
        'and each has one row';
}


sub missing {
    my ($names, $known) = @_;

    return join ', ', grep { !$known->{$_} } sort keys %$names;
}


# what a configuration or a request may have, by the tables of the sources

sub code_names {
    my @names;

    for my $file (glob join ' ', map { "$root/src$_/*.c" }
                  map { '/*' x $_ } 1 .. 3) {
        my $text = Vidcast::Nginx::slurp($file);
        my $of = $file =~ m{_output} ? 'output'
            : $file =~ m{_input|_av_conf|_curl_conf|_v4l2|vidcast_source_}
            ? 'input' : 'predict';

        # modules, and their parameters

        push @names, map { "$of $_" } $text =~ /
            ^ngx_vidcast_(?:input|predict|output)_module_t\ +\w+\ =\ \{\n\s+
            ngx_string\("(\w+)"\)/gmx;

        push @names, map { "$of $_" }
            $text =~ /^NGX_VIDCAST_INPUT_PLUGIN_MODULE\((\w+), /gm;

        push @names, map { "$of $_" } $text =~ /
            (?:strn?cmp\((?:name|param)->(?:data|name),\ |_is\(name,\ )
            "(\w+)\.?"/gx;

        push @names, map { "$of $_" } $text =~ /
            \{\ "(\w+)",\ (?:vidcast_(?:av|curl|onnx)_conf_
                            |ngx_vidcast_(?:input|output)_plugin_)/gx;

        # directives, and what they and requests have

        push @names, $text =~ /\{\ ngx_string\("(\w+)"\),\s+
            (?:\d+,\ \d+,\n|NGX_HTTP_(?:MAIN|SRV|LOC)_CONF)/gx;

        push @names, map { "query $_" }
            $text =~ /\{\ ngx_string\("(\w+)"\),\ NGX_VIDCAST_QUERY_\w+,/gx;

        # each word is a name, but for those of a flag; a time has none

        for my $param (location_params($text)) {
            my ($directive, $name, @words) = @$param;

            push @names, map { "$directive $_" }
                !@words || "@words" eq 'on off' ? $name : map { "$name=$_" } @words;
        }
    }

    return uniq @names;
}


# nginx itself says no where the table has its words for a reason

sub refusals {
    for my $row (features()) {
        for my $not (@{$row->{not} // []}) {
            my ($reason, @names) = @$not;

            next unless ref $reason;

            for my $name (@names) {
                my %kinds = map { feature($_)->{kind} => 1 }
                    $row->{name}, $name;

                my $case = Vidcast::Case->new('c', $row->{name}, $name,
                    $kinds{input} ? () : 'test:',
                    $kinds{predictor} ? () : 'no predictor');

                my $nginx = Vidcast::Nginx->new(http => $case->source_block(80));
                my ($accepted, $text) = $nginx->test_config;

                ok !$accepted && $text =~ $reason,
                    "nginx refuses $row->{name} x $name" or diag $text;

                $nginx->finish;
            }
        }
    }
}


sub pairs {
    my (%well, %ill, %in);

    my @sets = $pairs->cover(\@instances);

    for my $at (0 .. $#instances) {
        my @cases;

        for my $set (grep { $_->{instance} == $at } @sets) {
            push @cases, Vidcast::Case->new(sprintf('c%d%02d', $at + 1,
                                                    @cases + 1),
                                            @{$set->{names}});
        }

        my $start = time;
        my $wrong = walk($instances[$at], @cases);

        note sprintf '%d sources in %.1f s: %s', scalar @cases,
            time - $start, join ', ', @{$instances[$at]};

        for my $case (@cases) {
            my $name = $case->name;
            my @met = $pairs->met_names(@{$case->{features}});

            ok !$wrong->{$name}, "$name: " . $case->title
                or diag join "\n", @{$wrong->{$name}};

            push @{$in{$_}}, $name for @met;

            $wrong->{$name} ? $ill{$_} //= $wrong->{$name}[0] : $well{$_}++
                for @met;
        }
    }

    # suspects

    my @suspects = grep { $ill{"$_->[0] x $_->[1]"}
                          && !$well{"$_->[0] x $_->[1]"}
                          && !defined $_->[2] } $pairs->all;

    diag scalar(@suspects), ' pairs are tried each alone' if @suspects;

    my %alone = each_alone(splice @suspects, 0, $most);

    for my $pair ($pairs->all) {
        my ($one, $other, $reason) = @$pair;
        my $title = "$one x $other";

        if (defined $reason) {
          SKIP: {
            skip "$title: " . ($reason =~ s/\(\?\^u?:(.*)\)/nginx says $1/r),
                1;
          }
            next;
        }

        my $complaint = $well{$title} ? undef
            : exists $alone{$title} ? $alone{$title}
            : defined $ill{$title} ? "not tried alone; $ill{$title}"
            : 'in no source';

        ok !defined $complaint, $title
            or diag "$title, in ", join(' ', @{$in{$title} // []}),
                    ": $complaint";
    }
}


# pairs => undef or what is wrong, each in a source with nothing else

sub each_alone {
    my @pairs = @_;

    my (%alone, %groups);

    for my $pair (@pairs) {
        my @names = @{$pairs->complete(@$pair[0, 1])};
        my @around = grep { feature($_)->{kind} =~ /^(?:nginx|event)$/ }
            @names;

        # an overlay by a variable is one of all sources

        my $apart = grep({ $_ eq 'variables' } @names) == 1
                    && grep { $_ eq 'overlay=on' } @names;

        push @{$groups{join "\n", @around, $apart ? 'apart' : ()}},
            [ "$pair->[0] x $pair->[1]", \@around, \@names ];
    }

    for my $group (sort keys %groups) {
        my @group = @{$groups{$group}};

        while (my @some = splice @group, 0, $crowd) {
            my $n = 0;
            my @cases = map { Vidcast::Case->new(sprintf('p%02d', ++$n),
                                                 @{$_->[2]}) } @some;
            my $wrong = walk($some[0][1], @cases);

            for my $i (0 .. $#some) {
                my $complaints = $wrong->{$cases[$i]->name};

                $alone{$some[$i][0]} = $complaints
                    ? join "\n", @$complaints : undef;
            }
        }
    }

    return %alone;
}


sub alone {
    my @names = @{$pairs->complete(@_)};
    my $case = Vidcast::Case->new('alone', @names);
    my $wrong = walk([ grep { feature($_)->{kind} =~ /^(?:nginx|event)$/ }
                       @names ], $case);

    ok !$wrong->{alone}, $case->title
        or diag join "\n", @{$wrong->{alone}};
}


# an instance with all these sources, through its events: what is wrong, by
# the name of the source

sub walk {
    my ($features, @cases) = @_;

    my %on = map { $_ => 1 } @$features;
    my $nginx = instance(\%on, @cases);
    my $walk = { nginx => $nginx, on => \%on, cases => \@cases, wrong => {}, told => {},
                 time => time, moment => 'start' };

    if (eval { $nginx->start; 1 }) {
        my $feeder = Vidcast::Feeder->start(map { feed($nginx, $_) } @cases);

        eval { go($walk, \%on); 1 } or blame($walk, undef, "died: $@");

        leave($walk);
        $feeder->stop;

    } else {
        blame($walk, undef, $@);
    }

    diag $nginx->log_end(60) if %{$walk->{wrong}};
    $nginx->finish;

    return $walk->{wrong};
}


sub go {
    my ($walk, $on) = @_;

    my $nginx = $walk->{nginx};

    arrive($walk, 1);
    watch($walk);
    rest($walk);

    moment($walk, 'again');
    watch($walk);
    outside($walk);

    if ($on->{reload}) {
        moment($walk, 'reload');
        reload($walk);
        watch($walk);

        moment($walk, 'reload with changes');
        change($walk);
        arrive($walk);
        watch($walk);
    }

    if ($on->{upgrade}) {
        moment($walk, 'upgrade');
        upgrade($walk);
        arrive($walk);
        watch($walk);
    }

    moment($walk, 'end');
    rest($walk);
}


# what comes next

sub moment {
    my ($walk, $name) = @_;

    note sprintf '%.1f s: %s', time - $walk->{time}, $name;

    $walk->{moment} = $name;
}


sub blame {
    my ($walk, $case, @complaints) = @_;

    return if !@complaints;

    for my $name ($case ? $case->name : map { $_->name } @{$walk->{cases}}) {
        my $wrong = $walk->{wrong}{$name} //= [];

        push @$wrong, uniq
            map { "$name at $walk->{moment}: $_" =~ s/\n+/; /gr } @complaints;
    }
}


# nobody waits for a source of which it is known that it fails

sub good {
    my ($walk) = @_;

    return grep { !$walk->{wrong}{$_->name} } @{$walk->{cases}};
}


# all sources get to their states; "asleep": those on demand sleep before

sub arrive {
    my ($walk, $first) = @_;

    my @cases = good($walk);
    my %state;

    for my $case (@cases) {
        $state{$case->name} = $case->has('on_demand') ? 'sleeping'
                              : $case->state;
    }

    my %is;

    wait_for {
        %is = map { $_->{name} => $_->{state} }
            @{status($walk->{nginx})->{sources} // []};

        !grep { ($is{$_} // '') ne $state{$_} } keys %state;
    } $patience;

    for my $case (@cases) {
        my $name = $case->name;
        my $source = source($walk->{nginx}, $name);

        blame($walk, $case, 'is ' . ($is{$name} // 'nowhere')
                            . ", not $state{$name}: "
                            . ($source->{error} // ''))
            if ($is{$name} // '') ne $state{$name};

        blame($walk, $case, 'was opened for nobody')
            if $first && $case->has('on_demand') && $source->{opened};
    }
}


# all viewers come, and each gets what it has to

sub watch {
    my ($walk) = @_;

    my @cases = good($walk);

    $_->open($walk->{nginx}) for @cases;

    # of what has ended everybody is to have the last picture

    for my $case (grep { $_->state eq 'ended' } @cases) {
        my $source;

        wait_for { $source = source($walk->{nginx}, $case->name);
                   $source->{state} eq 'ended' } $patience;

        $case->ended($source->{frame});
    }

    pump($walk);

    # what wakes may have viewers that wait for nothing

    my %wakes = map { $_->name => 1 } grep { $_->has('on_demand') } good($walk);

    wait_for {
        !grep { $wakes{$_->{name}} && $_->{state} =~ /^(?:sleeping|starting)$/ }
            @{status($walk->{nginx})->{sources} // []};
    } $patience if %wakes;

    blame($walk, $_, $_->complaints) for @cases;

    listen_to_log($walk);
}


# reads on till nobody waits, or in vain

sub pump {
    my ($walk) = @_;

    my $deadline = deadline($patience);

    while (my @lines = uniq map { $_->{line} }
                       map { $_->waiting } good($walk))
    {
        Vidcast::Client::wait_readable(\@lines, $deadline) or last;
        last if !remaining($deadline);
    }
}


# all viewers leave, and what is on demand sleeps

sub rest {
    my ($walk) = @_;

    $_->close for @{$walk->{cases}};

    for my $case (grep { $_->has('on_demand') } good($walk)) {
        blame($walk, $case, 'does not sleep: is '
                            . (source($walk->{nginx},
                                      $case->name)->{state} // 'nowhere'))
            if !wait_for { (source($walk->{nginx}, $case->name)->{state} // '')
                           eq 'sleeping' } $patience;
    }
}


# what is asked of the whole instance

sub outside {
    my ($walk) = @_;

    my $port = $walk->{nginx}->port;

    my ($metrics, $health) = map { get($port, $_) } '/metrics', '/health';

    blame($walk, undef, "/metrics: status $metrics->{status}")
        if $metrics->{status} != 200;

    return if $health->{status} == 200;

    for my $case (@{$walk->{cases}}) {
        my $name = $case->name;

        blame($walk, $case, "/health: $health->{body}")
            if $health->{body} =~ /"name":"$name"/;
    }
}


# nothing has changed: captures go on, and so do the viewers of MJPEG and NDJSON

sub reload {
    my ($walk) = @_;

    my $nginx = $walk->{nginx};
    my %pids = map { $_->name => capture_pid($nginx, $_->name) }
        good($walk);

    $nginx->reload or blame($walk, undef, 'no new workers came');

    for my $case (good($walk)) {
        my $pid = capture_pid($nginx, $case->name);

        blame($walk, $case, "another capture: $pid, not $pids{$case->name}")
            if $pid ne $pids{$case->name};
    }

    my @stay = qw(mjpeg drawn plain ndjson watch since);
    my %stays = map { $_ => 1 } @stay;

    blame($walk, @$_) for ends($walk, sub { !$stays{$_[0]{view}} });

    # what came before the reload does not count

    for my $case (good($walk)) {
        for my $viewer (map { $case->{viewers}{$_} // () } @stay) {
            $case->take($viewer);
            $viewer->{messages} = [] if $case->goes_on($viewer);
        }
    }

    pump($walk);

    for my $case (good($walk)) {
        for my $viewer (map { $case->{viewers}{$_} // () } @stay) {
            blame($walk, $case, "the viewer of $viewer->{view} gets no more")
                if !$viewer->{failed} && !$case->satisfied($viewer);
            blame($walk, $case, "the viewer of $viewer->{view} was sent away")
                if !$viewer->{failed} && $viewer->{client}->eof;
        }
    }
}


# of all those which are said to: [ case, what is still there ], ...

sub ends {
    my ($walk, $which) = @_;

    my $deadline = deadline($patience);
    my @left;

    for (;;) {
        @left = ();

        for my $case (good($walk)) {
            push @left, map { [ $case, $_ ] }
                grep { $which->($_) && !$_->{failed} && !$_->{closed}
                       && !$_->{client}->eof } $case->viewers;
        }

        last if !@left;

        my @lines = uniq map { $_->[1]{line} } @left;

        Vidcast::Client::wait_readable(\@lines, $deadline) or last;
        last if !remaining($deadline);

        $_->[0]->take($_->[1]) for @left;
    }

    return map { [ $_->[0], "the viewer of $_->[1]{view} is not sent away" ] }
           @left;
}


# each source is another one now

sub change {
    my ($walk) = @_;

    my $nginx = $walk->{nginx};
    my %pids = map { $_->name => capture_pid($nginx, $_->name) }
        good($walk);

    $nginx->reload(http => http(71, $walk->{on}, @{$walk->{cases}}))
        or blame($walk, undef, 'no new workers came');

    blame($walk, @$_) for ends($walk, sub { 1 });

    for my $case (good($walk)) {
        my $name = $case->name;

        wait_for { my $pid = capture_pid($nginx, $name);
                   $pid && $pid !~ / / && $pid ne $pids{$name} } $patience
            or blame($walk, $case, 'no other capture: '
                                   . capture_pid($nginx, $name));
    }
}


sub upgrade {
    my ($walk) = @_;

    my $nginx = $walk->{nginx};
    my $old = $nginx->pid;
    my $count = $nginx->{workers};

    $nginx->signal('USR2');

    wait_for { $nginx->processes('master') == 2
               && $nginx->processes('worker') == 2 * $count
               && $nginx->processes('manager') == 2 } $patience
        or blame($walk, undef, 'there are not two of each');

    my ($new) = grep { $_ != $old } map { $_->{pid} }
        $nginx->processes('master') or return;

    $nginx->signal('QUIT', $old);

    blame($walk, @$_) for ends($walk, sub { 1 });

    wait_for { !$nginx->process($old) && !$nginx->processes('exiting') }
        $patience or blame($walk, undef, 'the old one does not leave');

    $nginx->{pid} = $new;
}


# QUIT, after which nothing is left

sub leave {
    my ($walk) = @_;

    my $nginx = $walk->{nginx};

    moment($walk, 'QUIT');
    $_->close for @{$walk->{cases}};

    $nginx->signal('QUIT') if $nginx->pid;

    wait_for { $nginx->left && !$nginx->processes } $patience;

    blame($walk, undef, "$_->{title} ($_->{pid}) does not leave")
        for $nginx->processes;
    blame($walk, undef, "the master left with status $nginx->{status}")
        if $nginx->{status};

    listen_to_log($walk);
}


# each line that must not be there, once, of the source that it names

sub listen_to_log {
    my ($walk) = @_;

    my $nginx = $walk->{nginx};
    my @lines = $nginx->complaints;

    push @lines, grep { /predictor of vidcast source .* failed/ }
        split /\n/, $nginx->error_log;

    my %names = map { $_->name => $_ } @{$walk->{cases}};

    for my $line (grep { !$walk->{told}{$_}++ } @lines) {
        my ($case) = map { $names{$_} // () }
            $line =~ /(?:process: |source ")([\w.-]+)/;

        # its server is this nginx, which was told to leave

        next if $case && $case->has('http:') && $line =~ /is reconnecting: /
                && $walk->{moment} =~ /^(?:QUIT|upgrade|reload with)/;

        blame($walk, $case, $line);
    }
}


sub feed {
    my ($nginx, $case) = @_;

    my %line = (port => $nginx->port($case->port('put')),
                client => $case->client($nginx, 'put'),
                http2 => $case->has('HTTP/2'));

    $line{post} = $case->path('post') if $case->has('by POST');
    $line{put} = $case->path('put') if $case->has('by WebSocket');

    return $line{post} || $line{put} ? \%line : ();
}


# an nginx, which is not started yet

sub instance {
    my ($on, @cases) = @_;

    my $nginx = Vidcast::Nginx->new(
        workers => $on->{'several workers'} ? 2 : 1,
        single => $on->{'single process'}, daemon => $on->{upgrade},
        events => 'worker_connections 1024;',
        http => http(70, $on, @cases));

    furnish($nginx->prefix, @cases);

    return $nginx;
}


sub http {
    my ($quality, $on, @cases) = @_;

    my $more = join "\n", map { feature($_)->{http} // () } sort keys %$on;
    my $blocks = join "\n", map { $_->source_block($quality) } @cases;
    my $locations = join "\n", map { $_->locations } @cases;

    return <<"CONF";
$more
vidcast_stall_timeout  60s;
vidcast_snapshot_timeout  10s;

vidcast_source beside {
    input    test: size=64x48 fps=10;
    predict  delay time=5ms;
    encoders 1;
    @{[ Vidcast::Features::beside() ]}
}

$blocks

server {
    listen  127.0.0.1:%%PORT%%;
    listen  127.0.0.1:%%PORT1%% ssl;
    listen  127.0.0.1:%%PORT2%% http2;
    listen  127.0.0.1:%%PORT3%% ssl http2;

    ssl_certificate      %%PREFIX%%/cert.pem;
    ssl_certificate_key  %%PREFIX%%/key.pem;

    location = /status        { vidcast_status; }
    location = /metrics       { vidcast_status prometheus; }
    location = /health        { vidcast_health; }
    location = /beside/mjpeg  { vidcast beside as=mjpeg; }

$locations
}
CONF
}


# the files which sources name, made once

sub furnish {
    my ($prefix, @cases) = @_;

    my %want = map { $_ => 1 } map { @{$_->{features}} } @cases;

    certificate($prefix);

    if ($want{'images:'}) {
        mkdir "$prefix/album" or die "$prefix/album: $!\n";
        spew(sprintf('%s/album/%02d.jpg', $prefix, $_),
             picture(96, 64, 50 + 4 * $_)) for 1 .. $Vidcast::Case::album;
    }

    if ($want{'file:'}) {
        $made{film} //= made($prefix, 'film.mp4', sub {
            film($_[0], $Vidcast::Case::album, qw(-c:v libx264 -g 10));
        });
        spew("$prefix/film.mp4", $made{film});
    }

    if ($want{plugin}) {
        $made{plugin} //= made($prefix, 'brightness.so', sub {
            system('cc', '-O2', '-fPIC', '-shared', '-I', "$root/src", '-o',
                   $_[0], "$root/conf/predictors/brightness.c") == 0
                or die "cc failed\n";
        });
        spew("$prefix/brightness.so", $made{plugin});
    }

    if ($want{onnx}) {
        system("python3 $root/t/util/onnx-models $prefix"
               . " 2> $prefix/models.err") == 0 or die "onnx-models failed\n";
        chmod 0644, glob "$prefix/*.onnx";
    }

    spew("$prefix/program.pl", $program);
    chmod 0755, "$prefix/program.pl", "$prefix/album";
}


sub made {
    my ($prefix, $name, $make) = @_;

    $make->("$prefix/$name");

    return Vidcast::Nginx::slurp("$prefix/$name");
}


sub spew {
    my ($file, $data) = @_;

    open my $fh, '>:raw', $file or die "$file: $!\n";
    print $fh $data;
    close $fh or die "$file: $!\n";
    chmod 0644, $file;
}
