/**
 * Loads what loads configurations. Deno finds V8's code of a package in its cache by the URL of the
 * package's file alone, which modules that are reached by `import()` do not ask for: without the
 * first line it compiles valibot at every start, in 4 ms.
 */
export async function configLoader(): Promise<typeof import("./load_config.ts")> {
  // What is wrong with the package, the second import says.
  await import(import.meta.resolve("valibot")).catch(() => undefined);
  return await import("./load_config.ts");
}
