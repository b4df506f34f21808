# Run in NetBox's shell: makes the users of the tests, and prints their tokens as JSON.
import json

from core.models import ObjectType
from users.models import ObjectPermission, Token, User

RIGHTS = {
    ('virtualization', 'virtualmachine'): ['view', 'add', 'change', 'delete'],
    ('virtualization', 'vminterface'): ['view', 'add', 'change', 'delete'],
    ('ipam', 'ipaddress'): ['view', 'add', 'change', 'delete'],
    ('dcim', 'macaddress'): ['view', 'add'],
    ('virtualization', 'cluster'): ['view'],
    ('tenancy', 'tenant'): ['view'],
    ('dcim', 'devicerole'): ['view'],
    ('dcim', 'platform'): ['view'],
    ('dcim', 'site'): ['view'],
    ('ipam', 'vrf'): ['view'],
    ('extras', 'tag'): ['view', 'add'],
    ('extras', 'customfield'): ['view', 'add'],
}


def user(name, **more):
    return User.objects.create_user(username=name, **more)


def token(owner, version):
    made = Token(user=owner, version=version)
    made.save()
    return made.plaintext if version == 1 else f'nbt_{made.key}.{made.token}'


admin = user('admin', is_superuser=True)
watcher = user('watcher')
powerless = user('powerless')
for (app, model), actions in RIGHTS.items():
    permission = ObjectPermission.objects.create(name=f'{app}.{model}', actions=actions)
    permission.object_types.add(ObjectType.objects.get(app_label=app, model=model))
    permission.users.add(watcher)

print(json.dumps({
    'admin': token(admin, 2),
    'watcher': token(watcher, 2),
    'legacy': token(watcher, 1),
    'powerless': token(powerless, 2),
}))
