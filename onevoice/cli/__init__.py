"""The command line: it reads arguments, calls the pipeline and prints; it decides nothing."""
