package Vidcast::Blocks;

# Copyright (C) vidcast contributors

# Test::Nginx with what it lacks: sources need a moment until they are live,
# and streams have no end, which its client would wait for.  To be used after
# it:
#
#     use Test::Nginx::Socket;
#     use Vidcast::Blocks;
#
# A block may have, beside the sections of Test::Nginx:
#
#     --- pictures               JPEGs made before nginx starts, in html/
#     cam/1.jpg 64x48 200        name, size, shade of gray
#
#     --- live                   sources that must be live before the request,
#     front                      their first picture encoded, too, or be in
#     back reconnecting          another state
#
#     --- client                 instead of a request: Perl, one subtest, with
#     my $s = stream('/sse');    the functions below
#     ok $s->event, 'an event';
#
# The last two add "location = /test-status" to "config".  A block that does
# not look at the error log asserts that it has no "[error]".  An SSE stream
# begins with its retry time, which event() would return: see result().

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use POSIX qw(uname);
use Test::More ();
use Test::Nginx::Util qw(add_block_preprocessor log_level);

use Vidcast::Client;
use Vidcast::JPEG;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

our @EXPORT = qw(get request stream websocket result source);

# nginx's own debug log is no use here, and slow

log_level('info') if !$ENV{TEST_NGINX_LOG_LEVEL};

# Test::Nginx waits until no process has the number of the old nginx.  A dead
# daemon has it until its reaper comes, which may take init a while: prctl(),
# PR_SET_CHILD_SUBREAPER makes that us

syscall 157, 36, 1, 0, 0, 0 if (uname)[4] eq 'x86_64';

my $helper = $Test::Nginx::Util::RunTestHelper;

$Test::Nginx::Util::RunTestHelper = \&run;

add_block_preprocessor(sub { prepare($_[0]) });


sub port { $Test::Nginx::Util::ServerPortForClient }


# of the client's code; a path, and what t/lib's classes take

sub get       { Vidcast::Client::get(port(), @_) }
sub request   { Vidcast::Client::request(port(), @_) }
sub stream    { Vidcast::Stream->open(port(), @_) }
sub websocket { Vidcast::WebSocket->connect(port(), @_) }


# the next event of SSE which is one, its data decoded

sub result {
    my ($sse, $seconds) = @_;

    while (my $event = $sse->event($seconds)) {
        return decode_json($event->{data}) if defined $event->{data};
    }

    return undef;
}


# what the status says of a source, undef: it does not know it

sub source {
    my ($name) = @_;

    my $body = get('/test-status')->{body} or return undef;
    my ($source) = grep { $_->{name} eq $name }
                   @{decode_json($body)->{sources}};

    return $source;
}


sub prepare {
    my ($block) = @_;

    if (defined $block->live || defined $block->client) {
        $block->set_value('config',
            "    location = /test-status { vidcast_status; }\n"
            . ($block->config // ''));
    }

    if (defined $block->pictures) {
        $block->set_value('user_files', [ map {
            my ($name, $width, $height, $shade) = /^(\S+) (\d+)x(\d+) (\d+)$/
                or die $block->name . ": \"$_\" is not a picture\n";

            [ $name, picture($width, $height, $shade) ]
        } split /\n/, $block->pictures ]);
    }

    # Test::Nginx itself cannot do without

    $block->set_value('request', 'GET /test-status')
        if defined $block->client;

    $block->set_value('no_error_log', '[error]')
        if !defined $block->must_die && !defined $block->error_log
           && !defined $block->no_error_log;
}


sub run {
    my ($block, $dry_run, $repeated) = @_;

    wait_for {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => port());
    } or return Test::More::fail($block->name . ' - nginx does not listen');

    for my $line (split /\n/, $block->live // '') {
        wait_for { live(split ' ', $line) }
            or return Test::More::fail($block->name . " - $line: it is not");
    }

    return $helper->(@_) if !defined $block->client;

    client($block);

    $Test::Nginx::Util::CheckErrorLog->($block, undef, $dry_run, $repeated, 0);
}


# is the source in this state?  Live is one with a picture to be had

sub live {
    my ($name, $state) = @_;

    my $source = source($name) or return 0;

    return $state ? $source->{state} eq $state
                  : $source->{state} eq 'live' && $source->{frame};
}


# one subtest; the code has lines of its own, a name to be found by

sub client {
    my ($block) = @_;

    my $code = $block->client;
    my $name = $block->name;

    Test::More::subtest($name => sub {
        ## no critic
        eval <<"PERL";
package Vidcast::Blocks::Client;

use strict;
use warnings;

use Test::More;
use JSON::PP qw(decode_json);
use Vidcast::Blocks;
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Picture;
use Vidcast::Wait;
use Vidcast::WebSocket qw(gather frame);

# line 1 "$name"
$code

1;
PERL

        Test::More::fail("it died: $@") if $@;
        Test::More::done_testing();
    });
}


1;
