-- Parameters: accounts, projects of each, hash of everybody's password. The same numbers as `flask seed` is given.
INSERT INTO users (email, password_hash)
SELECT 'user' || n || '@bench.example', %(hashed)s FROM generate_series(1, %(accounts)s) AS n;

INSERT INTO projects (owner_id, name, description, created_at, updated_at)
SELECT u.id, 'Project ' || k, 'Plan, budget and notes; looked at by its owner every second week.',
    timestamptz '2025-01-01 00:00:00Z' + k * interval '1 hour', timestamptz '2025-01-01 00:00:00Z' + k * interval '1 hour'
FROM users AS u CROSS JOIN generate_series(1, %(projects_each)s) AS k;

CREATE INDEX projects_of_owner ON projects (owner_id, created_at DESC, id DESC);
