"""`engine: spark`: a full run compares its candidate pairs on Spark, when one machine no longer has the room for them.

What grows with the square of a base is done there: joining records on blocking keys, and comparing the pairs. The same
conditions are told in Spark's SQL (identity/conditions), with integers for what Spark cannot measure itself. Before
it, normalising and keys, and after it, clustering, are those of identity.batch: the customers are the same.

    session.py   a Spark session, or one clear sentence about what is missing
    likeness.py  the one function that Spark is taught
    scoring.py   keys and records in, bits per comparison out
"""

from identity.spark.scoring import score_on_spark

__all__ = ["score_on_spark"]
