"""Why a call failed: what was seen of it, and what to do."""
