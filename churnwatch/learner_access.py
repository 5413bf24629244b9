"""The learner's store, over the settings' Redis: for commands that read models or pin one."""

from churnwatch.settings import Settings
from features.redis_client import Client, Wire, WireBroken
from models.redis_store import RedisLearnerStore, head_key


def open_learner_store(client: Client, settings: Settings) -> RedisLearnerStore:
    """Give the store on a connection of its own; the caller closes it."""
    namespace = settings.redis_namespace
    return RedisLearnerStore(Wire(client, head_key(namespace)), namespace, WireBroken)
