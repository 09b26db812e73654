"""Local servers that answer as the vendors do, a seeded population with planted truth, and the judge of what is sent.

It shares no code with the rest of Onevoice: the judge must not inherit the mistakes of the judged.
"""
