"""The common part of both clients."""

from __future__ import annotations

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT = 10.0

# Answers may be of any size: they are what was asked for. Retries are ours.
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.enable_retries", 0)]


def metadata_of(token: str | None) -> list[tuple[str, str]]:
    return [] if token is None else [("authorization", f"Bearer {token}")]
