"""SQL of the ledger's tables that Django's models cannot say: partitions, the view of lines, the guard of periods."""

# A new month's partition is made empty and then attached: attaching lets writers of other months go on. Runs with the
# owner's rights, because the application's role owns nothing; it can only ever make months of these two tables.
PARTITIONS = """
CREATE SCHEMA IF NOT EXISTS usance;
CREATE OR REPLACE FUNCTION usance.ensure_partitions(parent text, from_day date, until date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    month date := date_trunc('month', from_day);
    part text;
    made integer := 0;
BEGIN
    IF parent NOT IN ('ledger_transfer', 'servicing_loanmovement') OR from_day < '1990-01-01' OR until > '2200-01-01' THEN
        RAISE EXCEPTION 'no partitions of % from % until %', parent, from_day, until USING ERRCODE = 'check_violation';
    END IF;
    WHILE month <= until LOOP
        part := parent || to_char(month, '_YYYY_MM');
        IF to_regclass('public.' || part) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('usance.ensure_partitions'));
            IF to_regclass('public.' || part) IS NULL THEN
                EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
                IF to_regprocedure('usance.current_institution()') IS NOT NULL THEN
                    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', part);
                    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', part);
                    EXECUTE format('CREATE POLICY own_institution ON public.%I USING (institution_id = (SELECT '
                        'usance.current_institution())) WITH CHECK (institution_id = (SELECT usance.current_institution()))', part);
                END IF;
                EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                    parent, part, month, (month + interval '1 month')::date);
                made := made + 1;
            END IF;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END
$$;
"""

TRANSFERS = """
CREATE TABLE ledger_transfer (
    institution_id uuid NOT NULL CONSTRAINT transfer_institution REFERENCES institutions_institution (id)
        DEFERRABLE INITIALLY DEFERRED,
    booked_on date NOT NULL,
    id uuid NOT NULL,
    recorded_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    entry_id uuid NOT NULL,
    debit_id uuid NOT NULL,
    credit_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    branch varchar(200) NOT NULL,
    product varchar(60) NOT NULL,
    merchant varchar(60) NOT NULL,
    funder varchar(60) NOT NULL,
    loan_id uuid,
    CONSTRAINT ledger_transfer_pkey PRIMARY KEY (institution_id, booked_on, id),
    CONSTRAINT transfer_amount_positive CHECK (amount_minor > 0),
    CONSTRAINT transfer_two_accounts CHECK (debit_id <> credit_id)
) PARTITION BY RANGE (booked_on);
CREATE INDEX transfer_of_entry ON ledger_transfer (institution_id, entry_id);
CREATE INDEX transfer_by_debit ON ledger_transfer (institution_id, debit_id, booked_on);
CREATE INDEX transfer_by_credit ON ledger_transfer (institution_id, credit_id, booked_on);
SELECT usance.ensure_partitions('ledger_transfer', current_date, (current_date + interval '1 year')::date);
"""

# Entries are the lines of their transfers, seen from both sides. The reader's own rights and row-level security count.
LINES = """
CREATE OR REPLACE VIEW ledger_line WITH (security_invoker = true) AS
SELECT id::text || 'd' AS id, institution_id, id AS transfer_id, entry_id, booked_on, debit_id AS account_id,
       credit_id AS other_id, 'd' AS side, amount_minor, branch, product, merchant, funder, loan_id
FROM ledger_transfer
UNION ALL
SELECT id::text || 'c', institution_id, id, entry_id, booked_on, credit_id, debit_id, 'c', -amount_minor, branch,
       product, merchant, funder, loan_id
FROM ledger_transfer;
"""

# No entry in a locked period, whoever writes it.
LOCKED = """
CREATE OR REPLACE FUNCTION usance.refuse_locked_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM public.ledger_period p WHERE p.institution_id = NEW.institution_id AND p.locked_at IS NOT NULL
               AND NEW.booked_on >= p.starts_on AND NEW.booked_on < p.ends_on) THEN
        RAISE EXCEPTION 'the period of % is locked', NEW.booked_on USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER period_is_open BEFORE INSERT ON ledger_journalentry
    FOR EACH ROW EXECUTE FUNCTION usance.refuse_locked_period();
"""
