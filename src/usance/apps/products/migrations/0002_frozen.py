"""Once proposed, the config of a version no longer changes, whoever tries: what was approved is what is in force."""

from django.db import migrations

MAKE = """
CREATE FUNCTION products_productversion_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'a version that was proposed stays' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state <> 'draft' AND (NEW.config IS DISTINCT FROM OLD.config OR NEW.config_hash <> OLD.config_hash) THEN
        RAISE EXCEPTION 'the config of a proposed version does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'published' AND NEW.state NOT IN ('published', 'retired') THEN
        RAISE EXCEPTION 'a published version does not become a draft again' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON products_productversion
    FOR EACH ROW EXECUTE FUNCTION products_productversion_frozen();
"""
UNDO = "DROP TRIGGER frozen ON products_productversion; DROP FUNCTION products_productversion_frozen();"


class Migration(migrations.Migration):
    dependencies = [("products", "0001_initial")]
    operations = [migrations.RunSQL(MAKE, UNDO)]
