/**
 * Loads what loads configurations. Deno finds V8's code of a package in its cache by the URL of the
 * package's file alone, which an `import()` of a module that names the package does not give it: it
 * would compile valibot at every start, in 3 ms.
 */
export async function configLoader(): Promise<typeof import("./load_config.ts")> {
  await import(import.meta.resolve("valibot"));
  return await import("./load_config.ts");
}
