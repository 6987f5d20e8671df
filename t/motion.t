# Copyright (C) vidcast contributors

# What moves, by the name that it keeps and the zone that it is in, as it
# comes to viewers; and that with emit=change nothing comes but changes.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

plan tests => repeat_each() * 2 * blocks();

no_long_string();
run_tests();

__DATA__

=== TEST 1: tracks and zones in results
--- http_config
    vidcast_source front {
        input    test: size=320x240 shapes=3;
        predict  motion zone=all:0,0,1,0,1,1,0,1 zone=left:0,0,0.5,0,0.5,1,0,1
                        zone=none:0,0,0.01,0,0,0.01;
    }
--- config
    location = /sse { vidcast front as=sse; }
--- live
front
--- client
    my $sse = stream('/sse');
    my (%seen, %zones, $wrong);

    ok wait_for {
        my $result = result($sse) or return 0;

        for my $box (@{$result->{result}{detections}}) {
            my $middle = $box->{bbox}[0] + $box->{bbox}[2] / 2;
            my $zones = join ' ', @{$box->{zones}};

            $seen{$box->{track_id}}++;
            $zones{$zones}++;

            # it takes three pictures to cross the border

            $wrong++ if $zones ne 'all left' && $middle < 140;
            $wrong++ if $zones ne 'all' && $middle > 180;
        }

        return $zones{'all left'} && $zones{all}
               && 3 == grep { $_ >= 20 } values %seen;
    }, 'three things, each by one name, on both sides';

    is $wrong, undef, 'each where it is';



=== TEST 2: only what changes
--- http_config
    vidcast_source front {
        input    test: size=320x240 shapes=3;
        predict  motion emit=change zone=left:0,0,0.5,0,0.5,1,0,1;
    }
--- config
    location = /sse { vidcast front as=sse; }
--- live
front
--- client
    my $sse = stream('/sse');
    my ($last, $same, %seen) = ('not yet', 0);

    ok wait_for {
        my $result = result($sse) or return 0;

        my $now = join ' ', sort map { "$_->{track_id}:@{$_->{zones}}" }
                  @{$result->{result}{detections}};

        $same++ if $now eq $last;
        $seen{$now}++;
        $last = $now;

        return $now =~ /left/ && keys %seen > 3;
    }, 'changes are told';

    is $same, 0, 'and nothing else';

    is source('front')->{dropped}{predictor_error}, 0, 'none of which failed';



=== TEST 3: zones in the status
--- http_config
    vidcast_source front {
        input    test: size=64x48;
        predict  motion zone=door:0.1,0.2,0.9,0.25,0.5,1
                        zone=all:0,0,1,0,1,1,0,1;
    }
    vidcast_source back { input test: size=64x48; predict motion; }
    vidcast_source none { input test: size=64x48; }
--- live
front
back
none
--- client
    is_deeply source('front')->{zones},
        [ { name => 'door', points => [ [0.1, 0.2], [0.9, 0.25], [0.5, 1] ] },
          { name => 'all', points => [ [0, 0], [1, 0], [1, 1], [0, 1] ] } ],
        'of motion';
    ok !exists source('back')->{zones}, 'no zones';
    ok !exists source('none')->{zones}, 'no predictor';



=== TEST 4: the same text is no change
--- http_config
    vidcast_source front {
        input    test: size=64x48 fps=50;
        predict  delay time=0 text=always emit=change;
    }
--- config
    location = /sse { vidcast front as=sse; }
--- live
front
--- client
    my $result = result(stream('/sse'));

    is $result->{result}, 'always', 'what it says';

    my $before = source('front');
    my $after;

    ok wait_for {
        $after = source('front');
        $after->{predicted} > $before->{predicted} + 10;
    }, 'it goes on';

    is $after->{result}, $result->{seq}, 'and says it once';
