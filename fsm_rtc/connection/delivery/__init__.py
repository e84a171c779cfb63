"""Messages between the two programs of a call: frames, each once and in order, and their readers."""
