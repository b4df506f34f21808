"""Stands in for neutron-openvswitch-agent on every fake compute host.

It reports agent state over RPC, so that ML2 can bind ports, and answers each port_update for a port
bound to one of its hosts by reporting the device up, so that the port becomes ACTIVE and neutron sends
network-vif-plugged to nova. It touches no network device.
"""
import importlib.util
import os

# Where Neutron itself still runs on eventlet, its RPC does, too.
NEUTRON = os.path.dirname(importlib.util.find_spec('neutron').origin)
if os.path.isdir(os.path.join(NEUTRON, 'cmd', 'eventlet')):
    import eventlet
    eventlet.monkey_patch()

import sys
import threading
import time

from neutron.agent import rpc as agent_rpc
from neutron.common import config as common_config
from neutron.conf.agent import common as agent_config
from neutron_lib import constants
from neutron_lib import context
from neutron_lib.agent import topics
from oslo_config import cfg

DELAY = float(os.environ.get('PORT_UP_DELAY', '0.1'))
HOSTS = os.environ['HOSTS'].split()


def state(host, start):
    s = {
        'binary': 'neutron-openvswitch-agent', 'host': host, 'topic': 'N/A',
        'agent_type': constants.AGENT_TYPE_OVS,
        'configurations': {
            'bridge_mappings': {'physnet1': 'br-ex'}, 'tunnel_types': ['vxlan'],
            'tunneling_ip': '127.0.0.1', 'datapath_type': 'system', 'integration_bridge': 'br-int',
            'ovs_hybrid_plug': False, 'ovs_capabilities': {'datapath_types': ['system'], 'iface_types': []},
            'vhostuser_socket_dir': '/var/run/openvswitch', 'devices': 0, 'l2_population': False,
            'resource_provider_bandwidths': {}, 'resource_provider_hypervisors': {}, 'in_distributed_mode': False,
            'resource_provider_inventory_defaults': {}, 'enable_distributed_routing': False,
            'arp_responder_enabled': False, 'extensions': [], 'log_agent_heartbeats': False,
        },
    }
    if start:
        s['start_flag'] = True
    return s


class Endpoint:
    def __init__(self, plugin, ctx):
        self.plugin = plugin
        self.ctx = ctx

    def port_update(self, ctxt, port=None, **kwargs):
        host = (port or {}).get('binding:host_id')
        if host not in HOSTS or port.get('status') == 'ACTIVE' or not port.get('admin_state_up'):
            return
        threading.Timer(DELAY, self.up, (port['id'], host)).start()

    def up(self, port_id, host):
        try:
            self.plugin.update_device_list(self.ctx, [port_id], [], 'agent-%s' % host, host)
        except Exception as e:  # the port may be gone again
            print('update_device_list', port_id, e, flush=True)


def main():
    common_config.register_common_config_options()
    agent_config.register_agent_state_opts_helper(cfg.CONF)
    common_config.init(sys.argv[1:])
    # Later releases look at their policies for it, hence at the configuration.
    ctx = context.get_admin_context_without_session()
    reporter = agent_rpc.PluginReportStateAPI(topics.REPORTS)
    plugin = agent_rpc.PluginApi(topics.PLUGIN)
    agent_rpc.create_consumers([Endpoint(plugin, ctx)], topics.AGENT, [[topics.PORT, topics.UPDATE]])
    start = True
    while True:
        for h in HOSTS:
            try:
                reporter.report_state(ctx, state(h, start), True)
            except Exception as e:
                print('report_state', h, e, flush=True)
        start = False
        print('reported', flush=True)
        time.sleep(60)


main()
