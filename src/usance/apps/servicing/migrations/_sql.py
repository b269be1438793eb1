"""SQL of servicing's tables that Django's models cannot say: the partitioned movements, room for updates in place."""

MOVEMENTS = """
CREATE TABLE servicing_loanmovement (
    institution_id uuid NOT NULL CONSTRAINT movement_institution REFERENCES institutions_institution (id)
        DEFERRABLE INITIALLY DEFERRED,
    booked_on date NOT NULL,
    id uuid NOT NULL,
    recorded_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    loan_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    event_id uuid,
    effective_on date NOT NULL,
    kind varchar(40) NOT NULL,
    component varchar(12) NOT NULL,
    fee_kind varchar(40) NOT NULL,
    tax_kind varchar(40) NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT servicing_loanmovement_pkey PRIMARY KEY (institution_id, booked_on, id),
    CONSTRAINT movement_not_zero CHECK (amount_minor <> 0),
    CONSTRAINT movement_not_in_the_future CHECK (effective_on <= booked_on)
) PARTITION BY RANGE (booked_on);
CREATE INDEX movement_of_loan ON servicing_loanmovement (institution_id, loan_id, booked_on, id);
CREATE INDEX movement_of_entry ON servicing_loanmovement (institution_id, entry_id);
SELECT usance.ensure_partitions('servicing_loanmovement', current_date, (current_date + interval '1 year')::date);
"""

# the nightly close updates nearly every loan: room on the page keeps the new version beside the old one (HOT)
ROOM = "ALTER TABLE servicing_loan SET (fillfactor = 45);"

EARNING_ROOM = "ALTER TABLE servicing_earning SET (fillfactor = 45);"

# loans that run when this version comes: each is folded by the next close, and earns by a line from then on
EARNING_OF_LOANS = """
ALTER TABLE servicing_loan NO FORCE ROW LEVEL SECURITY;
ALTER TABLE institutions_institution NO FORCE ROW LEVEL SECURITY;
INSERT INTO servicing_earning (
    id, institution_id, starts_on, closed_until, agenda_on, product, org_path, merchant, funder, owner_id, status, bucket,
    interest_carried, interest_daily, interest_parts, interest_posted, penalty_carried, penalty_daily, penalty_parts,
    penalty_posted, to_even, interest_minor, penalty_minor, interest_is_late
) SELECT id, institution_id, checkpoint_on, checkpoint_on, checkpoint_on, product, org_path, merchant, funder, owner_id,
    status, bucket, 0, 0, 1, 0, 0, 0, 1, 0, false, 0, 0, false
  FROM servicing_loan WHERE status IN ('active', 'past_due');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE institutions_institution FORCE ROW LEVEL SECURITY;
ALTER TABLE servicing_loan FORCE ROW LEVEL SECURITY;
"""


def _total(line: str, days: str, *, penalty_waits: bool) -> str:
    """What a line has posted after so many days, as `core.loan.quiet` says. No amount is below zero."""
    if penalty_waits and line == "penalty":
        days = f"greatest(0, {days} - s.penalty_since)"
    carried = f"(s.{line}_carried + s.{line}_daily * ({days}))"
    whole = f"div({carried}, s.{line}_parts)"
    return (
        f"({whole} - CASE WHEN s.to_even AND mod({carried}, s.{line}_parts) = 0 THEN mod({whole}, 2) ELSE 0 END "
        f"- s.{line}_posted)::bigint"
    )


_LINES = ", ".join(
    f"{line}_{part}" for line in ("interest", "penalty") for part in ("carried", "daily", "parts", "posted")
)


def movement_lines(*, penalty_waits: bool) -> str:
    """The view of all movements, those of days that were booked for many loans at once too."""

    def of_the_day(line: str) -> str:
        until, since = (
            _total(line, f"d.day - s.starts_on{more}", penalty_waits=penalty_waits) for more in (" + 1", "")
        )
        return f"{until} - {since}"

    span = f"institution_id, recorded_at, product, org_path, starts_on, to_even, {_LINES}"
    if penalty_waits:
        span += ", penalty_since"
    return f"""
CREATE OR REPLACE VIEW servicing_movementline WITH (security_invoker = true) AS
SELECT id, institution_id, loan_id, entry_id, event_id, booked_on, effective_on, kind, component, fee_kind, tax_kind,
    amount_minor FROM servicing_loanmovement
UNION ALL
SELECT md5(s.loan_id::text || d.day || v.kind)::uuid, s.institution_id, s.loan_id, d.entry_id, NULL::uuid, d.day, d.day,
    v.kind, v.component, '', '', v.amount_minor
FROM (
    SELECT loan_id, ends_on, {span} FROM servicing_earned
    UNION ALL SELECT id, closed_until, {span} FROM servicing_earning
) s JOIN servicing_earnedday d ON d.institution_id = s.institution_id AND d.product = s.product
    AND d.org_path = s.org_path AND d.day >= s.starts_on AND d.day < s.ends_on
    AND s.loan_id >= d.first_id AND (d.end_id IS NULL OR s.loan_id < d.end_id)
CROSS JOIN LATERAL (VALUES
    ('interest_accrued', 'interest', {of_the_day("interest")}),
    ('penalty_charged', 'penalty', {of_the_day("penalty")})
) v (kind, component, amount_minor) WHERE v.amount_minor <> 0;
"""  # noqa: S608 (our own names)
