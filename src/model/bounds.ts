/**
 * Limits on the content of one message. No OpenStack sends as much: Nova and Neutron have columns
 * of 255 characters for names, values and addresses, 128 metadata items per server, and some tens
 * of ports. Without limits, memory could multiply a message of 1 MiB: docs/OPERATIONS.md, "Limits".
 */

/**
 * Nesting of JSON; a deeper message is refused. It could be parsed, but to write it again overflows
 * the stack. OpenStack needs 10 levels.
 */
export const MAX_LEVELS = 100;

/** Characters of a text; a longer one counts as not stated. Tracebacks have some thousands. */
export const MAX_TEXT = 16_384;

/**
 * Characters of an id or an address; a longer one counts as not stated, its own message is refused.
 */
export const MAX_ID = 255;

/** Keys of an object, for example a server's metadata; the rest is left out. */
export const MAX_KEYS = 1024;

/** Items of a list, and addresses of a server; the rest is left out. */
export const MAX_ITEMS = 256;

/**
 * Characters about one resource; the rest is left out. Nova's largest possible metadata takes half
 * of it.
 */
export const MAX_CHARACTERS = 131_072;

/** Resources in one message; a message with more is refused. A real one of 1 MiB has some 1,300. */
export const MAX_RESOURCES = 2000;

/** Resources in one part of a message: a message with more is recorded in several parts. */
export const PART_RESOURCES = 100;

/** Floating IPs per server, and per port, that are tracked. */
export const MAX_FLOATING_IPS = 256;

/**
 * Characters of metadata, addresses and floating IPs in the details of all events of one message.
 * In later events these lists are cut short.
 */
export const MAX_LISTED = 8_388_608;
