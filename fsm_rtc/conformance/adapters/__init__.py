"""The adapters of the stacks that are known here: one program each (docs/conformance-protocol.md)."""
