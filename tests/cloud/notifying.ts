// How Nova and Neutron publish notifications in the passes.
import type { Notifying } from "../../tools/openstack/settings.ts";

/** Every notification comes up to eight times: two drivers, two topics, two formats. */
export const EVERYTHING: Notifying = {
  novaFormat: "both",
  novaDrivers: ["messagingv2", "messaging"],
  neutronDrivers: ["messaging", "messagingv2"],
  topics: ["notifications", "monitoring"],
  versionedTopics: ["versioned_notifications", "monitoring"],
};

/** As nova.conf and neutron.conf were in 2015. */
export const FIRST_GENERATION: Notifying = {
  novaFormat: "unversioned",
  novaDrivers: ["messaging"],
  neutronDrivers: ["messaging"],
  topics: ["monitoring"],
  versionedTopics: ["versioned_notifications"],
};

export const VERSIONED_ALONE: Notifying = {
  novaFormat: "versioned",
  novaDrivers: ["messagingv2"],
  neutronDrivers: ["messagingv2"],
  topics: ["notifications"],
  versionedTopics: ["versioned_notifications"],
  reclaimSeconds: 86_400,
};
