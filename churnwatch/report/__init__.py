"""The page that `churnwatch backtest --report` writes: figures, plots and words for people, in one file."""
