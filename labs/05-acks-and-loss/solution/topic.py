"""The topic's settings. ./python topic.py applies them."""

from confluent_kafka.admin import (AdminClient, AlterConfigOpType,
                                   ConfigEntry, ConfigResource)
from settings import BROKERS, TOPIC

SETTINGS = {"min.insync.replicas": "2"}

topic = ConfigResource(ConfigResource.Type.TOPIC, TOPIC)
for name, value in SETTINGS.items():
    topic.add_incremental_config(ConfigEntry(
        name, value, incremental_operation=AlterConfigOpType.SET))
admin = AdminClient({"bootstrap.servers": BROKERS})
for done in admin.incremental_alter_configs([topic]).values():
    done.result(30)
print("applied:", SETTINGS)
