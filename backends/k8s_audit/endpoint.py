"""The address to listen at: its parts, and the encryption."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from refengine.backends.target import Address
from refengine.errors import BackendError

DEFAULT_URL: Final = "http://127.0.0.1:9765/k8s-audit"
"""Where audit events are received when nobody says anything else: Falco's port and path, on this machine only."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen; `host` None means every address, port 0 any free one, `tls` None no encryption."""

    host: str | None
    port: int
    path: str
    tls: ssl.SSLContext | None


def endpoint_of(address: Address) -> Endpoint:
    """Return the parts of an address, with its certificates read.

    :raises BackendError: when it is no such address, or a certificate cannot be used.
    """
    try:
        parts = urlsplit(address.url)
        port = parts.port
    except ValueError as error:
        raise BackendError(f"'{address.url}' is no address to listen at: {error}") from None
    if parts.scheme not in ("http", "https") or port is None or parts.query or parts.fragment:
        raise BackendError(
            f"'{address.url}' is no address to listen at: write http://HOST:PORT/PATH or https://"
        )
    secure = parts.scheme == "https"
    if not secure and (address.certificate or address.key or address.client_authority):
        raise BackendError(f"certificates are given, but '{address.url}' is not encrypted: write https://")
    return Endpoint(parts.hostname, port, parts.path or "/", _tls(address) if secure else None)


def _tls(address: Address) -> ssl.SSLContext:
    if address.certificate is None:
        raise BackendError(f"'{address.url}' needs a certificate: give a PEM file with it and its key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    file = address.certificate
    try:
        context.load_cert_chain(address.certificate, address.key)
        if address.client_authority is not None:
            file = address.client_authority
            context.load_verify_locations(address.client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except ssl.SSLError as error:
        raise BackendError(f"the certificate in {file} cannot be used: {error.reason or error}") from None
    except OSError as error:
        named = error.filename or file
        raise BackendError(f"the certificate in {named} cannot be read: {error.strerror or error}") from None
    return context
