-- The newest revision: one row. Every writer updates it first and holds its lock until the commit, so that revisions
-- have no gaps and appear in order.
CREATE TABLE inventory_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL,
    identity TEXT NOT NULL -- of this inventory: what is remembered elsewhere about another one does not fit
) WITH (fillfactor = 10);
INSERT INTO inventory_head (id, revision, identity) VALUES (1, 0, replace(gen_random_uuid()::text, '-', ''));

CREATE TABLE inventory_items (
    sku        TEXT COLLATE "C" PRIMARY KEY, -- ordered by bytes, as in SQLite
    name       TEXT NOT NULL,
    quantity   BIGINT NOT NULL CHECK (quantity >= 0),
    revision   BIGINT NOT NULL,
    updated_us BIGINT NOT NULL -- microseconds since 1970, UTC
);

-- What happened, for watchers: trimmed from the front.
CREATE TABLE inventory_changes (
    revision   BIGINT PRIMARY KEY,
    kind       SMALLINT NOT NULL CHECK (kind IN (1, 2)), -- 1 put, 2 deleted
    sku        TEXT COLLATE "C" NOT NULL,
    name       TEXT NOT NULL,
    quantity   BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);
