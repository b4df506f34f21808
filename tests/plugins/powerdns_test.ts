import { testDnsLives } from "../support/dns_lives.ts";
import { BY_API } from "../support/dns_way.ts";

testDnsLives(BY_API);
