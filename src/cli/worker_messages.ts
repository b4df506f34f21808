import { UserError } from "../model/errors.ts";

/** What an isolate says of a failure; its text holds no secret. */
export interface FailedMessage {
  readonly kind: "failed";
  readonly error: string;
  /** Whether it is a mistake of the user. */
  readonly isUsers: boolean;
}

/** The next message of this kind. Rejects when the isolate fails before. */
export async function messageOf<From extends { readonly kind: string }, Kind extends From["kind"]>(
  worker: Worker,
  kind: Kind,
): Promise<Extract<From, { readonly kind: Kind }>> {
  const over = new AbortController();
  const { signal } = over;
  const { promise, resolve, reject } = Promise.withResolvers<Extract<From, { readonly kind: Kind }>>();
  worker.addEventListener("message", ({ data }: MessageEvent<From | FailedMessage>) => {
    if (isFailed(data)) reject(data.isUsers ? new UserError(data.error) : new Error(data.error));
    else if (data.kind === kind) resolve(data as Extract<From, { readonly kind: Kind }>);
  }, { signal });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  }, { signal });
  try {
    return await promise;
  } finally {
    over.abort();
  }
}

function isFailed(message: { readonly kind: string }): message is FailedMessage {
  return message.kind === "failed";
}
