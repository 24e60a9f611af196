"""Ingest: from a platform's raw event to what stands in the inbox.

Its promises: an event is journaled before anybody is told so; what is journaled is applied exactly once, whoever dies
in between; an event that cannot be understood or applied hurts itself alone, and stands in the list of failed ones.
"""

from __future__ import annotations

from inbox.ingest.entries import Policy
from inbox.ingest.ingest import Ingest
from inbox.ingest.reading import Reading
from inbox.ingest.understand import Intake

__all__ = ["Ingest", "Intake", "Policy", "Reading"]
