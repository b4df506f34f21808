import { UserError } from "../../model/errors.ts";

/** The result of a question to a broker, or the text that says why our user may not ask it. */
export async function orRefusal<T>(looking: Promise<T>): Promise<T | string> {
  try {
    return await looking;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}
