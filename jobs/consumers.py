"""Live: one websocket per open job page. The gate stands at the door, and again when the
membership of a connected person changes.

Presence needs no shared memory: each page says from time to time what it looks at, each consumer
answers for its own page when a newcomer asks, and browsers forget who was not heard of for long.
"""

import json
from collections import deque
from time import monotonic
from uuid import uuid4

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.http import Http404
from django.urls import path

from annotators.access import member_or_404
from annotators.roles import Ability
from labelhub.live import group_of_job

NOT_A_MEMBER = 4404
NOT_SIGNED_IN = 4401
# Somebody who walks through images says where they are twice a second; more is not passed on.
HERE_AT_MOST, HERE_SECONDS = 30, 10.0
LONGEST_MESSAGE = 200
LARGEST_ID = 2**63 - 1


class JobConsumer(AsyncJsonWebsocketConsumer):
    """Passes what happens in a job on to a browser that shows it; takes no orders."""

    group: str | None = None

    def __init__(self) -> None:
        super().__init__()
        # Names this page to the others: one person may have several.
        self.page = uuid4().hex
        self.sample: int | None = None
        self.heard_at: deque[float] = deque(maxlen=HERE_AT_MOST)

    async def connect(self) -> None:
        """Accepts when it hears: what happens from then on is told, what happened before is asked
        for by the browser. Membership that ends while it joins is noticed by the second look."""
        job_id = self.scope["url_route"]["kwargs"]["job_id"]
        is_member = await self._is_member(job_id)
        if is_member:
            self.group = group_of_job(job_id)
            await self.channel_layer.group_add(self.group, self.channel_name)
            is_member = await self._is_member(job_id)
        await self.accept()
        if not is_member:
            is_known = self.scope["user"].is_authenticated
            await self.close(NOT_A_MEMBER if is_known else NOT_SIGNED_IN)
            return
        asked = {"type": "presence.asked", "page": self.page, "answer_to": self.channel_name}
        await self.channel_layer.group_send(self.group, asked)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)
            gone = {"type": "presence.gone", "page": self.page}
            await self.channel_layer.group_send(self.group, gone)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:  # noqa: ARG002
        """Browsers change things through the API, where the gate is; here they say what they look
        at: `{"type": "here", "sample": id or null}`. Anything else is not for us."""
        try:
            said = json.loads(text_data) if len(text_data or "") <= LONGEST_MESSAGE else None
        except (TypeError, ValueError):
            return
        if not isinstance(said, dict) or said.get("type") != "here" or not self.group:
            return
        sample = said.get("sample")
        if sample is not None and not (type(sample) is int and 0 < sample <= LARGEST_ID):
            return
        now = monotonic()
        if len(self.heard_at) == HERE_AT_MOST and now - self.heard_at[0] < HERE_SECONDS:
            return
        self.heard_at.append(now)
        self.sample = sample
        await self.channel_layer.group_send(self.group, self._here())

    def _here(self) -> dict:
        user = self.scope["user"]
        # Not everybody who works here may see the addresses of the others.
        name = user.name or user.email.partition("@")[0]
        person = {"id": user.pk, "name": name, "initials": user.initials}
        return {
            "type": "presence.here",
            "page": self.page,
            "person": person,
            "sample": self.sample,
        }

    async def presence_asked(self, message: dict) -> None:
        if message["page"] != self.page:
            await self.channel_layer.send(message["answer_to"], self._here())

    async def presence_here(self, message: dict) -> None:
        # The own other tabs are nobody else.
        if message["person"]["id"] != self.scope["user"].pk:
            await self.send_json(message)

    async def presence_gone(self, message: dict) -> None:
        if message["page"] != self.page:
            await self.send_json(message)

    async def samples_changed(self, message: dict) -> None:
        await self.send_json(message)

    async def labels_changed(self, message: dict) -> None:
        await self.send_json(message)

    async def run_progress(self, message: dict) -> None:
        await self.send_json(message)

    async def access_changed(self, message: dict) -> None:
        job_id = self.scope["url_route"]["kwargs"]["job_id"]
        concerned = message["user"] == getattr(self.scope["user"], "pk", None)
        if concerned and not await self._is_member(job_id):
            await self.close(NOT_A_MEMBER)

    @database_sync_to_async
    def _is_member(self, job_id: int) -> bool:
        try:
            member_or_404(self.scope["user"], job_id, Ability.VIEW)
        except Http404:
            return False
        return True


websocket_urls = [path("ws/jobs/<int:job_id>/", JobConsumer.as_asgi())]
