"""The console: a web application for retention teams over what the system keeps. It reads, and writes nothing but outcomes."""
