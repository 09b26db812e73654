"""The audit: keys in, contradictions with their proof out, nothing written to any system."""
