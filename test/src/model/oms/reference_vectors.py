"""Writes reference-vectors.json: what the reference tool of OpenSSF Model Signing signs, for the tests inside workerd.

The keys are made for it and forgotten. Run it with the project's Python after a change here:
node scripts/python.ts test/src/model/oms/reference_vectors.py
"""

import datetime
import hashlib
import json
import tempfile
from pathlib import Path
from unittest import mock

import model_signing
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from model_signing._signing import sign_sigstore_pb

FILES = {
    "manifest.json": b'{"name":"not a manifest, but signed as one"}',
    "model.onnx": b"not a network, but signed as one",
}


def write_key(path, curve):
    """Write a new private key in PEM and return it."""
    key = ec.generate_private_key(curve)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return key


def public_pem(key):
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def write_certificate(path, key):
    """Write a self-signed certificate of the key that may sign code."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a signer of models")])
    start = datetime.datetime(2026, 1, 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36_500))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def vectors(scratch):
    model = scratch / "model"
    model.mkdir()
    for name, content in FILES.items():
        (model / name).write_bytes(content)
    keys = {
        name: write_key(scratch / name, curve)
        for name, curve in {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}.items()
    }
    write_certificate(scratch / "certificate", keys["P-256"])
    signature = model / "model.sig"

    def bundle(signer, hashing=None):
        hashing = (hashing or model_signing.hashing.Config()).set_ignored_paths(paths=[signature])
        signer.set_hashing_config(hashing).sign(model, signature)
        text = signature.read_text()
        signature.unlink()
        return text

    def by_key(name):
        return model_signing.signing.Config().use_elliptic_key_signer(private_key=scratch / name)

    hashing = model_signing.hashing.Config
    with mock.patch.object(sign_sigstore_pb, "pae", sign_sigstore_pb.pae_compat):
        compat = bundle(by_key("P-256"))
    return {
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()},
        "publicKeys": {name: public_pem(key) for name, key in keys.items()},
        "bundles": {name: bundle(by_key(name)) for name in keys},
        # All of these by the key on P-256.
        "shards": bundle(by_key("P-256"), hashing().use_shard_serialization()),
        "blake2": bundle(by_key("P-256"), hashing().use_file_serialization(hashing_algorithm="blake2")),
        "paeCompat": compat,
        "certificate": bundle(
            model_signing.signing.Config().use_certificate_signer(
                private_key=scratch / "P-256",
                signing_certificate=scratch / "certificate",
                certificate_chain=[scratch / "certificate"],
            )
        ),
    }


with tempfile.TemporaryDirectory() as folder:
    result = vectors(Path(folder))
target = Path(__file__).with_name("reference-vectors.json")
target.write_text(json.dumps(result, indent=2) + "\n")
