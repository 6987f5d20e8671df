#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Memory is made in the master, at its start and at each reload.  Whatever
# limit or sandbox refuses it there, nginx says which one, of which source, and
# a running one goes on with the configuration it has: beyond RLIMIT_FSIZE the
# master died of a signal instead, and left its workers alone.  Its children
# meet the same limits, and may not die of them either.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Client qw(get);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $front = 'vidcast_source front { input test: size=160x120; frames auto 64k; }';
my $more = "$front
vidcast_source more { input test: size=160x120; predict exec /bin/cat pause=500ms; }";

my $server = <<'CONF';
server {
    listen  127.0.0.1:%%PORT%%;

    location = /status { vidcast_status; }
    location = /       { return 200 "here\n"; }
}
CONF

# what is refused: the limit that prlimit sets, and what nginx says of it

my @limits = (
    ['fsize=2000000', qr/ftruncate\(\) of a memfd of \d{8} bytes for vidcast_source "more" failed, RLIMIT_FSIZE is 2000000 \(27:/],
    ['as=%d', qr/mmap\(\) of \d{8} bytes for vidcast_source "more" failed, RLIMIT_AS is \d+ \(12:/],
    ['nofile=%d', qr/(?:memfd_create|eventfd)\(\) for vidcast_source "more" failed, RLIMIT_NOFILE is \d+ \(24:/],
    ['nofile=%d', qr/keeping descriptors for workers for vidcast_source "more" failed, RLIMIT_NOFILE is \d+ \(24:/],
);

# what a sandbox, or the system, refuses: a library in front of libc

my @calls = (
    ['memfd_create 38', qr/memfd_create\(\) for vidcast_source "more" failed \(38:/],
    ['memfd_create 1', qr/memfd_create\(\) for vidcast_source "more" failed \(1:/],
    ['ftruncate 28', qr/ftruncate\(\) of a memfd of \d+ bytes for vidcast_source "more" failed \(28:/],
    ['mmap 12', qr/mmap\(\) of a memfd of \d+ bytes for vidcast_source "more" failed \(12:/],
    ['fcntl 22', qr/fcntl\(F_ADD_SEALS\) of a memfd of \d+ bytes for vidcast_source "more" failed \(22:/],
    ['eventfd 23', qr/eventfd\(\) for vidcast_source "more" failed \(23:/],
);

my @allow = map { $_->[1] } @limits, @calls;


# the running master

{
    my $nginx = Vidcast::Nginx->new(allow => \@allow, http => "$front\n$server");
    my $library = refuser($nginx->prefix);

    {
        local $ENV{LD_PRELOAD} = join ' ', grep { defined } $ENV{LD_PRELOAD}, $library;
        ok $nginx->start, 'start';
    }

    my $source = live($nginx, 'front');
    ok $source, 'a source is live';

    my $master = $nginx->pid;

    for my $i (0 .. $#limits) {
        my ($limit, $text) = @{$limits[$i]};

        SKIP: {
            skip 'shadow memory of a sanitizer', 3
                if $limit =~ /^as/ && $nginx->sanitized($master);

            $limit = sprintf $limit =~ /%/ ? $limit : "$limit%.0s", limit($nginx, $i);

            refused($nginx, $limit, $text, sub { prlimit($master, $limit) });
            prlimit($master, 'fsize=unlimited', 'as=unlimited', 'nofile=1024');
        }
    }

    for my $case (@calls) {
        my ($call, $text) = @$case;

        refused($nginx, $call, $text, sub { put("$library.refuse", $call) });
        unlink "$library.refuse";
    }

    is source($nginx, 'front')->{pid}, $source->{pid}, 'the capture is the same';

    my @before = (open_files($nginx, $master), shared_memory($master));

    prlimit($master, 'fsize=2000000');

    for my $n (1 .. 10) {
        my $lines = complaints($nginx);

        $nginx->write_config(http => "$more\n$server")->signal('HUP');
        wait_for { complaints($nginx) > $lines } or last;
    }

    is open_files($nginx, $master), $before[0], 'reloads that fail leave no descriptor';
    is shared_memory($master), $before[1], 'and no memory';

    prlimit($master, 'fsize=unlimited');

    ok $nginx->reload(http => "$more\n$server"), 'without the limit it is reloaded';
    ok live($nginx, 'more'), 'and the source is there';

    $nginx->stop;
}


# nginx -t, and the start

for my $case ([@{$limits[0]}, 'prlimit', '--fsize=2000000'],
              ['a sandbox', $calls[0][1], 'preload'])
{
    my ($name, $text, @wrap) = @$case;

    my $nginx = Vidcast::Nginx->new(http => "$more\n$server");

    if ($wrap[0] eq 'preload') {
        my $library = refuser($nginx->prefix);

        put("$library.refuse", $calls[0][0] . " 5");
        @wrap = ('env', 'LD_PRELOAD=' . join ' ', grep { defined } $ENV{LD_PRELOAD}, $library);
    }

    $nginx->{wrap} = \@wrap;

    my ($ok, $said) = $nginx->test_config;

    ok !$ok, "$name: nginx -t fails";
    like $said, qr/\[emerg\].*$text/, 'and says why';

    ok !eval { $nginx->start }, 'so does a start';
    like $nginx->error_log, qr/\[emerg\].*$text/, 'and says why';

    $nginx->finish;
}


# a predictor whose file may not grow goes on living, and says so

{
    my $nginx = Vidcast::Nginx->new(wrap => ['prlimit', '--fsize=3000000'],
        http => <<"CONF");
vidcast_source big {
    input    test: size=1920x1080 fps=5;
    frames   auto 64k;
    predict  exec /bin/sh -c "while read line; do echo 1; done";
    quality  5;
}
$server
CONF

    ok $nginx->start, 'start with a limit';

    ok wait_for {
        (source($nginx, 'big')->{predictor}{error} // '') =~ /no memory for a picture of \d+ bytes: File too large/;
    }, 'the status says why there is no prediction';

    unlike $nginx->error_log, qr/exited on signal/, 'nobody died of it';

    $nginx->stop;
}

# a program is not started with some of its descriptors only

for my $call ('dupfd_cloexec', 'dupfd') {
    my $nginx = Vidcast::Nginx->new(main => 'env LD_PRELOAD;',
                                    http => "$more\n$server");
    my $library = refuser($nginx->prefix);

    put("$library.refuse", "$call 24");

    {
        local $ENV{LD_PRELOAD} = join ' ', grep { defined } $ENV{LD_PRELOAD}, $library;
        ok $nginx->start, "$call: start";
    }

    ok wait_for {
        (source($nginx, 'more')->{predictor}{error} // '')
            =~ m{^could not start "/bin/cat" in ".*": Too many open files$};
    }, 'the status says why there is no program';

    unlink "$library.refuse";

    ok wait_for {
        (source($nginx, 'more')->{predictor}{processes}[0]{child} // 0) > 0;
    }, 'it is started when there is room';

    $nginx->stop;
}

done_testing;


# how many [emerg] lines there are

sub complaints { my ($nginx) = @_; return scalar(() = $nginx->error_log =~ /\[emerg\]/g) }


sub prlimit {
    my ($pid, @limits) = @_;

    system('prlimit', '--pid', $pid, map { "--$_:" } @limits) == 0 or die 'prlimit';
}


# one that is met in the middle of the new source

sub limit {
    my ($nginx, $i) = @_;

    my $pid = $nginx->pid;
    my %files = $nginx->descriptors($pid);
    my ($size) = slurp("/proc/$pid/statm") =~ /^(\d+)/;

    return $i == 1 ? $size * 4096 + 20_000_000
         : $i == 2 ? keys(%files) + 2
         : keys(%files) + 12;
}


sub refused {
    my ($nginx, $name, $text, $prepare) = @_;

    my $lines = complaints($nginx);

    $prepare->();
    $nginx->write_config(http => "$more\n$server")->signal('HUP');

    ok wait_for { complaints($nginx) > $lines }, "$name: a reload is refused";
    like $nginx->error_log, qr/\[emerg\].*$text/, 'the log says why';
    is get($nginx->port, '/')->{status}, 200, 'the old configuration goes on';
}


sub put {
    my ($file, $text) = @_;

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh;
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<', $file or return '';
    local $/;
    return scalar <$fh>;
}


# a library which refuses the system call of the file, with its errno, as long
# as there is a file

sub refuser {
    my ($dir) = @_;

    my $library = "$dir/refuse.so";

    open my $cc, '|-', qw(gcc -shared -fPIC -x c -o), $library, '-' or die "gcc: $!\n";
    print $cc <<"C";
#define _GNU_SOURCE
#include <errno.h>
#define fcntl fcntl_of_libc
#define fcntl64 fcntl64_of_libc
#include <fcntl.h>
#undef fcntl
#undef fcntl64
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
refuse(const char *name)
{
    int    fd, n, err, skip;
    char   text[64], call[32];
    static int  calls;

    fd = open("$library.refuse", O_RDONLY|O_CLOEXEC);
    if (fd == -1) { return 0; }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    skip = 0;

    if (sscanf(text, "%31s %d %d", call, &err, &skip) < 2 || strcmp(call, name)
        || calls++ < skip)
    {
        return 0;
    }

    errno = err;
    return 1;
}

int memfd_create(const char *name, unsigned flags)
{
    return refuse("memfd_create") ? -1 : syscall(SYS_memfd_create, name, flags);
}

int ftruncate(int fd, off_t size)
{
    return refuse("ftruncate") ? -1 : syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

void *mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
    if ((flags & MAP_SHARED) && fd != -1 && refuse("mmap"))
    {
        return MAP_FAILED;
    }

    return (void *) syscall(SYS_mmap, addr, size, prot, flags, fd, offset);
}

void *mmap64(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
    return mmap(addr, size, prot, flags, fd, offset);
}

/* nginx's fcntl() of other commands has an argument as well, or needs none */

int fcntl64(int fd, int cmd, long arg)
{
    if (arg == 16
        && ((cmd == F_DUPFD && refuse("dupfd"))
            || (cmd == F_DUPFD_CLOEXEC && refuse("dupfd_cloexec"))))
    {
        return -1;
    }

    if (cmd == F_ADD_SEALS && refuse("fcntl")) { return -1; }

    return syscall(SYS_fcntl, fd, cmd, arg);
}

int fcntl(int fd, int cmd, long arg) { return fcntl64(fd, cmd, arg); }

int eventfd(unsigned n, int flags)
{
    return refuse("eventfd") ? -1 : syscall(SYS_eventfd2, n, flags);
}
C
    close $cc or die "gcc failed\n";

    return $library;
}
