"""Customer state: sparse daily tiles folded into rolling windows and one feature vector."""
