from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from config import ChannelCheck, Config, ConfigError, load

Write = Callable[[str | bytes], Path]
Load = Callable[..., Config]
Mistakes = Callable[..., list[str]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Puts a text where `santral.yaml` is looked for, and stands in that folder."""
    monkeypatch.chdir(tmp_path)

    def put(content: str | bytes) -> Path:
        path = Path("santral.yaml")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.fixture
def loaded(write: Write) -> Load:
    def run(content: str | bytes, environ: Mapping[str, str] | None = None) -> Config:
        return load(write(content), environ=environ or {})

    return run


@pytest.fixture
def mistakes(write: Write) -> Mistakes:
    """The lines that a text's mistakes are told in, without the file's name."""

    def run(
        content: str | bytes, environ: Mapping[str, str] | None = None, check: ChannelCheck | None = None
    ) -> list[str]:
        path = write(content)
        with pytest.raises(ConfigError) as caught:
            load(path, environ=environ or {}, check=check)
        lines = str(caught.value).split("\n")
        assert lines == [str(problem) for problem in caught.value.problems]
        assert all(line.startswith("santral.yaml:") for line in lines)
        return [line.removeprefix("santral.yaml:") for line in lines]

    return run
