/**
 * For authors of plugins: the contract that every plugin has to keep, as tests, and tools for tests
 * of your own.
 *
 * @module
 */

export type { ContractTest, PluginContract, TargetAnswer } from "./contract.ts";
export { contractTests } from "./contract_tests.ts";
export { HOSTILE_TEXTS } from "./hostile_texts.ts";
export { HTTP_ANSWERS } from "./http_answers.ts";
export { HttpHarness, type HttpTaken } from "./http_harness.ts";
export { assertHttpPreview } from "./http_preview.ts";
export { type SampleEvent, sampleEvent, type SampleOptions } from "./sample_event.ts";
export { type SampleUpdate, sampleUpdate, type SampleUpdateOptions } from "./sample_update.ts";
export type { Behaviour, TakenBy, TargetHarness } from "./target_harness.ts";
export { type GateMode, TcpGate } from "./tcp_gate.ts";
export { testPlugin } from "./test_plugin.ts";
