package Vidcast::Hostile;

# Copyright (C) vidcast contributors

# Code that tries what it may not, in places of its own: programs and plugins
# are built into the prefix of an nginx; one of them takes the place of a plugin
# of ours; and a program is run by the user of the workers, in no sandbox.
#
#     build($nginx, 'hostile.so', $code, '-shared', '-fPIC');
#     replace_plugin($nginx, 'hostile.so');    # $nginx has modules => [beside()]
#     my $did = outside($nginx, "$prefix/hostile", 'now');

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(basename);
use File::Copy qw(copy);
use JSON::PP qw(decode_json);
use POSIX ();

use Vidcast::Nginx;

our @EXPORT = qw(beside build replace_plugin outside slurp spill status_of);

my $root = __FILE__ =~ s{/[^/]*$}{}r . '/../../..';


sub build {
    my ($nginx, $name, $code, @flags) = @_;

    my $file = $nginx->prefix . "/$name";

    spill("$file.c", $code);

    system('gcc', '-O1', '-Wall', '-DPREFIX="' . $nginx->prefix . '"',
           "-I$root/src", @flags, '-o', $file, "$file.c") == 0
        or die "gcc failed\n";
    chmod 0755, $file;

    return 1;
}


# plugins for inputs of ours lie beside the module: this one does beside a copy

sub beside {
    return '%%PREFIX%%/' . basename((Vidcast::Nginx->modules)[0]);
}


sub replace_plugin {
    my ($nginx, $name) = @_;

    my $prefix = $nginx->prefix;
    my ($module) = Vidcast::Nginx->modules;

    rename "$prefix/$name", "$prefix/vidcast_av.so" or die "$name: $!\n";
    link "$prefix/vidcast_av.so", "$prefix/$name" or die "$name: $!\n";
    copy($module, $prefix) or die "$module: $!\n";
}


# what a command says, as JSON, when a worker's user runs it

sub outside {
    my ($nginx, @command) = @_;

    my ($worker) = $nginx->processes('worker');
    my (undef, undef, $uid, $gid) = (stat "/proc/$worker->{pid}")[2 .. 5];

    my $pid = open my $out, '-|';
    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        if ($> == 0) {
            $) = "$gid $gid";
            POSIX::setgid($gid);
            POSIX::setuid($uid);
        }

        exec @command or POSIX::_exit(127);
    }

    return decode_json(join '', <$out>);
}


# a field of /proc/PID/status

sub status_of {
    my ($pid, $name) = @_;

    return slurp("/proc/$pid/status") =~ /^$name:\s*(\S+)/m ? $1 : undef;
}


# all of it is there at once

sub spill {
    my ($file, $text) = @_;

    open my $fh, '>', "$file.new" or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<', $file or return '';
    local $/;

    return scalar(<$fh>) // '';
}


1;
