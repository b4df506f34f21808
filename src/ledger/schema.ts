/** "OSSW": marks a SQLite file as a ledger. */
export const APPLICATION_ID = 0x4f535357;

/**
 * The steps from an empty file to today's form; a file's `user_version` counts the steps it has behind it. A step, once released, never
 * changes: what is new is a new step.
 */
export const STEPS: readonly string[] = [
  `
  CREATE TABLE notification (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    time TEXT,
    received_at INTEGER NOT NULL,
    body TEXT,                    -- JSON; NULL once decided, unless it led to an event or was superseded
    outcome TEXT,                 -- NULL until decided
    reason TEXT
  );
  CREATE INDEX notification_undecided ON notification (seq) WHERE outcome IS NULL;
  CREATE INDEX notification_superseded ON notification (seq) WHERE outcome = 'superseded';
  CREATE INDEX notification_received ON notification (received_at);

  CREATE TABLE rejection (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    exchange TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    body BLOB
  );
  CREATE INDEX rejection_received ON rejection (received_at);

  -- Memory: rows of JSON beside the columns they are looked up by. changed orders the ports of a server.
  CREATE TABLE server (id TEXT PRIMARY KEY, data TEXT NOT NULL, deleted_at INTEGER) WITHOUT ROWID;
  CREATE TABLE port (
    id TEXT PRIMARY KEY, server_id TEXT, changed INTEGER NOT NULL, data TEXT NOT NULL, deleted_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX port_server ON port (server_id, changed) WHERE server_id IS NOT NULL;
  CREATE TABLE floatingip (
    id TEXT PRIMARY KEY, port_id TEXT, server_id TEXT, changed INTEGER NOT NULL, data TEXT NOT NULL, deleted_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX floatingip_port ON floatingip (port_id, changed) WHERE port_id IS NOT NULL;
  CREATE INDEX floatingip_server ON floatingip (server_id, changed) WHERE server_id IS NOT NULL;
  CREATE INDEX server_deleted ON server (deleted_at) WHERE deleted_at IS NOT NULL;
  CREATE INDEX port_deleted ON port (deleted_at) WHERE deleted_at IS NOT NULL;
  CREATE INDEX floatingip_deleted ON floatingip (deleted_at) WHERE deleted_at IS NOT NULL;

  CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    notification INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    data TEXT NOT NULL,           -- the event
    order_keys TEXT NOT NULL,
    detail TEXT,                  -- NULL until made
    missing TEXT
  );
  CREATE INDEX event_undetailed ON event (seq) WHERE detail IS NULL;
  CREATE INDEX event_notification ON event (notification);
  CREATE INDEX event_decided ON event (decided_at);
  CREATE TABLE event_order (order_key TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (order_key, seq)) WITHOUT ROWID;

  CREATE TABLE plugin (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

  -- state: new (no detail yet), blocked (an earlier one with a shared key is unfinished), ready, done, dead, dropped
  CREATE TABLE delivery (
    plugin INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    tried_ms INTEGER NOT NULL DEFAULT 0,
    last_attempt_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (plugin, seq)
  ) WITHOUT ROWID;
  CREATE INDEX delivery_ready ON delivery (plugin, due_at, seq) WHERE state = 'ready';
  CREATE INDEX delivery_open ON delivery (seq) WHERE state IN ('new', 'blocked', 'ready');
  CREATE INDEX delivery_retrying ON delivery (seq) WHERE state IN ('new', 'blocked', 'ready') AND attempts > 0;
  CREATE INDEX delivery_dead ON delivery (seq) WHERE state = 'dead';
  CREATE INDEX delivery_dropped ON delivery (seq) WHERE state = 'dropped';
  CREATE INDEX delivery_event ON delivery (seq);

  -- The order keys that unfinished deliveries hold.
  CREATE TABLE held (
    plugin INTEGER NOT NULL, order_key TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (plugin, order_key, seq)
  ) WITHOUT ROWID;

  -- Attempts that failed: the first 3 and the last 20 of a delivery.
  CREATE TABLE failure (
    plugin INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (plugin, seq, attempt)
  ) WITHOUT ROWID;

  CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `,
  `
  -- How far what was there before us has been read from OpenStack; a listing that was not begun has no row.
  CREATE TABLE priming (listing TEXT PRIMARY KEY, next TEXT, done INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;
  `,
  `
  -- For counting: the other indexes of what waits do not tell a blocked delivery from another; and with the column that its condition is
  -- about, an index answers without the rows.
  CREATE INDEX delivery_blocked ON delivery (plugin, seq) WHERE state = 'blocked';
  DROP INDEX event_undetailed;
  CREATE INDEX event_undetailed ON event (seq, detail) WHERE detail IS NULL;
  `,
];
