/**
 * For authors of plugins: the contract that every plugin has to keep, as tests, and what one needs to write more.
 *
 * @module
 */

export { type ContractTest, contractTests, type PluginContract, type TargetAnswer } from "./plugin_contract.ts";
export { testPlugin } from "./plugin_contract.ts";
export { assertHttpPreview, HTTP_ANSWERS, HttpHarness } from "./http_harness.ts";
export type { HttpHarnessTls, HttpTaken } from "./http_harness.ts";
export { HOSTILE_TEXTS } from "./hostile_texts.ts";
export { type SampleEvent, sampleEvent, type SampleOptions } from "./sample_event.ts";
export type { Behaviour, TakenBy, TargetHarness } from "./target_harness.ts";
export { type GateMode, TcpGate } from "./tcp_gate.ts";
