"""The statements of `worker_images.messaging.circuit`: one a transition, conditional, atomic.

Table (the API's migrations own it): `provider_circuits(provider text, failures int, open_until
timestamptz null, alerted_at timestamptz null, updated_at timestamptz)`.
"""

from __future__ import annotations

LOOK = """
SELECT failures, extract(epoch FROM open_until - now())::double precision
FROM provider_circuits WHERE provider = %(provider)s
"""

TAKE_PROBE = """
UPDATE provider_circuits
SET open_until = now() + make_interval(secs => %(probe_s)s), updated_at = now()
WHERE provider = %(provider)s AND open_until <= now()
RETURNING provider
"""

FAILED = """
INSERT INTO provider_circuits AS circuit (provider, failures) VALUES (%(provider)s, 1)
ON CONFLICT (provider) DO UPDATE SET
    failures = circuit.failures + 1,
    open_until = CASE WHEN circuit.failures + 1 >= %(open_after)s THEN
        now() + make_interval(secs => least(
            %(longest_s)s::double precision,
            %(first_s)s * 2 ^ least(circuit.failures + 1 - %(open_after)s, 16)
        )) END,
    updated_at = now()
WHERE circuit.open_until IS NULL OR %(probe)s
RETURNING extract(epoch FROM open_until - now())::double precision
"""

ANSWERED = """
WITH before AS (
    SELECT provider, alerted_at IS NOT NULL AS told FROM provider_circuits
    WHERE provider = %(provider)s AND failures > 0 AND (open_until IS NULL OR %(probe)s)
    FOR UPDATE
), closed AS (
    UPDATE provider_circuits
    SET failures = 0, open_until = NULL, alerted_at = NULL, updated_at = now()
    WHERE provider IN (SELECT provider FROM before)
)
SELECT told FROM before
"""

TAKE_ALERT = """
UPDATE provider_circuits SET alerted_at = now(), updated_at = now()
WHERE provider = %(provider)s AND open_until IS NOT NULL AND alerted_at IS NULL
RETURNING provider
"""

GIVE_ALERT_BACK = """
UPDATE provider_circuits SET alerted_at = NULL, updated_at = now()
WHERE provider = %(provider)s RETURNING provider
"""
