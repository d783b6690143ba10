-- The columns that worker_images/base/status_sql.py touches, as the API's migrations make them.
CREATE TABLE videos (
    id bigserial PRIMARY KEY,
    tenant_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'UPLOADED',
    error_code text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    duration_s double precision,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE video_jobs (
    id uuid PRIMARY KEY,
    video_id bigint NOT NULL REFERENCES videos,
    tenant_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'QUEUED',
    attempt integer NOT NULL DEFAULT 0,
    hand_backs integer NOT NULL DEFAULT 0,
    worker_id text NOT NULL DEFAULT '',
    lease_expires_at timestamptz,
    percent double precision NOT NULL DEFAULT 0,
    step text NOT NULL DEFAULT '',
    seconds_left double precision,
    error_code text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
