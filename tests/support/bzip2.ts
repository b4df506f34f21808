/**
 * Bodies that Python's `bz2.compress` made: nothing in Deno writes bzip2.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** The wire body of the sample `floatingip.update.end.disassociate`. */
export const BZIP2_SAMPLE = fromBase64([
  "QlpoOTFBWSZTWYqWj4MAA8YfgFAHf/AFIYSev///6lADPuxwtsCrVCSRDQBoBGpiBk1MRhGmCSIAIIyRAAAAAAwiap6obSPUNDINAA9QABgNAa",
  "AADTQaAaANAklTaRoDQ000ANNNA0ZGjRC80L5APADgEyTCZMkzJQdpXAH1k7YAttAiqZBJEfrJLX8sLIZJBJopkN9LhoNgZsWBw0zQNJdAniHi",
  "c+msmzttn+9BZPCbNnEvt7t7TcjBQC1uOCxToEwrMcqBcslRUSBPHzFWFtE3pyDXO6Kktp8jUir5ybfjKMicKFeK+SOGQZEROy7b9o1IaWFzAT",
  "bCeonlMMqHXApipxvornZsijorx110qLMxlXmwVV7TkJmsy6Q6PCYs6KgYUci5FrdcD31VBQpnba2IpxW6WtKNFPfFBOoviy3j1hdsVFl96m7t",
  "OnFbKlGv1oLZlAJBu02cTXPpAFQDwd0bp16eVR1azeVX2avaZ0c7veSmrEz+PTWHvEifkV1j6ERlZiImANiSyQUqElATYsLOlSrCQfM+rOgNzy",
  "xmWKlpJI/rl2Me+EAg7pj4g8ew+2R7mR+2NGR8tUyKIvRkJ/LnzXHs6+sN3yOY8Bbi4vU93JZKUxcqDOprAmk2kttv78JfN8YChK6p8aKFlgfV",
  "WM4qz/cNsEka2sZiowupURWbgcJz4a2pDmDNybQaG+t5dB0YyPGVxv4YLP1xj2a9axaJ4ddtBiyuvPZfQpbF98Mn0+Dl7fctK7TV7G6DibnKQV",
  "JeMPk7jhNQkjnp3K9Z8e1dnMnVSKziMu51nBsy+SowHLKkzl0zoozceMmOYcv3Ulz7BONJCw/e7a1CsP1QFvjBXFtNSamVX8WnOBIQT1BnNgnh",
  "M8CTFZkFN0kN4EKfQDqLhsK4Yn2AUPceokNN9lcgRtiOPGDnASsHi0AamcEzoDwkXLBtNImz92126ZHLTIqSJR3exNBfWfBqemzuN3jaEyJlkF",
  "oi+1RzNB3lZ8xJC0xNAYiptNxoE1n9K9hKXfjfiKHy+Zs0ZGYpI6wGo+373MDsf8XckU4UJCKlo+DA",
].join(""));

/** The single byte `a`. */
export const BZIP2_OF_ONE_BYTE = fromBase64("QlpoOTFBWSZTWRmTm2sAAAABACAAIAAhGEaC7kinChIDMnNtYA==");

/** `0123456789abcdef` 18,750 times, in one block, which is larger than the smallest that a compressor makes. */
export const BZIP2_OF_ONE_LARGE_BLOCK = fromBase64([
  "QlpoOTFBWSZTWacPj2YAJJ6JAH/gPwAwALNRTAATQTVUAAAUqgAA+gUpWEClKxgUpWUClKzgUpWkClK1gUI2VURG6qiI4VURHMClK6gUpXcClK",
  "8hREeqqIj5VREfi7kinChIU4fHswA=",
].join(""));

/** 512 KiB of blanks. */
export const BZIP2_OF_HALF_A_MEBIBYTE = fromBase64(
  "QlpoOTFBWSZTWYSHqqQABAZQAIQAQAAACCAAMMwFSepxDAKBgHi7kinChIQkPVUg",
);

/** 512 KiB of blanks and one more. */
export const BZIP2_OF_ONE_BYTE_TOO_MANY = fromBase64(
  "QlpoOTFBWSZTWdR2xJkABAZQAIIAQAAACCAAMMwFSepxDAKBgHi7kinChIajtiTI",
);

/** 50 MiB of blanks in 81 bytes. */
export const BZIP2_BOMB = fromBase64(
  "QlpoOTFBWSZTWbUiZb8BX44QAMAAAAggADCATUZCoCWpCoCXMUFZJlNZIgY4KAAyBTAAgADAAAAIIAAwzAUppxlAIthQCLxdyRThQkEhC81c",
);

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
