// @ts-check
// The processes that share the ledger, and what each of them does.
import { get } from "../api.js";
import { duration } from "../format.js";
import { Badge } from "../parts/badge.js";
import { Empty, Loaded, Note } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { useResource } from "../parts/resource.js";
import { Table } from "../parts/table.js";
import { Label, Text } from "../parts/text.js";
import { overview } from "../session.js";
import { markup, useEffect } from "../ui.js";

/** @import { ClusterAnswer } from "../../api.ts" */
/** @typedef {NonNullable<ClusterAnswer["processes"]>} Processes */
/** @typedef {Processes["processes"][number]} Process */

export function Cluster() {
  const cluster = useResource((signal) => /** @type {Promise<ClusterAnswer>} */ (get("cluster", {}, signal)));
  const beat = overview.value;
  useEffect(() => {
    if (cluster.data !== null && !cluster.isLoading) cluster.reload();
  }, [beat]);
  return markup`
    <${Heading} title="Cluster" />
    <${Loaded} of=${cluster}>${(/** @type {ClusterAnswer} */ { processes }) =>
    processes === null
      ? markup`
          <${Empty} title="This process does all the work.">
            <p>Its ledger is a file. With a ledger in PostgreSQL several processes share the work, and one takes over when another fails: see <code>docs/CLUSTER.md</code>.</p>
            <//>
        `
      : markup`<${Shared} shared=${processes} />`}<//>
  `;
}

const LOOKS = /** @type {const} */ ({
  running: { tone: "ok", icon: "check" },
  stopped: { tone: "off", icon: "minus" },
  silent: { tone: "bad", icon: "alert" },
});

/** @type {readonly import("../parts/table.js").Column<Process>[]} */
const COLUMNS = [
  { label: "Process", cell: ({ name }) => markup`<${Text} value=${name} limit=${80} />`, className: "name" },
  {
    label: "State",
    cell: ({ state }) => markup`<${Badge} tone=${LOOKS[state].tone} icon=${LOOKS[state].icon}>${state}<//>`,
  },
  { label: "Version", cell: ({ version }) => markup`<${Label} value=${version} />` },
  { label: "Runs for", cell: ({ startedMsAgo }) => duration(startedMsAgo) },
  { label: "Seen", cell: ({ seenMsAgo }) => `${duration(seenMsAgo)} ago` },
  {
    label: "Does",
    cell: ({ leases }) =>
      leases.length === 0
        ? markup`<span class="faint">nothing, it stands by</span>`
        : markup`<ul class="leases">${
          leases.map(({ name, heldMs }) =>
            markup`<li key=${name}><${Label} value=${name} /> <span class="faint">for ${duration(heldMs)}</span></li>`
          )
        }</ul>`,
  },
];

/** @param {{ shared: Processes }} props */
function Shared({ shared: { processes, free, differences } }) {
  return markup`
    ${
    free.length > 0 && markup`
      <${Note} tone="warn">
        <p>No process does this: ${
      free.map((name, index) => markup`${index > 0 ? ", " : ""}<${Label} value=${name} />`)
    }. A process takes it over within seconds, if one runs.</p>
        <//>
    `
  }
    ${
    differences.length > 0 && markup`
      <${Note} tone="warn">
        <p>The configurations of the processes differ:</p>
        <ul>${
      differences.map((sentence) =>
        markup`
            <li key=${sentence}>
              <${Text} value=${sentence} />
            </li>
          `
      )
    }</ul>
        <//>
    `
  }
    ${
    processes.length === 0
      ? markup`<${Empty} title="No process was there within a day." />`
      : markup`<${Table} name="process-table" label="Processes" columns=${COLUMNS} rows=${processes} keyOf=${(
        /** @type {Process} */ { name },
      ) => name} />`
  }
  `;
}
