"""docs/architecture.md shows the house as it stands: features, contracts, and the permission table of the policy."""

import configparser

from app.files import policy as files
from app.invitations import policy as invitations
from app.members import policy as members
from app.projects import policy
from app.projects.models import ProjectRole, ProjectStatus
from tests.docs.pages import DOCS, NONE, ROOT, read, section, table, words

PAGE = read(DOCS / "architecture.md")
ROOMS = {"cli", "core", "web"}
ROLES = [role.value for role in ProjectRole]


def test_every_feature_and_room_is_in_the_layout():
    rows = table(section(PAGE, "Layout"), "Path", "What it is")
    told = {
        word.split("/")[1]
        for row in rows
        for word in words(row["Path"])
        if word.startswith("app/") and word.endswith("/")
    }
    assert told == {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    assert told >= ROOMS


def test_every_contract_is_told():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    names = {name.rpartition(":")[2] for name in contracts.sections() if ":contract:" in name}
    rows = table(section(PAGE, "Import contracts"), "Contract", "What it keeps")
    assert {words(row["Contract"])[0] for row in rows} == names


def test_the_order_of_features_is_the_contracts():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:house"]["layers"].split()
    order = layers[layers.index("admin") : layers.index("users") + 1]
    assert f"features in their order ({', '.join(order)})" in PAGE


def test_the_permission_table_is_the_policy():
    rows = table(section(PAGE, "Permissions in a project"), "May", *ROLES)
    assert {row["May"]: [row[role] for role in ROLES] for row in rows} == {
        "`can_read`": marks(lambda role: policy.can_read(role, ProjectStatus.active)),
        "`can_read` in the trash": marks(lambda role: policy.can_read(role, ProjectStatus.deleted)),
        **{f"`{name}`": marks(getattr(policy, name)) for name in verbs(policy) - {"can_read"}},
        "`can_change` files: upload, rename, trash, restore": marks(files.can_change),
        "`can_purge` a file in the trash": marks(files.can_purge),
        "`can_manage` members, see their addresses": marks(members.can_manage),
        "`can_invite`, see who is invited": marks(invitations.can_invite),
        "`can_transfer`": marks(members.can_transfer),
    }
    assert verbs(files) >= {"can_change", "can_purge"}
    assert verbs(members) == {"can_manage", "can_transfer"}
    assert marks(members.sees_addresses) == marks(members.can_manage)


def verbs(table_of):
    return {name for name in vars(table_of) if name.startswith("can_")}


def marks(permitted):
    return ["yes" if permitted(role) else NONE for role in ROLES]
