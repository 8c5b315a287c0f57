"""Addresses and networks as constants. Addresses are held packed, 4 or 16 bytes in network order."""

from __future__ import annotations

from dataclasses import dataclass

from refengine.event.addresses import packed_address


@dataclass(frozen=True, slots=True)
class Network:
    """All addresses that share the first `prefix` bits of `address`."""

    address: bytes
    prefix: int
    text: str

    def contains(self, address: bytes) -> bool:
        """Return whether `address` is of the same family and lies in the network."""
        if len(address) != len(self.address):
            return False
        shift = len(address) * 8 - self.prefix
        return int.from_bytes(address, "big") >> shift == int.from_bytes(self.address, "big") >> shift


def parse_network(text: str) -> Network:
    """Return the network of `ADDRESS/PREFIX`.

    :raises ValueError: without a prefix, or with one out of range.
    """
    address_text, slash, prefix_text = text.partition("/")
    if not slash:
        raise ValueError(f"'{text}' is not a network: it needs a prefix length, as in {text}/24")
    address = packed_address(address_text)
    lowest, highest = (0, 32) if len(address) == 4 else (1, 128)
    if not (prefix_text.isascii() and prefix_text.isdigit() and lowest <= int(prefix_text) <= highest):
        raise ValueError(f"'{prefix_text}' is not a prefix length from {lowest} to {highest}")
    return Network(address, int(prefix_text), text)
