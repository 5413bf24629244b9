"""The whole cluster on one thread, from one seed, under faults: production code over a simulated Kafka, Redis and time."""
