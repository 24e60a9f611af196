"""Asking Telegram what is missing for a bot to be heard."""

from __future__ import annotations

from collections.abc import AsyncIterator

from connectors.context import Channel
from connectors.errors import PermanentError, TemporaryError
from connectors.telegram.api import UNKNOWN_BOT, BotApi
from connectors.telegram.hook import address
from connectors.telegram.options import TelegramOptions

# So long is listened for another poller: Telegram ends the older of two, and it comes back after about a second.
LISTEN_SECONDS = 5


async def examine(api: BotApi, options: TelegramOptions, channel: Channel) -> AsyncIterator[str]:
    """What is missing, a sentence each.

    Raises:
        ConnectorError: Telegram cannot be asked.
    """
    try:
        with api.calling():
            me, hook = await api.bot.get_me(), await api.bot.get_webhook_info()
    except PermanentError as error:
        if error.code != UNKNOWN_BOT:
            raise
        yield "token: Telegram does not know it; ask BotFather for it (/mybots, the bot, API Token)"
        return
    if options.groups != "ignore" and not me.can_read_all_group_messages:
        yield (
            "privacy mode is on: in groups the bot hears commands and answers to itself only; "
            "tell BotFather /setprivacy, Disable, and add the bot to its groups anew"
        )
    if options.mode == "hook":
        for told in _of_hook(hook.url, hook.last_error_message, address(channel)):
            yield told
    elif hook.url:
        yield f"a hook is set, at {hook.url}: nothing can be polled beside it; `santral run` removes it"
    else:
        async for told in _of_polling(api):
            yield told


def _of_hook(url: str, trouble: str | None, wanted: str) -> list[str]:
    found = []
    if not wanted.startswith("https://"):
        found.append(f"inbox.public_url: Telegram calls https alone, and {wanted} is none; or use mode: polling")
    if url != wanted:
        found.append(f"the hook is {f'set at {url}' if url else 'not set'}, not at {wanted}: `santral run` sets it")
    elif trouble:
        found.append(f"the hook failed last with: {trouble}")
    return found


async def _of_polling(api: BotApi) -> AsyncIterator[str]:
    """Polls until another poller ends that. While updates wait they are answered at once: nobody fetches them."""
    try:
        await api.updates(None, seconds=LISTEN_SECONDS)
    except TemporaryError as error:
        if error.code != "409":
            raise
        yield (
            "another program polls this bot; if that is this Santral, which runs, all is well; "
            "else end it, or make another bot"
        )
