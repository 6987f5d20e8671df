#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A plugin decodes what strangers have made.  Code that was taken over by it
# could do whatever the kernel lets a user do: call strangers, write files of
# nginx's user, start programs, try the kernel's newest faults.  So what nobody
# needs is refused to all of our processes, and what a plugin does not need to
# that one.  Here plugins, an input and a program try all of it, before and
# after.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use POSIX qw(EPERM ENOSYS);
use Test::More;

use Vidcast::Hostile;
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Stream;
use Vidcast::Wait;

Vidcast::Nginx->plan;

# as vidcast_plugin.h has them

my ($COMPUTING, $NETWORK, $FILES, $EXEC, $DEVICES) = (1, 2, 4, 8, 16);


# each attempt is one that the kernel answers in another way than by EPERM, by
# a fault in its arguments if need be; as JSON, errno by name

my $probe = <<'C';
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define attempt(name, call)                                                   \
    errno = 0;                                                                \
    p += sprintf(p, ",\"%s\":%d", name, (call) == -1 ? errno : 0)

#define NOWHERE  "/nowhere/at/all"

/* getpid(), by the way into the kernel that programs of 32 bits have */

static int
small(void)
{
    int  rc = 0;

#if SMALL
    __asm__ volatile ("int $0x80" : "=a" (rc) : "0" (20)
                      : "memory", "r8", "r9", "r10", "r11");
#endif

    if (rc < 0) { errno = -rc; }

    return rc < 0 ? -1 : rc;
}

static int
closed(int fd)
{
    return fd == -1 ? -1 : close(fd);
}

static void *thread(void *data) { return data; }

static int
threads(void)
{
    pthread_t  tid;

    errno = pthread_create(&tid, NULL, thread, NULL);

    return errno ? -1 : pthread_join(tid, NULL);
}

static int
forked(void)
{
    pid_t  pid = fork();

    if (pid == 0) { _exit(0); }

    return pid == -1 ? -1 : waitpid(pid, NULL, 0) == pid ? 0 : 0;
}

static int
pair(void)
{
    int  fd[2], rc = socketpair(AF_UNIX, SOCK_STREAM, 0, fd);

    if (rc == 0) { close(fd[0]); close(fd[1]); }

    return rc;
}

static char *
probe(char *p)
{
    int           fd, null, on = 0;
    char          c, *argv[] = { NULL }, file[] = PREFIX "/tmp/file";
    struct iovec  here = { &c, 1 };
    struct { unsigned long long flags, mode, resolve; } how = { O_RDONLY, 0, 0 };

    null = open("/dev/null", O_RDONLY);
    fd = open(file, O_RDONLY);

    p += sprintf(p, "{\"\":0");

    /* what nobody needs */

    attempt("ptrace", ptrace(PTRACE_PEEKDATA, getpid(), 0, 0));
    attempt("process_vm_readv",
            process_vm_readv(getpid(), &here, 1, &here, 1, 0));
    attempt("process_vm_writev",
            process_vm_writev(getpid(), &here, 1, &here, 1, 0));
    attempt("pidfd_getfd", syscall(SYS_pidfd_getfd, -1, -1, 0));
    attempt("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 9999, 0, 0));
    attempt("setns", setns(-1, 0));
    attempt("unshare", unshare(CLONE_NEWUSER|1));
    attempt("clone3", syscall(SYS_clone3, NULL, 0));
    attempt("clone_namespace",
            syscall(SYS_clone, CLONE_NEWNS|CLONE_FS|SIGCHLD, 0, 0, 0, 0));
    attempt("mount", mount((char *) 1, (char *) 1, (char *) 1, 0, NULL));
    attempt("bpf", syscall(SYS_bpf, 9999, NULL, 0));
    attempt("userfaultfd", syscall(SYS_userfaultfd, 0x101));
    attempt("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, 0, -1, ~0UL));
    attempt("io_uring_setup", syscall(SYS_io_uring_setup, 0, NULL));
    attempt("add_key", syscall(SYS_add_key, 1, 1, NULL, 0, 0));
    attempt("keyctl", syscall(SYS_keyctl, 9999, 0, 0, 0, 0));
    attempt("tiocsti", ioctl(-1, TIOCSTI, NULL));

    /* by flags */

    attempt("inet", closed(socket(AF_INET, SOCK_DGRAM, 0)));
    attempt("inet6", closed(socket(AF_INET6, SOCK_STREAM, 0)));
    attempt("unix", closed(socket(AF_UNIX, SOCK_STREAM, 0)));
    attempt("netlink", closed(socket(AF_NETLINK, SOCK_RAW, 0)));

    attempt("execve", execve(NOWHERE, argv, argv));
    attempt("execveat", syscall(SYS_execveat, -1, NOWHERE, argv, argv, 0));
    attempt("fork", forked());
    attempt("kill", kill(0x3fffffff, 0));
    attempt("tgkill", syscall(SYS_tgkill, 0x3fffffff, 0x3fffffff, 0));
    attempt("setown", fcntl(-1, F_SETOWN, 1));
    attempt("prlimit", syscall(SYS_prlimit64, 0x3fffffff, 0, NULL, NULL));

    attempt("create", closed(open(file, O_WRONLY|O_APPEND|O_CREAT, 0600)));
    attempt("creat", closed(creat(NOWHERE, 0600)));
    attempt("clear", closed(open(file, O_WRONLY|O_APPEND|O_TRUNC)));
    attempt("tmpfile", closed(open(NOWHERE, O_TMPFILE|O_RDWR, 0600)));
    attempt("openat2", closed(syscall(SYS_openat2, AT_FDCWD, file, &how,
                                      sizeof(how))));
    attempt("truncate", truncate(file, 0));
    attempt("chmod", chmod(file, 0666));
    attempt("fchmod", fchmod(fd, 0666));
    attempt("fchmodat", fchmodat(AT_FDCWD, file, 0666, 0));
    attempt("chown", chown(NOWHERE, -1, -1));
    attempt("utimensat", utimensat(AT_FDCWD, file, NULL, 0));
    attempt("mkdir", mkdir(NOWHERE, 0777));
    attempt("mknod", mknod(NOWHERE, S_IFREG, 0));
    attempt("rmdir", rmdir(NOWHERE));
    attempt("unlink", unlink(NOWHERE));
    attempt("rename", rename(NOWHERE, NOWHERE));
    attempt("renameat2", renameat2(-1, NOWHERE, -1, NOWHERE, 0));
    attempt("link", link(NOWHERE, NOWHERE));
    attempt("symlink", symlink(NOWHERE, NOWHERE));
    attempt("setxattr", setxattr(NOWHERE, "user.a", "", 0, 0));

    attempt("change", closed(open(file, O_RDWR)));
    attempt("overwrite", closed(open(file, O_WRONLY)));
    attempt("overwrite_at", closed(openat(AT_FDCWD, file, O_WRONLY)));
    attempt("device", closed(open("/dev/null", O_RDWR)));

    /* of 'V', 'd', 'A', and the other letters which have a bit of both */

    attempt("ioctl", ioctl(null, 0x5600, &c) == 0 || errno != ENOTTY ? -1 : 0);
    attempt("ioctl_drm", ioctl(null, 0x6400, &c) == 0 || errno != ENOTTY ? -1 : 0);
    attempt("ioctl_sound", ioctl(null, 0x4100, &c) == 0 || errno != ENOTTY ? -1 : 0);
    attempt("ioctl_socket", ioctl(null, 0x8933, &c) == 0 || errno != ENOTTY ? -1 : 0);

    attempt("small", small());

    /* what all need */

    attempt("read", closed(open(file, O_RDONLY)));
    attempt("append", closed(open(file, O_WRONLY|O_APPEND)));
    attempt("thread", threads());
    attempt("pair", pair());
    attempt("itself", kill(getpid(), 0));
    attempt("ioctl_file", ioctl(null, FIONBIO, &on) == 0 || errno != ENOTTY ? -1 : 0);

    p += sprintf(p, "}");

    close(fd);
    close(null);

    return p;
}
C

my $program = $probe . <<'C';
int
main(void)
{
    char  line[200], text[8000];

    probe(text);

    setvbuf(stdout, NULL, _IOLBF, 0);

    while (fgets(line, sizeof(line), stdin)) {
        printf("{\"before\":{},\"after\":%s}\n", text);
    }

    return 0;
}
C

# of 32 bits, where system calls have other numbers; without a libc, which few
# systems have for it.  It tries some of the same, and answers as the other one

my $small = <<'C';
static char          text[1000];
static unsigned int  size;

static int
call(int number, int a, int b, int c, int d)
{
    int  rc;

    __asm__ volatile ("int $0x80" : "=a" (rc)
                      : "a" (number), "b" (a), "c" (b), "d" (c), "S" (d)
                      : "memory");

    return rc;
}

static void
say(const char *word)
{
    while (*word) { text[size++] = *word++; }
}

static void
attempt(const char *name, int rc)
{
    int  err = (rc < 0 && rc > -4096) ? -rc : 0, digit = 1000;

    say(",\"");
    say(name);
    say("\":");

    while (digit > 1 && err < digit) { digit /= 10; }

    for ( /* void */ ; digit; digit /= 10) {
        text[size++] = '0' + err / digit % 10;
    }
}

static int
forked(void)
{
    int  pid = call(2, 0, 0, 0, 0);

    if (pid == 0) { call(1, 0, 0, 0, 0); }

    return pid < 0 ? pid : call(7, pid, 0, 0, 0);
}

void
_start(void)
{
    char  c;

    say("{\"before\":{},\"after\":{\"\":0");

    attempt("ptrace", call(26, 3, call(20, 0, 0, 0, 0), 0, 0));
    attempt("unshare", call(310, 0x10000001, 0, 0, 0));
    attempt("clone_namespace", call(120, 0x20200 | 17, 0, 0, 0));
    attempt("clone3", call(435, 0, 0, 0, 0));
    attempt("mount", call(21, 1, 1, 1, 0));
    attempt("bpf", call(357, 9999, 0, 0, 0));
    attempt("io_uring_setup", call(425, 0, 0, 0, 0));
    attempt("keyctl", call(288, 9999, 0, 0, 0));
    attempt("setns", call(346, -1, 0, 0, 0));
    attempt("tiocsti", call(54, -1, 0x5412, 0, 0));

    attempt("read", call(3, -1, 0, 0, 0));
    attempt("itself", call(37, call(20, 0, 0, 0, 0), 0, 0, 0));
    attempt("fork", forked());

    say("}}\n");

    while (call(3, 0, (int) &c, 1, 0) == 1) {
        if (c == '\n') { call(4, 1, (int) text, size, 0); }
    }

    call(1, 0, 0, 0, 0);
}
C

# OLD: as it was built before there were needs

my $plugin = $probe . <<'C';
#include <stddef.h>
#include <vidcast_plugin.h>

static const vidcast_context_t  *given;
static char                      before[8000], after[8000], report[20000];

static int
check(const vidcast_context_t *context, char *error)
{
    return VIDCAST_OK;
}

static void *
open_it(const vidcast_context_t *context, vidcast_want_t *want, char *error)
{
    probe(before);

    return report;
}

static int
predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    if (after[0] == 0) { probe(after); }

    answer->json_size = sprintf(report, "{\"before\":%s,\"after\":%s}",
                                before, after);
    answer->json = report;

    return VIDCAST_OK;
}

static void close_it(void *instance) { }

static void *
open_input(const vidcast_context_t *context, const volatile int *stop,
    char *error)
{
    given = context;
    probe(after);

    return report;
}

/* of what was refused, the names */

static int
grab(void *instance, vidcast_picture_t *picture, char *error)
{
    char  *p, *q, *end;

    usleep(100000);

    if (given) {
        q = report + sprintf(report, "refused:");

        for (p = after; (p = strchr(p, ',')); ) {
            p += 2;
            end = strchr(p, '"');

            if (atoi(end + 2) == EPERM || atoi(end + 2) == ENOSYS) {
                q += sprintf(q, " %.*s", (int) (end - p), p);
            }
        }

        given->log(given->host, VIDCAST_LOG_WARN, report);
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
    OLD ? offsetof(vidcast_plugin_t, needs) : sizeof(plugin), VIDCAST_ABI,
    "probe", &input, &table, NEEDS
};

const vidcast_plugin_t *vidcast_plugin(uint32_t abi) { return &plugin; }
C


# what may do it, and by which error it is refused to all else

my %nobody = map { $_ => 0 } qw(
    ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp setns unshare
    clone3 clone_namespace mount bpf userfaultfd perf_event_open io_uring_setup
    add_key keyctl tiocsti
);

my %flags = (
    (map { $_ => $NETWORK } qw(inet inet6 unix netlink)),
    (map { $_ => $EXEC } qw(execve execveat fork kill tgkill setown prlimit)),
    (map { $_ => $FILES } qw(create creat clear tmpfile openat2 truncate chmod fchmod
        fchmodat chown utimensat mkdir mknod rmdir unlink rename renameat2 link
        symlink setxattr)),
    (map { $_ => $FILES | $DEVICES } qw(change overwrite overwrite_at device)),
    (map { $_ => $DEVICES } qw(ioctl ioctl_drm ioctl_sound)),
    ioctl_socket => $DEVICES | $NETWORK,
);

my @free = qw(read append thread pair itself ioctl_file);

my %errors = map { $_ => ENOSYS } qw(clone3 openat2 small);

# name, what it says, what is refused to it

my %plugins = (
    unsaid    => [ 0, 0 ],
    old       => [ $COMPUTING, 1 ],
    computing => [ $COMPUTING, 0 ],
    network   => [ $NETWORK, 0 ],
    files     => [ $COMPUTING | $FILES, 0 ],
    exec      => [ $EXEC, 0 ],
    devices   => [ $DEVICES, 0 ],
    two       => [ $NETWORK | $EXEC, 0 ],
);

my $sources = join '', map { <<"CONF" } sort keys %plugins;
vidcast_source $_ {
    input    test: size=160x120 fps=5;
    predict  plugin $_.so;
    results  4 32k;
}
CONF

my $nginx = Vidcast::Nginx->new(modules => [beside()], http => <<"CONF");
$sources

vidcast_source input {
    input  file:/dev/null;
}

vidcast_source program {
    input    test: size=160x120 fps=5;
    predict  exec ./program;
    results  4 32k;
}

vidcast_source open {
    input    test: size=160x120 fps=5;
    predict  plugin computing.so sandbox=off;
    results  4 32k;
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations(keys(%plugins), 'program', 'open')]}
}
CONF

my $prefix = $nginx->prefix;

# nothing that can be said gives these calls

my $small_runs = small_runs();

$flags{small} = 0x8000 if $small_runs;

my @small = '-DSMALL=' . ($small_runs ? 1 : 0);

for my $name (keys %plugins) {
    my ($needs, $old) = @{$plugins{$name}};

    build($nginx, "$name.so", $plugin, '-shared', '-fPIC', "-DNEEDS=$needs",
          "-DOLD=$old", @small);
}

build($nginx, 'program', $program, @small);
replace_plugin($nginx, 'computing.so');

spill("$prefix/tmp/file", "text\n");

ok $nginx->start, 'start';

my ($worker) = $nginx->processes('worker');

chown +(stat "/proc/$worker->{pid}")[4], -1, "$prefix/tmp/file" if $> == 0;

$_ eq 'input' or ok live($nginx, $_), "$_ is live"
    for sort(keys %plugins), 'program', 'open';

plan_needs($nginx);


# before: all of it is done, or refused for what is wrong with it

my %did = map { $_ => answer($_) } keys %plugins, 'program', 'open';

my $free = outside($nginx, 'sh', '-c', "echo | $prefix/program")->{after};

for my $call (sort(keys %nobody), 'clone3') {
    next if $free->{$call} != EPERM && $free->{$call} != ENOSYS;

    diag "this system refuses $call to all";
    $nobody{$call} = undef;
}

is_deeply [ grep { defined $nobody{$_} && $free->{$_} == ($errors{$_} // EPERM) }
            keys %nobody ], [], 'outside: nothing of what nobody needs is refused';
is_deeply refused($free, keys %flags, @free), [], 'and nothing else';
cmp_ok scalar(grep { defined } values %nobody), '>=', 12, 'most of it can be seen here';

for my $name (sort keys %plugins) {
    is_deeply refused($did{$name}{before}, sort keys %flags), [],
        "$name: what it may need, it may have till it predicts";
}


# after

for my $name (sort keys %plugins, 'program') {
    my $after = $did{$name}{after};

    # nothing said: all of that

    my $needs = $name =~ /^(?:unsaid|old|program)$/ ? ~0 : $plugins{$name}[0];

    my %want = (%nobody, %flags);
    my @want = sort grep { defined $want{$_} && !($want{$_} & $needs) } keys %want;

    is_deeply refused($after, keys %nobody, keys %flags, @free),
        [ sort @want, grep { !defined $nobody{$_} } keys %nobody ],
        "$name: what it does not need is refused";

    is_deeply { map { $_ => $after->{$_} } @want },
              { map { $_ => $errors{$_} // EPERM } @want }, "$name: by the right errors";

    is_deeply refused($did{$name}{before}, sort grep { defined $nobody{$_} } keys %nobody),
        [ sort grep { defined $nobody{$_} } keys %nobody ],
        "$name: what nobody needs, it never had" if $name ne 'program';
}

is_deeply refused($did{open}{after}, keys %flags, @free), [],
    'sandbox=off: nothing of it is refused';
is_deeply [ grep { defined $nobody{$_} } @{ refused($did{open}{after}, keys %nobody) } ],
    [], 'and nothing of what nobody needs';


# an input, and the processes themselves

my $line = $nginx->wait_log(qr/"input": refused: [ \w]+/);

is join(' ', sort split ' ', $line =~ s/.*refused: //r),
    join(' ', @{ refused($did{computing}{after}, keys %nobody, keys %flags) }),
    'an input that computes: the same is refused';

is source($nginx, $_)->{sandbox}, 'full', "$_: the status says so" for 'input', 'unsaid';

cmp_ok filters('capture', 'unsaid'), '==', 2, 'a capture without a plugin has both filters';
cmp_ok filters('predictor', 'computing'), '==', 2, 'a predictor that computes, too';
cmp_ok filters('predictor', 'unsaid'), '==', 1, 'one that says nothing has one';
cmp_ok filters('predictor', 'open'), '==', 0, 'one without a sandbox has none';
cmp_ok filters('worker'), '==', 0, 'nor has a worker';


# of a manager that is in a sandbox, all have what it has

{
    my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_source front {
    input    test: size=160x120 fps=5;
    predict  exec $prefix/program;
    results  4 32k;
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('front')]}
}
CONF

    ok $nginx->start, 'a manager in a sandbox: start';
    ok wait_for { source($nginx, 'front')->{predicted} }, 'it runs';

    is_deeply refused(answer('front', $nginx)->{after}, keys %nobody, keys %flags, @free),
        [ sort keys %nobody ], 'the same is refused to its program';

    is filters('manager', undef, $nginx), 1, 'the manager has one filter';
    is filters('predictor', 'front', $nginx), 1, 'a predictor has that one';
    is filters('capture', 'front', $nginx), 2, 'a capture has one more';

    $nginx->stop;
}


# another way into the kernel is no way around a filter, nor the end of a program

SKIP: {
    skip 'no program of 32 bits can be made and run here', 5 if !$small_runs;

    my $free = outside($nginx, 'sh', '-c', "echo | $prefix/small")->{after};
    my @calls = grep { exists $nobody{$_} } keys %$free;
    my @known = grep { defined $nobody{$_} } @calls;

    is_deeply refused($free, @known), [],
        'a program of 32 bits: outside nothing is refused to it';

    my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_source front {
    input    test: size=160x120 fps=5;
    predict  exec $prefix/small;
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('front')]}
}
CONF

    ok $nginx->start, 'start';

    my $after = (answer('front', $nginx) // {})->{after};

    is_deeply refused($after, keys %$free), [ sort @calls ], 'what nobody needs is refused';
    is_deeply { map { $_ => $after->{$_} } @known },
              { map { $_ => $errors{$_} // EPERM } @known }, 'by the right errors';
    ok $nginx->stop, 'stop';
}

$nginx->stop;

done_testing;


# without libseccomp, or seccomp in the kernel, there is nothing to be seen

sub plan_needs {
    my ($nginx) = @_;

    return if source($nginx, 'unsaid')->{sandbox} !~ /no seccomp/;

    like $nginx->error_log, qr/\[notice\].*no seccomp in the kernel, or no libseccomp/,
        'there is no seccomp, which is told';
    $nginx->stop;
    done_testing;
    exit;
}


sub refused {
    my ($did, @calls) = @_;

    return [ sort grep { $did->{$_} == EPERM || $did->{$_} == ENOSYS } @calls ];
}


# of the process, as the kernel counts them

sub filters {
    my ($kind, $name, $from) = @_;

    my ($process) = ($from // $nginx)->processes($kind, $name // ());

    return slurp("/proc/$process->{pid}/status") =~ /^Seccomp_filters:\s+(\d+)/m ? $1 : -1;
}


# the newest result

sub answer {
    my ($name, $from) = @_;
    my $result;

    wait_for {
        my $stream = Vidcast::Stream->open(($from // $nginx)->port,
                                           $from ? '/ndjson' : "/ndjson_$name");
        my $line = $stream->line;

        $stream->close;

        ref($result = $line ? decode_json($line)->{result} : undef) eq 'HASH';
    };

    return $result;
}


# where a compiler makes such a program, and the kernel runs it

sub small_runs {
    return if (POSIX::uname())[4] ne 'x86_64';

    return eval { build($nginx, 'small', $small, qw(-m32 -nostdlib -static -ffreestanding
                        -fno-stack-protector -fno-pie -no-pie)) }
           && `echo | $prefix/small 2> /dev/null` =~ /^\{/;
}
