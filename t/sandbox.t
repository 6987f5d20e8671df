#!/usr/bin/perl

# Copyright (C) vidcast contributors

# Sandboxes refuse system calls which are newer than they are, and kernels lack
# some.  Without pidfd_open() a predictor process that hangs was never killed,
# and nothing said so: here a library in front of libc refuses it.  And of a
# kernel without Landlock or seccomp, as a filter of system calls makes it here,
# log and status must tell, and all must go on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Wait;

Vidcast::Nginx->plan;

my $nginx = Vidcast::Nginx->new(allow => [qr/signal 9/], http => <<'CONF');
vidcast_source front {
    input    test: size=160x120;
    predict  exec /bin/sh -c "while read line; do echo 1; done" timeout=300ms;
}

server {
    listen  127.0.0.1:%%PORT%%;

    location = /status { vidcast_status; }
}
CONF

my $library = $nginx->prefix . '/refuse.so';

SKIP: {
    skip 'no compiler' if !compile($library, <<'C', qw(-shared -fPIC));
#include <errno.h>

int pidfd_open(int pid, unsigned flags) { errno = EPERM; return -1; }
C

    {
        local $ENV{LD_PRELOAD} = join ' ', grep { defined } $ENV{LD_PRELOAD},
                                                            $library;
        ok $nginx->start, 'start';
    }

    ok wait_for { predicted($nginx, 'front') > 3 }, 'results come';

    my ($old) = $nginx->processes('predictor', 'front');

    $nginx->signal('STOP', $old->{pid});

    ok wait_for {
        my ($new) = $nginx->processes('predictor', 'front');

        $new && $new->{pid} != $old->{pid};
    }, 'it hangs: there is another one';

    my $results = predicted($nginx, 'front');

    ok wait_for { predicted($nginx, 'front') > $results }, 'results go on';
    cmp_ok source($nginx, 'front')->{predictor}{killed}, '>=', 1, 'what was killed is counted';

    ok $nginx->stop, 'stop';
}


my $plugin = <<'C';
#include <string.h>
#include <vidcast_plugin.h>

static int check(const vidcast_context_t *context, char *error) { return VIDCAST_OK; }

static void *
open_it(const vidcast_context_t *context, vidcast_want_t *want, char *error)
{
    return want;
}

static int
predict(void *instance, const vidcast_sample_t *sample, vidcast_answer_t *answer, char *error)
{
    answer->json = "1";
    answer->json_size = 1;

    return VIDCAST_OK;
}

static void close_it(void *instance) { }

static const vidcast_predictor_table_t  table = {
    sizeof(table), check, open_it, predict, close_it
};

static const vidcast_plugin_t  plugin = {
    sizeof(plugin), VIDCAST_ABI, "answer", NULL, &table, VIDCAST_NEEDS_COMPUTING
};

const vidcast_plugin_t *vidcast_plugin(uint32_t abi) { return &plugin; }
C

# what is refused answers as if it was not there

my $without = <<'C';
#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOW  (__BYTE_ORDER == __BIG_ENDIAN ? 4 : 0)

#define word(at)          BPF_STMT(BPF_LD|BPF_W|BPF_ABS, at)
#define unless(value, n)  BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, value, 0, n)
#define fails(err)        BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ERRNO|(err))

int
main(int argc, char **argv)
{
    int  landlock = strstr(argv[1], "landlock") ? 444 : -1;
    int  seccomp = strstr(argv[1], "seccomp") ? SYS_seccomp : -1;
    int  control = seccomp == -1 ? -1 : SYS_prctl;

    struct sock_filter  filter[] = {
        word(offsetof(struct seccomp_data, nr)),
        unless(landlock, 1), fails(ENOSYS),
        unless(seccomp, 1), fails(ENOSYS),
        unless(control, 3),
        word(offsetof(struct seccomp_data, args) + LOW),
        unless(PR_SET_SECCOMP, 1), fails(EINVAL),
        BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)
    };
    struct sock_fprog  program = { sizeof(filter) / sizeof(filter[0]), filter };

    /* root needs no such promise */

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
            return 77;
        }
    }

    execvp(argv[2], argv + 2);

    return 127;
}
C

# what the kernel or the module lacks, it lacks in any case

my @has = (syscall(444, 0, 0, 1) >= 2 ? 'landlock' : (),
           -e '/proc/sys/kernel/seccomp/actions_avail'
           && grep({ /libseccomp\.so/ } map { Vidcast::Nginx::slurp($_) }
                   Vidcast::Nginx->modules) ? 'seccomp' : ());

for my $case ([], ['landlock'], ['seccomp'], ['landlock', 'seccomp']) {
    lacking(@$case);
}

done_testing;


sub lacking {
    my (@lacking) = @_;

    my %lacking = map { $_ => 1 } 'landlock', 'seccomp';

    delete @lacking{@has};
    $lacking{$_} = 1 for @lacking;

    my $name = join(' and ', map { "no $_" } @lacking) || 'as the kernel is';
    my $says = join(', ', map { "no $_" } sort keys %lacking) || 'full';

    my $nginx = Vidcast::Nginx->new(allow => [qr/signal 9/], http => <<"CONF");
vidcast_source front {
    input    test: size=160x120;
    predict  exec /bin/sh -c "while read line; do echo 1; done" timeout=300ms;
}

vidcast_source yard {
    input    test: size=160x120;
    predict  plugin answer.so;
}

server {
    listen  127.0.0.1:%%PORT%%;

    @{[locations('front', 'yard')]}
}
CONF

    my $prefix = $nginx->prefix;

    SKIP: {
        skip 'no compiler' if !compile("$prefix/answer.so", $plugin, qw(-shared -fPIC))
            || !compile("$prefix/without", $without);
        skip 'no filters can be made here' if @lacking && system("$prefix/without", 'seccomp',
                                                                 'true');

        $nginx->{wrap} = ["$prefix/without", join ' ', @lacking] if @lacking;

        like +($nginx->test_config)[1], qr/test is successful/, "$name: a test of it";
        ok $nginx->start, "$name: start";
        ok live($nginx, $_), "$name: $_ is live" for 'front', 'yard';

        for my $source ('front', 'yard') {
            ok wait_for { predicted($nginx, $source) > 3 }, "$name: results of $source come";
            is source($nginx, $source)->{sandbox}, $says, "$name: the status says so";
            is source($nginx, $source)->{predictor}{processes}[0]{sandbox}, $says,
                "$name: of the predictor, too";
        }

        my $log = $nginx->error_log;

        is(() = $log =~ /\[notice\].* no Landlock in the kernel: /g,
            $lacking{landlock} ? 1 : 0, "$name: the log tells of Landlock");
        is(() = $log =~ /\[notice\].* no seccomp in the kernel, or no libseccomp: /g,
            $lacking{seccomp} ? 1 : 0, "$name: the log tells of seccomp");

        my $old = ($nginx->processes('predictor', 'front'))[0]{pid};

        $nginx->signal('STOP', $old);

        ok wait_for {
            grep { $_->{pid} != $old } $nginx->processes('predictor', 'front');
        }, "$name: one that hangs is ended";

        ok $nginx->reload, "$name: reload";

        for my $source ('front', 'yard') {
            my $results = predicted($nginx, $source);

            ok wait_for { predicted($nginx, $source) > $results },
                "$name: results of $source go on";
        }

        ok $nginx->stop, "$name: stop";
    }
}


sub compile {
    my ($file, $code, @flags) = @_;

    open my $cc, '|-', 'cc', @flags, "-I$FindBin::Bin/../src", qw(-x c -o), $file, '-' or die $!;
    print $cc $code;

    return close $cc;
}


sub predicted {
    my ($nginx, $source) = @_;

    return source($nginx, $source)->{predicted} // 0;
}
