const { createTransport } = await import("nodemailer");
const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
(async () => {
  for await (const c of server) {
    await c.write(new TextEncoder().encode("220 hi\r\n"));
    const b = new Uint8Array(1000);
    const n = await c.read(b);
    console.log(new TextDecoder().decode(b.subarray(0, n!)));
    await c.write(new TextEncoder().encode("250 hi\r\n"));
    const n2 = await c.read(b);
    console.log(new TextDecoder().decode(b.subarray(0, n2!)));
  }
})();
for (const host of ["127.0.0.1", "localhost"]) {
  const t = createTransport(
    {
      pool: true,
      host,
      port: server.addr.port,
      requireTLS: true,
      secure: false,
      connectionTimeout: 2000,
      auth: { user: "u", pass: "p" },
    } as any,
  );
  try {
    await (t as any).sendMail({ from: "a@b.c", to: "x@y.z", text: "hi" });
  } catch (e: any) {
    console.log(e.code, e.message, e.command, e.response, e.originalCode);
  }
}
for (
  const d of [
    "еxample.com",
    "ｅxample.com",
    "exam\u00adple.com",
    "müller.example",
    "a..b",
    "EXAMPLE.com",
    "0x7f.1",
    "example.com.",
    "exa mple.com",
    "ex%61mple.com",
    "[1.2.3.4]",
    "straße.de",
    "a@b.com",
    "xn--a",
  ]
) {
  const { domainToASCII } = await import("node:url");
  console.log(JSON.stringify(d), JSON.stringify(domainToASCII(d)));
}
Deno.exit(0);
