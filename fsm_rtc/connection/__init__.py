"""A call over signalling: the exchange of offers, candidates, and the peer connections that carry it."""
