import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import ConfigError, load

NAMES = (
    "inbox server storage channels id connector reopen_within port host url data_dir name locale timezone public_url"
)
KEYS = st.sampled_from([*NAMES.split(), "bots", "options", "source", "<<"]) | st.text(max_size=5)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["${X}", "${", "${file:x}", "14d", "UTC", "http://[", "https://a:b", "mongodb://", "~x/y", "\0"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=5)
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def only_config_errors(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with suppress(ConfigError):
        load(path, environ={"X": "\udcff"})
        return
    with pytest.raises(ConfigError) as caught:
        load(path, environ={"X": "\udcff"})
    text = str(caught.value)
    assert text.encode()
    assert len(text.splitlines()) == len(caught.value.problems) > 0


@QUICK
@given(MAPPINGS)
def test_any_mapping(tmp_path: Path, mapping: dict[str, Any]) -> None:
    only_config_errors(tmp_path / "santral.yaml", json.dumps(mapping).encode())


@QUICK
@given(st.text("-:{}[]&*!|>%@`'\"#,? \n\tab1~<.$", max_size=40) | st.text(max_size=20))
def test_any_text(tmp_path: Path, text: str) -> None:
    only_config_errors(tmp_path / "santral.yaml", text.encode(errors="surrogatepass"))


@QUICK
@given(st.binary(max_size=40))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    only_config_errors(tmp_path / "santral.yaml", content)
