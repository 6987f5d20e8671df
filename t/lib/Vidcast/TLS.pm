package Vidcast::TLS;

# Copyright (C) vidcast contributors

# A certificate made on the spot, and the client's side of TLS for Client.pm
# and all that is built upon it:
#
#     certificate($dir);                    # $dir/cert.pem, $dir/key.pem
#     certificate($dir, 'DNS:other');       # not of 127.0.0.1
#
#     my %tls = (client => { tls => { ca => "$dir/cert.pem",
#                                     version => 'TLSv1_3', alpn => 'h2' } });
#     Vidcast::WebSocket->connect($port, '/ws', %tls);

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::SSL ();

our @EXPORT_OK = qw(certificate);


sub certificate {
    my ($dir, $name) = @_;

    $name //= 'IP:127.0.0.1';

    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test"
           . " -addext subjectAltName=$name"
           . " -keyout $dir/key.pem -out $dir/cert.pem 2> $dir/openssl.err")
        == 0 or die "openssl: no certificate, see $dir/openssl.err\n";
}


# the same socket, with TLS; the server's certificate is checked

sub upgrade {
    my ($socket, %args) = @_;

    return IO::Socket::SSL->start_SSL($socket,
        SSL_ca_file         => $args{ca},
        SSL_verify_mode     => IO::Socket::SSL::SSL_VERIFY_PEER(),
        SSL_verifycn_scheme => 'http',
        SSL_verifycn_name   => '127.0.0.1',
        SSL_hostname        => '',
        SSL_version         => $args{version} // 'SSLv23:!SSLv2:!SSLv3',
        $args{alpn} ? (SSL_alpn_protocols => [$args{alpn}]) : ())
        || die "TLS: $IO::Socket::SSL::SSL_ERROR\n";
}


1;
