"""What the web application works with; put together in `inbox.app`."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from connectors.supervisor import Supervisor
from inbox.activity import Activity
from inbox.addressing import Addressing
from inbox.amendments import Amendments
from inbox.attachments import Attachments
from inbox.audit import Audit
from inbox.conversations import Conversations
from inbox.customer_notes import CustomerNotes
from inbox.customers import Customers
from inbox.events import Hub
from inbox.faces import Faces
from inbox.ingest import Ingest
from inbox.keeping import Keeping
from inbox.oidc import Oidc
from inbox.privacy import Privacy
from inbox.public_only import PublicOnly
from inbox.recipients import Recipients
from inbox.replies import Replies
from inbox.roster import Roster
from inbox.sign_in import SignIn
from inbox.signals import Signals
from inbox.store import Store
from inbox.tags import Tags
from inbox.told import Teller
from inbox.typing import TypingShown


@dataclass(frozen=True, kw_only=True)
class Services:
    """The rooms of the inbox that requests go to."""

    store: Store
    hub: Hub
    addressing: Addressing
    replies: Replies
    amendments: Amendments
    conversations: Conversations
    customers: Customers
    customer_notes: CustomerNotes
    keeping: Keeping
    tags: Tags
    ingest: Ingest
    supervisor: Supervisor
    roster: Roster
    activity: Activity
    files: Attachments
    faces: Faces
    sign_in: SignIn
    privacy: Privacy
    audit: Audit
    signals: Signals
    recipients: Recipients
    typing: TypingShown
    teller: Teller
    oidc: Oidc | None
    public: PublicOnly
    metrics: CollectorRegistry
    inbox_name: str
    public_url: str
