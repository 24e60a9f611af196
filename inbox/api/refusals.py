"""Every refusal of the API: the `type` of its problem document, its HTTP status, and when it is given.

`docs/api.md` and the API's document show this table; a refusal that does not stand here cannot be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Refusal(NamedTuple):
    """A status, and when it comes, in the words of Markdown."""

    status: int
    when: str


REFUSALS: Mapping[str, Refusal] = {
    "invalid-query": Refusal(
        400, "a query parameter is unknown, doubled, of the wrong shape, or another list's cursor"
    ),
    "search-too-broad": Refusal(400, "too much begins with the words of a search to look through it in a second"),
    "too-many-to-sort": Refusal(400, "a search finds too much to be put in that order: narrow it, or leave `sort` out"),
    "sign-in-expired": Refusal(400, "this browser did not begin that sign-in, or too long ago"),
    "invalid-header": Refusal(400, "`If-Match` names more than one `ETag`, or none"),
    "invalid-frame": Refusal(400, "what was sent over the stream means nothing"),
    "invalid-json": Refusal(400, "the body is not JSON"),
    "invalid-form": Refusal(400, "the form of an upload cannot be read"),
    "broken-body": Refusal(400, "the body broke off, or its encoding cannot be read"),
    "unauthorized": Refusal(401, "no token or session, or one that is not valid here"),
    "forbidden": Refusal(403, "the call needs a higher role, or what it is about is shared and does"),
    "wrong-password": Refusal(401, "nobody signs in with that address and password"),
    "stranger": Refusal(403, "the provider vouches for somebody who may not come in here"),
    "provider-refused": Refusal(403, "the provider did not let them in"),
    "csrf": Refusal(403, "a page's call without its `X-CSRF-Token`"),
    "not-an-agent": Refusal(403, "a token cannot change itself, and has no picture"),
    "foreign-origin": Refusal(403, "a call from another site's page"),
    "not-found": Refusal(404, "there is no such thing, or no such path"),
    "merged": Refusal(404, "the conversation was joined, or the customer merged, to the one that `merged_into` names"),
    "no-original": Refusal(404, "the message did not come from a platform, or what came is not kept any more"),
    "not-ready": Refusal(404, "the bytes of the file are not here"),
    "method-not-allowed": Refusal(405, "the path takes other methods; `Allow` names them"),
    "slow-body": Refusal(408, "the body, or the next piece of a file, did not come within 30 seconds"),
    "not-retryable": Refusal(409, "only `failed`, `unknown` and held replies go out again"),
    "not-cancellable": Refusal(409, "the reply is on its way, or gone"),
    "identity-taken": Refusal(409, "another customer has this address: `customer_id` names them"),
    "merges-itself": Refusal(409, "nothing can be merged into itself"),
    "not-merged": Refusal(409, "this customer was not merged into another"),
    "shortcut-taken": Refusal(409, "another canned reply has this shortcut"),
    "tag-taken": Refusal(409, "there is a tag of this name: merge the two"),
    "email-taken": Refusal(409, "another agent signs in with this address"),
    "cursor-expired": Refusal(410, "events after it are not kept any more"),
    "version-conflict": Refusal(412, "it was changed meanwhile"),
    "too-large": Refusal(413, "a file over 50 MiB, a picture over 1 MiB"),
    "request-entity-too-large": Refusal(413, "a body over 1 MiB"),
    "invalid-body": Refusal(422, "JSON, but not what the call takes: also an `assignee` or `team` that does not exist"),
    "attachment-unknown": Refusal(422, "no such upload of yours"),
    "cannot-begin": Refusal(422, "on this channel only the customer can write first"),
    "channel-gone": Refusal(422, "no such channel in the configuration"),
    "file-too-large": Refusal(422, "the channel carries smaller files only"),
    "html-too-complex": Refusal(422, "the HTML cannot be made harmless"),
    "no-identity": Refusal(422, "the customer cannot be reached by that channel"),
    "unreachable": Refusal(422, "the customer has shut us out on that channel, or is gone there"),
    "bad-address": Refusal(422, "no address of the channel"),
    "message-unknown": Refusal(422, "`reply_to` names no message of this conversation"),
    "no-recipients": Refusal(422, "the channel answers one person: no `to`, `cc`, `bcc`"),
    "not-a-picture": Refusal(422, "by its own bytes it is neither PNG, JPEG, WebP nor GIF"),
    "not-a-reply": Refusal(422, "only replies can be retried, cancelled, changed or deleted"),
    "not-amendable": Refusal(422, "the channel cannot change it, or it does not stand there"),
    "refused-there": Refusal(422, "the platform refuses the change; the detail is what it says"),
    "too-long": Refusal(422, "longer than the channel carries"),
    "too-many-tries": Refusal(429, "wrong passwords; `Retry-After` says for how long"),
    "internal": Refusal(500, "our fault; the log says what, under the `X-Request-ID` of the answer"),
    "provider-unavailable": Refusal(502, "the provider by which agents sign in does not answer, or lies"),
    "unavailable": Refusal(503, "the database is away, or too much is waiting: try again after `Retry-After`"),
    "upgrade-required": Refusal(426, "the stream is a WebSocket, and this is no request for one"),
}

# What is refused of any message to a customer.
WRITING = (
    "attachment-unknown",
    "bad-address",
    "channel-gone",
    "file-too-large",
    "html-too-complex",
    "no-identity",
    "too-long",
    "unreachable",
)
