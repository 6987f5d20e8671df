#!/usr/bin/perl

# Copyright (C) vidcast contributors

# docs/predictors tells how to write a predictor.  What it shows is taken from
# there and run as it is, but for the directory: it must work as it is copied.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;

use Vidcast::Nginx;
use Vidcast::Stream;

Vidcast::Nginx->plan;

plan skip_all => 'no NumPy'
    if system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0;

my $root = "$FindBin::Bin/..";
my $text = join '', map {
    Vidcast::Nginx::slurp("$root/docs/predictors/$_.md")
} qw(python c-plugin);

my %blocks;

while ($text =~ /^```(\w*)\n(.*?)^```$/msg) {
    push @{$blocks{$1}}, $2;
}

is scalar(@{$blocks{nginx}}), 2, 'a configuration each';

my ($python) = @{$blocks{python}};
my ($c) = @{$blocks{c}};
my ($curl, $cc) = @{$blocks{''}};


sub write_file {
    my ($name, $text) = @_;

    open my $fh, '>', $name or die "$name: $!\n";
    print $fh $text;
    close $fh;
    chmod 0755, $name;
}


my ($first, $second) = @{$blocks{nginx}};

$second =~ s/front/second/;

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
$first
$second
server {
    listen  127.0.0.1:%%PORT%%;

    location = /ws { vidcast front; }
    location = /second { vidcast second as=ndjson; }
}
CONF

my $opt = $nginx->prefix . '/opt';

mkdir $opt;
chmod 0755, $opt;

$nginx->{http} =~ s{/opt/}{$opt/}g;
$cc =~ s{/opt/}{$opt/};

write_file("$opt/bright.py", $python);
write_file("$opt/bright.c", $c);

# as "make install" has them

write_file("$opt/vidcast.py",
           Vidcast::Nginx::slurp("$root/conf/predictors/vidcast.py"));
$ENV{CPATH} = "$root/src";

is system("cd $opt && $cc"), 0, 'the plugin is built';
chmod 0755, "$opt/bright.so";

$nginx->start;

my $port = $nginx->port;

$curl =~ s/:8080/:$port/;

my $pid = open my $events, '-|', "exec $curl 2>&1"
    or die "curl: $!\n";

my $result = result_of(sub { scalar <$events> });

kill 'TERM', $pid;
close $events;

is $result->{status}, 'ok', 'the function in Python works';
is join(' ', keys %{$result->{result}}), 'brightness', 'it answers';
cmp_ok $result->{result}{brightness}, '>', 1, 'what it has seen';

my $lines = Vidcast::Stream->open($port, '/second');

$result = result_of(sub { $lines->line });

is $result->{status}, 'ok', 'the plugin works';

my ($box) = @{$result->{result}{detections}};

is $box->{label}, 'the middle', 'it answers';
is_deeply $box->{bbox}, [map { int $_ } $result->{width} / 4,
                         $result->{height} / 4, $result->{width} / 2,
                         $result->{height} / 2], 'in pixels of the frame';

$nginx->stop('QUIT');


sub result_of {
    my ($next) = @_;

    while (defined(my $line = $next->())) {
        return decode_json($1) if $line =~ /^(?:data: ?)?(\{.*\})/;
    }

    return {};
}


done_testing;
