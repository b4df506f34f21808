# configuration.py of the private NetBox.
import os

ALLOWED_HOSTS = ['*']
SECRET_KEY = 'of a private NetBox that listens on the loopback address alone'
API_TOKEN_PEPPERS = {1: 'of a private NetBox that listens on the loopback address alone'}
DATABASES = {
    'default': {
        'NAME': 'netbox',
        'USER': 'netbox',
        'HOST': '127.0.0.1',
        'PORT': os.environ['NETBOX_POSTGRES_PORT'],
        'CONN_MAX_AGE': 300,
    }
}
_REDIS = {'HOST': '127.0.0.1', 'PORT': int(os.environ['NETBOX_REDIS_PORT'])}
REDIS = {'tasks': {**_REDIS, 'DATABASE': 0}, 'caching': {**_REDIS, 'DATABASE': 1}}
CENSUS_REPORTING_ENABLED = False
RELEASE_CHECK_URL = None
