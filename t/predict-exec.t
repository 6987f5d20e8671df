#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A predictor which is a program, and the worst of programs: it is killed,
# stopped, prints garbage, nothing, or too much, forks and leaves.  The video
# must not notice, the viewers must be told, and nothing may be left behind.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;


# what it does is its first argument

my $program = <<'PERL';
#!/usr/bin/perl

use strict;
use warnings;

use POSIX qw(setsid);

my $does = shift // '';
my $n = 0;

$| = 1;

my @leaked;

if ($does eq 'pipe') {
    binmode STDIN;

    while (read STDIN, my $frame, $ENV{VIDCAST_WIDTH} * $ENV{VIDCAST_HEIGHT}) {
        print '{"length":', length $frame, ',"top":', ord $frame,
              ',"middle":', unpack('%32C*', substr $frame, 64 * 24, 64) / 64,
              ',"format":"', "$ENV{VIDCAST_FORMAT}@ARGV", '","file":',
              defined $ENV{VIDCAST_FD} || -e '/proc/self/fd/3' ? 1 : 0, "}\n";
    }

    exit;
}

open my $frames, '<&=', 3 or die "no frames: $!";

while (my $line = <STDIN>) {
    my ($offset, $size, $number) = $line =~ /^frame (\d+) (\d+) (\d+)$/
        or die "what is this: $line";

    $n++;

    if ($does eq 'garbage') {
        print "this is no result\n{\"n\":\n";

    } elsif ($does eq 'binary') {
        print pack('C*', map { ($_ * 7919 + $n) % 256 } 1 .. 3000), "\n";

    } elsif ($does eq 'long') {
        print '"', 'x' x 10_000_000, "\"\n";

    } elsif ($does eq 'large') {
        print '"', 'x' x 5000, "\"\n";

    } elsif ($does eq 'flood') {
        print "no\n" x 1000 while 1;

    } elsif ($does eq 'nothing') {
        sleep 1 while 1;

    } elsif ($does eq 'half') {
        print $n % 2 ? "\n" : "$n\n";

    } elsif ($does eq 'tagged') {
        print '@', $number - 1, " \"wrong\"\n{\n\@$number \"right\"\r\n";

    } elsif ($does eq 'errors') {
        print STDERR "error $n\e[31m of a fr\xc3\xa4me\n" x 30, 'y' x 100_000, "\n";
        print "$n\n";

    } elsif ($does eq 'leaks') {
        push @leaked, 'x' x 8_000_000;
        print "$n\n";

    } elsif ($does eq 'forks') {
        if ($n == 1 && !fork) {
            setsid();
            exec 'sleep', $ARGV[0] // '1000' if !fork;
            exec 'sleep', $ARGV[0] // '1001';
        }

        print "$n\n";
        exit 3 if $n == 5 && !@ARGV;

    } else {
        my $frame = '';

        sysseek $frames, $offset, 0;
        sysread $frames, $frame, $size;

        my @header = unpack 'L8 Q q L2 d4', $frame;

        print "{\"n\":$n,\"frame\":$number,\"pid\":$$,\"args\":\"@ARGV\",",
              "\"size\":$size,\"length\":", length $frame, ",",
              "\"header\":[", join(',', @header), "],",
              "\"gray\":", unpack('%32C*', substr $frame, 128) / ($size - 128),
              "}\n";
    }
}
PERL


sub write_program {
    my ($nginx, $text) = @_;

    my $file = $nginx->prefix . '/program.pl';

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh;
    chmod 0755, $file;
}


my @names = qw(good garbage binary long large flood nothing half tagged errors
               forks spawner two victim pipe leaks);

my %does = (spawner => 'forks');

my %more = (
    nothing => 'timeout=300ms start=300ms',
    garbage => 'timeout=300ms start=300ms',
    binary  => 'timeout=300ms start=300ms',
    good    => '-- two=words',
    victim  => 'timeout=500ms',
    spawner => '-- 1002',
    flood   => 'pause=30s timeout=60s start=60s',
    leaks   => 'memory=64m',
    pipe    => 'frames=pipe size=64x64 fill=9 -- /dev/null',
    two     => 'workers=2 every=2',
);

my $sources = join '', map { <<"CONF" } @names;
vidcast_source $_ {
    input    test: size=160x120 fps=10 noise=0;
    encoders 1;
    predict  exec ./program.pl @{[$does{$_} // $_]} format=gray8 pause=200ms @{[$more{$_} // '']};
}
CONF

my $nginx = Vidcast::Nginx->new(workers => 2, http => <<"CONF");
$sources
server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations(@names)]}
    location = /paired { vidcast good send=paired; }
}
CONF

write_program($nginx, $program);
$nginx->start;

ok live($nginx, $_), "$_ is live" for @names;


# results of one source, until one of them is wanted

sub results {
    my ($name, $wanted, $seconds) = @_;

    my $ws = Vidcast::WebSocket->connect($nginx->port, "/ws_$name");
    my $deadline = deadline($seconds);
    my @results;

    while (remaining($deadline)) {
        my $message = $ws->message('text') // last;

        push @results, decode_json($message->{data});

        last if $wanted->($results[-1], scalar @results);
    }

    return @results;
}


sub predictor {
    return source($nginx, $_[0])->{predictor} // {};
}


sub in_order {
    my ($last, $wrong) = (0, 0);

    for my $result (@_) {
        $wrong++ if $result->{frame} <= $last;
        $last = $result->{frame};
    }

    return !$wrong;
}


# the good one

my @results = results('good', sub { $_[1] == 20 });

is scalar(grep { $_->{status} ne 'ok' } @results), 0, 'all results are good';
ok in_order(@results), 'in the order of the frames';
is scalar(grep { $_->{result}{frame} != $_->{frame} } @results), 0,
    'each of its own frame';

my $result = $results[0]{result};

is $result->{length}, 160 * 120 + 128, 'the frame is all there';
is $result->{size}, $result->{length}, 'and is said to be';
is_deeply [@{$result->{header}}[0 .. 5, 10, 11]],
    [0x31436456, 128, 2, 160, 120, 160, 160, 120], 'its header';
is $result->{header}[8], $result->{frame}, 'has its number';
cmp_ok abs($result->{header}[9] / 1e6 - $results[0]{ts}), '<', 0.001,
    'and its time';
is_deeply [@{$result->{header}}[12 .. 15]], [1, 1, 0, 0], 'no scaling';
cmp_ok $result->{gray}, '>', 20, 'the picture is not black';
is $result->{args}, 'two=words', 'the program got its arguments';

my ($process) = $nginx->processes('predictor', 'good');
my $child = predictor('good')->{processes}[0]{child};

is $result->{pid}, $child, 'the status names the program';
is scalar($nginx->processes('predictor', 'good')), 1, 'in one process';
is scalar($nginx->processes('predictor', 'two')), 2, 'two workers are two';

my %open = $nginx->descriptors($child);

is join(' ', sort { $a <=> $b } keys %open), '0 1 2 3',
    'the program has its own descriptors only';
like $open{3}, qr/memfd:vidcast predictor/, 'and the frames';

my $status = Vidcast::Nginx::slurp("/proc/$child/status");

like $status, qr/^SigBlk:\s+0+$/m, 'no signal is blocked';

# but what Perl itself ignores, and 32 and 33: these are the C library's own,
# which lets nobody change them, and a parent of the suite may ignore all

my ($ignored) = $status =~ /^SigIgn:\s+([0-9a-f]+)$/m;

{
    no warnings 'portable';

    is hex($ignored // 1) & ~0x180000080, 0, 'or ignored';
}


# results of two workers, every second frame

@results = results('two', sub { $_[1] == 30 });

ok in_order(@results), 'two workers: in the order of the frames';

# of those that were published: under load there are numbers without a frame

is scalar(grep { $results[$_]{frame} - $results[$_ - 1]{frame} < 2 }
          1 .. $#results), 0, 'every second one';

my %pids = map { $_->{result}{pid} => 1 } @results;
cmp_ok scalar(keys %pids), '>=', 1, 'by the workers';


# one that does not do what it should

ok wait_for { predictor('half')->{none} > 5 }, 'an empty line is no result';
@results = results('half', sub { $_[1] == 5 });
is scalar(grep { $_->{result} % 2 } @results), 0, 'and leaves none';

@results = results('tagged', sub { $_[1] == 5 });
is scalar(grep { $_->{result} ne 'right' } @results), 0,
    'a line for another frame is not taken';
cmp_ok predictor('tagged')->{stray}, '>', 5, 'but counted';
is predictor('tagged')->{deaths}, 0, 'and forgiven';
like $nginx->error_log,
    qr/program.pl" of vidcast source "tagged" wrote a line which is no result/,
    'and logged';
is scalar(() = $nginx->error_log =~ /"tagged" wrote a line/g), 1, 'once';

for my $name (qw(large long)) {
    @results = results($name, sub { $_[1] == 3 });

    is $results[-1]{status}, 'result_too_large', "$name: viewers are told";
    is $results[-1]{result}, undef, 'and get none';
    cmp_ok predictor($name)->{too_large}, '>=', 2, 'it is counted';
    is predictor($name)->{deaths}, 0, 'and forgiven';
}

for my $name (qw(garbage binary nothing)) {
    @results = results($name, sub { $_[0]{status} ne 'ok' && $_[1] > 10 });

    is scalar(grep { $_->{status} ne 'predictor_failed' } @results), 0,
        "$name: viewers are told";
    like $results[-1]{error}, qr/gave no first answer within 300 ms/, 'why';
    ok wait_for { predictor($name)->{timeouts} >= 2 }, 'it is counted';
    is predictor($name)->{answers}, 0, 'there was no answer';
}

cmp_ok predictor('binary')->{stray}, '>', 0, 'garbage is counted';
is predictor('nothing')->{stray}, 0, 'nothing is nothing';

my $ended = wait_for { predictor('flood')->{deaths} >= 1 } 30;

ok $ended, 'a flood is ended';
ok wait_for { predictor('flood')->{error} =~ /bytes without a result/ },
    'it is said why';

@results = results('errors', sub { $_[1] == 5 });
is $results[-1]{status}, 'ok', 'one that writes errors has results';
like $nginx->error_log, qr/source "errors" said: error \d+\\x1B\[31m of a fr\xc3\xa4me/,
    'errors are logged, made printable';
like $nginx->error_log, qr/\d+ more lines of "\S+program.pl"/,
    'and those which are too many are counted';
unlike $nginx->error_log, qr/y{2000}/, 'no line is too long';


# bare pixels: 160x120 in 64x64 is 64x48, and gray above and below

@results = results('pipe', sub { $_[1] == 5 });
is scalar(grep { $_->{status} ne 'ok' } @results), 0, 'bare pixels come too';
is $results[-1]{result}{length}, 64 * 64, 'of the size that was asked for';
is $results[-1]{result}{top}, 9, 'letterboxed';
cmp_ok $results[-1]{result}{middle}, '>', 20, 'the picture is in the middle';
is $results[-1]{result}{format}, 'gray8/dev/null', 'the environment says which';
is $results[-1]{result}{file}, 0, 'there is no file of frames';


# one that wants all the memory

ok wait_for { predictor('leaks')->{deaths} >= 2 }, 'one that leaks is ended';
@results = results('leaks', sub { $_[0]{status} eq 'ok' });
is $results[-1]{status}, 'ok', 'and starts anew';
cmp_ok $results[-1]{result}, '<=', 8, 'long before all is gone';
like $nginx->error_log, qr/source "leaks" said: Out of memory/,
    'it has noticed by itself';


# one that forks, and leaves

ok wait_for { predictor('forks')->{deaths} >= 3 }, 'it exits, is started again';
like predictor('forks')->{error}, qr/exited with code 3/, 'it is said why';
ok wait_for {
    my @sleepers = grep { $_->{title} =~ /^sleep 100[01]/ } $nginx->processes;
    my ($forks) = $nginx->processes('predictor', 'forks');

    # of the one that lives now, at most

    @sleepers <= 2;
}, 'what it had started is gone';


# one that goes on, and whose predictor process is killed since it stands still

my ($spawner) = $nginx->processes('predictor', 'spawner');
my @sleepers;

ok wait_for {
    @sleepers = grep { $_->{title} eq 'sleep 1002' } $nginx->processes;

    @sleepers == 2;
}, 'a program has started others';

$nginx->signal('STOP', $spawner->{pid});

ok &wait_for(sub { !$nginx->process($spawner->{pid}) }, 20),
    'its predictor process stands still, and is killed';
ok &wait_for(sub { !grep { $nginx->process($_->{pid}) } @sleepers }, 20),
    'and all that it had started before it';


# kill and stop: 20 times

my $capture = capture_pid($nginx, 'victim');
my ($manager) = $nginx->processes('manager');
my %before = map { $_ => open_files($nginx, $_, 1) }
    $manager->{pid}, $capture;

for my $round (1 .. 20) {
    my $signal = $round % 2 ? 'KILL' : 'STOP';
    my $number = source($nginx, 'victim')->{frame};
    my $old;

    ok wait_for { $old = predictor('victim')->{processes}[0]{child} },
        "round $round: there is a program";

    $nginx->signal($signal, $old);

    ok &wait_for(sub {
        my $new = predictor('victim')->{processes}[0];

        $new->{child} && $new->{child} != $old && !$new->{failing};
    }, 20), "$signal: there is another one";
}

is capture_pid($nginx, 'victim'), $capture, 'the capture is still the same';
is source($nginx, 'victim')->{lost}, 0, 'it has lost nothing';
cmp_ok predictor('victim')->{deaths}, '>=', 20, 'deaths are counted';
cmp_ok predictor('victim')->{timeouts}, '>=', 10, 'timeouts too';

@results = results('victim', sub { $_[0]{status} eq 'ok' && $_[1] > 5 });
is $results[-1]{status}, 'ok', 'results are good again';

is open_files($nginx, $_, 1), $before{$_}, 'no descriptor was lost'
    for sort keys %before;


# the predictor process itself

for my $signal (qw(KILL STOP)) {
    my ($old) = $nginx->processes('predictor', 'victim');

    $nginx->signal($signal, $old->{pid});

    ok &wait_for(sub {
        my ($new) = $nginx->processes('predictor', 'victim');

        $new && $new->{pid} != $old->{pid};
    }, 20), "$signal to the process: there is another one";

    @results = results('victim', sub { $_[0]{status} eq 'ok' });
    is $results[-1]{status}, 'ok', 'results are good again';
}

ok wait_for {
    1 == grep { $_->{title} =~ /program.pl victim/ } $nginx->processes;
}, 'and one program';

ok wait_for {
    !grep { Vidcast::Nginx::slurp($_) =~ /\) Z $manager->{pid} / }
        glob '/proc/[0-9]*/stat';
}, 'no zombie is left';


# a reload: nothing changed, and then the program

sub pids {
    return join ' ', sort map { $_->{pid} } $nginx->processes('predictor',
                                                              'good');
}

my $pids = pids();

ok $nginx->reload, 'reload';
is pids(), $pids, 'the predictor goes on';

write_program($nginx, "$program# changed\n");

ok $nginx->reload, 'reload with another program';
ok wait_for { pids() && pids() ne $pids }, 'another predictor comes';

@results = results('good', sub { $_[0]{status} eq 'ok' });
is $results[-1]{status}, 'ok', 'results are good';

push @{$nginx->{allow}}, qr/exited on signal (?:9|19)/;

$nginx->stop('QUIT');

done_testing;
