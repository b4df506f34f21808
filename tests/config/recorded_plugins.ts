/** In the place of `oss-watcher/plugins`: plugins that keep what they were made with, which the real ones hide. */

class Recorded {
  readonly options: unknown[];

  constructor(...options: unknown[]) {
    this.options = options;
  }

  notify(): void {}
}

export class RestNotify extends Recorded {}
export class EventLog extends Recorded {}
