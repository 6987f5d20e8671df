#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What is not in a process cannot be stolen from it: manager, captures and
# predictors are nginx started anew, with the settings of their own source only.
# Here the memory of each is searched for what nginx and other sources keep
# secret; a worker, where it must be found, shows that the search works.

use strict;
use warnings;

use File::Copy qw(copy);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

Vidcast::Nginx->plan;

plan skip_all => 'only root may search the memory of others' if $> != 0;


# how often any of the words is in the memory of a process

sub found {
    my ($pid, @words) = @_;

    my $count = 0;
    my $any = join '|', map { quotemeta } @words;

    open my $maps, '<', "/proc/$pid/maps" or return -1;
    open my $memory, '<:raw', "/proc/$pid/mem" or return -1;

    while (my $line = <$maps>) {
        my ($first, $last, $file) =
            $line =~ /^(\w+)-(\w+) r\S+ \S+ \S+ \S+ *(.*)$/ or next;

        no warnings 'portable';

        my ($from, $size) = (hex $first, hex($last) - hex $first);

        next if $file =~ /^\[v/ || $size > 64 * 1024 * 1024;

        sysseek $memory, $from, 0 or next;

        defined sysread $memory, my $bytes, $size or next;

        $count += () = $bytes =~ /$any/g;
    }

    return $count;
}


# a value that only the configuration has: no file holds it as it is here

sub secret { return join '', map { chr 97 + int rand 26 } 1 .. 24 }

my %secret = map { $_ => secret() } qw(nginx one two);

my $nginx = Vidcast::Nginx->new(http => <<"CONF")->start;
vidcast_source one {
    input test: size=320x240 fps=10;
    predict exec /bin/sh -c "while read line; do echo 1; done" $secret{one};
}
vidcast_source two {
    input test: size=320x240 fps=10;
    predict exec /bin/sh -c "while read line; do echo 2; done" $secret{two};
}
server {
    listen 127.0.0.1:%%PORT%%;
    location = /status { vidcast_status; }
    location = /key { return 200 $secret{nginx}; }
}
CONF

my %other = (one => 'two', two => 'one');

ok live($nginx, $_), "$_ lives" for sort keys %other;

ok wait_for {
    2 == grep { (source($nginx, $_)->{predictor}{processes}[0]{child} // 0) > 0 }
        sort keys %other;
}, 'so do both programs';

my ($worker) = $nginx->processes('worker');

cmp_ok found($worker->{pid}, $secret{$_}), '>', 0, "worker: has that of $_"
    for sort keys %secret;

my ($manager) = $nginx->processes('manager');

is found($manager->{pid}, $secret{nginx}), 0, 'manager: nothing of nginx';

for my $name (sort keys %other) {
    my ($predictor) = $nginx->processes('predictor', $name);

    my %pid = (capture => capture_pid($nginx, $name),
               predictor => $predictor->{pid});

    for my $kind (sort keys %pid) {
        is found($pid{$kind}, $secret{nginx}, $secret{$other{$name}}), 0,
            "$kind $name: nothing of nginx, or of the other source";
        cmp_ok found($pid{$kind}, $secret{$name}), '>', 0,
            "$kind $name: its own";

        is Vidcast::Nginx::slurp("/proc/$pid{$kind}/comm"), "nginx\n",
            "$kind $name: its name is nginx's";
    }
}

# nginx waits for all its children, and says which it does not know

$nginx->signal('KILL', $manager->{pid});

ok wait_for {
    my ($next) = $nginx->processes('manager');

    $next && $next->{pid} != $manager->{pid};
}, 'a manager that was killed is replaced';

$nginx->reload;

ok wait_for { $nginx->error_log =~ /vidcast manager process exiting/ },
    'one of an old configuration leaves';

unlike $nginx->error_log, qr/unknown process/, 'they are no children of nginx';

ok $nginx->stop, 'nginx left cleanly';

# a package is upgraded, and nginx is not yet: its processes go on as they are

my $folder = tempdir(CLEANUP => 1);
my $library = "$folder/vidcast.so";
my ($module) = grep { /vidcast/ } @{$nginx->{modules}};

copy($module, $library) or die "$library: $!\n";
chmod 0755, $folder, $library;

my $upgraded = Vidcast::Nginx->new(modules => [$library],
    allow => [qr/exited on signal 9/], http => <<'CONF')->start;
vidcast_source one {
    input test: size=320x240 fps=10;
}
server {
    listen 127.0.0.1:%%PORT%%;
    location = /status { vidcast_status; }
}
CONF

ok live($upgraded, 'one'), 'a module of its own lives';

open my $new, '>', "$library.new" or die "$library.new: $!\n";
print $new "this is no module\n";
close $new;

rename "$library.new", $library or die "$library: $!\n";

for my $kind (qw(capture manager)) {
    my ($old) = $upgraded->processes($kind);

    $upgraded->signal('KILL', $old->{pid});

    ok wait_for {
        my ($next) = $upgraded->processes($kind);

        $next && $next->{pid} != $old->{pid};
    }, "$kind: there is another one";
}

ok live($upgraded, 'one'), 'the source lives by the old module';

unlike $upgraded->error_log, qr/\[emerg\]/, 'nobody read the new one';

ok $upgraded->stop, 'nginx left cleanly';

# the settings that a manager starts with have no "user": all of them have its

my $root = Vidcast::Nginx->new(main => 'user root;', http => <<'CONF')->start;
vidcast_source one {
    input test: size=320x240 fps=10;
    predict exec /bin/sh -c "while read line; do echo 1; done";
}
server {
    listen 127.0.0.1:%%PORT%%;
    location = /status { vidcast_status; }
}
CONF

ok live($root, 'one'), 'a source lives as root';

ok wait_for { $root->processes('predictor') }, 'so does its predictor';

is_deeply [map { $_->{kind} } grep { !-o "/proc/$_->{pid}" } $root->processes],
    [], 'user root: all processes are root\'s';

ok $root->stop, 'nginx left cleanly';

done_testing;
