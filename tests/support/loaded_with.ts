interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly isDynamic?: boolean; readonly code?: { readonly specifier?: string } }[];
}

/** The modules that are loaded with one, those of dynamic imports left out. */
export async function loadedWith(file: string): Promise<ReadonlySet<string>> {
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", file], stderr: "null" });
  const { modules } = JSON.parse(new TextDecoder().decode((await command.output()).stdout));
  const all = new Map((modules as readonly Module[]).map((module) => [module.specifier, module]));
  const loaded = new Set<string>();
  const waiting = [[...all.keys()].find((specifier) => specifier.endsWith(file))!];
  for (let specifier = waiting.pop(); specifier !== undefined; specifier = waiting.pop()) {
    if (loaded.has(specifier)) continue;
    loaded.add(specifier);
    for (const { isDynamic, code } of all.get(specifier)?.dependencies ?? []) {
      if (!isDynamic && code?.specifier !== undefined) waiting.push(code.specifier);
    }
  }
  return loaded;
}
