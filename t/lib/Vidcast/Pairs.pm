package Vidcast::Pairs;

# Copyright (C) vidcast contributors

# Sets of features which cover all pairs that can be, always the same ones: a
# pairwise covering array, made greedily.  Each set is of one source; of what
# holds for the whole of nginx it has that of the instance it is put into.  What
# leaves little to be seen of others ("thin") counts for its own pairs only.
#
#     my $pairs = Vidcast::Pairs->new(@rows);
#     my @cases = $pairs->cover(\@instances);    # { instance, names }
#     my $names = $pairs->complete('exec', 'overlay=on');

use strict;
use warnings;

use List::Util qw(any first);

use Vidcast::Features;


sub new {
    my ($class, @rows) = @_;

    my $self = bless { rows => \@rows, index => {}, fit => [] }, $class;

    for my $i (0 .. $#rows) {
        $self->{index}{$rows[$i]{name}} = $i;
        $self->{fit}[$i] = '';

        for my $j (0 .. $#rows) {
            vec($self->{fit}[$i], $j, 1)
                = $i == $j ? !defined available($rows[$i])->[0]
                : defined impossible($rows[$i], $rows[$j]) ? 0 : 1;
        }
    }

    return $self;
}


# [ name, name, reason ] of all, the reason undef where they can meet

sub all {
    my ($self) = @_;

    my @rows = @{$self->{rows}};
    my @pairs;

    for my $i (0 .. $#rows) {
        push @pairs, map {
            [ $rows[$i]{name}, $rows[$_]{name},
              impossible($rows[$i], $rows[$_]) ]
        } $i + 1 .. $#rows;
    }

    return @pairs;
}


sub fits {
    my ($self, $i, @set) = @_;

    return vec($self->{fit}[$i], $i, 1)
           && !grep { !vec $self->{fit}[$i], $_, 1 } @set;
}


# the set with all that it needs, or undef

sub completed {
    my ($self, @set) = @_;

    my @rows = @{$self->{rows}};

    for my $i (@set) {
        my @with = map { $self->{index}{$_} } @{$rows[$i]{with} // []} or next;

        next if any { my $w = $_; any { $_ == $w } @set } @with;

        for my $w (grep { $self->fits($_, @set) } @with) {
            my $more = $self->completed(@set, $w);

            return $more if $more;
        }

        return undef;
    }

    for my $kind (qw(input predictor)) {
        next if any { $rows[$_]{kind} eq $kind } @set;

        for my $w (grep { $rows[$_]{kind} eq $kind && $self->fits($_, @set) }
                   0 .. $#rows)
        {
            my $more = $self->completed(@set, $w);

            return $more if $more;
        }

        return undef;
    }

    return \@set;
}


sub thin {
    my ($self, @set) = @_;

    return grep { $self->{rows}[$_]{thin} } @set;
}


# the pairs which such a set shows, in the order in which they come

sub met {
    my ($self, @set) = @_;

    my @thin = $self->thin(@set);
    my @met;

    for my $n (1 .. $#set) {
        for my $m (0 .. $n - 1) {
            my @pair = @set[$m, $n];

            push @met, [@pair] if @thin == $self->thin(@pair);
        }
    }

    return @met;
}


# the same by name, "A x B" in the table's order

sub met_names {
    my ($self, @names) = @_;

    my @set = sort { $a <=> $b } map { $self->{index}{$_} } @names;

    return map { join ' x ', map { $self->{rows}[$_]{name} } @$_ }
           $self->met(@set);
}


sub complete {
    my ($self, @names) = @_;

    my @set = map { $self->{index}{$_} // die "what is $_?\n" } @names;

    my $set = !(grep { !$self->fits($_, @set) } @set)
              && $self->completed(@set)
        or die "no source has ", join(' and ', @names),
               ": the table must say why\n";

    return [ $self->names(@$set) ];
}


sub names {
    my ($self, @set) = @_;

    return map { $self->{rows}[$_]{name} } sort { $a <=> $b } @set;
}


# instances: lists of the names that hold for each

sub cover {
    my ($self, $instances) = @_;

    my @rows = @{$self->{rows}};
    my @own = sort { !$rows[$a]{thin} <=> !$rows[$b]{thin} || $a <=> $b }
        grep { $rows[$_]{kind} !~ /^(?:nginx|event)$/ } 0 .. $#rows;
    my @place = map { [ map { $self->{index}{$_} } @$_ ] } @$instances;
    my (%open, @cases);

    for my $pair ($self->all) {
        my ($one, $other, $reason) = @$pair;
        my ($i, $j) = map { $self->{index}{$_} } $one, $other;

        next if defined $reason;

        $open{$i}{$j} = $open{$j}{$i} = 1;
    }

    for (my $turn = 0; any { %$_ } values %open; $turn++) {
        my $at = $turn % @place;
        my @set = @{$place[$at]};

        die 'no end of cases: ', join(', ', map {
            my $i = $_;
            map { "$rows[$i]{name} x $rows[$_]{name}" } keys %{$open{$i}}
        } keys %open), "\n" if $turn > 400;

        for (;;) {
            my ($best, $gain) = (undef, 0);

            for my $i (grep { $self->fits($_, @set) } @own) {
                my %set = map { $_ => 1 } @set;

                next if $set{$i};

                next if $rows[$i]{thin} && @set > @{$place[$at]}
                        && !$self->thin(@set);

                # the first one is that which has most left to meet

                my $new = grep { $open{$_->[0]}{$_->[1]} && $_->[1] == $i }
                    $self->met(@set, $i);

                $new = 1000 * $new + keys %{$open{$i} // {}}
                    if $new || @set == @{$place[$at]};

                $new /= 1000 if $rows[$i]{thin} && @set > @{$place[$at]};

                next if $new <= $gain || !$self->completed(@set, $i);

                ($best, $gain) = ($i, $new);
            }

            last if !defined $best;

            push @set, $best;
        }

        next if @set == @{$place[$at]};

        @set = @{$self->completed(@set)};

        my $news = 0;

        for my $pair ($self->met(@set)) {
            my ($i, $j) = @$pair;

            $news += defined delete $open{$i}{$j};
            delete $open{$j}{$i};
        }

        push @cases, { instance => $at, names => [ $self->names(@set) ] }
            if $news;
    }

    return @cases;
}


1;
