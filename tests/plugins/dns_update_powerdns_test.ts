import { testDnsLives } from "../support/dns_lives.ts";
import { byUpdates } from "../support/dns_way.ts";

testDnsLives(byUpdates("powerdns"));
