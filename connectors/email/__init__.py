"""Email: SMTP in and SMTP out, one mail address a channel."""

from connectors.email.connector import EmailConnector
from connectors.email.options import EmailOptions

__all__ = ["EmailConnector", "EmailOptions"]
