#!/usr/bin/perl

# Copyright (C) vidcast contributors

# What a newcomer runs and copies from: the demo's configuration must start and
# serve what its page needs; the one with everything must be accepted, and have
# every directive and parameter with the default that docs/directives tells.
#
# Not in the modes asan and valgrind: "make run" starts an nginx of its own.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use POSIX qw(setsid WNOHANG);
use Test::More;
use Time::HiRes qw(sleep);

use Vidcast::Client qw(get request);
use Vidcast::JPEG qw(jpeg_info);
use Vidcast::Nginx;
use Vidcast::Picture;
use Vidcast::Stream;
use Vidcast::Wait;
use Vidcast::WebSocket;

Vidcast::Nginx->plan;

my $root = abs_path("$FindBin::Bin/..");
my ($module) = Vidcast::Nginx->modules;
my $prefix = tempdir('vidcast-test-XXXXXX', TMPDIR => 1);
my $port = free_port();
my $owner = $$;
my $nginx = 0;
my $publisher = 0;

chmod 0755, $prefix;
symlink dirname(abs_path($module)), "$prefix/modules";
symlink "$root/conf/html", "$prefix/html";


sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
        or die "cannot listen: $@\n";

    return $socket->sockport;
}


sub slurp {
    my ($path) = @_;

    open my $fh, '<', $path or die "$path: $!\n";
    local $/;

    return scalar <$fh>;
}


# nginx with a file of conf/, as it is but for the port and what may read here

sub command {
    my ($name, @options) = @_;

    my $text = slurp("$root/conf/$name") =~ s/(listen +)8080/$1$port/r;

    open my $fh, '>', "$prefix/$name" or die "$prefix/$name: $!\n";
    print $fh $text;
    close $fh;

    my $user = $> ? '' : ' user root;';

    return (Vidcast::Nginx->binary, '-p', "$prefix/", '-c', "$prefix/$name",
            '-e', 'stderr', '-g', "daemon off;$user", @options);
}


sub test_config {
    my ($name) = @_;

    my $pid = open my $out, '-|';
    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec command($name, '-t') or POSIX::_exit(127);
    }

    my $text = join '', <$out>;
    close $out;

    return ($?, $text);
}


for my $name (qw(nginx.conf vidcast-full.conf)) {
    my ($status, $text) = test_config($name);

    is $status, 0, "$name is accepted" or diag $text;
    unlike $text, qr/\[(?:warn|error|alert)\]/, 'without a warning';
}

is_deeply [glob "$prefix/logs/*"], [], 'nothing but the prefix is needed';


# the documents: directive => default, as "name value;", "" for none

my %defaults;
my $docs = join '', map { slurp($_) } glob "$root/docs/directives/*.md";

while ($docs =~ /^[#]{3}\ (\w+)\n\n\*\*syntax:\*\*.*\n
                   \*\*default:\*\*\ \*(?:(.*;)|.*)\*/gmx)
{
    $defaults{$1} = $2 // '';
}

cmp_ok scalar keys %defaults, '>', 10, 'the documents have directives';

# the directives of the file, those of nginx too

my %full;
my $whole = slurp("$root/conf/vidcast-full.conf");
my $conf = $whole =~ s/^\s*#.*//gmr;

for my $line (split /[;{}]/, $conf) {
    my ($name, @values) = split ' ', $line or next;

    push @{$full{$name}}, join(' ', $name, @values) . ';';
}

for my $name (sort keys %defaults) {
    my $found = $full{$name};

    # what needs a plugin stands there as a comment

    ok $found || $whole =~ /^\s*# $name\s/m,
        "vidcast-full.conf has \"$name\"" or next;

    if ($found && $defaults{$name}) {
        is $found->[0], $defaults{$name}, 'with its default';
    }
}

for my $name (grep { /^vidcast/ } sort keys %full) {
    ok exists $defaults{$name}, "the documents have \"$name\"";
}

# parameters: there is a row "| `name=...` | default |" for each; where there
# is none, the file has an example

for my $name (qw(input predict)) {
    for my $parameter ($full{$name}[0] =~ /(\w+=[^\s;]+)/g) {
        my ($key, $value) = split /=/, $parameter;

        like $docs, qr/^\| `\Q$key\E=[^`]*` \| (?:\Q$value\E|–) \|/m,
            "the documents have the default of \"$key\" of $name";
    }
}


# the demo itself

$nginx = fork // die "fork: $!\n";

if ($nginx == 0) {
    setsid();
    open STDOUT, '>', "$prefix/log";
    open STDERR, '>&', \*STDOUT;
    exec command('nginx.conf') or POSIX::_exit(127);
}

ok wait_for {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
}, 'it listens' or diag slurp("$prefix/log");

# the pages, what they load, and what that loads

my @files;

for my $page (map { get($port, $_) } '/', '/publish.html') {
    is $page->{status}, 200, 'a page';
    like $page->{headers}{'content-type'}, qr{^text/html}, 'is HTML';

    push @files,
        $page->{body} =~ /(?:src|href)="([\w.-]+\.(?:js|css|svg))"/g;
}

my %types = (js => qr{^text/javascript}, css => qr{^text/css},
             svg => qr{^image/svg\+xml});
my %seen;
cmp_ok scalar @files, '>', 1, 'it loads something';

while (defined(my $file = shift @files)) {
    next if $seen{$file}++;

    my $response = get($port, "/$file");
    my ($type) = $file =~ /(\w+)$/;

    is $response->{status}, 200, $file;
    like $response->{headers}{'content-type'}, $types{$type}, 'its type';

    push @files, $response->{body} =~ m{(?:from |URL\()'\./([\w.-]+\.js)'}g;
}

# what is published: something new all the time, from another process

$publisher = fork // die "fork: $!\n";

if ($publisher == 0) {
    for my $n (1 .. 1_000_000) {
        eval {
            request($port, '/publish/webcam', method => 'PUT',
                    body => picture(64, 48, $n % 200));
        };
        sleep 0.05;
    }

    POSIX::_exit(0);
}

my @names;

ok wait_for {
    my $sources = decode_json(get($port, '/status')->{body})->{sources};

    @names = map { $_->{name} } @$sources;
    @names && !grep { $_->{state} ne 'live' || !$_->{result} } @$sources;
}, 'all sources are live, and predicted';

for my $name (@names) {
    my $ws = Vidcast::WebSocket->connect($port, "/live/$name",
        protocol => 'vidcast.v1', origin => "http://127.0.0.1:$port");

    ok $ws->accepted, "$name: WebSocket";
    is $ws->json->{source}, $name, 'a result';
    ok $ws->message('binary'), 'a picture';

    my $video = Vidcast::Stream->open($port, "/video_feed/$name");

    ok jpeg_info($video->part->{data}), 'MJPEG';
    ok jpeg_info(get($port, "/snapshot/$name.jpg")->{body}), 'a snapshot';

    my $events = Vidcast::Stream->open($port, "/events/$name");
    my $data;

    wait_for { $data = ($events->event // {})->{data} };
    is decode_json($data)->{source}, $name, 'SSE';
}

ok(Vidcast::WebSocket->connect($port, '/ws')->json, 'results only');

kill 'KILL', $publisher;
waitpid $publisher, 0;
$publisher = 0;

kill 'QUIT', $nginx;
ok wait_for { waitpid($nginx, WNOHANG) == $nginx }, 'it ends';
is $?, 0, 'well';
unlike slurp("$prefix/log"), qr/\[(?:warn|error|crit|alert|emerg)\]/,
    'and had nothing to complain of';

$nginx = 0;

done_testing;


END {
    if ($$ == $owner) {
        my $status = $?;

        kill 'KILL', -$nginx if $nginx;
        kill 'KILL', $publisher if $publisher;
        remove_tree($prefix) if $prefix;
        $? = $status;
    }
}
