"""Telegram keeps the contract, asked for updates and called with them."""

from __future__ import annotations

import pytest
from harness import PATIENCE

from connectors.telegram.proof import TelegramHookProof, TelegramProof
from connectors.testing import Proof, prove


@pytest.mark.parametrize("proof", [TelegramProof(), TelegramHookProof()])
async def test_telegram_keeps_the_contract(proof: Proof) -> None:
    await prove(proof, patience=PATIENCE)
