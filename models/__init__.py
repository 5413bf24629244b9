"""The room of prediction: questions, labels, the River model, its guides, its quality and its store."""
