#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What runs here is hostile: a program, and a plugin.  Both try to get at
# nginx's own processes, at those of other sources and at each other, which
# all have the same user: without a sandbox they read the key of a certificate
# from a worker's memory.  The same code outside of it shows that it works.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;

use Vidcast::Hostile;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;

Vidcast::Nginx->plan;

# what the kernel has, by the system call itself: 0 is nothing

my $landlock = syscall(444, 0, 0, 1);

plan skip_all => 'no Landlock in this kernel' if $landlock < 2;


# tries all of it on the processes of a file, "kind pid" each; what was done,
# as JSON

my $probe = <<'C';
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define done(name)                                                            \
    p += sprintf(p, "%s\"%s\"", p[-1] == '[' ? "" : ",", name);               \
    got += strcmp(name, "signal") != 0

static int   got;
static char  report[8000];

static int
opens(int pid, const char *name)
{
    int   fd, n;
    char  path[300], c;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);

    fd = open(path, O_RDONLY|O_NONBLOCK);

    if (fd == -1) {
        return 0;
    }

    /* of the memory there is nothing at zero, but it is open */

    n = strcmp(name, "mem") ? read(fd, &c, 1) : 0;
    close(fd);

    return n >= 0;
}

static char *
attempt(char *p, int pid)
{
    int            pidfd, fd;
    DIR           *dir;
    char           c, path[300];
    struct iovec   here, there;
    struct dirent *entry;

    p += sprintf(p, "[");

    if (opens(pid, "mem"))     { done("mem"); }
    if (opens(pid, "maps"))    { done("maps"); }
    if (opens(pid, "environ")) { done("environ"); }

    sprintf(path, "/proc/%d/fd", pid);
    dir = opendir(path);

    if (dir) {
        for (fd = 0; (entry = readdir(dir)); ) {
            snprintf(path, sizeof(path), "fd/%s", entry->d_name);
            fd |= entry->d_name[0] != '.' && opens(pid, path);
        }

        closedir(dir);
        if (fd) { done("fd"); }
    }

    here.iov_base = &c;
    here.iov_len = 1;
    there.iov_base = (void *) 4096;
    there.iov_len = 1;

    /* nothing is there, which is told where it may be looked at */

    if (process_vm_readv(pid, &here, 1, &there, 1, 0) == 1 || errno == EFAULT) {
        done("process_vm_readv");
    }

    if (process_vm_writev(pid, &here, 1, &there, 1, 0) == 1
        || errno == EFAULT)
    {
        done("process_vm_writev");
    }

    pidfd = syscall(SYS_pidfd_open, pid, 0);

    if (pidfd != -1) {
        fd = syscall(SYS_pidfd_getfd, pidfd, 2, 0);
        if (fd != -1) { done("pidfd_getfd"); close(fd); }
        close(pidfd);
    }

    if (kill(pid, 0) == 0) { done("signal"); }

    /* undone by the end of the process that does it */

    fd = fork();

    if (fd == 0) {
        _exit(ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 ? 42 : 0);
    }

    if (fd > 0 && waitpid(fd, &fd, 0) != -1 && WEXITSTATUS(fd) == 42) {
        done("ptrace");
    }

    p += sprintf(p, "]");

    return p;
}

/* NULL: the targets are not known yet */

static char *
probe(void)
{
    int    pid;
    char  *p, kind[64], from[256], to[256];
    FILE  *file;

    file = fopen(PREFIX "/targets", "r");
    if (file == NULL) {
        return NULL;
    }

    got = 0;
    p = report;
    p += sprintf(p, "{");

    while (fscanf(file, "%63s %d", kind, &pid) == 2) {
        if (pid == getpid()) { continue; }
        p += sprintf(p, "%s\"%s\":", p[-1] == '{' ? "" : ",", kind);
        p = attempt(p, pid);
    }

    fclose(file);

    /* a program of root's, to be run as root; what it may: moving a file */

    p += sprintf(p, ",\"setuid\":%d", WEXITSTATUS(system(PREFIX "/setuid")));

    sprintf(from, PREFIX "/tmp/file.%d", (int) getpid());
    sprintf(to, PREFIX "/tmp/other/file.%d", (int) getpid());

    file = fopen(from, "w");
    if (file) { fclose(file); }

    p += sprintf(p, ",\"moved\":%d}", rename(from, to) == 0);

    return report;
}
C

my $program = $probe . <<'C';
int
main(int argc, char **argv)
{
    char  line[200], *text;

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (argc > 1 && strcmp(argv[1], "now") == 0) {
        text = probe();
        printf("%s\n", text ? text : "null");
        return 0;
    }

    while (fgets(line, sizeof(line), stdin)) {
        text = probe();
        printf("%s\n", text ? text : "\"waiting\"");
    }

    return 0;
}
C

my $plugin = $probe . <<'C';
#include <vidcast_plugin.h>

static const vidcast_context_t  *given;

/* the warning is shown with the configuration */

static int
check(const vidcast_context_t *context, char *error)
{
    char  line[40];

    if (probe()) {
        snprintf(line, sizeof(line), "the check got at %d", got);
        context->log(context->host, VIDCAST_LOG_WARN, line);
    }

    return VIDCAST_OK;
}

static void *
open_it(const vidcast_context_t *context, vidcast_want_t *want, char *error)
{
    return report;
}

static int
predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    answer->json = probe();

    if (answer->json == NULL) { answer->json = "\"waiting\""; }
    answer->json_size = strlen(answer->json);

    return VIDCAST_OK;
}

static void close_it(void *instance) { }

static void *
open_input(const vidcast_context_t *context, const volatile int *stop,
    char *error)
{
    given = context;

    return report;
}

static int
grab(void *instance, vidcast_picture_t *picture, char *error)
{
    char  line[40];

    usleep(100000);

    if (given && probe()) {
        snprintf(line, sizeof(line), "the input got at %d", got);
        given->log(given->host, VIDCAST_LOG_WARN, line);
        given = NULL;
    }

    return VIDCAST_AGAIN;
}

static const vidcast_predictor_table_t  table = {
    sizeof(table), check, open_it, predict, close_it
};

static const vidcast_input_table_t  input = {
    sizeof(input), check, open_input, grab, NULL, close_it
};

static const vidcast_plugin_t  plugin = {
    sizeof(plugin), VIDCAST_ABI, "hostile", &input, &table
};

const vidcast_plugin_t *vidcast_plugin(uint32_t abi) { return &plugin; }
C


my $root_user = $> == 0;
my @sources = qw(program plugin victim);

my $nginx = Vidcast::Nginx->new(modules => [beside()], http => <<"CONF");
vidcast_source input {
    input  file:/dev/null;
}

vidcast_source program {
    input    test: size=160x120 fps=5;
    predict  exec ./hostile;
}

vidcast_source plugin {
    input    test: size=160x120 fps=5;
    predict  plugin hostile.so;
}

vidcast_source victim {
    input    test: size=160x120 fps=5;
    predict  exec /bin/sh -c "while read line; do echo 1; done" timeout=1s;
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations(@sources)]}
}
CONF

my $prefix = $nginx->prefix;

build($nginx, 'hostile', $program);
build($nginx, 'hostile.so', $plugin, '-shared', '-fPIC');
build($nginx, 'setuid', 'int geteuid(void); int main() { return geteuid() == 0; }');

replace_plugin($nginx, 'hostile.so');
mkdir "$prefix/tmp/other";
chmod 0777, "$prefix/tmp/other";
chmod 04755, "$prefix/setuid" if $root_user;

ok $nginx->start, 'start';

ok wait_for { child('program') && child('victim') && answer('plugin') eq 'waiting' },
    'all of them run';


# what is there, and what the kernel says of them

my %target = (
    worker => ($nginx->processes('worker'))[0]{pid},
    manager => ($nginx->processes('manager'))[0]{pid},
    program => child('program'),
    program_victim => child('victim'),
    map { ("$_->{kind}_$_->{name}" => $_->{pid}) } map { $nginx->processes($_) }
        qw(capture predictor),
);

is scalar(grep { $_ } values %target), 11, 'each is a process';

for my $kind (sort keys %target) {
    my ($ours, $program) = ($kind ne 'worker', $kind =~ /^program/);

    is status_of($target{$kind}, 'NoNewPrivs'), $ours ? 1 : 0,
        "$kind: " . ($ours ? 'no program gets privileges by it' : 'it is as nginx has it');

    next if !$ours;

    like slurp("/proc/$target{$kind}/limits"), qr/^Max core file size +0 +0 /m,
        "$kind: no core files";

    is owner($target{$kind}), 0, "$kind: it is not to be looked into"
        if !$program;
}

is source($nginx, $_)->{sandbox}, 'full', "$_: the status says so" for @sources, 'input';
is process($_)->{sandbox}, 'full', "$_: of the predictor, too" for @sources;


# outside of a sandbox: what the test itself, as the same user, gets at

my @all = qw(mem maps environ fd process_vm_readv process_vm_writev pidfd_getfd
             signal ptrace);

spill("$prefix/targets", join '', map { "$_ $target{$_}\n" } sort keys %target);

my $outside = outside($nginx, "$prefix/hostile", 'now');

SKIP: {
    skip 'this system lets nobody look into others', 3
        if (slurp('/proc/sys/kernel/yama/ptrace_scope') || 0) > 0;

    is_deeply $outside->{worker}, \@all, 'outside: a worker is open to its user';
    is_deeply $outside->{program_victim}, \@all, 'and so are programs';
    is $outside->{setuid}, 1, 'and a program of root\'s is run as root' if $root_user;
}

for my $kind (sort grep { !/^(?:worker|program)/ } keys %target) {
    is_deeply $outside->{$kind}, ['signal'], "outside: nothing of $kind";
}


# and inside

my $signal = $landlock < 6 ? ['signal'] : [];

for my $name (qw(program plugin)) {
    ok wait_for { ref answer($name) }, "$name: it tried";

    my $did = answer($name);

    for my $kind (sort keys %target) {
        next if $kind eq ($name eq 'program' ? 'program' : 'predictor_plugin');

        is_deeply $did->{$kind}, $signal, "$name: nothing of $kind";
    }

    is $did->{setuid}, 0, "$name: a program of root's is run as the user";
    is $did->{moved}, 1, "$name: and files are moved as ever";
}

is $nginx->wait_log(qr/"input": the input got at \d+/), '"input": the input got at 0',
    'an input: nothing of the others';

ok live($nginx, $_), "$_ is live" for @sources;


# the check, when there are others; and the next manager ends predictors of
# that before it

ok $nginx->reload, 'reload';
is $nginx->wait_log(qr/the check got at \d+/), 'the check got at 0',
    'a check: nothing of the others';

my $old = process('victim')->{pid};

is $old, $target{predictor_victim}, 'a predictor lives on';
ok wait_for {
    my ($manager) = $nginx->processes('manager');

    $manager && $manager->{pid} != $target{manager};
}, 'there is another manager';

$nginx->signal('STOP', $old);
ok wait_for { (process('victim')->{pid} || $old) != $old }, 'which ends one that hangs';


# a predictor that is to be in none, and another one beside it

{
    my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_source open {
    input    test: size=160x120 fps=5;
    predict  exec $prefix/hostile sandbox=off;
}

vidcast_source closed {
    input    test: size=160x120 fps=5;
    predict  exec $prefix/hostile;
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('open', 'closed')]}
}
CONF

    my ($worker, %did);

    unlink "$prefix/targets";

    ok $nginx->start, 'sandbox=off: start';

    ok wait_for {
        2 == grep { (process($_, $nginx)->{child} // 0) > 0 } 'open', 'closed';
    }, 'the programs run';

    ($worker) = $nginx->processes('worker');
    spill("$prefix/targets", "worker $worker->{pid}\n");

    for my $name ('open', 'closed') {
        ok wait_for { ref($did{$name} = answer($name, $nginx)) && $did{$name}{worker} },
            "$name: it tried";
    }

    is process('open', $nginx)->{sandbox}, 'off', 'the status says so';
    is source($nginx, 'open')->{sandbox}, 'full', 'the capture is in one';
    is process('closed', $nginx)->{sandbox}, 'full', 'and the other predictor';
    like $nginx->error_log, qr/\[notice\].*predictor of vidcast source "open" has no sandbox/,
        'the log says it, too';
    unlike $nginx->error_log, qr/source "closed" has no sandbox/, 'and of no other';

    SKIP: {
        skip 'this system lets nobody look into others', 1
            if (slurp('/proc/sys/kernel/yama/ptrace_scope') || 0) > 0;

        is_deeply $did{open}{worker}, \@all, 'the program gets at all of a worker';
    }

    is $did{open}{setuid}, 1, 'and has the privileges of one of root\'s' if $root_user;
    is_deeply $did{closed}{worker}, $signal, 'the other one gets at nothing';
    is $did{closed}{setuid}, 0, 'and has no privileges';

    $nginx->stop;
}

$nginx->stop;


# for a debugger

{
    my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_debug on;

vidcast_source front {
    input    test: size=160x120 fps=5;
    predict  exec /bin/sh -c "while read line; do echo 1; done";
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('front')]}
}
CONF

    $nginx->{wrap} = ['prlimit', '--core=1000000'];

    ok $nginx->start, 'vidcast_debug on: start';
    ok wait_for { (source($nginx, 'front')->{predicted} // 0) > 0 }, 'it runs';

    my ($worker) = $nginx->processes('worker');

    for my $kind (qw(manager capture predictor)) {
        my ($process) = $nginx->processes($kind);

        is owner($process->{pid}), owner($worker->{pid}), "$kind: its user may look into it";

        # AddressSanitizer wants none, and lowers the first of the limits itself

        my $soft = $nginx->sanitized($process->{pid}) ? 0 : 1000000;

        like slurp("/proc/$process->{pid}/limits"),
            qr/^Max core file size +$soft +1000000 /m, "$kind: a core file may be left";
        is status_of($process->{pid}, 'NoNewPrivs'), 1, "$kind: no less otherwise";
    }

    $nginx->stop;
}

done_testing;


sub process { return source($_[1] // $nginx, $_[0])->{predictor}{processes}[0] // {} }

sub child { return process($_[0])->{child} }


# the user whose processes may look into this one: root, or its own

sub owner { return (stat "/proc/$_[0]/environ")[4] }


# the newest result

sub answer {
    my ($name, $from) = @_;

    my $stream = Vidcast::Stream->open(($from // $nginx)->port, "/ndjson_$name");
    my $line = $stream->line;

    $stream->close;

    return $line ? decode_json($line)->{result} // '' : '';
}
