import { testContract } from "../netbox/contract.ts";
import { RecordedNetBox } from "../netbox/source.ts";

// The conversation with a real NetBox 4.7.3, recorded by tests/netbox/main.ts.
testContract(new RecordedNetBox(), "recorded");
