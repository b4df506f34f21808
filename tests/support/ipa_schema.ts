/**
 * What a host of FreeIPA takes from FreeIPA's own schema: Debian has no package of it any more. The
 * numbers (OIDs), names and kinds are those of FreeIPA's base schema, version 2; nothing else of FreeIPA
 * is here, so neither its plugins, that fill in `ipaUniqueID`, nor its access rights.
 *
 * `nsHost`, `pkiUser`, `ipHost` and `ieee802Device` are 389 Directory Server's own.
 */
export const IPA_SCHEMA = `dn: cn=schema
objectClass: top
objectClass: ldapSubentry
objectClass: subschema
cn: schema
attributeTypes: ( 2.16.840.1.113730.3.8.3.1 NAME 'ipaUniqueID' EQUALITY caseIgnoreMatch SYNTAX ${"1.3.6.1.4.1.1466.115.121.1.15"} )
attributeTypes: ( 2.16.840.1.113730.3.8.3.4 NAME 'fqdn' EQUALITY caseIgnoreMatch SYNTAX ${"1.3.6.1.4.1.1466.115.121.1.15"} )
objectClasses: ( 2.16.840.1.113730.3.8.4.1 NAME 'ipaHost' AUXILIARY MUST ( fqdn ) MAY ( userPassword $ userClass ) )
objectClasses: ( 2.16.840.1.113730.3.8.4.2 NAME 'ipaService' AUXILIARY MAY ( memberOf ) )
objectClasses: ( 2.16.840.1.113730.3.8.4.12 NAME 'ipaObject' AUXILIARY MUST ( ipaUniqueID ) )
`;
