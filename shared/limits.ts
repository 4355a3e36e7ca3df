/** Every limit in one place. Names end in their unit; those that a setting overrides say so. */

/** A document's key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 512;
/** Arrays and objects inside one another in a document. */
export const MAX_DOCUMENT_DEPTH = 1_000;
/** Default of `MAX_DOCUMENT_BYTES`: one document's text. */
export const DEFAULT_MAX_DOCUMENT_BYTES = 1_048_576;
/** Operations in one JSON Patch: a bound on the time that one request may hold the event loop. */
export const MAX_PATCH_OPERATIONS = 1_000;

/** Members of one batch. */
export const MAX_BATCH_MEMBERS = 1_000;
/** The body of a batch, and the documents that it leaves behind, in bytes. */
export const MAX_BATCH_BYTES = 16 * 1_048_576;
/** Bodies of batches that are under way; more are answered 503. */
export const MAX_BATCH_BYTES_UNDER_WAY = 8 * MAX_BATCH_BYTES;

/** Default of `MAX_UPLOAD_BYTES`: one object. */
export const DEFAULT_MAX_UPLOAD_BYTES = 5 * 1_073_741_824;
/** Objects up to this size lie in the KvStore, beside their index entry: one fsync, not four. */
export const MAX_INLINE_OBJECT_BYTES = 65_536;
/** What of a form is read besides its fields and its file: headers of parts, what follows the file. */
export const MAX_FORM_OVERHEAD_BYTES = 131_072;
/** The XML of a request, in bytes. */
export const MAX_XML_BODY_BYTES = 65_536;
/** The XML that lists keys to delete or parts to put together, in bytes. */
export const MAX_LIST_XML_BYTES = 4 * 1_048_576;
/** Keys of one DeleteObjects. */
export const MAX_DELETED_KEYS = 1_000;
/** Objects, uploads or parts in one page of S3's lists. */
export const MAX_PAGE_OBJECTS = 1_000;
/** Parts of one multipart upload. */
export const MAX_PARTS = 10_000;
/** The smallest part but for the last one, in bytes. */
export const MIN_PART_BYTES = 5 * 1_048_576;
/** A multipart upload that nobody completes is aborted after a week, in milliseconds. */
export const UPLOAD_LIFE_MS = 7 * 86_400_000;
/** How often that is looked for, in milliseconds. */
export const UPLOAD_SWEEP_MS = 3_600_000;
/** How long parts of a deleted object stay where other nodes may be reading them, in milliseconds. */
export const PARTS_GRACE_MS = 6 * 3_600_000;
/** How long what was uploaded directly may go unnoticed after its form expired, in milliseconds. */
export const DIRECT_UPLOAD_GRACE_MS = 86_400_000;
/** How long a node that sweeps keeps others from it, in milliseconds. */
export const SWEEP_LEASE_MS = 10 * 60_000;
/** Default of `BACKUP_EVERY`, and the shortest and the longest that may be set, in milliseconds. */
export const DEFAULT_BACKUP_EVERY = '24h';
export const MIN_BACKUP_EVERY_MS = 1_000;
export const MAX_BACKUP_EVERY_MS = 366 * 86_400_000;
/** Default of `BACKUP_KEEP`: scheduled backups. */
export const DEFAULT_BACKUP_KEEP = 7;
/** When a scheduled backup that failed is tried again at the latest, in milliseconds. */
export const BACKUP_RETRY_MS = 10 * 60_000;
/** How long a node that makes a backup has others keep their blobs, and how often it says so, in milliseconds. */
export const BACKUP_LEASE_MS = 5 * 60_000;
export const BACKUP_RENEW_MS = 60_000;
/** How much higher the numbers of a restored store go on than those of its backup. */
export const RESTORED_AHEAD = 2 ** 32;
/** Blobs that are kept for a backup; what more goes meanwhile is left to the next sweep. */
export const MAX_HELD_BLOBS = 200_000;
/** Default of `SUBMIT_MAX_BYTES`: one submitted file. */
export const DEFAULT_SUBMIT_MAX_BYTES = 15 * 1_048_576;
/** Files of one request to `/submit-files`. */
export const MAX_SUBMITTED_FILES = 100;
/** Name and label of a submitted file, in bytes of UTF-8. */
export const MAX_SUBMITTED_NAME_BYTES = 255;
/** The longest life of a signed form, in seconds: a week. */
export const MAX_FORM_SECONDS = 604_800;
/** The life of a form for a submitted file or for a save, in seconds. */
export const SHORT_FORM_SECONDS = 900;
/** The prefix of the keys of saves, in bytes of UTF-8. */
export const MAX_SAVE_PREFIX_BYTES = 512;
/** Slots in one page of a list. */
export const MAX_PAGE_SLOTS = 10_000;
/** Access keys of one user. */
export const MAX_ACCESS_KEYS_PER_USER = 100;

/** Keys in one page of a list. */
export const MAX_PAGE_KEYS = 10_000;

/** A user's name, in characters (code points). */
export const MAX_USER_NAME_CHARS = 64;
/** A password, in bytes of UTF-8: bcrypt reads no more. */
export const MAX_PASSWORD_BYTES = 72;
/** Grants of one user. */
export const MAX_GRANTS = 1_000;
/** The prefix of a grant, in bytes: a bucket's name, a slash and the longest object key of S3. */
export const MAX_GRANT_PREFIX_BYTES = 63 + 1 + 1_024;
/** The body of a request to `/api`, in bytes. */
export const MAX_API_BODY_BYTES = 1_048_576;

/** Default of `BCRYPT_COST`: 2^10 rounds. */
export const DEFAULT_BCRYPT_COST = 10;
/** Passwords waiting to be hashed or verified; more are answered 503. */
export const MAX_QUEUED_PASSWORDS = 128;
/** Verified credentials kept in memory. */
export const MAX_CACHED_CREDENTIALS = 10_000;
/** How long verified credentials are trusted before they are hashed again, in milliseconds. */
export const CACHED_CREDENTIALS_TTL_MS = 5 * 60_000;

/** Wrong passwords from one address for one user in a window, before 429. */
export const MAX_FAILURES_PER_USER = 10;
/** Wrong passwords from one address for all users in a window, before 429. */
export const MAX_FAILURES_PER_ADDRESS = 100;
/** The window of both, in seconds. */
export const FAILURE_WINDOW_SECONDS = 60;

/** A connection without any progress is cut off after this, in milliseconds. */
export const IDLE_TIMEOUT_MS = 60_000;
/** Connections of one listener; each takes a file descriptor, and so do LevelDB's files. */
export const MAX_CONNECTIONS = 20_000;
/** How long a stop waits for answers that clients do not fetch, in milliseconds. */
export const UNREAD_GRACE_MS = 2_000;
/** How long a stop waits for what is in flight, in milliseconds. */
export const SHUTDOWN_GRACE_MS = 10_000;
/** Bytes of a refused body that are read and thrown away, so that the client sees the answer. */
export const MAX_DRAINED_BYTES = 16 * 1_048_576;

/** Default of `CHANGES_KEEP`: entries of the change log. */
export const DEFAULT_CHANGES_KEEP = 1_000_000;
/** Changes in one page of the feed. */
export const MAX_PAGE_CHANGES = 1_000;
/** How long a request for changes may wait for one, in seconds. */
export const MAX_WAIT_SECONDS = 55;
/** How often a feed without changes says that it is there, in milliseconds. */
export const HEARTBEAT_MS = 15_000;
/** How long a client of a feed may take nothing before it is dropped, in milliseconds. */
export const SLOW_READER_MS = 30_000;
/** Feeds under way at one time, and those of one socket; more are answered 503 and 429. */
export const MAX_FEEDS = 10_000;
export const MAX_FEEDS_PER_SOCKET = 20;
/** Commits waiting for the disk; more are answered 503. */
export const MAX_QUEUED_COMMITS = 20_000;
/** Bytes of values waiting for the disk; more are answered 503. */
export const MAX_QUEUED_COMMIT_BYTES = 256 * 1_048_576;

/**
 * Default of `MIN_FREE_BYTES`: free space of the disk below which writes are refused, so that LevelDB never
 * meets a full disk. What two looks at it let through has to fit in.
 */
export const DEFAULT_MIN_FREE_BYTES = 256 * 1_048_576;
/** How often the free space is looked at, in milliseconds. */
export const FREE_SPACE_CHECK_MS = 1_000;
/** How long a write that failed keeps `?ready` red where later ones may go well, in milliseconds. */
export const UNREADY_AFTER_FAILURE_MS = 15_000;

/** Envelopes of one socket that have no answer yet; more are answered 429. */
export const MAX_OUTSTANDING_ENVELOPES = 1_024;
/** Bytes of answers that a socket's client has not read; past it the socket is closed. */
export const MAX_UNSENT_BYTES = 8 * 1_048_576;
/** The path and query of an envelope, in characters. */
export const MAX_ENVELOPE_URL_CHARS = 16_384;
/** The headers of an envelope that count, in characters: what HTTP's headers may have in all. */
export const MAX_ENVELOPE_HEADER_CHARS = 16_384;
/** The id of an envelope, in characters of its JSON text. */
export const MAX_ENVELOPE_ID_CHARS = 1_024;

/** One Socket.IO message, in bytes: a document escaped as a string, and its envelope. */
export function maxMessageBytes(maxDocumentBytes: number): number {
  return 2 * maxDocumentBytes + 65_536;
}
