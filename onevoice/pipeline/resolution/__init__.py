"""Who is who, step by step: changed records, their candidates and components, ids, questions, and what stewards say."""
