"""Conformance: the tables against real WebRTC stacks, each behind an adapter (docs/conformance-protocol.md)."""
