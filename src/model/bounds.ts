/**
 * How much of one message counts. No OpenStack sends as much: Nova and Neutron keep names, values and addresses in columns of 255 characters, 128 metadata
 * items for a server, and some tens of ports. A message within 1 MiB could else be multiplied by what is remembered: docs/OPERATIONS.md, "Limits".
 */

/** JSON nested more deeply is refused: parsing it is easy, but writing it again overflows the stack. OpenStack needs ten levels. */
export const MAX_LEVELS = 100;

/** Characters of a text; a longer one counts as not said. Tracebacks have some thousands. */
export const MAX_TEXT = 16_384;

/** Characters of an id or an address; a longer one counts as not said, and a message that is about it is refused. */
export const MAX_ID = 255;

/** Keys of an object, as of a server's metadata; those behind them are left out. */
export const MAX_KEYS = 1024;

/** Items of a list, and addresses of a server; those behind it are left out. */
export const MAX_ITEMS = 256;

/** Characters of what is said of one resource; what comes behind them is left out. Nova's metadata of the largest size takes half of it. */
export const MAX_CHARACTERS = 131_072;

/** Resources that one message may name; a message that names more is refused. A real one of 1 MiB has some 1,300. */
export const MAX_RESOURCES = 2000;

/** A message that names more resources is recorded in parts of so many. */
export const PART_RESOURCES = 100;

/** Floating IPs of a server, and of a port, that are followed. */
export const MAX_FLOATING_IPS = 256;

/** Characters of metadata, addresses and floating IPs in the details of all events of one message; later events carry those lists cut short. */
export const MAX_LISTED = 8_388_608;
