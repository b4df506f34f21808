"""What operators use today: an oslo.messaging notification listener, as designate-sink and ceilometer are.

    listen.py PORT TOPIC MESSAGES [URL]

Decodes every message, claims three event types and, with a URL, posts what a plugin would be told, one requests.Session per
thread. Prints a line of JSON after the last message, then waits to be killed, so that its processor time can be read.
"""
import json
import sys
import threading
import time

import oslo_messaging
import requests
from oslo_config import cfg

CREATIONS = ('compute.instance.create.end', 'floatingip.update.end')
DELETIONS = ('compute.instance.delete.end', 'floatingip.update.end')


class Endpoint:
    def __init__(self, messages, url):
        self.messages = messages
        self.url = url
        self.lock = threading.Lock()
        self.local = threading.local()
        self.began = None
        self.seen = self.claimed = self.posted = 0
        self.done = threading.Event()

    def info(self, context, publisher_id, event_type, payload, metadata):
        if self.began is None:
            self.began = time.time() * 1000
        claims = event_type in CREATIONS or event_type in DELETIONS
        if claims and self.url:
            self.post(event_type, payload, metadata)
        with self.lock:
            self.seen += 1
            self.claimed += claims
            if self.seen == self.messages:
                self.done.set()

    def post(self, event_type, payload, metadata):
        if not hasattr(self.local, 'session'):
            self.local.session = requests.Session()
        path = '/created' if event_type in CREATIONS else '/deleted'
        detail = {
            'ID': payload.get('instance_id'),
            'FQDN': payload.get('hostname'),
            'ProjectID': payload.get('tenant_id'),
            'UserID': payload.get('user_id'),
            'Ram': payload.get('memory_mb'),
            'CPU': payload.get('vcpus'),
            'Storage': payload.get('disk_gb'),
            'CreationDate': payload.get('created_at'),
            'Metadata': payload.get('metadata'),
            'Addresses': payload.get('fixed_ips', []),
        }
        headers = {'Idempotency-Key': metadata['message_id']}
        self.local.session.post(self.url + path, json=detail, headers=headers, timeout=30).raise_for_status()
        with self.lock:
            self.posted += 1


def main():
    port, topic, messages = sys.argv[1], sys.argv[2], int(sys.argv[3])
    url = sys.argv[4] if len(sys.argv) > 4 else None
    conf = cfg.ConfigOpts()
    conf([])
    transport = oslo_messaging.get_notification_transport(conf, url=f'rabbit://guest:guest@127.0.0.1:{port}/')
    conf.set_override('amqp_durable_queues', True, group='oslo_messaging_rabbit')
    endpoint = Endpoint(messages, url)
    target = oslo_messaging.Target(topic=topic, exchange='bench')
    listener = oslo_messaging.get_notification_listener(transport, [target], [endpoint], executor='threading')
    listener.start()
    endpoint.done.wait()
    at = time.time() * 1000
    # The acknowledgement follows the endpoint's return, on the thread that polls.
    time.sleep(1)
    did = {'messages': endpoint.seen, 'claimed': endpoint.claimed, 'posted': endpoint.posted}
    print(json.dumps({**did, 'from': endpoint.began, 'at': at}), flush=True)
    while True:
        time.sleep(3600)


main()
