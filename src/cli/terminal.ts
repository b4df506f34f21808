/** The standard streams, as a command uses them. */
export interface Terminal {
  /** Writes a result to standard output, with a line feed. */
  print(text: string): void;
  /** Writes a message to standard error, with a line feed. */
  error(text: string): void;
  /**
   * Shows a line of progress, which the next one overwrites; the empty text removes it. Absent where
   * standard error is no terminal.
   */
  readonly status?: ((text: string) => void) | undefined;
  /** All of standard input. */
  readInput(): Promise<Uint8Array>;
  /**
   * Whether results may be coloured: standard output is a terminal, and NO_COLOR is not set.
   * @default false
   */
  readonly colours?: boolean;
  /**
   * Columns that a line of results may have. @default 80, also where standard output is no terminal
   */
  readonly width?: number | undefined;
}

/** When results are coloured: `auto` as {@linkcode Terminal.colours} says. */
export const COLOUR_CHOICES = ["always", "never", "auto"] as const;
export type ColourChoice = typeof COLOUR_CHOICES[number];

/** The same terminal, with the colours that an option asks for once it has been read. */
export function withColours(terminal: Terminal, choice: () => ColourChoice): Terminal {
  return Object.create(terminal, {
    colours: { get: () => choice() === "auto" ? terminal.colours : choice() === "always" },
  });
}

/** SGR colours of a terminal. */
const COLOURS = { red: 31, green: 32, yellow: 33 } as const;

/** A text in a colour, where results may be coloured. */
export function coloured(text: string, colour: keyof typeof COLOURS, { colours = false }: Terminal): string {
  return colours ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}

/** The terminal, pipe or file that the process was started with. */
export const processTerminal: Terminal = {
  print: (text) => writeAll(Deno.stdout, `${text}\n`),
  error: (text) => writeStderr(`${text}\n`),
  // TERM=dumb is a terminal without colours.
  get colours() {
    return Deno.stdout.isTerminal() && !Deno.noColor && Deno.env.get("TERM") !== "dumb";
  },
  get width() {
    return Deno.stdout.isTerminal() ? columnsOf() : undefined;
  },
  get status() {
    if (!Deno.stderr.isTerminal() || Deno.env.get("TERM") === "dumb") return undefined;
    // A line that is wrapped could not be removed.
    const length = (consoleColumns() ?? DEFAULT_COLUMNS) - 1;
    return (text: string) => writeStderr(`\r\x1b[K${text.slice(0, length)}`);
  },
  readInput: async () => new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer()),
};

/** In a narrower terminal the terminal wraps lines. */
const MIN_WIDTH = 40;

const DEFAULT_COLUMNS = 80;

function columnsOf(): number | undefined {
  const columns = consoleColumns();
  return columns === undefined ? undefined : Math.max(columns, MIN_WIDTH);
}

function consoleColumns(): number | undefined {
  try {
    const { columns } = Deno.consoleSize();
    return columns > 0 ? columns : undefined;
  } catch {
    return undefined;
  }
}

/** Writes to standard error. A failure is ignored: it must not stop the service. */
export function writeStderr(text: string): void {
  try {
    writeAll(Deno.stderr, text);
  } catch {
    // A closed pipe or a full disk: there is no other place to report it.
  }
}

/** Writes a whole text; a pipe may take only part of it at a time. */
function writeAll(target: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.byteLength > 0) bytes = bytes.subarray(target.writeSync(bytes));
}
