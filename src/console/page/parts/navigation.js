// @ts-check
import { count, shortCount } from "../format.js";
import { href, route } from "../router.js";
import { overview, session } from "../session.js";
import { markup, signal, useEffect } from "../ui.js";
import { Icon } from "./icon.js";

/** @import { IconName } from "./icon.js" */

/** On narrow screens. */
export const isMenuOpen = signal(false);

/** @type {readonly { path: string, label: string, icon: IconName, also?: readonly string[] }[]} */
const PLACES = [
  { path: "overview", label: "Overview", icon: "overview" },
  { path: "events", label: "Events", icon: "events", also: ["event", "server"] },
  { path: "dead-letters", label: "Dead letters", icon: "letters" },
  { path: "plugins", label: "Plugins", icon: "plugin" },
  { path: "drift", label: "Drift", icon: "drift" },
  { path: "cluster", label: "Cluster", icon: "cluster" },
  { path: "try", label: "Try", icon: "try" },
  { path: "audit-log", label: "Audit log", icon: "log" },
];

export function Navigation() {
  const { screen, hash } = route.value;
  useEffect(() => void (isMenuOpen.value = false), [hash]);
  const has = session.value?.has ?? { openstack: true, cluster: true };
  const shown = PLACES.filter(({ path }) => (path !== "drift" || has.openstack) && (path !== "cluster" || has.cluster));
  const plugins = overview.value?.plugins ?? [];
  const dead = plugins.reduce((sum, plugin) => sum + plugin.dead, 0);
  return markup`
    <nav id="menu" class=${isMenuOpen.value ? "menu open" : "menu"} aria-label="Screens">
      <ul>${
    shown.map(({ path, label, icon, also = [] }) => {
      const isHere = path === screen || also.includes(screen);
      return markup`
          <li
            key=${path}><a href=${href(path)} aria-current=${
        isHere ? "page" : null
      }><${Icon} name=${icon} /><span>${label}</span>${
        path === "dead-letters" && dead > 0 &&
        markup`<span class="count bad" title=${count(dead)}>${shortCount(dead)}</span>`
      }</a></li>
        `;
    })
  }</ul>
      <p class="version faint">oss-watcher ${session.value?.version}</p>
    </nav>
  `;
}
