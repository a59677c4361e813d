"""Apache Kafka's programs, fetched once into a cache directory.

The jars come from Maven's own repositories, through Maven itself: mirrors, proxies and credentials of the
machine apply. Nothing is unpacked into the project.
"""

import contextlib
import fcntl
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from router.runtime.errors import EmbeddedServerError

_log = logging.getLogger(__name__)

KAFKA_VERSION: Final = "4.1.1"
_JAVA_FLOOR: Final = 17
_FETCH_S: Final = 600.0
_ANSWER_S: Final = 30.0

# Kafka logs through slf4j and brings no binding: without one its log would stay empty.
_POM: Final = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>turnout</groupId>
  <artifactId>kafka-libs</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


def default_cache_dir(environment: dict[str, str]) -> Path:
    """``$XDG_CACHE_HOME/turnout`` of this environment, else ``~/.cache/turnout``."""
    root = environment.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "turnout"


def find_java() -> str:
    """The path of a Java that Kafka runs on. Raises ``EmbeddedServerError`` saying what to install."""
    java = shutil.which("java")
    advice = f"install a Java runtime >= {_JAVA_FLOOR} (Debian and Ubuntu: apt-get install default-jre-headless)"
    if java is None:
        raise EmbeddedServerError(f"Kafka needs Java and there is no java on PATH: {advice}")
    major = _java_major(java)
    if major < _JAVA_FLOOR:
        raise EmbeddedServerError(f"Kafka {KAFKA_VERSION} doesn't run on Java {major or '?'}: {advice}")
    return java


def _java_major(java: str) -> int:
    try:
        done = subprocess.run(  # noqa: S603
            [java, "-version"], capture_output=True, text=True, timeout=_ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(found.group(1)) if found else 0


def ensure_installed(cache_dir: Path) -> Path:
    """The directory with Kafka's jars, fetched first if absent (43 MB, once, whoever asks first).

    Blocks; two processes may call it at the same time. Raises ``EmbeddedServerError`` when Maven or the
    network is missing; nothing half-fetched is left behind.
    """
    libs = cache_dir / f"kafka-{KAFKA_VERSION}" / "libs"
    if libs.is_dir():
        return libs
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / f"kafka-{KAFKA_VERSION}.lock"):
            if not libs.is_dir():
                _fetch(cache_dir, libs.parent)
    except OSError as exc:
        raise EmbeddedServerError(f"the cache directory {cache_dir} can't be written: {exc}") from exc
    return libs


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _fetch(cache_dir: Path, target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise EmbeddedServerError(
            "Kafka is fetched by Maven and there is no mvn on PATH: install it "
            "(Debian and Ubuntu: apt-get install maven), or name a running Kafka in the settings (kafka.bootstrap)"
        )
    find_java()
    _log.info("fetching Kafka", extra={"event": "kafka_fetch", "version": KAFKA_VERSION})
    fresh = Path(tempfile.mkdtemp(prefix="fetch-", dir=cache_dir))
    try:
        (fresh / "pom.xml").write_text(_POM, encoding="utf-8")
        _run_maven(maven, fresh)
        # The name appears only when everything is there: whoever sees it needs no lock.
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _run_maven(maven: str, directory: Path) -> None:
    command = [
        *(maven, "--batch-mode", "--quiet", "--file", str(directory / "pom.xml")),
        *("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={directory / 'libs'}"),
    ]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=_FETCH_S, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise EmbeddedServerError(f"Maven didn't fetch Kafka within {_FETCH_S:.0f} s: try again") from exc
    if done.returncode != 0 or not any((directory / "libs").glob("kafka_2.13-*.jar")):
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise EmbeddedServerError(f"Maven could not fetch Kafka {KAFKA_VERSION}:\n{said}")
