"""The platforms' stand-ins, beside a Santral that is measured: `python -m bench._platforms` says where they listen."""

from __future__ import annotations

import asyncio

from connectors.testing import BotApiServer, SlackServer, serving

LARGE_FILE = 20 * 1024 * 1024


async def main() -> None:
    """Serves until it is ended."""
    async with serving(BotApiServer()) as telegram, serving(SlackServer()) as slack:
        telegram.files["large"] = bytes(range(256)) * (LARGE_FILE // 256)
        print(f"ready {telegram.url} {slack.url}/api/", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
