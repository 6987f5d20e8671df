# Copyright (C) vidcast contributors

# A module that is loaded and not used changes nothing; one that is used in one
# place changes nothing in the others.
#
# Not in the mode valgrind, where processes have no titles.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;

# what the nginx of this block has started, by title: all that writes to its
# log, as a process of ours is nobody's child

sub titles {
    my @titles;

    for my $process (glob '/proc/[0-9]*') {
        my $log = readlink("$process/fd/2") // next;

        next if $log !~ m{^\Q$Test::Nginx::Util::ServRoot\E/};

        open my $title, '<', "$process/cmdline" or next;
        push @titles, <$title> // '', "\n";
    }

    return join '', @titles;
}


plan tests => repeat_each() * (2 * blocks() + 5);

no_long_string();
run_tests();

__DATA__

=== TEST 1: no source, no process, no status
--- config
    location = /status { vidcast_status; }
--- request
GET /status
--- response_body_like eval
qr/^\{"v":1,"pid":\d+,"generation":0,"manager":\{"pid":0,"restarts":0,"hung":0\},"sources":\[\]\}\r\n$/



=== TEST 2: no process is started
--- config
    location = /here { return 200; }
--- client
    is get('/here')->{status}, 200, 'served';
    unlike main::titles(), qr/vidcast/, 'no process of ours';



=== TEST 3: the directives of viewers do nothing alone
--- http_config
    vidcast_fps 5;
    vidcast_origin none;
--- config
    location = /here {
        vidcast_backlog  8;
        vidcast_ping     1s;
        return           200 "here";
    }
--- more_headers
Origin: http://elsewhere.example
--- request
GET /here
--- response_body: here



=== TEST 4: a source that nobody serves is captured
--- http_config
    vidcast_source front { input test: size=64x48; }
--- client
    ok wait_for { Vidcast::Blocks::live('front') }, 'live';
    like main::titles(), qr/vidcast capture process: front/, 'a process';



=== TEST 5: files beside a source
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; }
--- user_files
>>> page.html
a page
--- request
GET /page.html
--- response_headers
! X-Vidcast-Frame
! X-Vidcast-Age
--- response_body
a page



=== TEST 6: an upgrade elsewhere is none of ours
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; }
    location = /here { return 200 "here"; }
--- client
    my $ws = websocket('/here');

    is $ws->status, 200, 'status';
    is $ws->read_body, 'here', 'served';
