"""The vendors' records of a world, made of drafts and facts, as each vendor's own API would hold them."""
