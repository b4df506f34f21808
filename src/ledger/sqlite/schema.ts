import { ORDER_SEED } from "../order_hash.ts";

/**
 * Events per partition of `event_order` (column `span`: `seq` divided by this). Only the newest
 * partition is written, so its pages stay few.
 */
export const PARTITION_EVENTS = 2048;

/** "OSSW": SQLite's `application_id` of a ledger. */
export const APPLICATION_ID = 0x4f535357;

/**
 * Migrations from an empty file to the current schema. SQLite's `user_version` counts the steps
 * that were run on a file. A released step never changes: add a new one.
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
  -- Progress of priming: how far each listing of OpenStack was read. One that was not begun has no row.
  CREATE TABLE priming (listing TEXT PRIMARY KEY, next TEXT, done INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;
  `,
  `
  -- For counting the backlog: no other index tells blocked deliveries apart. With the column of its
  -- own condition, an index answers without reading the rows.
  CREATE INDEX delivery_blocked ON delivery (plugin, seq) WHERE state = 'blocked';
  DROP INDEX event_undetailed;
  CREATE INDEX event_undetailed ON event (seq, detail) WHERE detail IS NULL;
  `,
  `
  -- Most of a commit is pages, so tables that grow with the cloud are laid out to be appended to.
  -- Order keys become hashes (order_hash.ts), in partitions of ${PARTITION_EVENTS} events: only the pages of
  -- the newest partition are written. Look-ups, which operators' commands do, search each partition.
  INSERT OR IGNORE INTO fact (name, value) VALUES ('${ORDER_SEED}', lower(hex(randomblob(8))));

  CREATE TABLE key_of_event (
    span INTEGER NOT NULL, order_key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (span, order_key, seq)
  ) WITHOUT ROWID;
  INSERT OR IGNORE INTO key_of_event (span, order_key, seq)
    SELECT seq / ${PARTITION_EVENTS}, CAST(order_hash((SELECT value FROM fact WHERE name = '${ORDER_SEED}'), order_key) AS INTEGER), seq FROM event_order;
  DROP TABLE event_order;
  ALTER TABLE key_of_event RENAME TO event_order;

  CREATE TABLE key_held (
    plugin INTEGER NOT NULL, order_key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (plugin, order_key, seq)
  ) WITHOUT ROWID;
  INSERT OR IGNORE INTO key_held (plugin, order_key, seq)
    SELECT plugin, CAST(order_hash((SELECT value FROM fact WHERE name = '${ORDER_SEED}'), order_key) AS INTEGER), seq FROM held;
  DROP TABLE held;
  ALTER TABLE key_held RENAME TO held;

  UPDATE event SET order_keys = (
    SELECT json_group_array(CAST(order_hash((SELECT value FROM fact WHERE name = '${ORDER_SEED}'), value) AS INTEGER)) FROM json_each(order_keys));

  -- Rows of 1 to 2 KiB in the order of their creation, found by a small index.
  CREATE TABLE known_server (id TEXT PRIMARY KEY, data TEXT NOT NULL, deleted_at INTEGER);
  INSERT INTO known_server (id, data, deleted_at) SELECT id, data, deleted_at FROM server;
  DROP TABLE server;
  ALTER TABLE known_server RENAME TO server;
  CREATE INDEX server_deleted ON server (deleted_at, id) WHERE deleted_at IS NOT NULL;

  CREATE TABLE known_port (id TEXT PRIMARY KEY, server_id TEXT, changed INTEGER NOT NULL, data TEXT NOT NULL, deleted_at INTEGER);
  INSERT INTO known_port (id, server_id, changed, data, deleted_at) SELECT id, server_id, changed, data, deleted_at FROM port;
  DROP TABLE port;
  ALTER TABLE known_port RENAME TO port;
  CREATE INDEX port_server ON port (server_id, changed) WHERE server_id IS NOT NULL;
  CREATE INDEX port_deleted ON port (deleted_at, id) WHERE deleted_at IS NOT NULL;

  CREATE TABLE known_floatingip (
    id TEXT PRIMARY KEY, port_id TEXT, server_id TEXT, changed INTEGER NOT NULL, data TEXT NOT NULL, deleted_at INTEGER
  );
  INSERT INTO known_floatingip (id, port_id, server_id, changed, data, deleted_at)
    SELECT id, port_id, server_id, changed, data, deleted_at FROM floatingip;
  DROP TABLE floatingip;
  ALTER TABLE known_floatingip RENAME TO floatingip;
  CREATE INDEX floatingip_port ON floatingip (port_id, changed) WHERE port_id IS NOT NULL;
  CREATE INDEX floatingip_server ON floatingip (server_id, changed) WHERE server_id IS NOT NULL;
  CREATE INDEX floatingip_deleted ON floatingip (deleted_at, id) WHERE deleted_at IS NOT NULL;

  -- The deliveries of an event lie side by side, which replaces an index.
  CREATE TABLE delivery_of_event (
    seq INTEGER NOT NULL,
    plugin INTEGER NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    tried_ms INTEGER NOT NULL DEFAULT 0,
    last_attempt_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (seq, plugin)
  ) WITHOUT ROWID;
  INSERT INTO delivery_of_event (seq, plugin, state, due_at, attempts, tried_ms, last_attempt_at, finished_at)
    SELECT seq, plugin, state, due_at, attempts, tried_ms, last_attempt_at, finished_at FROM delivery ORDER BY seq, plugin;
  DROP TABLE delivery;
  ALTER TABLE delivery_of_event RENAME TO delivery;
  CREATE INDEX delivery_ready ON delivery (plugin, due_at, seq) WHERE state = 'ready';
  CREATE INDEX delivery_open ON delivery (seq) WHERE state IN ('new', 'blocked', 'ready');
  CREATE INDEX delivery_retrying ON delivery (seq) WHERE state IN ('new', 'blocked', 'ready') AND attempts > 0;
  CREATE INDEX delivery_blocked ON delivery (plugin, seq) WHERE state = 'blocked';
  CREATE INDEX delivery_dead ON delivery (seq) WHERE state = 'dead';
  CREATE INDEX delivery_dropped ON delivery (seq) WHERE state = 'dropped';
  `,
  `
  -- Order keys of new deliveries are in memory; only those of older ones are written.
  INSERT INTO fact (name, value) VALUES ('unwritten_from', (SELECT coalesce(max(seq), 0) + 1 FROM event));
  `,
  `
  -- A delivery begins as recent: its state is in memory until it was attempted or newer ones took its
  -- place there. Deliveries of the older schema are made to be past that.
  INSERT OR IGNORE INTO held (plugin, order_key, seq)
    SELECT d.plugin, k.value, d.seq FROM delivery AS d INDEXED BY delivery_open
      CROSS JOIN event AS e ON e.seq = d.seq CROSS JOIN json_each(e.order_keys) AS k
    WHERE d.state IN ('new', 'blocked', 'ready');
  UPDATE fact SET value = (SELECT coalesce(max(seq), 0) + 1 FROM event) WHERE name = 'unwritten_from';

  -- Cheap conditions: for a list of states SQLite builds a temporary table whenever a row is written,
  -- which was 75 % of the cost of a write.
  DROP INDEX delivery_open;
  CREATE INDEX delivery_open ON delivery (seq) WHERE finished_at IS NULL AND state <> 'recent';
  DROP INDEX delivery_retrying;
  CREATE INDEX delivery_retrying ON delivery (seq) WHERE finished_at IS NULL AND state <> 'recent' AND attempts > 0;

  -- A repeated message is found by its time and its id. Ids are random: with millions of rows, an index
  -- of ids alone changes one page per message. An index by time is appended to.
  CREATE TABLE known_notification (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    sent TEXT NOT NULL,           -- the time that the message gives; empty for none
    event_type TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    body TEXT,                    -- JSON; NULL once decided, unless it led to an event or was superseded
    outcome TEXT,                 -- NULL until decided
    reason TEXT
  );
  INSERT INTO known_notification (seq, message_id, sent, event_type, received_at, body, outcome, reason)
    SELECT seq, message_id, coalesce(time, ''), event_type, received_at, body, outcome, reason FROM notification;
  DELETE FROM sqlite_sequence WHERE name = 'known_notification';
  INSERT INTO sqlite_sequence (name, seq) SELECT 'known_notification', seq FROM sqlite_sequence WHERE name = 'notification';
  DROP TABLE notification;
  ALTER TABLE known_notification RENAME TO notification;
  CREATE INDEX notification_known ON notification (sent, message_id);
  CREATE INDEX notification_undecided ON notification (seq) WHERE outcome IS NULL;
  CREATE INDEX notification_superseded ON notification (seq) WHERE outcome = 'superseded';
  CREATE INDEX notification_received ON notification (received_at);
  `,
  `
  -- A delivery that was never attempted is queued, and holds its keys without a row of held; memory
  -- reads each plugin's queue from queued_from on. held has the keys of all other unfinished
  -- deliveries. The service's memory can be derived from this file.
  ALTER TABLE plugin ADD COLUMN queued_from INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE plugin ADD COLUMN changes INTEGER NOT NULL DEFAULT 0; -- how often an operator's command has changed what waits
  UPDATE plugin SET queued_from = (SELECT CAST(value AS INTEGER) FROM fact WHERE name = 'unwritten_from');
  INSERT OR IGNORE INTO held (plugin, order_key, seq)
    SELECT d.plugin, k.value, d.seq FROM delivery AS d
      CROSS JOIN event AS e ON e.seq = d.seq CROSS JOIN json_each(e.order_keys) AS k
    WHERE d.seq >= (SELECT CAST(value AS INTEGER) FROM fact WHERE name = 'unwritten_from') AND d.finished_at IS NULL AND d.state <> 'recent';

  DROP INDEX delivery_open;
  DROP INDEX delivery_retrying;
  UPDATE delivery SET state = 'queued'
    WHERE seq >= (SELECT CAST(value AS INTEGER) FROM fact WHERE name = 'unwritten_from') AND state = 'recent';
  CREATE INDEX delivery_open ON delivery (seq) WHERE finished_at IS NULL AND state <> 'queued';
  CREATE INDEX delivery_retrying ON delivery (seq) WHERE finished_at IS NULL AND state <> 'queued' AND attempts > 0;
  DELETE FROM fact WHERE name = 'unwritten_from';
  `,
  `
  -- Times in which notifications may have been lost.
  CREATE TABLE gap (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    brokers TEXT NOT NULL,        -- host:port of each, separated by commas
    exchange TEXT NOT NULL,       -- empty: all that the queue gets
    from_at INTEGER NOT NULL,
    to_at INTEGER,                -- NULL while it lasts
    certainty TEXT NOT NULL,      -- lost, possible
    UNIQUE (queue, brokers, exchange, from_at)
  );
  CREATE INDEX gap_ended ON gap (to_at, seq) WHERE to_at IS NOT NULL;
  CREATE INDEX gap_open ON gap (from_at, seq, to_at) WHERE to_at IS NULL;
  `,
  `
  ALTER TABLE failure ADD COLUMN progress TEXT; -- JSON: what the plugin kept for the next attempt
  `,
  `
  -- Comparisons of memory with OpenStack.
  CREATE TABLE comparison (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    complete INTEGER NOT NULL,    -- 1: it came to an end
    is_full INTEGER NOT NULL,
    data TEXT NOT NULL            -- the report, JSON
  );
  CREATE INDEX comparison_ended ON comparison (ended_at, seq);
  CREATE INDEX comparison_complete ON comparison (is_full, seq) WHERE complete = 1;

  -- Since when the ledger follows the cloud. Of an older ledger that is not known: not before its oldest message.
  INSERT OR IGNORE INTO fact (name, value)
    SELECT 'began_at', coalesce((SELECT min(received_at) FROM notification), CAST(strftime('%s', 'now') AS INTEGER) * 1000)
    WHERE EXISTS (SELECT 1 FROM priming);
  `,
  `
  -- 1: it was done before, and is made again to repair the target.
  ALTER TABLE delivery ADD COLUMN repair INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Servers that have changed: an update is announced when the changes have settled.
  CREATE TABLE pending_update (
    server_id TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL,
    notification INTEGER NOT NULL, -- of the last change
    cause TEXT NOT NULL            -- JSON: what the event says of that notification
  ) WITHOUT ROWID;
  `,
  `
  -- Pauses of plugins.
  ALTER TABLE plugin ADD COLUMN paused_at INTEGER; -- NULL: it is not paused
  ALTER TABLE plugin ADD COLUMN paused_by TEXT;
  ALTER TABLE plugin ADD COLUMN resumed_at INTEGER; -- when the last pause ended
  `,
  `
  -- What operators have done.
  CREATE TABLE audit_trail (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    what TEXT NOT NULL,
    details TEXT NOT NULL         -- JSON
  );
  CREATE INDEX audit_trail_at ON audit_trail (at, seq);
  `,
];
