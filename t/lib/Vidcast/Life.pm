package Vidcast::Life;

# Copyright (C) vidcast contributors

# What tests of processes ask again and again: the status, what a process has
# open, and the configuration which the crowd of viewers wants.

use strict;
use warnings;

use Exporter 'import';
use JSON::PP qw(decode_json);

use Vidcast::Client qw(get);
use Vidcast::Stream;
use Vidcast::Wait;

our @EXPORT = qw(status source live history capture_pid open_files
                 shared_memory locations);


sub status {
    my ($nginx, $port) = @_;

    my $response = get($nginx->port($port // 0), '/status');

    return $response->{status} == 200 ? decode_json($response->{body}) : {};
}


sub source {
    my ($nginx, $name, $port) = @_;

    my ($source) = grep { $_->{name} eq $name }
        @{status($nginx, $port)->{sources} // []};

    return $source // {};
}


# returns the source when its state is "live"

sub live {
    my ($nginx, $name, $seconds, $port) = @_;

    my $source;

    wait_for {
        $source = source($nginx, $name, $port);
        ($source->{state} // '') eq 'live';
    } $seconds or return undef;

    return $source;
}


# so many results from the first one on, if there are as many in time; the
# location is that of several sources, see locations()

sub history {
    my ($nginx, $name, $count) = @_;

    my $lines = Vidcast::Stream->open($nginx->port, "/ndjson_$name?since=0");
    my @results;

    while (@results < $count) {
        my $line = $lines->line // last;
        push @results, decode_json($line);
    }

    return @results;
}


sub capture_pid {
    my ($nginx, $name) = @_;

    return join ' ', map { $_->{pid} } $nginx->processes('capture', $name);
}


# what a process has open, counted by its kind; connections of viewers come
# and go, and are left out unless asked for

sub open_files {
    my ($nginx, $pid, $sockets) = @_;

    my %files = $nginx->descriptors($pid);
    my %count;

    for my $path (values %files) {
        next if !defined $path || ($path =~ /^socket:/ && !$sockets);

        $path =~ s/:\[\d+\]//;
        $path =~ s/^\Q@{[$nginx->prefix]}\E//;
        $count{$path}++;
    }

    return join ', ', map { "$_ x$count{$_}" } sort keys %count;
}


# shared mappings of a process: their number and their size

sub shared_memory {
    my ($pid) = @_;

    open my $maps, '<', "/proc/$pid/maps" or return '';

    no warnings 'portable';

    my ($count, $size) = (0, 0);

    while (<$maps>) {
        my ($from, $to, $rights, $path)
            = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)/ or next;

        next if $rights !~ /s$/;

        $count++;
        $size += hex($to) - hex($from);
    }

    return "$count mappings, $size bytes";
}


# one location for each transport of the sources: /ws of the first and only
# one; of several /ws_NAME

sub locations {
    my (@sources) = @_;

    my %as = (ws => 'as=websocket', both => 'as=websocket send=both',
              pictures => 'as=websocket send=frames', mjpeg => 'as=mjpeg',
              sse => 'as=sse', ndjson => 'as=ndjson', snapshot => 'as=snapshot');

    my $text = "add_header X-Worker \$pid always;\n"
        . "location = /status { vidcast_status; }\n";

    for my $source (@sources) {
        my $suffix = @sources > 1 ? "_$source" : '';

        $text .= join '',
            map { "location = /$_$suffix { vidcast $source $as{$_}; }\n" }
            sort keys %as;
    }

    return $text;
}


1;
