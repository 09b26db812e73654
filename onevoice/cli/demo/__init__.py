"""`onevoice demo`: a sandbox, three cycles of the hub over real HTTP, and a report judged by planted truth."""
