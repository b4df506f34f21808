"""nova-compute with one of Nova's own fake drivers. Debian's program would bring a hypervisor along.

Later releases know a host's node by an id in its state directory, and start again only where they find
it. The fake drivers invent an id with each start instead: they are given the one of the directory.
"""
import os
import sys

from nova.cmd import compute
from nova.virt import fake

# The source of a live migration has the server no more. Only a driver that never ends one says so.
fake.FakeDriver.post_live_migration = fake.FakeLiveMigrateDriver.post_live_migration
if hasattr(fake, 'uuids'):
    with open(os.environ['COMPUTE_ID']) as file:
        setattr(fake.uuids, 'node_' + os.environ['COMPUTE_HOST'], file.read())
sys.argv[0] = 'nova-compute'
compute.main()
