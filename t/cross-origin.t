#!/usr/bin/perl

# Copyright (C) vidcast contributors

# A page of any site can have the browser of somebody in the camera's network
# ask for the camera's pictures, with that user's password.  What the browser
# then does with them, and whether it asks at all, is decided by headers: a page
# which may look must get them from each kind of location, also before a
# password is asked for, and one which may not must get nothing, and wake
# nothing.  t/origin.t tells which pages may; t/browser/cross-origin.t asks a
# browser.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use Test::More;

use Vidcast::Client qw(request);
use Vidcast::Life;
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my %kinds = (
    sse      => 'vidcast front as=sse;',
    ndjson   => 'vidcast front as=ndjson;',
    mjpeg    => 'vidcast front as=mjpeg;',
    snapshot => 'vidcast front as=snapshot;',
    ws       => 'vidcast front as=websocket;',
    publish  => 'vidcast_publish door;',
    status   => 'vidcast_status;',
    metrics  => 'vidcast_status prometheus;',
    health   => 'vidcast_health;',
    echo     => 'vidcast_echo;',
);

my %sites = (
    own   => '',
    named => 'vidcast_origin same friend.example https://*.sure.example;',
    any   => 'vidcast_origin any;',
    both  => 'vidcast_origin any friend.example;',
    none  => 'vidcast_origin none;',
    basic => 'vidcast_origin friend.example; auth_basic cameras;'
             . ' auth_basic_user_file %%PREFIX%%/users;',
    asked => 'vidcast_origin friend.example; auth_request /token;',
    never => 'vidcast_origin friend.example; deny all;',
);

my $locations = '';

for my $site (sort keys %sites) {
    $locations .= "    location = /$site/$_ { $sites{$site} $kinds{$_} }\n"
        for sort keys %kinds;
}

my $nginx = Vidcast::Nginx->new(http => <<"CONF");
vidcast_source front { input test: size=64x48; predict delay time=1ms; }
vidcast_source door  { input push:; }
vidcast_source yard  { input test: size=64x48; on_demand 1h; }

server {
    listen  127.0.0.1:%%PORT%%;

$locations

    location = /status { vidcast_status; }
    location = /token  { return 401; }

    location = /yard { vidcast yard as=snapshot;
                       vidcast_origin friend.example; }

    # the request goes from one location to another, with what it was told

    location = /moved { vidcast_publish door; vidcast_origin friend.example;
                        error_page 415 = \@moved; }
    location \@moved   { vidcast front as=snapshot;
                        vidcast_origin any; }

    location = /limited { vidcast_publish door; vidcast_origin friend.example;
                          limit_except POST { deny all; } }

    location = /page  { return 200 "page"; }
    location = /clash { vidcast_health; vidcast_origin any;
                        add_header X-Own yes; }
}
CONF

open my $users, '>', $nginx->prefix . '/users' or die "users: $!\n";
print $users "me:{PLAIN}right\n";
close $users;

$nginx->start;

my $port = $nginx->port;
my $here = "http://127.0.0.1:$port";

ok wait_for(sub { request($port, '/own/health')->{status} == 200 }),
    'all sources are live';

my $friend = 'https://friend.example';

my @cross = ('Sec-Fetch-Site' => 'cross-site');
my @image = (@cross, 'Sec-Fetch-Mode' => 'no-cors',
             'Sec-Fetch-Dest' => 'image');
my @link = (@cross, 'Sec-Fetch-Mode' => 'navigate',
            'Sec-Fetch-Dest' => 'document', 'Sec-Fetch-User' => '?1');


# the head of the response; some have no end

sub head {
    my ($path, $headers, %args) = @_;

    my $client = Vidcast::Client->new(port => $port);

    $client->ask(path => $path, headers => $headers, %args);

    return $client;
}


sub asks {
    my ($kind) = @_;

    return $kind eq 'publish'
        ? (method => 'POST', body => picture(32, 32, 99)) : ();
}


ok Vidcast::Life::live($nginx, 'front'), 'there are pictures';

my %good = (publish => 204, ws => 426, echo => 426,
            map { $_ => 200 } qw(sse ndjson mjpeg snapshot status metrics
                                 health));


# what pages of each kind get from each kind of location

for my $kind (sort keys %kinds) {
    my %args = asks($kind);
    my $client = head("/own/$kind", [], %args);

    is $client->status, $good{$kind}, "$kind, not by a page";
    is $client->header('Cross-Origin-Resource-Policy'), 'same-site',
        'it is for pages of here';
    is $client->header('X-Content-Type-Options'), 'nosniff',
        'and what it says that it is';
    is $client->header('Vary'), 'Origin', 'for caches';
    is $client->header('Access-Control-Allow-Origin'), undef, 'no word of CORS';

    $client = head("/named/$kind", [Origin => $friend], %args);

    is $client->status, $good{$kind}, "$kind, by a page that is named";
    is $client->header('Access-Control-Allow-Origin'), $friend, 'it may read';
    is $client->header('Access-Control-Allow-Credentials'), 'true',
        'with a password';
    like $client->header('Access-Control-Expose-Headers'),
        qr/ETag.*Retry-After.*X-Timestamp.*X-Vidcast-Age.*X-Vidcast-Frame
           .*X-Vidcast-Result/x, 'and these headers';
    is $client->header('Cross-Origin-Resource-Policy'), 'cross-origin',
        'it may show';
    is $client->header('Vary'), 'Origin', 'for caches';

    for my $page ('http://evil.example', 'null', "$friend.evil.example") {
        $client = head("/named/$kind", [Origin => $page], %args);

        is $client->status, 403, "$kind, by $page";
        is $client->header('Access-Control-Allow-Origin'), undef,
            'it may not read';
        is $client->header('Cross-Origin-Resource-Policy'), 'same-site',
            'nor show';
    }

    is head("/none/$kind", [Origin => $here], %args)->status, 403,
        "$kind, by a page of here, where none may";
    is head("/named/$kind", [Origin => $here], %args)->status, $good{$kind},
        "$kind, where it may";
    is head("/named/$kind", [@image], %args)->status, 403,
        "$kind, as a part of a page without a name";

    $client = head("/any/$kind", [Origin => 'http://evil.example'], %args);

    is $client->status, $good{$kind}, "$kind, by any page";
    is $client->header('Access-Control-Allow-Origin'), '*', 'it may read';
    is $client->header('Access-Control-Allow-Credentials'), undef,
        'without a password';
    is $client->header('Cross-Origin-Resource-Policy'), 'cross-origin',
        'it may show';
    is $client->header('Vary'), undef, 'the same for all';
}

is head('/both/health', [Origin => $friend])
   ->header('Access-Control-Allow-Credentials'), 'true',
    'any, and one that is named: with a password';
is head('/both/health', [Origin => 'http://evil.example'])
   ->header('Access-Control-Allow-Origin'), '*', 'any other: without';
is head('/both/health', [])->header('Vary'), 'Origin', 'not the same for all';

ok $nginx->wait_log(qr/origin "null" is not allowed for host "127\.0\.0\.1/),
    'the log says it';


# a handshake is answered as before

my $ws = Vidcast::WebSocket->connect($port, '/named/ws', origin => $friend);

is $ws->status, 101, 'a WebSocket';
is $ws->header('Access-Control-Allow-Origin'), undef, 'needs no word of CORS';
is $ws->header('Vary'), undef, 'nor any other';


# a browser asks before it asks, without a password

my @ask = ('Access-Control-Request-Method' => 'PUT',
           'Access-Control-Request-Headers' => 'content-type,x-api-key');

for my $site (qw(named basic asked never)) {
    for my $kind (sort keys %kinds) {
        my $client = head("/$site/$kind", [Origin => $friend, @ask],
                          method => 'OPTIONS');

        is $client->status, 204, "$kind, $site: a preflight";
        is $client->header('Access-Control-Allow-Origin'), $friend,
            'it is let in';
        is $client->header('Access-Control-Allow-Credentials'), 'true',
            'with a password';
        is $client->header('Access-Control-Allow-Methods'),
            $kind eq 'publish' ? 'POST, PUT' : 'GET, HEAD', 'methods';
        is $client->header('Access-Control-Allow-Headers'),
            'content-type,x-api-key', 'headers';
        like $client->header('Access-Control-Max-Age'), qr/^\d+$/,
            'for a while';
        is head("/$site/$kind", [Origin => 'http://evil.example', @ask],
                method => 'OPTIONS')->status, 403, 'of another page: refused';
    }
}

is head('/limited', [Origin => $friend, @ask], method => 'OPTIONS')->status,
    204, 'a preflight where only POST is let in';
is head('/limited', [Origin => $friend], method => 'PUT')->status, 403,
    'which holds for others';
is head('/any/health', [Origin => 'null', @ask], method => 'OPTIONS')
   ->header('Access-Control-Allow-Origin'), '*', 'of any';
is head('/named/publish', [Origin => $friend], method => 'OPTIONS')->status,
    405, 'OPTIONS that asks for no method is none';
is head('/named/publish', [@ask], method => 'OPTIONS')->status, 405,
    'nor is it without an origin';
is head('/page', [Origin => $friend, @ask], method => 'OPTIONS')->status, 200,
    'what is not vidcast is left alone';
is head('/page', [Origin => 'http://evil.example'])->header('Vary'), undef,
    'in all';

my $line = head('/named/publish', [Origin => $friend, @ask],
                method => 'OPTIONS', body => 'x' x 1000);

is $line->status, 204, 'a preflight with a body';
is $line->ask(path => '/named/health'), 200, 'and what comes behind it';


# and then comes with it; what is refused can be read, too

for my $site (qw(basic asked never)) {
    my $client = head("/$site/health", [Origin => $friend]);

    is $client->status, $site eq 'never' ? 403 : 401, "$site: no password";
    is $client->header('Access-Control-Allow-Origin'), $friend,
        'the page sees why';
}

is head('/basic/health', [Origin => $friend, Authorization => 'Basic '
                          . encode_base64('me:right', '')])->status, 200,
    'a password';


# what a page has in itself, without an Origin

for my $case (
    [403, 'same-site', '/named/snapshot', 'a page without a name', @image],
    [403, 'same-site', '/own/snapshot', 'where none may', @image],
    [403, 'same-site', '/named/mjpeg', 'a stream', @image],
    [403, 'same-site', '/named/sse', 'a script', @cross,
     'Sec-Fetch-Mode' => 'no-cors', 'Sec-Fetch-Dest' => 'script'],
    [403, 'same-site', '/named/snapshot', 'a frame', @cross,
     'Sec-Fetch-Mode' => 'navigate', 'Sec-Fetch-Dest' => 'iframe'],
    [403, 'same-site', '/named/snapshot', 'ahead of a link', @link,
     'Sec-Purpose' => 'prefetch'],
    [403, 'same-site', '/named/snapshot', 'by rules of a page',
     'Sec-Fetch-Site' => 'none', 'Sec-Fetch-Mode' => 'navigate',
     'Sec-Fetch-Dest' => 'document', 'Sec-Purpose' => 'prefetch;prerender',
     Referer => 'https://evil.example/'],
    [200, 'cross-origin', '/named/snapshot', 'by rules of one that is named',
     'Sec-Fetch-Site' => 'none', 'Sec-Fetch-Mode' => 'navigate',
     'Sec-Fetch-Dest' => 'document', 'Sec-Purpose' => 'prefetch',
     Referer => "$friend/"],
    [403, 'same-site', '/named/snapshot', 'nobody knows what', @cross],
    [403, 'same-site', '/named/snapshot', 'another one', @image,
     Referer => 'https://evil.example/'],
    [403, 'same-site', '/named/snapshot', 'with a name in its path', @image,
     Referer => "https://evil.example/$friend/"],
    [403, 'same-site', '/named/snapshot', 'with a name before it', @image,
     Referer => "$friend\@evil.example/"],
    [403, 'same-site', '/named/snapshot', 'by a scheme that is not named',
     @image, Referer => 'http://a.sure.example/'],
    [200, 'cross-origin', '/named/snapshot', 'one that is named', @image,
     Referer => "$friend/"],
    [200, 'cross-origin', '/named/snapshot', 'with its path', @image,
     Referer => "$friend/cameras?a=b"],
    [200, 'cross-origin', '/named/snapshot', 'by its scheme', @image,
     Referer => 'https://a.sure.example/'],
    [200, 'same-site', '/named/snapshot', 'of here, by way of another',
     @image, Referer => "$here/"],
    [200, 'cross-origin', '/any/snapshot', 'where any may', @image],
    [200, 'same-site', '/named/snapshot', 'a link', @link],
    [200, 'same-site', '/own/snapshot', 'a link where none may', @link,
     Referer => 'https://evil.example/'],
    [200, 'same-site', '/none/snapshot', 'a link to none', @link],
    [200, 'same-site', '/named/snapshot', 'of the same site',
     'Sec-Fetch-Site' => 'same-site', 'Sec-Fetch-Mode' => 'no-cors'],
    [200, 'same-site', '/named/snapshot', 'of the user',
     'Sec-Fetch-Site' => 'none', 'Sec-Fetch-Mode' => 'navigate'],
    [200, 'same-site', '/named/snapshot', 'an older browser',
     Referer => 'https://evil.example/'],
    [200, 'cross-origin', '/named/snapshot', 'an older browser, a named one',
     Referer => "$friend/"])
{
    my ($status, $policy, $path, $name, @headers) = @$case;
    my $client = head($path, \@headers);

    is $client->status, $status, "$status: $name";
    is $client->header('Cross-Origin-Resource-Policy'), $policy, $policy;
}

# the log has the first ones of a worker

$nginx->reload;

is head('/named/snapshot', [@image, Referer => 'https://evil.example/'])
   ->status, 403, 'once more';
ok $nginx->wait_log(qr/a\ page\ of\ another\ site,\ "https:\/\/evil.example\/",
                       \ is\ not\ allowed\ for\ host\ "127.0.0.1:\d+",
                       \ see\ "vidcast_origin"/x), 'the log says it';


# it wakes nothing

is source($nginx, 'yard')->{state}, 'sleeping', 'a camera sleeps';

is head('/yard', [@image, Referer => 'https://evil.example/'])->status, 403,
    'a picture in another page';
is head('/yard', [Origin => 'https://evil.example'])->status, 403,
    'a script of it';
is head('/yard', [Origin => $friend, @ask], method => 'OPTIONS')->status, 204,
    'one that asks before it asks';

my $frame = source($nginx, 'front')->{frame};

ok wait_for { source($nginx, 'front')->{frame} > $frame + 20 },
    'as long as it would take to wake';
is source($nginx, 'yard')->{opened}, 0, 'have not woken it';

is head('/yard', [@image, Referer => "$friend/"])->status, 200,
    'a picture in a page that is named';
is source($nginx, 'yard')->{opened}, 1, 'has';


# a picture that has not changed

my $etag = head('/yard', [])->header('ETag');

ok wait_for {
    $etag = head('/yard', [])->header('ETag');
    my $client = head('/yard', [Origin => $friend, 'If-None-Match' => $etag]);

    return $client->status == 304
           && $client->header('Access-Control-Allow-Origin') eq $friend
           && $client->header('Cross-Origin-Resource-Policy')
              eq 'cross-origin';
}, 'a picture that has not changed may still be shown';


# once each, also where another location has been before

my $moved = head('/moved', [Origin => $friend, 'Content-Type' => 'image/png'],
                 method => 'POST', body => 'x');

is $moved->header('Access-Control-Allow-Origin'), '*', 'the last one says it';
is $moved->header('Cross-Origin-Resource-Policy'), 'cross-origin', 'once';
is $moved->header('X-Content-Type-Options'), 'nosniff', 'all of it';

is head('/clash', [])->header('X-Own'), 'yes', 'beside what nginx adds';

$nginx->stop;

done_testing;
