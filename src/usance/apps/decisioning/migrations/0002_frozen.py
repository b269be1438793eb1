"""Once proposed, the content of a version no longer changes, whoever tries: what was approved is what is in force."""

from django.db import migrations

MAKE = """
CREATE FUNCTION decisioning_ruleversion_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'a version that was proposed stays' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state <> 'draft' AND (NEW.content IS DISTINCT FROM OLD.content OR NEW.content_hash <> OLD.content_hash) THEN
        RAISE EXCEPTION 'the content of a proposed version does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'published' AND NEW.state NOT IN ('published', 'retired') THEN
        RAISE EXCEPTION 'a published version does not become a draft again' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON decisioning_ruleversion
    FOR EACH ROW EXECUTE FUNCTION decisioning_ruleversion_frozen();
"""
UNDO = "DROP TRIGGER frozen ON decisioning_ruleversion; DROP FUNCTION decisioning_ruleversion_frozen();"


class Migration(migrations.Migration):
    dependencies = [("decisioning", "0001_initial")]
    operations = [migrations.RunSQL(MAKE, UNDO)]
