import type { LdapLibrary } from "./ldap_session.ts";

type LdapControl = InstanceType<LdapLibrary["Control"]>;

/**
 * An assertion control (RFC 4528): the server performs the operation only if its entry matches the
 * filter at that moment. Servers without this control (389 Directory Server) perform it in any
 * case.
 */
export function assertion({ Ber, BerWriter, Control, FilterParser }: LdapLibrary, filter: string): LdapControl {
  const value = new BerWriter();
  FilterParser.parseString(filter).write(value);
  return new class extends Control {
    protected override writeControl(writer: InstanceType<LdapLibrary["BerWriter"]>): void {
      writer.writeBuffer(value.buffer, Ber.OctetString);
    }
  }("1.3.6.1.1.12");
}
