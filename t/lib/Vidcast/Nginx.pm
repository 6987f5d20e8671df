package Vidcast::Nginx;

# Copyright (C) vidcast contributors

# Runs nginx with the module for tests that Test::Nginx cannot speak: several
# connections at once, signals, processes.  Each instance has a directory and
# ports of its own; what it started is told from all other processes by its
# session, working directory or open log, and ends with the test, however that
# ends.
#
#     my $nginx = Vidcast::Nginx->new(http => <<'CONF')->start;
#     vidcast_source front { input test:; }
#     server { listen 127.0.0.1:%%PORT%%; location /ws { vidcast; } }
#     CONF
#
#     $nginx->port; $nginx->processes('capture'); $nginx->reload; $nginx->stop;
#
# In "http" and "main" %%PORT%%, %%PORT1%% ... are free ports, %%PREFIX%% is the
# directory.  TEST_NGINX_BINARY and TEST_NGINX_LOAD_MODULES are the ones of
# Test::Nginx.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX qw(:sys_wait_h setsid);
use Test::More ();

use Vidcast::Wait;

my $root = abs_path(dirname(__FILE__) . '/../../..');
my $owner = $$;
my %running;

# what a child of ours may not leave: END must run

for my $signal (qw(INT TERM HUP)) {
    $SIG{$signal} = sub { exit 1 } if !ref $SIG{$signal};
}

$SIG{PIPE} = 'IGNORE';


# the files to load; none when the module was not built

sub modules {
    if ($ENV{TEST_NGINX_LOAD_MODULES}) {
        return split ' ', $ENV{TEST_NGINX_LOAD_MODULES};
    }

    my ($module) = grep { -f } map {
        "$root/build/$_/ngx_http_vidcast_module.so"
    } qw(module nginx/objs objs);

    return $module // ();
}


sub binary {
    return $ENV{TEST_NGINX_BINARY} || 'nginx';
}


# skips the test file where there is nothing to test

sub plan {
    my ($class, @plan) = @_;

    if (!$class->modules) {
        Test::More::plan(skip_all => 'the module is not built');
    }

    Test::More::plan(@plan) if @plan;
}


# main, events, http: text for the three levels; workers: their number; ports:
# how many; log: level; allow: patterns of log lines that are expected; single:
# master_process off; daemon: daemon on; modules: other files to load; wrap: a
# command that runs nginx

sub new {
    my ($class, %args) = @_;

    my $prefix = tempdir('vidcast-test-XXXXXX', TMPDIR => 1);

    chmod 0755, $prefix;
    mkdir "$prefix/$_" for qw(logs html tmp);

    # the system's nginx may run its workers as somebody else

    chmod 0777, "$prefix/tmp";

    my $self = bless {
        main => '', events => '', http => '', workers => 1, ports => 4,
        log => 'info', allow => [], modules => [$class->modules], %args,
        prefix => $prefix,
    }, $class;

    $running{$prefix} = $self;

    $self->choose_ports;

    return $self;
}


sub choose_ports {
    my ($self) = @_;

    my @held = map {
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                              Proto => 'tcp', Listen => 1)
            or die "cannot listen: $@\n"
    } 1 .. $self->{ports};

    $self->{port} = [ map { $_->sockport } @held ];
}


sub prefix { $_[0]{prefix} }
sub pid    { $_[0]{pid} }
sub port   { $_[0]{port}[$_[1] // 0] }


sub expand {
    my ($self, $text) = @_;

    $text =~ s/%%PORT(\d*)%%/$self->port($1 || 0)/ge;
    $text =~ s/%%PREFIX%%/$self->{prefix}/g;

    return $text;
}


# parts given here replace those given to new()

sub write_config {
    my ($self, %parts) = @_;

    @$self{keys %parts} = values %parts;

    my $modules = join '', map { "load_module $_;\n" } @{$self->{modules}};
    my $temp = join '', map { "    ${_}_temp_path %%PREFIX%%/tmp/$_;\n" }
        qw(client_body proxy fastcgi uwsgi scgi);

    # processes that are started anew get what workers have of the environment

    my $environment = join '', map { "env $_;\n" } grep { defined $ENV{$_} }
        qw(ASAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS);

    my $daemon = $self->{daemon} ? 'on' : 'off';
    my $master = $self->{single} ? "master_process off;\n" : '';

    my $config = $self->expand(<<"CONF");
$modules
daemon $daemon;
${master}worker_processes $self->{workers};
pid %%PREFIX%%/logs/nginx.pid;
error_log %%PREFIX%%/logs/error.log $self->{log};
$environment
$self->{main}

events {
$self->{events}
}

http {
    access_log %%PREFIX%%/logs/access.log;
    root %%PREFIX%%/html;
$temp
$self->{http}
}
CONF

    open my $fh, '>', "$self->{prefix}/nginx.conf" or die "nginx.conf: $!\n";
    print $fh $config;
    close $fh or die "nginx.conf: $!\n";

    return $self;
}


sub command {
    my ($self, @options) = @_;

    my $prefix = $self->{prefix};

    return (@{$self->{wrap} // []}, $self->binary, '-p', "$prefix/", '-c', "$prefix/nginx.conf",
            '-e', "$prefix/logs/error.log", @options);
}


# nginx -t: (did it succeed, its output)

sub test_config {
    my ($self) = @_;

    $self->write_config;

    my $pid = open my $out, '-|';
    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec $self->command('-t') or POSIX::_exit(127);
    }

    my $text = join '', <$out>;
    close $out;

    return ($? == 0, $text);
}


# returns when it listens; dies with the log's end when it does not

sub start {
    my ($self) = @_;

    for my $attempt (1 .. 3) {
        $self->write_config;
        $self->spawn;

        return $self if wait_for { $self->listens || $self->left }
            && !$self->left;

        # somebody else was faster with a port

        last if $self->error_log !~ /bind\(\) .* failed \(98:/;

        $self->choose_ports;
        truncate "$self->{prefix}/logs/error.log", 0;
    }

    die "nginx did not start:\n", $self->log_end, "\n";
}


sub spawn {
    my ($self) = @_;

    my $prefix = $self->{prefix};
    my $pid = fork;

    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);

        setsid();
        chdir $prefix;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$prefix/logs/stdout";
        open STDERR, '>>', "$prefix/logs/stdout";

        exec $self->command or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    $self->{session} = $pid;
    $self->{status} = undef;

    $self->find_daemon if $self->{daemon};
}


# it is no child of ours: the one that was has ended

sub find_daemon {
    my ($self) = @_;

    my $pidfile = "$self->{prefix}/logs/nginx.pid";

    waitpid $self->{pid}, 0;

    $self->{status} = $? || undef;
    $self->{pid} = undef;

    return if $?;

    wait_for { ($self->{pid}) = slurp($pidfile) =~ /^(\d+)\n/ };

    $self->{session} = $self->{pid};
}


sub listens {
    my ($self) = @_;

    # written when the configuration stands and the sockets listen

    return 0 if slurp("$self->{prefix}/logs/nginx.pid") !~ /^$self->{pid}$/m;

    return 0 if !$self->{single} && !$self->{wrap}
        && $self->processes('worker') < $self->{workers};

    my %wanted;

    my $config = slurp("$self->{prefix}/nginx.conf");
    $wanted{$_} = 1 for $config =~ /\blisten\s+127\.0\.0\.1:(\d+)/g;

    for my $port (keys %wanted) {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
            or return 0;
    }

    return 1;
}


# has the master ended?

sub left {
    my ($self) = @_;

    return 1 if !$self->{pid};

    if ($self->{daemon}) {
        $self->{pid} = undef if !$self->process($self->{pid});

        return !$self->{pid};
    }

    if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
        $self->{status} = $?;
        $self->{pid} = undef;
    }

    return !$self->{pid};
}


sub signal {
    my ($self, $signal, $pid) = @_;

    kill $signal, $pid // $self->{pid};
}


# SIGHUP; returns when all workers are new ones, false when they never were

sub reload {
    my ($self, %parts) = @_;

    my %old = map { $_->{pid} => 1 } $self->processes('worker');

    $self->write_config(%parts);
    $self->signal('HUP');

    my $count = $self->{workers};

    return wait_for {
        my @workers = $self->processes('worker');

        @workers >= $count && !grep { $old{$_->{pid}} } @workers;
    };
}


# QUIT or TERM; reports as one test that all processes of the instance left,
# and that the log has nothing above [error] which was not allowed

sub stop {
    my ($self, $signal, $seconds) = @_;

    $self->signal($signal // 'QUIT') if $self->{pid};

    wait_for { $self->left && !$self->processes } $seconds;

    my @problems = $self->complaints;

    push @problems, map { "still there: $_->{pid} $_->{title}" }
        $self->processes;

    push @problems, sprintf 'the master left with status 0x%x', $self->{status}
        if $self->{status};

    my $ok = Test::More::is(join("\n", @problems), '', 'nginx left cleanly');

    Test::More::diag($self->log_end) if !$ok;

    $self->finish;

    return $ok;
}


# lines of the log that must not be there

sub complaints {
    my ($self) = @_;

    my @allow = @{$self->{allow}};

    return grep {
        my $line = $_;

        !grep { $line =~ $_ } @allow;

    } grep {
        /\[(?:alert|emerg|crit)\]|open socket .* left|runtime error|Sanitizer/

    } split /\n/, $self->error_log . slurp("$self->{prefix}/logs/stdout");
}


sub error_log {
    my ($self) = @_;

    return slurp("$self->{prefix}/logs/error.log");
}


sub access_log {
    my ($self) = @_;

    return slurp("$self->{prefix}/logs/access.log");
}


# waits until the error log matches; returns what did

sub wait_log {
    my ($self, $pattern, $seconds) = @_;

    return wait_for { $self->error_log =~ /($pattern)/ ? $1 : undef } $seconds;
}


sub log_end {
    my ($self, $count) = @_;

    my @lines = split /\n/, $self->error_log
        . slurp("$self->{prefix}/logs/stdout");

    $count //= 40;
    splice @lines, 0, @lines - $count if @lines > $count;

    return join "\n", @lines;
}


# this instance's processes, zombies left out: { pid, parent, title, kind,
# name }; kind is master, worker, exiting, manager, capture, predictor, single
# or other, name that of a source

sub processes {
    my ($self, $kind, $name) = @_;

    opendir my $proc, '/proc' or return;

    my @found;

    for my $pid (sort { $a <=> $b } grep { /^\d+$/ } readdir $proc) {
        my $process = $self->process($pid) or next;

        next if defined $kind && $process->{kind} ne $kind;
        next if defined $name && ($process->{name} // '') ne $name;

        push @found, $process;
    }

    return @found;
}


sub process {
    my ($self, $pid) = @_;

    my $stat = slurp("/proc/$pid/stat");

    my ($state, $parent, $group, $session)
        = $stat =~ /\) (\S) (\d+) (\d+) (\d+)/ or return;

    return if $state =~ /[ZX]/;
    return if !$self->owns($pid, $session);

    my $title = slurp("/proc/$pid/cmdline");

    $title =~ s/\0+$//;
    $title =~ s/\0/ /g;

    my ($kind, $name) = classify($title);

    ($kind, $name) = classify($title = $self->title($pid))
        if $title =~ m{^\S*\bvalgrind\b};

    $kind = 'single'
        if $kind eq 'other' && $self->{single} && $pid == ($self->{pid} // 0);

    return { pid => $pid, parent => $parent, title => $title, kind => $kind,
             name => $name };
}


# under valgrind a process cannot have a title: that is what the log says, also
# the one that was rotated

sub title {
    my ($self, $pid) = @_;

    return 'nginx: master process'
        if $pid == ($self->{pid} // 0) && !$self->{single};

    my $log = slurp("$self->{prefix}/logs/error.log.1") . $self->error_log;

    return 'nginx: worker process is shutting down'
        if $log =~ / $pid#\d+: gracefully shutting down/;

    return $log =~ / start (worker process|vidcast .+ process.*) $pid$/m
        ? "nginx: $1" : '';
}


sub classify {
    my ($title) = @_;

    return ('exiting') if $title =~ /^nginx: worker .* shutting down/;
    return ('worker') if $title =~ /^nginx: worker process/;
    return ('master') if $title =~ /^nginx: master process/;
    return ('manager') if $title =~ /^nginx: vidcast manager process/;

    return ($1, $2)
        if $title =~ /^nginx: vidcast (capture|predictor) process: (\S+)/;

    return ('other');
}


# what a process has open, and not valgrind for it: (descriptor => path, ...)

sub descriptors {
    my ($self, $pid) = @_;

    opendir my $fds, "/proc/$pid/fd" or return;

    my %files = map { $_ => readlink "/proc/$pid/fd/$_" // '' }
        grep { /^\d+$/ } readdir $fds;

    delete @files{grep { $files{$_} =~ m{/valgrind[._]\w+} } keys %files};

    return %files;
}


# does a process keep what it has freed, to find out what still uses it?

sub sanitized {
    my ($self, $pid) = @_;

    return slurp("/proc/$pid/maps") =~ /libasan|libclang_rt\.asan|vgpreload/;
}


# a session is kept by every fork; the rest is for what made one of its own

sub owns {
    my ($self, $pid, $session) = @_;

    return 0 if $pid == $$;
    return 1 if defined $self->{session} && $session == $self->{session};

    my $prefix = $self->{prefix};

    return 1 if (readlink "/proc/$pid/cwd" // '') eq $prefix;

    opendir my $fds, "/proc/$pid/fd" or return 0;

    for my $fd (readdir $fds) {
        my $path = readlink "/proc/$pid/fd/$fd" // next;

        return 1 if index($path, "$prefix/") == 0;
    }

    return 0;
}


# the end of it: nothing is left behind, nothing is reported

sub finish {
    my ($self) = @_;

    # a respawned process may appear while the others are killed

    wait_for {
        my @left = $self->processes;

        kill 'KILL', map { $_->{pid} } @left if @left;
        $self->left && !@left;
    };

    remove_tree($self->{prefix});
    delete $running{$self->{prefix}};
}


sub slurp {
    my ($path) = @_;

    open my $fh, '<:raw', $path or return '';
    local $/;

    return scalar(<$fh>) // '';
}


END {
    if ($$ == $owner) {
        my $status = $?;

        $_->finish for values %running;
        $? = $status;
    }
}


1;
