"""What stands behind each contradiction: the records that prove it, and how sure the matches are."""
