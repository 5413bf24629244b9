"""Real workers, a real Kafka and a real Redis under attack: `python -m chaos`. See docs/guarantees.md for what is attacked."""
