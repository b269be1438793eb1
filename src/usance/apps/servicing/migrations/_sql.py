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
