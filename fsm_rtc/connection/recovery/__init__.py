"""What is done about a call that is lost."""
