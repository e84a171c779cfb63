"""The peer connection's backend over aiortc."""
