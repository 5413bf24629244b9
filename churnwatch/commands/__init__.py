"""The commands, one small file per group; `churnwatch.cli` puts them together."""
