"""Certificate authorities of the secured local cluster, and what they sign."""

import datetime
import ipaddress
import os
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# What an authority may vouch for: its key cannot make clients that use OpenSSL trust another machine.
HERE = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_network("127.0.0.1/32"))]

VALID_FOR = datetime.timedelta(days=825)  # Clients such as Apple's refuse certificates that are valid for longer.
AUTHORITY_VALID_FOR = datetime.timedelta(days=3650)


class Authority:
    """A certificate authority in a folder: `ca.pem` is its certificate; each name gets `<name>.pem`, key and
    certificate in one file, as Kafka, librdkafka and our servers read them."""

    def __init__(self, folder: pathlib.Path, name: str):
        self.folder = folder
        self.certificate_file = folder / "ca.pem"
        self._key_file = folder / "ca-key.pem"
        if not self.certificate_file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._create(name)

    def issue(self, name: str, renew: bool = False) -> pathlib.Path:
        """A certificate for a server on this machine that is a client as well. `renew`: replaces the one there is."""
        path = self.folder / f"{name}.pem"
        if path.exists() and not renew:
            return path
        key = ec.generate_private_key(ec.SECP256R1())
        authority = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (_builder(name, authority.subject, key, VALID_FOR)
                       .add_extension(x509.SubjectAlternativeName(here), critical=False)
                       .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH,
                                                             ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
                       .add_extension(_key_usage(digital_signature=True), critical=True)
                       .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key().public_key()),
                                      critical=False)
                       .sign(self._key(), hashes.SHA256()))
        replace_secret(path, _pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _create(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (_builder(name, _named(name), key, AUTHORITY_VALID_FOR)
                       .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                       .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
                       .add_extension(x509.NameConstraints(permitted_subtrees=HERE, excluded_subtrees=None), critical=True)
                       .sign(key, hashes.SHA256()))
        replace_secret(self._key_file, _pem(key))
        self.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key


def private_folder(path: pathlib.Path) -> None:
    """Only the owner may enter it, even if it existed before."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)


def replace_secret(path: pathlib.Path, content: bytes) -> None:
    """Only the owner may read it, from the first byte on, and no reader sees half of it."""
    new = path.with_name(f"{path.name}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    new.rename(path)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey,
             valid_for: datetime.timedelta) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(_named(name)).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + valid_for)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))


def _key_usage(**uses: bool) -> x509.KeyUsage:
    never = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                           "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**{**never, **uses})


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())
