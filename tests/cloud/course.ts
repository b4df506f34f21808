// What is done to the cloud by everybody: servers and floating IPs of two projects come and go in all the ways that the design lists.
import { takeFloatingIpCourse } from "./floating_ip_course.ts";
import { change, comeAndGo } from "./server_course.ts";
import type { Cast } from "./cast.ts";
import type { Watch } from "./watch.ts";

export async function takeCourse(watch: Watch, cast: Cast): Promise<void> {
  const pair = await comeAndGo(watch, cast);
  await takeFloatingIpCourse(watch, cast.alice, pair);
  await change(watch, cast);
}
