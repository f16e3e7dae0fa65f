"""The two sides held against each other, through their public interfaces only and with a mapping written down here, apart
from the service's own."""

import unicodedata

STAMP = ("microsoftId", "microsoftType", "microsoftIsDeleted", "microsoftSyncStatus", "microsoftSyncedAt")

TEXT = {  # Marketo field: column, for both tables
    "salutation": "salutation", "firstName": "firstname", "middleName": "middlename", "lastName": "lastname",
    "email": "emailaddress1", "title": "jobtitle", "phone": "telephone1", "mobilePhone": "mobilephone", "fax": "fax",
    "address": "address1_line1", "city": "address1_city", "state": "address1_stateorprovince",
    "country": "address1_country", "postalCode": "address1_postalcode", "mktoPersonNotes": "description",
}
FLAGS = {"doNotCall": "donotphone", "unsubscribed": "donotbulkemail"}
LEAD_TEXT = {"company": "companyname"}
LEAD_CHOICE = {"leadSource": "leadsourcecode"}
LABEL = "@OData.Community.Display.V1.FormattedValue"


def canonical(text):
    if text is None:
        return None
    text = unicodedata.normalize("NFC", str(text)).replace("\r\n", "\n").strip()
    return text or None


def pairs_of(table):
    text = dict(TEXT)
    if table == "lead":
        text.update(LEAD_TEXT)
    return text


def unexplained(world):
    """Like differences, less what an open error row names: (linked rows, rows without a person, differing fields)."""
    errors = world.sql("SELECT record_id, field FROM error WHERE resolved_at IS NULL")
    records, fields = {row[0] for row in errors}, {tuple(row) for row in errors}
    linked, alone, wrong = differences(world)
    return (linked, [row for row in alone if row[1] not in records],
            [row for row in wrong if (row[1], row[2]) not in fields])


def differences(world):
    """(linked rows, rows without a person, list of differing fields), read as an administrator would."""
    marketo, dynamics = world.marketo("marketer"), world.dynamics("seller")
    wanted = [*TEXT, *FLAGS, *LEAD_TEXT, *LEAD_CHOICE, *STAMP]
    people = marketo.everybody(wanted)
    by_stamp = {}
    for person in people.values():
        if person.get("microsoftId"):
            by_stamp.setdefault(person["microsoftId"].lower(), []).append(person)
    linked, alone, wrong = 0, [], []
    for table in ("contact", "lead"):
        columns = [*pairs_of(table).values(), *FLAGS.values(), *(LEAD_CHOICE.values() if table == "lead" else ())]
        for row in dynamics.query(table, columns=columns, with_labels=True):
            record = row[table + "id"]
            persons = by_stamp.pop(record, [])
            if len(persons) != 1:
                alone.append((table, record, len(persons)))
                continue
            linked += 1
            wrong += compare(table, record, row, persons[0])
    wrong += [("stamp of nobody", record) for record in by_stamp]
    return linked, alone, wrong


def compare(table, record, row, person):
    wrong = []
    if (person.get("microsoftType") or "").lower() != table:
        wrong.append((table, record, "microsoftType"))
    for field, column in pairs_of(table).items():
        if canonical(person.get(field)) != canonical(row[column]):
            wrong.append((table, record, field))
    for field, column in FLAGS.items():
        if bool(person.get(field)) != bool(row[column]):
            wrong.append((table, record, field))
    if table == "lead":
        for field, column in LEAD_CHOICE.items():
            if canonical(person.get(field)) != canonical(row.get(column + LABEL)):
                wrong.append((table, record, field))
    return wrong


def linked_person(world, table="contact"):
    """Some person with a record of the table: (person id, record id)."""
    people = world.marketo("marketer").everybody(("microsoftId", "microsoftType"))
    for person in people.values():
        if (person.get("microsoftType") or "").lower() == table:
            return person["id"], person["microsoftId"].lower()
    raise AssertionError(f"nobody is linked to a {table}")


def stamped(world, person_id):
    """The stamp of a person as a dict."""
    return world.marketo("marketer").person(person_id, *STAMP)
