package Bench::Report;

# Copyright (C) vidcast contributors

# Figures of one row from its runs, and the table of it.

use strict;
use warnings;


# runs: { server => [ { metric => value }, ... by round ] }

sub row {
    my ($row, $servers, $runs) = @_;

    my ($ours) = map { $_->name } grep { $_->ours } @$servers;
    my %raw = map { $_->name => 1 } grep { $_->raw } @$servers;
    my %result = (name => $row->{name}, title => $row->{title},
                  goal => $row->{goal}, metrics => $row->{metrics});

    for my $server (@$servers) {
        my $name = $server->name;
        my %line = (name => $name);

        for my $metric (@{$row->{metrics}}) {
            my $key = $metric->{key};

            $line{$key} = spread(map { $_->{$key} } @{$runs->{$name}});

            next if !defined $ours || $name eq $ours || !$metric->{ratio};

            $line{"ratio_$key"} = spread(map {
                my $their = $runs->{$name}[$_]{$key};
                my $our = $runs->{$ours}[$_]{$key};

                $their && defined $our ? $our / $their : undef;
            } 0 .. $#{$runs->{$name}});
        }

        $line{raw} = 1 if $raw{$name};
        push @{$result{lines}}, \%line;
    }

    return \%result;
}


# [median, least, most] of what is known

sub spread {
    my @values = sort { $a <=> $b } grep { defined } @_;

    return undef if !@values;

    my $n = @values;
    my $median = $n % 2 ? $values[$n / 2]
                        : ($values[$n / 2 - 1] + $values[$n / 2]) / 2;

    return [ $median, $values[0], $values[-1] ];
}


sub text {
    my ($result) = @_;

    my @metrics = @{$result->{metrics}};
    my @table = ([ '', map {
        ($_->{title}, $_->{ratio} ? 'ours / theirs' : ())
    } @metrics ]);

    for my $line (@{$result->{lines}}) {
        push @table, [ $line->{name} . ($line->{raw} ? ' *' : ''), map {
            (cell($line->{$_->{key}}, $_->{digits}),
             $_->{ratio} ? cell($line->{"ratio_$_->{key}"}, 2) : ())
        } @metrics ];
    }

    my @width;

    for my $cells (@table) {
        for my $i (0 .. $#$cells) {
            my $length = length $cells->[$i];

            $width[$i] = $length if $length > ($width[$i] // 0);
        }
    }

    my $text = "$result->{name}: $result->{title}\n";

    for my $cells (@table) {
        my $line = join '  ', map {
            sprintf '%-*s', $width[$_], $cells->[$_];
        } 0 .. $#$cells;

        $line =~ s/ +$//;
        $text .= "    $line\n";
    }

    $text .= "    goal: $result->{goal}\n" if $result->{goal};

    return $text;
}


sub cell {
    my ($spread, $digits) = @_;

    return '-' if !$spread;

    return sprintf '%.*f [%.*f..%.*f]', map { ($digits // 2, $_) } @$spread;
}


1;
