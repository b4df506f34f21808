import { testDnsUpdate } from "../support/dns_lives.ts";

testDnsUpdate("powerdns");
