"""Sets up what is missing, then runs the web process and the model server until Ctrl-C."""

import os
import socket
import sys
import urllib.error
import urllib.request

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotators.services import start_setup
from inference import weights
from inference.server import folder as model_folder
from jobs import sample
from labelhub import static_build, translations
from labelhub.supervisor import PortInUse, Program, Supervisor, check_port

# Kept after a download that failed: it is tried on the first start alone.
NOT_FETCHED = ".not-fetched"
GRACE_SECONDS = 5
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}
WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Command(BaseCommand):
    help = "Sets up LabelHub where needed and runs it: the web process and the model server."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-sample", action="store_true", help="make no sample job")
        parser.add_argument(
            "--no-model", action="store_true", help="fetch no model and run no model server"
        )

    def handle(self, *args, **options) -> None:  # noqa: ARG002
        serves_model = not options["no_model"] and has_own_model_server()
        try:
            check_ports(serves_model)
            self._set_up(with_sample=not options["no_sample"], with_model=serves_model)
        except PortInUse as error:
            self.stderr.write(str(error))
            sys.exit(1)
        except KeyboardInterrupt:
            self.stderr.write("Stopped before the set-up was complete; start again to go on.")
            sys.exit(130)
        programs = [web(), model_server()] if serves_model else [web()]
        supervisor = Supervisor(programs, folder=settings.BASE_DIR, say=self._say)
        code = supervisor.run(
            is_ready=web_answers, on_ready=lambda: self._welcome(serves_model=serves_model)
        )
        sys.exit(code)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _set_up(self, *, with_sample: bool, with_model: bool) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        translations.compile_all()
        if migrations_wait():
            call_command("migrate", interactive=False, verbosity=0)
            self._say("Database: ready.")
        if static_build.build_if_changed():
            self._say("Static files: collected.")
        if with_model:
            self._install_model()
        if with_sample and sample.is_wanted():
            call_command("sample_job", stdout=self.stdout)
        connection.close()

    def _install_model(self) -> None:
        if settings.MODEL_NAME != weights.NAME:
            return
        mark = settings.MODEL_DIR / NOT_FETCHED
        if is_missing() and not mark.exists():
            self._say(f"Model {weights.NAME}: downloading 67 MB.")
            try:
                weights.install(model_dir=settings.MODEL_DIR, report=lambda line: None)  # noqa: ARG005
            except weights.WeightsError:
                settings.MODEL_DIR.mkdir(parents=True, exist_ok=True)
                mark.touch()
        if is_missing():
            self._say(
                f"Model {weights.NAME}: missing, it could not be downloaded. All but suggestions "
                f"works; to add it: {os.path.relpath(sys.executable)} manage.py fetch_model"
            )

    def _welcome(self, *, serves_model: bool) -> None:
        model_server = f", the model server on {settings.MODEL_SERVER_URL}" if serves_model else ""
        self._say(f"LabelHub runs on {settings.PUBLIC_URL}{model_server}. Ctrl-C stops it.")
        if address := start_setup():
            self._say(f"Choose your email and password here, once: {address}")
        connection.close()


def has_own_model_server() -> bool:
    """Unless the settings name one that runs elsewhere."""
    ours = {f"http://{host}:{settings.MODEL_SERVER_PORT}" for host in ("127.0.0.1", "localhost")}
    return settings.MODEL_SERVER_URL in ours


def is_missing() -> bool:
    return bool(model_folder.missing(settings.MODEL_DIR, weights.NAME))


def check_ports(serves_model: bool) -> None:
    wanted = [(settings.HOST, settings.PORT, "LABELHUB_PORT")]
    if serves_model:
        wanted.append(("127.0.0.1", settings.MODEL_SERVER_PORT, "LABELHUB_MODEL_SERVER_PORT"))
    for host, port, name in wanted:
        try:
            check_port(host, port)
        except socket.gaierror as error:
            raise PortInUse(f"LABELHUB_HOST={host} is not an address of this machine.") from error
        except PortInUse as error:
            raise PortInUse(
                f"Port {port} cannot be used ({error}): stop what uses it, or choose another one, "
                f"as in {name}={port + 1 if port < 65535 else 8000} make run"
            ) from error


def migrations_wait() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def web() -> Program:
    command = [sys.executable, "-m", "uvicorn", "labelhub.asgi:application"]
    command += [f"--host={settings.HOST}", f"--port={settings.PORT}", "--ws=websockets-sansio"]
    command += ["--lifespan=on", f"--timeout-graceful-shutdown={GRACE_SECONDS}"]
    command += ["--no-access-log", "--log-level=warning"]
    # Many threads that decode images leave memory in as many arenas: 210 MB instead of 145.
    env = {"MALLOC_ARENA_MAX": "2", **os.environ}
    return Program("web process", command, vital=True, env=env)


def model_server() -> Program:
    command = [sys.executable, "manage.py", "modelserver"]
    return Program("model server", command, vital=False, env=dict(os.environ), quiet=True)


def web_answers() -> bool:
    host = ANY_ADDRESS.get(settings.HOST, settings.HOST)
    try:
        with WITHOUT_PROXY.open(f"http://{host}:{settings.PORT}/healthz/", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
