"""A person at the console: headless Chromium with a recorded voice as its microphone.

The four services run as installed commands with their real models.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import wave
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jiwer
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver.remote.webelement import WebElement

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RECORDING = "librivox-0920.wav"
START_S = 90
ANSWER_S = 60
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=900,1000",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def _command(
    name: str, log: Path, metrics_port: int, settings: dict[str, int | str]
) -> Iterator[Callable[[], None]]:
    """Runs an installed service command, and ends it afterwards; gives a wait for its readiness."""
    command = Path(sys.executable).with_name(f"voicemesh-{name}")
    own = {f"VOICEMESH_{name.upper()}_{key}": str(value) for key, value in settings.items()}
    own[f"VOICEMESH_{name.upper()}_SERVER__METRICS_PORT"] = str(metrics_port)
    kept = {key: value for key, value in os.environ.items() if key != "DISCORD_TOKEN"}
    with log.open("wb") as out:
        process = subprocess.Popen([command], env=kept | own, stdout=out, stderr=out)
    deadline_s = time.monotonic() + START_S

    def wait_until_ready() -> None:
        while not _is_ready(metrics_port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline_s, f"{name} is not ready: {log.read_text()}"
            time.sleep(0.1)

    try:
        yield wait_until_ready
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(metrics_port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@pytest.fixture(scope="module")
def console(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The console's address, with all four services behind it."""
    with _console(tmp_path_factory.mktemp("logs")) as url:
        yield url


@pytest.fixture
def console_without_provider(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A console whose trainer is well, but whose language model is out of reach."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{_free_ports(1)[0]}/v1")
    with _console(tmp_path) as url:
        yield url


@contextmanager
def _console(logs: Path) -> Iterator[str]:
    stt, tts, trainer, health, page, *metrics = _free_ports(9)
    with ExitStack() as running:
        waits = [
            running.enter_context(_command(name, logs / name, metrics_port, {"SERVER__PORT": port}))
            for name, port, metrics_port in zip(
                ("stt", "tts", "trainer"), (stt, tts, trainer), metrics, strict=False
            )
        ]
        bot: dict[str, int | str] = {
            "SERVER__PORT": health,
            "CONSOLE__PORT": page,
            "STT__TARGET": f"127.0.0.1:{stt}",
            "TTS__TARGET": f"127.0.0.1:{tts}",
            "TRAINER__TARGET": f"127.0.0.1:{trainer}",
        }
        waits.append(running.enter_context(_command("bot", logs / "bot", metrics[3], bot)))
        for wait_until_ready in waits:
            wait_until_ready()
        yield f"http://127.0.0.1:{page}"


@pytest.fixture(scope="module")
def microphone(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording as a person at a microphone: a moment of quiet, then the words."""
    path = tmp_path_factory.mktemp("microphone") / "voice.wav"
    with wave.open(str(speech / RECORDING)) as source, wave.open(str(path), "wb") as target:
        target.setparams(source.getparams())
        quiet = bytes(source.getframerate() * source.getsampwidth() * source.getnchannels())
        target.writeframes(quiet + source.readframes(source.getnframes()))
    return path


@pytest.fixture
def browser(microphone: Path, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """Chromium that plays the recording into its microphone once, when it is opened."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        if os.environ.get("VOICEMESH_REQUIRE_BROWSER") == "1":
            pytest.fail("VOICEMESH_REQUIRE_BROWSER is 1 but chromium or chromedriver is missing")
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for switch in SWITCHES:
        options.add_argument(switch)
    options.add_argument(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield chrome
        complaints = [line["message"] for line in _console_log(chrome) if line["level"] == "SEVERE"]
        assert complaints == []
    finally:
        chrome.quit()


def _console_log(chrome: webdriver.Chrome) -> list[dict[str, Any]]:
    log: list[dict[str, Any]] = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    return log


class Page:
    """The console's page as a person sees and hears it."""

    def __init__(self, browser: webdriver.Chrome, url: str) -> None:
        self.browser = browser
        browser.get(url)
        self.wait(lambda: self.state("connected"), 20)

    def wait(self, condition: Callable[[], Any], seconds: float = ANSWER_S) -> Any:
        return WebDriverWait(self.browser, seconds, 0.1).until(lambda _: condition())

    def state(self, name: str) -> Any:
        return self.browser.execute_script(f"return window.voicemesh.{name}")

    def all(self, testid: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, f"[data-testid={testid}]")

    def one(self, testid: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, f"[data-testid={testid}]")

    def words(self) -> str:
        return " ".join(element.text for element in self.all("words"))

    def answer(self) -> WebElement | None:
        """The newest answer once it is over."""
        over = self.browser.find_elements(By.CSS_SELECTOR, "[data-testid=answer][data-outcome]")
        return over[-1] if over else None


def _word_error_rate(said: str, heard: str) -> float:
    return float(jiwer.wer(_plain(said), _plain(heard)))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def test_a_person_talks_and_hears_an_answer(
    browser: webdriver.Chrome, console: str, transcripts: dict[str, str], tmp_path: Path
) -> None:
    page = Page(browser, console)
    page.wait(lambda: page.state("services.stt"), 20)
    page.one("hands-free").click()
    page.wait(lambda: page.one("partial").is_displayed())
    page.wait(lambda: page.answer() is not None and not page.state("playing"))
    browser.save_screenshot(str(tmp_path / "talked.png"))

    answer = page.answer()
    assert _word_error_rate(transcripts[RECORDING], page.words()) <= 0.2
    assert answer is not None
    assert answer.get_attribute("data-outcome") == "complete"
    assert answer.text.strip()
    assert page.state("playedSeconds") > 0.3
    assert page.state("peakLevel") > 0.01
    assert page.all("timing")[-1].find_elements(By.TAG_NAME, "svg")
    assert {"transcript", "first_token", "first_audio", "first_sound_played"} <= set(
        page.state("lastTiming.marks_ms")
    )


def test_holding_the_button_ends_the_turn_when_it_is_let_go(
    browser: webdriver.Chrome, console: str, transcripts: dict[str, str]
) -> None:
    page = Page(browser, console)
    hold = webdriver.ActionChains(browser).click_and_hold(page.one("talk"))
    hold.perform()
    page.wait(lambda: len(page.one("partial").text.split()) >= 6)
    webdriver.ActionChains(browser).release().perform()
    page.wait(lambda: page.words())

    heard, said = _plain(page.words()).split(), transcripts[RECORDING].split()
    assert set(heard) & set(said)
    assert not page.state("talking")
    page.wait(lambda: page.state("playedSeconds") > 0.2)


SLOW_MICROPHONE = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.timesAsked = 0;
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.timesAsked += 1;
  await new Promise((done) => setTimeout(done, 400));
  return ask(wanted);
};
"""


def test_pressing_again_at_once_goes_on_with_the_turn_and_one_microphone(
    browser: webdriver.Chrome, console: str
) -> None:
    page = Page(browser, console)
    browser.execute_script(SLOW_MICROPHONE)
    twice = webdriver.ActionChains(browser, duration=0).click_and_hold(page.one("talk"))
    twice.release().click_and_hold().perform()
    page.wait(lambda: page.one("partial").is_displayed())

    assert page.state("talking")
    assert browser.execute_script("return window.timesAsked") == 1
    webdriver.ActionChains(browser).release().perform()
    page.wait(lambda: not page.state("talking"))


def test_a_written_message_is_answered_and_can_be_stopped(
    browser: webdriver.Chrome, console: str
) -> None:
    page = Page(browser, console)
    page.one("text").send_keys("Tell me a long story about a ship and its captain.", Keys.ENTER)
    page.wait(lambda: page.state("playedSeconds") > 0)
    page.one("stop").click()
    page.wait(lambda: page.answer() is not None)

    answer = page.answer()
    assert answer is not None
    assert answer.get_attribute("data-outcome") in {"stopped", "complete"}
    assert not page.state("playing")
    assert not page.one("stop").is_enabled()


STATUS_LOG = """
window.said = [];
const line = document.getElementById("status");
new MutationObserver(() => window.said.push(line.textContent)).observe(line, { childList: true });
"""


def test_the_status_line_says_what_happens(browser: webdriver.Chrome, console: str) -> None:
    page = Page(browser, console)
    browser.execute_script(STATUS_LOG)
    page.one("text").send_keys("What is the capital of France?", Keys.ENTER)
    page.wait(lambda: page.answer() is not None and not page.state("playing"))
    page.wait(lambda: page.one("status").text.startswith("Ready"))

    happened = [line.split()[0] for line in browser.execute_script("return window.said")]
    assert happened == ["Thinking…", "Speaking", "Ready."]
    stages = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stage] title")
    assert stages
    assert all("0 = you sent" in (each.get_attribute("textContent") or "") for each in stages)


NO_MICROPHONE_SOUND = """
navigator.mediaDevices.getUserMedia = async () => {
  const context = new AudioContext();
  return context.createMediaStreamDestination().stream;
};
"""


def test_a_click_on_the_button_is_told_to_hold_it(browser: webdriver.Chrome, console: str) -> None:
    page = Page(browser, console)
    browser.execute_script(NO_MICROPHONE_SOUND)
    webdriver.ActionChains(browser, duration=0).click(page.one("talk")).perform()
    page.wait(lambda: page.one("status").text == "Hold the button while you talk.", 5)


def test_holding_the_button_in_silence_is_said(browser: webdriver.Chrome, console: str) -> None:
    page = Page(browser, console)
    browser.execute_script(NO_MICROPHONE_SOUND)
    webdriver.ActionChains(browser).click_and_hold(page.one("talk")).pause(1).release().perform()
    page.wait(lambda: page.one("status").text == "I heard no words.", 8)


CUT_BEFORE_IT_SOUNDED = """
const { ConversationView } = await import("/static/conversation-view.js");
const view = new ConversationView();
view.addMessage(901, "Tell me a story.", false);
view.startReply(901, 901);
view.addReplyText(901, "Once upon a time there was a ship.");
view.endReply(901, "stopped", "", "");
"""


def test_an_answer_that_never_sounded_is_labelled(
    browser: webdriver.Chrome, console: str, tmp_path: Path
) -> None:
    page = Page(browser, console)
    browser.execute_async_script(
        f"const done = arguments[0]; (async () => {{ {CUT_BEFORE_IT_SOUNDED} }})().then(done);"
    )

    browser.save_screenshot(str(tmp_path / "not-spoken.png"))

    assert page.one("outcome").text == "stopped · not spoken"
    struck = browser.find_element(By.CSS_SELECTOR, "s.unheard")
    assert "Not spoken" in (struck.get_attribute("title") or "")


def test_a_model_whose_provider_is_dead_turns_its_lamp_amber(
    console_without_provider: str, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    page = Page(browser, console_without_provider)
    # Before that, a service that is still starting has a notice of its own.
    backends = [f"services.{name}" for name in ("stt", "tts", "trainer")]
    page.wait(lambda: all(page.state(backend) is True for backend in backends), 30)
    page.one("text").send_keys("Hello?", Keys.ENTER)
    page.wait(lambda: page.answer() is not None)
    browser.save_screenshot(str(tmp_path / "trouble.png"))

    answer = page.answer()
    assert answer is not None
    assert "could not be reached" in answer.text
    assert page.state("services.trainer") == "trouble"
    page.wait(lambda: not browser.find_elements(By.CSS_SELECTOR, ".notice:not(.good)"))
    assert "UNAVAILABLE" in (tmp_path / "bot").read_text()
