/** The real oslo.config, Debian's package, for what no document says exactly. */

/** What it reads out of a file: the values of its options, `null` for those that cannot be had; or that it refuses the file. */
export type OsloReading =
  | { readonly refused: true }
  | {
    readonly refused: false;
    /** By section and key as they are written, all values in their order. */
    readonly raw: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
    /** Each option of the file as a string option, with references put in. */
    readonly options: readonly (readonly [section: string, key: string, value: string | null])[];
    readonly lists: readonly (readonly [section: string, key: string, value: readonly string[] | null])[];
  };

/** Reads texts, one after the other, with Debian's Python: another one on the path does not find Debian's packages. */
export async function readWithOslo(texts: readonly string[]): Promise<readonly OsloReading[]> {
  const command = new Deno.Command("/usr/bin/python3", { args: ["-c", PROGRAM], stdin: "piped", stdout: "piped" });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(texts)));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("The real oslo.config does not run; deno task test installs it");
  return JSON.parse(new TextDecoder().decode(stdout));
}

const PROGRAM = `
import json, sys, tempfile
from oslo_config import cfg

def value(conf, section, key):
    try:
        return getattr(conf if section == 'DEFAULT' else getattr(conf, section), key)
    except Exception:
        return None

def options(path, raw, kind):
    conf = cfg.ConfigOpts()
    names = sorted({(s if s == 'DEFAULT' else s.lower(), k) for s in raw for k in raw[s]})
    for section, key in names:
        conf.register_opt(kind(key), group=None if section == 'DEFAULT' else section)
    conf(['--config-file', path])
    return [(s, k, value(conf, s, k)) for s, k in names]

def read(text):
    with tempfile.NamedTemporaryFile('w', suffix='.conf', newline='', encoding='utf-8') as file:
        file.write(text)
        file.flush()
        raw = {}
        try:
            cfg.ConfigParser(file.name, raw).parse()
        except Exception:
            return {'refused': True}
        return {
            'refused': False,
            'raw': {s: k for s, k in raw.items() if k},
            'options': options(file.name, raw, cfg.StrOpt),
            'lists': options(file.name, raw, cfg.ListOpt),
        }

json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
`;
