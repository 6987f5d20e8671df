package Bench::Pictures;

# Copyright (C) vidcast contributors

# Folders of JPEGs of an exact size: pictures of the synthetic camera, with
# comments that fill them up.

use strict;
use warnings;

use Bench::Server;
use Vidcast::Client qw(get);
use Vidcast::Nginx;
use Vidcast::Wait;

my $count = 8;
my %pictures;


sub folder {
    my ($size) = @_;

    my $dir = Bench::Server::build_dir() . "/pictures-$size";

    return $dir if -d $dir;

    # of 25 kB, or 3

    my $of = $size < 40000 ? '160x120' : '640x480';
    my $pictures = $pictures{$of} //= [ snapshots($of) ];

    mkdir "$dir.new" or die "$dir.new: $!\n";

    for my $i (0 .. $#$pictures) {
        open my $fh, '>', "$dir.new/$i.jpg" or die "$dir.new: $!\n";
        print $fh filled($pictures->[$i], $size);
        close $fh or die "$dir.new: $!\n";
    }

    rename "$dir.new", $dir or die "$dir: $!\n";

    return $dir;
}


sub snapshots {
    my ($of) = @_;

    my $nginx = Vidcast::Nginx->new(http => <<"CONF")->start;
vidcast_source a { input test: size=$of; }
server { listen 127.0.0.1:%%PORT%%; location / { vidcast as=snapshot; } }
CONF

    my @found = map {
        get($nginx->port, '/')->{body}
    } 1 .. $count;

    $nginx->signal('TERM');
    wait_for { $nginx->left };
    $nginx->finish;

    return @found;
}


# comments of 64 kB at most, behind the first marker

sub filled {
    my ($picture, $size) = @_;

    my $rest = $size - length $picture;
    my $comments = '';

    die "$size bytes are too few\n" if $rest < 4;

    while ($rest) {
        my $take = $rest > 65537 + 4 ? 65537 : $rest > 65537 ? 60000 : $rest;

        $comments .= "\xff\xfe" . pack('n', $take - 2) . ' ' x ($take - 4);
        $rest -= $take;
    }

    return substr($picture, 0, 2) . $comments . substr $picture, 2;
}


1;
