#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A batch run of predictors which have processes of their own: so many results
# as frames, each of its own frame and in their order, however slow they are,
# however many, when they die of some, and when others take their place by a
# reload; and "ended" says that all are out.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Film;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

plan skip_all => 'the plugin is not built'
    unless plugin(Vidcast::Nginx->modules);


my $frames = 120;

# some take longer than others, so that two of them would overtake each other;
# the last one takes so long that an end which does not wait for it is seen

my $program = <<'PERL';
#!/usr/bin/perl

use strict;
use warnings;

use Time::HiRes qw(sleep);

my ($does) = @ARGV;

$| = 1;

while (my $line = <STDIN>) {
    my ($number) = $line =~ / (\d+)$/ or die;

    exit 3 if $does eq 'dies' && $number == 50;

    sleep $number == 120 ? 0.3 : 0.004 * ($number % 4);

    print $does eq 'some' && $number % 3 ? "\n" : qq({"number":$number}\n);
}
PERL

my $code = <<'C';
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vidcast_plugin.h>

static char  text[64];

static int
check(const vidcast_context_t *context, char *error)
{
    return VIDCAST_OK;
}

static void *
open_it(const vidcast_context_t *context, vidcast_want_t *want, char *error)
{
    want->format = VIDCAST_GRAY8;

    return (void *) context->argument;
}

static int
predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    if (strcmp(instance, "crash") == 0 && sample->frame % 50 == 0) {
        abort();
    }

    usleep(sample->frame == 120 ? 300000 : 4000 * (sample->frame % 4));

    answer->json_size = sprintf(text, "{\"number\":%d}", (int) sample->frame);
    answer->json = text;

    return VIDCAST_OK;
}

static void
close_it(void *instance)
{
}

static const vidcast_predictor_table_t  table = {
    sizeof(table), check, open_it, predict, close_it
};

static const vidcast_plugin_t  description = {
    sizeof(description), VIDCAST_ABI, "test", NULL, &table
};

const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &description;
}
C


sub write_file {
    my ($name, $text) = @_;

    open my $fh, '>', $name or die "$name: $!\n";
    print $fh $text;
    close $fh;
    chmod 0755, $name;
}


my %predict = (
    program  => 'exec ./program.pl good',
    programs => 'exec ./program.pl good workers=3',
    some     => 'exec ./program.pl some workers=2',
    dies     => 'exec ./program.pl dies pause=100ms',
    plugin   => 'plugin test.so good',
    plugins  => 'plugin test.so good workers=3',
    crash    => 'plugin test.so crash pause=100ms',
    files    => 'exec ./program.pl good workers=3',
    files_one => 'plugin test.so good',
);

# pictures in files are frames like those of a film

my %input = map {
    $_ => /^files/ ? 'images:%%PREFIX%%/html/files loop=off'
                   : 'file:%%PREFIX%%/html/film.mp4'
} keys %predict;

my @names = sort keys %predict;

my %lost = (dies => '50', crash => '50 100');


# one process, and a master with two workers

for my $mode ([single => 1], [workers => 2]) {
    my $sources = join '', map { <<"CONF" } @names;
        vidcast_source $_ {
            input    $input{$_} realtime=off;
            predict  $predict{$_};
            results  256;
            encoders 2;
        }
CONF

    my $nginx = Vidcast::Nginx->new(@$mode, http => <<"CONF");
        $sources
        server {
            listen 127.0.0.1:%%PORT%%;
            @{[locations(@names)]}
        }
CONF

    my $prefix = $nginx->prefix;

    film("$prefix/html/film.mp4", $frames, qw(-c:v mpeg4));

    mkdir "$prefix/html/files" or die "$prefix/html/files: $!\n";
    film("$prefix/html/files/%03d.jpg", $frames, qw(-c:v mjpeg -q:v 4));

    write_file("$prefix/program.pl", $program);
    write_file("$prefix/test.c", $code);

    system('gcc', '-O1', '-fPIC', '-shared', '-Wall',
           "-I$FindBin::Bin/../src", '-o', "$prefix/test.so",
           "$prefix/test.c") == 0 or die "gcc failed\n";
    chmod 0755, "$prefix/test.so";

    $nginx->start;

    for my $name (@names) {
        my $label = "$mode->[0]: $name";
        my $source;

        ok &wait_for(sub {
            $source = source($nginx, $name);
            ($source->{state} // '') eq 'ended';
        }, 60), "$label: ended";

        my $wanted = $name eq 'some' ? $frames / 3 : $frames;

        is $source->{published}, $frames, "$label: no frame is lost";
        is $source->{result}, $wanted, "$label: all results are out by then";
        is $source->{dropped}{predictor_busy}, 0, "$label: none was skipped";

        my @results = history($nginx, $name, $wanted);

        is join(' ', map { $_->{frame} } @results),
            join(' ', grep { $name ne 'some' || $_ % 3 == 0 } 1 .. $frames),
            "$label: one of each frame, in their order";

        my @lost = grep { $_->{status} ne 'ok' } @results;

        is join(' ', map { $_->{frame} } @lost), $lost{$name} // '',
            "$label: good, but for those it died of";

        is scalar(grep { $_->{status} eq 'ok'
                         && $_->{result}{number} != $_->{frame} } @results), 0,
            "$label: each is of its frame";
    }

    push @{$nginx->{allow}}, qr/exited on signal 6/;

    $nginx->stop('QUIT');
}


# a reload by which the source is another one: its predictor, which takes its
# time to leave, gets none of the new one's frames

{
    my $conf = sub { <<"CONF" };
        vidcast_source front {
            input    images:%%PREFIX%%/html/files loop=off realtime=off;
            predict  exec ./slow.pl workers=2;
            quality  $_[0];
        }
        server {
            listen 127.0.0.1:%%PORT%%;
            location = /status { vidcast_status; }
            location = /ndjson_front { vidcast front as=ndjson; }
        }
CONF

    my $nginx = Vidcast::Nginx->new(http => $conf->(70));
    my $prefix = $nginx->prefix;

    mkdir "$prefix/html/files" or die "$prefix/html/files: $!\n";
    film("$prefix/html/files/%03d.jpg", 20, qw(-c:v mjpeg -q:v 4));

    write_file("$prefix/slow.pl", <<'PERL');
#!/usr/bin/perl

$| = 1;
print "1\n" while <STDIN>;
select undef, undef, undef, 0.4;
PERL

    $nginx->start;

    my $ended = sub {
        my ($count) = @_;

        return &wait_for(sub {
            my $source = source($nginx, 'front');
            $source->{state} eq 'ended' && $source->{frame} == $count;
        }, 60);
    };

    ok $ended->(20), 'reload: ended before';

    $nginx->reload(http => $conf->(71));

    ok $ended->(40), 'reload: ended behind';

    my @results = history($nginx, 'front', 20);

    is join(' ', map { $_->{frame} } @results), join(' ', 21 .. 40),
        'reload: a result of each frame';
    is join(' ', map { $_->{frame} } grep { $_->{status} ne 'ok' } @results),
        '', 'reload: all are good';

    $nginx->stop;
}


done_testing;
