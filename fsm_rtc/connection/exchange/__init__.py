"""The exchange of offers, answers and candidates: numbered, signed, sent again until acknowledged."""
