"""Live: one websocket per open job page. The gate stands at the door, and again when the
membership of a connected person changes."""

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.http import Http404
from django.urls import path

from annotators.access import member_or_404
from annotators.roles import Ability
from labelhub.live import group_of_job

NOT_A_MEMBER = 4404


class JobConsumer(AsyncJsonWebsocketConsumer):
    """Passes what happens in a job on to a browser that shows it; takes no orders."""

    group: str | None = None

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
            await self.close(NOT_A_MEMBER)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content, **kwargs) -> None:  # noqa: ARG002
        """Browsers change things through the API, where the gate is; here they only listen."""

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
