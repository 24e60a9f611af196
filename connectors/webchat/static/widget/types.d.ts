/** The web chat protocol (docs/webchat-protocol.md) as far as the widget looks at it, and what its parts hand on. */

declare global {
  /** Put in by the server: what the files are called under `assets/`, the first of them being the one to start. */
  const SANTRAL_MODULES: string[];
  interface Window {
    Santral?: {
      open(): void; close(): void; identify(token: string): Promise<void>; logout(): Promise<void>;
      on(event: string, listener: (detail: any) => void): () => void;
    };
  }
}

export interface Widget {
  open(): void; close(): void; identify(token: string): Promise<void>; logout(): Promise<void>;
}

export interface Field { name: string; label: string | null; type: "text" | "email" | "tel"; required: boolean }

/** All may be missing: a server of another version, or one that did not answer. */
export interface Settings {
  name?: string; locale?: string; greeting?: string;
  theme?: { accent: string | null; side: "right" | "left" };
  prechat?: { fields: Field[]; consent: string | null } | null;
  hours?: { open: boolean; changes_at: string | null } | null;
  rating?: boolean; call_back?: boolean; identifies?: boolean;
}

export interface Start {
  base: string; style: string; link: string; settings: Settings; tag: { locale: string | null; open: boolean };
  emit(event: string, detail?: unknown): void;
}

export interface Author { type: string; name: string | null; picture?: string | null }
export interface Attachment { id: string; filename: string; content_type: string; size: number | null; state: string }
export interface Button { label: string; value: string }
export interface Part { type: string; text: string; data: { buttons?: Button[]; score?: number; phone?: string } }

export interface Message {
  id: string; client_id: string | null; conversation_id: string | null; kind: string; direction: string; author: Author;
  text: string; parts: Part[]; attachments: Attachment[]; sent_at: string | null; received_at: string | null;
  edited: boolean; deleted: boolean; read?: boolean;
}

export interface Details { fields: Record<string, string>; consent: string | null }

export interface Frame { type: string; client_id?: string; [field: string]: any }

/** What waits to be acknowledged. `shown` is what of it stands in the log meanwhile. */
export interface Unsent {
  id: string; at: number; tab: string; error: string | null; frame: Frame;
  shown: { text: string; attachments: Attachment[] } | null;
}

export interface Transport { send(frame: Frame): void; close(): void }

/** A transport says each of these of itself; `code` is the WebSocket's, or 0. */
export interface Ear { onOpen(): void; onFrame(frame: Frame): void; onClose(code: number): void }

export interface Upload {
  key: string; file: File; state: "uploading" | "ready" | "failed" | "too_large"; progress: number;
  kept: Attachment | null; stop: () => void;
}
