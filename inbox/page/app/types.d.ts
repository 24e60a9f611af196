/** What the public API gives, as far as the page looks at it: docs/api.md and docs/message-schema.md say the rest. */

export interface Page<T> { items: T[]; next: string | null }

export interface Me {
  id: string; name: string; email: string | null; role: "agent" | "supervisor" | "admin"; teams: string[];
  signature: string | null; picture: string | null; csrf_token: string | null;
}

export interface Agent { id: string; name: string; email: string; role: Me["role"]; teams: string[]; active: boolean; picture: string | null }
export interface Team { id: string; name: string }

export type Status = "open" | "pending" | "snoozed" | "resolved";
export type Priority = "low" | "normal" | "high" | "urgent";

export interface Preview {
  id: string; seq: number; kind: "message" | "event"; direction: Direction; channel: string; author: string | null;
  text: string; at: string;
}

/** Where the words of a search stand; `ranges` are the begin and the end of each, in UTF-16 code units. */
export interface Found { message_id: string | null; seq: number | null; text: string; ranges: [number, number][] }

export interface Conversation {
  id: string; subject: string | null; status: Status; assignee: string | null; team: string | null; tags: string[];
  priority: Priority; snoozed_until: string | null; followers: string[];
  customer: { id: string; name: string | null; avatar: string | null } | null;
  channels: string[]; last_message: Preview | null; last_seq: number; unread: number; waiting_since: string | null;
  previous_id: string | null; merged_into: string | null; version: number; created_at: string; updated_at: string;
  found: Found | null;
}

/** A conversation as an event tells it: without what the API adds for its reader. */
export type ToldConversation = Omit<Conversation, "customer" | "unread" | "found"> & { customer_id: string; inbound: number };

export type Direction = "inbound" | "outbound" | "note";
export type DeliveryState =
  "queued" | "scheduled" | "waiting" | "sending" | "sent" | "delivered" | "read" | "failed" | "unknown" | "cancelled";

export interface Author { type: "customer" | "agent" | "bot" | "system"; id: string | null; name: string | null; identity_id: string | null }

export interface Attachment {
  id: string; filename: string; content_type: string; size: number | null; inline: boolean; content_id: string | null;
  state: "ready" | "pending" | "too_large" | "blocked" | "expired";
}

export interface Delivery {
  state: DeliveryState; attempts: number; error: { code: string | null; text: string; temporary: boolean } | null;
  next_attempt_at: string | null; unless_customer_writes: boolean; sent_at: string | null; delivered_at: string | null; read_at: string | null;
  recipients: { address: string; state: DeliveryState; code: string | null; text: string | null }[];
}

export interface Message {
  id: string; conversation_id: string; customer_id: string; seq: number; kind: "message" | "event"; direction: Direction;
  channel: string; connector: string; author: Author; text: string; html: string | null; quoted: string | null;
  subject: string | null; parts: { type: string; text: string; data: Record<string, unknown> }[];
  attachments: Attachment[]; relations: { reply_to: string | null; mentions: string[] };
  external: { id: string | null; original_id: string | null };
  revisions: { text: string; html: string | null; until: string }[]; deleted_at: string | null;
  reactions: { emoji: string; author: Author; at: string }[];
  sent_at: string | null; received_at: string | null; created_at: string; delivery: Delivery | null;
  flags: { auto_submitted: boolean; bulk: boolean; bounce: boolean; spam: boolean;
           authenticated: { spf: string | null; dkim: string | null; dmarc: string | null } | null };
  channel_data: Record<string, any>;
}

export interface Identity {
  id: string; kind: string; value: string; name: string | null; verified: boolean; unreachable: Record<string, string>;
}

export interface Customer {
  id: string; name: string | null; avatar: string | null; identities: Identity[];
  fields: Record<string, string | number | boolean | null>; merged: string[]; merged_into: string | null; version: number;
  created_at: string; updated_at: string;
}

export interface CustomerNote {
  id: string; customer_id: string; author: Author; editor: Author | null; text: string; version: number;
  created_at: string; updated_at: string;
}

export interface Way {
  channel: string; connector: string; state: string; default: boolean; identity: Identity | null; cc: string[];
  refused: { type: string; detail: string } | null;
}

export interface Channel {
  id: string; connector: string; state: string; reason: string | null; since: string | null; last_in: string | null;
  last_out: string | null; capabilities: Record<string, any> | null;
}

export interface CannedReply {
  id: string; shortcut: string; title: string; text: string; html: string | null; team: string | null; version: number;
}

export type Colour = "grey" | "red" | "orange" | "yellow" | "green" | "teal" | "blue" | "purple" | "pink";
export interface Tag { name: string; colour: Colour | null; description: string | null; conversations: number; leaving: boolean }

export interface View { id: string; name: string; shared: boolean; team: string | null; owner: string; sort: string }

export interface Counts {
  statuses: Record<Status, number>; mine: number; unassigned: number;
  teams: Record<string, number>; channels: Record<string, number>; tags: Record<string, number>;
}

export interface Draft {
  text: string; html: string | null; attachments: string[]; direction: "outbound" | "note"; channel: string | null;
  to: string[]; cc: string[]; bcc: string[]; reply_to: string | null;
}

export type StoredDraft = Draft & { conversation_id: string; files: Attachment[] };

export interface Told {
  id: string; type: string; at: string; conversation_id: string | null; message_id: string | null;
  /** An event's; a signal has none. */
  data?: { message?: Message; conversation?: ToldConversation; customer?: { id: string; merged_into?: string | null } };
  author?: Author; state?: "here" | "gone";
}
