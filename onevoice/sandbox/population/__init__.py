"""Who lives in a world, what was written down of them, and what happened to them: persons, drafts of records, facts."""
