package Gate;

# Copyright (C) vidcast contributors

# What the gates, t/util/gate-*, have in common.  A gate is a script that
# prints TAP: each rule is one test over all files, and has one test more, its
# negative control: a seeded fault which the rule must find, and its mended
# form in which it must find nothing.  A rule that finds nothing in anything
# proves nothing.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Find qw(find);

our @EXPORT = qw(files slurp blank code symbols verdict control done);

my $count = 0;
my $failed = 0;

chdir abs_path(dirname(__FILE__) . '/../..') or die "gate: $!\n";


# files(PATTERN, PLACE...) - the project's own, in the order of their names

sub files {
    my ($pattern, @places) = @_;

    my @files;

    find({ no_chdir => 1,
           preprocess => sub { grep { !/^(build|servroot.*|\.git)$/ } @_ },
           wanted => sub {
               push @files, $_ =~ s{^\./}{}r if -f && /$pattern/;
           } }, grep { -e } @places);

    return sort @files;
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<', $file or die "gate: $file: $!\n";
    local $/;

    return <$fh> // '';
}


sub blank {
    my ($text) = @_;

    $text =~ s/[^\n]/ /g;

    return $text;
}


# C without its comments and without what is in its quotes, each byte in its
# place; code($text, 1) keeps the quotes' contents

sub code {
    my ($text, $quoted) = @_;

    $text =~ s{
        ( /\*.*?\*/ ) | " ( (?: [^"\\\n] | \\. )* ) " | '( (?: [^'\\\n] | \\. )+ )'
    }{
        defined $1 ? blank($1)
        : $quoted ? $&
        : substr($&, 0, 1) . 'x' x (length($&) - 2) . substr($&, -1)
    }gsex;

    return $text;
}


# an object, what it defines and what it uses of others

sub symbols {
    my ($object) = @_;

    my (%defined, %used);

    open my $nm, '-|', 'nm', $object or die "gate: nm: $!\n";

    while (<$nm>) {
        my ($type, $name) = /^[\da-f ]{16} (\w) (\S+)$/ or next;

        $type eq 'U' ? $used{$name} = 1 : $type =~ /[TDBRC]/
            ? $defined{$name} = $type : 0;
    }

    close $nm or die "gate: nm $object failed\n";

    return [ $object, \%defined, \%used ];
}


# what a rule found: one test

sub verdict {
    my ($name, @found) = @_;

    $count++;

    if (@found) {
        $failed++;
        print "not ok $count - $name\n";
        print "# $_\n" for @found[0 .. ($#found < 19 ? $#found : 19)];
        print "# and " . (@found - 20) . " more\n" if @found > 20;
        return;
    }

    print "ok $count - $name\n";
}


# the seeded fault must be found, its mended form must not

sub control {
    my ($name, $fault, $mended) = @_;

    my @wrong;

    push @wrong, 'the seeded fault was not found' unless @$fault;
    push @wrong, "found in what is right: $_" for @$mended;

    verdict("control: $name", @wrong);
}


sub done {
    print "1..$count\n";
    exit($failed ? 1 : 0);
}


1;
