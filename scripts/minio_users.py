"""Users of MinIO and what each may do in a bucket, by its administration API.

MinIO expects the secret key of a new user encrypted under the administrator's own: a salt (32 bytes), the algorithm
(1 byte), a nonce (8 bytes), and the text in fragments of 16 KiB, each sealed by AES-256-GCM. A secret is one fragment.
"""

import datetime
import hashlib
import hmac
import json
import secrets
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ports import ClusterError

PBKDF2_AES_GCM = b"\2"
PBKDF2_ROUNDS = 8192
FRAGMENT = 16 << 10
LAST_FRAGMENT, FIRST_NUMBER = b"\x80", 1

READ = ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads",
        "s3:ListMultipartUploadParts"]
WRITE = [*READ, "s3:PutObject", "s3:AbortMultipartUpload"]
POLICIES = {"reader": READ, "writer": WRITE, "maintenance": [*WRITE, "s3:DeleteObject"]}


def policy(name: str, bucket: str) -> dict[str, Any]:
    """reader: list and get; writer: also put; maintenance: also delete."""
    return {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": POLICIES[name],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}


class MinioAdmin:
    def __init__(self, url: str, user: str, password: str, tls: ssl.SSLContext | None = None):
        self._url, self._user, self._password, self._tls = url, user, password, tls

    def set_policy(self, name: str, bucket: str) -> None:
        self._put("add-canned-policy", json.dumps(policy(name, bucket)).encode(), name=f"{bucket}-{name}")

    def set_user(self, user: str, password: str, policy_name: str, bucket: str) -> None:
        """Creates the user, or replaces its password."""
        text = json.dumps({"secretKey": password, "status": "enabled"}).encode()
        self._put("add-user", sealed(text, self._password), accessKey=user)
        self._put("set-user-or-group-policy", b"", policyName=f"{bucket}-{policy_name}", userOrGroup=user,
                  isGroup="false")

    def _put(self, act: str, body: bytes, **query: str) -> None:
        path = f"/minio/admin/v3/{act}"
        text = urllib.parse.urlencode(sorted(query.items()), quote_via=urllib.parse.quote)
        headers = signed_headers(self._user, self._password, urllib.parse.urlsplit(self._url).netloc, path, text, body)
        request = urllib.request.Request(f"{self._url}{path}?{text}", body, headers, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=20, context=self._tls):
                pass
        except urllib.error.HTTPError as error:
            raise ClusterError(f"minio refused {act} ({error.code}): {error.read().decode(errors='replace')[:500]}") from None
        except OSError as error:
            raise ClusterError(f"minio at {self._url} did not answer {act}: {error}") from None


def sealed(text: bytes, password: str) -> bytes:
    assert len(text) < FRAGMENT
    salt, nonce = secrets.token_bytes(32), secrets.token_bytes(8)
    cipher = AESGCM(hashlib.pbkdf2_hmac("sha256", password.encode(), salt, PBKDF2_ROUNDS))
    tag = cipher.encrypt(nonce + bytes(4), b"", b"")  # Of the stream; every fragment vouches for it.
    return salt + PBKDF2_AES_GCM + nonce + cipher.encrypt(nonce + FIRST_NUMBER.to_bytes(4, "little"), text,
                                                          LAST_FRAGMENT + tag)


def signed_headers(user: str, password: str, host: str, path: str, query: str, body: bytes) -> dict[str, str]:
    """AWS Signature Version 4 of a PUT."""
    now = datetime.datetime.now(datetime.timezone.utc)
    time, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": time}
    names = ";".join(headers)
    canonical = "\n".join(["PUT", path, query, *(f"{name}:{value}" for name, value in headers.items()), "", names, digest])
    scope = f"{day}/us-east-1/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", time, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{password}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return {**headers, "Authorization": f"AWS4-HMAC-SHA256 Credential={user}/{scope}, SignedHeaders={names}, "
                                        f"Signature={signature}"}
