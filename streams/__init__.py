"""The vocabulary: events, topics, codec, event time, dead letters, errors; and the chunked transport."""
