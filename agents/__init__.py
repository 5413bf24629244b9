"""The pure pipeline of a partition, and the Faust agents and timers that are its shell."""
