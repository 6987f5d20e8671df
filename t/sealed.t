#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What processes share is attacked by what has the user of the workers: a
# program of "exec" made the frames of other sources shorter by way of /proc,
# and each capture and worker that looked at them died; and foreign code in a
# predictor made writable again what had been made read-only for it.

use strict;
use warnings;

use Fcntl qw(:mode O_RDONLY O_RDWR);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use POSIX ();
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

use constant { F_GET_SEALS => 1034, SEALED => 1 | 2 | 4 };

Vidcast::Nginx->plan;

my $root = "$FindBin::Bin/..";


# tries what it can, and writes it down as JSON

my $code = <<'C';
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vidcast_plugin.h>

static const vidcast_context_t  *given;
static int                       nth;

static int
check(const vidcast_context_t *context, char *error)
{
    return VIDCAST_OK;
}

static void *
open_it(const vidcast_context_t *context, vidcast_want_t *want, char *error)
{
    given = context;
    want->format = VIDCAST_GRAY8;

    return &nth;
}

/* mappings that are shared, and not to be written */

static void
mappings(FILE *out)
{
    int             n, made;
    char            line[1024], perm[8];
    FILE           *maps;
    unsigned long   from, to, first[64], last[64];

    n = 0;
    made = 0;
    maps = fopen("/proc/self/maps", "r");

    while (fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, perm) == 3
            && perm[3] == 's' && perm[1] == '-' && n < 64
            && strstr(line, "memfd:vidcast "))
        {
            first[n] = from;
            last[n++] = to;
        }
    }

    fclose(maps);

    for (int i = 0; i < n; i++) {
        made += mprotect((void *) first[i], last[i] - first[i],
                         PROT_READ|PROT_WRITE) == 0;
    }

    fprintf(out, "{\"mappings\":%d,\"made\":%d,\"files\":{", n, made);
}

/* what can be written by a descriptor, or by its file, opened anew */

static void
descriptors(FILE *out)
{
    int          fd, other, more;
    char         name[64], file[256];
    void        *p;
    ssize_t      n;
    struct stat  st;

    more = 0;

    for (fd = 3; fd < 1024; fd++) {
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        n = readlink(name, file, sizeof(file) - 1);

        if (n <= 0) {
            continue;
        }

        file[n] = 0;

        if (strncmp(file, "/memfd:vidcast ", 15) != 0 || fstat(fd, &st)) {
            continue;
        }

        *strchr(file, '(') = 0;

        p = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
        other = open(name, O_RDWR);

        fprintf(out, "%s\"%d%s\":[%d,%d,%d,%d,%d]", more++ ? "," : "", fd,
                file + 7, p != MAP_FAILED,
                other != -1, ftruncate(fd, st.st_size + 4096) == 0,
                ftruncate(other, st.st_size + 4096) == 0,
                pwrite(fd, "", 0, 0) == 0);

        if (p != MAP_FAILED) {
            munmap(p, 4096);
        }

        if (other != -1) {
            close(other);
        }
    }

    fprintf(out, "}}\n");
}

static int
predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    char   name[256];
    FILE  *out;

    if (++nth == 5) {
        snprintf(name, sizeof(name), "%s.new", given->argument);
        out = fopen(name, "w");
        mappings(out);
        descriptors(out);
        fclose(out);
        rename(name, given->argument);
    }

    answer->json = "1";
    answer->json_size = 1;

    return VIDCAST_OK;
}

static void
close_it(void *instance)
{
}

static const vidcast_predictor_table_t  table = {
    sizeof(table), check, open_it, predict, close_it
};

static const vidcast_plugin_t  plugin = {
    sizeof(plugin), VIDCAST_ABI, "probe", NULL, &table
};

const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &plugin;
}
C

my $nginx = Vidcast::Nginx->new(workers => 2, http => <<'CONF');
vidcast_source front {
    input    test: size=160x120 fps=20;
    predict  plugin probe.so %%PREFIX%%/tmp/probe workers=2;
}

vidcast_source back {
    input    test: size=160x120 fps=20;
    predict  exec /bin/sh -c "while read line; do echo 1; done";
}

vidcast_source drawn {
    input    test: size=160x120 fps=20;
    predict  motion;
}

server {
    listen    127.0.0.1:%%PORT%%;

    location = /status { vidcast_status; }
    location = /drawn  { vidcast drawn as=mjpeg overlay=on; }
}
CONF

my $file = $nginx->prefix . '/probe.c';

open my $fh, '>', $file or die "$file: $!\n";
print $fh $code;
close $fh;

system('gcc', '-O1', '-fPIC', '-shared', "-I$root/src", '-o',
       $nginx->prefix . '/probe.so', $file) == 0 or die "gcc failed\n";
chmod 0755, $nginx->prefix . '/probe.so';

ok $nginx->start, 'start';
ok live($nginx, $_), "$_ is live" for qw(front back drawn);

my $probe = $nginx->prefix . '/tmp/probe';

ok wait_for { -e $probe }, 'the plugin has looked around';
ok wait_for { source($nginx, 'back')->{predicted} }, 'the program runs';

my ($worker) = $nginx->processes('worker');
my $user = (stat "/proc/$worker->{pid}")[4];


# how each file of shared memory was made, whatever process has it

{
    my (%kinds, %bad);

    for my $process ($nginx->processes) {
        for my $memory (shared($process->{pid})) {
            $kinds{$process->{kind}}++;

            push @{$bad{$memory->{name}}}, sprintf '%s: %o, seals %d',
                $process->{kind}, $memory->{mode}, $memory->{seals}
                if $memory->{mode} != 0400 || $memory->{seals} != SEALED
                   || $memory->{uid} != $>;
        }
    }

    is join(' ', sort keys %kinds), 'capture manager master predictor worker',
        'all processes have shared memory';
    is_deeply \%bad, {}, 'each file is its owner\'s, and its size is sealed';

    # nginx's own zones are there, with nothing in them

    my @large = grep { $_ > 2 * POSIX::sysconf(POSIX::_SC_PAGESIZE()) }
        map { anonymous($_->{pid}) } $nginx->processes;

    is_deeply \@large, [], 'no other memory is shared';
}


# what a predictor has of it

for my $process ($nginx->processes('predictor')) {
    my @memory = shared($process->{pid});
    my @written = sort map { $_->{name} } grep { $_->{flags} & 3 } @memory;
    my @read = sort map { $_->{name} } grep { !($_->{flags} & 3) } @memory;

    is "@written", 'bell mailbox predictor locks',
        "predictor $process->{name}: what it may write to";
    is "@read", 'contents control frames', 'and what it may read';
}

my @boxes = map { $_->{name} eq 'mailbox' ? $_->{inode} : () }
    map { shared($_->{pid}) } $nginx->processes('predictor');
my %boxes = map { $_ => 1 } @boxes;

is scalar(keys %boxes), 3, 'each has a mailbox of its own';


# what the plugin could do there

{
    my $could = decode_json(slurp($probe));
    my %files = %{$could->{files}};

    cmp_ok $could->{mappings}, '>=', 3, 'there were mappings to be tried';
    is $could->{made}, 0, 'none of them was made writable';
    cmp_ok scalar(keys %files), '>=', 6, 'and files';

    my %mapped = map { s/^\d+vidcast //r =~ s/ +$//r => $files{$_}[0] }
        keys %files;

    is join(' ', sort grep { $mapped{$_} } keys %mapped),
        'bell mailbox predictor locks',
        'what could be mapped to be written';
    is_deeply [grep { $files{$_}[2] || $files{$_}[3] } keys %files], [],
        'none could be made larger';

    SKIP: {
        skip 'the predictor is root', 1 if $user == 0;

        is_deeply [grep { $files{$_}[1] } keys %files], [],
            'none could be opened anew for writing';
    }
}


# by way of /proc, as the workers' user and as the owner

{
    my %frames = map { $_ => source($nginx, $_)->{published} }
        qw(front back drawn);
    my @pids = map { $_->{pid} } $nginx->processes;

    is_deeply [truncated($user, @pids)], [], 'as the user of the workers';
    is_deeply [truncated($>, @pids)], [], 'as the owner of the files';

    for my $name (sort keys %frames) {
        ok wait_for {
            (source($nginx, $name)->{published} // 0) > $frames{$name} + 5;
        }, "$name goes on";
    }
}

ok $nginx->stop, 'nobody died of it';

done_testing;


# the memory that a process shares, as its descriptors have it

sub shared {
    my ($pid) = @_;

    my %files = $nginx->descriptors($pid);
    my @memory;

    for my $fd (sort { $a <=> $b } keys %files) {
        my ($name) = $files{$fd} =~ m{^/memfd:vidcast (.*) \(deleted\)$}
            or next;

        # the pictures for a program, which are its own

        next if $name eq 'predictor';

        my @stat = stat "/proc/$pid/fd/$fd" or next;
        my ($flags) = slurp("/proc/$pid/fdinfo/$fd") =~ /^flags:\s+(\d+)$/m;

        sysopen my $fh, "/proc/$pid/fd/$fd", O_RDONLY or next;

        push @memory, {
            name => $name, inode => $stat[1], uid => $stat[4],
            mode => S_IMODE($stat[2]), flags => oct $flags,
            seals => fcntl($fh, F_GET_SEALS, 0) + 0,
        };
    }

    return @memory;
}


# sizes of the mappings that are shared without a file

sub anonymous {
    my ($pid) = @_;

    return map { m{^(\w+)-(\w+) \S\S\Ss .*/dev/zero} ? hex($2) - hex($1) : () }
        split /\n/, slurp("/proc/$pid/maps");
}


# what a process of the user could make shorter

sub truncated {
    my ($uid, @pids) = @_;

    pipe my $in, my $out or die "pipe: $!\n";

    my $child = fork // die "fork: $!\n";

    if ($child == 0) {
        if ($uid != $>) {
            POSIX::setgid((getpwuid $uid)[3] // 65534);
            $) = $( = (getpwuid $uid)[3] // 65534;
            POSIX::setuid($uid);
        }

        for my $pid (@pids) {
            my %files = $nginx->descriptors($pid);

            for my $fd (grep { $files{$_} =~ m{^/memfd:vidcast } } keys %files) {
                next if $files{$fd} =~ m{^/memfd:vidcast predictor \(};

                chmod 0600, "/proc/$pid/fd/$fd";
                sysopen my $fh, "/proc/$pid/fd/$fd", O_RDWR or next;
                my $size = -s $fh;

                syswrite $out, "$files{$fd}\n"
                    if truncate($fh, $size > 4096 ? 4096 : 0) && $size
                        || truncate($fh, $size + 4096);
            }
        }

        POSIX::_exit(0);
    }

    close $out;

    my @truncated = <$in>;

    waitpid $child, 0;

    return @truncated;
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<', $file or return '';
    local $/;
    return scalar(<$fh>) // '';
}
