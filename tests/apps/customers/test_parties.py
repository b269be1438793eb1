"""What is known of a party: said by somebody on a day, never edited, found again, looked at on the record."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import Error, transaction
from django.db.models import Q

from tests.apps.customers.conftest import AT, ON, PHONE
from usance.apps.audit import selectors as audit_trail
from usance.apps.customers import fields, selectors, services
from usance.apps.customers.models import Fact, Party
from usance.apps.customers.refusals import IdentityNumberNotValid, PhoneOfSomeoneElse
from usance.ports import actor as actors
from usance.ports.actor import SYSTEM

CLERK = actors.staff(uuid4(), label="underwriter")
NUMBER = "087084000999"


def state(party_id: UUID, source: str = "applicant", days: int = 0, **facts: object) -> None:
    at = AT + timedelta(days=days)
    services.state_facts(party_id=party_id, facts=facts, source=source, actor=CLERK, at=at, on=at.date())


def someone(**facts: object) -> UUID:
    made = services.add_party(language="vi", on=ON, actor=SYSTEM)
    state(made, **facts)
    return made


def test_the_latest_statement_counts_and_the_earlier_ones_stay(party_id: UUID) -> None:
    state(party_id, income_minor=10_000_000)
    state(party_id, source="document", days=1, income_minor=8_000_000)
    known = selectors.profile(party_id)
    assert known.values["income_minor"] == 8_000_000
    assert known.sources["income_minor"].source == "document"
    assert known.sources["income_minor"].actor_kind == "staff"
    assert [said.value for said in known.said["income_minor"]] == [8_000_000, 10_000_000]
    assert known.display_name == "Nguyễn Văn Mẫu"


def test_facts_cannot_be_edited_or_deleted(party_id: UUID) -> None:
    for change in (lambda: Fact.objects.update(source="staff"), lambda: Fact.objects.all()._raw_delete("default")):
        with pytest.raises(Error), transaction.atomic():
            change()


def test_a_fact_must_be_a_field_of_the_right_kind(party_id: UUID) -> None:
    for wrong in ({"shoe_size": 42}, {"income_minor": "much"}, {"birth_date": "1984-05-17"}, {"housing": "castle"}):
        with pytest.raises(fields.NotAField):
            state(party_id, **wrong)
    with pytest.raises(fields.NotAField):
        state(party_id, source="rumour", city="Huế")


def test_a_decision_sees_the_age_but_nothing_that_names_the_person(party_id: UUID) -> None:
    state(party_id, income_minor=9_000_000, employment="employed", address="1 Demo Street", sex="female")
    assert selectors.facts_for_decision(party_id, date(2026, 5, 16)) == {
        "income_minor": 9_000_000,
        "employment": "employed",
        "age_years": 41,
    }
    assert selectors.facts_for_decision(party_id, date(2026, 5, 17))["age_years"] == 42


def test_the_identity_number_is_checked_and_replaced_as_history(party_id: UUID) -> None:
    def set_number(number: str) -> None:
        known = selectors.profile(party_id)
        services.set_identity_number(
            party_id=party_id,
            number=number,
            birth_date=known.birth_date,
            source="applicant",
            actor=CLERK,
            at=AT,
            on=ON,
        )

    set_number(NUMBER)
    set_number(NUMBER)
    assert selectors.profile(party_id).identity_number == NUMBER
    with pytest.raises(IdentityNumberNotValid):
        set_number("087085000999")  # of 1985, but born in 1984
    assert selectors.profile(party_id).identity_number == NUMBER
    set_number("001084123456")
    assert selectors.profile(party_id).identity_number == "001084123456"
    assert Party.objects.get(pk=party_id).identity_numbers.count() == 2


def test_a_verified_phone_belongs_to_one_party(party_id: UUID) -> None:
    other = someone(given_name="Khác")
    contact = services.add_contact(party_id=other, kind="phone", value=PHONE, actor=CLERK, at=AT)
    assert selectors.current_contact(other, "phone") is None  # not verified: no message goes there
    with pytest.raises(PhoneOfSomeoneElse):
        services.verify_contact(contact_id=contact, actor=CLERK, at=AT)
    owner = selectors.current_contact(party_id, "phone")
    assert owner is not None
    services.end_contact(contact_id=owner.contact_id, because="given back", actor=CLERK, at=AT)
    services.verify_contact(contact_id=contact, actor=CLERK, at=AT)
    assert selectors.party_with_phone(PHONE) == other


def test_an_unreachable_address_is_not_written_to_until_it_is_verified_again(party_id: UUID) -> None:
    services.mark_unreachable(party_id=party_id, kind="phone", value=PHONE, at=AT)
    assert selectors.current_contact(party_id, "phone") is None
    assert selectors.profile(party_id).phone == ""


@pytest.mark.parametrize(
    "text",
    ["0912 345 678", PHONE, "5678", NUMBER, "0999", "nguyen mau", "MẪU", "Van Nguyen", "mau@example.com"],
)
def test_a_party_is_found_by_what_staff_would_type(party_id: UUID, text: str) -> None:
    services.set_identity_number(party_id=party_id, number=NUMBER, source="applicant", actor=CLERK, at=AT, on=ON)
    services.add_contact(party_id=party_id, kind="email", value="Mau@example.com", actor=CLERK, at=AT)
    someone(family_name="Trần", given_name="Khác", birth_date=date(1990, 1, 1))
    assert [party.pk for party in selectors.search(text)] == [party_id]


@pytest.mark.parametrize("text", ["", "nguyen khac", "1234", "+84912345679", "@", "xyz@", "%"])
def test_what_fits_nobody_finds_nobody(party_id: UUID, text: str) -> None:
    assert not selectors.search(text).exists()


def test_search_finds_by_reference_and_stays_in_the_data_scope(party_id: UUID) -> None:
    services.move_party(party_id=party_id, org_path="root.branch1", actor=CLERK)
    reference = selectors.party_row(party_id).reference
    assert selectors.search(reference.lower(), Q(org_path__startswith="root.branch1")).count() == 1
    assert selectors.search(reference, Q(org_path__startswith="root.branch2")).count() == 0
    with pytest.raises(Party.DoesNotExist):
        selectors.party_row(party_id, Q(org_path__startswith="root.branch2"))


def test_duplicates_are_found_by_number_phone_name_and_address(party_id: UUID) -> None:
    services.set_identity_number(party_id=party_id, number=NUMBER, source="applicant", actor=CLERK, at=AT, on=ON)
    twin = someone(family_name="NGUYEN", given_name="mau", birth_date=date(1984, 5, 17))
    same_number = someone(given_name="Khác")
    services.set_identity_number(party_id=same_number, number=NUMBER, source="applicant", actor=CLERK, at=AT, on=ON)
    same_phone = someone(family_name="Nguyễn", given_name="Khác")  # a common name alone is no duplicate
    services.add_contact(party_id=same_phone, kind="phone", value=PHONE, actor=CLERK, at=AT)
    found = {duplicate.party_id: duplicate.by for duplicate in selectors.duplicates(party_id)}
    assert found == {twin: ("name_birth",), same_number: ("identity_number",), same_phone: ("phone",)}


def test_lists_are_masked_and_a_look_at_the_data_is_on_record(party_id: UUID) -> None:
    masked = selectors.summaries([party_id])[party_id]
    assert (masked.name, masked.phone) == ("N••• V••• M•••", "+84 •••• 5678")
    assert not audit_trail.who_looked((services.PARTY, party_id)).exists()
    assert services.reveal_list(party_ids=[party_id], actor=CLERK)[party_id].name == "Nguyễn Văn Mẫu"
    assert services.reveal(party_id=party_id, fields=["birth_date"], actor=CLERK).birth_date == date(1984, 5, 17)
    looks = list(audit_trail.who_looked((services.PARTY, party_id)))
    assert len(looks) == 2
    assert all(look.actor_id == CLERK.id for look in looks)


def test_names_in_a_ukrainian_institution_end_with_the_patronymic(fresh_db: str) -> None:
    from tests.support import institutions
    from usance.apps.institutions import tenancy

    values = {"family_name": "Зразок", "given_name": "Проба", "middle_name": "Тестівна"}
    institution = institutions.found("ua")
    with tenancy.bound(institution.pk), transaction.atomic():
        assert selectors.full_name(values) == "Зразок Проба Тестівна"


def test_an_organisation_has_one_name_and_is_found_by_it(institution: object) -> None:
    made = services.add_party(kind="organisation", language="vi", on=ON, actor=SYSTEM)
    state(made, legal_name="Công ty Mẫu Số Một", registration_number="0100000001")
    assert selectors.profile(made).display_name == "Công ty Mẫu Số Một"
    assert [party.pk for party in selectors.search("cong ty mau")] == [made]
