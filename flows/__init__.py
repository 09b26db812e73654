"""The Prefect flows: order, retries, concurrency, artifacts. They hold no business rule."""
