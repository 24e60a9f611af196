"""`santral check --online` says what a platform misses, and what to do."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
from harness import command, eventually

from connectors.slack.examining import SCOPES
from connectors.testing.bot_api import TOKEN, BotApiServer
from connectors.testing.server import serving
from connectors.testing.slack_server import APP_TOKEN, BOT_TOKEN, SlackServer


async def checked(folder: Path, **channel: Any) -> tuple[int, list[str]]:
    """How it ended, and what it said of the one channel."""
    return await all_checked(folder, {"id": "it", **channel})


async def all_checked(folder: Path, *channels: dict[str, Any]) -> tuple[int, list[str]]:
    """Likewise, of each."""
    given = {"inbox": {"public_url": "https://inbox.example.com"}, "channels": channels}
    (folder / "santral.yaml").write_text(json.dumps(given))
    done = await asyncio.to_thread(command, "check", "--online", folder=folder)
    return done.returncode, done.stdout.splitlines()[1 + len(channels) :]


async def test_telegram_says_what_it_misses(tmp_path: Path) -> None:
    async with serving(BotApiServer()) as server:
        telegram = {"connector": "telegram", "token": TOKEN, "api_url": server.url}
        await server.push(server.update("message", server.message("nobody fetches it, so the answers come at once")))
        code, (told,) = await checked(tmp_path, **telegram)
        assert (code, told.startswith("it: privacy mode is on")) == (1, True)
        assert await checked(tmp_path, **telegram, groups="ignore") == (0, ["it: its platform misses nothing"])

        server.hook = {"url": "https://elsewhere.example.com/hook"}
        _, (told,) = await checked(tmp_path, **telegram, groups="ignore")
        assert told.startswith("it: a hook is set, at https://elsewhere.example.com/hook")
        _, (told,) = await checked(tmp_path, **telegram, groups="ignore", mode="hook", secret_token="s3cret")
        assert told.endswith("not at https://inbox.example.com/hooks/it: `santral run` sets it")

        server.hook = None
        _, (told,) = await checked(tmp_path, **{**telegram, "token": "7:wrong_0123456789"})
        assert told.startswith("it: token: Telegram does not know it")


async def test_another_poller_is_found(tmp_path: Path) -> None:
    async with serving(BotApiServer()) as server, aiohttp.ClientSession(server.url) as http:

        async def poll() -> None:
            while True:
                async with http.get(f"/bot{TOKEN}/getUpdates", params={"timeout": 60}):
                    pass  # whether it was ended or not, it asks again

        other = asyncio.create_task(poll())
        telegram = {"connector": "telegram", "token": TOKEN, "api_url": server.url, "groups": "ignore"}
        _, (told,) = await checked(tmp_path, **telegram)
        other.cancel()

    assert told.startswith("it: another program polls this bot; if that is this Santral")


async def test_slack_says_what_it_misses(tmp_path: Path) -> None:
    async with serving(SlackServer()) as server:
        slack = {"connector": "slack", "bot_token": BOT_TOKEN, "app_token": APP_TOKEN, "api_url": f"{server.url}/api/"}
        code, (told,) = await checked(tmp_path, **slack)
        assert (code, "scopes are missing: app_mentions:read, channels:history" in told) == (1, True)
        server.scopes = set(SCOPES)
        assert await checked(tmp_path, **slack) == (0, ["it: its platform misses nothing"])
        _, (told,) = await checked(tmp_path, **slack, agent_names=True)
        assert "chat:write.customize" in told
        _, (told,) = await checked(tmp_path, **{**slack, "app_token": "xapp-wrong"})
        assert told.startswith("it: app_token: Slack does not accept the app's token")
        _, (told,) = await checked(tmp_path, **{**slack, "bot_token": "xoxb-wrong"})
        assert told.startswith("it: bot_token: Slack does not accept it")


async def test_a_platform_that_is_away_is_told(tmp_path: Path) -> None:
    code, (told,) = await checked(tmp_path, connector="telegram", token=TOKEN, api_url="http://127.0.0.1:9")

    assert (code, told) == (1, "it: its platform cannot be asked: Telegram cannot be reached")


async def test_a_platform_that_is_slow_holds_up_no_other(tmp_path: Path) -> None:
    async with serving(BotApiServer()) as slow, serving(BotApiServer()) as quick:
        slow.fail("hang", "getMe")
        of_each = {"connector": "telegram", "token": TOKEN, "groups": "ignore"}
        channels = [{**of_each, "id": "slow", "api_url": slow.url}, {**of_each, "id": "quick", "api_url": quick.url}]
        checking = asyncio.create_task(all_checked(tmp_path, *channels))
        await quick.push(quick.update("message", quick.message("so the answer comes at once")))
        await slow.holding()

        async def asked() -> bool:
            return bool(quick.called("getUpdates"))

        await eventually(asked)
        slow.release()
        code, (of_slow, of_quick) = await checking
        assert of_slow.startswith("slow: its platform cannot be asked")
        assert (code, of_quick) == (1, "quick: its platform misses nothing")
