# Copyright (C) vidcast contributors

# A page of another site can open a WebSocket to any server, with the user's
# cookies; only the Origin header tells.  What may is decided here, and whatever
# is refused must find both values and the directive in the log.

use strict;
use warnings;

use Test::Nginx::Socket;
use Vidcast::Blocks;


# Host, Origin ("-": none) and the status in answer to them, line by line;
# PORT is ours

sub check {
    my ($path, $lines) = @_;

    for my $line (split /\n/, $lines) {
        my ($host, $origin, $status) = split ' ', $line;

        s/PORT/Vidcast::Blocks::port()/e for $host, $origin;

        my $ws = websocket($path, headers => [Host => $host],
                           $origin eq '-' ? () : (origin => $origin));

        Test::More::is($ws->status, $status, $line);
    }
}


plan tests => repeat_each() * 2 * blocks();

no_long_string();
run_tests();

__DATA__

=== TEST 1: the same host and port, by default
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; }
--- client
    main::check('/ws', <<'LINES');
127.0.0.1:PORT  http://127.0.0.1:PORT   101
127.0.0.1:PORT  https://127.0.0.1:PORT  101
camera:PORT     http://camera:PORT      101
Camera:PORT     http://camera:PORT      101
camera:PORT     HTTP://CAMERA:PORT      101
127.0.0.1:PORT  -                       101
LINES



=== TEST 2: the ports of http and https are as good as none
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; }
--- client
    main::check('/ws', <<'LINES');
camera      http://camera        101
camera      https://camera       101
camera:80   http://camera        101
camera      http://camera:80     101
camera:443  https://camera       101
camera      https://camera:443   101
LINES



=== TEST 3: another port
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; }
--- client
    main::check('/ws', <<'LINES');
camera:PORT  http://camera        403
camera:PORT  http://camera:1      403
camera       http://camera:8080   403
LINES
--- error_log
origin "http://camera:1" is not allowed for host "camera:



=== TEST 4: another host
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; }
--- client
    main::check('/ws', <<'LINES');
camera:PORT  http://elsewhere:PORT        403
camera       http://elsewhere             403
camera       http://camera.elsewhere      403
camera       http://elsewhere.camera      403
camera       http://camer                 403
camera       http://cameras               403
LINES
--- error_log
origin "http://elsewhere" is not allowed for host "camera", see "vidcast_origin"



=== TEST 5: what is no origin at all
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; }
--- client
    main::check('/ws', <<'LINES');
camera  null                   403
camera  camera                 403
camera  //camera               403
camera  http:/camera           403
camera  http://                403
camera  http                   403
camera  :                      403
camera  file://                403
camera  http://camera/         403
camera  http://user@camera     403
camera  http://camera:80@else  403
camera  http://camera,http://else  403
LINES
--- error_log
origin "null" is not allowed for host "camera"



=== TEST 6: addresses of IPv6
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; }
--- client
    main::check('/ws', <<'LINES');
[::1]:PORT  http://[::1]:PORT  101
[::1]       http://[::1]       101
[::1]:80    http://[::1]       101
[::1]       http://[::2]       403
[::1]:PORT  http://[::1]       403
LINES
--- error_log
is not allowed for host "[::1]"



=== TEST 7: any
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; vidcast_origin any; }
--- client
    main::check('/ws', <<'LINES');
camera  http://elsewhere  101
camera  null              101
camera  -                 101
LINES



=== TEST 8: none
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; vidcast_origin none; }
--- client
    main::check('/ws', <<'LINES');
camera  http://camera     403
camera  http://elsewhere  403
camera  -                 101
LINES
--- error_log
origin "http://camera" is not allowed for host "camera"



=== TEST 9: hosts, of any port where none is given
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; vidcast_origin example.com; }
--- client
    main::check('/ws', <<'LINES');
camera  http://example.com        101
camera  https://example.com       101
camera  https://Example.COM:8443  101
camera  http://www.example.com    403
camera  http://example.com.evil   403
camera  http://camera             403
camera  -                         101
LINES
--- error_log
origin "http://www.example.com" is not allowed



=== TEST 10: a host and its port
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; vidcast_origin example.com:8443; }
--- client
    main::check('/ws', <<'LINES');
camera  https://example.com:8443  101
camera  https://example.com       403
camera  https://example.com:8444  403
LINES
--- error_log
origin "https://example.com:8444" is not allowed



=== TEST 11: all hosts of a domain, but not its own name
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; vidcast_origin *.example.com; }
--- client
    main::check('/ws', <<'LINES');
camera  http://a.example.com     101
camera  http://a.b.Example.com   101
camera  http://example.com       403
camera  http://badexample.com    403
camera  http://.example.com      403
camera  http://a.example.com.bad 403
LINES
--- error_log
origin "http://badexample.com" is not allowed



=== TEST 12: several, and the same
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; vidcast_origin same example.com *.example.org; }
--- client
    main::check('/ws', <<'LINES');
camera  http://camera         101
camera  http://example.com    101
camera  http://a.example.org  101
camera  http://elsewhere      403
LINES
--- error_log
origin "http://elsewhere" is not allowed



=== TEST 13: inherited from http
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_origin any;
--- config
    location = /ws { vidcast; }
--- client
    main::check('/ws', <<'LINES');
camera  http://elsewhere  101
LINES



=== TEST 14: inherited from the server
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_origin any;
--- config
    vidcast_origin example.com;
    location = /ws { vidcast; }
--- client
    main::check('/ws', <<'LINES');
camera  http://example.com  101
camera  http://camera       403
LINES
--- error_log
is not allowed



=== TEST 15: set back in the location
--- http_config
    vidcast_source front { input test: size=64x48; }
    vidcast_origin example.com;
--- config
    vidcast_origin any;
    location = /ws { vidcast; vidcast_origin same; }
--- client
    main::check('/ws', <<'LINES');
camera  http://camera       101
camera  http://example.com  403
LINES
--- error_log
is not allowed



=== TEST 16: what only looks like an origin of a host that may
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; vidcast_origin same *.example.com camera; }
--- client
    main::check('/ws', <<'LINES');
camera  http://a.example.com              101
camera  http://a.example.com:8080         101
camera  http://a.example.com.             403
camera  http://evil.com/x.example.com     403
camera  http://evil.com?x.example.com     403
camera  http://evil.com#x.example.com     403
camera  http://evil.com\x.example.com     403
camera  http://evil.com%2Fx.example.com   403
camera  http://evil.com:80.example.com    403
camera  http://evil.com@x.example.com     403
camera  http://user:word@a.example.com    403
camera  http://evil.com:1@a.example.com   403
camera  http://evil.com,http://a.example.com  403
camera  http://a..example.com             403
camera  http://.a.example.com             403
camera  http://a.example.com/             403
camera  http://a.example.com:             403
camera  http://a.example.com:0            403
camera  http://a.example.com:080          403
camera  http://a.example.com:+80          403
camera  http://a.example.com:65535        101
camera  http://a.example.com:65536        403
camera  http://a.example.com:4294967376   403
camera  http://a.example.com:8x           403
camera  http://*.example.com              403
camera  http://aÃ¤.example.com      403
camera  http://[a.example.com]            403
camera  http://:80                        403
camera  http:///a.example.com             403
camera  http:a.example.com                403
camera  http//a.example.com               403
camera  //a.example.com                   403
camera  a.example.com                     403
camera  http://http://a.example.com       403
camera  javascript://a.example.com        403
camera  javascript://camera               403
camera  file://a.example.com              403
camera  ws://a.example.com                403
camera  ftp://camera                      403
camera  1http://a.example.com             403
camera  ://a.example.com                  403
LINES
--- error_log
origin "http://evil.com/x.example.com" is not allowed



=== TEST 17: several Origin headers, and spaces
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws  { vidcast; vidcast_origin same example.com; }
    location = /any { vidcast; vidcast_origin any; }
--- client
    for my $case ([403, '/ws', 'http://example.com', 'http://example.com'],
                  [403, '/ws', 'http://example.com', 'http://evil'],
                  [403, '/ws', 'http://evil', 'http://example.com'],
                  [403, '/ws', 'http://example.com', ''],
                  [403, '/ws', 'http://exam ple.com'],
                  [403, '/ws', 'http://example.com http://example.com'],
                  [403, '/ws', "http://example.com\t"],
                  [101, '/ws', 'http://example.com'],
                  [101, '/any', 'http://one', 'http://other'])
    {
        my ($status, $path, @origins) = @$case;
        my $ws = websocket($path, headers => [ map { (Origin => $_) }
                                                   @origins ]);

        is $ws->status, $status, join ' and ', @origins;
    }
--- error_log
is not allowed



=== TEST 18: a host with its scheme is of the scheme's port
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws {
        vidcast;
        vidcast_origin  https://example.com HTTP://other.org:8080
                        https://*.example.net http://[::1];
    }
--- client
    main::check('/ws', <<'LINES');
camera  https://example.com         101
camera  https://example.com:443     101
camera  http://example.com          403
camera  https://example.com:8443    403
camera  http://example.com:443      403
camera  http://other.org:8080       101
camera  https://other.org:8080      403
camera  http://other.org            403
camera  https://a.example.net       101
camera  http://a.example.net        403
camera  https://example.net         403
camera  http://[::1]                101
camera  http://[::1]:80             101
camera  https://[::1]               403
LINES
--- error_log
origin "http://example.com" is not allowed



=== TEST 19: a port that is named is this one, also if it is that of a scheme
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws { vidcast; vidcast_origin example.com:443 example.org:80; }
--- client
    main::check('/ws', <<'LINES');
camera  https://example.com       101
camera  http://example.com:443    101
camera  http://example.com        403
camera  https://example.com:8443  403
camera  http://example.org        101
camera  https://example.org       403
LINES
--- error_log
is not allowed



=== TEST 20: apps have schemes of their own, which have to be named
--- http_config
    vidcast_source front { input test: size=64x48; }
--- config
    location = /ws {
        vidcast;
        vidcast_origin  same localhost capacitor://localhost
                        chrome-extension://abcdefghijklmnop;
    }
--- client
    main::check('/ws', <<'LINES');
localhost  capacitor://localhost                101
localhost  ionic://localhost                    403
localhost  capacitor://localhost:80             403
localhost  http://localhost                     101
localhost  chrome-extension://abcdefghijklmnop  101
localhost  https://abcdefghijklmnop             403
localhost  file://                              403
localhost  null                                 403
LINES
--- error_log
origin "ionic://localhost" is not allowed
