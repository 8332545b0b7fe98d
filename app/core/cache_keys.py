"""Keys of what is cached."""

import hashlib

SCHEMA = "hf1"


def cache_key(*parts: str) -> str:
    """A key that no other list of parts can make: each part counts with its length, all of it hashed (SEC-43)."""
    joined = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return f"{SCHEMA}:{parts[0]}:{hashlib.blake2b(joined, digest_size=16).hexdigest()}"
