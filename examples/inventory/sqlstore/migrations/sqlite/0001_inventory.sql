-- The newest revision: one row. Every writer updates it first, so that revisions have no gaps and appear in order.
CREATE TABLE inventory_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    identity TEXT NOT NULL -- of this inventory: what is remembered elsewhere about another one does not fit
) STRICT;
INSERT INTO inventory_head (id, revision, identity) VALUES (1, 0, lower(hex(randomblob(16))));

CREATE TABLE inventory_items (
    sku        TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity >= 0),
    revision   INTEGER NOT NULL,
    updated_us INTEGER NOT NULL -- microseconds since 1970, UTC
) STRICT, WITHOUT ROWID;

-- What happened, for watchers: trimmed from the front.
CREATE TABLE inventory_changes (
    revision   INTEGER PRIMARY KEY,
    kind       INTEGER NOT NULL CHECK (kind IN (1, 2)), -- 1 put, 2 deleted
    sku        TEXT NOT NULL,
    name       TEXT NOT NULL,
    quantity   INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
