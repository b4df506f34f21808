// Collects the error texts of the program into docs/ERRORS.md: deno run --allow-read --allow-write
// tools/error_texts.ts
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** A chapter of docs/ERRORS.md: the sources of its texts, and what holds for all of them. */
interface Chapter {
  readonly title: string;
  readonly places: readonly string[];
  readonly about: string;
}

const CHAPTERS: readonly Chapter[] = [
  {
    title: "Commands and configuration",
    places: ["main.ts", "src/cli/", "src/config/", "src/model/", "src/inspect/"],
    about: `Printed at once, before anything is started. The program ends with exit code 1, with 2 when the
command line itself is wrong.`,
  },
  {
    title: "RabbitMQ",
    places: ["src/intake/", "src/rabbitmq/"],
    about: `At the start, a refused login and a queue that cannot be consumed end the program (exit code 1).
Later every step is retried, and the log has the beginning and the end of the failure. A message
that cannot be read is kept as rejected: \`oss-watcher events --state rejected\`.`,
  },
  {
    title: "OpenStack",
    places: ["src/openstack/", "src/detail/", "src/facts/"],
    about: `At the start, a refused login and a service that is not in the catalog end the program (exit code
1). Later they count as silence: events that need an answer wait in the ledger, up to
\`openstack.maxWaitSeconds\`.`,
  },
  {
    title: "The ledger",
    places: ["src/ledger/"],
    about: `A ledger that cannot be opened ends the program (exit code 1). While it cannot be written, intake
and attempts stop.`,
  },
  {
    title: "The service, and commands that look at it",
    places: ["src/runtime/", "src/dispatch/", "src/observe/"],
    about: "In the log of the service, or from the command that was called (exit code 1).",
  },
  {
    title: "The console",
    places: ["src/console/"],
    about: "In the page, or as `error` in an answer of its API; refusals are in the log of the service, too.",
  },
  {
    title: "Plugins",
    places: ["plugins/", "src/wire/"],
    about: `\`Cannot make <plugin>\` names all wrong options at once, when config.ts is loaded. The others are
causes of failed attempts, in the log and in \`oss-watcher events show KEY\`. The attempt is retried
unless OPERATIONS says that this kind is given up at once.`,
  },
];

const HEAD = `# Error texts

Every error text of the program, one a line; … stands for a value. Written by
\`deno run --allow-read --allow-write tools/error_texts.ts\`, and compared with the code by a test.
[OPERATIONS.md](OPERATIONS.md#what-is-retried-and-when) says which failures are retried.
`;

/** The contents of docs/ERRORS.md. */
export async function errorDocument(top: string): Promise<string> {
  const texts = new Map<string, Set<string>>(CHAPTERS.map(({ title }) => [title, new Set()]));
  for (const file of await sources(top)) {
    const chapter = CHAPTERS.find(({ places }) => places.some((place) => file.startsWith(place)));
    for (const text of textsOf(await Deno.readTextFile(join(top, file)))) {
      // A folder that moves must not take its texts out of the document.
      if (chapter === undefined) throw new Error(`Cannot file the error texts of "${file}": no chapter has its folder`);
      texts.get(chapter.title)!.add(text);
    }
  }
  const chapters = CHAPTERS.map(({ title, about }) => {
    const lines = [...texts.get(title)!].sort().map((text) => `- ${text}`);
    return `\n## ${title}\n\n${about}\n\n${lines.join("\n")}\n`;
  });
  return HEAD + chapters.join("");
}

/**
 * The texts of one source: literals that begin with "Cannot ", with those that are added to them,
 * and … for each value.
 */
export function textsOf(text: string): readonly string[] {
  const source = text.replaceAll(/\/\*\*[^]*?\*\//g, "");
  const found: string[] = [];
  for (const { index } of source.matchAll(/(?<!\\)(["`])Cannot /g)) {
    let at = index;
    let said = "";
    for (;;) {
      const literal = literalAt(source, at);
      said += literal.text;
      const more = /^\s*\+\s*(?=["`])/.exec(source.slice(literal.end));
      if (more === null) break;
      at = literal.end + more[0].length;
    }
    found.push(said.replaceAll(/…(?:\s*…)+/g, "…").replaceAll(/\s*\n\s*/g, " ").trim());
  }
  // A text that is values alone would say nothing here.
  return found.filter((said) => /^Cannot .*\w/.test(said));
}

/** The literal whose quote is at an index: its text and where it ends. */
function literalAt(source: string, start: number): { readonly text: string; readonly end: number } {
  const quote = source[start];
  let text = "";
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === quote) return { text, end: at + 1 };
    if (source[at] === "\\") {
      const escaped = source[++at] ?? "";
      text += escaped === "n" ? " " : escaped;
    } else if (quote === "`" && source.startsWith("${", at)) {
      text += "…";
      at = endOfValue(source, at + 2);
    } else text += source[at];
  }
  throw new SyntaxError("Cannot read a source: a text has no end");
}

/** The index of the brace that closes a value, whatever is nested in it. */
function endOfValue(source: string, start: number): number {
  let depth = 1;
  for (let at = start; at < source.length; at++) {
    const character = source[at] as string;
    if (character === '"' || character === "'" || character === "`") at = literalAt(source, at).end - 1;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return at;
  }
  throw new SyntaxError("Cannot read a source: a value has no end");
}

async function sources(top: string): Promise<readonly string[]> {
  const files: string[] = ["main.ts"];
  const walk = async (dir: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      const path = join(dir, name);
      if (isDirectory) await walk(path);
      else if (name.endsWith(".ts")) files.push(relative(top, path).replaceAll("\\", "/"));
    }
  };
  for (const dir of ["src", "plugins"]) await walk(join(top, dir));
  return files.sort();
}

if (import.meta.main) {
  const top = fileURLToPath(new URL("..", import.meta.url));
  await Deno.writeTextFile(join(top, "docs/ERRORS.md"), await errorDocument(top));
}
