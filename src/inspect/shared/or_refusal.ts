import { UserError } from "../../model/errors.ts";

/** What a look at a broker gives, or the text that says why we may not look. */
export async function orRefusal<T>(looking: Promise<T>): Promise<T | string> {
  try {
    return await looking;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}
