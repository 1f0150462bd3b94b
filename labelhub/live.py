"""Sends small messages to the browsers that have a job open.

Messages carry ids and numbers only: a browser asks for what they name, so that permission and
rendering stay on the server. Several web processes need Redis as the channel layer.
"""

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def group_of_job(job_id: int) -> str:
    return f"job-{job_id}"


def send(job_id: int, message: dict[str, Any]) -> None:
    """Now. A channel layer that cannot be reached costs the live update, never the change."""
    try:
        async_to_sync(get_channel_layer().group_send)(group_of_job(job_id), message)
    except (OSError, RedisError) as error:
        logger.warning("Live message for job %s was not sent: %s", job_id, error)


def send_on_commit(job_id: int, message: dict[str, Any]) -> None:
    # Robust: what is committed is answered as done, whatever becomes of the message.
    transaction.on_commit(lambda: send(job_id, message), robust=True)
