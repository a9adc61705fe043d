"""Gives the loader exactly the permissions in acls.toml. Not to be changed.

Logs in as the administrator of the brokers, by a certificate.
"""

import sys
import time
import tomllib

from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient,
                                   ResourcePatternType, ResourceType)

from settings import ADMIN, GROUP, LOADER, TOPIC

PATIENCE = 30


def wanted():
    with open("acls.toml", "rb") as file:
        entries = tomllib.load(file).get("allow", [])
    try:
        return {AclBinding(ResourceType[e["resource"]], e["name"].format(topic=TOPIC, group=GROUP),
                           ResourcePatternType[e.get("pattern", "LITERAL")], f"User:{LOADER}", "*",
                           AclOperation[e["operation"]], AclPermissionType.ALLOW) for e in entries}
    except KeyError as error:
        sys.exit(f"acls.toml: {error} is missing, or is no word of Kafka")


def now(admin):
    every = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{LOADER}", None,
                             AclOperation.ANY, AclPermissionType.ANY)
    return set(admin.describe_acls(every).result(PATIENCE))


def main():
    admin, want = AdminClient(ADMIN), wanted()
    have = now(admin)
    spare = [AclBindingFilter(a.restype, a.name, a.resource_pattern_type, a.principal, a.host, a.operation, a.permission_type)
             for a in have - want]
    for done in admin.delete_acls(spare).values() if spare else ():
        done.result(PATIENCE)
    for done in admin.create_acls(list(want - have)).values() if want - have else ():
        done.result(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while now(admin) != want:
        if time.monotonic() > deadline:
            sys.exit(f"the broker does not apply the permissions within {PATIENCE} s")
        time.sleep(0.05)
    for acl in sorted(want, key=str):
        print(f"{LOADER} may {acl.operation.name} {acl.restype.name} {acl.name} ({acl.resource_pattern_type.name})")
    print("and nothing else")


if __name__ == "__main__":
    main()
