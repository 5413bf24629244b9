"""The composition root: settings, command line, worker, demo, backtest."""
