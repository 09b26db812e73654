"""Who is who: customer records in, customers with lasting ids and golden records out. The store keeps the state."""

from identity.blocking import (
    blocking_keys,
    count_degrees,
    crossed,
    in_use,
    is_shared,
    key_code,
    single_keys,
    surname_key,
)
from identity.cluster import cluster
from identity.explain import Reason, explain_pair
from identity.lineage import IdChanges, LineageEvent, assign_ids, profile_id
from identity.model import Model, load_model, save_model
from identity.normalise import normalise
from identity.records import (
    NORMALISER_VERSION,
    Cluster,
    Clustering,
    Constraint,
    Degree,
    Edge,
    IdentityRecord,
    NormalisedRecord,
    ReviewItem,
)
from identity.resolver import Resolver
from identity.score import score_pairs
from identity.survive import Circumstances, Golden, Provenance, survive

__all__ = [
    "NORMALISER_VERSION",
    "Circumstances",
    "Cluster",
    "Clustering",
    "Constraint",
    "Degree",
    "Edge",
    "Golden",
    "IdChanges",
    "IdentityRecord",
    "LineageEvent",
    "Model",
    "NormalisedRecord",
    "Provenance",
    "Reason",
    "Resolver",
    "ReviewItem",
    "assign_ids",
    "blocking_keys",
    "cluster",
    "count_degrees",
    "crossed",
    "explain_pair",
    "in_use",
    "is_shared",
    "key_code",
    "load_model",
    "normalise",
    "profile_id",
    "save_model",
    "score_pairs",
    "single_keys",
    "surname_key",
    "survive",
]
