"""Offer exchange, candidates and the call itself over signalling."""
