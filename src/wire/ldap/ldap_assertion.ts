import type { LdapLibrary } from "./ldap_session.ts";

type LdapControl = InstanceType<LdapLibrary["Control"]>;

/**
 * A control (RFC 4528): the operation is done only if its entry matches the filter at that moment. A server that does not know it (389
 * Directory Server) does the operation all the same.
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
