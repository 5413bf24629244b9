"""Hostile bytes into everything that reads bytes which somebody else may have written."""
