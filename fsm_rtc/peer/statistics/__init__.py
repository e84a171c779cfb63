"""What getStats tells."""
