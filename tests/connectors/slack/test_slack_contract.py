"""Slack keeps the contract, over sockets and by its hook."""

from __future__ import annotations

import pytest
from harness import PATIENCE

from connectors.slack.proof import SlackHookProof, SlackProof
from connectors.testing import Proof, prove


@pytest.mark.parametrize("proof", [SlackProof(), SlackHookProof()])
async def test_slack_keeps_the_contract(proof: Proof) -> None:
    await prove(proof, patience=PATIENCE)
