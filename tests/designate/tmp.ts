import { DesignateServer } from "../support/designate_server.ts";
import { testContract } from "./contract.ts";
const server = await DesignateServer.start();
Deno.test.afterAll(() => server[Symbol.asyncDispose]());
testContract(() => server);
