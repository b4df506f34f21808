/** What the service asks of the worker. */
export interface WorkerCall {
  /** Of the route, as `listEvents`. */
  readonly route: string;
  /** Of the URL, checked. */
  readonly query: Readonly<Record<string, string | number | boolean>>;
  /** The JSON of the request, not read yet; `null`: none. */
  readonly body: Uint8Array<ArrayBuffer> | null;
  /** Who asks, for the audit trail. */
  readonly who: string;
}

/** Messages from the service to the worker. */
export type ToWorker =
  /** Loads the configuration: the options of the command line. */
  | { readonly kind: "load"; readonly globals: unknown }
  | { readonly kind: "call"; readonly id: number; readonly call: WorkerCall };

/** An answer as it is sent to the browser: JSON. The service only passes it on. */
export interface WorkerAnswer {
  readonly status: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Messages from the worker; their texts hold no secret. */
export type FromWorker =
  /** It listens. Messages that are sent before are lost. */
  | { readonly kind: "here" }
  | { readonly kind: "answer"; readonly id: number; readonly answer: WorkerAnswer }
  /** Whether it has work that nobody waits for at the moment: it must not be ended meanwhile. */
  | { readonly kind: "busy"; readonly isBusy: boolean }
  /** The configuration cannot be loaded, or an error came that no call carries. */
  | { readonly kind: "failed"; readonly error: string };
