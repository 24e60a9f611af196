"""Web chat: visitors of the company's website, over WebSocket or long-poll."""

from connectors.webchat.connector import WebChatConnector

__all__ = ["WebChatConnector"]
